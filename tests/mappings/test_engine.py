"""The engine: what rules read, what becomes of odd records, and what is written back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tieout.core.entities import Address, Customer, Invoice, Line, Price, Product
from tieout.core.errors import ConfigError, InvalidRecord
from tieout.mappings import Mapper, load_mapping

BASE = """
defaults:
  amount: money_decimal
  instant: iso8601
options:
  greeting: hello
customer:
  write: always
  id: Id
  created_at: made
  deleted: gone
  url: {template: "https://ui.example/c/{Id}?n={name}"}
  metadata: extra
  external_ids: {crm: crm.id}
  fields:
    name: [company.name, name]
    email: {path: mail, max: 12, codec: text}
    phone: {path: phone, write: create}
    currency: cur
    status: {path: state, codec: enum, values: {on: active, off: archived, gone: archived}}
    billing_address:
      path: addr
      codec: address
      parts: {line1: street, line2: [street2, street3], postal_code: zip}
    credit_minor: {sum_of: [credits.*.amount, -debts.*.amount], codec: money_decimal}
    payment_terms_days: {path: terms, default: 30}
    language: {path: lang, write: never}
  custom:
    segment: seg
  create: {kind: business, options.source: tieout}
  ignore: [noise]
invoice:
  fields:
    kind: {constant: invoice}
    number:
      first_of:
        - {path: no, when: {type: [final, paid]}}
        - {template: "draft {id}"}
    currency: {path: cur, codec: currency, required: true}
    total_minor: {path: total, required: true}
    lines:
      path: rows
      fields: {description: text, amount_minor: sum, product_id: {path: item, key: ref, codec: ref}}
