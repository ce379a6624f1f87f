"""Every route, asked for things that are not the asker's: nobody learns whether they exist."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from pipeline.review import app as application
from tests.review.conftest import Browser, Room

PARAMETERS = {"tape_id", "meeting_id", "group_id", "person_id", "feedback_id", "pass_id", "kind"}
OPEN = {"/login", "/login/code", "/login/enroll", "/logout", "/invitation/{token}"}


def routes() -> Iterator[tuple[str, str]]:
    for router in application.ROUTERS:
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in sorted(route.methods):
                yield method, route.path


WITH_IDS = sorted({(method, path) for method, path in routes() if "{" in path and "{token}" not in path})

FORM = {
    **dict.fromkeys(("text", "name", "email", "start", "end", "at", "notes", "agreements", "kind", "role"), "x"),
    **dict.fromkeys(("group_id", "person_id", "facilitator", "time_keeper", "note_taker", "tape_id"), "0" * 16),
    "kind": "strength",
    "role": "member",
    "interviewer": "S1",
    "start": "0:00",
    "end": "1:00",
    "layer": "member",
    "codebook": "pretags",
    "task": "all",
}


JSON = {
    "/changes": {"changes": []},
    "/keys": {"action": "play", "key": "p"},
    "/together": {"id": "a1", "codebook": "pretags", "utterance_id": "u1"},
}


def filled(path: str, ids: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], "csv" if found[1] == "kind" else "0" * 16), path)


def ask(browser: Browser, token: str, method: str, path: str) -> int:
    headers = {"X-CSRF-Token": token, "Upload-Offset": "0", "Upload-Length": "10", "accept": "text/html"}
    if method == "GET":
        return browser.client.get(path, params={"codebook": "pretags"}).status_code
    if method == "HEAD":
        return browser.client.head(path, headers={"accept": "text/html"}).status_code
    if method == "PUT":
        return browser.client.put(path, content=b"0123456789", headers=headers).status_code
    json = next((body for end, body in JSON.items() if path.endswith(end)), None)
    if json is not None:
        return browser.client.post(path, json=json, headers=headers).status_code
    return browser.client.post(path, data=FORM, headers=headers).status_code


def hidden(browser: Browser, token: str, method: str, path: str, ids: dict[str, str]) -> bool:
    """Whether a thing looks like what does not exist: 404, or where the request is no good, the same for both."""
    status = ask(browser, token, method, filled(path, ids))
    return status == 404 or (status == 422 and ask(browser, token, method, filled(path, {})) == 422)


def test_the_list_of_routes_is_not_empty() -> None:
    assert len(WITH_IDS) > 25
    unknown = {name for _, path in WITH_IDS for name in re.findall(r"\{(\w+)\}", path)} - PARAMETERS
    assert not unknown, "tell this test what these ids are"


def test_what_is_somebody_else_s_looks_like_what_does_not_exist(room: Room) -> None:
    """An outsider with an account, an administrator, and a member of another group, on every route with an id."""
    mine, theirs = room.group("Mine"), room.group("Theirs")
    ada = room.person("Ada", theirs)
    tape = room.tape(theirs, ada)
    draft = room.tape(theirs, ada, state="draft")
    meeting = room.signed_in(ada).post("/meetings", {"group_id": theirs, "at": "2030-01-01T18:00"})
    ids = {
        "tape_id": tape,
        "meeting_id": meeting.headers["location"].split("/")[-1].partition("?")[0],
        "group_id": theirs,
        "person_id": ada,
    }
    member = room.signed_in(room.person("Ben", mine))
    token = member.token("/account")
    wrong = []
    for method, path in WITH_IDS:
        if path.startswith("/people"):
            continue  # for administrators alone; tested with them
        for known in (ids, ids | {"tape_id": draft}, {}):
            if not hidden(member, token, method, path, known):
                wrong.append(f"{method} {path}")
    assert wrong == []


def test_whoever_runs_the_room_hears_no_more_than_others(room: Room) -> None:
    group = room.group()
    ada = room.person("Ada", group)
    tape = room.tape(group, ada)
    admin = room.signed_in(room.person("Root", is_admin=True))
    token = admin.token("/account")
    ending = {f"/tapes/{tape}/withdraw", f"/tapes/{tape}/destroy"}
    for method, path in WITH_IDS:
        asked = filled(path, {"tape_id": tape, "group_id": group})
        if "{tape_id}" in path and asked not in ending:
            assert hidden(admin, token, method, path, {"tape_id": tape, "group_id": group}), f"{method} {path}"


def test_a_draft_is_its_interviewer_s_alone(room: Room) -> None:
    group = room.group()
    ada, ben = room.person("Ada", group), room.person("Ben", group)
    draft = room.tape(group, ada, state="draft")
    browser = room.signed_in(ben)
    token = browser.token("/account")
    for method, path in WITH_IDS:
        if "{tape_id}" in path:
            assert hidden(browser, token, method, path, {"tape_id": draft}), f"{method} {path}"


@pytest.mark.parametrize("wrong", ["x", "0" * 15, "0" * 17, "../etc", "%00", "O'Brien", "é" * 16])
def test_ids_of_another_form_are_404_too(room: Room, wrong: str) -> None:
    browser = room.signed_in(room.person("Ben"))
    for path in ("/tapes/{}", "/meetings/{}", "/groups/{}", "/growth/{}"):
        assert browser.get(path.format(wrong)).status_code == 404


def test_every_route_needs_somebody_signed_in(room: Room) -> None:
    browser = room.browser()
    token = browser.token("/login")
    for method, path in routes():
        if path not in OPEN and not path.startswith("/oidc"):
            status = ask(browser, token, method, filled(path, {}))
            assert status in (303, 401), f"{method} {path}: {status}"


def test_every_unsafe_route_needs_its_token(room: Room) -> None:
    browser = room.signed_in(room.person("Ada", room.group(), is_admin=True))
    streamed = {"/uploads/{tape_id}/form"}  # checks the token within the stream; tested with uploads
    for method, path in routes():
        if method not in ("GET", "HEAD") and path not in streamed:
            assert ask(browser, "wrong", method, filled(path, {})) == 403, f"{method} {path}"
