"""simple-salesforce over our own client: its calls, our pace, retries, redaction and network.

The library is given a session of ours. Where it sets a token or a host, ours count: tokens are
renewed and hosts are checked in one place. It raises its own errors never, because a refusal
has become one of ours before the library sees an answer. What it lacks, and what of it is not
used, stands in docs/decisions/015-salesforce-client.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, cast
from urllib.parse import urlsplit

from tieout.core.errors import StopRun
from tieout.core.ports import HttpAnswer
from tieout.rest import Request, RestClient
from tieout.rest import json as exact_json

_OURS = {"authorization", "x-prettyprint", "content-type"}


class _Headers(dict[str, str]):
    """Header names in any case."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


class Answer:
    """As much of a `requests.Response` as the library looks at."""

    def __init__(self, answer: HttpAnswer, url: str) -> None:
        self.status_code, self.content, self.url = answer.status, answer.body, url
        self.headers = _Headers(answer.headers)

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")

    def json(self, **options: Any) -> Any:
        """The body, every fraction a Decimal, whatever is asked for."""
        return exact_json.decode(self.content)


class OurSession:
    """As much of a `requests.Session` as the library uses; every call goes through `rest`.

    Writes by PATCH and DELETE may be repeated: upserts and updates set a state.
    """

    def __init__(self, rest: RestClient) -> None:
        self.rest, self.proxies = rest, dict[str, str]()

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
    ) -> Answer:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        given = {k: v for k, v in (headers or {}).items() if k.lower() not in _OURS}
        request = Request(
            method,
            path,
            params or (),
            json=json,
            headers=given,
            idempotent=method.upper() in ("PATCH", "DELETE"),
        )
        return Answer(self.rest.read(request, _whole), url)


def _whole(answer: HttpAnswer) -> HttpAnswer:
    """The answer, if its body is whole. ValueError otherwise: it is asked for again."""
    if answer.status != 204:
        exact_json.decode(answer.body)
    return answer


class Library:
    """One org through simple-salesforce in direct mode. Safe to share between threads."""

    def __init__(self, rest: RestClient, instance_url: str, version: str, page_size: int) -> None:
        from simple_salesforce.api import Salesforce  # slow to import: it brings zeep

        self._sf = Salesforce(
            instance_url=instance_url,
            session_id="held by the session",
            session=cast(Any, OurSession(rest)),
            version=version,
            parse_float=Decimal,
            object_pairs_hook=cast(Any, dict),
        )
        self._paged = {"Sforce-Query-Options": f"batchSize={page_size}"}

    def query(self, soql: str, *, deleted: bool = False) -> Iterator[dict[str, Any]]:
        """The answers of a query, page by page: {totalSize, done, records}.

        Raises StaleLocator or TooSlow (errors.py) where it has to be asked differently.
        """
        answer = self._sf.query(soql, include_deleted=deleted, headers=self._paged)
        seen = set[str]()
        while True:
            yield answer
            following = answer.get("nextRecordsUrl")
            if answer.get("done") is not False or not following:
                return
            if following in seen or not str(following).startswith("/services/data/"):
                raise StopRun(
                    "Salesforce named a next page that cannot be",
                    hint="what was read before is kept; run the command again",
                )
            seen.add(following)
            answer = self._sf.query_more(following, identifier_is_url=True, headers=self._paged)

    def rows(self, soql: str, *, deleted: bool = False) -> Iterator[dict[str, Any]]:
        """Every row of a query."""
        for answer in self.query(soql, deleted=deleted):
            yield from answer["records"]

    def count(self, soql: str) -> int:
        """What `SELECT COUNT()` answers."""
        return int(self._sf.query(soql)["totalSize"])

    def limits(self) -> dict[str, Any]:
        """https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_limits.htm"""
        return cast(dict[str, Any], self._sf.limits())

    def call(self, path: str, *, method: str = "GET", json: Any = None, **params: str) -> Any:
        """Any other call below `/services/data/vXX.X/`; None for an empty answer."""
        return self._sf.restful(path, params=params or None, method=method, json=json)
