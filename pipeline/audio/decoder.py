"""The parent's side of the decoder's process: start it, serve it the file, receive samples, stop it when it takes too
long.

What comes through the pipe is checked like any foreign input: a decoder that a crafted file has taken over can send
wrong samples, and no more of them than were asked for.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, Pipe
from typing import Any

import numpy as np

from pipeline.audio.byte_server import ByteServer, ServedEnds
from pipeline.audio.quality import SAMPLE_RATE
from pipeline.audio.source_bytes import SourceBytes
from pipeline.errors import AudioError
from pipeline.run.progress import Progress

STALL_SECONDS = 8.0
"""Longest wait between two messages: a decoder sends one after every second of work."""

_START_SECONDS = 60.0  # for the imports, from a cold disk; nothing of the recording is read yet
_MESSAGE_BYTES = 1 << 20  # of one message; the child sends at most half of that (`av_reader._VALUES`)
_BYTES_A_MS = SAMPLE_RATE // 1000 * 4  # of one channel of float32
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH")  # what an interpreter may need to find its own libraries
_ENTRY = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from pipeline.audio import decoder_process;"
    " decoder_process.run(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))"
)
_EXPORT = "export the sound as WAV or FLAC and try again"


Sink = Callable[[np.ndarray], None]


@dataclass(frozen=True)
class DecodeRequest:
    """A segment to decode; times in milliseconds of the recording.

    ``key`` is that of a `pipeline.audio.sniff.AudioContainer`; ``begin``, ``end`` and ``repairs`` (in hexadecimal) are
    those of its `pipeline.audio.layout.Layout`; nothing after ``stop`` is decoded; ``seconds`` of processor time and
    ``memory`` bytes are the decoder's limits; ``track`` is a place in `DecodedAudio.tracks`.
    """

    key: str
    begin: int
    end: int
    repairs: tuple[tuple[int, str], ...]
    start: int
    stop: int
    seconds: int
    memory: int
    track: int = 0


@dataclass(frozen=True)
class AudioTrack:
    """A sound track of a file as its header describes it; ``title`` and ``language`` are empty where it has none."""

    codec: str
    sample_rate: int
    channels: int
    title: str = ""
    language: str = ""


@dataclass(frozen=True)
class StreamFormat:
    """The format of the sound in a file; ``declared`` is the header's duration in milliseconds, if it gives one."""

    codec: str
    sample_rate: int
    channels: int
    declared: int | None


@dataclass(frozen=True)
class DecodedExtent:
    """The extent of the decoded sound: up to which millisecond, whether that is its end, and where it is clipped.

    ``clipped`` holds pairs: a second of the segment, and how many runs of full-scale samples begin in it.
    """

    duration: int
    complete: bool
    clipped: list[tuple[int, int]]


@dataclass(frozen=True)
class Hole:
    """A stretch in which sound is missing and silence stands; times in milliseconds of the recording.

    ``kind`` is ``gap``: the file holds no sound there; ``damage``: what it holds cannot be decoded; ``overlap``: it
    holds two at one time, and the second is left out; ``restart``: its clock begins again. ``missing`` is how much
    sound that is, as near holes are one.
    """

    kind: str
    start: int
    end: int
    missing: int


@dataclass(frozen=True)
class DecodedAudio:
    """``samples`` are finite float32 of shape (channels, n) at 16 kHz, at whatever level the file has.

    They are those of one of the file's ``tracks``. ``recorded`` is when the file says it was (`audio.file_times`).
    """

    format: StreamFormat
    samples: np.ndarray
    extent: DecodedExtent
    tracks: tuple[AudioTrack, ...]
    holes: tuple[Hole, ...] = ()
    recorded: str | None = None


def decode(
    source: SourceBytes, request: DecodeRequest, thing: str, progress: Progress, sink: Sink | None = None
) -> DecodedAudio:
    """Decode a recording in a process of its own.

    Parameters
    ----------
    sink: takes the samples block by block, (channels, n); the result then has none, and memory does not grow.

    Raises
    ------
    AudioError: the code with which the decoder refuses the recording; A14 it takes too long; A15 it crashed.
    Whatever ``source`` raises where it cannot be read.
    """
    server = ByteServer(source)
    try:
        audio = _decoded(server, request, thing, progress, sink)
    except Exception as error:
        if server.error is not None:
            raise server.error from error
        raise
    if server.error is not None:
        raise server.error
    return audio


