import sqlite3
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import FormatError
from pipeline.formats import casaa, time_matching
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedUtterance, Mark, ordered_transcript
from pipeline.timeline import Span
from tests.formats.transcripts import BREAKS, PAYLOADS, WALK, codes

# As CACTI 2 makes its tables, word for word where it matters: "string" is no type of SQLite's, so that numbers change.
CACTI = """
create table if not exists speakers ( speaker_id integer primary key not null, speaker_name string not null unique);
create table if not exists codes ( code_id integer primary key not null, code_name string not null unique,
 speaker_id integer,   foreign key (speaker_id) references speakers (speaker_id));
create table if not exists utterances ( utterance_id TEXT primary key not null unique, time_marker string not null,
 code_id integer, annotation string,  foreign key (code_id) references codes (code_id));
create table if not exists ratings ( rating_id integer primary key not null, rating_name string not null unique,
 response_value integer not null);
create table if not exists utterances_ratings ( utterance_id TEXT, rating_id integer);
create table if not exists attributes ( name, value );
insert into attributes values ('AUDIO_FILE_PATH', 'C:\\Users\\ana\\tapes\\session 7.wav'), ('GLOBAL_NOTES', '');
insert into speakers values (0, 'Therapist'), (1, 'Client');
insert into codes values (14, 'OQ0', 0), (20, 'SR', 0), (34, 'C+', 1), (35, '7', 1);
insert into ratings values (0, 'EMPATHY', 3);
"""
SESSION = """
insert into utterances values ('000001214', '00:00:01.2', 14, ''), ('000001220', '00:00:01.2', 20, 'slow'),
 ('000103434', '00:01:03,4', 34, null), ('010000035', '01:00:00.0', 35, 42);
insert into utterances_ratings values ('000001214', 0);
"""


def session(extra: str = SESSION, *pragmas: str) -> bytes:
    database = sqlite3.connect(":memory:")
    for pragma in pragmas:
        database.execute(f"PRAGMA {pragma}")
    database.executescript(CACTI + extra)
    database.commit()
    return database.serialize()


def read(data: bytes) -> list[CodedUtterance]:
    return list(casaa.read(Source("s.casaa", data)).utterances)


def test_reads_a_session_of_cacti() -> None:
    transcript = casaa.read(Source("s.casaa", session()))
    assert transcript.tape_id == "session 7"
    rows = [
        (
            utterance.span.start,
            utterance.span.end,
            utterance.role,
            utterance.text,
            [mark.code for mark in utterance.marks],
        )
        for utterance in transcript.utterances
    ]
    assert rows == [
        (1200, 1200, "interviewer", "slow", ["OQ0", "SR"]),
        (63_400, 63_400, "client", "", ["C+"]),
        (3_600_000, 3_600_000, "client", "42", ["7"]),
    ]


def test_cacti_would_read_what_we_wrote() -> None:
    database = sqlite3.connect(":memory:")
    database.deserialize(casaa.write(WALK))
    rows = database.execute("SELECT utterances.*, code_name, speaker_id FROM utterances JOIN codes USING (code_id)")
    assert sorted(rows) == [
        ("000000012", "00:00:00.0", 12, "What would you like?", "question_open", 0),
        ("000001211", "00:00:01.2", 11, "I could walk.", "change", 1),
    ]
    assert database.execute("PRAGMA user_version").fetchone() == (1,)
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []


@settings(max_examples=30)
@given(
    talk=st.lists(
        st.tuples(st.integers(0, 40_000), st.sets(codes, min_size=1, max_size=3), st.sampled_from(PAYLOADS + BREAKS)),
        max_size=5,
        unique_by=lambda utterance: utterance[0],
    )
)
def test_reads_what_it_wrote(talk: list[tuple[int, set[str], str]]) -> None:
    given = [
        CodedUtterance(
            "",
            Span(tenth * 100, tenth * 100),
            ("Therapist", "Client")[tenth % 2],
            ("interviewer", "client")[tenth % 2],  # type: ignore[arg-type]
            f"{text}.",
            tuple(Mark(f"{code}/{tenth % 2}") for code in sorted(result)),
        )
        for tenth, result, text in talk
    ]
    tape = ordered_transcript("a/b c.d", given)
    back = casaa.read(Source("x.casaa", casaa.write(tape)))
    assert back.tape_id == tape.tape_id
    for utterance, other in zip(back.utterances, tape.utterances, strict=True):
        assert (utterance.span, utterance.role, utterance.speaker, utterance.text) == (
            other.span,
            other.role,
            other.speaker,
            other.text,
        )
        assert set(utterance.marks) == set(other.marks)


@pytest.mark.parametrize("text", ["007", "1e5", "0x10", "1.50"])
def test_a_text_that_cacti_would_change_is_refused_or_kept(text: str) -> None:
    transcript = ordered_transcript("t", [CodedUtterance("", Span(0, 0), "Client", "client", text, (Mark("C+"),))])
    if text == "0x10":
        assert read(casaa.write(transcript))[0].text == text
        return
    with pytest.raises(FormatError, match="TR-F08 .*looks like a number"):
        casaa.write(transcript)


def test_what_cacti_has_no_place_for_is_named() -> None:
    each = CodedUtterance("", Span(0, 0), "S3", "unknown", "hm", (Mark("C+"),))
    with pytest.raises(FormatError, match="TR-F08 .*neither role"):
        casaa.write(ordered_transcript("t", [each]))
    both = [CodedUtterance("", Span(0, 0), role=role, marks=(Mark("x"),)) for role in ("client", "interviewer")]  # type: ignore[arg-type]
    with pytest.raises(FormatError, match="TR-F08 .*both speakers"):
        casaa.write(ordered_transcript("t", both))


