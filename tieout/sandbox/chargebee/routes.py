"""What an endpoint is: method, path, parameters, action; and the table that finds it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from . import takes_catalog, takes_customers, takes_documents, takes_subscriptions
from .codec import encode
from .errors import blank, not_found
from .kinds import KINDS, Kind
from .listing import Listing
from .params import Params
from .shelf import Object, Row
from .site import Site
from .unused import BELOW

SPECS = {
    **takes_catalog.SPECS,
    **takes_customers.SPECS,
    **takes_subscriptions.SPECS,
    **takes_documents.SPECS,
}


_NEVER_EMPTY = frozenset({
    "name", "currency_code", "preferred_currency_code", "period", "period_unit", "pricing_model",
    "charge_model", "auto_collection", "taxability", "net_term_days", "item_family_id",
    "discount_type", "duration_type", "status", "url",
})  # fmt: skip


@dataclass
class Call:
    """One request that was let in: parameters and the ids in its path."""

    site: Site
    ids: list[str]
    params: Params = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.ids[0]

    def get(self, name: str, default: Any = None) -> Any:
        found = self.params.get(name)
        return default if found is None else found


Answered = Object | bytes
Action = Callable[[Call], Answered]


@dataclass(frozen=True)
class Route:
    """`path` has `{}` where an id stands. `takes`: see params.py; None: checked by the action.

    `catalog` 1 or 2: only sites with that product catalog have the endpoint.
    """

    method: str
    path: str
    act: Action
    takes: str | None = ""
    catalog: int = 0


def post(path: str, act: Action, takes: str = "", catalog: int = 0) -> Route:
    """A write; `takes` is the name of a specification, '' for one without parameters."""
    return Route("POST", path, act, SPECS[takes] if takes else "", catalog)


# Shapes of answers


def shown(site: Site, kind: str, item: Object) -> Object:
    """The object under its name, with those that Chargebee shows beside it."""
    found: Object = {kind: item}
    if kind in ("customer", "subscription"):
        id = item.get("customer_id") if kind == "subscription" else item["id"]
        customer = site.get("customer", id) if kind == "subscription" else None
        if customer is not None:
            found["customer"] = customer
        card = site.get("card", id)
        if card is not None:
            found["card"] = card
    return found


def _wrapped(site: Site, kind: Kind, row: Row) -> bytes:
    if kind.name not in ("customer", "subscription"):
        return b'{"' + kind.name.encode() + b'":' + row.raw + b"}"
    parts = {kind.name: row.raw}
    id = row.fields.get("customer_id") if kind.name == "subscription" else row.id
    for beside in ("customer", "card"):
        if beside != kind.name and (other := site.shelf(beside).get(str(id))) is not None:
            parts[beside] = other.raw
    return b"{" + b",".join(b'"%s":%s' % (k.encode(), raw) for k, raw in parts.items()) + b"}"


def listed(call: Call, name: str, **fixed: Any) -> bytes:
    """One page of a list; `fixed` are attributes that the path prescribes."""
    site, kind = call.site, KINDS[name]
    settings = site.settings
    listing = Listing(kind, call.params, settings.zone, settings.rules, site.now(), fixed)
    rows, following = site.publish(kind).page(listing.ask)
    body = b'{"list":[' + b",".join(_wrapped(site, kind, row) for row in rows) + b"]"
    if following is not None:
        body += b',"next_offset":' + encode(listing.token(following))
    return body + b"}"


def reading_routes() -> Iterator[Route]:
    """List and retrieve of every kind that has them."""
    for kind in KINDS.values():
        if kind.listed:
            yield Route("GET", kind.path, _list(kind), None, kind.catalog)
        if kind.retrieve:
            yield Route("GET", kind.path + "/{}", _retrieve(kind), "", kind.catalog)
    for path, child, parent, by in (
        ("customers/{}/subscriptions", "subscription", "customer", "customer_id"),
        ("customers/{}/invoices", "invoice", "customer", "customer_id"),
        ("customers/{}/credit_notes", "credit_note", "customer", "customer_id"),
        ("customers/{}/transactions", "transaction", "customer", "customer_id"),
        ("subscriptions/{}/invoices", "invoice", "subscription", "subscription_id"),
        ("subscriptions/{}/transactions", "transaction", "subscription", "subscription_id"),
        ("subscriptions/{}/contract_terms", "contract_term", "subscription", "subscription_id"),
        ("invoices/{}/orders", "order", "invoice", "invoice_id"),
        ("items/{}/attached_items", "attached_item", "item", "parent_item_id"),
    ):
        yield Route("GET", path, _children(child, parent, by), None, KINDS[child].catalog)
    for path, (parent, takes) in BELOW.items():
        yield Route("GET", path, _nothing_of(parent), takes, KINDS[parent].catalog)


def _list(kind: Kind) -> Action:
    return lambda call: listed(call, kind.name)


def _retrieve(kind: Kind) -> Action:
    def act(call: Call) -> Answered:
        row = call.site.shelf(kind.name).get(call.id)
        if row is None or row.fields.get("deleted") is True:
            raise not_found(call.id)
        return _wrapped(call.site, kind, row)

    return act


def _children(kind: str, parent: str, by: str) -> Action:
    def act(call: Call) -> Answered:
        call.site.need(parent, call.id)
        return listed(call, kind, **{by: call.id})

    return act


def _nothing_of(parent: str) -> Action:
    def act(call: Call) -> Answered:
        call.site.need(parent, call.id)
        return {"list": []}

    return act


def take(item: Object, call: Call, names: str) -> None:
    """Copy these parameters, where sent, onto the object; an empty one removes the attribute."""
    for name in names.split():
        if name in call.params:
            if call.params[name] is None and name in _NEVER_EMPTY:
                raise blank(name)
            item[name] = call.params[name]
    for name, value in call.params.items():
        if name.startswith("cf_"):
            item[name] = value
