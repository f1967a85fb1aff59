"""SOQL text: values are quoted here; names come from our lists or a checked setting only.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

_ESCAPES = str.maketrans(
    {
        "\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t",
        "\b": "\\b", "\f": "\\f",
    }
)  # fmt: skip
# A query stands in the address, which may have about 16,000 characters.
IDS_A_QUERY = 300


def quoted(text: str) -> str:
    """A text as a SOQL literal."""
    return f"'{text.translate(_ESCAPES)}'"


def listed(values: Iterable[str]) -> str:
    """Texts for `IN`: `('a', 'b')`."""
    return f"({', '.join(map(quoted, values))})"


def instant(moment: datetime) -> str:
    """An instant as a SOQL literal, which is not quoted."""
    utc = moment.astimezone(UTC)
    milliseconds = f".{utc.microsecond // 1000:03}" if utc.microsecond else ""
    return f"{utc:%Y-%m-%dT%H:%M:%S}{milliseconds}Z"


def stamp(shown: str) -> str:
    """A row's own time (`2026-05-01T07:25:37.000+0000`) as a SOQL literal."""
    return instant(datetime.fromisoformat(shown))


def select(columns: Sequence[str], table: str, where: str = "", order: str = "") -> str:
    """`SELECT ... FROM ...` with what follows it."""
    text = f"SELECT {', '.join(columns)} FROM {table}"
    if where:
        text += f" WHERE {where}"
    return text + (f" ORDER BY {order}" if order else "")


def parts(ids: Sequence[str], size: int = IDS_A_QUERY) -> Iterator[tuple[str, ...]]:
    """Ids in portions that fit into one query."""
    for first in range(0, len(ids), size):
        yield tuple(ids[first : first + size])
