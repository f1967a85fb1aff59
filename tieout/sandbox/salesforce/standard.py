"""The fields of each object, as `fields.read_fields` reads them.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_list.htm
"""

from __future__ import annotations

SINGLE_VALUES = {
    "INDUSTRIES": "Agriculture|Apparel|Banking|Biotechnology|Chemicals|Communications|"
    "Construction|Consulting|Education|Electronics|Energy|Engineering|Entertainment|"
    "Environmental|Finance|Food_&_Beverage|Government|Healthcare|Hospitality|Insurance|Machinery|"
    "Manufacturing|Media|Not_For_Profit|Recreation|Retail|Shipping|Technology|"
    "Telecommunications|Transportation|Utilities|Other",
    "SOURCES": "Web|Phone_Inquiry|Partner_Referral|Purchased_List|Other",
    "STAGES": "Prospecting|Qualification|Needs_Analysis|Value_Proposition|Id._Decision_Makers|"
    "Perception_Analysis|Proposal/Price_Quote|Negotiation/Review|Closed_Won|Closed_Lost",
    "ACCOUNT_TYPES": "Prospect|Customer_-_Direct|Customer_-_Channel|Channel_Partner_/_Reseller|"
    "Installation_Partner|Technology_Partner|Other",
    "CLEAN": "Matched|Different|Acknowledged|NotFound|Inactive|Pending|SelectMatch|Skipped",
    "OPPORTUNITY_TYPES": "Existing_Customer_-_Upgrade|Existing_Customer_-_Replacement|"
    "Existing_Customer_-_Downgrade|New_Customer",
    "FORECASTS": "Omitted|Pipeline|BestCase|MostLikely|Forecast|Closed",
    "CONTRACT_CODES": "Draft|InApproval|Activated|Terminated|Expired|Rejected|Negotiating|"
    "AwaitingSignature|SignatureDeclined|Signed|Cancelled|ContractExpired|"
    "Terminating",
    "ZONES": "UTC|America/Los_Angeles|America/New_York|Europe/London|Europe/Berlin",
}

# Stage: (sort order, closed, won, probability, forecast category).
STAGES = {
    "Prospecting": (1, False, False, 10, "Pipeline"),
    "Qualification": (2, False, False, 10, "Pipeline"),
    "Needs Analysis": (3, False, False, 20, "Pipeline"),
    "Value Proposition": (4, False, False, 50, "Pipeline"),
    "Id. Decision Makers": (5, False, False, 60, "Pipeline"),
    "Perception Analysis": (6, False, False, 70, "Pipeline"),
    "Proposal/Price Quote": (7, False, False, 75, "Pipeline"),
    "Negotiation/Review": (8, False, False, 90, "Pipeline"),
    "Closed Won": (9, True, True, 100, "Closed"),
    "Closed Lost": (10, True, False, 0, "Omitted"),
}
CONTRACT_STATUSES = {
    "Draft": "Draft",
    "In Approval Process": "InApproval",
    "Activated": "Activated",
}
ORDER_STATUSES = {
    "Draft": "Draft",
    "Activated": "Activated",
    "Canceled": "Canceled",
    "Expired": "Expired",
}

_ACCOUNT = """
IsDeleted boolean ro "Deleted"
MasterRecordId reference ro to:Account.MasterRecord
Name string(255) required name of:Name "Account Name"
Type picklist "Account Type" in:ACCOUNT_TYPES
ParentId reference to:Account.Parent/ChildAccounts "Parent Account ID"
@address:Billing
@address:Shipping
Phone phone "Account Phone"
Fax phone "Account Fax"
AccountNumber string(40)
Website url
PhotoUrl url ro "Photo URL"
Sic string(20) "SIC Code"
Industry picklist in:INDUSTRIES
AnnualRevenue currency(18,0)
NumberOfEmployees int "Employees"
Ownership picklist in:Public|Private|Subsidiary|Other
TickerSymbol string(20)
Description textarea(32000) nofilter "Account Description"
Rating picklist "Account Rating" in:Hot|Warm|Cold
Site string(80) "Account Site"
OwnerId reference filled =me to:User.Owner/Accounts "Owner ID"
@audit
LastActivityDate date ro "Last Activity"
@viewed
Jigsaw string(20) "Data.com Key"
JigsawCompanyId string(20) ro to:.JigsawCompany "Jigsaw Company ID"
CleanStatus picklist(40) restricted in:CLEAN
AccountSource picklist in:SOURCES
DunsNumber string(9) "D-U-N-S Number"
Tradestyle string(255)
NaicsCode string(8) "NAICS Code"
NaicsDesc string(120) "NAICS Description"
YearStarted string(4)
SicDesc string(80) "SIC Description"
DandbCompanyId reference to:DandBCompany.DandbCompany "D&B Company ID"
OperatingHoursId reference to:OperatingHours.OperatingHours "Operating Hour ID"
"""

