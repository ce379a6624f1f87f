"""Logs that hold no speech, no names and no paths: only what stands on a list gets through.

An event is one of a closed list of words. A field is one of a closed list too, and so is what it may hold: a number,
one of our opaque ids, one of a few fixed words. An exception is told by its class, its code and the line of our own
code that it came from, never by its message: but for errors that can only be about the program's own files, keys and
models, whose words an operator needs (`operator_words`). What other packages log is told by the package's name alone.
All else is dropped, and counted, so that a developer sees that something is missing.
"""

from __future__ import annotations

import builtins
import io
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, cast, get_args

import structlog

from pipeline import errors
from pipeline.stages import LABELS, STEPS
from pipeline.tapes.consent.consent import Reason, Use
from pipeline.tapes.db.records import Role, TapeState
from pipeline.tapes.vault.atomic_files import writable
from pipeline.timeline import Layer

Check = Callable[[Any], bool]

LARGE = 10 << 20
"""Bytes of a log beyond which a new one is begun."""

UNLISTED = "unlisted"
"""What an event is called that is not on the list."""

EVENTS = frozenset(
    {
        "worker.start",
        "worker.stop",
        "worker.takeover",
        "worker.trouble",
        "job.stage",
        "job.retry",
        "job.fail",
        "tape.destroy",
        "request",
        "request.fail",
        "audit.refusal",
        "certificate.renewed",
        "library",
        UNLISTED,
    }
)

LIBRARIES = frozenset({"alembic", "asyncio", "authlib", "dbos", "fastapi", "httpx", "py", "sqlalchemy", "uvicorn"})

_ABOUT_US = re.compile(r"TR-(K0[1-6]|M\d\d|V\d\d)")
"""Codes of errors about our own files, keys, models and tables, never about a tape's words or what was typed."""

_ID = re.compile(r"[0-9a-f]{16}")
_NUMBER = re.compile(r"[0-9a-f]{8}")
_WORKER = re.compile(r"w\d{1,10}-[0-9a-f]{8}")
_LINE = re.compile(r"(pipeline[a-z_.]*):\d{1,6}")
_LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
_STAGES = frozenset({*STEPS, *LABELS})
_STATES = frozenset({*get_args(TapeState), "done", "cancelled"})


class OperatorWords(str):
    """Words of an error that may stand in the log; made by `operator_words` alone."""


class RouteTemplate(str):
    """A route as the program names it, ids as ``{tape_id}``; made of a route alone, never of what was sent."""


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"})
"""What a request may do; senders make up others."""


def operator_words(error: errors.TapeReviewError) -> OperatorWords | None:
    """An error's own words, where they are about the program's own files, keys, models or tables; else None."""
    return OperatorWords(error) if _ABOUT_US.fullmatch(error.code) else None


