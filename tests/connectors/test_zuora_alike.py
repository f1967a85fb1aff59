"""However a record was read, in pages, in bulk or by itself, it maps to the same one."""

from __future__ import annotations

from typing import Any

import pytest
from zuora_fake import FakeZuora, refused

from tieout.connectors.zuora import Zuora, ZuoraConfig
from tieout.mappings import load_mapping

MAPPER = load_mapping("zuora").compile(system="billing")
ENTITIES = (
    "customer", "contact", "product", "price", "subscription", "contract", "invoice", "payment",
    "credit_note", "refund", "usage",
)  # fmt: skip


def connector(fake: FakeZuora, **more: Any) -> Zuora:
    settings = {"client_id": "c1", "client_secret": "s+/=x", "base_url": "https://rest.zuora.com"}
    return Zuora(ZuoraConfig.model_validate({**settings, **more}), fake.ports, where="billing")


def small_company() -> FakeZuora:
    """One of everything, with what hangs on it."""
    fake = FakeZuora()
    bill_to = fake.put("contacts", workEmail="a@b.c", address1="1 St", country="Germany")
    account = fake.put(
        "accounts", accountNumber="A1", name="Ada", currency="EUR", status="Active",
        billToId=bill_to["id"], soldToId=bill_to["id"], balance=12.5, creditBalance=1.5,
        paymentTerm="Net 30", Region__c="EU",
    )  # fmt: skip
    bill_to["accountId"] = account["id"]
    a = account["id"]
    product = fake.put("products", name="P", sKU="S", effectiveEndDate="2030-01-01")
    plan = fake.put("product-rate-plans", productId=product["id"], name="Plan")
    sold = fake.put(
        "product-rate-plan-charges", productRatePlanId=plan["id"], name="Seat",
        chargeModel="Per Unit Pricing", chargeType="Recurring", billingPeriod="Month",
    )  # fmt: skip
    for currency, price in (("EUR", 9.5), ("JPY", 1000)):
        fake.put("product-rate-plan-charge-tiers", productRatePlanChargeId=sold["id"],
                 currency=currency, price=price)  # fmt: skip
    subscription = fake.put(
        "subscriptions", name="S-1", accountId=a, status="Active", isLatestVersion=True, version=2,
        termType="TERMED", autoRenew=True, currentTerm=12, currentTermPeriodType="Month",
        subscriptionStartDate="2026-01-01",
    )  # fmt: skip
    rate_plan = fake.put("rate-plans", subscriptionId=subscription["id"], productId=product["id"])
    charge = fake.put(
        "rate-plan-charges", ratePlanId=rate_plan["id"], chargeNumber="C-1", quantity=3,
        productRatePlanChargeId=sold["id"], chargeModel="Per Unit Pricing", name="Seat",
        chargeType="Recurring", billingPeriod="Month",
    )  # fmt: skip
    fake.put("rate-plan-charge-tiers", ratePlanChargeId=charge["id"], price=9.5, currency="EUR")
    order = fake.put("orders", orderNumber="O-1", accountId=a, status="Completed",
                     orderDate="2026-01-01")  # fmt: skip
    fake.put("order-actions", orderId=order["id"], contractEffectiveDate="2026-01-01",
             type="CreateSubscription", subscriptionNumber="S-1")  # fmt: skip
    invoice = fake.put(
        "invoices", invoiceNumber="INV1", accountId=a, currency="EUR", status="Posted",
        invoiceDate="2026-01-05", amount=119.0, amountWithoutTax=100.0, taxAmount=19.0,
        balance=69.0, paymentAmount=50.0, creditMemoAmount=0.0,
    )  # fmt: skip
    fake.put(
        "invoice-items", invoiceId=invoice["id"], subscriptionId=subscription["id"],
        subscriptionNumber="S-1", chargeAmount=100.0, taxAmount=19.0, chargeName="Seat",
        processingType="Charge", serviceStartDate="2026-01-01", serviceEndDate="2026-01-31",
    )  # fmt: skip
    memo = fake.put("debit-memos", memoNumber="DM1", accountId=a, status="Posted",
                    totalAmount=5.0, balance=5.0, memoDate="2026-01-06")  # fmt: skip
    fake.put("debit-memo-items", debitMemoId=memo["id"], amount=5.0)
    method = fake.put("payment-methods", type="CreditCard")
    payment = fake.put(
        "payments", paymentNumber="P-1", accountId=a, amount=50.0, appliedAmount=50.0,
        currency="EUR", status="Processed", effectiveDate="2026-01-07",
        paymentMethodId=method["id"], referenceId="ch_1",
    )  # fmt: skip
    fake.put("payment-parts", paymentId=payment["id"], invoiceId=invoice["id"], amount=50.0)
    credit = fake.put(
        "credit-memos", memoNumber="CM1", accountId=a, currency="EUR", status="Posted",
        totalAmount=10.0, taxAmount=0.0, appliedAmount=4.0, refundAmount=0.0, balance=6.0,
    )  # fmt: skip
    fake.put("credit-memo-items", creditMemoId=credit["id"], amount=10.0)
    fake.put("credit-memo-parts", creditMemoId=credit["id"], invoiceId=invoice["id"], amount=4.0)
    refund = fake.put("refunds", accountId=a, amount=3.0, status="Processed",
                      refundDate="2026-01-08")  # fmt: skip
    fake.put("refund-applications", refundId=refund["id"], paymentId=payment["id"])
    fake.put("usages", accountId=a, subscriptionId=subscription["id"], uOM="GB", quantity=1.5,
             ratePlanChargeId=charge["id"], startDateTime="2026-01-09T00:00:00Z")  # fmt: skip
    return fake


