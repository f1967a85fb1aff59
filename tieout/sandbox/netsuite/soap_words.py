"""How records are spelled in SOAP: namespaces, elements in the order of the schema, sublists.

Names and order are those of the schema documents of the endpoint; fields that the stand-in does
not hold are left out.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_N3477815.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import unused

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"

# Short names for the namespaces of one endpoint; `{}` is its version.
SPACES = {
    "core": "urn:core_{}.platform.webservices.netsuite.com",
    "messages": "urn:messages_{}.platform.webservices.netsuite.com",
    "faults": "urn:faults_{}.platform.webservices.netsuite.com",
    "common": "urn:common_{}.platform.webservices.netsuite.com",
    "listRel": "urn:relationships_{}.lists.webservices.netsuite.com",
    "listAcct": "urn:accounting_{}.lists.webservices.netsuite.com",
    "tranSales": "urn:sales_{}.transactions.webservices.netsuite.com",
    "tranCust": "urn:customers_{}.transactions.webservices.netsuite.com",
    "tranBank": "urn:bank_{}.transactions.webservices.netsuite.com",
    "tranGeneral": "urn:general_{}.transactions.webservices.netsuite.com",
}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def space(name: str, version: str) -> str:
    return SPACES[name].format(version)


@dataclass(frozen=True)
class SoapList:
    """A sublist: `<element><line>...</line></element>`; `name` is REST's."""

    name: str
    element: str
    line: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class SoapType:
    """A record type: its elements in order; the sublists stand in that order, too."""

    space: str
    search: str
    elements: tuple[str, ...]
    lists: Mapping[str, SoapList] = field(default_factory=dict)


# SOAP's name -> REST's, where they differ in more than case.
RENAMED = {
    "subTotal": "subtotal",
    "addressbookAddress": "addressBookAddress",
    "inclInFxRateUpdates": "includeInFxRateUpdates",
    "salesEffectiveDate": "saleseffectivedate",
}
# Elements that hold one word of an enumeration, or a text, where REST has a reference.
TEXTS = frozenset(
    {"status", "reversalEntry", "acctType", "generalRate", "cashFlowRate", "discountRate", "rate"}
)
WORDS = frozenset(
    {"language", "country", "emailPreference", "globalSubscriptionStatus", "creditHoldOverride",
     "stage", "symbolPlacement", "currencyPrecision", "locale"}
)  # fmt: skip

_ITEM_LINE = SoapList(
    "item",
    "itemList",
    "item",
    _words(
        "item line description amount isTaxable quantity units price rate percentComplete "
        "department orderLine class location revRecStartDate revRecEndDate grossAmt costEstimate "
        "taxDetailsReference tax1Amt taxCode taxRate1 taxAmount customFieldList"
    ),
)
# The lines of credit memos and cash refunds have the same elements in another order.
_CREDIT_LINE = SoapList(
    "item",
    "itemList",
    "item",
    _words(
        "item orderLine line quantity description price rate amount isTaxable taxCode taxRate1 "
        "tax1Amt grossAmt department class location costEstimate taxDetailsReference "
        "revRecStartDate revRecEndDate units taxAmount customFieldList"
    ),
)
_REFUND_LINE = SoapList(
    "item",
    "itemList",
    "item",
    _words(
        "item line orderLine quantity units description price rate amount taxCode taxRate1 "
        "tax1Amt grossAmt isTaxable department class location revRecStartDate revRecEndDate "
        "costEstimate taxDetailsReference taxAmount customFieldList"
    ),
)


def _apply(order: str) -> SoapList:
    return SoapList("apply", "applyList", "apply", tuple(order.split()))


_ADDRESSES = SoapList(
    "addressBook",
    "addressbookList",
    "addressbook",
    ("defaultShipping", "defaultBilling", "isResidential", "label", "addressbookAddress",
     "internalId"),
)  # fmt: skip
ADDRESS = _words(
    "internalId country attention addressee addrPhone addr1 addr2 addr3 city state zip addrText "
    "override"
)
_CURRENCIES = SoapList(
    "currencyList",
    "currencyList",
    "currency",
    ("currency", "balance", "depositBalance", "overdueBalance", "unbilledOrders"),
)
_JOURNAL = SoapList(
    "line",
    "lineList",
    "line",
    _words(
        "account line debit credit taxCode memo entity grossAmt department class location "
        "eliminate schedule tax1Amt customFieldList"
    ),
)
_PAYMENTS = SoapList(
    "payment",
    "paymentList",
    "depositPayment",
    _words(
        "deposit id docDate type memo refNum entity currency transactionAmount paymentAmount lineId"
    ),
)
_OTHERS = SoapList(
    "other",
    "otherList",
    "depositOther",
    _words("entity amount account paymentMethod refNum department class location memo"),
)
_CASH_BACK = SoapList(
    "cashBack",
    "cashBackList",
    "depositCashBack",
    _words("amount account department class location memo"),
)


