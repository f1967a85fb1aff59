"""Logging in to Salesforce's stand-in, sessions that end, and the daily limit."""

from __future__ import annotations

from collections.abc import Iterator

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from salesforce_stage import JWT_GRANT, Stage, stage

HOUR = 3600


@pytest.fixture
def org() -> Iterator[Stage]:
    with stage() as running:
        yield running


def test_a_signed_assertion_opens_a_session_on_the_own_address(org: Stage) -> None:
    answer = org.ask_token(grant_type=JWT_GRANT, assertion=org.assertion()).json()
    assert answer["instance_url"] == org.running.url
    assert answer["token_type"] == "Bearer"
    assert "expires_in" not in answer and "refresh_token" not in answer
    assert answer["id"].split("/")[-2] == org.stand_in.credentials()["organization_id"]
    assert answer["issued_at"] == "1778068800000"  # 2026-05-06T12:00:00Z in milliseconds


def test_an_expiry_written_as_text_is_taken(org: Stage) -> None:
    text = org.assertion(exp=str(org.clock.timestamp() + 60))
    assert org.ask_token(grant_type=JWT_GRANT, assertion=text).status_code == 200


@pytest.mark.parametrize(
    ("claims", "error", "words"),
    [
        ({"aud": "https://test.salesforce.com"}, "invalid_grant", "audience is invalid"),
        ({"sub": "nobody@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"iss": "3MVG9other"}, "invalid_client_id", "client identifier invalid"),
        ({"exp": 1778068800 - 1}, "invalid_grant", "invalid assertion"),
        ({"exp": 1778068800 + 3600}, "invalid_grant", "invalid assertion"),
        ({"exp": "soon"}, "invalid_grant", "invalid assertion"),
    ],
)
def test_a_wrong_claim_is_refused(
    org: Stage, claims: dict[str, object], error: str, words: str
) -> None:
    answer = org.ask_token(grant_type=JWT_GRANT, assertion=org.assertion(**claims))
    assert answer.status_code == 400
    assert answer.json() == {"error": error, "error_description": words}


def test_another_key_or_another_algorithm_is_refused(org: Stage) -> None:
    claims = jwt.decode(org.assertion(), options={"verify_signature": False})
    stranger = rsa.generate_private_key(65537, 2048)
    for forged in (
        jwt.encode(claims, stranger, algorithm="RS256"),
        jwt.encode(claims, org.stand_in.credentials()["private_key"], algorithm="RS512"),
        "not.a.jwt",
        "",
    ):
        answer = org.ask_token(grant_type=JWT_GRANT, assertion=forged)
        assert answer.json()["error"] == "invalid_grant"


def test_client_credentials_go_in_the_body_or_the_header(org: Stage) -> None:
    known = org.stand_in.credentials()
    pair = {"client_id": known["client_id"], "client_secret": known["client_secret"]}
    assert org.ask_token(grant_type="client_credentials", **pair).status_code == 200
    url = org.running.url + "/services/oauth2/token"
    basic = requests.post(
        url, data={"grant_type": "client_credentials"}, auth=tuple(pair.values()), timeout=10
    )
    assert basic.status_code == 200
    wrong = org.ask_token(grant_type="client_credentials", **pair | {"client_secret": "no"})
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")


def test_refresh_tokens_rotate_where_the_app_says_so() -> None:
    with stage(rotate_refresh_tokens=True) as org:
        known = org.stand_in.credentials()
        pair = {"client_id": known["client_id"], "client_secret": known["client_secret"]}
        first = org.stand_in.refresh_token
        answer = org.ask_token(grant_type="refresh_token", refresh_token=first, **pair).json()
        assert answer["refresh_token"] == org.stand_in.refresh_token != first
        again = org.ask_token(grant_type="refresh_token", refresh_token=first, **pair)
        assert again.json() == {
            "error": "invalid_grant",
            "error_description": "expired access/refresh token",
        }


@pytest.mark.parametrize("grant", ["", "magic"])
def test_an_unknown_grant_is_unsupported(org: Stage, grant: str) -> None:
    assert org.ask_token(grant_type=grant).json()["error"] == "unsupported_grant_type"


def test_a_session_ends_when_it_was_idle_and_lives_while_it_is_used(org: Stage) -> None:
    for _ in range(3):
        org.clock.move(HOUR)
        assert org.call("GET", "/limits").status_code == 200
    org.clock.move(2 * HOUR)
    answer = org.call("GET", "/limits")
    assert answer.status_code == 401
    assert answer.json() == [
        {"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}
    ]
    org.log_in()
    assert org.call("GET", "/limits").status_code == 200


def test_a_revoked_or_ended_session_is_gone(org: Stage) -> None:
    token = org.token
    url = org.running.url + "/services/oauth2/revoke"
    assert requests.post(url, data={"token": token}, timeout=10).status_code == 200
    assert org.refused(org.call("GET", "/limits")) == (401, "INVALID_SESSION_ID")
    org.log_in()
    org.stand_in.end_sessions()
    assert org.refused(org.call("GET", "/limits")) == (401, "INVALID_SESSION_ID")


def test_the_versions_need_no_login_and_old_ones_are_gone(org: Stage) -> None:
    versions = requests.get(org.running.url + "/services/data", timeout=10).json()
    assert versions[0] == {
        "label": "Summer '14",
        "url": "/services/data/v31.0",
        "version": "31.0",
    }
    assert [one["label"] for one in versions if one["version"] == "47.0"] == ["Winter '20"]
    assert org.call("GET", "/services/data/v29.0/limits").status_code == 410
    assert org.call("GET", "/services/data/v99.0/limits").status_code == 404


def test_every_answer_tells_the_usage_and_over_the_limit_comes_403() -> None:
    with stage(daily_limit=3) as org:
        first = org.call("GET", "/sobjects/Account/nothing")
        assert first.status_code == 404
        assert first.headers["Sforce-Limit-Info"] == "api-usage=1/3"
        org.clock.move(23 * HOUR)
        org.log_in()
        shown = org.call("GET", "/limits").json()["DailyApiRequests"]
        assert shown == {"Max": 3, "Remaining": 1}
        org.call("GET", "/limits")
        over = org.call("GET", "/limits")
        assert over.status_code == 403
        assert over.json() == [
            {"message": "TotalRequests Limit exceeded.", "errorCode": "REQUEST_LIMIT_EXCEEDED"}
        ]
        org.clock.move(HOUR)  # the first call is a day old now
        org.log_in()
        assert org.call("GET", "/limits").status_code == 200


def test_limits_can_be_switched_off() -> None:
    with stage(daily_limit=1, limits=False) as org:
        assert [org.call("GET", "/limits").status_code for _ in range(3)] == [200, 200, 200]


def test_the_app_s_own_share_may_follow_the_org_s() -> None:
    with stage(per_app_usage=True) as org:
        told = org.call("GET", "/limits").headers["Sforce-Limit-Info"]
        assert told == "api-usage=1/100000; per-app-api-usage=1/100000(appName=tieout)"


def test_the_same_seed_makes_the_same_credentials(org: Stage) -> None:
    with stage() as other, stage(seed=2) as third:
        assert other.stand_in.credentials() == org.stand_in.credentials()
        assert (
            third.stand_in.credentials()["private_key"]
            != (org.stand_in.credentials()["private_key"])
        )


def test_a_token_tells_whose_it_is(org: Stage) -> None:
    known = org.stand_in.credentials()
    told = org.call("GET", "/services/oauth2/userinfo").json()
    assert told["preferred_username"] == known["username"]
    assert told["organization_id"] == known["organization_id"]
    org.stand_in.end_sessions()
    refused = org.call("GET", "/services/oauth2/userinfo")
    assert (refused.status_code, refused.text) == (403, "Bad_OAuth_Token")
