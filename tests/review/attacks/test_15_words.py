"""What members read when something fails: a sentence for them, the status that fits, and nothing of the server's."""

from __future__ import annotations

import errno
import io
import json
import sqlite3

import pytest
from sqlalchemy import select

from pipeline.errors import ConsentError, JobError, TapesError, VaultError
from pipeline.review import errors
from pipeline.tapes import logs
from pipeline.tapes.db import database as databases
from pipeline.tapes.db.records import Job, Tape
from pipeline.tapes.jobs import job_state
from pipeline.tapes.vault.vault import Vault
from tests.review.conftest import Browser, Room


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    monkeypatch.setattr(logs._out, "stream", written)
    return written


@pytest.fixture
def ada(room: Room) -> tuple[Browser, str]:
    """Somebody who is signed in, and the group."""
    group = room.group()
    return room.signed_in(room.person("Ada", group)), group


def test_a_busy_database_is_503_with_a_time_to_come_back(
    room: Room, ada: tuple[Browser, str], log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, group = ada
    form = {"csrf": browser.token("/account"), "agreements": "Strengths first."}
    monkeypatch.setattr(databases, "_WAIT_SECONDS", 0.05)
    room.home.database.close()  # so that the next connection waits no longer
    other = sqlite3.connect(room.home.folder / "tapes.sqlite3", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with room.home.database.engine.connect() as connection:
            databases._driver(connection).execute("PRAGMA busy_timeout = 50")
        answer = browser.client.post(f"/groups/{group}/agreements", data=form)
    finally:
        other.close()
    assert answer.status_code == 503
    assert 0 < int(answer.headers["retry-after"]) <= 300
    assert "Others are saving right now" in answer.text
    assert "sqlite" not in answer.text
    assert str(room.home.folder) not in answer.text
    [line] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (line["event"], line["code"], line["status"]) == ("request.fail", "TR-K04", 503)
    assert "tapes.sqlite3" in line["operator"]
    assert f"Number <strong>{line['number']}</strong>" in answer.text


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_full_disk_is_507(
    room: Room, ada: tuple[Browser, str], log: io.StringIO, monkeypatch: pytest.MonkeyPatch, wrapped: bool
) -> None:
    browser, group = ada
    full = OSError(errno.ENOSPC, "No space left on device", "/srv/tapes/Robin.wav")

    def fail(*_: object) -> None:
        if not wrapped:
            raise full
        raise VaultError("V08", "file /srv/tapes/0123", "cannot be written", "see df") from full

    monkeypatch.setattr(Vault, "create_key", fail)
    answer = browser.post("/tapes", consent(group))
    assert answer.status_code == 507
    assert "disk" in answer.text
    assert "/srv" not in answer.text
    [line] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert line["number"] in answer.text
    assert ("/srv/tapes/0123" in line.get("operator", "")) == wrapped
    assert "Robin" not in log.getvalue()  # a message that is not ours may hold anything


def consent(group: str) -> dict[str, object]:
    return {
        "group_id": group,
        "target_behavior": "drinking less",
        "pseudonym": "Robin",
        "uses": ["group_review"],
        "group_ids": [group],
        "destroy_by": "2999-01-01",
        "method": "the key is destroyed",
        "signed_on": "2020-01-01",
        "signed_form": "written",
        "people_named": "",
    }


def test_a_database_without_room_is_a_full_disk() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as full:
        connection.execute("CREATE TABLE t AS SELECT randomblob(100000)")
    lost = TapesError("K03", "sqlite database /srv/t.sqlite3", "cannot be reached (database or disk is full)", "see")
    lost.__cause__ = full.value
    assert errors.member_text(lost).status == 507
    assert errors.member_text(TapesError("K03", "database", "is gone", "see")).status == 503


@pytest.mark.parametrize("code", ["D01", "D03", "D04", "D05", "D06", "D07", "D08", "V03", "V15"])
def test_a_tape_that_is_no_longer_ones_own_looks_like_none(
    room: Room, ada: tuple[Browser, str], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    browser, group = ada
    kind = ConsentError if code.startswith("D") else VaultError
    missing = browser.get("/tapes/0123456789abcdef")
    assert "You do not have access to this tape." in missing.text
    tape = room.tape(group, room.person("Ivy", group))

    def refuse(*_: object, **__: object) -> None:
        raise kind(code, f"tape {tape}", "is secret", "ask")

    monkeypatch.setattr("pipeline.review.tapes.tape_page.authorization.tape", refuse)
    answer = browser.get(f"/tapes/{tape}")
    assert answer.status_code == missing.status_code == 404
    assert answer.text.replace(tape, "0123456789abcdef") == missing.text


def test_a_failed_job_says_what_to_do_and_where_nothing_lies(room: Room) -> None:
    group = room.group()
    ivy = room.person("Ivy", group)
    tape = room.tape(group, ivy, state="failed")
    with room.home.database.writing() as database:
        job = Job(tape_id=tape, state="running", created_at=room.clock(), updated_at=room.clock(), **job_needs())
        database.add(job)
        database.flush()
        error = JobError("J06", "folder /srv/tapes/scratch/Robin", "is full", "run `df -h /srv`")
        job_state.fail(database, job.id, error, room.clock())
        database.get_one(Tape, tape).state = "failed"
    page = room.signed_in(ivy).get(f"/tapes/{tape}").text
    with room.home.database.reading() as database:
        assert "/srv/tapes" in (database.scalar(select(Job.error)) or "")  # the operator's `status` says where
    assert "/srv" not in page
    assert "df -h" not in page
    assert "disk is full" in page


def job_needs() -> dict[str, object]:
    """What a job must have besides."""
    return {
        column.name: "x" if column.type.python_type is str else 0
        for column in Job.__table__.columns
        if not column.nullable
        and column.name not in ("id", "tape_id", "state", "created_at", "updated_at")
        and column.default is None
    }


def test_an_error_of_ours_is_logged_without_a_word_of_a_member(log: io.StringIO) -> None:
    assert logs.operator_words(ConsentError("D11", "form", "Robin's name", "x")) is None
    assert logs.operator_words(TapesError("K09", "address robin@example.org", "is no address", "x")) is None
    logs.get().error("request.fail", operator="Robin")
    assert "Robin" not in log.getvalue()
