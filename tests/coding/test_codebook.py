import pytest

from pipeline.coding import codebook
from pipeline.errors import CodingError
from pipeline.formats import codebook_files

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
    assert codebook_files.read("oars").proposed(["reflection_complex", "question_open"]) == (
        "question_open",
        "reflection",
    )


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


@pytest.mark.parametrize(
    ("role", "name", "label", "family", "pretags", "measure", "meaning"),
    [
        ("interviewer", "q", "Q", "question", [], "", "question"),
        ("interviewer", "q", "Q", "question", ["question_open", "question_closed"], "", "question"),
        ("interviewer", "q", "Q", "question", ["question_closed"], "", "closed question"),
        ("interviewer", "question_open", "Q", "question", [], "", "open question"),
        ("interviewer", "q", "Open-ended question", "question", [], "", "open question"),
        ("interviewer", "q", "Question, open or closed", "question", [], "", "question"),
        ("interviewer", "open_q", "Q", "question", ["question_closed"], "", "closed question"),
        ("interviewer", "open_q", "Q", "question", ["question_closed"], "open", "open question"),
        ("interviewer", "r", "Complex", "reflection", [], "", "complex reflection"),
        ("interviewer", "r", "Complex", "reflection", [], "reflection", "reflection"),
        ("interviewer", "r", "Complex", "mine", [], "", None),
        ("interviewer", "r", "R", "mine", ["reflection_simple"], "", "simple reflection"),
        ("interviewer", "r", "R", "mine", ["reflection_simple", "reflection_complex"], "", "reflection"),
        ("interviewer", "r", "R", "mine", ["reflection_simple", "question_open"], "", None),
        ("interviewer", "a", "A", "affirmation", ["reflection_simple"], "", "affirmation"),
        ("interviewer", "a", "A", "mine", [], "affirmation", "affirmation"),
        ("interviewer", "s", "S", "summary", [], "", "summary"),
        ("interviewer", "i", "I", "mine", ["information"], "", "information"),
        ("interviewer", "c", "C", "client_talk", ["change"], "", None),
        ("client", "c", "C", "mine", ["change"], "", "change talk"),
        ("client", "c", "C", "mine", ["change", "sustain"], "", None),
        ("client", "sustain_talk", "S", "mine", [], "", "sustain talk"),
        ("client", "x", "Change talk", "mine", [], "", "change talk"),
        ("client", "x", "No change talk", "mine", [], "", None),
        ("client", "x", "X", "mine", [], "sustain", "sustain talk"),
        ("client", "n", "N", "client_talk", ["neutral"], "", "neutral"),
        ("client", "q", "Open question", "question", ["question_open"], "", None),
    ],
)
def test_what_a_code_means(
    role: codebook.CodedRole, name: str, label: str, family: str, pretags: list[str], measure: str, meaning: str | None
) -> None:
    code = codebook.Code(name, label, "X", "x", role, family, tuple(pretags), measure)
    assert code.meaning == meaning


def test_a_book_keeps_what_its_codes_count_as() -> None:
    text = BOOK.replace('family = "question"', 'family = "question"\nmeasure = "open"')
    assert codebook.parse(text)["question"].measure == "open"
    assert codebook.parse(codebook_files.written(codebook.parse(text))) == codebook.parse(text)
    assert "measure" not in codebook_files.written(codebook.parse(BOOK))


@pytest.mark.parametrize(
    ("measure", "named"),
    [('"often"', "'often'"), ("3", "3"), ('["open"]", "open"]', "TOML"), ('["open"]', "open"), ('"change"', "client")],
)
def test_a_measure_that_there_is_not_is_refused(measure: str, named: str) -> None:
    text = BOOK.replace('family = "question"', f'family = "question"\nmeasure = {measure}')
    with pytest.raises(CodingError, match="TR-C0[12]") as caught:
        codebook.parse(text)
    assert named in str(caught.value)
