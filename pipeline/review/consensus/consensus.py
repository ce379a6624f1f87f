"""Going on together: where the coders agree, where they do not, and what the group settles on.

Only locked passes count here, and only those who have locked their own see any of it. What the group settles on is a
layer of its own: no coder's codes change.
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
from pipeline.review.coding.corrections import Utterance
from pipeline.review.consensus.votes import Opinion, disputed_codes, gather_opinions, majority_codes
from pipeline.review.tapes import stored_measures
from pipeline.tapes.db.records import CodeEvent, Correction, Pass, Pretag

Source = str
"""Where an utterance's codes come from: ``consensus``, ``agreed``, ``hand``, ``machine`` or ``none``."""

SOURCE_PHRASES = {
    "consensus": "settled together",
    "agreed": "agreed by all coders",
    "hand": "still divided",
    "machine": "only suggested by the machine",
}
"""The sources in words; ``none`` says nothing."""


@dataclass(frozen=True)
class ComparedUtterance:
    """One utterance with all that was said of it.

    ``machine`` are this codebook's codes that the machine proposes, ``pretags`` its own codes and ``p`` its probability
    of each of these; ``probability`` is that of its suggestion as a whole. ``uninformative`` are codes that mean
    no more here than no code: those of a "mm-hm" that is only a backchannel.
    """

    utterance: Utterance
    opinions: tuple[Opinion, ...]
    settled: tuple[str, ...] | None
    machine: tuple[str, ...]
    probability: float | None
    p: Mapping[str, float] = field(default_factory=dict)
    pretags: tuple[str, ...] = ()
    uninformative: frozenset[str] = frozenset()

    @property
    def agreed(self) -> bool:
        """Whether all who were asked for a code say the same of it, and are sure."""
        unlike = disputed_codes(self.opinions) - self.uninformative
        return bool(self.opinions) and not unlike and not any(one.unsure for one in self.opinions)

    @property
    def disputed(self) -> bool:
        """Whether the group has something to talk about."""
        return self.settled is None and bool(self.opinions) and not self.agreed

    @property
    def shown_opinions(self) -> tuple[Opinion, ...]:
        """The opinions to show: silence is worth a word where it answers what others say, or else the machine."""
        proposed = {code for one in self.opinions for code in one.codes} or set(self.machine)
        return tuple(one for one in self.opinions if one.codes or one.unsure or any(map(one.covers, proposed)))

    @property
    def source(self) -> Source:
        """Whose word counts."""
        if self.settled is not None:
            return "consensus"
        if self.disputed:
            return "hand"
        if self.suggested and not self.by_hand:
            return "machine"
        return "agreed" if self.opinions else "none"

    @property
    def by_hand(self) -> tuple[str, ...]:
        """People's codes that count: the consensus, else what most say."""
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
        """Whether people say if the utterance carries this code: the group, or a coder who was asked for it."""
        return self.settled is not None or any(one.covers(code) for one in self.opinions)


