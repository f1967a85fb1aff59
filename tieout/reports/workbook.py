"""The report as an Excel workbook. Every text is written as text, never as a formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

import xlsxwriter

from tieout.core.money import EXPONENTS, from_minor
from tieout.reconcile.breaks import Break
from tieout.reconcile.outcome import Outcome

from . import words
from .facts import KIND_WORDS, Context, Facts

# Excel holds numbers as 64-bit floating point: above this, cents would be lost.
EXACT = 2**53
_LONGEST = 32_000  # characters that a cell holds, with room to spare


@dataclass(frozen=True)
class Money:
    """A cell that holds an amount."""

    minor: int
    currency: str | None


@dataclass(frozen=True)
class Jump:
    """A cell that leads to a provider's page; `url` has been checked, '' for none."""

    text: str
    url: str


Cell = str | int | Money | Jump


def workbook(outcome: Outcome, facts: Facts, context: Context) -> bytes:
    """The .xlsx file: Summary, Tie-out, Breaks, Control totals, Completeness."""
    memory = BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = _Book(xlsxwriter.Workbook(memory, options))
    book.file.set_properties({"title": facts.title, "created": _naive(outcome.at)})
    book.sheet("Summary", ["", "", ""], _summary(facts), [30, 34, 60], filtered=False)
    book.sheet("Tie-out", _TIE, [_tie(proof) for proof in outcome.proofs], _TIE_WIDTHS)
    rows = [_break(one, outcome, context) for one in (*outcome.breaks, *outcome.waived)]
    book.sheet("Breaks", _BREAKS, rows, _BREAK_WIDTHS)
    book.sheet(
        "Control totals",
        _TOTALS,
        [_total(each) for each in outcome.totals],
        [34, 14, 12, 10, 10, 14, 10, 20],
    )
    complete = [(each.system, each.entity, each.verdict, each.told) for each in facts.complete]
    book.sheet("Completeness", ["System", "Records", "Verdict", "Why"], complete, [18, 18, 14, 100])
    book.file.close()
    return memory.getvalue()


def _naive(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)  # Excel knows no time zones


