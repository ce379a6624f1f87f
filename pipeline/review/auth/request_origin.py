"""Where a request comes from: an address, and a device that is known again by a cookie of its own.

Whoever signed in from a place before is not taken for a stranger there, so that a stranger's guesses do not hinder
the owner of an account. The cookie lets nobody in: it only counts guesses apart from those of others.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from pipeline.review.auth import cookies
from pipeline.review.auth.cookies import DEVICE
from pipeline.review.auth.credentials import token, token_hash
from pipeline.review.context import context_of
from pipeline.tapes.clock import DAY
from pipeline.tapes.db.records import KnownPlace, Person

KEPT = 180 * DAY
"""How long an origin is known, in ms, after the last sign-in from there."""

_NETWORK = 64
"""Bits of an IPv6 address that one customer of a provider has; the others are theirs to choose."""


@dataclass(frozen=True)
class Origin:
    """An address, as far as it tells senders apart, and the token of the device; empty for an unknown browser."""

    address: str
    device: str


def of(request: Request) -> Origin:
    """Where a request comes from. The address is what a trusted proxy says, else the other end of the connection."""
    host = request.client.host if request.client else ""
    return Origin(told_apart(host), cookies.read(request, DEVICE) or "")


def knows_device(database: Session, account: str, origin: Origin, now: int) -> bool:
    """Whether the owner of an account signed in with this device before."""
    return bool(origin.device) and _knows(database, _key("device", account, origin.device), now)


def knows_address(database: Session, account: str, origin: Origin, now: int) -> bool:
    """Whether the owner of an account signed in from this address before."""
    return _knows(database, _key("address", account, origin.address), now)


def remember(request: Request, answer: Response, person: Person, now: int) -> None:
    """Remember where a person signed in, second step included."""
    origin, room = of(request), context_of(request)
    device = origin.device or token()
    with room.home.database.writing() as database:
        database.execute(delete(KnownPlace).where(KnownPlace.seen_at <= now - KEPT))
        for kind, value in (("device", device), ("address", origin.address)):
            database.merge(KnownPlace(key_hash=_key(kind, person.email, value), person_id=person.id, seen_at=now))
    cookies.give(request, answer, DEVICE, device, KEPT)


def forget(database: Session, person_id: str) -> None:
    """Take every place for a stranger's: the password was changed."""
    database.execute(delete(KnownPlace).where(KnownPlace.person_id == person_id))


def told_apart(host: str) -> str:
    """An address, as far as it tells senders apart: of IPv6 the network, of which the sender picks addresses."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _NETWORK), strict=False))


def _knows(database: Session, key_hash: str, now: int) -> bool:
    seen = select(KnownPlace.key_hash).where(KnownPlace.key_hash == key_hash, KnownPlace.seen_at > now - KEPT)
    return database.scalar(seen) is not None


def _key(kind: str, account: str, value: str) -> str:
    return token_hash(f"{kind} {account.strip().lower()} {value}")
