"""The Salesforce connector: settings, logins, sessions, and what check finds missing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError
from salesforce_fake import (
    DATA,
    INSTANCE,
    LOGIN,
    NOW,
    ORG,
    ORG15,
    FakeSalesforce,
    once,
    refusal,
    reply,
)
from salesforce_pages import CLIENT, accounts, connect, ids

from tieout.connectors import connector_class
from tieout.connectors.base import Can, Connector
from tieout.connectors.salesforce import Salesforce, SalesforceConfig
from tieout.connectors.salesforce.kinds import BILLING, KINDS
from tieout.connectors.salesforce.org import learned
from tieout.core.errors import (
    AuthError,
    ConfigError,
)
from tieout.core.ports import HttpAnswer


@pytest.fixture
def fake() -> FakeSalesforce:
    return FakeSalesforce()


KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
).decode()


# Settings and login


def test_every_setting_and_every_field_to_create_is_in_the_docs() -> None:
    page = Path(__file__).parents[2] / "docs" / "providers" / "salesforce.md"
    text = page.read_text()
    named = {*SalesforceConfig.model_fields, *KINDS}
    for kind in (KINDS[entity] for entity in BILLING):
        for part in kind.parts:
            named |= {part.object, *(name for name in part.fields if name.endswith("__c"))}
    missing = sorted(name for name in named if not re.search(rf"\b{name}\b", text))
    assert not missing


def test_it_is_a_registered_connector_that_declares_what_it_does() -> None:
    assert connector_class("salesforce") is Salesforce
    methods = {
        Can.CREATE: "create", Can.UPDATE: "update", Can.FIND: "find", Can.ARCHIVE: "archive",
        Can.BATCH: "write_many", Can.PROVE: "prove", Can.EVENTS: "read_webhook",
    }  # fmt: skip
    for can, method in methods.items():
        assert any(can in each for each in Salesforce.can.values())
        assert getattr(Salesforce, method) is not getattr(Connector, method)
    assert Can.ARCHIVE not in Salesforce.can["customer"]
    assert Can.UPDATE not in Salesforce.can["contract"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": "x", "base_url": LOGIN},
        {"client_id": "x", "username": "a@example.com", "base_url": LOGIN},
        {"client_id": "x", "client_secret": "y"},  # login.salesforce.com refuses this flow
        {**CLIENT, "key_field": "Id FROM User --"},
        {**CLIENT, "fields": {"customer": ["Name FROM User"]}},
        {**CLIENT, "objects": {"invoice": {"object": "X__c WHERE"}}},
        {**CLIENT, "organization_id": "00D"},
        {**CLIENT, "objects": {"payout": {"object": "X__c"}}},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SalesforceConfig(**wrong)


def test_client_credentials_and_the_address_that_the_token_answer_names(
    fake: FakeSalesforce,
) -> None:
    crm = connect(fake)
    crm.get("customer", "0015g0000000001")
    assert fake.logins == [
        {
            "grant_type": "client_credentials",
            "client_id": "3MVG9example",
            "client_secret": "the-secret-of-the-app",
        }
    ]
    assert fake.requests[-1].url.startswith(INSTANCE + DATA)
    assert fake.requests[-1].headers["Authorization"] == "Bearer session-1"


def test_the_jwt_is_signed_as_documented_and_wins_over_a_client_secret(
    fake: FakeSalesforce,
) -> None:
    crm = connect(fake, username="integration@example.com", private_key=PEM)
    crm.get("customer", "0015g0000000001")
    (form,) = fake.logins
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert "client_secret" not in form
    claims = jwt.decode(
        form["assertion"],
        KEY.public_key(),
        algorithms=["RS256"],
        audience="https://login.salesforce.com",
        options={"verify_exp": False},
    )
    assert claims["iss"] == "3MVG9example" and claims["sub"] == "integration@example.com"
    assert claims["exp"] == int(NOW.timestamp()) + 180


def test_the_assertion_is_the_documented_text(fake: FakeSalesforce) -> None:
    """iss, sub, aud and exp in this order, compact, behind the header of RS256."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    fake.ports = replace(fake.ports, now=lambda: start)
    crm = connect(fake, username="integration@example.com", private_key=PEM)
    crm.get("customer", "0015g0000000001")
    signed, _, signature = fake.logins[0]["assertion"].rpartition(".")
    assert signed == (
        "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiIzTVZHOWV4YW1wbGUiLCJzdWIiOiJpbnRlZ3JhdGlvb"
        "kBleGFtcGxlLmNvbSIsImF1ZCI6Imh0dHBzOi8vbG9naW4uc2FsZXNmb3JjZS5jb20iLCJleHAiOjE3NjcyMjU3ODB9"
    )
    assert signature and "=" not in signature


@pytest.mark.parametrize(
    ("base_url", "audience"),
    [
        ("https://login.salesforce.com", "https://login.salesforce.com"),
        ("https://test.salesforce.com", "https://test.salesforce.com"),
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme--dev.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ("http://127.0.0.1:5001", "https://login.salesforce.com"),
    ],
)
def test_the_audience_follows_from_the_login_address(base_url: str, audience: str) -> None:
    settings = SalesforceConfig(
        client_id="x", username="u@example.com", private_key=PEM, base_url=base_url
    )
    assert settings.jwt_audience == audience


