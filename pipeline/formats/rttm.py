"""RTTM: who speaks when, one stretch of speech per line (NIST Rich Transcription, 2009 evaluation plan, appendix A)::

    SPEAKER role-play 1 6.690 0.430 <NA> <NA> speaker90 <NA> <NA>
            recording   start duration         speaker

A recording is named without its folder and ending, blanks as underscores. Two lines of ours say what times count from
and, where it is known, which recording it is, in the one field for text that there is, as tools trip over comments::

    SPKR-INFO tape-1 1 <NA> <NA> time_0_is_30.000_s_into_the_recording unknown <NA> <NA> <NA>
    SPKR-INFO tape-1 1 <NA> <NA> the_recording_has_the_SHA-256_9f86d0… unknown <NA> <NA> <NA>

Other lines of other types, comments (``;;``) and empty lines are passed over. Cannot hold: text, words, codes, roles,
ids; blanks in names become underscores. Of utterances that start together, each starts a millisecond after the other.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pipeline.errors import SpeechError
from pipeline.formats import time_origin
from pipeline.formats.plain_text import printable
from pipeline.formats.safe_reader import Source
from pipeline.formats.transcript import CodedTranscript, CodedUtterance, ordered_transcript, role_named, successive
from pipeline.timeline import Span, to_ms, to_seconds

_LINE = "write it as SPEAKER recording 1 start duration <NA> <NA> speaker <NA> <NA>, times in seconds"
_REMARK = re.compile(r"^(?:SPKR-INFO|;;)(.*)$", re.MULTILINE)
_RECORDING = "the recording has the SHA-256"
_CHECKSUM = re.compile(rf"\b{_RECORDING} ([0-9a-f]{{64}})\b")
_OTHER_TYPES = {"A/P", "CB", "EDIT", "FILLER", "IP", "LEXEME", "NO_RT_METADATA", "NOISE", "NON-LEX", "NON-SPEECH"}
_OTHER_TYPES |= {"NOSCORE", "SEGMENT", "SPKR-INFO", "SU"}


class SpeakerSpan(Protocol):
    """Anything that knows when and who, such as `pipeline.speech.diarization.contract.SpeakerSegment`."""

    @property
    def span(self) -> Span:
        """When, in milliseconds."""

    @property
    def speaker(self) -> str:
        """Who."""


@dataclass(frozen=True, order=True)
class RttmLine:
    """One line: times in milliseconds of the recording."""

    span: Span
    speaker: str
    recording: str


@dataclass(frozen=True)
class RttmFile:
    """A file: its lines by start; their zero in ms of the recording and its SHA-256, where it says so."""

    lines: tuple[RttmLine, ...]
    zero: int | None
    recording: str | None


def read(path: Path) -> tuple[RttmLine, ...]:
    """The lines of a file, by start.

    Raises
    ------
    SpeechError: P10 the file cannot be read, P11 a line is not RTTM.
    """
    return read_file(path).lines


def read_file(path: Path) -> RttmFile:
    """The lines of a file, and what it says about them.

    Raises
    ------
    SpeechError: P10 the file cannot be read, P11 a line is not RTTM.
    """
    try:
        text = content(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unreadable(path, "it is not text in UTF-8") from error
    return RttmFile(_lines(path.name, text), _zero(text), _checksum(text))


def content(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises
    ------
    SpeechError: P10 the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error.strerror) from error


def _unreadable(path: Path, reason: str | None) -> SpeechError:
    return SpeechError("P10", f"file {path.name}", f"cannot be read ({reason})", "name another RTTM file")


def read_transcript(source: Source) -> CodedTranscript:
    """Who speaks when, as utterances without text.

    Raises
    ------
    FormatError: F03 a line is not RTTM, F06 as `Source.text`, F07 the lines are of several recordings.
    """
    try:
        lines = _lines(source.name, source.text())
    except SpeechError as error:
        source.refuse("F03", f"is not RTTM: {error.thing} {error.value}", error.remedy)
    recordings = {line.recording for line in lines}
    if len(recordings) > 1:
        source.refuse("F07", f"holds {len(recordings)} recordings", "give the lines of one")
    utterances = (CodedUtterance("", line.span, line.speaker, role_named(line.speaker)) for line in lines)
    named, text = {line.speaker for line in lines}, source.text()
    transcript = ordered_transcript(next(iter(recordings), source.stem), utterances, zero=_zero(text), named=named)
    return replace(transcript, recording=_checksum(text))


def write(
    path: Path, recording: str, segments: Iterable[SpeakerSpan], at: int | None = None, checksum: str | None = None
) -> None:
    """Write voices in order of start; `read` gives them back, with their zero (``at``) and the recording's SHA-256."""
    path.write_bytes(encode(recording, segments, at, checksum))


