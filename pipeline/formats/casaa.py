"""CACTI session files, ``.casaa``: a SQLite database (CACTI 2, `SessionData`; see `pipeline.formats.cacti_codebook`).

=================== =============================================================================
speakers            speaker_id, speaker_name: 0 Therapist, 1 Client
codes               code_id, code_name, speaker_id
utterances          utterance_id, time_marker ``HH:MM:SS.s``, code_id, annotation
ratings             rating_id, rating_name, response_value
utterances_ratings  utterance_id, rating_id
attributes          name, value: AUDIO_FILE_PATH, GLOBAL_NOTES
=================== =============================================================================

An utterance is a moment with one code: when the coder pressed the button. Several at one time by one speaker are read
as one utterance with several codes; the annotation is its text. The first edition wrote text: ``Audio Filename:``, then
lines of time, place in the sound and code; whose code it is, its name in MISC or MITI says.

Cannot hold: ends and words, speakers beside their role, coders and layers, utterances without a code, times finer than
a tenth of a second. The global notes say what times count from. Not read: global ratings and other notes. CACTI
declares its texts as numbers, so that an annotation ``007`` would become ``7``: such a text is refused.

A database is code as much as data. It is read from memory, where no journal beside it counts, and nothing runs but our
two SELECTs: views, triggers, virtual tables and computed columns are refused; steps and sizes are limited.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.errors import FormatError
from pipeline.formats import cacti_codebook, time_origin
from pipeline.formats.plain_text import percent_decoded, percent_encoded, printable
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedTranscript, CodedUtterance, Mark, ordered_transcript, split_codes
from pipeline.formats.transcript import role_named as coded_role
from pipeline.timeline import UNKNOWN, Role, Span

SCHEMA = """
CREATE TABLE speakers (speaker_id integer primary key not null, speaker_name string not null unique);
CREATE TABLE codes (code_id integer primary key not null, code_name string not null unique, speaker_id integer,
    foreign key (speaker_id) references speakers (speaker_id));
CREATE TABLE utterances (utterance_id TEXT primary key not null unique, time_marker string not null, code_id integer,
    annotation string, foreign key (code_id) references codes (code_id));
CREATE TABLE ratings (rating_id integer primary key not null, rating_name string not null unique,
    response_value integer not null);
CREATE TABLE utterances_ratings (utterance_id TEXT, rating_id integer,
    foreign key (utterance_id) references utterances (utterance_id),
    foreign key (rating_id) references ratings (rating_id));
CREATE TABLE attributes (name, value);
PRAGMA user_version = 1;
"""

_SPEAKERS: tuple[tuple[str, Role], ...] = (("Therapist", "interviewer"), ("Client", "client"))
_READ = {"speakers", "codes", "utterances", "attributes"}
_ROWS = 100_000  # utterances: as many as a file of any other format may have elements (`safe_reader.ELEMENTS`)
_STEPS = 20_000_000  # of SQLite's machine, some seconds at most
_NAME, _TEXT = 200, 10_000  # characters
_COMPUTED = re.compile(r"^\s*CREATE\s+VIRTUAL|\bAS\s*\(|\bAS\s+SELECT", re.IGNORECASE)
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2}(?:[.,]\d{1,3})?)")
_MAGIC, _JOURNAL = b"SQLite format 3\0", slice(18, 20)  # of the header that sqlite.org/fileformat.html describes
_SOUND = "SELECT substr(value, 1, 1000) FROM attributes WHERE name = 'AUDIO_FILE_PATH' LIMIT 1"
_NOTES = f"SELECT substr(value, 1, {_TEXT}) FROM attributes WHERE name = 'GLOBAL_NOTES' LIMIT 1"  # noqa: S608
_UTTERANCES = f"""
SELECT substr(u.time_marker, 1, 40), substr(c.code_name, 1, {_NAME + 1}), substr(s.speaker_name, 1, {_NAME + 1}),
    substr(u.annotation, 1, {_TEXT + 1}) FROM utterances u
