"""Asynchronous requests and batches: a job, its tasks, their results, idempotency keys.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/subsect_161278579295.html
https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/article_0127092747.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .books import instant
from .errors import Refusal, envelope, malformed, no_such_path, wrong_method
from .records import read_body
from .shown import ROOT
from .wire import Answer, Request, encode

ASYNC_ROOT = "/services/rest/async/v1/job"
_BATCH_LIMIT = 100


@dataclass
class Job:
    id: str
    started: datetime
    results: list[Answer] = field(default_factory=list)


class Jobs:
    """Runs what prefers respond-async at once, and keeps the answers to be fetched."""

    def __init__(self, now: Callable[[], datetime], run: Callable[[Request], Answer]) -> None:
        self.now, self.run = now, run
        self.jobs: dict[str, Job] = {}
        self.keys: dict[str, str] = {}

    def submit(self, request: Request) -> Answer:
        """202 with the job's Location. Raises Refusal (IDEMPOTENCY_ERROR) for a repeated key."""
        key = request.header("x-netsuite-idempotency-key")
        if key and key in self.keys:
            raise _repeated(f"{ASYNC_ROOT}/{self.keys[key]}")
        requests = self._singles(request)
        job = Job(str(len(self.jobs) + 1), self.now())
        self.jobs[job.id] = job
        if key:
            self.keys[key] = job.id
        for one in requests:
            try:
                job.results.append(self.run(one))
            except Refusal as refusal:
                job.results.append(refusal.answer)
        headers = {
            "Preference-Applied": "respond-async",
            "Location": f"{request.base}{ASYNC_ROOT}/{job.id}",
        }
        return Answer(202, None, headers)

    def _singles(self, request: Request) -> list[Request]:
        collection = "type=collection" in request.header("content-type").replace(" ", "").lower()
        home = request.path.removeprefix(ROOT).strip("/")
        ids = [key.strip().replace("'", "") for key in request.param("ids").split(",") if key]
        if ids and "/" not in home and request.method in ("GET", "DELETE"):
            _bounded(len(ids))
            return [self._one(request, home, key, b"") for key in ids]
        if not collection or "/" in home:
            return [request]
        items = read_body(request).get("items")
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise malformed()
        _bounded(len(items))
        return [self._item(request, home, item) for item in items]

    def _item(self, request: Request, home: str, item: dict[str, Any]) -> Request:
        if request.method == "POST":
            return replace(request, body=encode(item))
        key = item.get("id") if request.method == "PATCH" else None
        named = str(key) if key is not None else f"eid:{item.get('externalId', '')}"
        return self._one(request, home, named, encode(item))

    def _one(self, request: Request, home: str, key: str, body: bytes) -> Request:
        path = f"{ROOT}/{home}/{key}"
        kept = tuple(pair for pair in request.query if pair[0] not in ("ids", "expandRecords"))
        return replace(request, path=path, raw_path=path, query=kept, body=body)

    def answer(self, request: Request) -> Answer:
        """GET .../job/{id}[/task[/{n}[/result]]]. Raises Refusal."""
        if request.method != "GET":
            raise wrong_method(request.method)
        parts = request.path.removeprefix(ASYNC_ROOT).strip("/").split("/")
        job = self.jobs.get(parts[0])
        if job is None:
            raise no_such_path()
        home = f"{request.base}{ASYNC_ROOT}/{job.id}"
        if len(parts) == 1:
            return Answer(200, _job(job, home))
        if parts[1] != "task" or len(parts) > 4:
            raise no_such_path()
        if len(parts) == 2:
            return Answer(200, _tasks(job, home), kind="collection")
        if not parts[2].isdigit() or not 1 <= int(parts[2]) <= len(job.results):
            raise no_such_path()
        result = job.results[int(parts[2]) - 1]
        if len(parts) == 4:
            if parts[3] != "result":
                raise no_such_path()
            return result
        return Answer(200, _task(job, home, parts[2], result))


def _bounded(count: int) -> None:
    if count > _BATCH_LIMIT:
        raise malformed(f"At most {_BATCH_LIMIT} records are allowed in one batch.")


def _job(job: Job, home: str) -> dict[str, Any]:
    return {
        "links": [{"rel": "self", "href": home}],
        "completed": True,
        "id": job.id,
        "progress": "succeeded",
        "task": {"links": [{"rel": "self", "href": f"{home}/task"}]},
    }


def _tasks(job: Job, home: str) -> dict[str, Any]:
    links = [
        {"rel": "self", "href": f"{home}/task/{number}"}
        for number in range(1, len(job.results) + 1)
    ]
    return {
        "links": [{"rel": "self", "href": f"{home}/task"}],
        "count": 1,
        "items": [{"links": links}],
    }


def _task(job: Job, home: str, number: str, result: Answer) -> dict[str, Any]:
    return {
        "links": [
            {"rel": "related", "href": f"{home}/task/{number}/result"},
            {"rel": "self", "href": f"{home}/task/{number}"},
        ],
        "completed": True,
        "endTime": instant(job.started),
        "id": number,
        "progress": "succeeded" if result.status < 400 else "failed",
        "startTime": instant(job.started),
    }


def _repeated(location: str) -> Refusal:
    answer = envelope(
        400,
        'A request with the same idempotency key is already submitted. See the "Location" header '
        "for a link to the previously submitted job",
        "IDEMPOTENCY_ERROR",
        kind="https://www.w3.org/Protocols/rfc2616/rfc2616-sec10.html#sec10.4.10",
    )
    content = {**answer.content, "title": "Conflict"}
    headers = {"Location": location, "Preference-Applied": "respond-async"}
    return Refusal(Answer(400, content, headers, kind="error"))
