"""What the store learns of a write that took place: the record, its link, what is agreed now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tieout.core.entities import Record
from tieout.core.errors import InvalidRecord, UnknownOutcome
from tieout.store import Incoming, Store

from .flows import FlowSpec
from .golden import comparable, translated
from .items import Errand
from .link import join_links
from .pull import id_in, mark
from .side import Side


class NotUnderstood(UnknownOutcome):
    """The write took place, but its answer cannot be mapped; `id` is the new record's."""

    def __init__(self, id: str | None, reason: str) -> None:
        super().__init__(f"the answer is not understood: {reason}")
        self.id = id


class Booking:
    """Books confirmed writes of one run."""

    def __init__(
        self, store: Store, sides: Mapping[str, Side], flows: Sequence[FlowSpec], run: str
    ) -> None:
        self.store, self.sides, self.all_flows, self.run = store, sides, flows, run

    def confirm(self, errand: Errand, side: Side, flow: FlowSpec, body: bytes | None) -> None:
        """Store what the provider now has, link it, remember what is agreed: all or nothing.

        Raises NotUnderstood where the answer cannot be mapped.
        """
        store, entity = self.store, errand.entity
        record = self._read_back(errand, side, body)
        target_id = record.id if record else errand.target_id
        assert target_id is not None
        with store.transaction():
            if record and body:
                revision = side.connector.revision(entity, body)
                row = Incoming(record, body, store.next_seq(), side.mapping_version, revision)
                store.records.put(entity, [row], run=self.run)
            elif body is None:
                gone = [target_id]
                store.records.delete(entity, side.name, gone, seq=store.next_seq(), run=self.run)
            link = self._linked(errand, target_id)
            if record and not flow.profile.document:
                self._agree(link, errand, side, flow, record)
            mark(store, self.all_flows, side.name, entity, [target_id])
            mark(store, self.all_flows, errand.source, entity, [errand.source_id])
            store.outbox.confirm(errand.operation, target_id)
            self.audit(errand, target_id)

    def _read_back(self, errand: Errand, side: Side, body: bytes | None) -> Record | None:
        """The canonical record of the answer. What can't be mapped is kept for a person, but the
        write did take place, so it is confirmed all the same."""
        if body is None:
            return None
        try:
            return side.parse(errand.entity, body)
        except InvalidRecord as error:
            id, reason = id_in(body), error.message
            self.store.quarantine.put(
                errand.entity, side.name, id, reason, body, side.mapping_version, self.run
            )
            raise NotUnderstood(id, reason) from error

    def audit(self, errand: Errand, target_id: str) -> None:
        """One line of the audit trail: what was there, what is there now, from where."""
        details = {
            "operation": errand.operation.id,
            "plan": errand.operation.plan,
            "key": errand.key,
            "source": f"{errand.source} {errand.source_id}",
            "before": errand.operation.before,
            "after": errand.write,
        }
        subject = f"{errand.target} {errand.entity} {target_id}"
        self.store.audit.append("tieout", errand.action, subject, details)

    def _linked(self, errand: Errand, target_id: str) -> str:
        links, entity = self.store.links, errand.entity
        known = links.of(entity, errand.source, errand.source_id)
        theirs = links.of(entity, errand.target, target_id)
        if known is None and theirs is None:
            members = [(errand.source, errand.source_id), (errand.target, target_id)]
            return links.make(entity, members, f"created by tieout ({errand.operation.id})")
        if known is None:
            assert theirs is not None
            links.add(entity, theirs, errand.source, errand.source_id, "created by tieout")
            return theirs
        if theirs is None:
            links.add(entity, known, errand.target, target_id, "created by tieout")
        elif theirs != known:
            join_links(self.store, entity, known, theirs, "created by tieout")
        return known

    def _agree(self, link: str, errand: Errand, side: Side, flow: FlowSpec, record: Record) -> None:
        """Base takes the fields that are now equal on both sides, and no others."""
        source = self.store.records.get(errand.entity, errand.source, errand.source_id)
        if source is None:
            return
        held = comparable(source, flow.fields, self.sides[source.system].timezone)
        ours = translated(
            held,
            lambda entity, id: self.store.links.other(entity, errand.source, id, errand.target),
            frozenset(),
        )
        theirs = comparable(record, flow.fields, side.timezone)
        equal = [name for name, value in theirs.items() if ours.get(name) == value]
        for system, values in ((side.name, theirs), (errand.source, held)):
            base = self.store.base.get(link, system) or {}
            agreed = {name: values[name] for name in equal}
            self.store.base.put(link, system, {**base, **agreed})
