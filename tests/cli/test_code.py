import re
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.errors import OutputError, TableError
from pipeline.files import put
from pipeline.formats import tape_tables

TRANSCRIPT = """tape_id,utterance_id,role,text,start,end,note
b,1,therapist,What would be different if you smoked less?,0,2.5,keep me
b,2,client,"I would breathe better, and I want that.",2.75,5,
a,1,unknown,(a door),,,
a,2,Client,,,,
"""


def run(*arguments: str | Path) -> str:
    done = CliRunner().invoke(app, ["code", *map(str, arguments)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.engines
def test_a_transcript_is_coded_in_its_order(tmp_path: Path) -> None:
    given, out = tmp_path / "talk.csv", tmp_path / "coded.csv"
    given.write_text(TRANSCRIPT)
    assert run(given, "--out", out).strip() == str(out)
    header = out.read_text().splitlines()[0]
    assert header == ",".join([*tape_tables.UTTERANCE_COLUMNS, "note", "target_behavior"])
    coded = pd.read_csv(out, keep_default_na=False, dtype=str)
    assert list(coded["tape_id"]) == ["b", "b", "a", "a"]
    assert list(coded["role"]) == ["interviewer", "client", "unknown", "client"]
    assert list(coded["codes"].iloc[:3]) == ["question_open", "change", ""]
    assert list(coded["start"]) == ["0.000", "2.750", "", ""]
    assert list(coded["turn_id"]) == [""] * 4
    assert coded["needs_check"].iloc[2] == "true"
    assert coded["note"].iloc[0] == "keep me"
    assert len(tape_tables.read_utterances(out)) == 4


@pytest.mark.engines
def test_the_change_is_named_for_tapes_whose_table_names_none(tmp_path: Path) -> None:
    given, out = tmp_path / "talk.csv", tmp_path / "coded.csv"
    rows = ("a,1,client,I want to stop.,", "a,2,client,Yes.,smoking less", "b,1,client,I want to stop.,")
    given.write_text("\n".join(["tape_id,utterance_id,role,text,target_behavior", *rows]) + "\n")
    done = CliRunner().invoke(app, ["code", str(given), "--out", str(out), "--target-behavior", "drinking less"])
    assert (done.exit_code, done.stderr.strip()) == (0, "")
    assert list(pd.read_csv(out, keep_default_na=False)["target_behavior"]) == ["", "smoking less", "drinking less"]


@pytest.mark.engines
def test_client_talk_that_is_coded_without_the_change_it_is_about_is_named(tmp_path: Path) -> None:
    given = tmp_path / "talk.txt"
    given.write_text("Therapist: What brings you?\nClient: I want to stop.\n")
    done = CliRunner().invoke(app, ["code", str(given), "--out", str(tmp_path / "coded.csv")])
    assert "coded without the change that the session is about" in done.stderr
    assert "--target-behavior" in done.stderr


@pytest.mark.engines
def test_codes_that_are_there_are_replaced_and_that_is_said(tmp_path: Path) -> None:
    given = tmp_path / "talk.csv"
    given.write_text("tape_id,utterance_id,role,text,codes,p_change\na,1,client,Yes.,by hand,\n")
    options = ["--out", str(tmp_path / "coded.csv"), "--target-behavior", "drinking less"]
    done = CliRunner().invoke(app, ["code", str(given), *options])
    assert done.stderr.strip() == "The machine's tags replace the columns codes, p_change of talk.csv."
    assert "by hand" not in (tmp_path / "coded.csv").read_text()


@pytest.mark.engines
def test_the_words_decide_who_is_who_and_it_is_told(tmp_path: Path) -> None:
    given, out = tmp_path / "talk.txt", tmp_path / "coded.csv"
    lines = ("Ann: What would be different if you drank less?", "Bob: I want to sleep better, for my kids.")
    given.write_text("\n".join([*lines, "Ann: How important is that to you?", "Bob: Very. I need to stop."]))
    done = CliRunner().invoke(app, ["code", str(given), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert re.search(r"The interviewer is Ann \(probability [01]\.\d\d: ", done.stderr)
    assert "--interviewer" in done.stderr
    coded = pd.read_csv(out, keep_default_na=False)
    assert list(coded["role"]) == ["interviewer", "client"] * 2
    assert list(coded["tape_id"]) == ["talk"] * 4
    turned = CliRunner().invoke(app, ["code", str(given), "--out", str(out), "--interviewer", "Bob"])
    assert "probability" not in turned.stderr
    assert list(pd.read_csv(out)["role"]) == ["client", "interviewer"] * 2


@pytest.mark.engines
def test_a_third_voice_is_told_and_left_without_codes(tmp_path: Path) -> None:
    given, out = tmp_path / "talk.txt", tmp_path / "coded.csv"
    given.write_text("T: What would you like?\nC: To walk.\nInterpreter: One moment.\n")
    given.write_text(given.read_text().replace("T:", "Therapist:").replace("C:", "Client:"))
    done = CliRunner().invoke(app, ["code", str(given), "--out", str(out)])
    told = "1 row is neither the interviewer's nor the client's (Interpreter): not coded."
    assert told in done.stderr
    assert pd.read_csv(out, keep_default_na=False)["codes"].iloc[2] == ""


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("text\nWhat would you like?\nTo walk.\n", "has 2 of 2 rows without a speaker or a role"),
        ("speaker,text\nSPEAKER_00,What would you like?\n", "has only one voice, 'SPEAKER_00'"),
        ("role,text\nclient,To walk.\n,Mhm.\n", "has 1 of 2 rows without a speaker or a role"),
    ],
)
def test_rows_without_a_role_are_never_coded_as_empty(tmp_path: Path, content: str, value: str) -> None:
    given, out = tmp_path / "talk.csv", tmp_path / "coded.csv"
    given.write_text(content)
    with pytest.raises(TableError) as caught:
        run(given, "--out", out)
    assert str(caught.value).startswith(f"TR-T08 transcript talk.csv {value}")
    assert not out.exists()


def test_a_folder_is_no_file_to_write() -> None:
    with pytest.raises(OutputError, match=r"TR-O04 file \. cannot be written"):
        put(Path("."), b"")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("tape_id,utterance_id,role\na,1,client\n", "TR-T03 table talk.csv lacks the column 'text'"),
        ("tape_id,utterance_id,role,text\na,1,host,hi\n", "TR-T05 table talk.csv, row 2 has the role 'host'"),
        ("tape_id,utterance_id,role,text\na,1,client,hi\na,1,client,ho\n", "TR-T06 table talk.csv, row 3 repeats"),
        ("", "TR-T03"),
    ],
)
def test_a_wrong_transcript_is_named_before_anything_is_loaded(tmp_path: Path, content: str, named: str) -> None:
    given, out = tmp_path / "talk.csv", tmp_path / "coded.csv"
    given.write_text(content)
    with pytest.raises(TableError) as caught:
        run(given, "--out", out)
    assert str(caught.value).startswith(named)
    assert not out.exists()


