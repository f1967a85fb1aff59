"""Promises of a connector that reads: pulls, changes, deletions, single records, proofs."""

from __future__ import annotations

import pytest

from tieout.connectors.base import Can, Connector, Method, Page, Window
from tieout.core.errors import (
    StopRun,
)

from .bench import Bench
from .stage import Stage, needs


class Reading(Stage):
    """Whatever is there is read, once, and only that."""

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
        since = self.filled_long_ago(bench, entity)
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
        since = self.filled_long_ago(bench, entity)
        touched = {self.touch(bench, entity) for _ in range(2)}
        bench.clock.move(3600)
        found = self.living(connector, entity, self.pages(connector, entity, since=since))
        assert touched <= set(found)

    @needs(Can.CHANGES)
    def test_a_change_that_shows_late_is_in_the_next_window(
        self, bench: Bench, connector: Connector, entity: str
    ) -> None:
        """What was stamped shortly before a window began, and could not be seen then."""
        self.filled_long_ago(bench, entity)
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
        since = self.filled_long_ago(bench, entity)
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
