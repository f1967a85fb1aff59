"""What each entity is in Salesforce: its objects, what is read of them, what can be done.

Invoices, payments and credit notes have no object in a plain org: `objects` names the custom
ones that hold them. The field lists are those of docs/providers/salesforce.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tieout.core.errors import ConfigError

from ..base import Can
from .settings import SalesforceConfig

_READ = Can.LIST | Can.CHANGES | Can.GET | Can.DELETIONS | Can.BULK | Can.PROVE
_WRITE = Can.FIND | Can.CREATE
_BOTH = _READ | _WRITE | Can.UPDATE

_SYSTEM = "IsDeleted CreatedDate LastModifiedDate LastModifiedById SystemModstamp"


@dataclass(frozen=True)
class Lines:
    """Child records that belong to a document: read with it, told as its sub-select would be."""

    object: str
    parent: str
    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """One object. `needed` are fields without which its records say nothing.

    fields   what is read where the org has it: multi-currency orgs have CurrencyIsoCode, those
             with state and country lists the codes, those with person accounts their fields.
    key      the external id field that holds our key.
    """

    object: str
    fields: tuple[str, ...]
    needed: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    lines: Lines | None = None
    key: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(("Id", *self.fields, *([self.key] if self.key else []))))


@dataclass(frozen=True)
class Kind:
    """One entity: its objects, in the order in which they are read."""

    entity: str
    can: Can
    parts: tuple[Part, ...]

    @property
    def objects(self) -> tuple[str, ...]:
        return tuple(part.object for part in self.parts)


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _part(object: str, fields: str, needed: str, written: str, lines: Lines | None = None) -> Part:
    return Part(object, _names(f"{fields} {_SYSTEM}"), _names(needed), _names(written), lines)


def _address(prefix: str) -> str:
    parts = "Street City State PostalCode Country StateCode CountryCode"
    return " ".join(prefix + part for part in parts.split())


ACCOUNT = _part(
    "Account",
    f"Name AccountNumber Type ParentId OwnerId Website Phone {_address('Billing')} "
    f"{_address('Shipping')} Industry AnnualRevenue CurrencyIsoCode MasterRecordId "
    "IsPersonAccount FirstName LastName PersonEmail PersonContactId",
    "Name",
    "Name Phone",
)
CONTACT = _part(
    "Contact",
    f"AccountId FirstName LastName Email Phone MobilePhone Title Department OwnerId "
    f"{_address('Mailing')} HasOptedOutOfEmail MasterRecordId CurrencyIsoCode",
    "LastName Email AccountId",
    "LastName FirstName Email Phone AccountId",
)
PRODUCT = _part(
    "Product2",
    "Name ProductCode IsActive Family Description QuantityUnitOfMeasure StockKeepingUnit "
    "ExternalId IsArchived CurrencyIsoCode",
    "Name IsActive",
    "Name ProductCode Description IsActive",
)
PRICE = _part(
    "PricebookEntry",
    "Name Pricebook2Id Product2Id UnitPrice IsActive UseStandardPrice CurrencyIsoCode ProductCode "
    "IsArchived",
    "UnitPrice Product2Id Pricebook2Id",
    "Pricebook2Id Product2Id UnitPrice IsActive",
)
OPPORTUNITY = _part(
    "Opportunity",
    "AccountId Name StageName IsClosed IsWon Amount Probability ExpectedRevenue CloseDate Type "
    "ForecastCategoryName OwnerId Pricebook2Id ContractId CampaignId HasOpportunityLineItem "
    "CurrencyIsoCode LeadSource",
    "Name StageName IsClosed IsWon Amount CloseDate AccountId",
    "Name StageName CloseDate Amount AccountId",
)
CONTRACT = _part(
    "Contract",
    "AccountId ContractNumber Status StatusCode StartDate EndDate ContractTerm ActivatedDate "
    "CustomerSignedDate CompanySignedDate OwnerExpirationNotice OwnerId Pricebook2Id Description "
    "CurrencyIsoCode",
    "ContractNumber AccountId StatusCode",
    "AccountId Status StartDate ContractTerm",
)
ORDER = _part(
    "Order",
    "AccountId ContractId OpportunityId OrderNumber Status StatusCode EffectiveDate EndDate "
    "TotalAmount Pricebook2Id IsReductionOrder OriginalOrderId PoNumber ActivatedDate OwnerId "
    "Type Description CurrencyIsoCode",
    "OrderNumber AccountId StatusCode TotalAmount",
    "AccountId Status EffectiveDate Pricebook2Id",
    Lines(
        "OrderItem",
        "OrderId",
        "OrderItems",
        _names(
            "Id OrderId PricebookEntryId Product2Id Quantity UnitPrice ListPrice TotalPrice "
            "ServiceDate EndDate OrderItemNumber AvailableQuantity OriginalOrderItemId Description"
        ),
    ),
)

INVOICE = _part(
    "TieOut_Invoice__c",
    "Name Account__c Kind__c Status__c Currency__c Issued_On__c Due_On__c Paid_At__c "
    "Voided_At__c Subtotal__c Discount__c Tax__c Total__c Adjustment__c Paid__c Credited__c "
    "Written_Off__c Balance__c Memo__c",
    "",
    "",
)
PAYMENT = _part(
    "TieOut_Payment__c",
    "Name Account__c Status__c Method__c Currency__c Amount__c Refunded__c Fee__c Received_At__c "
    "Reference__c Gateway_Id__c Allocations__c",
    "",
    "",
)
CREDIT_NOTE = _part(
    "TieOut_Credit_Note__c",
    "Name Account__c Invoice__c Status__c Currency__c Issued_On__c Subtotal__c Tax__c Total__c "
    "Allocated__c Refunded__c Balance__c Reason__c Allocations__c",
    "",
    "",
)
BILLING = ("invoice", "payment", "credit_note")

_FULL = _BOTH | Can.EVENTS | Can.BATCH
KINDS: Mapping[str, Kind] = {
    kind.entity: kind
    for kind in (
        Kind("customer", _FULL, (ACCOUNT,)),
        Kind("contact", _FULL, (CONTACT,)),
        Kind("product", _FULL | Can.ARCHIVE, (PRODUCT,)),
        Kind("price", _BOTH | Can.ARCHIVE, (PRICE,)),
        Kind("opportunity", _FULL, (OPPORTUNITY,)),
        Kind("contract", _READ | _WRITE | Can.EVENTS, (CONTRACT, ORDER)),
        Kind("invoice", _FULL, (INVOICE,)),
        Kind("payment", _FULL, (PAYMENT,)),
        Kind("credit_note", _FULL, (CREDIT_NOTE,)),
    )
}


def configured(entity: str, settings: SalesforceConfig, *, where: str = "") -> Kind:
    """An entity as this org has it; ConfigError for one that needs `objects` and has none."""
    if entity not in KINDS:
        raise ConfigError(
            f"salesforce has no {entity}", where=where, hint="it has: " + ", ".join(KINDS)
        )
    kind = KINDS[entity]
    extra = settings.fields.get(entity, ())  # type: ignore[call-overload]
    if entity not in BILLING:
        parts = tuple(
            replace(part, fields=(*part.fields, *extra), key=settings.key_field)
            for part in kind.parts
        )
        return replace(kind, parts=parts)
    return replace(kind, parts=(_billing_part(kind, settings, extra, where),))


def _billing_part(
    kind: Kind, settings: SalesforceConfig, extra: tuple[str, ...], where: str
) -> Part:
    told = settings.objects.get(kind.entity)  # type: ignore[call-overload]
    if told is None:
        raise ConfigError(
            f"a Salesforce org has no {kind.entity} records of its own, and no object is "
            "configured to hold them",
            where=where,
            hint=f"set `objects: {{{kind.entity}: {{object: {kind.parts[0].object}}}}}` "
            "(docs/providers/salesforce.md tells which fields to create)",
        )
    fields = (*told.fields, *_names(_SYSTEM)) if told.fields else kind.parts[0].fields
    return Part(told.object, (*fields, *extra), key=told.key_field or settings.key_field)


def here(settings: SalesforceConfig) -> list[Kind]:
    """Every entity that this org has."""
    return [
        configured(entity, settings)
        for entity in KINDS
        if entity not in BILLING or entity in settings.objects
    ]
