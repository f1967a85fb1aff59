"""How the lines of a request meet the lines that a record already has.

Keyed sublists are merged by key, others only grow; `replace` drops what was there.
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1545295601.html
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_1545297048.html
"""

from __future__ import annotations

from .books import Body, ref_id
from .catalog import Sublist


def merge(
    sublist: Sublist, held: list[Body], given: list[Body] | None, *, replace: bool
) -> list[Body]:
    """The lines after the request. None empties the list."""
    if given is None:
        return []
    if not sublist.keys:
        return _numbered(sublist, [*([] if replace else held), *given])
    by_key = {_key(sublist, line): line for line in held}
    kept = [] if replace else list(held)
    for line in given:
        key = _key(sublist, line)
        old = by_key.get(key) if all(key) else None
        if old is None:
            kept.append(line)
            if all(key):
                by_key[key] = line
            continue
        merged = _overlay(old, line)
        at = next((index for index, one in enumerate(kept) if one is old), None)
        if at is None:
            kept.append(merged)
        else:
            kept[at] = merged
        by_key[key] = merged
    return _numbered(sublist, kept)


def _key(sublist: Sublist, line: Body) -> tuple[str, ...]:
    return tuple(ref_id(line.get(name)) for name in sublist.keys)


def _overlay(old: Body, new: Body) -> Body:
    merged = {**old, **new}
    # An amount follows from quantity and rate unless the request states it.
    if "amount" in old and "amount" not in new and {"quantity", "rate", "item"} & new.keys():
        del merged["amount"]
    # One side of a journal line at a time.
    for side, other in (("debit", "credit"), ("credit", "debit")):
        if new.get(side) is not None and other not in new:
            merged.pop(other, None)
    return merged


def _numbered(sublist: Sublist, lines: list[Body]) -> list[Body]:
    if "line" not in sublist.keys:
        return lines
    last = max((int(line["line"]) for line in lines if line.get("line") is not None), default=0)
    numbered = []
    for line in lines:
        if line.get("line") is None:
            last += 1
            line = {"line": last, **line}
        numbered.append(line)
    return numbered
