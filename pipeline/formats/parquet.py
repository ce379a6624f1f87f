"""Tidy tables as Parquet (Apache Parquet format 2): the columns of `pipeline.formats.tidy_table`, times as doubles.

The data dictionary is part of the file: each field's metadata holds its ``description``. Cannot hold: words.

A page of a few bytes can claim two gigabytes, and its reader takes it at its word. So a foreign file is read by a
process of its own with little memory, which sends back plain rows.
"""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys

from pipeline.formats import tidy_table
from pipeline.formats.plain_text import printable
from pipeline.formats.safe_reader import LIMIT, Source
from pipeline.formats.transcript import CodedTranscript

_MEMORY = 2 << 30  # of addresses, most of which the libraries reserve and never use
_SECONDS = 20  # of processor time
_PATIENCE = 120  # on a busy machine
_ROWS = 50_000  # utterances; a session of 20 minutes has about 300
_TIMES = ("start", "end", "zero")
_ENTRY = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from pipeline.formats import parquet; parquet.run()"


def read(source: Source) -> CodedTranscript:
    """The transcript of a Parquet table.

    Raises
    ------
    FormatError: F02 reading takes too much memory or time, F03 it is no Parquet, F07 as `tidy_table.gathered`.
    """
    if not (source.data.startswith(b"PAR1") and source.data.endswith(b"PAR1")):
        source.refuse("F03", "is not a Parquet file", "give a .parquet file, or the same table as .csv")
    command = [sys.executable, "-c", _ENTRY, json.dumps(sys.path)]
    try:
        done = subprocess.run(command, input=source.data, capture_output=True, timeout=_PATIENCE, check=False)  # noqa: S603 (ours)
    except subprocess.TimeoutExpired:
        source.refuse("F02", "takes too long to read", "export a single tape")
    if done.returncode:
        source.refuse("F02", "takes too much memory to read, or crashes its reader", "export a single tape")
    answer = Source(source.name, done.stdout).json()
    if "refused" in answer:
        source.refuse(
            "F03", f"is not a table of this program ({str(answer['refused'])[:200]})", "give a tidy table of codes"
        )
    return tidy_table.gathered(source, answer["rows"])


def run() -> None:
    """The reader's process: a file comes in by standard input, rows go out as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(sys.stdin.buffer.read()))
        names = [column.name for column in tidy_table.COLUMNS if column.name in file.schema_arrow.names]
        if file.metadata.num_rows > _ROWS or not set(tidy_table.NEEDED) <= set(names):
            raise ValueError("it lacks columns, or has too many rows")
        wanted = [(name, pyarrow.float64() if name in _TIMES else pyarrow.string()) for name in names]
        rows, size = [], 0
        for batch in file.iter_batches(batch_size=500, columns=names, use_threads=False):
            # A dictionary repeats a long text for a few bytes: what counts is what it comes to.
            size += batch.nbytes
            if size > LIMIT:
                raise ValueError("it is too large")
            rows += pyarrow.Table.from_batches([batch]).cast(pyarrow.schema(wanted)).to_pylist()
        answer = json.dumps({"rows": rows}, allow_nan=False)
    except (pyarrow.ArrowException, ValueError, TypeError, OSError) as error:
        answer = json.dumps({"refused": str(error)})
    sys.stdout.write(answer)


def write(transcript: CodedTranscript) -> bytes:
    """The table.

    Raises
    ------
    FormatError: F08 a text holds control characters.
    """
    import pyarrow
    from pyarrow import parquet

    rows = [
        {key: printable(cell, key, breaks=True) for key, cell in row.items()} for row in tidy_table.rows(transcript)
    ]
    fields, columns = [], []
    for column in tidy_table.COLUMNS:
        kind = pyarrow.float64() if column.name in _TIMES else pyarrow.string()
        cells = [row[column.name] for row in rows]
        columns.append(
            pyarrow.array([float(cell) if cell else None for cell in cells] if column.name in _TIMES else cells, kind)
        )
        fields.append(pyarrow.field(column.name, kind, metadata={"description": column.meaning}))
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns, schema=pyarrow.schema(fields)), file, compression="zstd")
    return file.getvalue()
