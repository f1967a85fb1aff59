"""The generated fast path and the careful way agree, and nothing escapes but InvalidRecord."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tieout.core.errors import InvalidRecord
from tieout.mappings import load_mapping

SAMPLES = Path(__file__).parents[3] / "shared" / "providers" / "stripe" / "samples"
FILES = {
    "invoice": "invoice-openapi-fixture.json",
    "customer": "customer-openapi-fixture.json",
    "subscription": "subscription-openapi-fixture.json",
    "payment": "old-api-payment_intent_pi_fakefakefakefakefake0001.json",
    "credit_note": "credit_note-openapi-fixture.json",
    "payout": "payout-openapi-fixture.json",
    "price": "price-openapi-fixture.json",
}
MAPPER = load_mapping("stripe").compile(system="s", timezone="Asia/Tokyo")

leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.decimals(),
    st.text(max_size=8),
    st.sampled_from(["usd", "ISK", "xyz", "card", "open", "", "2026-01-01"]),
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)


def sample(entity: str) -> dict[str, Any]:
    if not SAMPLES.exists():
        pytest.skip("the official samples are not beside the repository")
    raw: dict[str, Any] = json.loads((SAMPLES / FILES[entity]).read_text(), parse_float=Decimal)
    return raw


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    rows = value.items() if isinstance(value, dict) else enumerate(value)
    if isinstance(value, dict | list):
        for key, inner in rows:
            found += (
                places(inner, (*path, key)) if isinstance(inner, dict | list) else [(*path, key)]
            )
    return found


def outcome(read: Any) -> Any:
    try:
        return read()
    except InvalidRecord as error:
        assert error.where
        return error.message


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), entity=st.sampled_from(sorted(FILES)))
def test_a_mangled_record_is_read_alike_or_refused(data: st.DataObject, entity: str) -> None:
    raw = copy.deepcopy(sample(entity))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(places(raw)))
        holder: Any = raw
        for step in path[:-1]:
            holder = holder[step] if isinstance(holder, dict | list) else {}
        if isinstance(holder, dict | list):
            try:
                holder[path[-1]] = data.draw(values)
            except IndexError:
                continue
    before = copy.deepcopy(raw)
    quick = outcome(lambda: MAPPER.parse(entity, raw))
    slow = outcome(lambda: MAPPER._read(entity, MAPPER._prepared(entity, raw))[0])
    assert quick == slow
    assert repr(raw) == repr(before), "the payload was changed"


@pytest.mark.parametrize("entity", sorted(FILES))
def test_official_samples_take_the_fast_path(entity: str) -> None:
    prepared = MAPPER._prepared(entity, sample(entity))
    assert MAPPER._plans[entity].fast(prepared) == MAPPER._read(entity, prepared)[0]
