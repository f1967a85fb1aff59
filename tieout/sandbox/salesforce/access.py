"""The token endpoint and the sessions it opens.

https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_jwt_flow.htm
https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_client_credentials_flow.htm
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import string
from dataclasses import dataclass, field
from functools import lru_cache
from math import gcd, prod
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ..clock import SandboxClock
from .cells import stamp
from .errors import Refusal, session_invalid
from .identity import identity, introspected, user_info
from .wire import Answer, Request

TOKEN_PATH = "/services/oauth2/token"
REVOKE_PATH = "/services/oauth2/revoke"
INTROSPECT_PATH = "/services/oauth2/introspect"
USERINFO_PATH = "/services/oauth2/userinfo"
SOAP_LOGIN = "/services/Soap/"

_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LETTERS = string.ascii_letters + string.digits
_SMALL = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]
_SIEVE = prod(_SMALL)


@dataclass
class App:
    """The connected app, its user and its org."""

    client_id: str
    client_secret: str
    username: str
    private_key: str
    organization_id: str
    user_id: str
    webhook_token: str
    refresh_token: str


def make_app(rng: random.Random, org: str, user: str, private_key: str = "") -> App:
    """Keys drawn from `rng`, unless a PEM of an RSA key is given."""

    def text(length: int) -> str:
        return "".join(rng.choices(_LETTERS, k=length))

    return App(
        client_id="3MVG9" + text(80),
        client_secret=rng.randbytes(32).hex().upper(),
        username="integration@tieout-sandbox.example.com",
        private_key=private_key or rsa_pem(rng.getrandbits(64)),
        organization_id=org,
        user_id=user,
        webhook_token=text(32),
        refresh_token="5Aep861" + text(80),
    )


@lru_cache(maxsize=64)
def rsa_pem(seed: int) -> str:
    """A 2048-bit RSA key in PEM; the same seed gives the same one."""
    rng = random.Random(seed)
    e = 65537
    while True:
        p, q = _prime(rng), _prime(rng)
        phi = (p - 1) * (q - 1)
        if p != q and gcd(e, phi) == 1:
            break
    d = pow(e, -1, phi)
    public = rsa.RSAPublicNumbers(e, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    pem = numbers.private_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem.decode()


def _prime(rng: random.Random) -> int:
    while True:
        candidate = rng.getrandbits(1024) | (3 << 1022) | 1
        if gcd(candidate, _SIEVE) == 1 and all(
            pow(base, candidate - 1, candidate) == 1 for base in (2, 3, 5)
        ):
            return candidate


@dataclass
class Access:
    """Opens sessions and checks them. A session lives `session_seconds` after its last use."""

    app: App
    clock: SandboxClock
    rng: random.Random
    session_seconds: int
    audience: str
    rotate: bool
    _sessions: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        key = load_pem_private_key(self.app.private_key.encode(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("Salesforce takes RSA keys only")
        self._public = key.public_key()
        self._refresh = {self.app.refresh_token}

    def token(self, request: Request) -> Answer:
        """One call of the token endpoint."""
        if request.method != "POST":
            return _refused("invalid_request", "must use HTTP POST")
        form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        form = dict(request.query) | form
        match form.get("grant_type", ""):
            case grant if grant == _JWT_GRANT:
                problem = self._judge(form.get("assertion", ""))
                return _refused(*problem) if problem else self._session(request)
            case "client_credentials":
                problem = self._judge_secret(form, request)
                return _refused(*problem) if problem else self._session(request)
            case "refresh_token":
                return self._renew(form, request)
            case "password":
                return _refused("invalid_grant", "authentication failure")
            case "authorization_code":
                return _refused("invalid_grant", "invalid authorization code")
        return _refused("unsupported_grant_type", "grant type not supported")

    def _judge(self, assertion: str) -> tuple[str, str] | None:
        """What is wrong with a JWT; None if it is good."""
        bad = ("invalid_grant", "invalid assertion")
        try:
            if jwt.get_unverified_header(assertion).get("alg") != "RS256":
                return bad
            claims = jwt.decode(
                assertion,
                self._public,
                algorithms=["RS256"],
                # The sandbox clock decides about time, the rest is compared below.
                options={
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "verify_aud": False,
                    "verify_sub": False,
                    "verify_jti": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return bad
        if claims.get("iss") != self.app.client_id:
            return "invalid_client_id", "client identifier invalid"
        if claims.get("aud") not in (self.audience, [self.audience]):
            return "invalid_grant", "audience is invalid"
        if claims.get("sub") != self.app.username:
            return "invalid_grant", "user hasn't approved this consumer"
        return None if self._timely(claims.get("exp")) else bad

    def _timely(self, ends: Any) -> bool:
        text = str(ends)
        if isinstance(ends, bool) or not text.isdigit():
            return False
        return 0 < int(text) - self.clock.timestamp() <= 300

    def _judge_secret(self, form: dict[str, str], request: Request) -> tuple[str, str] | None:
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, rest = request.header("authorization").partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(rest).decode().partition(":")
            except ValueError:
                return "invalid_client", "invalid client credentials"
        if name != self.app.client_id:
            return "invalid_client_id", "client identifier invalid"
        if not hmac.compare_digest(secret.encode(), self.app.client_secret.encode()):
            return "invalid_client", "invalid client credentials"
        return None

    def _renew(self, form: dict[str, str], request: Request) -> Answer:
        problem = self._judge_secret(form, request)
        if problem:
            return _refused(*problem)
        token = form.get("refresh_token", "")
        if token not in self._refresh:
            return _refused("invalid_grant", "expired access/refresh token")
        answer = self._session(request)
        if self.rotate:
            self._refresh.discard(token)
            self.app.refresh_token = "5Aep861" + "".join(self.rng.choices(_LETTERS, k=80))
            self._refresh.add(self.app.refresh_token)
            answer.content["refresh_token"] = self.app.refresh_token
        return answer

    def _session(self, request: Request) -> Answer:
        app, now = self.app, self.clock.now().timestamp()
        secret = "".join(self.rng.choices(_LETTERS + "._", k=96))
        token = f"{app.organization_id[:15]}!{secret}"
        self._sessions[token] = now
        who = f"{self.audience}/id/{app.organization_id}/{app.user_id}"
        issued = str(int(now * 1000))
        signed = hmac.new(app.client_secret.encode(), (who + issued).encode(), hashlib.sha256)
        content = {
            "access_token": token,
            "signature": base64.b64encode(signed.digest()).decode(),
            "scope": "api",
            "instance_url": request.base,
            "id": who,
            "token_type": "Bearer",
            "issued_at": issued,
        }
        return Answer(200, content, {"Cache-Control": "no-store"})

    def revoke(self, request: Request) -> Answer:
        form = dict(request.query) | dict(parse_qsl(request.body.decode("utf-8", "replace")))
        token = form.get("token", "")
        if token in self._sessions:
            del self._sessions[token]
        elif token in self._refresh:
            self._refresh.discard(token)
        else:
            return _refused("invalid_token", "token not found")
        return Answer(200)

    def introspect(self, request: Request) -> Answer:
        """Is a token live? Asked by a client that shows its own secret."""
        form = dict(parse_qsl(request.body.decode("utf-8", "replace")))
        problem = self._judge_secret(form, request)
        if problem:
            return _refused(*problem)
        opened = self._sessions.get(form.get("token", ""))
        now = self.clock.now().timestamp()
        if opened is None or now - opened >= self.session_seconds:
            return Answer(200, {"active": False})
        since, ends = int(opened), int(opened) + self.session_seconds
        shown = introspected(self.app, self.app.client_id, self.audience, since, ends)
        return Answer(200, shown)

    def user(self, request: Request) -> Answer:
        """Who the token belongs to, at `userinfo` and at the token's `id` address."""
        try:
            self.check_header(request)
        except Refusal:
            return Answer(403, b"Bad_OAuth_Token", media="text/html;charset=UTF-8")
        show = user_info if request.path.startswith(USERINFO_PATH) else identity
        updated = stamp(self.clock.now())
        return Answer(200, show(self.app, self.audience, request.base, updated))

    def end_sessions(self) -> None:
        """As if an administrator had ended them all."""
        self._sessions.clear()

    def check(self, token: str) -> None:
        """Raises Refusal (401) for a session that isn't one, or has been idle for too long."""
        now = self.clock.now().timestamp()
        used = self._sessions.get(token)
        if used is None or now - used >= self.session_seconds:
            self._sessions.pop(token, None)
            raise session_invalid()
        self._sessions[token] = now

    def check_header(self, request: Request) -> None:
        scheme, _, token = request.header("authorization").partition(" ")
        if scheme.lower() not in ("bearer", "oauth"):
            raise Refusal(
                "INVALID_SESSION_ID",
                "This session is not valid for use with the REST API",
                status=401,
            )
        self.check(token.strip())


def _refused(code: str, description: str) -> Answer:
    content = {"error": code, "error_description": description}
    return Answer(400, content, {"Cache-Control": "no-store"})


def soap_login(request: Request) -> Answer:
    """What a user name and a password get in a new org: SOAP's login() is off."""
    version = request.path.rstrip("/").rsplit("/", 1)[-1].partition(".")[0]
    gone = version.isdigit() and int(version) >= 65
    code = "UNSUPPORTED_API_VERSION" if gone else "INVALID_OPERATION"
    text = "SOAP API login() is disabled by default in this org."
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope '
        'xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        'xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body><soapenv:Fault>'
        f"<faultcode>sf:{code}</faultcode><faultstring>{code}: {text}</faultstring><detail>"
        f"<sf:UnexpectedErrorFault><sf:exceptionCode>{code}</sf:exceptionCode>"
        f"<sf:exceptionMessage>{text}</sf:exceptionMessage></sf:UnexpectedErrorFault></detail>"
        "</soapenv:Fault></soapenv:Body></soapenv:Envelope>"
    )
    return Answer(500, content.encode(), media="text/xml; charset=utf-8")
