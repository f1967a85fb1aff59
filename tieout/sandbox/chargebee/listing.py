"""Answers a list request: filters, sorting, pages.

https://apidocs.chargebee.com/docs/api/list-ops
"""

from __future__ import annotations

import ast
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .codec import decode_any, encode
from .errors import wrong_value
from .kinds import Filter, Kind
from .params import Params, Rules, boolean, integer
from .shelf import Ask, Position, Row

Test = Callable[[Row], bool]
_OPERATORS = {
    "s": frozenset(["is", "is_not", "starts_with", "in", "not_in", "is_present"]),
    "e": frozenset(["is", "is_not", "in", "not_in", "is_present"]),
    "n": frozenset(["is", "is_not", "lt", "lte", "gt", "gte", "between", "is_present"]),
    "t": frozenset(["after", "before", "on", "between", "is_present"]),
    "b": frozenset(["is", "is_present"]),
}
_LAST = 2**53
# Public clients send these to every list; where a list does not have them they change nothing.
_TOLERATED = frozenset(["include_deleted", "sort_by", "updated_at", "created_at"])
_DAY = timedelta(days=1)


class Listing:
    """One list request, read and checked. Raises ApiError (400)."""

    def __init__(
        self, kind: Kind, params: Params, zone: ZoneInfo, rules: Rules, now: int, fixed: Params
    ) -> None:
        self._kind, self._zone = kind, zone
        self._tests: list[Test] = []
        self._equal: list[tuple[str, tuple[Any, ...]]] = []
        self._ranges: list[tuple[str, int, int]] = []
        params = dict(params)
        self._mark = _fingerprint(kind, params, fixed)
        limit = _limit(params.pop("limit", "10"))
        token = params.pop("offset", None)
        self._sort, self._descending = self._read_sort(params.pop("sort_by", None))
        self._read_deleted(params.pop("include_deleted", "false"))
        for name, value in fixed.items():
            self._equal.append((name, (value,)))
            self._tests.append(_holds(name, {value}))
        for flag in kind.flags:
            if flag in params:
                self._read_flag(flag, params.pop(flag), now)
        self._read_filters(params, rules)
        tests = tuple(self._tests)
        self.ask = Ask(
            limit,
            self._sort,
            self._descending,
            tuple(self._equal),
            tuple(self._ranges),
            (lambda row: all(test(row) for test in tests)),
            self._position(token) if token else None,
        )

    def token(self, row: Row) -> str:
        """What asks for the page that begins with `row`."""
        value = row.value(self._sort)
        scaled = value * 1000 if isinstance(value, int) and self._sort != "created" else value
        return encode([str(scaled), f"{self._mark:06d}{row.seq:09d}"]).decode()

    def _position(self, token: str) -> Position:
        try:
            found = decode_any(token)
            # Some clients quote the token once more on its way back.
            value, number = decode_any(found) if isinstance(found, str) else found
            mark, seq = int(number[:6]), int(number[6:])
            found = value
            if self._sort not in ("name", "id", "status"):
                found = int(value) if self._sort == "created" else int(value) // 1000
        except (ValueError, TypeError):
            raise wrong_value("offset", "invalid value", error_code="wrong_format") from None
        if mark != self._mark:
            raise wrong_value(
                "offset",
                "belongs to a list with other parameters; these must be the same on every page",
            )
        return found, seq

    def _read_sort(self, sent: Any) -> tuple[str, bool]:
        if sent is None or not self._kind.sorts:
            return "created", False
        if not isinstance(sent, dict) or len(sent) != 1 or not sent.keys() <= {"asc", "desc"}:
            raise wrong_value("sort_by", "must be sort_by[asc] or sort_by[desc]")
        (way, name), *_ = sent.items()
        if name not in self._kind.sorts:
            raise wrong_value(
                f"sort_by[{way}]", f"value must be one of {', '.join(self._kind.sorts)}"
            )
        return name, way == "desc"

    def _read_deleted(self, sent: Any) -> None:
        if not boolean(str(sent), "include_deleted") or not self._kind.include_deleted:
            self._tests.append(lambda row: row.fields.get("deleted") is not True)

    def _read_flag(self, flag: str, sent: Any, now: int) -> None:
        if flag in ("start_time", "end_time", "paid_on_after"):
            moment = integer(str(sent), flag)
            name = "paid_at" if flag == "paid_on_after" else "occurred_at"
            bounds = (0, moment) if flag == "end_time" else (moment, _LAST)
            self._add_range(name, *bounds)
        elif flag == "is_voided":
            wanted = boolean(str(sent), flag)
            self._tests.append(lambda row: bool(row.fields.get("is_voided")) is wanted)
        elif flag in ("entity_type", "entity_id"):
            self._tests.append(_holds(flag, {str(sent)}))

    def _read_filters(self, params: Params, rules: Rules) -> None:
        flat: dict[str, Any] = {}
        for name, sent in params.items():
            if isinstance(sent, dict) and f"{name}.{next(iter(sent), '')}" in self._kind.filters:
                flat |= {f"{name}.{inner}": value for inner, value in sent.items()}
            else:
                flat[name] = sent
        for name, sent in flat.items():
            known = self._kind.filters.get(name)
            if known is not None:
                self._read_filter(known, sent)
            elif name not in _TOLERATED and rules.refuse_unknown:
                raise wrong_value(name, "is not a known parameter")
        for known in self._kind.filters.values():
            if known.required and known.name not in flat:
                raise wrong_value(known.name, "cannot be blank")

    def _read_filter(self, known: Filter, sent: Any) -> None:
        if not isinstance(sent, dict):
            raise wrong_value(known.name, "needs an operator, as in name[is]=value")
        for operator, text in sent.items():
            param = f"{known.name}[{operator}]"
            if operator not in _OPERATORS[known.type] or not isinstance(text, str):
                allowed = ", ".join(sorted(_OPERATORS[known.type]))
                raise wrong_value(param, f"operator must be one of {allowed}")
            if operator == "is_present":
                self._tests.append(_present(known.name, boolean(text, param)))
            elif known.type == "t":
                self._read_moment(known.name, operator, text, param)
            elif known.type == "n":
                self._tests.append(_number(known.name, operator, text, param))
            else:
                self._read_words(known, operator, text, param)

    def _read_words(self, known: Filter, operator: str, text: str, param: str) -> None:
        name = known.name
        if known.type == "b":
            wanted = boolean(text, param)
            self._tests.append(lambda row: bool(row.fields.get(name)) is wanted)
            return
        if operator == "starts_with":
            self._tests.append(lambda row: _starts(row.fields.get(name), text))
            return
        values = _list(text, param) if operator in ("in", "not_in") else [text]
        for one in values:
            if known.words and one not in known.words:
                raise wrong_value(param, f"value must be one of {', '.join(known.words)}")
        test = _holds(name, set(values))
        if operator in ("is", "in"):
            self._tests.append(test)
            if name == "id" or name in self._kind.indexed:
                self._equal.append((name, tuple(dict.fromkeys(values))))
        else:
            self._tests.append(lambda row: not test(row))

    def _read_moment(self, name: str, operator: str, text: str, param: str) -> None:
        if operator == "between":
            bounds = [integer(one, param) for one in _list(text, param)]
            if len(bounds) != 2:
                raise wrong_value(param, "must be two timestamps, as in [1,2]")
            self._add_range(name, bounds[0], bounds[1])
            return
        moment = integer(text, param)
        if operator == "on":
            local = datetime.fromtimestamp(moment, self._zone)
            day = local.replace(hour=0, minute=0, second=0)
            self._add_range(name, int(day.timestamp()), int((day + _DAY).timestamp()) - 1)
        elif operator == "after":
            self._add_range(name, moment + 1, _LAST)
        else:
            self._add_range(name, 0, moment - 1)

    def _add_range(self, name: str, first: int, last: int) -> None:
        self._ranges.append((name, first, last))
        self._tests.append(lambda row: _between(row.fields.get(name), first, last))


