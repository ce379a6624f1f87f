"""`tape-review serve`: the review room."""

from __future__ import annotations

import socket
import sys
from contextlib import nullcontext, suppress
from typing import Annotated
from urllib.parse import urlsplit

import typer

from pipeline.cli._shared.options import Config, Home, Profile
from pipeline.errors import ReviewError

TLS = """\
Only this machine can reach it. For others, put a server with TLS in front, for example Caddy, with the two lines
    review.example.org
    reverse_proxy 127.0.0.1:{port}
in its Caddyfile, or nginx with a certificate and, in its `location /`,
    proxy_pass http://127.0.0.1:{port};
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr;
    client_max_body_size 0;
    proxy_request_buffering off;
then set review.address to "https://review.example.org" and review.trusted_proxies to ["127.0.0.1"], so that wrong
passwords are counted by who sent them (`tape-review config` shows where settings come from)."""

NO_TLS = """\
{address} is not encrypted on its way: whoever is in between can read and hear everything. For others, put a server with
TLS in front, and set review.address to its https address."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve(
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address to listen on. It overrides review.host.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="The port to listen on. It overrides review.port.")
    ] = None,
    with_worker: Annotated[
        bool, typer.Option("--with-worker/--without-worker", help="Whether to work on submitted tapes as well.")
    ] = True,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show the log here. Otherwise it goes to serve.log in the home.")
    ] = False,
    home: Home = None,
    profile: Profile = None,
    config: Config = None,
) -> None:
    """Open the review room in a browser, where members submit tapes, listen, code and give feedback.

    It listens on this machine only, unless review.address names the address that others use. As long as there is no
    administrator, it prints a link that sets up the room and works once.
    """
    from pipeline.cli._shared.home_access import open_home, settings_with_home
    from pipeline.tapes import logs

    settings = settings_with_home(profile, config, home)
    review = settings.review.model_copy(
        update={"host": host or settings.review.host, "port": port or settings.review.port}
    )
    settings = settings.model_copy(update={"review": review})
    if review.host not in _LOOPBACK and not review.address:
        value, remedy = "can be reached by others, who would find no address", "set review.address to what they type"
        raise ReviewError("R07", f"host {review.host}", value, remedy)
    with open_home(home, config, profile) as tapes_home:
        import uvicorn

        from pipeline.review.app import create, proxies
        from pipeline.review.auth.invitations import setup_link
        from pipeline.review.middleware.connection import Connection
        from pipeline.tapes.clock import now
        from pipeline.tapes.jobs.worker import Worker

        application = create(tapes_home, settings)
        address = application.state.context.address
        if verbose:
            logs.configure(sys.stderr)
        with (
            listening(review.host, review.port) as ours,  # first: a link ends the one before, which another server gave
            nullcontext() if verbose else logs.to_file(tapes_home.folder / "serve.log"),
            Worker(tapes_home, settings) if with_worker else nullcontext(),
        ):
            typer.echo(f"The review room is at {address}")
            if link := setup_link(tapes_home, now()):
                typer.echo(f"Set it up with this link; it works once, for an hour: {address}{link}")
            if without_tls(address):
                typer.echo(NO_TLS.format(address=address))
            if not settings.review.address:
                typer.echo(TLS.format(port=review.port))
            server = uvicorn.Config(
                application,
                http=Connection.behind(proxies(settings)),
                loop="asyncio",
                log_level="warning",
                access_log=False,  # addresses hold tokens and ids
                log_config=None,  # its own would write out errors' messages, which may hold words of a client
                server_header=False,
                proxy_headers=False,  # the application reads them, from the proxies that the settings name
            )
            with suppress(KeyboardInterrupt):
                uvicorn.Server(server).run(sockets=[ours])


def without_tls(address: str) -> bool:
    """Whether what goes to an address can be read on its way; what stays on this machine cannot."""
    parts = urlsplit(address)
    return parts.scheme != "https" and parts.hostname not in _LOOPBACK


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises
    ------
    ReviewError: R07 another program has the port, or there is no such place to listen.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "it is not a port"
        remedy = "is the room open already? Else give another one with --port"
        raise ReviewError("R07", f"port {port} of {host}", f"is not available ({reason})", remedy) from error
