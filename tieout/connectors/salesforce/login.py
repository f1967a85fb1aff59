"""OAuth 2.0 logins: JWT bearer and client credentials. Neither gives a refresh token.

A token has no known end: it is kept until Salesforce answers 401, then one new one is asked for.
https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_flows.htm
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tieout.core.errors import AuthError, ConfigError, StopRun
from tieout.core.ports import HttpAnswer, HttpRequest, Ports
from tieout.rest import Auth, Refusal, Request, RestClient, Verdict
from tieout.rest import json as exact_json
from tieout.rest.redact import one_line
from tieout.rest.request import checked_base, origin

from .errors import judge
from .ids import is_id, long_id
from .settings import SalesforceConfig

TOKENS = "/services/oauth2/token"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
JWT_SECONDS = 180  # Salesforce refuses what ends later than in about five minutes

# Salesforce's reason -> what to do.
_HINTS = (
    (
        "hasn't approved",
        "the app is not pre-authorized: in its policies choose 'Admin approved users are "
        "pre-authorized' and add the integration user's profile or permission set",
    ),
    (
        "audience",
        "login.salesforce.com is for production, test.salesforce.com for sandboxes: set "
        "`base_url` (or `audience`) to the right one",
    ),
    ("inactive", "the integration user is frozen or inactive"),
    ("no client credentials user", "choose the app's Run As user in its policies"),
    ("not supported on this domain", "set base_url to the org's My Domain"),
    ("request not supported", "set base_url to the org's My Domain"),
    ("unsupported_grant_type", "enable this flow in the app's OAuth settings"),
    ("invalid_client", "check client_id and client_secret; a new app works after some minutes"),
    ("invalid assertion", "the uploaded certificate does not belong to private_key"),
    ("expired", "check this machine's clock"),
)
_ANY_HINT = "check client_id, the user, the key or secret, base_url, and this machine's clock"


@dataclass(frozen=True)
class Session:
    """What the token answer says. `org` is the organization's id in 18 characters, or ""."""

    token: str
    instance_url: str
    org: str


class Login(Auth):
    """One org's login. The data host is what the token answer names, never a guess."""

    def __init__(self, settings: SalesforceConfig, ports: Ports, *, where: str = "") -> None:
        self._settings, self._ports, self._where = settings, ports, where
        self._key = settings.private_key.get_secret_value().strip()
        self._secret = settings.client_secret.get_secret_value().strip()
        self._rest = RestClient(
            settings.base_url,
            ports=ports,
            judge=judge_login,
            where=where,
            attempts=5,
            total_seconds=120.0,
            secrets=(self._key, self._secret),
        )
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._host: tuple[str, str, int] | None = None

    def session(self) -> Session:
        """The current session; asks for a token where there is none."""
        with self._lock:
            if self._session is None:
                self._session = self._checked(self._ask())
            return self._session

    def headers(self, request: HttpRequest) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.session().token}"}

    def renew(self, refused: HttpRequest) -> bool:
        """Forgets the refused token, unless another thread has already replaced it."""
        with self._lock:
            held = self._session
            if held and refused.headers.get("Authorization") == f"Bearer {held.token}":
                self._session = None
        return True

    def secrets(self) -> Sequence[str]:
        token = self._session.token if self._session else ""
        return (token, self._key, self._secret)

    def _checked(self, session: Session) -> Session:
        """The right org, and the same host as before."""
        wanted = self._settings.organization_id
        if wanted and session.org and session.org != wanted:
            raise ConfigError(
                f"this login belongs to the org {session.org}, not to {wanted}",
                where=self._where,
                hint="a sandbox has the same record ids as production: set organization_id and "
                "base_url of one and the same org",
            )
        host = origin(session.instance_url)
        if self._host is not None and host != self._host:
            raise StopRun(
                "the org has moved to another address",
                where=self._where,
                hint="run the command again",
            )
        self._host = host
        return session

    def _form(self) -> dict[str, str]:
        if self._settings.has_jwt:
            return {"grant_type": JWT_BEARER, "assertion": self._assertion()}
        return {
            "grant_type": "client_credentials",
            "client_id": self._settings.client_id.strip(),
            "client_secret": self._secret,
        }

    def _assertion(self) -> str:
        import jwt  # slow to import, and needed only where a token is asked for

        check_key(self._key, where=self._where)
        claims = {
            "iss": self._settings.client_id.strip(),
            "sub": self._settings.username.strip(),
            "aud": self._settings.jwt_audience,
            "exp": int(self._ports.now().timestamp()) + JWT_SECONDS,
        }
        return jwt.encode(claims, self._key, algorithm="RS256")

    def _ask(self) -> Session:
        # A second token does no harm: the call may be repeated like a read.
        asked = Request("POST", TOKENS, form=self._form(), reads=True)
        return self._rest.read(asked, self._session_in)

    def _session_in(self, answer: HttpAnswer) -> Session:
        """ValueError where the answer is torn, or a page of something in between."""
        told = exact_json.decode(answer.body)
        if not isinstance(told, dict):
            raise ValueError("no token answer")
        token, instance = told.get("access_token"), told.get("instance_url")
        if not isinstance(token, str) or not isinstance(instance, str):
            raise AuthError("the login gave no token", hint=_ANY_HINT)
        return Session(token, checked_base(instance, where=self._where), _org_in(told.get("id")))


def judge_login(refusal: Refusal) -> Verdict | None:
    """A refused login stays refused until somebody mends the configuration."""
    told = refusal.body if isinstance(refusal.body, dict) else {}
    if refusal.status not in (400, 401, 403) or not told.get("error"):
        return judge(refusal)
    reason = one_line(f"{told['error']} {told.get('error_description') or ''}").strip()
    low = reason.lower()
    hint = next((hint for words, hint in _HINTS if words in low), _ANY_HINT)
    return Verdict(AuthError(f"the login was refused ({refusal.status} {reason})", hint=hint))


def check_key(pem: str, *, where: str = "") -> None:
    """ConfigError unless it is an RSA key of 2048 bits or more: others are refused there."""
    hint = "give the whole PEM text, unencrypted, from -----BEGIN to END-----"
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        raise ConfigError("private_key cannot be read", where=where, hint=hint) from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < 2048:
        raise ConfigError(
            "private_key is not an RSA key of at least 2048 bits",
            where=where,
            hint="Salesforce takes RS256 only: make one with openssl req -newkey rsa:2048",
        )


def _org_in(identity: Any) -> str:
    """https://login.salesforce.com/id/<org>/<user> names the organization."""
    parts = urlsplit(identity).path.strip("/").split("/") if isinstance(identity, str) else []
    return long_id(parts[1]) if len(parts) >= 2 and is_id(parts[1]) else ""