_CONTACT = """
IsDeleted boolean ro "Deleted"
MasterRecordId reference ro to:Contact.MasterRecord
AccountId reference to:Account.Account/Contacts cascade "Account ID"
LastName string(80) required
FirstName string(40)
Salutation picklist(40) in:Mr.|Ms.|Mrs.|Dr.|Prof.
Name string(121) ro filled name "Full Name"
@address:Other
@address:Mailing
Phone phone "Business Phone"
Fax phone "Business Fax"
MobilePhone phone
HomePhone phone
OtherPhone phone
AssistantPhone phone
ReportsToId reference to:Contact.ReportsTo/ReportsTo
Email email lookup
Title string(128)
Department string(80)
AssistantName string(40)
LeadSource picklist in:SOURCES
Birthdate date
Description textarea(32000) nofilter
OwnerId reference filled =me to:User.Owner/Contacts
HasOptedOutOfEmail boolean "Email Opt Out"
HasOptedOutOfFax boolean "Fax Opt Out"
DoNotCall boolean
@audit
LastActivityDate date ro "Last Activity"
LastCURequestDate datetime ro
LastCUUpdateDate datetime ro
@viewed
EmailBouncedReason string(255)
EmailBouncedDate datetime
IsEmailBounced boolean ro
PhotoUrl url ro "Photo URL"
Jigsaw string(20) "Data.com Key"
JigsawContactId string(20) ro
CleanStatus picklist(40) restricted in:CLEAN
IndividualId reference to:Individual.Individual
"""

_OPPORTUNITY = """
IsDeleted boolean ro "Deleted"
AccountId reference to:Account.Account/Opportunities cascade "Account ID"
IsPrivate boolean
Name string(120) required name
Description textarea(32000) nofilter
StageName picklist required in:STAGES "Stage"
Amount currency(18,2)
Probability percent(3,0) "Probability (%)"
ExpectedRevenue currency(18,2) ro "Expected Amount"
TotalOpportunityQuantity double(18,2) "Quantity"
CloseDate date required
Type picklist "Opportunity Type" in:OPPORTUNITY_TYPES
NextStep string(255)
LeadSource picklist in:SOURCES
IsClosed boolean ro "Closed"
IsWon boolean ro "Won"
ForecastCategory picklist(40) restricted ro filled in:FORECASTS
ForecastCategoryName picklist in:Omitted|Pipeline|Best_Case|Commit|Closed
CampaignId reference to:Campaign.Campaign/Opportunities
HasOpportunityLineItem boolean ro "Has Line Item"
Pricebook2Id reference to:Pricebook2.Pricebook2/Opportunities "Price Book ID"
OwnerId reference filled =me to:User.Owner
@audit
LastActivityDate date ro "Last Activity"
LastActivityInDays int ro
PushCount int ro
LastStageChangeDate datetime ro
FiscalQuarter int ro
FiscalYear int ro
Fiscal string(6) ro "Fiscal Period"
ContactId reference noinsert fixed to:Contact.Contact
@viewed
ContractId reference to:Contract.Contract/Opportunities
HasOpenActivity boolean ro
HasOverdueTask boolean ro
LastAmountChangedHistoryId reference ro to:OpportunityHistory.LastAmountChangedHistory
LastCloseDateChangedHistoryId reference ro to:OpportunityHistory.LastCloseDateChangedHistory
"""

_OPPORTUNITY_LINE = """
OpportunityId reference required fixed cascade to:Opportunity.Opportunity/OpportunityLineItems
SortOrder int
PricebookEntryId reference fixed to:PricebookEntry.PricebookEntry/OpportunityLineItems
Product2Id reference fixed to:Product2.Product2/OpportunityLineItems
ProductCode string(255) ro
Name string(376) ro name
Quantity double(10,2) required
TotalPrice currency(18,2)
UnitPrice currency(18,2) "Sales Price"
ListPrice currency(18,2) ro
ServiceDate date "Date"
Description string(255) "Line Description"
Discount percent(5,2)
@audit
IsDeleted boolean ro "Deleted"
@viewed
"""

