"""Checks parameters against their specification (specs.py).

Types: `s` text (default), `i` integer, `b` boolean, `d` decimal, `j` JSON, `l` list of texts, `x`
anything, `a/b/c` one of these words, `$name` one of the words of that name, `{...}` a group,
`[...]` a list of groups; `@name` stands for the fields of that name. A group that is left out is
not missed, even where it has required fields; the endpoint asks for it itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from .. import specs
from ..specs import Field
from .codec import decode_any
from .errors import blank, wrong_value
from .form import Rows
from .words import GROUPS, WORDS

Params = dict[str, Any]
_GROUP = re.compile(r"@([a-z_0-9]+)")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+\Z")
_MAY_BE_NEGATIVE = re.compile(r"round_off|fractional_correction")
_AT_LEAST_ONE = re.compile(r"(\A|\[)(plan_|addon_)?(period|quantity)\]?(\[\d+\])?\Z")
_PERIOD = re.compile(r"period\]?(\[\d+\])?\Z")
_LONGEST_PERIOD = 1_000
_LONGEST = {"email": 70, "first_name": 150, "last_name": 150, "company": 250}
# By the list that an object is in, or the group that names it; what is chosen for the rest: 50.
_LONGEST_ID = {
    "items": 100, "item_prices": 100, "plans": 100, "addons": 100, "coupons": 100,
    "transaction": 40, "payments": 40, "credit_notes": 50, "event_based_addons": 100,
}  # fmt: skip


@cache
def compile_spec(text: str) -> dict[str, Field]:
    """The fields that a specification names, those of its groups included."""
    while named := _GROUP.search(text):
        text = text[: named.start()] + GROUPS[named[1]] + text[named.end() :]
    return specs.compile_spec(text)


@dataclass(frozen=True)
class Rules:
    """What a site does with parameters that no specification names.

    `custom_fields` are the `cf_*` fields defined in the site; None takes any.
    """

    custom_fields: frozenset[str] | None = None
    refuse_unknown: bool = True


def check(sent: Params, spec: str, rules: Rules, path: str = "") -> Params:
    """The parameters with their types; '' became None where sent. Raises ApiError (400)."""
    fields = compile_spec(spec)
    if isinstance(id := sent.get("id"), str):
        _check_id(id, "id", path.partition("/")[0])
    own = {name: one for name, one in sent.items() if not name.startswith("cf_")}
    checked = _check_group(own, fields, "", rules)
    for name, value in sent.items():
        if name.startswith("cf_"):
            if rules.custom_fields is not None and name not in rules.custom_fields:
                raise wrong_value(name, "is not a custom field of this site")
            checked[name] = _text(value, name) or None
    return checked


def _check_group(
    sent: Params, fields: dict[str, Field], prefix: str, rules: Rules, suffix: str = ""
) -> Params:
    for name in sent:
        if name not in fields and rules.refuse_unknown:
            raise wrong_value(_named(prefix, name) + suffix, "is not a known parameter")
    for name, field in fields.items():
        if field.required and not sent.get(name):
            raise blank(_named(prefix, name) + suffix)
    return {
        name: _check(value, fields[name], _named(prefix, name), rules, suffix)
        for name, value in sent.items()
        if name in fields
    }


def _named(prefix: str, name: str) -> str:
    return f"{prefix}[{name}]" if prefix else name


def _check(value: Any, field: Field, name: str, rules: Rules, suffix: str) -> Any:
    shown = name + suffix
    match field.type:
        case "x":
            return value
        case "{":
            if not isinstance(value, dict) or isinstance(value, Rows):
                raise wrong_value(shown, "must be a group of parameters")
            return _check_group(value, dict(field.inner), name, rules, suffix)
        case "[":
            inner = dict(field.inner)
            return [
                _check_group(_group(row, f"{name}[{at}]"), inner, name, rules, f"[{at}]")
                for at, row in _rows(value, shown)
            ]
        case "l":
            return [_text(one, f"{name}[{at}]") for at, one in _rows(value, shown)]
    text = _text(value, shown)
    return None if text == "" else _check_value(text, field.type, shown)


def _rows(value: Any, name: str) -> list[tuple[int, Any]]:
    if not isinstance(value, Rows):
        raise wrong_value(name, "must be a list: the index stands after the name")
    return sorted(value.items())


def _group(value: Any, name: str) -> Params:
    if not isinstance(value, dict):
        raise wrong_value(name, "must be a group of parameters")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise wrong_value(name, "must be one value")
    return value


def _check_value(text: str, type_: str, name: str) -> Any:
    match type_:
        case "s":
            return _check_text(text, name)
        case "i":
            return _in_bounds(integer(text, name), name)
        case "b":
            return boolean(text, name)
        case "d":
            return _decimal(text, name)
        case "j":
            return _json(text, name)
    words = (WORDS[type_[1:]] if type_.startswith("$") else type_).split("/")
    if text not in words:
        raise wrong_value(name, f"value must be one of {', '.join(words)}")
    return text


def _in_bounds(number: int, name: str) -> int:
    if number < 0 and not _MAY_BE_NEGATIVE.search(name):
        raise wrong_value(name, "should not be negative")
    if number < 1 and _AT_LEAST_ONE.search(name):
        raise wrong_value(name, "should be at least 1")
    if number > _LONGEST_PERIOD and _PERIOD.search(name):
        raise wrong_value(name, f"should be at most {_LONGEST_PERIOD}")
    return number


def _check_id(text: str, name: str, kind: str) -> None:
    if len(text) > _LONGEST_ID.get(kind, 50):
        raise wrong_value(name, "is too long", error_code="param_too_long")


def _check_text(text: str, name: str) -> str:
    field = re.sub(r".*\[([a-z_]+)\](\[\d+\])?\Z", r"\1", name)
    if field == "email" and not _EMAIL.match(text):
        raise wrong_value(name, "wrong format", error_code="wrong_format")
    if field == "id" and name != "id":
        _check_id(text, name, name.partition("[")[0])
    if len(text) > _LONGEST.get(field, 65_000):
        raise wrong_value(name, "is too long", error_code="param_too_long")
    return text


def integer(text: str, name: str) -> int:
    """A whole number; ApiError (400) for anything else."""
    if not re.fullmatch(r"[-+]?[0-9]{1,18}", text):
        raise wrong_value(name, "should be an integer", error_code="wrong_format")
    return int(text)


def boolean(text: str, name: str) -> bool:
    """`true` or `false`; clients write them in capitals, too."""
    if text.lower() not in ("true", "false"):
        raise wrong_value(name, "should be true or false", error_code="wrong_format")
    return text.lower() == "true"


def _decimal(text: str, name: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise wrong_value(name, "should be a number", error_code="wrong_format")
    return number


def _json(text: str, name: str) -> Any:
    try:
        return decode_any(text)
    except ValueError:
        raise wrong_value(name, "should be JSON", error_code="wrong_format") from None


def group(params: Params, name: str, *required: str) -> Params:
    """A group that the endpoint cannot do without. Raises ApiError (400)."""
    found: Params = params.get(name) or {}
    for field in required:
        if found.get(field) is None:
            raise blank(f"{name}[{field}]")
    return found
