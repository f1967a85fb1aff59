"""Bulk API 2.0 queries: a job is made, waited for, and its CSV read portion by portion.

simple-salesforce's own waits with a clock of its own, keeps no place to go on from and does not
renew a token in the middle, so this stands on our client.
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/query_create_job.htm
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tieout.core.errors import ConfigError, InvalidRecord, NotFound, ProviderDown, RateLimited
from tieout.core.ports import HttpAnswer
from tieout.rest import Request, segment

from .errors import OtherLimit
from .org import Org
from .rows import Row, read_csv

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 30.0
_NO_MORE = ("", "null")


class BulkRefused(Exception):
    """There will be no result: the rows have to be read another way."""


@dataclass(frozen=True)
class Portion:
    """Some rows and where the next ones are, "" after the last."""

    rows: list[Row]
    locator: str


class Bulk:
    """Query jobs of one org."""

    def __init__(self, org: Org) -> None:
        self._org, self._settings = org, org.settings
        self._path = f"{org.settings.data}/jobs/query"

    def start(self, soql: str, *, deleted: bool) -> str:
        """A new job's id. Raises BulkRefused where Salesforce takes none."""
        body = {
            "operation": "queryAll" if deleted else "query",
            "query": soql,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        }
        try:
            made = self._org.rest.send(Request("POST", self._path, json=body, reads=True))
        except (InvalidRecord, ConfigError, RateLimited, OtherLimit) as error:
            raise BulkRefused(error.message) from None
        return str(made["id"])

    def wait(self, job: str) -> None:
        """Until its results are there. Raises BulkRefused where it failed or is gone."""
        asked = Request("GET", f"{self._path}/{segment(job)}")
        began, pause = self._org.ports.monotonic(), _FIRST_WAIT
        while True:
            told = self._state(asked)
            if told.get("state") == "JobComplete":
                return
            if told.get("state") in ("Failed", "Aborted"):
                reason = str(told.get("errorMessage") or "no reason given")
                raise BulkRefused(f"bulk job {job} {told['state'].lower()}: {reason}")
            if self._org.ports.monotonic() - began > self._settings.bulk_minutes * 60:
                raise ProviderDown(
                    f"bulk job {job} was not done after {self._settings.bulk_minutes} minutes",
                    hint="run the command again: it goes on waiting for the same job",
                )
            self._org.ports.sleep(pause)
            pause = min(_LONGEST_WAIT, pause * 2)

    def _state(self, asked: Request) -> dict[str, Any]:
        try:
            told = self._org.rest.send(asked)
        except NotFound as error:  # jobs are kept for seven days
            raise BulkRefused(error.message) from None
        return told if isinstance(told, dict) else {}

    def portion(self, job: str, locator: str, convert: Callable[[dict[str, str]], Row]) -> Portion:
        """The next rows of a job that is done. Raises BulkRefused where it is gone."""
        asked = Request(
            "GET",
            f"{self._path}/{segment(job)}/results",
            {"maxRecords": self._settings.bulk_page, "locator": locator or None},
            headers={"Accept": "text/csv"},
        )
        try:
            return self._org.rest.read(asked, lambda answer: _portion(answer, convert))
        except InvalidRecord as error:
            raise BulkRefused(error.message) from None


def _portion(answer: HttpAnswer, convert: Callable[[dict[str, str]], Row]) -> Portion:
    """ValueError where rows are missing: the answer broke off, and is asked for again."""
    told = answer.headers.get("sforce-numberofrecords", "")
    following = answer.headers.get("sforce-locator", "")
    if not answer.body.strip() and told in ("", "0"):
        return Portion([], "")
    rows = [convert(row) for row in read_csv(answer.body)]
    if told.isdecimal() and int(told) != len(rows):
        raise ValueError(f"{len(rows)} rows came, {told} were announced")
    return Portion(rows, "" if following in _NO_MORE else following)
