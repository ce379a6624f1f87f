"""The consensus: where the coders agree, where they do not, and the codes that the group settles on.

Only locked passes count here, and only people who have locked their own see any of it. The settled codes are a layer
of their own: no coder's codes change.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sqlalchemy import func, select

from pipeline.coding import volleys
from pipeline.coding.codebook import Codebook
from pipeline.lexicon import is_backchannel
from pipeline.measures.session.counts import CHANGE, SUSTAIN
from pipeline.measures.session.draws import DEFAULT_CODE
from pipeline.measures.session.measures import SessionMeasures, session_measures
from pipeline.review.authorization import Admitted
from pipeline.review.coding import passes
from pipeline.review.coding.change_requests import ChangeRequest
from pipeline.review.coding.code_events import CodeState, in_effect
from pipeline.review.coding.corrections import CorrectedUtterance
from pipeline.review.consensus.votes import Opinion, disputed_codes, gather_opinions, majority_codes
from pipeline.review.tapes import retagging, stored_measures, voices
from pipeline.tapes import request_trail
from pipeline.tapes.db.records import CodeEvent, Correction, Pass

CodeSource = str
"""Where an utterance's codes come from: ``consensus``, ``agreed``, ``hand``, ``machine`` or ``none``."""

SOURCE_PHRASES = {
    "consensus": "settled together",
    "agreed": "agreed by all coders",
    "hand": "still divided",
    "machine": "only suggested by the machine",
}
"""The sources in words; ``none`` has none."""


@dataclass(frozen=True)
class ComparedUtterance:
    """One utterance with all opinions of it.

    ``machine`` are this codebook's codes that the machine proposes, ``pretags`` its own codes and ``p`` its probability
    of each of these; ``probability`` is that of its suggestion as a whole. ``uninformative`` are codes that mean
    no more here than no code: those of a "mm-hm" that is only a backchannel.
    """

    utterance: CorrectedUtterance
    opinions: tuple[Opinion, ...]
    settled: tuple[str, ...] | None
    machine: tuple[str, ...]
    probability: float | None
    p: Mapping[str, float] = field(default_factory=dict)
    pretags: tuple[str, ...] = ()
    uninformative: frozenset[str] = frozenset()

    @property
    def agreed(self) -> bool:
        """Whether all who were asked for a code agree on it, and are sure."""
        unlike = disputed_codes(self.opinions) - self.uninformative
        return bool(self.opinions) and not unlike and not any(opinion.unsure for opinion in self.opinions)

    @property
    def disputed(self) -> bool:
        """Whether the coders disagree and the group has not settled it."""
        return self.settled is None and bool(self.opinions) and not self.agreed

    @property
    def shown_opinions(self) -> tuple[Opinion, ...]:
        """The opinions to show: no code is shown as an opinion where it answers other coders, or else the machine."""
        proposed = {code for opinion in self.opinions for code in opinion.codes} or set(self.machine)
        return tuple(
            opinion
            for opinion in self.opinions
            if opinion.codes or opinion.unsure or any(map(opinion.covers, proposed))
        )

    @property
    def source(self) -> CodeSource:
        """Where the codes come from."""
        if self.settled is not None:
            return "consensus"
        if self.disputed:
            return "hand"
        if self.suggested and not self.by_hand:
            return "machine"
        return "agreed" if self.opinions else "none"

    @property
    def by_hand(self) -> tuple[str, ...]:
        """People's codes that count: the consensus, else the majority's."""
        return majority_codes(self.opinions) if self.settled is None else self.settled

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes that count: people's, and the machine's where nobody was asked."""
        return (*self.by_hand, *self.suggested)

    @property
    def suggested(self) -> tuple[str, ...]:
        """The machine's codes that count: those that no coder was asked for here."""
        return tuple(code for code in self.machine if not self.decided(code))

    def decided(self, code: str) -> bool:
        """Whether people decided on this code: the group, or a coder who was asked for it."""
        return self.settled is not None or any(opinion.covers(code) for opinion in self.opinions)


