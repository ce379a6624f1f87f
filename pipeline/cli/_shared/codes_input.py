"""Reading a file of codes, with the options that the verbs on codes have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pipeline import settings
from pipeline.formats.code_table import Codes
from pipeline.languages import is_foreign
from pipeline.measures.reliability.rating_matrix import Absent, CodingScheme, RatingMatrix

AbsentRows = Annotated[
    Absent,
    typer.Option(
        "--absent",
        help="What an utterance without a row means on a tape that the coder coded: not-coded, missing (not heard), "
        "or auto. With auto it is missing if the coder has rows with an empty code on that tape, else not-coded.",
    ),
]
CodebookOption = Annotated[
    str | None,
    typer.Option(
        "--codebook",
        metavar="CODEBOOK",
        help="The codebook with the families of codes. The default is the shipped one that fits best.",
    ),
]
CodesFile = Annotated[
    Path,
    typer.Argument(
        metavar="CODES.csv",
        help="A table with tape_id, utterance_id, coder, layer (machine, member, consensus, coach), code, coded_at.",
    ),
]


@dataclass(frozen=True)
class CodesInput:
    """A file of codes, ready to compare; ``notes`` say what was put right, guessed or passed over."""

    codes: Codes
    panel: RatingMatrix
    scheme: CodingScheme
    notes: tuple[str, ...]


def read(path: Path, codebook: str | None, absent: Absent, config: Sequence[Path] | None) -> CodesInput:
    """Read a file of codes and lay it out by a codebook."""
    from pipeline.formats import code_harmonization, code_table
    from pipeline.measures.reliability.alignment import align_units
    from pipeline.measures.reliability.comparisons import coders_without_family
    from pipeline.measures.reliability.rating_matrix import build_rating_matrix

    codes = code_table.read(path)
    default = settings.load(files=config or ()).settings.coding.codebook
    book = code_harmonization.chosen(codes, codebook, default)
    codes, scheme, others = code_harmonization.in_words_of(book, codes, default)
    used = code_harmonization.names(codes.table["codes"])
    notes = [f"Families of codes after codebook {book.name} {book.version}.", *codes.notes, *others]
    unknown = [code for code in used if code not in scheme.roles and not code.isdecimal()]
    if unknown:
        notes.append(f"Not in the codebook, and each counted as a family of its own: {', '.join(unknown)}.")
    table, tapes = align_units(codes.table)
    if tapes:
        notes.append(
            f"On {len(tapes)} of the tapes coders' units have different boundaries: units that share at least half of "
            f"their time count as one, others stay apart ({', '.join(tapes[:5])}{', ...' if len(tapes) > 5 else ''})."
        )
    elif {"start", "end"} <= set(codes.table.columns):
        notes.append("No coder's units have other boundaries than another's: compared as they are.")
    else:
        notes.append(
            "Units are compared by utterance_id: the table has no start and end to bring them together by time."
        )
    laid = build_rating_matrix(table, scheme, absent)
    if "language" in table and (foreign := table[table["language"].map(is_foreign)][["tape_id", "utterance_id"]]).size:
        number = len(foreign.drop_duplicates())
        noun = "utterance is" if number == 1 else "utterances are"
        notes.append(f"{number} {noun} in another language than English: compared only between coders who coded it.")
    if laid.filled_cells:
        notes.append(
            f"{laid.filled_cells} utterances without a row are taken as heard and left without a code; "
            "--absent missing leaves them out."
        )
    notes += [
        f"Not compared on {family}, for which they were not asked as far as their codes (or codable) show: "
        f"{', '.join(coders)}."
        for family, coders in coders_without_family(laid).items()
    ]
    return CodesInput(codes, laid, scheme, tuple(notes))
