"""The last touch on what is sent to Zuora: parts that no single rule can write.

Keys that begin with `tieout_` carry what the connector has yet to look up (an account's number, a
charge's rate plan) and are never sent. Names are v1's, or capitalised where only CRUD writes.
https://developer.zuora.com/v1-api-reference/introduction/
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tieout.core.errors import InvalidRecord

from .forms import Context, finishes
from .zuora_shapes import ZERO, Raw

Fields = Mapping[str, Any]

_ADDRESS = {
    "line1": "address1",
    "line2": "address2",
    "city": "city",
    "state": "state",
    "postal_code": "zipCode",
    "country": "country",
}
_METHODS = {
    "card": "CreditCard",
    "bank_debit": "ACH",
    "bank_transfer": "WireTransfer",
    "check": "Check",
    "cash": "Cash",
    "wallet": "PayPal",
}
_MODELS = {
    "flat": "Flat Fee Pricing",
    "per_unit": "Per Unit Pricing",
    "tiered": "Tiered Pricing",
    "volume": "Volume Pricing",
}
_PERIODS = {
    ("month", 1): "Month",
    ("month", 3): "Quarter",
    ("month", 6): "Semi-Annual",
    ("month", 12): "Annual",
    ("week", 1): "Week",
}


@finishes("zuora.customer_body")
def customer_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """An account with its bill-to contact, which must have a first and a last name."""
    billing, shipping = body.pop("tieout_billing", None), body.pop("tieout_shipping", None)
    contact = body.get("billToContact") or {}
    if billing:
        contact |= _address(billing)
    if shipping:
        body["soldToContact"] = {**(_names(fields) if creating else {}), **_address(shipping)}
    days = body.pop("tieout_terms", None)
    if days is not None:
        body["paymentTerm"] = f"Net {days}" if days else "Due Upon Receipt"
    if creating:
        contact = {**_names(fields), **contact}
        body.setdefault("billCycleDay", 0)
        body.setdefault("autoPay", False)
    if contact:
        body["billToContact"] = contact
    return body


def _names(fields: Fields) -> Raw:
    first, _, last = str(fields.get("name") or "-").rpartition(" ")
    return {"firstName": (first or last)[:100], "lastName": last[:100]}


def _address(parts: Raw) -> Raw:
    return {theirs: parts[ours] for ours, theirs in _ADDRESS.items() if parts.get(ours)}


@finishes("zuora.contact_body")
def contact_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """Both names are mandatory."""
    if creating:
        body.setdefault("firstName", body.get("lastName") or "-")
        body.setdefault("lastName", body.get("firstName") or "-")
    return body


@finishes("zuora.price_body")
def price_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """A charge; what it costs is written once, and changed in Zuora only."""
    told = body.pop("tieout_price", {})
    for name in ("tieout_scheme", "tieout_usage"):
        body.pop(name, None)
    if not creating:
        return body
    scheme = str(fields.get("scheme") or "per_unit")
    if scheme not in _MODELS:
        raise InvalidRecord(f"Zuora has no charge model for {scheme}", where="price, field scheme")
    metered = fields.get("usage") == "metered"
    charge: Raw = {
        "ChargeModel": _MODELS[scheme],
        "ChargeType": "Usage" if metered else "Recurring" if told.get("interval") else "OneTime",
        "BillCycleType": "DefaultFromCustomer",
        "TriggerEvent": "ContractEffective",
        "UseDiscountSpecificAccountingCode": False,
    }
    if told.get("interval"):
        charge |= _period(str(told["interval"]), int(told.get("count") or 1))
    if scheme != "flat":
        charge["UOM"] = str(context.options.get("uom") or "Each")
    currency = told.get("currency")
    charge["ProductRatePlanChargeTierData"] = {
        "ProductRatePlanChargeTier": [
            {**tier, "Currency": currency} for tier in _tiers(told, scheme)
        ]
    }
    return {**charge, **body}


def _period(unit: str, count: int) -> Raw:
    """By its name where it has one, else as so many months or weeks."""
    if unit == "year":
        unit, count = "month", 12 * count
    if named := _PERIODS.get((unit, count)):
        return {"BillingPeriod": named}
    if unit not in ("month", "week"):
        raise InvalidRecord(
            f"every {count} {unit}s is no billing period that tieout writes",
            where="price, field interval",
        )
    return {"BillingPeriod": f"Specific {unit.title()}s", "SpecificBillingPeriod": count}


def _tiers(told: Raw, scheme: str) -> list[Raw]:
    if scheme in ("flat", "per_unit"):
        if told.get("unit_amount") is None:
            raise InvalidRecord("has no unit amount", where="price, field unit_amount")
        return [{"Price": told["unit_amount"]}]
    found, start = [], ZERO
    for position, tier in enumerate(told.get("tiers") or [], start=1):
        flat = tier.get("flat")
        if flat is not None and tier.get("unit"):
            raise InvalidRecord("a tier of Zuora has one price", where="price, field tiers")
        row: Raw = {
            "Tier": position,
            "StartingUnit": start,
            "Price": flat if flat is not None else tier.get("unit"),
            "PriceFormat": "Per Unit" if flat is None else "Flat Fee",
        }
        if tier.get("up_to") is not None:
            row["EndingUnit"] = tier["up_to"]
            start = Decimal(str(tier["up_to"])) + 1
        found.append(row)
    return found


@finishes("zuora.subscription_body")
def subscription_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """An order that creates a subscription, or one that changes whether it renews."""
    renew, months = body.pop("tieout_renew", None), body.pop("tieout_months", None)
    number, items = body.pop("tieout_number", None), body.pop("tieout_lines", None)
    if not creating:
        return {"tieout_terms": {"autoRenew": renew}} if renew is not None else {}
    terms: Raw = {"initialTerm": {"termType": "EVERGREEN"}}
    if months:
        term = {"period": months, "periodType": "Month"}
        terms = {
            "initialTerm": {**term, "termType": "TERMED"},
            "renewalSetting": "RENEW_WITH_SPECIFIC_TERM",
            "renewalTerms": [term],
            "autoRenew": bool(renew),
        }
    body["tieout_create"] = {"terms": terms, **({"subscriptionNumber": number} if number else {})}
    body["tieout_items"] = {"items": items or []}
    return body


@finishes("zuora.invoice_body")
def invoice_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """A standalone invoice. What would come out with another total is refused."""
    total, tax = body.pop("tieout_total", None), body.pop("tieout_tax", None) or ZERO
    discount, kind = body.pop("tieout_discount", None), body.pop("tieout_kind", "invoice")
    body.pop("tieout_posting", None)
    status = fields.get("status")
    if not creating:
        return body
    if kind == "debit_memo":
        raise InvalidRecord("debit memos are made in Zuora", where="invoice, field kind")
    if status in ("void", "uncollectible"):
        raise InvalidRecord(f"a {status} invoice is not written", where="invoice, field status")
    body["status"] = "Draft" if status == "draft" else "Posted"
    items = [_item(line) for line in body.get("invoiceItems") or []]
    if not items:
        raise InvalidRecord("an invoice is written with its lines", where="invoice, field lines")
    day = body.get("invoiceDate")
    for item in items if day else ():
        item.setdefault("serviceStartDate", day)  # mandatory
    _with_tax(items, tax, day, str(context.options.get("tax_code") or "Tax"))
    given = sum((-row["amount"] for i in items for row in i.get("discountItems", ())), ZERO)
    if discount and given != discount:
        raise InvalidRecord(f"has a discount of {discount}, its lines have {given}")
    found = sum((item["amount"] for item in items), ZERO) - given + tax
    if total is not None and found != total:
        raise InvalidRecord(f"its lines add up to {found}, its total is {total}")
    body["invoiceItems"] = items
    return body


def _item(line: Raw) -> Raw:
    item = {name: value for name, value in line.items() if not name.startswith("tieout_")}
    item.setdefault("amount", ZERO)
    if item.get("productRatePlanChargeId"):
        item["productRatePlanChargeId"] = _charge_id(item["productRatePlanChargeId"])
    else:
        item.setdefault("chargeName", str(item.get("description") or "Charge")[:255])
    off = line.get("tieout_discount")
    if off:
        item["discountItems"] = [{"chargeName": "Discount", "amount": -off}]
    if line.get("tieout_tax"):
        item["tieout_tax"] = line["tieout_tax"]
    return item


def _charge_id(price: Any) -> str:
    """A price is a charge in one currency (`<charge>:EUR`), which the document has by itself."""
    return str(price).partition(":")[0]


def _with_tax(items: list[Raw], tax: Decimal, day: str | None, code: str) -> None:
    """Tax on the lines that tell theirs; all of it on the first where they don't add up. As a flat
    fee, so that Zuora has no rate to calculate with."""
    told = [item.pop("tieout_tax", None) or ZERO for item in items]
    if sum(told, ZERO) != tax:
        told = [tax, *[ZERO] * (len(items) - 1)]
    for item, amount in zip(items, told, strict=True):
        if amount:
            row = {"name": "Tax", "taxAmount": amount, "taxMode": "TaxExclusive", "taxCode": code}
            row |= {"taxRate": amount, "taxRateType": "FlatFee"}
            item["taxItems"] = [{**row, "taxDate": day} if day else row]


@finishes("zuora.payment_body")
def payment_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """Always External: it records money that came in elsewhere and moves none."""
    body.pop("tieout_state", None)
    body.pop("tieout_method", None)
    status = fields.get("status")
    if not creating:
        return body
    if status not in (None, "succeeded"):
        raise InvalidRecord(
            f"a {status} payment is not written", hint="only what has come in is recorded in Zuora"
        )
    body["type"] = "External"
    body["paymentMethodType"] = _METHODS.get(str(fields.get("method")), "Other")
    rows = [row for row in body.get("invoices") or [] if row.get("invoiceId") and row.get("amount")]
    body.pop("invoices", None)
    if rows:
        body["invoices"] = rows
    if sum((row["amount"] for row in rows), ZERO) > body.get("amount", ZERO):
        raise InvalidRecord("more is allocated than was paid", where="payment, field allocations")
    return body


@finishes("zuora.refund_body")
def refund_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """Always External, for the same reason."""
    body.pop("tieout_state", None)
    status = fields.get("status")
    if not creating:
        return body
    if status not in (None, "succeeded"):
        raise InvalidRecord(f"a {status} refund is not written")
    body["type"] = "External"
    body.setdefault("methodType", "Other")
    return body


@finishes("zuora.credit_note_body")
def credit_note_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    """A memo from charges of the catalogue; Zuora calculates tax by itself."""
    total, tax = body.pop("tieout_total", None), body.pop("tieout_tax", None)
    body.pop("tieout_state", None)
    status, applied = fields.get("status"), body.pop("tieout_allocations", None) or []
    if not creating:
        return body
    if tax:
        raise InvalidRecord("has tax, which Zuora calculates by itself on a credit memo")
    if status == "void":
        raise InvalidRecord("a void credit note is not written")
    charges = [_charge(line, context) for line in body.get("charges") or []]
    if not charges and total:
        charges = [_charge({"amount": total}, context)]
    found = sum((row["amount"] for row in charges), ZERO)
    if total is not None and found != total:
        raise InvalidRecord(f"its lines add up to {found}, its total is {total}")
    body["charges"], body["autoPost"] = charges, status != "draft"
    rows = [row for row in applied if row.get("invoiceId") and row.get("amount")]
    if rows and body["autoPost"]:
        body["tieout_apply"] = rows
    return body


def _charge(line: Raw, context: Context) -> Raw:
    charge = line.get("productRatePlanChargeId") or context.options.get("credit_charge")
    if not charge:
        raise InvalidRecord(
            "a credit memo's lines name charges of the catalogue",
            hint="set the mapping option credit_charge to a product rate plan charge for the rest",
        )
    return {
        **line,
        "amount": line.get("amount", ZERO),
        "productRatePlanChargeId": _charge_id(charge),
    }


@finishes("zuora.journal_body")
def journal_body(body: Raw, fields: Fields, context: Context, creating: bool) -> Raw:
    rows = body.pop("tieout_lines", None)
    if not creating:
        return body
    items = [_side(row) for row in rows or []]
    left = sum((i["amount"] if i["type"] == "Debit" else -i["amount"] for i in items), ZERO)
    if not items or left:
        raise InvalidRecord(f"debits and credits differ by {left}", where="journal_entry")
    return {**body, "journalEntryItems": items}


def _side(row: Raw) -> Raw:
    debit, credit = row.get("debit"), row.get("credit")
    if bool(debit) == bool(credit):
        raise InvalidRecord("a line is either debit or credit", where="journal_entry, field lines")
    return {
        "accountingCodeName": row.get("account"),
        "type": "Debit" if debit else "Credit",
        "amount": debit or credit,
    }
