"""Raters' codes of tapes, pass by pass, and translated into one codebook.

A pass decides on the codes that its task asks for and its codebook has, and on no others. Of a rater's several passes
on a tape each decides on what it asked for; where two asked for the same, the later one counts, and the earlier one
shows whether the rater still codes as before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from pipeline.coding.codebook import Codebook
from pipeline.coding.crosswalk import translation
from pipeline.tapes.db.records import Utterance

COLUMNS = (
    *("tape_id", "utterance_id", "coder", "layer", "codes", "coded_at", "role", "pretag_shown", "start", "end"),
    *("codable", "language"),
)


@dataclass(frozen=True, eq=False)
class RaterCodes:
    """One rater's codes of one tape: utterance -> codes, none where it was left without.

    ``codable`` are the codes that the rater could give, ``whole_codebook`` whether these are all of the codebook,
    ``at`` the time in ms, ``pretag_shown`` for each utterance whether the machine's suggestion was shown.
    """

    tape_id: str
    layer: str
    coder: str
    codebook: str
    at: int | None
    codes: Mapping[str, tuple[str, ...]]
    codable: frozenset[str]
    whole_codebook: bool = True
    pretag_shown: Mapping[str, bool] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """The tape, layer and rater."""
        return self.tape_id, self.layer, self.coder

    def in_codebook(self, books: Mapping[str, Codebook], book: Codebook) -> RaterCodes:
        """Return the codes translated into another codebook, as far as it has such codes."""
        own_codebook = books[self.codebook]
        crosswalk = translation(own_codebook, book, self.codable)
        not_codable = frozenset(code.name for code in own_codebook.codes) - self.codable
        codes = {
            utterance_id: crosswalk.of(code for code in given if code not in not_codable)
            for utterance_id, given in self.codes.items()
        }
        return replace(self, codes=codes, codable=crosswalk.codable)

    def restricted_to(self, codable: frozenset[str]) -> RaterCodes:
        """Return these codes without those that are not in ``codable``."""
        codes = {
            utterance_id: tuple(code for code in given if code in codable) for utterance_id, given in self.codes.items()
        }
        return replace(self, codes=codes, codable=self.codable & codable)

    def extended_by(self, later: RaterCodes) -> RaterCodes:
        """Return these codes, replaced by the same rater's later ones where those decide."""
        same_codable = self.codable == later.codable
        listened = set(self.codes) | set(later.codes) if same_codable else set(self.codes) & set(later.codes)
        if not listened:
            return later
        earlier_codes = self.restricted_to(self.codable - later.codable).codes
        codes = {
            utterance_id: (*earlier_codes[utterance_id], *later.codes[utterance_id])
            if utterance_id in earlier_codes and utterance_id in later.codes
            # Stretches of a tape may be coded in several passes.
            else later.codes.get(utterance_id, self.codes.get(utterance_id, ()))
            for utterance_id in listened
        }
        pretag_shown = {**self.pretag_shown, **later.pretag_shown}
        return replace(later, codes=codes, codable=self.codable | later.codable, pretag_shown=pretag_shown)


def latest_codes(codings: Iterable[RaterCodes]) -> list[RaterCodes]:
    """Return the combined codes per rater and tape, from codes in order of time."""
    latest: dict[tuple[str, str, str], RaterCodes] = {}
    for coding in codings:
        earlier = latest.pop(coding.key, None)
        latest[coding.key] = earlier.extended_by(coding) if earlier else coding
    return list(latest.values())


def recoded_codes(codings: Iterable[RaterCodes]) -> list[RaterCodes]:
    """Return, per rater and tape, the last codes that were coded again later, from codes in order of time."""
    recoded: dict[tuple[str, str, str], RaterCodes] = {}
    later: dict[tuple[str, str, str], frozenset[str]] = {}
    for coding in reversed(list(codings)):
        coded_again = later.get(coding.key, frozenset()) & coding.codable
        if coded_again:
            recoded.setdefault(coding.key, coding.restricted_to(coded_again))
        later[coding.key] = later.get(coding.key, frozenset()) | coding.codable
    return list(recoded.values())


def codes_table(
    codings: Iterable[RaterCodes], utterances: Mapping[str, Mapping[str, Utterance]], from_text: Collection[str] = ()
) -> pd.DataFrame:
    """Return the table for `pipeline.measures.reliability.rating_matrix.build_rating_matrix`, one row per utterance and
    rater.

    ``utterances``: tape -> utterance id -> utterance; ``from_text``: the tapes whose utterances have no times.
    """
    rows = []
    for coding in codings:
        codable = "|".join(sorted(coding.codable))
        for utterance_id, codes in coding.codes.items():
            utterance = utterances.get(coding.tape_id, {}).get(utterance_id)
            if utterance is not None:
                cells = (coding.tape_id, utterance_id, coding.coder, coding.layer, "|".join(sorted(codes)), coding.at)
                times = (pd.NA, pd.NA) if coding.tape_id in from_text else (utterance.start_ms, utterance.end_ms)
                rows.append(
                    (
                        *cells,
                        utterance.role,
                        coding.pretag_shown.get(utterance_id),
                        *times,
                        *(codable, utterance.language),
                    )
                )
    integers = dict.fromkeys(("coded_at", "start", "end"), "Int64")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(integers | {"pretag_shown": "boolean"})
