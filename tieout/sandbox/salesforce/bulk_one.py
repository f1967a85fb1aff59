"""The older Bulk API (1.0), which many extractors still use: queries, and records sent as JSON.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/asynch_api_quickstart_intro.htm
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from ..clock import SandboxClock
from .access import Access
from .batches import Collections, attempt
from .bulk_export import export
from .cells import moment_of, stamp
from .errors import Refusal
from .fields import SObject
from .ids import IdMaker
from .jobs import Job, Results
from .querying import Queries
from .quota import Quota
from .rest import OLDEST
from .saving import Org
from .soql import parse
from .store import valid_id
from .wire import Answer, Request, decode, path_parts

PREFIX = "/services/async/"

_SPACE = "http://www.force.com/2009/06/asyncapi/dataload"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_XML = "application/xml"
_QUERIES = ("query", "queryAll")
_WRITES = ("insert", "update", "upsert", "delete", "hardDelete")
_MOST_ROWS = 10_000


class Problem(Exception):
    """Bulk API 1.0 says no, in its own words."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status


@dataclass
class Batch:
    id: str
    state: str
    made: str
    body: bytes = b""
    message: str = ""
    results: Results | None = None
    outcomes: list[Any] = field(default_factory=list)
    asked: int = 0
    result_id: str = ""

    @property
    def processed(self) -> int:
        return len(self.results) if self.results is not None else len(self.outcomes)

    @property
    def failed(self) -> int:
        return sum(1 for one in self.outcomes if not one["success"])


@dataclass
class OldJob:
    id: str
    operation: str
    type: SObject
    content: str
    external: str
    version: str
    made: str
    chunked: bool
    state: str = "Open"
    batches: dict[str, Batch] = field(default_factory=dict)


