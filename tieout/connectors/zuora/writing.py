"""What is written to Zuora: a record's calls, our key in it, and what goes with it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from tieout.core.errors import (
    Conflict,
    InvalidRecord,
    ProviderDown,
    UnknownOutcome,
)
from tieout.rest import Request, RestClient, segment

from ..base import Raw
from .calls import Calls
from .finding import mark_of, marked, number_of
from .kinds import Kind
from .objectquery import Asked
from .ordering import Orders
from .reading import Tenant
from .rows import Row, amount, folded, text

log = logging.getLogger("tieout.zuora")

APPLIES = 4

# entity -> (path of its collection, path of one for updates)
PATHS = {
    "customer": ("/v1/accounts", "/v1/accounts/{id}"),
    "contact": ("/v1/contacts", "/v1/contacts/{id}"),
    "product": ("/v1/object/product", "/v1/object/product/{id}"),
    "price": ("/v1/object/product-rate-plan-charge", "/v1/object/product-rate-plan-charge/{id}"),
    "subscription": ("/v1/orders", ""),
    "invoice": ("/v1/invoices", "/v1/invoices/{id}"),
    "payment": ("/v1/payments", "/v1/payments/{id}"),
    "credit_note": ("/v1/creditmemos", "/v1/creditmemos/{id}"),
    "refund": ("", "/v1/refunds/{id}"),
    "usage": ("/v1/object/usage", "/v1/object/usage/{id}"),
    "journal_entry": ("/v1/journal-entries", "/v1/journal-entries/{id}/basic-information"),
}
# entity -> (field of the body that holds our number, or the text that holds our mark)
NUMBERS = {
    "customer": "accountNumber",
    "product": "ProductNumber",
    "price": "ProductRatePlanChargeNumber",
    "invoice": "invoiceNumber",
    "usage": "UniqueKey",
}
COMMENTS = {
    "contact": "contactDescription",
    "invoice": "comments",
    "payment": "comment",
    "refund": "comment",
    "credit_note": "comment",
    "journal_entry": "notes",
}
_OVER = ("Canceled", "Cancelled")


class Writer:
    """Creates, changes and archives records of one entity; gives back the id."""

    def __init__(self, rest: RestClient, tenant: Tenant, kind: Kind) -> None:
        self._rest, self._tenant, self._kind = rest, tenant, kind
        self._calls = Calls(rest, tenant.ports)
        self._orders = Orders(self._calls, tenant)

    def create(self, record: Raw, key: str, found: Callable[[], str | None]) -> str:
        """`found`: the id of what an earlier attempt left, None if nothing."""
        body = {name: value for name, value in record.items() if value is not None}
        try:
            return self._create(self._kind.entity, body, key, found)
        except Conflict:
            id = found()
            if id is None:
                raise
            return id

    def _create(self, entity: str, body: Raw, key: str, found: Callable[[], str | None]) -> str:
        body = self._keyed(entity, body, key)
        match entity:
            case "subscription":
                return self._orders.create(body, key, found)
            case "product":
                body = {**self._sold_from_today(), **body}
            case "price":
                # Mandatory for every charge; one that is billed once takes no notice of it.
                body = {"BillingPeriod": "Month", **self._with_rate_plan(body, key)}
            case "invoice" if not body.get("invoiceDate"):
                body = _dated(body, f"{self._tenant.ports.now():%Y-%m-%d}")
            case "refund":
                return self._create_refund(body, key, found)
            case "credit_note":
                return self._create_memo(body, key, found)
            case "journal_entry":
                body.setdefault("accountingPeriodName", self._period(body["journalEntryDate"]))
        path = PATHS[entity][0]
        return self._calls.post(path, body, key, "create", found)

    def update(self, id: str, record: Raw, key: str, current: Row) -> None:
        """Sets the given fields. `current` is the record as it is."""
        entity = self._kind.entity
        if entity == "subscription":
            self._orders.change_terms(id, record, key, current)
            return
        body = dict(record)
        comment = COMMENTS.get(entity)
        if comment and comment in body and not self._tenant.settings.key_field:
            body[comment] = _kept_mark(body[comment], current)
        path = PATHS[entity][1]
        if entity == "invoice" and "memonumber" in current:
            path = "/v1/debitmemos/{id}"
            if "comments" in body:
                body["comment"] = body.pop("comments")
        bare = id.partition(":")[0]
        if body:
            self._calls.put(path.format(id=segment(bare)), body)

    def archive(self, id: str, key: str, current: Row) -> None:
        """Cancels, ends or reverses; nothing is deleted."""
        if is_over(current):
            return  # an earlier attempt has done it
        entity, status = self._kind.entity, text(current, "status")
        today = f"{self._tenant.ports.now():%Y-%m-%d}"
        at = segment(id.partition(":")[0])
        match entity:
            case "customer":
                self._calls.action("Account", {"Id": id, "Status": "Canceled"}, key)
            case "product":
                self._calls.put(f"/v1/object/product/{at}", {"EffectiveEndDate": today})
            case "subscription":
                self._orders.cancel(id, key, current, today)
            case "invoice":
                self._archive_document(id, key, current, "invoices", "debitmemos")
            case "credit_note" if status == "Draft":
                self._calls.put(f"/v1/creditmemos/{at}/cancel", {})
            case "credit_note":
                self._calls.put(f"/v1/creditmemos/{at}/reverse", {})
            case "payment":
                self._calls.put(f"/v1/payments/{at}/cancel", {})
            case "refund":
                self._calls.put(f"/v1/refunds/{at}/cancel", {})
            case "journal_entry":
                self._calls.put(f"/v1/journal-entries/{at}/cancel", {})

    def _archive_document(self, id: str, key: str, current: Row, invoices: str, memos: str) -> None:
        """A draft is cancelled, a posted invoice reversed (Zuora makes a credit memo of it)."""
        draft, at = text(current, "status") == "Draft", segment(id)
        if "memonumber" in current and not draft:
            raise InvalidRecord(
                "a posted debit memo is not taken back", hint="credit it with a credit memo"
            )
        if "memonumber" in current:
            self._calls.put(f"/v1/{memos}/{at}/cancel", {})
        elif draft:
            self._calls.action("Invoice", {"Id": id, "Status": "Canceled"}, key)
        else:
            self._calls.put(f"/v1/{invoices}/{at}/reverse", {})

    # our key

    def _keyed(self, entity: str, body: Raw, key: str) -> Raw:
        field = self._tenant.settings.key_field
        if field and entity != "subscription":
            return {**body, field: key}
        if entity in NUMBERS:
            if entity == "invoice" and body.get("invoiceNumber"):
                # It is unique, too, and what people know the invoice by.
                return {**body, "comments": marked(body.get("comments"), key)}
            return {**body, NUMBERS[entity]: number_of(key)}
        comment = COMMENTS.get(entity)
        return {**body, comment: marked(body.get(comment), key)} if comment else body

    # parts of other creates

    def _sold_from_today(self) -> Raw:
        """Both dates are mandatory at Zuora and unknown elsewhere."""
        today = f"{self._tenant.ports.now():%Y-%m-%d}"
        return {"EffectiveStartDate": today, "EffectiveEndDate": "2099-12-31"}

    def _with_rate_plan(self, body: Raw, key: str) -> Raw:
        """A charge lives in a rate plan; without one that is named, it gets one of its own."""
        product = body.pop("tieout_product", None)
        if body.get("ProductRatePlanId"):
            return body
        if not product:
            raise InvalidRecord("a price needs its product")
        plan = {
            "Name": body.get("Name"),
            "ProductId": product,
            "ProductRatePlanNumber": f"R-{number_of(key)}",
        }

        def made() -> str | None:
            number = plan["ProductRatePlanNumber"]
            rows = self._tenant.query.of("product-rate-plans", "productrateplannumber", [number])
            return next((text(folded(row), "id") for row in rows), None)

        try:
            id = self._calls.post("/v1/object/product-rate-plan", plan, key, "rate plan", made)
        except Conflict:
            known = made()
            if known is None:
                raise
            id = known
        return {**body, "ProductRatePlanId": id}

    def _create_refund(self, body: Raw, key: str, found: Callable[[], str | None]) -> str:
        payment, memo = body.pop("tieout_payment", None), body.pop("tieout_credit_note", None)
        if not payment and not memo:
            raise InvalidRecord("a refund names the payment or the credit note that it pays back")
        holder = f"creditmemos/{segment(memo)}" if memo else f"payments/{segment(payment)}"
        return self._calls.post(f"/v1/{holder}/refunds", body, key, "create", found)

    def _create_memo(self, body: Raw, key: str, found: Callable[[], str | None]) -> str:
        """The memo, posted where it is to be, then applied to its invoices."""
        applied = body.pop("tieout_apply", None) or []
        begun = self._begun_memo(body, key) if applied else None
        id = begun or self._calls.post("/v1/creditmemos", body, key, "create", found)
        if applied:
            self._apply_memo(id, applied)
        return id

    def _begun_memo(self, body: Raw, key: str) -> str | None:
        """What an earlier attempt made and could not apply, however long ago."""
        field = self._tenant.settings.key_field
        asked = Asked("credit-memos", (f"accountid.EQ:{body.get('accountId')}",))
        try:
            rows = [folded(row) for row in self._tenant.query.rows(asked)]
        except InvalidRecord:
            return None  # not a field that can be filtered by
        for row in rows:
            told = text(row, field.lower()) if field else text(row, self._kind.key_in)
            if (told == key) if field else (mark_of(key) in told):
                return text(row, "id")
        return None

    def _apply_memo(self, id: str, invoices: list[Raw]) -> None:
        """Once: twice would take off twice as much, so it is looked at before it is sent again."""
        path = f"/v1/creditmemos/{segment(id)}"
        for attempt in range(APPLIES):
            row = folded(self._rest.send(Request("GET", path)) or {})
            if amount(row.get("appliedamount")):
                return
            try:
                self._rest.send(Request("PUT", f"{path}/apply", json={"invoices": invoices}))
                return
            except (UnknownOutcome, ProviderDown) as error:
                log.info("credit memo %s: %s; it is looked at again", id, error.message)
                self._tenant.ports.sleep(2.0**attempt)
        raise ProviderDown(f"credit memo {id} was made, but could not be applied to its invoices")

    def _period(self, day: str) -> str:
        """The name of the open accounting period that a day lies in."""
        told = self._rest.send(Request("GET", "/v1/accounting-periods", {"pageSize": 300}))
        rows = told.get("accountingPeriods") or [] if isinstance(told, dict) else []
        for row in rows:
            if str(row.get("startDate")) <= day <= str(row.get("endDate")):
                return str(row["name"])
        raise InvalidRecord(
            f"Zuora has no accounting period for {day}",
            hint="create it in Zuora > Finance > Accounting Periods",
        )


def is_over(current: Row) -> bool:
    """Whether a record is cancelled or reversed."""
    return text(current, "status") in _OVER or current.get("reversed") is True


def _dated(body: Raw, day: str) -> Raw:
    """An invoice with its mandatory dates: drafts have none of their own."""
    items = []
    for item in body.get("invoiceItems") or []:
        taxes = [
            {**row, "taxDate": row.get("taxDate") or day} for row in item.get("taxItems") or []
        ]
        more = {"taxItems": taxes} if taxes else {}
        items.append({"serviceStartDate": day, **item, **more})
    return {**body, "invoiceDate": day, "invoiceItems": items}


def _kept_mark(comment: Any, current: Row) -> str:
    """The new comment with the mark that the old one ends with."""
    for name in ("comment", "comments", "notes", "description", "contactdescription"):
        told = text(current, name)
        start = told.rfind("[tieout:")
        if start >= 0:
            return f"{comment or ''} {told[start:]}".strip()
    return "" if comment is None else str(comment)
