"""A second look at the account by SuiteQL: counts, and every id in the order of ids.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_157909186990.html
"""

from __future__ import annotations

from collections.abc import Iterator

from tieout.core.errors import ConfigError, InvalidRecord

from ..base import Evidence, Method, Window
from .clock import FORMAT, OVERLAP_SURE, OVERLAP_UNSURE
from .reading import Reading
from .resume import BEFORE_ALL

_CREATED = {"customer": "datecreated", "contact": "datecreated"}


def proofs(reading: Reading, window: Window) -> Iterator[Evidence]:
    """What NetSuite says about a window: how far it reached back, a count, every id.

    Counts and ids are bounded by the time of creation, which needs the zone in which SuiteQL
    compares times: while that is unconfirmed, or the role does not see when records were made,
    they would prove nothing and are left out.
    """
    if window.since is not None:
        overlap = OVERLAP_SURE if reading.clock.sure else OVERLAP_UNSURE
        seconds = int(overlap.total_seconds())
        yield Evidence(Method.OVERLAP, seconds=seconds, note="lastmodifieddate, back in time")
    hidden = reading.ql.dropped.get(reading.select.name, frozenset())
    if not reading.clock.sure or _created(reading) in hidden:
        return
    try:
        yield from _looked_up(reading, window)
    except InvalidRecord as error:
        raise ConfigError(
            f"NetSuite refuses to count: {error.message}",
            where=reading.kind.entity,
            hint=f"give the role SuiteAnalytics Workbook and {reading.kind.permission}",
        ) from None


def _created(reading: Reading) -> str:
    return _CREATED.get(reading.kind.entity, "createddate")


def _looked_up(reading: Reading, window: Window) -> Iterator[Evidence]:
    kind, bound = reading.kind, window.began.replace(microsecond=0)
    table = kind.select.table
    created = _created(reading)
    where = f"{kind.where}{reading.condition} AND t.{created} <= TO_TIMESTAMP(?, '{FORMAT}')"
    params = (*reading.params, reading.clock.local(bound))
    row = reading.ql.run(f"SELECT COUNT(*) AS n FROM {table} WHERE {where}", params).rows[0]
    yield Evidence(
        Method.COUNT, count=int(row["n"]), bound=bound, note=f"SELECT COUNT(*) FROM {table}"
    )
    if window.since is not None:
        return
    last, more = str(BEFORE_ALL), True
    note = f"SELECT id FROM {table}"
    while more:
        query = f"SELECT t.id FROM {table} WHERE {where} AND t.id > ? ORDER BY t.id"
        listing = reading.ql.run(query, (*params, last))
        ids = tuple(each["id"] for each in listing.rows)
        more = listing.has_more and bool(ids)
        last = ids[-1] if ids else last
        yield Evidence(Method.IDS, bound=bound, ids=ids, whole=not more, note=note)
