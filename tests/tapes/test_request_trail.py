"""The trail of one request; code that runs for nobody's request has none."""

from __future__ import annotations

from pipeline.tapes import request_trail
from pipeline.tapes.request_trail import Trail


def note_everything() -> None:
    request_trail.came_to("t1")
    request_trail.came_to("t1")
    request_trail.refuse("role")
    request_trail.came_to_expired()
    request_trail.signs_in("")


def test_a_request_s_trail_holds_what_it_came_to() -> None:
    trail = Trail("192.0.2.1")
    token = request_trail.current.set(trail)
    try:
        note_everything()
    finally:
        request_trail.current.reset(token)
    assert trail == Trail("192.0.2.1", account_id="", refused=True, reason="role", tapes={"t1"}, expired=True)


def test_without_a_request_nothing_is_noted_and_nothing_fails() -> None:
    assert request_trail.current.get() is None
    note_everything()
    assert request_trail.current.get() is None
