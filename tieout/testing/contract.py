"""The promises of a connector, as tests that its own test class inherits.

    class TestAcme(ConnectorContract):
        connector_class = Acme
        def new_bench(self) -> Bench: ...
        def settings(self, bench: Bench) -> dict[str, Any]: ...
        ...

A promise that is not declared in `can` is skipped, and the skip says so; one that is declared and
not kept, or kept and not declared, fails. What the suite asks of the subclass stands in the first
part of `Stage`. Everything runs against the provider's stand-in, never against the connector's
own idea of the provider: what is true there is told by `held`, which must not use the connector.
"""

from __future__ import annotations

import json

import pytest

from tieout.connectors.base import Can, Connector
from tieout.core.entities import ENTITIES
from tieout.core.errors import (
    ConfigError,
    InvalidRecord,
)

from .guarding import Guarding
from .reading import Reading
from .stage import Webhook
from .writing import Writing

__all__ = ["ConnectorContract", "Webhook"]

# The method that keeps the promise of each ability. The others are ways in which `pull` works.
METHODS = {
    Can.FIND: "find",
    Can.CREATE: "create",
    Can.UPDATE: "update",
    Can.ARCHIVE: "archive",
    Can.EVENTS: "read_webhook",
    Can.BATCH: "write_many",
    Can.PROVE: "prove",
}


class ConnectorContract(Reading, Writing, Guarding):
    """Inherit it; fill in what `Stage` asks for."""

    def test_declares_exactly_what_it_implements(self) -> None:
        made = type(self).connector_class
        declared = {each for cans in made.can.values() for each in Can if each in cans}
        for ability, method in METHODS.items():
            implemented = getattr(made, method) is not getattr(Connector, method)
            assert implemented == (ability in declared), f"{method} and {ability} disagree"

    def test_declares_only_entities_that_exist_and_are_mapped(self, connector: Connector) -> None:
        mapped = set(self.mapper(connector).entities)
        assert set(connector.can) <= set(ENTITIES)
        assert {e for e, can in connector.can.items() if Can.LIST in can} <= mapped

    def test_an_entity_that_it_does_not_have_is_a_configuration_error(
        self, connector: Connector
    ) -> None:
        missing = next((each for each in ENTITIES if each not in connector.can), None)
        if missing is None:
            pytest.skip("it has every entity")
        with pytest.raises(ConfigError) as told:
            self.pages(connector, missing)
        assert missing in told.value.message

    def test_check_says_who_we_are(self, connector: Connector) -> None:
        account = connector.check()
        assert account.name and account.id

    def test_amounts_have_their_currencys_places(self, connector: Connector) -> None:
        """Yen have none, Bahraini dinars three: whatever the provider's own habit is."""
        cases = type(self).money
        assert cases, "give `money` at least one amount of each kind of currency it can hold"
        for entity, raw, field, minor in cases:
            record = self.mapper(connector).parse_bytes(entity, json.dumps(raw).encode())
            assert getattr(record, field) == minor, (entity, field, raw)

    def test_a_word_that_the_mapping_does_not_know_is_refused(self, connector: Connector) -> None:
        cases = type(self).unknown_words
        assert cases, "give `unknown_words` a record with a status that does not exist"
        for entity, raw, field in cases:
            with pytest.raises(InvalidRecord) as told:
                self.mapper(connector).parse_bytes(entity, json.dumps(raw).encode())
            assert field in f"{told.value.message} {told.value.where}"
