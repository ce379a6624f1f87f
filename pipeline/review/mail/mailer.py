"""Sends mails through the host's own mail server, encrypted unless that server runs on this computer."""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass, field
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from pipeline.errors import ReviewError
from pipeline.review.mail.letters import Letter
from pipeline.review.network.reach import is_loopback
from pipeline.settings import MailSettings

TIMEOUT = 20.0
"""Seconds for each answer of the mail server."""

TIMEOUT_SIGNING_IN = 8.0
"""Seconds for each answer to a user and password: servers delay a refusal by two or three, and some that refuse say
nothing at all. Chosen here."""

_WAYS = {"CRAM-MD5": "auth_cram_md5", "PLAIN": "auth_plain", "LOGIN": "auth_login"}
"""The ways to sign in, the best first, and the method of `smtplib.SMTP` for each."""

_HERE = "localhost"
"""What this computer calls itself before the mail server, which need not know its name."""


class _SilentOnSignInError(TimeoutError):
    """A mail server does not answer a user and password."""


@dataclass(frozen=True)
class Mailer:
    """A mail server that the settings name."""

    host: str
    port: int
    security: str
    sender: Address
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def of(cls, settings: MailSettings) -> Mailer | None:
        """As the settings say; None where they name no server: then nothing is ever sent.

        Raises
        ------
        ReviewError: R13 the settings do not do, or would have mails sent unencrypted.
        """
        if not settings.host:
            return None
        if settings.security == "none" and not is_loopback(settings.host):
            raise _wrong(f"{settings.host} would get mails unencrypted", 'set mail.security to "starttls" or "tls"')
        try:
            sender = Address("Tape Review", addr_spec=settings.sender)
        except (MessageError, ValueError, IndexError) as error:
            raise _wrong(f"the sender {settings.sender!r} is no address", "set mail.sender to one") from error
        if not settings.user:
            return cls(settings.host, settings.port, settings.security, sender)
        try:
            password = Path(settings.password_file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            remedy = "set mail.password_file to a file with the password of mail.user"
            raise _wrong(f"the password file {settings.password_file!r} cannot be read", remedy) from error
        return cls(settings.host, settings.port, settings.security, sender, settings.user, password)

    def send(self, name: str, email: str, letter: Letter) -> None:
        """Send one mail.

        Raises
        ------
        ReviewError: R13 it was not sent.
        """
        try:
            message = EmailMessage()
            message["From"] = self.sender
            message["To"] = Address(name, addr_spec=email)
            message["Subject"] = letter.subject
            message["Date"] = formatdate()
            message["Message-ID"] = make_msgid(domain=self.sender.domain)
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(letter.text)
            with self._connected() as server:
                self._sign_in(server)
                server.send_message(message)
        except (OSError, smtplib.SMTPException, MessageError, ValueError, IndexError) as error:
            raise _wrong(f"a mail was not sent ({_reason(error)})", "see the settings in [mail]") from error

    def _sign_in(self, server: smtplib.SMTP) -> None:
        if not self.user:
            return
        server.ehlo_or_helo_if_needed()
        offered = server.esmtp_features.get("auth", "").upper().split()
        ways = [name for name in _WAYS if name in offered]
        if not ways:
            raise smtplib.SMTPNotSupportedError("no way to sign in")
        server.user, server.password = self.user, self.password
        _wait_for(server, TIMEOUT_SIGNING_IN)
        refusal = smtplib.SMTPAuthenticationError(535, b"")
        for name in ways:
            try:
                server.auth(name, getattr(server, _WAYS[name]))
                return _wait_for(server, TIMEOUT)
            except smtplib.SMTPAuthenticationError as error:  # some offer what they do not know: asked in the next way
                refusal = error
            except smtplib.SMTPException as error:
                if isinstance(error.__context__, TimeoutError):
                    raise _SilentOnSignInError from error
                break  # a server may also hang up
        raise refusal

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, _HERE, timeout=TIMEOUT, context=context)
        server = smtplib.SMTP(self.host, self.port, _HERE, timeout=TIMEOUT)
        try:
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
        return server


def _wait_for(server: smtplib.SMTP, seconds: float) -> None:
    """Give the mail server as long for each answer; one that hung up has none to give."""
    if server.sock:
        server.sock.settimeout(seconds)


def _wrong(value: str, remedy: str) -> ReviewError:
    return ReviewError("R13", "e-mail", value, remedy)


_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (smtplib.SMTPAuthenticationError, "the mail server refused the user or the password"),
    (smtplib.SMTPRecipientsRefused, "the mail server refused the address"),
    (smtplib.SMTPNotSupportedError, "the mail server does not offer what is needed, such as encryption"),
    (smtplib.SMTPException, "the mail server refused it"),
    (ssl.SSLError, "the mail server's certificate cannot be trusted, or it does not encrypt in this way"),
    (_SilentOnSignInError, "the mail server does not answer the user and the password, which may be wrong"),
    (TimeoutError, "the mail server does not answer"),
    (OSError, "the mail server cannot be reached"),
)
"""What went wrong, the narrower kind first; nothing that the mail server said, which may repeat what it was sent."""


def _reason(error: Exception) -> str:
    """Why a mail was not sent, in few words."""
    reasons = (reason for kind, reason in _REASONS if isinstance(error, kind))
    return next(reasons, "the address cannot be written in a mail")
