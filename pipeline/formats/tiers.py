"""Tiers: how ELAN and Praat lay a transcript out, a row of labelled stretches for each speaker and each coder.

::

    interviewer:S1                 What would you like?          |            | So you walk.
    codes:interviewer:S1:coach:ana question_open                 |            | reflection_simple
    words:interviewer:S1           What | would | you | like?    |            | So | you | walk.
    client:S2                                                    | A walk.    |

A tier holds one label at a time: an utterance that overlaps another of the same speaker goes to
``interviewer:S1#2``, an utterance's second code by the same coder to ``codes:interviewer:S1:coach:ana:2``. Names are
percent-encoded where they hold blanks or colons. What the tiers of other programs hold, `pipeline.formats.tier_kinds`
says; codes among them are joined to what is said by participant and time.

Tiers cannot hold the ids of utterances, when a code was given, or how probable a word is; a moment becomes a
millisecond long. They keep no order but that of times: what starts with or before the utterance before it starts a
millisecond after that one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from pipeline.errors import FormatError
from pipeline.formats import tier_kinds
from pipeline.formats.plain_text import percent_decoded, percent_encoded
from pipeline.formats.safe_reader import Source
from pipeline.formats.text_codings import named_in_texts
from pipeline.formats.tier_kinds import RawTier, TierLabel
from pipeline.formats.transcript import (
    CodedTranscript,
    CodedUtterance,
    Mark,
    ordered_transcript,
    split_codes,
    successive,
)
from pipeline.formats.transcript import role_named as coded_role
from pipeline.timeline import LAYERS, UNKNOWN, Role, Span, Word

_OURS = re.compile(
    r"(?:(codes|words):)?(interviewer|client|other|unknown):([^:#]*)(#\d+)?(?::([^:]*):([^:]*))?(?::\d+)?"
)
_CODER = re.compile(r"(?:coder|rater|annotator)[ _-]?\w+", re.IGNORECASE)
_LANES = 100  # as many may overlap, or hang on one utterance
_PAUSE = 1000  # between words of other programs that belong to no utterance: where an utterance ends


@dataclass(frozen=True)
class Tier:
    """A row of labels; ``host`` is the tier of the utterances that it belongs to, its own name where it holds them."""

    name: str
    host: str
    labels: tuple[TierLabel, ...]
    kind: str = "text"
    role: Role = "unknown"
    speaker: str = UNKNOWN
    coder: str = ""
    layer: str = ""


@dataclass
class _UtteranceParts:
    """An utterance that is being put together."""

    tier: Tier
    texts: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)

    def utterance(self, span: Span) -> CodedUtterance:
        who, text = self.tier, " ".join(self.texts)
        return CodedUtterance("", span, who.speaker, who.role, text, tuple(self.marks), tuple(self.words))


def split(transcript: CodedTranscript) -> list[Tier]:
    """The tiers of a transcript, each speaker's utterances first, then what hangs on them."""
    ends: dict[str, int] = {}
    rows: dict[str, list[TierLabel]] = defaultdict(list)
    tiers_by_name: dict[str, Tier] = {}
    spans = successive(utterance.span for utterance in transcript.utterances)
    for utterance, span in zip(transcript.utterances, spans, strict=True):
        words = successive((word.span for word in utterance.words), span.start)
        within = [at.start + 1 for word, at in zip(utterance.words, words, strict=True) if word.span in utterance.span]
        span = span | Span(span.start, max(within, default=span.end))  # a word at its very end is one of its own
        base = f"{utterance.role}:{percent_encoded(utterance.speaker)}"
        host = next(name for name in _lanes(base, "#") if ends.get(name, 0) <= span.start)
        ends[host] = span.end
        tiers_by_name.setdefault(host, Tier(host, host, (), "text", utterance.role, utterance.speaker))
        rows[host].append((span, utterance.text))
        slots: dict[str, int] = defaultdict(int)
        for mark in utterance.given:
            base = f"codes:{host}:{percent_encoded(mark.layer)}:{percent_encoded(mark.coder)}"
            name = next(islice(_lanes(base, ":"), slots[base], None))
            slots[base] += 1
            row = Tier(name, host, (), "codes", utterance.role, utterance.speaker, mark.coder, mark.layer)
            tiers_by_name.setdefault(name, row)
            rows[name].append((span, mark.code))
        for word, at in zip(utterance.words, words, strict=True):
            base = f"words:{host}"
            name = next(name for name in _lanes(base, ":") if ends.get(name, 0) <= at.start)
            ends[name] = at.end
            tiers_by_name.setdefault(name, Tier(name, host, (), "words", utterance.role, utterance.speaker))
            rows[name].append((at, word.text))
    return [
        Tier(row.name, row.host, tuple(sorted(rows[name])), row.kind, row.role, row.speaker, row.coder, row.layer)
        for name, row in sorted(tiers_by_name.items(), key=lambda item: (item[1].host, item[1].kind != "text", item[0]))
    ]


