"""Ways to prove who we are. An `Auth` gives the headers for one attempt at one address.

Fresh headers are asked for each attempt, since a signature must not be sent twice.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tieout.core.errors import AuthError, ConfigError, ProviderDown, RateLimited
from tieout.core.ports import AnswerLost, HttpRequest, NotSent, Ports

from . import json as _json
from .redact import mask, one_line


class Auth(ABC):
    """`headers` are added to the request; `renew` is asked once after a 401."""

    @abstractmethod
    def headers(self, request: HttpRequest) -> Mapping[str, str]:
        """Headers for this one attempt. May itself call the provider (TryLater, AuthError)."""

    def renew(self, refused: HttpRequest) -> bool:
        """After a 401: whether another attempt with other credentials makes sense."""
        return False

    def secrets(self) -> Sequence[str]:
        """What must never appear in a message; masked by the client."""
        return ()


class _Fixed(Auth):
    def __init__(self, header: str, value: str, *secrets: str) -> None:
        self._headers, self._secrets = {header: value}, secrets

    def headers(self, request: HttpRequest) -> Mapping[str, str]:
        return self._headers

    def secrets(self) -> Sequence[str]:
        return self._secrets


def bearer(token: str) -> Auth:
    """`Authorization: Bearer <token>` (RFC 6750)."""
    token = _one_token(token, "the API key")
    return _Fixed("Authorization", f"Bearer {token}", token)


def basic(user: str, password: str = "") -> Auth:
    """`Authorization: Basic ...` (RFC 7617); an API key is often the user with no password."""
    packed = base64.b64encode(f"{user}:{password}".encode()).decode()
    return _Fixed("Authorization", f"Basic {packed}", packed, password or user)


def api_key(header: str, value: str) -> Auth:
    """A key in a header of the provider's own."""
    value = _one_token(value, "the API key")
    return _Fixed(header, value, value)


def _one_token(value: str, what: str) -> str:
    """Without the line break of a secret's file; ConfigError if more than one word is left."""
    value = value.strip()
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise ConfigError(f"{what} is empty or holds characters that no key has")
    return value


