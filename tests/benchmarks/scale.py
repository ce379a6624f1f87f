"""``python -m tests.benchmarks.scale --groups 100 --tapes 2000``: what a page of a large program costs.

Fills a new home with invented groups (eight people and a coach each), tapes, permissions, passes and meetings, and asks
for each listing as a member, an interviewer, a coordinator or the administrator. Prints one table: the times in ms, the
statements (without BEGIN, PRAGMA and locks), the bytes of the answer, and for how long others could not write.
``--database URL`` fills an empty PostgreSQL database instead of SQLite; ``--json FILE`` keeps the figures.
100 groups with 2,000 tapes take a minute.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from rich.console import Console
from rich.table import Table
from sqlalchemy import event
from sqlalchemy.orm import Session

from pipeline import settings
from pipeline.review import app as application
from pipeline.review.auth.current_user import SESSION
from pipeline.tapes.clock import DAY, now
from pipeline.tapes.consent import target_behavior
from pipeline.tapes.db.records import (
    CodeEvent,
    Consent,
    Feedback,
    Group,
    Meeting,
    Membership,
    Pass,
    Person,
    Record,
    Review,
    Tape,
    Utterance,
)
from pipeline.tapes.home import Home

PEERS = 8
"""People of a group beside its coach; the first one coordinates it."""
MEETINGS, UTTERANCES, CODERS = 20, 5, 2
"""Meetings of a group; utterances of a tape; people who coded it, each utterance once."""
MEASURED = "0" * 16
"""The tape whose page is asked for: the first one."""
ASIDE = ("PRAGMA", "BEGIN", "SET LOCAL", "SELECT PG_ADVISORY", "SAVEPOINT", "RELEASE")
"""How what is no statement on the records begins."""


@dataclass
class Cost:
    """What the answers to one address cost; `locked` in ms of one answer, at most."""

    page: str
    role: str
    times: list[float] = field(default_factory=list)
    statements: int = 0
    size: int = 0
    locked: float = 0.0

    def percentile(self, share: float) -> float:
        """The time in ms within which this share of the answers came."""
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def facts(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self) | {"p50": self.percentile(0.5), "p95": self.percentile(0.95)}


@dataclass
class Meter:
    """Statements, those of them within transactions that write, and the time of these in ms."""

    statements: list[str] = field(default_factory=list)
    while_locked: list[str] = field(default_factory=list)
    locked: float = 0.0
    writes: bool = False

    def reset(self) -> None:
        """Begin anew."""
        self.statements.clear()
        self.while_locked.clear()
        self.locked = 0.0


@contextmanager
def metered(home: Home) -> Iterator[Meter]:
    """Measure what the home's database is asked meanwhile."""
    meter, writing = Meter(), home.database.writing

    def count(_: object, __: object, statement: str, *___: object) -> None:
        if not statement.upper().startswith(ASIDE):
            meter.statements.append(statement)
            meter.while_locked += [statement] if meter.writes else []

    @contextmanager
    def timed() -> Iterator[Session]:
        with writing() as session:
            begun, meter.writes = time.perf_counter(), True
            yield session
        meter.writes = False
        meter.locked += (time.perf_counter() - begun) * 1000

    event.listen(home.database.engine, "before_cursor_execute", count)
    home.database.writing = timed  # type: ignore[method-assign]
    try:
        yield meter
    finally:
        home.database.writing = writing  # type: ignore[method-assign]
        event.remove(home.database.engine, "before_cursor_execute", count)


def home_settings(folder: Path, database: str) -> settings.TapesSettings:
    """The settings of a home in a folder, with this database, or SQLite."""
    places = {"home": str(folder / "home"), "database": database}
    return settings.load().settings.tapes.model_copy(update=places)


def fill(home: Home, groups: int, tapes: int, at: int, seed: int = 0) -> None:
    """Put invented groups, people and tapes into an empty home, many rows at a time."""
    draw = random.Random(seed)
    rows: dict[type[Record], list[Record]] = {}

    def add(*given: Record) -> None:
        for row in given:
            rows.setdefault(type(row), []).append(row)

    add(Person(id="admin", name="Ola", email="ola@example.org", is_admin=True, created_at=at))
    for group in range(groups):
        add(Group(id=f"g{group}", name=f"Group {group:04}", created_at=at))
        for peer in range(PEERS + 1):
            person, role = f"g{group}p{peer}", "coach" if peer == PEERS else "member" if peer else "coordinator"
            add(Person(id=person, name=f"Peer {group:04} {peer}", email=f"{person}@example.org", created_at=at))
            add(Membership(group_id=f"g{group}", person_id=person, role=role, since=at - DAY))  # type: ignore[arg-type]
        for meeting in range(MEETINGS):
            held = at - (MEETINGS - meeting - 1) * 14 * DAY
            add(Meeting(group_id=f"g{group}", at=held, ended_at=None if meeting == MEETINGS - 1 else held))
    for number in range(tapes):
        _tape(add, number, f"g{number % groups}", at - number % 300 * DAY, at, draw)
    with home.database.writing() as session:
        for kind in rows:
            session.add_all(rows[kind])
            session.flush()
        home.vault.create_key(MEASURED)
        target_behavior.name(session, home.vault, MEASURED, "drinking less", at)


