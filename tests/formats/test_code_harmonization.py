"""The codes that each coder could give, from a table that says so and from one that does not."""

from __future__ import annotations

import pandas as pd

from pipeline.formats import codebook_files
from pipeline.formats.code_harmonization import chosen, in_words_of
from pipeline.formats.code_table import Codes

PRETAGS, MITI = codebook_files.read("pretags"), codebook_files.read("miti-4.2")
EMPTY = pd.DataFrame(columns=["tape_id", "utterance_id", "coder", "layer", "codes", "codable"])


def coded(*rows: tuple[str, str, str], codable: list[str | None] | None = None) -> Codes:
    """Rows of layer, coder and codes."""
    table = pd.DataFrame(
        [("t", f"u{at}", coder, layer, codes) for at, (layer, coder, codes) in enumerate(rows)],
        columns=["tape_id", "utterance_id", "coder", "layer", "codes"],
    )
    return Codes(table if codable is None else table.assign(codable=codable), EMPTY, pd.DataFrame(), ())


def could(codes: Codes, coder: str) -> set[str]:
    cells = set(codes.table.loc[codes.table["coder"] == coder, "codable"])
    return {code for cell in cells for code in cell.split("|")}


def names(book: codebook_files.Codebook) -> set[str]:
    return {code.name for code in book.codes}


def test_one_codebook_for_all_limits_nobody() -> None:
    codes = coded(("member", "ann", "question_open"), ("coach", "cora", "change"), ("member", "bob", "wondering"))
    harmonized, scheme, notes = in_words_of(PRETAGS, codes, "pretags")
    assert harmonized is codes
    assert scheme.book == names(PRETAGS)
    assert notes == ()


def test_a_code_of_another_codebook_shows_which_one_was_used() -> None:
    codes = coded(
        ("member", "ann", "question"), ("member", "bob", "reflection_simple"), ("machine", "m", "question_open|change")
    )
    assert chosen(codes, None, "pretags").name == "miti-4.2"
    harmonized, scheme, notes = in_words_of(MITI, codes, "pretags")
    assert list(harmonized.table["codes"]) == ["question", "reflection_simple", "change|question"]
    assert could(harmonized, "ann") == could(harmonized, "bob") == names(MITI)
    assert could(harmonized, "m") == {
        *("question", "reflection_simple", "reflection_complex", "information"),
        *("other", "change", "sustain", "neutral"),
    }
    assert scheme.families["client_talk"] == ("change", "sustain", "neutral")
    assert notes == ("Codes of pretags: m. Other codebooks are compared with them on what both distinguish.",)


def test_an_own_code_is_open_to_all() -> None:
    codes = coded(("member", "ann", "question|wondering"), ("machine", "m", "question_open"))
    harmonized, _, _ = in_words_of(MITI, codes, "pretags")
    assert "wondering" in could(harmonized, "ann") & could(harmonized, "m")


def test_a_speaker_whom_only_the_machine_coded_was_left_to_it() -> None:
    codes = coded(("member", "ann", "information"), ("coach", "cora", ""), ("machine", "m", "change"))
    harmonized, scheme, _ = in_words_of(PRETAGS, codes, "pretags")
    client = {"change", "sustain", "neutral"}
    assert could(harmonized, "ann") == could(harmonized, "cora") == names(PRETAGS) - client == scheme.book
    assert could(harmonized, "m") == names(PRETAGS)
    alone = coded(("machine", "m", "change"), ("machine", "n", "sustain"))
    assert in_words_of(PRETAGS, alone, "pretags")[0] is alone


def test_the_table_itself_says_what_was_asked_for() -> None:
    codes = coded(
        ("member", "ann", "question"),
        ("member", "bob", "change"),
        ("coach", "cora", "question_open"),
        ("coach", "kim", ""),
        codable=["question|affirmation", "client_talk", "question_open", None],
    )
    harmonized, _, _ = in_words_of(MITI, codes, "pretags")
    assert could(harmonized, "ann") == {"question", "affirmation"}
    assert could(harmonized, "bob") == {"change", "sustain", "neutral"}
    # Who was asked for open questions alone cannot say "question".
    assert could(harmonized, "cora") == {"question_open"}
    assert could(harmonized, "kim") == names(MITI)