class BulkOne:
    """Answers /services/async/... for one org."""

    def __init__(
        self,
        access: Access,
        org: Org,
        queries: Queries,
        collections: Collections,
        quota: Quota,
        clock: SandboxClock,
        ids: IdMaker,
        polls: int,
    ) -> None:
        self.access, self.org, self.queries, self.collections = access, org, queries, collections
        self.quota, self.clock, self.ids, self.polls = quota, clock, ids, polls
        self.jobs: dict[str, OldJob] = {}

    def answer(self, request: Request) -> Answer:
        """One call; refusals are answers, too."""
        as_json = "json" in request.header("content-type").lower()
        try:
            try:
                self.access.check(request.header("x-sfdc-session"))
            except Refusal:
                raise Problem("InvalidSessionId", "Unable to find session id", 401) from None
            if self.quota.calls.exhausted:
                raise Problem("ExceededQuota", "TotalRequests Limit exceeded.")
            self.quota.calls.take()
            return self._route(request, path_parts(request.path)[2:])
        except Problem as problem:
            return _refused(problem, as_json)
        except Refusal as refusal:
            return _refused(Problem("InvalidJob", refusal.message), as_json)

    def close(self) -> None:
        for job in self.jobs.values():
            for batch in job.batches.values():
                if batch.results is not None:
                    batch.results.close()

    def _route(self, request: Request, parts: list[str]) -> Answer:
        version = parts[0] if parts else ""
        if not re.fullmatch(r"\d+\.0", version) or int(version[:-2]) < OLDEST:
            raise Problem("InvalidVersion", f"Invalid Api version specified on URL: {version}")
        match request.method, parts[1:]:
            case "POST", ["job"]:
                return self._create(request, version)
            case "POST" | "GET", ["job", id]:
                job = self._job(id)
                if request.method == "POST":
                    self._close(job, decode(request.body).get("state"))
                return Answer(200, _job_shown(job), media="application/json")
            case "POST", ["job", id, "batch"]:
                return self._add(request, self._job(id))
            case "GET", ["job", id, "batch", *rest]:
                return self._look(self._job(id), rest)
        raise Problem("InvalidUrl", "Invalid URL", 404)

    def _job(self, id: str) -> OldJob:
        job = self.jobs.get(valid_id(id) or "")
        if job is None:
            raise Problem("InvalidJob", f"Unable to find a job with id: {id}")
        return job

    def _create(self, request: Request, version: str) -> Answer:
        try:
            body = decode(request.body)
        except ValueError:
            raise Problem("InvalidJob", "Unable to parse Job") from None
        type = self.org.store.find(str(body.get("object")))
        operation, content = str(body.get("operation")), str(body.get("contentType") or "XML")
        if operation not in (*_QUERIES, *_WRITES):
            raise Problem("InvalidJob", f"Invalid operation: {operation}")
        if type is None or not type.bulk:
            raise Problem(
                "InvalidEntity", f"Entity '{body.get('object')}' is not supported by the Bulk API."
            )
        if content not in ("CSV", "JSON") or (operation in _WRITES and content != "JSON"):
            raise Problem("FeatureNotEnabled", f"contentType {content} is not served here")
        external = str(body.get("externalIdFieldName") or "")
        if operation == "upsert":
            external = self.org.key_field(type, external).name
        job = OldJob(
            self.ids.make("750"),
            operation,
            type,
            content,
            external,
            version,
            stamp(self.clock.now()),
            request.header("sforce-enable-pkchunking").lower().startswith("true"),
        )
        self.jobs[job.id] = job
        return Answer(201, _job_shown(job), media="application/json")

    @staticmethod
    def _close(job: OldJob, state: Any) -> None:
        if state not in ("Closed", "Aborted"):
            raise Problem("InvalidJobState", f"Invalid job state: {state}")
        if job.state != "Open":
            raise Problem("InvalidJobState", f"Closing already {job.state} Job not allowed")
        job.state = str(state)

    def _add(self, request: Request, job: OldJob) -> Answer:
        if job.state != "Open":
            raise Problem("InvalidJobState", f"Unable to create batch; job is {job.state}")
        if self.quota.batches.exhausted:
            raise Problem("ExceededQuota", "ApiBatchItems Limit exceeded.")
        self.quota.batches.take()
        first = self._batch("Queued", request.body)
        if job.chunked and job.operation in _QUERIES:
            first.state = "NotProcessed"
            job.batches[first.id] = first
            chunk = self._batch("Queued", request.body)
            job.batches[chunk.id] = chunk
        else:
            job.batches[first.id] = first
        return _shown(job, [first], listed=False, status=201)

    def _batch(self, state: str, body: bytes) -> Batch:
        return Batch(self.ids.make("751"), state, stamp(self.clock.now()), body)

    def _look(self, job: OldJob, rest: list[str]) -> Answer:
        if not rest:
            for one in job.batches.values():
                self._advance(job, one)
            return _shown(job, list(job.batches.values()), listed=True)
        batch = job.batches.get(valid_id(rest[0]) or "")
        if batch is None:
            raise Problem("InvalidBatch", f"Unable to find a batch with id: {rest[0]}")
        match rest[1:]:
            case []:
                self._advance(job, batch)
                return _shown(job, [batch], listed=False)
            case ["request"]:
                return Answer(200, batch.body, media="application/json")
            case ["result"]:
                return self._results(job, batch)
            case ["result", id] if id == batch.result_id:
                return self._result(job, batch)
        raise Problem("InvalidUrl", "Invalid URL", 404)

    def _advance(self, job: OldJob, batch: Batch) -> None:
        if batch.state not in ("Queued", "InProgress"):
            return
        batch.asked += 1
        if batch.asked < self.polls:
            batch.state = "InProgress" if batch.asked > 1 else "Queued"
            return
        try:
            self._work(job, batch)
            batch.state = "Completed"
        except Refusal as refusal:
            batch.state = "Failed"
            batch.message = f"InvalidBatch : Failed to process query: {refusal}"
        except Problem as problem:
            batch.state, batch.message = "Failed", f"{problem.code} : {problem.message}"

    def _work(self, job: OldJob, batch: Batch) -> None:
        if job.operation in _WRITES:
            batch.outcomes = list(self._write(job, batch))
            return
        query = parse(batch.body.decode("utf-8"))
        all_rows = job.operation == "queryAll"
        select = self.queries.compiler(all_rows=all_rows, bulk=True).compile(query)
        if select.type is not job.type:
            raise Refusal(
                "INVALID_TYPE_FOR_OPERATION",
                f"The root entity of the requested query ({select.type.name}) does not match the "
                f"entity of the requested Bulk API Job ({job.type.name}).",
            )
        layout = Job(
            job.id, "query", job.operation, job.type, job.version, self.clock.now(), "InProgress"
        )
        batch.results = export(self.org.store, select, layout)
        batch.result_id = self.ids.make("752")

    def _write(self, job: OldJob, batch: Batch) -> Iterator[Any]:
        try:
            rows = decode(batch.body)
        except ValueError:
            rows = None
        if not isinstance(rows, list) or len(rows) > _MOST_ROWS:
            raise Problem("InvalidBatch", "Records not found, or more than 10,000")
        for row in rows:
            outcome = attempt(row, lambda record: self._one(job, record))
            errors = [{**one, "extendedErrorDetails": None} for one in outcome.get("errors") or []]
            yield {
                "success": outcome["success"],
                "created": bool(outcome.get("created")),
                "id": outcome.get("id"),
                "errors": errors,
            }

    def _one(self, job: OldJob, row: dict[str, Any]) -> tuple[str, bool | None]:
        record = {name: value for name, value in row.items() if name != "attributes"}
        if job.operation == "insert":
            return self.org.create(job.type, record), True
        if job.operation == "upsert":
            return self.collections.upsert_one(job.type, job.external, record)
        name = next((key for key in record if key.lower() == "id"), "")
        id = self.collections.existing(job.type, str(record.pop(name, "")))
        if job.operation == "update":
            self.org.update(job.type, id, record)
        else:
            self.org.delete(job.type, id)
            if job.operation == "hardDelete":
                self.org.store.erase(job.type, id)
        return id, False

    def _results(self, job: OldJob, batch: Batch) -> Answer:
        if batch.state != "Completed":
            raise Problem("InvalidBatch", f"Batch is {batch.state}")
        if job.operation in _WRITES:
            return Answer(200, batch.outcomes, media="application/json")
        if job.content == "JSON":
            return Answer(200, [batch.result_id], media="application/json")
        text = f'{_HEAD}<result-list xmlns="{_SPACE}"><result>{batch.result_id}</result>'
        return Answer(200, f"{text}</result-list>".encode(), media=_XML)

    def _result(self, job: OldJob, batch: Batch) -> Answer:
        assert batch.results is not None
        content = batch.results.rows(0, len(batch.results))
        if job.content == "CSV":
            return Answer(200, content, media="text/csv")
        rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
        return Answer(200, [self._as_json(job, row) for row in rows], media="application/json")

    def _as_json(self, job: OldJob, row: dict[str, str]) -> dict[str, Any]:
        """JSON results have instants as epoch milliseconds, and parents nested."""
        home = f"/services/data/v{job.version}/sobjects/{job.type.name}"
        record: dict[str, Any] = {
            "attributes": {"type": job.type.name, "url": f"{home}/{row.get('Id', '')}"}
        }
        for name, text in row.items():
            *relations, last = name.split(".")
            place, type = record, job.type
            for relation in relations:
                place = place.setdefault(relation, {})
                one = next(each for each in type.fields.values() if each.relationship == relation)
                type = self.org.store.objects[one.refers_to[0]]
            place[last] = _json_value(type, last, text)
        return record


