"""What is due goes within the hour, and nobody is surprised: 10,000 lives of tapes under a fake clock."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
from dataclasses import FrozenInstanceError, dataclass
from pathlib import Path

import pytest

from pipeline.errors import VaultError
from pipeline.settings import TapesSettings
from pipeline.tapes import logs
from pipeline.tapes.backup import backup
from pipeline.tapes.clock import DAY, HOUR, MINUTE
from pipeline.tapes.db.database import Database
from pipeline.tapes.db.records import Form, Item, Tape
from pipeline.tapes.home import Home
from pipeline.tapes.retention import certificates, destruction, exports, retention, tombstones
from pipeline.tapes.retention.retention import Due, Warned
from pipeline.tapes.vault.vault import Vault
from tests.tapes.conftest import NOON
from tests.tapes.group import SampleGroup, make_consent, make_tape, sample_group


@pytest.fixture
def sample(home: Home) -> SampleGroup:
    with home.database.writing() as session:
        return sample_group(session, NOON)


def kept(home: Home, sample: SampleGroup, now: int, destroy_by: int | None, withdrawn_at: int | None = None) -> str:
    """A tape with a file, under a consent unless there is no date."""
    with home.database.writing() as session:
        tape = make_tape(session, sample, now)
        home.vault.create_key(tape.id)
        made = home.vault.put(tape.id, "mono", b"what was said")
        session.add(Item(id=made.id, tape_id=tape.id, kind="mono", size=made.size, sha256=made.sha256, created_at=now))
        if destroy_by is not None:
            make_consent(session, tape, now, "group_review", destroy_by=destroy_by)
        tape.withdrawn_at = withdrawn_at
    return tape.id


def test_due_is_what_is_past_its_day_withdrawn_or_never_consented(home: Home, sample: SampleGroup) -> None:
    past, now = kept(home, sample, NOON, NOON + DAY), NOON + 2 * DAY
    withdrawn = kept(home, sample, NOON, NOON + 9 * DAY, withdrawn_at=now - MINUTE)
    waiting, left = kept(home, sample, now - HOUR, None), kept(home, sample, NOON, None)
    ahead = kept(home, sample, NOON, NOON + 9 * DAY, withdrawn_at=now + MINUTE)  # by a clock that is
    with home.database.reading() as session:
        assert retention.due(session, now) == [
            *sorted(
                [Due(past, "due", NOON + DAY), Due(left, "never consented", NOON + DAY)],
                key=lambda ending: ending.tape_id,
            ),
            Due(withdrawn, "withdrawn", now - MINUTE),
            Due(ahead, "withdrawn", now + MINUTE),
        ]
        assert [ending.tape_id for ending in retention.overdue(session, now)] == sorted([past, left])
        assert [ending.tape_id for ending in retention.due(session, NOON)] == [withdrawn, ahead]
    done = retention.enforce(home, now)
    assert {ending.tape_id for ending in done} == {past, withdrawn, left, ahead}
    assert home.vault.tapes() == [waiting]
    assert retention.enforce(home, now) == []


def test_the_last_day_is_allowed_to_its_end(home: Home, sample: SampleGroup) -> None:
    kept(home, sample, NOON, NOON + DAY)
    with home.database.reading() as session:
        assert retention.due(session, NOON + DAY) == []
        assert len(retention.due(session, NOON + DAY + 1)) == 1


def test_a_new_consent_keeps_the_tape_and_a_shorter_one_does_not(home: Home, sample: SampleGroup) -> None:
    longer, shorter = kept(home, sample, NOON, NOON + DAY), kept(home, sample, NOON, NOON + 9 * DAY)
    with home.database.writing() as session:
        make_consent(session, session.get_one(Tape, longer), NOON + 1, "group_review", destroy_by=NOON + 9 * DAY)
        make_consent(session, session.get_one(Tape, shorter), NOON + 1, "group_review", destroy_by=NOON + DAY)
    assert [ending.tape_id for ending in retention.enforce(home, NOON + 2 * DAY)] == [shorter]


def test_a_dead_tape_in_an_older_database_is_destroyed_again(home: Home, sample: SampleGroup) -> None:
    tape, other = kept(home, sample, NOON, NOON + 9 * DAY), kept(home, sample, NOON, NOON + 9 * DAY)
    tombstones.add(home.folder, tape, NOON)
    assert [ending.tape_id for ending in retention.enforce(home, NOON + 1)] == [tape]
    assert home.vault.tapes() == [other]
    assert certificates.read(destruction.certificate_path(home, tape)).facts["why"] == "restored"


@pytest.mark.parametrize(("before", "days"), [(15, None), (14, 14), (4, 14), (3, 3), (0, 3)])
def test_warnings_come_14_and_3_days_before(home: Home, sample: SampleGroup, before: int, days: int | None) -> None:
    tape = kept(home, sample, NOON, NOON + 30 * DAY)
    now = NOON + (30 - before) * DAY + (1 if before else 0)
    with home.database.reading() as session:
        expected = [] if days is None else [Warned(tape, NOON + 30 * DAY, days)]
        assert retention.warnings(session, now) == expected


def test_a_withdrawn_or_destroyed_tape_is_not_warned_of(home: Home, sample: SampleGroup) -> None:
    kept(home, sample, NOON, NOON + DAY, withdrawn_at=NOON)
    gone = kept(home, sample, NOON, NOON + DAY)
    destruction.begin(home, gone, "by hand", NOON)
    with home.database.reading() as session:
        assert retention.warnings(session, NOON) == []


@pytest.mark.parametrize(("at", "is_due"), [(DAY, False), (DAY + 1, True)])
def test_a_draft_waits_a_day_for_its_consent_to_the_millisecond(
    home: Home, sample: SampleGroup, at: int, is_due: bool
) -> None:
    tape = kept(home, sample, NOON, None)
    with home.database.reading() as session:
        expected = [Due(tape, "never consented", NOON + DAY)] if is_due else []
        assert retention.due(session, NOON + at) == expected


@pytest.mark.parametrize(("at", "late"), [(HOUR, False), (HOUR + 1, True)])
def test_what_is_due_is_late_after_an_hour_to_the_millisecond(
    home: Home, sample: SampleGroup, at: int, late: bool
) -> None:
    tape = kept(home, sample, NOON, NOON + DAY)
    with home.database.reading() as session:
        expected = [Due(tape, "due", NOON + DAY)] if late else []
        assert retention.overdue(session, NOON + DAY + at) == expected


@pytest.mark.parametrize(
    ("left", "days"),
    [(14 * DAY, None), (14 * DAY - 1, 14), (3 * DAY, 14), (3 * DAY - 1, 3), (1, 3), (0, 3), (-1, None)],
)
def test_warnings_begin_and_end_to_the_millisecond(
    home: Home, sample: SampleGroup, left: int, days: int | None
) -> None:
    tape = kept(home, sample, NOON, NOON + 30 * DAY)
    with home.database.reading() as session:
        warned = retention.warnings(session, NOON + 30 * DAY - left)
    assert warned == ([] if days is None else [Warned(tape, NOON + 30 * DAY, days)])


def test_what_is_due_longest_comes_first_and_of_one_moment_the_lower_id(home: Home, sample: SampleGroup) -> None:
    late, later = kept(home, sample, NOON, NOON + DAY), kept(home, sample, NOON, NOON + 2 * DAY)
    twin = kept(home, sample, NOON, NOON + DAY)
    with home.database.reading() as session:
        assert [ending.tape_id for ending in retention.due(session, NOON + 9 * DAY)] == [*sorted([late, twin]), later]
        soon = retention.warnings(session, NOON + DAY)
        assert [ending.tape_id for ending in soon] == [*sorted([late, twin]), later]


def test_each_destroyed_tape_is_logged(home: Home, sample: SampleGroup, monkeypatch: pytest.MonkeyPatch) -> None:
    tapes = {kept(home, sample, NOON, NOON + DAY) for _ in range(2)}
    out = io.StringIO()
    monkeypatch.setattr(logs._out, "stream", out)
    retention.enforce(home, NOON + 2 * DAY)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {line["tape_id"] for line in lines if line["event"] == "tape.destroy"} == tapes


def test_what_was_begun_is_ended_though_nothing_is_due(home: Home, sample: SampleGroup) -> None:
    tape = kept(home, sample, NOON, NOON + 9 * DAY)
    destruction.begin(home, tape, "by hand", NOON)
    assert [ending.tape_id for ending in retention.enforce(home, NOON)] == [tape]


def test_what_is_due_or_warned_of_is_a_value_that_nobody_changes() -> None:
    gone, soon = Due("tape1", "due", NOON), Warned("tape1", NOON, 3)
    assert len({gone, Due("tape1", "due", NOON)}) == len({soon, Warned("tape1", NOON, 3)}) == 1
    with pytest.raises(FrozenInstanceError):
        gone.why = "restored"  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        soon.days = 14  # type: ignore[misc]


# lives


@dataclass
class Life:
    """One tape's life as the test knows it; ``due`` is when it must begin to end, by what is known so far."""

    tape_id: str
    due: int
    since: int
    ended: bool = False


