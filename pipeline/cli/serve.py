"""`tape-review serve`: the review room."""

from __future__ import annotations

import socket
import sys
import webbrowser
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli._shared.options import Config, Home, Profile

if TYPE_CHECKING:
    from pipeline.review.network.reach import Reach
    from pipeline.settings import Settings

ALONE = """\
Only this computer can reach it. To let your group in over the local network, stop it and run
    tape-review serve --for-my-group
For the internet, put a server with TLS in front, for example Caddy, with the two lines
    review.example.org
    reverse_proxy 127.0.0.1:{port}
in its Caddyfile, or nginx with a certificate and, in its `location /`,
    proxy_pass http://127.0.0.1:{port};
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    client_max_body_size 0;
    proxy_request_buffering off;
then set review.address to "https://review.example.org" and review.trusted_proxies to ["127.0.0.1"], so that wrong
passwords are counted by who sent them (`tape-review config` shows where settings come from)."""

DEVICES = """\
Before people sign in, each device installs the room's certificate once, from
    {address}/certificate
Until then the browser warns that it does not know the room. The fingerprint of the right certificate is
    {fingerprint}"""

FIREWALL = """\
If this computer asks whether Python or Tape Review may accept incoming connections, answer Allow, for private networks
only. If others still cannot open the address, allow TCP port {port} in the firewall: on Ubuntu
`sudo ufw allow {port}/tcp`, on Fedora `sudo firewall-cmd --add-port={port}/tcp`."""


def serve(
    for_my_group: Annotated[
        bool,
        typer.Option(
            "--for-my-group", help="Let the local network in, encrypted. It prints the address and a QR code."
        ),
    ] = False,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address to listen on. It overrides review.host.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="The port to listen on. It overrides review.port.")
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the room in the browser, and make a home first if there is none.")
    ] = False,
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

    It listens on this machine only, unless you add --for-my-group or review.address names the address that others use.
    As long as there is no administrator, it prints a link that sets up the room and works once.
    """
    from pipeline.cli._shared.home_access import open_home, settings_with_home, warn_of_little_memory
    from pipeline.cli._shared.interruption import signals_raised
    from pipeline.review.network.reach import require_encrypted, stays_here
    from pipeline.tapes import logs

    settings = settings_with_home(profile, config, home)
    review = settings.review.model_copy(
        update={"host": host or settings.review.host, "port": port or settings.review.port}
    )
    settings = settings.model_copy(update={"review": review})
    if review.address:
        require_encrypted(review.address)
    if open_browser and _is_open(review.port):
        typer.echo("The review room is open already.")
        webbrowser.open(f"http://127.0.0.1:{review.port}")
        return
    if open_browser:
        _make_home(settings)
    # Asked to end, by systemd or a container's host too, it ends as on Ctrl-C: its worker gives back what is under way.
    with signals_raised(), open_home(home, config, profile) as tapes_home:
        from pipeline.review import doors
        from pipeline.review.auth.invitations import setup_link
        from pipeline.tapes.clock import now
        from pipeline.tapes.jobs.worker import Worker

        warn_of_little_memory(tapes_home)
        itself = for_my_group or doors.encrypts(settings)
        if verbose:
            logs.configure(sys.stderr)
        requests = tapes_home.folder / "requests.log" if settings.monitoring.request_log else None
        with (
            # First: a link ends the one before, which another server gave.
            (doors.encrypted if itself else doors.behind_a_proxy)(tapes_home, settings) as room,
            nullcontext() if verbose else logs.to_file(tapes_home.folder / "serve.log", requests),
            Worker(tapes_home, settings) if with_worker else nullcontext(),
        ):
            typer.echo(f"The review room is at {room.reach.address or room.here}")
            if link := setup_link(tapes_home, now()):
                where = " on this computer" if stays_here(room.here) else ""
                typer.echo(f"Set it up{where} with this link; it works once, for an hour: {room.here}{link}")
            if itself:
                typer.echo(_for_others(room.here, room.reach))
            elif not room.reach.address:
                typer.echo(ALONE.format(port=review.port))
            if open_browser:
                webbrowser.open(f"{room.here}{link or ''}")  # the socket listens already: the browser waits for us
            with suppress(KeyboardInterrupt):
                room.run()


def _is_open(port: int) -> bool:
    """Whether something on this computer answers at a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2):
        return True
    return False


def _make_home(settings: Settings) -> None:
    """Make a home whose first administrator is whoever follows the link, unless there is one."""
    from pipeline.review.network import local_network
    from pipeline.review.network.authority import Authority
    from pipeline.tapes.clock import now
    from pipeline.tapes.home import Home, folder_of

    if (folder_of(settings.tapes) / "keys" / "audit.key").exists():
        return
    created, network = Home.create(settings.tapes), local_network.current()
    try:
        Authority.of(created, now(), network.addresses, network.host)
    finally:
        created.close()


def _for_others(here: str, reach: Reach) -> str:
    """Return the address, the QR code and the advice for the host of a room that encrypts by itself."""
    from pipeline.review.network.reach import qr_text

    lines = [f"On this computer it is also at {here}"]
    lines += [f"Others find it at {', '.join(reach.others)} as well."] if reach.others else []
    lines += [qr_text(reach.certificate_page or reach.address)]
    if reach.fingerprint:
        lines += [DEVICES.format(address=reach.address, fingerprint=reach.fingerprint)]
    return "\n".join([*lines, FIREWALL.format(port=reach.port)])
