"""The room's own certificate authority: one for each home, which members install once on each of their devices.

Whoever installs it trusts whatever it signs. So it may sign little: name constraints limit it to private networks, to
names that no public site has, and to the addresses that this computer had when it was made. It signs no further
authority and nothing but servers. Its key lies in the home, sealed with the home's own key.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pipeline.errors import ReviewError
from pipeline.tapes.clock import DAY
from pipeline.tapes.home import Home
from pipeline.tapes.vault.atomic_files import published
from pipeline.tapes.vault.vault import HOME

Address = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

NAME = "authority.json"
"""Its file in the home's folder of keys: the certificate, and the sealed key."""

LASTS, SERVER_LASTS = 3650 * DAY, 30 * DAY
"""How long its own certificate lasts, and a server's, in ms."""

RENEWED = 10 * DAY
"""A server's certificate is renewed once it has no more than this left."""

PRIVATE: tuple[IPNetwork, ...] = tuple(
    ip_network(text)
    for text in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
        *("fc00::/7", "fe80::/10", "::1/128"),
    )
)
"""Networks that are nobody's on the internet; 100.64.0.0/10 is that of tailnets."""

DOMAINS = ("local", "localhost", "home.arpa", "internal", "lan", "ts.net")
"""Below these are names of local networks and of tailnets."""

_COLUMN = "authority.key"
_EARLY = DAY
"""Devices' clocks are wrong: certificates begin a day before they are made."""


@dataclass(frozen=True)
class Authority:
    """The authority with its key, so that it can sign."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def of(cls, home: Home, now: int, addresses: Sequence[Address] = (), host: str = "") -> Authority:
        """The home's authority; made where there is none, or where its time is over.

        Parameters
        ----------
        addresses, host: what the computer has now, which a new authority may sign for besides private networks.

        Raises
        ------
        VaultError: the master key cannot be had, V02 the file was altered, V08 it cannot be written.
        ReviewError: R12 the file is damaged.
        """
        path = home.keys_folder / NAME
        if not path.exists() or _end(_certificate(path)) < now + SERVER_LASTS:
            authority = cls._created(now, addresses, host)
            try:
                authority._keep(home, path)
            except FileExistsError:
                pass  # another command was faster: its authority counts
            else:
                return authority
        sealed = base64.b64decode(_stored(path)["key"])
        key = serialization.load_der_private_key(home.vault.unseal(HOME, sealed, _COLUMN), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise _damaged(path)
        return cls(_certificate(path), key)

    def covers(self, name: str) -> bool:
        """Whether it may sign for a name or an address of a host."""
        permitted = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
        return any(_is_below(name, subtree) for subtree in permitted or ())

    def issue(self, names: Iterable[str], now: int) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """A server's certificate for those of the names and addresses that it may sign for, with a new key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tape Review room")])
        general = [_general(name) for name in dict.fromkeys(names) if self.covers(name)]
        builder = (
            _begun(subject, self.certificate.subject, key.public_key(), now, min(SERVER_LASTS, self.ends - now))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(general), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256()), key

    @property
    def ends(self) -> int:
        """When its time is over, in ms."""
        return _end(self.certificate)

    @classmethod
    def _created(cls, now: int, addresses: Sequence[Address], host: str) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        shown = f"Tape Review, {host}" if host else "Tape Review"
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, shown[:64])])
        other_addresses = [
            ip_network(address) for address in addresses if not any(address in network for network in PRIVATE)
        ]
        # A bare name is no public site's; a whole public name of this computer is another matter.
        domains = [*DOMAINS, *([host] if host and "." not in host else [])]
        permitted = [
            *(x509.DNSName(domain) for domain in domains),
            *(map(x509.IPAddress, (*PRIVATE, *other_addresses))),
        ]
        certificate = (
            _begun(name, name, key.public_key(), now, LASTS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.NameConstraints(permitted, None), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    def _keep(self, home: Home, path: Path) -> None:
        plain = self.key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        stored = {
            "certificate": pem(self.certificate),
            "key": base64.b64encode(home.vault.seal(HOME, plain, _COLUMN)).decode(),
        }
        with published(path, replace=path.exists()) as file:
            file.write(json.dumps(stored, indent=1).encode())


def certificate_of(home: Home) -> x509.Certificate | None:
    """The certificate of the home's authority, which is no secret; None where there is none yet.

    Raises
    ------
    ReviewError: R12 the file is damaged.
    """
    path = home.keys_folder / NAME
    return _certificate(path) if path.exists() else None


def fingerprint(certificate: x509.Certificate) -> str:
    """The SHA-256 of a certificate as devices show it, in capitals with colons."""
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def pem(certificate: x509.Certificate) -> str:
    """A certificate as text."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: int, lasts: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_moment(now - _EARLY))
        .not_valid_after(_moment(now + lasts))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _is_below(name: str, subtree: x509.GeneralName) -> bool:
    try:
        address = ip_address(name)
    except ValueError:
        return isinstance(subtree, x509.DNSName) and f".{name.lower()}".endswith(f".{subtree.value.lower()}")
    network = subtree.value if isinstance(subtree, x509.IPAddress) else None
    return isinstance(network, IPv4Network | IPv6Network) and address in network


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC)


def _end(certificate: x509.Certificate) -> int:
    return int(certificate.not_valid_after_utc.timestamp() * 1000)


def _stored(path: Path) -> dict[str, str]:
    try:
        stored: dict[str, str] = json.loads(path.read_text(encoding="ascii"))
        return {name: stored[name] for name in ("certificate", "key")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(_stored(path)["certificate"].encode())
    except ValueError as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> ReviewError:
    remedy = "restore it from a backup; or delete it, and everyone installs the new certificate"
    return ReviewError("R12", f"certificate authority {path}", "cannot be read", remedy)