class HeldToken(Auth):
    """`Authorization: Bearer <token>` with a token that ends: many threads together ask for one."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._lock, self._token, self._ends = threading.Lock(), "", 0.0

    @abstractmethod
    def _obtain(self) -> tuple[str, float]:
        """A new token, and for how many seconds it may be used."""

    def headers(self, request: HttpRequest) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._current()}"}

    def renew(self, refused: HttpRequest) -> bool:
        """Forgets the refused token, unless another thread has already replaced it."""
        with self._lock:
            if refused.headers.get("Authorization") == f"Bearer {self._token}":
                self._token = ""
        return True

    def _current(self) -> str:
        with self._lock:
            if not self._token or self._ports.monotonic() >= self._ends:
                self._token, usable = self._obtain()
                self._ends = self._ports.monotonic() + usable
            return self._token


class ClientCredentials(HeldToken):
    """OAuth 2.0 client credentials with a private-key JWT assertion (RFC 6749 4.4, RFC 7523).

    The algorithm follows from the key: RSA signs PS256, EC P-256/384/521 signs ES256/384/512.
    The token is kept until 60 s before it ends.
    """

    ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")

    def __init__(
        self,
        token_url: str,
        *,
        client_id: str,
        key_id: str,
        private_key: str,
        ports: Ports,
        scope: Sequence[str] = (),
        algorithm: str | None = None,
        lifetime_seconds: int = 300,
        where: str = "",
    ) -> None:
        super().__init__(ports)
        self._url, self._client_id, self._key_id = token_url, client_id, key_id
        self._pem, self._scope = private_key.strip(), tuple(scope)
        self._lifetime, self._where = lifetime_seconds, where
        self._algorithm = algorithm or algorithm_for(private_key, where=where)
        if self._algorithm not in self.ALGORITHMS:
            raise ConfigError(
                f"{self._algorithm} is not accepted",
                where=where,
                hint="one of " + ", ".join(self.ALGORITHMS),
            )

    def secrets(self) -> Sequence[str]:
        return (self._token, self._pem)

    def _obtain(self) -> tuple[str, float]:
        token, lifetime = self._ask()
        return token, max(0.0, lifetime - 60)

    def _assertion(self) -> str:
        import jwt  # slow to import, and needed only where a token is asked for

        now = int(self._ports.now().timestamp())
        claims = {
            "iss": self._client_id,
            "scope": list(self._scope),
            "aud": self._url,
            "iat": now,
            "exp": now + self._lifetime,
            "jti": self._ports.new_id(),
        }
        try:
            return jwt.encode(
                claims, self._pem, algorithm=self._algorithm, headers={"kid": self._key_id}
            )
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise ConfigError(
                f"the private key cannot sign {self._algorithm}: {type(error).__name__}",
                where=self._where,
                hint="an RSA key signs PS..., an EC key signs ES...",
            ) from None

    def _ask(self) -> tuple[str, float]:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._assertion(),
        }
        request = HttpRequest(
            "POST",
            self._url,
            {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            urlencode(form).encode(),
        )
        try:
            answer = self._ports.send(request)
        except (NotSent, AnswerLost) as error:
            raise ProviderDown(f"no token: {mask(str(error))}", where=self._where) from None
        return self._read(answer.status, answer.body)

    def _read(self, status: int, body: bytes) -> tuple[str, float]:
        try:
            told = _json.decode(body)
        except ValueError:
            told = None
        told = told if isinstance(told, dict) else {}
        if status == 429:
            raise RateLimited("too many calls for a token", where=self._where)
        if status >= 500:
            raise ProviderDown(f"no token: the login server answered {status}", where=self._where)
        if status != 200 or not isinstance(told.get("access_token"), str):
            reason = one_line(f"{told.get('error', '')} {told.get('error_description') or ''}")
            raise AuthError(
                f"the login was refused ({status} {reason.strip() or 'no reason given'})",
                where=self._where,
                hint="check client id, certificate id, private key and this machine's clock",
            )
        return told["access_token"], _seconds(told.get("expires_in"))


def _seconds(value: object) -> float:
    """`expires_in`, which some servers send as text; a cautious guess if it is missing."""
    try:
        return float(int(str(value)))
    except ValueError:
        return 300.0


def algorithm_for(private_key: str, *, where: str = "") -> str:
    """PS256 for an RSA key, ES256/384/512 by curve; ConfigError for anything else."""
    hint = "give the whole PEM text, unencrypted, from -----BEGIN to END-----"
    try:
        key = load_pem_private_key(private_key.strip().encode(), password=None)
    except (ValueError, TypeError):
        raise ConfigError("the private key cannot be read", where=where, hint=hint) from None
    if isinstance(key, rsa.RSAPrivateKey):
        return "PS256"
    if isinstance(key, ec.EllipticCurvePrivateKey):
        named = {256: "ES256", 384: "ES384", 521: "ES512"}.get(key.curve.key_size)
        if named:
            return named
    raise ConfigError("the private key is neither RSA nor EC P-256/384/521", where=where, hint=hint)


class TokenBased(Auth):
    """OAuth 1.0a with HMAC-SHA256 and a realm (RFC 5849), NetSuite's token-based authentication.

    Signed are method, address and query parameters, not a JSON body. Each attempt has its own
    nonce and timestamp.
    """

    def __init__(
        self,
        *,
        realm: str,
        consumer_key: str,
        consumer_secret: str,
        token_id: str,
        token_secret: str,
        ports: Ports,
    ) -> None:
        self._realm, self._consumer_key, self._token_id = realm, consumer_key, token_id
        self._consumer_secret, self._token_secret, self._ports = (
            consumer_secret,
            token_secret,
            ports,
        )

    def headers(self, request: HttpRequest) -> Mapping[str, str]:
        fields = {
            "oauth_consumer_key": self._consumer_key,
            "oauth_token": self._token_id,
            "oauth_nonce": self._ports.new_id(),
            "oauth_timestamp": str(int(self._ports.now().timestamp())),
            "oauth_signature_method": "HMAC-SHA256",
            "oauth_version": "1.0",
        }
        base = signature_base(request.method, request.url, fields)
        fields["oauth_signature"] = self.sign(base)
        told = ", ".join(f'{name}="{_escape(value)}"' for name, value in fields.items())
        return {"Authorization": f'OAuth realm="{_escape(self._realm)}", {told}'}

    def sign(self, base: str) -> str:
        """Base64 of the HMAC-SHA256 under both secrets; also what SOAP's tokenPassport needs."""
        key = f"{_escape(self._consumer_secret)}&{_escape(self._token_secret)}"
        return base64.b64encode(hmac.digest(key.encode(), base.encode(), hashlib.sha256)).decode()

    def secrets(self) -> Sequence[str]:
        return (self._consumer_secret, self._token_secret, self._token_id, self._consumer_key)


def signature_base(method: str, url: str, fields: Mapping[str, str]) -> str:
    """RFC 5849 3.4.1: method, address without query, and all parameters sorted."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.port not in (None, {"https": 443, "http": 80}.get(parts.scheme)):
        host += f":{parts.port}"
    given = [*fields.items(), *parse_qsl(parts.query, keep_blank_values=True)]
    encoded = sorted((_escape(name), _escape(value)) for name, value in given)
    joined = "&".join(f"{name}={value}" for name, value in encoded)
    address = f"{parts.scheme.lower()}://{host}{parts.path or '/'}"
    return f"{method.upper()}&{_escape(address)}&{_escape(joined)}"


def _escape(text: str) -> str:
    """RFC 3986, where only letters, digits and -._~ stay."""
    return quote(text, safe="-._~")
