"""The /jobs/query and /jobs/ingest resources of Bulk API 2.0.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/queries.htm
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/datasets.htm
"""

from __future__ import annotations

import base64
from typing import Any

from .bulk_export import export
from .bulk_load import Loader, unprocessed
from .errors import Refusal, not_found, not_json, wrong_method
from .jobs import DELIMITERS, ENDINGS, Job, Jobs
from .querying import Queries
from .quota import Quota
from .records import read_object
from .saving import Org
from .soql import parse
from .wire import CSV, Answer, Request

_LARGEST = 150_000_000
_BATCH_ROWS = 10_000
_OPERATIONS = ("insert", "update", "upsert", "delete", "hardDelete")


class Bulk:
    """Answers /jobs/... for one org."""

    def __init__(
        self, org: Org, queries: Queries, jobs: Jobs, quota: Quota, loader: Loader
    ) -> None:
        self.org, self.queries, self.jobs = org, queries, jobs
        self.quota, self.loader = quota, loader

    def answer(self, request: Request, version: str, parts: list[str]) -> Answer:
        """`parts` are the segments after `jobs`. Raises Refusal."""
        kind = parts[0] if parts else ""
        if kind not in ("query", "ingest"):
            raise not_found()
        match request.method, parts[1:]:
            case "POST", []:
                return self._create(request, version, kind)
            case "GET", []:
                return self._listed(kind, version)
            case "GET", [id]:
                job = self.jobs.find(kind, id)
                self.jobs.advance(job)
                return Answer(200, self.jobs.full(job))
            case "PATCH", [id]:
                return self._move(self.jobs.find(kind, id), read_object(request))
            case "DELETE", [id]:
                return self._delete(self.jobs.find(kind, id))
            case "PUT", [id, "batches"] if kind == "ingest":
                return self._upload(request, self.jobs.find(kind, id))
            case "GET", [id, which]:
                return self._results(request, self.jobs.find(kind, id), which)
            case _, [] | [_] | [_, _]:
                raise wrong_method(request.method, "DELETE,GET,HEAD,PATCH,POST,PUT")
        raise not_found()

    def _create(self, request: Request, version: str, kind: str) -> Answer:
        body = read_object(request)
        job = self._query_job(body, version) if kind == "query" else self._load_job(body, version)
        job.delimiter = _option(body, "columnDelimiter", "COMMA", list(DELIMITERS))
        job.ending = _option(body, "lineEnding", "LF", list(ENDINGS))
        _option(body, "contentType", "CSV", ["CSV"])
        self.jobs.add(job)
        return Answer(200, self.jobs.shown(job))

    def _query_job(self, body: dict[str, Any], version: str) -> Job:
        _known(body, {"operation", "query", "contentType", "columnDelimiter", "lineEnding"})
        operation = _option(body, "operation", "", ["query", "queryAll"])
        if self.quota.query_jobs.exhausted:
            raise Refusal("LIMIT_EXCEEDED", "Daily limit of Bulk API 2.0 query jobs exceeded")
        query = parse(str(body.get("query") or ""))
        all_rows = operation == "queryAll"
        select = self.queries.compiler(all_rows=all_rows, bulk=True).compile(query)
        self.quota.query_jobs.take()
        job = self._job("query", operation, select.type, version)
        self.jobs.start(job)

        def work() -> None:
            job.results = export(self.org.store, select, job)
            job.processed = len(job.results)

        job.work = work
        return job

    def _load_job(self, body: dict[str, Any], version: str) -> Job:
        _known(
            body,
            {
                "operation",
                "object",
                "externalIdFieldName",
                "assignmentRuleId",
                "contentType",
                "columnDelimiter",
                "lineEnding",
            },
        )
        operation = _option(body, "operation", "", list(_OPERATIONS))
        type = self.org.store.find(str(body.get("object") or ""))
        if type is None or not type.createable:
            raise Refusal("INVALIDENTITY", f"Unable to find object: {body.get('object')}")
        job = self._job("ingest", operation, type, version)
        external = str(body.get("externalIdFieldName") or "")
        if operation == "upsert":
            if not external:
                raise Refusal("INVALIDJOB", "External ID was blank for upsert")
            job.external = self.org.key_field(type, external).name
        elif external:
            raise Refusal("INVALIDJOB", "External ID is only for upsert")
        job.state = "Open"
        job.work = lambda: self.loader.run(job)
        return job

    def _job(self, kind: str, operation: str, type: Any, version: str) -> Job:
        made = self.jobs.clock.now()
        return Job(self.jobs.new_id(), kind, operation, type, version, made, "UploadComplete")

    def _listed(self, kind: str, version: str) -> Answer:
        jobs = [one for one in self.jobs.jobs.values() if one.kind == kind]
        for job in jobs:
            self.jobs.advance(job)
        records = [self.jobs.shown(one) for one in jobs]
        return Answer(200, {"done": True, "records": records, "nextRecordsUrl": None})

    def _move(self, job: Job, body: dict[str, Any]) -> Answer:
        state = body.get("state")
        if state == "Aborted":
            self.jobs.abort(job)
        elif state == "UploadComplete" and job.kind == "ingest":
            if job.state != "Open":
                raise Refusal("INVALIDJOBSTATE", f"Closing already {job.state} Job not allowed")
            rows = (job.content or b"").count(b"\n")
            batches = max(1, -(-rows // _BATCH_ROWS))
            if self.quota.batches.exhausted:
                raise Refusal("LIMIT_EXCEEDED", "ApiBatchItems Limit exceeded.")
            self.quota.batches.take(batches)
            self.jobs.start(job)
        else:
            raise Refusal("INVALIDJOBSTATE", f"Invalid job state {state}")
        return Answer(200, self.jobs.shown(job))

    def _delete(self, job: Job) -> Answer:
        if job.state in ("UploadComplete", "InProgress"):
            raise Refusal(
                "INVALIDJOBSTATE", f"Deleting a Job in {job.state} is not allowed; abort it first"
            )
        self.jobs.drop(job)
        return Answer(204)

    def _upload(self, request: Request, job: Job) -> Answer:
        media = request.header("content-type").split(";")[0].strip().lower()
        if media != CSV:
            raise Refusal("INVALIDJOB", f"Content-Type must be text/csv and is {media}", status=415)
        if job.state != "Open":
            raise Refusal("INVALIDJOBSTATE", f"Job is {job.state}; content is taken while Open")
        if job.content is not None:
            raise Refusal(
                "INVALIDJOB",
                f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / "
                "'Delete' the current Job then create a new Job and make sure you only do 'PUT' "
                "once on a given Job.",
            )
        if len(request.body) * 4 / 3 > _LARGEST:
            raise Refusal("INVALIDJOB", "The content is larger than 150 MB", status=413)
        job.content = request.body
        return Answer(201)

    def _results(self, request: Request, job: Job, which: str) -> Answer:
        if job.kind == "query":
            if which != "results":
                raise not_found()
            return _page(request, job)
        done = job.state in ("JobComplete", "Failed", "Aborted")
        if which not in ("successfulResults", "failedResults", "unprocessedrecords"):
            raise not_found()
        if not done:
            raise Refusal("INVALIDJOBSTATE", f"Job is {job.state}; results come when it is done")
        text = job.texts.get(which)
        if text is None:
            text = unprocessed(job) if which == "unprocessedrecords" else ""
        return Answer(200, text.encode(), media=f"{CSV};charset=UTF-8")


def _page(request: Request, job: Job) -> Answer:
    """One page of a query's rows; `Sforce-Locator: null` on the last."""
    if job.state != "JobComplete" or job.results is None:
        raise Refusal("INVALIDJOBSTATE", f"Job is {job.state}; results come when it is done")
    most = request.param("maxRecords", "100000")
    if not most.isdigit() or int(most) < 1:
        raise Refusal("INVALID_INPUT", f"maxRecords is not a positive number: {most}")
    total = len(job.results)
    start = _place(request.param("locator"), total)
    end = min(start + int(most), total)
    following = _locator(end) if end < total else "null"
    headers = {"Sforce-Locator": following, "Sforce-NumberOfRecords": str(end - start)}
    content = job.results.rows(start, end)
    return Answer(200, content, headers, media=f"{CSV};charset=UTF-8")


def _locator(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


def _place(locator: str, total: int) -> int:
    if not locator or locator == "null":
        return 0
    try:
        text = base64.urlsafe_b64decode(locator + "=" * (-len(locator) % 4)).decode()
        place = int(text)
    except ValueError:
        place = -1
    if not 0 <= place < max(total, 1):
        raise Refusal("INVALID_QUERY_LOCATOR", f"Invalid locator: {locator}")
    return place


def _option(body: dict[str, Any], name: str, default: str, known: list[str]) -> str:
    value = body.get(name, default)
    if value not in known:
        raise Refusal("API_ERROR", f"Value '{value}' for {name} is not one of {', '.join(known)}")
    return str(value)


def _known(body: dict[str, Any], names: set[str]) -> None:
    unknown = next((name for name in body if name not in names), None)
    if unknown is not None:
        raise not_json(f'Unrecognized field "{unknown}"')