"""


def mapper_of(folder: Path, text: str = BASE, *overlays: str, **system: Any) -> Mapper:
    paths = []
    for position, each in enumerate((text, *overlays)):
        path = folder / f"m{position}.yaml"
        path.write_text(each, encoding="utf-8")
        paths.append(path)
    mapping = load_mapping("demo", paths[1:], builtin=paths[0])
    return mapping.compile(system="demo", **system)


@pytest.fixture
def mapper(tmp_path: Path) -> Mapper:
    return mapper_of(tmp_path)


def refused(text: str, folder: Path, *overlays: str) -> str:
    with pytest.raises(ConfigError) as caught:
        mapper_of(folder, text, *overlays)
    return caught.value.message


def test_a_record_is_read_by_paths_codecs_defaults_and_templates(mapper: Mapper) -> None:
    raw = {
        "Id": 7, "made": "2026-01-02T03:04:05+01:00", "name": "Ada", "mail": "ada@x.example",
        "company": {"name": ""}, "cur": "eur", "state": "on", "crm": {"id": 99}, "seg": None,
        "addr": {"street": "Main 1", "street2": "Floor 2", "street3": "Door 3", "zip": "10115"},
        "credits": [{"amount": "10.05"}, {"amount": Decimal("1")}], "debts": [{"amount": 2}],
        "extra": {"segment": "gold", "size": 3}, "lang": "de_at",
    }  # fmt: skip
    assert mapper.parse("customer", raw) == Customer(
        system="demo",
        id="7",
        created_at=datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC),
        url="https://ui.example/c/7?n=Ada",
        external_ids={"crm": "99"},
        custom={"segment": "gold", "size": 3},  # a null rule value is no clash
        name="Ada",  # an empty first alternative counts as absent
        email="ada@x.example",
        status="active",
        currency="EUR",
        language="de-AT",
        billing_address=Address(line1="Main 1", line2="Floor 2, Door 3", postal_code="10115"),
        payment_terms_days=30,
        credit_minor=905,  # 10.05 + 1 - 2
    )


def test_metadata_that_clashes_with_a_custom_field_gets_a_longer_name(mapper: Mapper) -> None:
    record = mapper.parse("customer", {"Id": "a", "seg": "gold", "extra": {"segment": "x"}})
    assert record.custom == {"segment": "gold", "metadata_segment": "x"}


def test_conditions_choose_between_rules(mapper: Mapper) -> None:
    final = {"id": "i", "type": "final", "no": "N-1", "cur": "USD", "total": 1}
    draft = {**final, "type": "draft"}
    numbers = [mapper.parse("invoice", raw).number for raw in (final, draft)]  # type: ignore[attr-defined]
    assert numbers == ["N-1", "draft i"]


def test_lists_become_tuples_of_structs(mapper: Mapper) -> None:
    rows = [{"text": "a", "sum": "1.50", "item": {"ref": 5}}, {"sum": Decimal("-0.25")}]
    record = mapper.parse("invoice", {"id": "i", "cur": "usd", "total": "1.25", "rows": rows})
    assert isinstance(record, Invoice)
    assert record.kind == "invoice" and record.total_minor == 125
    assert record.lines == (
        Line(description="a", amount_minor=150, product_id="5"),
        Line(amount_minor=-25),
    )
    assert mapper.parse("invoice", {"id": "i", "cur": "usd", "total": 0}).lines == ()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("raw", "where", "says"),
    [
        ({"cur": "USD", "total": 1}, "invoice, field id", "missing"),
        ({"id": "i", "cur": "USD"}, "invoice i, field total_minor", "missing"),
        ({"id": "i", "total": 1}, "invoice i, field total_minor", "currency"),
        ({"id": "i", "cur": "XYZ", "total": 1}, "invoice i, field total_minor", "'XYZ'"),
        ({"id": "i", "cur": "XYZ", "total": 0}, "invoice i, field currency", "unknown"),
        ({"id": "i", "cur": "JPY", "total": "1.5"}, "invoice i, field total_minor", "decimals"),
        ({"id": "i", "cur": "USD", "total": 1.5}, "invoice i, field total_minor", "exact"),
        ({"id": "i", "cur": "USD", "total": True}, "invoice i, field total_minor", "exact"),
        ({"id": "i", "cur": ["USD"], "total": 1}, "invoice i, field currency", "currency code"),
        (
            {"id": "i", "cur": "USD", "total": 1, "rows": [{}, {"sum": "x"}]},
            "invoice i, field lines[1].amount_minor",
            "not a number",
        ),
        ({"id": "i", "cur": "USD", "total": 1, "rows": [3]}, "invoice i, field lines[0]", "object"),
        ({"id": "i", "cur": "USD", "total": 1, "rows": {}}, "invoice i, field lines", "list"),
    ],
)
def test_a_bad_record_names_the_field(
    mapper: Mapper, raw: dict[str, Any], where: str, says: str
) -> None:
    with pytest.raises(InvalidRecord) as caught:
        mapper.parse("invoice", raw)
    assert caught.value.where == where
    assert says in caught.value.message


def test_an_unknown_choice_lists_what_is_known_and_shows_no_secret(mapper: Mapper) -> None:
    with pytest.raises(InvalidRecord) as caught:
        mapper.parse("customer", {"Id": "c", "state": "sk_live_abcdef"})
    assert "***" in caught.value.message and "abcdef" not in caught.value.message
    assert "on, off, gone" in caught.value.hint
    assert caught.value.where == "customer c, field status"


def test_unknown_codes_are_kept_and_remarked_on(mapper: Mapper) -> None:
    raw = {"Id": "c", "cur": "Doubloons", "addr": {"country": "Narnia"}, "lang": "Elvish!"}
    record = mapper.parse("customer", raw)
    assert record.custom == {
        "currency": "Doubloons",
        "billing_address_country": "Narnia",
        "language": "Elvish!",
    }
    assert isinstance(record, Customer) and record.currency is None
    assert len(mapper.remarks("customer", raw)) == 3
    assert "'Narnia'" in " ".join(mapper.remarks("customer", raw))


def test_a_deleted_stub_needs_nothing_but_its_id(mapper: Mapper, tmp_path: Path) -> None:
    text = BASE.replace("invoice:\n", "invoice:\n  deleted: gone\n")
    record = mapper_of(tmp_path, text).parse("invoice", {"id": "i", "gone": True})
    assert record.deleted and record.id == "i"


def test_the_systems_currency_stands_in_where_a_record_names_none(tmp_path: Path) -> None:
    mapper = mapper_of(tmp_path, currency="bhd")
    invoice = mapper.parse("invoice", {"id": "i", "total": "1.234"})
    assert isinstance(invoice, Invoice)
    assert (invoice.currency, invoice.total_minor) == ("BHD", 1234)  # required, so it is filled
    customer = mapper.parse("customer", {"Id": "c", "credits": [{"amount": 1}]})
    assert isinstance(customer, Customer)
    assert (customer.currency, customer.credit_minor) == (None, 1000)  # not invented


def test_bytes_are_decoded_without_floats(mapper: Mapper) -> None:
    record = mapper.parse_bytes("invoice", b'{"id":"i","cur":"USD","total":90071992547409.93}')
    assert isinstance(record, Invoice) and record.total_minor == 9007199254740993
    for body in (b"[]", b"{", b"nonsense", b'"x"', b"\xff"):
        with pytest.raises(InvalidRecord):
            mapper.parse_bytes("invoice", body)


def test_render_creates_with_constants_and_leaves_nulls_out(mapper: Mapper) -> None:
    fields = {"name": "Ada", "phone": "1", "email": "a-rather-long@mail.example", "status": None}
    assert mapper.render("customer", fields, creating=True) == {
        "kind": "business",
        "options": {"source": "tieout"},
        "company": {"name": "Ada"},
        "phone": "1",
        "mail": "a-rather-lon",
    }


def test_render_updates_only_what_may_be_updated_and_clears_with_null(mapper: Mapper) -> None:
    fields = {
        "name": None,
        "phone": "1",
        "language": "de",
        "status": "archived",
        "custom": {"segment": "x", "color": 5},
        "billing_address": {"line1": "Main 1", "country": "DE"},  # as plans keep it: plain JSON
    }
    assert mapper.render("customer", fields, creating=False) == {
        "company": {"name": None},
        "state": "off",  # the first of theirs that means ours
        "seg": "x",
        "extra": {"color": "5"},
        "addr": {
            "street": "Main 1", "street2": None, "city": None, "state": None, "zip": None,
            "country": "DE",
        },
    }  # fmt: skip


def test_empty_says_how_a_field_is_cleared(tmp_path: Path) -> None:
    mapper = mapper_of(tmp_path, BASE + "empty: ''\n")
    assert mapper.render("customer", {"email": None}, creating=False) == {"mail": ""}


def test_writable_tells_creates_from_updates(mapper: Mapper) -> None:
    creating, updating = (mapper.writable("customer", creating=flag) for flag in (True, False))
    assert creating - updating == {"phone"}
    assert {"name", "custom", "custom.segment", "external_ids.crm"} <= updating
    assert not {"language", "credit_minor", "payment_terms"} & creating
    assert mapper.writable("invoice", creating=True) == frozenset()


def test_project_gives_the_fields_back_as_the_provider_would(mapper: Mapper) -> None:
    found = mapper.project(
        "customer", {"email": "a-rather-long@mail.example", "language": "de", "custom.color": 5}
    )
    assert found == {"email": "a-rather-lon", "custom.color": "5"}


def test_rendering_a_value_of_the_wrong_type_names_the_field(mapper: Mapper) -> None:
    with pytest.raises(InvalidRecord) as caught:
        mapper.render("customer", {"name": 5}, creating=True)
    assert caught.value.where == "customer, field name"
    with pytest.raises(InvalidRecord):
        mapper.render("customer", {"billing_address": "nowhere"}, creating=True)


def test_unknown_fields_are_paths_that_nobody_knows(mapper: Mapper) -> None:
    raw = {
        "Id": 1, "noise": {"a": 1}, "addr": {"street": "x", "planet": "Mars"}, "new": [1],
        "extra": {"any": 1}, "credits": [{"amount": 1, "why": "x"}], "company": {"name": 1},
    }  # fmt: skip
    assert mapper.unknown_fields("customer", raw) == ["addr.planet", "credits.*.why", "new"]


def test_an_unknown_entity_is_a_config_error_with_a_suggestion(mapper: Mapper) -> None:
    with pytest.raises(ConfigError) as caught:
        mapper.parse("invoce", {})
    assert "did you mean invoice?" in caught.value.hint


def test_all_problems_come_at_once_with_lines_and_suggestions(tmp_path: Path) -> None:
    text = """customer:
  prepar: x
  fields:
    nme: x
    email: {path: mail, codc: text}
    credit_minor: {path: balance, codec: money_miner}
    phone: {path: a, constant: b}
    currency: {path: cur, codec: currency, case: medium}
    status: {path: s, codec: enum, values: {on: actve}}
    billing_address: {path: a, codec: integer}
    language: a..b
    name: {path: n, write: sometimes}
