"""Draws the clients that Zuora bills, as Object Query rows, in the order in which things were made.

Invoice Settlement is on: payments and credit memos are applied to invoices by parts; what is paid
back goes through a credit memo. A voided invoice is one that was reversed by a credit memo.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from .billing import Ledger
from .catalog import Catalog
from .facts import Bill, Client, Price, Span, Subscription
from .ids import zuora_id
from .moments import add_months, on, stamp
from .zuora_money import (
    Numbers,
    charge_id,
    invoice_rows,
    made,
    memo_rows,
    payment_rows,
    plan_id,
    reversal_rows,
)

Object = dict[str, Any]
Typed = tuple[str, Object]
Dated = tuple[int, Typed]
_EVERY = {"month": "Month", "year": "Annual", None: None}
_COUNTRIES = {"US": "United States", "DE": "Germany", "FR": "France", "NL": "Netherlands",
              "ES": "Spain", "IT": "Italy", "IE": "Ireland", "GR": "Greece", "JP": "Japan",
              "BH": "Bahrain", "GB": "United Kingdom"}  # fmt: skip


def draw(seed: int, catalog: Catalog, ledgers: list[Ledger], span: Span) -> list[Typed]:
    """(object, Object Query row) pairs, oldest first."""
    found: list[Dated] = list(_catalogue(catalog, span))
    numbers = Numbers()
    for ledger in ledgers:
        found += _of_client(ledger, span.now, numbers)
    found.sort(key=lambda one: one[0])
    return [typed for _, typed in found]


def _catalogue(catalog: Catalog, span: Span) -> Iterator[Dated]:
    for product in catalog.products:
        own = zuora_id(product.id)
        yield product.created, ("Product", made(
            product.created, id=own, name=product.name, sKU=product.sku,
            description=product.description, category="Base Products",
            effectiveStartDate=on(product.created).isoformat(), effectiveEndDate="2099-12-31",
        ))  # fmt: skip
    for price in catalog.prices.values():
        if price.product is not catalog.launched:
            yield from ((price.product.created, one) for one in _price(price))


def _price(price: Price) -> Iterator[Typed]:
    at, product = price.product.created, price.product
    every = {"month": "Monthly", "year": "Yearly", None: "Once"}[price.interval]
    name = f"{product.name} {every} {price.currency.code}"
    yield "ProductRatePlan", made(
        at, id=plan_id(price), productId=zuora_id(product.id), name=name,
        productRatePlanNumber=f"PRP-{product.sku}-{price.currency.code}-{every}",
        effectiveStartDate=on(at).isoformat(), effectiveEndDate="2099-12-31",
    )  # fmt: skip
    yield "ProductRatePlanCharge", made(
        at, id=charge_id(price), productRatePlanId=plan_id(price), name=name,
        productRatePlanChargeNumber=f"PRPC-{product.sku}-{price.currency.code}-{every}",
        chargeType="Recurring" if price.interval else "OneTime", chargeModel=_model(price),
        billingPeriod=_EVERY[price.interval], billingTiming="In Advance", uOM=product.unit,
        triggerEvent="ContractEffective", defaultQuantity=1, taxable=True,
    )  # fmt: skip
    yield "ProductRatePlanChargeTier", made(
        at, id=zuora_id(f"{price.id}:tier"), productRatePlanChargeId=charge_id(price), tier=1,
        price=price.currency.decimal(price.unit), currency=price.currency.code, active=True,
        priceFormat="Per Unit" if product.per_seat else "Flat Fee", startingUnit=0,
    )  # fmt: skip


def _model(price: Price) -> str:
    return "Per Unit Pricing" if price.product.per_seat else "Flat Fee Pricing"


def _of_client(ledger: Ledger, now: int, numbers: Numbers) -> Iterator[Dated]:
    client = ledger.client
    bills = [bill for bill in ledger.bills if bill.created <= now]
    yield client.created, ("Account", _account(client, bills, now))
    yield client.created, ("Contact", _contact(client))
    for one in ledger.subscriptions:
        for typed in _subscription(one, now):
            yield one.started, typed
    for bill in bills:
        for typed in invoice_rows(bill, now):
            yield bill.created, typed
        for receipt in bill.receipts:
            for typed in payment_rows(receipt, now, numbers):
                yield receipt.created, typed
        for note in bill.credits:
            if note.created <= now:
                for typed in memo_rows(note, now, numbers):
                    yield note.created, typed
        if bill.voided is not None and bill.voided <= now:
            for typed in reversal_rows(bill, now, numbers):
                yield bill.voided, typed


def _account(client: Client, bills: list[Bill], now: int) -> Object:
    open_minor = sum(
        bill.remaining(now) for bill in bills if bill.status(now) in ("open", "uncollectible")
    )
    owed = client.currency.decimal(open_minor)
    return made(
        client.created, id=client.id, accountNumber=f"A{client.index:08d}", name=client.name,
        status="Active", currency=client.currency.code, batch="Batch1", billCycleDay=1,
        autoPay=not client.sends_invoices, crmId=client.account or None, balance=owed,
        totalInvoiceBalance=owed, creditBalance=0, unappliedBalance=0, totalDebitMemoBalance=0,
        unappliedCreditMemoAmount=0, billToId=zuora_id(f"{client.id}:contact"),
        soldToId=zuora_id(f"{client.id}:contact"),
        paymentTerm="Net 30" if client.sends_invoices else "Due Upon Receipt",
    )  # fmt: skip


def _contact(client: Client) -> Object:
    return made(
        client.created, id=zuora_id(f"{client.id}:contact"), accountId=client.id,
        firstName=client.first or client.name, lastName=client.last or "Accounts Payable",
        workEmail=client.email, workPhone=client.phone, address1=client.street, city=client.city,
        state=client.state, postalCode=client.postal_code,
        country=_COUNTRIES.get(client.country, client.country),
    )  # fmt: skip


def _subscription(one: Subscription, now: int) -> Iterator[Typed]:
    own, client = zuora_id(f"{one.id}:version"), one.client
    ended = one.ended is not None and one.ended <= now
    start = on(one.started).isoformat()
    end = on(one.ended).isoformat() if one.ended is not None and ended else None
    stop = end or (on(one.cancel_at).isoformat() if one.cancel_at else None)
    months = 12 if one.interval == "year" else 1
    yield "Subscription", made(
        one.started, id=own, name=one.id, accountId=client.id, invoiceOwnerId=client.id, version=1,
        originalId=own, isLatestVersion=True, status="Cancelled" if ended else "Active",
        termType="TERMED", initialTerm=months, initialTermPeriodType="Month",
        currentTerm=months, currentTermPeriodType="Month", renewalTerm=months,
        renewalTermPeriodType="Month", renewalSetting="RENEW_WITH_SPECIFIC_TERM",
        autoRenew=stop is None, termStartDate=start, contractEffectiveDate=start,
        subscriptionStartDate=start, subscriptionEndDate=stop, cancelledDate=end,
        termEndDate=stop or on(max(one.period[1], add_months(one.started, months))).isoformat(),
        originalCreatedDate=stamp(one.started), currency=client.currency.code,
        cMRR=Decimal(0) if ended else _monthly(one),
    )  # fmt: skip
    for item in one.items:
        price = item.price
        yield "RatePlan", made(
            item.created, id=zuora_id(f"{item.id}:plan"), subscriptionId=own,
            productRatePlanId=plan_id(price), productId=zuora_id(price.product.id),
            name=price.product.name,
        )  # fmt: skip
        yield "RatePlanCharge", made(
            item.created, id=item.id, ratePlanId=zuora_id(f"{item.id}:plan"), subscriptionId=own,
            productRatePlanChargeId=charge_id(price), chargeNumber=f"C-{item.id[-8:]}",
            originalId=item.id, name=price.product.name, chargeType="Recurring",
            chargeModel=_model(price), billingPeriod=_EVERY[price.interval], uOM=price.product.unit,
            quantity=item.quantity, segment=1, version=1, isLastSegment=True,
            effectiveStartDate=on(item.created).isoformat(), effectiveEndDate=stop,
            mRR=_mrr(price, item.quantity), price=price.currency.decimal(price.unit),
            currency=price.currency.code,
        )  # fmt: skip
        yield "RatePlanChargeTier", made(
            item.created, id=zuora_id(f"{item.id}:tier"), ratePlanChargeId=item.id, tier=1,
            price=price.currency.decimal(price.unit), currency=price.currency.code, startingUnit=0,
            priceFormat="Per Unit" if price.product.per_seat else "Flat Fee",
        )  # fmt: skip


def _monthly(one: Subscription) -> Decimal:
    return sum((_mrr(item.price, item.quantity) for item in one.items), Decimal(0))


def _mrr(price: Price, quantity: int) -> Decimal:
    months = 12 if price.interval == "year" else 1
    return round(price.currency.decimal(price.unit * quantity) / months, 9)