_CONTRACT = """
AccountId reference required cascade to:Account.Account/Contracts
Pricebook2Id reference to:Pricebook2.Pricebook2/Contracts
OwnerExpirationNotice picklist(40) in:15|30|45|60|90|120
StartDate date "Contract Start Date"
EndDate date ro "Contract End Date"
@address:Billing
@address:Shipping
ContractTerm int
OwnerId reference filled =me to:User.Owner/Contracts
Status picklist(40) filled =Draft in:In_Approval_Process|Activated|Draft
CompanySignedId reference to:User.CompanySigned
CompanySignedDate date
CustomerSignedId reference to:Contact.CustomerSigned/ContractsSigned
CustomerSignedTitle string(40)
CustomerSignedDate date
SpecialTerms textarea(4000) nofilter
ActivatedById reference ro to:User.ActivatedBy
ActivatedDate datetime ro
StatusCode picklist(40) ro filled restricted in:CONTRACT_CODES "Status Category"
Description textarea(32000) nofilter
Name string(80) name
IsDeleted boolean ro "Deleted"
ContractNumber string(30) ro filled lookup auto:{00000000}
LastApprovedDate datetime ro
@audit
LastActivityDate date ro "Last Activity"
@viewed
"""

_ORDER = """
OwnerId reference filled =me to:User.Owner
ContractId reference to:Contract.Contract/Orders
AccountId reference cascade to:Account.Account/Orders
Pricebook2Id reference to:Pricebook2.Pricebook2/Orders
OriginalOrderId reference fixed to:Order.OriginalOrder/ChangeOrders
OpportunityId reference to:Opportunity.Opportunity/Orders
EffectiveDate date required "Order Start Date"
EndDate date "Order End Date"
IsReductionOrder boolean fixed "Reduction Order"
Status picklist required in:Draft|Activated|Canceled|Expired
Description textarea(32000) nofilter
CustomerAuthorizedById reference to:Contact.CustomerAuthorizedBy
CustomerAuthorizedDate date
CompanyAuthorizedById reference to:User.CompanyAuthorizedBy
CompanyAuthorizedDate date
Type picklist(40)
@address:Billing
@address:Shipping
Name string(80) name "Order Name"
PoDate date
PoNumber string(80)
OrderReferenceNumber string(80)
BillToContactId reference to:Contact.BillToContact
ShipToContactId reference to:Contact.ShipToContact
ActivatedDate datetime ro
ActivatedById reference ro to:User.ActivatedBy
StatusCode picklist(40) ro filled restricted in:Draft|Activated|Canceled|Expired "Status Category"
OrderNumber string(30) ro filled lookup auto:{00000000}
TotalAmount currency(16,2) ro filled "Order Amount"
@audit
IsDeleted boolean ro "Deleted"
@viewed
"""

_ORDER_ITEM = """
Product2Id reference fixed to:Product2.Product2/OrderItems
IsDeleted boolean ro "Deleted"
OrderId reference required fixed cascade to:Order.Order/OrderItems
PricebookEntryId reference required fixed to:PricebookEntry.PricebookEntry/OrderItems
OriginalOrderItemId reference fixed to:OrderItem.OriginalOrderItem/ChildOrderItems
AvailableQuantity double(18,2) ro
Quantity double(18,2) required
UnitPrice currency(18,2) required
ListPrice currency(18,2)
TotalPrice currency(16,2) ro
ServiceDate date "Start Date"
EndDate date
Description string(255) "Line Description"
@audit
OrderItemNumber string(30) ro filled name auto:{0000000000}
"""

_PRODUCT = """
Name string(255) required name "Product Name"
ProductCode string(255)
Description textarea(4000) nofilter "Product Description"
IsActive boolean "Active"
@audit
Family picklist "Product Family" in:None
ExternalDataSourceId reference to:ExternalDataSource.ExternalDataSource
ExternalId string(255) "External ID"
DisplayUrl url(1000) "Display URL"
QuantityUnitOfMeasure picklist in:Each
IsDeleted boolean ro "Deleted"
IsArchived boolean ro "Archived"
@viewed
StockKeepingUnit string(180) "Product SKU"
"""

_PRICEBOOK = """
IsDeleted boolean ro "Deleted"
Name string(255) required name "Price Book Name"
@viewed
@audit
IsActive boolean "Active"
IsArchived boolean ro "Archived"
Description string(255)
IsStandard boolean ro "Is Standard Price Book"
"""

