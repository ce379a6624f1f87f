"""Mails through a real server: encrypted, from this room, and with an answer that the host understands."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography.hazmat.primitives import serialization

from pipeline.errors import ReviewError
from pipeline.review.mail.letters import Letter
from pipeline.review.mail.mailer import TIMEOUT, Mailer
from pipeline.review.network import authority
from pipeline.review.network.authority import Authority
from pipeline.settings import MailSettings, load
from pipeline.tapes.clock import now
from pipeline.tapes.home import Home
from tests.review.coding.server import free_port

LETTER = Letter("A tape waits for you", "Hello Søren,\n\na tape waits for you.\n")


class Post:
    """What a mail server took in; it refuses whoever is called nobody."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.encrypted: list[bool] = []
        self.users: list[str] = []

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("nobody"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.encrypted.append(session.ssl is not None)
        return "250 OK"

    def authenticator(self, server: Any, session: Any, envelope: Any, mechanism: str, auth_data: Any) -> AuthResult:
        right = isinstance(auth_data, LoginPassword) and auth_data.password == b"right"
        if right:
            self.users.append(auth_data.login.decode())
        return AuthResult(success=right)


@contextmanager
def post_office(context: ssl.SSLContext | None = None, kind: str = "none", **given: Any) -> Iterator[tuple[Post, int]]:
    """A mail server on this computer."""
    post, port = Post(), free_port()
    at_once = context if kind == "tls" else None
    later = {"tls_context": context} if kind == "starttls" else {}
    controller = Controller(post, hostname="127.0.0.1", port=port, ssl_context=at_once, **later, **given)
    controller.start()
    try:
        yield post, port
    finally:
        controller.stop()


@pytest.fixture
def certified(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for "localhost" that this computer trusts."""
    signer = Authority.of(home, now())
    certificate, key = signer.issue(["localhost"], now())
    chain, key_file = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_text(authority.pem(certificate))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(authority.pem(signer.certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key_file)
    return context


def mail_settings(**given: object) -> MailSettings:
    return load().settings.mail.model_copy(update={"sender": "room@example.org", **given})


def mailer(**given: object) -> Mailer:
    made = Mailer.of(mail_settings(**given))
    assert made
    return made


def test_without_a_server_in_the_settings_there_is_no_mailer() -> None:
    assert load().settings.mail.host == ""
    assert Mailer.of(load().settings.mail) is None


@pytest.mark.parametrize("kind", ["starttls", "tls"])
def test_a_mail_goes_out_encrypted_and_arrives_whole(certified: ssl.SSLContext, tmp_path: Path, kind: str) -> None:
    (tmp_path / "password").write_text("right\n")
    user = {"user": "room", "password_file": str(tmp_path / "password")}
    with post_office(certified, kind) as (post, port):
        mailer(host="localhost", port=port, security=kind).send("Søren", "soren@example.org", LETTER)
    assert post.encrypted == [kind == "starttls"]  # with "tls" the server speaks nothing else, and does not say so
    message = post.messages[0]
    assert message["To"].addresses[0].display_name == "Søren"
    assert message["From"].addresses[0].addr_spec == "room@example.org"
    assert message.get_content().replace("\r\n", "\n") == LETTER.text
    assert "@example.org" in message["Message-ID"]
    if kind == "starttls":
        with post_office(certified, kind, authenticator=post.authenticator, auth_required=True) as (_, port):
            mailer(host="localhost", port=port, security=kind, **user).send("Ada", "ada@example.org", LETTER)
        assert post.users == ["room"]


def signing_in(tmp_path: Path, port: int, password: str) -> Mailer:
    (tmp_path / "password").write_text(password)
    return mailer(host="127.0.0.1", port=port, security="none", user="room", password_file=str(tmp_path / "password"))


def test_a_server_that_is_silent_after_a_wrong_password_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.review.mail.mailer.TIMEOUT", 600.0)
    monkeypatch.setattr("pipeline.review.mail.mailer.TIMEOUT_SIGNING_IN", 0.3)
    with post_office(authenticator=Post().authenticator, auth_require_tls=False) as (_, port):
        with pytest.raises(ReviewError, match="TR-R13 .*does not answer the user and the password, which may be wrong"):
            signing_in(tmp_path, port, "wrong").send("Ada", "ada@example.org", LETTER)


@pytest.mark.parametrize("known", ["PLAIN", "LOGIN"])
def test_who_refuses_one_way_to_sign_in_may_know_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    limits: list[float | None] = []
    tried: list[str] = []

    def by_name(server: Any, session: Any, envelope: Any, mechanism: str, auth_data: Any) -> AuthResult:
        tried.append(mechanism)
        right = mechanism == known and auth_data.password == b"right"
        return AuthResult(success=right, handled=False)

    real = smtplib.SMTP.send_message
    monkeypatch.setattr(
        smtplib.SMTP, "send_message", lambda wire, *given: (limits.append(wire.sock.gettimeout()), real(wire, *given))
    )
    with post_office(authenticator=by_name, auth_require_tls=False) as (post, port):
        signing_in(tmp_path, port, "right").send("Ada", "ada@example.org", LETTER)
        assert len(post.messages) == 1
        assert limits == [TIMEOUT]  # the longer one, as before the password
        assert tried == (["PLAIN"] if known == "PLAIN" else ["PLAIN", "LOGIN"])
        with pytest.raises(ReviewError, match="TR-R13 .*refused the user or the password"):
            signing_in(tmp_path, port, "wrong").send("Ada", "ada@example.org", LETTER)


def test_a_server_without_encryption_gets_nothing(certified: ssl.SSLContext) -> None:
    with post_office() as (post, port):
        with pytest.raises(ReviewError, match="TR-R13 .*such as encryption"):
            mailer(host="localhost", port=port, security="starttls").send("Ada", "ada@example.org", LETTER)
        assert post.messages == []


def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(
    certified: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    for kind in ("starttls", "tls"):
        with post_office(certified, kind) as (post, port):
            with pytest.raises(ReviewError, match="TR-R13 .*certificate cannot be trusted"):
                mailer(host="localhost", port=port, security=kind).send("Ada", "ada@example.org", LETTER)
            assert post.messages == []


@pytest.mark.parametrize("host", ["mail.example.org", "192.168.1.5", "localhost.example.org"])
def test_only_a_server_on_this_computer_may_get_mails_unencrypted(host: str) -> None:
    with pytest.raises(ReviewError, match="TR-R13 .*unencrypted.*mail.security"):
        mailer(host=host, security="none")
    with post_office() as (post, port):
        mailer(host="127.0.0.1", port=port, security="none").send("Ada", "ada@example.org", LETTER)
    assert len(post.messages) == 1


def test_what_a_server_refuses_is_said_without_its_own_words(certified: ssl.SSLContext) -> None:
    with post_office() as (_, port):
        local = mailer(host="127.0.0.1", port=port, security="none")
        with pytest.raises(ReviewError, match="TR-R13 .*refused the address") as refused:
            local.send("Nobody", "nobody@example.org", LETTER)
        assert "no such user" not in str(refused.value)
        for address in ("a@b@c", "two,one@example.org", 'x"@example.org'):
            with pytest.raises(ReviewError, match="TR-R13"):
                local.send("Ada", address, LETTER)
    with pytest.raises(ReviewError, match="TR-R13 .*cannot be reached"):
        local.send("Ada", "ada@example.org", LETTER)


@pytest.mark.parametrize(
    "given", [{"sender": "no address"}, {"sender": ""}, {"user": "room", "password_file": "/nowhere"}]
)
def test_settings_that_do_not_do_are_refused(given: dict[str, str]) -> None:
    with pytest.raises(ReviewError, match="TR-R13"):
        mailer(host="mail.example.org", security="tls", **given)
