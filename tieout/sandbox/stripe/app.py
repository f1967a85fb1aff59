"""The Stripe stand-in as a WSGI application: who may ask, what was asked, what is answered.

https://docs.stripe.com/api
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import traceback
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from ..clock import SandboxClock
from ..faults import Faults
from ..routing import Table
from . import (
    billing,
    catalog,
    charges,
    credit_notes,
    customers,
    discounts,
    elsewhere,
    endpoints,
    intents,
    invoice_items,
    invoices,
    ledger,
    meters,
    payment_methods,
    refunds,
    renewals,
    subscriptions,
)
from .account import API_VERSION, Account, Object, load_all
from .codec import decode, encode
from .errors import ApiError, api_failure, bad_request, rate_limited, wrong_key
from .expand import expand
from .form import decode as decode_form
from .limits import Limits
from .params import check
from .replay import Answer, Replays
from .routes import Call, Route, reading_routes
from .webhooks import Courier, Endpoint

_REASONS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required",
    403: "Forbidden", 404: "Not Found", 409: "Conflict", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
}  # fmt: skip
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z_]+)?(; .*)?\Z")
_OWN_ROUTES: tuple[list[Route], ...] = (
    customers.ROUTES, payment_methods.ROUTES, catalog.ROUTES, discounts.ROUTES,
    subscriptions.ROUTES, billing.ROUTES, invoice_items.ROUTES, intents.ROUTES, charges.ROUTES,
    refunds.ROUTES, credit_notes.ROUTES, ledger.ROUTES, meters.ROUTES, elsewhere.ROUTES,
)  # fmt: skip


class StripeStandIn:
    """One Stripe sandbox account. Thread-safe; see `server.serve`.

    `limits=True` enforces the 25 requests a second of a sandbox account, on `clock`.
    `automatic_payouts=True` pays the available balance out daily as `clock` moves.
    """

    name = "stripe"

    def __init__(
        self,
        clock: SandboxClock,
        seed: int = 1,
        api_key: str | None = None,
        webhook_secret: str | None = None,
        *,
        limits: bool = False,
        automatic_payouts: bool = False,
        search_lag_seconds: int = 60,
    ) -> None:
        self.clock = clock
        self.account = Account(clock, seed)
        self.account.search_lag_seconds = search_lag_seconds
        self._key = api_key or "sk_test_" + self.account.random_text(32)
        self._secret = webhook_secret or "whsec_" + self.account.random_text(32)
        self._limits = Limits() if limits else None
        self._replays = Replays()
        self._courier = Courier(clock, self._settled)
        self._outbox = endpoints.Outbox(self.account, self._courier)
        self._table = Table(self._routes())
        self.account.defaults = _defaults(self.account)
        self.account.on_event = self._outbox.dispatch
        self.account.when_paid = lambda intent: invoices.settle(self.account, intent)
        self.account.when_invoice_paid = lambda item: renewals.invoice_paid(self.account, item)
        if automatic_payouts:
            self.account.later(clock.timestamp(), lambda: ledger.pay_out_daily(self.account))

    def _routes(self) -> list[Route]:
        own = [route for routes in _OWN_ROUTES for route in routes]
        own += endpoints.routes(self._outbox)
        taken = {(route.method, route.path) for route in own}
        # A kind's generic list or retrieve gives way to one with rules of its own.
        return own + [one for one in reading_routes() if (one.method, one.path) not in taken]

    # For whoever runs it

    def credentials(self) -> dict[str, str]:
        return {"api_key": self._key, "webhook_secret": self._secret}

    def load(self, objects: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Take over (Stripe's `object` value, object as the API serves it). No events."""
        with self.account.lock:
            load_all(self.account, objects)

    def assign_payout(self, payout: str, transactions: Iterable[str]) -> None:
        """Say which loaded balance transactions a loaded automatic payout paid out."""
        with self.account.lock:
            ledger.assign(self.account, payout, list(transactions))

    def send_webhooks_to(self, url: str, types: Iterable[str] = ("*",)) -> None:
        """Deliver events to `url`, signed with the configured webhook secret."""
        with self.account.lock:
            id = f"we_configured_{len(self._outbox.fixed)}"
            self._outbox.fixed.append(Endpoint(id, url, self._secret, frozenset(types)))

    def wait_for_webhooks(self, timeout_seconds: float = 10.0) -> bool:
        """True once all deliveries that are due now were tried."""
        return self._courier.idle(timeout_seconds)

    def catch_up(self) -> None:
        """Do what became due (renewals, settlements, payouts) without waiting for a request."""
        with self.account.lock:
            self.account.catch_up()

    def use_faults(self, faults: Faults) -> None:
        self._courier.faults = faults

    def close(self) -> None:
        self._courier.close()

    def error_answer(self, status: int) -> tuple[int, dict[str, str], bytes]:
        if status == 429:
            error = rate_limited("endpoint-concurrency")
        elif status == 401:
            error = wrong_key(self._key)
        else:
            error = api_failure(status)
        with self.account.lock:
            request_id = "req_" + self.account.random_text(14)
        headers = {"Content-Type": "application/json", "Request-Id": request_id}
        return status, {**headers, **error.headers}, encode(error.body)

    def _settled(self, event: str, endpoint: str, delivered: bool) -> None:
        self._outbox.settled(event, endpoint, delivered)

    # Requests

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with self.account.lock:
            request_id = "req_" + self.account.random_text(14)
        headers = {"Content-Type": "application/json", "Request-Id": request_id}
        try:
            answer = self._answer(environ, request_id, headers)
        except ApiError as refusal:
            answer = _refused(refusal)
        except Exception:
            # A fault of the stand-in's own: say so where it runs, and answer as Stripe would.
            traceback.print_exc(file=environ["wsgi.errors"])
            answer = _refused(api_failure(500))
        headers.update(answer.headers)
        headers["Content-Length"] = str(len(answer.body))
        status = f"{answer.status} {_REASONS.get(answer.status, 'Error')}"
        start_response(status, list(headers.items()))
        return [answer.body]

    def _answer(self, environ: dict[str, Any], request_id: str, headers: dict[str, str]) -> Answer:
        self._authenticate(environ.get("HTTP_AUTHORIZATION", ""))
        version = environ.get("HTTP_STRIPE_VERSION")
        if version is not None and not _VERSION.match(version):
            raise bad_request(f"Invalid Stripe API version: {version}")
        headers["Stripe-Version"] = version or API_VERSION
        method = environ["REQUEST_METHOD"]
        path = _path(environ)
        found = self._table.find(method, path.split("/"))
        if found is None:
            raise ApiError(404, f"Unrecognized request URL ({method}: {path}).")
        route, ids = found
        if self._limits is not None:
            self._limits.take(f"{method} {route.path}", self.clock.now())
        sent = _parameters(environ)
        call = Call(self.account, path, ids, sent, version)
        key = environ.get("HTTP_IDEMPOTENCY_KEY") if method == "POST" else None
        if key is None:
            return self._carry_out(route, call, request_id, None)[0]
        headers["Idempotency-Key"] = key
        return self._once(key, route, call, request_id, environ.get("sandbox.answers"))

    def _once(
        self, key: str, route: Route, call: Call, request_id: str, instead: int | None
    ) -> Answer:
        """Carry out a keyed request, or give the first answer again."""
        fingerprint = encode([route.method, call.path, call.params])
        kept = self._replays.begin(key, fingerprint, self.clock.timestamp())
        if kept is not None:
            return Answer(kept.status, (*kept.headers, ("Idempotent-Replayed", "true")), kept.body)
        answer: Answer | None = None
        executed = False
        try:
            answer, executed = self._carry_out(route, call, request_id, key)
            if instead is not None and executed:
                answer = _refused(api_failure(instead))
            original = (("Original-Request", request_id),)
            answer = Answer(answer.status, answer.headers + original, answer.body)
            return answer
        finally:
            self._replays.finish(key, answer if executed else None)

    def _carry_out(
        self, route: Route, call: Call, request_id: str, key: str | None
    ) -> tuple[Answer, bool]:
        """The answer, and whether the endpoint began to execute."""
        account = self.account
        with account.lock:
            account.catch_up()
            account.request = (request_id, key)
            try:
                call.params = check(call.params, route.spec)
                wanted = call.params.pop("expand", None) or []
                body = route.act(call)
                if wanted:
                    body = expand(account, _as_object(body), wanted)
                raw = body if isinstance(body, bytes) else encode(body)
                return Answer(200, (), raw), True
            except ApiError as refusal:
                return _refused(refusal), not refusal.validation
            finally:
                account.request = (None, None)

    def _authenticate(self, header: str) -> None:
        scheme, _, rest = header.partition(" ")
        key = rest.strip()
        if scheme.lower() == "basic":
            try:
                key = base64.b64decode(key).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                key = ""
        if not header or not key or scheme.lower() not in ("bearer", "basic"):
            raise ApiError(
                401,
                "No API key was given; send it as 'Authorization: Bearer <key>'.",
                headers={"WWW-Authenticate": 'Bearer realm="Stripe"'},
            )
        if not hmac.compare_digest(key.encode(), self._key.encode()):
            raise wrong_key(key)


