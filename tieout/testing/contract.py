"""The promises of a connector, as tests that its own test class inherits.

    class TestAcme(ConnectorContract):
        connector_class = Acme
        def new_bench(self) -> Bench: ...
        def settings(self, bench: Bench) -> dict[str, Any]: ...
        ...

A promise that is not declared in `can` is skipped, and the skip says so; one that is declared and
not kept, or kept and not declared, fails. What the suite asks of the subclass stands in the first
part of the class. Everything runs against the provider's stand-in, never against the connector's
own idea of the provider: what is true there is told by `held`, which must not use the connector.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import pytest

from tieout.connectors.base import Can, Connector, Method, Page, Touched, Window, Write
from tieout.core.entities import ENTITIES, Record
from tieout.core.errors import (
    AuthError,
    ConfigError,
    InvalidRecord,
    RateLimited,
    StopRun,
    TieoutError,
    UnknownOutcome,
)
from tieout.mappings import Mapper, load_mapping

from .bench import Bench

Test = TypeVar("Test", bound=Callable[..., None])
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


class ConnectorContract:
    """Inherit it; fill in the first part."""

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

    def create(self, bench: Bench, connector: Connector, entity: str, key: str = KEY) -> Record:
        fields = self.fields(bench, entity, connector)
        body = self.mapper(connector).render(entity, fields, creating=True)
        return self.mapper(connector).parse_bytes(entity, connector.create(entity, body, key=key))

    # -- declared is implemented ----------------------------------------------------------------

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

    # -- reading --------------------------------------------------------------------------------

    def test_a_full_pull_brings_every_record_once(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        self.fill(bench, entity)
        held = self.held(bench, entity)
        assert len(held) >= 3, "fill() must put three records there at least"
        found = self.living(connector, entity, self.pages(connector, entity))
        assert sorted(found) == sorted(held)

    def test_a_pull_resumes_after_the_page_it_saved(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        """Killed after any page, by a connector that was made anew."""
        self.fill(bench, entity)
        held = self.held(bench, entity)
        whole = self.pages(connector, entity)
        for stop in range(1, len(whole) + 1):
            before = self.pages_until(self.connect(bench), entity, stop)
            after = self.pages(self.connect(bench), entity, resume=before[-1].resume)
            found = self.living(connector, entity, [*before, *after])
            assert set(found) == held, f"killed after page {stop} of {len(whole)}"

    def pages_until(self, connector: Connector, entity: str, stop: int) -> list[Page]:
        found: list[Page] = []
        for page in connector.pull(entity):
            found.append(page)
            if len(found) == stop:
                break
        return found

    def test_a_saved_position_that_cannot_be_read_stops_the_run(
        self, connector: Connector, entity: str
    ) -> None:
        with pytest.raises(StopRun):
            self.pages(connector, entity, resume="{not a position}")

    @needs(Can.CHANGES)
    def test_only_what_changed_since_is_read(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        self.fill(bench, entity)
        bench.clock.move(3 * 86400)
        since = bench.clock.now()
        bench.clock.move(60)
        touched = self.touch(bench, entity)
        bench.clock.move(3600)
        found = self.living(connector, entity, self.pages(connector, entity, since=since))
        assert set(found) == {touched}

    @needs(Can.CHANGES)
    def test_changes_of_one_second_and_of_the_very_moment_are_read(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        """Providers stamp whole seconds: ties are ordinary, at the border of a window too."""
        self.fill(bench, entity)
        bench.clock.move(3 * 86400)
        since = bench.clock.now()
        touched = {self.touch(bench, entity) for _ in range(2)}
        bench.clock.move(3600)
        found = self.living(connector, entity, self.pages(connector, entity, since=since))
        assert touched <= set(found)

    @needs(Can.CHANGES)
    def test_a_change_that_shows_late_is_in_the_next_window(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        """What was stamped shortly before a window began, and could not be seen then."""
        self.fill(bench, entity)
        bench.clock.move(3 * 86400)
        touched = self.touch(bench, entity)
        bench.clock.move(5)
        since = bench.clock.now()
        bench.clock.move(3600)
        found = self.living(connector, entity, self.pages(connector, entity, since=since))
        assert touched in found

    @needs(Can.DELETIONS)
    def test_what_was_deleted_is_told(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        self.fill(bench, entity)
        bench.clock.move(3 * 86400)
        since = bench.clock.now()
        bench.clock.move(60)
        gone = self.remove(bench, entity)
        bench.clock.move(3600)
        pages = self.pages(connector, entity, since=since)
        told = {id for page in pages for id in page.deleted}
        told |= {each.id for each in self.records(connector, entity, pages) if each.deleted}
        assert gone in told

    @needs(Can.GET)
    def test_one_record_is_read_as_the_pull_reads_it(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        self.fill(bench, entity)
        mapper = self.mapper(connector)
        for record in self.records(connector, entity, self.pages(connector, entity)):
            body = connector.get(entity, record.id)
            assert body is not None and mapper.parse_bytes(entity, body) == record

    @needs(Can.GET)
    @pytest.mark.parametrize("id", ["nosuchthing", "../../admin", "a b?c=d#e", "'; DROP--"])
    def test_a_record_that_is_not_there_is_none(
        self, connector: Connector, entity: str, id: str
    ) -> None:
        assert connector.get(entity, id) is None

    # -- writing --------------------------------------------------------------------------------

    @needs(Can.CREATE)
    def test_what_was_created_is_read_back(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        fields = self.fields(bench, entity, connector)
        mapper = self.mapper(connector)
        body = mapper.render(entity, fields, creating=True)
        record = mapper.parse_bytes(entity, connector.create(entity, body, key=KEY))
        assert record.id in self.held(bench, entity)
        writable = mapper.writable(entity, creating=True)
        for name, value in mapper.project(entity, fields).items():
            if name in writable and not isinstance(value, list | tuple):
                assert getattr(record, name) == value, name

    @needs(Can.CREATE)
    def test_the_same_key_again_makes_no_second_record(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        before = len(self.held(bench, entity))
        body = self.mapper(connector).render(
            entity, self.fields(bench, entity, connector), creating=True
        )
        extra = len(self.held(bench, entity)) - before  # what fields() put there itself
        first = connector.create(entity, body, key=KEY)
        again = self.connect(bench).create(entity, body, key=KEY)
        assert self.id_of(connector, entity, first) == self.id_of(connector, entity, again)
        assert len(self.held(bench, entity)) == before + extra + 1

    def id_of(self, connector: Connector, entity: str, body: bytes | None) -> str:
        assert body is not None
        return self.mapper(connector).parse_bytes(entity, body).id

    @needs(Can.CREATE, Can.FIND)
    @pytest.mark.parametrize("fault", ["lost", "500_after", "torn", "500_before"])
    def test_a_create_whose_answer_was_lost_makes_one_record(
        self, bench: Bench, connector: Connector, entity: str, fault: str
    ) -> None:
        """At each of its calls in turn; then looked up by our key, and made if it is not there."""
        call = 0
        while True:
            bench, call = self.new_bench(), call + 1
            if not self._lose(bench, entity, fault, call):
                break
            assert call < 40, "a create of one record takes too many calls"
        assert call > 1

    def _lose(self, bench: Bench, entity: str, fault: str, call: int) -> bool:
        """One create with its nth call spoilt; False when it has fewer calls than that."""
        connector = self.connect(bench)
        connector.check()
        body = self.mapper(connector).render(
            entity, self.fields(bench, entity, connector), creating=True
        )
        before = self.held(bench, entity)
        bench.calm()
        bench.after(call - 1, fault)
        try:
            made: bytes | None = connector.create(entity, body, key=KEY)
        except UnknownOutcome:
            made = None
        struck = bench.struck
        bench.calm()
        bench.clock.move(self.index_lag_seconds)
        again = self.connect(bench)
        made = made or again.find(entity, KEY) or again.create(entity, body, key=KEY)
        assert self.held(bench, entity) - before == {self.id_of(connector, entity, made)}
        return struck

    @needs(Can.FIND)
    def test_a_key_that_was_never_used_finds_nothing(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        self.fill(bench, entity)
        assert connector.find(entity, "tieout-never-used") is None

    @needs(Can.CREATE, Can.FIND)
    def test_long_afterwards_the_record_is_still_found_by_our_key(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        """Idempotency windows end after minutes or days; the key in the record stays."""
        made = self.create(bench, connector, entity)
        bench.clock.move(10 * 86400)
        found = self.connect(bench).find(entity, KEY)
        assert self.id_of(connector, entity, found) == made.id

    @needs(Can.CREATE, Can.UPDATE)
    def test_what_was_updated_is_read_back(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        made = self.create(bench, connector, entity)
        mapper, fields = self.mapper(connector), self.changed(entity)
        body = mapper.render(entity, fields, creating=False)
        told = mapper.parse_bytes(entity, connector.update(entity, made.id, body, key=KEY + "-u"))
        kept = connector.get(entity, made.id)
        assert kept is not None
        for name, value in mapper.project(entity, fields).items():
            assert getattr(told, name) == value, name
            assert getattr(mapper.parse_bytes(entity, kept), name) == value, name

    @needs(Can.CREATE, Can.BATCH)
    def test_a_batch_has_an_outcome_for_each_in_order(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        mapper = self.mapper(connector)
        body = mapper.render(entity, self.fields(bench, entity, connector), creating=True)
        writes = [Write(body, f"{KEY}-{n}") for n in range(3)]
        broken = Write({}, f"{KEY}-broken", id="000000000000000AAA")
        first, bad, second, third = connector.write_many(
            entity, [writes[0], broken, writes[1], writes[2]]
        )
        assert isinstance(bad, InvalidRecord)
        ids = []
        for write, outcome in zip(writes, (first, second, third), strict=True):
            assert isinstance(outcome, bytes), outcome
            ids.append(self.id_of(connector, entity, outcome))
            assert self.id_of(connector, entity, connector.find(entity, write.key)) == ids[-1]
        assert len(set(ids)) == 3

    # -- limits, logins, faults -----------------------------------------------------------------

    @needs(Can.GET)
    def test_a_limit_is_waited_out(self, bench: Bench, connector: Connector, entity: str) -> None:
        self.fill(bench, entity)
        id = min(self.held(bench, entity))
        connector.check()
        before = bench.slept
        bench.next("429", times=2)
        try:
            assert connector.get(entity, id) is not None
        except RateLimited as told:  # a provider whose limits are of a day
            assert told.wait_seconds is None or told.wait_seconds > 60
            return
        assert bench.slept > before

    @needs(Can.GET)
    @pytest.mark.parametrize("fault", ["refused", "lost", "torn", "html", "500_before"])
    def test_a_read_that_failed_is_repeated(
        self, bench: Bench, connector: Connector, entity: str, fault: str
    ) -> None:
        self.fill(bench, entity)
        id = min(self.held(bench, entity))
        bench.next(fault)
        assert connector.get(entity, id) is not None

    @needs(Can.GET)
    def test_a_token_that_expired_is_renewed_once_for_all(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        path = type(self).token_path
        if not path:
            pytest.skip("this login needs no token")
        expire = bench.expire_tokens
        assert expire is not None, "give the Bench an `expire_tokens`"
        self.fill(bench, entity)
        ids = sorted(self.held(bench, entity))
        assert connector.get(entity, ids[0]) is not None
        bench.calm()
        expire()
        problems: list[BaseException] = []
        start = threading.Barrier(6)

        def read(id: str) -> None:
            start.wait()
            try:
                assert connector.get(entity, id) is not None
            except BaseException as error:
                problems.append(error)

        threads = [threading.Thread(target=read, args=(ids[n % len(ids)],)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not problems
        assert bench.count(path=path) == 1

    def test_a_refused_login_says_so(self, bench: Bench, connector: Connector) -> None:
        bench.next("401", times=20)
        with pytest.raises(ConfigError) as told:
            connector.check()
        self.no_secret_in(bench, told.value)

    def no_secret_in(self, bench: Bench, error: TieoutError) -> None:
        told = f"{error.message} {error.where} {error.hint} {error!r}"
        for name, value in self.secrets(bench).items():
            assert value not in told, f"{name} stands in the error"

    def secrets(self, bench: Bench) -> dict[str, str]:
        """The settings that are secret."""
        made = type(self).connector_class.Config.model_validate(self.settings(bench))
        return {
            name: value.get_secret_value()
            for name in type(made).model_fields
            if hasattr(value := getattr(made, name), "get_secret_value")
            and value.get_secret_value()
        }

    # -- webhooks -------------------------------------------------------------------------------

    def _deliverable(self, bench: Bench) -> Webhook:
        if not any(Can.EVENTS in can for can in type(self).connector_class.can.values()):
            pytest.skip(f"{type(self).connector_class.name} declares no EVENTS")
        return self.webhook(bench)

    def test_a_genuine_webhook_says_what_to_read_again(
        self, bench: Bench, connector: Connector
    ) -> None:
        sent = self._deliverable(bench)
        told = connector.read_webhook(sent.headers, sent.body)
        assert {(each.entity, each.id) for each in told} == sent.touched
        assert all(isinstance(each, Touched) and each.event_id for each in told)

    def test_a_forged_webhook_is_refused(self, bench: Bench, connector: Connector) -> None:
        sent = self._deliverable(bench)
        assert sent.forged
        for headers, body in sent.forged:
            with pytest.raises(AuthError) as told:
                connector.read_webhook(headers, body)
            self.no_secret_in(bench, told.value)

    def test_without_a_secret_no_webhook_is_taken(self, bench: Bench) -> None:
        sent = self._deliverable(bench)
        bare = {name: "" for name in self.webhook_secrets}
        with pytest.raises(ConfigError) as told:
            self.connect(bench, **bare).read_webhook(sent.headers, sent.body)
        # It is not the sender who is wrong: the answer must ask for the delivery to be repeated.
        assert not isinstance(told.value, AuthError)

    # -- the mapping ----------------------------------------------------------------------------

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

    # -- proofs ---------------------------------------------------------------------------------

    @needs(Can.PROVE)
    def test_the_second_look_agrees_with_the_provider(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        self.fill(bench, entity)
        bench.clock.move(3600)
        held = self.held(bench, entity)
        window = Window(None, bench.clock.now())
        self.pages(connector, entity)
        listed: set[str] = set()
        whole = False
        for evidence in connector.prove(entity, window):
            if evidence.method is Method.COUNT:
                assert evidence.count == len(held)
            elif evidence.method is Method.OVERLAP:
                assert evidence.seconds > 0
            else:
                assert set(evidence.ids) <= held
                listed |= set(evidence.ids)
                whole |= evidence.whole
        assert not whole or listed == held

    @needs(Can.PROVE)
    def test_the_second_look_at_an_empty_provider_is_no_error(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        window = Window(bench.clock.now(), bench.clock.now())
        for evidence in connector.prove(entity, window):
            assert isinstance(evidence.method, Method)
