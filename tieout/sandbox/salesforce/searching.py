"""Full-text search: SOSL and the parameterized search.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_sosl_syntax.htm
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from .errors import Refusal, not_json, wrong_method
from .fields import SObject
from .querying import Queries
from .records import read_object
from .saving import Org
from .wire import Request

_MOST = 2000
_FIRST_AS_OBJECT = 37  # older versions answer a bare list
_FIND = re.compile(
    r"\s*FIND\s+\{(?P<term>(?:\\.|[^}\\])*)\}"
    r"(?:\s+IN\s+(?P<scope>ALL|NAME|EMAIL|PHONE|SIDEBAR)\s+FIELDS)?"
    r"(?:\s+RETURNING\s+(?P<returning>.+?))?"
    r"(?:\s+LIMIT\s+(?P<limit>\d+))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_SCOPES = {"EMAIL": ("email",), "PHONE": ("phone",)}
_TEXTS = ("string", "textarea", "email", "phone", "url")
_WORD = re.compile(r"[\w*?]+")


@dataclass
class Wanted:
    """One object that is searched: its fields, and the rest of a query (WHERE, ORDER BY, LIMIT)."""

    type: SObject
    fields: str = "Id"
    rest: str = ""


@dataclass
class Hunt:
    """A search: `words` are phrases of which each must occur, or one of several lists of them."""

    choices: list[list[list[str]]]
    scope: str = "ALL"
    wanted: list[Wanted] = field(default_factory=list)
    limit: int = _MOST


@dataclass
class Search:
    """Answers /search and /parameterizedSearch."""

    org: Org
    queries: Queries

    def sosl(self, request: Request, version: str) -> Any:
        """GET /search?q=FIND {...}. Raises Refusal."""
        if request.method not in ("GET", "HEAD"):
            raise wrong_method(request.method, "GET,HEAD")
        found = _FIND.fullmatch(request.param("q"))
        if found is None:
            raise _malformed("No search term found. The search term must be enclosed in braces.")
        term = re.sub(r"\\(.)", r"\1", found["term"])
        hunt = Hunt(_choices(term), (found["scope"] or "ALL").upper())
        hunt.wanted = self._returning(found["returning"] or "")
        hunt.limit = min(int(found["limit"] or _MOST), _MOST)
        return _shaped(self._run(hunt, version), version)

    def parameterized(self, request: Request, version: str) -> Any:
        """The search without SOSL, by query parameters or by a JSON body. Raises Refusal."""
        if request.method not in ("GET", "HEAD", "POST"):
            raise wrong_method(request.method, "GET,HEAD,POST")
        sent = read_object(request) if request.method == "POST" else _of_query(request)
        if not isinstance(sent.get("q"), str) or not sent["q"].strip():
            raise Refusal("MISSING_ARGUMENT", "Missing argument: q")
        _check_shape(sent)
        hunt = Hunt(_choices(sent["q"]), _scope(sent.get("in") or "ALL"))
        usual = sent.get("fields") or ["Id"]
        for one in sent.get("sobjects") or []:
            limit = one.get("limit") or sent.get("defaultLimit")
            rest = f" WHERE {one['where']}" if one.get("where") else ""
            rest += f" LIMIT {int(limit)}" if limit else ""
            type = self.org.type(str(one.get("name")))
            hunt.wanted.append(Wanted(type, ", ".join(one.get("fields") or usual), rest))
        hunt.wanted = hunt.wanted or self._everywhere()
        hunt.limit = min(int(sent.get("overallLimit") or _MOST), _MOST)
        return _shaped(self._run(hunt, version), version)

    def _everywhere(self) -> list[Wanted]:
        return [Wanted(one) for one in self.org.store.objects.values() if one.createable]

    def _returning(self, text: str) -> list[Wanted]:
        if not text.strip():
            return self._everywhere()
        wanted = []
        for part in _split(text):
            found = re.fullmatch(r"\s*(\w+)\s*(?:\((.*)\))?\s*", part, re.DOTALL)
            if found is None:
                raise _malformed(f"unexpected token: {part.strip()}")
            fields, rest = _clauses(found[2] or "Id")
            wanted.append(Wanted(self.org.type(found[1]), fields, rest))
        return wanted

    def _run(self, hunt: Hunt, version: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for one in hunt.wanted:
            ids = self._ids(one.type, hunt)
            listed = ", ".join(f"'{id}'" for id in ids)
            condition = f"Id IN ({listed})" if ids else "Id = null"
            where = re.match(r"\s*WHERE\s+(.*?)(?=\s+(?:ORDER BY|LIMIT|OFFSET)\s|$)", one.rest,
                             re.IGNORECASE | re.DOTALL)  # fmt: skip
            tail = one.rest[where.end() :] if where else one.rest
            condition += f" AND ({where[1]})" if where else ""
            soql = f"SELECT {one.fields} FROM {one.type.name} WHERE {condition}{tail}"
            found += self.queries.run(soql, version, page=_MOST)["records"]
        return found[: hunt.limit]

    def _ids(self, type: SObject, hunt: Hunt) -> list[str]:
        names = [one.name for one in type.fields.values() if _searched(one, hunt.scope)]
        if not names:
            return []
        columns = ", ".join(f'"{name}"' for name in names)
        rows = self.org.store.db.execute(
            f'SELECT Id, {columns} FROM "{type.name}" WHERE _deleted IS NULL ORDER BY Id'
        )
        found = [str(row[0]) for row in rows if _matches(row[1:], hunt.choices)]
        return found[:_MOST]


def _searched(one: Any, scope: str) -> bool:
    if one.columns:
        return False
    if scope == "NAME":
        return bool(one.name_field) or one.name in ("FirstName", "LastName")
    return one.type in _SCOPES.get(scope, _TEXTS)


def _of_query(request: Request) -> dict[str, Any]:
    """The parameters of a GET in the form of the JSON body."""
    named = [name for key, value in request.query if key == "sobject" for name in value.split(",")]
    sent: dict[str, Any] = {"q": request.param("q"), "in": request.param("in")}
    for name in ("defaultLimit", "overallLimit"):
        sent[name] = _number(request.param(name))
    sent["fields"] = _names(request.param("fields"))
    sent["sobjects"] = [
        {
            "name": name,
            "fields": _names(request.param(f"{name}.fields")),
            "limit": _number(request.param(f"{name}.limit")),
            "where": request.param(f"{name}.where"),
        }
        for name in named
    ]
    return sent


def _check_shape(sent: dict[str, Any]) -> None:
    """The parts of a body are of the kind that they are documented as. Raises Refusal."""
    objects = sent.get("sobjects") or []
    if not isinstance(objects, list) or not all(isinstance(one, dict) for one in objects):
        raise not_json("sobjects must be a list of objects")
    for one in [sent, *objects]:
        fields = one.get("fields") or []
        if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
            raise not_json("fields must be a list of names")
        if not isinstance(one.get("where") or "", str):
            raise not_json("where must be a text")
        for name in ("limit", "defaultLimit", "overallLimit"):
            value = one.get(name)
            if value is not None and (type(value) is not int or value < 0):
                raise not_json(f"{name} must be a whole number")


def _scope(text: Any) -> str:
    """`NAME FIELDS` or `NAME`. Raises Refusal."""
    word = str(text).upper().removesuffix("FIELDS").strip()
    if word not in ("ALL", "NAME", "EMAIL", "PHONE", "SIDEBAR"):
        raise Refusal("INVALID_SEARCH_SCOPE", f"invalid search scope: {text}")
    return word


def _number(text: str) -> int | None:
    if text and not (text.isascii() and text.isdigit()):
        raise Refusal("INVALID_SEARCH", f"not a number: {text}")
    return int(text) if text else None


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _choices(term: str) -> list[list[list[str]]]:
    """Alternatives (OR) of phrases that must all occur; each phrase is a list of words."""
    choices = []
    for part in re.split(r"\s+OR\s+", term.strip()):
        quoted = re.findall(r'"([^"]*)"', part)
        plain = re.sub(r'"[^"]*"', " ", part)
        words = [word for word in plain.split() if word != "AND"]
        phrases = [_WORD.findall(one.lower()) for one in [*quoted, *words]]
        choices.append([one for one in phrases if one])
    letters = re.sub(r"[\W*?]", "", term)
    if len(letters) < 2 or not all(choices):
        raise _malformed("search term must be longer than one character: " + term)
    return choices


def _matches(cells: tuple[Any, ...], choices: list[list[list[str]]]) -> bool:
    texts = [_WORD.findall(cell.lower()) for cell in cells if isinstance(cell, str)]
    return any(
        all(any(_holds(text, phrase) for text in texts) for phrase in phrases)
        for phrases in choices
    )


def _holds(text: list[str], phrase: list[str]) -> bool:
    """Does the phrase stand in the text, word after word?"""
    return any(
        all(fnmatchcase(text[at + n], word) for n, word in enumerate(phrase))
        for at in range(len(text) - len(phrase) + 1)
    )


def _split(text: str) -> list[str]:
    """At the commas that stand outside of parentheses."""
    parts, depth = [""], 0
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _clauses(text: str) -> tuple[str, str]:
    """The fields, and what follows them."""
    found = re.search(r"(?:^|\s)(?=(?:WHERE|ORDER BY|LIMIT|OFFSET)\s)", text, re.IGNORECASE)
    at = found.start() if found else len(text)
    return text[:at].strip() or "Id", f" {text[at:].strip()}" if text[at:].strip() else ""


def _shaped(records: list[dict[str, Any]], version: str) -> Any:
    old = int(version.partition(".")[0]) < _FIRST_AS_OBJECT
    return records if old else {"searchRecords": records}


def _malformed(message: str) -> Refusal:
    return Refusal("MALFORMED_SEARCH", message)
