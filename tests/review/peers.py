"""A group of three, a coach, and Ada's tape."""

from __future__ import annotations

from tests.review.conftest import Browser, Room


class Peers:
    """A group of three, a coach, and Ada's tape."""

    def __init__(self, room: Room) -> None:
        self.room, self.group = room, room.group()
        self.ada, self.ben, self.eve = (room.person(name, self.group) for name in ("Ada", "Ben", "Eve"))
        self.coach = room.person("Coco", self.group, role="coach")
        self.tape = room.tape(self.group, self.ada)
        self.path = f"/tapes/{self.tape}"

    def opened(self) -> Peers:
        self.room.signed_in(self.ada).post(f"{self.path}/first", {"step": "waive"})
        return self

    def say(self, browser: Browser, kind: str, text: str = "You waited."):
        return browser.post(f"{self.path}/feedback", {"kind": kind, "text": text})
