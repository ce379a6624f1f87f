"""How others get to the room: the address that they type, and whether what they send is encrypted on its way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

import segno

from pipeline.errors import ReviewError

REMEDY = "run `tape-review serve --for-my-group`, which encrypts by itself, or set review.address to an https address"


@dataclass(frozen=True)
class Reach:
    """How others get to a room.

    ``address``: what they type, without a path; "" where only this computer gets to it. ``others``: further addresses
    that work. ``fingerprint``: that of the authority whose certificate their devices need first; "" where they need
    none. ``port``: where the room listens.
    """

    address: str = ""
    others: tuple[str, ...] = ()
    fingerprint: str = ""
    port: int = 0

    @property
    def certificate_page(self) -> str:
        """Where others install the certificate; "" where they need none, or do not get to it."""
        return f"{self.address}/certificate" if self.address and self.fingerprint else ""

    @property
    def picture(self) -> str:
        """A QR code of where others begin, as the address of a picture; "" where they do not get here."""
        return qr_picture(self.certificate_page or self.address) if self.address else ""


def is_loopback(host: str | None) -> bool:
    """Whether a host, as in an address, is this computer itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def stays_here(address: str) -> bool:
    """Whether an address leads whoever types it to their own computer."""
    return is_loopback(urlsplit(address).hostname)


def require_encrypted(address: str) -> None:
    """Refuse an address to which passwords and sound would go as anybody on the way can read them.

    Raises
    ------
    ReviewError: R11.
    """
    if urlsplit(address).scheme != "https" and not stays_here(address):
        value = "would carry passwords and sound unencrypted"
        raise ReviewError("R11", f"address {address}", value, REMEDY)


def origin(scheme: str, name: str, port: int) -> str:
    """An address without a path, as browsers write it: ``https://192.168.1.5:8787``, ``https://[fd00::2]``."""
    host = f"[{name}]" if ":" in name else name
    return f"{scheme}://{host}" + ("" if port == {"https": 443, "http": 80}[scheme] else f":{port}")


def own_origins(address: str, names: Iterable[str] = ()) -> frozenset[str]:
    """Where our own forms come from: the address, the further names, and on loopback this computer's other names."""
    parts = urlsplit(address)
    port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    all_names = {parts.hostname or "", *names}
    if all_names & {"127.0.0.1", "localhost"}:
        all_names |= {"127.0.0.1", "localhost"}
    return frozenset(origin(parts.scheme, name, port) for name in all_names)


def qr_picture(text: str) -> str:
    """A QR code as the address of a picture that pages hold themselves."""
    return segno.make(text, error="m").svg_data_uri(scale=5, dark="#000", light="#fff")


def qr_text(text: str) -> str:
    """A QR code as lines of blocks for a terminal."""
    import io

    lines = io.StringIO()
    segno.make(text, error="l").terminal(lines, compact=True)
    return lines.getvalue()