_PRICEBOOK_ENTRY = """
Name string(255) ro name "Product Name"
Pricebook2Id reference required fixed to:Pricebook2.Pricebook2/PricebookEntries
Product2Id reference required fixed cascade to:Product2.Product2/PricebookEntries
UnitPrice currency(18,2) filled "List Price"
IsActive boolean "Active"
UseStandardPrice boolean
@audit
ProductCode string(255) ro
IsDeleted boolean ro "Deleted"
IsArchived boolean ro "Archived"
"""

_ASSET = """
ContactId reference to:Contact.Contact/Assets
AccountId reference to:Account.Account/Assets
ParentId reference to:Asset.Parent/ChildAssets
Product2Id reference to:Product2.Product2/Assets
ProductCode string(255) ro
IsCompetitorProduct boolean
@audit
IsDeleted boolean ro "Deleted"
Name string(255) required name "Asset Name"
SerialNumber string(80)
InstallDate date
PurchaseDate date
UsageEndDate date
LifecycleStartDate datetime ro
LifecycleEndDate datetime ro
Status picklist in:Purchased|Shipped|Installed|Registered|Obsolete
Price currency(18,2)
Quantity double(10,2)
CurrentMrr currency(18,2) ro
CurrentQuantity double(18,2) ro
CurrentAmount currency(18,2) ro
TotalLifecycleAmount currency(18,2) ro
Description textarea(32000) nofilter
OwnerId reference filled =me to:User.Owner
@viewed
"""

_USER = """
Username string(80) required lookup
LastName string(80) required
FirstName string(40)
Name string(121) ro filled name "Full Name"
CompanyName string(80)
Department string(80)
Title string(80)
Email email required lookup
Alias string(8) required
TimeZoneSidKey picklist(40) required restricted in:ZONES
LocaleSidKey picklist(40) required restricted in:en_US|en_GB|de_DE
LanguageLocaleKey picklist(40) required restricted in:en_US|de
EmailEncodingKey picklist(40) required restricted in:UTF-8
IsActive boolean "Active"
ProfileId reference to:Profile.Profile
UserType picklist(40) ro in:Standard
ManagerId reference to:User.Manager/ManagedUsers
LastLoginDate datetime ro
@audit
"""

_ORGANIZATION = """
Name string(80) ro name
Country string(80) ro
PrimaryContact string(80) ro
DefaultLocaleSidKey picklist(40) ro in:en_US
TimeZoneSidKey picklist(40) ro in:UTC
OrganizationType picklist(40) ro
NamespacePrefix string(15) ro
InstanceName string(5) ro
IsSandbox boolean ro
FiscalYearStartMonth int ro
@audit
"""

_CAMPAIGN = """
IsDeleted boolean ro "Deleted"
Name string(80) required name
Type picklist in:Webinar|Email|Conference|Other
Status picklist in:Planned|In_Progress|Completed|Aborted
StartDate date
EndDate date
IsActive boolean "Active"
BudgetedCost currency(18,0)
ActualCost currency(18,0)
Description textarea(32000) nofilter
OwnerId reference filled =me to:User.Owner
@audit
@viewed
"""

_LEAD = """
IsDeleted boolean ro "Deleted"
MasterRecordId reference ro to:Lead.MasterRecord
LastName string(80) required
FirstName string(40)
Name string(121) ro filled name "Full Name"
Title string(128)
Company string(255) required
Street textarea(255)
City string(40)
State string(80)
PostalCode string(20)
Country string(80)
Phone phone
Email email lookup
Website url
LeadSource picklist in:SOURCES
Status picklist filled =Open in:Open|Working|Qualified|Unqualified
Industry picklist in:INDUSTRIES
IsConverted boolean ro
ConvertedAccountId reference ro to:Account.ConvertedAccount
OwnerId reference filled =me to:User.Owner
@audit
"""

_CURRENCY_TYPE = """
IsoCode picklist filled "Currency ISO Code"
ConversionRate double(18,6) filled
DecimalPlaces int filled
IsActive boolean ro "Active"
IsCorporate boolean ro "Corporate Currency"
@audit
"""

_DATED_RATE = """
IsoCode picklist required
StartDate date required
NextStartDate date ro
ConversionRate double(18,6) required
@audit
"""

_STAGE = """
MasterLabel string(255) ro
ApiName string(255) ro
IsActive boolean ro
SortOrder int ro
IsClosed boolean ro
IsWon boolean ro
ForecastCategory picklist(40) ro
ForecastCategoryName picklist ro
DefaultProbability percent(3,0) ro
Description string(255) ro
@audit
"""

