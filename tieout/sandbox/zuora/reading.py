"""What v1 shows: single documents, pages of them, their items and parts.

https://developer.zuora.com/docs/guides/pagination
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from .books import Record, money
from .errors import invalid
from .tenant import Call
from .views import VIEWS, names
from .wire import Body

_LISTS = {"payment": "payments", "refund": "refunds", "creditmemo": "creditmemos",
          "debitmemo": "debitmemos"}  # fmt: skip
_ITEMS = {
    "invoice": ("invoiceitem", "invoiceId", "invoiceItems"),
    "creditmemo": ("creditmemoitem", "creditMemoId", "items"),
    "debitmemo": ("debitmemoitem", "debitMemoId", "items"),
}


def page(
    call: Call, name: str, records: list[Any], show: Callable[[Any], Any],
    default: int = 20, most: int = 40,
) -> Body:  # fmt: skip
    """One page by page and pageSize; `nextPage` is an absolute address, absent at the end."""
    number = _number(call, "page", 1)
    size = min(_number(call, "pageSize", default), most)
    start = (number - 1) * size
    body: Body = {name: [show(one) for one in records[start : start + size]]}
    if start + size < len(records):
        rest = [
            (key, value) for key, value in call.request.query if key not in ("page", "pageSize")
        ]
        query = urlencode([("page", number + 1), ("pageSize", size), *rest])
        body["nextPage"] = f"{call.request.base}{call.request.path}?{query}"
    return body


def _number(call: Call, name: str, default: int) -> int:
    text = call.request.param(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise invalid("", f"'{name}' value should be a positive integer")
    return int(text)


def one(table: str) -> Callable[[Call], Body]:
    """GET of a single document."""

    def get(call: Call) -> Body:
        return call.shown(call.get(table))

    return get


def listed(table: str) -> Callable[[Call], Body]:
    """A list that filters by equality and is sorted by its newest first."""

    def get(call: Call) -> Body:
        fields = dict(names(VIEWS[table]))
        wanted = {
            fields[key]: value
            for key, value in call.request.query
            if key in fields and key not in ("page", "pageSize", "sort")
        }
        found = _narrow(call, table, wanted)
        found.reverse()
        return page(call, _LISTS[table], found, call.shown)

    return get


def _narrow(call: Call, table: str, wanted: dict[str, str]) -> list[Record]:
    if "accountId" in wanted:
        found = call.books.children(table, "accountId", wanted["accountId"])
    else:
        found = list(call.books.shelves[table].values())
    for field, value in wanted.items():
        found = [one for one in found if _same(one.row.get(field), value)]
    return found


def _same(held: Any, asked: str) -> bool:
    if held is None or isinstance(held, str):
        return held == asked
    if isinstance(held, bool):
        return str(held).lower() == asked.lower()
    try:
        return bool(money(held) == money(asked))
    except ValueError:
        return False


def items(table: str) -> Callable[[Call], Body]:
    """The items of an invoice or a memo, with their taxes inside."""

    def get(call: Call) -> Body:
        child, owner, name = _ITEMS[table]
        found = call.books.children(child, owner, call.get(table).id)
        return page(call, name, found, lambda item: _with_taxes(call, item))

    return get


def _with_taxes(call: Call, item: Record) -> Body:
    shown = call.shown(item)
    if item.verbatim is None:
        taxes = call.books.children("taxationitem", "invoiceItemId", item.id)
        shown["taxationItems"] = {"data": [call.shown(one) for one in taxes]}
    return shown


def taxation_items(call: Call) -> Body:
    item = call.get("invoiceitem", "item")
    found = call.books.children("taxationitem", "invoiceItemId", item.id)
    return page(call, "data", found, call.shown)


def parts(table: str, child: str, owner: str) -> Callable[[Call], Body]:
    def get(call: Call) -> Body:
        found = call.books.children(child, owner, call.get(table).id)
        shown = [one for one in found if child == "refundapplication" or one.row.get("amount")]
        return page(call, "parts", shown, call.shown)

    return get


def application_parts(call: Call) -> Body:
    """What was applied to an invoice."""
    invoice = call.get("invoice")
    found: list[Body] = []
    for table, link in (("creditmemopart", "creditMemoId"), ("paymentpart", "paymentId")):
        for part in call.books.children(table, "invoiceId", invoice.id):
            shown = call.shown(part)
            found.append(
                {"paymentId": None, "creditMemoId": None, "appliedAmount": shown.pop("amount")}
                | {name: shown[name] for name in shown if "ed" in name and "Memo" not in name}
                | {link: part.row[link]}
            )
    return {"applicationParts": found}


def billing_documents(call: Call) -> Body:
    account = call.books.get("account", call.request.param("accountId"))
    found = [
        (one, kind, day)
        for table, kind, day in (
            ("invoice", "Invoice", "invoiceDate"),
            ("creditmemo", "CreditMemo", "memoDate"),
            ("debitmemo", "DebitMemo", "memoDate"),
        )
        for one in call.books.children(table, "accountId", account.id)
    ]
    return page(call, "documents", found, lambda each: _document(each, account))


def _document(found: tuple[Record, str, str], account: Record) -> Body:
    one, kind, day = found
    row = one.row
    return {
        "id": one.id,
        "documentType": kind,
        "documentNumber": row.get("invoiceNumber") or row.get("memoNumber"),
        "documentDate": row.get(day),
        "amount": row.get("amount", row.get("totalAmount")),
        "balance": row.get("balance"),
        "accountId": account.id,
        "accountNumber": account.row.get("accountNumber"),
        "status": row.get("status"),
    }


def subscription(call: Call) -> Body:
    return _subscription(call, call.get("subscription"))


def _subscription(call: Call, record: Record) -> Body:
    shown = call.shown(record)
    if record.verbatim is None:
        plans = call.books.children("rateplan", "subscriptionId", record.id)
        shown["ratePlans"] = [_rate_plan(call, one) for one in plans[:300]]
    return shown


def rate_plan(call: Call) -> Body:
    return _rate_plan(call, call.get("rateplan"))


def _rate_plan(call: Call, plan: Record) -> Body:
    shown = call.shown(plan)
    product = call.books.find("product", plan.row.get("productId"))
    if product is not None:
        shown |= {"productName": product.row.get("name"), "productSku": product.row.get("sKU")}
    charges = call.books.children("rateplancharge", "ratePlanId", plan.id)
    shown["ratePlanCharges"] = [_charge(call, one) for one in charges]
    return shown


def _charge(call: Call, charge: Record) -> Body:
    shown = call.shown(charge)
    shown["model"] = shown.get("model") or _model(charge.row.get("chargeModel"))
    return shown


def _model(words: Any) -> str | None:
    """The v1 spelling of a charge model: "Flat Fee Pricing" is FlatFee."""
    if not words:
        return None
    return str(words).replace(" Pricing", "").replace(" ", "").replace("-", "")


def subscriptions_of(call: Call) -> Body:
    account = call.get("account")
    found = [
        one
        for one in call.books.children("subscription", "accountId", account.id)
        if one.row.get("isLatestVersion") is not False
    ]
    return page(call, "subscriptions", found, lambda one: _subscription(call, one))


def subscription_version(call: Call) -> Body:
    current = call.get("subscription")
    for one in call.books.children("subscription", "name", current.row.get("name")):
        if str(one.row.get("version")) == call.keys["version"]:
            return _subscription(call, one)
    raise invalid("subscription", f"There is no version {call.keys['version']}.")


def order(call: Call) -> Body:
    return {"order": call.shown(call.get("orders"))}


def orders(call: Call) -> Body:
    """Orders by the date and the status that the query names."""
    return _orders(call, list(call.books.shelves["orders"].values()))


def orders_of_account(call: Call) -> Body:
    """Orders of an account that pays for them; owner and payer are one account here."""
    account = call.get("account")
    return _orders(call, call.books.children("orders", "accountId", account.id))


def orders_of_subscription(call: Call) -> Body:
    """Orders that one of the versions of a subscription came from."""
    name = call.get("subscription").row.get("name")
    versions = call.books.children("subscription", "name", name)
    made = dict.fromkeys(str(one.row.get("orderId")) for one in versions)
    shelf = call.books.shelves["orders"]
    return _orders(call, [shelf[id] for id in made if id in shelf])


def _orders(call: Call, listed: list[Record]) -> Body:
    option, first = call.request.param("dateFilterOption"), call.request.param("startDate")
    last, status = call.request.param("endDate"), call.request.param("status")
    if option not in ("", "orderDate", "updatedDate"):
        raise invalid("orders", "'dateFilterOption' value should be one of: orderDate, updatedDate")
    field = option or "orderDate"
    found = [
        one
        for one in listed
        if (not first or str(one.row.get(field))[:10] >= first)
        and (not last or str(one.row.get(field))[:10] <= last)
        and (status in ("", "all") or str(one.row.get("status")).lower() == status)
    ]
    found.sort(key=lambda one: str(one.row.get(field)), reverse=True)
    return page(call, "orders", found, call.shown)


def products(call: Call) -> Body:
    found = list(call.books.shelves["product"].values())
    return page(call, "products", found, lambda one: _product(call, one), 10)


def product(call: Call) -> Body:
    return _product(call, call.get("product"))


def _product(call: Call, record: Record) -> Body:
    shown = call.shown(record)
    if record.verbatim is None:
        shown["productRatePlans"] = _plans(call, record)
    return shown


def _plans(call: Call, record: Record) -> list[Body]:
    found = call.books.children("productrateplan", "productId", record.id)
    return [_product_plan(call, one) for one in found[:300]]


def _product_plan(call: Call, plan: Record) -> Body:
    shown = call.shown(plan)
    if plan.verbatim is None:
        shown["status"] = shown.get("status") or "Active"
        charges = call.books.children("productrateplancharge", "productRatePlanId", plan.id)
        shown["productRatePlanCharges"] = [_product_charge(call, one) for one in charges]
    return shown


def _product_charge(call: Call, charge: Record) -> Body:
    shown = call.shown(charge)
    if charge.verbatim is None:
        tiers = call.books.children(
            "productrateplanchargetier", "productRatePlanChargeId", charge.id
        )
        shown["model"] = _model(charge.row.get("chargeModel"))
        shown["pricing"] = [
            {"currency": one.row.get("currency"), "price": one.row.get("price"), "tiers": None}
            for one in tiers
        ]
    return shown


def product_plans(call: Call) -> Body:
    found = call.books.children("productrateplan", "productId", call.keys["key"])
    return page(call, "productRatePlans", found, lambda one: _product_plan(call, one), 10)


def product_plan(call: Call) -> Body:
    return _product_plan(call, call.get("productrateplan"))


def product_charge(call: Call) -> Body:
    return _product_charge(call, call.get("productrateplancharge"))


def usage(call: Call) -> Body:
    account = call.get("account")
    found = call.books.children("usage", "accountId", account.id)
    return page(call, "usage", found, call.shown)


def accounting(table: str, name: str) -> Callable[[Call], Body]:
    def get(call: Call) -> Body:
        found = list(call.books.shelves[table].values())
        return page(call, name, found, call.shown, 300, 300)

    return get
