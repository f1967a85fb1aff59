"""Paging schemes are driven with plain dicts: no client, no network."""

from __future__ import annotations

from typing import Any

import pytest
from fake_ports import answer

from tieout.core.errors import StopRun
from tieout.rest import (
    Request,
    cursor_pages,
    link_pages,
    next_url_pages,
    offset_pages,
    query_more_pages,
)
from tieout.rest.paging import next_link
from tieout.rest.request import as_pairs

FIRST = Request("GET", "/things", {"limit": 2})


def drive(paging: Any, answers: list[Any]) -> list[tuple[str, dict[str, str]]]:
    asked = [next(paging)]
    for told in answers:
        try:
            asked.append(paging.send(told))
        except StopIteration:
            break
    return [(request.path, dict(as_pairs(request.params))) for request in asked]


def test_cursor() -> None:
    asked = drive(
        cursor_pages(FIRST, cursor="meta.next", param="after"),
        [{"meta": {"next": "a"}}, {"meta": {"next": None}}],
    )
    assert asked == [("/things", {"limit": "2"}), ("/things", {"limit": "2", "after": "a"})]


def test_offset_ends_at_a_short_page() -> None:
    asked = drive(
        offset_pages(FIRST, items="rows", size=2), [{"rows": [1, 2]}, {"rows": [3]}, {"rows": []}]
    )
    assert [params["offset"] for _, params in asked] == ["0", "2"]


def test_offset_follows_a_flag_where_pages_may_be_short() -> None:
    told = [{"rows": [1], "hasMore": True}, {"rows": [2], "hasMore": False}]
    asked = drive(offset_pages(FIRST, items="rows", size=2, more="hasMore"), told)
    assert [params["offset"] for _, params in asked] == ["0", "1"]


def test_next_url() -> None:
    asked = drive(next_url_pages(FIRST, field="next"), [{"next": "/things?p=2"}, {"next": None}])
    assert asked[1] == ("/things?p=2", {})


def test_query_more() -> None:
    told = [{"done": False, "nextRecordsUrl": "/query/01g-2000"}, {"done": True}]
    assert drive(query_more_pages(FIRST), told)[1][0] == "/query/01g-2000"


def test_link_header() -> None:
    link = '<https://x.test/t?p=1>; rel="prev", <https://x.test/t?p=3>; title="a"; rel="next last"'
    assert next_link(link) == "https://x.test/t?p=3"
    assert drive(link_pages(FIRST), [answer(link=link), answer()])[1][0] == "https://x.test/t?p=3"


@pytest.mark.parametrize(
    ("paging", "told"),
    [
        (cursor_pages(FIRST, cursor="next", param="after"), {"next": "a"}),
        (next_url_pages(FIRST, field="next"), {"next": "/p"}),
        (query_more_pages(FIRST), {"done": False, "nextRecordsUrl": "/p"}),
    ],
)
def test_a_loop_is_noticed(paging: Any, told: Any) -> None:
    with pytest.raises(StopRun, match="twice"):
        drive(paging, [told] * 5)
