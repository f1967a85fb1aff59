"""The life of an invoice: draft, open, then paid, void or uncollectible.

https://docs.stripe.com/invoicing/overview#invoice-statuses
"""

from __future__ import annotations

from typing import Any

from . import intents
from .account import Account, Object
from .customers import change_balance
from .errors import ApiError, bad_request
from .money import smallest_charge
from .payment_methods import resolve
from .totals import add_up, lines_of

_DAY = 86_400


def new(account: Account, customer: Object, currency: str, **more: Any) -> Object:
    """An empty draft, not saved yet. `more` overrides what stands here."""
    now, id = account.now(), account.new_id("invoice")
    return {
        "id": id,
        "object": "invoice",
        "account_country": account.country,
        "account_name": account.name,
        "account_tax_ids": None,
        "amount_due": 0,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None,
                          "provider": None, "status": None},
        "automatically_finalizes_at": None,
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "created": now,
        "currency": currency,
        "custom_fields": None,
        "customer": customer["id"],
        "customer_account": None,
        "customer_address": customer.get("address"),
        "customer_email": customer.get("email"),
        "customer_name": customer.get("name"),
        "customer_phone": customer.get("phone"),
        "customer_shipping": customer.get("shipping"),
        "customer_tax_exempt": customer.get("tax_exempt"),
        "customer_tax_ids": [
            {"type": one["type"], "value": one["value"]}
            for one in account.all("tax_id", customer=customer["id"])
        ],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": None,
        "ending_balance": None,
        "footer": (customer.get("invoice_settings") or {}).get("footer"),
        "from_invoice": None,
        "hosted_invoice_url": None,
        "invoice_pdf": None,
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": {"object": "list", "data": [], "has_more": False,
                  "url": f"/v1/invoices/{id}/lines"},
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": None,
        "on_behalf_of": None,
        "parent": None,
        "payment_settings": {"default_mandate": None, "payment_method_options": None,
                             "payment_method_types": None},
        "period_end": now,
        "period_start": now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "draft",
        "status_details": None,
        "status_transitions": {"finalized_at": None, "marked_uncollectible_at": None,
                               "paid_at": None, "voided_at": None},
        "subtotal": 0,
        "subtotal_excluding_tax": 0,
        "test_clock": None,
        "total": 0,
        "total_discount_amounts": [],
        "total_excluding_tax": 0,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": None,
        **more,
    }  # fmt: skip


def refresh(account: Account, item: Object, event: str | None = "invoice.updated") -> Object:
    """Add a draft up again and keep it."""
    return account.save("invoice", add_up(account, item), event)


def not_editable(item: Object, why: str) -> ApiError:
    return ApiError(400, f"Invoice {item['id']}: {why}", code="invoice_not_editable")


# Draft -> open


def finalize(account: Account, item: Object) -> Object:
    """Give it a number and freeze it. Nothing due: it is paid at once."""
    if item["status"] != "draft":
        raise not_editable(item, "it is already finalized; only drafts can be finalized.")
    add_up(account, item)
    customer = account.need("customer", item["customer"])
    _number(account, item, customer)
    now = account.now()
    item |= {
        "status": "open",
        "auto_advance": item["auto_advance"],
        "effective_at": item["effective_at"] or now,
        "hosted_invoice_url": f"https://invoice.stripe.com/i/{account.id}/{item['id']}",
        "invoice_pdf": f"https://pay.stripe.com/invoice/{account.id}/{item['id']}/pdf",
        "automatically_finalizes_at": None,
    }
    item["status_transitions"]["finalized_at"] = now
    _apply_balance(account, item, customer)
    customer["currency"] = customer.get("currency") or item["currency"]
    account.save("customer", customer, "customer.updated")
    if item["amount_due"] > 0:
        _ask_for_payment(account, item)
    account.save("invoice", item)
    account.emit_about("invoice.finalized", item)
    if item["amount_due"] == 0:
        return _mark_paid(account, item)
    if item["due_date"] is not None:
        account.later(item["due_date"], lambda: _overdue(account, item["id"]))
    return item


def _number(account: Account, item: Object, customer: Object) -> None:
    if item["number"] is None:
        prefix = customer.get("invoice_prefix") or account.random_text(8).upper()
        while True:
            sequence = int(customer.get("next_invoice_sequence") or 1)
            customer["next_invoice_sequence"] = sequence + 1
            item["number"] = f"{prefix}-{sequence:04d}"
            if item["number"] not in account.used_numbers:
                break
    account.used_numbers.add(item["number"])


