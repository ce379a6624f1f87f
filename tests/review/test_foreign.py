"""Every route, asked for things that are not the asker's: nobody learns whether they exist."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from pipeline.tapes.db.records import AuditRow, Certificate, GroupCodebook, Passkey, TapeNote
from pipeline.tapes.retention import destruction
from tests.formats.test_cacti_codebook import FILE
from tests.review.coding import shelf
from tests.review.conftest import Browser, Room
from tests.review.routes import IDS, NAMING, NOBODY, PARTS, Call, calls

OPEN = {"/login", "/login/code", "/login/enroll", "/logout", "/invitation/{token}", "/oidc/start", "/oidc/back"}
OPEN |= {"/certificate", "/certificate/tape-review.crt", "/calendar/{token}.ics", "/healthz", "/readyz", "/metrics"}
"""What a guest may ask for."""

ENDING = {"/tapes/{tape_id}/withdraw", "/tapes/{tape_id}/destroy"}
"""What an administrator may do with a tape: a client must always be heard."""

TAKEN_BACK = {"/growth/unshare"}
"""Answers the same whether or not there was something to take back."""


def with_ids(room: Room) -> list[Call]:
    return [call for call in calls(room.app) if set(call.named) & IDS]


def shown(browser: Browser, token: str, call: Call, ids: Mapping[str, str]) -> tuple[int, str]:
    """What comes of it, without the ids that were asked for."""
    answer = call.ask(browser, token, ids)
    text = answer.text
    for name in ids.values():
        text = text.replace(name, NOBODY)
    return answer.status_code, text


def told(browser: Browser, token: str, chosen: Iterable[Call], ids: Mapping[str, str]) -> list[str]:
    """Where something foreign is answered otherwise than with a 404, or otherwise than what does not exist."""
    wrong = []
    for call in chosen:
        answer, nothing = shown(browser, token, call, ids), shown(browser, token, call, {})
        if answer[0] != 404 or answer != nothing:
            wrong.append(f"{call.method} {call.path}: {answer[0]}, and {nothing[0]} for nothing")
    return wrong


@pytest.fixture
def theirs(room: Room) -> dict[str, str]:
    """Ids of a group that has everything: a tape, all that hangs on it, a meeting, a codebook."""
    group = room.group("Theirs")
    ada = room.person("Ada", group)
    tape = shelf.put_tape(room.home, group, ada, room.clock(), 4, 0.2, reviewed=False)
    browser = room.signed_in(ada)
    browser.post(f"/tapes/{tape}/first", {"step": "waive"})
    browser.post(f"/tapes/{tape}/feedback", {"kind": "strength", "text": "You waited."})
    feedback = browser.get(f"/tapes/{tape}/feedback").text.split(f"/tapes/{tape}/feedback/")[1].split("/")[0]
    pass_ = browser.post(f"/tapes/{tape}/coding", {"task": "all", "codebook": "pretags"}).headers["location"]
    assert browser.post(f"/tapes/{tape}/notes", {"text": "A pause.", "moment": "0:01"}).status_code == 303
    practiced = browser.post("/practice/role-plays/roleplay-alcohol", {"codebook": "pretags"}).headers["location"]
    meeting = browser.post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"}).headers["location"]
    upload = {"file": ("a.xml", FILE.encode(), "text/xml")}
    assert browser.post(f"/tapes/{tape}/codebooks", {"label": "Ours"}, files=upload).status_code == 303
    gone = room.tape(group, ada)
    destruction.destroy(room.home, gone, "by hand", room.clock(), ada)
    key = {"credential_id": "x", "public_key": "y", "sign_count": 0, "rp_id": "localhost", "name": "My phone"}
    passkey = Passkey(person_id=ada, made_at=room.clock(), **key)
    with room.home.database.writing() as database:
        database.add(passkey)
        database.flush()
    with room.home.database.reading() as database:
        certificate = database.query(Certificate).one().id
        codebook = database.query(GroupCodebook).one().id
        note = database.query(TapeNote).one().id
    ids = {
        "tape_id": tape,
        "pass_id": pass_.rpartition("/")[2],
        "calibration_pass_id": practiced.rpartition("/")[2],
        "feedback_id": feedback,
        "note_id": note,
        "meeting_id": meeting.split("/")[-1].partition("?")[0],
        "group_id": group,
        "person_id": ada,
        "codebook_id": codebook,
        "certificate_id": certificate,
        "passkey_id": passkey.id,
        "session_id": room.app.state.context.sessions.of(ada, room.clock())[0].id,
    }
    assert set(ids) == IDS
    return ids


def test_the_route_table_is_whole(room: Room) -> None:
    assert len(calls(room.app)) > 70
    assert len(with_ids(room)) > 45
    unknown = {name for call in calls(room.app) for name in call.named} - IDS - set(PARTS)
    assert not unknown, "tell tests/review/routes.py what these are"


def test_what_the_test_asks_for_is_there_for_its_owner(room: Room, theirs: dict[str, str]) -> None:
    """Otherwise the tests below would pass because nothing is there."""
    owner = room.signed_in(theirs["person_id"])
    answers = {call.path: call.ask(owner, "", theirs).status_code for call in with_ids(room) if call.method == "GET"}
    of_drafts = {
        path for path in answers if path.startswith("/uploads") or path.endswith(("/recording", "/part", "/transcript"))
    }
    pages = ("part/peaks", "part/sound", "part/suggestion", "another", "files")
    of_drafts |= {f"/tapes/{{tape_id}}/{page}" for page in pages}
    others = {"/growth/{person_id}", "/groups/{group_id}/visit", "/groups/{group_id}/pairs"}
    assert {path for path, status in answers.items() if status == 404} <= of_drafts | others


def test_what_is_somebody_else_s_looks_like_what_does_not_exist(room: Room, theirs: dict[str, str]) -> None:
    """A member of another group, on every verb of every route with an id."""
    member = room.signed_in(room.person("Ben", room.group("Mine")))
    draft = room.tape(theirs["group_id"], theirs["person_id"], state="draft")
    token = member.token("/account")
    for ids in (theirs, theirs | {"tape_id": draft}):
        assert told(member, token, with_ids(room), ids) == []


def test_a_form_that_names_something_foreign_is_refused_as_if_it_did_not_exist(
    room: Room, theirs: dict[str, str]
) -> None:
    """The address names what is one's own, a field of the form what is not: each such field of each form."""
    group = room.group("Mine")
    ben = room.person("Ben", group, role="coordinator")
    browser, tape = room.signed_in(ben), room.tape(group, ben)
    browser.post(f"/tapes/{tape}/first", {"step": "waive"})
    meeting = browser.post("/meetings", {"group_id": group, "at": "2030-01-01T18:00"}).headers["location"]
    ids = {"tape_id": tape, "group_id": group, "person_id": ben, "meeting_id": meeting.split("/")[-1].split("?")[0]}
    token = browser.token("/account")
    asked = 0
    for call in calls(room.app):
        for parameter in call.route.dependant.body_params if not call.safe else ():
            if parameter.alias not in NAMING or call.path in TAKEN_BACK:
                continue
            asked += 1
            answers = []
            for other in (theirs[NAMING[parameter.alias]], NOBODY):
                form = call.form(ids)
                form["data"][parameter.alias] = other
                answer = browser.client.request(
                    call.method, call.address(ids), headers={"X-CSRF-Token": token, "accept": "text/html"}, **form
                )
                answers.append((answer.status_code, answer.text.replace(other, NOBODY)))
            assert answers[0] == answers[1], f"{call.path} {parameter.alias}"
            assert answers[0][0] in (404, 422), f"{call.path} {parameter.alias}: {answers[0][0]}"
    assert asked > 8