_STATUS = """
MasterLabel string(255) ro
ApiName string(255) ro
SortOrder int ro
IsDefault boolean ro
StatusCode picklist(40) ro
@audit
"""

# Name: (key prefix, words, fields). Words: money (CurrencyIsoCode where there are several
# currencies), merges, multi (multi-currency orgs only), fixed (read only), kept (never deleted),
# nobulk (Bulk API 2.0 doesn't query it).
STANDARD: dict[str, tuple[str, str, str]] = {
    "Account": ("001", "money merges", _ACCOUNT),
    "Contact": ("003", "money merges", _CONTACT),
    "Opportunity": ("006", "money", _OPPORTUNITY),
    "OpportunityLineItem": ("00k", "money", _OPPORTUNITY_LINE),
    "Contract": ("800", "money", _CONTRACT),
    "Order": ("801", "money", _ORDER),
    "OrderItem": ("802", "money", _ORDER_ITEM),
    "Product2": ("01t", "money", _PRODUCT),
    "Pricebook2": ("01s", "", _PRICEBOOK),
    "PricebookEntry": ("01u", "money", _PRICEBOOK_ENTRY),
    "Asset": ("02i", "money", _ASSET),
    "Campaign": ("701", "money", _CAMPAIGN),
    "Lead": ("00Q", "money merges", _LEAD),
    "User": ("005", "kept", _USER),
    "Organization": ("00D", "fixed", _ORGANIZATION),
    "CurrencyType": ("01L", "multi kept", _CURRENCY_TYPE),
    "DatedConversionRate": ("04w", "multi", _DATED_RATE),
    "OpportunityStage": ("01J", "fixed nobulk", _STAGE),
    "ContractStatus": ("811", "fixed nobulk", _STATUS),
    "OrderStatus": ("01K", "fixed nobulk", _STATUS),
}

_KEY = "TieOut_Id__c string(255) external unique exact\n"

TIEOUT_FIELDS: dict[str, str] = {
    "Account": _KEY
    + """
Billing_System__c string(40)
Billing_Id__c string(255) external
Billing_Status__c string(40)
MRR__c currency(18,3)
ARR__c currency(18,3)
Balance_Due__c currency(18,3)
Last_Invoice_Date__c date
""",
    **{
        name: _KEY
        for name in (
            "Contact",
            "Product2",
            "PricebookEntry",
            "Opportunity",
            "OpportunityLineItem",
            "Contract",
            "Order",
            "OrderItem",
        )
    },
}

# As docs/providers/salesforce.md tells an administrator to create them.
TIEOUT_OBJECTS: dict[str, str] = {
    "TieOut_Invoice__c": _KEY
    + """
Account__c reference to:Account.Account__r/TieOut_Invoices__r
Kind__c string(20)
Status__c string(20)
Currency__c string(3)
Issued_On__c date
Due_On__c date
Paid_At__c datetime
Voided_At__c datetime
Subtotal__c double(18,3)
Discount__c double(18,3)
Tax__c double(18,3)
Total__c double(18,3)
Adjustment__c double(18,3)
Paid__c double(18,3)
Credited__c double(18,3)
Written_Off__c double(18,3)
Balance__c double(18,3)
Memo__c string(255)
""",
    "TieOut_Payment__c": "Name string(80) ro filled name auto:TP-{000000}\n"
    + _KEY
    + """
Account__c reference to:Account.Account__r/TieOut_Payments__r
Status__c string(20)
Method__c string(20)
Currency__c string(3)
Amount__c double(18,3)
Refunded__c double(18,3)
Fee__c double(18,3)
Received_At__c datetime
Reference__c string(255)
Gateway_Id__c string(255)
Allocations__c textarea(32768) nofilter
""",
    "TieOut_Credit_Note__c": _KEY
    + """
Account__c reference to:Account.Account__r/TieOut_Credit_Notes__r
Invoice__c reference to:TieOut_Invoice__c.Invoice__r/TieOut_Credit_Notes__r
Status__c string(20)
Currency__c string(3)
Issued_On__c date
Subtotal__c double(18,3)
Tax__c double(18,3)
Total__c double(18,3)
Allocated__c double(18,3)
Refunded__c double(18,3)
Balance__c double(18,3)
Reason__c string(255)
Allocations__c textarea(32768) nofilter
""",
}
