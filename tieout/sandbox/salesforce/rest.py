"""The REST API's paths, and which part of the stand-in answers each.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_list.htm
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .around import query_plan, record_counts
from .bulk import Bulk
from .composite import Composite, as_answer
from .errors import Refusal, not_found, wrong_method
from .querying import Queries
from .quota import Quota
from .records import Records, several
from .searching import Search
from .wire import Answer, Request, path_parts

OLDEST, NEWEST = 31, 67
_SEASONS = ("Summer", "Winter", "Spring")


@dataclass
class Rest:
    """Routes one authorised call."""

    records: Records
    queries: Queries
    bulk: Bulk
    quota: Quota
    composite: Composite
    search: Search

    def run(self, request: Request) -> Answer:
        """The answer, refusals too; composite calls come back here with their parts."""
        version = ""

        def work() -> Answer:
            nonlocal version
            version, parts = split(request.path)
            return self._route(_as_meant(request), version, parts)

        return as_answer(work, lambda found: several(found, version))

    def _route(self, request: Request, version: str, parts: list[str]) -> Answer:
        match parts:
            case []:
                return Answer(200, _resources(version))
            case ["query" | "queryAll" as which]:
                _read_only(request)
                if request.param("explain"):
                    return Answer(200, query_plan(self.queries, request.param("explain")))
                all_rows = which == "queryAll"
                return Answer(200, self.queries.ask(request, version, all_rows=all_rows))
            case ["query" | "queryAll", key]:
                _read_only(request)
                return Answer(200, self.queries.more(key, version))
            case ["sobjects", *rest]:
                return self.records.answer(request, version, rest)
            case ["composite", *rest]:
                return self.composite.answer(request, version, rest)
            case ["jobs", *rest]:
                return self.bulk.answer(request, version, rest)
            case ["limits"]:
                _read_only(request)
                return Answer(200, self.quota.limits(self._data_mb()))
            case ["limits", "recordCount"]:
                _read_only(request)
                store = self.records.org.store
                return Answer(200, record_counts(store, request.param("sObjects")))
            case ["search"]:
                return Answer(200, self.search.sosl(request, version))
            case ["parameterizedSearch"]:
                return Answer(200, self.search.parameterized(request, version))
            case ["recent"]:
                _read_only(request)
                return Answer(200, [])  # what a person has looked at; an API user looks at nothing
        raise not_found()

    def _data_mb(self) -> int:
        store = self.records.org.store
        return sum(store.count(one) for one in store.objects.values()) * 2 // 1024


def versions() -> list[dict[str, str]]:
    """Every release that still answers: three a year, since Summer '14."""
    listed = []
    for number in range(OLDEST, NEWEST + 1):
        step = number - OLDEST
        mark = "’" if number == 42 else "'"
        label = f"{_SEASONS[step % 3]} {mark}{14 + (step + 2) // 3}"
        listed.append(
            {"label": label, "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        )
    return listed


def split(path: str) -> tuple[str, list[str]]:
    """Version and segments of a data path. Raises Refusal for a version that isn't live."""
    parts = path_parts(path)
    if parts[:2] != ["services", "data"] or len(parts) < 3:
        raise not_found()
    text = parts[2].removeprefix("v")
    number, _, minor = text.partition(".")
    if not number.isdigit() or minor != "0" or parts[2] == text:
        raise not_found()
    if int(number) < OLDEST:
        raise Refusal(
            "UNSUPPORTED_API_VERSION",
            f"The requested API version v{text} is retired and unavailable",
            status=410,
        )
    if int(number) > NEWEST:
        raise not_found()
    return text, parts[3:]


def _as_meant(request: Request) -> Request:
    """A POST may stand for another method, for callers that can't send it."""
    method = request.param("_HttpMethod").upper()
    if request.method != "POST" or not method:
        return request
    return Request(method, request.base, request.path, request.query, request.headers, request.body)


def _read_only(request: Request) -> None:
    if request.method not in ("GET", "HEAD"):
        raise wrong_method(request.method, "GET,HEAD")


def _resources(version: str) -> dict[str, Any]:
    home = f"/services/data/v{version}"
    names = ("composite", "jobs", "limits", "parameterizedSearch", "query", "queryAll", "recent",
             "search", "sobjects")  # fmt: skip
    return {name: f"{home}/{name}" for name in names}
