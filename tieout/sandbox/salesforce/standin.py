"""The Salesforce stand-in: one org, its state, and the services around it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from ..clock import SandboxClock
from ..faults import Faults
from .access import (
    INTROSPECT_PATH,
    REVOKE_PATH,
    SOAP_LOGIN,
    TOKEN_PATH,
    USERINFO_PATH,
    Access,
    make_app,
    soap_login,
)
from .backstage import Backstage
from .batches import Collections
from .bulk import Bulk
from .bulk_load import Loader
from .bulk_one import PREFIX as BULK_ONE
from .bulk_one import BulkOne
from .cells import printer, stamp
from .composite import Composite
from .errors import Refusal, over_the_limit, session_invalid, unexpected
from .factory import RATES, factory_set
from .fields import SObject, read_fields
from .ids import IdMaker, to_18
from .jobs import Jobs
from .objects import (
    custom_object,
    default_custom_fields,
    default_custom_objects,
    standard_objects,
)
from .outbound import MOST_IN_ONE, Courier, Notice, Parcel, Subscription
from .querying import Queries
from .quota import Quota
from .records import Records
from .rest import Rest, versions
from .rules_orders import ContractRules, OrderItemRules, OrderRules
from .rules_prices import PricebookEntryRules, ProductRules
from .rules_sales import AccountRules, OpportunityLineRules, OpportunityRules, PersonRules
from .saving import Org, Rules
from .searching import Search
from .store import Store
from .taking import filler
from .wire import Answer, Request, read_request

LOGIN = "https://login.salesforce.com"
TEST_LOGIN = "https://test.salesforce.com"

_RULES: dict[str, Rules] = {
    "Account": AccountRules(),
    "Contact": PersonRules(),
    "Lead": PersonRules(),
    "User": PersonRules(),
    "Opportunity": OpportunityRules(),
    "OpportunityLineItem": OpportunityLineRules(),
    "Contract": ContractRules(),
    "Order": OrderRules(),
    "OrderItem": OrderItemRules(),
    "Product2": ProductRules(),
    "PricebookEntry": PricebookEntryRules(),
}
_LONGEST_URI = 16_384
_REPORTED = (
    "Account",
    "Contact",
    "Opportunity",
    "Product2",
    "PricebookEntry",
    "Contract",
    "Order",
)


class SalesforceStandIn(Backstage):
    """A stateful org. Thread safe: one lock around the state.

    `custom_fields` adds fields to objects, `custom_objects` whole objects, both as lines that
    `fields.read_fields` understands; None gives TieOut's own (`standard.TIEOUT_FIELDS`,
    `TIEOUT_OBJECTS`). `limits` False never refuses for a limit. `bulk_polls` is how often a Bulk
    job is asked about until it is complete, `bulk_seconds` how long it takes by the clock.
    `state_codes`: addresses have state and country codes, as where those are picklists.
    """

    name = "salesforce"

    def __init__(
        self,
        clock: SandboxClock,
        seed: int = 1,
        *,
        multi_currency: bool = True,
        currency: str = "USD",
        currencies: Iterable[str] = tuple(RATES),
        daily_limit: int = 100_000,
        daily_query_jobs: int = 10_000,
        daily_batches: int = 15_000,
        limits: bool = True,
        per_app_usage: bool = False,
        session_seconds: int = 7200,
        rotate_refresh_tokens: bool = False,
        sandbox_org: bool = False,
        state_codes: bool = False,
        page_size: int = 2000,
        bulk_polls: int = 3,
        bulk_seconds: int = 30,
        timezone: str = "UTC",
        private_key: str = "",
        custom_fields: Mapping[str, str] | None = None,
        custom_objects: Mapping[str, str] | None = None,
    ) -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.rng = random.Random(f"salesforce {seed}")
        self.currency = currency
        self._multi, self._per_app = multi_currency, per_app_usage
        self._state_codes = state_codes
        self._codes = list(dict.fromkeys([currency, *currencies]))
        self.ids = IdMaker()
        organization, user = self.ids.make("00D"), self.ids.make("005")
        self.app = make_app(self.rng, organization, user, private_key)
        audience = TEST_LOGIN if sandbox_org else LOGIN
        self.access = Access(
            self.app, clock, self.rng, session_seconds, audience, rotate_refresh_tokens
        )
        self.quota = Quota(clock, daily_limit, daily_query_jobs, daily_batches, limits)
        self.store = Store(self._schema(custom_fields, custom_objects), self.ids)
        self.org = Org(self.store, clock, user, _RULES, multi_currency)
        self.queries = Queries(self.store, clock, self.rng, ZoneInfo(timezone), page_size)
        self.records = Records(self.org, self.queries, clock.now())
        self.jobs = Jobs(clock, self.ids, user, bulk_polls, bulk_seconds)
        self.rest = self._services()
        collections = self.rest.composite.collections
        self.bulk_one = BulkOne(
            self.access,
            self.org,
            self.queries,
            collections,
            self.quota,
            clock,
            self.ids,
            bulk_polls,
        )
        self.courier = Courier(clock, organization, LOGIN, self._shown_fields)
        self._subscriptions: list[Subscription] = []
        self._late: list[tuple[datetime, str, Callable[[], None]]] = []
        self._fill = filler(self.store, user, lambda: stamp(clock.now()), currency)
        self._emptied = clock.now()
        self._furnish()

    def _schema(
        self, fields: Mapping[str, str] | None, objects: Mapping[str, str] | None
    ) -> dict[str, SObject]:
        made = standard_objects(self._multi, self.currency, self._codes, self._state_codes)
        for name, text in (default_custom_fields() if fields is None else fields).items():
            if name not in made:
                raise ValueError(f"there is no object {name!r} to add fields to")
            made[name].fields |= read_fields(text)
            made[name].index()
        own = default_custom_objects() if objects is None else objects
        for number, (name, text) in enumerate(own.items()):
            made[name] = custom_object(
                name, f"a{number:02d}", text, self._multi, self.currency, self._codes
            )
        return made

    def _custom(self, name: str, prefix: str, text: str = "") -> SObject:
        return custom_object(name, prefix, text, self._multi, self.currency, self._codes)

    def _services(self) -> Rest:
        collections = Collections(self.org, self.records)
        loader = Loader(self.org, collections, self.rng)
        bulk = Bulk(self.org, self.queries, self.jobs, self.quota, loader)
        composite = Composite(self.org, collections, lambda request: self.rest.run(request))
        search = Search(self.org, self.queries)
        return Rest(self.records, self.queries, bulk, self.quota, composite, search)

    def _furnish(self) -> None:
        self._load(
            factory_set(
                self.app,
                self.ids,
                self.currency,
                self._codes,
                multi_currency=self._multi,
                now=stamp(self.clock.now()),
            )
        )

    def credentials(self) -> dict[str, str]:
        """Named as in config.yaml; the refresh token is `refresh_token`."""
        app = self.app
        return {
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "username": app.username,
            "private_key": app.private_key,
            "organization_id": app.organization_id,
            "webhook_token": app.webhook_token,
        }

    @property
    def refresh_token(self) -> str:
        """The one that is good now; where tokens rotate, each use brings another."""
        return self.app.refresh_token

    def load(self, objects: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Take over (object name, record as the API serves it), as it is, by its Id.

        Fields that the catalog doesn't have become fields; so do custom objects. Raises
        ValueError for an unknown standard object or a record without Id.
        """
        with self.lock:
            self._load(objects)

    def _load(self, objects: Iterable[tuple[str, dict[str, Any]]]) -> None:
        self.store.load((self._known(name, body) for name, body in objects), self._fill)

    def _known(self, name: str, body: dict[str, Any]) -> tuple[SObject, dict[str, Any]]:
        type, id = self.store.find(name), body.get("Id")
        if type is None and id and name.endswith("__c"):
            type = self._custom(name, id[:3])
            self.store.add_object(type)
        if type is None or not id:
            known = ", ".join(sorted(self.store.objects))
            raise ValueError(f"cannot load a {name!r} without Id or type; known: {known}")
        if type.name in ("Pricebook2", "Organization"):
            self._replace_factory_made(type, body)
        if not self._multi and "CurrencyIsoCode" in body:
            body = {key: value for key, value in body.items() if key != "CurrencyIsoCode"}
        return type, body if len(id) == 18 else body | {"Id": to_18(id)}

    def _replace_factory_made(self, type: SObject, body: dict[str, Any]) -> None:
        """An org has one standard price book, and one Organization record."""
        if type.name == "Organization":
            self.store.db.execute("DELETE FROM Organization")
        elif body.get("IsStandard") is True:
            self.store.db.execute("DELETE FROM Pricebook2 WHERE IsStandard = 1")

    def send_webhooks_to(
        self, url: str, types: Iterable[str] = _REPORTED, fields: Iterable[str] = ("Id",)
    ) -> None:
        """Post an Outbound Message to `url` for each record that is created or changed."""
        with self.lock:
            carried = tuple(dict.fromkeys(["Id", *fields]))
            for type in types:
                name = self.org.type(type).name
                self._subscriptions.append(Subscription(name, url, carried, self.ids.make("04k")))

    def wait_for_webhooks(self, timeout_seconds: float = 10.0) -> bool:
        """Until nothing waits to be sent at once; False when that took too long."""
        return self.courier.idle(timeout_seconds)

    def use_faults(self, faults: Faults) -> None:
        self.courier.faults = faults

    def close(self) -> None:
        self.courier.close()
        with self.lock:
            self.jobs.close()
            self.bulk_one.close()
            self.store.close()

    def error_answer(self, status: int) -> tuple[int, dict[str, str], bytes]:
        """A 401 and a 500 come from the API, the others from what stands in front of it."""
        if status == 401:
            answer = session_invalid().answer
        elif status in (429, 420, 406):
            return status, {"Content-Length": "0"}, b""
        elif status in (502, 503, 504):
            page = f"<html><head><title>{status} Service Unavailable</title></head></html>"
            return status, {"Content-Type": "text/html"}, page.encode()
        elif status >= 500:
            answer = unexpected("1268478456-21364 (-1571234567)", status)
        else:
            answer = Refusal("UNKNOWN_EXCEPTION", HTTPStatus(status).description).answer
        body = answer.encoded()
        return status, {"Content-Type": answer.media}, body

    def wsgi(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        request = read_request(environ)
        with self.lock:
            self._catch_up()
            too_long = len(str(environ.get("REQUEST_URI") or "")) > _LONGEST_URI
            answer = Answer(414) if too_long else self._answer(request)
            self._report()
        body = answer.encoded()
        headers = [("Date", _http_date(self.clock.now())), *answer.headers.items()]
        if body:
            headers.append(("Content-Type", answer.media))
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
        return [body]

    def _answer(self, request: Request) -> Answer:
        path = request.path.rstrip("/")
        if path == TOKEN_PATH:
            return self.access.token(request)
        if path == REVOKE_PATH:
            return self.access.revoke(request)
        if path == INTROSPECT_PATH:
            return self.access.introspect(request)
        if path in (USERINFO_PATH, f"/id/{self.app.organization_id}/{self.app.user_id}"):
            return self.access.user(request)
        if path.startswith(SOAP_LOGIN):
            return soap_login(request)
        if path == "/services/data":
            return Answer(200, versions())
        if path.startswith(BULK_ONE):
            return self.bulk_one.answer(request)
        try:
            self.access.check_header(request)
        except Refusal as refusal:
            return refusal.answer
        if self.quota.calls.exhausted:
            answer = over_the_limit().answer
        else:
            self.quota.calls.take()
            allowed = request.header("sforce-duplicate-rule-header").replace(" ", "").lower()
            self.org.may_duplicate = "allowsave=true" in allowed
            answer = self.rest.run(request)
        answer.headers["Sforce-Limit-Info"] = self.quota.header(self._per_app)
        return answer

    def _report(self) -> None:
        """Queue an Outbound Message for what this request touched."""
        touched, self.org.touched = self.org.touched, []
        if not self._subscriptions or not touched:
            return
        now = self.clock.timestamp()
        for one in self._subscriptions:
            records = dict.fromkeys(id for type, id in touched if type.name == one.type)
            notices = [Notice(self.ids.make("04l"), id, now) for id in records]
            for start in range(0, len(notices), MOST_IN_ONE):
                self.courier.send(Parcel(one, notices[start : start + MOST_IN_ONE]))

    def _shown_fields(self, one: Subscription, record: str) -> list[tuple[str, str]]:
        """The subscribed fields as they are now; a deleted record shows its id only."""
        with self.lock:
            type = self.store.objects[one.type]
            names = [field.name for name in one.fields if (field := type.find(name))]
            columns = ", ".join(f'"{name}"' for name in names)
            row = self.store.db.execute(
                f'SELECT {columns} FROM "{type.name}" WHERE Id = ? AND _deleted IS NULL',
                (record,),
            ).fetchone()
        if row is None:
            return [("Id", record)]
        return [
            (name, printer(type.fields[name])(cell))
            for name, cell in zip(names, row, strict=True)
            if cell is not None
        ]


def _http_date(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