def _one_of(words: frozenset[str]) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _like(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _number(value: Any) -> bool:
    return type(value) in (int, float, bool)


def _line_of_ours(value: Any) -> bool:
    match = _LINE.fullmatch(value) if isinstance(value, str) else None
    return match is not None and match[1] in sys.modules


def _known_class(value: Any) -> bool:
    return isinstance(value, str) and value in _CLASSES


_CLASSES = frozenset(
    {name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)}
    | {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    | {"OperationalError", "IntegrityError", "DBAPIError", "DatabaseError", "ValidationError", "DBOSException"}
)

FIELDS: Mapping[str, Check] = {
    "event": _one_of(EVENTS),
    "level": _one_of(_LEVELS),
    "library": _one_of(LIBRARIES),
    **dict.fromkeys(("tape_id", "person_id", "group_id", "job_id", "item_id", "pass_id", "meeting_id"), _like(_ID)),
    "worker": _like(_WORKER),
    "stage": _one_of(_STAGES),
    "state": _one_of(_STATES),
    "use": _one_of(frozenset(get_args(Use))),
    "reason": _one_of(frozenset(get_args(Reason))),
    "role": _one_of(frozenset(get_args(Role))),
    "layer": _one_of(frozenset(get_args(Layer))),
    "code": lambda value: isinstance(value, str) and value.removeprefix("TR-") in errors.CODES,
    "error": _known_class,
    "number": _like(_NUMBER),
    "route": lambda value: type(value) is RouteTemplate,
    "method": _one_of(METHODS),
    "operator": lambda value: type(value) is OperatorWords,
    "at": _line_of_ours,
    **dict.fromkeys(("count", "size", "seconds", "attempt", "status", "fraction", "dropped"), _number),
}
"""Field -> whether a value may be written."""


def only_listed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Let through what is on the lists; the last thing that happens to an event before it is written."""
    listed = {field: value for field, value in event.items() if field in FIELDS and FIELDS[field](value)}
    if "event" not in listed:
        listed["event"] = UNLISTED
    dropped = len(event.keys() - listed.keys()) + (listed["event"] == UNLISTED != event.get("event"))
    return listed | ({"dropped": dropped} if dropped else {})


def _told_by_class(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception as its class, its code and where in our code it happened."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) and len(given) == 3 else given
    if not isinstance(error, BaseException):
        return event
    event["error"] = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _CLASSES)
    if isinstance(error, errors.TapeReviewError):
        event["code"] = error.code
    lines = [f"{frame.f_globals.get('__name__')}:{line}" for frame, line in traceback.walk_tb(error.__traceback__)]
    if ours := [line for line in lines if _line_of_ours(line)]:
        event["at"] = ours[-1]
    return event


class _Libraries(logging.Handler):
    """Reduce what other packages log to its level and the class of its exception."""

    def emit(self, record: logging.LogRecord) -> None:
        event = {"library": record.name.partition(".")[0], "exc_info": record.exc_info}
        level = record.levelname.lower() if record.levelname.lower() in _LEVELS else "info"
        getattr(get(), level)("library", **event)


def get() -> Any:
    """The logger: ``get().info("job.stage", job_id=job.id, stage="tag")``. Silent until `configure` is called."""
    return _logger(_out.stream)


def of_requests() -> Any:
    """The logger of requests: where it has no file of its own, they stand among the others."""
    return _logger(_out.requests or _out.stream)


def _logger(stream: TextIO) -> Any:
    return structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            _told_by_class,
            only_listed,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )


def configure(stream: TextIO) -> None:
    """Write logs to a stream, one JSON object a line; other packages' warnings among them, in place of their own."""
    _out.stream = stream
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(_Libraries())
    root.setLevel(logging.WARNING)


@contextmanager
def to_file(path: Path, requests: Path | None = None) -> Iterator[None]:
    """Write logs to the end of a file that its owner alone reads; what is there is set aside whenever it is large.

    Requests go to another file where one is named: strangers who make many of them push no other line out.

    Raises
    ------
    VaultError: V08 the file cannot be written.
    """
    before = _out.stream, _out.requests
    with ExitStack() as opened:
        streams = []
        for each in filter(None, (path, requests)):
            with writable(each):
                streams.append(opened.enter_context(closing(_File(each))))
        configure(cast(TextIO, streams[0]))
        _out.requests = cast(TextIO, streams[1]) if requests else None
        try:
            yield
        finally:
            _out.stream, _out.requests = before


class _File(io.TextIOBase):
    """A log of which no more is kept than twice `LARGE`, whatever strangers make the program write."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = self._opened()

    def write(self, text: str) -> int:
        """Add a text; a disk that takes none stops nobody's work."""
        with suppress(OSError):
            if text != "\n" and os.fstat(self._handle).st_size > LARGE:
                os.close(self._handle)
                self._handle = self._opened()
            os.write(self._handle, text.encode(errors="replace"))
        return len(text)

    def close(self) -> None:
        """End it."""
        if not self.closed:
            os.close(self._handle)
        super().close()

    def _opened(self) -> int:
        if self._path.exists() and self._path.stat().st_size > LARGE:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


class _Nowhere(io.TextIOBase):
    """Where logs go that nobody asked for."""

    def write(self, text: str) -> int:
        return len(text)


class _Out:
    """Where logs go."""

    stream: TextIO = cast(TextIO, _Nowhere())
    requests: TextIO | None = None


_out = _Out()
