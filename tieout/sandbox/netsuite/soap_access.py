"""The tokenPassport of a SOAP request: token-based authentication with HMAC-SHA256.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_4395630653.html
"""

from __future__ import annotations

import hmac
import re
from xml.etree.ElementTree import Element

from ..clock import SandboxClock
from .access import Keys
from .signing import escape, signature
from .soap_errors import invalid_login, no_login
from .soap_words import space
from .soap_write import children, local_name

_NONCE = re.compile(r"[A-Za-z0-9]{6,64}\Z")
_NAMES = ("account", "consumerKey", "token", "nonce", "timestamp")


class Passports:
    """Checks them; a nonce is good once."""

    def __init__(self, keys: Keys, clock: SandboxClock) -> None:
        self.keys, self.clock = keys, clock
        self._seen: dict[tuple[str, str], int] = {}

    def check(self, header: Element | None, version: str) -> None:
        """Raises Fault."""
        tag = f"{{{space('messages', version)}}}tokenPassport"
        given = header.find(tag) if header is not None else None
        if given is None:
            raise no_login()
        core = f"{{{space('core', version)}}}"
        if any(not str(each.tag).startswith(core) for each in given):
            raise invalid_login()
        told = {local_name(each): (each.text or "").strip() for each in given}
        signed = next(iter(children(given, "signature")), None)
        if signed is None or signed.get("algorithm") != "HMAC-SHA256":
            raise invalid_login()
        if not self._known(told) or not self._fresh(told):
            raise invalid_login()
        text = "&".join(escape(told[name]) for name in _NAMES)
        expected = signature(text, self.keys.consumer_secret, self.keys.token_secret)
        if not hmac.compare_digest(expected.encode(), told.get("signature", "").encode()):
            raise invalid_login()

    def _known(self, told: dict[str, str]) -> bool:
        keys = self.keys
        return (
            told.get("account") == keys.account
            and told.get("consumerKey") == keys.consumer_key
            and told.get("token") == keys.token_id
            and _NONCE.match(told.get("nonce", "")) is not None
        )

    def _fresh(self, told: dict[str, str]) -> bool:
        now, stamp = int(self.clock.now().timestamp()), told.get("timestamp", "")
        if not stamp.isdigit() or abs(int(stamp) - now) > 300:
            return False
        key = (stamp, told["nonce"])
        if key in self._seen:
            return False
        self._seen[key] = now
        if len(self._seen) % 1024 == 0:
            self._seen = {key: at for key, at in self._seen.items() if at > now - 600}
        return True
