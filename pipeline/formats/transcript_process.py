"""A stranger's transcript, read in a process of its own that gets so much time and memory and writes no file.

Readers follow many programs' ways, with patterns that a crafted file can keep busy for hours. What reads it here ends
by itself, whatever it meets, and what it answers is checked like any foreign input.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

from pydantic import ValidationError

from pipeline.errors import FormatError, TableError, TapeReviewError
from pipeline.formats import written_transcript
from pipeline.formats.safe_reader import LIMIT, Source
from pipeline.formats.written_transcript import WrittenTranscript, unpacked

SECONDS, PATIENCE = 20, 120
"""Seconds of a core that a file may take, and in all on a busy machine; an hour's transcript takes less than one."""

MEMORY = 2 << 30
"""Bytes of addresses that the child may take, most of which the libraries reserve and never use."""

_REFUSED = 3  # exit status of a child that has written an error of ours
_KEPT = ("PATH", "LD_LIBRARY_PATH")
_ENTRY = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    " from pipeline.formats import transcript_process; sys.exit(transcript_process.answer(sys.argv[2]))"
)


def read(name: str, content: bytes) -> WrittenTranscript:
    """The transcript of a file, of which its name says the kind.

    Raises
    ------
    FormatError and TableError as `written_transcript.of_source`; FormatError F02 it takes too much time or memory.
    """
    Source(name, content).checked()
    command = [sys.executable, "-I", "-c", _ENTRY, json.dumps([path for path in sys.path if path]), name]
    environment = {key: os.environ[key] for key in _KEPT if key in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and our own module
            command,
            input=content,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            cwd="/",
            env=environment | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        if done.returncode == _REFUSED:
            letter, *parts = json.loads(done.stdout)
            raise (TableError if letter == "T" else FormatError)(*map(str, parts))
        if done.returncode == 0:
            return unpacked(done.stdout)
    except (subprocess.TimeoutExpired, ValidationError, ValueError, KeyError, TypeError):
        pass  # as below
    value = "takes too much time or memory to read"
    raise FormatError("F02", f"file {name}", value, "save the words alone, as text or as Word without pictures")


def answer(name: str) -> int:
    """The child's side: read standard input, and write what is read, or why not, as JSON."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        written = written_transcript.of_source(Source(name, sys.stdin.buffer.read(LIMIT + 1)))
    except TapeReviewError as error:
        code = error.code.removeprefix("TR-")
        sys.stdout.write(json.dumps([code[0], code, error.thing, error.value, error.remedy]))
        return _REFUSED
    sys.stdout.buffer.write(written.packed())
    return 0