def read(source: Source, raw: Sequence[RawTier]) -> tuple[list[Tier], tuple[str, ...]]:
    """The tiers that hold something of ours, by their names where we wrote them; a sentence on what the others hold.

    Raises
    ------
    FormatError: F07 as `tier_kinds.classify`.
    """
    ours = {tier.name: match for tier in raw if (match := _OURS.fullmatch(tier.name)) and tier.name not in source.tiers}
    others = [tier for tier in raw if tier.name not in ours]
    known = [tier for tier in raw if tier.name in ours]
    kinds = tier_kinds.classify(source, [*known, *others], source.tiers) if others else {}
    tiers = [_ours(tier, ours[tier.name]) for tier in known]
    tiers += [_other(tier, kinds[tier.name]) for tier in others if kinds[tier.name] != "skip"]
    plain = len(others) == 1 and kinds[others[0].name] == "text" and not known
    return tiers, () if plain or not others else (tier_kinds.summary({tier.name: kinds[tier.name] for tier in others}),)


def _ours(tier: RawTier, match: re.Match[str]) -> Tier:
    what, role, who, lane, layer, coder = (part or "" for part in match.groups())
    host = f"{role}:{who}{lane}"
    known = coded_role(role)
    return Tier(
        tier.name,
        host,
        tier.labels,
        what or "text",
        known,
        percent_decoded(who),
        percent_decoded(coder),
        percent_decoded(layer),
    )


def _other(tier: RawTier, kind: str) -> Tier:
    """A tier of another program: who speaks is its participant, else what it is called after."""
    bare = re.sub(r"(?i)[\s_:-]*(?:words?|tokens?|tok|wor)$", "", tier.name) if kind == "words" else tier.name
    bare = tier_kinds.CATEGORY.sub("", bare)
    who = tier.participant or ("" if kind == "codes" or tier_kinds.is_nobody(bare) else bare) or UNKNOWN
    if "@" in who and not tier.participant:
        who = who.rpartition("@")[2].strip() or who  # tx@Ann
    coder, layer, role_hint = "", "", tier.name
    if kind == "codes":
        layer = next((layer for layer in LAYERS if layer in tier.name.lower()), "")
        coder_match = _CODER.search(tier.name)
        coder, role_hint = (
            tier.annotator or (coder_match[0] if coder_match else ""),
            re.sub("|".join(LAYERS), "", tier.name.lower()),
        )  # a coach codes, and is none here
    role = coded_role(who)
    role = role if role != "unknown" else coded_role(role_hint)
    return Tier(tier.name, tier.root or tier.name, tier.labels, kind, role, who, coder, layer)


