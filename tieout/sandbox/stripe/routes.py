"""What an endpoint is: method, path, parameters, action; and the table that finds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .account import Account, Object
from .errors import bad_request
from .kinds import KINDS, Kind
from .listing import list_spec, page
from .search import SEARCHABLE, search
from .search import SPEC as SEARCH_SPEC


@dataclass
class Call:
    """One request that was let in: typed parameters and the ids in its path."""

    account: Account
    path: str
    ids: list[str]
    params: dict[str, Any] = field(default_factory=dict)
    stripe_version: str | None = None

    @property
    def id(self) -> str:
        return self.ids[0]

    def get(self, name: str, default: Any = None) -> Any:
        return self.params.get(name, default)


Action = Callable[[Call], "Object | bytes"]


@dataclass(frozen=True)
class Route:
    """`path` has `{}` where an id stands. `spec`: see params.py."""

    method: str
    path: str
    act: Action
    spec: str = ""


def reading_routes() -> list[Route]:
    """List, retrieve and search of every kind that has endpoints."""
    routes: list[Route] = []
    for kind in KINDS.values():
        if not kind.path:
            continue
        routes.append(Route("GET", kind.path + "/{}", _retrieve(kind), "expand:l"))
        routes.append(Route("GET", kind.path, _list(kind), list_spec(kind)))
        if kind.object in SEARCHABLE:
            routes.append(Route("GET", kind.path + "/search", _search(kind), SEARCH_SPEC))
    return routes


def _retrieve(kind: Kind) -> Action:
    def act(call: Call) -> bytes:
        row = call.account.shelf(kind.object).get(call.id)
        if row is None:
            call.account.need(kind.object, call.id)
            raise AssertionError
        return row.raw

    return act


def _list(kind: Kind) -> Action:
    return lambda call: page(call.account, kind.object, call.params, url=kind.path)


def _search(kind: Kind) -> Action:
    return lambda call: search(call.account, kind.object, call.params, kind.path + "/search")


def sub_list(kind: str, parent_kind: str, parent_field: str) -> Action:
    """The list of one parent's children; 404 when there is no such parent."""

    def act(call: Call) -> bytes:
        call.account.need(parent_kind, call.id)
        return page(call.account, kind, call.params, url=call.path, equal={parent_field: call.id})

    return act


def merge_metadata(item: Object, call: Call) -> None:
    """Keys that were sent are set, '' removes one, '' for all of it removes all."""
    if "metadata" not in call.params:
        return
    sent = call.params["metadata"]
    kept = {} if not sent else {**(item.get("metadata") or {}), **sent}
    kept = {name: value for name, value in kept.items() if value != ""}
    if len(kept) > 50:
        raise bad_request("You can have up to 50 metadata keys.", param="metadata")
    item["metadata"] = kept


def take(item: Object, call: Call, names: str) -> None:
    """Copy these parameters, where sent, onto the object's fields of the same name."""
    for name in names.split():
        if name in call.params:
            item[name] = call.params[name]


def nested_parameters(value: Any) -> Any:
    """Parameters kept as sent, with numbers and booleans where the text is plainly one."""
    if isinstance(value, dict):
        return {name: nested_parameters(one) for name, one in value.items()}
    if isinstance(value, list):
        return [nested_parameters(one) for one in value]
    return {"true": True, "false": False, "": None}.get(value, value)
