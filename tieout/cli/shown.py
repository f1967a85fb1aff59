"""How results look to a person: tables, progress, counts, money."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

WIDE = 240  # columns of what is not a terminal


def console(*, err: bool = False) -> Console:
    """Colours only on a terminal; provider texts are never read as markup."""
    stream = sys.stderr if err else sys.stdout
    # Into a pipe or file, nothing is cut to the width of a terminal that isn't there.
    width = None if stream.isatty() or "COLUMNS" in os.environ else WIDE
    return Console(stderr=err, markup=False, highlight=False, soft_wrap=True, width=width)


def clean(value: Any) -> str:
    """Text from a provider, harmless to a terminal: control characters are shown, not obeyed."""
    text = "" if value is None else str(value)
    return "".join(
        c if c.isprintable() else repr(c)[1:-1] for c in text.replace("\n", " ").replace("\t", " ")
    )


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows; columns whose name starts with `#` are numbers and align right."""
    if not rows:
        return
    shown = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for name in columns:
        number = name.startswith("#")
        first = name == columns[0]  # names and ids are copied: never cut them
        shown.add_column(
            name.lstrip("#"), justify="right" if number else "left", no_wrap=number or first
        )
    for row in rows:
        shown.add_row(*(Text(clean(cell)) for cell in row))
    console().print(shown)


@contextmanager
def progress(enabled: bool = True) -> Iterator[Progress]:
    """Progress bars on stderr while work goes on; nothing where stderr is no terminal."""
    bars = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        console=console(err=True),
        transient=True,
        disable=not (enabled and sys.stderr.isatty()),
    )
    with bars:
        yield bars


def say(text: str = "", **style: Any) -> None:
    """One line on stdout."""
    click.secho(text, **style)


def plural(count: int, word: str) -> str:
    """`1 break`, `2 breaks`, `1,200 entries`."""
    if count == 1:
        return f"1 {word}"
    many = word[:-1] + "ies" if word.endswith("y") else word + "s"
    return f"{count:,} {many}"
