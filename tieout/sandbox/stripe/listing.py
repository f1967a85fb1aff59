"""List endpoints: newest first, cursors that are object ids, the documented filters.

https://docs.stripe.com/api/pagination
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .account import Account
from .codec import encode
from .errors import bad_request, missing
from .kinds import Kind, kind_of
from .params import PAGING
from .shelf import Ask, Bounds, Key, Row


def list_spec(kind: Kind) -> str:
    """The parameters of a kind's list endpoint."""
    words = [PAGING]
    if kind.created:
        words.append("created:r")
    flat = [name for name in kind.filters if "[" not in name]
    for name in flat:
        required = "!" if name == kind.required else ""
        words.append(f"{name}{required}{':b' if name in kind.booleans else ''}")
    words += [f"{name}:r" for name in kind.ranges]
    return " ".join(words)


def filters_in(kind: Kind, params: dict[str, Any]) -> dict[str, Any]:
    """The equality filters among the parameters, by the name they are indexed under."""
    found: dict[str, Any] = {}
    for name in kind.filters:
        outer, _, inner = name.rstrip("]").partition("[")
        value = params.get(outer)
        if inner and isinstance(value, dict):
            value = value.get(inner)
        if value is not None and not isinstance(value, dict):
            found[name] = value
    return found


def limit_of(params: dict[str, Any]) -> int:
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise bad_request("Invalid limit: must be between 1 and 100", param="limit")
    return int(limit)


def cursor(account: Account, kind: str, params: dict[str, Any], name: str) -> Key | None:
    """Where a cursor's object stands. Raises ApiError (400) when there is no such object."""
    id = params.get(name)
    if id is None:
        return None
    row = account.shelf(kind).get(id)
    if row is None or b'"deleted":true' in row.raw[:200]:
        raise missing(kind_of(kind).noun or kind, id, param=name, status=400)
    return row.key


def page(
    account: Account,
    kind: str,
    params: dict[str, Any],
    *,
    url: str,
    equal: dict[str, Any] | None = None,
    only: Callable[[Row], bool] | None = None,
    show: Callable[[Row], bytes] | None = None,
    created: Bounds | None = None,
) -> bytes:
    """The JSON of one page. `equal`, `only` and `created` narrow it beyond the parameters."""
    known = kind_of(kind)
    after = cursor(account, kind, params, "starting_after")
    before = cursor(account, kind, params, "ending_before")
    if after is not None and before is not None:
        raise bad_request(
            "Pass only one of starting_after and ending_before.", param="ending_before"
        )
    ask = Ask(
        limit=limit_of(params),
        equal={**filters_in(known, params), **(equal or {})},
        ranges={name: params[name] for name in known.ranges if params.get(name)},
        created={**(params.get("created") or {}), **(created or {})},
        after=after,
        before=before,
        only=only,
    )
    rows, more = account.shelf(kind).page(ask)
    return list_json([show(row) if show else row.raw for row in rows], more, url)


def list_json(objects: list[bytes], more: bool, url: str) -> bytes:
    """The envelope of a list around objects that are JSON already."""
    head = b'{"object":"list","data":['
    tail = b'],"has_more":%s,"url":%s}' % (b"true" if more else b"false", encode(url))
    return head + b",".join(objects) + tail
