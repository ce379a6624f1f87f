from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.coding.codebook import CODES
from pipeline.errors import OutputError, TableError
from pipeline.files import put
from pipeline.formats import tape_tables


def coded(texts: list[str]) -> pd.DataFrame:
    number = len(texts)
    table = pd.DataFrame(
        {
            "tape_id": ["walk"] * number,
            "utterance_id": [str(row) for row in range(number)],
            "turn_id": [str(row) for row in range(number)],
            "role": ["client"] * number,
            "speaker": ["S2"] * number,
            "start": [row * 1500 for row in range(number)],
            "end": [row * 1500 + 1001 for row in range(number)],
            "text": texts,
            "codes": ["change"] * number,
            "probability": [0.625] * number,
            "needs_check": [row % 2 == 0 for row in range(number)],
        }
    )
    for code in CODES:
        table[f"p_{code}"] = 0.625 if code == "change" else 0.0
    return table.assign(language="en")


def test_a_table_of_an_earlier_version_without_languages_is_read(tmp_path: Path) -> None:
    path = tmp_path / "utterances.csv"
    columns = [column for column in tape_tables.UTTERANCE_COLUMNS if column != "language"]
    put(path, tape_tables.written(coded(["Maybe."]), columns))
    assert list(tape_tables.read_utterances(path)["language"]) == [""]


def test_the_columns_are_the_contract() -> None:
    assert ",".join(tape_tables.UTTERANCE_COLUMNS) == (
        "tape_id,utterance_id,turn_id,role,speaker,start,end,text,codes,probability,needs_check,"
        "p_question_open,p_question_closed,p_reflection_simple,p_reflection_complex,p_information,p_other,"
        "p_change,p_sustain,p_neutral,language"
    )
    assert ",".join(tape_tables.WORD_COLUMNS) == (
        "tape_id,word_id,utterance_id,turn_id,speaker,role,start,end,text,probability,language"
    )


def test_seconds_in_the_file_are_milliseconds_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "utterances.csv"
    tape_tables.write_utterances(coded(["I could walk.", "Maybe."]), path)
    second = path.read_text().splitlines()[2]
    assert second.startswith("walk,1,1,client,S2,1.500,2.501,Maybe.,change,0.625000,false,0.000000")
    assert list(tape_tables.read_utterances(path)["end"]) == [1001, 2501]


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_any_text_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    path = tmp_path_factory.mktemp("tables") / "utterances.csv"
    table = coded(texts)
    tape_tables.write_utterances(table, path)
    pd.testing.assert_frame_equal(tape_tables.read_utterances(path), table, check_dtype=False)


def test_unknown_columns_follow_and_missing_ones_stay_empty(tmp_path: Path) -> None:
    path = tmp_path / "utterances.csv"
    table = coded(["=SUM(A1)"]).drop(columns=["start", "end", "speaker"]).assign(note="kept, as it is")
    tape_tables.write_utterances(table, path)
    back = tape_tables.read_utterances(path)
    assert back.columns[-1] == "note"
    assert back["note"].iloc[0] == "kept, as it is"
    assert back["text"].iloc[0] == "=SUM(A1)"
    assert back["speaker"].iloc[0] == ""
    assert back["start"].isna().all()


def test_words_come_back(tmp_path: Path) -> None:
    path = tmp_path / "words.csv"
    values = ("walk", "w0", "u0", "t0", "S1", "client", 1, 250, "mm-hm", 0.5, "en")
    table = pd.DataFrame([values], columns=tape_tables.WORD_COLUMNS)
    put(path, tape_tables.written(table, tape_tables.WORD_COLUMNS))
    assert path.read_text().splitlines()[1] == "walk,w0,u0,t0,S1,client,0.001,0.250,mm-hm,0.500000,en"
    pd.testing.assert_frame_equal(tape_tables.read_words(path), table, check_dtype=False)


@pytest.mark.parametrize("rows", [[], [("walk", "S1", "interviewer", 1, 250)]])
def test_voices_without_words_come_back(rows: list[tuple[str, str, str, int, int]], tmp_path: Path) -> None:
    table = pd.DataFrame(rows, columns=list(tape_tables.VOCALIZATION_COLUMNS))
    put(tmp_path / "vocalizations.csv", tape_tables.written(table, tape_tables.VOCALIZATION_COLUMNS))
    pd.testing.assert_frame_equal(
        tape_tables.read_vocalizations(tmp_path / "vocalizations.csv"), table, check_dtype=False, check_index_type=False
    )


def test_a_coded_table_with_a_wrong_check_is_named(tmp_path: Path) -> None:
    path = tmp_path / "utterances.csv"
    tape_tables.write_utterances(coded(["Hi."]), path)
    path.write_text(path.read_text().replace(",true,", ",maybe,"))
    with pytest.raises(TableError, match="row 2 has needs_check 'maybe'"):
        tape_tables.read_utterances(path)


def test_a_table_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    path = tmp_path / "utterances.csv"
    tape_tables.write_utterances(coded(["I could walk."]), path)
    path.write_text(path.read_text().replace(",true,", ",TRUE,").replace(",false,", ",FALSE,"))
    assert len(tape_tables.read_utterances(path)) == 1


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="TR-O04"):
        tape_tables.write_utterances(coded(["Hi."]), tmp_path / "none" / "utterances.csv")
    target = tmp_path / "utterances.csv"
    target.mkdir()
    with pytest.raises(OutputError, match="TR-O04"):
        tape_tables.write_utterances(coded(["Hi."]), target)
    assert list(tmp_path.iterdir()) == [target]
