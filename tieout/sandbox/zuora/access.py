"""OAuth 2.0 client credentials: tokens that live an hour, and their own limit a minute.

Older clients send a user's name and password instead; here they are the client's id and secret.

https://developer.zuora.com/docs/guides/rate-limits
"""

from __future__ import annotations

import base64
import hmac
import random
from urllib.parse import parse_qsl

from ..clock import SandboxClock
from .errors import too_many, unauthorized
from .wire import Answer, Request

TOKEN_SECONDS = 3600
_A_MINUTE = 100


class Access:
    """Hands out access tokens and checks the Authorization header of each request."""

    def __init__(self, clock: SandboxClock, rng: random.Random, *, limits: bool) -> None:
        self.clock, self._rng, self._limits = clock, rng, limits
        raw = f"{rng.getrandbits(128):032x}"
        self.client_id = "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))
        # Real secrets hold characters that a form must escape.
        self.client_secret = f"{rng.getrandbits(120):030x}+/{rng.getrandbits(60):015x}="
        self.user = f"{rng.getrandbits(128):032x}"
        self._entity = f"{rng.getrandbits(128):032x}"
        self._tokens: dict[str, float] = {}
        self._asked: list[float] = []

    def token(self, request: Request) -> Answer:
        """POST /oauth/token."""
        now = self.clock.now().timestamp()
        self._asked = [at for at in self._asked if at > now - 60]
        self._asked.append(now)
        if self._limits and len(self._asked) > _A_MINUTE:
            return too_many("minute", 60)
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        if form.get("grant_type") != "client_credentials":
            return _oauth_error(400, "unsupported_grant_type", "Unsupported grant type")
        if not form.get("client_id") or not form.get("client_secret"):
            return _oauth_error(400, "invalid_request", "client_id and client_secret are required")
        known = hmac.compare_digest(form["client_id"].encode(), self.client_id.encode())
        secret = hmac.compare_digest(form["client_secret"].encode(), self.client_secret.encode())
        if not (known and secret):
            return _oauth_error(401, "invalid_client", "Invalid client id or secret")
        return self._grant(now)

    def _grant(self, now: float) -> Answer:
        self._tokens = {key: end for key, end in self._tokens.items() if end > now}
        token = f"{self._rng.getrandbits(128):032x}"
        self._tokens[token] = now + TOKEN_SECONDS
        body = {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": TOKEN_SECONDS - 1,
            "scope": f"user.{self.user} entity.{self._entity} service.echo.read tenant.19",
            "jti": f"{self._rng.getrandbits(128):032x}",
        }
        return Answer(200, body, {"Cache-Control": "no-store"})

    def revoke_tokens(self) -> None:
        """As if an administrator had revoked every token."""
        self._tokens.clear()

    def _check_user(self, name: str, secret: str) -> None:
        """A user's name and password, which older clients send with each call."""
        known = hmac.compare_digest(name.encode(), self.client_id.encode())
        if not (known and hmac.compare_digest(secret.encode(), self.client_secret.encode())):
            raise unauthorized()

    def check(self, request: Request) -> None:
        """Raises Refusal (401)."""
        scheme, _, token = request.header("authorization").partition(" ")
        if request.header("apiaccesskeyid") and not scheme:
            user = request.header("apiaccesskeyid"), request.header("apisecretaccesskey")
            return self._check_user(*user)
        if scheme.lower() == "basic":
            return self._check_user(*_basic(token))
        if scheme.lower() != "bearer":
            raise unauthorized()
        if self._tokens.get(token.strip(), 0) <= self.clock.now().timestamp():
            raise unauthorized()


def _basic(token: str) -> tuple[str, str]:
    try:
        name, _, secret = base64.b64decode(token.strip(), validate=True).decode().partition(":")
    except ValueError:
        raise unauthorized() from None
    return name, secret


def _oauth_error(status: int, code: str, message: str) -> Answer:
    return Answer(status, {"error": code, "error_description": message})