def _type(space: str, search: str, order: str, *lists: SoapList) -> SoapType:
    return SoapType(space, search, tuple(order.split()), {one.element: one for one in lists})


_SALE_ITEM = (
    "createdDate lastModifiedDate salesDescription includeChildren incomeAccount isTaxable "
    "taxSchedule costEstimate unitsType saleUnit issueProduct deferredRevenueAccount isFulfillable "
    "costCategory pricingGroup revenueRecognitionRule storeDisplayName customForm itemId upcCode "
    "displayName parent isOnline isInactive availableToPartners department class location "
    "pricingMatrix customFieldList"
)

SOAP_TYPES: dict[str, SoapType] = {
    "customer": _type(
        "listRel",
        "Customer",
        "customForm entityId altName isPerson salutation firstName middleName lastName companyName "
        "entityStatus parent phone fax email url defaultAddress isInactive category title altPhone "
        "homePhone mobilePhone altEmail language comments dateCreated emailPreference subsidiary "
        "salesRep territory partner vatRegNumber accountNumber terms creditLimit "
        "creditHoldOverride balance overdueBalance daysOverdue unbilledOrders priceLevel currency "
        "depositBalance shipComplete taxable taxItem resaleNumber aging startDate endDate "
        "giveAccess leadSource receivablesAccount lastModifiedDate stage emailTransactions "
        "printTransactions faxTransactions globalSubscriptionStatus addressbookList currencyList "
        "customFieldList",
        _ADDRESSES,
        _CURRENCIES,
    ),
    "contact": _type(
        "listRel",
        "Contact",
        "customForm entityId company salutation firstName middleName lastName title phone fax "
        "email isPrivate isInactive subsidiary altEmail officePhone homePhone mobilePhone comments "
        "dateCreated lastModifiedDate addressbookList customFieldList",
        _ADDRESSES,
    ),
    **{
        name: _type("listAcct", "Item", _SALE_ITEM)
        for name in ("serviceSaleItem", "nonInventorySaleItem", "otherChargeSaleItem")
    },
    "serviceResaleItem": _type(
        "listAcct",
        "Item",
        "createdDate lastModifiedDate purchaseDescription cost expenseAccount salesDescription "
        "includeChildren incomeAccount taxSchedule isTaxable costEstimate unitsType saleUnit "
        "issueProduct deferralAccount revenueRecognitionRule isFulfillable generateAccruals "
        "costCategory pricingGroup storeDisplayName customForm itemId upcCode displayName "
        "vendorName parent isOnline isInactive availableToPartners department class location "
        "pricingMatrix customFieldList",
    ),
    "inventoryItem": _type(
        "listAcct",
        "Item",
        "createdDate lastModifiedDate purchaseDescription expenseAccount cogsAccount "
        "salesDescription includeChildren incomeAccount taxSchedule revenueRecognitionRule "
        "isTaxable assetAccount unitsType saleUnit issueProduct deferredRevenueAccount "
        "costCategory costEstimate pricingGroup cost averageCost storeDisplayName customForm "
        "itemId upcCode displayName vendorName parent isOnline isInactive availableToPartners "
        "department class location pricingMatrix customFieldList",
    ),
    "discountItem": _type(
        "listAcct",
        "Item",
        "createdDate lastModifiedDate description account includeChildren rate customForm itemId "
        "issueProduct upcCode displayName vendorName parent isInactive availableToPartners "
        "department class location taxSchedule deferredRevenueAccount expenseAccount "
        "incomeAccount customFieldList",
    ),
    "invoice": _type(
        "tranSales",
        "Transaction",
        "createdDate lastModifiedDate nexus taxDetailsOverride customForm entity tranDate tranId "
        "source createdFrom postingPeriod department class terms location subsidiary currency "
        "dueDate salesRep partner leadSource startDate endDate otherRefNum memo "
        "salesEffectiveDate amountPaid amountRemaining balance account exchangeRate currencyName "
        "discountItem discountRate isTaxable toBePrinted toBeEmailed toBeFaxed message "
        "billAddressList shipAddressList shipDate shipMethod shippingCost salesGroup subTotal "
        "syncSalesTeams discountTotal taxTotal total status email syncPartnerTeams itemList "
        "approvalStatus customFieldList",
        _ITEM_LINE,
    ),
    "creditMemo": _type(
        "tranCust",
        "Transaction",
        "createdDate lastModifiedDate nexus taxDetailsOverride customForm currency entity tranDate "
        "tranId createdFrom postingPeriod department class location subsidiary salesRep partner "
        "otherRefNum memo leadSource balance account exchangeRate amountPaid salesEffectiveDate "
        "currencyName amountRemaining discountItem source discountRate isTaxable unapplied applied "
        "toBePrinted toBeEmailed email toBeFaxed message billAddressList shipMethod shippingCost "
        "subTotal discountTotal taxTotal total salesGroup syncSalesTeams status syncPartnerTeams "
        "itemList applyList customFieldList",
        _CREDIT_LINE,
        _apply("apply doc applyDate type refNum total due currency amount line"),
    ),
    "cashRefund": _type(
        "tranCust",
        "Transaction",
        "createdDate lastModifiedDate nexus taxDetailsOverride customForm entity tranDate tranId "
        "source createdFrom postingPeriod department class location leadSource subsidiary salesRep "
        "partner otherRefNum memo salesEffectiveDate account currency exchangeRate currencyName "
        "discountItem discountRate isTaxable toBePrinted toBeEmailed email toBeFaxed message "
        "paymentOption billAddressList shipMethod shippingCost salesGroup syncSalesTeams "
        "paymentMethod subTotal discountTotal taxTotal total status syncPartnerTeams itemList "
        "customFieldList",
        _REFUND_LINE,
    ),
    "customerPayment": _type(
        "tranCust",
        "Transaction",
        "createdDate lastModifiedDate customForm arAcct customer balance pending currency payment "
        "autoApply tranDate tranId postingPeriod paymentMethod memo checkNum currencyName "
        "exchangeRate creditCard chargeIt ccApproved pnRefNum undepFunds account total subsidiary "
        "applied unapplied class department location paymentOption status applyList "
        "customFieldList",
        _apply("apply doc line applyDate type refNum total due currency discDate discAmt disc "
               "amount"),
    ),
    "customerRefund": _type(
        "tranCust",
        "Transaction",
        "createdDate lastModifiedDate status customer customForm balance arAcct currencyName "
        "exchangeRate total currency tranDate postingPeriod memo paymentMethod account toBePrinted "
        "tranId chargeIt pnRefNum subsidiary department class location paymentOption creditCard "
        "ccApproved applyList payeeAddressList customFieldList",
        _apply("apply doc line applyDate type refNum total due currency amount"),
    ),
    "customerDeposit": _type(
        "tranCust",
        "Transaction",
        "createdDate lastModifiedDate status customer customForm payment currency tranDate "
        "postingPeriod paymentMethod memo currencyName exchangeRate checkNum creditCard subsidiary "
        "department class location paymentOption chargeIt ccApproved pnRefNum account undepFunds "
        "tranId customFieldList",
    ),
    "deposit": _type(
        "tranBank",
        "Transaction",
        "createdDate lastModifiedDate customForm currencyName tranId account total exchangeRate "
        "tranDate postingPeriod memo toBePrinted subsidiary department class location paymentList "
        "otherList cashBackList customFieldList",
        _PAYMENTS,
        _OTHERS,
        _CASH_BACK,
    ),
    "journalEntry": _type(
        "tranGeneral",
        "Transaction",
        "postingPeriod tranDate currency exchangeRate tranId reversalDate reversalDefer "
        "accountingBook reversalEntry createdFrom department class location subsidiary nexus memo "
        "approved createdDate lastModifiedDate customForm lineList customFieldList",
        _JOURNAL,
    ),
    "currency": _type(
        "listAcct",
        "",
        "name symbol isBaseCurrency isInactive overrideCurrencyFormat displaySymbol exchangeRate "
        "inclInFxRateUpdates",
    ),
    "account": _type(
        "listAcct",
        "Account",
        "acctType acctNumber acctName includeChildren currency parent description isInactive "
        "inventory eliminate openingBalance revalue customFieldList",
    ),
    "subsidiary": _type(
        "listAcct",
        "Subsidiary",
        "name parent isInactive url state country legalName isElimination email currency "
        "federalIdNumber customFieldList",
    ),
    "term": _type(
        "listAcct",
        "Term",
        "name dateDriven daysUntilNetDue discountPercent daysUntilExpiry dayOfMonthNetDue "
        "preferred isInactive",
    ),
    "accountingPeriod": _type(
        "listAcct",
        "AccountingPeriod",
        "periodName parent startDate endDate closedOnDate isAdjust isQuarter isYear closed "
        "apLocked arLocked payrollLocked allLocked allowNonGLChanges",
    ),
}  # fmt: skip