def _defaults(account: Account) -> dict[str, Object]:
    """What each object has when nothing else is said, without what makes it this one."""
    nobody = customers.customer(account)
    made = {
        "customer": nobody,
        "invoice": invoices.new(account, nobody, account.currency),
        "payment_intent": intents.new(account, 0, account.currency, None),
        "charge": charges.blank(account, 0, account.currency, {"id": None}),
        "subscription": subscriptions.blank(
            account, nobody, account.currency, "charge_automatically"
        ),
    }
    own = {"id", "object", "created", "customer", "currency", "invoice_prefix", "client_secret",
           "parent", "deleted", "lines", "items"}  # fmt: skip
    return {
        kind: {name: value for name, value in item.items() if name not in own}
        for kind, item in made.items()
    }


def _path(environ: dict[str, Any]) -> str:
    """As it was sent: an id may hold an escaped slash, which must not split it."""
    raw = str(environ.get("REQUEST_URI") or environ["PATH_INFO"]).partition("?")[0]
    parts = [unquote(part) for part in raw.rstrip("/").split("/")]
    return "/".join(part.replace("/", "%2F") for part in parts)


def _parameters(environ: dict[str, Any]) -> Object:
    sent = decode_form(environ["QUERY_STRING"])
    body = environ["wsgi.input"].read()
    if not body:
        return sent
    type_ = environ.get("CONTENT_TYPE", "")
    if type_ and not type_.startswith("application/x-www-form-urlencoded"):
        raise bad_request(
            "Invalid request: the content type must be application/x-www-form-urlencoded."
        )
    return {**sent, **decode_form(body.decode("utf-8", "replace"))}


def _as_object(body: Object | bytes) -> Object:
    return decode(body) if isinstance(body, bytes) else body


def _refused(refusal: ApiError) -> Answer:
    return Answer(refusal.status, tuple(refusal.headers.items()), encode(refusal.body))
