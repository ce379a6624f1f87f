"""The room's own certificate authority: made once, sealed, and able to vouch for little."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pipeline.errors import ReviewError, VaultError
from pipeline.review.network import authority
from pipeline.review.network.authority import LASTS, NAME, SERVER_LASTS, Authority, certificate_of, fingerprint
from pipeline.tapes.backup import backup, restore
from pipeline.tapes.clock import DAY
from pipeline.tapes.home import Home
from tests.review.conftest import home_settings

NOW = 1_800_000_000_000  # 2027-01-15


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def test_it_is_made_once_and_found_again(home: Home) -> None:
    assert certificate_of(home) is None
    made = Authority.of(home, NOW)
    again = Authority.of(home, NOW + 100 * DAY)
    assert again.certificate == made.certificate == certificate_of(home)
    assert again.key.private_numbers() == made.key.private_numbers()
    assert (home.keys_folder / NAME).stat().st_mode & 0o077 == 0
    assert len(fingerprint(made.certificate)) == 32 * 3 - 1


def test_its_key_lies_nowhere_in_the_clear(home: Home) -> None:
    made = Authority.of(home, NOW)
    secret = made.key.private_numbers().private_value.to_bytes(32, "big")
    plain = made.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for path in home.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert secret not in content, path
            assert plain not in content, path


def test_an_authority_whose_time_is_nearly_over_is_followed_by_another(home: Home) -> None:
    first = Authority.of(home, NOW)
    assert Authority.of(home, NOW + LASTS - SERVER_LASTS - DAY).certificate == first.certificate
    assert Authority.of(home, NOW + LASTS - SERVER_LASTS + DAY).certificate != first.certificate


def test_a_file_that_was_altered_is_refused(home: Home) -> None:
    Authority.of(home, NOW)
    path = home.keys_folder / NAME
    stored = json.loads(path.read_text())
    stored["key"] = ("A" if stored["key"][40] != "A" else "B").join((stored["key"][:40], stored["key"][41:]))
    path.write_text(json.dumps(stored))
    with pytest.raises(VaultError, match="TR-V02"):
        Authority.of(home, NOW)
    path.write_text("{")
    with pytest.raises(ReviewError, match="TR-R12"):
        Authority.of(home, NOW)


@pytest.mark.parametrize(
    ("name", "covered"),
    [
        ("192.168.1.5", True),
        ("10.2.3.4", True),
        ("172.31.255.255", True),
        ("172.32.0.1", False),
        ("100.101.102.103", True),
        ("fd12::1", True),
        ("203.0.113.9", True),  # the computer's own when it was made
        ("203.0.113.10", False),
        ("2001:db8::1", False),
        ("8.8.8.8", False),
        ("ada.local", True),
        ("ADA.Local", True),
        ("ada", True),
        ("ada.tail1234.ts.net", True),
        ("ben", False),
        ("evil-local", False),
        ("bank.example.org", False),
        ("local.example.org", False),
    ],
)
def test_it_vouches_for_local_networks_only(home: Home, name: str, covered: bool) -> None:
    signer = Authority.of(home, NOW, [ip_address("203.0.113.9"), ip_address("192.168.1.5")], "ada")
    assert signer.covers(name) is covered


def handshake(
    signer: Authority, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, name: str, folder
) -> str:
    """What OpenSSL says of a handshake: "" where all is well."""
    chain, key_file = folder / "chain.pem", folder / "key.pem"
    chain.write_text(authority.pem(certificate))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    server.load_cert_chain(chain, key_file)
    client.load_verify_locations(cadata=authority.pem(signer.certificate))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname=name)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (here, there):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
    return ""


def test_a_server_s_certificate_is_trusted_for_its_names_and_for_a_month(home: Home, tmp_path) -> None:
    signer = Authority.of(home, int(datetime.now(UTC).timestamp() * 1000))
    now = int(datetime.now(UTC).timestamp() * 1000)
    certificate, key = signer.issue(["192.168.1.5", "ada.local", "bank.example.org"], now)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["ada.local"]  # what it may not vouch for is left out
    assert certificate.not_valid_after_utc == moment(now // 1000 * 1000 + SERVER_LASTS)
    assert handshake(signer, certificate, key, "192.168.1.5", tmp_path) == ""
    assert handshake(signer, certificate, key, "ada.local", tmp_path) == ""
    assert "mismatch" in handshake(signer, certificate, key, "192.168.1.6", tmp_path)


@pytest.mark.parametrize("name", ["bank.example.org", "8.8.8.8", "2001:db8::1"])
def test_devices_refuse_what_a_thief_of_its_key_signs_for_a_public_site(
    home: Home, tmp_path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    now = int(datetime.now(UTC).timestamp() * 1000)
    signer = Authority.of(home, now)
    monkeypatch.setattr(Authority, "covers", lambda *_: True)
    certificate, key = signer.issue([name], now)
    assert "permitted subtree violation" in handshake(signer, certificate, key, name, tmp_path)


def test_it_signs_no_further_authority(home: Home) -> None:
    constraints = Authority.of(home, NOW).certificate.extensions
    assert constraints.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert constraints.get_extension_for_class(x509.NameConstraints).critical
    assert isinstance(Authority.of(home, NOW).certificate.signature_hash_algorithm, hashes.SHA256)


def test_a_restored_home_has_the_authority_that_members_installed(home: Home, tmp_path) -> None:
    before = Authority.of(home, NOW)
    made = backup.make(home, tmp_path / "one.backup", NOW)
    master = tmp_path / "master.key"
    master.write_bytes(home.master.path.read_bytes())
    master.chmod(0o600)
    elsewhere = home_settings(tmp_path / "elsewhere")
    restore.restore(made.path, elsewhere, NOW, master=master)
    again = Home.open(elsewhere)
    after = Authority.of(again, NOW)
    again.close()
    assert after.certificate == before.certificate
    assert after.key.private_numbers() == before.key.private_numbers()
    assert (again.keys_folder / NAME).stat().st_mode & 0o077 == 0
