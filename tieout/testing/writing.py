"""Promises of a connector that writes: once, found again, read back."""

from __future__ import annotations

import pytest

from tieout.connectors.base import Can, Connector, Write
from tieout.core.errors import (
    InvalidRecord,
    UnknownOutcome,
)

from .bench import Bench
from .stage import KEY, Stage, needs


class Writing(Stage):
    """A write takes place once, whatever becomes of its answers."""

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
        body = self.rendered(bench, connector, entity)
        extra = len(self.held(bench, entity)) - before  # what fields() put there itself
        first = connector.create(entity, body, key=KEY)
        again = self.connect(bench).create(entity, body, key=KEY)
        assert self.id_of(connector, entity, first) == self.id_of(connector, entity, again)
        assert len(self.held(bench, entity)) == before + extra + 1

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
        body = self.rendered(bench, connector, entity)
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
        body = self.rendered(bench, connector, entity)
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
