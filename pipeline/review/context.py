"""The services that every request may use: the home, the settings, and what the application holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from starlette.requests import HTTPConnection

from pipeline.review.consensus.live import LiveTables

if TYPE_CHECKING:  # the services use this module themselves
    from pipeline.review.auth.credentials import OneTimeCodes, Passwords
    from pipeline.review.auth.oidc_provider import Provider
    from pipeline.review.auth.sessions import Sessions
    from pipeline.review.mail.mailer import Mailer
    from pipeline.review.middleware.decision_audit import Decisions
    from pipeline.review.network.reach import Reach
    from pipeline.review.operation.metrics import Metrics
    from pipeline.review.operation.probes import Readiness
    from pipeline.settings import Settings
    from pipeline.tapes.clock import Clock
    from pipeline.tapes.home import Home


@dataclass(slots=True)
class Context:
    """The services of one application.

    ``address`` is what is typed to get to this application, ``https`` whether it is encrypted, and ``origins`` are the
    origins that our own forms come from. ``reach`` is how others get to the room: on its own computer by another
    address, or not at all. ``mailer`` is None where the settings name no mail server, ``metrics`` where they want none.
    ``simulated`` is whether the home is a simulated one; None until somebody is in it. ``oidc`` is None where the
    settings name no organization to sign in with.
    """

    home: Home
    settings: Settings
    sessions: Sessions
    passwords: Passwords
    codes: OneTimeCodes
    clock: Clock
    address: str
    https: bool
    decisions: Decisions
    origins: frozenset[str]
    oidc: Provider | None
    reach: Reach
    mailer: Mailer | None
    readiness: Readiness
    metrics: Metrics | None
    metrics_token: str
    simulated: bool | None = None
    live: LiveTables = field(default_factory=LiveTables)


def context_of(request: HTTPConnection) -> Context:
    """Return the context of the application that the request came to."""
    return cast("Context", request.app.state.context)
