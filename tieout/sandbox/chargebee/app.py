"""The Chargebee stand-in as a WSGI application: who may ask, what was asked, what is answered.

https://apidocs.chargebee.com/docs/api
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import traceback
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from ..clock import SandboxClock
from ..faults import Faults
from ..routing import Table
from . import (
    catalog as catalogue,
)
from . import (
    collecting,
    comments,
    credit_notes,
    customers,
    disputes,
    extras,
    importing,
    invoices,
    payments,
    refunds,
    subscribing,
    subscriptions,
)
from .codec import encode
from .errors import (
    ApiError,
    failure,
    no_such_path,
    no_such_site,
    not_enabled,
    rate_limited,
    read_only,
    site_read_only,
    wrong_key,
)
from .exports import Exports
from .form import decode
from .hooks import Outbox
from .limits import Limits
from .params import Rules, check
from .replay import Answer, Replays
from .routes import Call, Route, reading_routes
from .shelf import Object
from .site import Request, Settings, Site
from .webhooks import Courier, Endpoint

_BASE = "/api/v2/"
_REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 409: "Conflict", 422: "Unprocessable Entity",
    429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway",
    503: "Service Unavailable",
}  # fmt: skip
_JSON = (("Content-Type", "application/json;charset=utf-8"),)


class ChargebeeStandIn:
    """One Chargebee site. Thread-safe; see `server.serve`.

    `catalog` is the site's product catalog, 1 or 2; `timezone` its time zone. `limits=True`
    refuses more than `calls_per_minute` requests in a minute of `clock`. Lists show a write only
    after `list_lag_seconds` (Chargebee promises at most 300). `custom_fields` are the `cf_*`
    fields that the site has; None takes any. `unknown_parameters` is "refuse" or "ignore".
    """

    name = "chargebee"

    def __init__(
        self,
        clock: SandboxClock,
        seed: int = 1,
        *,
        site: str = "acme-test",
        catalog: int = 2,
        timezone: str = "UTC",
        limits: bool = True,
        calls_per_minute: int = 150,
        list_lag_seconds: int = 0,
        currency: str = "USD",
        exchange_rates: Mapping[str, Decimal] | None = None,
        custom_fields: Iterable[str] | None = None,
        unknown_parameters: str = "refuse",
        lines_per_get: int = 300,
    ) -> None:
        if catalog not in (1, 2):
            raise ValueError("a Chargebee site has product catalog 1 or 2")
        if not 0 <= list_lag_seconds <= 300:
            raise ValueError("Chargebee's lists lag by at most 300 seconds")
        if unknown_parameters not in ("refuse", "ignore"):
            raise ValueError("unknown_parameters is 'refuse' or 'ignore'")
        self.clock = clock
        fields = None if custom_fields is None else frozenset(custom_fields)
        settings = Settings(
            name=site,
            catalog=catalog,
            zone=ZoneInfo(timezone),
            currency=currency,
            rates=dict(exchange_rates or {}),
            list_lag_seconds=list_lag_seconds,
            rules=Rules(fields, unknown_parameters == "refuse"),
            test_site=site.endswith("-test"),
            lines_per_get=lines_per_get,
        )
        self.site = Site(clock, seed, settings)
        self._key = f"test_{self.site.random_text(32)}"
        self.maintenance = False  # while True, the site can be read, not written
        self.read_only_key = f"test_{self.site.random_text(32)}"
        self._hook_user = "chargebee"
        self._hook_password = self.site.random_text(24)
        self._limits = Limits(calls_per_minute) if limits else None
        self._replays = Replays()
        self._courier = Courier(clock, self._settled)
        self._outbox = Outbox(self.site, self._courier)
        self.site.on_event = self._outbox.prepare
        self._exports = Exports(self.site)
        self._table = Table(self._routes())

    def _routes(self) -> list[Route]:
        own = [
            *customers.ROUTES, *catalogue.ROUTES, *subscriptions.ROUTES, *invoices.ROUTES,
            *subscribing.ROUTES, *importing.ROUTES, *refunds.ROUTES, *collecting.ROUTES,
            *credit_notes.ROUTES, *payments.ROUTES, *extras.ROUTES, *comments.ROUTES,
            *self._exports.routes(), *self._outbox.routes(),
            Route("GET", "configurations", self._configurations),
            Route("GET", "currencies/list", self._currencies, "limit:i offset"),
        ]  # fmt: skip
        taken = {(route.method, route.path) for route in own}
        # A kind's generic list or retrieve gives way to one with rules of its own.
        return own + [one for one in reading_routes() if (one.method, one.path) not in taken]

    # For whoever runs it

    def credentials(self) -> dict[str, str]:
        return {
            "site": self.site.settings.name,
            "api_key": self._key,
            "webhook_user": self._hook_user,
            "webhook_password": self._hook_password,
        }

    def load(self, objects: Iterable[tuple[str, Object]]) -> None:
        """Take over (object's kind, object as the API serves it). No events."""
        with self.site.lock:
            self.site.load(objects)

    def send_webhooks_to(self, url: str, types: Iterable[str] = ("*",)) -> None:
        """Deliver events to `url`, with the configured user and password."""
        with self.site.lock:
            id = f"whv2_configured_{len(self._outbox.endpoints)}"
            self._outbox.endpoints.append(
                Endpoint(id, url, self._hook_user, self._hook_password, frozenset(types))
            )

    def open_dispute(
        self,
        transaction: str,
        amount: int | None = None,
        *,
        reason: str = "fraudulent",
        type: str = "chargeback",
    ) -> str:
        """The bank disputes a payment; the dispute's id. A chargeback takes the money away."""
        with self.site.lock:
            return disputes.open_dispute(self.site, transaction, amount, reason, type)

    def end_dispute(self, id: str, status: str) -> None:
        """`won` gives the money back; `lost` and `cancelled` only say so."""
        with self.site.lock:
            disputes.end_dispute(self.site, id, status)

    def wait_for_webhooks(self, timeout_seconds: float = 10.0) -> bool:
        """True once all deliveries that are due now were tried."""
        return self._courier.idle(timeout_seconds)

    def catch_up(self) -> None:
        """Do what became due (renewals, retries of payments) without waiting for a request."""
        with self.site.lock:
            self.site.catch_up()

    def use_faults(self, faults: Faults) -> None:
        self._courier.faults = faults

    def close(self) -> None:
        self._courier.close()

    def error_answer(self, status: int) -> tuple[int, dict[str, str], bytes]:
        if status == 429:
            error = rate_limited(None)
        elif status == 401:
            error = wrong_key()
        else:
            error = failure(status)
        return status, {**dict(_JSON), **error.headers}, encode(error.body)

    def _settled(self, event: str, endpoint: str, status: str) -> None:
        self._outbox.settled(event, endpoint, status)

    # What the site says of itself

    def _configurations(self, call: Call) -> Object:
        settings = call.site.settings
        version = f"v{settings.catalog}"
        schema = "items" if settings.catalog == 2 else "plans_addons"
        return {
            "configurations": [
                {
                    "domain": settings.name,
                    "product_catalog_version": version,
                    "chargebee_response_schema_type": schema,
                    "object": "configuration",
                }
            ]
        }

    def _currencies(self, call: Call) -> Object:
        settings = call.site.settings
        codes = [settings.currency, *(one for one in settings.rates if one != settings.currency)]
        return {"list": [{"currency": comments.currency(call.site, code)} for code in codes]}

    # Requests

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except ApiError as refusal:
            answer = _refused(refusal)
        except Exception:
            # A fault of the stand-in's own: say so where it runs, and answer as Chargebee would.
            traceback.print_exc(file=environ["wsgi.errors"])
            answer = _refused(failure(500))
        headers = [*answer.headers, ("Content-Length", str(len(answer.body)))]
        start_response(f"{answer.status} {_REASONS.get(answer.status, 'Error')}", headers)
        return [answer.body]

    def _answer(self, environ: dict[str, Any]) -> Answer:
        method, parts = environ["REQUEST_METHOD"], _path(environ)
        self._exports.address = f"http://{environ.get('HTTP_HOST', '127.0.0.1')}"
        if method == "GET" and len(parts) == 2 and parts[0] == "downloads":
            with self.site.lock:
                body = self._exports.file(parts[1])
            return Answer(200, (("Content-Type", "application/zip"),), body)
        if parts[:2] != ["api", "v2"]:
            raise no_such_path()
        self._check_host(environ.get("HTTP_HOST", ""))
        login = self._authenticate(environ.get("HTTP_AUTHORIZATION", ""))
        if method == "POST" and login == self.read_only_key:
            raise read_only()
        if method == "POST" and self.maintenance:
            raise site_read_only()
        if self._limits is not None:
            self._limits.take(self.site.now())
        parts = parts[2:]
        found = self._table.find(method, parts)
        if found is None:
            raise self._unknown(method, parts)
        route, ids = found
        if route.catalog not in (0, self.site.settings.catalog):
            raise not_enabled()
        call = Call(self.site, ids, _parameters(environ))
        request = _request(environ)
        key = environ.get("HTTP_CHARGEBEE_IDEMPOTENCY_KEY") if method == "POST" else None
        if key is None:
            return self._carry_out(route, call, request)[0]
        return self._once(key, route, call, request, environ.get("sandbox.answers"))

    def _unknown(self, method: str, parts: list[str]) -> ApiError:
        other = "GET" if method == "POST" else "POST"
        if self._table.find(other, parts) is None:
            return no_such_path()
        message = f"The HTTP method {method} is not allowed for this URL."
        return ApiError(405, "http_method_not_supported", message)

    def _once(
        self, key: str, route: Route, call: Call, request: Request, instead: int | None
    ) -> Answer:
        """Carry out a keyed request, or give the first answer again."""
        fingerprint = encode([route.path, call.ids, repr(call.params)])
        kept = self._replays.begin(key, fingerprint, self.site.now())
        if kept is not None:
            replayed = ("chargebee-idempotency-replayed", "true")
            return Answer(kept.status, (*kept.headers, replayed), kept.body)
        answer: Answer | None = None
        executed = False
        try:
            answer, executed = self._carry_out(route, call, request)
            if instead is not None and executed:
                answer = _refused(failure(instead))
            return answer
        finally:
            self._replays.finish(key, answer if executed else None)

    def _carry_out(self, route: Route, call: Call, request: Request) -> tuple[Answer, bool]:
        """The answer, and whether something was done."""
        site = self.site
        with site.lock:
            site.catch_up()
            site.request = request
            try:
                if route.takes is not None:
                    call.params = check(call.params, route.takes, site.settings.rules, route.path)
                with site.undivided():
                    body = route.act(call)
                raw = body if isinstance(body, bytes) else encode(body)
                return Answer(200, _JSON, raw), True
            except ApiError as refusal:
                return _refused(refusal), False
            finally:
                site.request = Request(source="scheduled_job")

    def _authenticate(self, header: str) -> str:
        scheme, _, rest = header.partition(" ")
        try:
            login = base64.b64decode(rest.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            login = ""
        key = login.partition(":")[0]
        known = any(
            hmac.compare_digest(key.encode(), one.encode())
            for one in (self._key, self.read_only_key)
        )
        if scheme.lower() != "basic" or not known:
            raise wrong_key()
        return key

    def _check_host(self, host: str) -> None:
        """`<site>.localhost` and `<site>.chargebee.com` name a site; an address names none."""
        site, _, domain = host.partition(":")[0].partition(".")
        if domain in ("localhost", "chargebee.com") and site != self.site.settings.name:
            raise no_such_site(site)


def _request(environ: dict[str, Any]) -> Request:
    off = {environ.get(f"HTTP_CHARGEBEE_EVENT_{name}") for name in ("WEBHOOK", "ACTIONS")}
    user = environ.get("HTTP_CHARGEBEE_REQUEST_ORIGIN_USER")
    return Request("api", "all-disabled" not in off, user)


def _path(environ: dict[str, Any]) -> list[str]:
    """The parts as they were sent: an id may hold an escaped slash, which must not split it."""
    raw = str(environ.get("REQUEST_URI") or environ["PATH_INFO"]).partition("?")[0]
    raw = re.sub(r"\Ahttps?://[^/]*", "", raw)
    return [unquote(part) for part in raw.strip("/").split("/")]


def _parameters(environ: dict[str, Any]) -> Object:
    if environ["REQUEST_METHOD"] != "POST":
        return decode(environ["QUERY_STRING"])
    body = environ["wsgi.input"].read()
    type_ = environ.get("CONTENT_TYPE", "")
    if body and type_ and not type_.startswith("application/x-www-form-urlencoded"):
        raise ApiError(
            400, "invalid_request", "The content type must be application/x-www-form-urlencoded."
        )
    return {**decode(environ["QUERY_STRING"]), **decode(body.decode("utf-8", "replace"))}


def _refused(refusal: ApiError) -> Answer:
    headers = (*_JSON, *refusal.headers.items())
    return Answer(refusal.status, headers, encode(refusal.body))
