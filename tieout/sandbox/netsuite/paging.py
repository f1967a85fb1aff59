"""limit and offset, and the frame around a page.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_156414087576.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .errors import invalid_parameter
from .wire import Request

LARGEST = 1000
MOST_PAGES = 1000
MOST_RESULTS = 100_000


@dataclass(frozen=True)
class Window:
    """Which results a request asks for."""

    limit: int
    offset: int

    def reachable(self, total: int) -> int:
        """How many of `total` results paging can reach: 1,000 pages, 100,000 results."""
        return min(total, self.limit * MOST_PAGES, MOST_RESULTS)


def read_window(request: Request) -> Window:
    """Raises Refusal for a limit above 1,000 or an offset that is no multiple of it."""
    limit, offset = _whole(request, "limit", LARGEST), _whole(request, "offset", 0)
    if not 1 <= limit <= LARGEST:
        raise invalid_parameter(
            f"Invalid query parameter limit value '{limit}'. Provide a value between 1 and 1000.",
            "limit",
        )
    if offset % limit:
        raise invalid_parameter(
            f"Invalid query parameter offset value '{offset}'. The offset must be divisible by "
            "the limit.",
            "offset",
        )
    window = Window(limit, offset)
    if offset and offset >= min(limit * MOST_PAGES, MOST_RESULTS):
        raise invalid_parameter(
            f"Invalid query parameter offset value '{offset}'. At most 1000 pages and 100000 "
            "results can be read.",
            "offset",
        )
    return window


def _whole(request: Request, name: str, default: int) -> int:
    text = request.param(name)
    if text and not text.isascii():
        text = "?"
    if text and not text.isdigit():
        raise invalid_parameter(
            f"Invalid query parameter {name} value '{text}'. Provide a whole number.", name
        )
    return int(text) if text else default


def page(request: Request, window: Window, items: list[Any], total: int) -> dict[str, Any]:
    """The collection body with links to its neighbours."""
    reachable = window.reachable(total)
    more = window.offset + len(items) < reachable
    return {
        "links": _links(request, window, reachable, more),
        "count": len(items),
        "hasMore": more,
        "items": items,
        "offset": window.offset,
        "totalResults": reachable,
    }


def _links(request: Request, window: Window, total: int, more: bool) -> list[dict[str, str]]:
    def one(rel: str, offset: int) -> dict[str, str]:
        kept = [(key, value) for key, value in request.query if key not in ("limit", "offset")]
        query = urlencode([*kept, ("limit", window.limit), ("offset", offset)])
        return {"rel": rel, "href": f"{request.url}?{query}"}

    links = []
    if more:
        last = (total - 1) // window.limit * window.limit
        links += [one("next", window.offset + window.limit), one("last", last)]
    if window.offset:
        links += [one("prev", max(0, window.offset - window.limit)), one("first", 0)]
    return [*links, one("self", window.offset)]
