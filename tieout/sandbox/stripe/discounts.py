"""Coupons, promotion codes and tax rates. https://docs.stripe.com/api/coupons"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .account import Account, Object
from .catalog import exists_already
from .errors import bad_request
from .money import currency_of
from .routes import Call, Route, merge_metadata, nested_parameters, take


def _create_coupon(call: Call) -> Object:
    account, id = call.account, call.get("id")
    if id is not None and account.find("coupon", id):
        raise exists_already("Coupon", id)
    percent, amount = call.get("percent_off"), call.get("amount_off")
    if (percent is None) is (amount is None):
        raise bad_request("Pass exactly one of percent_off and amount_off.", param="percent_off")
    if percent is not None and not 0 < percent <= 100:
        raise bad_request("percent_off must be above 0 and at most 100.", param="percent_off")
    if amount is not None and "currency" not in call.params:
        raise bad_request("amount_off needs currency.", code="parameter_missing", param="currency")
    duration = call.get("duration", "once")
    if (duration == "repeating") is not ("duration_in_months" in call.params):
        raise bad_request("duration_in_months goes with duration=repeating, and only with it.",
                          param="duration_in_months")  # fmt: skip
    item: Object = {
        "id": id or account.new_id("coupon"),
        "object": "coupon",
        "amount_off": amount,
        "created": account.now(),
        "currency": currency_of(call.params["currency"]) if amount is not None else None,
        "duration": duration,
        "duration_in_months": call.get("duration_in_months"),
        "livemode": False,
        "max_redemptions": call.get("max_redemptions"),
        "metadata": {},
        "name": call.get("name"),
        "percent_off": _number(percent),
        "redeem_by": call.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    merge_metadata(item, call)
    hidden = {"applies_to": call.get("applies_to")}
    return account.save("coupon", item, "coupon.created", hidden=hidden)


def _number(value: Decimal | None) -> Any:
    """A JSON number: whole ones without a fraction."""
    return int(value) if value is not None and value == value.to_integral_value() else value


def _update_coupon(call: Call) -> Object:
    item = call.account.need("coupon", call.id)
    take(item, call, "name")
    merge_metadata(item, call)
    return call.account.save("coupon", item, "coupon.updated")


def _delete_coupon(call: Call) -> Object:
    item = call.account.need("coupon", call.id)
    call.account.emit_about("coupon.deleted", item)
    call.account.drop("coupon", call.id)
    return {"id": call.id, "object": "coupon", "deleted": True}


def redeem(account: Account, sent: list[dict[str, Any]] | None, **owner: str | None) -> list[str]:
    """Make a discount for each `{coupon | promotion_code | discount}`; their ids."""
    made: list[str] = []
    for at, one in enumerate(sent or []):
        if one.get("discount"):
            made.append(one["discount"])
            continue
        code = one.get("promotion_code")
        if code:
            promotion = account.need("promotion_code", code, param=f"discounts[{at}]")["promotion"]
            coupon = account.need("coupon", promotion["coupon"], param=f"discounts[{at}]")
        else:
            coupon = account.need("coupon", one["coupon"], param=f"discounts[{at}][coupon]")
        made.append(_discount(account, coupon, code, owner))
    return made


def _discount(
    account: Account, coupon: Object, code: str | None, owner: dict[str, str | None]
) -> str:
    now, most = account.now(), coupon["max_redemptions"]
    expired = coupon["redeem_by"] is not None and now > coupon["redeem_by"]
    if not coupon["valid"] or expired or (most is not None and coupon["times_redeemed"] >= most):
        raise bad_request(f"Coupon {coupon['id']} can no longer be redeemed.",
                          code="coupon_expired", param="coupon")  # fmt: skip
    months = coupon["duration_in_months"]
    item: Object = {
        "id": "di_" + account.random_text(24),
        "object": "discount",
        "checkout_session": None,
        "customer": owner.get("customer"),
        "customer_account": None,
        "end": None if months is None else now + months * 2_629_746,
        "invoice": owner.get("invoice"),
        "invoice_item": None,
        "promotion_code": code,
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": now,
        "subscription": owner.get("subscription"),
        "subscription_item": None,
    }
    coupon["times_redeemed"] += 1
    coupon["valid"] = most is None or coupon["times_redeemed"] < most
    account.save("coupon", coupon, "coupon.updated")
    return str(account.save("discount", item)["id"])


def coupon_of(account: Account, discount_id: str) -> Object | None:
    """The coupon behind a discount; None when either is gone."""
    discount = account.find("discount", discount_id) or {}
    source = discount.get("source") or {}
    coupon = source.get("coupon", discount.get("coupon"))
    return coupon if isinstance(coupon, dict) else account.find("coupon", str(coupon))


def _create_promotion_code(call: Call) -> Object:
    account, promotion = call.account, call.params["promotion"]
    coupon = account.need("coupon", promotion["coupon"], param="promotion[coupon]")
    code = call.get("code") or account.random_text(8).upper()
    if any(other["active"] for other in account.all("promotion_code", code=code)):
        raise bad_request(f"An active promotion code with code {code} already exists.",
                          param="code")  # fmt: skip
    restrictions = nested_parameters(call.get("restrictions") or {})
    item: Object = {
        "id": account.new_id("promotion_code"),
        "object": "promotion_code",
        "active": call.get("active", True),
        "code": code,
        "created": account.now(),
        "customer": call.get("customer"),
        "customer_account": None,
        "expires_at": call.get("expires_at"),
        "livemode": False,
        "max_redemptions": call.get("max_redemptions"),
        "metadata": {},
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": {"first_time_transaction": False, "minimum_amount": None,
                         "minimum_amount_currency": None, **restrictions},
        "times_redeemed": 0,
    }  # fmt: skip
    merge_metadata(item, call)
    return account.save("promotion_code", item, "promotion_code.created")


def _update_promotion_code(call: Call) -> Object:
    item = call.account.need("promotion_code", call.id)
    take(item, call, "active")
    merge_metadata(item, call)
    return call.account.save("promotion_code", item, "promotion_code.updated")


def _create_tax_rate(call: Call) -> Object:
    percentage = call.params["percentage"]
    if not 0 <= percentage <= 100:
        raise bad_request("percentage must lie between 0 and 100.", param="percentage")
    item: Object = {
        "id": call.account.new_id("tax_rate"),
        "object": "tax_rate",
        "active": call.get("active", True),
        "country": call.get("country"),
        "created": call.account.now(),
        "description": call.get("description"),
        "display_name": call.params["display_name"],
        "effective_percentage": None,
        "flat_amount": None,
        "inclusive": call.params["inclusive"],
        "jurisdiction": call.get("jurisdiction"),
        "jurisdiction_level": None,
        "livemode": False,
        "metadata": {},
        "percentage": _number(percentage),
        "rate_type": "percentage",
        "state": call.get("state"),
        "tax_type": call.get("tax_type"),
    }
    merge_metadata(item, call)
    return call.account.save("tax_rate", item, "tax_rate.created")


def _update_tax_rate(call: Call) -> Object:
    item = call.account.need("tax_rate", call.id)
    take(item, call, "active country description display_name jurisdiction state tax_type")
    merge_metadata(item, call)
    return call.account.save("tax_rate", item, "tax_rate.updated")


_TAX_RATE = "active:b country description jurisdiction metadata?:m state tax_type expand:l"
ROUTES = [
    Route("POST", "/v1/coupons", _create_coupon, """amount_off:i applies_to:{products:l} currency
          currency_options:x duration:forever/once/repeating duration_in_months:i id
          max_redemptions:i metadata?:m name percent_off:d redeem_by:i expand:l"""),
    Route("POST", "/v1/coupons/{}", _update_coupon, "currency_options:x metadata?:m name expand:l"),
    Route("DELETE", "/v1/coupons/{}", _delete_coupon, ""),
    Route("POST", "/v1/promotion_codes", _create_promotion_code, """active:b code customer
          customer_account expires_at:i max_redemptions:i metadata:m promotion!:{type! coupon!}
          restrictions:x expand:l"""),
    Route("POST", "/v1/promotion_codes/{}", _update_promotion_code,
          "active:b metadata?:m restrictions:x expand:l"),
    Route("POST", "/v1/tax_rates", _create_tax_rate,
          _TAX_RATE + " display_name! inclusive!:b percentage!:d"),
    Route("POST", "/v1/tax_rates/{}", _update_tax_rate, _TAX_RATE + " display_name"),
]  # fmt: skip
