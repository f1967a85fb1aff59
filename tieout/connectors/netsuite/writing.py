"""What a body still needs before it is sent: ids that only this account knows, and defaults.

The mapping names a currency or an account by its code (`{"refName": "USD"}`); config.yaml says
which item, subsidiary or account to use where the record names none. What is the only one of
its kind needs no setting.
"""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

from tieout.core.errors import ConfigError, InvalidRecord

from .kinds import Kind
from .settings import NetSuiteConfig
from .suiteql import Row, SuiteQl

Body = dict[str, Any]
_SALES = ("invoice", "credit_note")
_CLASSED = (*_SALES, "payment", "refund")


class Directory:
    """Small tables of the account, read when they are first needed."""

    def __init__(self, ql: SuiteQl, *, where: str) -> None:
        self._ql, self._where = ql, where

    @cached_property
    def currencies(self) -> dict[str, str]:
        """ISO code -> internal id."""
        rows = self._rows("SELECT t.id, t.symbol FROM currency t ORDER BY t.id")
        return {row["symbol"].upper(): row["id"] for row in reversed(rows) if "symbol" in row}

    @cached_property
    def subsidiaries(self) -> dict[str, str] | None:
        """Internal id -> name; None where the account is not OneWorld."""
        query = (
            "SELECT t.id, t.name FROM subsidiary t "
            "WHERE t.isinactive = 'F' AND t.iselimination = 'F' ORDER BY t.id"
        )
        try:
            return {row["id"]: row.get("name", "") for row in self._ql.run(query).rows}
        except InvalidRecord:
            return None

    @cached_property
    def accounts(self) -> list[Row]:
        return self._rows(
            "SELECT t.id, t.acctnumber, t.fullname, t.accttype FROM account t "
            "WHERE t.isinactive = 'F' ORDER BY t.id"
        )

    def only_account(self, kind: str) -> str:
        """The id of the one account of this type; "" where there are none or several."""
        found = [row["id"] for row in self.accounts if row.get("accttype") == kind]
        return found[0] if len(found) == 1 else ""

    def item_type(self, id: str) -> str | None:
        """The REST type of an item, which has one per kind of item."""
        query = "SELECT t.itemtype, t.subtype FROM item t WHERE t.id = ?"
        rows = self._ql.run(query, (id,)).rows
        if not rows:
            return None
        kind, subtype = rows[0].get("itemtype", ""), rows[0].get("subtype", "Sale")
        found = _ITEM_TYPES.get(kind, "")
        return found.replace("*", subtype) if found else None

    def _rows(self, query: str) -> list[Row]:
        try:
            return self._ql.run(query).rows
        except InvalidRecord as error:
            raise ConfigError(
                f"NetSuite refuses a list that writing needs: {error.message}",
                where=self._where,
                hint="give the role Lists > Currency, Accounts and Subsidiaries",
            ) from None


# https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_1545059731.html
_ITEM_TYPES = {
    "Service": "service*Item",
    "NonInvtPart": "nonInventory*Item",
    "OthCharge": "otherCharge*Item",
    "InvtPart": "inventoryItem",
    "Assembly": "assemblyItem",
    "Kit": "kitItem",
    "Discount": "discountItem",
    "DwnLdItem": "downloadItem",
    "GiftCert": "giftCertificateItem",
    "Markup": "markupItem",
}


def completed(
    kind: Kind, record: Body, settings: NetSuiteConfig, directory: Directory, *, creating: bool
) -> Body:
    """The body as it is sent. ConfigError where a needed setting is missing."""
    body = copy.deepcopy(record)
    _resolve(body, directory)
    if creating:
        _add_defaults(kind, body, settings, directory)
    return body


def told_apart(kind: Kind, body: Body, key: str) -> Body | None:
    """The body with a name of its own, where another record has taken it.

    Without auto-numbering NetSuite wants customers' entityId and items' itemId unique, and makes
    them of the name: two customers of one name are still two. None for other kinds.
    """
    end = key[-10:]
    if kind.entity == "customer" and "entityId" not in body:
        person = " ".join(str(body[part]) for part in ("firstName", "lastName") if body.get(part))
        name = str(body.get("companyName") or person)
        return {**body, "entityId": f"{name[:60]} {end}".strip()}
    if kind.entity == "product" and "itemId" in body:
        return {**body, "itemId": f"{body['itemId'][:49]} {end}"}
    return None


def _resolve(body: Body, directory: Directory) -> None:
    """Codes to internal ids."""
    if code := _named(body.get("currency")):
        if code.upper() not in directory.currencies:
            raise InvalidRecord(
                f"the account has no currency {code}",
                hint="add it in NetSuite under Lists > Accounting > Currencies",
            )
        body["currency"] = {"id": directory.currencies[code.upper()]}
    for line in (body.get("line") or {}).get("items") or ():
        if name := _named(line.get("account")):
            line["account"] = {"id": _account(name, directory)}


def _named(value: Any) -> str | None:
    """The code of a reference that has no id yet."""
    if isinstance(value, dict) and not value.get("id") and value.get("refName"):
        return str(value["refName"])
    return None


def _account(name: str, directory: Directory) -> str:
    for column in ("acctnumber", "fullname", "id"):
        found = [row["id"] for row in directory.accounts if row.get(column) == name]
        if len(found) == 1:
            return found[0]
    raise InvalidRecord(
        f"the chart of accounts has no {name!r}", hint="use an account number of NetSuite's"
    )


def _add_defaults(kind: Kind, body: Body, settings: NetSuiteConfig, directory: Directory) -> None:
    entity = kind.entity
    if entity in ("customer", "journal_entry"):
        _add_subsidiary(body, settings, directory)
    if entity in _CLASSED:
        _set(body, "location", settings.location)
        _set(body, "department", settings.department)
        _set(body, "class", settings.class_id)
    if entity == "product":
        _set(body, "incomeAccount", settings.income_account or directory.only_account("Income"))
        _set(body, "taxSchedule", settings.tax_schedule)
    if entity in _SALES:
        _set(body, "account", settings.ar_account)
        for line in (body.get("item") or {}).get("items") or ():
            _set(line, "item", settings.item)
    if entity == "payment":
        _set(body, "arAcct", settings.ar_account)
        _set(body, "account", settings.bank_account)
        if "account" not in body:
            body.setdefault("undepFunds", True)
    if entity == "refund":
        account = settings.refund_account or settings.bank_account
        _set(body, "account", account or directory.only_account("Bank"))


def _add_subsidiary(body: Body, settings: NetSuiteConfig, directory: Directory) -> None:
    """Mandatory in OneWorld accounts, refused in others. A setting says that it is one."""
    known = directory.subsidiaries
    if known is None and not settings.subsidiary:
        body.pop("subsidiary", None)
        return
    if "subsidiary" in body:
        return
    known = known or {}
    chosen = settings.subsidiary or (next(iter(known)) if len(known) == 1 else "")
    if not chosen:
        listed = ", ".join(f"{id} ({name})" for id, name in list(known.items())[:5])
        raise ConfigError(
            "NetSuite needs a subsidiary", hint=f"set `subsidiary` to an id: {listed}"
        )
    body["subsidiary"] = {"id": chosen}


def _set(body: Body, name: str, id: str) -> None:
    if id and name not in body:
        body[name] = {"id": id}
