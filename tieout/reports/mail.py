"""The daily mail: the page, the text and the workbook as one message, sent over SMTP with TLS."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime, getaddresses
from typing import Literal

from tieout.core.errors import AuthError, ConfigError, ProviderDown, UnknownOutcome

from .words import clean, shortened

XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
TIMEOUT_SECONDS = 30
_LOCAL = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Smtp:
    """The mail server. `tls`: STARTTLS (587), TLS from the start (465), or none (local only)."""

    host: str
    port: int = 587
    user: str = ""
    password: str = field(default="", repr=False)
    tls: Literal["starttls", "tls", "none"] = "starttls"

    @property
    def where(self) -> str:
        return f"mail server {self.host}:{self.port}"


def build(
    *,
    subject: str,
    sender: str,
    to: Sequence[str],
    text: str,
    html: str,
    workbook: bytes,
    made_at: datetime,
    message_id: str,
    name: str = "report.xlsx",
) -> EmailMessage:
    """The message: plain text, HTML beside it, the workbook attached.

    `message_id` makes the Message-ID: the same one for the same day's report lets mail systems
    drop a second copy. ConfigError for an address that is none, or hides a line break.
    """
    message = EmailMessage(policy=WIRE)
    sent_from = address(sender, "report.email.from")
    # An encoded word ("=?utf-8?q?...?=") would be decoded, line breaks and all, by the header.
    message["Subject"] = shortened(clean(subject), 200).replace("=?", "= ?")
    message["From"] = sent_from
    message["To"] = [address(each, "report.email.to") for each in to]
    message["Date"] = format_datetime(made_at)
    safe = "".join(each for each in message_id if each.isalnum() or each in ".-_")
    message["Message-ID"] = f"<{safe or 'report'}@{sent_from.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    message.add_attachment(workbook, maintype=XLSX[0], subtype=XLSX[1], filename=clean(name))
    return message


def address(given: str, where: str) -> Address:
    """`Name <box@host>` or `box@host` as an address; ConfigError where it is none."""
    if given != clean(given) or "=?" in given:
        raise ConfigError(
            f"{clean(given)!r} holds a line break, an invisible character or an encoded word",
            where=where,
            hint="write the address anew, in plain letters",
        )
    found = getaddresses([given])
    shown, box = found[0] if len(found) == 1 else ("", "")
    user, _, domain = box.rpartition("@")
    bare = not set(box) & set(' <>,;:"()[]\\')
    if not (user and domain and bare and box.isascii()):
        raise ConfigError(
            f"{given!r} is not a mail address", where=where, hint="write name@example.com"
        )
    return Address(shown, username=user, domain=domain)


Connect = Callable[[Smtp], smtplib.SMTP]


def connect(settings: Smtp) -> smtplib.SMTP:
    """A connection that is encrypted, unless it stays on this machine."""
    context = ssl.create_default_context()
    if settings.tls == "tls":
        return smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=TIMEOUT_SECONDS, context=context
        )
    server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT_SECONDS)
    try:
        if settings.tls == "starttls":
            server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def send(message: EmailMessage, settings: Smtp, *, connect: Connect = connect) -> None:
    """Hands the message to the mail server.

    AuthError: the login was refused. ConfigError: no TLS, or every recipient refused.
    ProviderDown: nothing was handed over, try again. UnknownOutcome: it may have been sent.
    """
    if settings.tls == "none" and settings.host not in _LOCAL:
        raise ConfigError(
            "mail to another machine must be encrypted",
            where=settings.where,
            hint="set report.email.tls to starttls or tls",
        )
    server = _opened(settings, connect)
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        raise ConfigError(
            "the mail server refused every recipient: " + _refusals(error),
            where=settings.where,
            hint="check report.email.to in config.yaml",
        ) from None
    except smtplib.SMTPResponseException as error:
        raise _by_code(error, settings) from None
    except (smtplib.SMTPException, OSError) as error:
        raise UnknownOutcome(
            f"the connection broke while the mail was handed over ({type(error).__name__})",
            where=settings.where,
            hint="look into the mailbox before sending it again: tieout report --email",
        ) from None
    finally:
        _leave(server)


def _opened(settings: Smtp, connect: Connect) -> smtplib.SMTP:
    server: smtplib.SMTP | None = None
    try:
        server = connect(settings)
        if settings.user:
            server.login(settings.user, settings.password)
        return server
    except (smtplib.SMTPException, OSError) as error:
        if server is not None:
            _leave(server)
        raise _not_opened(error, settings) from None


def _not_opened(error: Exception, settings: Smtp) -> Exception:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return AuthError(
            f"the mail server refused the login ({error.smtp_code})",
            where=settings.where,
            hint="check report.email.user and the variable that holds its password",
        )
    if isinstance(error, ssl.SSLError | smtplib.SMTPNotSupportedError):
        return ConfigError(
            f"no encrypted connection: {clean(getattr(error, 'reason', None) or error)}",
            where=settings.where,
            hint="port 587 wants tls: starttls, port 465 wants tls: tls",
        )
    reason = getattr(error, "strerror", None) or type(error).__name__
    return ProviderDown(
        f"the mail server cannot be reached: {clean(reason)}",
        where=settings.where,
        hint="check report.email.host and port; nothing was sent",
    )


def _by_code(error: smtplib.SMTPResponseException, settings: Smtp) -> Exception:
    told = error.smtp_error
    words = clean(told.decode("utf-8", "replace") if isinstance(told, bytes) else told)
    message = f"the mail server answered {error.smtp_code}: {shortened(words, 200)}"
    if 400 <= error.smtp_code < 500:
        return ProviderDown(message, where=settings.where, hint="try again later; not sent")
    return ConfigError(message, where=settings.where, hint="check report.email.from; not sent")


def _refusals(error: smtplib.SMTPRecipientsRefused) -> str:
    return ", ".join(f"{clean(box)} ({code})" for box, (code, _) in error.recipients.items())


def _leave(server: smtplib.SMTP) -> None:
    """After the answer nothing can go wrong any more that would matter."""
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()
