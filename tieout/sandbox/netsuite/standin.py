"""The NetSuite stand-in: one account, its state, and the REST and SOAP services around it."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from ..clock import SandboxClock
from . import saving
from .access import TOKEN_PATH, Access, make_keys
from .books import Body, Books, Record, instant
from .catalog import TYPES
from .errors import (
    Refusal,
    envelope,
    invalid_login,
    no_such_path,
    too_many,
    unexpected,
    wrong_method,
)
from .factory import factory_set
from .jobs import ASYNC_ROOT, Jobs
from .paging import page, read_window
from .records import Records
from .shown import ROOT
from .soap import Soap, is_soap
from .soap_access import Passports
from .suiteql import QUERY_PATH, SuiteQL
from .tables import CUSTOM_TABLES
from .wire import RESOURCE, Answer, Request, read_request

SYSTEM_ROOT = "/services/rest/system/v1"
DATA_CENTERS = "/rest/datacenterurls"
_SAVED_QUERIES = ("/services/rest/query/v1/dataset", "/services/rest/query/v1/workbook")

_CUSTOM = ("custbody_stripe_id", "custentity_stripe_id", "custitem_stripe_id")


class NetSuiteStandIn:
    """A stateful account. Thread safe: one lock around the state.

    `touch_applied` decides whether an invoice's lastModifiedDate moves when something is applied
    to it; `transaction_subsidiary` whether the SuiteQL table transaction shows a subsidiary;
    `location_on_upsert` whether a PUT that updated says where the record is. In all three,
    accounts differ.
    """

    name = "netsuite"

    def __init__(
        self,
        clock: SandboxClock,
        seed: int = 1,
        account: str = "TSTDRV1234567",
        one_world: bool = True,
        *,
        timezone: str = "America/Los_Angeles",
        concurrency: int = 5,
        private_key: str = "",
        custom_fields: Iterable[str] = _CUSTOM,
        touch_applied: bool = False,
        transaction_subsidiary: bool = True,
        location_on_upsert: bool = False,
        allow_name_twice: bool = False,
        factory: bool = True,
    ) -> None:
        self.clock = clock
        self.account = account
        self.concurrency = concurrency
        self.location_on_upsert = location_on_upsert
        self.rng = random.Random(f"netsuite {seed}")
        self.keys = make_keys(account, self.rng, private_key)
        self.access = Access(self.keys, clock, self.rng)
        self.books = Books(
            clock,
            self.rng,
            timezone,
            one_world,
            touch_applied,
            allow_name_twice,
            {name.lower() for name in custom_fields},
        )
        self.records = Records(self.books)
        self.jobs = Jobs(clock.now, self.records.answer)
        self.queries = SuiteQL(self.books, transaction_subsidiary=transaction_subsidiary)
        self.soap = Soap(self.books, Passports(self.keys, clock), self.rng, account)
        self.lock = threading.RLock()
        self._flying = 0
        self._operations = itertools.count(1)
        self._flying_lock = threading.Lock()
        if factory:
            self._take(factory_set(clock.now().date()), factory=True)

    def credentials(self) -> dict[str, str]:
        """Both ways to log in; the URL is known to whoever serves the stand-in."""
        return self.keys.as_credentials()

    def load(self, objects: Iterable[tuple[str, Body]]) -> None:
        """Take over (record type, REST record with its id and its sublists inline).

        Amounts, statuses and dates are taken as they are. A type that is loaded replaces what a
        fresh account has of it. Raises ValueError for an unknown type or a record without id.
        """
        with self.lock:
            self._take(objects, factory=False)

    def void(self, type: str, id: str) -> None:
        """What the Void button in the user interface does. Raises Refusal or KeyError."""
        with self.lock:
            saving.void(self.books, self.books.all_of(TYPES[type.lower()])[id])

    def close(self) -> None:
        with self.lock:
            self.queries.close()

    def error_answer(self, status: int) -> tuple[int, dict[str, str], bytes]:
        """NetSuite's own body for a 401, 429 or 5xx."""
        if status == 429:
            answer = too_many()
        elif status == 401:
            answer = invalid_login(self.account).answer
        elif status >= 500:
            answer = unexpected("kpa1c2f9mzxw4b7tq0dn", status)
        else:
            answer = envelope(status, HTTPStatus(status).description, "USER_ERROR")
        body = answer.encoded()
        return status, dict(self._headers(answer, body)), body

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        answer = self._answer(environ)
        body = answer.encoded()
        phrase = HTTPStatus(answer.status).phrase
        start_response(f"{answer.status} {phrase}", self._headers(answer, body))
        return [body]

    def _answer(self, environ: dict[str, Any]) -> Answer:
        request = read_request(environ)
        if request.path == TOKEN_PATH:
            with self.lock:
                return self.access.token(request)
        if request.path == DATA_CENTERS and request.method == "GET":
            return self._data_centers(request)
        with self._flying_lock:
            full = self._flying >= self.concurrency
            self._flying += not full
        soap = is_soap(request.path)
        if full:
            return self.soap.refuse_too_many(request.path) if soap else too_many()
        try:
            with self.lock:
                if soap:
                    return self.soap.answer(request)
                self.access.check(request)
                return self._route(request)
        except Refusal as refusal:
            return refusal.answer
        finally:
            with self._flying_lock:
                self._flying -= 1

    def _route(self, request: Request) -> Answer:
        path = request.path
        if path == QUERY_PATH:
            return self.queries.answer(request)
        if path in _SAVED_QUERIES and request.method == "GET":
            return Answer(200, page(request, read_window(request), [], 0), kind="collection")
        if path.startswith(f"{ASYNC_ROOT}/"):
            return self.jobs.answer(request)
        if path.startswith(f"{SYSTEM_ROOT}/"):
            return self._system(request)
        if not path.startswith(f"{ROOT}/"):
            raise no_such_path()
        if request.prefers("respond-async"):
            return self.jobs.submit(request)
        answer = self.records.answer(request)
        if self.location_on_upsert and request.method == "PUT":
            return self._located(request, answer)
        return answer

    def _data_centers(self, request: Request) -> Answer:
        """Where an account's services are: here, for every account, and without a login."""
        if not request.param("account"):
            return envelope(400, "The account parameter is missing.", "USER_ERROR")
        names = ("webservicesDomain", "restDomain", "systemDomain")
        return Answer(200, dict.fromkeys(names, request.base), kind="plain")

    def _located(self, request: Request, answer: Answer) -> Answer:
        name, _, external = request.path.removeprefix(f"{ROOT}/").partition("/eid:")
        found = self.books.by_external(TYPES[name.lower()].group, external)
        if found is None or "Location" in answer.headers:
            return answer
        home = f"{request.base}{ROOT}/{found.type.path}/{found.id}"
        return replace(answer, headers={**answer.headers, "Location": home})

    def _system(self, request: Request) -> Answer:
        if request.method != "GET":
            raise wrong_method(request.method)
        what = request.path.removeprefix(f"{SYSTEM_ROOT}/").strip("/").lower()
        if what == "servertime":
            return Answer(200, {"serverTime": instant(self.clock.now())})
        if what == "governancelimits":
            limits = {
                "accountConcurrencyLimit": self.concurrency,
                "accountUnallocatedConcurrencyLimit": self.concurrency,
                "integrationConcurrencyLimit": self.concurrency,
                "integrationLimitType": "accountShared",
            }
            return Answer(200, limits)
        raise no_such_path()

    def _headers(self, answer: Answer, body: bytes) -> list[tuple[str, str]]:
        kinds = {"plain": "application/json", "schema": "application/schema+json"}
        kinds["swagger"] = "application/swagger+json"
        kinds["soap"] = "text/xml; charset=utf-8"
        media = kinds.get(answer.kind, f"{RESOURCE}; type={answer.kind}; charset=UTF-8")
        headers = [
            ("Content-Length", str(len(body))),
            ("Cache-Control", "No-Cache"),
            ("x-content-type-options", "nosniff"),
            ("x-n-operationid", f"{next(self._operations):032x}"),
        ]
        if body:
            headers.insert(0, ("Content-Type", media))
        return [pair for pair in headers if pair[0] not in answer.headers] + [
            *answer.headers.items()
        ]

    def _take(self, objects: Iterable[tuple[str, Body]], *, factory: bool) -> None:
        cleared: set[str] = set()
        for name, body in objects:
            type = TYPES.get(name.lower())
            if type is None or body.get("id") is None:
                known = ", ".join(sorted(one.name for one in TYPES.values()))
                raise ValueError(f"cannot load a {name!r} without id or type; known: {known}")
            if not factory and type.name not in cleared:
                cleared.add(type.name)
                self.books.drop_factory_set(type)
            self._learn_custom_fields(body, type.custom_prefix)
            for sublist in type.sublists:
                held = body.get(sublist)
                for line in (held.get("items") or []) if isinstance(held, dict) else []:
                    self._learn_custom_fields(line, "custcol")
            created = _moment(body.get("createdDate") or body.get("dateCreated"))
            modified = _moment(body.get("lastModifiedDate"))
            now = self.clock.now()
            record = Record(
                type,
                str(body["id"]),
                _exact(body),
                created or modified or now,
                modified or created or now,
                made=False,
                factory=factory,
            )
            self.books.put(record)

    def _learn_custom_fields(self, values: Body, prefix: str) -> None:
        if prefix in CUSTOM_TABLES:
            self.books.custom_fields |= {
                key.lower() for key in values if key.lower().startswith(prefix)
            }


def _moment(value: Any) -> datetime | None:
    if not value:
        return None
    moment = datetime.fromisoformat(str(value))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _exact(value: Any) -> Any:
    """A copy whose numbers are exact, so that later changes never reach the caller's objects."""
    if isinstance(value, dict):
        return {key: _exact(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_exact(each) for each in value]
    return Decimal(repr(value)) if type(value).__name__ == "float" else value
