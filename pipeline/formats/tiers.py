"""Tiers: how ELAN and Praat lay a transcript out, a row of labelled stretches for each speaker and each coder.

::

    interviewer:S1                 What would you like?          |            | So you walk.
    codes:interviewer:S1:coach:ana question_open                 |            | reflection_simple
    words:interviewer:S1           What | would | you | like?    |            | So | you | walk.
    client:S2                                                    | A walk.    |

A tier holds one label at a time: an utterance that overlaps another of the same speaker goes to
``interviewer:S1#2``, an utterance's second code by the same coder to ``codes:interviewer:S1:coach:ana:2``. Names are
percent-encoded where they hold blanks or colons. Of other programs' tiers, those whose name begins with "code" hold
codes, those whose name ends in "words" hold words, and all others text, said by whom the tier is called after.

Tiers cannot hold the ids of utterances, when a code was given, or how probable a word is; a moment becomes a
millisecond long.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from pipeline.errors import FormatError
from pipeline.formats.coded import CodedTranscript, CodedUtterance, Mark, codes, transcript
from pipeline.formats.coded import role as coded_role
from pipeline.formats.plain import packed, unpacked
from pipeline.timeline import UNKNOWN, Role, Span, Word

Label = tuple[Span, str]

_OURS = re.compile(r"(?:(codes|words):)?(interviewer|client|unknown):([^:#]*)(#\d+)?(?::([^:]*):([^:]*))?(?::\d+)?")
_LANES = 100  # as many may overlap, or hang on one utterance
_PAUSE = 1000  # between words of other programs that belong to no utterance: where an utterance ends


@dataclass(frozen=True)
class Tier:
    """A row of labels; ``host`` is the tier of the utterances that it belongs to, its own name where it holds them."""

    name: str
    host: str
    labels: tuple[Label, ...]
    kind: str = "text"
    role: Role = "unknown"
    speaker: str = UNKNOWN
    coder: str = ""
    layer: str = ""


@dataclass
class _Gathered:
    """An utterance that is being put together."""

    tier: Tier
    texts: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)

    def utterance(self, span: Span) -> CodedUtterance:
        who, text = self.tier, " ".join(self.texts)
        return CodedUtterance("", span, who.speaker, who.role, text, tuple(self.marks), tuple(self.words))


def split(said: CodedTranscript) -> list[Tier]:
    """The tiers of a transcript, each speaker's utterances first, then what hangs on them."""
    ends: dict[str, int] = {}
    rows: dict[str, list[Label]] = defaultdict(list)
    about: dict[str, Tier] = {}
    for utterance in said.utterances:
        span = utterance.span.some
        base = f"{utterance.role}:{packed(utterance.speaker)}"
        host = next(name for name in _lanes(base, "#") if ends.get(name, 0) <= span.start)
        ends[host] = span.end
        about.setdefault(host, Tier(host, host, (), "text", utterance.role, utterance.speaker))
        rows[host].append((span, utterance.text))
        slots: dict[str, int] = defaultdict(int)
        for mark in utterance.given:
            base = f"codes:{host}:{packed(mark.layer)}:{packed(mark.coder)}"
            name = next(islice(_lanes(base, ":"), slots[base], None))
            slots[base] += 1
            row = Tier(name, host, (), "codes", utterance.role, utterance.speaker, mark.coder, mark.layer)
            about.setdefault(name, row)
            rows[name].append((span, mark.code))
        for word in utterance.words:
            span, base = word.span.some, f"words:{host}"
            name = next(name for name in _lanes(base, ":") if ends.get(name, 0) <= span.start)
            ends[name] = span.end
            about.setdefault(name, Tier(name, host, (), "words", utterance.role, utterance.speaker))
            rows[name].append((span, word.text))
    return [
        Tier(row.name, row.host, tuple(sorted(rows[name])), row.kind, row.role, row.speaker, row.coder, row.layer)
        for name, row in sorted(about.items(), key=lambda item: (item[1].host, item[1].kind != "text", item[0]))
    ]


def named(name: str, labels: Iterable[Label], *, kind: str = "", host: str = "", speaker: str = "") -> Tier:
    """A tier as its name tells what it is; ``kind``, ``host`` and ``speaker`` where the format says so itself."""
    ours, labels = _OURS.fullmatch(name), tuple(labels)
    if ours:
        what, role, who, lane, layer, coder = (part or "" for part in ours.groups())
        own = f"{role}:{who}{lane}"
        return Tier(
            name, own, labels, what or "text", coded_role(role), unpacked(who), unpacked(coder), unpacked(layer)
        )
    if not kind:
        kind = "codes" if name.lower().startswith("code") else "words" if name.lower().endswith("words") else "text"
    bare = name[: -len("words")].rstrip(" -_:") if kind == "words" else name if kind == "text" else ""
    who = speaker or bare or UNKNOWN
    return Tier(name, host or name, labels, kind, coded_role(who), who)


def join(tape_id: str, tiers: Iterable[Tier]) -> CodedTranscript:
    """The transcript that tiers hold: codes go to the utterance of their host with the same times, or stand alone."""
    ordered = sorted(tiers, key=lambda tier: ("text", "codes", "words").index(tier.kind))
    found: dict[tuple[str, Span], _Gathered] = {}
    for tier in ordered:
        for span, text in tier.labels:
            text = text.strip()
            if tier.kind == "words":
                continue
            one = found.setdefault((tier.host, span), _Gathered(tier))
            if tier.kind == "codes":
                one.marks += [Mark(code, tier.coder, tier.layer) for code in codes(text)]
            else:
                one.texts += [text] if text else []
    hosts: dict[str, list[tuple[Span, _Gathered]]] = defaultdict(list)
    for (host, span), one in sorted(found.items(), key=lambda item: item[0]):
        hosts[host].append((span, one))
    for tier in (tier for tier in ordered if tier.kind == "words"):
        words = sorted((span, text.strip()) for span, text in tier.labels if text.strip())
        for span, one in _spoken(tier, words, hosts[tier.host]):
            found[tier.host, span] = one
    return transcript(
        tape_id,
        (one.utterance(span) for (_, span), one in found.items()),
    )


def _spoken(
    tier: Tier, words: list[Label], utterances: list[tuple[Span, _Gathered]]
) -> Iterator[tuple[Span, _Gathered]]:
    """Give words to the utterances that hold their middle; yield an utterance for each run of words that none holds."""
    place = 0
    run: list[Word] = []
    for span, text in words:
        while place < len(utterances) and utterances[place][0].end <= span.middle:
            place += 1
        word = Word(span, text, 1.0, tier.speaker)
        if place < len(utterances) and span.middle in utterances[place][0]:
            utterances[place][1].words.append(word)
            continue
        if run and span.start - run[-1].span.end > _PAUSE:
            yield _run(tier, run)
            run = []
        run.append(word)
    if run:
        yield _run(tier, run)


def _run(tier: Tier, words: list[Word]) -> tuple[Span, _Gathered]:
    span = Span(words[0].span.start, max(word.span.end for word in words))
    return span, _Gathered(tier, [word.text for word in words], [], words)


def _lanes(base: str, mark: str) -> Iterator[str]:
    yield base
    yield from (f"{base}{mark}{number}" for number in range(2, _LANES + 1))
    raise FormatError("F08", f"tier {base}", f"would need more than {_LANES} lanes", "leave out what lies above it")
