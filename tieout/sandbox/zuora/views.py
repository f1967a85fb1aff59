"""v1 documents made from rows, and rows from v1 documents.

https://developer.zuora.com/v1-api-reference/api/
"""

from __future__ import annotations

from typing import Any

from . import times
from .books import Books, Record
from .objects import CUSTOM, kinds
from .wire import Body, decode, encode

_AUDIT = "createdDate createdById updatedDate updatedById"
_DOCUMENT = "taxStatus taxMessage billToContactId billToContactSnapshotId sequenceSetId"

# v1 name, or v1 name=row name.
VIEWS = {
    "invoice": "id invoiceNumber accountId amount amountWithoutTax taxAmount taxExemptAmount"
    " currency invoiceDate dueDate autoPay comments status transferredToAccounting sourceType"
    " source sourceId adjustmentAmount balance creditBalanceAdjustmentAmount creditMemoAmount"
    " includesOneTime includesRecurring includesUsage lastEmailSentDate paymentAmount paymentTerm"
    f" postedBy postedDate refundAmount targetDate templateId=templateId reversed {_DOCUMENT}"
    f" {_AUDIT}",
    "payment": "id number=paymentNumber status type accountId accountNumber amount appliedAmount"
    " unappliedAmount refundAmount creditBalanceAmount=appliedCreditBalanceAmount currency"
    " effectiveDate comment paymentGatewayNumber paymentMethodId paymentMethodSnapshotId"
    " authTransactionId bankIdentificationNumber gatewayId=gateway gatewayOrderId gatewayResponse"
    " gatewayResponseCode gatewayState markedForSubmissionOn referenceId"
    " secondPaymentReferenceId softDescriptor softDescriptorPhone submittedOn settledOn"
    f" cancelledOn {_AUDIT} financeInformation gatewayReconciliationStatus"
    " gatewayReconciliationReason payoutId",
    "refund": "id number=refundNumber status type methodType accountId amount refundDate comment"
    " paymentMethodId paymentMethodSnapshotId paymentId creditMemoId reasonCode gatewayId=gateway"
    " gatewayResponse gatewayResponseCode gatewayState markedForSubmissionOn"
    " referenceId=referenceID secondRefundReferenceId softDescriptor softDescriptorPhone"
    f" submittedOn settledOn cancelledOn {_AUDIT} refundTransactionTime financeInformation"
    " gatewayReconciliationStatus gatewayReconciliationReason payoutId",
    "creditmemo": "id number=memoNumber accountId accountNumber currency creditMemoDate=memoDate"
    " targetDate postedById postedOn status amount=totalAmount taxAmount totalTaxExemptAmount"
    " unappliedAmount=balance refundAmount appliedAmount comment=comments source sourceType"
    f" sourceId referredInvoiceId=invoiceId reasonCode reversed {_AUDIT} cancelledOn cancelledById"
    " latestPDFFileId transferredToAccounting excludeFromAutoApplyRules autoApplyUponPosting"
    f" {_DOCUMENT}",
    "debitmemo": "id number=memoNumber accountId accountNumber debitMemoDate=memoDate currency"
    " targetDate dueDate postedOn postedById status amount=totalAmount taxAmount"
    " totalTaxExemptAmount balance beAppliedAmount autoPay comment=comments"
    f" referredInvoiceId=invoiceId transferredToAccounting reasonCode {_AUDIT} cancelledOn"
    " cancelledById referredCreditMemoId=creditMemoId latestPDFFileId sourceType paymentTerm"
    f" {_DOCUMENT}",
    "contact": "accountId accountNumber address1 address2 city country county fax firstName"
    " homePhone id lastName mobilePhone nickname=nickName otherPhone otherPhoneType personalEmail"
    " state taxRegion workEmail workPhone zipCode=postalCode contactDescription=description",
    "invoiceitem": "id subscriptionName=subscriptionNumber subscriptionId serviceStartDate"
    " serviceEndDate balance chargeAmount chargeDescription chargeName chargeDate chargeType"
    " processingType chargeId=ratePlanChargeId productRatePlanChargeId description productName"
    " sourceItemType quantity taxAmount taxCode taxMode unitOfMeasure=uOM unitPrice sku=sKU"
    " accountingCode appliedToItemId=appliedToInvoiceItemId soldToContactId"
    " soldToContactSnapshotId invoiceScheduleId invoiceScheduleItemId numberOfDeliveries",
    "creditmemoitem": "id amount amountWithoutTax appliedAmount appliedToItemId refundAmount"
    " unappliedAmount comment=description taxMode processingType quantity sku skuName"
    " serviceStartDate serviceEndDate sourceItemType sourceItemId creditFromItemSource"
    f" creditFromItemId {_AUDIT} subscriptionId unitOfMeasure unitPrice",
    "debitmemoitem": "id amount amountWithoutTax appliedToItemId balance beAppliedAmount"
    " comment=description taxMode processingType quantity sku skuName serviceStartDate"
    f" serviceEndDate sourceItemType sourceItemId {_AUDIT} subscriptionId unitOfMeasure unitPrice",
    "taxationitem": "balance paymentAmount creditAmount id taxAmount name exemptAmount jurisdiction"
    " locationCode taxCode taxCodeDescription taxDate taxRate taxRateDescription taxRateType",
    "paymentpart": f"id debitMemoId invoiceId amount {_AUDIT}",
    "creditmemopart": f"id debitMemoId invoiceId amount {_AUDIT}",
    "refundapplication": f"id paymentId creditMemoId amount=applyAmount {_AUDIT}",
    "usage": "id accountId accountNumber accountName subscriptionNumber chargeNumber"
    " unitOfMeasure=uOM quantity submissionDateTime startDateTime status=rbeStatus"
    " sourceName=sourceType fileName uniqueKey",
    "accountingcode": "id name type glAccountName glAccountNumber notes category status"
    " createdOn=createdDate createdBy=createdById updatedOn=updatedDate updatedBy=updatedById",
    "accountingperiod": "id name startDate endDate status runTrialBalanceStatus"
    " runTrialBalanceStart runTrialBalanceEnd runTrialBalanceErrorMessage fiscalYear notes fileIds"
    " createdOn=createdDate createdBy=createdById updatedOn=updatedDate updatedBy=updatedById",
    "journalentry": "number status journalEntryDate currency homeCurrency aggregateCurrency"
    " transactionType accountingPeriodName timePeriodStart timePeriodEnd transferredToAccounting"
    " transferredBy transferDateTime notes segments journalEntryItems",
    "product": "id sku=sKU name description category effectiveStartDate effectiveEndDate"
    " productNumber productRatePlans",
    "productrateplan": "id status name description effectiveStartDate effectiveEndDate grade"
    " productRatePlanNumber productRatePlanCharges",
    "productrateplancharge": "id name type=chargeType model uom=uOM pricingSummary pricing"
    " defaultQuantity billingDay listPriceBase billingTiming billingPeriod billingPeriodAlignment"
    " endDateCondition taxable taxCode taxMode triggerEvent description"
    " revenueRecognitionRuleName productRatePlanChargeNumber financeInformation",
    "subscription": "id accountId accountNumber accountName version revision"
    " invoiceOwnerAccountId=invoiceOwnerId subscriptionNumber=name termType"
    " invoiceSeparately=isInvoiceSeparate contractEffectiveDate serviceActivationDate"
    " customerAcceptanceDate=contractAcceptanceDate subscriptionStartDate subscriptionEndDate"
    " termStartDate termEndDate initialTerm initialTermPeriodType currentTerm"
    " currentTermPeriodType autoRenew renewalSetting renewalTerm renewalTermPeriodType currency"
    " contractedMrr=cMRR totalContractedValue notes status paymentTerm isLatestVersion"
    " cancelReason orderNumber ratePlans",
    "rateplan": "id productId productName productSku productRatePlanId ratePlanName=name"
    " ratePlanCharges",
    "rateplancharge": "id originalChargeId=originalId productRatePlanChargeId number=chargeNumber"
    " name type=chargeType model uom=uOM version pricingSummary currency price tiers"
    " discountPercentage discountAmount billingPeriod billingTiming quantity segment"
    " effectiveStartDate effectiveEndDate processedThroughDate chargedThroughDate done"
    " triggerDate triggerEvent endDateCondition mrr=mRR dmrc=dMRC tcv=tCV dtcv=dTCV description",
    "orders": "orderNumber orderDate createdDate createdBy=createdById updatedDate"
    " updatedBy=updatedById existingAccountNumber currency status description subscriptions"
    " orderLineItems customFields",
}

