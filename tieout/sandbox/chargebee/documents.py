"""What invoices and credit notes share: lines, totals, the sums that must hold.

An invoice: total = amount_paid + amount_adjusted + credits_applied + tax withheld + amount_due.
A credit note: total = amount_allocated + amount_refunded + amount_available.
"""

from __future__ import annotations

from collections.abc import Iterable

from .customers import add_to_balance
from .errors import wrong_value
from .shelf import Object
from .site import Site

_TAXES = range(1, 11)


def line(
    site: Site,
    amount: int,
    description: str,
    *,
    entity_type: str = "adhoc",
    entity_id: str | None = None,
    quantity: int = 1,
    unit: int | None = None,
    dates: tuple[int, int] | None = None,
    customer_id: str | None = None,
    subscription_id: str | None = None,
    model: str = "flat_fee",
) -> Object:
    """One line item, without tax or discount."""
    now = site.now()
    first, last = dates or (now, now)
    found = {
        "id": site.new_id("li_"),
        "date_from": first,
        "date_to": last,
        "unit_amount": amount if unit is None else unit,
        "quantity": quantity,
        "amount": amount,
        "pricing_model": model,
        "is_taxed": False,
        "tax_amount": 0,
        "object": "line_item",
        "subscription_id": subscription_id,
        "customer_id": customer_id,
        "description": description,
        "entity_type": entity_type,
        "entity_id": entity_id,
        "metered": False,
        "tax_exempt_reason": "tax_not_configured",
        "discount_amount": 0,
        "item_level_discount_amount": 0,
    }
    return {name: value for name, value in found.items() if value is not None}


def discount_lines(document: Object, amount: int, entity_type: str, **more: str) -> None:
    """Take a discount off a document that is being made, line by line; totals are not touched."""
    left = amount
    for one in document["line_items"]:
        share = min(left, one["amount"] - one["discount_amount"])
        if share <= 0:
            continue
        one["discount_amount"] += share
        left -= share
        document.setdefault("line_item_discounts", []).append(
            {
                "object": "line_item_discount",
                "line_item_id": one["id"],
                "discount_type": entity_type,
                "discount_amount": share,
                **{name: value for name, value in more.items() if name != "description"},
            }
        )
    document.setdefault("discounts", []).append(
        {"object": "discount", "entity_type": entity_type, "amount": amount, **more}
    )


def total_up(document: Object) -> None:
    """Set `sub_total`, `tax` and `total` from lines, discounts and taxes."""
    lines = document["line_items"]
    document["sub_total"] = sum(one["amount"] for one in lines)
    document["tax"] = sum(one["tax_amount"] for one in lines)
    off = sum(one["amount"] for one in document.get("discounts") or [])
    added = 0 if document.get("price_type") == "tax_inclusive" else document["tax"]
    rounding = int(document.get("round_off_amount") or 0)
    document["total"] = document["sub_total"] - off + added + rounding


def imported_lines(site: Site, rows: Iterable[Object], document: Object, sent: Object) -> None:
    """Lines, taxes and discounts as an import gives them."""
    lines: list[Object] = []
    taxes: dict[str, int] = {}
    document["line_items"] = lines
    for row in rows:
        unit, quantity = row.get("unit_amount"), row.get("quantity") or 1
        amount = row["amount"] if row.get("amount") is not None else int(unit or 0) * quantity
        made = line(
            site,
            amount,
            row["description"],
            entity_type=row.get("entity_type") or "adhoc",
            entity_id=row.get("entity_id"),
            quantity=quantity,
            unit=amount if unit is None else unit,
            dates=(row.get("date_from") or sent["date"], row.get("date_to") or sent["date"]),
            customer_id=document.get("customer_id"),
            subscription_id=row.get("subscription_id") or document.get("subscription_id"),
        )
        made["id"] = row.get("id") or made["id"]
        _tax_line(made, row, document, sent, taxes)
        for at in (1, 2):
            off = row.get(f"item_level_discount{at}_amount") or 0
            made["item_level_discount_amount"] += off
            made["discount_amount"] += off
        lines.append(made)
    item_level = sum(one["item_level_discount_amount"] for one in lines)
    if item_level:
        document["discounts"] = [
            {"object": "discount", "entity_type": "item_level_discount", "amount": item_level}
        ]
    for one in sent.get("discounts") or []:
        kept = {name: value for name, value in one.items() if value is not None}
        document.setdefault("discounts", []).append({"object": "discount", **kept})
    if taxes:
        document["taxes"] = [
            {"object": "tax", "name": name, "description": name, "amount": amount}
            for name, amount in taxes.items()
        ]