def _apply_balance(account: Account, item: Object, customer: Object) -> None:
    """Credit lowers what is due, debt raises it; what is too small to charge is carried over."""
    balance, total = int(customer.get("balance") or 0), int(item["total"])
    due = max(total + balance, 0)
    item["starting_balance"] = balance
    change = min(total + balance, 0) - balance
    if change:
        change_balance(account, customer, change, "applied_to_invoice", invoice=item["id"],
                       currency=item["currency"])  # fmt: skip
    automatic = item["collection_method"] == "charge_automatically"
    if automatic and 0 < due < smallest_charge(item["currency"]):
        change_balance(account, customer, due, "invoice_too_small", invoice=item["id"],
                       currency=item["currency"])  # fmt: skip
        due = 0
    item |= {"ending_balance": customer["balance"], "amount_due": due, "amount_remaining": due}


def _ask_for_payment(account: Account, item: Object) -> None:
    intent = intents.new(account, item["amount_due"], item["currency"], item["customer"])
    intent["description"] = item["description"]
    account.save("payment_intent", intent, "payment_intent.created")
    _payment(account, item, {"payment_intent": intent["id"], "type": "payment_intent"})


def _payment(account: Account, item: Object, payment: Object, *, default: bool = True) -> Object:
    return account.save(
        "invoice_payment",
        {
            "id": account.new_id("invoice_payment"),
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": item["amount_remaining"],
            "created": account.now(),
            "currency": item["currency"],
            "invoice": item["id"],
            "is_default": default,
            "livemode": False,
            "payment": payment,
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        },
    )


def _overdue(account: Account, id: str) -> None:
    item = account.find("invoice", id)
    if item is not None and item["status"] == "open":
        account.emit_about("invoice.overdue", item)


# Open -> paid


def pay(
    account: Account, item: Object, *, method: str | None = None, outside: bool = False
) -> Object:
    """Collect what is due. Raises ApiError: 400 for a wrong state, 402 for a declined card."""
    if item["status"] == "draft":
        item = finalize(account, item)
        if item["status"] == "paid":
            return item
    if item["status"] == "paid":
        raise bad_request("Invoice is already paid")
    if item["status"] == "void":
        raise bad_request("This invoice can no longer be paid: it is void.")
    if outside:
        item |= {"amount_paid": item["amount_due"], "amount_remaining": 0,
                 "amount_paid_off_stripe": item["amount_due"] - item["amount_paid"]}  # fmt: skip
        _close_payments(account, item)
        return _mark_paid(account, item)
    chosen = method or default_method(account, item)
    if chosen is None:
        raise bad_request(
            "Neither the invoice nor its customer has a default payment method to charge."
        )
    return _charge(account, item, resolve(account, chosen))


def default_method(account: Account, item: Object) -> str | None:
    """The invoice's, its subscription's or its customer's default payment method."""
    if item["default_payment_method"]:
        return str(item["default_payment_method"])
    subscription = account.find("subscription", subscription_of(item) or "") or {}
    if subscription.get("default_payment_method"):
        return str(subscription["default_payment_method"])
    customer = account.find("customer", item["customer"]) or {}
    settings = customer.get("invoice_settings") or {}
    return settings.get("default_payment_method") or customer.get("default_source")


def subscription_of(item: Object) -> str | None:
    details = (item.get("parent") or {}).get("subscription_details") or {}
    return details.get("subscription")


def _charge(account: Account, item: Object, method: Object) -> Object:
    intent = _open_intent(account, item)
    item |= {"attempted": True, "attempt_count": item["attempt_count"] + 1}
    account.save("invoice", item)
    intents.confirm(account, intent, method)
    if intent["last_payment_error"]:
        account.save("invoice", item)
        account.emit_about("invoice.payment_failed", item)
        raise intents.failure(account, intent)
    return account.need("invoice", item["id"])


def _open_intent(account: Account, item: Object) -> Object:
    for payment in account.all("invoice_payment", invoice=item["id"], status="open"):
        intent = account.find("payment_intent", payment["payment"].get("payment_intent") or "")
        if intent is not None and intent["status"] != "canceled":
            intent["amount"] = item["amount_remaining"]
            return intent
    _ask_for_payment(account, {**item, "amount_due": item["amount_remaining"]})
    return _open_intent(account, item)


def settle(account: Account, intent: Object) -> None:
    """An intent succeeded: if it stands for an invoice, that one is paid by so much."""
    for payment in list(
        account.all("invoice_payment", **{"payment[payment_intent]": intent["id"]})
    ):
        item = account.find("invoice", payment["invoice"])
        if item is None or payment["status"] != "open" or item["status"] == "void":
            continue
        paid = int(intent["amount_received"])
        payment |= {"status": "paid", "amount_paid": paid}
        payment["status_transitions"]["paid_at"] = account.now()
        account.save("invoice_payment", payment)
        item["amount_paid"] += paid
        item["amount_remaining"] = max(item["amount_due"] - item["amount_paid"], 0)
        item["amount_overpaid"] = max(item["amount_paid"] - item["amount_due"], 0)
        item["attempted"] = True
        if item["amount_remaining"]:
            account.save("invoice", item, "invoice.updated")
        else:
            _mark_paid(account, item)
        account.emit_about("invoice_payment.paid", payment)