LEFT JOIN codes c ON c.code_id = u.code_id LEFT JOIN speakers s ON s.speaker_id = c.speaker_id
ORDER BY u.time_marker, u.utterance_id LIMIT ?
"""  # noqa: S608 (numbers of ours)


def read(source: Source) -> CodedTranscript:
    """The moments of a session, called after the sound file that it names.

    Raises
    ------
    FormatError: F03 it is no SQLite database or not CACTI's, F07 a wrong time, code or speaker, F10 it holds views,
        triggers, virtual tables or computed columns, F02 it takes too long to read or holds too much.
    """
    if re.match(rb"\s*Audio File(?:name)?:", source.data):
        return _listed(source)
    if not source.data.startswith(_MAGIC) or len(source.data) < 512:
        source.refuse("F03", "is not a CACTI session: no SQLite database", "give the .casaa file that CACTI saved")
    with _opened(source) as database:
        rows = database.execute(_UTTERANCES, (_ROWS + 1,)).fetchall()
        sound_row = database.execute(_SOUND).fetchone()
        notes = database.execute(_NOTES).fetchone()
    if len(rows) > _ROWS:
        source.refuse("F02", f"has more than {_ROWS} utterances", "give only one session")
    moments: dict[tuple[int, str], list[tuple[str, str]]] = defaultdict(list)
    for time, code, speaker, annotation in rows:
        if any(len(str(cell)) > limit for cell, limit in ((code, _NAME), (speaker, _NAME), (annotation, _TEXT))):
            source.refuse("F02", f"has a name over {_NAME} or a text over {_TEXT} characters", "shorten it in CACTI")
        if not split_codes(str(code or "")) or speaker is None:
            value = f"has an utterance at {str(time)[:20]!r} without a code or a speaker"
            source.refuse("F07", value, "give it a code in CACTI, or delete it there")
        moments[_time(source, time), str(speaker)].append((str(code), "" if annotation is None else str(annotation)))
    path = str(sound_row[0]) if sound_row and sound_row[0] else ""
    name = re.split(r"[/\\]", path)[-1].rpartition(".")[0].strip() or source.stem
    utterances = (_utterance(time, who, marks) for (time, who), marks in moments.items())
    return ordered_transcript(percent_decoded(name), utterances, zero=time_origin.parse(notes[0]) if notes else None)


def _listed(source: Source) -> CodedTranscript:
    """A session of CACTI's first edition, or a list of codes that it exported: lines of time, place and code."""
    sound, moments = "", []
    for number, line in enumerate(source.text().splitlines(), 1):
        heading = re.match(r"\s*Audio File(?:name)?:\s*(.*)", line)
        fields = [field.strip() for field in line.split("\t") if field.strip()]
        if heading:
            sound = heading[1]
        elif fields:
            time = next((field for field in fields if _TIME.fullmatch(field)), "")
            names = [field for field in fields if not re.fullmatch(r"-?[\d:.,]+", field)]
            if not time or not names:
                remedy = "each line has a time, such as 0:00:06, and a code"
                source.refuse("F03", f"is not a line of CACTI: {line[:40]!r}", remedy, f"line {number} of")
            moments.append((_time(source, time), names[0]))
    name = re.split(r"[/\\]", sound)[-1].rpartition(".")[0].strip() or source.stem
    utterances = []
    for moment, code in moments:
        role = cacti_codebook.speaker_of(code)
        speaker = next((speaker for speaker, known in _SPEAKERS if known == role), UNKNOWN)
        utterances.append(CodedUtterance("", Span(moment, moment), speaker, role or "unknown", "", (Mark(code),)))
    return ordered_transcript(percent_decoded(name), utterances)


def _utterance(time: int, speaker: str, given: list[tuple[str, str]]) -> CodedUtterance:
    texts = dict.fromkeys(text.strip() for _, text in given if text.strip())
    marks = tuple(Mark(code) for name, _ in given for code in split_codes(name))
    return CodedUtterance("", Span(time, time), speaker, coded_role(speaker), " ".join(texts), marks)


def _time(source: Source, marker: object) -> int:
    # Java writes a decimal comma where its user's language does.
    match = _TIME.fullmatch(str(marker).strip())
    if not match:
        source.refuse("F07", f"has the time {str(marker)[:40]!r}", "write times as HH:MM:SS.s, such as 00:01:05.3")
    hours, minutes, seconds = match.groups()
    whole = (int(hours) * 60 + int(minutes)) * 60
    return source.milliseconds(whole + float(seconds.replace(",", ".")), per=1000)


