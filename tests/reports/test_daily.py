"""The report tells what the outcome says, wherever it is read."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pytest
from report_sample import NOW, a_break, context, outcome

from tieout.core.errors import StopRun
from tieout.reconcile.breaks import Life
from tieout.reports import words
from tieout.reports.charts import bars
from tieout.reports.daily import MAIL_BYTES, page, write_daily
from tieout.reports.facts import facts_of
from tieout.reports.plain import text_report


class Reader(HTMLParser):
    """Elements, their attributes, and the text that a person sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.shown = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, text: str) -> None:
        self.shown += text + " "


def test_three_files_tell_the_same(tmp_path: Path) -> None:
    files = write_daily(outcome(), context(), tmp_path / "out")

    assert {kind: path.name for kind, path in files.items()} == {
        "html": "report.html", "txt": "report.txt", "xlsx": "report.xlsx",
    }  # fmt: skip
    shown = " ".join(Reader(files["html"].read_text()).shown.split())
    text = " ".join(files["txt"].read_text().split())
    for words_ in (
        "unexplained 0.00 in BHD, JPY and USD",
        "INV-7",
        "Ada Ltd",
        "9,000.00 USD",
        "digits transposed when it was typed",
        "1,009,000.00",
        "91.66 %",
        "1 pair in flight (1,000 JPY)",
        "3 invoices created in netsuite",
        "1,234.56 USD",
        "6 days",
        "2026-02-01 03:00",  # 08:00 UTC
        "1 of 2 record sets proven complete",
        "count: 12,347 there, 12,347 here",
        "unproven",
    ):
        assert words_ in shown, words_
        assert words_ in text, words_
    assert "1 break needs a person" in shown and "1 BREAK NEEDS A PERSON" in text
    assert "late" in shown and "late" in text  # netsuite was read 30 hours ago


def test_nothing_to_mend_is_said_in_so_many_words() -> None:
    facts = facts_of(outcome(breaks=(), in_flight=()), context())
    assert facts.headline == "The systems tie out: nothing needs a person"
    assert "Nothing is in flight." in text_report(facts)
    assert "gravest" not in page(facts)


def test_an_unexplained_cent_is_never_called_explained() -> None:
    from tieout.reconcile.totals import Proof

    flow = outcome().flows[0]
    wrong = outcome(proofs=(Proof(flow.flow, "USD", 101, 100),))
    facts = facts_of(wrong, context())
    assert facts.proof == "NOT explained: 0.01 USD"


def test_the_page_needs_nothing_from_elsewhere() -> None:
    reader = Reader(page(facts_of(outcome(), context())))
    tags = {tag for tag, _ in reader.elements}
    assert not tags & {"script", "link", "img", "iframe", "object", "form", "base"}
    for _, attributes in reader.elements:
        assert not {"src", "srcset", "background", "onload"} & set(attributes)
        assert "url(" not in (attributes.get("style") or "")
    links = {attributes["href"] for tag, attributes in reader.elements if tag == "a"}
    assert links == {
        "https://dashboard.stripe.com/invoices/in_1",
        "https://1234567.app.netsuite.com/app/x.nl?id=4711",
    }


def test_styles_stand_on_the_elements_for_mail_readers() -> None:
    reader = Reader(page(facts_of(outcome(), context()), mail=True))
    cells = [attributes for tag, attributes in reader.elements if tag in ("td", "p", "h1")]
    assert all(attributes.get("style") for attributes in cells)
    assert "svg" not in {tag for tag, _ in reader.elements}


def test_a_mail_is_not_clipped() -> None:
    many = [a_break(f"in_{n}", cause="x" * 250, customer="y" * 60) for n in range(500)]
    facts = facts_of(outcome(*many), context())
    assert len(page(facts, mail=True).encode()) <= MAIL_BYTES
    assert "more are in the workbook" in page(facts, mail=True)
    assert text_report(facts).count("INV-7") == 25


def test_plain_text_keeps_to_78_columns() -> None:
    wide = a_break(label="株式会社" * 20, customer="m" * 90, cause="long " * 80, left_id="i" * 200)
    text = text_report(facts_of(outcome(wide, a_break()), context()))
    assert max(words.width(line) for line in text.splitlines()) <= 78


def test_the_workbook_holds_numbers_and_filters(tmp_path: Path) -> None:
    yen = a_break("in_2", currency="JPY", effect_minor=0, stake_minor=5_000, label="=1+1")
    huge = a_break("in_3", stake_minor=2**53 + 1, currency="BHD", effect_minor=0)
    files = write_daily(outcome(a_break(), yen, huge), context(), tmp_path)
    book = openpyxl.load_workbook(files["xlsx"])
    assert book.sheetnames == ["Summary", "Tie-out", "Breaks", "Control totals", "Completeness"]
    sheet = book["Breaks"]
    assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref == "A1:U4"
    heads = [cell.value for cell in sheet[1]]
    stake = heads.index("At stake")
    cells = [row[stake] for row in sheet.iter_rows(min_row=2)]
    assert [cell.value for cell in cells] == [9_000, 5_000, "9,007,199,254,740.993"]
    assert [cell.number_format.split(";")[0] for cell in cells[:2]] == ["#,##0.00", "#,##0"]
    assert sheet.cell(3, heads.index("Number or name") + 1).value == "=1+1"
    assert sheet.cell(3, heads.index("Number or name") + 1).data_type == "s"
    assert sheet.cell(2, heads.index("Left id") + 1).hyperlink.target.startswith("https://dash")
    tie = [[cell.value for cell in row] for row in book["Tie-out"].iter_rows(min_row=2)]
    assert tie[0][:4] == ["invoice stripe > netsuite", "BHD", 1.234, 1.234]
    assert book.properties.created == datetime(2026, 2, 1, 8, 0)  # not the clock of the machine


def test_the_same_outcome_gives_the_same_bytes(tmp_path: Path) -> None:
    one = write_daily(outcome(), context(), tmp_path / "a")
    two = write_daily(outcome(), context(), tmp_path / "b")
    assert all(one[kind].read_bytes() == two[kind].read_bytes() for kind in one)


def test_people_and_waivers_are_shown() -> None:
    life = Life("acknowledged", datetime(2026, 1, 1, tzinfo=UTC), NOW, "ada@example.com", "asked")
    one, two = a_break(), a_break("in_2", label="WAIVED-1")
    made = outcome(one, waived=(two,), lives={one.fingerprint: life})
    shown = page(facts_of(made, context()))
    assert "acknowledged" in shown and "ada@example.com" in shown and "31 days" in shown
    assert "Waived for now" in shown and "WAIVED-1" in shown


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StopRun) as caught:
        write_daily(outcome(), context(), blocked)
    assert caught.value.where == str(blocked) and "--out" in caught.value.hint


def test_bars_tell_their_figures() -> None:
    drawn = bars("By <kind>", [("a&b", 4), ("none", 0)])
    assert 'aria-label="By &lt;kind&gt;: a&amp;b 4, none 0"' in drawn
    assert drawn.count('width="0"') == 1 and bars("x", []) == ""
