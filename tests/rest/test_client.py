"""What is repeated, what is not, and which error a person gets in the end."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from fake_ports import Scripted, answer

from tieout.core.errors import (
    AuthError,
    ConfigError,
    Conflict,
    InvalidRecord,
    NotFound,
    ProviderDown,
    RateLimited,
    StopRun,
    TieoutError,
    TryLater,
    UnknownOutcome,
)
from tieout.core.ports import AnswerLost, HttpAnswer, NotSent
from tieout.rest import Again, Pace, Refusal, Request, RestClient, Verdict, bearer

KEY = "sk_live_canary0123456789"
READ = Request("GET", "/things")
WRITE = Request("POST", "/things", json={"a": 1})
KEYED = Request("POST", "/things", json={"a": 1}, headers={"Idempotency-Key": "k"}, idempotent=True)
HTML = HttpAnswer(200, {"content-type": "text/html"}, b"<html>Welcome</html>")
TORN = HttpAnswer(200, {"content-type": "application/json"}, b'{"id": "x", "amo')


def client(world: Scripted, **more: Any) -> RestClient:
    return RestClient(
        "https://api.example.com/v1", ports=world.ports, auth=bearer(KEY), where="billing", **more
    )


def test_an_answer_is_read_without_floats() -> None:
    world = Scripted([answer(body=b'{"rate": 0.1, "big": 12345678901234567890, "e": 1e-7}')])
    found = client(world).send(READ)
    assert found == {"rate": Decimal("0.1"), "big": 12345678901234567890, "e": Decimal("1E-7")}
    assert not any(isinstance(value, float) for value in found.values())
    assert world.sent[0].url == "https://api.example.com/v1/things"
    assert world.sent[0].headers["Authorization"] == f"Bearer {KEY}"


def test_decimals_are_sent_as_exact_numbers() -> None:
    world = Scripted([answer(204)])
    assert client(world).send(Request("PUT", "/x", json={"rate": Decimal("1.10")})) is None
    assert world.sent[0].body == b'{"rate":1.10}'
    assert world.sent[0].headers["Content-Type"] == "application/json"


def test_a_form_is_flattened_with_brackets() -> None:
    world = Scripted([answer(body={})])
    form = {"items": [{"price": "p"}, {"price": "q"}], "metadata": {"k": "a b"}, "name": None}
    client(world).send(Request("POST", "/x", form={**form, "on": True}))
    assert world.sent[0].body == (
        b"items%5B0%5D%5Bprice%5D=p&items%5B1%5D%5Bprice%5D=q&metadata%5Bk%5D=a+b&name=&on=true"
    )


BEFORE = [NotSent("refused"), answer(429), answer(423)]
MAYBE = [answer(500), answer(502), answer(503), answer(504), AnswerLost("cut"), HTML, TORN]


@pytest.mark.parametrize("failure", [*BEFORE, *MAYBE], ids=str)
@pytest.mark.parametrize("request_", [READ, KEYED], ids=["read", "keyed write"])
def test_what_can_be_repeated_is_repeated(request_: Request, failure: Any) -> None:
    world = Scripted([failure, answer(body={"id": 1})])
    assert client(world).send(request_) == {"id": 1}
    assert len(world.sent) == 2
    assert len({request.body for request in world.sent}) == 1


@pytest.mark.parametrize("failure", BEFORE, ids=str)
def test_a_plain_write_is_repeated_where_it_was_surely_not_carried_out(failure: Any) -> None:
    world = Scripted([failure, answer(body={"id": 1})])
    assert client(world).send(WRITE) == {"id": 1}


@pytest.mark.parametrize("failure", MAYBE, ids=str)
def test_a_plain_write_that_may_have_happened_is_never_repeated(failure: Any) -> None:
    world = Scripted([failure, answer(body={"id": 1})])
    with pytest.raises(UnknownOutcome):
        client(world).send(WRITE)
    assert len(world.sent) == 1


@pytest.mark.parametrize(
    ("failure", "request_", "expected", "attempts"),
    [
        (NotSent("refused"), READ, ProviderDown, 6),
        (NotSent("refused"), WRITE, ProviderDown, 6),
        (AnswerLost("cut"), READ, ProviderDown, 10),
        (AnswerLost("cut"), KEYED, UnknownOutcome, 10),
        (answer(503), READ, ProviderDown, 10),
        (answer(503), KEYED, UnknownOutcome, 10),
        (answer(429), WRITE, RateLimited, 10),
        (HTML, READ, ProviderDown, 3),
        (TORN, READ, ProviderDown, 4),
        (answer(400), READ, InvalidRecord, 1),
        (answer(422), KEYED, InvalidRecord, 1),
        (answer(401), READ, AuthError, 1),
        (answer(403), READ, AuthError, 1),
        (answer(404), READ, NotFound, 1),
        (answer(410), READ, NotFound, 1),
        (answer(409), KEYED, Conflict, 1),
        (answer(412), KEYED, Conflict, 1),
        (answer(301, location="https://www.example.com/x"), READ, ConfigError, 1),
    ],
    ids=str,
)
def test_the_error_in_the_end(
    failure: Any, request_: Request, expected: type[TieoutError], attempts: int
) -> None:
    world = Scripted([failure])
    with pytest.raises(TieoutError) as caught:
        client(world).send(request_)
    assert type(caught.value) is expected
    assert len(world.sent) == attempts
    assert caught.value.where == f"billing: {request_.method} /things"


def test_a_keyed_write_whose_first_answer_was_lost_stays_unknown_whatever_came_later() -> None:
    world = Scripted([AnswerLost("cut"), NotSent("refused")])
    with pytest.raises(UnknownOutcome):
        client(world).send(KEYED)
    world = Scripted([AnswerLost("cut"), answer(401)])
    with pytest.raises(UnknownOutcome):
        client(world).send(KEYED)


def test_a_body_is_made_anew_for_every_attempt() -> None:
    """Where the signature stands in the body: a provider takes each one once."""
    world = Scripted([AnswerLost("gone"), answer(body={"ok": True})])
    made = iter((b"first", b"second"))
    client(world).send(Request("POST", "/x", body=lambda: next(made), reads=True))
    assert [each.body for each in world.sent] == [b"first", b"second"]


def test_a_torn_xml_answer_is_not_called_html() -> None:
    torn = HttpAnswer(200, {"content-type": "text/xml"}, b"<Envelope><Bo")
    with pytest.raises(ProviderDown) as told:
        client(Scripted([torn] * 10)).read(READ, _refuse)
    assert "HTML" not in told.value.message


def _refuse(answer: HttpAnswer) -> None:
    raise ValueError


def test_html_names_base_url() -> None:
    with pytest.raises(ProviderDown, match="HTML, not JSON: is base_url right"):
        client(Scripted([HTML])).send(READ)


@pytest.mark.parametrize(
    ("header", "waited"),
    [
        ("7", 7.5),
        ("Sat, 31 Jan 2026 12:00:20 GMT", 20.5),
        ("Fri, 30 Jan 2026 12:00:00 GMT", 0.5),
        ("soon", 0.5),  # half of the first second: the fake chance is 0.5
        ("-5", 0.5),
    ],
)
def test_retry_after_is_honoured(header: str, waited: float) -> None:
    world = Scripted([answer(429, retry_after=header), answer(body={})])
    client(world).send(READ)
    assert sum(world.slept) == pytest.approx(waited)


def test_a_judge_may_know_how_long_to_wait_where_no_header_says_it() -> None:
    def judge(refusal: Refusal) -> Verdict | None:
        return Verdict(RateLimited("a minute's window", wait_seconds=60.0), Again.ALWAYS)

    world = Scripted([answer(429), answer(429, retry_after="7"), answer(body={})])
    client(world, judge=judge).send(READ)
    assert world.slept == [60.5, 7.5]


def test_an_absurd_retry_after_ends_the_call_and_is_passed_on() -> None:
    world = Scripted([answer(429, retry_after="86400")])
    with pytest.raises(RateLimited) as caught:
        client(world).send(READ)
    assert caught.value.wait_seconds == 86400 and len(world.sent) == 1 and not world.slept


def test_waits_double_up_to_a_minute_and_end_in_time() -> None:
    world = Scripted([answer(500)], chance=1.0)
    with pytest.raises(ProviderDown):
        client(world, total_seconds=1e6).send(READ)
    assert world.slept == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    world = Scripted([answer(500)], chance=1.0)
    with pytest.raises(ProviderDown):
        client(world, total_seconds=20).send(READ)
    assert world.slept == [1, 2, 4, 8]


def test_a_judge_overrules_the_status() -> None:
    def judge(refusal: Refusal) -> Verdict | None:
        assert refusal.body == {"code": "busy"} and refusal.header("X-Why") == "lock"
        return Verdict(TryLater("busy"), Again.ALWAYS)

    world = Scripted([answer(400, {"code": "busy"}, **{"x-why": "lock"}), answer(body={"id": 1})])
    assert client(world, judge=judge).send(WRITE) == {"id": 1}


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example.com/v1/things",
        "http://api.example.com/v1/things",
        "https://api.example.com:8443/v1",
        "https://api.example.com@evil.example.com/",
        "https://user@api.example.com/",
        "//evil.example.com/x",
        "https://api.example.com.evil.com/",
        "/\\evil.example.com",
    ],
)
def test_credentials_never_go_to_another_origin(path: str) -> None:
    world = Scripted([answer(body={})])
    with pytest.raises(StopRun):
        client(world).send(Request("GET", path))
    assert not world.sent


def test_an_absolute_address_on_the_same_origin_is_followed() -> None:
    world = Scripted([answer(body={})])
    client(world).send(Request("GET", "https://API.example.com:443/v2/next?after=1"))
    assert world.sent[0].url == "https://API.example.com:443/v2/next?after=1"


@pytest.mark.parametrize(
    "base",
    [
        "http://api.example.com",
        "ftp://x",
        "api.example.com",
        "https://u:p@x.com",
        "",
        "https://x/?a=1",
    ],
)
def test_a_base_url_that_cannot_be_trusted_is_a_config_error(base: str) -> None:
    with pytest.raises(ConfigError):
        RestClient(base, ports=Scripted().ports)
    RestClient("http://127.0.0.1:8420", ports=Scripted().ports)


def test_no_secret_reaches_an_error() -> None:
    said = {"message": f"bad key {KEY} and card 4242 4242 4242 4242"}
    failures: list[Any] = [answer(status, said) for status in (400, 401, 403, 404, 409, 429, 500)]
    for failure in [*failures, NotSent(f"no {KEY}"), AnswerLost(f"lost {KEY}")]:
        with pytest.raises(TieoutError) as caught:
            client(Scripted([failure]), explain=lambda status, body: body["message"]).send(READ)
        shown = repr(caught.value) + caught.value.message + caught.value.hint + caught.value.where
        assert KEY not in shown and "4242 4242" not in shown
        assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_a_refusal_slows_the_pace() -> None:
    world = Scripted([answer(429, retry_after="3"), answer(body={})], chance=0.0)
    pace = Pace(10, ports=world.ports)
    rest = client(world, pace=pace)
    rest.send(READ)
    assert world.seconds == pytest.approx(3.0)
    before = world.seconds
    for _ in range(4):
        rest.send(READ)
    assert world.seconds - before > 0.4  # slower than the ten a second that were configured


def test_pages_follow_a_scheme() -> None:
    from tieout.rest import cursor_pages

    world = Scripted([answer(body={"data": [1], "next": "n1"}), answer(body={"data": [2]})])
    pages = client(world).pages(cursor_pages(READ, cursor="next", param="after"))
    assert [page["data"] for page in pages] == [[1], [2]]
    assert world.sent[1].url.endswith("/things?after=n1")
