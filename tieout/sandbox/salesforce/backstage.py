"""What users, administrators and time do in a real org, as calls on the stand-in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ..clock import SandboxClock
from .access import Access
from .cells import stamp
from .fields import SObject
from .ids import IdMaker, to_18
from .querying import Queries
from .records import Records
from .saving import BIN_LIFE, Org
from .store import Store


class Backstage:
    """The stand-in's other entrance; the REST API has nothing for these."""

    clock: SandboxClock
    lock: threading.RLock
    access: Access
    ids: IdMaker
    store: Store
    org: Org
    queries: Queries
    records: Records
    _late: list[tuple[datetime, str, Callable[[], None]]]
    _emptied: datetime

    def merge(self, type: str, winner: str, loser: str) -> None:
        """Merge two accounts, contacts or leads, as a user does: the loser's children move to the
        winner, the loser goes to the recycle bin with MasterRecordId. Raises Refusal.
        """
        with self.lock:
            one = self.org.type(type)
            if not one.mergeable or winner == loser:
                raise ValueError(f"a {type} can't be merged like this")
            kept, gone = self.org.get(one, winner), self.org.get(one, loser)
            with self.org.step():
                self._move_children(one, gone["Id"], kept["Id"])
                self.store.update(one, gone["Id"], {"MasterRecordId": kept["Id"]})
                self.org.touch(one, gone["Id"], {})
                self.store.bury(one, gone["Id"], self.org.now)
                self.org.touch(one, kept["Id"], {})

    def _move_children(self, one: SObject, old: str, new: str) -> None:
        for child in self.store.objects.values():
            for field in child.stored:
                if one.name in field.refers_to and field.name != "MasterRecordId":
                    for row in self.store.rows_where(child, field.name, old):
                        target = None if row["Id"] == new else new
                        self.org.touch(child, row["Id"], {field.name: target})

    def undelete(self, type: str, id: str) -> None:
        """Take a record out of the recycle bin, as a user does. Raises Refusal."""
        with self.lock:
            self.org.undelete(self.org.type(type), id)

    def write_late(self, type: str, fields: dict[str, Any], seconds: int, id: str = "") -> str:
        """Begin a write that commits `seconds` later, as a long transaction does: its stamps are
        of now, and nobody sees it until then. Without `id` a record is created. Returns its id.
        """
        with self.lock:
            one, dated = self.org.type(type), stamp(self.clock.now())
            key = id or self.ids.make(one.prefix)

            def commit() -> None:
                if id:
                    self.org.update(one, id, fields)
                else:
                    self.org.create(one, fields, key)

            due = datetime.fromtimestamp(self.clock.now().timestamp() + seconds, UTC)
            self._late.append((due, dated, commit))
            return key

    def touch(self, type: str, id: str) -> None:
        """A change by the system: SystemModstamp moves, LastModifiedDate stays."""
        with self.lock:
            one = self.org.type(type)
            self.store.update(one, to_18(id), {"SystemModstamp": self.org.now})

    def refuse_writes(self, id: str, code: str, message: str, times: int = 1) -> None:
        """The next `times` writes to that record fail: UNABLE_TO_LOCK_ROW, ENTITY_IS_LOCKED..."""
        with self.lock:
            self.org.blocked[to_18(id)] = (times, code, message)

    def add_validation_rule(self, type: str, check: Callable[[dict[str, Any]], str]) -> None:
        """`check` gets a record that is to be saved, and gives the error message, or ""."""
        with self.lock:
            self.org.validations.append((self.org.type(type).name, check))

    def add_duplicate_rule(self, type: str, field: str) -> None:
        """A second record with that field's value needs the header that allows to save it."""
        with self.lock:
            self.org.duplicate_keys.append((self.org.type(type).name, field))

    def refuse_queries(self, code: str, message: str, times: int = 1) -> None:
        """The next `times` queries by REST fail: QUERY_TIMEOUT, OPERATION_TOO_LARGE..."""
        with self.lock:
            self.queries.refusals += [(code, message)] * times

    def hide_field(self, type: str, field: str) -> None:
        """As field-level security does: the field isn't there for the integration user."""
        with self.lock:
            one = self.org.type(type)
            del one.fields[field]
            one.index()
            self.store.schema_changes += 1

    def lose_deletions(self, before: datetime) -> None:
        """As after a purge: getDeleted knows nothing of what was deleted before that moment."""
        with self.lock:
            self.records.deletions_since = stamp(before.replace(second=0))

    def end_sessions(self) -> None:
        """Every access token ends at once, as when an administrator ends the user's sessions."""
        with self.lock:
            self.access.end_sessions()

    def _catch_up(self) -> None:
        """What time brings: late commits, and the recycle bin that empties itself."""
        now = self.clock.now()
        due = [one for one in self._late if one[0] <= now]
        self._late = [one for one in self._late if one[0] > now]
        for _, dated, commit in due:
            self.org.dated = dated
            try:
                commit()
            finally:
                self.org.dated = ""
        if (now - self._emptied).total_seconds() >= 3600:
            self._emptied = now
            self.store.empty_bin(stamp(now - BIN_LIFE))