def majority_of_passes(opinions: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The codes that more than half of those say who were asked for all."""
    return majority_codes([Opinion("", codes) for codes in opinions])


@dataclass(frozen=True)
class ConsensusBoard:
    """All places of a tape in order of time.

    ``timed``: whether the utterances have times; those of a tape that is coded from text have none. ``drawing``: how
    the intervals of the machine's report were drawn (see `pipeline.measures.session.measures.session_measures`), so
    that these are drawn alike.
    """

    utterances: tuple[ComparedUtterance, ...]
    coders: tuple[str, ...]
    book: Codebook
    drawing: Mapping[str, Any] = field(default_factory=dict)
    timed: bool = True

    @property
    def basis(self) -> str:
        """What the measures stand on: "2 settled together, 30 only suggested by the machine"."""
        sources = [place.source for place in self.utterances]
        told = [(sources.count(name), words) for name, words in SOURCE_PHRASES.items()]
        return ", ".join(f"{count} {words}" for count, words in told if count)

    @property
    def by_hand(self) -> bool:
        """Whether people have coded anything here."""
        return any(place.opinions or place.settled is not None for place in self.utterances)

    @property
    def queue(self) -> tuple[ComparedUtterance, ...]:
        """What to talk about, the most divided first."""
        divided = [place for place in self.utterances if place.disputed]
        return tuple(sorted(divided, key=lambda place: (_largest_share(place), place.utterance.start)))


def consensus_board(admitted: Admitted, said: Sequence[Utterance], book: Codebook) -> ConsensusBoard:
    """The board of a tape; the session must be that of somebody who may see the others' codes."""
    coders, opinions = gather_opinions(admitted, said, book)
    settled = settled_codes(admitted, book)
    suggested = {
        row.utterance_id: (book.proposed(row.codes), row.probability, row.p, tuple(row.codes))
        for row in admitted.session.scalars(select(Pretag).where(Pretag.tape_id == admitted.tape.id))
    }
    rest = frozenset(code.name for code in book.codes if set(code.pretags) & set(DEFAULT_CODE.values()))
    places = []
    for one in said:
        machine, sure, p, pretags = suggested.get(one.id, ((), None, {}, ()))
        machine = tuple(code for code in machine if book[code].role == one.role)  # it may have taken the wrong voice
        state = settled.get(one.id)
        quiet = rest if is_backchannel([word.text for word in one.words]) else frozenset()
        decided = state.codes if state else None
        places.append(ComparedUtterance(one, opinions.get(one.id, ()), decided, machine, sure, p, pretags, quiet))
    stored = stored_measures.stored(admitted.session, admitted.home, admitted.tape)
    drawing: dict[str, Any] = {name: stored[name] for name in ("width", "seed", "spread", "draws") if name in stored}
    return ConsensusBoard(tuple(places), coders, book, drawing, not admitted.tape.from_text)


def settled_codes(admitted: Admitted, book: Codebook) -> dict[str, CodeState]:
    """Utterance -> what the group settled on."""
    one = consensus_pass(admitted, book)
    return passes.pass_codes(admitted, one) if one else {}


def consensus_pass(admitted: Admitted, book: Codebook) -> Pass | None:
    """The group's own layer in this codebook."""
    query = select(Pass).where(Pass.tape_id == admitted.tape.id, Pass.layer == "consensus", Pass.codebook == book.name)
    return admitted.session.scalars(query.order_by(Pass.started_at).limit(1)).first()


def settle_codes(admitted: Admitted, book: Codebook, change: ChangeRequest) -> list[dict[str, str]]:
    """Set, or take back, what the group settled on for an utterance; everyone's own codes stay."""
    one = consensus_pass(admitted, book)
    if one is None:
        one = Pass(
            tape_id=admitted.tape.id,
            person_id=None,
            layer="consensus",
            codebook=book.name,
            codebook_version=book.version,
            started_at=admitted.now,
        )
        admitted.session.add(one)
        admitted.session.flush()
    return passes.store_codes(admitted, one, book, [change])


def undo_decision(admitted: Admitted, book: Codebook, name: str) -> str | None:
    """Take back the group's last decision that holds; the utterance that it was about."""
    one = consensus_pass(admitted, book)
    last = in_effect([passes.as_event(row) for row in passes.pass_events(admitted, one)])[-1:] if one else []
    for event in last:
        back = ChangeRequest(
            id=name,
            kind="code",
            utterance_id=event.utterance_id,
            action=event.action,
            codes=list(event.codes),
            undoes=event.id,
        )
        settle_codes(admitted, book, back)
        return event.utterance_id
    return None


def group_codebook(admitted: Admitted, wanted: str = "") -> str:
    """The codebook in which the group goes on: the wanted one, the tape's own, or one of those that were used."""
    used = used_codebooks(admitted)
    own = admitted.tape.codebook
    return next((name for name in (wanted, own) if name in used), used[0] if used else own)


def used_codebooks(admitted: Admitted) -> list[str]:
    """The codebooks of the locked passes."""
    query = select(Pass.codebook).where(Pass.tape_id == admitted.tape.id, Pass.locked_at.is_not(None))
    return sorted(set(admitted.session.scalars(query)))


def change_marker(admitted: Admitted, book: Codebook) -> str:
    """Changes with everything that the page shows: decisions, locked passes, ratings, corrections of the transcript."""
    tape = admitted.tape.id
    one = consensus_pass(admitted, book)
    ended = select(func.count(Pass.id)).where(Pass.tape_id == tape, Pass.locked_at.is_not(None))
    settled = select(func.count(CodeEvent.id)).where(CodeEvent.pass_id == (one.id if one else ""))
    mended = select(func.count(Correction.id)).where(Correction.tape_id == tape)
    return "-".join(str(admitted.session.scalar(query) or 0) for query in (ended, settled, mended))


def machine_talk(book: Codebook) -> tuple[str, ...]:
    """The machine's codes of change and sustain talk where the codebook has none: nobody could decide otherwise."""
    rule = book.rule()
    return rule.codes_for(CHANGE, SUSTAIN) if rule.machine_talk else ()


def group_measures(found: ConsensusBoard) -> SessionMeasures:
    """The measures as the group has the codes now; what a person has decided is not in doubt.

    Until somebody has coded, they are those of the machine's report.
    """
    rule, talk = found.book.rule(by_hand=found.by_hand), machine_talk(found.book)
    rows = []
    for place in found.utterances:
        said = place.utterance
        doubted = {f"p_{name}": p for name, p in place.p.items() if _pretag_counts(name, place, found.book, talk)}
        pretags = [name for name in place.pretags if _pretag_counts(name, place, found.book, talk)]
        row: dict[str, Any] = {
            "tape_id": "tape",
            "utterance_id": said.id,
            "turn_id": said.turn,
            "role": said.role,
            "start": said.start if found.timed else pd.NA,
            "end": said.end if found.timed else pd.NA,
            "text": " ".join(word.text for word in said.words),
            "codes": "|".join((*place.by_hand, *pretags)),
            "probability": place.probability if doubted else 1.0,
        }
        rows.append(row | doubted | ({f"p_{code}": 1.0 for code in place.by_hand} if doubted else {}))
    table = pd.DataFrame(rows)
    table = table.assign(volley=volleys.volleys(table, rule))
    drawing = {"session_effect_sd" if name == "spread" else name: value for name, value in found.drawing.items()}
    return session_measures(table, rule, **drawing)


def _pretag_counts(pretag: str, place: ComparedUtterance, book: Codebook, talk: Collection[str]) -> bool:
    """Whether the machine's word on one of its own codes counts: nobody was asked for the codes that it proposes."""
    if pretag in talk:
        return True
    codes = [code.name for code in book.codes if pretag in code.pretags]
    return not any(map(place.decided, codes)) if codes else not place.opinions and place.settled is None


def _largest_share(place: ComparedUtterance) -> float:
    """The share of the most frequent opinion: low where the coders are divided."""
    opinions = [one.codes for one in place.opinions]
    return max(opinions.count(one) for one in opinions) / len(opinions)
