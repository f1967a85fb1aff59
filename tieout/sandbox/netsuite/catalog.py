"""The record types that the stand-in knows: fields, sublists, keys, and their SuiteQL codes.

Field and sublist names follow the REST API Browser (record/v1, release 2026.1):
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_157373386674.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

ENTITIES, TRANSACTIONS, ITEMS = "entities", "transactions", "items"

# A field's kind: text, int, amount (the record's currency decides its places), number (free
# decimal), bool, date, datetime, choice ({id, refName} or a word), or ref:<record type>.
Fields = Mapping[str, str]


def _fields(text: str) -> dict[str, str]:
    """'kind: a b c; kind: d' as {a: kind, ...}."""
    found: dict[str, str] = {}
    for clause in text.split(";"):
        kind, _, names = clause.strip().rpartition(": ")
        found |= {name: kind for name in names.split()}
    return found


@dataclass(frozen=True)
class Sublist:
    """`keys` are the fields that identify a line; without them lines are only ever appended."""

    name: str
    keys: tuple[str, ...]
    fields: Fields

    @cached_property
    def spelling(self) -> dict[str, str]:
        return {name.lower(): name for name in self.fields}


@dataclass(frozen=True)
class RecordType:
    """One REST record type; types of one `group` share internal and external ids."""

    name: str
    label: str
    group: str
    fields: Fields
    sublists: Mapping[str, Sublist] = field(default_factory=dict)
    code: str = ""
    type_id: int = 0

    @property
    def path(self) -> str:
        return self.name.lower()

    @property
    def is_transaction(self) -> bool:
        return self.group == TRANSACTIONS

    @cached_property
    def spelling(self) -> dict[str, str]:
        """Lower-cased name -> name as documented, fields and sublists alike."""
        return {name.lower(): name for name in [*self.fields, *self.sublists]}

    @property
    def custom_prefix(self) -> str:
        prefixes = {ENTITIES: "custentity", TRANSACTIONS: "custbody", ITEMS: "custitem"}
        return prefixes.get(self.group, "custrecord")


_COMMON = "text: externalId; int: id; datetime: lastModifiedDate createdDate dateCreated"

_BODY = _fields(
    f"{_COMMON}; text: tranId memo otherRefNum email source transactionNumber message;"
    "date: tranDate dueDate startDate endDate asOfDate shipDate saleseffectivedate billDate;"
    "ref:currency: currency; ref:subsidiary: subsidiary; ref:accountingPeriod: postingPeriod;"
    "ref:account: account; number: exchangeRate; choice: status approvalStatus department class "
    "location customForm nexus paymentMethod paymentOption; bool: toBeEmailed toBePrinted "
    "toBeFaxed undepFunds approved"
)
_SALE = _BODY | _fields(
    "ref:customer: entity; ref:term: terms; ref:transaction: createdFrom; ref:item: discountItem;"
    "amount: subtotal taxTotal total discountTotal discountRate shippingCost amountPaid "
    "amountRemaining amountRemainingTotalBox balance applied unapplied; bool: taxDetailsOverride "
    "isTaxable syncSalesTeams syncPartnerTeams; choice: salesRep salesGroup shipMethod leadSource "
    "billAddressList shipAddressList partner; text: billAddress shipAddress currencyName terms_"
)
_RECEIPT = _BODY | _fields(
    "ref:customer: customer entity; amount: payment total applied unapplied pending balance; "
    "ref:account: arAcct aracct; text: checkNum tranNum pnRefNum currencyName; "
    "bool: autoApply chargeIt ccApproved; date: postingDate; choice: creditCard payeeAddressList"
)

_LINE_CODES = "choice: department class location taxCode price units taxDetailsReference"
_ITEM = Sublist(
    "item",
    ("line",),
    _fields(
        f"ref:item: item; {_LINE_CODES}; int: line orderLine; number: quantity; number: rate;"
        "amount: amount grossAmt taxAmount tax1Amt; text: description itemType itemSubType "
        "taxDetailsReference; bool: isTaxable printItems; date: startDate endDate revRecStartDate "
        "revRecEndDate; ref:transaction: orderDoc; number: taxRate1 percentComplete costEstimate"
    ),
)
_TAX = Sublist(
    "taxDetails",
    (),
    _fields(
        "choice: taxCode taxType taxDetailsReference; number: taxRate; "
        "amount: taxAmount taxBasis netAmount; int: line; text: lineName calcDetail "
        "taxDetailsReference"
    ),
)
_APPLY = Sublist(
    "apply",
    ("doc",),
    _fields(
        "ref:transaction: doc; bool: apply; amount: amount due total disc discAmt; "
        "date: applyDate dueDate discDate; int: line; text: type refNum currency trantype; "
        "choice: createdFrom"
    ),
)
_JOURNAL_LINE = Sublist(
    "line",
    ("line",),
    _fields(
        "ref:account: account; amount: debit credit; ref:customer: entity; text: memo; int: line;"
        "choice: department class location taxCode schedule; bool: eliminate; "
        "amount: tax1Amt grossAmt; ref:subsidiary: lineSubsidiary"
    ),
)
_ADDRESS_BOOK = Sublist(
    "addressBook",
    ("id",),
    _fields(
        "int: id internalId addressId; bool: defaultBilling defaultShipping isResidential; "
        "text: label addressBookAddress_text; any: addressBookAddress"
    ),
)
_PRICES = Sublist(
    "price",
    ("priceLevel", "currencyPage", "quantity"),
    _fields(
        "choice: priceLevel currencyPage quantity; number: price discountDisplay; "
        "text: priceLevelName"
    ),
)


def _sublists(*each: Sublist) -> dict[str, Sublist]:
    return {one.name: one for one in each}


_CURRENCIES = Sublist(
    "currencyList",
    ("currency",),
    _fields("ref:currency: currency; amount: balance overdueBalance depositBalance unbilledOrders"),
)
_MEMBERSHIPS = Sublist(
    "subsidiaries",
    ("subsidiary",),
    _fields("ref:subsidiary: subsidiary; bool: isPrimarySub"),
)

_CUSTOMER = _fields(
    f"{_COMMON}; text: entityId companyName firstName middleName lastName salutation title email "
    "phone altPhone mobilePhone homePhone fax url comments accountNumber vatRegNumber "
    "defaultAddress resaleNumber altName altEmail; bool: isPerson isInactive autoName taxable "
    "emailTransactions printTransactions faxTransactions giveAccess shipComplete isJob; "
    "ref:subsidiary: subsidiary; ref:currency: currency; ref:term: terms; ref:customer: parent; "
    "ref:account: receivablesAccount; amount: balance overdueBalance creditLimit depositBalance "
    "unbilledOrders aging; choice: category entityStatus salesRep priceLevel language "
    "emailPreference creditHoldOverride customForm stage territory leadSource partner taxItem "
    "globalSubscriptionStatus; date: startDate endDate dateClosed; int: daysOverdue"
)
_CONTACT = _fields(
    f"{_COMMON}; text: entityId firstName middleName lastName salutation title email altEmail "
    "phone mobilePhone officePhone homePhone fax comments; bool: isInactive isPrivate autoName; "
    "ref:customer: company; ref:subsidiary: subsidiary; choice: category contactRole customForm"
)
_ITEM_FIELDS = _fields(
    f"{_COMMON}; text: itemId displayName fullName upcCode description salesDescription "
    "purchaseDescription vendorName storeDisplayName itemType; bool: isInactive isFulfillable "
    "includeChildren isOnline availableToPartners generateAccruals isTaxable; "
    "ref:account: incomeAccount expenseAccount cogsAccount assetAccount account deferralAccount "
    "deferredRevenueAccount; ref:item: parent; ref:currency: currency; any: subsidiary; choice: "
    "taxSchedule class department location unitsType saleUnit costCategory revenueRecognitionRule "
    "customForm issueProduct pricingGroup; any: rate; number: cost basePrice averageCost"
)
_ITEM_SUBLISTS = _sublists(_PRICES)

_PARTS: list[RecordType] = [
    RecordType(
        "customer",
        "Customer",
        ENTITIES,
        _CUSTOMER,
        _sublists(_ADDRESS_BOOK, _CURRENCIES, _MEMBERSHIPS),
        "CustJob",
        -2,
    ),
    RecordType("contact", "Contact", ENTITIES, _CONTACT, _sublists(_ADDRESS_BOOK), "Contact", -6),
    *(
        RecordType(name, label, ITEMS, _ITEM_FIELDS, _ITEM_SUBLISTS, code, -10)
        for name, label, code in [
            ("serviceSaleItem", "Service for Sale", "Service"),
            ("serviceResaleItem", "Service for Resale", "Service"),
            ("nonInventorySaleItem", "Non-inventory Item for Sale", "NonInvtPart"),
            ("otherChargeSaleItem", "Other Charge for Sale", "OthCharge"),
            ("inventoryItem", "Inventory Item", "InvtPart"),
            ("discountItem", "Discount", "Discount"),
        ]
    ),
    RecordType(
        "invoice",
        "Invoice",
        TRANSACTIONS,
        _SALE,
        _sublists(_ITEM, _TAX),
        "CustInvc",
        -30,
    ),
    RecordType(
        "creditMemo",
        "Credit Memo",
        TRANSACTIONS,
        _SALE,
        _sublists(_ITEM, _TAX, _APPLY),
        "CustCred",
        -30,
    ),
    RecordType(
        "cashRefund", "Cash Refund", TRANSACTIONS, _SALE, _sublists(_ITEM, _TAX), "CashRfnd", -30
    ),
    RecordType(
        "customerPayment", "Payment", TRANSACTIONS, _RECEIPT, _sublists(_APPLY), "CustPymt", -30
    ),
    RecordType(
        "customerRefund",
        "Customer Refund",
        TRANSACTIONS,
        _RECEIPT,
        _sublists(_APPLY),
        "CustRfnd",
        -30,
    ),
    RecordType("customerDeposit", "Customer Deposit", TRANSACTIONS, _RECEIPT, {}, "CustDep", -30),
    RecordType(
        "deposit",
        "Deposit",
        TRANSACTIONS,
        _BODY | _fields("amount: total"),
        _sublists(
            Sublist(
                "payment",
                ("id",),
                _fields(
                    "int: id lineId; bool: deposit; amount: paymentAmount transactionAmount; "
                    "text: type refNum memo; date: docDate; ref:customer: entity; "
                    "ref:currency: currency"
                ),
            ),
            *(
                Sublist(
                    name,
                    (),
                    _fields(
                        "ref:account: account; amount: amount; ref:customer: entity; text: memo "
                        "refNum; choice: department class location paymentMethod; int: line"
                    ),
                )
                for name in ("other", "cashBack")
            ),
        ),
        "Deposit",
        -30,
    ),
    RecordType(
        "journalEntry",
        "Journal",
        TRANSACTIONS,
        _BODY
        | _fields(
            "date: reversalDate; bool: reversalDefer isReversal; ref:transaction: reversalEntry "
            "createdFrom; amount: total; choice: accountingBook; bool: void"
        ),
        _sublists(_JOURNAL_LINE),
        "Journal",
        -30,
    ),
    RecordType(
        "currency",
        "Currency",
        "currency",
        _fields(
            f"{_COMMON}; text: name symbol displaySymbol locale; number: exchangeRate; "
            "int: currencyPrecision; bool: isInactive isBaseCurrency includeInFxRateUpdates "
            "overrideCurrencyFormat; choice: symbolPlacement"
        ),
        type_id=-122,
    ),
    RecordType(
        "subsidiary",
        "Subsidiary",
        "subsidiary",
        _fields(
            f"{_COMMON}; text: name legalName email url tranPrefix fullName; "
            "ref:currency: currency; ref:subsidiary: parent; bool: isInactive isElimination; "
            "choice: country state fiscalCalendar; text: federalIdNumber"
        ),
        type_id=-117,
    ),
    RecordType(
        "account",
        "Account",
        "account",
        _fields(
            f"{_COMMON}; text: acctName acctNumber description fullName displayName "
            "displayNameWithHierarchy; choice: acctType generalRate cashFlowRate; bool: isInactive "
            "isSummary includeChildren inventory revalue eliminate; ref:account: parent; "
            "ref:currency: currency; any: subsidiary; amount: balance openingBalance"
        ),
        type_id=-112,
    ),
    RecordType(
        "term",
        "Term",
        "term",
        _fields(
            f"{_COMMON}; text: name; int: daysUntilNetDue daysUntilExpiry dayOfMonthNetDue; "
            "bool: isInactive preferred dateDriven; number: discountPercent"
        ),
        type_id=-199,
    ),
    RecordType(
        "accountingPeriod",
        "Accounting Period",
        "accountingPeriod",
        _fields(
            f"{_COMMON}; text: periodName; date: startDate endDate closedOnDate; bool: closed "
            "arLocked apLocked allLocked payrollLocked allowNonGLChanges isAdjust isInactive "
            "isQuarter isYear isPosting; ref:accountingPeriod: parent"
        ),
        type_id=-105,
    ),
]

TYPES: dict[str, RecordType] = {one.path: one for one in _PARTS}
BY_CODE: dict[str, RecordType] = {one.code: one for one in _PARTS if one.is_transaction}

# Words for a status, in the order of the letters that SuiteQL shows.
STATUS_LETTERS: dict[str, dict[str, str]] = {
    "invoice": {"A": "Open", "B": "Paid In Full", "V": "Voided"},
    "creditMemo": {"A": "Open", "B": "Fully Applied", "V": "Voided"},
    "cashRefund": {"A": "Unapproved", "B": "Not Deposited", "C": "Deposited", "V": "Voided"},
    "customerPayment": {
        "A": "Unapproved Payment",
        "B": "Not Deposited",
        "C": "Deposited",
        "V": "Voided",
    },
    "customerRefund": {"A": "Unapproved", "B": "Issued", "V": "Voided"},
    "customerDeposit": {
        "A": "Not Deposited",
        "B": "Deposited",
        "C": "Fully Applied",
        "V": "Voided",
    },
    "deposit": {"A": "Cleared", "B": "Undeposited", "V": "Voided"},
    "journalEntry": {"A": "Pending Approval", "B": "Approved for Posting", "V": "Voided"},
}


def of_target(target: str) -> list[RecordType]:
    """The record types that a reference `ref:<target>` may point at."""
    if target == "transaction":
        return [one for one in _PARTS if one.is_transaction]
    if target == "item":
        return [one for one in _PARTS if one.group == ITEMS]
    return [TYPES[target.lower()]]
