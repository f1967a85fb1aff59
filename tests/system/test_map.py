"""`tieout map`: one payload in, one JSON document out, and one clear reason where it is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tieout.cli.main import cli
from tieout.core.errors import ConfigError

PACKAGE_PRICE: dict[str, Any] = {
    "id": "price_1", "object": "price", "active": True, "billing_scheme": "per_unit",
    "currency": "isk", "product": "prod_1", "nickname": "Five seats", "recurring": None,
    "transform_quantity": {"divide_by": 5, "round": "up"}, "unit_amount": 12500,
    "unit_amount_decimal": "12500", "metadata": {},
}  # fmt: skip


def run_map(tmp_path: Path, connector: str, entity: str, body: Any, *more: str) -> tuple[int, Any]:
    file = tmp_path / "payload.json"
    file.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
    words = ["map", "--connector", connector, "--entity", entity, str(file), "--json", *more]
    result = CliRunner().invoke(cli, words, standalone_mode=False)
    assert result.exception is None
    return result.return_value, json.loads(result.stdout)


def test_a_package_price_comes_back_as_stripe_wants_it(tmp_path: Path) -> None:
    code, record = run_map(tmp_path, "stripe", "price", PACKAGE_PRICE)
    assert code == 0
    assert (record["entity"], record["system"], record["currency"]) == ("price", "stripe", "ISK")
    assert (record["unit_amount"], record["scheme"]) == ("125", "package")  # kronur come x 100
    assert run_map(tmp_path, "stripe", "price", record, "--reverse") == (
        0,
        {
            "product": "prod_1",
            "nickname": "Five seats",
            "currency": "isk",
            "unit_amount_decimal": "12500",
            "active": True,
            "transform_quantity": {"divide_by": 5, "round": "up"},
        },
    )


def test_amounts_of_a_body_are_numbers(tmp_path: Path) -> None:
    journal = {
        "currency": "USD",
        "lines": [
            {"account": "1100", "debit_minor": 18750},
            {"account": "4000", "credit_minor": 18750},
        ],
    }
    code, body = run_map(tmp_path, "netsuite", "journal_entry", journal, "--reverse")
    assert code == 0
    assert body["line"]["items"] == [
        {"account": {"refName": "1100"}, "debit": 187.5},
        {"account": {"refName": "4000"}, "credit": 187.5},
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "is empty"),
        (b'{"id": "in_1", "total": Infinity}', "is not JSON"),
        (b'{"id": "in_1", "id": "in_2"}', "'id' twice"),
        (b"[]", "is not one JSON object"),
        (b'{"id": "cus_1", "object": "customer"}', "not an invoice"),
        (b'{"id": "in_1", "currency": "usd", "total": ' + b"9" * 30 + b"}", "no sensible amount"),
    ],
)
def test_a_payload_that_is_refused_gives_its_reason_as_json(
    tmp_path: Path, body: bytes, reason: str
) -> None:
    code, refusal = run_map(tmp_path, "stripe", "invoice", body)
    assert code == 1
    assert reason in refusal["refused"]
    assert refusal["where"]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"total_minro": 1}, "no field 'total_minro'"),
        ({"entity": "customer", "id": "1"}, "is a canonical customer, not invoice"),
        ({"total_minor": "1"}, "is not a canonical invoice"),
        ([], "is not one JSON object"),
    ],
)
def test_a_canonical_record_that_is_none_is_refused(
    tmp_path: Path, record: Any, reason: str
) -> None:
    code, refusal = run_map(tmp_path, "stripe", "invoice", record, "--reverse")
    assert code == 1
    assert reason in refusal["refused"]


@pytest.mark.parametrize("text", ["[1]", '{"currency": 5}', '{"currency": ["USD"]}', "{"])
def test_lookups_that_are_no_tables_are_a_mistake_in_the_call(tmp_path: Path, text: str) -> None:
    lookups, payload = tmp_path / "lookups.json", tmp_path / "payload.json"
    lookups.write_text(text)
    payload.write_text('{"id": "1", "tranId": "x", "currency": {"id": "2"}, "total": 5}')
    words = ["map", "--connector", "netsuite", "--entity", "invoice", str(payload)]
    with pytest.raises(ConfigError, match="the lookups file"):
        CliRunner().invoke(
            cli, [*words, "--lookups", str(lookups)], standalone_mode=False, catch_exceptions=False
        )
