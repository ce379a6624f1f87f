"""Meetings: planned, moved, canceled."""

from __future__ import annotations

import re

import pytest
from icalendar import Calendar

from pipeline.review.upload import queueing
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import AuditRow, Meeting, MeetingRole
from pipeline.tapes.jobs.steps import JobOptions
from pipeline.tapes.retention import destruction
from tests.review.conftest import Browser, Room


class Peers:
    """A group of four, and Ada's browser."""

    def __init__(self, room: Room) -> None:
        self.room, self.group = room, room.group()
        self.people = {name: room.person(name, self.group) for name in ("Ada", "Ben", "Cleo", "Dan")}
        self.ada = room.signed_in(self.people["Ada"])

    def plan(self, at: str = "2030-01-01T18:00") -> str:
        """A meeting's path."""
        planned = self.ada.post("/meetings", {"group_id": self.group, "at": at})
        assert planned.status_code == 303
        return str(planned.headers["location"]).partition("?")[0]

    def roles(self, path: str) -> dict[str, str]:
        """Role -> person's id."""
        with self.room.home.database.reading() as database:
            rows = database.query(MeetingRole).filter(MeetingRole.meeting_id == path.rpartition("/")[2])
            return {row.role: row.person_id for row in rows}

    def outsider(self) -> Browser:
        return self.room.signed_in(self.room.person("Zoe", self.room.group("Elsewhere")))

    def actions(self) -> list[str]:
        with self.room.home.database.reading() as database:
            return [row.action for row in database.query(AuditRow).order_by(AuditRow.seq) if "meeting" in row.action]


@pytest.fixture
def peers(room: Room) -> Peers:
    return Peers(room)


def test_a_meeting_can_be_moved_and_keeps_its_roles(peers: Peers) -> None:
    path = peers.plan("2062-01-01T18:00")
    before = peers.roles(path)
    assert 'value="2062-01-01T18:00"' in peers.ada.get(path).text
    assert peers.outsider().post(f"{path}/when", {"at": "2026-01-01T18:00"}).status_code == 404
    for wrong in ("soon", "9999-99-99T18:00", "1960-01-01T18:00"):
        assert peers.ada.post(f"{path}/when", {"at": wrong}).status_code == 422
    assert peers.ada.post(f"{path}/when", {"at": "2026-01-01T17:30"}).status_code == 303
    assert "January 1, 2026, 17:30" in peers.ada.get(path).text
    assert peers.roles(path) == before
    peers.ada.post(f"{path}/end")
    assert f"{path}/when" not in peers.ada.get(path).text
    assert peers.ada.post(f"{path}/when", {"at": "2026-02-01T17:30"}).status_code == 409
    assert peers.actions() == ["meeting.plan", "meeting.move", "meeting.end"]


def test_a_meeting_that_is_canceled_is_nobody_s_turn(peers: Peers) -> None:
    path = peers.plan()
    first = peers.roles(path)
    assert peers.outsider().post(f"{path}/cancel").status_code == 404
    canceled = peers.ada.post(f"{path}/cancel")
    assert (canceled.status_code, canceled.headers["location"]) == (303, "/meetings?note=canceled")
    assert peers.ada.get(path).status_code == 404
    assert "Coming" not in peers.ada.get("/meetings").text
    assert peers.roles(path) == {}
    assert peers.roles(peers.plan()) == first
    assert peers.actions() == ["meeting.plan", "meeting.cancel", "meeting.plan"]


@pytest.mark.parametrize(("deed", "form"), [("end", {}), ("notes", {"notes": "Bring the kettle."})])
def test_what_took_place_or_has_notes_is_not_canceled(peers: Peers, deed: str, form: dict[str, object]) -> None:
    path = peers.plan()
    assert f"{path}/cancel" in peers.ada.get(path).text
    peers.ada.post(f"{path}/{deed}", form)
    assert f"{path}/cancel" not in peers.ada.get(path).text
    assert peers.ada.post(f"{path}/cancel").status_code == 409
    with peers.room.home.database.reading() as database:
        assert database.query(Meeting).count() == 1


def test_notes_are_kept_while_they_are_typed_but_not_over_somebody_else_s(peers: Peers) -> None:
    path, ben = peers.plan(), peers.room.signed_in(peers.people["Ben"])

    def was(browser: Browser) -> str:
        match = re.search(r'name="was" value="(\w+)"', browser.get(path).text)
        assert match
        return match[1]

    known = was(peers.ada)
    assert known == was(ben)
    kept = peers.ada.post(f"{path}/notes", {"step": "keep", "was": known, "notes": "Bring the kettle. "})
    assert kept.json() == {"was": was(peers.ada)}
    late = ben.post(f"{path}/notes", {"step": "keep", "was": known, "notes": "Bring tea."})
    assert late.status_code == 409
    assert ">Bring the kettle.</textarea>" in ben.get(path).text
    again = peers.ada.post(
        f"{path}/notes", {"step": "keep", "was": kept.json()["was"], "notes": "Bring the kettle now."}
    )
    assert again.status_code == 200
    assert ben.post(f"{path}/notes", {"step": "keep", "was": was(ben), "notes": "Bring tea, too."}).status_code == 200


