"""The decoder's own process: the bytes of one file in, float samples at 16 kHz out.

`pipeline.audio.decoder` starts this module in a process of its own. The recording's bytes come through standard input,
when they are asked for through a pipe (`pipeline.audio.byte_server`); another pipe is standard output. Before the first
byte is read the process gives up what a decoder does not need: it can open no file and no socket any more (the kernel
hands out no further descriptor), write to no file, and take no more memory and time than it was given. So a file that
names another one, a playlist or a crafted header reaches nothing.

Messages, each with a letter in front: ``J`` and a JSON object (``ready``, ``tracks``, ``format``, at the end
``extent`` or ``refused``), ``S`` and samples (float32, little endian, channels interleaved, at whatever level the file
has; none while the decoder runs towards the segment).
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import pkgutil
import resource
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from typing import Any

import av
import numpy as np
import soxr

from pipeline.audio.av_frames import RefusalError
from pipeline.audio.av_reader import Stream, open_stream
from pipeline.audio.decoder import DecodedExtent, DecodeRequest
from pipeline.audio.quality import SAMPLE_RATE

RATES = (8_000, 192_000)
"""Hertz, from a telephone's to the highest that recorders offer."""

CHANNELS = 8
"""A surround recording has at most 8 (7.1); more is a damaged header."""

FULL_SCALE = 0.9995
"""A sample at or above this, with two more behind it, is clipped: a 16-bit recording ends at 0.99997."""
_FLOATS = ("pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be")  # they go on over full scale instead of clipping

_PR_SET_PDEATHSIG = 1  # linux/prctl.h: a signal for when the thread that started the process ends


def main(request: DecodeRequest, requests: int) -> None:
    """Decode standard input as requested; every outcome is a message."""
    pipe = Connection(os.dup(1), readable=False)
    try:
        _import_all()
        confine(request)
        _send(pipe, ready=True)
        stream = _open(request, requests)
        _send(pipe, tracks=[asdict(track) for track in stream.tracks])
        _send(pipe, format=asdict(stream.format), recorded=stream.recorded)
        extent = _convert(stream, request, lambda samples: pipe.send_bytes(b"S" + samples))
        _send(pipe, extent=asdict(extent), holes=[asdict(hole) for hole in stream.clock.holes])
    except RefusalError as refusal:
        _send(pipe, refused=refusal.args)
    except MemoryError:
        _send(pipe, refused=("A14", "needs too much memory to decode", "export the sound as WAV or FLAC"))


def _send(pipe: Connection, **message: Any) -> None:
    pipe.send_bytes(b"J" + json.dumps(message).encode())


def _import_all() -> None:
    """PyAV imports its parts when it first meets a stream of their kind; by then no file can be opened."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        # The first is a command line, the second downloads samples, with a web client that takes time to load.
        if module.name not in ("av.__main__", "av.datasets"):
            importlib.import_module(module.name)


def confine(request: DecodeRequest) -> None:
    """Give up files, sockets, memory and time; what is open stays open. Decoders log a lot: stderr is discarded."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    limits = {
        resource.RLIMIT_AS: request.memory,
        resource.RLIMIT_CPU: request.seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 0,
    }
    for limit, value in limits.items():
        hard = resource.getrlimit(limit)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def _open(request: DecodeRequest, requests: int) -> Stream:
    stream = open_stream(request, requests)
    rate, channels = stream.format.sample_rate, stream.format.channels
    if not RATES[0] <= rate <= RATES[1]:
        value = f"is sampled at {rate:,} Hz; {RATES[0]:,} to {RATES[1]:,} Hz are read"
        raise RefusalError("A07", value, "export it at 16,000 or 48,000 Hz")
    if not 1 <= channels <= CHANNELS:
        value = f"has {channels} channels; at most {CHANNELS} are supported"
        raise RefusalError("A08", value, "export it as mono or stereo")
    return stream


def _convert(stream: Stream, request: DecodeRequest, send: Callable[[bytes], None]) -> DecodedExtent:
    """Cut, check and resample block by block."""
    rate, channels = stream.format.sample_rate, stream.format.channels
    first, last = request.start * rate // 1000, request.stop * rate // 1000
    resampler = soxr.ResampleStream(rate, SAMPLE_RATE, channels, dtype="float32")
    clipped: dict[int, int] = {}
    ceiling = 1 / FULL_SCALE if stream.format.codec in _FLOATS else np.inf
    position, complete = 0, True
    for whole in stream.blocks:
        block = whole[max(0, first - position) : max(0, last - position)]
        begin = max(position, first)
        position += len(whole)
        if not np.isfinite(block).all():
            invalid = begin + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])
            value = f"has a value that is not a number at {invalid / rate:.3f} s"
            raise RefusalError("A09", value, "export it again as 16-bit WAV or FLAC")
        _count(clipped, block, begin - first, rate, ceiling)
        send(_floats(_resampled(resampler, block, rate)))
        if position > last:
            complete = False
            break
    send(_floats(_resampled(resampler, np.empty((0, channels), np.float32), rate, last=True)))
    return DecodedExtent(min(position, last) * 1000 // rate, complete, sorted(clipped.items()))


def _resampled(resampler: soxr.ResampleStream, block: np.ndarray, rate: int, last: bool = False) -> np.ndarray:
    return block if rate == SAMPLE_RATE else resampler.resample_chunk(block, last=last)


def _floats(samples: np.ndarray) -> bytes:
    """The samples as they are sent: what is far under or over full scale is cut to 16 bits only once it is leveled."""
    return samples.astype("<f4").tobytes()


def _count(clipped: dict[int, int], block: np.ndarray, first: int, rate: int, ceiling: float) -> None:
    """Add the runs of three or more full-scale samples to the second of the segment in which they begin.

    Samples above the ceiling are not clipped: their codec has room for them.
    """
    magnitude = np.abs(block)
    full = ((magnitude >= FULL_SCALE) & (magnitude <= ceiling)).astype(np.int8)
    if not full.any():
        return
    runs = full[2:] & full[1:-1] & full[:-2]
    begins = np.flatnonzero((np.diff(runs, axis=0, prepend=np.int8(0)) == 1).any(axis=1))
    for second, count in zip(*np.unique((first + begins) // rate, return_counts=True), strict=True):
        clipped[int(second)] = clipped.get(int(second), 0) + int(count)


def run(request: str, parent: int, requests: int) -> None:
    """Entry of the process: the request as JSON, the process that waits for the samples, where to ask for bytes."""
    _end_with(parent)
    main(DecodeRequest(**json.loads(request)), requests)


def _end_with(parent: int) -> None:
    """Have the kernel end this process when the parent ends, as the recording that it has open would outlive that.

    Where the kernel cannot, the next message to a pipe that nobody reads ends it.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before we had asked
        os._exit(1)
