"""An ingest job's rows, written to the org one by one, and what became of each.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datasets_prepare_csv.htm
"""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from typing import Any

from .batches import Collections
from .bulk_export import csv_line
from .errors import Refusal
from .fields import SObject
from .jobs import DELIMITERS, ENDINGS, Job
from .saving import Org

_TOGETHER = 200


class _Invalid(Exception):
    """The file as a whole can't be read: the job fails."""


@dataclass
class Loader:
    """Runs ingest jobs. Rows are worked off in groups of 200, and told in no special order."""

    org: Org
    collections: Collections
    rng: random.Random

    def run(self, job: Job) -> None:
        """Do the job's rows; the job ends as JobComplete or Failed."""
        try:
            header, rows = read_csv(job)
            self._check_header(job, header)
        except _Invalid as problem:
            job.state, job.message = "Failed", str(problem)
            return
        good, bad = self._work(job, header, rows)
        self.rng.shuffle(good)
        self.rng.shuffle(bad)
        job.processed, job.failed = len(good) + len(bad), len(bad)
        line = _writer(job)
        head = line(["sf__Id", "sf__Created", *header])
        job.texts["successfulResults"] = head + "".join(map(line, good))
        head = line(["sf__Id", "sf__Error", *header])
        job.texts["failedResults"] = head + "".join(map(line, bad))
        job.texts["unprocessedrecords"] = line(header)
        job.content = None

    def _work(
        self, job: Job, header: list[str], rows: list[list[str]]
    ) -> tuple[list[list[str]], list[list[str]]]:
        good: list[list[str]] = []
        bad: list[list[str]] = []
        for start in range(0, len(rows), _TOGETHER):
            group = rows[start : start + _TOGETHER]
            repeated = _repeated(job, header, group)
            for row in group:
                try:
                    id, made = self._row(job, header, row, repeated)
                    good.append([id, "true" if made else "false", *row])
                except Refusal as refusal:
                    bad.append([_given_id(header, row), refusal.as_bulk(), *row])
        return good, bad

    def _row(
        self, job: Job, header: list[str], row: list[str], repeated: set[str]
    ) -> tuple[str, bool]:
        if len(row) != len(header):
            raise Refusal(
                "INVALID_CSV",
                f"Row has {len(row)} columns, the header has {len(header)}",
                [],
            )
        record = _record(header, row)
        if job.operation == "insert":
            return self.org.create(job.type, record), True
        if job.operation == "upsert":
            value = _cell(record, job.external)
            if isinstance(value, str) and value.lower() in repeated:
                raise Refusal(
                    "DUPLICATE_VALUE", f"Duplicate external id specified: {value}", [job.external]
                )
            return self.collections.upsert_one(job.type, job.external, record)
        return self._existing(job, record), False

    def _existing(self, job: Job, record: dict[str, Any]) -> str:
        value = _cell(record, "Id")
        if not value:
            raise Refusal("MISSING_ARGUMENT", "Id not specified", [])
        id = self.collections.existing(job.type, str(value))
        if job.operation == "update":
            body = {name: each for name, each in record.items() if name.lower() != "id"}
            self.org.update(job.type, id, body)
        else:
            self.org.delete(job.type, id)
            if job.operation == "hardDelete":
                self.org.store.erase(job.type, id)
        return id

    def _check_header(self, job: Job, header: list[str]) -> None:
        lower = [name.lower() for name in header]
        if len(set(lower)) < len(lower) or "" in lower:
            raise _Invalid("InvalidBatch : Field name is empty or repeated")
        for name in header:
            if not _is_field(self.org, job.type, name):
                raise _Invalid(f"InvalidBatch : Field name not found : {name}")
        needed = {"upsert": job.external, "insert": ""}.get(job.operation, "Id")
        if needed and needed.lower() not in lower:
            raise _Invalid(f"InvalidBatch : Field name not found : {needed}")
        if job.operation in ("delete", "hardDelete") and lower != ["id"]:
            raise _Invalid("InvalidBatch : a delete takes the column Id only")


def _is_field(org: Org, type: SObject, name: str) -> bool:
    relation, _, rest = name.partition(".")
    if not rest:
        return type.find(name) is not None
    return any(
        one.relationship.lower() == relation.lower()
        and (target := org.store.find(one.refers_to[0])) is not None
        and target.find(rest) is not None
        for one in type.fields.values()
        if one.relationship
    )


def read_csv(job: Job) -> tuple[list[str], list[list[str]]]:
    """Header and rows. Raises _Invalid for a file that isn't as the job says."""
    try:
        text = (job.content or b"").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _Invalid("InvalidBatch : The content is not UTF-8") from None
    ending = ENDINGS[job.ending]
    head = text.split("\n", 1)[0]
    if head.endswith("\r") != (ending == "\r\n") and "\n" in text:
        raise _Invalid(
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting "
            f"is {job.ending}"
        )
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[job.delimiter]))
    except csv.Error as problem:
        raise _Invalid(f"ClientInputError : {problem}") from None
    rows = [line for line in lines if line]
    if not rows:
        raise _Invalid("InvalidBatch : The content is empty")
    return rows[0], rows[1:]


def unprocessed(job: Job) -> str:
    """What an aborted or failed job never came to: its rows as they were sent."""
    return (job.content or b"").decode("utf-8-sig", "replace")


def _record(header: list[str], row: list[str]) -> dict[str, Any]:
    """An empty cell leaves the field alone, `#N/A` empties it."""
    record: dict[str, Any] = {}
    for name, cell in zip(header, row, strict=True):
        if cell == "":
            continue
        value = None if cell == "#N/A" else cell
        relation, _, key = name.partition(".")
        if key:
            record[relation] = None if value is None else {key: value}
        else:
            record[name] = value
    return record


def _repeated(job: Job, header: list[str], rows: list[list[str]]) -> set[str]:
    """External ids that stand twice in a group."""
    if job.operation != "upsert":
        return set()
    at = [name.lower() for name in header].index(job.external.lower())
    seen: set[str] = set()
    twice: set[str] = set()
    for value in (row[at].lower() for row in rows if len(row) == len(header)):
        (twice if value in seen else seen).add(value)
    return twice - {""}


def _given_id(header: list[str], row: list[str]) -> str:
    cells = dict(zip((name.lower() for name in header), row, strict=False))
    return cells.get("id", "")


def _cell(record: dict[str, Any], name: str) -> Any:
    return next((value for key, value in record.items() if key.lower() == name.lower()), None)


def _writer(job: Job) -> Any:
    delimiter, ending = DELIMITERS[job.delimiter], ENDINGS[job.ending]
    return lambda cells: csv_line(cells, delimiter, ending)
