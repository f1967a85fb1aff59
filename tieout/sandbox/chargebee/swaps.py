"""What a subscription owes or gets back when it changes within a term.

https://www.chargebee.com/docs/2.0/proration.html
"""

from __future__ import annotations

from .credits import new_note
from .customers import add_to_balance
from .documents import line, restate
from .pricing import prorated
from .raising import check_card
from .shelf import Object
from .site import Site
from .terms import amount_of, begin_term, bill, bill_term, priced_items


def charge_difference(
    site: Site, before: Object, after: Object, *, prorate: bool, reset: bool, at_once: bool
) -> Object | None:
    """Credit the rest of what is given up and charge the rest of what comes instead."""
    start, end, now = after["current_term_start"], after["current_term_end"], site.now()
    same_period = all(
        before.get(name) == after.get(name) for name in ("billing_period", "billing_period_unit")
    )
    customer = site.need("customer", after["customer_id"])
    if not same_period or reset:
        check_card(site, customer, after)
        credit_rest(site, before, full=False)
        begin_term(site, after, now)
        return bill_term(site, after, first=False, must_pay=True)
    if not prorate:
        return None
    left, whole = end - now, end - start
    gone, come = _by_price(site, before), _by_price(site, after)
    lines, back = [], 0
    for id in {**gone, **come}:
        old, new = gone.get(id, (None, 0))[1], come.get(id, (None, 0))[1]
        if old == new:
            continue
        back += prorated(old, left, whole)
        if new:
            lines.append(_line(site, after, come[id][0], prorated(new, left, whole)))
    lines = [one for one in lines if one["amount"]]
    credit = max(back - _owed(site, after), 0)
    if at_once and sum(one["amount"] for one in lines) > credit:
        check_card(site, customer, after)
    if back:
        _credit(site, after, back)
    if not lines:
        return None
    if at_once:
        return bill(site, after, lines, recurring=False, must_pay=True)
    from_lines(site, after, lines)
    return None


def _owed(site: Site, subscription: Object) -> int:
    """What is due on the subscription's invoices: a credit takes off that first."""
    rows = site.shelf("invoice").find("subscription_id", subscription["id"])
    due = ("posted", "payment_due", "not_paid")
    return sum(row.fields["amount_due"] for row in rows if row.fields.get("status") in due)


def _by_price(site: Site, subscription: Object) -> dict[str, tuple[Object, int]]:
    return {
        price["id"]: (price, amount_of(price, item))
        for price, item in priced_items(site, subscription)
        if item.get("item_type") != "charge"
    }


def _line(site: Site, subscription: Object, price: Object, amount: int) -> Object:
    kind = price["object"]
    entity = f"{price['item_type']}_item_price" if kind == "item_price" else kind
    name = price.get("external_name") or price.get("invoice_name") or price["name"]
    return line(
        site,
        amount,
        f"{name} - Prorated Charges",
        entity_type=entity,
        entity_id=price["id"],
        dates=(site.now(), subscription["current_term_end"]),
        customer_id=subscription["customer_id"],
        subscription_id=subscription["id"],
    )


def credit_rest(site: Site, subscription: Object, *, full: bool) -> list[Object]:
    """Credit notes for the rest of the term (or all of it)."""
    start, end = subscription["current_term_start"], subscription["current_term_end"]
    whole = end - start
    left = whole if full else end - site.now()
    amount = sum(amount for _, amount in _by_price(site, subscription).values())
    back = prorated(amount, left, whole)
    reason = "subscription_cancellation"
    return _credit(site, subscription, back, reason=reason) if back > 0 else []


def _credit(
    site: Site, subscription: Object, amount: int, *, reason: str = "subscription_change"
) -> list[Object]:
    """Off what is due on the newest invoice first, the rest as refundable credit."""
    notes = []
    for row in site.shelf("invoice").find("subscription_id", subscription["id"]):
        if amount <= 0:
            break
        fields = row.fields
        if fields.get("status") in ("posted", "payment_due", "not_paid"):
            invoice = site.need("invoice", row.id)
            part = min(amount, invoice["amount_due"])
            notes.append(_note(site, subscription, invoice, "adjustment", part, reason))
            amount -= part
    for row in sorted(
        site.shelf("invoice").find("subscription_id", subscription["id"]),
        key=lambda row: -row.fields["date"],
    ):
        if amount <= 0:
            break
        invoice = site.need("invoice", row.id)
        issued = sum(one["cn_total"] for one in invoice.get("issued_credit_notes") or [])
        room = invoice["amount_paid"] + invoice["credits_applied"] - issued
        if invoice["status"] == "paid" and room > 0:
            part = min(amount, room)
            notes.append(_note(site, subscription, invoice, "refundable", part, reason))
            amount -= part
    return notes


def _note(
    site: Site, subscription: Object, invoice: Object, type: str, amount: int, reason: str
) -> Object:
    note = new_note(
        site,
        type,
        amount,
        customer=subscription["customer_id"],
        currency=subscription["currency_code"],
        invoice=invoice,
        reason=reason,
    )
    restate(site, invoice)
    site.tell("invoice_updated", invoice=invoice)
    return note


def from_lines(site: Site, subscription: Object, lines: list[Object]) -> list[Object]:
    """Keep lines as unbilled charges."""
    made = []
    for one in lines:
        kept = {
            name: value
            for name, value in one.items()
            if name not in ("is_taxed", "tax_amount", "tax_exempt_reason", "metered",
                            "item_level_discount_amount", "object")
        }  # fmt: skip
        charge = {
            **kept,
            "currency_code": subscription["currency_code"],
            "is_voided": False,
            "is_advance_charge": False,
            "created_at": site.now(),
            "deleted": False,
        }
        site.save("unbilled_charge", charge)
        made.append(charge)
        currency = subscription["currency_code"]
        owner = subscription["customer_id"]
        add_to_balance(site, owner, currency, "unbilled_charges", one["amount"])
    return made