class _Book:
    """A workbook with the formats that its cells share."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self._head = file.add_format(
            {"bold": True, "bg_color": "#1A2433", "font_color": "#FFFFFF", "valign": "vcenter"}
        )
        self._text = file.add_format({"valign": "top", "text_wrap": True})
        self._bold = file.add_format({"bold": True, "valign": "top", "font_size": 13})
        self._whole = file.add_format({"num_format": "#,##0", "valign": "top"})
        self._link = file.add_format(
            {"font_color": "#1F4E8C", "underline": 1, "valign": "top", "text_wrap": True}
        )
        self._places: dict[int, Any] = {}

    def sheet(
        self,
        name: str,
        head: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        widths: Sequence[int],
        *,
        filtered: bool = True,
    ) -> None:
        """One sheet: frozen header with filters, then the rows."""
        page = self.file.add_worksheet(name)
        for at, wide in enumerate(widths):
            page.set_column(at, at, wide)
        first = 0
        if filtered:
            for at, title in enumerate(head):
                page.write_string(0, at, title, self._head)
            page.set_row(0, 22)
            page.freeze_panes(1, 0)
            page.autofilter(0, 0, max(1, len(rows)), len(head) - 1)
            first = 1
        for down, row in enumerate(rows, start=first):
            for across, cell in enumerate(row):
                heading = not filtered and across == 0 and len(row) == 1
                self._cell(page, down, across, cell, self._bold if heading else self._text)
        page.set_landscape()
        page.fit_to_pages(1, 0)

    def _cell(self, page: Any, down: int, across: int, cell: Cell, text: Any) -> None:
        if isinstance(cell, Money):
            self._money(page, down, across, cell)
        elif isinstance(cell, Jump) and cell.url:
            page.write_url(down, across, cell.url, self._link, _cut(cell.text))
        elif isinstance(cell, Jump):
            page.write_string(down, across, _cut(cell.text), text)
        elif isinstance(cell, int):
            page.write_number(down, across, cell, self._whole)
        else:
            page.write_string(down, across, _cut(cell), text)

    def _money(self, page: Any, down: int, across: int, cell: Money) -> None:
        if cell.currency not in EXPONENTS or abs(cell.minor) > EXACT:
            page.write_string(down, across, words.amount(cell.minor, cell.currency), self._text)
            return
        places = EXPONENTS[cell.currency]
        page.write_number(down, across, from_minor(cell.minor, cell.currency), self._format(places))

    def _format(self, places: int) -> Any:
        if places not in self._places:
            number = "#,##0" + ("." + "0" * places if places else "")
            pattern = f"{number};[Red]-{number}"
            self._places[places] = self.file.add_format({"num_format": pattern, "valign": "top"})
        return self._places[places]


def _cut(text: str) -> str:
    return words.shortened(words.clean(text), _LONGEST)


def _summary(facts: Facts) -> list[list[Cell]]:
    rows: list[list[Cell]] = [[facts.title], ["As of", f"{facts.made} {facts.zone}"]]
    rows += [[], [facts.headline], [facts.proof], [facts.movement], []]
    rows += [[kpi.name, kpi.shown, kpi.goal] for kpi in facts.kpis]
    rows += [[], ["What to mend"]]
    rows += [
        [f"{group.count} x {group.title}", " + ".join(group.stakes), group.cause]
        for group in facts.groups
    ]
    rows += [[], ["In flight"], ["", facts.in_flight], [], ["How fresh the systems are"]]
    rows += [
        [f"{each[0]} {each[1]}", f"{each[2]} records", f"{each[4]} {each[3]}"]
        for each in facts.freshness
    ]
    rows += [[], ["What tieout wrote"]]
    rows += [["", *each] for each in facts.written] or [["", "nothing"]]
    return rows


_TIE = (
    *("Flow", "Currency", "Left total", "Right total", "Difference", "Explained by breaks"),
    *("In flight", "Within tolerance", "Unexplained"),
)
_TIE_WIDTHS = [36, 10, 18, 18, 18, 20, 16, 16, 14]


def _tie(proof: Any) -> list[Cell]:
    amounts = (
        *(proof.left_minor, proof.right_minor, proof.difference_minor, proof.breaks_minor),
        *(proof.in_flight_minor, proof.tolerated_minor, proof.unexplained_minor),
    )
    return [proof.flow, proof.currency, *(Money(minor, proof.currency) for minor in amounts)]


_BREAKS = (
    *("Severity", "State", "Kind", "Record", "Number or name", "Customer", "Date", "Currency"),
    *("At stake", "Effect on total", "Likely cause", "What differs", "Left system", "Left id"),
    *("Right system", "Right id", "First seen", "Age (days)", "Assignee", "Note", "Break"),
)
_BREAK_WIDTHS = [10, 13, 13, 13, 20, 26, 11, 9, 15, 15, 44, 44, 12, 24, 12, 24, 12, 10, 18, 26, 14]


def _break(one: Break, outcome: Outcome, context: Context) -> list[Cell]:
    life = outcome.lives.get(one.fingerprint)
    hosts = words.PROVIDER_HOSTS | context.hosts
    differences = "; ".join(
        f"{words.field(each.name)}: {words.value(each.name, each.left, one.currency)}"
        f" / {words.value(each.name, each.right, one.currency)}"
        for each in one.differences
    )
    return [
        one.severity,
        life.state if life else "open",
        KIND_WORDS.get(one.kind, one.kind),
        words.entity(one.entity),
        one.label,
        one.customer,
        one.dated or "",
        one.currency or "",
        Money(one.stake_minor, one.currency),
        Money(one.effect_minor, one.currency),
        one.cause,
        differences,
        one.left_system,
        Jump(one.left_id or "", words.safe_url(one.left_url, hosts)),
        one.right_system,
        Jump(one.right_id or "", words.safe_url(one.right_url, hosts)),
        words.clock(life.first_seen, context.timezone)[:10] if life else "",
        life.age_days(outcome.at) if life else 0,
        (life.assignee if life else "") or "",
        (life.note if life else "") or "",
        one.fingerprint[:10],
    ]


_TOTALS = ("Flow", "System", "Record", "Currency", "Month", "Status", "Count", "Sum")


def _total(each: Any) -> list[Cell]:
    return [
        *(each.flow, each.system, words.entity(each.entity), each.currency, each.period),
        *(each.status, each.count, Money(each.minor, each.currency)),
    ]
