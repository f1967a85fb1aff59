"""Only whoever signs as Oracle documents may call the NetSuite stand-in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tieout.sandbox import Running, SandboxClock, serve
from tieout.sandbox.netsuite import NetSuiteStandIn
from tieout.sandbox.netsuite.signing import base_string, escape, signature

SAMPLES = Path(__file__).parents[3] / "shared" / "providers" / "netsuite" / "samples"
NOON = datetime(2026, 3, 10, 20, 0, tzinfo=UTC)  # 13:00 in Los Angeles
TOKEN = "/services/rest/auth/oauth2/v1/token"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
STRICT = {"X-NetSuite-PropertyNameValidation": "error"}


def sample(name: str) -> Any:
    path = SAMPLES / name
    if not path.exists():
        pytest.skip(f"the official sample {name} is not here")
    return json.loads(path.read_text(), parse_float=Decimal)


@dataclass
class Account:
    """A running stand-in, and plain requests to it, logged in with OAuth 2.0."""

    stand_in: NetSuiteStandIn
    run: Running
    session: requests.Session = field(default_factory=requests.Session)
    jti: int = 0

    @property
    def keys(self) -> dict[str, str]:
        return self.stand_in.credentials()

    def form(self, algorithm: str = "ES256", kid: str = "", **claims: Any) -> dict[str, str]:
        self.jti += 1
        now = int(self.stand_in.clock.now().timestamp())
        told = {
            "iss": self.keys["client_id"],
            "scope": ["rest_webservices"],
            "aud": self.run.url + TOKEN,
            "iat": now,
            "exp": now + 300,
            "jti": f"jti-{self.jti}",
        }
        key: Any = self.keys["private_key"]
        if algorithm == "HS256":
            key = "s" * 64
        header = {"kid": kid or self.keys["certificate_id"]}
        assertion = jwt.encode(told | claims, key, algorithm=algorithm, headers=header)
        return {
            "grant_type": "client_credentials",
            "client_assertion_type": JWT_BEARER,
            "client_assertion": assertion,
        }

    def ask_token(self, form: dict[str, str]) -> requests.Response:
        return self.session.post(self.run.url + TOKEN, data=form, timeout=10)

    def log_in(self) -> None:
        token = self.ask_token(self.form()).json()["access_token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else json.dumps(body, default=float).encode()
            headers.setdefault("Content-Type", "application/json")
        url = f"{self.run.url}/services/rest{path}"
        return self.session.request(method, url, data=content, headers=headers, timeout=10)

    def make(self, type: str, body: Any) -> str:
        answer = self.call("POST", f"/record/v1/{type}", body, **STRICT)
        assert answer.status_code == 204, answer.text
        assert not answer.content
        return answer.headers["Location"].rsplit("/", 1)[1]

    def get(self, path: str) -> Any:
        answer = self.call("GET", f"/record/v1/{path}")
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text, parse_float=Decimal)

    def ask(self, q: str, *params: Any, query: str = "") -> requests.Response:
        body = {"q": q, "params": list(params)}
        return self.call("POST", f"/query/v1/suiteql{query}", body, Prefer="transient")

    def rows(self, q: str, *params: Any, query: str = "") -> list[dict[str, Any]]:
        answer = self.ask(q, *params, query=query)
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json()["items"]
        return [{key: value for key, value in row.items() if key != "links"} for row in items]


def opened(**settings: Any) -> Iterator[Account]:
    stand_in = NetSuiteStandIn(SandboxClock(NOON), **settings)
    with serve(stand_in) as run:
        account = Account(stand_in, run)
        account.log_in()
        with account.session:
            yield account


@pytest.fixture
def account() -> Iterator[Account]:
    yield from opened()


@pytest.fixture
def tba(account: Account) -> Account:
    del account.session.headers["Authorization"]
    return account


def refused(answer: requests.Response) -> tuple[int, str, str]:
    detail = answer.json()["o:errorDetails"][0]
    return answer.status_code, detail["o:errorCode"], detail["detail"]


def test_a_token_is_given_as_documented_and_lives_an_hour(account: Account) -> None:
    answer = account.ask_token(account.form())
    body = answer.json()
    assert answer.status_code == 200
    assert (body["expires_in"], body["token_type"]) == (3600, "Bearer")
    assert body.keys() == sample("rest_oauth2_token_response.json").keys()
    account.stand_in.clock.move(3599)
    assert account.call("GET", "/system/v1/serverTime").status_code == 200
    account.stand_in.clock.move(1)
    late = account.call("GET", "/system/v1/serverTime")
    assert late.status_code == 401
    assert late.json() == sample("rest_error_401_invalid_login.json")
    assert late.headers["WWW-Authenticate"] == (
        'Bearer realm="TSTDRV1234567", error="invalid_token", '
        'error_description="Invalid login attempt."'
    )


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"algorithm": "HS256"}, "invalid_client"),
        ({"kid": "another certificate"}, "invalid_client"),
        ({"iss": "another client"}, "invalid_client"),
        ({"aud": "https://elsewhere.example" + TOKEN}, "invalid_grant"),
        ({"exp": int(NOON.timestamp()) + 3601}, "invalid_grant"),
        ({"exp": int(NOON.timestamp()) - 1, "iat": int(NOON.timestamp()) - 60}, "invalid_grant"),
        ({"scope": ["restlets"]}, "invalid_grant"),
    ],
)
def test_a_wrong_assertion_is_refused(account: Account, change: dict[str, Any], error: str) -> None:
    answer = account.ask_token(account.form(**change))
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_an_assertion_works_once(account: Account) -> None:
    form = account.form()
    assert account.ask_token(form).status_code == 200
    assert account.ask_token(form).json() == {"error": "invalid_grant"}


def test_a_malformed_token_request_is_refused(account: Account) -> None:
    url = account.run.url + TOKEN
    assert requests.post(url, json={}, timeout=9).json() == {"error": "invalid_request"}
    form = account.form() | {"client_assertion": "rubbish"}
    assert account.ask_token(form).json() == {"error": "invalid_request"}


def test_rsa_needs_pss_padding() -> None:
    key = rsa.generate_private_key(65537, 3072)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    stand_in = NetSuiteStandIn(SandboxClock(NOON), private_key=pem)
    with serve(stand_in) as run:
        account = Account(stand_in, run)
        with account.session:
            assert account.ask_token(account.form("RS256")).json() == {"error": "invalid_client"}
            for algorithm in ("PS256", "PS384", "PS512"):
                assert account.ask_token(account.form(algorithm)).status_code == 200


# Oracle's worked example, with the figures recomputed (section_1534941088).
CONSUMER = "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4"
CONSUMER_SECRET = "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5"
TOKEN_ID = "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc"
TOKEN_SECRET = "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295"
OAUTH = [
    ("oauth_consumer_key", CONSUMER),
    ("oauth_nonce", "fjaLirsIcCGVZWzBX0pg"),
    ("oauth_signature_method", "HMAC-SHA256"),
    ("oauth_timestamp", "1508242306"),
    ("oauth_token", TOKEN_ID),
    ("oauth_version", "1.0"),
]
REST = "https://123456.suitetalk.api.netsuite.com/services/rest"


@pytest.mark.parametrize(
    ("method", "url", "query", "expected"),
    [
        (
            "GET",
            f"{REST}/record/v1/employee/40",
            [],
            "B5OIWznZ2YP0OB7VrJrGkYsTh+8H+5T9Hag+o92q0zY=",
        ),
        (
            "POST",
            "https://123456.restlets.api.netsuite.com/app/site/hosting/restlet.nl",
            [
                ("script", "6"),
                ("deploy", "1"),
                ("customParam", "someValue"),
                ("testParam", "someOtherValue"),
            ],
            "+KK4SKNgz4ZiILGLwOMtfYlgcXSy1eis8ldE9X90azQ=",
        ),
        (
            "GET",
            f"{REST}/record/v1/customer",
            [("q", 'lastModifiedDate ON_OR_AFTER "1/1/2026"'), ("limit", "2"), ("offset", "0")],
            "1pq+iD0yd4aYD/C4uqau5glUk2/o515eCMx3fA4cqPQ=",
        ),
        (
            "POST",
            "https://123456-sb1.suitetalk.api.netsuite.com/services/rest/query/v1/suiteql",
            [("limit", "1000"), ("offset", "0")],
            "LjzqkKDpsRTpwqBkevEM3wfFmspmqdKggHTdHxxHp+U=",
        ),
    ],
)
def test_the_verifier_computes_oracles_worked_example(
    method: str, url: str, query: list[tuple[str, str]], expected: str
) -> None:
    text = base_string(method, url, [*OAUTH, *query])
    assert signature(text, CONSUMER_SECRET, TOKEN_SECRET) == expected


def signed(account: Account, method: str, path: str, query: str = "", **change: str) -> str:
    """An Authorization header for TBA; `change` spoils parts of it."""
    keys = account.keys
    values = {
        "oauth_consumer_key": keys["consumer_key"],
        "oauth_token": keys["token_id"],
        "oauth_nonce": change.pop("nonce", "nonce0001"),
        "oauth_timestamp": change.pop("stamp", str(int(NOON.timestamp()))),
        "oauth_signature_method": "HMAC-SHA256",
        "oauth_version": "1.0",
    }
    pairs = [tuple(pair.split("=")) for pair in query.split("&") if pair]
    text = base_string(method, account.run.url + path, [*values.items(), *pairs])  # type: ignore[list-item]
    sign = signature(text, keys["consumer_secret"], change.pop("secret", keys["token_secret"]))
    told = {"realm": keys["account"], **values, "oauth_signature": escape(sign)} | change
    return "OAuth " + ", ".join(f'{key}="{value}"' for key, value in told.items())


def test_a_signed_request_is_let_in_and_its_nonce_works_once(tba: Account) -> None:
    path = "/services/rest/record/v1/currency"
    header = signed(tba, "GET", path, "limit=2&offset=0")
    url = f"{tba.run.url}{path}?limit=2&offset=0"
    first = requests.get(url, headers={"Authorization": header}, timeout=9)
    again = requests.get(url, headers={"Authorization": header}, timeout=9)
    assert (first.status_code, again.status_code) == (200, 401)
    assert again.json() == sample("rest_error_401_invalid_login.json")


@pytest.mark.parametrize(
    "change",
    [
        {"realm": "tstdrv1234567"},
        {"secret": "wrong"},
        {"stamp": str(int(NOON.timestamp()) - 301)},
        {"stamp": str(int(NOON.timestamp()) + 301)},
        {"oauth_token": "another"},
        {"oauth_signature_method": "HMAC-SHA1"},
    ],
)
def test_a_wrong_signature_is_refused(tba: Account, change: dict[str, str]) -> None:
    path = "/services/rest/system/v1/serverTime"
    header = signed(tba, "GET", path, **change)
    answer = requests.get(tba.run.url + path, headers={"Authorization": header}, timeout=9)
    assert answer.status_code == 401


def test_the_signature_covers_the_query(tba: Account) -> None:
    path = "/services/rest/record/v1/currency"
    header = signed(tba, "GET", path, "limit=2")
    url = f"{tba.run.url}{path}?limit=3"
    assert requests.get(url, headers={"Authorization": header}, timeout=9).status_code == 401


def test_no_login_and_a_malformed_one(tba: Account) -> None:
    assert tba.call("GET", "/system/v1/serverTime").status_code == 401
    malformed = tba.call("GET", "/system/v1/serverTime", Authorization="Bearer a b")
    assert malformed.status_code == 400
    assert 'error="invalid_request"' in malformed.headers["WWW-Authenticate"]


def test_the_same_seed_gives_the_same_keys() -> None:
    clock = SandboxClock(NOON)
    keys = [NetSuiteStandIn(clock, seed=seed).credentials() for seed in (7, 7, 8)]
    assert keys[0] == keys[1] != keys[2]
    assert list(keys[0]) == [
        "account",
        "client_id",
        "certificate_id",
        "private_key",
        "consumer_key",
        "consumer_secret",
        "token_id",
        "token_secret",
    ]


def test_the_server_tells_its_time_and_limits(account: Account) -> None:
    assert account.call("GET", "/system/v1/serverTime").json() == {
        "serverTime": "2026-03-10T20:00:00Z"
    }
    limits = account.call("GET", "/system/v1/governanceLimits").json()
    assert limits["accountConcurrencyLimit"] == 5
    assert limits["integrationLimitType"] == "accountShared"


def test_a_request_too_many_at_once_is_blocked(account: Account) -> None:
    with account.stand_in._flying_lock:
        account.stand_in._flying += 5
    answer = account.call("GET", "/system/v1/serverTime")
    assert answer.status_code == 429
    assert answer.json() == sample("rest_error_429_concurrency.json")
    with account.stand_in._flying_lock:
        account.stand_in._flying -= 5
    assert account.call("GET", "/system/v1/serverTime").status_code == 200


@pytest.mark.parametrize(
    ("status", "code"),
    [(429, "CONCURRENCY_LIMIT_EXCEEDED"), (500, "UNEXPECTED_ERROR"), (401, "INVALID_LOGIN")],
)
def test_faults_get_netsuites_own_bodies(status: int, code: str) -> None:
    given, headers, body = NetSuiteStandIn(SandboxClock(NOON)).error_answer(status)
    assert given == status
    assert headers["Content-Length"] == str(len(body))
    assert json.loads(body)["o:errorDetails"][0]["o:errorCode"] == code