def test_whoever_runs_the_room_hears_no_more_than_others(room: Room, theirs: dict[str, str]) -> None:
    admin = room.signed_in(room.person("Root", is_admin=True))
    chosen = [call for call in with_ids(room) if call.path not in ENDING and not call.path.startswith("/people")]
    assert told(admin, admin.token("/account"), chosen, theirs) == []


def test_whoever_runs_the_room_hears_a_group_s_tapes_only_by_joining_it_which_stands_in_the_audit(room: Room) -> None:
    group = room.group()
    tape = room.tape(group, room.person("Ada", group))
    root = room.person("Root", is_admin=True)
    admin = room.signed_in(root)
    assert admin.get(f"/tapes/{tape}").status_code == 404
    form = {"name": "Root", "email": "root@example.org", "group_id": group, "role": "member"}
    assert admin.post("/people", form).status_code == 200
    assert admin.get(f"/tapes/{tape}").status_code == 200
    with room.home.database.reading() as database:
        rows = [(row.actor_id, row.thing) for row in database.query(AuditRow).where(AuditRow.action == "group.join")]
    assert (root, f"{group} {root}") in rows


def test_a_draft_is_its_interviewer_s_alone(room: Room) -> None:
    group = room.group()
    ada, ben = room.person("Ada", group), room.person("Ben", group)
    draft = room.tape(group, ada, state="draft")
    browser = room.signed_in(ben)
    chosen = [call for call in with_ids(room) if "tape_id" in call.named]
    assert told(browser, browser.token("/account"), chosen, {"tape_id": draft}) == []


@pytest.mark.parametrize("wrong", ["x", "0" * 17, "%00", "O'Brien", "é" * 16])
def test_ids_of_another_form_are_404_too(room: Room, wrong: str) -> None:
    browser = room.signed_in(room.person("Ben"))
    ids = dict.fromkeys(IDS, wrong)
    statuses = {call.path: browser.get(next(call.addresses(ids))).status_code for call in with_ids(room) if call.safe}
    assert set(statuses.values()) == {404}, statuses


def test_every_route_needs_somebody_signed_in(room: Room, theirs: dict[str, str]) -> None:
    browser = room.browser()
    token = browser.token("/login")
    for call in calls(room.app):
        if call.path not in OPEN:
            for ids in (theirs, {}):
                status = call.ask(browser, token, ids).status_code
                assert status in (303, 401), f"{call.method} {call.path}: {status}"


def test_every_unsafe_route_needs_its_token(room: Room, theirs: dict[str, str]) -> None:
    """With everything else right: nothing is done for who knows the address and the fields alone."""
    browser = room.signed_in(theirs["person_id"])
    draft = room.tape(theirs["group_id"], theirs["person_id"], state="draft")
    unsafe = [call for call in calls(room.app) if not call.safe]
    assert len(unsafe) > 35
    for call in unsafe:
        ids = theirs | ({"tape_id": draft} if call.streamed else {})
        for token in ("wrong", ""):
            assert call.ask(browser, token, ids).status_code == 403, f"{call.method} {call.path}"
    assert browser.get("/account").status_code == 200  # not signed out either
