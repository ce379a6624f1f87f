"""A simulated year with something on every page: drafts, jobs at work and failed, masks, notes, a certificate.

What people do goes through the room, as in the year itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyotp
from sqlalchemy import select

from pipeline import settings
from pipeline.errors import AudioError
from pipeline.review.auth import credentials
from pipeline.review.demo_year.year import TAPES, YearMade, make_year
from pipeline.review.network.authority import Authority
from pipeline.tapes.clock import now, today
from pipeline.tapes.db.records import CalibrationPass, Certificate, Job, Meeting, Pass, Person
from pipeline.tapes.home import Home
from pipeline.tapes.jobs import job_state
from tests.conftest import recording
from tests.review.coding import shelf
from tests.review.coding.conftest import Coder
from tests.review.conftest import Browser, Room, home_settings
from tests.tapes.conftest import FakeClock

INTERVIEWER, CODER, HOST = "Ben", "Eve", "Ada"
WAITS_FOR_CODE = "Hugo"
"""Who has an authenticator."""


@dataclass(frozen=True)
class Furnished:
    """The room, its people by name, and what addresses name."""

    room: Room
    people: dict[str, str]
    ids: dict[str, str]

    def session(self, name: str, whole: bool = True) -> str:
        """The token of a session of somebody; one that is not whole waits for the second step."""
        sessions = self.room.app.state.context.sessions
        return str(sessions.start(self.people[name], self.room.clock(), second_factor=whole))


@contextmanager
def furnished(folder: Path | None = None, tapes: int = TAPES) -> Iterator[Furnished]:
    """A furnished home in ``folder``, by default one that is removed after use; ``tapes`` makes a shorter year."""
    loaded = settings.load().settings
    with TemporaryDirectory() as temporary:
        home = Home.create(home_settings((folder or Path(temporary)) / "home"))
        try:
            year = make_year(home, loaded, now(), tapes=tapes)
            Authority.of(home, now())
            yield _Furnisher(Room(home, FakeClock(now())), year).furnished()
        finally:
            home.close()


class _Furnisher:
    """Whoever puts everything in its place."""

    def __init__(self, room: Room, year: YearMade) -> None:
        self._room, self._year = room, year
        self._browsers = {name: room.signed_in(person) for name, person in year.people.items()}
        self._ben = self._browsers[INTERVIEWER]
        self._reviewed, self._waiting = year.tapes[0], year.tapes[-1]

    def furnished(self) -> Furnished:
        """Furnish the home."""
        ids = {"group": self._year.group_id, "reviewed": self._reviewed, "waiting": self._waiting}
        ids |= self._drafts() | self._coding()
        ids |= self._review(ids["locked"]) | self._ended() | self._met()
        ids |= {"growth": self._year.people[INTERVIEWER], "token": self._invited()}
        with self._room.home.database.writing() as session:
            waits = session.get_one(Person, self._year.people[WAITS_FOR_CODE])
            waits.totp_secret = credentials.closed(self._room.home, pyotp.random_base32())
        return Furnished(self._room, dict(self._year.people), ids)

    def _drafts(self) -> dict[str, str]:
        """Ben's tapes on their way: without a recording, with one, one at work, and one whose work failed."""
        ids = {name: self._draft() for name in ("draft", "written", "part", "several", "working", "failed")}
        for name in ("part", "several", "working", "failed"):
            self._sent(f"/uploads/{ids[name]}/form", "recording", recording("roleplay-swapped"))
        self._sent(f"/uploads/{ids['several']}/form?file=2", "recording", recording("roleplay-alcohol"))
        self._sent(
            f"/uploads/{ids['written']}/transcript", "transcript", recording("roleplay-alcohol").with_suffix(".csv")
        )
        for name in ("working", "failed"):
            self._post(self._ben, f"/tapes/{ids[name]}/part", start="0:00", end="0:20")
        with self._room.home.database.writing() as session:
            job = session.scalars(select(Job.id).where(Job.tape_id == ids["failed"])).one()
            job_state.fail(
                session, job, AudioError("A02", "recording", "holds no sound", "export it as WAV"), self._room.clock()
            )
        return ids

    def _draft(self) -> str:
        day = today(self._room.clock())
        answer = self._post(
            self._ben,
            "/tapes",
            group_id=self._year.group_id,
            group_ids=[self._year.group_id],
            target_behavior="drinking less alcohol",
            pseudonym="Robin",
            uses=["group_review", "coach_check"],
            destroy_by=str(day + timedelta(days=90)),
            signed_on=str(day),
            signed_form="written",
            method="key",
        )
        return answer.split("/")[2]

    def _review(self, locked: str) -> dict[str, str]:
        """A tape at which Ben is to look first, and one of which names are masked and moments noted."""
        fresh = self._shelved(INTERVIEWER, reviewed=False)
        ada = self._browsers[HOST]
        for at, text in (("0:05", "The pause before this answer."), ("0:20", "A second reflection would fit here.")):
            self._post(ada, f"/tapes/{self._reviewed}/notes", text=text, moment=at)
        note = ada.get(f"/tapes/{self._reviewed}/notes").text.split("/notes/")[1].partition("/")[0]
        self._post(ada, f"/tapes/{self._reviewed}/notes/{note}/share")
        word = Coder(ada, self._reviewed, locked).state()["utterances"][0]["words"][0]["id"]
        self._post(self._ben, f"/tapes/{self._reviewed}/names", word=[word], on="1")
        self._post(
            ada,
            f"/tapes/{self._reviewed}/feedback",
            kind="suggestion",
            text="After the sustain talk, wait a little longer.",
        )
        return {"fresh": fresh}

    def _coding(self) -> dict[str, str]:
        """Passes that are open, locked and with MITI's ratings, and a role-play that is half coded."""
        miti = self._shelved("Finn", reviewed=True)
        coders = [Coder(self._browsers[name], miti).begin(codebook="miti-4.2") for name in (HOST, "Dan")]
        for coder, code in zip(coders, ("reflection_simple", "reflection_complex"), strict=True):
            coder.code("u0001", code)
            self._post(coder.browser, f"{coder.path}/ratings", cultivating_change_talk=4, partnership=4, empathy=5)
            coder.lock()
        beginner = Coder(self._browsers[CODER], self._waiting).begin()
        practice = self._post(self._browsers[CODER], "/practice/role-plays/roleplay-swapped", codebook="pretags")
        with self._room.home.database.reading() as session:
            locked_pass = select(Pass.id).where(
                Pass.person_id == self._year.people[HOST], Pass.tape_id == self._reviewed
            )
            practiced = select(CalibrationPass.id).where(CalibrationPass.person_id == self._year.people[HOST])
            ids = {"locked": session.scalars(locked_pass).one(), "practiced": session.scalars(practiced).first() or ""}
        return ids | {
            "miti": miti,
            "miti_pass": coders[0].pass_id,
            "open": beginner.pass_id,
            "practice": practice.rpartition("/")[2],
        }

    def _ended(self) -> dict[str, str]:
        """A tape that was destroyed, with its certificate."""
        ended = self._shelved(INTERVIEWER, reviewed=True)
        self._post(self._ben, f"/tapes/{ended}/destroy")
        with self._room.home.database.reading() as session:
            return {"certificate": session.scalars(select(Certificate.id).where(Certificate.tape_id == ended)).one()}

    def _met(self) -> dict[str, str]:
        """Meetings of the past and to come, and growth that is shared."""
        self._post(self._ben, "/growth/share", person_id=self._year.people[HOST])
        with self._room.home.database.reading() as session:
            meetings = session.scalars(select(Meeting.id).order_by(Meeting.at)).all()
        return {"met": meetings[0], "planned": meetings[-1]}

    def _invited(self) -> str:
        """The token of Noor's invitation."""
        card = self._browsers[HOST].post(
            "/people",
            {"name": "Noor", "email": "noor@sample.invalid", "group_id": self._year.group_id, "role": "member"},
        )
        return card.text.partition("/invitation/")[2][:43]

    def _shelved(self, interviewer: str, reviewed: bool) -> str:
        room = self._room
        person = self._year.people[interviewer]
        return shelf.put_tape(room.home, self._year.group_id, person, room.clock(), 20, 1.5, reviewed)

    def _sent(self, path: str, field: str, file: Path) -> None:
        """Send a file by a form."""
        with file.open("rb") as content:
            token = {"csrf": self._ben.form_token()}
            self._done(self._ben.client.post(path, data=token, files={field: (file.name, content)}))

    def _post(self, browser: Browser, path: str, **form: object) -> str:
        return self._done(browser.post(path, form))

    @staticmethod
    def _done(answer: object) -> str:
        """Where a form leads to, without what follows the path."""
        assert answer.status_code == 303, (answer.request.url, answer.text)  # type: ignore[attr-defined]
        return str(answer.headers["location"]).partition("?")[0]  # type: ignore[attr-defined]
