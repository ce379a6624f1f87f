"""Nothing that a client said, nobody's name, and no path gets into a log, whatever is logged."""

from __future__ import annotations

import io
import json
import logging
import os
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from pipeline.errors import ConsentError
from pipeline.tapes import logs
from pipeline.tapes.db.records import new_id

EVENTS = int(os.environ.get("TAPE_REVIEW_LOG_EVENTS", "10000"))
"""How many events are made up."""

SECRETS = (
    "I drank a bottle of wine every night",
    "he hit me",
    "heroin",
    "Robin",
    "Ada Miller",
    "ada@example.org",
    "/srv/tapes/vault/robin.wav",
    "/home/ada/session-robin.m4a",
    r"C:\Users\ada\tape.wav",
    "Thursday group",
    "127.0.0.53",
    "decode my life",
    "w1-heroin",
    "TR-robin",
)
"""What must not be found; each stands for a kind."""

WORDS = re.compile(
    "drank|bottle|wine|hit me|heroin|robin|ada|miller|example|srv|vault|home|wav|m4a|users|thursday", re.I
)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Where the logs go in a test."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    stream, out = io.StringIO(), logs._out.stream
    logs.configure(stream)
    yield stream
    logs._out.stream = out
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = before
    root.setLevel(level)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def without_time(written: io.StringIO) -> list[dict[str, Any]]:
    return [{field: value for field, value in line.items() if field != "time"} for line in lines(written)]


def test_what_is_on_the_lists_gets_through(written: io.StringIO) -> None:
    tape = new_id()
    logs.get().info("job.stage", tape_id=tape, stage="tag", fraction=0.5, attempt=2)
    assert without_time(written) == [
        {"event": "job.stage", "level": "info", "tape_id": tape, "stage": "tag", "fraction": 0.5, "attempt": 2}
    ]


def test_what_is_not_is_dropped_and_counted(written: io.StringIO) -> None:
    logs.get().info("he said: heroin", text="heroin", stage="heroin", tape_id="Robin", count="three")
    assert without_time(written) == [{"event": "unlisted", "level": "info", "dropped": 5}]


def test_an_error_is_told_by_class_code_and_place(written: io.StringIO) -> None:
    try:
        raise ConsentError("D04", "tape of Robin", "was withdrawn", "destroy it")
    except ConsentError:
        logs.get().exception("job.fail")
    logs.get().error("job.fail", exc_info=ValueError("Robin said heroin"))
    first, second = without_time(written)
    assert first == {"event": "job.fail", "level": "error", "error": "ConsentError", "code": "TR-D04"}
    assert second == {"event": "job.fail", "level": "error", "error": "ValueError"}


def test_an_error_in_our_code_is_told_with_its_line(written: io.StringIO) -> None:
    from pipeline.tapes.consent import consent_form

    try:
        consent_form.check({"pseudonym": "Robin Miller"})
    except ConsentError:
        logs.get().exception("job.fail")
    assert re.fullmatch(r"pipeline\.tapes\.consent\.consent_form:\d+", lines(written)[0]["at"])


def test_other_packages_are_told_by_name_only(written: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").error("GET %s", "/home/ada/session-robin.m4a")
    logging.getLogger("Robin").warning("heroin")
    assert without_time(written) == [
        {"event": "library", "level": "error", "library": "uvicorn"},
        {"event": "library", "level": "warning", "dropped": 1},
    ]


def test_nothing_is_written_where_nobody_asked_for_logs(capfd: pytest.CaptureFixture[str]) -> None:
    logs.get().error("job.fail", stage="tag")
    assert capfd.readouterr() == ("", "")


def test_no_speech_no_names_and_no_paths_in_ten_thousand_events(written: io.StringIO) -> None:
    chance = random.Random(4)
    for _ in range(EVENTS):
        one_event(chance)
    text = written.getvalue()
    assert len(text.splitlines()) > 0.8 * EVENTS  # debug events are left out
    leaking = [line for line in text.splitlines() if WORDS.search(line)]
    assert leaking == []
    for line in lines(written):
        assert set(line) <= {*logs.FIELDS, "time"}
        assert all(isinstance(value, int | float | str) for value in line.values())


def one_event(chance: random.Random) -> None:
    """Log something, in one of the ways in which something can be logged, with secrets wherever they can stand."""
    secret = chance.choice(SECRETS)
    things = [secret, [secret], {secret: secret}, secret.encode(), (1, secret), ValueError(secret), Odd(secret), 7]
    fields = {
        chance.choice([*logs.FIELDS, "text", "path", "name", "client", "transcript", "_record", "stack"]): value
        for value in chance.sample(things, chance.randint(0, 4))
    }
    fields = {field: value for field, value in fields.items() if field not in {"event", "level"}}
    level = chance.choice(["debug", "info", "warning", "error", "critical"])
    way = chance.randrange(7)
    if way == 0:
        getattr(logs.get(), level)(secret, **fields)
    elif way == 1:
        getattr(logs.get(), level)(chance.choice(sorted(logs.EVENTS)), **fields)
    elif way == 2:
        getattr(logs.get(), level)("job.stage %s", secret, **fields)
    elif way == 3:
        logs.get().bind(**fields | {"person_id": secret}).info("job.stage")
    elif way == 4:
        with structlog.contextvars.bound_contextvars(tape_id=secret, secret=secret):
            logs.get().info("job.stage", **fields)
    elif way == 5:
        failing(secret, chance)
    else:
        logging.getLogger(chance.choice(["dbos", "uvicorn.access", secret])).warning("%s at %s", secret, secret)


def failing(secret: str, chance: random.Random) -> None:
    """An exception whose message, class, chain and notes hold the secret."""
    kind = chance.choice([ValueError, KeyError, OSError, type("Heroin", (RuntimeError,), {})])
    try:
        try:
            raise KeyError(secret)
        except KeyError as cause:
            error = kind(secret)
            error.add_note(secret)
            raise error from cause
    except Exception:
        if chance.random() < 0.5:
            logs.get().exception(secret)
        else:
            logging.getLogger("sqlalchemy").exception(secret)


class Odd:
    """Tells a secret however it is asked."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def __repr__(self) -> str:
        return self.secret

    __str__ = __repr__
