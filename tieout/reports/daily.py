"""Writes the daily report: one page, one text, one workbook, all telling the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import css_inline
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tieout.core.errors import StopRun
from tieout.reconcile.outcome import Outcome

from .charts import bars
from .facts import Context, Facts, Freshness, Written, facts_of
from .plain import text_report
from .workbook import workbook

__all__ = ["Context", "Freshness", "Written", "page", "write_daily"]

PAGE_ROWS, MAIL_ROWS = 200, (20, 10, 5, 0)
MAIL_BYTES = 100_000  # Gmail clips messages at 102 KB


def write_daily(outcome: Outcome, context: Context, out_dir: Path) -> dict[str, Path]:
    """Writes report.html, report.txt and report.xlsx; {"html", "txt", "xlsx"} -> path.

    Each file appears as a whole or not at all. StopRun where the folder cannot be written.
    """
    facts = facts_of(outcome, context)
    made = {
        "html": page(facts).encode(),
        "txt": text_report(facts).encode(),
        "xlsx": workbook(outcome, facts, context),
    }
    files = {kind: out_dir / f"report.{kind}" for kind in made}
    try:
        out_dir.mkdir(parents=True, exist_ok=True)
        for kind, path in files.items():
            partial = path.with_name(path.name + ".part")
            partial.write_bytes(made[kind])
            partial.replace(path)
    except OSError as error:
        raise StopRun(
            f"the report cannot be written: {error.strerror or error}",
            where=str(out_dir),
            hint="make room, or name another folder with --out",
        ) from error
    return files


def page(facts: Facts, *, mail: bool = False) -> str:
    """One self-contained HTML page. `mail`: no SVG, which mail readers drop, and only so many
    breaks as fit below the size at which they cut a message off."""
    if not mail:
        return _rendered(facts, PAGE_ROWS, _charts(facts))
    text = ""
    for limit in MAIL_ROWS:
        text = _rendered(facts, limit, ())
        if len(text.encode()) <= MAIL_BYTES:
            break
    return text


def _rendered(facts: Facts, limit: int, charts: tuple[tuple[str, Markup], ...]) -> str:
    template = _environment().get_template("daily.html.j2")
    return _inliner().inline(template.render(facts=facts, rows=facts.rows[:limit], charts=charts))


def _charts(facts: Facts) -> tuple[tuple[str, Markup], ...]:
    """`bars` escapes its texts itself, so its markup may stand as it is."""
    drawn = (("Breaks by kind", facts.kinds), ("Breaks by age", facts.ages))
    if not facts.rows:
        return ()
    return tuple((title, Markup(bars(title, rows))) for title, rows in drawn)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("tieout.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _inliner() -> css_inline.CSSInliner:
    # Media queries cannot be inlined, so the sheet stays; nothing is ever fetched.
    return css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False)
