"""The report as plain text in 78 columns, for mail readers without HTML and for terminals."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from . import words
from .facts import Facts, Row

COLUMNS = 78
TOP = 25


def text_report(facts: Facts, *, limit: int = TOP) -> str:
    """The same facts as the page; the gravest `limit` breaks one by one."""
    return "\n".join(_lines(facts, limit)) + "\n"


def _lines(facts: Facts, limit: int) -> Iterator[str]:
    yield from _wrapped(facts.title)
    yield f"{'as known on' if facts.as_of else 'as of'} {facts.made} {facts.zone}"
    yield "=" * COLUMNS
    yield from _wrapped(facts.headline.upper())
    yield from _wrapped(facts.proof + ".")
    yield from _wrapped(facts.movement + ".")
    yield ""
    for kpi in facts.kpis:
        yield f"{words.fitted(kpi.name, 18)}{words.fitted(kpi.shown, 14, right=True)}   {kpi.goal}"
    yield from _tie(facts)
    yield from _groups(facts)
    yield from _breaks(facts, limit)
    yield from _rest(facts)


def _title(text: str) -> Iterator[str]:
    yield ""
    yield text
    yield "-" * COLUMNS


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text, COLUMNS, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def _tie(facts: Facts) -> Iterator[str]:
    if not facts.tie:
        return
    yield from _title("DO THE TOTALS TIE OUT?")
    flow = ""
    for row in facts.tie:
        if row.flow != flow:
            flow = row.flow
            yield words.fitted(flow, COLUMNS).rstrip()
            heads = (row.left_system, row.right_system, "difference", "explained")
            yield "     " + "".join(words.fitted(each, 18, right=True) for each in heads)
        cells = (row.left, row.right, row.difference, row.explained)
        line = words.fitted(f" {row.currency}", 5)
        yield line + "".join(words.fitted(each, 18, right=True) for each in cells)
        if not row.even:
            parts = f"breaks {row.breaks}, in flight {row.in_flight}, tolerance {row.tolerated}"
            yield from _wrapped(f"{parts}; unexplained {row.unexplained}", "       ")


def _groups(facts: Facts) -> Iterator[str]:
    if not facts.groups:
        return
    yield from _title("WHAT TO MEND")
    for group in facts.groups:
        yield from _wrapped(f"{group.count:4}  {group.title}: {group.cause}")
        yield from _wrapped(" + ".join(group.stakes), "      ")


def _breaks(facts: Facts, limit: int) -> Iterator[str]:
    if not facts.rows:
        return
    yield from _title("THE GRAVEST BREAKS")
    for row in facts.rows[:limit]:
        yield from _break(row)
    if len(facts.rows) > limit:
        yield f"... and {len(facts.rows) - limit:,} more in the workbook, sheet Breaks"


def _break(row: Row) -> Iterator[str]:
    stake = row.stake or "no money"
    head = f"{row.severity.upper():9}{row.entity} {row.title}"
    room = COLUMNS - words.width(stake) - 2
    yield words.fitted(head, max(20, room)) + "  " + stake
    about = [row.kind, row.customer, row.age, row.assignee and f"with {row.assignee}"]
    yield from _wrapped(", ".join(each for each in about if each), "         ")
    if row.cause:
        yield from _wrapped(row.cause, "         ")
    for name, left, right in row.differences[:6]:
        yield from _wrapped(f"{name}: {left} / {right}", "         ")
    sides = ((row.left_system, row.left_id), (row.right_system, row.right_id))
    yield from _wrapped("   ".join(f"{name} {id or '-'}" for name, id in sides), "         ")


def _rest(facts: Facts) -> Iterator[str]:
    yield from _title("IN FLIGHT")
    yield from _wrapped(facts.in_flight)
    if facts.freshness:
        yield from _title("HOW FRESH THE SYSTEMS ARE")
        for system, entity, records, aside, pulled in facts.freshness:
            about = f"{words.fitted(system, 12)} {words.fitted(entity, 13)}"
            line = f"{about} {words.fitted(records, 10, right=True)}  {pulled} {aside}"
            yield words.fitted(line, COLUMNS).rstrip()
    if facts.complete:
        yield from _title("HOW WE KNOW THAT NOTHING IS MISSING")
        yield from _wrapped(facts.completeness + ".")
        for each in facts.complete:
            about = f"{words.fitted(each.system, 12)} {words.fitted(each.entity, 13)}"
            yield f"{about} {each.verdict}".rstrip()
            yield from _wrapped(each.told, "    ")
    yield from _title("WHAT TIEOUT WROTE")
    for what, stake in facts.written:
        yield from _wrapped(f"{what}{f' ({stake})' if stake else ''}")
    if not facts.written:
        yield "Nothing."
