"""The catalogue: item families, items and item prices; in the older sites plans and addons.

https://apidocs.chargebee.com/docs/api/items
"""

from __future__ import annotations

from collections.abc import Callable

from .errors import blank, duplicate, invalid_request, wrong_state, wrong_value
from .routes import Action, Answered, Call, Route, post, take
from .shelf import Object
from .site import Site

_ITEM = (
    "name description external_name item_family_id is_giftable is_shippable enabled_in_portal "
    "redirect_url enabled_for_checkout item_applicability unit gift_claim_redirect_url "
    "included_in_mrr metered usage_calculation is_percentage_pricing metadata business_entity_id"
)
_PRICE = (
    "name description invoice_notes proration_type external_name price_variant_id is_taxable "
    "free_quantity free_quantity_in_decimal metadata show_description_in_invoices "
    "show_description_in_quotes usage_accumulation_reset_frequency pricing_model price "
    "price_in_decimal trial_period_unit trial_period shipping_period shipping_period_unit "
    "billing_cycles trial_end_action tax_detail accounting_detail"
)
_FIXED = ("currency_code", "period", "period_unit")
_PLAN = (
    "name invoice_name description trial_period trial_period_unit trial_end_action period "
    "period_unit setup_cost price price_in_decimal currency_code billing_cycles pricing_model "
    "charge_model free_quantity free_quantity_in_decimal addon_applicability redirect_url "
    "enabled_in_hosted_pages enabled_in_portal taxable tax_profile_id tax_code sku "
    "accounting_code accounting_category1 accounting_category2 accounting_category3 "
    "accounting_category4 is_shippable giftable claim_url invoice_notes meta_data "
    "show_description_in_invoices show_description_in_quotes"
)
_ADDON = _PLAN + " charge_type type unit included_in_mrr proration_type"


def _tell(site: Site, kind: str, what: str, item: Object) -> Answered:
    site.tell(f"{kind}_{what}", **{kind: item})
    return {kind: item}


def _fresh(site: Site, kind: str, item: Object) -> None:
    if site.shelf(kind).get(item["id"]) is not None:
        raise duplicate("id", item["id"])
    for row in site.shelf(kind).all() if kind == "item_family" else ():
        if row.fields.get("name") == item["name"] and row.fields.get("status") == "active":
            raise duplicate("name", item["name"])


def _create_family(call: Call) -> Answered:
    family: Object = {"id": call.params["id"], "status": "active"}
    take(family, call, "name description business_entity_id")
    _fresh(call.site, "item_family", family)
    return _tell(call.site, "item_family", "created", call.site.save("item_family", family))


def _create_item(call: Call) -> Answered:
    site = call.site
    site.need("item_family", call.params["item_family_id"], param="item_family_id")
    item: Object = {
        "id": call.params["id"],
        "status": "active",
        "type": call.params["type"],
        "is_shippable": False,
        "is_giftable": False,
        "enabled_for_checkout": True,
        "enabled_in_portal": True,
        "included_in_mrr": call.params["type"] != "charge",
        "item_applicability": "all",
        "metered": False,
        "channel": "web",
    }
    take(item, call, _ITEM)
    _applicable(call, item)
    _fresh(site, "item", item)
    return _tell(site, "item", "created", site.save("item", item))


def _applicable(call: Call, item: Object) -> None:
    if call.get("clear_applicable_items"):
        item["applicable_items"] = []
    if call.get("applicable_items"):
        ids = call.get("applicable_items")
        item["applicable_items"] = [{"id": one, "object": "applicable_item"} for one in ids]


def _create_price(call: Call) -> Answered:
    site = call.site
    item = site.need("item", call.params["item_id"], param="item_id")
    price: Object = {
        "id": call.params["id"],
        "status": "active",
        "pricing_model": "flat_fee",
        "free_quantity": 0,
        "created_at": site.now(),
        "is_taxable": True,
        "item_id": item["id"],
        "item_type": item["type"],
        "item_family_id": item.get("item_family_id"),
        "show_description_in_invoices": False,
        "show_description_in_quotes": False,
        "currency_code": site.settings.currency,
        "channel": "web",
    }
    take(price, call, f"{_PRICE} {' '.join(_FIXED)}")
    _check_price(price)
    _tiers(call, price)
    _fresh(site, "item_price", price)
    for row in site.shelf("item_price").find("item_id", item["id"]):
        _check_unlike(row.fields, price)
    return _tell(site, "item_price", "created", site.save("item_price", price))


