"""What NetSuite has and this account does not use: record types without a record, empty tables.

Clients that copy a whole account ask for all of it and expect nothing, not a refusal.
Record types: https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_1540810168.html
Tables: https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/article_159367781370.html
"""

from __future__ import annotations

_RECORDS = """
advIntercompanyJournalEntry assemblyBuild assemblyItem assemblyUnbuild billingAccount
billingSchedule bin bom bomRevision calendarEvent campaign cashSale charge check classification
consolidatedExchangeRate contactCategory contactRole costCategory couponCode creditCardCharge
creditCardRefund currencyRate customerCategory customerMessage customerStatus
customerSubsidiaryRelationship department depositApplication descriptionItem downloadItem
emailTemplate employee entityGroup estimate expenseCategory expenseReport file folder
giftCertificateItem globalAccountMapping inboundShipment intercompanyJournalEntry
intercompanyTransferOrder inventoryAdjustment inventoryNumber inventoryTransfer issue
itemDemandPlan itemFulfillment itemGroup itemReceipt itemRevision itemSupplyPlan job jobStatus
jobType kitItem lead location lotNumberedAssemblyItem lotNumberedInventoryItem markupItem
merchandiseHierarchyNode message nexus nonInventoryPurchaseItem nonInventoryResaleItem note
noteType opportunity otherChargePurchaseItem otherChargeResaleItem otherName otherNameCategory
partner partnerCategory paycheckJournal paymentItem paymentMethod periodEndJournal phoneCall
priceBook priceLevel pricePlan pricingGroup projectTask promotionCode prospect purchaseOrder
purchaseRequisition resourceAllocation returnAuthorization revRecSchedule revRecTemplate
salesOrder salesRole salesTaxItem serializedAssemblyItem serializedInventoryItem
servicePurchaseItem solution statisticalJournalEntry subscription subscriptionChangeOrder
subscriptionLine subscriptionPlan subtotalItem supportCase task taxGroup taxType timeBill timeSheet
topic transferOrder unitsType usage vendor vendorBill vendorCategory vendorCredit vendorPayment
vendorPrepayment vendorPrepaymentApplication vendorReturnAuthorization
vendorSubsidiaryRelationship workOrder workOrderClose workOrderCompletion workOrderIssue
"""
RECORDS: dict[str, str] = {name.lower(): name for name in _RECORDS.split()}

# The searches of the SOAP endpoint's schema that find none of this account's records.
_SEARCHES = """
AccountingTransaction BillingAccount BillingSchedule Bin Bom BomRevision Budget CalendarEvent
Campaign Charge Classification ConsolidatedExchangeRate ContactCategory ContactRole CostCategory
CouponCode CurrencyRate CustomList CustomRecord CustomerCategory CustomerMessage CustomerStatus
CustomerSubsidiaryRelationship Department Employee EntityGroup ExpenseCategory FairValuePrice File
Folder GiftCertificate GlobalAccountMapping HcmJob InboundShipment InventoryNumber Issue
ItemAccountMapping ItemDemandPlan ItemRevision ItemSupplyPlan Job JobStatus JobType Location
ManufacturingCostTemplate ManufacturingOperationTask ManufacturingRouting MerchandiseHierarchyNode
Message Nexus Note NoteType Opportunity OriginatingLead OtherNameCategory Partner PartnerCategory
Paycheck PaymentInstrument PaymentMethod PaymentOption PayrollItem PhoneCall PriceLevel
PricingGroup ProjectTask PromotionCode ResourceAllocation RevRecSchedule RevRecTemplate SalesRole
SalesTaxItem SiteCategory Solution SupportCase Task TaxGroup TaxType TimeBill TimeEntry TimeSheet
Topic UnitsType Usage Vendor VendorCategory VendorSubsidiaryRelationship WinLossReason
"""
SEARCHES = frozenset(_SEARCHES.split())