@pytest.mark.engines
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    given = tmp_path / "talk.csv"
    given.write_text(TRANSCRIPT)
    with pytest.raises(OutputError, match="TR-O04"):
        run(given, "--out", tmp_path / "none" / "coded.csv")


SPANISH = """Therapist: Cuénteme un poco qué lo trae por aquí hoy.
Client: El médico me dijo que debería comer con menos sal.
Therapist: Parece que está preocupado por su salud.
Client: Sí.
"""


@pytest.mark.engines
def test_a_transcript_in_another_language_gets_no_codes(tmp_path: Path) -> None:
    """It got English codes."""
    given, out = tmp_path / "talk.txt", tmp_path / "coded.csv"
    given.write_text(SPANISH, encoding="utf-8")
    done = CliRunner().invoke(app, ["code", str(given), "--out", str(out), "--target-behavior", "less salt"])
    assert done.exit_code == 0
    assert "100% of the words are Spanish: not coded, so there are no figures" in done.stderr
    coded = tape_tables.read_utterances(out)
    assert set(coded["language"]) == {"es"}
    assert set(coded["codes"]) == {""}
    assert not coded["needs_check"].any()


@pytest.mark.engines
def test_of_two_languages_english_alone_is_coded(tmp_path: Path) -> None:
    given, out = tmp_path / "talk.txt", tmp_path / "coded.csv"
    english = (
        "Therapist: What would be different if you smoked less?\nClient: I would breathe better, and I want that.\n"
    )
    given.write_text(english + SPANISH, encoding="utf-8")
    options = ["--out", str(out), "--target-behavior", "smoking less"]
    done = CliRunner().invoke(app, ["code", str(given), *options])
    assert "of the words are Spanish: not coded, and in no figure" in done.stderr
    coded = tape_tables.read_utterances(out)
    assert list(coded["language"]) == ["en", "en", "es", "es", "es", "es"]
    assert list(coded["codes"]) == ["question_open", "change", "", "", "", ""]
    forced = CliRunner().invoke(app, ["code", str(given), *options, "--language", "English"])
    assert "Spanish" not in forced.stderr
    assert set(tape_tables.read_utterances(out)["language"]) == {"en"}


def test_a_language_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "talk.txt").write_text("Therapist: Hi.\nClient: Hello.\n")
    options = ["--out", str(tmp_path / "coded.csv"), "--language", "Klingon"]
    done = CliRunner().invoke(app, ["code", str(tmp_path / "talk.txt"), *options])
    assert done.exit_code == 2
    assert "Klingon" in done.stderr


@pytest.mark.engines
def test_a_column_of_languages_decides(tmp_path: Path) -> None:
    given, out = tmp_path / "talk.csv", tmp_path / "coded.csv"
    given.write_text("tape_id,utterance_id,role,text,language\na,1,client,I really want to stop.,Spanish\n")
    CliRunner().invoke(app, ["code", str(given), "--out", str(out), "--target-behavior", "drinking less"])
    coded = tape_tables.read_utterances(out)
    assert (coded["language"].iloc[0], coded["codes"].iloc[0]) == ("es", "")