def _check_unlike(have: Object, price: Object) -> None:
    """An item has one price for each currency and period."""
    same = all(have.get(name) == price.get(name) for name in (*_FIXED, "price_variant_id"))
    if same and have.get("status") == "active":
        raise duplicate("currency_code", str(price["currency_code"]))


def _check_price(price: Object) -> None:
    if price["item_type"] == "plan":
        for name in ("period", "period_unit"):
            if price.get(name) is None:
                raise blank(name)
    elif price["item_type"] == "charge" and price.get("period") is not None:
        raise invalid_request("A charge has no period.", param="period")
    tiered = price["pricing_model"] in ("tiered", "volume", "stairstep")
    if not tiered and price.get("price") is None and price.get("price_in_decimal") is None:
        raise blank("price")
    if price.get("price") is not None and price["price"] < 0:
        raise wrong_value("price", "must not be negative")
    if price["pricing_model"] == "flat_fee" and price.get("free_quantity"):
        raise invalid_request("A flat fee has no free quantity.", param="free_quantity")


def _tiers(call: Call, price: Object) -> None:
    sent = call.get("tiers")
    if sent is None:
        tiered = price.get("pricing_model") in ("tiered", "volume", "stairstep")
        if tiered and not price.get("tiers"):
            raise blank("tiers[starting_unit][0]")
        return
    tiers = [{k: v for k, v in one.items() if v is not None} for one in sent]
    expected = 1
    for at, tier in enumerate(tiers):
        if tier.get("starting_unit", expected) != expected:
            raise wrong_value(f"tiers[starting_unit][{at}]", f"must be {expected}")
        tier["starting_unit"] = expected
        last = tier.get("ending_unit")
        if last is None and at < len(tiers) - 1:
            raise blank(f"tiers[ending_unit][{at}]")
        expected = (last or expected) + 1
    price["tiers"] = tiers


def _update_price(call: Call) -> Answered:
    site = call.site
    price = site.need("item_price", call.id)
    for name in _FIXED:
        if name in call.params and call.get(name) != price.get(name):
            if next(site.shelf("subscription").find("item_price_id", call.id), None) is not None:
                raise wrong_state(f"Item price {call.id} is in use.", param=name)
            price[name] = call.get(name)
    take(price, call, f"{_PRICE} status")
    _check_price(price)
    _tiers(call, price)
    return _tell(site, "item_price", "updated", site.save("item_price", price))


def _update(kind: str, names: str) -> Action:
    def act(call: Call) -> Answered:
        item = call.site.need(kind, call.id)
        take(item, call, names)
        if kind == "item":
            if item.get("status") == "archived":
                item.setdefault("archived_at", call.site.now())
            _applicable(call, item)
        elif kind in ("plan", "addon"):
            _tiers(call, item)
        return _tell(call.site, kind, "updated", call.site.save(kind, item))

    return act


_PARENT = {"item_family": ("item", "item_family_id"), "item": ("item_price", "item_id")}


def _delete(kind: str) -> Action:
    """Deleted entries keep their place, with status `deleted`; those in use are archived."""

    def act(call: Call) -> Answered:
        site = call.site
        item = site.need(kind, call.id)
        if item.get("status") == "deleted":
            raise wrong_state(f"{call.id} is deleted already.")
        child, by = _PARENT.get(kind, ("", ""))
        if child and any(
            row.fields.get("status") == "active" for row in site.shelf(child).find(by, call.id)
        ):
            raise wrong_state(f"{call.id} is in use.")
        used = {"item_price": "item_price_id", "plan": "plan_id"}.get(kind)
        if used and next(site.shelf("subscription").find(used, call.id), None) is not None:
            item |= {"status": "archived", "archived_at": site.now()}
            return _tell(site, kind, "updated", site.save(kind, item))
        item["status"] = "deleted"
        if kind in ("plan", "addon"):
            # `include_deleted` brings them back into lists.
            item["deleted"] = True
        return _tell(site, kind, "deleted", site.save(kind, item))

    return act


