"""What tieout reads and writes in NetSuite, entity by entity: tables, columns, REST types.

Column names are those of the Records Catalog (analytics data source). Dates are always written
by TO_CHAR, since SuiteQL otherwise uses each user's own format.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/article_159367781370.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..base import Can
from .clock import FORMAT
from .settings import NetSuiteConfig
from .suiteql import Column, Select

_READ = Can.LIST | Can.CHANGES | Can.GET | Can.DELETIONS | Can.PROVE
_WRITE = _READ | Can.FIND | Can.CREATE

# How money gets onto invoices; their own lastmodifieddate need not move when it does.
RECEIPTS = ("CustPymt", "CustCred", "DepAppl", "Journal")
_GONE = {
    "CustPymt": "payment|customerpayment|custpymt",
    "CustCred": "creditmemo|custcred",
    "DepAppl": "depappl|depositapplication",
    "Journal": "journal|journalentry",
    "CustRfnd": "customerrefund|custrfnd",
}


_PREFIX = {
    "customer": "custentity",
    "contact": "custentity",
    "product": "custitem",
    "price": "custitem",
}
PERMISSIONS = {
    "customer": "Lists > Customers",
    "contact": "Lists > Contacts",
    "product": "Lists > Items",
    "price": "Lists > Items",
    "invoice": "Transactions > Invoice and Find Transaction",
    "payment": "Transactions > Customer Payment and Find Transaction",
    "credit_note": "Transactions > Credit Memo and Find Transaction",
    "refund": "Transactions > Customer Refund and Find Transaction",
    "payout": "Transactions > Deposit and Find Transaction",
    "journal_entry": "Transactions > Make Journal Entry and Find Transaction",
}


@dataclass(frozen=True)
class Kind:
    """One entity.

    select      its header query; `code` the transaction type, "" for other tables.
    rest        its REST record type.
    lists       what is read beside the headers: lines, accounts (of journals), applications,
                addresses.
    touched_by  transaction types whose changes show on it without touching it.
    left        the column that says how much of it is not used up by them.
    gone        the name under which deletedrecord lists it: a pattern, lower-case letters only.
    sublists    of its bodies, to be replaced as a whole.
    """

    entity: str
    can: Can
    select: Select
    rest: str
    code: str = ""
    lists: tuple[str, ...] = ()
    touched_by: tuple[str, ...] = ()
    left: str = ""
    gone: str = ""
    sublists: tuple[str, ...] = ()

    @property
    def custom_prefix(self) -> str:
        return _PREFIX.get(self.entity, "custbody")

    @property
    def permission(self) -> str:
        """What the role needs to read it, as NetSuite's menus call it."""
        return PERMISSIONS[self.entity]

    @property
    def counts(self) -> bool:
        """Whether a search can tell it from its lines: journals have no main line."""
        return bool(self.code) and self.code != "Journal"

    @property
    def is_item(self) -> bool:
        """Whether it is an item, or a part of one."""
        return self.entity in ("product", "price")

    @property
    def where(self) -> str:
        return "t.type = ?" if self.code else _CONDITIONS.get(self.entity, "t.id IS NOT NULL")

    @property
    def touched_gone(self) -> str:
        """The names under which deletedrecord lists what touches it: a pattern."""
        return "|".join(_GONE[code] for code in self.touched_by)

    @property
    def params(self) -> tuple[str, ...]:
        return (self.code,) if self.code else ()


def _plain(names: str, *, needed: bool = False) -> tuple[Column, ...]:
    return tuple(Column(f"t.{name}", name, needed) for name in names.split())


def _day(name: str) -> Column:
    return Column(f"TO_CHAR(t.{name}, 'YYYY-MM-DD')", name)


def _time(name: str, alias: str = "", *, needed: bool = False) -> Column:
    return Column(f"TO_CHAR(t.{name}, '{FORMAT}')", alias or name, needed)


def _shown(name: str, alias: str) -> Column:
    return Column(f"BUILTIN.DF(t.{name})", alias)


_CURRENCY = Column("cur.symbol", "currencycode", join="currency")
_JOINS = {
    "currency": ("currency", "LEFT JOIN currency cur ON cur.id = t.currency"),
    "term": ("term", "LEFT JOIN term tm ON tm.id = t.terms"),
}

