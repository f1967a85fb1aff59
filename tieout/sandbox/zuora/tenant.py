"""One tenant: its books and settings, and what one call of the v1 API carries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .books import Books, Record, money
from .errors import invalid, missing, rule
from .times import is_date
from .views import Views
from .wire import Body, Request

PLACES = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "BHD": 3, "KWD": 3, "OMR": 3,
          "JOD": 3, "TND": 3}  # fmt: skip


@dataclass
class Tenant:
    """What every operation works on. Whoever calls holds the lock."""

    books: Books
    views: Views
    settlement: bool
    emit: Callable[[str, Record], None]
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)


@dataclass
class Call:
    """One v1 request: the names in its path, its body, who is served."""

    tenant: Tenant
    request: Request
    keys: dict[str, str]
    body: Body

    @property
    def books(self) -> Books:
        return self.tenant.books

    def get(self, table: str, key: str = "key") -> Record:
        return self.books.get(table, self.keys[key])

    def shown(self, record: Record) -> Body:
        return self.tenant.views.document(record)

    def text(self, area: str, name: str) -> str:
        """A required text. Raises Refusal."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value.strip():
            raise missing(area, name)
        return value

    def date(self, area: str, name: str, default: str | None = None) -> str:
        """A calendar date. Raises Refusal."""
        value = self.body.get(name, default)
        if value is None:
            raise missing(area, name)
        if not is_date(value):
            raise invalid(area, f"'{name}' value should be in the format yyyy-mm-dd")
        return str(value)

    def choice(self, area: str, name: str, allowed: str, default: str | None = None) -> str:
        """One of the words in `allowed` (separated by |). Raises Refusal."""
        value = self.body.get(name, default)
        if value is None:
            raise missing(area, name)
        if value not in allowed.split("|"):
            listed = ", ".join(allowed.split("|"))
            raise invalid(area, f"'{name}' value should be one of: {listed}")
        return str(value)

    def account(self, area: str) -> Record:
        """The account that the body names by id or number. Raises Refusal."""
        key = self.body.get("accountId") or self.body.get("accountNumber")
        if not key:
            raise missing(area, "accountId")
        found = self.books.find("account", key)
        if found is None:
            raise invalid(area, f"No account is found with accountId {key}.")
        if found.row.get("status") == "Canceled":
            raise rule(area, "The account is canceled.")
        return found


def amount(area: str, body: Body, name: str, currency: str, *, required: bool = True) -> Decimal:
    """An amount with no more places than its currency has. Raises Refusal."""
    if body.get(name) is None:
        if required:
            raise missing(area, name)
        return Decimal(0)
    try:
        value = money(body[name])
    except ValueError:
        raise invalid(area, f"'{name}' value should be a number") from None
    places = PLACES.get(currency, 2)
    if value != round(value, places):
        raise invalid(area, f"'{name}' has more than {places} decimal places for {currency}")
    return value


def custom(body: Body) -> dict[str, Any]:
    """The custom and integration fields of a body."""
    return {name: value for name, value in body.items() if name.endswith(("__c", "__NS", "__QT"))}


def move_account(
    books: Books, account_id: Any, *, invoices: Decimal = Decimal(0),
    debits: Decimal = Decimal(0), payments: Decimal = Decimal(0), credits: Decimal = Decimal(0),
) -> None:  # fmt: skip
    """Book a change of open documents or unapplied money into the account's balances."""
    account = books.find("account", account_id)
    if account is None:
        return
    books.change(
        account,
        totalInvoiceBalance=account.amount("totalInvoiceBalance") + invoices,
        totalDebitMemoBalance=account.amount("totalDebitMemoBalance") + debits,
        unappliedBalance=account.amount("unappliedBalance") + payments,
        unappliedCreditMemoAmount=account.amount("unappliedCreditMemoAmount") + credits,
        balance=account.amount("balance") + invoices + debits - payments - credits,
    )
