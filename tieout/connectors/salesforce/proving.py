"""A second look after a pull: counts, complete id lists, and Salesforce's own list of changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from tieout.core.errors import ConfigError, InvalidRecord

from ..base import Evidence, Method, Window
from . import soql
from .deletions import Deletions
from .kinds import Kind
from .org import Org

# Records are stamped before they become visible: the youngest are not counted.
_SETTLED = timedelta(minutes=2)
_SECOND = timedelta(seconds=1)


class Proving:
    """Looks at one entity of one org."""

    def __init__(self, org: Org, kind: Kind) -> None:
        self.org, self.kind = org, kind

    def evidence(self, window: Window) -> Iterator[Evidence]:
        bound = (window.began - _SETTLED).astimezone(UTC).replace(microsecond=0)
        yield self._count(bound)
        if window.since is None:
            yield from self._ids(window.began)
            return
        overlap = self.org.settings.overlap_seconds
        note = f"SystemModstamp from {overlap} s before the last window"
        yield Evidence(Method.OVERLAP, seconds=overlap, note=note)
        start = window.since.astimezone(UTC) - timedelta(seconds=overlap)
        lists = [Deletions(self.org, name) for name in self.kind.objects]
        if all(each.covers(start) for each in lists):
            yield from self._feed(lists, window.since.astimezone(UTC), bound)
        else:
            # Deletions of that long ago are listed nowhere: only a whole list of ids tells them.
            yield from self._ids(window.began)

    def _count(self, bound: datetime) -> Evidence:
        where = f"CreatedDate <= {soql.instant(bound)}"
        texts = [soql.select(["COUNT()"], name, where) for name in self.kind.objects]
        total = sum(self.org.library.count(text) for text in texts)
        note = "SELECT COUNT() of " + " and ".join(self.kind.objects)
        return Evidence(Method.COUNT, count=total, bound=bound, note=note)

    def _ids(self, began: datetime) -> Iterator[Evidence]:
        """Every id by the time of its creation: another query, another order than a pull's.

        Up to the very moment: what is not on a whole list is taken to be gone.
        """
        bound = began.astimezone(UTC).replace(microsecond=0) + _SECOND
        note = "ids of all " + " and ".join(self.kind.objects)
        for name in self.kind.objects:
            where = f"CreatedDate <= {soql.instant(bound)}"
            text = soql.select(["Id"], name, where, "CreatedDate, Id")
            for answer in self.org.library.query(text):
                ids = tuple(row["Id"] for row in answer["records"])
                yield Evidence(Method.IDS, bound=bound, ids=ids, note=note)
        yield Evidence(Method.IDS, bound=bound, whole=True, note=note)

    def _feed(self, lists: list[Deletions], since: datetime, until: datetime) -> Iterator[Evidence]:
        for each, name in zip(lists, self.kind.objects, strict=True):
            try:
                ids = each.updated(since, until)
            except (ConfigError, InvalidRecord):
                continue
            yield Evidence(Method.FEED, ids=ids, note=f"changed by {name}/updated")
