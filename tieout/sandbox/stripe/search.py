"""The search endpoints and their query language. The index lags behind the objects.

https://docs.stripe.com/search
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from .account import Account, Object
from .codec import decode, encode
from .errors import ApiError, bad_request
from .listing import limit_of
from .shelf import Row

SPEC = "query! limit:i page expand:l"
_FIELDS: dict[str, str] = {
    "charge": """amount billing_details.address.postal_code created currency customer description
        disputed payment_method_details.card.last4 payment_method_details.card.exp_month
        payment_method_details.card.exp_year payment_method_details.card.brand
        payment_method_details.card.fingerprint refunded status""",
    "customer": "created email name phone",
    "invoice": """created currency customer last_finalization_error_code
        last_finalization_error_type number receipt_number status subscription total""",
    "payment_intent": "amount created currency customer description status",
    "price": "active currency lookup_key product type",
    "product": "active created description name shippable url",
    "subscription": "created canceled_at status",
}
SEARCHABLE = frozenset(_FIELDS)
_NUMBERS = frozenset({"amount", "created", "total", "canceled_at"})
_CLAUSE = re.compile(
    r"""\s*(?P<not>-)?(?P<field>[a-zA-Z_][\w.]*)
        (?:\[(?P<quote>["'])(?P<key>(?:\\.|(?!(?P=quote)).)*)(?P=quote)\])?
        \s*(?P<op>>=|<=|[:~<>])\s*
        (?P<value>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s"']+)""",
    re.VERBOSE,
)
_JOIN = re.compile(r"\s+(and|or)\s+", re.IGNORECASE)
_MOST_CLAUSES = 10


@dataclass(frozen=True)
class Clause:
    """`field op value`; `key` for metadata; `value` None stands for null."""

    field: str
    key: str | None
    op: str
    value: str | None
    negated: bool

    def holds(self, item: Object) -> bool:
        return self._holds(item) is not self.negated

    def _holds(self, item: Object) -> bool:
        have = self._value(item)
        if self.value is None:
            return have is None
        if have is None:
            return False
        if self.op in (":", "~"):
            text = str(have).lower()
            if isinstance(have, bool) or self.op == ":":
                return text == self.value.lower()
            return self.value.lower() in text
        try:
            number, bound = Decimal(str(have)), Decimal(self.value)
        except InvalidOperation:
            return False
        return {">": number > bound, ">=": number >= bound, "<": number < bound,
                "<=": number <= bound}[self.op]  # fmt: skip

    def _value(self, item: Object) -> Any:
        if self.field == "metadata":
            return (item.get("metadata") or {}).get(self.key)
        if self.field == "subscription" and "parent" in item:
            details = (item["parent"] or {}).get("subscription_details") or {}
            return details.get("subscription")
        if self.field.startswith("last_finalization_error_"):
            error = item.get("last_finalization_error") or {}
            return error.get(self.field.removeprefix("last_finalization_error_"))
        value: Any = item
        for step in self.field.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        return value


def parse(kind: str, query: str) -> tuple[list[Clause], bool]:
    """The clauses, and whether all must hold (AND) or any (OR). Raises ApiError (400)."""
    clauses: list[Clause] = []
    joins: set[str] = set()
    at = 0
    while True:
        match = _CLAUSE.match(query, at)
        if match is None:
            raise _invalid(f"could not be parsed near {query[at : at + 20]!r}")
        clauses.append(_clause(kind, match))
        at = match.end()
        if not query[at:].strip():
            break
        join = _JOIN.match(query, at)
        # A blank between two clauses means AND.
        joins.add(join[1].lower() if join else "and")
        at = join.end() if join else at
    if len(joins) > 1:
        raise _invalid("mixes AND and OR")
    if len(clauses) > _MOST_CLAUSES:
        raise _invalid(f"has more than {_MOST_CLAUSES} clauses")
    return clauses, joins != {"or"}


def _clause(kind: str, match: re.Match[str]) -> Clause:
    name, key, op, value = match["field"], match["key"], match["op"], match["value"]
    if name != "metadata" and name not in _FIELDS[kind].split():
        raise _invalid(f"names the field {name}, which is not searchable")
    if (name == "metadata") is not (key is not None):
        raise _invalid("needs metadata in the form metadata['key']")
    quoted = value[0] in "\"'"
    if quoted:
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    elif value.lower() == "null" and op == ":":
        return Clause(name, key, op, None, bool(match["not"]))
    if op == "~" and len(value) < 3:
        raise _invalid("needs at least 3 characters after ~")
    if op in (">", "<", ">=", "<=") and name not in _NUMBERS and name != "metadata":
        raise _invalid(f"compares {name}, which is not a number")
    return Clause(name, key, op, value, bool(match["not"]))


def _invalid(why: str) -> ApiError:
    return bad_request(f"The search query is invalid: it {why}.", param="query")


def search(account: Account, kind: str, params: dict[str, Any], url: str) -> bytes:
    """One page of hits, newest first, as JSON."""
    clauses, every = parse(kind, params["query"])
    limit = limit_of(params)
    test: Callable[[Object], bool] = lambda item: (all if every else any)(  # noqa: E731
        clause.holds(item) for clause in clauses
    )
    wanted = _from_page(params.get("page"))
    hits: list[Row] = []
    for row in _candidates(account, kind, clauses if every else []):
        if wanted is not None and row.key >= wanted:
            continue
        seen = account.searchable(row)
        if seen is not None and test(decode(seen)):
            hits.append(row)
            if len(hits) > limit:
                break
    more = len(hits) > limit
    hits = hits[:limit]
    head = b'{"object":"search_result","data":[' + b",".join(row.raw for row in hits)
    tail = {"has_more": more, "next_page": _to_page(hits[-1]) if more else None, "url": url}
    return head + b"]," + encode(tail)[1:]


def _candidates(account: Account, kind: str, clauses: list[Clause]) -> Iterator[Row]:
    """Rows that can be hits. Indexed ids, which never change, narrow them."""
    equal = {
        clause.field: clause.value
        for clause in clauses
        if clause.field in ("customer", "product") and clause.op == ":" and not clause.negated
    }
    return account.shelf(kind).newest({name: id for name, id in equal.items() if id is not None})


def _to_page(row: Row) -> str:
    return base64.urlsafe_b64encode(f"{row.key[0]}:{row.key[1]}".encode()).decode()


def _from_page(page: str | None) -> tuple[int, int] | None:
    if page is None:
        return None
    try:
        created, _, arrival = base64.urlsafe_b64decode(page).decode().partition(":")
        return int(created), int(arrival)
    except ValueError:
        raise bad_request("Invalid page token.", param="page") from None