def encode(
    recording: str, segments: Iterable[SpeakerSpan], at: int | None = None, checksum: str | None = None
) -> bytes:
    """The RTTM of a recording's voices, in order of start; see `write`."""
    uri = recording_name(recording)
    remarks = [] if at is None else [time_origin.sentence(at)]
    remarks += [f"{_RECORDING} {checksum}"] if checksum else []
    return (_head(uri, remarks) + _text(uri, segments)).encode()


def write_transcript(transcript: CodedTranscript) -> bytes:
    """The RTTM of a transcript.

    Raises
    ------
    FormatError: F08 a name holds control characters.
    """
    for each in transcript.utterances:
        printable(each.speaker, "speaker")
    uri = _joined(printable(transcript.tape_id, "tape"))
    remarks = [] if transcript.zero is None else [time_origin.sentence(transcript.zero)]
    remarks += [f"{_RECORDING} {transcript.recording}"] if transcript.recording else []
    spans = successive(utterance.span for utterance in transcript.utterances)
    lines = (RttmLine(span, each.speaker, uri) for span, each in zip(spans, transcript.utterances, strict=True))
    return (_head(uri, remarks) + _text(uri, lines)).encode()


def _head(uri: str, remarks: Iterable[str]) -> str:
    return "".join(f"SPKR-INFO {uri} 1 <NA> <NA> {_joined(remark)} unknown <NA> <NA> <NA>\n" for remark in remarks)


def _remarks(text: str) -> list[str]:
    return [match[1].replace("_", " ") for match in _REMARK.finditer(text)]


def _checksum(text: str) -> str | None:
    return next((match[1] for remark in _remarks(text) if (match := _CHECKSUM.search(remark))), None)


def _zero(text: str) -> int | None:
    return next((at for remark in _remarks(text) if (at := time_origin.parse(remark)) is not None), None)


def _text(uri: str, segments: Iterable[SpeakerSpan]) -> str:
    ordered = sorted(segments, key=lambda voice: (voice.span, voice.speaker))
    return "".join(
        f"SPEAKER {uri} 1 {to_seconds(voice.span.start)} {to_seconds(voice.span.duration)} "
        f"<NA> <NA> {_joined(voice.speaker)} <NA> <NA>\n"
        for voice in ordered
    )


def recording_name(recording: str) -> str:
    """How RTTM names a recording: ``"my tape.wav"`` -> ``"my_tape"``."""
    return _joined(Path(recording).stem)


def tape_names(tape_id: str) -> set[str]:
    """How RTTM may name a tape: whole, or as it names a recording; nothing for a tape without a name."""
    return {_joined(tape_id), recording_name(tape_id)} if tape_id else set()


def _joined(text: str) -> str:
    return re.sub(r"\s+", "_", text.strip()) or "_"


def _lines(name: str, text: str) -> tuple[RttmLine, ...]:
    lines = (_line(f"line {number} of {name}", line.split()) for number, line in enumerate(text.splitlines(), 1))
    return tuple(sorted((line for line in lines if line), key=lambda line: line.span.start))


def _line(where: str, fields: list[str]) -> RttmLine | None:
    if not fields or fields[0].startswith(";;") or fields[0] in _OTHER_TYPES:
        return None
    if fields[0] != "SPEAKER":
        raise SpeechError("P11", where, f"has a type that RTTM does not have: {fields[0][:40]!r}", _LINE)
    if len(fields) < 8:
        raise SpeechError("P11", where, f"has {len(fields)} fields, not 8 to 10", _LINE)
    start, duration = (_seconds(field, where) for field in fields[3:5])
    return RttmLine(Span(to_ms(start), to_ms(start + duration)), fields[7], fields[1])


def _seconds(field: str, where: str) -> float:
    try:
        value = float(field)
    except ValueError:
        value = math.nan
    if not 0 <= value < 1e6:
        raise SpeechError("P11", where, f"holds {field[:40]!r} for a time", "write seconds, 0 or more")
    return value
