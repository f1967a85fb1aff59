"""Takes secrets and card numbers out of text before a person, a log or the store sees it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "[hidden]"

_PEM = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S
)
_WORDS = re.compile(
    r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9_]{4,}"
    r"|\bwhsec_[A-Za-z0-9+/=_-]{4,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"
)
# What follows these names up to the end of the word (or of the quoted text) is a secret.
_NAMED = re.compile(
    r"""(?ix)
    ( \b (?: proxy-)? authorization ["']? \s*[:=]\s* ["']? (?: (?:bearer|basic|oauth) \s+ )?
    | \b bearer \s+ | \b basic \s+ (?=[A-Za-z0-9+/=]{12})
    | \b (?: api[_-]?key | access[_-]?token | refresh[_-]?token | client[_-]?secret | password
        | passwd | client[_-]?assertion | oauth[_-]?signature | oauth[_-]?token | secret )
      ["']? \s*[:=]\s* ["']?
    )
    ( [^\s"'&,;)}\]]{3,} )
    """
)
_OAUTH = re.compile(r'(oauth_(?:signature|token|consumer_key|nonce)=")[^"]*', re.I)
_CARD = re.compile(r"(?<![\w.])(?:\d[ -]?){12,18}\d(?![\w.])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_SHORTEST = 6  # a shorter "secret" would blacken half of every text


class Redactor:
    """Masks known secrets, whatever looks like a key, and card numbers."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spelled: set[str] = set()
        for secret in secrets:
            for text in (secret, secret.strip(), *secret.splitlines()):
                if len(text) >= _SHORTEST:
                    spelled |= {text, quote(text, safe=""), quote(text, safe="-._~")}
        longest_first = sorted(spelled, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if spelled else None

    def __call__(self, text: str) -> str:
        if self._known:
            text = self._known.sub(HIDDEN, text)
        text = _WORDS.sub(HIDDEN, _PEM.sub(HIDDEN, text))
        text = _OAUTH.sub(rf"\1{HIDDEN}", text)
        return _CARD.sub(_hide_card, _NAMED.sub(rf"\1{HIDDEN}", text))


mask = Redactor()


class RedactingFilter(logging.Filter):
    """Masks a log record's message, arguments and traceback. Put it on each handler."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._redact = Redactor(secrets)

    def filter(self, record: logging.LogRecord) -> bool:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):
            message = f"{record.msg} {record.args}"
        record.msg, record.args = self._redact(message), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = self._redact(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redact(record.stack_info)
        return True


def one_line(text: str, limit: int = 300) -> str:
    """A provider's text made fit for a message: one line, no control characters, not endless."""
    flat = _CONTROL.sub(" ", text).strip()
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def _hide_card(found: re.Match[str]) -> str:
    digits = re.sub(r"\D", "", found.group())
    return HIDDEN if _luhn(digits) else found.group()


def _luhn(digits: str) -> bool:
    """The check digit that every card number carries (ISO/IEC 7812-1)."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
