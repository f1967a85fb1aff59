"""Data Query: a SQL job, its states, and the file behind a pre-signed address.

https://developer.zuora.com/v1-api-reference/api/data-queries/
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import sqlite3
import uuid
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from .books import Books
from .errors import Refusal, data_query_error
from .mirror import MARK, Mirror
from .objects import NOT_DELETABLE, find, kinds, visible
from .sql import Dialect, SqlProblem, Translator, describe
from .times import stored
from .wire import Answer, Body, Request, decode, encode

FILES = "/_s3/"
_CHUNK = 2000
_LONGEST = 20  # seconds of the sandbox's clock
_SIGNATURE = "X-Amz-Signature"


@dataclass
class Job:
    id: str
    sent: Body
    status: str
    updated: datetime
    polls: int = 0
    rows: int = 0
    problem: str = ""
    signature: str = ""
    size: int = 0  # of the file, in bytes
    # Where a reader of parts has come to: (byte of the file, reader, byte of what is packed).
    mark: tuple[int, Any, int] | None = None
    file: bytes = b""  # zlib: a hundred thousand rows take a few megabytes
    extra: Body = field(default_factory=dict)


class DataQuery:
    """The jobs. Whoever calls holds the tenant's lock."""

    def __init__(
        self, books: Books, mirror: Mirror, *, settlement: bool, cap: int, polls: int, most: int
    ) -> None:
        self.books, self.mirror, self.settlement = books, mirror, settlement
        self.cap, self.polls, self.most = cap, polls, most
        self.jobs: dict[str, Job] = {}

    def answer(self, request: Request) -> Answer:
        """Everything below /query/jobs. Raises Refusal."""
        key = request.path.removeprefix("/query/jobs").strip("/")
        if not key and request.method == "POST":
            return self._submit(request)
        if not key and request.method == "GET":
            return self._list(request)
        job = self.jobs.get(key)
        if job is None:
            raise data_query_error("Query job not found", 404)
        if request.method == "DELETE":
            if job.status in ("completed", "failed"):
                raise data_query_error(f"The job is {job.status} and cannot be cancelled.")
            job.status, job.updated = "cancelled", self.books.clock.now()
            return Answer(200, {"data": self._shown(job, request)})
        if request.method != "GET":
            raise data_query_error("HTTP 405 Method Not Allowed", 405)
        self._advance(job)
        return Answer(200, {"data": self._shown(job, request)})

    def _submit(self, request: Request) -> Answer:
        try:
            sent = decode(request.body)
        except ValueError:
            raise data_query_error("Unable to process JSON") from None
        if not isinstance(sent, dict):
            raise data_query_error("Unable to process JSON")
        _check(sent)
        if sum(self._runs(job) for job in self.jobs.values()) >= self.most:
            raise data_query_error("Too many concurrent queries.", 429)
        id = str(uuid.UUID(int=self.books.rng.getrandbits(128), version=4))
        job = Job(id, sent, "accepted", self.books.clock.now())
        self.jobs[id] = job
        return Answer(200, {"data": self._shown(job, request)})

    def _runs(self, job: Job) -> bool:
        """A job that nobody asks for comes to its end, too."""
        age = (self.books.clock.now() - job.updated).total_seconds()
        return job.status in ("accepted", "in_progress") and age < _LONGEST

    def _list(self, request: Request) -> Answer:
        wanted, size = request.param("queryStatus"), request.param("pageSize") or "20"
        if not size.isdecimal() or not size.isascii():
            raise data_query_error("pageSize must be a number")
        found = [job for job in reversed(self.jobs.values()) if wanted in ("", job.status)]
        return Answer(200, {"data": [self._shown(job, request) for job in found[: int(size)]]})

    def _advance(self, job: Job) -> None:
        if job.status not in ("accepted", "in_progress"):
            return
        job.polls += 1
        job.updated = self.books.clock.now()
        job.status = "in_progress"
        if job.polls < self.polls:
            return
        try:
            self._run(job)
            job.status = "completed"
            job.signature = f"{self.books.rng.getrandbits(256):064x}"
        except SqlProblem as problem:
            job.status, job.problem = "failed", str(problem)

    def _run(self, job: Job) -> None:
        self.books.purge()
        names, rows = self._rows(job)
        shape = str(job.sent["outputFormat"]).upper()
        pack = zlib.compressobj(1)
        pieces: list[bytes] = []
        for chunk in _encoded(names, rows, shape, str(job.sent.get("columnSeparator") or ",")):
            job.rows += chunk[0]
            if job.rows > self.cap:
                raise SqlProblem(
                    f"The query output exceeds the maximum number of records: {self.cap}"
                )
            job.size += len(chunk[1])
            pieces.append(pack.compress(chunk[1]))
        job.file = b"".join((*pieces, pack.flush()))

    def _rows(self, job: Job) -> tuple[list[str], Iterable[list[Any]]]:
        text = str(job.sent["query"]).strip().rstrip(";")
        if re.fullmatch(r"(?i)show\s+tables(\s+.*)?", text):
            tables = [name for name in sorted(kinds()) if visible(name, self.settlement)]
            return ["Table"], [[name] for name in tables]
        shown = re.fullmatch(r"(?i)(?:describe|desc|show\s+columns\s+from)\s+([\w.]+)", text)
        if shown:
            name = shown[1].split(".")[-1].lower()
            kind = find(name)
            if kind is None or kind.table != name or not visible(name, self.settlement):
                raise SqlProblem(f"Table owl.data.{name} does not exist")
            found = describe(self.mirror, name)
            return list(found[0]), [list(row.values()) for row in found]
        return self._select(job, text)

    def _select(self, job: Job, text: str) -> tuple[list[str], Iterable[list[Any]]]:
        deleted = job.sent.get("readDeleted") is True
        dialect = Dialect(
            self.books.clock.now(), self.books.zone, self.settlement, read_deleted=deleted
        )
        made = Translator(self.mirror, dialect).translate(text)
        if deleted and (wrong := NOT_DELETABLE & set(made.tables)):
            raise SqlProblem(f"Reading deleted records is not supported for {sorted(wrong)[0]}")
        try:
            cursor = self.mirror.db.execute(made.sql)
        except sqlite3.Error as problem:
            raise SqlProblem(f"line 1:1: {problem}") from None
        return made.columns, (shown_row(row, made.types) for row in cursor)

    def _shown(self, job: Job, request: Request) -> Body:
        body: Body = {
            "id": job.id,
            "query": job.sent["query"],
            "useIndexJoin": bool(job.sent.get("useIndexJoin", False)),
            "sourceData": job.sent.get("sourceData") or "LIVE",
            "queryStatus": job.status,
            "remainingRetries": 3,
            "updatedOn": stored(job.updated),
            "createdBy": self.books.user,
        }
        if job.status == "completed":
            name = f"{job.id}_{int(job.updated.timestamp())}.{_suffix(job)}"
            body |= {
                "dataFile": f"{request.base}{FILES}{name}?X-Amz-Expires=86400"
                f"&{_SIGNATURE}={job.signature}",
                "outputRows": job.rows,
                "processingTime": 9212,
            }
        if job.problem:
            body["errorMessage"] = job.problem
        return body

    def file(self, request: Request) -> tuple[Answer, Iterator[bytes]]:
        """The file itself, as the object store gives it: it takes no Authorization header."""
        id = request.path.removeprefix(FILES).split("_")[0]
        job = self.jobs.get(id)
        if request.header("authorization"):
            raise Refusal(_s3("InvalidArgument", "Only one auth mechanism allowed", 400))
        if job is None or job.status != "completed":
            raise Refusal(_s3("NoSuchKey", "The specified key does not exist.", 404))
        if request.param(_SIGNATURE) != job.signature:
            raise Refusal(_s3("SignatureDoesNotMatch", "The signature does not match.", 403))
        age = (self.books.clock.now() - job.updated).total_seconds()
        if age > 86400:
            raise Refusal(_s3("AccessDenied", "Request has expired", 403))
        media, asked = "binary/octet-stream", _range(request.header("range"))
        if asked is None or str(job.sent["compression"]).upper() != "NONE":
            return Answer(200, None, media=media), _unpacked(job)
        first, last = asked[0], min(asked[1], job.size - 1)
        if first >= job.size:
            raise Refusal(_s3("InvalidRange", "The requested range is not satisfiable", 416))
        headers = {
            "Content-Range": f"bytes {first}-{last}/{job.size}",
            "Content-Length": str(last - first + 1),
        }
        return Answer(206, None, headers, media), _part(job, first, last)