CUSTOMERS = Select(
    "customers",
    "customer t",
    (
        *_plain("id", needed=True),
        _time("lastmodifieddate", needed=True),
        *_plain(
            "entityid companyname firstname lastname altname isperson isinactive email phone "
            "externalid parent currency terms balancesearch vatregnumber language"
        ),
        _time("datecreated"),
        _CURRENCY,
        Column("tm.daysuntilnetdue", "termdays", join="term"),
        Column("tm.name", "termname", join="term"),
    ),
    _JOINS,
)
CONTACTS = Select(
    "contacts",
    "contact t",
    (
        *_plain("id", needed=True),
        _time("lastmodifieddate", needed=True),
        *_plain(
            "entityid firstname lastname email phone officephone company externalid isinactive"
        ),
        _time("datecreated"),
        _shown("contactrole", "rolename"),
    ),
)
ITEMS = Select(
    "items",
    "item t",
    (
        *_plain("id itemid", needed=True),
        _time("lastmodifieddate", needed=True),
        *_plain("displayname fullname description itemtype subtype isinactive externalid"),
        _time("createddate"),
    ),
)
TRANSACTIONS = Select(
    "transactions",
    "transaction t",
    (
        *_plain("id type", needed=True),
        _time("lastmodifieddate", needed=True),
        *_plain("tranid status entity", needed=True),
        _shown("status", "statusname"),
        *_plain(
            "externalid memo currency exchangerate foreigntotal foreignamountpaid "
            "foreignamountunpaid foreignpaymentamountunused otherrefnum voided"
        ),
        _day("trandate"),
        _day("duedate"),
        _day("closedate"),
        _time("createddate"),
        _CURRENCY,
    ),
    _JOINS,
)
LINES = Select(
    "transaction lines",
    "transactionline t",
    (
        *_plain("transaction id", needed=True),
        *_plain(
            "linesequencenumber mainline taxline iscogs transactiondiscount item itemtype quantity "
            "rate ratepercent foreignamount memo createdfrom kitmemberof subsidiary"
        ),
        Column("o.type", "createdfromtype", join="origin"),
    ),
    {"origin": ("transaction", "LEFT JOIN transaction o ON o.id = t.createdfrom")},
)
JOURNAL_LINES = Select(
    "journal lines",
    "transactionline t JOIN transactionaccountingline g "
    "ON g.transaction = t.transaction AND g.transactionline = t.id",
    (
        *_plain("transaction id", needed=True),
        *_plain("linesequencenumber foreignamount memo entity subsidiary"),
        *(Column(f"g.{name}", name) for name in ("account", "accountingbook", "debit", "credit")),
        Column("a.acctnumber", "acctnumber", join="account"),
        Column("a.fullname", "accountname", join="account"),
        Column("e.type", "entitytype", join="entity"),
    ),
    {
        "account": ("account", "LEFT JOIN account a ON a.id = g.account"),
        "entity": ("entity", "LEFT JOIN entity e ON e.id = t.entity"),
    },
)
APPLICATIONS = Select(
    "applications",
    "nexttransactionlinelink t JOIN transaction p ON p.id = t.previousdoc "
    "JOIN transaction n ON n.id = t.nextdoc",
    (
        *_plain("previousdoc nextdoc foreignamount", needed=True),
        Column("p.type", "previoustype", True),
        Column("n.type", "nexttype", True),
        *_plain("previousline nextline linktype"),
    ),
)
# An entry of the matrix has no id: it is the price of an item at a level in a currency.
PRICES = Select(
    "prices",
    "pricing t",
    (
        *_plain("item pricelevel unitprice", needed=True),
        *_plain("currency customer"),
        _shown("pricelevel", "levelname"),
        _CURRENCY,
    ),
    {"currency": _JOINS["currency"]},
)
DELETED = Select("deleted records", "deletedrecord t", _plain("recordid type", needed=True))
_ADDRESS_PARTS = ("addr1", "addr2", "addr3", "city", "state", "zip", "country")
_ADDRESS = (
    Column("t.entity", "entity", True),
    *_plain("addressbookaddress", needed=True),
    *_plain("defaultbilling defaultshipping"),
    *(Column(f"a.{name}", name) for name in _ADDRESS_PARTS),
)
ADDRESSES = tuple(
    Select(
        f"addresses ({book})",
        f"{book} t JOIN {address} a ON a.nkey = t.addressbookaddress",
        _ADDRESS,
    )
    for book, address in (
        ("customeraddressbook", "customeraddressbookentityaddress"),
        ("entityaddressbook", "entityaddress"),
    )
)