SEARCHES: dict[str, tuple[str, ...]] = {}
for _name, _spelled in SOAP_TYPES.items():
    if _spelled.search:
        SEARCHES[_spelled.search] = (*SEARCHES.get(_spelled.search, ()), _name)
SEARCHES |= dict.fromkeys(unused.SEARCHES, ())

# Values of the criterion `type` of a transaction search.
TRANSACTION_WORDS = {
    "_invoice": "invoice",
    "_creditMemo": "creditMemo",
    "_cashRefund": "cashRefund",
    "_customerPayment": "customerPayment",
    "_customerRefund": "customerRefund",
    "_customerDeposit": "customerDeposit",
    "_deposit": "deposit",
    "_journal": "journalEntry",
}
# And of an item search, with the codes of SuiteQL.
ITEM_WORDS = {
    "_service": "Service", "_nonInventoryItem": "NonInvtPart", "_otherCharge": "OthCharge",
    "_inventoryItem": "InvtPart", "_discount": "Discount", "_assembly": "Assembly", "_kit": "Kit",
    "_subtotal": "Subtotal", "_description": "Description", "_markup": "Markup",
    "_itemGroup": "Group", "_downloadItem": "DwnLdItem", "_giftCertificateItem": "GiftCert",
    "_payment": "Payment",
}  # fmt: skip
LANGUAGES = {
    "en_US": "_englishUS", "en_GB": "_englishUK", "en_AU": "_englishAu", "en_CA": "_englishCa",
    "en": "_englishInternational", "de_DE": "_german", "fr_FR": "_frenchFrance",
    "fr_CA": "_frenchCanada", "es_ES": "_spanish", "es_AR": "_latinAmericanSpanish",
    "it_IT": "_italian", "nl_NL": "_dutch", "ja_JP": "_japanese", "ko_KR": "_korean",
    "zh_CN": "_chineseSimplified", "zh_TW": "_chineseTraditional", "sv_SE": "_swedish",
    "da_DK": "_danish", "fi_FI": "_finnish", "no_NO": "_norwegian", "pl_PL": "_polish",
    "cs_CZ": "_czech", "ru_RU": "_russian", "tr_TR": "_turkish", "th_TH": "_thai",
}  # fmt: skip
# The enumeration Country is the English names run together; these are the usual ones.
COUNTRIES = {
    "AT": "_austria", "AU": "_australia", "BE": "_belgium", "BR": "_brazil", "CA": "_canada",
    "CH": "_switzerland", "CN": "_china", "CZ": "_czechia", "DE": "_germany",
    "DK": "_denmark", "EE": "_estonia", "ES": "_spain", "FI": "_finland", "FR": "_france",
    "GB": "_unitedKingdom", "GR": "_greece", "HK": "_hongKong", "HU": "_hungary",
    "IE": "_ireland", "IL": "_israel", "IN": "_india", "IS": "_iceland", "IT": "_italy",
    "JP": "_japan", "KR": "_koreaTheRepublicOf", "KW": "_kuwait", "LT": "_lithuania",
    "LU": "_luxembourg", "LV": "_latvia", "MX": "_mexico", "NL": "_netherlands", "NO": "_norway",
    "NZ": "_newZealand", "PL": "_poland", "PT": "_portugal", "RO": "_romania", "SE": "_sweden",
    "SG": "_singapore", "SI": "_slovenia", "SK": "_slovakia",
    "US": "_unitedStates", "ZA": "_southAfrica",
}  # fmt: skip
