"""Data Query: an SQL job whose result is a file of JSON lines on another server.

A job is submitted, asked for until it has ended, and its file read in pieces, so that memory stays
flat. The file's address is signed and carries its own permission: our token is not sent there.
A job that failed is answered with status 200, and "Service Temporarily Unavailable" may mean a
table that this tenant will never have. https://docs.zuora.com/en/zuora-platform/data/data-query
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tieout.core.errors import (
    AuthError,
    ConfigError,
    InvalidRecord,
    NotFound,
    ProviderDown,
    StopRun,
    TieoutError,
)
from tieout.core.ports import HttpAnswer, Ports
from tieout.rest import Again, Refusal, Request, RestClient, Verdict, json, segment
from tieout.rest.redact import mask, one_line

from .settings import LOCAL, ZuoraConfig

log = logging.getLogger("tieout.zuora")

JOBS = "/query/jobs"
PIECE = 4 * 1024 * 1024  # bytes of a file that are held at once
FIRST_WAIT, LONGEST_WAIT, LONGEST_JOB = 0.25, 15.0, 3900.0  # Zuora ends a query after an hour
TRIES_A_TABLE = 2
TRIES_A_JOB = 5
_ABSENT = re.compile(r"temporarily unavailable|LINK_30000007", re.I)
_UNKNOWN = re.compile(r"table .*(does not exist|not found)|TABLE_NOT_FOUND", re.I)
_LARGE = re.compile(r"\b(limit|maximum|exceed\w*|too (many|large)|timed? ?out)\b", re.I)
_BUSY = re.compile(r"concurren|queued? (is )?full|too many (queries|jobs)", re.I)


class NoTable(ConfigError):
    """The tenant (or the user) does not have this table, as far as can be told."""


class TooMuch(InvalidRecord):
    """The query reads or gives more than one query may: ask for less."""


@dataclass(frozen=True)
class Done:
    """A completed job. `rows` is what Zuora counted, None if it told nothing."""

    file: str
    rows: int | None


class DataQuery:
    """Runs queries for one tenant; remembers the tables that it can't have. Shared by threads."""

    def __init__(
        self, rest: RestClient, settings: ZuoraConfig, ports: Ports, *, where: str
    ) -> None:
        self._rest, self._settings, self._ports, self._where = rest, settings, ports, where
        self._lock, self._failed = threading.Lock(), dict[str, int]()
        self._reasons: dict[str, str] = {}

    def run(self, table: str, sql: str, *, deleted: bool = False) -> Done:
        """Waits for the job's end. `table` is the one that the query stands or falls with.

        Raises NoTable, TooMuch, InvalidRecord for a query that is refused, or ProviderDown.
        """
        if self._failed.get(table, 0) >= TRIES_A_TABLE:
            raise self._no_table(table)
        for attempt in range(TRIES_A_JOB):
            job = self._ended(self._submitted(table, sql, deleted))
            status = str(job.get("queryStatus", "")).lower()
            if status == "completed":
                return Done(str(job.get("dataFile") or ""), _count(job.get("outputRows")))
            reason = one_line(mask(str(job.get("errorMessage") or f"the job was {status}")))
            self._sort(table, reason, last=attempt == TRIES_A_JOB - 1)
            self._ports.sleep(min(LONGEST_WAIT * 4, 5.0 * 2**attempt))
        raise ProviderDown(f"Data Query: no place for another job ({table})", where=self._where)

    def lines(self, done: Done) -> Iterator[bytes]:
        """The rows of the result as JSON, one by one. ProviderDown where the file is cut off."""
        count = 0
        for line in _lines(self._pieces(done)) if done.file and done.rows != 0 else ():
            if not (line.startswith(b"{") and line.rstrip().endswith(b"}")):
                raise ProviderDown("Data Query: a result file cannot be read", where=self._where)
            count += 1
            yield line
        if done.rows is not None and count != done.rows:
            raise ProviderDown(f"Data Query: {count} rows came of {done.rows}", where=self._where)

    def rows(self, table: str, sql: str, *, deleted: bool = False) -> Iterator[dict[str, Any]]:
        """Runs and reads: the rows decoded, with keys in lower case."""
        for line in self.lines(self.run(table, sql, deleted=deleted)):
            found = json.decode(line)
            if isinstance(found, dict):
                yield {str(key).lower(): value for key, value in found.items()}

    # a job's life

    def _submitted(self, table: str, sql: str, deleted: bool) -> dict[str, Any]:
        body = {
            "query": sql,
            "outputFormat": "JSON",
            "compression": "NONE",
            "output": {"target": "S3"},
            "sourceData": self._settings.data_source,
            "readDeleted": deleted,
        }
        try:
            return self._job(Request("POST", JOBS, json=body, reads=True))
        except (AuthError, NotFound) as error:
            with self._lock:
                self._failed[table], self._reasons[table] = TRIES_A_TABLE, error.message
            raise self._no_table(table) from None
        except InvalidRecord as error:
            raise self._sorted(table, error.message) from None

    def _ended(self, job: dict[str, Any]) -> dict[str, Any]:
        began, wait = self._ports.monotonic(), FIRST_WAIT
        while str(job.get("queryStatus", "")).lower() not in ("completed", "failed", "cancelled"):
            if self._ports.monotonic() - began > LONGEST_JOB:
                self._cancel(job)
                raise ProviderDown("Data Query: a job did not end in time", where=self._where)
            self._ports.sleep(wait)
            wait = min(LONGEST_WAIT, wait * 1.6)
            job = self._job(Request("GET", f"{JOBS}/{segment(job['id'])}"))
        return job

    def _cancel(self, job: dict[str, Any]) -> None:
        try:
            self._rest.send_raw(Request("DELETE", f"{JOBS}/{segment(job['id'])}", idempotent=True))
        except TieoutError as error:
            log.info("a query job could not be cancelled: %s", error.message)

    def _job(self, asked: Request) -> dict[str, Any]:
        def parse(answer: HttpAnswer) -> dict[str, Any]:
            told = json.decode(answer.body)
            job = told.get("data") if isinstance(told, dict) else None
            if not isinstance(job, dict) or not job.get("id"):
                raise ValueError("this is no query job")
            return job

        return self._rest.read(asked, parse)

    # failures

    def _sort(self, table: str, reason: str, *, last: bool) -> None:
        """Returns where the job may be submitted once more; raises otherwise."""
        if _BUSY.search(reason) and not last:
            return
        if _ABSENT.search(reason):
            with self._lock:
                self._failed[table] = self._failed.get(table, 0) + 1
                self._reasons[table] = reason
            if self._failed[table] < TRIES_A_TABLE:
                return
        raise self._sorted(table, reason)

    def _sorted(self, table: str, reason: str) -> TieoutError:
        if _ABSENT.search(reason) or _UNKNOWN.search(reason):
            with self._lock:
                self._failed[table], self._reasons[table] = TRIES_A_TABLE, reason
            return self._no_table(table)
        kind = TooMuch if _LARGE.search(reason) else InvalidRecord
        return kind(f"Data Query ({table}): {reason}", where=self._where)

    def _no_table(self, table: str) -> NoTable:
        return NoTable(
            f"Data Query cannot read {table}: {self._reasons.get(table, 'not available')}",
            where=self._where,
            hint="the tenant lacks the feature, or the user the permission to query data",
        )

    # the file

    def _pieces(self, done: Done) -> Iterator[bytes]:
        """The file in pieces of a few MiB; whole where its server knows no ranges."""
        client = RestClient(
            self._file_server(done.file),
            ports=self._ports,
            judge=_file_verdict,
            where=self._where,
            timeout=(10.0, 120.0),
        )
        start = 0
        while True:
            wanted = {"Range": f"bytes={start}-{start + PIECE - 1}", "Accept-Encoding": "identity"}
            try:
                answer = client.read(Request("GET", done.file, headers=wanted), _no_page)
            except StopRun:
                raise TooMuch(
                    "Data Query: the file is too large for a server that knows no ranges"
                ) from None
            except _PastTheEnd:
                return
            yield answer.body
            start += len(answer.body)
            size = _whole_size(answer.headers.get("content-range", ""))
            if answer.status != 206 or not answer.body or (size is not None and start >= size):
                return

    def _file_server(self, url: str) -> str:
        """Its origin. On this machine only where Zuora is, too (a stand-in); else over https."""
        parts = urlsplit(url)
        local = (parts.hostname or "").lower() in LOCAL
        if not (self._settings.is_local if local else parts.scheme == "https"):
            raise StopRun(
                "Zuora named a result file on a server that is not to be trusted",
                where=self._where,
                hint="result files are read over https only",
            )
        return f"{parts.scheme}://{parts.netloc}"


class _PastTheEnd(InvalidRecord):
    """The file has no byte at this place: it is empty, or has been read to its end."""


def _file_verdict(refusal: Refusal) -> Verdict | None:
    if refusal.status == 416:
        return Verdict(_PastTheEnd("the file ends before"))
    if refusal.status in (401, 403, 404, 410):
        return Verdict(
            ProviderDown("Data Query: the address of the result file has run out"), Again.NEVER
        )
    return None


def _no_page(answer: HttpAnswer) -> HttpAnswer:
    """ValueError where a proxy has answered with a page of its own."""
    if answer.body.lstrip()[:1] == b"<":
        raise ValueError("this is no result file")
    return answer


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line for line in whole if line.strip())
    if rest.strip():
        yield rest


def _whole_size(content_range: str) -> int | None:
    """The file's size by `bytes 0-99/1234`."""
    size = content_range.rpartition("/")[2].strip()
    return int(size) if size.isdecimal() and len(size) < 19 else None


def _count(value: object) -> int | None:
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 16 else None