# Lines of these kinds carry no product of their own.
_SOLD = "t.itemtype NOT IN ('Subtotal', 'Description', 'EndGroup', 'TaxItem', 'TaxGroup')"
_CONDITIONS = {"product": _SOLD, "price": _SOLD}


def _transaction(entity: str, can: Can, rest: str, code: str, **more: object) -> Kind:
    names = (rest.lower(), code.lower(), *_DISPLAYED.get(code, ()))
    kind = Kind(entity, can, TRANSACTIONS, rest, code, gone="|".join(names))
    return replace(kind, **more)  # type: ignore[arg-type]


_DISPLAYED = {
    "CustPymt": ("payment",),
    "Journal": ("journal",),
}

_PARTY = _WRITE | Can.UPDATE | Can.ARCHIVE
KINDS: Mapping[str, Kind] = {
    kind.entity: kind
    for kind in (
        Kind(
            "customer",
            _PARTY,
            CUSTOMERS,
            "customer",
            lists=("addresses",),
            gone="customer|custjob|lead|prospect",
        ),
        Kind("contact", _PARTY, CONTACTS, "contact", gone="contact"),
        Kind(
            "product",
            _PARTY,
            ITEMS,
            "serviceSaleItem",
            gone="(?!customrecord)[a-z]*item(for[a-z]+)?|(service|othercharge)(for[a-z]+)?"
            "|discount|markup",
        ),
        Kind(
            "price",
            Can.LIST | Can.CHANGES | Can.GET,
            ITEMS,
            "serviceSaleItem",
            lists=("prices",),
        ),
        _transaction(
            "invoice",
            _WRITE | Can.UPDATE,
            "invoice",
            "CustInvc",
            lists=("lines", "applications"),
            touched_by=RECEIPTS,
            left="foreignamountunpaid",
            sublists=("item",),
        ),
        _transaction(
            "payment",
            _WRITE | Can.UPDATE,
            "customerPayment",
            "CustPymt",
            lists=("applications",),
            touched_by=("CustRfnd",),
            left="foreignpaymentamountunused",
            sublists=("apply",),
        ),
        _transaction(
            "credit_note",
            _WRITE | Can.UPDATE,
            "creditMemo",
            "CustCred",
            lists=("lines", "applications"),
            touched_by=("CustRfnd",),
            left="foreignpaymentamountunused",
            sublists=("item", "apply"),
        ),
        _transaction(
            "refund",
            _WRITE | Can.UPDATE,
            "customerRefund",
            "CustRfnd",
            lists=("applications",),
            sublists=("apply",),
        ),
        _transaction("payout", _READ, "deposit", "Deposit", lists=("lines", "applications")),
        _transaction(
            "journal_entry",
            _WRITE | Can.UPDATE,
            "journalEntry",
            "Journal",
            lists=("accounts",),
            sublists=("line",),
        ),
    )
}


def custom_names(kind: Kind, settings: NetSuiteConfig) -> list[str]:
    """The custom fields that are read with it, in lower case."""
    wanted = [*settings.custom_fields, settings.key_field or ""]
    if kind.entity == "payout" and settings.payout_deposits.field:
        wanted.append(settings.payout_deposits.field)
    low = dict.fromkeys(each.lower() for each in wanted)
    return [name for name in low if name.startswith(kind.custom_prefix)]


def configured(kind: Kind, settings: NetSuiteConfig) -> tuple[Select, str]:
    """The header query with the account's custom fields, and its further condition."""
    deposits = settings.payout_deposits
    condition = ""
    if kind.entity == "payout" and deposits.field:
        condition += f" AND t.{deposits.field.lower()} IS NOT NULL"
    if kind.entity == "payout" and deposits.memo_contains:
        condition += " AND INSTR(t.memo, ?) > 0"
    custom = tuple(Column(f"t.{name}", name) for name in custom_names(kind, settings))
    if not custom:
        return kind.select, condition
    select = replace(
        kind.select,
        name=f"{kind.select.name} with custom fields",
        columns=(*kind.select.columns, *custom),
    )
    return select, condition
