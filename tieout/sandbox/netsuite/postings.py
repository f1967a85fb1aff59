"""What must be true of a transaction before it is saved: its lines, totals, period, parties."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from . import applying, calendar
from .body import amounts_in, name_of
from .books import Body, Books, Record, applications, decimal, ref_id
from .catalog import TYPES, RecordType
from .errors import invalid_reference, missing_value, user_error
from .masters import currencies_of, owner_of, subsidiaries_of
from .money import base_currency, check_places, places_of, rate_of, rounded

_PREFIX = {
    "invoice": "INV",
    "creditMemo": "CM",
    "cashRefund": "CR",
    "customerPayment": "PYMT",
    "customerRefund": "CREF",
    "customerDeposit": "CD",
    "deposit": "DEP",
    "journalEntry": "JE",
}
_SALES = ("invoice", "creditMemo", "cashRefund")
# What may still be changed in a closed period that allows non-G/L changes.
_NOT_LEDGER = {
    "memo",
    "otherRefNum",
    "email",
    "message",
    "toBeEmailed",
    "toBePrinted",
    "externalId",
}


def complete(books: Books, type: RecordType, body: Body, before: Record | None) -> None:
    """Fill in defaults, compute amounts, refuse what NetSuite refuses. Raises Refusal."""
    if not body.get("tranDate"):
        body["tranDate"] = calendar.today(books).isoformat()
    owner = None
    if type.name not in ("journalEntry", "deposit"):
        owner = owner_of(books, body, _owner_field(type))
    _set_subsidiary(books, body, owner)
    _set_currency(books, body, owner)
    _keep_parties(before, body)
    calendar.set_period(books, body)
    if type.name not in ("journalEntry", "deposit"):
        _set_terms(books, type, body, owner)
    _check_amounts(books, type, body)
    if type.name in _SALES:
        _sale(books, type, body, before)
    elif type.name == "journalEntry":
        _journal(books, body)
    elif type.name == "deposit":
        _deposit(books, body)
    else:
        _receipt(books, type, body, before)
    if not body.get("tranId"):
        body["tranId"] = f"{_PREFIX[type.name]}{books.next_number(type)}"


def _owner_field(type: RecordType) -> str:
    return "entity" if type.name in _SALES else "customer"


def only_words(changes: Iterable[str]) -> bool:
    """No general-ledger effect: memo, numbers for people, custom fields."""
    return all(name in _NOT_LEDGER or name.startswith("custbody") for name in changes)


def _set_subsidiary(books: Books, body: Body, owner: Record | None) -> None:
    if not books.one_world:
        body.pop("subsidiary", None)
        return
    given = ref_id(body.get("subsidiary"))
    if owner is None:
        if not given and "line" in body:
            raise missing_value("Subsidiary")
        return
    allowed = subsidiaries_of(owner)
    if given and allowed and given not in allowed:
        raise invalid_reference(given, "subsidiary", "subsidiary")
    if not given and owner.body.get("subsidiary"):
        body["subsidiary"] = owner.body["subsidiary"]


def _set_currency(books: Books, body: Body, owner: Record | None) -> None:
    given = ref_id(body.get("currency"))
    allowed = currencies_of(owner) if owner is not None else set()
    if given and allowed and given not in allowed:
        raise user_error(
            f"You have entered an Invalid Field Value {given} for the following field: currency"
        )
    if not given:
        default = owner.body.get("currency") if owner is not None else None
        subsidiary = books.find("subsidiary", ref_id(body.get("subsidiary")))
        if not default and subsidiary is not None:
            default = subsidiary.body.get("currency")
        base = base_currency(books)
        if not default and base is not None:
            default = {"id": base.id, "refName": name_of(base)}
        body["currency"] = default
    body["exchangeRate"] = rate_of(books, body)


def _keep_parties(before: Record | None, body: Body) -> None:
    if before is None:
        return
    for name in ("entity", "customer", "currency", "subsidiary"):
        was, now = ref_id(before.body.get(name)), ref_id(body.get(name))
        if was and now != was:
            raise user_error(f"The field {name} of a saved transaction cannot be changed.")


def _set_terms(books: Books, type: RecordType, body: Body, owner: Record | None) -> None:
    if type.name != "invoice":
        return
    if "terms" not in body and owner is not None and owner.body.get("terms"):
        body["terms"] = owner.body["terms"]
    if not body.get("dueDate") and (due := calendar.due_date(books, body)):
        body["dueDate"] = due


def _check_amounts(books: Books, type: RecordType, body: Body) -> None:
    places = places_of(books, ref_id(body.get("currency")))
    for name in amounts_in(type.fields):
        if body.get(name) is not None:
            check_places(body[name], places, name, name)
    for sublist in type.sublists.values():
        lines = (body.get(sublist.name) or {}).get("items") or []
        for index, line in enumerate(lines):
            for name in amounts_in(sublist.fields):
                if line.get(name) is not None:
                    check_places(line[name], places, name, f"{sublist.name}.items[{index}].{name}")


def _sale(books: Books, type: RecordType, body: Body, before: Record | None) -> None:
    lines = (body.get("item") or {}).get("items") or []
    if not lines:
        raise user_error("You must enter at least one line item for this transaction.")
    places = places_of(books, ref_id(body.get("currency")))
    priced = [_priced(books, body, line, index, places) for index, line in enumerate(lines)]
    body["item"] = {"items": priced, "totalResults": len(priced)}
    body["subtotal"] = sum((decimal(line["amount"]) for line in priced), Decimal(0))
    body["discountTotal"] = decimal(body.get("discountRate"))
    taxes = (body.get("taxDetails") or {}).get("items") or []
    override = body.get("taxDetailsOverride") is True
    # Legacy tax is out of reach of REST: what the document has stays, only overrides change it.
    kept = decimal(before.body.get("taxTotal")) if before is not None else Decimal(0)
    stated = sum((decimal(line.get("taxAmount")) for line in taxes), Decimal(0))
    body["taxTotal"] = stated if override else kept
    body["total"] = (
        body["subtotal"]
        + body["discountTotal"]
        + body["taxTotal"]
        + decimal(body.get("shippingCost"))
    )
    if body["total"] < 0:
        raise user_error("The transaction total may not be negative.")
    if not body.get("account"):
        _default_account(books, body, "account", "AcctRec" if type.name != "cashRefund" else "Bank")
    if type.name == "cashRefund":
        applying.set_status(body, type, "C")
    elif type.name == "invoice":
        _reopen(books, type, body, before)
    else:
        _credit(books, type, body, before)


def _priced(books: Books, body: Body, line: Body, index: int, places: int) -> Body:
    path = f"item.items[{index}].item"
    item = books.find("item", ref_id(line.get("item")))
    if item is None:
        raise (
            missing_value("Item")
            if not line.get("item")
            else invalid_reference(ref_id(line["item"]), "item", path)
        )
    if item.body.get("isInactive") is True:
        raise user_error(f"The item {name_of(item)} is inactive.")
    quantity = decimal(line["quantity"]) if line.get("quantity") is not None else None
    rate = decimal(line["rate"]) if line.get("rate") is not None else None
    if line.get("amount") is not None:
        amount = decimal(line["amount"])
        if rate is None:
            rate = amount / quantity if quantity else amount
    else:
        if rate is None:
            rate = _list_price(item, ref_id(body.get("currency")))
        if rate is None:
            raise user_error("Please enter a value for amount.")
        amount = rounded(rate * (Decimal(1) if quantity is None else quantity), places)
    priced = {**line, "rate": rate, "amount": amount}
    priced.setdefault("description", str(item.body.get("salesDescription") or ""))
    priced["itemType"] = {"id": item.type.code, "refName": item.type.code}
    if item.type.name != "discountItem":
        priced["quantity"] = Decimal(1) if quantity is None else quantity
    return priced


def _list_price(item: Record, currency: str) -> Decimal | None:
    for line in item.lines("price"):
        page = ref_id(line.get("currencyPage"))
        if line.get("price") is not None and page in ("", currency):
            return decimal(line["price"])
    own = item.body.get("rate", item.body.get("basePrice"))
    if own is None or isinstance(own, dict) or "%" in str(own):
        return None
    return decimal(own)


def _default_account(books: Books, body: Body, name: str, kind: str) -> None:
    for account in books.all_of(TYPES["account"]).values():
        given = account.body.get("acctType")
        words = {str(given)} if not isinstance(given, dict) else {str(v) for v in given.values()}
        if kind in words and account.body.get("isInactive") is not True:
            body[name] = {"id": account.id, "refName": name_of(account)}
            return


def _reopen(books: Books, type: RecordType, body: Body, before: Record | None) -> None:
    paid = Decimal(0)
    if before is not None:
        paid = applying.gross(before) - applying.open_amount(books, before)
    if body["total"] < paid:
        raise user_error(
            f"The total {body['total']} is less than the {paid} already applied to this invoice."
        )
    body["amountPaid"], body["amountRemaining"] = paid, body["total"] - paid
    applying.set_status(body, type, "A" if body["amountRemaining"] or not paid else "B")


def _credit(books: Books, type: RecordType, body: Body, before: Record | None) -> None:
    applied = applying.complete_lines(books, type, body, before)
    _use(books, body, body["total"], applied, before)
    body["amountRemaining"], body["amountPaid"] = body["unapplied"], body["applied"]
    applying.set_status(body, type, "A" if body["unapplied"] else "B")


def _use(books: Books, body: Body, whole: Decimal, applied: Decimal, before: Record | None) -> None:
    refunded = applying.applied_by_others(books, before.id) if before is not None else Decimal(0)
    if applied + refunded > whole:
        raise user_error(
            f"The applied amounts, {applied + refunded}, exceed the amount of the transaction, "
            f"{whole}."
        )
    body["applied"], body["unapplied"] = applied + refunded, whole - applied - refunded


def _receipt(books: Books, type: RecordType, body: Body, before: Record | None) -> None:
    if not body.get("account"):
        body.setdefault("undepFunds", True)
    if type.name == "customerRefund":
        if not body.get("account"):
            raise missing_value("Account")
        body["total"] = applying.complete_lines(books, type, body, before)
        if not body["total"]:
            raise user_error("Apply the refund to at least one credit, deposit or payment.")
        if not body.get("arAcct"):
            _default_account(books, body, "arAcct", "AcctRec")
        applying.set_status(body, type, "B")
        return
    letter = "B" if body.get("undepFunds") is True and not body.get("account") else "C"
    if type.name == "customerDeposit":
        if decimal(body.get("payment")) <= 0:
            raise missing_value("Payment Amount")
        body["total"] = decimal(body["payment"])
        _use(books, body, body["total"], Decimal(0), before)
        applying.set_status(body, type, "A" if letter == "B" else "B")
        return
    applied = applying.complete_lines(books, type, body, before)
    body["payment"] = applied if body.get("payment") is None else decimal(body["payment"])
    if body["payment"] <= 0:
        raise missing_value("Payment Amount")
    body["total"] = body["payment"]
    _use(books, body, body["payment"], applied, before)
    if not body.get("arAcct"):
        _default_account(books, body, "arAcct", "AcctRec")
    applying.set_status(body, type, _deposited(books, before, letter))


def _deposited(books: Books, before: Record | None, letter: str) -> str:
    if before is None:
        return letter
    return "C" if applying.status_letter(before) == "C" else letter


def _journal(books: Books, body: Body) -> None:
    lines = (body.get("line") or {}).get("items") or []
    if len(lines) < 2:
        raise user_error("You must enter at least two lines for this transaction.")
    debits = credits = Decimal(0)
    for index, line in enumerate(lines):
        account = books.find("account", ref_id(line.get("account")))
        if account is None:
            raise missing_value("Account")
        debit, credit = decimal(line.get("debit")), decimal(line.get("credit"))
        if (debit and credit) or debit < 0 or credit < 0:
            raise user_error(f"Line {index + 1} needs either a debit or a credit.")
        needs_name = _kind_of(account) in ("AcctRec", "AcctPay")
        if needs_name and not ref_id(line.get("entity")):
            raise user_error(
                "The account type requires a name: enter an entity on the line of "
                f"{name_of(account)}."
            )
        debits, credits = debits + debit, credits + credit
    if debits != credits:
        raise user_error(
            f"The journal entry is out of balance: debits {debits}, credits {credits}."
        )
    body["line"] = {"items": lines, "totalResults": len(lines)}
    body["total"] = debits
    body.setdefault("approved", True)
    applying.set_status(body, TYPES["journalentry"], "B" if body["approved"] else "A")


def _kind_of(account: Record) -> str:
    given = account.body.get("acctType")
    return str(given.get("id") or "") if isinstance(given, dict) else str(given or "")


def _deposit(books: Books, body: Body) -> None:
    if not body.get("account"):
        raise missing_value("Account")
    total = Decimal(0)
    for index, line in enumerate((body.get("payment") or {}).get("items") or []):
        payment = books.find("transaction", ref_id(line.get("id")))
        if payment is None:
            raise invalid_reference(ref_id(line.get("id")), "id", f"payment.items[{index}].id")
        if line.get("deposit") is True:
            total += applying.gross(payment)
    for name, sign in (("other", 1), ("cashBack", -1)):
        for index, line in enumerate((body.get(name) or {}).get("items") or []):
            if not line.get("account"):
                raise missing_value("Account")
            line.setdefault("line", index + 1)
            total += sign * decimal(line.get("amount"))
    if not total:
        raise user_error("You must enter at least one payment or other deposit.")
    body["total"] = total
    applying.set_status(body, TYPES["deposit"], "A")


def settled_by(record: Record | None) -> dict[str, Decimal]:
    return applying.sums_of(record) if record is not None and applications(record) else {}