@pytest.mark.parametrize(
    ("error", "description", "hint"),
    [
        ("invalid_grant", "user hasn't approved this consumer", "pre-authorized"),
        ("invalid_grant", "audience is invalid", "test.salesforce.com"),
        ("invalid_client_id", "client identifier invalid", "client_id"),
        ("unsupported_grant_type", "grant type not supported", "enable"),
        ("inactive_user", "user is inactive", "inactive"),
        ("invalid_grant", "authentication failure", "check"),
    ],
)
def test_a_refused_login_says_what_to_mend_and_is_not_repeated(
    fake: FakeSalesforce, error: str, description: str, hint: str
) -> None:
    fake.rules.append(
        lambda method, path, query: reply({"error": error, "error_description": description}, 400)
    )
    with pytest.raises(AuthError) as caught:
        connect(fake).check()
    assert description in caught.value.message and hint in caught.value.hint
    assert "the-secret-of-the-app" not in str(caught.value)
    assert len(fake.calls) == 1


def test_an_elliptic_key_is_refused_before_anything_is_sent(fake: FakeSalesforce) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(ConfigError, match="not an RSA key"):
        connect(fake, username="u@example.com", private_key=pem.decode()).check()
    assert not fake.calls


def test_a_login_of_another_org_is_refused(fake: FakeSalesforce) -> None:
    connect(fake, organization_id=ORG15).check()
    with pytest.raises(ConfigError, match="belongs to the org"):
        connect(fake, organization_id="00D000000000001").check()


def test_an_ended_session_is_renewed_once_and_the_call_repeated(fake: FakeSalesforce) -> None:
    one = fake.put("Account", Name="A")["Id"]
    crm = connect(fake)
    assert crm.get("customer", one)
    fake.token += 1  # somebody logged the user out
    assert crm.get("customer", one)
    assert len(fake.logins) == 2
    fake.rules.append(
        lambda method, path, query: (
            None if path.endswith("token") else refusal(401, "INVALID_SESSION_ID")
        )
    )
    before = len(fake.calls)
    with pytest.raises(AuthError):
        crm.get("customer", one)
    assert len(fake.calls) - before == 3  # the call, a login, the call again: and no more


def test_the_session_of_a_bulk_job_is_renewed_in_the_middle(fake: FakeSalesforce) -> None:
    made = accounts(fake, 6)
    crm = connect(fake, bulk_from=5)
    pages = crm.pull("customer")
    next(pages)
    fake.token += 1
    assert ids(list(pages)) == made


# check


def test_check_tells_who_we_are_and_finds_nothing_missing(fake: FakeSalesforce) -> None:
    account = connect(fake).check()
    assert (account.name, account.id, account.live) == ("Acme", ORG, True)
    assert account.problems == ()


def test_check_names_what_is_missing(fake: FakeSalesforce) -> None:
    del fake.fields["Account"]["TieOut_Id__c"]
    del fake.fields["Opportunity"]["Amount"]
    del fake.tables["Contact"]
    fake.not_unique.add("Product2")
    fake.limits["DailyApiRequests"]["Remaining"] = 3000
    crm = connect(
        fake, fields={"customer": ["Tier__c"]}, objects={"invoice": {"object": "Nope__c"}}
    )
    crm.currency = ""
    problems = crm.check().problems
    for words in (
        "single currency",
        "customer: Account has no field TieOut_Id__c",
        "customer: Account shows no field Tier__c",
        "opportunity: Opportunity shows no field Amount",
        "contact: Salesforce shows us no object Contact",
        "product: Product2.TieOut_Id__c is not marked Unique",
        "invoice: Salesforce shows us no object Nope__c",
        "12000 of 15000",
    ):
        assert any(words in each for each in problems), words
    assert len(problems) == 8


def test_check_goes_on_where_limits_and_organization_are_hidden(fake: FakeSalesforce) -> None:
    fake.rules.append(
        lambda method, path, query: (
            refusal(403, "INSUFFICIENT_ACCESS", "no")
            if "/limits" in path or "Organization" in query.get("q", [""])[0]
            else None
        )
    )
    account = connect(fake).check()
    assert (account.id, account.live, account.problems) == (ORG, None, ())


def test_a_currency_is_not_missed_where_records_name_theirs(fake: FakeSalesforce) -> None:
    fake.fields["Opportunity"]["CurrencyIsoCode"] = "picklist"
    crm = connect(fake)
    crm.currency = ""
    assert crm.check().problems == ()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("api-usage=22/15000", (22, 12000, 11978)),
        ("api-usage=14000/15000; per-app-api-usage=17/250(appName=a)", (14000, 12000, 0)),
        ("per-app-api-usage=17/250(appName=a); api-usage=5/100", (5, 80, 75)),
        ("nothing", None),
    ],
)
def test_the_orgs_budget_is_learned_from_every_answer(header: str, expected: Any) -> None:
    found = list(learned(HttpAnswer(200, {"sforce-limit-info": header}, b""), 80))
    if expected is None:
        assert found == []
        return
    (told,) = found
    assert told.pool == "day" and (told.used, told.limit, told.remaining) == expected


def test_a_version_that_is_gone_is_a_matter_of_configuration(fake: FakeSalesforce) -> None:
    fake.rules.append(
        once("GET", "/describe", refusal(410, "UNSUPPORTED_API_VERSION", "version not supported"))
    )
    with pytest.raises(ConfigError, match="answered 410"):
        connect(fake).get("customer", "0015g0000000001")