invoce: {}
invoice:
  fields:
    total_minor: total
    lines: {path: rows, fields: {amout_minor: x}}
"""
    found = refused(text, tmp_path).splitlines()
    expected = {
        2: "did you mean prepare?",
        4: "did you mean name?",
        5: "did you mean codec?",
        6: "did you mean money_minor?",
        7: "one of path",
        8: "not one of lower, upper",
        9: "did you mean active?",
        10: "gives a whole number, the field holds address",
        11: "not a path",
        12: "sometimes",
        13: "did you mean invoice?",
        16: "needs a codec",
        17: "did you mean amount_minor?",
    }
    for line, words in expected.items():
        assert any(f":{line}: " in each and words in each for each in found), (line, words, found)
    assert len(found) == len(expected)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("customer: {fields: {name: a, name: b}}", "duplicate key"),
        ("customer: &x {fields: {name: a}}", "anchors"),
        ("- a\n", "must be a table"),
        ("customer: [", "not valid YAML"),
        ("customer: {fields: [name]}", "must be a table"),
        ("customer: {fields: {name: 5}}", "is not a rule"),
        ("customer: {metadata: 5}", "path"),
        ("customer: {fields: {name: {path: a, required: maybe}}}", "true or false"),
        ("customer: {fields: {name: {constant: 5}}}", "text that fits"),
        ("customer: {fields: {tax_id: {path: a, codec: lookup}}}", "needs 'table'"),
        ("customer: {fields: {name: {first_of: []}}}", "list of rules"),
        ("product: {fields: {active: {path: a, codec: boolean_tf, when: x}}}", "when must be"),
        ("defaults: {amounts: money_minor}", "kind of field"),
        ("customer: {prepare: nobody.knows}", "unknown prepare"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, text: str, says: str) -> None:
    assert says in refused(text, tmp_path)


def test_a_missing_file_and_an_unknown_type_are_config_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_mapping("demo", builtin=tmp_path / "none.yaml")
    with pytest.raises(ConfigError) as caught:
        load_mapping("strpe")
    assert "stripe" in caught.value.hint


OVERLAY = """
options: {greeting: bye}
customer:
  fields:
    custom.tier: {path: extra.tier}
    custom.level: extra.level
    phone: mobile
    status: {values: {paused: active}}
    language: null
  create: {kind: person}
  ignore: [more]
