"""The Zuora stand-in: one tenant, its state, and the services around it."""

from __future__ import annotations

import random
import threading
import traceback
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from ..clock import SandboxClock
from ..faults import Faults
from .access import Access
from .books import Books, Record
from .callouts import TEMPLATE, Callouts
from .crud import Zoql
from .dataquery import FILES, DataQuery
from .errors import (
    Refusal,
    forbidden,
    no_such_path,
    reasons,
    refused,
    too_many,
    unauthorized,
    wrong_method,
)
from .exports import Exports
from .limits import PRODUCTION, Concurrency, Rates
from .mirror import Mirror
from .objectquery import ROOT, ObjectQuery
from .objects import find
from .replay import Replays
from .routes import SETTLED, Routes
from .shapes import check_shape
from .tenant import Call, Tenant
from .views import Loading, Views
from .wire import Answer, Body, Request, decode, exact, read_request

# What comes of a value that a check has let through. The caller sent it, so it is his error.
_MISREAD = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)


class ZuoraStandIn:
    """A stateful tenant. Thread safe: one lock around the state.

    `settlement` is the feature Invoice Settlement; `timezone` the tenant's; a record made less
    than `object_query_lag` seconds ago is not yet in Object Query. `data_query_polls` is how often
    a job is looked at before it is complete; `forbidden_paths` what the user's role may not see.
    """

    name = "zuora"

    def __init__(
        self,
        clock: SandboxClock,
        seed: int = 1,
        *,
        settlement: bool = True,
        limits: bool = True,
        rate_limits: dict[str, int] | None = None,
        timezone: str = "America/Los_Angeles",
        concurrency: int = 40,
        object_query_lag: float = 0,
        data_query_cap: int = 100_000,
        data_query_polls: int = 2,
        data_query_concurrency: int = 5,
        callout_template: str = TEMPLATE,
        forbidden_paths: Iterable[str] = (),
    ) -> None:
        self.clock = clock
        rng = random.Random(f"zuora {seed}")
        self.access = Access(clock, rng, limits=limits)
        self.webhook_user, self.webhook_password = "zuora", f"{rng.getrandbits(160):040x}"
        self.books = Books(clock, rng, timezone, self.access.user)
        self.mirror = Mirror(self.books)
        self.views, self.loading = Views(self.books), Loading(self.books)
        self.callouts = Callouts(
            self.books, self.webhook_user, self.webhook_password, callout_template
        )
        self._happened: list[tuple[str, Record]] = []
        self.tenant = Tenant(
            self.books, self.views, settlement, lambda *event: self._happened.append(event)
        )
        self.object_query = ObjectQuery(
            self.books, self.mirror, settlement=settlement, lag=object_query_lag
        )
        self.data_query = DataQuery(
            self.books, self.mirror, settlement=settlement, cap=data_query_cap,
            polls=data_query_polls, most=data_query_concurrency,
        )  # fmt: skip
        self.lock = threading.RLock()
        self._rates = Rates(rate_limits or PRODUCTION) if limits else None
        self._concurrency = Concurrency(concurrency)
        self._replays = Replays()
        self._forbidden = tuple(forbidden_paths)
        zoql = Zoql(self.mirror, settlement=settlement)
        exports = Exports(zoql)
        self._routes = Routes(
            [
                ("POST", "/v1/action/query", zoql.query),
                ("POST", "/v1/action/queryMore", zoql.more),
                ("POST", "/v1/batch-query", exports.submit),
                ("GET", "/v1/batch-query/jobs/{key}", exports.job),
                ("DELETE", "/v1/batch-query/jobs/{key}", exports.job),
                ("GET", "/v1/batch-query/jobs/partner/{partner}/project/{project}", exports.last),
                ("POST", "/v1/object/export", exports.export),
                ("GET", "/v1/object/export/{key}", exports.exported),
                ("GET", "/v1/file/{key}", exports.file),
                ("GET", "/v1/files/{key}", exports.file),
                ("GET", "/v1/notification-history/callout", self.callouts.shown),
            ]
        )
        self._requests = 0
        self.misread: list[str] = []  # what no check has foreseen

    def credentials(self) -> dict[str, str]:
        return {
            "client_id": self.access.client_id,
            "client_secret": self.access.client_secret,
            "webhook_user": self.webhook_user,
            "webhook_password": self.webhook_password,
        }

    def expire_tokens(self) -> None:
        """Every access token that was handed out ends now."""
        with self.lock:
            self.access.revoke_tokens()

    def load(self, objects: Iterable[tuple[str, Body]]) -> None:
        """Take over (object or table name, v1 document or Object Query row).

        Raises ValueError for an unknown type.
        """
        with self.lock:
            for name, body in objects:
                kind = find(name)
                if kind is None:
                    raise ValueError(f"cannot load a {name!r}: Zuora has no such object")
                self.loading.take(kind.table, exact(body))

    def send_webhooks_to(self, url: str) -> None:
        """Post callouts there from now on, with the webhook user and password."""
        self.callouts.url = url

    def use_faults(self, faults: Faults) -> None:
        self.callouts.faults = faults

    def close(self) -> None:
        self.callouts.close()

    def error_answer(self, status: int) -> tuple[int, dict[str, str], bytes]:
        """Zuora's own answer for a 401, 429 or 5xx."""
        if status == 401:
            answer = unauthorized().answer
        elif status == 429:
            answer = too_many("minute", 60)
        else:
            answer = Answer(status, reasons(50000060, "An internal error occurred."))
        headers = {"Content-Type": answer.media, **answer.headers}
        return status, headers, answer.encoded()

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        request = read_request(environ)
        pieces: Iterable[bytes] | None = None
        if request.path.startswith(FILES):
            answer, pieces = self._file(request)
        else:
            answer = self._answer(request)
        body = answer.encoded() if pieces is None else b""
        headers = [("Content-Type", answer.media), *answer.headers.items()]
        if pieces is None:
            headers.append(("Content-Length", str(len(body))))
        headers += self._own_headers(request)
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [body] if pieces is None else pieces

    def _own_headers(self, request: Request) -> list[tuple[str, str]]:
        with self.lock:
            self._requests += 1
            headers = [("Zuora-Request-Id", f"{self._requests:032x}")]
        track = request.header("zuora-track-id")
        return [*headers, ("Zuora-Track-Id", track)] if track else headers

    def _file(self, request: Request) -> tuple[Answer, Iterable[bytes] | None]:
        try:
            with self.lock:
                return self.data_query.file(request)
        except Refusal as refusal:
            return refusal.answer, None

    def _answer(self, request: Request) -> Answer:
        if request.path == "/oauth/token":
            if request.method != "POST":
                return wrong_method(request.method).answer
            with self.lock:
                return self.access.token(request)
        headers: dict[str, str] = {}
        kind = self._concurrency.kind(request)
        try:
            if self._rates is not None:
                headers |= self._rates.take(self.clock.now())
            headers |= self._concurrency.enter(kind)
        except Refusal as refusal:
            return _with(refusal.answer, headers)
        try:
            return _with(self._once(request), headers)
        except Refusal as refusal:
            return _with(refusal.answer, headers)
        finally:
            self._concurrency.leave(kind)

    def _once(self, request: Request) -> Answer:
        with self.lock:
            self.access.check(request)
        track = request.header("zuora-track-id")
        if len(track) > 64 or set(track) & set(":;\"'"):
            raise refused("", 20, "Zuora-Track-Id is invalid.", 400)
        if request.path.startswith(self._forbidden) and self._forbidden:
            raise forbidden(request.path)
        key = request.header("idempotency-key")
        if not key:
            return self._act(request)
        if request.method not in ("POST", "PATCH"):
            return self._act(request)
        mark = (request.method, request.path, request.body)
        kept = self._replays.begin(key, mark, self.clock.now().timestamp())
        if kept is not None:
            return kept
        answer: Answer | None = None
        try:
            answer = self._act(request)
            if request.fails_with == 500:  # of Zuora's own making, so that is what it remembers
                answer = _failed(self.error_answer(500))
            return answer
        except Refusal as refusal:
            answer = refusal.answer
            raise
        finally:
            # Kept as it was answered: later changes of the state must not reach it.
            kept = Answer(answer.status, answer.encoded(), answer.headers, answer.media) if (
                answer
            ) else None  # fmt: skip
            self._replays.finish(key, kept)

    def _act(self, request: Request) -> Answer:
        with self.lock:
            try:
                return self._acted(request)
            except _MISREAD as problem:
                self.misread.append("".join(traceback.format_exception(problem)[-3:]))
                raise refused("", 20, "The request is invalid.", 400) from problem

    def _acted(self, request: Request) -> Answer:
        if request.path.startswith(ROOT + "/"):
            return self.object_query.answer(request)
        if request.path.rstrip("/") == "/query/jobs" or request.path.startswith("/query/jobs/"):
            return self.data_query.answer(request)
        return self._v1(request)

    def _carried_out(self, act: Callable[[Call], Any], call: Call) -> Any:
        """All of a call or nothing; what it has made happen is told afterwards."""
        self._happened.clear()
        with self.books.attempt():
            found = act(call)
        for name, record in self._happened:
            self.callouts.emit(name, record)
        return found

    def _v1(self, request: Request) -> Answer:
        act, keys, known = self._routes.find(request.method, request.path)
        if act is None:
            raise wrong_method(request.method) if known else no_such_path(request.path)
        if not self.tenant.settlement and SETTLED.match(request.path):
            raise refused("", 30, "This operation requires the Invoice Settlement feature.")
        call = Call(self.tenant, request, keys, _body(request))
        found = self._carried_out(act, call)
        if isinstance(found, Answer):
            return Answer(found.status, found.encoded(), found.headers, found.media)
        shown = found if "success" in found else {**found, "success": True}
        return Answer(200, Answer(200, shown).encoded())


def _failed(answer: tuple[int, dict[str, str], bytes]) -> Answer:
    status, headers, body = answer
    return Answer(status, body, {k: v for k, v in headers.items() if k != "Content-Type"})


def _with(answer: Answer, headers: dict[str, str]) -> Answer:
    return Answer(answer.status, answer.content, {**answer.headers, **headers}, answer.media)


def _body(request: Request) -> Body:
    if not request.body or request.method in ("GET", "DELETE"):
        return {}
    if "json" not in request.header("content-type"):
        raise refused("", 90, "Unsupported Media Type: send application/json", 415)
    try:
        sent = decode(request.body)
    except ValueError:
        raise refused("", 90, "The request body is not valid JSON.", 400) from None
    if not isinstance(sent, dict):
        raise refused("", 90, "The request body must be a JSON object.", 400)
    check_shape(sent)
    return sent
