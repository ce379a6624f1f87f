from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.coding.codebook import Code, Codebook, parse
from pipeline.errors import FormatError
from pipeline.formats import cacti_codebook, codebook_files
from pipeline.formats.cacti_codebook import Configuration, Rating
from pipeline.formats.safe_reader import Source

# As CACTI's own first configuration: codes and panels in several blocks, in any order.
FILE = """<userConfiguration>
<codes><!-- Therapist codes --><code name="CQ0" value="11"/><code name="OQ+" value="14"/><code name="CR+/-" value="15"/>
<code name="ADP" value="16"/><code name="Wave" value="17"/><code name="unused" value="18"/></codes>
<codeControls panel="left" label="Therapist (left hand)">
<row><button code="CQ0"/><button code="OQ+"/></row><row><button code="CR+/-"/><button code="ADP"/><Button code="Wave"/>
</row></codeControls>
<codeControls panel="right" label="Client"><row>
<button code="D+"/><button code="TS-_m"/><button code="FN"/></row></codeControls>
<codes><code name="D+" value="34"/><code name="TS-_m" value="35"/><code name="FN" value="36"/></codes>
<globals><global name="ACCEPTANCE" label="Acceptance" value="0"/>
<global name="EMPATHY" label="Empathy" value="1" minRating="1" maxRating="5" defaultRating="3"/></globals>
<globalControls panel="left"><slider global="ACCEPTANCE"/></globalControls>
</userConfiguration>
"""


def read(text: str, name: str = "our misc.xml") -> Configuration:
    return cacti_codebook.read(Source(name, text.encode()))


def test_codes_on_buttons_become_a_codebook() -> None:
    transcript = read(FILE)
    assert (transcript.codebook.name, transcript.codebook.counting) == ("our misc", "utterance")
    rows = [(code.name, code.key, code.role, code.family, code.pretags) for code in transcript.codebook.codes]
    assert rows == [
        ("CQ0", "c", "interviewer", "question", ("question_closed",)),
        ("OQ+", "o", "interviewer", "question", ("question_open",)),
        ("CR+/-", "r", "interviewer", "reflection", ("reflection_complex",)),
        ("ADP", "a", "interviewer", "mi_adherent", ()),
        ("Wave", "w", "interviewer", "Wave", ()),
        ("D+", "d", "client", "client_talk", ("change",)),
        ("TS-_m", "t", "client", "client_talk", ("sustain",)),
        ("FN", "f", "client", "client_talk", ("neutral",)),
    ]
    assert transcript.ratings == (
        Rating("ACCEPTANCE", "Acceptance", None, None, None),
        Rating("EMPATHY", "Empathy", 1, 5, 3),
    )


def test_an_imported_codebook_can_be_kept_as_toml_and_counted(tmp_path: Path) -> None:
    book = read(FILE).codebook
    path = tmp_path / "misc.toml"
    path.write_text(codebook_files.written(book), encoding="utf-8")
    assert codebook_files.read(str(path)) == book
    (tmp_path / "userConfiguration.xml").write_text(FILE)
    assert codebook_files.read(str(tmp_path / "userConfiguration.xml")).codes == book.codes
    assert book.proposed({"question_closed", "sustain"}) == ("CQ0", "TS-_m")


NAMES = st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="|"), min_size=1, max_size=8)


@settings(max_examples=60)
@given(
    names=st.lists(NAMES, unique=True, min_size=1, max_size=90),
    clients=st.sets(st.integers(0, 89)),
    ratings=st.lists(st.builds(Rating, NAMES, NAMES, st.just(1), st.none() | st.just(5), st.none()), max_size=3),
)
def test_reads_what_it_wrote(names: list[str], clients: set[int], ratings: list[Rating]) -> None:
    roles = ["client" if index in clients else "interviewer" for index in range(len(names))]
    codes = tuple(Code(name, name, name, "?", role, "f") for name, role in zip(names, roles, strict=True))  # type: ignore[arg-type]
    written = cacti_codebook.write(Configuration(Codebook("b", "1", "B", "utterance", codes), tuple(ratings)))
    back = cacti_codebook.read(Source("b.xml", written))
    assert {(code.name, code.role) for code in back.codebook.codes} == set(zip(names, roles, strict=True))
    assert back.ratings == tuple(ratings)
    assert parse(codebook_files.written(back.codebook)) == back.codebook


@pytest.mark.parametrize(
    ("old", "new", "code", "message"),
    [
        ('value="11"', 'value="eleven"', "TR-F07", "'eleven'"),
        ('<button code="D+"/>', '<button code="D++"/>', "TR-F07", "not one of its codes"),
        ('<button code="D+"/>', '<button code="CQ0"/>', "TR-F07", "two buttons"),
        ('<button code="D+"/>', "<button/>", "TR-F07", "without code"),
        ('label="Client"', 'label="Sofa"', "TR-F07", "panel for 'Sofa'"),
        ('minRating="1"', 'minRating="7"', "TR-F07", "from 7 to 5"),
        ('name="D+"', 'name="D|+"', "TR-F07", "not one of its codes"),
        ("button", "knob", "TR-F03", "no buttons"),
        ("<userConfiguration>", "<!DOCTYPE userConfiguration><userConfiguration>", "TR-F04", "DOCTYPE"),
    ],
)
def test_a_wrong_configuration_is_named(old: str, new: str, code: str, message: str) -> None:
    text = FILE.replace(old, new) if old == "button" else FILE.replace(old, new, 1)
    with pytest.raises(FormatError) as caught:
        read(text.replace("Button", "button") if old != "button" else text.replace("Button", "knob"))
    assert caught.value.code == code
    assert message in str(caught.value)


def test_a_name_that_would_break_a_table_is_refused() -> None:
    with pytest.raises(FormatError, match=r"TR-F07 .*'D\|\+'"):
        read(FILE.replace('"D+"', '"D|+"'))


def test_more_codes_than_keys_are_refused() -> None:
    codes = "".join(f'<code name="c{n}" value="{n}"/>' for n in range(400))
    buttons = "".join(f'<button code="c{n}"/>' for n in range(400))
    panel = f'<codeControls panel="left" label="Client"><row>{buttons}</row></codeControls>'
    with pytest.raises(FormatError, match="TR-F07 .*400 codes"):
        read(f"<userConfiguration><codes>{codes}</codes>{panel}</userConfiguration>")
