"""The kinds of tiers in other programs' files: text, codes, words, or none of these (notes, translations, phones).

Only text is what was said. Of what hangs on it, codes and words are read; all else is passed over, never glued onto the
text. A tier is judged by its vocabulary, its name, its place and its labels, in this order, unless the user says what
it holds; what each was taken for is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pipeline.formats.safe_reader import Source
from pipeline.formats.speaker_roles import plain
from pipeline.timeline import Span

TierKind = Literal["text", "codes", "words", "skip"]
KINDS: tuple[TierKind, ...] = get_args(TierKind)

_CODES = frozenset(
    {"code", "codes", "coding", "coded", "coder", "miti", "misc", "oars", "mico", "cts", "sctr"}
    | {"behavior", "behaviors", "behaviour", "behaviours", "tag", "tags", "category"}
)
_WORDS = frozenset(
    {"word", "words", "token", "tokens", "tok", "wor", "ort", "orthography", "worter", "mots", "palabras"}
)
_SKIPPED = frozenset(
    {"phone", "phones", "phoneme", "phonemes", "phon", "phonetic", "syll", "syllable", "syllables", "mora", "morph"}
    | {"morphemes", "pos", "lemma", "gloss", "glosses", "translation", "translations", "translated", "transl"}
    | {"note", "notes", "comment", "comments", "remark", "remarks", "memo", "gesture", "gestures", "gaze", "pause"}
    | {"pauses", "silence", "silences", "noise", "noises", "laughter", "chunk", "chunks", "time", "timecode", "section"}
    | {"kommentar", "kommentare", "anmerkung", "anmerkungen", "bemerkung", "bemerkungen", "notiz", "notizen"}
    | {"ubersetzung", "commentaire", "commentaires", "traduction", "comentario", "comentarios", "traduccion", "notas"}
    | {"mau", "mas", "kan"}  # WebMAUS: phones, syllables, canonical forms
    | {"affect", "emotion", "emotions", "mood", "sentiment", "posture", "music", "topic", "topics"}
)
_NOBODY = frozenset(
    {"utterance", "utterances", "segment", "segments", "sentence", "sentences", "text", "transcript", "transcription"}
    | {
        "trn",
        "ort",
        "ort mau",
        "orthography",
        "default",
        "default lt",
        "speech",
        "ipu",
        "ipus",
        "subtitles",
        "captions",
        "phrase",
        "phrases",
        "turns",
    }
)
"""Names of tiers that say what they hold, not who speaks."""
CATEGORY = re.compile(r"\s*\[(\w{1,8})\]$")
"""EXMARaLDA's category behind the name of a tier: ``ANN [v]`` is what Ann says, ``ANN [nv]`` or ``ANN [en]`` is not."""
_SPOKEN = frozenset({"v", "verb", "verbal", "text"})
_LANGUAGE = re.compile(r"[-_@. ]([a-z]{2,3})")
_REFERENCE = re.compile(r"(?:[A-Za-z]{0,8}[._ -]?)?\d+(?:[._-]\d+)*")
"""A label that numbers an utterance, as "s.001" does; what is said hangs on it, as in tiers "ref@Ann" and "tx@Ann"."""
_CODE = re.compile(r"[^\s.?!]{1,24}")
_ALIKE = 0.8
"""Share of a tier's labels that must look like codes, or have the times of utterances, for it to hold codes."""

TierLabel = tuple[Span, str]


@dataclass(frozen=True)
class RawTier:
    """A tier as a file has it; ``root`` is the tier that its annotations hang on in the end, its own name if none."""

    name: str
    labels: tuple[TierLabel, ...]
    root: str = ""
    participant: str = ""
    annotator: str = ""
    vocabulary: bool = False
    aligned: bool = True
    """Whether its labels have times of their own."""

    @property
    def is_child(self) -> bool:
        """Whether it hangs on another tier."""
        return self.root not in ("", self.name)


def classify(source: Source, tiers: Sequence[RawTier], wanted_kinds: Mapping[str, str]) -> dict[str, TierKind]:
    """Return the kind of each tier, by name.

    Raises
    ------
    FormatError: F07 the user names a tier that is not there, or a kind that does not exist.
    """
    names = [tier.name for tier in tiers]
    for name, kind in wanted_kinds.items():
        if name not in names:
            source.refuse("F07", f"has no tier {name!r}", f"name one of its tiers: {', '.join(names)[:200]}")
        if kind not in KINDS:
            source.refuse("F07", f"cannot take tier {name!r} for {kind!r}", f"use one of {', '.join(KINDS)}")
    kinds_by_name: dict[str, TierKind] = {}
    texts = [
        tier
        for tier in tiers
        if wanted_kinds.get(tier.name) == "text" or (not tier.is_child and _by_name(tier) in (None, "text"))
    ]
    for tier in tiers:
        wanted = wanted_kinds.get(tier.name)
        kinds_by_name[tier.name] = (
            next(kind for kind in KINDS if kind == wanted) if wanted else _kind(tier, tiers, texts)
        )
    return kinds_by_name