def _check(sent: Body) -> None:
    query = sent.get("query")
    if not isinstance(query, str) or not query.strip():
        raise data_query_error("query may not be empty")
    for name, allowed in (
        ("outputFormat", ("JSON", "CSV", "TSV", "DSV")),
        ("compression", ("NONE", "GZIP", "ZIP")),
    ):
        if str(sent.get(name)).upper() not in allowed:
            raise data_query_error(f"{name} must be one of {', '.join(allowed)}")
    output = sent.get("output")
    if not isinstance(output, dict) or str(output.get("target")).upper() != "S3":
        raise data_query_error("output.target must be S3")
    if str(sent.get("sourceData") or "LIVE").upper() not in ("LIVE", "WAREHOUSE", "DATAHUB"):
        raise data_query_error("sourceData must be one of LIVE, WAREHOUSE")
    for name in ("readDeleted", "useIndexJoin"):
        if not isinstance(sent.get(name, False), bool):
            raise data_query_error("Unable to process JSON")


def shown_row(row: tuple[Any, ...], types: list[str]) -> list[Any]:
    """A row as it is written: numbers raw, flags as true or false."""
    shown: list[Any] = []
    for value, kind in zip(row, types, strict=True):
        if isinstance(value, str) and value[:1] == MARK:
            shown.append(msgspec.Raw(value[1:].encode()))
        elif kind == "boolean" and value is not None:
            shown.append(bool(value))
        else:
            shown.append(value)
    return shown


