"""`/metrics`: figures for Prometheus, without a word, a name or an id of anything.

They are for this machine alone, for the addresses that the settings name, and for whoever has the token; for all others
there is no such page. What a proxy sends from this machine is not this machine's.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException

from pipeline.errors import SettingsError, TapesError
from pipeline.review.context import context_of
from pipeline.review.middleware.request_watch import AnsweredRequest
from pipeline.review.network.reach import is_loopback
from pipeline.settings import MonitoringSettings
from pipeline.tapes.checks import figures

router = APIRouter()
disable_created_metrics()  # type: ignore[no-untyped-call]  # no times of anybody's requests

SHORTEST = 20
"""Characters of a token: nobody guesses so many, and there is no limit on tries."""

_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
"""Headers by which a proxy says that somebody else asks."""


class Metrics:
    """The figures of one process, in a registry of their own.

    Parameters
    ----------
    read: looks up the home's figures, whenever they are asked for.

    Attributes
    ----------
    waiting: each tells how many decisions are counted and not written to the audit yet.
    """

    def __init__(self, read: Callable[[], figures.Figures]) -> None:
        self.waiting: list[Callable[[], int]] = []
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "tape_review_requests",
            "Answers to requests, by the template of their route.",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._registry.register(_HomeFigures(read, self.waiting))

    def count(self, request: AnsweredRequest) -> None:
        """Count an answer."""
        self._requests.labels(request.route or "none", request.method, str(request.status)).inc()

    def text(self) -> bytes:
        """All figures as Prometheus reads them."""
        return generate_latest(self._registry)


class _HomeFigures(Collector):
    """Figures that are read from the records when somebody asks."""

    def __init__(self, read: Callable[[], figures.Figures], waiting: Sequence[Callable[[], int]]) -> None:
        self._read, self._waiting = read, waiting

    def describe(self) -> list[Metric]:
        """Nothing: to register is no reason to read the records."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Each figure; without the records, that they cannot be read."""
        try:
            home: figures.Figures | None = self._read()
        except TapesError:
            home = None
        yield _gauge("records_readable", "Whether the database answers.", home is not None)
        waiting = sum(count() for count in self._waiting)
        yield _gauge("audit_waiting_decisions", "Decisions counted and not in the audit yet.", waiting)
        if home is None:
            return
        jobs = GaugeMetricFamily("tape_review_jobs", "Jobs by state.", labels=["state"])
        for state, count in home.jobs.items():
            jobs.add_metric([state], count)
        failures = GaugeMetricFamily("tape_review_failed_jobs", "Jobs that stand failed, by code.", labels=["code"])
        for code, count in home.failures.items():
            failures.add_metric([code], count)
        stages = HistogramMetricFamily("tape_review_stage_seconds", "How long stages took.", labels=["stage"])
        for stage, histogram in home.stages.items():
            buckets = [(f"{bound}.0", count) for bound, count in histogram.at_most.items()]
            stages.add_metric([stage], [*buckets, ("+Inf", histogram.count)], histogram.seconds)
        yield from (jobs, failures, stages)
        yield _gauge("workers", "Workers that are alive.", home.workers)
        lag = "Seconds since the tape that is due for longest should have been destroyed."
        yield _gauge("destruction_lag_seconds", lag, home.destruction_lag)
        yield _gauge("audit_lag_rows", "Rows of the audit that its copy does not vouch for yet.", home.audit_lag)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"tape_review_{name}", text, value=float(value))


@router.get("/metrics")
def metrics(request: Request) -> Response:
    """The figures, for those who may read them."""
    room = context_of(request)
    if room.metrics is None or not _may_read(request, room.settings.monitoring, room.metrics_token):
        raise HTTPException(404)
    return Response(room.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _may_read(request: Request, monitoring: MonitoringSettings, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if token and scheme.lower() == "bearer" and secrets.compare_digest(given.strip().encode(), token.encode()):
        return True
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    if any(address in ip_network(network) for network in monitoring.metrics_readers):
        return True
    return is_loopback(host) and not any(name in request.headers for name in _FORWARDED)


def token_of(monitoring: MonitoringSettings) -> str:
    """The token that the settings name a file of; "" where they name none.

    Raises
    ------
    SettingsError: S03 the file cannot be read, or its token can be guessed.
    """
    if not monitoring.metrics_token_file:
        return ""
    name = "setting 'monitoring.metrics_token_file'"
    try:
        token = Path(monitoring.metrics_token_file).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("S03", name, "names a file that cannot be read", "put the token there") from error
    if len(token) < SHORTEST:
        raise SettingsError("S03", name, f"holds fewer than {SHORTEST} characters", "make one: `openssl rand -hex 32`")
    return token
