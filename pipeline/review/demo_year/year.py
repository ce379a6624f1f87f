"""The year: twenty role-plays, three coders and a coach; one coder's habit changes, is found, and is talked about.

Everything goes the way of real use. Tapes come in with a consent and are published by the functions that jobs use; what
people do are requests to the review room. Only the clock is set, and the engines return the script.

- Dan codes simple reflections as complex from the 9th tape on. The coach sees it and recalibrates with him after the
  13th; his charts start over.
- Eve codes change talk as neutral from the 16th on: the finding that stands at the end of the year.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select

from pipeline.files import sha256
from pipeline.review import app as application
from pipeline.review.demo_year.coders import Habit, SimulatedCoder
from pipeline.review.demo_year.role_play_run import gold_codes, run_role_play
from pipeline.review.demo_year.visitor import DirectRoom, Visitor
from pipeline.review.practice import scripts
from pipeline.settings import Settings
from pipeline.tapes import people, sample_group, simulated
from pipeline.tapes.clock import DAY, HOUR, MINUTE, today
from pipeline.tapes.consent import consent_form
from pipeline.tapes.db.records import Job, new_id
from pipeline.tapes.home import Home
from pipeline.tapes.intake import importing, submission
from pipeline.tapes.jobs import job_state
from pipeline.tapes.jobs.steps import ASKED, JobOptions
from pipeline.tapes.vault.stage_store import item_row

SEED = 2
"""The seed of the year that `tape-review demo --year` makes: no chart signals a change that nobody simulated."""
TAPES, EVERY = 20, 18 * DAY
"""Tapes that everybody codes, and the time between two: about a year together."""
DRIFT_FROM, RECALIBRATED_AFTER = 8, 12
"""Number of the first tape, from 0, on which Dan codes otherwise, and of the last before the coach talks to him."""
LATE_DRIFT_FROM = 15
"""Number of the first tape on which Eve codes otherwise: late enough to stand at the end of the year."""
CODERS = (
    SimulatedCoder("Ada", slips=0.03),
    SimulatedCoder(
        "Dan", 0.03, (Habit("reflection_simple", "reflection_complex", 0.7, DRIFT_FROM, RECALIBRATED_AFTER + 1),)
    ),
    SimulatedCoder("Eve", 0.03, (Habit("change", "neutral", 0.35, LATE_DRIFT_FROM, TAPES + 1),)),
)
COACH = SimulatedCoder(sample_group.COACH, slips=0.02)
INTERVIEWERS = ("Ben", "Finn", "Gwen", "Hugo")
PSEUDONYMS = ("Robin", "Wren", "Lark", "Jay", "Finch", "Heron", "Swift")
STRENGTHS = (
    "You left room after the hard sentence, and the client filled it.",
    "Your reflections went a step further than what was said.",
    "You request_item what a good day looks like, and waited.",
)
AGREED = "Complex only where meaning is added: we listened to three places and agree again."
WELL = "I slowed down and let silence work."
ADDRESS = "http://127.0.0.1"
"""Where nobody listens: requests go to the application itself."""
_AT_WORK = 10 * MINUTE
"""Time between two requests of one visit: less than after which a session ends for idleness."""


class SetClock:
    """A clock that stands where the story is."""

    def __init__(self, moment: int) -> None:
        self.moment = moment

    def __call__(self) -> int:
        """Return the moment, in ms."""
        return self.moment

    def to(self, moment: int) -> None:
        """Go on to a later moment."""
        self.moment = max(self.moment + 1, moment)


@dataclass(frozen=True)
class YearMade:
    """The group, its people by name, and its tapes in order of time."""

    group_id: str
    people: Mapping[str, str]
    tapes: tuple[str, ...]


def quiet(settings: Settings) -> Settings:
    """Return the settings without a mail server and without a way to sign in elsewhere."""
    mail = settings.mail.model_copy(update={"host": ""})
    review = settings.review.model_copy(update={"oidc_issuer": "", "trusted_proxies": [], "idle_minutes": 15})
    return settings.model_copy(update={"mail": mail, "review": review})


def make_year(
    home: Home,
    settings: Settings,
    now: int,
    seed: int = SEED,
    tapes: int = TAPES,
    progress: Callable[[int], None] | None = None,
) -> YearMade:
    """Fill an empty home with a year that ends now.

    Parameters
    ----------
    now: the end of the year, in ms.
    seed: the same seed gives the same codes.
    tapes: how many tapes everybody codes.
    progress: called with the number of each tape, from 1.

    Raises
    ------
    TapesError: K11 the home holds people or tapes.
    """
    clock = SetClock(now - (tapes + 1) * EVERY)
    with home.database.writing() as session:
        simulated.begin(session, clock(), seed)
    with home.database.writing() as session:
        group = sample_group.add_group(session, clock())
        members = {member.person.name: member.person.id for member in people.members(session, group, clock())}
    app = application.create(home, quiet(settings), clock=clock, address=ADDRESS)
    tape_ids = []
    with DirectRoom(app, clock) as rooms, TemporaryDirectory() as store:
        story = _Story(home, settings, clock, rooms, group.id, members, Path(store), seed)
        story.practice(("Ada", "Dan", "Eve"))
        for number in range(tapes):
            clock.to(now - (tapes - number) * EVERY)
            tape_ids.append(story.tape(number))
            if number == RECALIBRATED_AFTER:
                story.recalibrate("Dan")
            if progress:
                progress(number + 1)
        clock.to(now - 5 * DAY)
        tape_ids.append(story.waiting_tape(tapes))
    with home.database.writing() as session:
        simulated.finish(session, clock())
    return YearMade(group.id, members, tuple(tape_ids))


@dataclass(frozen=True)
class _Story:
    """The chapters of the year, and the services that they use."""

    home: Home
    settings: Settings
    clock: SetClock
    rooms: DirectRoom
    group_id: str
    people: Mapping[str, str]
    store: Path
    seed: int

    def tape(self, number: int) -> str:
        """A tape from its consent to the end of the meeting about it; its id."""
        begin, interviewer = self.clock(), INTERVIEWERS[number % len(INTERVIEWERS)]
        tape_id, gold = self._submitted(number, interviewer)
        self._interviewer_first(tape_id, interviewer, begin + DAY)
        meeting = self._planned(begin + 7 * DAY)
        for day, coder in enumerate(CODERS, 2):
            self._coded(tape_id, coder, gold, number, begin + day * DAY)
        self._coded(tape_id, COACH, gold, number, begin + 6 * DAY)
        self._met(tape_id, meeting, interviewer, number, begin + 7 * DAY)
        return tape_id

    def waiting_tape(self, number: int) -> str:
        """A tape that one member and the coach have yet to code, and a meeting that is coming; its id."""
        begin, interviewer = self.clock(), INTERVIEWERS[number % len(INTERVIEWERS)]
        tape_id, gold = self._submitted(number, interviewer)
        self._interviewer_first(tape_id, interviewer, begin + DAY)
        for day, coder in enumerate(CODERS[:2], 2):
            self._coded(tape_id, coder, gold, number, begin + day * DAY)
        self._planned(begin + 12 * DAY)
        return tape_id

    def practice(self, names: tuple[str, ...]) -> None:
        """Each of these members codes a role-play blind, before the first tape."""
        script = next(iter(scripts.ROLE_PLAYS))
        for coder in (coder for coder in CODERS if coder.name in names):
            self.clock.to(self.clock() + DAY)
            member = self._member(coder.name)
            path = member.post(f"/practice/role-plays/{script}", codebook="pretags")
            self.clock.to(self.clock() + _AT_WORK)
            member.code(path, coder.codes(gold_codes(script), 0, self.seed + 1))

    def recalibrate(self, name: str) -> None:
        """Coach and coder have listened together; the coder has coded a calibration tape again."""
        self.clock.to(self.clock() + DAY)
        self.practice_again(name)
        self.clock.to(self.clock() + HOUR)
        coach = self._member(COACH.name)
        coach.post(f"/groups/{self.group_id}/recalibrated", person_id=self.people[name], note=AGREED)

    def practice_again(self, name: str) -> None:
        """A member codes the other role-play blind."""
        script = list(scripts.ROLE_PLAYS)[1]
        member = self._member(name)
        path = member.post(f"/practice/role-plays/{script}", codebook="pretags")
        self.clock.to(self.clock() + _AT_WORK)
        coder = SimulatedCoder(name, slips=0.03)
        member.code(path, coder.codes(gold_codes(script), 0, self.seed + 2))

    def _member(self, name: str) -> Visitor:
        return self.rooms.visit(self.people[name])

    def _submitted(self, number: int, interviewer: str) -> tuple[str, dict[str, tuple[str, ...]]]:
        """A tape with its consent and its results, as a finished job leaves it; its id and its scripted codes."""
        script = list(scripts.ROLE_PLAYS)[number % len(scripts.ROLE_PLAYS)]
        tape_id, day = new_id(), today(self.clock())
        terms = consent_form.Terms(
            uses=("group_review", "coach_check"),
            groups=(sample_group.GROUP,),
            destroy_by=day + timedelta(days=2 * 365),
            method="the tape's key is destroyed, then its files and records",
            signed_on=day,
            signed_form="electronic",
            pseudonym=PSEUDONYMS[number % len(PSEUDONYMS)],
        )
        given = submission.Submission(
            recordings=(scripts.recording(script),),
            terms=terms,
            target_behavior=scripts.ROLE_PLAYS[script].target_behavior,
            group=sample_group.GROUP,
            interviewer=sample_group.address(interviewer),
        )
        options = JobOptions(sha256(scripts.recording(script)))
        self.home.vault.create_key(tape_id)
        request_item = self.home.vault.put(tape_id, ASKED, options.packed())
        actor = self.people[interviewer]
        with self.home.database.writing() as session:
            now = self.clock()
            tape = submission.begin(session, self.home, tape_id, given, now, actor, [item_row(request_item, now)])
            job_id = submission.queue(session, tape, options, now, actor).id
        with self.home.database.writing() as session:
            job_state.change(session, job_id, ("queued",), self.clock(), state="running")
        with self.home.database.reading() as session:
            job = session.scalars(select(Job).where(Job.id == job_id)).one()
            session.expunge(job)
        imported = run_role_play(script, tape_id, number, self.seed, self.settings, self.store / script)
        self.clock.to(self.clock() + 5 * MINUTE)
        importing.publish(self.home, job, imported, self.clock())
        return tape_id, gold_codes(script)

    def _interviewer_first(self, tape_id: str, name: str, at: int) -> None:
        self.clock.to(at)
        self._member(name).post(f"/tapes/{tape_id}/first", step="done", well=WELL)

    def _coded(
        self, tape_id: str, coder: SimulatedCoder, gold: dict[str, tuple[str, ...]], number: int, at: int
    ) -> None:
        """A pass for all codes."""
        self.clock.to(at)
        member = self._member(coder.name)
        path = member.post(f"/tapes/{tape_id}/coding", task="all", codebook="pretags")
        self.clock.to(self.clock() + _AT_WORK)
        member.code(path, coder.codes(gold, number, self.seed))

    def _planned(self, at: int) -> str:
        """A meeting at 18:00 of that day; its address."""
        evening = datetime.fromtimestamp(at / 1000, UTC).astimezone().replace(hour=18, minute=0)
        return self._member(sample_group.COORDINATOR).post(
            "/meetings", group_id=self.group_id, at=f"{evening:%Y-%m-%dT%H:%M}", minutes=90
        )

    def _met(self, tape_id: str, meeting: str, interviewer: str, number: int, at: int) -> None:
        """The meeting: strengths first, then the disputes of some tapes are settled as the coach heard them."""
        self.clock.to(at + 6 * HOUR)
        ada = self._member("Ada")
        ada.post(f"{meeting}/tape", tape_id=tape_id)
        self._member(interviewer).post(f"/tapes/{tape_id}/feedback", kind="strength", text=WELL)
        ada.post(f"/tapes/{tape_id}/feedback", kind="strength", text=STRENGTHS[number % len(STRENGTHS)])
        self.clock.to(self.clock() + _AT_WORK)
        ada.post(f"{meeting}/notes", notes=f"We listened to {interviewer}'s tape. {STRENGTHS[number % len(STRENGTHS)]}")
        ada.post(f"{meeting}/end")