def _encoded(
    names: list[str], rows: Iterable[list[Any]], shape: str, separator: str
) -> Iterator[tuple[int, bytes]]:
    """Chunks of the file with their numbers of rows. JSON is one object a line."""
    if shape != "JSON":
        separator = {"CSV": ",", "TSV": "\t"}.get(shape, separator)
        yield 0, csv_lines([names], separator)
    batch: list[list[Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _CHUNK:
            yield len(batch), _chunk(names, batch, shape, separator)
            batch = []
    yield len(batch), _chunk(names, batch, shape, separator)


def _chunk(names: list[str], rows: list[list[Any]], shape: str, separator: str) -> bytes:
    if shape != "JSON":
        return csv_lines(rows, separator)
    lines = [encode(dict(zip(names, row, strict=True))) for row in rows]
    return b"".join(line + b"\n" for line in lines)


def csv_lines(rows: Iterable[list[Any]], separator: str = ",") -> bytes:
    """Rows as CSV; numbers without quotes, flags as true and false, null as nothing."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows(
        [_plain(value) for value in row] for row in rows
    )
    return text.getvalue().encode()


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Raw):
        return bytes(value).decode()
    return str(value).lower() if isinstance(value, bool) else value


def _suffix(job: Job) -> str:
    packed = {"GZIP": ".gz", "ZIP": ".zip"}.get(str(job.sent["compression"]).upper(), "")
    shape = str(job.sent["outputFormat"]).lower()
    return f"{'json' if shape == 'json' else shape}{packed}"


def _unpacked(job: Job) -> Iterator[bytes]:
    packing = str(job.sent["compression"]).upper()
    if packing == "GZIP":
        yield gzip.compress(zlib.decompress(job.file), 1)
    elif packing == "ZIP":
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{job.id}.json", zlib.decompress(job.file))
        yield whole.getvalue()
    else:
        reader = zlib.decompressobj()
        for start in range(0, len(job.file), 65536):
            yield reader.decompress(job.file[start : start + 65536])
        yield reader.flush()


def _range(header: str) -> tuple[int, int] | None:
    """First and last byte of `bytes=0-99`; None for what is no range."""
    found = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", header)
    if found is None or (found[2] and int(found[2]) < int(found[1])):
        return None
    return int(found[1]), int(found[2] or 10**15)


def _part(job: Job, first: int, last: int) -> Iterator[bytes]:
    """These bytes of the file. Whoever reads on does not begin at its start again."""
    start, reader, at = job.mark if job.mark and job.mark[0] <= first else (
        0, zlib.decompressobj(), 0
    )  # fmt: skip
    reader = reader.copy()
    while start <= last:
        if start <= first:
            job.mark = (start, reader.copy(), at)
        packed = job.file[at : at + 65536]
        piece = reader.decompress(packed) if packed else reader.flush()
        yield piece[max(first - start, 0) : last + 1 - start]
        if not packed:
            return
        start, at = start + len(piece), at + 65536


def _s3(code: str, message: str, status: int) -> Answer:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}'
    return Answer(status, f"{body}</Message></Error>".encode(), media="application/xml")