def mapped(entity: str, zuora: Zuora) -> dict[str, Any]:
    pages = zuora.pull(entity)
    found = [MAPPER.parse_bytes(entity, record) for page in pages for record in page.records]
    assert len({record.id for record in found}) == len(found)
    return {record.id: record for record in found}


@pytest.mark.parametrize("entity", ENTITIES)
def test_pages_bulk_and_single_reads_agree(entity: str) -> None:
    fake = small_company()
    by_page = mapped(entity, connector(fake))
    by_bulk = mapped(entity, connector(fake, data_query="yes"))
    assert by_page and by_page == by_bulk
    zuora = connector(fake)
    for id, record in by_page.items():
        alone = zuora.get(entity, id)
        assert alone is not None and MAPPER.parse_bytes(entity, alone) == record


def test_contacts_are_read_where_they_are_not_expanded() -> None:
    fake = small_company()
    whole = mapped("customer", connector(fake))
    fake.rules.append(
        lambda r: (
            refused(50000020, "no such expand", 400)
            if "/object-query/accounts" in r.url and "expand" in r.url
            else None
        )
    )
    assert mapped("customer", connector(fake)) == whole


def test_what_has_no_currency_has_its_account_s() -> None:
    zuora = connector(small_company())
    for entity in ("refund", "subscription", "contract"):
        (record,) = mapped(entity, zuora).values()
        assert record.currency == "EUR" and record.custom["currency_from"] == "account"


def test_a_line_names_the_price_in_its_currency() -> None:
    zuora = connector(small_company())
    (subscription,) = mapped("subscription", zuora).values()
    prices = mapped("price", zuora)
    assert subscription.items[0].price_id in prices
    assert prices[subscription.items[0].price_id].currency == "EUR"


def test_a_write_off_is_told_by_the_memo_s_reason() -> None:
    fake = small_company()
    bill = fake.put(
        "invoices", invoiceNumber="INV2", accountId="a", currency="EUR", status="Posted",
        amount=100.0, amountWithoutTax=100.0, balance=0.0, paymentAmount=60.0,
        creditMemoAmount=40.0,
    )  # fmt: skip
    for reason, amount in (("Write-off", 30.0), ("Goodwill", 10.0)):
        memo = fake.put("credit-memos", reasonCode=reason, currency="EUR", status="Posted")
        fake.put("credit-memo-applications", creditMemoId=memo["id"], invoiceId=bill["id"],
                 amount=amount)  # fmt: skip
    for more in ({}, {"data_query": "yes"}):
        found = mapped("invoice", connector(fake, **more))[bill["id"]]
        assert (found.paid_minor, found.credited_minor, found.written_off_minor) == (
            6000, 1000, 3000,
        )  # fmt: skip


def test_cancelled_for_a_day_to_come_goes_on() -> None:
    """On 2026-01-31, which the stand-in has."""
    fake = small_company()
    for name, day in (("S-past", "2026-01-31"), ("S-coming", "2026-02-01")):
        fake.put("subscriptions", name=name, status="Cancelled", isLatestVersion=True,
                 termType="TERMED", cancelledDate=day)  # fmt: skip
    for more in ({}, {"data_query": "yes"}):
        found = mapped("subscription", connector(fake, **more))
        past, coming = found["S-past"], found["S-coming"]
        assert (past.status, past.cancel_at) == ("canceled", None)
        assert (coming.status, coming.ended_at) == ("non_renewing", None)


def test_references_point_at_ids_of_records() -> None:
    zuora = connector(small_company())
    (usage,) = mapped("usage", zuora).values()
    (subscription,) = mapped("subscription", zuora).values()
    assert usage.subscription_id == subscription.id == "S-1"
    assert usage.item_id == subscription.items[0].id == "C-1"
    (refund,) = mapped("refund", zuora).values()
    assert refund.payment_id in mapped("payment", zuora)