def _decoded(
    server: ByteServer, request: DecodeRequest, thing: str, progress: Progress, sink: Sink | None
) -> DecodedAudio:
    with server.serving() as ends, _process(ends, request) as (process, pipe):
        ends.close()
        if not pipe.poll(_START_SECONDS) or not _ready(pipe):
            process.kill()
            _, complaint = process.communicate()
            raise RuntimeError(f"the decoder did not start: {complaint.decode(errors='replace')}")
        timer = threading.Timer(request.seconds, process.kill)
        timer.start()
        try:
            return _receive(pipe, request, thing, progress, sink)
        except EOFError as error:
            raise _ended(process, request, thing) from error
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise AudioError("A15", thing, "makes the decoder return invalid data", _EXPORT) from error
        finally:
            timer.cancel()


@contextmanager
def _process(ends: ServedEnds, request: DecodeRequest) -> Iterator[tuple[subprocess.Popen[bytes], Connection]]:
    """Run the process, without our environment and far from our files; it ends with the block, and when we end."""
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    reader, writer = Pipe(duplex=False)
    with reader:
        with writer:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
                [
                    sys.executable,
                    "-I",
                    "-c",
                    _ENTRY,
                    json.dumps([path for path in sys.path if path]),
                    json.dumps(asdict(request)),
                    str(os.getpid()),
                    str(ends.requests),
                ],
                stdin=ends.content,
                pass_fds=[ends.requests],
                stdout=writer.fileno(),
                stderr=subprocess.PIPE,
                cwd="/",
                env=environment | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,  # Ctrl-C goes to the parent, which ends the decoder
            )
        with process:
            try:
                yield process, reader
            finally:
                process.kill()


def _ready(pipe: Connection) -> bool:
    try:
        return bool(json.loads(pipe.recv_bytes(_MESSAGE_BYTES)[1:])["ready"])
    except EOFError:
        return False


def _receive(
    pipe: Connection, request: DecodeRequest, thing: str, progress: Progress, sink: Sink | None
) -> DecodedAudio:
    tracks = tuple(AudioTrack(**track) for track in _received(pipe, thing)["tracks"])
    described = _received(pipe, thing)
    stream, recorded = StreamFormat(**described["format"]), described.get("recorded")
    span = request.stop - request.start
    bound = (span + 1000) * stream.channels * _BYTES_A_MS
    expected = span if stream.declared is None else min(span, max(1, stream.declared - request.start))
    pcm, received = bytearray(), 0
    while isinstance(message := _received(pipe, thing), bytes):
        received += len(message)
        if received > bound:
            raise ValueError("the decoder returned more data than requested")
        if sink is None:
            pcm += message
        elif message:
            sink(_samples(message, stream.channels))
        progress(min(1.0, received / (expected * stream.channels * _BYTES_A_MS)))
    samples = _samples(pcm, stream.channels)
    holes = tuple(Hole(**hole) for hole in message["holes"])
    return DecodedAudio(stream, samples, DecodedExtent(**message["extent"]), tracks, holes, recorded and str(recorded))


def _samples(pcm: bytes | bytearray, channels: int) -> np.ndarray:
    """Samples of shape (channels, n) from those that are interleaved."""
    samples = np.frombuffer(pcm, "<f4").reshape(-1, channels).T
    if not np.isfinite(samples).all():
        raise ValueError("the decoder returned samples that are not numbers")
    return samples


def _received(pipe: Connection, thing: str) -> Any:
    """The next message: a statement (dict) or samples (bytes). Raises what the decoder refuses, and A14."""
    if not pipe.poll(STALL_SECONDS):
        raise AudioError("A14", thing, f"keeps the decoder busy for {STALL_SECONDS:.0f} s without a result", _EXPORT)
    message = pipe.recv_bytes(_MESSAGE_BYTES)
    if message.startswith(b"S"):
        return message[1:]
    statement = json.loads(message[1:])
    if "refused" in statement:
        code, value, remedy = statement["refused"]
        raise AudioError(code, thing, value, remedy)
    return statement


def _ended(process: subprocess.Popen[bytes], request: DecodeRequest, thing: str) -> AudioError:
    """Return why a decoder stopped: the kernel's clock and our timer, which still runs, end it by two signals."""
    process.wait()
    if -process.returncode in (signal.SIGKILL, signal.SIGXCPU):
        return AudioError("A14", thing, f"takes more than {request.seconds} s to decode", _EXPORT)
    return AudioError("A15", thing, f"makes the decoder crash (status {process.returncode})", _EXPORT)
