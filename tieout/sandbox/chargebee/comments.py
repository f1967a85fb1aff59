"""Comments on objects, and the tree of customers: small things that clients read along.

https://apidocs.chargebee.com/docs/api/comments
https://apidocs.chargebee.com/docs/api/customers#get_hierarchy
"""

from __future__ import annotations

from collections.abc import Iterator

from .errors import not_found
from .routes import Answered, Call, Route
from .shelf import Object
from .site import Site

_OPERATIONS = "complete_hierarchy/subordinates/path_to_root"
_COMMENTED = (
    "customer/subscription/invoice/quote/credit_note/transaction/plan/addon/coupon/order/"
    "item_family/item/item_price"
)


def _create(call: Call) -> Answered:
    site, about = call.site, call.params["entity_type"]
    site.need(about, call.params["entity_id"], param="entity_id")
    comment = {
        "id": site.new_id("cmt_"),
        "entity_type": about,
        "entity_id": call.params["entity_id"],
        "notes": call.params["notes"],
        "added_by": call.get("added_by"),
        "created_at": site.now(),
        "type": "user",
    }
    return {"comment": site.store("comment", comment)}


def _delete(call: Call) -> Answered:
    comment = call.site.need("comment", call.id)
    call.site.forget("comment", call.id)
    return {"comment": comment}


def _parent(customer: Object) -> str | None:
    found = (customer.get("relationship") or {}).get("parent_id")
    return None if found is None else str(found)


def _above(site: Site, customer: Object) -> list[Object]:
    """The customer and its parents, the root last."""
    found = [customer]
    while (parent := site.get("customer", _parent(found[-1]))) and parent not in found:
        found.append(parent)
    return found


def _below(site: Site, customer: Object, children: dict[str, list[str]]) -> Iterator[Object]:
    yield customer
    for id in children.get(customer["id"], ()):
        yield from _below(site, site.need("customer", id), children)


def _hierarchy(call: Call) -> Answered:
    site, way = call.site, call.params["hierarchy_operation_type"]
    customer = site.need("customer", call.id)
    children: dict[str, list[str]] = {}
    for row in site.shelf("customer").all():
        parent = row.fields.get("relationship.parent_id")
        if parent is not None and row.fields.get("deleted") is not True:
            children.setdefault(str(parent), []).append(row.id)
    above = _above(site, customer)
    start = above[-1] if way == "complete_hierarchy" else customer
    shown = above if way == "path_to_root" else _below(site, start, children)
    return {"hierarchies": [_place(one, children.get(one["id"], [])) for one in shown]}


def _place(customer: Object, children: list[str]) -> Object:
    relation = customer.get("relationship") or {}
    place = {
        "customer_id": customer["id"],
        "parent_id": relation.get("parent_id"),
        "payment_owner_id": relation.get("payment_owner_id", customer["id"]),
        "invoice_owner_id": relation.get("invoice_owner_id", customer["id"]),
        "has_children": bool(children),
        "children_ids": children,
        "object": "hierarchy",
    }
    return {name: value for name, value in place.items() if value is not None}


def _card(call: Call) -> Answered:
    """https://apidocs.chargebee.com/docs/api/cards: a card is asked for by its customer."""
    card = call.site.get("card", call.id)
    if card is None:
        raise not_found(call.id)
    return {"card": card}


def _currency(call: Call) -> Answered:
    settings = call.site.settings
    codes = (settings.currency, *settings.rates)
    code = next((one for one in codes if call.id in (one, f"cur_{one}")), None)
    if code is None:
        raise not_found(call.id)
    return {"currency": currency(call.site, code)}


def _schedules(call: Call) -> Answered:
    call.site.need("invoice", call.id)
    return {"payment_schedules": []}


def currency(site: Site, code: str) -> Object:
    """One of the site's currencies; https://apidocs.chargebee.com/docs/api/currencies."""
    settings = site.settings
    return {
        "id": f"cur_{code}",
        "enabled": True,
        "forex_type": "manual",
        "currency_code": code,
        "is_base_currency": code == settings.currency,
        "manual_exchange_rate": str(settings.rates.get(code, "1.0")),
        "object": "currency",
    }


ROUTES: list[Route] = [
    Route("POST", "comments", _create,
          f"entity_type!:{_COMMENTED} entity_id! notes! added_by"),
    Route("POST", "comments/{}/delete", _delete),
    Route("GET", "customers/{}/hierarchy", _hierarchy,
          f"hierarchy_operation_type!:{_OPERATIONS}"),
    Route("GET", "customers/{}/hierarchy_detail", _hierarchy,
          f"hierarchy_operation_type!:{_OPERATIONS} limit:i offset"),
    Route("GET", "cards/{}", _card),
    Route("GET", "currencies/{}", _currency),
    Route("GET", "invoices/{}/payment_schedules", _schedules),
]  # fmt: skip
