"""Accounts and contacts.

https://developer.zuora.com/v1-api-reference/api/accounts/
"""

from __future__ import annotations

from typing import Any

from .books import Record
from .errors import invalid, missing, rule
from .tenant import Call, custom
from .wire import Body

_CONTACT = {"zipCode": "postalCode", "nickname": "nickName", "contactDescription": "description"}
_TEXTS = [
    "address1",
    "address2",
    "city",
    "country",
    "county",
    "fax",
    "firstName",
    "homePhone",
    "lastName",
    "mobilePhone",
    "nickname",
    "otherPhone",
    "otherPhoneType",
    "personalEmail",
    "state",
    "taxRegion",
    "workEmail",
    "workPhone",
    "zipCode",
    "contactDescription",
]
_ZERO = ("balance", "totalInvoiceBalance", "creditBalance", "totalDebitMemoBalance",
         "unappliedBalance", "unappliedCreditMemoAmount", "mrr")  # fmt: skip
_ACCOUNT = [
    "name",
    "notes",
    "crmId",
    "batch",
    "currency",
    "autoPay",
    "billCycleDay",
    "paymentTerm",
    "paymentGateway",
    "parentId",
    "invoiceTemplateId",
    "communicationProfileId",
    "additionalEmailAddresses",
    "invoiceDeliveryPrefsEmail",
    "invoiceDeliveryPrefsPrint",
    "partnerAccount",
    "purchaseOrderNumber",
    "sequenceSetId",
]


def create_account(call: Call) -> Body:
    body, books = call.body, call.books
    name, currency = call.text("account", "name"), call.text("account", "currency")
    if len(currency) != 3 or not currency.isupper():
        raise invalid("account", f"Invalid currency: {currency}")
    bill_to = body.get("billToContact")
    if not isinstance(bill_to, dict):
        raise missing("account", "billToContact")
    sold_to = body.get("soldToContact")
    number = body.get("accountNumber")
    if number and books.find("account", number):
        raise invalid("account", f"Account number {number} already exists.")
    day = body.get("billCycleDay", 0)
    if not isinstance(day, int) or not 0 <= day <= 31:
        raise invalid("account", "'billCycleDay' value should be between 0 and 31")
    for held in (bill_to, sold_to):
        _check_contact(held)
    row: dict[str, Any] = {field: body[field] for field in _ACCOUNT if field in body}
    row |= {"name": name, "currency": currency, "billCycleDay": day, "accountNumber": number}
    row |= dict.fromkeys(_ZERO, 0) | custom(body)
    row.setdefault("autoPay", False)
    row.setdefault("batch", "Batch1")
    row.setdefault("paymentTerm", "Due Upon Receipt")
    account = books.create("account", status="Active", **row)
    first = _make_contact(call, bill_to, account)
    second = _make_contact(call, sold_to, account) if isinstance(sold_to, dict) else first
    account.row.update(billToId=first.id, soldToId=second.id)
    books.put(account)
    call.tenant.emit("AccountCreated", account)
    return {
        "accountId": account.id,
        "accountNumber": account.row["accountNumber"],
        "billToContactId": first.id,
        "soldToContactId": second.id,
    }


def update_account(call: Call) -> Body:
    account, body = call.get("account"), call.body
    used = call.books.children("invoice", "accountId", account.id)
    if used and body.get("currency") not in (None, account.row.get("currency")):
        raise rule("account", "The currency of an account with transactions cannot be changed.")
    changes = {field: body[field] for field in _ACCOUNT if field in body} | custom(body)
    if "salesRep" in body:
        changes["salesRepName"] = body["salesRep"]
    for part, field in (("billToContact", "billToId"), ("soldToContact", "soldToId")):
        if isinstance(body.get(part), dict):
            contact = call.books.find("contact", account.row.get(field))
            if contact is not None:
                call.books.change(contact, **_contact_fields(body[part]))
    call.books.change(account, **changes)
    call.tenant.emit("AccountEdited", account)
    return {}


def delete_account(call: Call) -> Body:
    account = call.get("account")
    for table in ("invoice", "payment", "subscription"):
        if call.books.children(table, "accountId", account.id):
            raise rule("account", "The account has transactions and cannot be deleted.")
    call.books.delete(account)
    return {"id": account.id}


def create_contact(call: Call) -> Body:
    account = call.account("contact")
    _check_contact(call.body)
    return call.shown(_make_contact(call, call.body, account))


def update_contact(call: Call) -> Body:
    contact = call.get("contact")
    call.books.change(contact, **_contact_fields(call.body), **custom(call.body))
    return call.shown(contact)


def delete_contact(call: Call) -> Body:
    contact = call.get("contact")
    account = call.books.find("account", contact.row.get("accountId"))
    if account and contact.id in (account.row.get("billToId"), account.row.get("soldToId")):
        raise rule("contact", "The contact is used by an account and cannot be deleted.")
    call.books.delete(contact)
    return {}


def scrub_contact(call: Call) -> Body:
    contact = call.get("contact")
    blank = {_CONTACT.get(name, name): None for name in _TEXTS}
    call.books.change(contact, **blank | {"firstName": "Scrubbed", "lastName": "Scrubbed"})
    return {"id": contact.id}


def _check_contact(held: Any) -> None:
    if held is None:
        return
    for name in ("firstName", "lastName"):
        if not isinstance(held, dict) or not held.get(name):
            raise missing("contact", name)


def _contact_fields(held: Body) -> Body:
    return {_CONTACT.get(name, name): held[name] for name in _TEXTS if name in held}


def _make_contact(call: Call, held: Body, account: Record) -> Record:
    return call.books.create(
        "contact", accountId=account.id, **_contact_fields(held), **custom(held)
    )