def join(tape_id: str, tiers: Iterable[Tier], notes: Iterable[str] = ()) -> CodedTranscript:
    """The transcript that tiers hold.

    Codes go to the utterance of their host with the same times, else to the one that shares the most time with them:
    of their participant, if anything of theirs is written down, else of anybody. Those that find none stand alone.
    """
    ordered = sorted(tiers, key=lambda tier: ("text", "codes", "words").index(tier.kind))
    gathered: dict[tuple[str, Span], _UtteranceParts] = {}
    for tier in (tier for tier in ordered if tier.kind == "text"):
        for span, text in tier.labels:
            utterance = gathered.setdefault((tier.host, span), _UtteranceParts(tier))
            utterance.texts += [text.strip()] if text.strip() else []
    spoken = dict(gathered)
    for tier in (tier for tier in ordered if tier.kind == "codes"):
        near = _near(tier, spoken)
        for span, text in tier.labels:
            marks = [Mark(code, tier.coder, tier.layer) for code in split_codes(text)]
            host_key = (tier.host, span) if (tier.host, span) in spoken else near(span)
            gathered.setdefault(host_key or (tier.host, span), _UtteranceParts(tier)).marks += marks
    hosts: dict[str, list[tuple[Span, _UtteranceParts]]] = defaultdict(list)
    for (host, span), utterance_parts in sorted(gathered.items(), key=lambda item: item[0]):
        hosts[host].append((span, utterance_parts))
    for tier in (tier for tier in ordered if tier.kind == "words"):
        words = sorted((span, text.strip()) for span, text in tier.labels if text.strip())
        for span, utterance_parts in _spoken(tier, words, hosts[tier.host] or _of_voice(tier, spoken)):
            gathered[tier.host, span] = utterance_parts
    named = {
        tier.speaker
        for tier in ordered
        if not _OURS.fullmatch(tier.name) and (tier.speaker in tier.name or coded_role(tier.name) == "unknown")
    }
    transcript = ordered_transcript(
        tape_id,
        (utterance_parts.utterance(span) for (_, span), utterance_parts in gathered.items()),
        notes,
        named=named,
    )
    return named_in_texts(transcript)


def _of_voice(tier: Tier, spoken: Mapping[tuple[str, Span], _UtteranceParts]) -> list[tuple[Span, _UtteranceParts]]:
    """The utterances that words may belong to which hang on no tier: those of their speaker or, without one, all."""
    return sorted(
        ((span, parts) for (_, span), parts in spoken.items() if tier.speaker in (UNKNOWN, parts.tier.speaker)),
        key=lambda pair: pair[0],
    )


def _near(tier: Tier, spoken: Mapping[tuple[str, Span], _UtteranceParts]) -> Callable[[Span], tuple[str, Span] | None]:
    """Finds the utterance that shares the most time with a label of a tier of codes."""
    hosted = [host_key for host_key in spoken if host_key[0] == tier.host]
    named = [
        host_key for host_key, parts in spoken.items() if tier.speaker != UNKNOWN and parts.tier.speaker == tier.speaker
    ]
    alike = [host_key for host_key, parts in spoken.items() if tier.role != "unknown" and parts.tier.role == tier.role]
    free = tier.speaker == UNKNOWN and tier.role == "unknown"
    keys = sorted(hosted or named or alike or (spoken if free else ()), key=lambda host_key: (host_key[1], host_key[0]))
    starts = [span.start for _, span in keys]
    longest = max((span.some.duration for _, span in keys), default=0)

    def nearest(label: Span) -> tuple[str, Span] | None:
        around = keys[bisect_right(starts, label.start - longest - 1) : bisect_right(starts, label.some.end)]
        shared = [
            (label.some.overlap(span.some), host_key) for host_key in around if (span := host_key[1]).end >= label.start
        ]
        best = max(shared, key=lambda pair: pair[0], default=(0, None))
        return best[1] if best[0] > 0 else None

    return nearest


def _spoken(
    tier: Tier, words: list[TierLabel], utterances: list[tuple[Span, _UtteranceParts]]
) -> Iterator[tuple[Span, _UtteranceParts]]:
    """Give words to the utterances that hold their middle; yield an utterance for each run of words that none holds."""
    index = 0
    run: list[Word] = []
    for span, text in words:
        while index < len(utterances) and utterances[index][0].end <= span.middle:
            index += 1
        word = Word(span, text, 1.0, tier.speaker)
        if index < len(utterances) and span.middle in utterances[index][0]:
            utterances[index][1].words.append(word)
            continue
        if run and span.start - run[-1].span.end > _PAUSE:
            yield _run(tier, run)
            run = []
        run.append(word)
    if run:
        yield _run(tier, run)


def _run(tier: Tier, words: list[Word]) -> tuple[Span, _UtteranceParts]:
    span = Span(words[0].span.start, max(word.span.end for word in words))
    return span, _UtteranceParts(tier, [word.text for word in words], [], words)


def _lanes(base: str, mark: str) -> Iterator[str]:
    yield base
    yield from (f"{base}{mark}{number}" for number in range(2, _LANES + 1))
    raise FormatError(
        "F08", f"tier {base}", f"would need more than {_LANES} lanes", "write WebVTT or CSV, which hold it"
    )