def _tax_line(
    made: Object, row: Object, document: Object, sent: Object, taxes: dict[str, int]
) -> None:
    rates = {one["name"]: one.get("rate") for one in sent.get("taxes") or []}
    for at in _TAXES:
        name, amount = row.get(f"tax{at}_name"), row.get(f"tax{at}_amount")
        if not name or amount is None:
            continue
        made |= {"is_taxed": True, "tax_amount": made["tax_amount"] + amount}
        made.pop("tax_exempt_reason", None)
        if rates.get(name) is not None:
            made["tax_rate"] = rates[name]
        taxes[name] = taxes.get(name, 0) + amount
        document.setdefault("line_item_taxes", []).append(
            {
                "object": "line_item_tax",
                "line_item_id": made["id"],
                "tax_name": name,
                "tax_rate": rates.get(name) or 0,
                "taxable_amount": row.get("taxable_amount") or made["amount"],
                "is_partial_tax_applied": False,
                "is_non_compliance_tax": False,
                "tax_amount": amount,
            }
        )


def check_total(document: Object, wanted: int | None) -> None:
    """The lines must come to the total that was sent. Raises ApiError (400)."""
    if wanted is not None and document["total"] != wanted:
        raise wrong_value(
            "total", f"does not match the sum of its lines, which is {document['total']}"
        )


# Invoices


def settle(invoice: Object, field: str, amount: int) -> None:
    """Move `amount` from what is due to `amount_paid`, `amount_adjusted` or `credits_applied`."""
    invoice[field] = int(invoice.get(field) or 0) + amount
    invoice["amount_due"] -= amount


def restate(site: Site, invoice: Object, *, paid_at: int | None = None) -> None:
    """Set the status that follows from what is due, and save."""
    invoice["amount_to_collect"] = invoice["amount_due"]
    if invoice["status"] not in ("voided", "pending"):
        if invoice["amount_due"] == 0:
            if invoice["status"] != "paid":
                invoice["paid_at"] = paid_at or site.now()
            invoice["status"] = "paid"
            if invoice.get("dunning_status"):
                invoice["dunning_status"] = "stopped"
            invoice.pop("next_retry_at", None)
        else:
            invoice.pop("paid_at", None)
            due = invoice.get("due_date") or invoice["date"]
            if due > site.now():
                invoice["status"] = "posted"
            elif invoice["status"] != "not_paid":
                invoice["status"] = "payment_due"
    site.save("invoice", invoice)
    show_dues(site, invoice.get("subscription_id"))


def show_dues(site: Site, subscription_id: str | None) -> None:
    """A subscription's dues; its `updated_at` does not move with them."""
    subscription = site.get("subscription", subscription_id)
    if subscription is None or subscription_id is None:
        return
    count, total, since = 0, 0, 0
    for row in site.shelf("invoice").find("subscription_id", subscription_id):
        fields = row.fields
        if fields.get("status") in ("payment_due", "not_paid") and not fields.get("deleted"):
            count, total = count + 1, total + int(fields.get("amount_due") or 0)
            since = min(since or fields["date"], fields["date"])
    subscription["due_invoices_count"] = count
    subscription["total_dues"] = total or None
    subscription["due_since"] = since or None
    site.store("subscription", subscription)


def note_ref(note: Object) -> Object:
    """A credit note as an invoice refers to it."""
    found = {
        "cn_id": note["id"],
        "cn_reason_code": note.get("reason_code"),
        "cn_create_reason_code": note.get("create_reason_code"),
        "cn_date": note["date"],
        "cn_total": note["total"],
        "cn_status": note["status"],
    }
    return {name: value for name, value in found.items() if value is not None}


def show_note(site: Site, note: Object) -> None:
    """Bring the references to a credit note, in the invoices that have one, up to date."""
    ids = {note.get("reference_invoice_id")}
    ids |= {one["invoice_id"] for one in note.get("allocations") or []}
    for id in sorted(one for one in ids if one):
        invoice = site.get("invoice", id)
        if invoice is None:
            continue
        for name in ("adjustment_credit_notes", "issued_credit_notes", "applied_credits"):
            for one in invoice.get(name) or []:
                if one["cn_id"] == note["id"]:
                    one["cn_status"] = note["status"]
        site.save("invoice", invoice)


# Credit notes


def state_of_note(note: Object) -> None:
    """The status that follows from what is available."""
    if note["status"] == "voided":
        return
    if note["type"] == "adjustment":
        note["status"] = "adjusted"
    else:
        note["status"] = "refund_due" if note["amount_available"] else "refunded"


def use_note(site: Site, note: Object, field: str, amount: int) -> None:
    """Move `amount` from what is available to `amount_allocated` or `amount_refunded`, and save."""
    note[field] += amount
    note["amount_available"] -= amount
    state_of_note(note)
    if note["status"] == "refunded":
        note["refunded_at"] = site.now()
    site.save("credit_note", note)
    if note["type"] != "adjustment":
        currency = note["currency_code"]
        add_to_balance(site, note.get("customer_id"), currency, "refundable_credits", -amount)