@contextmanager
def _opened(source: Source) -> Iterator[sqlite3.Connection]:
    """A copy in memory that answers our questions and no others."""
    data = bytearray(source.data)
    data[_JOURNAL] = b"\1\1"  # a database in WAL mode cannot be opened in memory
    database = sqlite3.connect(":memory:", isolation_level=None)
    try:
        database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        database.deserialize(bytes(data))
        for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON", "mmap_size = 0"):
            database.execute(f"PRAGMA {pragma}")
        steps = iter(range(_STEPS // 1000))
        database.set_progress_handler(lambda: next(steps, None) is None, 1000)
        for kind, name, code in database.execute("SELECT type, name, sql FROM sqlite_master LIMIT 1000"):
            if kind not in ("table", "index") or _COMPUTED.search(str(code)):
                source.refuse(
                    "F10",
                    f"holds the {kind} {str(name)[:40]!r}",
                    "open the session in CACTI and save it there",
                )
        database.set_authorizer(_allowed)
        yield database
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            source.refuse("F02", "takes too long to read", "give only one session, saved by CACTI itself")
        source.refuse("F03", f"is not a CACTI session ({error})", "give the .casaa file that CACTI saved")
    except (sqlite3.Error, UnicodeDecodeError, OverflowError) as error:
        source.refuse("F03", f"is damaged ({error})", "give the .casaa file that CACTI saved")
    finally:
        database.close()


def _allowed(action: int, table: str | None, function: str | None, *_: str | None) -> int:
    fine = action == sqlite3.SQLITE_SELECT or (action == sqlite3.SQLITE_READ and table in _READ)
    fine = fine or (action == sqlite3.SQLITE_FUNCTION and function == "substr")
    return sqlite3.SQLITE_OK if fine else sqlite3.SQLITE_DENY


def write(transcript: CodedTranscript) -> bytes:
    """A session for CACTI: each utterance's codes at its start, or up to a few tenths later.

    Raises
    ------
    FormatError: F08 a coded utterance of neither role, a code of both, or a text that CACTI would change.
    """
    database = sqlite3.connect(":memory:")
    try:
        database.executescript(SCHEMA)
        name = percent_encoded(transcript.tape_id).replace("/", "%2F")
        notes = "" if transcript.zero is None else time_origin.sentence(transcript.zero)
        attributes = [("AUDIO_FILE_PATH", f"{name}.wav"), ("GLOBAL_NOTES", notes)]
        database.executemany("INSERT INTO attributes VALUES (?, ?)", attributes)
        database.executemany("INSERT INTO speakers VALUES (?, ?)", [(n, who) for n, (who, _) in enumerate(_SPEAKERS)])
        numbers = _codes(transcript)
        speakers = {role: number for number, (_, role) in enumerate(_SPEAKERS)}
        rows = [(number, code, speakers[role]) for (code, role), number in numbers.items()]
        database.executemany("INSERT INTO codes VALUES (?, ?, ?)", rows)
        for tenths, utterance in _moments(transcript):
            marker = _marker(tenths)
            text = printable(utterance.text, "text", breaks=True)
            for code in dict.fromkeys(mark.code for mark in utterance.given):
                number = numbers[code, utterance.role]
                name = re.sub(r"\D", "", marker) + str(number)
                database.execute("INSERT INTO utterances VALUES (?, ?, ?, ?)", (name, marker, number, text))
        _compare(database, transcript, numbers)
        database.commit()
        return database.serialize()
    finally:
        database.close()


def _codes(transcript: CodedTranscript) -> dict[tuple[str, Role], int]:
    """Each code with the role that it belongs to, numbered."""
    roles: dict[str, Role] = {}
    for utterance in transcript.utterances:
        for mark in utterance.given:
            if utterance.role not in ("interviewer", "client"):
                raise FormatError(
                    "F08", f"utterance {utterance.id}", "has a code and neither role", "decide the roles first"
                )
            if roles.setdefault(printable(mark.code, "code"), utterance.role) != utterance.role:
                value = "is given to both speakers, which CACTI cannot hold"
                raise FormatError("F08", f"code {mark.code!r}", value, "rename it for one of them")
    return {(code, role): number for number, (code, role) in enumerate(sorted(roles.items()), 11)}


def _compare(database: sqlite3.Connection, transcript: CodedTranscript, numbers: dict[tuple[str, Role], int]) -> None:
    """Refuse texts that did not arrive as they were given, because they look like numbers."""
    arrived = {str(text) for (text,) in database.execute("SELECT annotation FROM utterances")}
    arrived |= {str(name) for (name,) in database.execute("SELECT code_name FROM codes")}
    given = {utterance.text for utterance in transcript.utterances if utterance.given} | {code for code, _ in numbers}
    for text in sorted(given - arrived):
        raise FormatError(
            "F08", f"text {text[:40]!r}", "looks like a number, and CACTI would change it", "put it in words"
        )


def _moments(transcript: CodedTranscript) -> Iterator[tuple[int, CodedUtterance]]:
    """The utterances with codes, each at the first tenth of a second that it holds and none before it has taken.

    Two of one role at one time would be read as a single utterance; of two roles, the order would be lost.
    """
    free = 0
    for utterance in transcript.utterances:
        if utterance.given:
            tenths = max(free, -(-utterance.span.start // 100))
            free = tenths + 1
            yield tenths, utterance


def _marker(tenths: int) -> str:
    return f"{tenths // 36_000:02d}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"