def spoken(start: int, end: int, code: str, text: str = "Mm-hm.", speaker: str = "Therapist") -> CodedUtterance:
    role = "client" if speaker == "Client" else "interviewer"
    return CodedUtterance("", Span(start, end), speaker, role, text, (Mark(code),))  # type: ignore[arg-type]


def test_codes_that_fall_into_one_tenth_of_a_second_stay_apart() -> None:
    """Two listening noises 30 ms apart: the second was refused, as a text that "looks like a number"."""
    tape = ordered_transcript(
        "t",
        [
            spoken(1_210, 1_500, "FA", "Mm-hm."),
            spoken(1_240, 1_900, "FA", "Yeah."),
            spoken(1_250, 1_900, "C+", "I could walk.", "Client"),
            spoken(1_290, 1_950, "OQ0", "Where to?"),
        ],
    )
    transcript = [
        (utterance.span.start, utterance.role, utterance.text, [mark.code for mark in utterance.marks])
        for utterance in read(casaa.write(tape))
    ]
    assert transcript == [
        (1_300, "interviewer", "Mm-hm.", ["FA"]),
        (1_400, "interviewer", "Yeah.", ["FA"]),
        (1_500, "client", "I could walk.", ["C+"]),
        (1_600, "interviewer", "Where to?", ["OQ0"]),
    ]


def test_a_code_lies_within_its_utterance() -> None:
    """At 1.0 s, the tenth nearest to 1.04 s, the one before is still speaking, and would get the code."""
    tape = ordered_transcript("t", [spoken(0, 1_030, "GI"), spoken(1_040, 2_000, "SR")])
    back = casaa.read(Source("t.casaa", casaa.write(tape)))
    matched = time_matching.match(tape, back, "coach", "coach").transcript
    assert [[mark.code for mark in utterance.marks if mark.coder] for utterance in matched.utterances] == [
        ["GI"],
        ["SR"],
    ]


LONG = "replace(hex(zeroblob(1000000)), '0', 'x')"  # as digits they would become a number
BOMB = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT "
HOSTILE = {
    "view": ("DROP TABLE utterances; CREATE VIEW utterances AS " + BOMB + "i, '00:00:01.0', 14, '' FROM n;", "F10"),
    "trigger": (SESSION + "CREATE TRIGGER t AFTER INSERT ON codes BEGIN SELECT 1; END;", "F10"),
    "virtual table": ("CREATE VIRTUAL TABLE f USING fts5(a);", "F10"),
    "no times": ("INSERT INTO utterances VALUES ('1', 'soon', 14, '')", "F07"),
    "no code": ("INSERT INTO utterances VALUES ('1', '00:00:01.0', 99, '')", "F07"),
    "a blob": ("INSERT INTO utterances VALUES (x'00', x'ff00', 14, x'ffff')", "F07"),
    "wrong text": ("INSERT INTO utterances VALUES ('1', '00:00:01.0', 14, CAST(x'ffff' AS TEXT))", "F03"),
    "a huge text": ("INSERT INTO utterances VALUES ('1', '00:00:01.0', 14, " + LONG + ")", "F02"),
    "a huge code": ("INSERT INTO codes VALUES (99, " + LONG + ", 0); " + SESSION.replace("14", "99"), "F02"),
    "no such table": ("DROP TABLE codes", "F03"),
    "no such column": ("ALTER TABLE utterances DROP COLUMN annotation", "F03"),
    "computed columns": (
        "DROP TABLE codes; CREATE TABLE codes (code_id, speaker_id, code_name AS (hex(zeroblob(400000))))",
        "F10",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_database_is_refused_soon(name: str) -> None:
    extra, code = HOSTILE[name]
    began = time.process_time()
    with pytest.raises(FormatError, match=f"TR-{code} "):
        read(session(extra))
    assert time.process_time() - began < 5


def test_more_utterances_than_a_session_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(casaa, "_ROWS", 3)
    with pytest.raises(FormatError, match="TR-F02 .*more than 3"):
        read(session())


def test_a_query_that_goes_on_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(casaa, "_STEPS", 1000)
    with pytest.raises(FormatError, match="TR-F02 .*too long"):
        read(session("INSERT INTO utterances " + BOMB + "i, '00:00:01.0', 14, '' FROM n WHERE i < 9000 LIMIT 5000"))


def test_damage_and_other_files_are_named() -> None:
    data = session()
    with pytest.raises(FormatError, match="TR-F03 line 2 of .*is not a line of CACTI"):
        read(b"Audio Filename:\tx.wav\nOQ0\n")
    with pytest.raises(FormatError, match="TR-F03 .*no SQLite"):
        read(b"SQLite format 3\0")
    with pytest.raises(FormatError, match="TR-F03"):
        read(data[:5000])
    with pytest.raises(FormatError, match="TR-F03"):
        read(data[:100] + b"\xff" * (len(data) - 100))


def test_a_session_in_wal_mode_is_read_and_its_folder_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.casaa"
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = WAL")
    database.executescript(CACTI + SESSION)
    database.close()
    (tmp_path / "s.casaa-journal").write_bytes(b"not to be played back")
    assert len(casaa.read(Source.open(path)).utterances) == 3
    assert {utterance.name for utterance in tmp_path.iterdir()} == {"s.casaa", "s.casaa-journal"}
