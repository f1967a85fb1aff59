"""What tieout reads in Zuora, entity by entity: resources, tables, and what belongs to a record.

Every source has an Object Query resource and a Data Query table of the same thing. What hangs on
a record (lines, applications, tiers) is read by the record's id, never expanded.
https://developer.zuora.com/v1-api-reference/api/object-queries/ , https://docs.zuora.com (Data
Query data sources)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..base import Can


@dataclass(frozen=True)
class Child:
    """Rows that belong to a record, put into it as the list `name`.

    resource  in Object Query, asked for by its field `by`, which holds the parent's `of`.
    under     the child whose ids `by` holds instead of the record's own.
    table     in Data Query, with the joins that lead from it (c) to the record (p).
    columns   what is selected beside c.*.
    legacy    exists only where Invoice Settlement is off.
    instead   not needed where a row has this related object expanded.
    """

    name: str
    resource: str
    by: str
    table: str
    join: str
    under: str = ""
    columns: str = ""
    legacy: bool = False
    instead: str = ""


@dataclass(frozen=True)
class Source:
    """Where records of an entity come from.

    resource    of Object Query; "" where only Data Query knows it.
    id          the field that holds the canonical id.
    expands     single related objects that come along; `join` and `columns` are the same in SQL.
    touched_by  (resource, field): rows whose change shows on the record that the field names.
    settlement  True: exists only with Invoice Settlement; False: only without it.
    where       a condition in SQL that always holds.
    numbered    the field by which a person names a record.
    """

    resource: str
    table: str
    id: str = "id"
    children: tuple[Child, ...] = ()
    expands: tuple[str, ...] = ()
    join: str = ""
    columns: str = ""
    touched_by: tuple[tuple[str, str], ...] = ()
    settlement: bool | None = None
    where: str = ""
    numbered: str = ""


@dataclass(frozen=True)
class Kind:
    """One entity: its sources, and how our key is kept in what we make.

    key_in   the field (as Object Query spells it) that holds our number, or our mark.
    marked   the key stands as a mark within a text, not as the whole number.
    or_marked_in  the text that holds our mark where a record came with a number of its own.
    """

    entity: str
    can: Can
    sources: tuple[Source, ...]
    key_in: str = ""
    marked: bool = False
    or_marked_in: str = ""


_READ = Can.LIST | Can.CHANGES | Can.GET | Can.DELETIONS | Can.BULK | Can.PROVE
_MADE = _READ | Can.FIND | Can.CREATE | Can.UPDATE
_ALL = _MADE | Can.ARCHIVE | Can.EVENTS

_TO_ACCOUNT = "left join account a on a.id = p.accountid"
_CURRENCY = "a.currency as account_currency"


def _owned(name: str, resource: str, table: str, by: str) -> Child:
    return Child(name, resource, by, table, f"join {{parent}} p on p.id = c.{by}")


_NAMED_LINE = "left join subscription s on s.id = c.subscriptionid"
INVOICE_ITEMS = Child(
    "invoiceItems",
    "invoice-items",
    "invoiceid",
    "invoiceitem",
    f"join invoice p on p.id = c.invoiceid {_NAMED_LINE}",
    columns="s.name as subscription_name",
)
PAYMENT_PARTS = _owned("paymentParts", "payment-parts", "paymentpart", "paymentid")
CREDIT_PARTS = _owned("creditMemoParts", "credit-memo-parts", "creditmemopart", "creditmemoid")
# How much of a document its parts must add up to; else its applications are read.
APPLICATIONS = {
    "payment": _owned(
        "paymentApplications", "payment-applications", "paymentapplication", "paymentid"
    ),
    "credit_note": _owned(
        "creditMemoApplications",
        "credit-memo-applications",
        "creditmemoapplication",
        "creditmemoid",
    ),
}

CREDITED = _owned(
    "creditMemoApplications", "credit-memo-applications", "creditmemoapplication", "invoiceid"
)

_KINDS = (
    Kind(
        "customer",
        _ALL,
        (
            Source(
                "accounts",
                "account",
                children=(
                    Child(
                        "contacts",
                        "contacts",
                        "accountid",
                        "contact",
                        "join account p on p.id = c.accountid",
                        instead="billto",
                    ),
                ),
                expands=("billto", "soldto"),
                touched_by=(("contacts", "accountid"),),
                numbered="accountnumber",
            ),
        ),
        key_in="accountnumber",
    ),
    Kind("contact", _MADE, (Source("contacts", "contact"),), key_in="description", marked=True),
    Kind(
        "product",
        _MADE | Can.ARCHIVE,
        (Source("products", "product", numbered="productnumber"),),
        key_in="productnumber",
    ),
    Kind(
        "price",
        _MADE,
        (
            Source(
                "product-rate-plan-charges",
                "productrateplancharge",
                children=(
                    _owned(
                        "productRatePlanChargeTiers",
                        "product-rate-plan-charge-tiers",
                        "productrateplanchargetier",
                        "productrateplanchargeid",
                    ),
                ),
                expands=("productrateplan",),
                join="left join productrateplan r on r.id = p.productrateplanid",
                columns="r.productid as plan_productid, r.name as plan_name, "
                "r.effectiveenddate as plan_effectiveenddate",
                touched_by=(("product-rate-plan-charge-tiers", "productrateplanchargeid"),),
                numbered="productrateplanchargenumber",
            ),
        ),
        key_in="productrateplanchargenumber",
    ),
    Kind(
        "subscription",
        _ALL,
        (
            Source(
                "subscriptions",
                "subscription",
                id="name",
                children=(
                    _owned("ratePlans", "rate-plans", "rateplan", "subscriptionid"),
                    Child(
                        "ratePlanCharges",
                        "rate-plan-charges",
                        "rateplanid",
                        "rateplancharge",
                        "join rateplan r on r.id = c.rateplanid "
                        "join subscription p on p.id = r.subscriptionid",
                        under="ratePlans",
                    ),
                    Child(
                        "ratePlanChargeTiers",
                        "rate-plan-charge-tiers",
                        "rateplanchargeid",
                        "rateplanchargetier",
                        "join rateplancharge g on g.id = c.rateplanchargeid "
                        "join rateplan r on r.id = g.rateplanid "
                        "join subscription p on p.id = r.subscriptionid",
                        under="ratePlanCharges",
                    ),
                ),
                expands=("account",),
                join=_TO_ACCOUNT,
                columns=_CURRENCY,
                numbered="name",
            ),
        ),
        key_in="name",
    ),
    Kind(
        "contract",
        _READ | Can.EVENTS,
        (
            Source(
                "orders",
                "orders",
                id="ordernumber",
                children=(
                    _owned("orderActions", "order-actions", "orderaction", "orderid"),
                    _owned("orderLineItems", "order-line-items", "orderlineitem", "orderid"),
                ),
                expands=("account",),
                join=_TO_ACCOUNT,
                columns=_CURRENCY,
                numbered="ordernumber",
            ),
        ),
    ),
    Kind(
        "invoice",
        _ALL,
        (
            Source(
                "invoices",
                "invoice",
                children=(INVOICE_ITEMS,),
                expands=("account",),
                join=_TO_ACCOUNT,
                columns=_CURRENCY,
                touched_by=(
                    ("payment-applications", "invoiceid"),
                    ("credit-memo-applications", "invoiceid"),
                ),
                numbered="invoicenumber",
            ),
            Source(
                "debit-memos",
                "debitmemo",
                children=(
                    _owned("debitMemoItems", "debit-memo-items", "debitmemoitem", "debitmemoid"),
                    Child(
                        "paymentParts",
                        "payment-parts",
                        "debitmemoid",
                        "paymentpart",
                        "join debitmemo p on p.id = c.debitmemoid",
                    ),
                    Child(
                        "creditMemoParts",
                        "credit-memo-parts",
                        "debitmemoid",
                        "creditmemopart",
                        "join debitmemo p on p.id = c.debitmemoid",
                    ),
                ),
                expands=("account",),
                join=_TO_ACCOUNT,
                columns=_CURRENCY,
                touched_by=(
                    ("payment-applications", "debitmemoid"),
                    ("credit-memo-applications", "debitmemoid"),
                ),
                settlement=True,
                numbered="memonumber",
            ),
        ),
        key_in="invoicenumber",
        or_marked_in="comments",
    ),
    Kind(
        "payment",
        _ALL,
        (
            Source(
                "payments",
                "payment",
                children=(PAYMENT_PARTS,),
                expands=("account", "paymentmethod"),
                join=f"{_TO_ACCOUNT} left join paymentmethod m on m.id = p.paymentmethodid",
                columns=f"{_CURRENCY}, m.type as paymentmethod_type",
                touched_by=(("payment-applications", "paymentid"),),
                settlement=True,
                numbered="paymentnumber",
            ),
            Source(
                "",
                "payment",
                children=(
                    Child(
                        "invoicePayments",
                        "",
                        "paymentid",
                        "invoicepayment",
                        "join payment p on p.id = c.paymentid",
                        legacy=True,
                    ),
                ),
                join=f"{_TO_ACCOUNT} left join paymentmethod m on m.id = p.paymentmethodid",
                columns=f"{_CURRENCY}, m.type as paymentmethod_type",
                settlement=False,
                numbered="paymentnumber",
            ),
        ),
        key_in="comment",
        marked=True,
    ),
    Kind(
        "credit_note",
        _ALL,
        (
            Source(
                "credit-memos",
                "creditmemo",
                children=(
                    _owned(
                        "creditMemoItems", "credit-memo-items", "creditmemoitem", "creditmemoid"
                    ),
                    CREDIT_PARTS,
                ),
                expands=("account",),
                join=_TO_ACCOUNT,
                columns=_CURRENCY,
                touched_by=(
                    ("credit-memo-applications", "creditmemoid"),
                    ("credit-memo-items", "creditmemoid"),
                ),
                settlement=True,
                numbered="memonumber",
            ),
            Source(
                "",
                "invoiceadjustment",
                join=_TO_ACCOUNT,
                columns=_CURRENCY,
                settlement=False,
                where="p.type = 'Credit'",
            ),
            Source(
                "",
                "invoiceitemadjustment",
                join=_TO_ACCOUNT,
                columns=_CURRENCY,
                settlement=False,
                where="p.type = 'Credit'",
            ),
        ),
        key_in="comments",
        marked=True,
    ),
    Kind(
        "refund",
        _ALL,
        (
            Source(
                "refunds",
                "refund",
                children=(
                    _owned(
                        "refundApplications", "refund-applications", "refundapplication", "refundid"
                    ),
                ),
                expands=("account",),
                join=_TO_ACCOUNT,
                columns=_CURRENCY,
                touched_by=(("refund-applications", "refundid"),),
                settlement=True,
                numbered="refundnumber",
            ),
            Source(
                "",
                "refund",
                children=(
                    Child(
                        "refundInvoicePayments",
                        "",
                        "refundid",
                        "refundinvoicepayment",
                        "join refund p on p.id = c.refundid "
                        "left join invoicepayment i on i.id = c.invoicepaymentid",
                        columns="i.paymentid as payment_id",
                        legacy=True,
                    ),
                ),
                join=_TO_ACCOUNT,
                columns=_CURRENCY,
                settlement=False,
                numbered="refundnumber",
            ),
        ),
        key_in="comment",
        marked=True,
    ),
    Kind(
        "usage",
        _MADE,
        (
            Source(
                "usages",
                "usage",
                join="left join subscription s on s.id = p.subscriptionid "
                "left join rateplancharge g on g.id = p.rateplanchargeid",
                columns="s.name as subscription_number, g.chargenumber as charge_number",
            ),
        ),
        key_in="uniquekey",
    ),
    Kind(
        "journal_entry",
        _MADE | Can.ARCHIVE,
        (Source("", "journalentry", id="number"),),
        key_in="notes",
        marked=True,
    ),
)

KINDS: Mapping[str, Kind] = {kind.entity: kind for kind in _KINDS}
