"""What is gone by Salesforce's own list of deletions, which knows hard deletes, too.

It covers 15 to 30 days. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_get_deleted.htm
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from tieout.core.errors import ConfigError, InvalidRecord

from . import soql
from .ids import long_id
from .org import Org

log = logging.getLogger("tieout.salesforce")

KEPT = timedelta(days=29)
_MINUTE = timedelta(minutes=1)
_SHORTEST = timedelta(minutes=2)


class Deletions:
    """Deletions of one object."""

    def __init__(self, org: Org, object: str) -> None:
        self._org, self._object = org, object
        self.replicable = org.schema.object(object).replicable

    def since(self, start: datetime) -> tuple[str, ...]:
        """Ids that were deleted since and are not back. Empty where there is no such list."""
        if not self.replicable:
            return ()
        ids: dict[str, None] = {}
        try:
            for row in self._list("deleted", "deletedRecords", start, self._now()):
                ids[long_id(str(row["id"]))] = None
        except (ConfigError, InvalidRecord) as error:
            log.warning("hard deletes of %s go unnoticed: %s", self._object, error.message)
            return ()
        alive = self._alive(list(ids))
        return tuple(id for id in ids if id not in alive)

    def covers(self, start: datetime) -> bool:
        """Whether no deletion since then can be missing from the list."""
        if not self.replicable or start < self._org.ports.now() - KEPT:
            return False
        try:
            told = self._ask("deleted", start, self._now())
            earliest = datetime.fromisoformat(str(told["earliestDateAvailable"]))
        except (ConfigError, InvalidRecord, KeyError, ValueError):
            return False
        return earliest <= start

    def updated(self, start: datetime, end: datetime) -> tuple[str, ...]:
        """Ids that Salesforce's list of changes names between two moments."""
        found = self._list("updated", "ids", start, end)
        return tuple(dict.fromkeys(long_id(str(id)) for id in found))

    def _now(self) -> datetime:
        """The end of the current minute, for seconds are ignored."""
        return self._org.ports.now() + _MINUTE

    def _list(self, which: str, field: str, start: datetime, end: datetime) -> list[Any]:
        """One list; in halves where it would be too long for one answer."""
        try:
            return list(self._ask(which, start, end).get(field) or ())
        except InvalidRecord as error:
            if "EXCEEDED_ID_LIMIT" not in error.message or end - start <= _SHORTEST:
                raise
        middle = start + (end - start) / 2
        return [
            *self._list(which, field, start, middle),
            *self._list(which, field, middle, end),
        ]

    def _ask(self, which: str, start: datetime, end: datetime) -> dict[str, Any]:
        """Whole minutes only, and the start must lie before the end."""
        floor = _minute(max(start, self._org.ports.now() - KEPT))
        ceiling = _minute(end)
        if floor >= ceiling:
            return {}
        told = self._org.library.call(
            f"sobjects/{self._object}/{which}/", start=_shown(floor), end=_shown(ceiling)
        )
        return told if isinstance(told, dict) else {}

    def _alive(self, ids: list[str]) -> set[str]:
        found: set[str] = set()
        for some in soql.parts(ids):
            text = soql.select(["Id"], self._object, f"Id IN {soql.listed(some)}")
            found |= {row["Id"] for row in self._org.library.rows(text)}
        return found


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"
