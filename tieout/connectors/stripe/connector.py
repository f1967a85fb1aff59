"""The Stripe connector: what it can do, and how each call is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from math import ceil
from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from tieout.core.errors import AuthError, ConfigError, InvalidRecord, NotFound
from tieout.core.ports import HttpAnswer, Ports
from tieout.rest import Pace, Request, RestClient, bearer, dig, segment

from ..base import Account, Can, Connector, Evidence, Page, Raw, Settings, Touched, Window
from . import webhook, writing
from .changes import KEPT_SECONDS, OVERLAP_SECONDS, changes
from .complete import Completer
from .errors import explain, judge, missing_permission
from .finding import find
from .kinds import CHARGES, INTENTS, KINDS, Kind
from .listing import head_of, walk
from .proving import prove
from .resume import Resume
from .usage import usage

API_VERSION = "2026-10-28.endive"
CHANGES_A_PAGE = 25  # every changed record costs a call of its own

# Of what Stripe allows a second (100 live, 25 in a sandbox, 25 an endpoint, 20 for search) 92 %,
# which with the burst stays within it in any second. Of a live account's 100 only 80: the shop's
# own calls must never be refused because of ours. https://docs.stripe.com/rate-limits
_LIVE, _TEST, _ENDPOINT, _SEARCH = 80.0, 23.0, 23.0, 18.4
_BURST_SECONDS = 0.08


class StripeConfig(Settings):
    """`systems.<name>` of type stripe.

    webhook_secret    one, or several while an endpoint's secret is being rolled.
    account           the connected account to act for (Connect).
    calls_per_second  by default 80 for a live key, 23 in a sandbox.
    endpoint_calls_per_second  of one endpoint (a list and a read are two); by default 23.
    prove_by_list     full pulls read every id a second time: proven, at twice the calls.
    """

    api_key: SecretStr
    webhook_secret: SecretStr | tuple[SecretStr, ...] = ()
    base_url: str = "https://api.stripe.com"
    account: str | None = Field(default=None, pattern=r"^acct_\w+$")
    api_version: str = Field(default=API_VERSION, pattern=r"^\d{4}-\d\d-\d\d(\.\w+)?$")
    calls_per_second: float | None = Field(default=None, gt=0, le=1000)
    endpoint_calls_per_second: float | None = Field(default=None, gt=0, le=1000)
    prove_by_list: bool = False

    @field_validator("api_key")
    @classmethod
    def _is_secret_key(cls, key: SecretStr) -> SecretStr:
        if key.get_secret_value().startswith(("pk_", "whsec_")):
            raise ValueError("needs a secret (sk_...) or restricted (rk_...) key")
        return key


class Stripe(Connector):
    """Stripe's REST API. https://docs.stripe.com/api

    Records are the API's own objects and bytes, with these exceptions:

        any           an embedded list of more than ten is complete (the record re-encoded)
        customer      `tax_ids` expanded
        price         `tiers` expanded
        subscription  discounts expanded, each `source.coupon` an object
        payment       a PaymentIntent with `latest_charge.balance_transaction` expanded, or a
                      charge without PaymentIntent; both with `tieout_invoice_payments`
        refund        with `tieout_credit_note`, the id of the credit note that names it, if any
        payout        reconciled automatic ones with `tieout_balance_transactions`
        contract      a subscription schedule with its phases' prices expanded
        usage         a meter's summary of a customer's day, with `tieout_usage`
    """

    name: ClassVar[str] = "stripe"
    can: ClassVar[Mapping[str, Can]] = {entity: kind.can for entity, kind in KINDS.items()}
    Config: ClassVar[type[Settings]] = StripeConfig

    def __init__(self, settings: StripeConfig, ports: Ports, *, where: str = "") -> None:
        key = settings.api_key.get_secret_value().strip()
        secrets = settings.webhook_secret
        secrets = secrets if isinstance(secrets, tuple) else (secrets,)
        self._where, self._ports, self._account = where, ports, settings.account
        self._whole_proofs = settings.prove_by_list
        self._begun: dict[str, str] = {}  # our key -> the invoice that was left half made
        self._hook_secrets = [text for s in secrets if (text := s.get_secret_value().strip())]
        self.live = True if "_live_" in key else False if "_test_" in key else None
        headers = {"Stripe-Version": settings.api_version}
        if settings.account:
            headers["Stripe-Account"] = settings.account
        self._rest = RestClient(
            settings.base_url,
            ports=ports,
            auth=bearer(key),
            pace=_pace(settings, ports, live=self.live is True),
            explain=explain,
            judge=judge,
            lane=lane,
            headers=headers,
            where=where,
            secrets=tuple(self._hook_secrets),
        )

    def check(self) -> Account:
        """The account, and what a restricted key may not read (which may be /v1/account itself)."""
        try:
            told = self._rest.send(Request("GET", "/v1/account", attempts=3))
        except AuthError as error:
            if "answered 403" not in error.message:
                raise
            told = {}
            self._rest.send(Request("GET", "/v1/balance", attempts=3))
        name = (
            dig(told, "settings.dashboard.display_name")
            or dig(told, "business_profile.name")
            or dig(told, "email")
            or self._account
            or "a Stripe account"
        )
        return Account(
            str(name), str(told.get("id") or self._account or ""), self.live, self._missing()
        )

    def pull(
        self, entity: str, *, since: datetime | None = None, resume: str = ""
    ) -> Iterator[Page]:
        """Everything, newest first, or what changed since, oldest change first.

        A `since` of more than 28 days ago reads everything: older events are gone.
        """
        kind = self._kind(entity)
        oldest = self._now() - KEPT_SECONDS
        start = Resume.read(resume, where=self._where) if resume else None
        if kind.entity == "usage":
            begin = Resume("all", since=int(since.timestamp()) if since else 0)
            return self._usage(start or begin)
        if start is None and since is not None:
            start = Resume("events", since=int(since.timestamp()) - OVERLAP_SECONDS)
        if start is None or (start.phase == "events" and start.since < oldest):
            start = Resume("all", bound=self._now())
        return self._changed(kind, start) if start.phase == "events" else self._all(kind, start)

    def get(self, entity: str, id: str) -> bytes | None:
        kind = self._able(entity, Can.GET)
        return self._get(kind, id, Completer(self._rest, kind, whole=False))

    def find(self, entity: str, key: str) -> bytes | None:
        kind = self._able(entity, Can.FIND)
        id = find(self._rest, kind, key, now=self._now())
        record = self.get(entity, id) if id else None
        if id and record is not None and writing.half_made(entity, record):
            self._begun[key] = id  # Stripe may have forgotten the keys of its steps by now
            return None
        return record

    def create(self, entity: str, record: Raw, *, key: str) -> bytes:
        kind = self._able(entity, Can.CREATE)
        begun = self._begun.pop(key, None)
        made = writing.create(self._rest, kind, record, key, now=self._now(), begun=begun)
        return Completer(self._rest, kind, whole=False).record(made)

    def update(self, entity: str, id: str, record: Raw, *, key: str) -> bytes:
        kind = self._able(entity, Can.UPDATE)
        made = writing.update(self._rest, kind, id, record, key)
        return Completer(self._rest, kind, whole=False).record(made)

    def archive(self, entity: str, id: str, *, key: str) -> bytes | None:
        """Products and prices become inactive; an open invoice is voided."""
        kind = self._able(entity, Can.ARCHIVE)
        made = writing.archive(self._rest, kind, id, key)
        return Completer(self._rest, kind, whole=False).record(made)

    def prove(self, entity: str, window: Window) -> Iterator[Evidence]:
        kind = self._able(entity, Can.PROVE)
        whole = self._whole_proofs
        return prove(self._rest, kind, window, account=self._account, whole=whole)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> list[Touched]:
        """https://docs.stripe.com/webhooks : only which records to read again is taken from it."""
        header, now = webhook.header_of(headers), self._ports.now().timestamp()
        webhook.verify(header, body, self._hook_secrets, now, where=self._where)
        return webhook.read(body, account=self._account, live=self.live, where=self._where)

    def _usage(self, start: Resume) -> Iterator[Page]:
        if start.phase != "end":
            yield from usage(self._rest, start, now=self._now())

    def _all(self, kind: Kind, start: Resume) -> Iterator[Page]:
        completer = Completer(self._rest, kind, whole=True)
        if start.phase == "all":
            yield from self._crawl(kind, kind.path, start, completer)
            start = Resume("also", bound=start.bound)
        if kind.also and start.phase == "also":
            yield from self._crawl(kind, kind.also, start, completer)

    def _crawl(self, kind: Kind, path: str, start: Resume, completer: Completer) -> Iterator[Page]:
        """One collection as it was at the start: what is created meanwhile has its events."""
        asked = Request("GET", path, (*kind.params, ("created[lte]", start.bound)))
        expand = ("balance_transaction",) if path == CHARGES else kind.expand
        asked = asked.with_params({"expand[]": [f"data.{field}" for field in expand]})
        for listing in walk(self._rest, asked, start.place):
            records = listing.records
            if path == CHARGES:
                records = [record for record in records if not _has_intent(record)]
            after = replace(start, place=listing.place)
            if not listing.has_more:
                more = kind.also and start.phase == "all"
                after = Resume("also" if more else "end", bound=start.bound)
            yield Page(completer.page(records, listing.nested_more), after.text())

    def _changed(self, kind: Kind, start: Resume) -> Iterator[Page]:
        """Every record with an event since, as it is now."""
        found = changes(self._rest, kind, since=start.since, account=self._account)
        completer = Completer(self._rest, kind, whole=False)
        for first in range(0, len(found), CHANGES_A_PAGE):
            part = found[first : first + CHANGES_A_PAGE]
            now = [(change.id, self._get(kind, change.id, completer)) for change in part]
            yield Page(
                [record for _, record in now if record is not None],
                Resume("events", since=part[-1].at).text(),
                tuple(id for id, record in now if record is None),
            )

    def _get(self, kind: Kind, id: str, completer: Completer) -> bytes | None:
        path, expand = kind.path, kind.expand
        if path == INTENTS and not id.startswith("pi_"):
            path, expand = CHARGES, ("balance_transaction",)
        asked = Request("GET", f"{path}/{segment(id)}", {"expand[]": list(expand)})
        try:
            record = self._rest.read(asked, _whole_object)
        except NotFound:
            return None
        head = head_of(record)
        if head.deleted is True:
            return None
        if path == CHARGES and isinstance(head.payment_intent, str):
            return self._get(kind, head.payment_intent, completer)
        return completer.record(record)

    def _missing(self) -> tuple[str, ...]:
        """What this key may not read, entity by entity."""
        problems = []
        paths = [(kind.entity, path) for kind in KINDS.values() for path in _paths(kind)]
        for entity, path in [*paths, ("the event feed", "/v1/events")]:
            try:
                self._rest.send(Request("GET", path, {"limit": 1}, attempts=3))
            except AuthError as error:
                named = missing_permission(error.message)
                problems.append(f"the key may not read {entity} ({named or path})")
        return tuple(problems)

    def _kind(self, entity: str) -> Kind:
        if entity not in KINDS:
            raise ConfigError(
                f"stripe has no {entity}", where=self._where, hint="it has: " + ", ".join(KINDS)
            )
        return KINDS[entity]

    def _able(self, entity: str, can: Can) -> Kind:
        kind = self._kind(entity)
        if can not in kind.can:
            raise InvalidRecord(f"stripe: {can.name} is not possible for {entity}")
        return kind

    def _now(self) -> int:
        return int(self._ports.now().astimezone(UTC).timestamp())


