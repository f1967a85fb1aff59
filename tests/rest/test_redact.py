"""Secrets and card numbers are taken out; everything else stays."""

from __future__ import annotations

import io
import logging

import pytest

from tieout.rest import RedactingFilter, Redactor, mask, segment
from tieout.rest.json import decode, split_array

PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nabc\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key sk_live_51Habcdef refused", "51Habcdef"),
        ("rk_test_abcdefgh", "abcdefgh"),
        ("whsec_dGVzdA==", "dGVzdA"),
        ("Authorization: Bearer abc.def-ghi", "abc.def-ghi"),
        ("{'Authorization': 'Basic dXNlcjpwYXNz'}", "dXNlcjpwYXNz"),
        ("client_assertion=eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln&x=1", "eyJpc3MiOiJ4In0"),
        ('{"access_token": "opaque-token-1"}', "opaque-token-1"),
        (PEM, "MHcCAQEE"),
        ('OAuth realm="1", oauth_token="tok", oauth_signature="a%2Bb%3D"', "a%2Bb%3D"),
        ("password=hunter22", "hunter22"),
        ("card 4242 4242 4242 4242 declined", "4242 4242"),
        ("card 378282246310005", "378282246310005"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text: str, secret: str) -> None:
    assert secret not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "No such customer: 'cus_NffrFeUfNV2Hib'",
        "invoice in_1MtHbELkdIwHu7ixl4OzzPMv has amount 1099 usd",
        "txn 1234567890123456 is no card: its check digit is wrong",
        "basic billing is on",
        "2026-01-31T12:00:00Z",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert mask(text) == text


def test_known_secrets_are_hidden_however_they_are_written() -> None:
    redact = Redactor(["a+b/c=d&e f"])
    assert "a+b" not in redact("x a+b/c=d&e f y")
    assert "a%2Bb" not in redact("x a%2Bb%2Fc%3Dd%26e%20f y")


def test_the_log_filter_covers_arguments_and_tracebacks() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.addFilter(RedactingFilter(["canary-of-ours"]))
    log = logging.Logger("x")
    log.addHandler(handler)
    log.warning("key %s", "sk_test_abcdef123")
    try:
        raise ValueError("canary-of-ours sk_live_abcdef123")
    except ValueError:
        log.exception("failed with %r", {"Authorization": "Bearer xyzxyzxyz"})
    shown = out.getvalue()
    assert "Traceback" in shown
    for secret in ("canary-of-ours", "sk_live_abcdef", "sk_test_abcdef", "xyzxyzxyz"):
        assert secret not in shown


def test_records_keep_their_own_bytes() -> None:
    body = b'{"object":"list", "data": [{"id": "a",  "n": 1.10}, {"id":"b"}], "has_more": false}'
    assert split_array(body, "data") == [b'{"id": "a",  "n": 1.10}', b'{"id":"b"}']
    with pytest.raises(ValueError, match="data"):
        split_array(b'{"data": [{"id": 1}', "data")
    with pytest.raises(ValueError, match="rows"):
        split_array(body, "rows")


@pytest.mark.parametrize("torn", [b"", b"<html>", b'{"a": 1', b"[" * 100_000, b'"\xff"'])
def test_what_is_not_json_is_a_value_error(torn: bytes) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        decode(torn)


def test_an_id_stays_one_path_segment() -> None:
    assert segment("a/../b?c#d e") == "a%2F..%2Fb%3Fc%23d%20e"
    for bad in ("", ".", ".."):
        with pytest.raises(ValueError, match="no id"):
            segment(bad)
