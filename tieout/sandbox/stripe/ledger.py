"""The account's balance: its transactions and the payouts that empty it.

https://docs.stripe.com/api/balance_transactions, https://docs.stripe.com/payouts/reconciliation
"""

from __future__ import annotations

from decimal import Decimal

from .account import Account, Object
from .errors import ApiError, bad_request, missing
from .kinds import KINDS
from .listing import list_spec, page
from .money import currency_of, rounded
from .routes import Call, Route, merge_metadata

_DAY = 86_400
_SETTLES_AFTER = 2 * _DAY
_ARRIVES_AFTER = _DAY
_FEE_PERCENT = Decimal("0.029")
_FEE_FIXED = 30
_CATEGORIES = {"payment": "charge", "payment_refund": "refund", "adjustment": "dispute"}


def card_fee(amount: int) -> int:
    """2.9 % and 30 minor units, the standard card price; https://stripe.com/pricing"""
    return rounded(amount * _FEE_PERCENT) + _FEE_FIXED


def record(
    account: Account,
    amount: int,
    currency: str,
    source: str,
    type: str,
    *,
    fee: int = 0,
    category: str | None = None,
    description: str | None = None,
    at_once: bool = False,
) -> Object:
    """Write a balance transaction. It becomes available two days later, or `at_once`."""
    now = account.now()
    available = now if at_once else now + _SETTLES_AFTER
    details = {"amount": fee, "application": None, "currency": currency,
               "description": "Stripe processing fees", "type": "stripe_fee"}  # fmt: skip
    item: Object = {
        "id": account.new_id("balance_transaction"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": available,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [details] if fee else [],
        "net": amount - fee,
        "reporting_category": category or _CATEGORIES.get(type, type),
        "source": source,
        "status": "available" if at_once else "pending",
        "type": type,
    }
    account.save("balance_transaction", item)
    if not at_once:
        account.later(available, lambda: _become_available(account, item["id"]))
    return item


def _become_available(account: Account, id: str) -> None:
    item = account.find("balance_transaction", id)
    if item is not None and item["status"] == "pending":
        item["status"] = "available"
        account.save("balance_transaction", item)


def balance(account: Account) -> Object:
    """What is available and pending, per currency, over all transactions."""
    held = account.find("balance", "balance")
    if held is not None:
        return held
    sums: dict[str, dict[str, int]] = {"available": {}, "pending": {}}
    for item in account.all("balance_transaction"):
        part = sums.get(str(item.get("status")))
        if part is not None:
            code = str(item["currency"])
            part[code] = part.get(code, 0) + int(item["net"])

    def listed(part: dict[str, int]) -> list[Object]:
        return [
            {"amount": part.get(code, 0), "currency": code,
             "source_types": {"card": part.get(code, 0)}}
            for code in sorted({account.currency, *part})
        ]  # fmt: skip

    return {
        "object": "balance",
        "available": listed(sums["available"]),
        "livemode": False,
        "pending": listed(sums["pending"]),
    }


# Payouts


def _payout(account: Account, amount: int, currency: str, *, automatic: bool) -> Object:
    return {
        "id": account.new_id("payout"),
        "object": "payout",
        "amount": amount,
        "application_fee": None,
        "application_fee_amount": None,
        "arrival_date": (account.now() // _DAY) * _DAY + _ARRIVES_AFTER,
        "automatic": automatic,
        "balance_transaction": None,
        "created": account.now(),
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": "ba_sandbox",
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "original_payout": None,
        "payout_method": None,
        "reconciliation_status": "in_progress" if automatic else "not_applicable",
        "reversed_by": None,
        "source_type": "card",
        "statement_descriptor": None,
        "status": "pending",
        "trace_id": {"status": "pending", "value": None},
        "type": "bank_account",
    }


def _send(account: Account, item: Object) -> Object:
    account.save("payout", item)
    entry = record(
        account, -item["amount"], item["currency"], item["id"], "payout", at_once=True,
        description="STRIPE PAYOUT",
    )  # fmt: skip
    item["balance_transaction"] = entry["id"]
    account.save("payout", item, None)
    account.emit_about("payout.created", item)
    account.later(item["arrival_date"], lambda: _arrive(account, item["id"]))
    if item["automatic"]:
        assign(account, item["id"], [entry["id"]])
    return item


def _arrive(account: Account, id: str) -> None:
    item = account.find("payout", id)
    if item is None or item["status"] not in ("pending", "in_transit"):
        return
    item["status"] = "paid"
    account.save("payout", item, "payout.updated")
    account.emit_about("payout.paid", item)
    if item["automatic"]:
        item["reconciliation_status"] = "completed"
        account.save("payout", item)
        account.emit_about("payout.reconciliation_completed", item)


def assign(account: Account, payout: str, transactions: list[str]) -> None:
    """Note which balance transactions an automatic payout pays out."""
    held = account.transactions_of.setdefault(payout, [])
    for id in transactions:
        if account.payout_of.setdefault(id, payout) == payout and id not in held:
            held.append(id)


def pay_out_daily(account: Account) -> None:
    """Automatic payouts: each day, all that is available and was not paid out yet."""
    ready: dict[str, list[Object]] = {}
    for item in account.all("balance_transaction"):
        if item.get("status") == "available" and item["id"] not in account.payout_of:
            ready.setdefault(str(item["currency"]), []).append(item)
    for currency, items in sorted(ready.items()):
        # A manual payout's own row is already out of the balance, and so lowers the sum.
        amount = sum(int(item["net"]) for item in items)
        if amount > 0:
            payout = _payout(account, amount, currency, automatic=True)
            assign(account, payout["id"], [item["id"] for item in items])
            _send(account, payout)
    tomorrow = (account.now() // _DAY + 1) * _DAY
    account.later(tomorrow, lambda: pay_out_daily(account))


def _create_payout(call: Call) -> Object:
    account, amount = call.account, call.params["amount"]
    currency = currency_of(call.params["currency"])
    if amount < 1:
        raise bad_request("Invalid positive integer", code="parameter_invalid_integer",
                          param="amount")  # fmt: skip
    have = sum(part["amount"] for part in balance(account)["available"]
               if part["currency"] == currency)  # fmt: skip
    if amount > have:
        raise ApiError(400, "You have insufficient funds in your Stripe account for this payout.",
                       code="balance_insufficient")  # fmt: skip
    item = _payout(account, amount, currency, automatic=False)
    item["method"] = call.get("method", "standard")
    item["statement_descriptor"] = call.get("statement_descriptor")
    item["description"] = call.get("description")
    merge_metadata(item, call)
    return _send(account, item)


def _update_payout(call: Call) -> Object:
    item = call.account.need("payout", call.id)
    merge_metadata(item, call)
    return call.account.save("payout", item, "payout.updated")


def _cancel_payout(call: Call) -> Object:
    account, item = call.account, call.account.need("payout", call.id)
    if item["status"] != "pending" or item["automatic"]:
        raise bad_request("Payouts can be canceled while they are pending and manual only.")
    item["status"] = "canceled"
    record(account, item["amount"], item["currency"], item["id"], "payout_cancel",
           category="payout_reversal", at_once=True)  # fmt: skip
    account.save("payout", item, "payout.updated")
    account.emit_about("payout.canceled", item)
    return item


def _list_transactions(call: Call) -> bytes:
    payout = call.get("payout")
    only = None
    if payout is not None:
        item = call.account.need("payout", payout, param="payout")
        if not item.get("automatic", True):
            raise bad_request(
                "Only automatic payouts know their balance transactions; this one is manual.",
                param="payout",
            )
        held = set(call.account.transactions_of.get(payout, ()))
        only = lambda row: row.id in held  # noqa: E731
    return page(call.account, "balance_transaction", call.params,
                url="/v1/balance_transactions", only=only)  # fmt: skip


def whoami(call: Call) -> Object:
    """The account itself, or 404 where the path names another."""
    account = call.account
    held = next(account.all("account"), None)
    if call.ids and call.id not in (account.id, (held or {}).get("id")):
        raise missing("account", call.id)
    return held or {
        "id": account.id,
        "object": "account",
        "business_profile": {"mcc": None, "name": account.name, "url": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": account.country,
        "created": account.opened,
        "default_currency": account.currency,
        "details_submitted": True,
        "email": "owner@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": account.name, "timezone": "Etc/UTC"}},
        "type": "standard",
    }


ROUTES = [
    Route("GET", "/v1/account", whoami, "expand:l"),
    Route("GET", "/v1/accounts/{}", whoami, "expand:l"),
    Route("GET", "/v1/balance", lambda call: balance(call.account), "expand:l"),
    Route("GET", "/v1/balance_transactions", _list_transactions,
          list_spec(KINDS["balance_transaction"]) + " payout"),
    Route("GET", "/v1/balance/history", _list_transactions,
          list_spec(KINDS["balance_transaction"]) + " payout"),
    Route("POST", "/v1/payouts", _create_payout, """amount!:i currency! description destination
          metadata:m method:instant/standard payout_method source_type:bank_account/card/fpx
          statement_descriptor expand:l"""),
    Route("POST", "/v1/payouts/{}", _update_payout, "metadata?:m expand:l"),
    Route("POST", "/v1/payouts/{}/cancel", _cancel_payout, "expand:l"),
]  # fmt: skip
