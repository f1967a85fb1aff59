"""Products, prices and the plans that show the same prices the old way.

https://docs.stripe.com/api/products, https://docs.stripe.com/api/prices
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .account import Account, Object
from .errors import ApiError, bad_request
from .listing import page
from .money import check_digits, currency_of, plain
from .params import PAGING
from .routes import Call, Route, merge_metadata, nested_parameters, take

_PRODUCT = """active:b description? images?:l marketing_features:[name!] metadata?:m
    package_dimensions?:x shippable:b statement_descriptor tax_code? tax_details:x unit_label?
    url? expand:l"""
_RECURRING = """recurring:{interval!:day/week/month/year interval_count:i
    usage_type:licensed/metered meter trial_period_days:i}"""
_TIER = "tiers:[up_to! unit_amount:i unit_amount_decimal:d flat_amount:i flat_amount_decimal:d]"
PRICE_DATA = f"""{{currency! product {_RECURRING} tax_behavior:exclusive/inclusive/unspecified
    unit_amount:i unit_amount_decimal:d}}"""
_PRICE = f"""active:b billing_scheme:per_unit/tiered currency! currency_options:x
    custom_unit_amount:x lookup_key metadata:m nickname product product_data:{{name! active:b id
    metadata:m statement_descriptor tax_code tax_details:x unit_label}} {_RECURRING}
    tax_behavior:exclusive/inclusive/unspecified {_TIER} tiers_mode:graduated/volume
    transfer_lookup_key:b transform_quantity:{{divide_by!:i round!:up/down}} unit_amount:i
    unit_amount_decimal:d expand:l"""


def exists_already(noun: str, id: str) -> ApiError:
    return bad_request(f"{noun} already exists: {id}", code="resource_already_exists", param="id")


# Products


def _new_product(account: Account, id: str | None, name: str) -> Object:
    if id is not None and account.find("product", id):
        raise exists_already("Product", id)
    now = account.now()
    return {
        "id": id or account.new_id("product"),
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": None,
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": {},
        "name": name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "tax_details": None,
        "type": "service",
        "unit_label": None,
        "updated": now,
        "url": None,
    }


def _fill_product(item: Object, call: Call) -> None:
    take(
        item,
        call,
        """active description marketing_features name shippable statement_descriptor
         tax_code unit_label url type""",
    )
    if "images" in call.params:
        item["images"] = call.params["images"] or []
    if "package_dimensions" in call.params:
        item["package_dimensions"] = nested_parameters(call.params["package_dimensions"])
    merge_metadata(item, call)


def _create_product(call: Call) -> Object:
    account = call.account
    item = _new_product(account, call.get("id"), call.params["name"])
    _fill_product(item, call)
    account.save("product", item, "product.created")
    sent = call.get("default_price_data")
    if sent is not None:
        price = new_price(account, {**sent, "product": item["id"]})
        item["default_price"] = price["id"]
        account.save("product", item)
    return item


def _update_product(call: Call) -> Object:
    item = call.account.need("product", call.id)
    _fill_product(item, call)
    if "default_price" in call.params:
        call.account.need("price", call.params["default_price"], param="default_price")
        item["default_price"] = call.params["default_price"]
    item["updated"] = call.account.now()
    return call.account.save("product", item, "product.updated")


def _delete_product(call: Call) -> Object:
    account = call.account
    item = account.need("product", call.id)
    if any(True for _ in account.all("price", product=call.id)):
        raise bad_request(
            "A product that has prices cannot be deleted; archive it with active=false."
        )
    account.emit_about("product.deleted", item)
    account.drop("product", call.id)
    return {"id": call.id, "object": "product", "deleted": True}


def _list_products(call: Call) -> bytes:
    ids = call.get("ids")
    wanted = set(ids) if ids else None
    return page(
        call.account,
        "product",
        call.params,
        url="/v1/products",
        only=None if wanted is None else lambda row: row.id in wanted,
    )


# Prices


def new_price(account: Account, sent: dict[str, Any]) -> Object:
    """A price from its parameters, saved. Raises ApiError (400) for what makes no price."""
    currency = currency_of(sent["currency"])
    product = _product_of(account, sent)
    amount, decimal = _amounts(sent, currency)
    recurring = sent.get("recurring")
    key = sent.get("lookup_key")
    if key is not None:
        _claim_lookup_key(account, key, bool(sent.get("transfer_lookup_key")))
    item: Object = {
        "id": account.new_id("price"),
        "object": "price",
        "active": sent.get("active", True),
        "billing_scheme": sent.get("billing_scheme", "per_unit"),
        "created": account.now(),
        "currency": currency,
        "custom_unit_amount": nested_parameters(sent.get("custom_unit_amount")),
        "livemode": False,
        "lookup_key": key,
        "metadata": sent.get("metadata") or {},
        "nickname": sent.get("nickname"),
        "product": product,
        "recurring": None if recurring is None else _recurring(recurring),
        "tax_behavior": sent.get("tax_behavior", "unspecified"),
        "tiers_mode": sent.get("tiers_mode"),
        "transform_quantity": sent.get("transform_quantity"),
        "type": "one_time" if recurring is None else "recurring",
        "unit_amount": amount,
        "unit_amount_decimal": decimal,
    }
    hidden: Object = {"tiers": _tiers(sent)} if item["billing_scheme"] == "tiered" else {}
    hidden["currency_options"] = {
        currency: {"custom_unit_amount": None, "tax_behavior": item["tax_behavior"],
                   "unit_amount": amount, "unit_amount_decimal": decimal}
    }  # fmt: skip
    account.save("price", item, "price.created", hidden=hidden)
    _show_as_plan(account, item, "plan.created")
    return item


def _product_of(account: Account, sent: dict[str, Any]) -> str:
    made = sent.get("product_data")
    if (sent.get("product") is None) is (made is None):
        raise bad_request(
            "Exactly one of product and product_data is needed.",
            code="parameter_missing",
            param="product",
        )
    if made is None:
        return str(account.need("product", sent["product"], param="product")["id"])
    item = _new_product(account, made.get("id"), made["name"])
    for name in ("active", "metadata", "statement_descriptor", "tax_code", "unit_label"):
        if name in made:
            item[name] = made[name]
    return str(account.save("product", item, "product.created")["id"])


def _amounts(sent: dict[str, Any], currency: str) -> tuple[int | None, str | None]:
    amount, decimal = sent.get("unit_amount"), sent.get("unit_amount_decimal")
    if sent.get("billing_scheme") == "tiered":
        if not sent.get("tiers") or not sent.get("tiers_mode"):
            raise bad_request("Tiered prices need tiers and tiers_mode.", param="tiers")
        return None, None
    if amount is not None and decimal is not None:
        raise bad_request("Pass only one of unit_amount and unit_amount_decimal.",
                          param="unit_amount_decimal")  # fmt: skip
    if amount is None and decimal is None:
        if "custom_unit_amount" in sent:
            return None, None
        raise bad_request("Prices need unit_amount, unit_amount_decimal or custom_unit_amount.",
                          code="parameter_missing", param="unit_amount")  # fmt: skip
    exact = Decimal(amount or 0) if decimal is None else decimal
    if exact < 0:
        raise bad_request("Invalid non-negative integer", param="unit_amount")
    if exact == exact.to_integral_value():
        check_digits(int(exact), currency, "unit_amount")
        return int(exact), plain(exact)
    return None, plain(exact)


def _recurring(sent: dict[str, Any]) -> Object:
    return {
        "interval": sent["interval"],
        "interval_count": sent.get("interval_count", 1),
        "meter": sent.get("meter"),
        "trial_period_days": sent.get("trial_period_days"),
        "usage_type": sent.get("usage_type", "licensed"),
    }


def _tiers(sent: dict[str, Any]) -> list[Object]:
    tiers: list[Object] = []
    for tier in sent["tiers"]:
        made: Object = {}
        for name in ("flat_amount", "unit_amount"):
            whole, exact = tier.get(name), tier.get(name + "_decimal")
            if exact is None and whole is not None:
                exact = Decimal(whole)
            made[name] = None if exact is None or exact % 1 else int(exact)
            made[name + "_decimal"] = None if exact is None else plain(exact)
        made["up_to"] = None if tier["up_to"] == "inf" else int(tier["up_to"])
        tiers.append(made)
    return tiers


def _claim_lookup_key(account: Account, key: str, transfer: bool) -> None:
    for other in list(account.all("price", lookup_key=key)):
        if not transfer:
            raise bad_request(
                f"A price ({other['id']}) already uses the lookup key {key}.", param="lookup_key"
            )
        other["lookup_key"] = None
        account.save("price", other, "price.updated")


def _show_as_plan(account: Account, price: Object, event: str | None = None) -> None:
    recurring = price.get("recurring")
    if isinstance(recurring, dict):
        account.save("plan", as_plan(price), event)


def as_plan(price: Object) -> Object:
    """The old view of a recurring price."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": recurring.get("meter"),
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": price["tiers_mode"],
        "transform_usage": price["transform_quantity"],
        "trial_period_days": recurring.get("trial_period_days"),
        "usage_type": recurring["usage_type"],
    }


