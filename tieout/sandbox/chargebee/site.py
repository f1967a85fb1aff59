"""One Chargebee site: its objects, its clock, its counters, what happens by itself.

Every write goes through `save`, which stamps `updated_at` (seconds) and `resource_version`
(milliseconds, always growing). https://apidocs.chargebee.com/docs/api
"""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ..clock import SandboxClock
from .codec import decode, encode
from .errors import duplicate, not_found
from .kinds import KINDS, Kind
from .params import Rules
from .shelf import Object, Row, Shelf

Written = tuple[Shelf, str, Row | None, int | None]  # where, id, what was there, when visible
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
# What a loaded object may lack, and a change of it needs.
_DEFAULTS: dict[str, Object] = {
    "invoice": {
        "status": "payment_due", "total": 0, "amount_paid": 0, "amount_adjusted": 0,
        "credits_applied": 0, "write_off_amount": 0, "amount_due": 0, "currency_code": "USD",
        "line_items": [],
    },
    "credit_note": {
        "status": "refund_due", "type": "refundable", "total": 0, "amount_allocated": 0,
        "amount_refunded": 0, "amount_available": 0, "currency_code": "USD", "line_items": [],
    },
    "transaction": {
        "type": "payment", "status": "success", "gateway": "not_applicable", "amount": 0,
        "currency_code": "USD",
    },
    "customer": {"preferred_currency_code": "USD"},
    "item_price": {"item_type": "plan", "status": "active", "currency_code": "USD"},
}  # fmt: skip
_UNSTAMPED = frozenset({
    "event", "promotional_credit", "export", "contact", "time_machine", "card",
    "webhook_endpoint",
})  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """What a person would set in the site's settings, and how strict the stand-in is."""

    name: str
    catalog: int
    zone: ZoneInfo
    currency: str = "USD"
    rates: Mapping[str, Decimal] = field(default_factory=dict)  # to the base currency
    list_lag_seconds: int = 0
    rules: Rules = field(default_factory=Rules)
    test_site: bool = True
    lines_per_get: int = 300


@dataclass(frozen=True)
class Request:
    """What the request at hand said about the events it causes."""

    source: str = "api"
    webhooks: bool = True
    user: str | None = None