def _tape(add: Callable[..., None], number: int, group: str, made: int, at: int, draw: random.Random) -> None:
    tape, interviewer = f"{number:016x}", f"{group}p{draw.randrange(1, PEERS)}"
    add(Tape(id=tape, group_id=group, interviewer_id=interviewer, state="ready", created_at=made))
    add(
        Consent(
            tape_id=tape,
            uses=["group_review", "coach_check"] if draw.random() < 0.8 else ["group_review"],
            group_ids=[group],
            destroy_by=at + draw.randrange(1, 400) * DAY,
            method="key, files and rows are deleted",
            signed_at=made,
            signed_form="written",
            pseudonym="Robin",
            given_at=made,
        )
    )
    add(Review(tape_id=tape, stage="coding", interviewer_done_at=made if draw.random() < 0.9 else None))
    for position in range(UTTERANCES):
        add(
            Utterance(
                tape_id=tape,
                utterance_id=f"u{position}",
                position=position,
                turn_id=f"u{position}",
                role="interviewer" if position % 2 else "client",
                speaker=f"S{position % 2}",
                start_ms=position * 5000,
                end_ms=position * 5000 + 4000,
            )
        )
    coders = [*draw.sample(range(PEERS), CODERS), PEERS]
    for coder in coders:
        coding, person = f"{tape}c{coder}", f"{group}p{coder}"
        layer = "coach" if coder == PEERS else "member"
        add(
            Pass(
                id=coding,
                tape_id=tape,
                person_id=person,
                layer=layer,  # type: ignore[arg-type]
                codebook="pretags",
                codebook_version="1",
                started_at=made,
                locked_at=made,
            )
        )
        for position in range(UTTERANCES):
            code = draw.choice(("question_open", "reflection_simple") if position % 2 else ("change", "sustain"))
            mark = f"{coding}u{position}"
            add(
                CodeEvent(
                    tape_id=tape,
                    pass_id=coding,
                    person_id=person,
                    utterance_id=f"u{position}",
                    at=made,
                    action="set",
                    codes=[code],
                    client_event_id=mark,
                )
            )
    add(Feedback(tape_id=tape, person_id=f"{group}p0", kind="strength", sealed_text=b"", at=made))


PAGES = (
    *(("/", person, role) for person, role in (("g0p2", "member"), ("g0p0", "coordinator"), ("g0p8", "coach"))),
    (f"/tapes/{MEASURED}", "g0p2", "member"),
    ("/meetings", "g0p2", "member"),
    ("/", "admin", "administrator"),
    ("/people", "admin", "administrator"),
    ("/program", "admin", "administrator"),
)
"""Address, whoever asks, and in which role. A member is the interviewer of some of the group's tapes."""


def measure(home: Home, times: int) -> list[Cost]:
    """Ask for each page so many times, once before that counts: statements and lock are the dearest of an answer."""
    app = application.create(home, settings.load().settings)
    costs = []
    with metered(home) as meter:
        for address, person, role in PAGES:
            client = TestClient(app, base_url="http://127.0.0.1:8787", headers={"accept": "text/html"})
            client.cookies.set(SESSION, app.state.context.sessions.start(person, now(), second_factor=True))
            cost = Cost(address, role)
            for round_ in range(times + 1):
                meter.reset()
                begun = time.perf_counter()
                answer = client.get(address)
                spent = (time.perf_counter() - begun) * 1000
                if answer.status_code != 200:
                    raise RuntimeError(f"{address} as {role}: {answer.status_code}")
                cost.statements = max(cost.statements, len(meter.statements))
                cost.locked, cost.size = max(cost.locked, meter.locked), len(answer.content)
                cost.times += [spent] if round_ else []
            costs.append(cost)
    return costs


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--groups", type=int, default=100)
    parser.add_argument("--tapes", type=int, default=2000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--database", default="")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        home = Home.create(home_settings(Path(name), given.database))
        fill(home, given.groups, given.tapes, now())
        costs = measure(home, given.times)
        home.close()
    shown = Table(title=f"{given.groups} groups, {given.tapes} tapes")
    for column in ("page", "as", "p50 ms", "p95 ms", "statements", "kB", "locked ms"):
        shown.add_column(column, justify="left" if column in ("page", "as") else "right")
    for cost in costs:
        figures = (cost.percentile(0.5), cost.percentile(0.95))
        shown.add_row(
            *(cost.page, cost.role, *(f"{figure:.0f}" for figure in figures), str(cost.statements)),
            *(f"{cost.size / 1000:.0f}", f"{cost.locked:.0f}"),
        )
    Console(width=100).print(shown)
    if given.json:
        given.json.write_text(json.dumps([cost.facts() for cost in costs], indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
