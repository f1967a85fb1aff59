"""Products and prices (product rate plan charges)."""

from __future__ import annotations

from decimal import Decimal

from tieout.core.errors import InvalidRecord

from .forms import Context, prepares
from .zuora_shapes import (
    Raw,
    Shape,
    charge_model,
    charge_type,
    common,
    interval,
    is_over,
    letters,
    shape_of,
)

TIERED = (
    "tiered",
    "volume",
    "overage",
    "tieredwithoverage",
    "highwatermarkvolume",
    "highwatermarktiered",
)


@prepares("zuora.product")
def product(raw: Raw, context: Context) -> Raw:
    shape = shape_of(raw)
    return {
        **common(shape, context, "productnumber"),
        "number": shape.text("productnumber"),
        "name": shape.text("name"),
        "description": shape.text("description"),
        "sku": shape.text("sku"),
        "active": _active(shape, is_over(shape, shape.day("effectiveenddate"))),
        "category": shape.text("category"),
        "effective_start": shape.day("effectivestartdate"),
        "effective_end": shape.day("effectiveenddate"),
    }


def _active(shape: Shape, ended: bool | None) -> bool | None:
    """By its end when the record was read; else by a status, if there is one."""
    if ended is not None:
        return not ended
    told = letters(shape.text("status"))
    return {"active": True, "expired": False, "notstarted": False}.get(told or "")


@prepares("zuora.price")
def price(raw: Raw, context: Context) -> Raw:
    shape, plan = _charge_of(shape_of(raw))
    model, kind = charge_model(shape), charge_type(shape)
    rows, several = _in_one_currency(shape, context.currency)
    tiers, currency = _tiers(shape, rows)
    unit, count = interval(shape)
    alone = tiers[0] if len(tiers) == 1 and model not in TIERED else Shape({})
    found = common(shape, context, "productrateplanchargenumber")
    return {
        **found,
        "id": f"{found['id']}:{currency}" if several else found["id"],
        "number": shape.text("productrateplanchargenumber"),
        "product": plan.text("productid") or shape.text("planproductid", "productid"),
        "plan": shape.text("productrateplanid") or plan.text("id"),
        "plan_name": plan.text("name") or shape.text("planname"),
        "name": shape.text("name"),
        "currency": currency,
        "unit_amount": None if model in TIERED else alone.number("price"),
        "model": model,
        "type": kind,
        "tiers": [*_ladder(tiers, model)] if model in TIERED else None,
        "interval": unit,
        "interval_count": count,
        "active": _active(shape, _plan_over(shape, plan)),
        "billing_period": shape.text("billingperiod"),
        "discount_percent": alone.number("discountpercentage"),
        "discount_amount": alone.number("discountamount"),
    }


def _charge_of(shape: Shape) -> tuple[Shape, Shape]:
    """The charge and its plan; the catalogue has them inside a product, if only one."""
    plans = shape.rows("productrateplans")
    if plans is None:
        return shape, shape.inner("productrateplan")
    found = [(charge, plan) for plan in plans for charge in plan.each("productrateplancharges")]
    if len(found) != 1:
        raise InvalidRecord(
            f"is a product with {len(found)} charges", hint="a price is one of its charges"
        )
    charge, plan = found[0]
    plan.fields.setdefault("productid", shape.get("id"))
    charge.fields.setdefault("tieouttoday", shape.get("tieouttoday"))
    return charge, plan


def _plan_over(shape: Shape, plan: Shape) -> bool | None:
    """A charge has no end of its own: its plan's."""
    if not plan.fields and not shape.told("planeffectiveenddate"):
        return shape.flag("tieoutended")
    return is_over(shape, plan.day("effectiveenddate") or shape.day("planeffectiveenddate"))


def _in_one_currency(shape: Shape, wanted: str | None) -> tuple[list[Shape], bool]:
    """The rows of one currency, and whether there are others. v1 has them in `pricing`."""
    rows = shape.rows("productrateplanchargetiers", "productrateplanchargetierdata", "pricing")
    currencies = sorted({row.text("currency") or "" for row in rows or ()} - {""})
    if len(currencies) < 2:
        return rows or [], False
    if wanted not in currencies:
        raise InvalidRecord(
            "is sold in several currencies: " + ", ".join(currencies),
            where="currency",
            hint="each is a price of its own, with the id <charge id>:<currency>: "
            "give one of them (--currency)",
        )
    return [row for row in rows or () if row.text("currency") == wanted], True


def _tiers(shape: Shape, rows: list[Shape]) -> tuple[list[Shape], str | None]:
    """The tiers in their order, and their currency."""
    currency = next((told for row in rows if (told := row.text("currency"))), None)
    if shape.rows("pricing") is not None and len(rows) == 1 and rows[0].rows("tiers"):
        held = rows[0]
        rows = [_with(row, held) for row in held.each("tiers")]
    if len(rows) > 1:
        rows = sorted(rows, key=lambda row: row.number("tier", "startingunit") or Decimal(0))
    return rows, currency


def _with(tier: Shape, holder: Shape) -> Shape:
    """A tier with what v1 says once for all of them."""
    told = {name: holder.fields.get(name) for name in ("currency", "includedunits", "overageprice")}
    tier.fields = {**told, **{k: v for k, v in tier.fields.items() if v is not None}}
    return tier


def _ladder(tiers: list[Shape], model: str | None) -> list[Raw]:
    """Steps with inclusive ends. Included units cost nothing, what is beyond the overage price."""
    if model == "overage":
        first = tiers[0] if tiers else Shape({})
        included, over = first.number("includedunits"), first.number("overageprice", "price")
        free = [{"up_to": included, "unit": Decimal(0)}] if included else []
        return [*free, {"up_to": None, "unit": over}]
    steps = [_step(tier) for tier in tiers]
    over = next((p for tier in tiers if (p := tier.number("overageprice")) is not None), None)
    if model == "tieredwithoverage" and over is not None:
        if steps and steps[-1]["up_to"] is None:
            steps[-1]["unit"] = over
        else:
            steps.append({"up_to": None, "unit": over})
    return steps


def _step(tier: Shape) -> Raw:
    flat = (letters(tier.text("priceformat")) or "").startswith("flat")
    amount = tier.number("price")
    return {
        "up_to": tier.number("endingunit"),
        "flat" if flat else "unit": amount,
    }
