"""Answers about what this account does not use, in the shape that whoever reads it all expects."""

from __future__ import annotations

from .account import Object
from .codec import encode
from .errors import missing
from .ledger import whoami
from .listing import limit_of, list_json
from .params import PAGING
from .routes import Action, Call, Route
from .unused import BELOW


def _below(parent: str) -> Action:
    """An empty list; 404 when there is no such parent."""

    def act(call: Call) -> bytes:
        if parent == "account":
            whoami(call)
        else:
            call.account.need(parent, call.id)
        return _nothing(call)

    return act


def _nothing(call: Call) -> bytes:
    """A list without elements, in which no cursor can stand."""
    limit_of(call.params)
    for cursor in ("starting_after", "ending_before"):
        if cursor in call.params:
            raise missing("object", call.params[cursor], param=cursor, status=400)
    return list_json([], False, call.path)


def _cash_balance(call: Call) -> Object:
    """https://docs.stripe.com/api/cash_balance"""
    call.account.need("customer", call.id)
    return {
        "object": "cash_balance",
        "available": None,
        "customer": call.id,
        "customer_account": None,
        "livemode": False,
        "settings": {"reconciliation_mode": "automatic", "using_merchant_default": True},
    }


def _credit_balance(call: Call) -> bytes:
    """https://docs.stripe.com/api/billing/credit-balance-summary"""
    if call.get("customer"):
        call.account.need("customer", call.params["customer"], param="customer")
    return encode(
        {
            "object": "billing.credit_balance_summary",
            "balances": [],
            "customer": call.get("customer"),
            "customer_account": call.get("customer_account"),
            "livemode": False,
        }
    )


def _tax_settings(call: Call) -> Object:
    """https://docs.stripe.com/api/tax/settings"""
    return {
        "object": "tax.settings",
        "defaults": {"provider": "stripe", "tax_behavior": None, "tax_code": None},
        "head_office": None,
        "livemode": False,
        "status": "pending",
        "status_details": {"pending": {"missing_fields": ["head_office"]}},
    }


ROUTES = [
    Route("GET", "/v1/accounts", _nothing, f"{PAGING} created:r"),
    Route("GET", "/v1/customers/{}/cash_balance", _cash_balance, "expand:l"),
    Route("GET", "/v1/billing/credit_balance_summary", _credit_balance,
          "customer customer_account filter!:x expand:l"),
    Route("GET", "/v1/tax/settings", _tax_settings, "expand:l"),
    *(
        Route("GET", path, _below(parent), f"{PAGING} {takes}")
        for path, (parent, takes) in BELOW.items()
       
    ),
]  # fmt: skip
