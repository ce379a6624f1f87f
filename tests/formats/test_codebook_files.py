"""Codebook files: the shipped ones, a group's own, and what the measures need of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.coding import codebook
from pipeline.errors import CodingError
from pipeline.formats import codebook_files


def test_the_shipped_books_read_and_the_machine_speaks_its_own() -> None:
    assert codebook_files.shipped() == ("miti-4.2", "oars", "pretags")
    for name in codebook_files.shipped():
        assert codebook_files.read(name).name == name
    pretags = codebook_files.read("pretags")
    assert tuple(code.name for code in pretags.codes) == codebook.CODES
    assert pretags.proposed(codebook.CODES) == codebook.CODES
    assert codebook_files.read("miti-4.2").counting == "miti-4.2-volley"


def test_a_book_that_is_not_there_is_named() -> None:
    with pytest.raises(CodingError, match=r"TR-C03 codebook drinks\.toml cannot be read"):
        codebook_files.read("drinks.toml")


def test_only_a_books_two_kinds_of_reflections_have_an_order() -> None:
    order = {name: codebook_files.scheme(codebook_files.read(name)).ordered for name in codebook_files.shipped()}
    steps = {"reflection": ("reflection_simple", "reflection_complex")}
    assert order == {"pretags": steps, "miti-4.2": steps, "oars": {}}


def test_a_book_is_read_by_the_path_of_its_file_and_written_back(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(codebook_files.written(codebook_files.read("oars")).replace('name = "oars"', 'name = "mine"', 1))
    book = codebook_files.read(str(path))
    assert (book.name, book.codes) == ("mine", codebook_files.read("oars").codes)


def test_what_a_book_has_no_word_for_is_a_family_of_its_own() -> None:
    oars, pretags = codebook_files.read("oars"), codebook_files.read("pretags")
    alone, both = codebook_files.scheme(oars), codebook_files.scheme(oars, [pretags])
    assert "change" not in alone.roles
    assert both.roles["change"] == "client"
    assert any("change" in codes for family, codes in both.families.items() if family not in alone.families)
    assert both.book == alone.book


@pytest.mark.parametrize("name", codebook_files.shipped())
def test_a_written_book_keeps_its_definitions(name: str) -> None:
    book = codebook_files.read(name)
    assert codebook_files.read_bytes(codebook_files.written(book).encode()) == book
    assert all(code.definition and code.example and code.near_miss and code.source for code in book.codes)
