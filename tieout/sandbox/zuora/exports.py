"""Export ZOQL as CSV files: AQuA jobs and CRUD exports.

https://docs.zuora.com/en/zuora-platform/data/aggregate-query-api-aqua
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from . import times
from .crud import Zoql
from .dataquery import csv_lines
from .errors import Refusal, crud_errors, not_found
from .objects import NOT_DELETABLE, find
from .tenant import Call
from .wire import Answer, Body

SYNTAX = "There is a syntax error in one of the queries in the AQuA input"
NO_DELETED = (
    "Objects included in the queries do not support the querying of deleted records. "
    "Remove Deleted section in the JSON request and retry the request"
)
NO_QUERIES = "There are no queries included in the AQuA request."
TOO_MANY = (
    "Invalid number of queries allowed. A maximum of 50 queries are supported in an AQuA request."
)
_PACIFIC = ZoneInfo("US/Pacific")


@dataclass
class _Job:
    id: str
    sent: Body
    batches: list[Body]
    started: datetime
    status: str = "submitted"
    problem: Body = field(default_factory=dict)


class Exports:
    """Whoever calls holds the tenant's lock."""

    def __init__(self, zoql: Zoql) -> None:
        self.zoql = zoql
        self._jobs: dict[str, _Job] = {}
        self._exports: dict[str, Body] = {}

    def submit(self, call: Call) -> Answer:
        """POST /v1/batch-query/: a refused query answers 200 with a message."""
        queries = call.body.get("queries")
        if not isinstance(queries, list) or not queries:
            return self._refused(call, NO_QUERIES, 90016)
        if len(queries) > 50:
            return self._refused(call, TOO_MANY, 90004)
        batches: list[Body] = []
        for query in queries:
            text = str(query.get("query") or "")
            try:
                self.zoql.run(call.books, _limited(text))
            except Refusal:
                return self._refused(call, SYNTAX, 90005)
            table = find(text.lower().split(" from ")[-1].split()[0])
            if query.get("deleted") and table and table.table in NOT_DELETABLE:
                return self._refused(call, NO_DELETED, 90017)
            batches.append(
                {"localizedStatus": "pending", "apiVersion": "91.0", "full": True,
                 "recordCount": 0, "batchId": call.books.new_id(), "batchType": "zoqlexport",
                 "status": "pending", "name": query.get("name"), "query": text}
            )  # fmt: skip
        job = _Job(call.books.new_id(), call.body, batches, call.books.clock.now())
        self._jobs[job.id] = job
        return Answer(200, self._shown(job))

    def job(self, call: Call) -> Answer:
        job = self._jobs.get(call.keys["key"])
        if job is None:
            return Answer(200, _problem("Invalid Job Id.", 90002))
        if call.request.method == "DELETE":
            if job.status in ("submitted", "executing"):
                job.status = "cancelled"
        elif job.status == "submitted":
            job.status = "executing"
        elif job.status == "executing":
            self._execute(call, job)
        return Answer(200, self._shown(job))

    def _execute(self, call: Call, job: _Job) -> None:
        for query, batch in zip(job.sent["queries"], job.batches, strict=True):
            since = job.sent.get("incrementalTime")
            text = _since(str(query["query"]), str(since)) if since else str(query["query"])
            names, rows = self.zoql.run(call.books, text)
            if query.get("deleted"):
                names, rows = self._with_deleted(call, query["deleted"], text, names, rows)
            file = self._keep(call, _labels(text, names), rows)
            batch |= {"status": "completed", "recordCount": len(rows), "fileId": file,
                      "localizedStatus": "completed", "message": ""}  # fmt: skip
        job.status = "completed"

    def _with_deleted(
        self, call: Call, asked: Body, text: str, names: list[str], rows: list[list[Any]]
    ) -> tuple[list[str], list[list[Any]]]:
        """The rows with a first column that tells the deleted ones, and those rows too."""
        number = str(asked.get("format", "Numeric")).lower() == "numeric"
        kept, gone = (0, 1) if number else (False, True)
        deleted = self.zoql.run(call.books, text, read_deleted=True)[1]
        marked = [[kept, *row] for row in rows] + [[gone, *row] for row in deleted]
        return [str(asked.get("column") or "Deleted"), *names], marked

    def last(self, call: Call) -> Answer:
        """The newest completed job of a partner's project."""
        wanted = (call.keys["partner"], call.keys["project"])
        for job in reversed(self._jobs.values()):
            named = (str(job.sent.get("partner")), str(job.sent.get("project")))
            if job.status == "completed" and named == wanted:
                return Answer(200, self._shown(job))
        return Answer(200, _problem("Invalid Job Id.", 90002))

    def _refused(self, call: Call, message: str, code: int) -> Answer:
        """A refused request is a job all the same: it has an id, and can be asked for."""
        problem = _problem(message, code)
        job = _Job(call.books.new_id(), call.body, [], call.books.clock.now(), "error", problem)
        self._jobs[job.id] = job
        return Answer(200, self._shown(job))

    def _keep(self, call: Call, names: list[str], rows: list[list[Any]]) -> str:
        id = call.books.new_id()
        call.tenant.files[id] = ("text/csv", csv_lines([names, *rows]))
        return id

    def _shown(self, job: _Job) -> Body:
        kept = ("partner", "project", "name", "version", "format", "encrypted")
        return {
            "batches": job.batches,
            **{name: job.sent[name] for name in kept if name in job.sent},
            "id": job.id,
            "sourceData": "LIVE",
            "startTime": times.v1(times.stored(job.started), _PACIFIC),
            "status": job.status,
            **job.problem,
        }

    def export(self, call: Call) -> Answer:
        """POST /v1/object/export."""
        text = str(call.body.get("Query") or "")
        if not text or str(call.body.get("Format", "")).lower() not in ("csv", "html", "xls"):
            raise crud_errors("MISSING_REQUIRED_VALUE", "Missing required value: Query, Format")
        try:
            names, rows = self.zoql.run(call.books, text)
        except Refusal as refusal:
            said = refusal.answer.content["Errors"][0]["Message"]
            raise crud_errors("INVALID_VALUE", f"The query is invalid: {said}") from None
        names = _labels(text, names)
        id = call.books.new_id()
        self._exports[id] = {
            "Id": id, "Query": text, "Format": call.body["Format"], "Status": "Pending",
            "Name": call.body.get("Name"), "FileId": self._keep(call, names, rows),
        }  # fmt: skip
        return Answer(200, {"Success": True, "Id": id})

    def exported(self, call: Call) -> Answer:
        held = self._exports.get(call.keys["key"])
        if held is None:
            raise not_found("query", call.keys["key"])
        shown = dict(held)
        if held["Status"] == "Pending":
            shown.pop("FileId")
            held["Status"] = "Completed"
        return Answer(200, shown)

    def file(self, call: Call) -> Answer:
        held = call.tenant.files.get(call.keys["key"])
        if held is None:
            raise not_found("query", call.keys["key"])
        return Answer(200, held[1], media=held[0])


def _limited(text: str) -> str:
    return text if " limit " in text.lower() else f"{text} limit 1"


def _since(text: str, moment: str) -> str:
    """Only what changed since `incrementalTime`, which is US/Pacific."""
    instant = times.stored(times.parse(moment.replace(" ", "T"), _PACIFIC))
    head, order, tail = text.partition(" order by ")
    joint = "and" if " where " in head.lower() else "where"
    return f"{head} {joint} UpdatedDate >= '{instant}'{order}{tail}"


def _labels(text: str, names: list[str]) -> list[str]:
    """`Account.Name`; a name that the query itself qualifies stays as it is."""
    table = find(text.lower().split(" from ")[-1].split()[0])
    if table is None:
        return names
    return [name if "." in name else f"{table.object}.{name}" for name in names]


def _problem(message: str, code: int) -> Body:
    return {"errorCode": code, "message": message, "status": "error"}