def _fingerprint(kind: Kind, params: Params, fixed: Params) -> int:
    asked = {name: value for name, value in params.items() if name != "offset"}
    return zlib.crc32(repr((kind.name, sorted(asked.items()), fixed)).encode()) % 1_000_000


def _limit(sent: Any) -> int:
    limit = integer(str(sent), "limit")
    if not 1 <= limit <= 100:
        raise wrong_value("limit", "must be between 1 and 100")
    return limit


def _list(text: str, param: str) -> list[str]:
    """`["a","b"]`, or as clients write it from Python, `['a', 'b']`; `[1, 2]`."""
    try:
        found = ast.literal_eval(text.strip().strip('"') if text.startswith('"[') else text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        if not (text.startswith("[") and text.endswith("]")):
            raise wrong_value(param, 'must be a list, as in ["a","b"]') from None
        found = [one.strip() for one in text[1:-1].split(",")]
    if not isinstance(found, (list, tuple)) or not all(isinstance(o, (str, int)) for o in found):
        raise wrong_value(param, 'must be a list, as in ["a","b"]')
    return [str(one) for one in found]


def _holds(name: str, wanted: set[Any]) -> Test:
    def test(row: Row) -> bool:
        have = row.fields.get(name)
        return any(one in wanted for one in have) if isinstance(have, tuple) else have in wanted

    return test


def _present(name: str, wanted: bool) -> Test:
    return lambda row: (row.fields.get(name) not in (None, ())) is wanted


def _starts(have: Any, text: str) -> bool:
    values = have if isinstance(have, tuple) else (have,)
    return any(isinstance(one, str) and one.startswith(text) for one in values)


def _between(have: Any, first: int, last: int) -> bool:
    return isinstance(have, int) and first <= have <= last


def _number(name: str, operator: str, text: str, param: str) -> Test:
    if operator == "between":
        bounds = [integer(one, param) for one in _list(text, param)]
        if len(bounds) != 2:
            raise wrong_value(param, "must be two numbers, as in [1,2]")
        return lambda row: _between(row.fields.get(name), bounds[0], bounds[1])
    limit = integer(text, param)
    tests: dict[str, Callable[[int], bool]] = {
        "is": lambda have: have == limit,
        "is_not": lambda have: have != limit,
        "lt": lambda have: have < limit,
        "lte": lambda have: have <= limit,
        "gt": lambda have: have > limit,
        "gte": lambda have: have >= limit,
    }
    test = tests[operator]
    return lambda row: isinstance(row.fields.get(name), int) and test(row.fields[name])
