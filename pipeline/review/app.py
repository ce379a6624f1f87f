"""The application: what every request passes, and the routers.

::

    request -> host -> headers -> route -> who is looking -> token (CSRF) -> page

A body is read last, and only where it opens (`body_limit`): by then its sender is known, and that it is no other site.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Container
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

from fastapi import APIRouter, Depends, FastAPI
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from pipeline.review import dashboard, errors, first_steps
from pipeline.review.assets import Assets
from pipeline.review.auth import (
    account,
    administration,
    csrf,
    invitations,
    login,
    oidc,
    oidc_provider,
    passkey_pages,
    presence,
)
from pipeline.review.auth.credentials import OneTimeCodes, Passwords
from pipeline.review.auth.sessions import Sessions
from pipeline.review.coach import group_overview_page
from pipeline.review.coach import routes as coach
from pipeline.review.coding import definition_routes, name_routes, note_routes, rating_routes
from pipeline.review.coding import routes as coding
from pipeline.review.consensus import live_routes
from pipeline.review.consensus import routes as consensus
from pipeline.review.context import Context
from pipeline.review.mail.mailer import Mailer
from pipeline.review.meetings import calendar_feed, group_page
from pipeline.review.meetings import routes as meetings
from pipeline.review.meetings import terms as group_terms
from pipeline.review.middleware.body_limit import BodyLimit
from pipeline.review.middleware.decision_audit import Decided, Decisions
from pipeline.review.middleware.headers import Headers
from pipeline.review.middleware.hosts import KnownHosts
from pipeline.review.middleware.request_watch import RequestWatch, Watcher, write_log
from pipeline.review.network import authority, certificate_page
from pipeline.review.network.reach import Reach, own_origins, require_encrypted, stays_here
from pipeline.review.operation import metrics, probes
from pipeline.review.operation.metrics import Metrics
from pipeline.review.operation.probes import Readiness
from pipeline.review.practice import routes as practice
from pipeline.review.reflection import feedback, growth, interviewer_first, summary
from pipeline.review.tapes import destroyed, tape_page, voices
from pipeline.review.upload import (
    consent_sheet,
    drafts,
    files_page,
    permission,
    receiving,
    suggestion_routes,
    transcript_routes,
)
from pipeline.settings import Settings
from pipeline.tapes.checks import figures, readiness
from pipeline.tapes.clock import Clock, now
from pipeline.tapes.home import Home

ROUTERS: tuple[APIRouter, ...] = (
    *(login.router, oidc.router, invitations.router, account.router, administration.router),
    *(passkey_pages.router, certificate_page.router, metrics.router),
    *(
        dashboard.router,
        first_steps.router,
        presence.router,
        drafts.router,
        files_page.router,
        receiving.router,
        transcript_routes.router,
        suggestion_routes.router,
        permission.router,
        consent_sheet.router,
        destroyed.router,
        tape_page.router,
        voices.router,
    ),
    *(interviewer_first.router, feedback.router, summary.router),
    *(meetings.router, calendar_feed.router, group_page.router, group_terms.router, growth.router),
    *(
        coding.router,
        consensus.router,
        live_routes.router,
        name_routes.router,
        note_routes.router,
        rating_routes.router,
        definition_routes.router,
    ),
    practice.router,
    *(coach.router, group_overview_page.router),
)
"""Every router of the application, one noun each."""


def create(
    home: Home,
    settings: Settings,
    *,
    clock: Clock = now,
    address: str | None = None,
    passwords: Passwords | None = None,
    reach: Reach | None = None,
    beside: FastAPI | None = None,
) -> FastAPI:
    """The application over one home.

    Parameters
    ----------
    address: what is typed to get to it, ``https://review.example.org``; the setting where it is None.
    clock, passwords: the time, and how passwords are hashed; tests hand in their own.
    reach: how others get to the room, where that is not by the address.
    beside: another application of this process over the same home, whose requests are counted with this one's.

    Raises
    ------
    SettingsError: S03 the token for metrics cannot be read.
    ReviewError: R11 others would send passwords and sound to it unencrypted. R13 mails cannot be sent in this way.
    """
    base_url = address or settings.review.address or f"http://{settings.review.host}:{settings.review.port}"
    require_encrypted(base_url)
    https = base_url.startswith("https:")
    decisions = Decisions(home, clock)
    app = FastAPI(
        title="Tape Review",
        lifespan=_flushing(decisions),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(csrf.checked)],
        form_limits={"max_fields": csrf.MOST_FIELDS, "max_files": csrf.MOST_FILES},
    )
    app.state.context = Context(
        home=home,
        settings=settings,
        sessions=Sessions(home, settings.review),
        passwords=passwords or Passwords(),
        codes=OneTimeCodes(home),
        clock=clock,
        address=base_url,
        https=https,
        decisions=decisions,
        origins=own_origins(base_url),
        mailer=Mailer.of(settings.mail),
        readiness=Readiness(lambda: readiness.problems(home, settings.monitoring.least_free_mb << 20)),
        metrics=None,
        metrics_token=metrics.token_of(settings.monitoring),
        reach=reach or _reach(home, base_url, settings.review.port),
        oidc=oidc_provider.provider(settings.review, base_url),
    )
    watchers = _watchers(app, beside)
    errors.install(app)
    # Not through the router of all others, which asks the database who is looking.
    app.router.routes += probes.router.routes
    app.mount("/static", Assets(), "static")
    # As one router: to ask each of them in turn takes a twentieth of a request.
    app.include_router(APIRouter(routes=[route for router in ROUTERS for route in router.routes]))
    app.add_middleware(BodyLimit)
    app.add_middleware(Decided, decisions=decisions)
    app.add_middleware(KnownHosts)
    # Outermost, around the page for unexpected errors too.
    own_authority = https and bool(app.state.context.reach.fingerprint)
    stack: ASGIApp = Headers(app.build_middleware_stack(), https=https, own_authority=own_authority)
    if settings.review.trusted_proxies:
        stack = ProxyHeadersMiddleware(stack, list(settings.review.trusted_proxies))  # type: ignore[arg-type, assignment]
    app.middleware_stack = RequestWatch(stack, watchers) if watchers else stack
    return app


def _watchers(app: FastAPI, beside: FastAPI | None) -> list[Watcher]:
    """Who is told of each request; makes the application's metrics, where the settings want them."""
    room: Context = app.state.context
    watchers: list[Watcher] = [write_log] if room.settings.monitoring.request_log else []
    if room.settings.monitoring.metrics:
        shared: Metrics | None = beside.state.context.metrics if beside else None
        room.metrics = shared or Metrics(lambda: figures.read(room.home, room.clock()))
        room.metrics.waiting.append(room.decisions.waiting)
        watchers.append(room.metrics.count)
    return watchers


def proxies(settings: Settings) -> Container[str]:
    """The addresses that are believed about who sends: the proxies that the settings name, be it by their network."""
    middleware = ProxyHeadersMiddleware(FastAPI(), list(settings.review.trusted_proxies))  # type: ignore[arg-type]
    return cast("Container[str]", middleware.trusted_hosts)


def _flushing(decisions: Decisions) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Write at the end what was counted."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        decisions.flush()

    return lifespan


def _reach(home: Home, address: str, port: int) -> Reach:
    """How others get to a room that has this address."""
    if not stays_here(address):
        return Reach(address, port=port)
    certificate = authority.certificate_of(home)
    return Reach(fingerprint=authority.fingerprint(certificate) if certificate else "", port=port)