def lane(request: Request) -> str:
    """Stripe limits each endpoint: a list and the reading of one object are two of them."""
    parts = request.path.partition("?")[0].strip("/").split("/")
    if parts[-1] == "search":
        return "search"
    return " ".join([request.method, *("*" if i == 2 else part for i, part in enumerate(parts))])


def _pace(settings: StripeConfig, ports: Ports, *, live: bool) -> Pace:
    rate = settings.calls_per_second or (_LIVE if live else _TEST)
    return Pace(
        rate,
        max(1, ceil(rate * _BURST_SECONDS)),
        ports=ports,
        credential=_credential(settings),
        lanes={"search": min(rate, _SEARCH)},
        each_lane=min(rate, settings.endpoint_calls_per_second or _ENDPOINT),
    )


def _credential(settings: StripeConfig) -> str:
    """A name for the key that does not give it away: a few digits of its hash."""
    key = settings.api_key.get_secret_value().strip()
    digest = sha256(key.encode()).hexdigest()[:12]
    return ":".join(["stripe", *filter(None, [settings.account]), digest])


def _paths(kind: Kind) -> tuple[str, ...]:
    return (kind.path, kind.also) if kind.also else (kind.path,)


def _whole_object(answer: HttpAnswer) -> bytes:
    head_of(answer.body)  # ValueError where the body is torn or is no record
    return answer.body


def _has_intent(charge: bytes) -> bool:
    try:
        return bool(head_of(charge).payment_intent)
    except ValueError:
        return False
