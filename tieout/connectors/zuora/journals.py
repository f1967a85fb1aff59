"""Journal entries: listed by Data Query, read one by one where their lines are, in v1."""

from __future__ import annotations

from collections.abc import Sequence

from tieout.core.errors import NotFound
from tieout.core.ports import HttpAnswer
from tieout.rest import Request, RestClient, json, segment

from .bulk import quoted
from .rows import Row, folded, text, with_lists

_TIMES = ("createddate", "updateddate")
PATH = "/v1/journal-entries"


def journal(rest: RestClient, number: str) -> bytes | None:
    """The entry with its lines, as v1 gives it; None if there is none."""
    try:
        return rest.read(Request("GET", f"{PATH}/{segment(number)}"), _whole)
    except NotFound:
        return None


def _whole(answer: HttpAnswer) -> bytes:
    """ValueError where the answer is torn, or a proxy's page."""
    if not isinstance(json.decode(answer.body), dict):
        raise ValueError("this is no journal entry")
    return answer.body


def completed(rest: RestClient, rows: Sequence[bytes]) -> list[bytes]:
    """The entries that these rows name; their times stand only in the rows."""
    found = []
    for row in rows:
        fields = folded(row)
        entry = journal(rest, text(fields, "number"))
        if entry is not None:
            found.append(with_times(entry, fields))
    return found


def times_of(number: str) -> str:
    """The query for an entry's times."""
    return f"select createddate, updateddate from journalentry where number = '{quoted(number)}'"


def with_times(entry: bytes, fields: Row) -> bytes:
    """The entry with the times of its row."""
    return with_lists(entry, {name: fields[name] for name in _TIMES if fields.get(name)})
