"""Who may call: OAuth 2.0 client credentials, and Token-Based Authentication (OAuth 1.0a).

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_162755359851.html
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_162790605110.html
"""

from __future__ import annotations

import hmac
import random
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ..clock import SandboxClock
from .errors import invalid_login, malformed_login
from .signing import base_string, read_header, signature
from .wire import Answer, Request

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"
TOKEN_SECONDS = 3600

_ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_SCOPES = {"restlets", "rest_webservices", "suite_analytics"}
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass
class Keys:
    """One integration: a certificate mapping for OAuth 2.0 and a token for TBA."""

    account: str
    client_id: str
    certificate_id: str
    private_key: str
    consumer_key: str
    consumer_secret: str
    token_id: str
    token_secret: str

    def as_credentials(self) -> dict[str, str]:
        return dict(self.__dict__)


def make_keys(account: str, rng: random.Random, private_key: str = "") -> Keys:
    """Keys drawn from `rng`; the certificate's key is EC P-256 unless a PEM is given."""
    if not private_key:
        made = ec.derive_private_key(rng.randrange(2**200, _P256_ORDER), ec.SECP256R1())
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        private_key = pem.decode()
    word = [rng.randbytes(32).hex() for _ in range(5)]
    certificate = rng.randbytes(24).hex()[:43]
    return Keys(account, word[0], certificate, private_key, *word[1:])


def _public(pem: str) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    key = load_pem_private_key(pem.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("NetSuite takes RSA or EC keys only")
    return key.public_key()


@dataclass
class Access:
    """Hands out access tokens and checks each request's Authorization header."""

    keys: Keys
    clock: SandboxClock
    rng: random.Random
    _tokens: dict[str, int] = field(default_factory=dict)
    _seen_jti: dict[str, int] = field(default_factory=dict)
    _seen_nonces: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._public = _public(self.keys.private_key)
        self._secret = self.rng.randbytes(64)

    def token(self, request: Request) -> Answer:
        """The token endpoint: an assertion in, a bearer token for an hour out."""
        if request.method != "POST":
            return _oauth_error("invalid_request", 405)
        if "application/x-www-form-urlencoded" not in request.header("content-type").lower():
            return _oauth_error("invalid_request")
        pairs = parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        form = dict(pairs)
        if len(form) != len(pairs) or not form.get("grant_type"):
            return _oauth_error("invalid_request")
        if form["grant_type"] != "client_credentials":
            return _oauth_error("unsupported_grant_type")
        if form.get("client_assertion_type") != _ASSERTION or not form.get("client_assertion"):
            return _oauth_error("invalid_request")
        problem = self._judge(form["client_assertion"], request.url)
        return _oauth_error(problem) if problem else self._grant()

    def _judge(self, assertion: str, url: str) -> str:
        """The OAuth error that the assertion earns; empty if it is good."""
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.PyJWTError:
            return "invalid_request"
        algorithm = header.get("alg")
        if algorithm not in _ALGORITHMS or header.get("kid") != self.keys.certificate_id:
            return "invalid_client"
        try:
            claims = jwt.decode(
                assertion,
                self._public,
                algorithms=[algorithm],
                options={
                    # The sandbox clock decides about time, the rest is compared below.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "verify_aud": False,
                    "verify_jti": False,
                    "verify_sub": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            return "invalid_client"
        if claims.get("iss") != self.keys.client_id:
            return "invalid_client"
        return "" if self._fresh(claims, url) else "invalid_grant"

    def _fresh(self, claims: dict[str, Any], url: str) -> bool:
        now = int(self.clock.now().timestamp())
        audience = claims.get("aud")
        issued, ends = _whole(claims.get("iat")), _whole(claims.get("exp"))
        if audience not in (url, [url]) or not _scopes(claims.get("scope")):
            return False
        if issued is None or ends is None or not 0 < ends - issued <= 3600:
            return False
        if ends <= now or issued > now + 300:
            return False
        once = claims.get("jti")
        if once is not None:
            self._seen_jti = {key: end for key, end in self._seen_jti.items() if end > now}
            if str(once) in self._seen_jti:
                return False
            self._seen_jti[str(once)] = ends
        return True

    def _grant(self) -> Answer:
        now = int(self.clock.now().timestamp())
        claims = {
            "sub": f"{self.keys.account};7",
            "aud": [self.keys.client_id],
            "scope": ["rest_webservices"],
            "iss": "https://system.netsuite.com",
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "jti": self.rng.randbytes(16).hex(),
        }
        token = jwt.encode(claims, self._secret, algorithm="HS256")
        self._tokens = {key: end for key, end in self._tokens.items() if end > now}
        self._tokens[token] = now + TOKEN_SECONDS
        body = {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}
        return Answer(200, body, {"Cache-Control": "no-store"}, kind="plain")

    def revoke_tokens(self) -> None:
        """As if an administrator had revoked every OAuth 2.0 token."""
        self._tokens.clear()

    def check(self, request: Request) -> None:
        """Raises Refusal (401, or 400 where the header itself is malformed)."""
        scheme, _, rest = request.header("authorization").partition(" ")
        if scheme.lower() == "bearer":
            self._check_bearer(rest.strip())
        elif scheme.lower() == "oauth":
            if not self._signed(request, read_header(rest)):
                raise invalid_login(self.keys.account, "OAuth")
        else:
            raise invalid_login(self.keys.account)

    def _check_bearer(self, token: str) -> None:
        if not token or " " in token:
            raise malformed_login(self.keys.account)
        if self._tokens.get(token, 0) <= self.clock.now().timestamp():
            raise invalid_login(self.keys.account)

    def _signed(self, request: Request, given: dict[str, str]) -> bool:
        keys, now = self.keys, int(self.clock.now().timestamp())
        known = (
            given.get("realm") == keys.account
            and given.get("oauth_consumer_key") == keys.consumer_key
            and given.get("oauth_token") == keys.token_id
            and given.get("oauth_signature_method") == "HMAC-SHA256"
            and given.get("oauth_version", "1.0") == "1.0"
        )
        stamp, nonce = given.get("oauth_timestamp", ""), given.get("oauth_nonce", "")
        if not known or not nonce or not stamp.isdigit() or abs(int(stamp) - now) > 300:
            return False
        signed = [
            (key, value)
            for key, value in given.items()
            if key.startswith("oauth_") and key != "oauth_signature"
        ]
        text = base_string(request.method, request.url, [*signed, *request.query])
        expected = signature(text, keys.consumer_secret, keys.token_secret)
        if not hmac.compare_digest(expected.encode(), given.get("oauth_signature", "").encode()):
            return False
        if (stamp, nonce) in self._seen_nonces:
            return False
        self._seen_nonces[stamp, nonce] = now
        if len(self._seen_nonces) % 1024 == 0:
            kept = {key: at for key, at in self._seen_nonces.items() if at > now - 600}
            self._seen_nonces = kept
        return True


def _scopes(given: Any) -> bool:
    words = given.replace(",", " ").split() if isinstance(given, str) else given
    return isinstance(words, list) and "rest_webservices" in words and set(words) <= _SCOPES


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _oauth_error(code: str, status: int = 400) -> Answer:
    return Answer(status, {"error": code}, {"Cache-Control": "no-store"}, kind="plain")