product:
  fields: {name: title}
"""


def test_an_overlay_adds_replaces_amends_and_removes(tmp_path: Path) -> None:
    mapper = mapper_of(tmp_path, BASE, OVERLAY)
    raw = {
        "Id": "c", "mobile": "1", "phone": "2", "state": "paused", "lang": "de",
        "extra": {"tier": "gold", "level": "3"}, "more": 1,
    }  # fmt: skip
    record = mapper.parse("customer", raw)
    assert isinstance(record, Customer)
    assert (record.phone, record.status, record.language) == ("1", "active", None)
    assert record.custom == {"tier": "gold", "level": "3"}  # once each: no metadata_tier
    assert mapper.parse("customer", {"Id": "c", "state": "off"}).status == "archived"  # type: ignore[attr-defined]
    assert mapper.parse("product", {"id": "p", "title": "Tea"}) == Product(
        system="demo", id="p", name="Tea"
    )
    body = mapper.render("customer", {"custom.tier": "silver"}, creating=True)
    assert body == {"kind": "person", "options": {"source": "tieout"}, "extra": {"tier": "silver"}}
    assert mapper.context.options == {"greeting": "bye"}
    assert mapper.unknown_fields("customer", raw) == ["lang", "phone"]


def test_an_overlays_mistakes_are_shown_in_the_overlay(tmp_path: Path) -> None:
    message = refused(BASE, tmp_path, "customer:\n  fields:\n    nam: x\noptions: {greting: x}\n")
    assert "m1.yaml:3: " in message and "m1.yaml:4: " in message


def test_the_version_follows_the_texts(tmp_path: Path) -> None:
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    for path in paths:
        path.write_text(BASE)
    first = load_mapping("demo", builtin=paths[0]).version
    assert first == load_mapping("demo", builtin=paths[1]).version
    paths[1].write_text("customer: {fields: {phone: mobile}}")
    assert first != load_mapping("demo", [paths[1]], builtin=paths[0]).version


@pytest.mark.parametrize(
    ("system", "says"),
    [
        ({"timezone": "Mars/Base"}, "time zone"),
        ({"currency": "XXL"}, "currency"),
        ({"options": {"greting": 1}}, "no option"),
    ],
)
def test_a_systems_mistakes_are_config_errors(
    tmp_path: Path, system: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        mapper_of(tmp_path, BASE, **system)


def test_tiers_are_null_where_there_are_none(tmp_path: Path) -> None:
    text = "price: {fields: {tiers: {path: tiers, fields: {up_to: to}}}}"
    mapper = mapper_of(tmp_path, text)
    assert mapper.parse("price", {"id": "p"}) == Price(system="demo", id="p")
    assert json.dumps(mapper.unknown_fields("price", {"id": "p", "tiers": [{"to": 1}]})) == "[]"
