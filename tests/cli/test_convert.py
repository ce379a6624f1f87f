import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.cli.main import app
from pipeline.errors import FormatError, OutputError, TableError
from pipeline.files import put
from pipeline.formats import casaa, code_table, codebook_files, elan, registry, rttm, tape_tables
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import Span
from tests.formats.test_cacti_codebook import FILE
from tests.formats.test_tape_tables import coded


def convert(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["convert", *map(str, arguments)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    """A processed tape: three utterances of a client, 1 second each and half a second apart."""
    folder = tmp_path / "tape"
    folder.mkdir()
    tape_tables.write_utterances(coded(["I could walk.", "Maybe.", "=no"]), folder / "utterances.csv")
    word = ("walk", "w1", "0", "0", "S2", "client", 0, 400, "I", 0.5, "en")
    table = pd.DataFrame([word], columns=tape_tables.WORD_COLUMNS)
    put(folder / "words.csv", tape_tables.written(table, tape_tables.WORD_COLUMNS))
    return folder


def test_a_tape_goes_to_elan_and_back(tape: Path, tmp_path: Path) -> None:
    out = tmp_path / "walk.eaf"
    assert "3 utterances, 3 codes" in convert(tape, out)
    transcript = elan.read(Source.open(out))
    assert [utterance.text for utterance in transcript.utterances] == ["I could walk.", "Maybe.", "=no"]
    assert transcript.utterances[0].words[0].text == "I"
    convert(out, tmp_path / "back.csv")
    back = registry.read(tmp_path / "back.csv")
    assert back.tape_id == "walk"
    assert [utterance.span for utterance in back.utterances] == [
        utterance.span for utterance in registry.read(tape).utterances
    ]
    assert {utterance.marks for utterance in back.utterances} == {(Mark("change", "machine", "machine"),)}


def test_who_is_who_is_named_told_by_names_or_decided_from_the_words(tmp_path: Path) -> None:
    out, talk = tmp_path / "x.csv", tmp_path / "talk.vtt"
    asks = ("What would you like to change?", "How would you do that?")
    answers = ("I want to drink less, for my kids.", "I could walk home.")

    def roles(first: str, second: str, *options: str) -> tuple[list[str], str]:
        lines = [part for pair in zip(asks, answers, strict=True) for part in pair]
        cues = [
            f"00:00:0{number}.000 --> 00:00:0{number}.900\n<v {(first, second)[number % 2]}>{line}</v>"
            for number, line in enumerate(lines)
        ]
        talk.write_text("\n\n".join(["WEBVTT", *cues]))
        printed = convert(talk, out, *options)
        return [utterance.role for utterance in registry.read(out).utterances], printed

    settled, printed = roles("Ann", "Bob")
    assert settled == ["interviewer", "client"] * 2
    assert "The interviewer is Ann (probability " in printed
    settled, printed = roles("Ann", "Bob", "--interviewer", "bob")
    assert settled == ["client", "interviewer"] * 2
    assert "probability" not in printed
    settled, printed = roles("Bo Client", "Ann")
    assert settled == ["client", "interviewer"] * 2
    assert "probability" not in printed
    with pytest.raises(TableError, match=r"TR-T08 transcript talk has no voice 'Eve'.*Ann, Bob"):
        roles("Ann", "Bob", "--interviewer", "Eve")


def test_a_coach_gets_the_tape_without_codes(tape: Path, tmp_path: Path) -> None:
    assert "3 utterances, 0 codes" in convert(tape / "utterances.csv", tmp_path / "blind.eaf", "--blind")
    assert b"machine" not in (tmp_path / "blind.eaf").read_bytes()


def test_codes_of_cacti_come_to_the_tape_by_time(tape: Path, tmp_path: Path) -> None:
    coded = [CodedUtterance("", Span(t, t), role="client", marks=(Mark("C+"),)) for t in (900, 3900, 60_000)]
    session = tmp_path / "coach.casaa"
    session.write_bytes(casaa.write(ordered_transcript("walk", coded)))
    out = tmp_path / "codes.csv"
    printed = convert(session, out, "--onto", tape, "--coder", "cora", "--layer", "coach")
    assert "2 units with codes were matched to an utterance, 1 were not" in printed
    assert "at 60.000 s, client: C+" in printed
    table = code_table.read(out).table
    assert table.loc[table["coder"] == "cora", [*code_table.KEY, "codes"]].to_numpy().tolist() == [
        ["walk", "0", "cora", "coach", "C+"],
        ["walk", "1", "cora", "coach", ""],
        ["walk", "2", "cora", "coach", "C+"],
    ]
    assert table.loc[table["layer"] == "machine", "codes"].tolist() == ["change"] * 3
    assert "machine" in CliRunner().invoke(app, ["agreement", str(out)]).output


def test_converted_codes_can_be_compared(tape: Path, tmp_path: Path) -> None:
    table = tape_tables.read_utterances(tape / "utterances.csv")
    table.loc[2, ["role", "codes"]] = ["unknown", ""]
    tape_tables.write_utterances(table, tape / "utterances.csv")
    coded = [CodedUtterance("", Span(900, 900), role="client", marks=(Mark("sustain"),))]
    (tmp_path / "coach.casaa").write_bytes(casaa.write(ordered_transcript("walk", coded)))
    out = tmp_path / "codes.csv"
    convert(tmp_path / "coach.casaa", out, "--onto", tape, "--coder", "cora", "--layer", "coach")
    codes = code_table.read(out).table
    assert sorted(zip(codes["layer"], codes["codes"], strict=True)) == [
        ("coach", "sustain"),
        ("machine", "change"),
        ("machine", "change"),
    ]


def test_a_tape_that_a_spreadsheet_saved_is_known_as_one(tape: Path, tmp_path: Path) -> None:
    saved = tape / "utterances.csv"
    header, rest = saved.read_text().split("\n", 1)
    saved.write_text(
        "\ufeff" + ",".join(f'"{name}"' for name in header.split(",")) + "\n" + rest.replace("true", "TRUE")
    )
    assert "3 utterances, 3 codes" in convert(saved, tmp_path / "walk.eaf")


def test_a_coach_may_call_codes_otherwise(tape: Path, tmp_path: Path) -> None:
    session = tmp_path / "coach.casaa"
    coded = CodedUtterance("", Span(900, 900), role="client", marks=(Mark("D+"), Mark("Wave")))
    session.write_bytes(casaa.write(ordered_transcript("walk", [coded])))
    printed = convert(session, tmp_path / "codes.csv", "--onto", tape, "--codebook", "pretags")
    assert "not in codebook pretags, and not changed: Wave" in printed
    table = code_table.read(tmp_path / "codes.csv").table
    assert table.loc[table["coder"] == "coach", "codes"].tolist() == ["Wave|change"]


def test_a_coach_needs_no_name(tape: Path, tmp_path: Path) -> None:
    session = tmp_path / "coach.casaa"
    coded = CodedUtterance("", Span(900, 900), role="client", marks=(Mark("C+"),))
    session.write_bytes(casaa.write(ordered_transcript("walk", [coded])))
    convert(session, tmp_path / "codes.csv", "--onto", tape)
    assert set(code_table.read(tmp_path / "codes.csv").table["coder"]) == {"coach", "machine"}


def test_codes_of_another_tape_are_named(tape: Path, tmp_path: Path) -> None:
    coded = [CodedUtterance("", Span(60_000, 60_000), role="client", marks=(Mark("C+"),))]
    session = tmp_path / "other.casaa"
    session.write_bytes(casaa.write(ordered_transcript("walk", coded)))
    with pytest.raises(FormatError, match="TR-F11 file other.casaa"):
        convert(session, tmp_path / "codes.csv", "--onto", tape)
    assert not (tmp_path / "codes.csv").exists()


@pytest.fixture
def cut(tape: Path) -> Path:
    """The same tape, of which `process --start 0:30` says that it begins half a minute into its recording."""
    provenance = {"tape_id": "walk", "segment": {"start": "30.000", "end": "50.000"}}
    (tape / "provenance.json").write_text(json.dumps(provenance))
    return tape


def coach(path: Path, *moments: int, zero: int | None = None) -> Path:
    """Codes of a coach: a stretch of 0.6 s from each moment on, in milliseconds."""
    coded = [CodedUtterance("", Span(t, t + 600), "S2", "client", marks=(Mark("sustain"),)) for t in moments]
    format_ = registry.format_of(path)
    path.write_bytes(format_.write(ordered_transcript("walk", coded, zero=zero)))
    return path


def coded_utterances(table: Path) -> list[str]:
    codes = code_table.read(table).table
    return codes.loc[(codes["layer"] == "coach") & (codes["codes"] == "sustain"), "utterance_id"].tolist()


@pytest.mark.parametrize("ending", ["eaf", "TextGrid", "casaa", "json", "qdpx", "cha", "vtt", "csv", "parquet"])
def test_codes_of_a_whole_recording_land_on_a_cut_tape(ending: str, cut: Path, tmp_path: Path) -> None:
    """They had landed 30 s off: the tape's utterances begin at 30, 31.5 and 33 s of the recording."""
    out = tmp_path / "codes.csv"
    printed = convert(coach(tmp_path / f"c.{ending}", 31_700, 33_200, 90_000, zero=0), out, "--onto", cut)
    assert "times moved by -30.000 s" in printed
    assert "2 units with codes were matched to an utterance, 0 were not, 1 lie outside the tape" in printed
    assert coded_utterances(out) == ["1", "2"]
    assert registry.read(out).zero == 30_000


def test_voices_that_were_converted_still_name_their_recording(cut: Path, tmp_path: Path) -> None:
    """`process --diarizer manual` refused them for the tape's name, as nothing else tied them to the recording."""
    provenance = json.loads((cut / "provenance.json").read_text())
    (cut / "provenance.json").write_text(json.dumps(provenance | {"recording": {"sha256": "9f" * 32}}))
    convert(cut, tmp_path / "voices.rttm")
    convert(tmp_path / "voices.rttm", tmp_path / "again.rttm")
    for name in ("voices.rttm", "again.rttm"):
        file = rttm.read_file(tmp_path / name)
        assert (file.zero, file.recording, len(file.lines)) == (30_000, "9f" * 32, 3)
    (cut / "provenance.json").write_text(json.dumps(provenance | {"recording": None}))
    convert(cut, tmp_path / "plain.rttm")
    assert rttm.read_file(tmp_path / "plain.rttm").recording is None


def test_what_a_file_does_not_say_can_be_said_by_hand(cut: Path, tmp_path: Path) -> None:
    session, out = coach(tmp_path / "c.eaf", 31_700, 33_200), tmp_path / "codes.csv"
    with pytest.raises(FormatError, match=r"TR-F12 file c.eaf .*begins 30.000 s into its recording; add --zero"):
        convert(session, out, "--onto", cut)
    assert not out.exists()
    for zero, moment in (("recording", 33_200), ("0:01.5", 31_700), ("31", 2200)):
        convert(coach(tmp_path / "c.eaf", moment), out, "--onto", cut, "--zero", zero)
        assert coded_utterances(out) == ["2"]
    coach(tmp_path / "c.eaf", 1700, 3200)
    assert "add --zero recording" in convert(session, out, "--onto", cut)
    assert coded_utterances(out) == ["1", "2"]
    assert "add --zero" not in convert(session, out, "--onto", cut, "--zero", "segment")
    assert coded_utterances(out) == ["1", "2"]


def test_a_cut_tape_says_its_zero_in_whatever_it_becomes(cut: Path, tmp_path: Path) -> None:
    for ending in ("eaf", "TextGrid", "cha", "casaa", "json", "qdpx", "vtt", "srt", "rttm", "ctm", "csv", "parquet"):
        convert(cut, tmp_path / f"walk.{ending}")
        assert registry.read(tmp_path / f"walk.{ending}").zero == 30_000, ending
    convert(tmp_path / "walk.eaf", tmp_path / "back.csv", "--onto", cut)
    assert coded_utterances(tmp_path / "back.csv") == []
    convert(tmp_path / "walk.srt", tmp_path / "other.vtt", "--zero", "recording")
    assert registry.read(tmp_path / "other.vtt").zero == 0


@pytest.mark.parametrize("zero", ["segment", "soon", "-3"])
def test_a_zero_that_is_none_is_refused(zero: str, cut: Path, tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["convert", str(cut), str(tmp_path / "x.eaf"), "--zero", zero]).exit_code == 2


def test_a_codebook_of_cacti_becomes_ours_and_back(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "userConfiguration.xml", tmp_path / "misc.toml"
    theirs.write_text(FILE)
    assert "8 codes" in convert(theirs, ours)
    assert codebook_files.read(str(ours)).codes == codebook_files.read(str(theirs)).codes
    convert(ours, tmp_path / "again.xml")
    again = codebook_files.read(str(tmp_path / "again.xml"))
    assert {code.name for code in again.codes} == {code.name for code in codebook_files.read(str(theirs)).codes}


def test_a_format_can_be_named_and_an_unknown_one_is_refused(tape: Path, tmp_path: Path) -> None:
    convert(tape, tmp_path / "talk.txt", "--to", "csv")
    convert(tmp_path / "talk.txt", tmp_path / "talk.EAF", "--from", "csv")
    for arguments in (
        (tape, tmp_path / "x.doc"),
        (tape, tmp_path / "x", "--to", "word"),
        (tmp_path / "talk.txt", "x.eaf", "--from", "words"),
        (tmp_path / "talk.pdf", "x.eaf"),
    ):
        with pytest.raises(FormatError, match="TR-F09"):
            convert(*arguments)
    assert CliRunner().invoke(app, ["convert", str(tape), "x.csv", "--layer", "boss"]).exit_code == 2


def test_what_cannot_be_written_leaves_nothing(tape: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="TR-O04"):
        convert(tape, tmp_path / "none" / "x.eaf")
    assert not (tmp_path / "none").exists()