_BASIC = "id name accountNumber notes status crmId batch invoiceTemplateId communicationProfileId"
_BASIC += " profileNumber salesRep=salesRepName sequenceSetId parentId partnerAccount"
_BILLING = "autoPay billCycleDay currency defaultPaymentMethodId paymentTerm paymentGateway"
_BILLING += " invoiceDeliveryPrefsPrint invoiceDeliveryPrefsEmail additionalEmailAddresses"
_METRICS = "balance totalInvoiceBalance creditBalance contractedMrr=mrr"
_METRICS += " totalDebitMemoBalance unappliedPaymentAmount=unappliedBalance"
_METRICS += " unappliedCreditMemoAmount"
ACCOUNT = {"basicInfo": _BASIC, "billingAndPayment": _BILLING, "metrics": _METRICS}
_NUMBERS = {"balance", "totalInvoiceBalance", "creditBalance", "mrr", "totalDebitMemoBalance",
            "unappliedBalance", "unappliedCreditMemoAmount"}  # fmt: skip


def names(spec: str) -> list[tuple[str, str]]:
    """(v1 name, row name) of a view."""
    pairs = (word.partition("=") for word in spec.split())
    return [(name, row or name) for name, _, row in pairs]


class Views:
    """Makes v1 documents. Whoever calls holds the tenant's lock."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def document(self, record: Record) -> Body:
        """The v1 document: as it was loaded, with what has changed since, or made anew."""
        if record.verbatim is None:
            return self._made(record.table, record.row)
        held: Body = decode(record.verbatim)
        if record.loaded is not None:
            before = self._made(record.table, record.loaded)
            _overlay(held, before, self._made(record.table, record.row))
        return held

    def _made(self, table: str, row: Body) -> Body:
        if table == "account":
            return self._account(row)
        body = self._flat(row, VIEWS[table], table)
        if "accountNumber" in body and not body["accountNumber"]:
            account = self.books.find("account", row.get("accountId"))
            body["accountNumber"] = account.row.get("accountNumber") if account else None
        if table == "subscription":
            account = self.books.find("account", row.get("accountId"))
            body["accountName"] = account.row.get("name") if account else None
        return body

    def _flat(self, row: Body, spec: str, table: str) -> Body:
        body = {name: self._value(table, field, row.get(field)) for name, field in names(spec)}
        body.update({name: value for name, value in row.items() if name.endswith(CUSTOM)})
        return body

    def _value(self, table: str, field: str, value: Any) -> Any:
        if isinstance(value, str) and kinds()[table].type_of(field) == "datetime" and "T" in value:
            return times.v1(value, self.books.zone)
        return value

    def _account(self, row: Body) -> Body:
        body: Body = {
            part: {
                name: row.get(field, 0 if field in _NUMBERS else None)
                for name, field in names(spec)
            }
            for part, spec in ACCOUNT.items()
        }
        custom = {name: value for name, value in row.items() if name.endswith(CUSTOM)}
        body["basicInfo"].update(custom)
        for part, field in (("billToContact", "billToId"), ("soldToContact", "soldToId")):
            contact = self.books.find("contact", row.get(field))
            body[part] = self._contact(contact) if contact else None
        body["taxInfo"] = {"exemptStatus": row.get("taxExemptStatus"), "VATId": row.get("vATId")}
        return body

    def _contact(self, record: Record) -> Body:
        body = self.document(record)
        return {name: value for name, value in body.items() if not name.startswith("account")}


def _overlay(held: Body, before: Body, after: Body) -> None:
    """Bring into `held` what differs between the two."""
    for name, value in after.items():
        former = before.get(name)
        if value == former:
            continue
        if (
            isinstance(value, dict)
            and isinstance(former, dict)
            and isinstance(held.get(name), dict)
        ):
            _overlay(held[name], former, value)
        else:
            held[name] = value


class Loading:
    """Takes over objects in v1's or Object Query's shape."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def take(self, table: str, body: Body) -> Record:
        """One object, with what it nests. Raises ValueError for what has no shape we know."""
        body = {key: value for key, value in body.items() if key != "success"}
        if table == "orders" and isinstance(body.get("order"), dict):
            body = body["order"]
        if not _is_v1(table, body):
            row = {name: self._stored(table, name, value) for name, value in body.items()}
            row.setdefault("id", self.books.new_id())
            return self._put(Record(table, row))
        record = Record(table, self._row(table, body), encode(body))
        self._put(record)
        self._nested(record, body)
        return record

    def _put(self, record: Record) -> Record:
        if record.table == "subscription":
            record.row.setdefault("isLatestVersion", True)
        self.books.put(record)
        return record

    def _row(self, table: str, body: Body) -> Body:
        row: Body = {}
        if table == "account":
            for part, spec in ACCOUNT.items():
                held = body.get(part) or {}
                back = dict(names(spec))
                row.update({back.get(name, name): value for name, value in held.items()})
            for part, field in (("billToContact", "billToId"), ("soldToContact", "soldToId")):
                row[field] = (body.get(part) or {}).get("id")
        else:
            back = dict(names(VIEWS.get(table, "")))
            for name, value in body.items():
                field = back.get(name, name)
                row[field] = self._stored(table, field, value)
        row.setdefault("id", self.books.new_id())
        if table == "orders":
            account = self.books.find("account", row.get("existingAccountNumber"))
            row["accountId"] = account.id if account else None
        return row

    def _stored(self, table: str, field: str, value: Any) -> Any:
        if kinds()[table].type_of(field) != "datetime" or not isinstance(value, str) or not value:
            return value
        if times.is_date(value):
            return value
        return times.stored(times.parse(value, self.books.zone))

    def _nested(self, record: Record, body: Body) -> None:
        if record.table == "account":
            for part in ("billToContact", "soldToContact"):
                if isinstance(body.get(part), dict) and body[part].get("id"):
                    self.take("contact", {**body[part], "accountId": record.id})
        elif record.table == "subscription":
            for plan in body.get("ratePlans") or []:
                made = self._row("rateplan", plan) | {"subscriptionId": record.id}
                self._put(Record("rateplan", made))
                for charge in plan.get("ratePlanCharges") or []:
                    row = self._row("rateplancharge", charge)
                    row |= {"ratePlanId": made["id"], "subscriptionId": record.id}
                    self._put(Record("rateplancharge", row))
        elif record.table == "productrateplan":
            for charge in body.get("productRatePlanCharges") or []:
                self.take("productrateplancharge", {**charge, "productRatePlanId": record.id})
        elif record.table in ("invoiceitem", "creditmemoitem", "debitmemoitem"):
            for tax in (body.get("taxationItems") or {}).get("data") or []:
                row = self._row("taxationitem", tax) | {"invoiceItemId": record.id}
                self._put(Record("taxationitem", row))
        elif record.table == "journalentry":
            for line in body.get("journalEntryItems") or []:
                row = self._row("journalentryitem", line) | {"journalEntryId": record.id}
                self._put(Record("journalentryitem", row))


def _is_v1(table: str, body: Body) -> bool:
    if table == "account":
        return "basicInfo" in body
    if not kinds()[table].path:
        return True
    created = str(body.get("createdDate") or body.get("updatedDate") or "")
    if created:
        return "T" not in created
    if table not in VIEWS:
        return False
    known = {name for name, _ in kinds()[table].types.values()}
    known |= set(kinds()[table].relations.values()) - {"productRatePlans"}
    return any(name not in known and not name.endswith(CUSTOM) for name in body)
