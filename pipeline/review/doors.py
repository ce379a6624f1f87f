"""A room that can be served: its sockets, its certificate, and its application, once or twice."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from pipeline.errors import ReviewError
from pipeline.review.app import create, proxies
from pipeline.review.context import Context
from pipeline.review.mail.notices import sending
from pipeline.review.middleware.connection import Connection
from pipeline.review.middleware.doorway import ByScheme, Doors
from pipeline.review.network import authority, local_network
from pipeline.review.network.local_network import LocalNetwork
from pipeline.review.network.reach import Reach, is_loopback, origin, own_origins, stays_here
from pipeline.review.network.server_certificate import EVERY, FromFiles, ServerCertificate, SignedHere, kept_fresh
from pipeline.settings import Settings
from pipeline.tapes.clock import Clock, now
from pipeline.tapes.home import Home


@dataclass(frozen=True)
class OpenRoom:
    """A room that can be served: where this computer and others get to it, and the server."""

    here: str
    reach: Reach
    server: uvicorn.Config
    sockets: tuple[socket.socket, ...]
    context: Context

    def run(self) -> None:
        """Serve until the program is interrupted."""
        with sending(self.context):
            uvicorn.Server(self.server).run(sockets=list(self.sockets))


@contextmanager
def behind_a_proxy(home: Home, settings: Settings) -> Iterator[OpenRoom]:
    """A room in plain HTTP, for this computer, and for the servers with TLS in front that the settings name.

    Raises
    ------
    ReviewError: R07 the address cannot be used, R11 others would get to it unencrypted.
    """
    review = settings.review
    if not is_loopback(review.host):
        if not review.address:
            value = "can be reached by others, who would find no address"
            raise ReviewError("R07", f"host {review.host}", value, "set review.address to what they type")
        if not review.trusted_proxies:
            value = "can be reached by others, who would send passwords and sound unencrypted"
            remedy = "name the server with TLS in review.trusted_proxies, or run `tape-review serve --for-my-group`"
            raise ReviewError("R11", f"host {review.host}", value, remedy)
    application = create(home, settings)
    trusted = proxies(settings)

    def admits(host: str) -> bool:
        return is_loopback(host) or host in trusted

    room = application.state.context
    with _listening([review.host], review.port) as sockets:
        server = _server(application, Connection.behind(trusted, admits))
        yield OpenRoom(room.address, room.reach, server, sockets, room)


@contextmanager
def encrypted(
    home: Home,
    settings: Settings,
    clock: Clock = now,
    network: Callable[[], LocalNetwork] = local_network.current,
    every: float = EVERY,
) -> Iterator[OpenRoom]:
    """A room that encrypts by itself: with the certificate of the settings, else with its own authority's.

    Without a certificate of the settings it is for the networks that this computer is on.

    Parameters
    ----------
    network: where this computer is. every: seconds between two looks at that, and at the certificate.

    Raises
    ------
    ReviewError: R07 the address cannot be used, R11 the address is not https, R12 the certificate cannot be used, or
        this computer is on no network.
    """
    review = settings.review
    certificate: ServerCertificate
    if review.certificate_file or review.certificate_key_file:
        certificate = FromFiles(Path(review.certificate_file), Path(review.certificate_key_file))
        if not review.address:
            remedy = "set review.address to the https address that it is for"
            raise ReviewError("R12", f"certificate {review.certificate_file}", "needs an address", remedy)
        rooms = _Rooms(home, settings, lambda: Reach(review.address, port=review.port), lambda: (), clock)
        hosts = [review.host]

        def admits(host: str) -> bool:
            return True

    else:
        latest = [network()]  # of the last look, so that no connection waits for one
        current = latest[0]
        signer = authority.Authority.of(home, clock(), current.addresses, current.host)
        wanted = urlsplit(review.address).hostname
        if wanted and not signer.covers(wanted):
            value = "is no name or address of a local network, for which this room's own authority could sign"
            remedy = "leave review.address empty, or set review.certificate_file to a certificate for it"
            raise ReviewError("R12", f"address {review.address}", value, remedy)

        def names() -> tuple[str, ...]:
            latest[0] = network()
            given = [*([wanted] if wanted else []), *latest[0].names, "localhost", "127.0.0.1", "::1"]
            return tuple(name for name in dict.fromkeys(given) if signer.covers(name))

        def reach() -> Reach:
            outside = [origin("https", name, review.port) for name in names() if not is_loopback(name)]
            addresses = tuple(dict.fromkeys([*([review.address] if review.address else []), *outside]))
            if not addresses:
                remedy = "connect it to the group's network, and start again"
                raise ReviewError("R12", "this computer", "is on no network that others could use", remedy)
            return Reach(addresses[0], addresses[1:], authority.fingerprint(signer.certificate), review.port)

        rooms = _Rooms(home, settings, reach, names, clock)
        certificate = SignedHere(signer, names, clock())
        hosts = ["0.0.0.0", *(["::"] if socket.has_ipv6 else [])]  # noqa: S104 - who is near is looked at below

        def admits(host: str) -> bool:
            return latest[0].is_near(host)

    doors = Doors(certificate, admits, lambda: rooms.reach.address, proxies(settings))
    with ExitStack() as stack:
        sockets = stack.enter_context(_listening(hosts, review.port))
        stack.enter_context(kept_fresh(certificate, clock, rooms.renew, every))
        stack.callback(rooms.flush)
        server = _server(ByScheme(rooms.for_others, rooms.here), doors)
        server.lifespan = "off"
        yield OpenRoom(f"http://127.0.0.1:{review.port}", rooms.reach, server, sockets, rooms.for_others.state.context)


class _Rooms:
    """The application twice over one home: for others, and for this computer without TLS."""

    def __init__(
        self,
        home: Home,
        settings: Settings,
        reach: Callable[[], Reach],
        names: Callable[[], tuple[str, ...]],
        clock: Clock,
    ) -> None:
        self._find_reach, self._names = reach, names
        self.reach = reach()
        self.for_others = create(home, settings, address=self.reach.address, reach=self.reach, clock=clock)
        here = f"http://127.0.0.1:{settings.review.port}"
        self.here = create(home, settings, address=here, reach=self.reach, clock=clock, beside=self.for_others)
        self.renew()

    def renew(self) -> None:
        """Take over the names that the computer has now."""
        reach = self._find_reach()
        room = self.for_others.state.context
        room.address, room.origins = reach.address, own_origins(reach.address, self._names())
        for application in (self.for_others, self.here):
            application.state.context.reach = reach
        self.reach = reach

    def flush(self) -> None:
        """Write what was counted."""
        for application in (self.for_others, self.here):
            application.state.context.decisions.flush()


def encrypts(settings: Settings) -> bool:
    """Whether the settings have the room encrypt by itself."""
    return bool(settings.review.certificate_file or settings.review.certificate_key_file)


def is_for_this_computer(settings: Settings) -> bool:
    """Whether only this computer gets to a room of these settings, as far as they tell."""
    return not settings.review.address or stays_here(settings.review.address)


def _server(application: FastAPI | ByScheme, protocol: type[Connection] | Doors) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=protocol,  # type: ignore[arg-type]
        loop="asyncio",
        log_level="warning",
        access_log=False,  # addresses hold tokens and ids
        log_config=None,  # its own would write out errors' messages, which may hold words of a client
        server_header=False,
        timeout_graceful_shutdown=5,  # the streams of "Together, apart" end by themselves with their viewers alone
        proxy_headers=False,  # the application reads them, from the proxies that the settings name
    )


@contextmanager
def _listening(hosts: list[str], port: int) -> Iterator[tuple[socket.socket, ...]]:
    """Sockets that listen there.

    Raises
    ------
    ReviewError: R07 another program has the port, or there is no such place to listen.
    """
    with ExitStack() as stack:
        yield tuple(stack.enter_context(_socket(host, port)) for host in hosts)


def _socket(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "it is not a port"
        remedy = "is the room open already? Else give another one with --port"
        raise ReviewError("R07", f"port {port} of {host}", f"is not available ({reason})", remedy) from error
