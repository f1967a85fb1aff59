"""Bulk API 2.0: jobs, their states over time, and who answers for them.

https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0.htm
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from ..clock import SandboxClock
from .cells import stamp
from .errors import Refusal, not_found
from .fields import SObject
from .ids import IdMaker

JOB_LIFE = timedelta(days=7)
DELIMITERS = {
    "BACKQUOTE": "`",
    "CARET": "^",
    "COMMA": ",",
    "PIPE": "|",
    "SEMICOLON": ";",
    "TAB": "\t",
}
ENDINGS = {"LF": "\n", "CRLF": "\r\n"}


@dataclass
class Job:
    """One job. `files` are what it left: results as CSV without their header."""

    id: str
    kind: str
    operation: str
    type: SObject
    version: str
    made: datetime
    state: str
    delimiter: str = "COMMA"
    ending: str = "LF"
    external: str = ""
    query: str = ""
    content: bytes | None = None
    started: datetime | None = None
    asked: int = 0
    processed: int = 0
    failed: int = 0
    message: str = ""
    milliseconds: int = 0
    results: Results | None = None
    texts: dict[str, str] = field(default_factory=dict)
    work: Callable[[], None] = lambda: None


@dataclass
class Results:
    """A query job's rows in a file on disk, with the place of each row, so memory stays flat."""

    file: BinaryIO
    header: bytes
    places: Any

    def __len__(self) -> int:
        return len(self.places) - 1

    def rows(self, start: int, end: int) -> bytes:
        first, last = self.places[start], self.places[end]
        self.file.seek(first)
        return self.header + self.file.read(last - first)

    def close(self) -> None:
        self.file.close()


class Jobs:
    """All jobs of an org. A waiting job goes on a step each time it is asked about, or with time.

    `polls` is how often an uploaded job is asked about before it is complete; `seconds` how long
    it takes when nobody asks.
    """

    def __init__(self, clock: SandboxClock, ids: IdMaker, user: str, polls: int, seconds: int):
        self.clock, self.ids, self.user = clock, ids, user
        self.polls, self.seconds = polls, seconds
        self.jobs: dict[str, Job] = {}

    def add(self, job: Job) -> Job:
        self.jobs[job.id] = job
        return job

    def new_id(self) -> str:
        return self.ids.make("750")

    def find(self, kind: str, id: str) -> Job:
        """Raises Refusal (404) for an unknown job, or one that is over 7 days old."""
        now = self.clock.now()
        for old in [one for one in self.jobs.values() if now - one.made > JOB_LIFE]:
            self.drop(old)
        job = self.jobs.get(id) or next(
            (one for one in self.jobs.values() if one.id[:15] == id), None
        )
        if job is None or job.kind != kind:
            raise not_found()
        return job

    def start(self, job: Job) -> None:
        """The upload is complete: it waits for its turn."""
        job.state, job.started = "UploadComplete", self.clock.now()

    def advance(self, job: Job) -> None:
        """One look at a job moves it on."""
        if job.state not in ("UploadComplete", "InProgress") or job.started is None:
            return
        job.asked += 1
        waited = (self.clock.now() - job.started).total_seconds()
        if job.asked >= self.polls or waited >= self.seconds:
            job.state = "JobComplete"
            job.milliseconds = max(int(waited * 1000), 120)
            job.work()
        elif job.asked > 1 or waited >= self.seconds / 2:
            job.state = "InProgress"

    def abort(self, job: Job) -> None:
        if job.state in ("JobComplete", "Failed", "Aborted"):
            raise Refusal(
                "INVALIDJOBSTATE", f"Aborting already {job.state} Job not allowed", status=400
            )
        job.state = "Aborted"

    def drop(self, job: Job) -> None:
        if job.results is not None:
            job.results.close()
        del self.jobs[job.id]

    def close(self) -> None:
        for job in list(self.jobs.values()):
            self.drop(job)

    def shown(self, job: Job) -> dict[str, Any]:
        """The job's description as every call answers it."""
        made = stamp(job.made)
        told: dict[str, Any] = {
            "id": job.id,
            "operation": job.operation,
            "object": job.type.name,
            "createdById": self.user,
            "createdDate": made,
            "systemModstamp": made,
            "state": job.state,
            "concurrencyMode": "Parallel",
            "contentType": "CSV",
            "apiVersion": float(job.version),
        }
        if job.external:
            told["externalIdFieldName"] = job.external
        if job.kind == "ingest" and job.state == "Open":
            told["contentUrl"] = f"services/data/v{job.version}/jobs/ingest/{job.id}/batches"
        return told | {"lineEnding": job.ending, "columnDelimiter": job.delimiter}

    def full(self, job: Job) -> dict[str, Any]:
        """The same with how far it has come."""
        told = self.shown(job)
        told["jobType"] = "V2Query" if job.kind == "query" else "V2Ingest"
        done = job.state in ("JobComplete", "Failed", "Aborted")
        told |= {
            "retries": 0,
            "totalProcessingTime": job.milliseconds,
        }
        if job.kind == "ingest":
            told |= {
                "numberRecordsFailed": job.failed,
                "apiActiveProcessingTime": job.milliseconds,
                "apexProcessingTime": 0,
            }
        if done or job.kind == "ingest":
            told["numberRecordsProcessed"] = job.processed
        if job.message:
            told["errorMessage"] = job.message
        if job.kind == "query":
            told["isPkChunkingSupported"] = True
        return told
