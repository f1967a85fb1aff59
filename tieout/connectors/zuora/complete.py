"""Makes a page of rows whole: lines, applications and tiers, and what Zuora keeps elsewhere.

A row that needs nothing keeps Zuora's own bytes. See `Zuora` for the forms that come out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from tieout.core.errors import ConfigError, InvalidRecord
from tieout.core.ports import Ports

from .kinds import APPLICATIONS, CREDITED, Child, Kind, Source
from .objectquery import ObjectQuery
from .rows import Row, amount, folded, grouped, is_current, text, with_lists

Lists = dict[str, dict[str, list[Row]]]  # child name -> record id -> its rows
_REMEMBERED = 20_000


class Completer:
    """Completes the records of one source. `known` small tables are shared by a connector."""

    def __init__(self, query: ObjectQuery, kind: Kind, source: Source, known: Known) -> None:
        self._query, self._kind, self._source, self._known = query, kind, source, known

    def page(self, rows: Sequence[bytes], lists: Lists | None = None) -> list[bytes]:
        """The records of these rows; `lists` are children that were read another way."""
        kept = [(row, folded(row)) for row in rows]
        kept = [(row, fields) for row, fields in kept if self._is_current(fields)]
        found = self._children([fields for _, fields in kept], lists or {})
        self._add_applications(kept, found)
        self._add_memos(kept, found)
        added = [self._added(fields, found) for _, fields in kept]
        self._known.add_prices(added)
        self._known.add_related(self._kind.entity, kept, added)
        whole = [with_lists(row, more) for (row, _), more in zip(kept, added, strict=True)]
        if self._kind.entity == "price":
            return [
                each
                for row, (_, fields), more in zip(whole, kept, added, strict=True)
                for each in by_currency(row, fields, more)
            ]
        return whole

    def _is_current(self, fields: Row) -> bool:
        """Older versions of a subscription are not records of their own."""
        return self._kind.entity != "subscription" or is_current(fields)

    def _added(self, fields: Row, found: Lists) -> dict[str, Any]:
        id = text(fields, "id")
        added: dict[str, Any] = {
            name: _by_id(owned.get(id, [])) for name, owned in found.items() if name not in _RARE
        }
        added |= {name: _by_id(found[name][id]) for name in _RARE if id in found.get(name, {})}
        if self._kind.entity == "product":
            added["tieout_ended"] = self._known.is_over(text(fields, "effectiveenddate"))
        if self._kind.entity == "price":
            plan = folded(fields.get("productrateplan") or {})
            end = text(plan, "effectiveenddate") or text(fields, "plan_effectiveenddate")
            added["tieout_ended"] = self._known.is_over(end)
        if self._kind.entity == "subscription" and text(fields, "cancelleddate"):
            added["tieout_ended"] = self._known.is_over(text(fields, "cancelleddate"))
        return added

    def _children(self, records: Sequence[Row], lists: Lists) -> Lists:
        found: Lists = {}
        for child in self._source.children:
            needy = [fields for fields in records if child.instead not in fields]
            ids = [text(fields, "id") for fields in needy if text(fields, "id")]
            if child.name in lists:
                found[child.name] = lists[child.name]
            elif child.resource and (ids or not child.instead):
                rows = self._rows(child, ids, found)
                if rows is not None:
                    found[child.name] = rows
        return found

    def _rows(self, child: Child, ids: Sequence[str], found: Lists) -> dict[str, list[Row]] | None:
        """None where the tenant does not show them."""
        if not child.under:
            asked, owner = list(ids), {id: id for id in ids}
        else:
            owner = {
                text(folded(row), "id"): id
                for id, rows in found.get(child.under, {}).items()
                for row in rows
            }
            asked = list(owner)
        try:
            rows = grouped(self._query.of(child.resource, child.by, asked), child.by)
        except (InvalidRecord, ConfigError) as error:
            self._known.missing(child.resource, error.message)
            return None
        by_record: dict[str, list[Row]] = {}
        for holder, owned in rows.items():
            by_record.setdefault(owner.get(holder, holder), []).extend(owned)
        return by_record

    def _add_applications(self, kept: Sequence[tuple[bytes, Row]], found: Lists) -> None:
        """Where the parts of a payment or memo don't add up to what is applied of it."""
        child = APPLICATIONS.get(self._kind.entity)
        if child is None or not self._source.resource:
            return
        name = {"payment": "paymentParts", "credit_note": "creditMemoParts"}[self._kind.entity]
        parts = found.get(name, {})
        short = [
            text(fields, "id")
            for _, fields in kept
            if amount(fields.get("appliedamount"))
            != sum(amount(part.get("amount")) for part in parts.get(text(fields, "id"), []))
        ]
        if short:
            rows = self._rows(child, short, {})
            if rows is not None:
                found[child.name] = rows

    def _add_memos(self, kept: Sequence[tuple[bytes, Row]], found: Lists) -> None:
        """What credit memos took off an invoice, with their reasons: one may be a write-off."""
        if self._source.table != "invoice":
            return
        credited = [text(f, "id") for _, f in kept if amount(f.get("creditmemoamount"))]
        rows = self._rows(CREDITED, credited, {}) if credited else None
        if not rows:
            return
        memos = [text(folded(row), "creditmemoid") for owned in rows.values() for row in owned]
        reasons = self._known.lookup("credit-memos", memos, "reasoncode")
        for owned in rows.values():
            for row in owned:
                row["creditmemo_reason"] = reasons.get(text(folded(row), "creditmemoid"))
        found[CREDITED.name] = rows


