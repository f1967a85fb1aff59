"""The mail: one message to the right people, and an error that says what to do."""

from __future__ import annotations

import smtplib
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from report_sample import NOW

from tieout.core.errors import AuthError, ConfigError, ProviderDown, UnknownOutcome
from tieout.reports.mail import Smtp, build, send


def message(**changes: Any) -> EmailMessage:
    told: dict[str, Any] = {
        "subject": "Daily reconciliation: 3 breaks",
        "sender": "tieout <tieout@example.com>",
        "to": ["ada@example.com", "Bob Øre <bob@example.com>"],
        "text": "plain ünïcode\n",
        "html": "<p>page</p>",
        "workbook": b"PK\x03\x04rest",
        "made_at": NOW,
        "message_id": "report-2026-02-01",
    }
    return build(**(told | changes))


def test_the_message_has_text_page_and_workbook() -> None:
    read = message_from_bytes(message().as_bytes(), policy=policy.default)
    assert read["Subject"] == "Daily reconciliation: 3 breaks"
    assert read["Message-ID"] == "<report-2026-02-01@example.com>"
    assert read["Date"] == "Sun, 01 Feb 2026 08:00:00 +0000"
    assert [each.addr_spec for each in read["To"].addresses] == [
        "ada@example.com", "bob@example.com",
    ]  # fmt: skip
    kinds = [part.get_content_type() for part in read.walk()]
    assert kinds[:4] == ["multipart/mixed", "multipart/alternative", "text/plain", "text/html"]
    (attached,) = read.iter_attachments()
    assert attached.get_filename() == "report.xlsx"
    assert attached.get_content() == b"PK\x03\x04rest"
    plain = read.get_body(("plain",))
    assert plain is not None and plain.get_content().splitlines() == ["plain ünïcode"]


@pytest.mark.parametrize(
    "evil",
    [
        "x\r\nBcc: all@example.com",
        "x\nTo: all@example.com\n\nbody",
        "x\r\n\tBcc: all@example.com",
        "=?utf-8?q?x=0D=0ABcc:_all@example.com?=",
        "x\u2028Bcc: all@example.com\x85Cc: all@example.com",
        "x\x00y",
        "long " * 200,
    ],
)
def test_a_subject_adds_no_header(evil: str) -> None:
    read = message_from_bytes(message(subject=evil).as_bytes(), policy=policy.default)
    assert read.keys().count("Subject") == 1
    assert read["Bcc"] is None and read["Cc"] is None
    assert [each.addr_spec for each in read["To"].addresses] == [
        "ada@example.com", "bob@example.com",
    ]  # fmt: skip
    assert "\n" not in read["Subject"] and "\r" not in read["Subject"]


@pytest.mark.parametrize(
    "wrong",
    ["", "ada", "@example.com", "ada@", "ada@example.com\r\nBcc: x@y.example", "a b@example.com",
     "ada@example.com, eve@example.com", "ada@exa\x00mple.com", "ada@ex\u202eample.com",
     "=?utf-8?q?x=0D=0ABcc:_all?= <ada@example.com>"],
)  # fmt: skip
def test_addresses_are_checked(wrong: str) -> None:
    for changes in ({"to": [wrong]}, {"sender": wrong}):
        with pytest.raises(ConfigError):
            message(**changes)


class Server:
    """Records what a mail server is asked, and fails where told."""

    def __init__(self, **failures: Exception) -> None:
        self.failures, self.asked = failures, list[str]()

    def _step(self, name: str) -> None:
        self.asked.append(name)
        if name in self.failures:
            raise self.failures[name]

    def login(self, user: str, password: str) -> None:
        self._step("login")

    def send_message(self, message: EmailMessage) -> None:
        self._step("send")

    def quit(self) -> None:
        self._step("quit")

    def close(self) -> None:
        self._step("close")


SETTINGS = Smtp("smtp.example.com", user="tieout", password="canary-secret")


def sent(server: Server, settings: Smtp = SETTINGS, refused: Exception | None = None) -> None:
    def connect(asked: Smtp) -> Any:
        if refused:
            raise refused
        return server

    send(message(), settings, connect=connect)


def test_a_message_is_handed_over_once() -> None:
    server = Server(quit=smtplib.SMTPServerDisconnected())
    sent(server)
    assert server.asked == ["login", "send", "quit", "close"]


@pytest.mark.parametrize(
    ("failures", "error", "hint"),
    [
        ({"login": smtplib.SMTPAuthenticationError(535, b"canary-secret")}, AuthError, "password"),
        ({"send": smtplib.SMTPRecipientsRefused({"a@b.c": (550, b"no")})}, ConfigError, "email.to"),
        ({"send": smtplib.SMTPSenderRefused(553, b"who?", "x")}, ConfigError, "email.from"),
        ({"send": smtplib.SMTPDataError(451, b"later")}, ProviderDown, "try again"),
        ({"send": smtplib.SMTPServerDisconnected("gone")}, UnknownOutcome, "look into the mailbox"),
        ({"send": TimeoutError()}, UnknownOutcome, "look into the mailbox"),
    ],
)
def test_failures_are_sorted_by_what_to_do(
    failures: dict[str, Exception], error: type[Exception], hint: str
) -> None:
    with pytest.raises(error) as caught:
        sent(Server(**failures))
    assert type(caught.value) is error
    assert hint in caught.value.hint  # type: ignore[attr-defined]
    assert "canary" not in str(vars(caught.value)) + repr(SETTINGS)
    assert caught.value.where == "mail server smtp.example.com:587"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("refused", "error"),
    [
        (ConnectionRefusedError(111, "Connection refused"), ProviderDown),
        (TimeoutError("timed out"), ProviderDown),
        (ssl.SSLError(1, "wrong version"), ConfigError),
        (smtplib.SMTPNotSupportedError("no STARTTLS"), ConfigError),
    ],
)
def test_no_connection(refused: Exception, error: type[Exception]) -> None:
    with pytest.raises(error):
        sent(Server(), refused=refused)


def test_mail_leaves_the_machine_only_encrypted() -> None:
    server = Server()
    with pytest.raises(ConfigError, match="must be encrypted"):
        sent(server, Smtp("smtp.example.com", tls="none"))
    assert server.asked == []
    sent(server, Smtp("localhost", port=25, tls="none"))
    assert server.asked == ["send", "quit"]