def _close_payments(account: Account, item: Object) -> None:
    for payment in list(account.all("invoice_payment", invoice=item["id"], status="open")):
        payment["status"] = "canceled"
        payment["status_transitions"]["canceled_at"] = account.now()
        account.save("invoice_payment", payment)
        intent = account.find("payment_intent", payment["payment"].get("payment_intent") or "")
        if intent is not None and intent["status"] not in ("succeeded", "canceled"):
            intents.cancel(account, intent, "void_invoice")


def _mark_paid(account: Account, item: Object) -> Object:
    item |= {"status": "paid", "attempted": True, "auto_advance": False,
             "next_payment_attempt": None}  # fmt: skip
    item["status_transitions"]["paid_at"] = account.now()
    account.save("invoice", item, "invoice.updated")
    account.emit_about("invoice.paid", item)
    account.emit_about("invoice.payment_succeeded", item)
    account.when_invoice_paid(item)
    return item


def lower(account: Account, item: Object, amount: int) -> None:
    """A credit note takes `amount` off an open invoice."""
    item["pre_payment_credit_notes_amount"] += amount
    item["amount_due"] -= amount
    item["amount_remaining"] -= amount
    for payment in list(account.all("invoice_payment", invoice=item["id"], status="open")):
        payment["amount_requested"] = item["amount_remaining"]
        account.save("invoice_payment", payment)
        intent = account.find("payment_intent", payment["payment"].get("payment_intent") or "")
        if intent is not None and item["amount_remaining"]:
            intent["amount"] = item["amount_remaining"]
            account.save("payment_intent", intent)
    if item["amount_remaining"] > 0:
        account.save("invoice", item, "invoice.updated")
        return
    _close_payments(account, item)
    _mark_paid(account, item)


# Other ends


def void(account: Account, item: Object) -> Object:
    if item["status"] not in ("open", "uncollectible"):
        raise bad_request(
            f"You can only void open or uncollectible invoices; this one is {item['status']}."
        )
    _close_payments(account, item)
    _give_back_balance(account, item)
    item |= {"status": "void", "auto_advance": False, "next_payment_attempt": None,
             "amount_remaining": item["amount_remaining"]}  # fmt: skip
    item["status_transitions"]["voided_at"] = account.now()
    account.save("invoice", item, "invoice.updated")
    account.emit_about("invoice.voided", item)
    return item


def _give_back_balance(account: Account, item: Object) -> None:
    used = int(item["ending_balance"] or 0) - int(item["starting_balance"] or 0)
    customer = account.find("customer", item["customer"])
    if used and customer is not None:
        change_balance(account, customer, -used, "unapplied_from_invoice", invoice=item["id"],
                       currency=item["currency"])  # fmt: skip
        account.save("customer", customer, "customer.updated")


def mark_uncollectible(account: Account, item: Object) -> Object:
    if item["status"] != "open":
        raise bad_request(
            f"You can only mark open invoices as uncollectible; this one is {item['status']}."
        )
    item |= {"status": "uncollectible", "auto_advance": False, "next_payment_attempt": None}
    item["status_transitions"]["marked_uncollectible_at"] = account.now()
    account.save("invoice", item, "invoice.updated")
    account.emit_about("invoice.marked_uncollectible", item)
    return item


def delete(account: Account, item: Object) -> Object:
    if item["status"] != "draft":
        raise not_editable(item, "only drafts can be deleted; void a finalized invoice instead.")
    account.emit_about("invoice.deleted", item)
    for one in lines_of(account, item["id"]):
        account.drop("line_item", one["id"])
        pending = ((one["parent"] or {}).get("invoice_item_details") or {}).get("invoice_item")
        if pending:
            account.drop("invoiceitem", pending)
    account.drop("invoice", item["id"])
    return {"id": item["id"], "object": "invoice", "deleted": True}


def attach(account: Account, item: Object, intent: Object) -> Object:
    """Let an existing payment intent count towards an open invoice."""
    if item["status"] not in ("open", "uncollectible"):
        raise bad_request("Payments can be attached to open invoices only.")
    _payment(account, item, {"payment_intent": intent["id"], "type": "payment_intent"},
             default=False)  # fmt: skip
    if intent["status"] == "succeeded":
        settle(account, intent)
    return account.need("invoice", item["id"])


def due_date(account: Account, days: int | None, date: int | None) -> int | None:
    return date if date is not None else None if days is None else account.now() + days * _DAY