def majority_of_passes(opinions: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the codes given by more than half of coders who were all asked for every code."""
    return majority_codes([Opinion("", codes) for codes in opinions])


@dataclass(frozen=True)
class ConsensusBoard:
    """All utterances of a tape in order of time.

    ``timed``: whether the utterances have times; those of a tape that is coded from text have none. ``drawing``: how
    the intervals of the machine's report were drawn (see `pipeline.measures.session.measures.session_measures`), so
    that these are drawn alike. ``heard_right``: whether the machine took the interviewer's voice for the interviewer's.
    ``languages``: how much of the tape is in no figure for its language, in a sentence.
    """

    utterances: tuple[ComparedUtterance, ...]
    coders: tuple[str, ...]
    book: Codebook
    drawing: Mapping[str, Any] = field(default_factory=dict)
    timed: bool = True
    heard_right: bool = True
    languages: str = ""

    @property
    def basis(self) -> str:
        """The basis of the measures: "2 settled together, 30 only suggested by the machine"."""
        if not self.is_measured:
            return stored_measures.WRONG_ROLES_BASIS
        sources = [compared.source for compared in self.utterances]
        counts = [(sources.count(name), words) for name, words in SOURCE_PHRASES.items()]
        return ", ".join(f"{count} {words}" for count, words in counts if count)

    @property
    def by_hand(self) -> bool:
        """Whether people have coded anything here."""
        return any(compared.opinions or compared.settled is not None for compared in self.utterances)

    @property
    def sampling(self) -> dict[str, Any]:
        """How intervals are drawn, as `pipeline.measures.session` takes it."""
        return {"session_effect_sd" if name == "spread" else name: value for name, value in self.drawing.items()}

    @property
    def is_measured(self) -> bool:
        """Whether there is anything to count: people's codes, or the machine's of the right voice."""
        return self.by_hand or self.heard_right

    @property
    def queue(self) -> tuple[ComparedUtterance, ...]:
        """The disputed utterances, the most divided first."""
        disputed = [compared for compared in self.utterances if compared.disputed]
        return tuple(sorted(disputed, key=lambda compared: (_largest_share(compared), compared.utterance.start)))


def consensus_board(admitted: Admitted, utterances: Sequence[CorrectedUtterance], book: Codebook) -> ConsensusBoard:
    """Return the board of a tape; the session must be that of somebody who may see the others' codes."""
    coders, opinions = gather_opinions(admitted, utterances, book)
    settled = settled_codes(admitted, book)
    tape_id = admitted.tape.id
    suggested = {
        row.utterance_id: (book.proposed(row.codes), row.probability, row.p, row.codes)
        for row in retagging.suggestions(admitted.session, admitted.home, [tape_id]).get(tape_id, ())
    }
    default_codes = frozenset(code.name for code in book.codes if set(code.pretags) & set(DEFAULT_CODE.values()))
    compared = []
    for utterance in utterances:
        machine, probability, p, pretags = suggested.get(utterance.id, ((), None, {}, ()))
        # The machine may have mistaken the speaker.
        machine = tuple(code for code in machine if book[code].role == utterance.role)
        decision = settled.get(utterance.id)
        uninformative = default_codes if is_backchannel([word.text for word in utterance.words]) else frozenset()
        decided = decision.codes if decision else None
        compared.append(
            ComparedUtterance(
                utterance, opinions.get(utterance.id, ()), decided, machine, probability, p, pretags, uninformative
            )
        )
    stored = stored_measures.stored(admitted.session, admitted.home, admitted.tape)
    drawing: dict[str, Any] = {name: stored[name] for name in ("width", "seed", "spread", "draws") if name in stored}
    heard_right = voices.heard_right(admitted.session, admitted.home, admitted.tape)
    coded = {each.utterance.id for each in compared if each.by_hand}
    spoken = stored_measures.language_note(admitted.session, admitted.tape, coded)
    return ConsensusBoard(tuple(compared), coders, book, drawing, not admitted.tape.from_text, heard_right, spoken)


def settled_codes(admitted: Admitted, book: Codebook) -> dict[str, CodeState]:
    """Return utterance -> the codes that the group settled on."""
    group_pass = consensus_pass(admitted, book)
    return passes.pass_codes(admitted, group_pass) if group_pass else {}


def consensus_pass(admitted: Admitted, book: Codebook) -> Pass | None:
    """Return the group's own pass in this codebook, or None."""
    query = select(Pass).where(Pass.tape_id == admitted.tape.id, Pass.layer == "consensus", Pass.codebook == book.name)
    return admitted.session.scalars(query.order_by(Pass.started_at).limit(1)).first()


def settle_codes(admitted: Admitted, book: Codebook, change: ChangeRequest) -> list[dict[str, str]]:
    """Set or clear the settled codes of an utterance; return the refusals. Everyone's own codes stay."""
    group_pass = consensus_pass(admitted, book)
    if group_pass is None:
        group_pass = Pass(
            tape_id=admitted.tape.id,
            person_id=None,
            layer="consensus",
            codebook=book.name,
            codebook_version=book.version,
            started_at=admitted.now,
        )
        admitted.session.add(group_pass)
        admitted.session.flush()
    return passes.store_codes(admitted, group_pass, book, [change])


def undo_decision(admitted: Admitted, book: Codebook, name: str) -> str | None:
    """Undo the group's last decision in effect; return the id of its utterance."""
    group_pass = consensus_pass(admitted, book)
    last = (
        in_effect([passes.as_event(row) for row in passes.pass_events(admitted, group_pass)])[-1:] if group_pass else []
    )
    for event in last:
        undoing = ChangeRequest(
            id=name,
            kind="code",
            utterance_id=event.utterance_id,
            action=event.action,
            codes=list(event.codes),
            undoes=event.id,
        )
        settle_codes(admitted, book, undoing)
        return event.utterance_id
    return None


def group_codebook(admitted: Admitted, wanted: str = "") -> str:
    """Return the name of the codebook to compare in: the wanted one, the tape's own, or one of those in use."""
    used = used_codebooks(admitted)
    tape_codebook = admitted.tape.codebook
    return next((name for name in (wanted, tape_codebook) if name in used), used[0] if used else tape_codebook)


def used_codebooks(admitted: Admitted) -> list[str]:
    """Return the names of the locked passes' codebooks."""
    query = select(Pass.id, Pass.codebook).where(Pass.tape_id == admitted.tape.id, Pass.locked_at.is_not(None))
    locked = admitted.session.execute(query).all()
    request_trail.shows_passes(pass_id for pass_id, _ in locked)
    return sorted({codebook for _, codebook in locked})


def change_marker(admitted: Admitted, book: Codebook) -> str:
    """Return a marker that changes with all that the page shows: decisions, locked passes, ratings, corrections."""
    tape = admitted.tape.id
    group_pass = consensus_pass(admitted, book)
    ended = select(func.count(Pass.id)).where(Pass.tape_id == tape, Pass.locked_at.is_not(None))
    settled = select(func.count(CodeEvent.id)).where(CodeEvent.pass_id == (group_pass.id if group_pass else ""))
    corrected = select(func.count(Correction.id)).where(Correction.tape_id == tape)
    return "-".join(str(admitted.session.scalar(query) or 0) for query in (ended, settled, corrected))


def machine_talk(book: Codebook) -> tuple[str, ...]:
    """Return the machine's codes of change and sustain talk where the codebook has none, and nobody could decide."""
    rule = book.rule()
    return rule.codes_for(CHANGE, SUSTAIN) if rule.machine_talk else ()


def group_table(board: ConsensusBoard) -> pd.DataFrame:
    """Return the group's current codes as a table, as `pipeline.measures.session` reads it: what a person decided is
    certain."""
    rule, talk = board.book.rule(by_hand=board.by_hand), machine_talk(board.book)
    rows = []
    for compared in board.utterances:
        utterance = compared.utterance
        doubted = {f"p_{name}": p for name, p in compared.p.items() if _pretag_counts(name, compared, board.book, talk)}
        pretags = [name for name in compared.pretags if _pretag_counts(name, compared, board.book, talk)]
        row: dict[str, Any] = {
            "tape_id": "tape",
            "utterance_id": utterance.id,
            "turn_id": utterance.turn,
            "role": utterance.role,
            "start": utterance.start if board.timed else pd.NA,
            "end": utterance.end if board.timed else pd.NA,
            "text": " ".join(word.text for word in utterance.words),
            "language": utterance.language,
            "codes": "|".join((*compared.by_hand, *pretags)),
            "probability": compared.probability if doubted else 1.0,
        }
        rows.append(row | doubted | ({f"p_{code}": 1.0 for code in compared.by_hand} if doubted else {}))
    table = pd.DataFrame(rows)
    return table.assign(volley=volleys.volleys(table, rule))


def group_measures(board: ConsensusBoard) -> SessionMeasures:
    """Return the measures of the group's current codes.

    Until somebody has coded, they equal those of the machine's report.
    """
    return session_measures(group_table(board), board.book.rule(by_hand=board.by_hand), **board.sampling)


def _pretag_counts(pretag: str, compared: ComparedUtterance, book: Codebook, talk: Collection[str]) -> bool:
    """Whether a pre-tag counts: nobody was asked for the codes that it proposes."""
    if pretag in talk:
        return True
    codes = [code.name for code in book.codes if pretag in code.pretags]
    return not any(map(compared.decided, codes)) if codes else not compared.opinions and compared.settled is None


def _largest_share(compared: ComparedUtterance) -> float:
    """Return the share of the most frequent opinion: low where the coders are divided."""
    opinions = [opinion.codes for opinion in compared.opinions]
    return max(opinions.count(codes) for codes in opinions) / len(opinions)