def _json_value(type: SObject, name: str, text: str) -> Any:
    if text == "":
        return None
    kind = type.fields[name].type
    if kind == "boolean":
        return text == "true"
    if kind == "int":
        return int(text)
    if kind in ("date", "datetime"):
        return int(moment_of(text).timestamp() * 1000)
    return decode(text.encode()) if type.fields[name].is_number else text


def _job_shown(job: OldJob) -> dict[str, Any]:
    batches = [one for one in job.batches.values()]
    states = [one.state for one in batches]
    return {
        "apexProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apiVersion": float(job.version),
        "concurrencyMode": "Parallel",
        "contentType": job.content,
        "createdDate": job.made,
        "externalIdFieldName": job.external or None,
        "id": job.id,
        "numberBatchesCompleted": states.count("Completed"),
        "numberBatchesFailed": states.count("Failed"),
        "numberBatchesInProgress": states.count("InProgress"),
        "numberBatchesQueued": states.count("Queued"),
        "numberBatchesTotal": len(batches),
        "numberRecordsFailed": sum(one.failed for one in batches),
        "numberRecordsProcessed": sum(one.processed for one in batches),
        "object": job.type.name,
        "operation": job.operation,
        "state": job.state,
        "systemModstamp": job.made,
    }


def _shown(job: OldJob, batches: list[Batch], *, listed: bool, status: int = 200) -> Answer:
    told = [_told(job, one) for one in batches]
    if job.content == "JSON":
        content = {"batchInfo": told} if listed else told[0]
        return Answer(status, content, media="application/json")
    texts = [
        "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in one.items())
        for one in told
    ]
    if listed:
        inner = "".join(f"<batchInfo>{text}</batchInfo>" for text in texts)
        text = f'<batchInfoList xmlns="{_SPACE}">{inner}</batchInfoList>'
    else:
        text = f'<batchInfo xmlns="{_SPACE}">{texts[0]}</batchInfo>'
    return Answer(status, f"{_HEAD}{text}".encode(), media=_XML)


def _told(job: OldJob, one: Batch) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": one.id, "jobId": job.id, "state": one.state}
    if one.message:
        shown["stateMessage"] = one.message
    return shown | {
        "createdDate": one.made,
        "systemModstamp": one.made,
        "numberRecordsProcessed": one.processed,
        "numberRecordsFailed": one.failed,
        "totalProcessingTime": 0,
        "apiActiveProcessingTime": 0,
        "apexProcessingTime": 0,
    }


def _refused(problem: Problem, as_json: bool) -> Answer:
    if as_json:
        content: Any = {"exceptionCode": problem.code, "exceptionMessage": problem.message}
        return Answer(problem.status, content, media="application/json")
    text = (
        f'{_HEAD}<error xmlns="{_SPACE}"><exceptionCode>{problem.code}</exceptionCode>'
        f"<exceptionMessage>{escape(problem.message)}</exceptionMessage></error>"
    )
    return Answer(problem.status, text.encode(), media=_XML)
