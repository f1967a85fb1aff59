"""OAuth 2.0 client credentials with a secret: one token, shared by all threads of a connector.

https://developer.zuora.com/docs/get-started/auth : the token endpoint allows 100 calls a minute
from one address, so a token is kept until shortly before its end and asked for once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from tieout.core.errors import AuthError, ProviderDown, RateLimited
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest, NotSent, Ports
from tieout.rest import HeldToken, json, mask
from tieout.rest.verdicts import retry_after

from .settings import known_addresses

EARLY_SECONDS = 120.0  # a token is renewed so long before it ends


class ClientSecret(HeldToken):
    """`scope` is what the last token was good for."""

    def __init__(
        self, base_url: str, client_id: str, client_secret: str, ports: Ports, *, where: str
    ) -> None:
        super().__init__(ports)
        self._url = base_url.rstrip("/") + "/oauth/token"
        self._id, self._secret = client_id.strip(), client_secret.strip()
        self._where = where
        self.scope = ""

    def secrets(self) -> Sequence[str]:
        return (self._token, self._secret)

    def _obtain(self) -> tuple[str, float]:
        told = self._ask()
        self.scope = str(told.get("scope") or "")
        lifetime = _seconds(told.get("expires_in"))
        return str(told["access_token"]), lifetime - min(EARLY_SECONDS, lifetime / 2)

    def _ask(self) -> dict[str, Any]:
        form = {
            "client_id": self._id,
            "client_secret": self._secret,
            "grant_type": "client_credentials",
        }
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = self._ports.send(
                HttpRequest("POST", self._url, kind, urlencode(form).encode())
            )
        except (NotSent, AnswerLost) as error:
            raise ProviderDown(f"no token: {mask(str(error))}", where=self._where) from None
        return self._read(answer)

    def _read(self, answer: HttpAnswer) -> dict[str, Any]:
        told = _table(answer.body)
        if answer.status == 429:
            wait = retry_after(answer.headers.get("retry-after", ""), self._ports.now())
            raise RateLimited(
                "too many calls for a token (100 a minute from one address)",
                where=self._where,
                wait_seconds=wait or 60.0,
            )
        if answer.status >= 500:
            raise ProviderDown(f"no token: the login answered {answer.status}", where=self._where)
        if answer.status != 200 and answer.status not in (400, 401, 403):
            raise AuthError(
                f"the login answered {answer.status}",
                where=self._where,
                hint="is base_url the data centre's REST address? Known: " + known_addresses(),
            )
        if answer.status == 200 and (not told or not told.get("access_token")):
            raise ProviderDown("no token: the login's answer cannot be read", where=self._where)
        if answer.status != 200:
            raise AuthError(
                f"the login was refused ({answer.status})",
                where=self._where,
                hint="check client_id and client_secret, that the OAuth client's user is active, "
                "and that base_url is this tenant's data centre: " + known_addresses(),
            )
        return told


def _table(body: bytes) -> dict[str, Any]:
    try:
        told = json.decode(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _seconds(value: object) -> float:
    try:
        return max(1.0, float(int(str(value))))
    except ValueError:
        return 300.0