def is_nobody(name: str) -> bool:
    """Whether a tier's name says what it holds and not who speaks."""
    return " ".join(re.findall(r"[^\W_]+", plain(name))) in _NOBODY


def summary(kinds_by_name: Mapping[str, TierKind]) -> str:
    """A sentence on what was taken for what: ``Tiers read as text: client; as codes: MITI; passed over: Notes.``"""
    parts = []
    for kind, words in (("text", "as text"), ("codes", "as codes"), ("words", "as words"), ("skip", "skipped")):
        names = [name for name, each in kinds_by_name.items() if each == kind]
        if names:
            parts.append(f"{words}: {', '.join(names)}")
    return f"Tiers read {'; '.join(parts)}. --tier NAME=codes, text, words or skip changes that."


def _kind(tier: RawTier, tiers: Sequence[RawTier], texts: Sequence[RawTier]) -> TierKind:
    if tier.vocabulary:
        return "codes"
    numbered = _text_of_numbered(
        next((other for other in tiers if other.name == (tier.root or tier.name)), tier), tiers
    )
    if numbered is not None and tier.name in (numbered.name, numbered.root):
        return "text" if tier is numbered else "skip"
    by_name = _by_name(tier)
    if by_name is not None:
        return by_name
    if tier.is_child:
        return _of_child(tier, tiers)
    return "codes" if _codes_others(tier, texts) else "text"


def _text_of_numbered(root: RawTier, tiers: Sequence[RawTier]) -> RawTier | None:
    """The tier with what is said, where the one that it hangs on only numbers utterances; None of any other."""
    labels = [text.strip() for _, text in root.labels if text.strip()]
    if not labels or not all(_REFERENCE.fullmatch(text) for text in labels):
        return None
    children = [tier for tier in tiers if tier.root == root.name and tier is not root and not tier.vocabulary]
    spoken = (tier for tier in children if tier.labels and not _is_translation(tier))
    return next((tier for tier in spoken if _by_name(tier) in (None, "text")), None)


def _is_translation(tier: RawTier) -> bool:
    """Whether a tier is called after the one that it hangs on, and a language: "client-de" on "client"."""
    return tier.name.startswith(tier.root) and _LANGUAGE.fullmatch(plain(tier.name[len(tier.root) :])) is not None


def _by_name(tier: RawTier) -> TierKind | None:
    words = set(re.findall(r"[^\W\d_]+", plain(tier.name)))
    category = CATEGORY.search(plain(tier.name))
    if category and not words & (_CODES | _WORDS):
        return "text" if category[1] in _SPOKEN else "skip"
    if words == {"ort", "mau"}:
        return "words"
    if words & _SKIPPED:
        return "skip"
    if words & _CODES or tier.name.lower().startswith("code"):
        return "codes"
    return "words" if words & _WORDS else None


def _of_child(tier: RawTier, tiers: Sequence[RawTier]) -> TierKind:
    """A tier that hangs on another: words where it cuts the parent's text, codes where its labels look like codes."""
    if _is_translation(tier):
        return "skip"
    texts = [text.strip() for _, text in tier.labels if text.strip()]
    root = next((other for other in tiers if other.name == tier.root), None)
    root_words = " ".join(text for _, text in root.labels).split() if root else []
    if tier.aligned and " ".join(texts).split() == root_words and len(texts) > len(root.labels if root else ()):
        return "words"
    if texts and all(text in root_words for text in texts) and tier.aligned:
        return "words" if all(len(text.split()) == 1 for text in texts) and len(texts) > 1 else "skip"
    return "codes" if texts and _share(texts) >= _ALIKE and not tier.aligned else "skip"


def _codes_others(tier: RawTier, texts: Sequence[RawTier]) -> bool:
    """Whether a tier at the top holds codes: short labels at the times of what is said on other tiers."""
    labels = [(span, text.strip()) for span, text in tier.labels if text.strip()]
    others = [(span, text) for other in texts if other.name != tier.name for span, text in other.labels]
    if not labels or not others or _share([text for _, text in labels]) < _ALIKE:
        return False
    spans = {span for span, text in others if len(text.split()) > 1}
    return sum(span in spans for span, _ in labels) >= _ALIKE * len(labels)


def _share(texts: Sequence[str]) -> float:
    """The share of labels that look like codes: one word without a mark at its end, or several with ``|``."""
    return sum(all(_CODE.fullmatch(part.strip()) for part in text.split("|")) for text in texts) / len(texts)