def _create_price(call: Call) -> Object:
    return new_price(call.account, call.params)


def _update_price(call: Call) -> Object:
    item = call.account.need("price", call.id)
    key = call.get("lookup_key")
    if key is not None and key != item.get("lookup_key"):
        _claim_lookup_key(call.account, key, bool(call.get("transfer_lookup_key")))
    behavior = call.get("tax_behavior")
    if behavior and item.get("tax_behavior") not in (behavior, "unspecified"):
        raise bad_request("The tax behavior of a price cannot be changed.", param="tax_behavior")
    take(item, call, "active nickname lookup_key tax_behavior")
    merge_metadata(item, call)
    call.account.save("price", item, "price.updated")
    _show_as_plan(call.account, item, "plan.updated")
    return item


def _list_prices(call: Call) -> bytes:
    keys = call.get("lookup_keys")
    if keys is not None and len(keys) > 10:
        raise bad_request("At most 10 lookup keys.", param="lookup_keys")
    wanted = set(keys) if keys else None
    return page(
        call.account,
        "price",
        call.params,
        url="/v1/prices",
        only=None if wanted is None else lambda row: row.fields.get("lookup_key") in wanted,
    )


ROUTES = [
    Route("GET", "/v1/products", _list_products,
          PAGING + " active:b created:r ids:l shippable:b type:good/service url"),
    Route("POST", "/v1/products", _create_product, _PRODUCT + " id name! type:good/service "
          "default_price_data:{currency! unit_amount:i unit_amount_decimal:d metadata:m "
          f"currency_options:x custom_unit_amount:x {_RECURRING} tax_behavior}}"),
    Route("POST", "/v1/products/{}", _update_product, _PRODUCT + " name default_price"),
    Route("DELETE", "/v1/products/{}", _delete_product, ""),
    Route("GET", "/v1/prices", _list_prices, PAGING + """ active:b created:r currency lookup_keys:l
          product recurring:{interval meter usage_type} type:one_time/recurring"""),
    Route("POST", "/v1/prices", _create_price, _PRICE),
    Route("POST", "/v1/prices/{}", _update_price, """active:b currency_options?:x lookup_key
          metadata?:m nickname? tax_behavior:exclusive/inclusive/unspecified transfer_lookup_key:b
          expand:l"""),
]  # fmt: skip
