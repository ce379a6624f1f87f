"""Whatever is sent, the server answers: no 5xx, with requests that schemathesis makes from the routes' own description.

``TAPE_REVIEW_FUZZ_SECONDS`` says for how long (20 by default; 120 for the full round).
"""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.review.coding import shelf
from tests.review.conftest import Browser, Room

pytestmark = [pytest.mark.engines]

SECONDS = float(os.environ.get("TAPE_REVIEW_FUZZ_SECONDS", "20"))
ENDING = {"/logout", "/account/sign-out-everywhere", "/tapes/{tape_id}/withdraw", "/tapes/{tape_id}/destroy"}
"""What would end the round: who is signed in, or what there is to ask for."""


@pytest.mark.timeout(SECONDS + 300)
@pytest.mark.filterwarnings("ignore:Duplicate Operation ID")  # one route for GET and HEAD
def test_no_request_is_answered_with_an_error_of_ours(room: Room) -> None:
    group = room.group()
    ada = room.person("Ada", group, is_admin=True)
    tape = shelf.put_tape(room.home, group, ada, room.clock())
    ids = {"tape_id": tape, "group_id": group, "person_id": ada}
    browser = room.signed_in(ada)
    token = browser.token("/account")
    schema = schemathesis.openapi.from_dict(room.app.openapi())
    operations = [operation.ok() for operation in schema.get_all_operations()]
    operations = [each for each in operations if each.path not in ENDING or each.method.upper() == "GET"]
    assert len(operations) > 50
    wrong: list[str] = []
    answered = 0

    def ask(case: Any) -> None:
        nonlocal answered
        answered += 1
        status = send(browser, token, case, ids if answered % 2 else {})
        if status >= 500:
            wrong.append(f"{case.method} {case.path} {case.body!r}"[:400])

    until, rounds = time.monotonic() + SECONDS, 0
    while time.monotonic() < until:
        rounds += 1
        for operation in operations:
            if rounds > 1 and time.monotonic() > until:
                break  # the first round asks every route, however long it takes
            few = settings(
                max_examples=rounds,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            few(given(case=operation.as_strategy())(ask))()
    assert answered >= len(operations)
    assert wrong == []


def send(browser: Browser, token: str, case: Any, ids: dict[str, str]) -> int:
    """Send a case, to things that exist where their ids are given."""
    path = case.path
    for name, value in (case.path_parameters or {}).items():
        path = path.replace(f"{{{name}}}", ids.get(name, str(value)))
    path = path.encode("ascii", "ignore").decode().replace("\n", "").replace("\r", "") or "/"
    headers = {str(name): str(value) for name, value in (case.headers or {}).items() if str(value).isascii()}
    headers = {name: value for name, value in headers.items() if value.isprintable()} | {"X-CSRF-Token": token}
    given_body: dict[str, Any] = {}
    if isinstance(case.body, (dict, list)) and case.media_type == "application/json":
        given_body["json"] = case.body
    elif isinstance(case.body, dict):
        given_body["data"] = {name: _plain(value) for name, value in case.body.items()}
    elif isinstance(case.body, bytes):
        given_body["content"] = case.body
    query = {name: _plain(value) for name, value in (case.query or {}).items()}
    answer = browser.client.request(case.method, path, params=query, headers=headers, **given_body)
    return int(answer.status_code)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value).encode("utf-8", "ignore").decode()
