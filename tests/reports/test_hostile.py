"""A customer may be called anything; the report stays a report."""

from __future__ import annotations

from io import BytesIO

import openpyxl
import pytest
from report_sample import a_break, context, outcome
from test_daily import Reader

from tieout.reconcile.breaks import Difference
from tieout.reports import words
from tieout.reports.daily import page
from tieout.reports.facts import facts_of
from tieout.reports.plain import text_report
from tieout.reports.workbook import workbook

CORPUS = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</style></td></table><svg onload=alert(1)>",
    "\"><a href='javascript:alert(1)'>x</a>",
    "{{ 7 * 7 }} {% raw %}",
    "&lt;b&gt; &amp; &#x3c;",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "'=1",
    "{=1+1}",
    "http://evil.example/",
    "mailto:x@evil.example",
    "internal:'Summary'!A1",
    "invoice \u202egnp.exe\u202c \u2066x\u2069 \u200bz\ufeff",
    "\x1b[31mred\x1b[0m \x00 \x07 \x9b31m",
    "line one\r\nBcc: everyone@example.com\n\n\u2028\u2029",
    "\ud800 lone surrogate",
    "a" * 5_000,
    "ﷺ" * 200 + "́" * 50,
]  # fmt: skip


def hostile(text: str) -> object:
    return a_break(
        left_id=text,
        right_id=text,
        label=text,
        customer=text,
        cause=text,
        currency="USD",
        differences=(Difference(text, text, text), Difference("custom." + text, [text], None)),
        left_url=f"https://evil.example/{text}",
        right_url=f"javascript:{text}",
    )


@pytest.mark.parametrize("text", CORPUS)
def test_the_page_gains_no_element(text: str) -> None:
    plain = Reader(page(facts_of(outcome(hostile("x")), context(title="x"))))  # type: ignore[arg-type]
    made = page(facts_of(outcome(hostile(text)), context(title=text)))  # type: ignore[arg-type]
    reader = Reader(made)
    assert [tag for tag, _ in reader.elements] == [tag for tag, _ in plain.elements]
    for tag, attributes in reader.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert tag != "a"
    assert not set(made) & {"\u202e", "\u2066", "\x1b", "\x00", "\u200b", "\x9b"}


@pytest.mark.parametrize("text", CORPUS)
def test_the_text_keeps_its_lines(text: str) -> None:
    made = text_report(facts_of(outcome(hostile(text)), context()))  # type: ignore[arg-type]
    made.encode()
    assert max(words.width(line) for line in made.splitlines()) <= 78
    assert not any(line.startswith("Bcc:") for line in made.splitlines())
    assert all(letter == "\n" or letter.isprintable() for letter in made)


@pytest.mark.parametrize("text", CORPUS)
def test_the_workbook_holds_no_formula_and_no_foreign_link(text: str) -> None:
    made = outcome(hostile(text))  # type: ignore[arg-type]
    book = openpyxl.load_workbook(BytesIO(workbook(made, facts_of(made, context()), context())))
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type in ("s", "n"), cell.value
                assert cell.hyperlink is None
    label = book["Breaks"]["E2"].value
    assert label == words.clean(text)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://dashboard.stripe.com/invoices/in_1", True),
        ("https://tstdrv123.app.netsuite.com/app/x.nl?id=1", True),
        ("https://acme.my.salesforce.com/006", True),
        ("https://acme.lightning.force.com/006", True),
        ("http://dashboard.stripe.com/x", True),
        ("javascript:alert(1)//dashboard.stripe.com", False),
        ("data:text/html,x", False),
        ("//dashboard.stripe.com/x", False),
        ("https://dashboard.stripe.com.evil.example/", False),
        ("https://evil-dashboard.stripe.com/", False),
        ("https://dashboard.stripe.com@evil.example/", False),
        ("https://user:pass@dashboard.stripe.com/", False),
        ("https://dashboard.stripe.com:8443/", False),
        ("https://dashboard.stripe.com\\@evil.example/", False),
        ("https://dashboard.stripe.com/\nx", False),
        ("https://dashboard.stripe.com/ x", False),
        ("https://[::1/", False),
        ("https://dashboard.stripe.com:x/", False),
        ("https://dashboard.stripe.com/" + "x" * 3_000, False),
        ("", False),
        (None, False),
    ],
)
def test_only_pages_of_known_providers_are_linked(url: str | None, safe: bool) -> None:
    assert bool(words.safe_url(url)) is safe


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (-1_234_567, "USD", "-12,345.67 USD"),
        (1_234_567, "JPY", "1,234,567 JPY"),
        (1_234_567, "BHD", "1,234.567 BHD"),
        (12_345, "CLF", "1.2345 CLF"),
        (0, "EUR", "0.00 EUR"),
        (-5, "USD", "-0.05 USD"),
        (1_234, "ABC", "1,234 minor units of ABC"),
        (1_234, None, "1,234 minor units of no currency"),
        (2**70, "USD", "11,805,916,207,174,113,034.24 USD"),
    ],
)
def test_amounts_read_as_people_write_them(minor: int, currency: str | None, shown: str) -> None:
    assert words.money(minor, currency) == shown
