"""What a connector's test class tells of its provider, and how the contract's tests run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from tieout.connectors.base import Can, Connector, Page
from tieout.core.entities import Record
from tieout.mappings import Mapper, load_mapping

from .bench import Bench

Test = TypeVar("Test", bound=Callable[..., None])
KEY = "tieout-contract-0001"


@dataclass(frozen=True)
class Webhook:
    """A genuine delivery, and what it touches. `forged` is the same, changed or badly signed."""

    headers: Mapping[str, str]
    body: bytes
    touched: frozenset[tuple[str, str]]
    forged: tuple[tuple[Mapping[str, str], bytes], ...]


def needs(*abilities: Can) -> Callable[[Test], Test]:
    """Run a test for each entity that declares all of these."""

    def mark(test: Test) -> Test:
        test.needs = abilities  # type: ignore[attr-defined]
        return test

    return mark


class Stage:
    """What the subclass of the contract tells, and how its tests are run."""

    # -- what the subclass tells ----------------------------------------------------------------

    connector_class: ClassVar[type[Connector]]
    timezone: ClassVar[str] = "UTC"
    currency: ClassVar[str | None] = None
    # entity -> why the stand-in cannot show its records, changes or writes
    excused: ClassVar[Mapping[str, str]] = {}
    # (entity, provider's record, canonical field, value): amounts of 0, 2 and 3 places at least
    money: ClassVar[Sequence[tuple[str, Mapping[str, Any], str, int]]] = ()
    # (entity, provider's record with a word that its documentation does not know, canonical field)
    unknown_words: ClassVar[Sequence[tuple[str, Mapping[str, Any], str]]] = ()
    # part of the path at which a token is fetched; "" where logins need none
    token_path: ClassVar[str] = ""
    # the settings without which no webhook can be verified
    webhook_secrets: ClassVar[tuple[str, ...]] = ("webhook_secret",)
    # seconds after which the provider's search finds a new record
    index_lag_seconds: ClassVar[float] = 120.0
    # what the mapping is laid over with, and its options
    overlays: ClassVar[tuple[Path, ...]] = ()
    options: ClassVar[Mapping[str, Any]] = {}

    def new_bench(self) -> Bench:
        """A fresh, empty provider."""
        raise NotImplementedError

    def settings(self, bench: Bench) -> dict[str, Any]:
        """The connector's part of config.yaml, `base_url` included."""
        raise NotImplementedError

    def held(self, bench: Bench, entity: str) -> set[str]:
        """The ids of all living records at the provider, asked of the stand-in itself."""
        raise NotImplementedError

    def fill(self, bench: Bench, entity: str) -> None:
        """Put several records there, at least three, and more than one page where that is easy."""
        raise NotImplementedError

    def touch(self, bench: Bench, entity: str) -> str:
        """Another user changes one record, now; its id."""
        raise NotImplementedError

    def remove(self, bench: Bench, entity: str) -> str:
        """Another user deletes one record; its id."""
        raise NotImplementedError

    def fields(self, bench: Bench, entity: str, connector: Connector) -> dict[str, Any]:
        """Canonical fields of a new record, typed; what it refers to exists there."""
        raise NotImplementedError

    def changed(self, entity: str) -> dict[str, Any]:
        """Canonical fields to change afterwards."""
        raise NotImplementedError

    def webhook(self, bench: Bench) -> Webhook:
        """A delivery as the provider would make it."""
        raise NotImplementedError

    # -- how the tests are run ------------------------------------------------------------------

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "entity" not in metafunc.fixturenames:
            return
        wanted = getattr(metafunc.function, "needs", (Can.LIST,))
        can = type(self).connector_class.can
        able = [
            entity
            for entity, declared in can.items()
            if all(each in declared for each in wanted) and entity not in type(self).excused
        ]
        names = " and ".join(str(each.name) for each in wanted)
        if able:
            metafunc.parametrize("entity", able)
        else:
            reason = f"{type(self).connector_class.name} declares no {names}"
            skipped = pytest.param("none", marks=pytest.mark.skip(reason=reason))
            metafunc.parametrize("entity", [skipped])

    @pytest.fixture
    def bench(self) -> Bench:
        return self.new_bench()

    @pytest.fixture
    def connector(self, bench: Bench) -> Connector:
        return self.connect(bench)

    def connect(self, bench: Bench, **changes: Any) -> Connector:
        """The connector, made anew as after a restart."""
        made = type(self).connector_class
        settings = made.Config.model_validate({**self.settings(bench), **changes})
        return made(settings, bench.ports, where="contract")

    def mapper(self, connector: Connector) -> Mapper:
        """The compiled mapping."""
        own = type(self)
        lookups = getattr(connector, "lookups", None)
        rules = load_mapping(connector.name, own.overlays, builtin=connector.mapping)
        return rules.compile(
            system="contract",
            timezone=own.timezone,
            currency=own.currency,
            lookups=lookups() if callable(lookups) else {},
            options=own.options,
        )

    def pages(self, connector: Connector, entity: str, **how: Any) -> list[Page]:
        return list(connector.pull(entity, **how))

    def records(self, connector: Connector, entity: str, pages: Sequence[Page]) -> list[Record]:
        mapper = self.mapper(connector)
        return [mapper.parse_bytes(entity, body) for page in pages for body in page.records]

    def living(self, connector: Connector, entity: str, pages: Sequence[Page]) -> list[str]:
        """Ids of the records that a pull brought and that are not deleted."""
        found = self.records(connector, entity, pages)
        return [record.id for record in found if not record.deleted]

    def rendered(self, bench: Bench, connector: Connector, entity: str) -> dict[str, Any]:
        """The body of a new record."""
        fields = self.fields(bench, entity, connector)
        return self.mapper(connector).render(entity, fields, creating=True)

    def filled_long_ago(self, bench: Bench, entity: str) -> datetime:
        """Several records, and a moment three days later: now."""
        self.fill(bench, entity)
        bench.clock.move(3 * 86400)
        return bench.clock.now()

    def create(self, bench: Bench, connector: Connector, entity: str, key: str = KEY) -> Record:
        body = self.rendered(bench, connector, entity)
        return self.mapper(connector).parse_bytes(entity, connector.create(entity, body, key=key))

    def id_of(self, connector: Connector, entity: str, body: bytes | None) -> str:
        assert body is not None
        return self.mapper(connector).parse_bytes(entity, body).id
