"""What coders said of tapes, pass by pass, and brought into the words of one codebook.

A pass says something on the codes that its task asks for and its codebook has, and on no others. Whoever coded a tape
in several passes said with each what it asked for; where two asked for the same, the later one holds, and the earlier
one shows whether a coder still codes as before.
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
    "codable",
)


@dataclass(frozen=True, eq=False)
class RaterCodes:
    """What one coder said of one tape: utterance -> codes, none where it was left without; ``codable``: what the coder
    could give; ``whole``: whether that is all of the codebook."""

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
        """Whose it is."""
        return self.tape_id, self.layer, self.coder

    def in_codebook(self, books: Mapping[str, Codebook], book: Codebook) -> RaterCodes:
        """In the words of a codebook, as far as it has some."""
        own = books[self.codebook]
        way = translation(own, book, self.codable)
        unasked = frozenset(code.name for code in own.codes) - self.codable
        codes = {where: way.of(code for code in given if code not in unasked) for where, given in self.codes.items()}
        return replace(self, codes=codes, codable=way.codable)

    def restricted_to(self, codable: frozenset[str]) -> RaterCodes:
        """Some of its codes alone."""
        codes = {where: tuple(code for code in given if code in codable) for where, given in self.codes.items()}
        return replace(self, codes=codes, codable=self.codable & codable)

    def extended_by(self, later: RaterCodes) -> RaterCodes:
        """With what the same coder said later: that holds for what it could say, where it was heard."""
        alike = self.codable == later.codable
        heard = set(self.codes) | set(later.codes) if alike else set(self.codes) & set(later.codes)
        if not heard:
            return later
        kept = self.restricted_to(self.codable - later.codable).codes
        codes = {
            where: (*kept[where], *later.codes[where])
            if where in kept and where in later.codes
            # Stretches of a tape may be coded in several passes.
            else later.codes.get(where, self.codes.get(where, ()))
            for where in heard
        }
        pretag_shown = {**self.pretag_shown, **later.pretag_shown}
        return replace(later, codes=codes, codable=self.codable | later.codable, pretag_shown=pretag_shown)


def latest_codes(codings: Iterable[RaterCodes]) -> list[RaterCodes]:
    """One coding a coder and tape, of codings in order of time."""
    found: dict[tuple[str, str, str], RaterCodes] = {}
    for coding in codings:
        before = found.pop(coding.key, None)
        found[coding.key] = before.extended_by(coding) if before else coding
    return list(found.values())


def recoded_codes(codings: Iterable[RaterCodes]) -> list[RaterCodes]:
    """For each coder and tape the last coding, as far as it was coded again later, of codings in order of time."""
    found: dict[tuple[str, str, str], RaterCodes] = {}
    later: dict[tuple[str, str, str], frozenset[str]] = {}
    for coding in reversed(list(codings)):
        again = later.get(coding.key, frozenset()) & coding.codable
        if again:
            found.setdefault(coding.key, coding.restricted_to(again))
        later[coding.key] = later.get(coding.key, frozenset()) | coding.codable
    return list(found.values())


def codes_table(
    codings: Iterable[RaterCodes], utterances: Mapping[str, Mapping[str, Utterance]], from_text: Collection[str] = ()
) -> pd.DataFrame:
    """Codings as `pipeline.measures.reliability.rating_matrix.build_rating_matrix` takes them; ``utterances``: tape ->
    utterance -> what it is; ``from_text``: the tapes whose utterances have no times."""
    rows = []
    for one in codings:
        codable = "|".join(sorted(one.codable))
        for where, codes in one.codes.items():
            row = utterances.get(one.tape_id, {}).get(where)
            if row is not None:
                head = (one.tape_id, where, one.coder, one.layer, "|".join(sorted(codes)), one.at)
                times = (pd.NA, pd.NA) if one.tape_id in from_text else (row.start_ms, row.end_ms)
                rows.append((*head, row.role, one.pretag_shown.get(where), *times, codable))
    whole = dict.fromkeys(("coded_at", "start", "end"), "Int64")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(whole | {"pretag_shown": "boolean"})