def test_whose_tape_is_next_does_not_forget_tapes_that_are_destroyed(peers: Peers) -> None:
    """Tapes live for some 90 days; a group of fifteen that meets once a month goes round in more than a year."""
    room, order = peers.room, []
    for _ in range(len(peers.people) + 1):
        name = re.search(r'The next tape comes from <strong class="name">(\w+)<', group_page(peers))
        assert name
        order.append(name[1])
        who = peers.people[name[1]]
        tape = room.tape(peers.group, who, state="draft")
        assert order[-1] in group_page(peers).partition("The next tape")[2][:60]  # a draft is no turn
        queueing.queue(room.home, tape, who, JobOptions("0" * 64, 0, 1000, 2), room.clock())
        room.clock.advance(DAY)
        destruction.destroy(room.home, tape, "due", room.clock())
        peers.ada = room.signed_in(peers.people["Ada"])
    assert order == ["Ada", "Ben", "Cleo", "Dan", "Ada"]


def group_page(peers: Peers) -> str:
    return str(peers.ada.get(f"/groups/{peers.group}").text)


def test_notes_that_another_saved_meanwhile_are_not_written_over_by_the_button(peers: Peers) -> None:
    path, ben = peers.plan(), peers.room.signed_in(peers.people["Ben"])

    def was(page: str) -> str:
        return page.partition('name="was" value="')[2].partition('"')[0]

    known = was(peers.ada.get(path).text)
    assert ben.post(f"{path}/notes", {"notes": "Bring <b>tea</b>.", "was": known}).status_code == 303
    refused = peers.ada.post(f"{path}/notes", {"notes": "Bring the kettle.", "was": known})
    assert refused.status_code == 409
    assert "Your notes are not saved yet." in refused.text
    assert "Bring &lt;b&gt;tea&lt;/b&gt;.</blockquote>" in refused.text  # theirs, to read
    assert ">Bring the kettle.</textarea>" in refused.text  # the own, to go on with
    assert ">Bring &lt;b&gt;tea&lt;/b&gt;.</textarea>" in ben.get(path).text
    both = {"notes": "Bring tea and the kettle.", "was": was(refused.text)}
    assert peers.ada.post(f"{path}/notes", both).status_code == 303
    assert ">Bring tea and the kettle.</textarea>" in ben.get(path).text
    assert peers.actions().count("meeting.notes") == 2


def test_a_meeting_from_the_plan_to_the_thanks(room: Room) -> None:
    """The times are worked out by hand: 90 minutes from 18:00 in Berlin, whatever this computer's clock shows."""
    group = room.group()
    ada, ben = (room.person(name, group) for name in ("Ada", "Ben"))
    tape = room.tape(group, ada)
    host, guest = room.signed_in(ada), room.signed_in(ben)
    host.post(f"/groups/{group}/time-zone", {"time_zone": "Europe/Berlin"})
    form = {"group_id": group, "at": "2030-01-08T18:00", "minutes": 90, "location": "https://call.example.org/peers"}
    path = str(host.post("/meetings", form).headers["location"])
    assert host.post("/meetings", form | {"location": "javascript:alert(1)"}).status_code == 422
    assert host.post("/meetings", form | {"at": "2030-03-31T02:30"}).status_code == 422  # the clocks skip it

    def clocks(page: str) -> list[str]:
        return re.findall(r'<td class="time">(\d\d:\d\d)</td>', page)

    page = guest.get(path).text
    assert clocks(page) == ["18:00", "18:05", "18:30", "18:40", "19:00", "19:20"]
    assert '<a href="https://call.example.org/peers" rel="noreferrer">Join the video call</a>' in page
    assert "About 120 seconds each" in page  # four minutes, two people
    assert 'data-begins="1894122000000" data-ends="1894122300000"' in page  # 2030-01-08T17:00Z, and five minutes
    assert "Thank you" not in page  # nobody brings a tape yet
    host.post(f"{path}/tape", {"tape_id": tape})
    page = guest.get(path).text
    assert 'Thank you, <span class="name">Ada</span>, for bringing your tape.' in page
    assert f'href="/tapes/{tape}"' in page
    assert f"/tapes/{tape}/feedback" not in page  # the interviewer comes first
    host.post(f"/tapes/{tape}/first", {"step": "done", "well": "I waited."})
    page = guest.get(path).text
    steps = page.partition("<tbody>")[2].partition("</tbody>")[0]
    links = re.findall(r'<a href="(/[^"#]+)', steps)
    assert {f"/tapes/{tape}/{what}" for what in ("coding", "together", "feedback", "summary")} < set(links)
    assert [link for link in links if guest.get(link).status_code != 200] == []
    (event,) = Calendar.from_ical(guest.get(f"{path}/meeting.ics").content).walk("VEVENT")
    assert event["DTSTART"].dt.isoformat() == "2030-01-08T18:00:00+01:00"
    assert event["DTEND"].dt.isoformat() == "2030-01-08T19:30:00+01:00"
    assert event["LOCATION"] == "https://call.example.org/peers"
    host.post(f"{path}/when", {"at": "2030-01-08T18:30"})
    assert clocks(guest.get(path).text)[:2] == ["18:30", "18:35"]
    guest.post(f"{path}/end")
    assert (
        'This meeting is over. Thank you, <span class="name">Ada</span>, for bringing the tape.' in guest.get(path).text
    )
    assert "This meeting is over. Thank you for bringing your tape." in host.get(path).text
    assert host.post(f"{path}/where", {"location": "Town Hall"}).status_code == 409
