"""Signatures against published examples; tokens are asked for once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fake_ports import Scripted, answer

from tieout.core.errors import AuthError, ConfigError, ProviderDown
from tieout.core.ports import AnswerLost, HttpAnswer, HttpRequest, Ports
from tieout.rest import ClientCredentials, Request, RestClient, TokenBased, basic, bearer
from tieout.rest.request import address

HOST = "https://123456.suitetalk.api.netsuite.com"


def fixed(nonce: str, seconds: int) -> Ports:
    world = Scripted().ports
    return Ports(
        now=lambda: datetime.fromtimestamp(seconds, UTC),
        monotonic=world.monotonic,
        sleep=world.sleep,
        random=world.random,
        new_id=lambda: nonce,
        send=world.send,
    )


def token_based(realm: str = "123456") -> TokenBased:
    return TokenBased(
        realm=realm,
        consumer_key="ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4",
        consumer_secret="d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5",
        token_id="2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc",
        token_secret="c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295",
        ports=fixed("fjaLirsIcCGVZWzBX0pg", 1508242306),
    )


@pytest.mark.parametrize(
    ("method", "url", "signature"),
    [
        (
            "GET",
            f"{HOST}/services/rest/record/v1/employee/40",
            "B5OIWznZ2YP0OB7VrJrGkYsTh%2B8H%2B5T9Hag%2Bo92q0zY%3D",
        ),
        (
            "POST",
            "https://123456.restlets.api.netsuite.com/app/site/hosting/restlet.nl"
            "?script=6&deploy=1&customParam=someValue&testParam=someOtherValue",
            "%2BKK4SKNgz4ZiILGLwOMtfYlgcXSy1eis8ldE9X90azQ%3D",
        ),
        (
            "GET",
            address(
                HOST,
                Request(
                    "GET",
                    "/services/rest/record/v1/customer",
                    {"q": 'lastModifiedDate ON_OR_AFTER "1/1/2026"', "limit": 2, "offset": 0},
                ),
            ),
            "1pq%2BiD0yd4aYD%2FC4uqau5glUk2%2Fo515eCMx3fA4cqPQ%3D",
        ),
        (
            "POST",
            "https://123456-sb1.suitetalk.api.netsuite.com/services/rest/query/v1/suiteql"
            "?limit=1000&offset=0",
            "LjzqkKDpsRTpwqBkevEM3wfFmspmqdKggHTdHxxHp%2BU%3D",
        ),
    ],
)
def test_token_based_signatures_match_the_published_ones(
    method: str, url: str, signature: str
) -> None:
    header = token_based().headers(HttpRequest(method, url, body=b'{"q": 1}'))["Authorization"]
    assert f'oauth_signature="{signature}"' in header
    assert header.startswith('OAuth realm="123456", oauth_consumer_key="ef40afdd')


def test_the_soap_form_uses_the_same_key() -> None:
    auth = token_based()
    base = "&".join(
        [
            "123456",
            "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4",
            "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc",
            "fjaLirsIcCGVZWzBX0pg",
            "1508242306",
        ]
    )
    assert auth.sign(base) == "tIcC5zyKUmycB5Ml/cNxOHDusw03Y5KPQiXVNUHHp4U="


def test_each_attempt_has_its_own_nonce() -> None:
    world = Scripted([answer(500), answer(body={})])
    auth = TokenBased(
        realm="1", consumer_key="ck", consumer_secret="cs", token_id="t", token_secret="ts",
        ports=world.ports,
    )  # fmt: skip
    RestClient(HOST, ports=world.ports, auth=auth).send(Request("GET", "/x"))
    first, second = (request.headers["Authorization"] for request in world.sent)
    assert 'oauth_nonce="id000001"' in first and 'oauth_nonce="id000002"' in second


def pem(key: Any) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


EC256 = ec.generate_private_key(ec.SECP256R1())


def credentials(ports: Ports, key: Any = EC256, **more: Any) -> ClientCredentials:
    return ClientCredentials(
        f"{HOST}/token",
        client_id="client",
        key_id="cert",
        private_key=pem(key),
        scope=("rest_webservices",),
        ports=ports,
        **more,
    )


class TokenServer:
    """Gives token-1, token-2, ...; refuses calls that show a token it has revoked."""

    def __init__(self, expires_in: Any = 3600) -> None:
        self.given, self.revoked, self.expires_in = 0, set[str](), expires_in

    def __call__(self, request: HttpRequest) -> HttpAnswer:
        if request.url.endswith("/token"):
            self.given += 1
            told = {"access_token": f"token-{self.given}", "expires_in": self.expires_in}
            return answer(body={**told, "token_type": "Bearer"})
        refused = request.headers["Authorization"].removeprefix("Bearer ") in self.revoked
        return answer(401) if refused else answer(body={"ok": True})


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (EC256, "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ec.generate_private_key(ec.SECP521R1()), "ES512"),
        (rsa.generate_private_key(65537, 2048), "PS256"),
    ],
    ids=["p256", "p384", "p521", "rsa"],
)
def test_the_assertion_says_who_we_are(key: Any, algorithm: str) -> None:
    world = Scripted([TokenServer()])
    RestClient(HOST, ports=world.ports, auth=credentials(world.ports, key)).send(
        Request("GET", "/x")
    )
    form = parse_qs((world.sent[0].body or b"").decode())
    assert form["grant_type"] == ["client_credentials"]
    assert form["client_assertion_type"] == [
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    ]
    told = form["client_assertion"][0]
    assert jwt.get_unverified_header(told) == {"alg": algorithm, "kid": "cert", "typ": "JWT"}
    claims = jwt.decode(
        told, key.public_key(), [algorithm], audience=f"{HOST}/token",
        options={"verify_exp": False, "verify_iat": False},
    )  # fmt: skip
    assert claims["iss"] == "client" and claims["scope"] == ["rest_webservices"]
    assert claims["exp"] - claims["iat"] == 300


@pytest.mark.parametrize("expires_in", [3600, "3600"])
def test_a_token_is_kept_until_a_minute_before_its_end(expires_in: Any) -> None:
    server = TokenServer(expires_in)
    world = Scripted([server])
    rest = RestClient(HOST, ports=world.ports, auth=credentials(world.ports))
    for seconds, given in [(0, 1), (3539, 1), (3540, 2)]:
        world.seconds = seconds
        rest.send(Request("GET", "/x"))
        assert server.given == given


def test_eight_threads_renew_a_refused_token_once() -> None:
    server = TokenServer()
    world = Scripted([server])
    rest = RestClient(HOST, ports=world.ports, auth=credentials(world.ports))
    rest.send(Request("GET", "/x"))
    server.revoked.add("token-1")
    ready, results = threading.Barrier(8), []

    def call() -> None:
        ready.wait()
        results.append(rest.send(Request("GET", "/x")))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [{"ok": True}] * 8
    assert server.given == 2


def test_a_token_that_stays_refused_is_an_auth_error_after_one_renewal() -> None:
    server = TokenServer()
    server.revoked |= {"token-1", "token-2", "token-3"}
    world = Scripted([server])
    with pytest.raises(AuthError):
        RestClient(HOST, ports=world.ports, auth=credentials(world.ports)).send(
            Request("POST", "/x", json={})
        )
    assert server.given == 2


def test_a_refused_login_says_why_and_hides_the_assertion() -> None:
    world = Scripted([answer(400, {"error": "invalid_grant", "error_description": "no cert"})])
    with pytest.raises(AuthError, match="400 invalid_grant no cert"):
        RestClient(HOST, ports=world.ports, auth=credentials(world.ports)).send(
            Request("GET", "/x")
        )
    assert len(world.sent) == 1


def test_a_login_server_that_is_down_is_asked_again_even_before_a_write() -> None:
    server = TokenServer()
    world = Scripted([answer(503), AnswerLost("cut"), server])
    rest = RestClient(HOST, ports=world.ports, auth=credentials(world.ports))
    assert rest.send(Request("POST", "/x", json={})) == {"ok": True}
    with pytest.raises(ProviderDown):
        down = Scripted([answer(503)])
        RestClient(HOST, ports=down.ports, auth=credentials(down.ports)).send(
            Request("POST", "/x", json={})
        )


def test_a_key_that_is_none_is_a_config_error() -> None:
    ports = Scripted().ports
    with pytest.raises(ConfigError, match="cannot be read"):
        ClientCredentials(HOST, client_id="c", key_id="k", private_key="x", ports=ports)
    with pytest.raises(ConfigError, match="RS256"):
        credentials(ports, algorithm="RS256")
    with pytest.raises(ConfigError):
        bearer("two words")


def test_basic() -> None:
    header = basic("sk_test_1").headers(HttpRequest("GET", HOST))["Authorization"]
    assert header == "Basic c2tfdGVzdF8xOg=="