class Site:
    """All state. `lock` guards it; the application holds it while a request is carried out."""

    def __init__(self, clock: SandboxClock, seed: int, settings: Settings) -> None:
        self.clock, self.settings = clock, settings
        self.lock = threading.RLock()
        self.request = Request(source="scheduled_job")
        self.on_event: Callable[[Object, bool], Callable[[], None]] = lambda event, webhooks: _quiet
        self._written: list[Written] | None = None  # what the request at hand wrote so far
        self._unsent: list[Callable[[], None]] = []
        self._rng = random.Random(seed)
        self._shelves = {name: Shelf(kind) for name, kind in KINDS.items()}
        self._version = 0
        self._numbers = {"invoice": 1, "credit_note": 1}
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._order = 0
        self.refused_cards: set[str] = set()
        self.scheduled: dict[str, Object] = {}  # changes that wait for a subscription's term end

    # Time and ids

    def now(self) -> int:
        """Seconds since 1970, on the sandbox clock."""
        return self.clock.timestamp()

    def version(self) -> int:
        """A new `resource_version`."""
        now = int(self.clock.now().timestamp() * 1000)
        self._version = max(now, self._version + 1)
        return self._version

    def random_text(self, length: int) -> str:
        return "".join(self._rng.choices(_LETTERS, k=length))

    def new_id(self, prefix: str = "") -> str:
        """As Chargebee makes them: 16 letters and digits, some kinds with a prefix."""
        return prefix + self.random_text(16)

    def number(self, kind: str) -> str:
        """The next invoice number (`1`) or credit note number (`TEST-CN-1`)."""
        while True:
            at = self._numbers[kind]
            self._numbers[kind] = at + 1
            prefix = "TEST-CN-" if self.settings.test_site else "CN-"
            id = str(at) if kind == "invoice" else f"{prefix}{at}"
            if self.shelf(kind).get(id) is None:
                return id

    def fresh_id(self, kind: str, wanted: str | None, prefix: str = "", param: str = "id") -> str:
        """The id the caller chose, or a new one. Raises ApiError (400) when it is taken."""
        if wanted and self.shelf(kind).get(wanted) is not None:
            raise duplicate(param, wanted)
        return wanted or self.new_id(prefix)

    # Objects

    def shelf(self, kind: str) -> Shelf:
        return self._shelves[kind]

    def need(self, kind: str, id: str | None, *, param: str | None = None) -> Object:
        """A copy of the object, to be changed and saved. Raises ApiError (404)."""
        found = self.get(kind, id)
        if found is None or found.get("deleted") is True:
            raise not_found(str(id), param=param)
        return deepcopy(_DEFAULTS[kind]) | found if kind in _DEFAULTS else found

    def get(self, kind: str, id: str | None) -> Object | None:
        row = self.shelf(kind).get(id) if id else None
        return decode(row.raw) if row else None

    def save(self, kind: str, item: Object, *, key: str | None = None) -> Object:
        """Stamp and keep. Attributes that are None are left out, as Chargebee leaves them out."""
        if kind not in _UNSTAMPED:
            item["updated_at"] = self.now()
            item["resource_version"] = self.version()
        return self.store(kind, item, key=key)

    def store(self, kind: str, item: Object, *, key: str | None = None) -> Object:
        """Keep without a stamp: what changes unseen, such as a subscription's dues."""
        for name in [name for name, value in item.items() if value is None]:
            del item[name]
        item["object"] = kind
        lag = self.settings.list_lag_seconds * 1000
        now = int(self.clock.now().timestamp() * 1000)
        self._keep(kind, item, key or item["id"], now, visible=now + lag if lag else None)
        return item

    def forget(self, kind: str, id: str) -> None:
        """Remove an object of a kind that leaves no trace in lists."""
        lag = self.settings.list_lag_seconds * 1000
        now = int(self.clock.now().timestamp() * 1000)
        shelf = self.shelf(kind)
        self._note((shelf, id, shelf.drop(id), now + lag if lag else None))

    def load(self, objects: Iterable[tuple[str, Object]]) -> None:
        """Take over objects as they are. ValueError for a kind that Chargebee does not have."""
        for name, item in objects:
            if name not in KINDS:
                raise ValueError(f"Chargebee has no object {name!r}")
            kind = KINDS[name]
            created = item.get(kind.created) or item.get("created_at") or item.get("updated_at")
            id = _id_of(name, item)
            if not id:
                raise ValueError(f"a {name} without an id cannot be loaded")
            self._keep(name, item, id, int(created or 0) * 1000, visible=None)
            self._version = max(self._version, int(item.get("resource_version") or 0))

    def _keep(self, name: str, item: Object, id: str, created: int, visible: int | None) -> None:
        kind = KINDS[name]
        fields = {one: self._value(name, item, one) for one in kind.kept}
        kept = {name: value for name, value in fields.items() if value is not None}
        shelf = self.shelf(name)
        self._note((shelf, id, shelf.put(id, created, encode(item), kept), visible))

    # All or nothing

    @contextmanager
    def undivided(self) -> Iterator[None]:
        """What a refused request wrote before it was refused is taken back; no webhook tells."""
        written: list[Written] = []
        self._written = written
        try:
            yield
        except BaseException:
            for shelf, id, before, _ in reversed(written):
                shelf.reset(id, before)
            self._unsent.clear()
            raise
        finally:
            self._written = None
        for shelf, id, visible in {(one[0], one[1], one[3]): None for one in written}:
            shelf.announce(id, visible)
        unsent, self._unsent = self._unsent, []
        for send in unsent:
            send()

    def _note(self, written: Written) -> None:
        if self._written is not None:
            self._written.append(written)
            return
        shelf, id, _, visible = written
        shelf.announce(id, visible)

    def _value(self, kind: str, item: Object, name: str) -> Any:
        """What lists filter and sort by; a tuple where one of several may match."""
        if kind == "subscription" and name in ("item_price_id", "item_id"):
            ids = [one.get("item_price_id") for one in item.get("subscription_items") or ()]
            if name == "item_id":
                rows = [self.shelf("item_price").get(one) for one in ids]
                ids = [row.fields.get("item_id") for row in rows if row is not None]
            return tuple(ids) or None
        if "." in name:
            outer, _, inner = name.partition(".")
            nested = item.get(outer)
            return nested.get(inner) if isinstance(nested, dict) else None
        return item.get(name)

    def publish(self, kind: Kind) -> Shelf:
        """The shelf, with what lists may see by now."""
        shelf = self.shelf(kind.name)
        shelf.publish(int(self.clock.now().timestamp() * 1000))
        return shelf

    # What happens by itself

    def later(self, due: int, act: Callable[[], None]) -> None:
        """Do this once the clock shows `due` (seconds)."""
        self._order += 1
        heapq.heappush(self._due, (due, self._order, act))

    def catch_up(self) -> None:
        """Do what became due, in its order; `request` says that nobody asked for it."""
        now = self.now()
        asked, self.request = self.request, Request(source="scheduled_job")
        try:
            while self._due and self._due[0][0] <= now:
                heapq.heappop(self._due)[2]()
        finally:
            self.request = asked

    # Events

    def tell(self, type: str, **content: Object | None) -> None:
        """Record an event about these objects, as they are now."""
        event = {
            "id": self.new_id("ev_"),
            "occurred_at": self.now(),
            "source": self.request.source,
            "user": self.request.user,
            "object": "event",
            "api_version": "v2",
            "content": {name: one for name, one in content.items() if one is not None},
            "event_type": type,
            "webhook_status": "not_configured",
        }
        send = self.on_event(event, self.request.webhooks)
        self.save("event", event)
        if self._written is None:
            send()
        else:
            self._unsent.append(send)


def _quiet() -> None:
    """No webhook goes out."""


def _id_of(name: str, item: Object) -> str | None:
    key = {"site_migration_detail": "entity_id", "time_machine": "name", "card": "customer_id",
           "estimate": "created_at", "resource_migration": "entity_id"}.get(name, "id")  # fmt: skip
    found = item.get(key)
    return None if found is None else str(found)