FAULTS = [
    (tombstones, "add"),
    (Vault, "destroy_key"),
    (backup, "forget"),
    (Vault, "destroy_files"),
    (exports, "remove"),
    (Database, "scrub"),
    (certificates.Signer, "sign"),
    (destruction, "write_certificate"),
]
TICK = 15 * MINUTE


LIVES = int(os.environ.get("TAPE_REVIEW_HISTORIES", "100"))
"""How many tapes live and end; CI has 10000, which takes minutes."""

TOGETHER = 2500
"""How many of them in one home."""


class PowerCut(BaseException):
    """The machine goes off."""


class World:
    """Many tapes in one home, events at random, a timer that enforces, and now and then a power cut or a full disk."""

    def __init__(self, home: Home, sample: SampleGroup, lives: int, seed: int) -> None:
        self.home, self.sample, self.random = home, sample, random.Random(seed)
        self.now, self.left, self.lives = NOON, lives, list[Life]()
        self.cuts = 0

    def step(self) -> None:
        """A quarter of an hour, in which tapes come in and things happen to them."""
        self.now += TICK
        for _ in range(min(self.left, self.random.randint(0, 4))):
            self.left -= 1
            self.born()
        alive = [life for life in self.lives if not life.ended]
        for life in self.random.sample(alive, min(len(alive), 2)):
            self.happen(life)

    def born(self) -> None:
        moment = self.now - self.random.randint(0, TICK - 1)
        span = self.random.choice([0, HOUR, 5 * HOUR, DAY, 2 * DAY])
        if self.random.random() < 0.1:
            self.lives.append(Life(kept(self.home, self.sample, moment, None), moment + retention.UNCONSENTED, moment))
        else:
            self.lives.append(Life(kept(self.home, self.sample, moment, moment + span), moment + span, moment))

    def happen(self, life: Life) -> None:
        what = self.random.choice(["withdraw", "longer", "shorter", "by hand", "begun", "write", "put", "fail"])
        moment = max(self.now - self.random.randint(0, TICK - 1), life.since + 1)  # never before what was before
        life.since = moment
        with self.home.database.writing() as session:
            tape = session.get(Tape, life.tape_id)
            if tape is None or tape.state == "destroyed":
                return
            if what == "withdraw":
                if tape.withdrawn_at is None:
                    tape.withdrawn_at = moment
                    life.due = min(life.due, moment)
            elif what in ("longer", "shorter") and life.due > self.now:
                life.due = moment + self.random.choice([2 * DAY] if what == "longer" else [0, HOUR])
                make_consent(session, tape, moment, "coach_check", destroy_by=life.due)
            elif what == "write":
                sealed = self.home.vault.seal(tape.id, b"what was said", "forms.sealed_answers")
                who = self.sample.member.id
                session.add(Form(tape_id=tape.id, person_id=who, kind="session", sealed_answers=sealed, at=moment))
            elif what == "put":  # a file whose row a crash lost
                self.home.vault.put(tape.id, "peaks", b"half imported")
            elif what == "fail":
                tape.state = self.random.choice(["draft", "queued", "running", "ready", "failed"])
        if what in ("by hand", "begun"):
            life.due = min(life.due, self.now)
            if what == "begun":
                destruction.begin(self.home, life.tape_id, "by hand", self.now)
            else:
                destruction.destroy(self.home, life.tape_id, "by hand", self.now)

    def enforce(self, patch: pytest.MonkeyPatch, may_fail: bool) -> bool:
        """Whether the timer came to its end."""
        if may_fail and self.random.random() < 0.3:
            owner, name = self.random.choice(FAULTS)
            real, left = getattr(owner, name), [self.random.randint(0, 2)]
            error = self.random.choice([PowerCut(), VaultError("V08", "file", "cannot be written", "make room")])

            def cut(*arguments: object, **options: object) -> object:
                left[0] -= 1
                if left[0] < 0:
                    raise error
                return real(*arguments, **options)

            patch.setattr(owner, name, cut)
        try:
            retention.enforce(self.home, self.now)
        except (PowerCut, VaultError):
            self.cuts += 1
            return False
        finally:
            patch.undo()
        return True

    def survivors(self) -> list[tuple[str, list[str]]]:
        """Tapes that are there an hour after they were due."""
        leftovers = []
        for life in self.lives:
            if not life.ended and life.due + HOUR < self.now:
                left = destruction.survivors(self.home, life.tape_id)
                if not (self.home.folder / "certificates" / f"{life.tape_id}.json").exists():
                    left.append("no certificate")
                leftovers += [(life.tape_id, left)] if left else []
                life.ended = True
        return leftovers


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("seed", "lives"), [(start, min(TOGETHER, LIVES - start)) for start in range(0, LIVES, TOGETHER)]
)
def test_no_tape_survives_its_due_date_by_more_than_an_hour(
    template: Path, tapes_settings: TapesSettings, quick_folder: Path, seed: int, lives: int
) -> None:
    """Random lives, random faults."""
    shutil.copytree(template, quick_folder / "home")
    home = Home.open(tapes_settings.model_copy(update={"home": str(quick_folder / "home")}))
    with home.database.writing() as session:
        sample = sample_group(session, NOON)
    world, patch, fine = World(home, sample, lives, seed), pytest.MonkeyPatch(), True
    while world.left or not all(life.ended for life in world.lives):
        world.step()
        fine = world.enforce(patch, may_fail=fine)
        assert world.survivors() == []
    assert len(world.lives) == lives
    assert world.cuts > lives // 50
    assert home.vault.tapes() == []
    assert home.vault.leftovers() == []
    with home.database.reading() as session:
        assert home.audit.verify(session) == ()
    for life in world.lives:
        certificates.read(home.folder / "certificates" / f"{life.tape_id}.json", home.folder / "certificate-key.pub")
    assert set(tombstones.read([home.folder / tombstones.NAME])) == {life.tape_id for life in world.lives}
    assert not [
        path for path in Path(home.folder).rglob("*") if path.is_file() and b"what was said" in path.read_bytes()
    ]
    home.close()
