"""Criteria of a SOAP search: which records match.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_N3460474.html
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from xml.etree.ElementTree import Element

from . import applying
from .books import Books, Record, applications, entity_of, ref_id
from .catalog import STATUS_LETTERS
from .soap_errors import Fault, Problem
from .soap_read import boolean, moment, number
from .soap_words import ITEM_WORDS, TRANSACTION_WORDS
from .soap_write import PACIFIC, children, local_name

Test = Callable[[Record], bool]

_TEXTS = frozenset(
    {"entityId", "companyName", "email", "firstName", "lastName", "phone", "tranId", "itemId",
     "memo", "name", "displayName", "otherRefNum", "vatRegNumber", "number", "externalIdString"}
)  # fmt: skip
_REFERENCES = frozenset(
    {"entity", "company", "subsidiary", "currency", "parent", "account", "postingPeriod", "terms",
     "createdFrom"}
)  # fmt: skip
_FLAGS = frozenset({"isInactive", "isPerson", "isElimination"})
_DAYS = frozenset({"tranDate", "dueDate", "startDate", "endDate"})
_STAMPS = frozenset({"lastModifiedDate", "dateCreated", "created", "closeDate"})
OPENABLE = ("invoice", "creditMemo", "customerPayment", "customerDeposit")
_SPELLED = {"number": "acctNumber"}


class Criteria:
    """The tests of one `basic` element; `main_line` is None where it was not asked."""

    def __init__(self, books: Books, basic: Element | None) -> None:
        self.books = books
        self.main_line: bool | None = None
        self.ids: set[str] | None = None
        self.types: set[str] | None = None
        self.tests: list[Test] = []
        for each in basic if basic is not None else ():
            self._add(each)

    def match(self, record: Record) -> bool:
        return all(test(record) for test in self.tests)

    def _add(self, field: Element) -> None:
        name = local_name(field)
        if name == "mainLine":
            self.main_line = boolean(_first(field))
        elif name == "type":
            self._by_type(field)
        elif name == "internalId":
            self._by_id(field)
        elif name == "internalIdNumber":
            self.tests.append(_numbers(field))
        elif name == "externalId":
            wanted = {str(each.get("externalId") or "").lower() for each in _values(field)}
            self._chosen(field, lambda record: record.external_id.lower() in wanted)
        elif name in ("appliedToTransaction", "applyingTransaction"):
            self._by_link(name, field)
        elif name == "amountRemaining":
            self.tests.append(self._open_amounts(field))
        elif name in _STAMPS:
            self.tests.append(_stamps(name, field))
        elif name in _DAYS:
            self.tests.append(_days(name, field))
        elif name in _FLAGS:
            wanted_flag = boolean(_first(field))
            self.tests.append(lambda record: (record.body.get(name) is True) == wanted_flag)
        elif name in _TEXTS:
            self.tests.append(_texts(name, field))
        elif name in _REFERENCES:
            ids = {str(each.get("internalId") or "") for each in _values(field)}
            self._chosen(field, lambda record: _reference(record, name) in ids)
        elif name == "status":
            words = {_first_of(each) for each in _values(field)}
            self._chosen(field, lambda record: _status_word(record) in words)
        elif name == "customFieldList":
            self.tests += [_custom(each) for each in field]
        else:
            raise Problem("INVALID_SEARCH_FIELD_NAME", f"{name} is not a criterion of this search.")

    def _chosen(self, field: Element, test: Test) -> None:
        operator = field.get("operator")
        if operator not in ("anyOf", "noneOf"):
            raise Problem("INVALID_SEARCH_OPERATOR", f"{operator} is not an operator here.")
        self.tests.append(test if operator == "anyOf" else lambda record: not test(record))

    def _by_type(self, field: Element) -> None:
        words = [_first_of(each) for each in _values(field)]
        names = {TRANSACTION_WORDS.get(word, "") for word in words}
        if any(word in ITEM_WORDS for word in words):
            kinds = {ITEM_WORDS.get(word, "") for word in words}
            self._chosen(field, lambda record: record.type.code in kinds)
            return
        if all(names):
            self.types = names if field.get("operator") == "anyOf" else None
        self._chosen(field, lambda record: record.type.name in names)

    def _by_id(self, field: Element) -> None:
        ids = {str(each.get("internalId") or "") for each in _values(field)}
        if field.get("operator") == "anyOf":
            self.ids = ids
        self._chosen(field, lambda record: record.id in ids)

    def _open_amounts(self, field: Element) -> Test:
        compare = _comparison(field, _double(field, "searchValue"), _double(field, "searchValue2"))
        return lambda record: (
            record.type.name in OPENABLE and compare(applying.open_amount(self.books, record))
        )

    def _by_link(self, name: str, field: Element) -> None:
        """appliedToTransaction: what this one is applied to; applyingTransaction: what applies."""
        wanted = {str(each.get("internalId") or "") for each in _values(field)}
        ids: set[str] = set()
        for document in wanted:
            ids |= (
                self._applied(document)
                if name == "applyingTransaction"
                else self._appliers(document)
            )
        if field.get("operator") == "anyOf":
            self.ids = ids if self.ids is None else self.ids & ids
        self._chosen(field, lambda record: record.id in ids)

    def _applied(self, applier: str) -> set[str]:
        record = self.books.find("transaction", applier)
        return {doc for doc, _, _ in applications(record)} if record else set()

    def _appliers(self, document: str) -> set[str]:
        return {id for id in self.books.appliers.get(document, {}) if document in self._applied(id)}


def _values(field: Element) -> list[Element]:
    found = list(children(field, "searchValue"))
    if not found:
        said = f"{local_name(field)} needs a searchValue."
        raise Problem("INVALID_SEARCH_VALUE", said)
    return found


def _first_of(element: Element) -> str:
    return (element.text or "").strip()


def _first(field: Element) -> str:
    return _first_of(_values(field)[0])


def _numbers(field: Element) -> Test:
    edges = _double(field, "searchValue"), _double(field, "searchValue2")
    if any(edge is not None and edge != edge.to_integral() for edge in edges):
        raise Fault.schema("internalIdNumber takes whole numbers")
    compare = _comparison(field, *edges)
    return lambda record: compare(Decimal(record.id))


def _comparison(
    field: Element, first: Decimal | None, last: Decimal | None
) -> Callable[[Decimal], bool]:
    operator = field.get("operator")
    if first is None or (operator == "between" and last is None):
        raise Problem("INVALID_SEARCH_VALUE", f"{local_name(field)} needs a searchValue.")
    compare: Callable[[Decimal], bool] | None = {
        "between": lambda value: last is not None and first <= value <= last,
        "equalTo": lambda value: value == first,
        "notEqualTo": lambda value: value != first,
        "greaterThan": lambda value: value > first,
        "greaterThanOrEqualTo": lambda value: value >= first,
        "lessThan": lambda value: value < first,
        "lessThanOrEqualTo": lambda value: value <= first,
    }.get(str(operator))
    if compare is None:
        raise Problem("INVALID_SEARCH_OPERATOR", f"{operator} is not an operator for numbers.")
    return compare


def _double(field: Element, name: str) -> Decimal | None:
    text = next((_first_of(each) for each in children(field, name)), None)
    return None if text is None else Decimal(number(text))


def _stamps(name: str, field: Element) -> Test:
    operator, edge = field.get("operator"), moment(_first(field)).replace(microsecond=0)
    tests: dict[str, Callable[[datetime], bool]] = {
        "after": lambda at: at > edge,
        "before": lambda at: at < edge,
        "onOrAfter": lambda at: at >= edge,
        "onOrBefore": lambda at: at <= edge,
    }
    if operator == "within":
        texts = [_first_of(each) for each in children(field, "searchValue2")]
        end = moment(texts[0]) if texts else edge
        tests["within"] = lambda at: edge <= at <= end
    compare = tests.get(str(operator))
    if compare is None:
        raise Problem("INVALID_SEARCH_OPERATOR", f"{operator} is not an operator for dates.")

    def test(record: Record) -> bool:
        at = record.created if name in ("dateCreated", "created") else record.modified
        return compare(at.replace(microsecond=0))

    return test


def _days(name: str, field: Element) -> Test:
    operator, edge = field.get("operator"), moment(_first(field)).astimezone(PACIFIC).date()
    compare: Callable[[date], bool] | None = {
        "on": lambda at: at == edge,
        "after": lambda at: at > edge,
        "before": lambda at: at < edge,
        "onOrAfter": lambda at: at >= edge,
        "onOrBefore": lambda at: at <= edge,
    }.get(str(operator))
    if compare is None:
        raise Problem("INVALID_SEARCH_OPERATOR", f"{operator} is not an operator for dates.")

    def test(record: Record) -> bool:
        value = str(record.body.get(name) or "")[:10]
        return bool(value) and compare(date.fromisoformat(value))

    return test


def _texts(name: str, field: Element) -> Test:
    operator, wanted = field.get("operator"), _first(field).lower()
    compare: Callable[[str], bool] | None = {
        "is": lambda text: text == wanted,
        "isNot": lambda text: text != wanted,
        "contains": lambda text: wanted in text,
        "startsWith": lambda text: text.startswith(wanted),
        "doesNotContain": lambda text: wanted not in text,
        "doesNotStartWith": lambda text: not text.startswith(wanted),
    }.get(str(operator))
    if compare is None:
        raise Problem("INVALID_SEARCH_OPERATOR", f"{operator} is not an operator for text.")
    spelled = "externalId" if name == "externalIdString" else _SPELLED.get(name, name)
    return lambda record: compare(str(record.body.get(spelled) or "").lower())


def _custom(field: Element) -> Test:
    name = str(field.get("scriptId") or field.get("internalId") or "").lower()
    operator, wanted = field.get("operator"), _first(field).lower()
    if operator not in ("is", "contains", "startsWith") or not name:
        raise Problem("INVALID_SEARCH_OPERATOR", f"{operator} is not an operator here.")

    def test(record: Record) -> bool:
        held: Any = record.body.get(name)
        text = (ref_id(held) if isinstance(held, dict) else str(held or "")).lower()
        if operator == "is":
            return text == wanted
        return text.startswith(wanted) if operator == "startsWith" else wanted in text

    return test


def _reference(record: Record, name: str) -> str:
    return entity_of(record) if name == "entity" else ref_id(record.body.get(name))


def _status_word(record: Record) -> str:
    """`_invoiceOpen`: the type, then the status."""
    letters = STATUS_LETTERS.get(record.type.name, {})
    word = letters.get(applying.status_letter(record), "")
    return f"_{record.type.name}{''.join(part.capitalize() for part in word.split())}"
