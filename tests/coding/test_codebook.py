import pytest

from pipeline.coding import codebook
from pipeline.errors import CodingError
from pipeline.formats import codebooks

BOOK = """
name = "two"
version = "1.0"
label = "Two codes"
counting = "utterance"
[[codes]]
name = "question"
label = "Question"
letter = "Q"
key = "q"
role = "interviewer"
family = "question"
pretags = ["question_open", "question_closed"]
[[codes]]
name = "change"
label = "Change talk"
letter = "+"
key = "+"
role = "client"
family = "client_talk"
"""


def test_a_book_knows_its_codes() -> None:
    book = codebook.parse(BOOK)
    assert book["question"].key == "q"
    assert [code.name for code in book.of("client")] == ["change"]
    assert book.of("unknown") == ()
    assert book.families() == {"question": ("question",), "client_talk": ("change",)}
    with pytest.raises(KeyError):
        book["summary"]


def test_pretags_propose_the_codes_of_a_book() -> None:
    book = codebook.parse(BOOK)
    assert book.proposed(["question_closed", "reflection_simple"]) == ("question",)
    assert book.proposed(["change"]) == ()
    assert codebooks.read("oars").proposed(["reflection_complex", "question_open"]) == ("question_open", "reflection")


@pytest.mark.parametrize(
    ("old", "new", "code", "named"),
    [
        ('name = "two"', "name = two", "TR-C01", "TOML"),
        ('version = "1.0"', "version = 1.0", "TR-C02", "'version'"),
        ('label = "Two codes"', "", "TR-C02", "'label'"),
        ('counting = "utterance"', 'counting = "sentence"', "TR-C02", "miti-4.2-volley"),
        ('family = "client_talk"', 'family = "client_talk"\ncolor = "red"', "TR-C02", "'color'"),
        ('key = "+"', 'key = "q"', "TR-C02", "two codes the key 'q'"),
        ('key = "+"', 'key = "ctrl"', "TR-C02", "'ctrl'"),
        ('role = "client"', 'role = "unknown"', "TR-C02", "code 2"),
        ('pretags = ["question_open"', 'pretags = ["question"', "TR-C02", "question_closed"),
        ('name = "change"', 'name = "a|b"', "TR-C02", "'|'"),
    ],
)
def test_a_wrong_book_is_named(old: str, new: str, code: str, named: str) -> None:
    assert old in BOOK
    with pytest.raises(CodingError) as caught:
        codebook.parse(BOOK.replace(old, new), "mine.toml")
    assert caught.value.code == code
    assert named in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_a_book_without_codes_is_refused() -> None:
    with pytest.raises(CodingError, match="has no codes"):
        codebook.parse('name = "x"')


def test_the_shipped_books_read_and_the_machine_speaks_its_own() -> None:
    assert codebooks.shipped() == ("miti-4.2", "oars", "pretags")
    for name in codebooks.shipped():
        assert codebooks.read(name).name == name
    pretags = codebooks.read("pretags")
    assert tuple(code.name for code in pretags.codes) == codebook.CODES
    assert pretags.proposed(codebook.CODES) == codebook.CODES
    assert codebooks.read("miti-4.2").counting == "miti-4.2-volley"


def test_a_book_that_is_not_there_is_named() -> None:
    with pytest.raises(CodingError, match=r"TR-C03 codebook drinks\.toml cannot be read"):
        codebooks.read("drinks.toml")