# Plans, addons, coupons


def _create_plan(kind: str, names: str) -> Callable[[Call], Answered]:
    def act(call: Call) -> Answered:
        site = call.site
        item: Object = {
            "id": call.params["id"],
            "status": "active",
            "period": 1,
            "period_unit": "month",
            "pricing_model": "flat_fee",
            "currency_code": site.settings.currency,
            "enabled_in_portal": True,
            "is_shippable": False,
            "taxable": True,
            "show_description_in_invoices": False,
            "show_description_in_quotes": False,
            "channel": "web",
        }
        if kind == "plan":
            item |= {"free_quantity": 0, "addon_applicability": "all", "giftable": False}
            item |= {"enabled_in_hosted_pages": True}
        take(item, call, names)
        if kind == "plan":
            item["charge_model"] = call.get("charge_model") or item["pricing_model"]
            item["pricing_model"] = call.get("pricing_model") or item["charge_model"]
        elif item.get("charge_type") == "non_recurring":
            item |= {"period": None, "period_unit": "not_applicable"}
        _tiers(call, item)
        if not item.get("tiers") and item.get("price") is None:
            item["price"] = 0
        _fresh(site, kind, item)
        return _tell(site, kind, "created", site.save(kind, item))

    return act


_COUPON = (
    "name invoice_name discount_type discount_percentage discount_amount discount_quantity "
    "currency_code duration_type duration_month valid_till max_redemptions apply_on "
    "plan_constraint addon_constraint included_in_mrr period period_unit plan_ids addon_ids "
    "invoice_notes meta_data"
)


def _create_coupon(call: Call) -> Answered:
    site = call.site
    coupon: Object = {
        "id": call.params["id"],
        "status": "active",
        "duration_type": "forever",
        "apply_discount_on": "not_applicable",
        "created_at": site.now(),
        "redemptions": 0,
    }
    take(coupon, call, _COUPON)
    kind = coupon.get("discount_type") or "percentage"
    coupon["discount_type"] = kind
    needed = "discount_percentage" if kind == "percentage" else "discount_amount"
    if kind != "offer_quantity" and coupon.get(needed) is None:
        raise blank(needed)
    if kind == "fixed_amount":
        coupon.setdefault("currency_code", site.settings.currency)
    _fresh(site, "coupon", coupon)
    return _tell(site, "coupon", "created", site.save("coupon", coupon))


ROUTES: list[Route] = [
    post("item_families", _create_family, "item_family.create", 2),
    post("item_families/{}", _update("item_family", "name description"), "item_family.update", 2),
    post("item_families/{}/delete", _delete("item_family"), "", 2),
    post("items", _create_item, "item.create", 2),
    post("items/{}", _update("item", f"{_ITEM} status"), "item.update", 2),
    post("items/{}/delete", _delete("item"), "", 2),
    post("item_prices", _create_price, "item_price.create", 2),
    post("item_prices/{}", _update_price, "item_price.update", 2),
    post("item_prices/{}/delete", _delete("item_price"), "", 2),
    post("plans", _create_plan("plan", _PLAN), "plan.create", 1),
    post("plans/{}", _update("plan", _PLAN), "plan.update", 1),
    post("plans/{}/delete", _delete("plan"), "", 1),
    post("addons", _create_plan("addon", _ADDON), "addon.create", 1),
    post("addons/{}", _update("addon", _ADDON), "addon.update", 1),
    post("addons/{}/delete", _delete("addon"), "", 1),
    post("coupons", _create_coupon, "coupon.create", 1),
    post("coupons/create_for_items", _create_coupon, "coupon.create_for_items", 2),
    post("coupons/{}/delete", _delete("coupon")),
]
