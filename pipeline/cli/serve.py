"""`tape-review serve`: the review room."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Annotated

import typer

from pipeline.cli.options import Config, Home, Profile

TLS = """\
Only this machine can reach it. For others, put a server with TLS in front, for example Caddy, with the two lines
    review.example.org
    reverse_proxy 127.0.0.1:{port}
in its Caddyfile, or nginx with `proxy_pass http://127.0.0.1:{port}; proxy_request_buffering off;` and a certificate;
then set review.address to "https://review.example.org" (`tape-review config` shows where settings come from)."""


def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen, if not where the settings say.")] = None,
    port: Annotated[int | None, typer.Option(help="At which port, if not the settings' own.")] = None,
    with_worker: Annotated[
        bool, typer.Option("--with-worker/--without-worker", help="Work on handed-in tapes as well.")
    ] = True,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show the log here; else it goes to serve.log in the home.")
    ] = False,
    home: Home = None,
    profile: Profile = None,
    config: Config = None,
) -> None:
    """Open the review room in a browser: hand in tapes, listen, code, and talk about them.

    It listens on this machine alone. While nobody administers the room, a link is printed that sets it up, once.
    """
    from pipeline.cli.homes import chosen, opened
    from pipeline.tapes import logs

    settings = chosen(profile, config, home)
    place = settings.review.model_copy(
        update={"host": host or settings.review.host, "port": port or settings.review.port}
    )
    settings = settings.model_copy(update={"review": place})
    with opened(home, config, profile) as found:
        import uvicorn

        from pipeline.review.access.invitations import setup_link
        from pipeline.review.app import create
        from pipeline.review.connection import Connection
        from pipeline.tapes.clock import now
        from pipeline.tapes.worker import Worker

        application = create(found, settings)
        address = application.state.address
        link = setup_link(found, now())
        if verbose:
            logs.configure(sys.stderr)
        with (
            nullcontext() if verbose else logs.kept(found.folder / "serve.log"),
            Worker(found, settings) if with_worker else nullcontext(),
        ):
            typer.echo(f"The review room is at {address}")
            if link:
                typer.echo(f"Set it up with this link; it works once, for an hour: {address}{link}")
            if not settings.review.address:
                typer.echo(TLS.format(port=place.port))
            uvicorn.run(
                application,
                host=place.host,
                port=place.port,
                http=Connection,
                loop="asyncio",
                log_level="warning",
                access_log=False,  # addresses hold tokens and ids
                log_config=None,  # its own would write out errors' messages, which may hold words of a client
                server_header=False,
            )