def _by_id(rows: list[Row]) -> list[Row]:
    """Object Query and Data Query give them in orders of their own; a record has one."""
    return sorted(rows, key=lambda row: text(folded(row), "id"))


_RARE = ("paymentApplications", "creditMemoApplications")


def by_currency(record: bytes, fields: Row, added: Mapping[str, Any]) -> Iterator[bytes]:
    """A charge once for each currency that it is sold in, with that currency's tiers."""
    name = "productRatePlanChargeTiers"
    tiers = grouped(added.get(name) or (), "currency")
    if len(tiers) < 2:
        yield record
        return
    row = {field: value for field, value in folded(record).items() if field != name.lower()}
    for currency, rows in sorted(tiers.items()):
        own = {**row, name: rows, "tieout_id": f"{text(fields, 'id')}:{currency}"}
        yield with_lists(b"{}", own)


class Known:
    """Small tables of the tenant, asked for when needed and kept for a while: which currency an
    account has, which number a subscription or charge. Shared by threads; a race costs a call."""

    def __init__(self, query: ObjectQuery, ports: Ports, note: Callable[[str, str], None]) -> None:
        self._query, self._ports, self.missing = query, ports, note
        self._tables: dict[str, dict[str, str]] = {}
        self._currencies: dict[str, int] = {}  # charge -> in how many it is sold

    def is_over(self, day: str) -> bool:
        """Whether an end (YYYY-MM-DD) has come; without one nothing ends."""
        return len(day) >= 10 and day[:10] <= f"{self._ports.now():%Y-%m-%d}"

    def lookup(self, resource: str, ids: Sequence[str], field: str) -> dict[str, str]:
        """The field of each of these rows that has one."""
        table = self._tables.setdefault(f"{resource} {field}", {})
        unknown = [id for id in dict.fromkeys(ids) if id and id not in table]
        if len(table) + len(unknown) > _REMEMBERED:
            table.clear()
            unknown = [id for id in dict.fromkeys(ids) if id]
        try:
            for row in self._query.of(resource, "id", unknown):
                fields = folded(row)
                table[text(fields, "id")] = text(fields, field)
        except (InvalidRecord, ConfigError) as error:
            self.missing(resource, error.message)
        return {id: table[id] for id in ids if table.get(id)}

    def add_related(
        self, entity: str, kept: Sequence[tuple[bytes, Row]], added: Sequence[dict[str, Any]]
    ) -> None:
        """The account's currency for what has none, and a usage record's numbers."""
        if entity in _OF_ACCOUNT:
            bare = [text(f, "accountid") for _, f in kept if not _has_currency(f)]
            found = self.lookup("accounts", bare, "currency") if bare else {}
            for (_, fields), more in zip(kept, added, strict=True):
                if not _has_currency(fields) and text(fields, "accountid") in found:
                    more["account_currency"] = found[text(fields, "accountid")]
        if entity == "usage":
            self._add_numbers(kept, added)

    def add_prices(self, added: Sequence[dict[str, Any]]) -> None:
        """Which of the charges that lines name are sold in several currencies: their price's id
        has the currency at its end."""
        named = [
            {text(folded(row), "productrateplanchargeid") for row in more.get(name) or ()}
            for more in added
            for name in _LINES
        ]
        self._learn_currencies(sorted(set().union(*named) - {""}) if named else [])
        for more in added:
            ids = {
                text(folded(row), "productrateplanchargeid")
                for name in _LINES
                for row in more.get(name) or ()
            }
            if several := sorted(id for id in ids if self._currencies.get(id, 1) > 1):
                more["tieout_prices"] = several

    def _learn_currencies(self, charges: Sequence[str]) -> None:
        unknown = [id for id in charges if id not in self._currencies]
        if not unknown:
            return
        try:
            tiers = self._query.of(_TIERS, "productrateplanchargeid", unknown)
            found = grouped(tiers, "productrateplanchargeid")
        except (InvalidRecord, ConfigError) as error:
            self.missing(_TIERS, error.message)
            return
        if len(self._currencies) > _REMEMBERED:
            self._currencies.clear()
        for id in unknown:
            self._currencies[id] = len(grouped(found.get(id, ()), "currency"))

    def _add_numbers(
        self, kept: Sequence[tuple[bytes, Row]], added: Sequence[dict[str, Any]]
    ) -> None:
        for name, resource, by, field in _NUMBERS:
            bare = [text(f, by) for _, f in kept if text(f, by) and not text(f, name)]
            found = self.lookup(resource, bare, field) if bare else {}
            for (_, fields), more in zip(kept, added, strict=True):
                if not text(fields, name) and text(fields, by) in found:
                    more[name] = found[text(fields, by)]


_NUMBERS = (
    ("subscription_number", "subscriptions", "subscriptionid", "name"),
    ("charge_number", "rate-plan-charges", "rateplanchargeid", "chargenumber"),
)
_TIERS = "product-rate-plan-charge-tiers"
_LINES = (
    "invoiceItems", "debitMemoItems", "creditMemoItems", "ratePlanCharges", "orderLineItems"
)  # fmt: skip
_OF_ACCOUNT = ("subscription", "contract", "invoice", "payment", "credit_note", "refund")


def _has_currency(fields: Row) -> bool:
    account = folded(fields.get("account") or {})
    return bool(
        text(fields, "currency") or text(fields, "account_currency") or text(account, "currency")
    )
