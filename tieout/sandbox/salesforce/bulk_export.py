"""A bulk query's result, written to a file row by row."""

from __future__ import annotations

import csv
import io
import tempfile
from array import array
from collections.abc import Callable, Iterator
from typing import Any

from .jobs import DELIMITERS, ENDINGS, Job, Results
from .plan import Node, Select
from .store import Store

_CHUNK = 2000


def export(store: Store, select: Select, job: Job) -> Results:
    """Run the query and keep its rows as CSV in a file that goes with the job."""
    columns = list(_columns(select.root, ""))
    header = _line([name for name, _, _ in columns], job)
    file = tempfile.TemporaryFile(prefix="tieout-bulk-")  # noqa: SIM115 - closed with its job
    places = array("Q", [0])
    sql = _sql(select)
    cursor = store.db.execute(sql, select.params)
    at = 0
    while rows := cursor.fetchmany(_CHUNK):
        lines = [_line([show(row[place]) for _, place, show in columns], job) for row in rows]
        for line in lines:
            at += len(line)
            places.append(at)
        file.write(b"".join(lines))
    return Results(file, header, places)


def _sql(select: Select) -> str:
    limit = "" if select.limit is None else f" LIMIT {select.limit}"
    return f"{select.rows_sql(select.where)} ORDER BY {select.order}{limit}"


def _columns(node: Node, path: str) -> Iterator[tuple[str, int, Callable[[Any], str]]]:
    for one in node.shown:
        if one.node is not None:
            yield from _columns(one.node, f"{path}{one.key}.")
        else:
            yield f"{path}{one.key}", one.at, one.printed


def _line(cells: list[str], job: Job) -> bytes:
    return csv_line(cells, DELIMITERS[job.delimiter], ENDINGS[job.ending]).encode()


def csv_line(cells: list[str], delimiter: str, ending: str) -> str:
    """One line, every cell in quotes; an empty cell is a null."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL).writerow(
        cells
    )
    return text.getvalue()
