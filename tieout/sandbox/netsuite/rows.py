"""A record as the rows that SuiteQL sees: headers, ledger lines, accounting lines, links."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from . import applying
from .body import name_of
from .books import Books, Deletion, Record, applications, decimal, entity_of, ref_id
from .catalog import ITEMS
from .cells import Row, cell, custom_cells, flag, local_text, number_cell, whole_cell
from .ledger import HEADER_SIGN, SEGMENTS, Money, ledger_lines
from .money import base_currency, places_of
from .oracle import digits, tagged
from .shown import balance

Rows = Iterator[tuple[str, Row]]


class RowMaker:
    """Makes rows for one account, in its time zone."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.zone = ZoneInfo(books.timezone)

    def rows(self, record: Record) -> Rows:
        """(table, row) for every row that the record has."""
        if record.type.is_transaction:
            yield from self._transaction(record)
        elif record.type.group == ITEMS:
            yield from self._item(record)
        else:
            yield from _MAKERS[record.type.name](self, record)

    def deleted(self, deletion: Deletion) -> Row:
        record = deletion.record
        named = record.body.get("tranId") or name_of(record)
        return {
            "recordid": whole_cell(record.id),
            "recordtypeid": record.type.type_id,
            "type": record.type.label,
            "name": str(named),
            "deleteddate": self._local(deletion.at),
            "deletedby": 1,
            "context": "REST Web Services",
            "iscustomlist": "F",
            "iscustomrecord": "F",
            "iscustomtransaction": "F",
        }

    def _local(self, moment: datetime) -> str:
        return local_text(moment, self.zone)

    def _day(self, value: Any) -> str | None:
        text = str(value or "")
        if not text:
            return None
        if len(text) == 10:
            return tagged(date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
        return self._local(moment) if moment.tzinfo else tagged(moment)

    def _shared(self, record: Record, prefix: str) -> Row:
        """What every table has: id, dates, external id, flags, custom fields."""
        body = record.body
        row: Row = {
            "id": whole_cell(record.id),
            "externalid": body.get("externalId") or None,
            "lastmodifieddate": self._local(record.modified),
        }
        if "isInactive" in record.type.fields:
            row["isinactive"] = flag(body.get("isInactive"))
        return row | custom_cells(body, prefix)

    def _plain(self, record: Record, names: Iterable[str]) -> Row:
        """Body fields under their own lower-cased names."""
        row: Row = {}
        for name in names:
            kind = record.type.fields.get(name, "text")
            value = record.body.get(name)
            if kind in ("date", "datetime"):
                row[name.lower()] = self._day(value)
            elif kind == "bool":
                row[name.lower()] = flag(value)
            else:
                row[name.lower()] = cell(value)
        return row

    def _transaction(self, record: Record) -> Rows:
        body, books = record.body, self.books
        money = Money(books, record)
        total = applying.gross(record) * HEADER_SIGN.get(record.type.name, 1)
        left = applying.open_amount(books, record) if record.type.name in _OPENABLE else None
        letter = applying.status_letter(record)
        row = self._shared(record, "custbody")
        row |= self._plain(
            record, ["tranId", "memo", "otherRefNum", "email", "source", "startDate"]
        )
        row |= {
            # SuiteQL keeps the purchase order's and the cheque's number in one column.
            "otherrefnum": body.get("otherRefNum") or body.get("checkNum") or None,
            "transactionnumber": body.get("transactionNumber") or body.get("tranId"),
            "type": record.type.code,
            "recordtype": record.type.path,
            "abbrevtype": record.type.code.upper(),
            "trandate": self._day(body.get("tranDate")),
            "duedate": self._day(body.get("dueDate")),
            "enddate": self._day(body.get("endDate")),
            "createddate": self._local(record.created),
            "entity": whole_cell(entity_of(record)),
            "currency": whole_cell(ref_id(body.get("currency"))),
            "exchangerate": digits(money.rate),
            "postingperiod": whole_cell(ref_id(body.get("postingPeriod"))),
            "terms": whole_cell(ref_id(body.get("terms"))),
            "subsidiary": whole_cell(ref_id(body.get("subsidiary"))) if books.one_world else None,
            "account": whole_cell(ref_id(body.get("account"))),
            "status": letter,
            "voided": "T" if letter == "V" else "F",
            "void": "T" if letter == "V" else "F",
            "posting": "T" if letter != "A" or record.type.name != "journalEntry" else "F",
            "trandisplayname": name_of(record),
            "foreigntotal": digits(total),
            "total": digits(money.base(total)),
            "isreversal": flag(body.get("isReversal")),
            "reversaldate": self._day(body.get("reversalDate")),
        }
        if body.get("taxTotal") is not None:
            tax = decimal(body["taxTotal"]) * HEADER_SIGN.get(record.type.name, 1)
            row |= {"foreigntaxtotal": digits(tax), "taxtotal": digits(money.base(tax))}
        if left is not None:
            row |= self._use(record, left, total)
        yield "transaction", row
        yield from self._ledger(record, money, left)
        yield from self._links(record)

    def _use(self, record: Record, left: Decimal, total: Decimal) -> Row:
        if record.type.name == "invoice":
            closed = {} if left else {"closedate": self._local(record.modified)}
            return {
                "foreignamountunpaid": digits(left),
                "foreignamountpaid": digits(abs(total) - left),
                **closed,
            }
        return {
            "foreignpaymentamountunused": digits(left),
            "foreignpaymentamountused": digits(abs(total) - left),
        }

    def _ledger(self, record: Record, money: Money, left: Decimal | None) -> Rows:
        for number, line in enumerate(ledger_lines(self.books, record)):
            lineid = int(line.get("line", number))
            base = money.base(line["foreignamount"])
            modified = self._local(record.modified)
            row: Row = {
                "id": lineid,
                "transaction": whole_cell(record.id),
                "uniquekey": whole_cell(record.id, 0) * 1000 + number,
                "linesequencenumber": number,
                "mainline": "T" if number == 0 else "F",
                "taxline": flag(line.get("taxline")),
                "iscogs": "F",
                "isclosed": "F",
                "transactiondiscount": flag(line.get("transactiondiscount")),
                "donotdisplayline": "F",
                "item": whole_cell(ref_id(line.get("item"))),
                "itemtype": line.get("itemtype"),
                "entity": whole_cell(ref_id(line.get("entity")) or entity_of(record)),
                "expenseaccount": whole_cell(line.get("account")),
                "memo": line.get("memo") or None,
                "foreignamount": digits(line["foreignamount"]),
                "netamount": digits(base),
                "quantity": number_cell(line.get("quantity")),
                "rate": number_cell(line.get("rate")),
                "createdfrom": whole_cell(ref_id(record.body.get("createdFrom"))),
                "linelastmodifieddate": modified,
                "linecreateddate": self._local(record.created),
                **{name: whole_cell(ref_id(line.get(name))) for name in SEGMENTS},
                **custom_cells(line.get("source") or {}, "custcol"),
            }
            if self.books.one_world:
                row["subsidiary"] = whole_cell(ref_id(record.body.get("subsidiary")))
            side = "debit" if line["foreignamount"] >= 0 else "credit"
            row[f"{side}foreignamount"] = digits(abs(line["foreignamount"]))
            first = number == 0 and left is not None
            if first and left is not None and record.type.name == "invoice":
                row["foreignamountunpaid"] = digits(left)
            yield "transactionline", row
            yield (
                "transactionaccountingline",
                {
                    "transaction": row["transaction"],
                    "transactionline": lineid,
                    "accountingbook": 1,
                    "account": whole_cell(line.get("account")),
                    "posting": "T",
                    "amount": digits(base),
                    "netamount": digits(base),
                    side: digits(abs(base)),
                    "exchangerate": digits(money.rate),
                    "amountunpaid": digits(money.base(left))
                    if first and left is not None
                    else None,
                    "lastmodifieddate": modified,
                },
            )

    def _links(self, record: Record) -> Rows:
        pairs = [(doc, "Payment", amount, 1) for doc, amount, _ in applications(record)]
        number = 0
        for line in record.lines("payment"):
            payment = self.books.find("transaction", ref_id(line.get("id")))
            number += payment is not None and line.get("deposit") is not False
            if payment is not None and line.get("deposit") is True:
                pairs.append((payment.id, "DepPymt", applying.gross(payment), number))
        if origin := ref_id(record.body.get("createdFrom")):
            pairs.append((origin, "SaleRet", applying.gross(record), 1))
        money = Money(self.books, record)
        for document_id, kind, amount, number in pairs:
            document = self.books.find("transaction", document_id)
            row = {
                "previousdoc": whole_cell(document_id),
                "previousline": 0,
                "nextdoc": whole_cell(record.id),
                "nextline": number,
                "linktype": kind,
                "previoustype": document.type.code if document else None,
                "nexttype": record.type.code,
                "foreignamount": digits(amount),
                "amount": digits(money.base(amount)),
                "previousdate": self._day(document.body.get("tranDate")) if document else None,
                "nextdate": self._day(record.body.get("tranDate")),
                "lastmodifieddate": self._local(record.modified),
            }
            yield "previoustransactionlinelink", row
            yield "nexttransactionlinelink", row

    def _item(self, record: Record) -> Rows:
        row = self._shared(record, "custitem")
        row |= self._plain(
            record,
            ["itemId", "displayName", "salesDescription", "upcCode", "incomeAccount", "parent"],
        )
        row |= {
            "fullname": record.body.get("fullName") or record.body.get("itemId"),
            "description": record.body.get("description") or record.body.get("salesDescription"),
            "itemtype": record.type.code,
            "subtype": "Sale" if "Sale" in record.type.name else None,
            "createddate": self._local(record.created),
        }
        yield "item", row
        for line in record.lines("price"):
            yield (
                "pricing",
                {
                    "item": whole_cell(record.id),
                    "pricelevel": whole_cell(ref_id(line.get("priceLevel"))),
                    "pricename": line.get("priceLevelName"),
                    "currency": whole_cell(ref_id(line.get("currencyPage"))),
                    "unitprice": number_cell(line.get("price")),
                    "quantity": number_cell(ref_id(line.get("quantity")) or 0),
                },
            )

    def _customer(self, record: Record) -> Rows:
        body = record.body
        row = self._entity(record)
        row |= self._plain(
            record,
            _CUSTOMER_FIELDS,
        )
        moved = record.made or record.id in self.books.moved or body.get("balance") is None
        owed = balance(self.books, record) if moved else decimal(body["balance"])
        row |= {"balancesearch": digits(owed), "fullname": row["entityid"]}
        yield "customer", row
        yield "entity", {**self._entity(record), "type": "CustJob"}
        yield from self._memberships(record, owed)
        yield from self._addresses(record)

    def _entity(self, record: Record) -> Row:
        body = record.body
        row = self._shared(record, "custentity")
        row |= self._plain(
            record,
            ["entityId", "firstName", "lastName", "email", "phone", "fax", "title", "parent"],
        )
        person = " ".join(str(body[n]) for n in ("firstName", "lastName") if body.get(n))
        row["altname"] = body.get("companyName") or person or None
        row["entityid"] = row["entityid"] or row["altname"]
        row["entitytitle"] = name_of(record)
        row["datecreated"] = self._local(record.created)
        if "isPerson" in record.type.fields:
            row["isperson"] = flag(body.get("isPerson"))
        return row

    def _memberships(self, record: Record, owed: Decimal) -> Rows:
        if not self.books.one_world:
            return
        primary = ref_id(record.body.get("subsidiary"))
        others = [ref_id(line.get("subsidiary")) for line in record.lines("subsidiaries")]
        for number, subsidiary in enumerate(dict.fromkeys([primary, *others])):
            if not subsidiary:
                continue
            yield (
                "customersubsidiaryrelationship",
                {
                    "id": whole_cell(record.id, 0) * 100 + number,
                    "entity": whole_cell(record.id),
                    "subsidiary": whole_cell(subsidiary),
                    "isprimarysub": "T" if subsidiary == primary else "F",
                    "isinactive": "F",
                    "balance": digits(owed) if subsidiary == primary else "0",
                    "primarycurrency": whole_cell(ref_id(record.body.get("currency"))),
                },
            )

    def _addresses(self, record: Record) -> Rows:
        lines = record.lines("addressBook") or record.lines("addressbook")
        for number, line in enumerate(lines, 1):
            address = line.get("addressBookAddress") or line.get("addressbookaddress") or {}
            key = whole_cell(record.id, 0) * 100 + number
            yield (
                "customeraddressbook",
                {
                    "entity": whole_cell(record.id),
                    "internalid": whole_cell(ref_id(line.get("id")), key),
                    "addressbookaddress": key,
                    "defaultbilling": flag(line.get("defaultBilling")),
                    "defaultshipping": flag(line.get("defaultShipping")),
                    "isresidential": flag(line.get("isResidential")),
                    "label": line.get("label"),
                },
            )
            names = ("addressee", "attention", "addr1", "addr2", "addr3", "city", "state", "zip")
            row: Row = {name: cell(address.get(name)) for name in (*names, "country")}
            row |= {"nkey": key, "recordowner": whole_cell(record.id)}
            row["addrphone"] = cell(address.get("addrPhone"))
            row["addrtext"] = cell(address.get("addrText"))
            yield "entityaddress", row
            yield "customeraddressbookentityaddress", row

    def _contact(self, record: Record) -> Rows:
        row = self._entity(record)
        more = ["mobilePhone", "officePhone", "homePhone", "salutation", "comments", "company"]
        row |= self._plain(record, [*more, "middleName", "subsidiary"])
        row["isprivate"] = flag(record.body.get("isPrivate"))
        yield "contact", row
        yield "entity", {**self._entity(record), "type": "Contact"}

    def _currency(self, record: Record) -> Rows:
        row = self._shared(record, "custrecord")
        row |= self._plain(record, ["name", "symbol", "displaySymbol", "exchangeRate"])
        base = base_currency(self.books)
        row |= {
            "isbasecurrency": "T" if base is record else "F",
            "currencyprecision": places_of(self.books, record.id),
        }
        yield "currency", row

    def _subsidiary(self, record: Record) -> Rows:
        if not self.books.one_world:
            return
        row = self._shared(record, "custrecord")
        row |= self._plain(
            record, ["name", "legalName", "email", "url", "country", "state", "parent", "currency"]
        )
        row |= {
            "fullname": record.body.get("fullName") or record.body.get("name"),
            "iselimination": flag(record.body.get("isElimination")),
        }
        yield "subsidiary", row

    def _account(self, record: Record) -> Rows:
        body = record.body
        row = self._shared(record, "custrecord")
        row |= self._plain(record, ["acctNumber", "acctType", "description", "parent", "currency"])
        named = body.get("acctName") or body.get("displayName") or body.get("fullName")
        row |= {
            "fullname": body.get("fullName") or named,
            "accountsearchdisplayname": name_of(record) if body.get("acctName") else named,
            "accountsearchdisplaynamecopy": named,
            "displaynamewithhierarchy": body.get("displayNameWithHierarchy") or named,
            "issummary": flag(body.get("isSummary")),
            "eliminate": flag(body.get("eliminate")),
        }
        yield "account", row

    def _term(self, record: Record) -> Rows:
        row = self._shared(record, "custrecord")
        yield (
            "term",
            row | self._plain(record, ["name", "daysUntilNetDue", "daysUntilExpiry", "preferred"]),
        )

    def _period(self, record: Record) -> Rows:
        names = [name for name, kind in record.type.fields.items() if kind in ("bool", "date")]
        row = self._shared(record, "custrecord") | self._plain(record, [*names, "periodName"])
        row["parent"] = whole_cell(ref_id(record.body.get("parent")))
        if "isPosting" not in record.body:
            row["isposting"] = "F" if row["isquarter"] == "T" or row["isyear"] == "T" else "T"
        yield "accountingperiod", row


_MAKERS: dict[str, Callable[[RowMaker, Record], Rows]] = {
    "customer": RowMaker._customer,
    "contact": RowMaker._contact,
    "currency": RowMaker._currency,
    "subsidiary": RowMaker._subsidiary,
    "account": RowMaker._account,
    "term": RowMaker._term,
    "accountingPeriod": RowMaker._period,
}
_CUSTOMER_FIELDS = [
    *("mobilePhone", "homePhone", "altPhone", "url", "comments", "accountNumber", "currency"),
    *("vatRegNumber", "salutation", "title", "language", "terms", "middleName", "startDate"),
    *("receivablesAccount", "companyName", "creditLimit", "category", "endDate"),
]
_OPENABLE = ("invoice", "creditMemo", "customerPayment", "customerDeposit")