# What getAll lists beside the currencies.
_ALL = """
budgetCategory campaignAudience campaignCategory campaignChannel campaignFamily campaignOffer
campaignSearchEngine campaignSubscription campaignVertical leadSource state supportCaseIssue
supportCaseOrigin supportCasePriority supportCaseStatus supportCaseType taxAcct
"""
ALL = frozenset(_ALL.split())

_LIST = "int: id parent;text: name isinactive externalid;date: lastmodifieddate"
_LINK = (
    "int: previousdoc nextdoc;text: linktype previoustype nexttype;number: foreignamount;"
    "date: previousdate nextdate lastmodifieddate"
)
_ADDRESS = (
    "int: nkey recordowner;text: addressee attention addr1 addr2 addr3 addrphone addrtext city "
    "state zip country;date: lastmodifieddate"
)
TABLES: dict[str, str] = {
    **dict.fromkeys(
        (
            "customercategory",
            "entitystatus",
            "entitygroup",
            "expensecategory",
            "pricelevel",
            "paymentmethod",
            "salesrole",
            "vendorcategory",
            "unitstype",
            "nexus",
            "taxtype",
            "salestaxitem",
            "taxgroup",
            "customlist",
            "customrecordtype",
            "billingaccount",
            "subscriptionplan",
            "campaign",
            "leadsource",
            "revenuerecognitionrule",
        ),
        _LIST,
    ),
    **dict.fromkeys(
        ("partner", "job", "othername"),
        "int: id parent subsidiary currency customer;text: entityid entitytitle altname "
        "companyname firstname lastname email phone isinactive isperson externalid;"
        "date: datecreated lastmodifieddate startdate",
    ),
    "previoustransactionlink": _LINK,
    "nexttransactionlink": _LINK,
    "transactionbillingaddress": _ADDRESS,
    "transactionshippingaddress": _ADDRESS,
    "currencyrate": (
        "int: id basecurrency transactioncurrency;number: exchangerate;"
        "date: effectivedate lastmodifieddate"
    ),
    "systemnote": (
        "int: id name recordid recordtypeid role;text: context field newvalue oldvalue type;"
        "date: date"
    ),
    "transactionstatus": "text: id name fullname trantype trancustomtype",
    "accounttype": "text: id longname",
    "customfield": (
        "int: internalid;text: scriptid name fieldtype fieldvaluetype isinactive;"
        "date: lastmodifieddate"
    ),
    "file": "int: id folder filesize;text: name filetype url;date: createddate lastmodifieddate",
    "usage": "int: id customer item subscriptionplan;number: usagequantity;date: usagedate",
    "subscription": (
        "int: id customer subscriptionplan billingaccount currency subsidiary;text: name "
        "billingsubscriptionstatus externalid;date: startdate enddate lastmodifieddate"
    ),
    "country": "text: id name edition",
    "state": "int: id;text: country fullname shortname",
    "inventoryitemlocations": (
        "int: item location;number: quantityavailable quantityonhand quantityonorder averagecostmli"
    ),
    "aggregateitemlocation": (
        "int: item location;number: quantityavailable quantityonhand quantityonorder averagecostmli"
    ),
}

ACCOUNT_TYPES = {
    "Bank": "Bank",
    "AcctRec": "Accounts Receivable",
    "UnbilledRec": "Unbilled Receivable",
    "OthCurrAsset": "Other Current Asset",
    "FixedAsset": "Fixed Asset",
    "OthAsset": "Other Asset",
    "DeferExpense": "Deferred Expense",
    "AcctPay": "Accounts Payable",
    "CredCard": "Credit Card",
    "OthCurrLiab": "Other Current Liability",
    "LongTermLiab": "Long Term Liability",
    "DeferRevenue": "Deferred Revenue",
    "Equity": "Equity",
    "Income": "Income",
    "COGS": "Cost of Goods Sold",
    "Expense": "Expense",
    "OthIncome": "Other Income",
    "OthExpense": "Other Expense",
    "NonPosting": "Non Posting",
    "Stat": "Statistical",
}
