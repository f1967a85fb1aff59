"""One Stripe account's state: every object, the events about them, what is due later."""

from __future__ import annotations

import heapq
import random
import string
import threading
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any

from ..clock import SandboxClock
from .codec import decode, embedded, encode
from .errors import missing
from .kinds import INNER, KINDS, Inner, fields_of, kind_of
from .shelf import Ask, Row, Shelf

Object = dict[str, Any]
API_VERSION = "2026-10-28.endive"
_LETTERS = string.ascii_letters + string.digits
_EMBEDDED = 10  # elements of a nested list that come with its parent
_MOST_LATER = 1_000_000


class Account:
    """All state. Whoever calls holds `lock`; nothing here takes it."""

    def __init__(self, clock: SandboxClock, seed: int, *, country: str = "US") -> None:
        self.clock = clock
        self.lock = threading.RLock()
        self.chance = random.Random(seed)
        self.country = country
        self.currency = "usd"
        self.id = self.new_id("account", random_length=16)
        self.name = "Sandbox"
        self.opened = clock.timestamp()
        self.on_event: Callable[[str, Object, bytes], None] = lambda id, event, raw: None
        self.when_paid: Callable[[Object], None] = lambda intent: None
        self.when_invoice_paid: Callable[[Object], None] = lambda invoice: None
        self.request: tuple[str | None, str | None] = (None, None)  # id, idempotency key
        self.search_lag_seconds = 60
        self.payout_of: dict[str, str] = {}  # balance transaction -> payout
        self.transactions_of: dict[str, list[str]] = {}  # payout -> balance transactions
        self.numbers: dict[str, int] = {}  # customer -> invoices numbered so far
        self.used_numbers: set[str] = set()
        self.defaults: dict[str, Object] = {}  # kind -> fields that every such object has
        self._shelves: dict[str, Shelf] = {}
        self._kind_of_id: dict[str, str] = {}
        self._arrivals = 0
        self._later: list[tuple[int, int, Callable[[], None]]] = []
        self._moment: int | None = None

    # Time and ids

    def now(self) -> int:
        """Seconds since 1970; while something due earlier is caught up with, its own moment."""
        return self.clock.timestamp() if self._moment is None else self._moment

    def later(self, at: int, action: Callable[[], None]) -> None:
        """Do `action` once the clock has reached `at`."""
        self._arrivals += 1
        heapq.heappush(self._later, (at, self._arrivals, action))

    def catch_up(self) -> None:
        """Do what became due while nobody asked, each at its own moment, oldest first."""
        if self._moment is not None:
            return
        now, done = self.clock.timestamp(), 0
        request, self.request = self.request, (None, None)
        try:
            while self._later and self._later[0][0] <= now and done < _MOST_LATER:
                self._moment, _, action = heapq.heappop(self._later)
                action()
                done += 1
        finally:
            self._moment, self.request = None, request

    def random_text(self, length: int) -> str:
        return "".join(self.chance.choices(_LETTERS, k=length))

    def new_id(self, kind: str, *, random_length: int | None = None) -> str:
        known = kind_of(kind)
        return known.prefix + self.random_text(random_length or known.random)

    # Objects

    def shelf(self, kind: str) -> Shelf:
        shelf = self._shelves.get(kind)
        if shelf is None:
            shelf = self._shelves[kind] = Shelf(frozenset(kind_of(kind).filters))
        return shelf

    def find(self, kind: str, id: str) -> Object | None:
        """The object, or None. One that was deleted counts as none."""
        row = self.shelf(kind).get(id)
        if row is None:
            return None
        item = decode(row.raw)
        return None if item.get("deleted") else item

    def need(self, kind: str, id: str, *, param: str = "") -> Object:
        """The object; 404 without `param`, else a 400 that blames that parameter."""
        item = self.find(kind, id)
        if item is None:
            noun = kind_of(kind).noun or kind
            raise missing(noun, id, param=param or "id", status=400 if param else 404)
        for name, value in self.defaults.get(kind, {}).items():
            if name not in item:  # loaded in an older or shortened shape
                item[name] = deepcopy(value)
        return item

    def kind_of_id(self, id: str) -> str | None:
        return self._kind_of_id.get(id)

    def all(self, kind: str, **equal: Any) -> Iterator[Object]:
        """Objects with these filter values, newest first."""
        for row in self.shelf(kind).newest(equal):
            yield decode(row.raw)

    def in_order(self, kind: str, **equal: Any) -> list[Object]:
        """The elements of a nested list, in their order."""
        return list(self.all(kind, **equal))

    def save(
        self,
        kind: str,
        item: Object,
        event: str | None = None,
        *,
        hidden: Object | None = None,
        fields: Object | None = None,
    ) -> Object:
        """Keep a new or changed object, and tell of it with an event of that type.

        `hidden` is served on request only; `fields` are found by, though not in the object.
        """
        self._fill_inner(kind, item)
        before = self.shelf(kind).get(item["id"])
        raw = encode(item)
        if before is not None and before.raw == raw and hidden is None:
            return item
        row = self._row(kind, item, raw, before)
        if hidden is not None:
            row.hidden = {**row.hidden, **hidden}
        row.fields |= fields or {}
        row.prior = self.searchable(before) if before is not None else None
        row.changed_at = self.now()
        self.shelf(kind).put(row)
        self._kind_of_id.setdefault(row.id, kind)
        if event is not None:
            previous = None
            if before is not None and event.endswith("updated"):
                previous = difference(decode(before.raw), decode(raw))
            self.emit(event, raw, previous)
        return item

    def searchable(self, row: Row) -> bytes | None:
        """The version of an object that the search index has by now."""
        visible = row.changed_at + self.search_lag_seconds <= self.now()
        return row.raw if visible or not row.changed_at else row.prior

    def drop(self, kind: str, id: str) -> None:
        """Forget an object altogether."""
        self.shelf(kind).remove(id)

    def tombstone(self, kind: str, id: str) -> Object:
        """Replace an object by its `deleted` stub, which is found by id only."""
        stub = {"id": id, "object": kind, "deleted": True}
        row = self._row(kind, stub, encode(stub), self.shelf(kind).get(id))
        self.shelf(kind).put(row, listed=False)
        return stub

    def load(self, kind: str, item: Object) -> None:
        """Take over an object as it is: no event, no defaults, served back unchanged."""
        id = item.get("id")
        if not isinstance(id, str):
            id = kind if kind == "balance" else self.new_id(kind)
        raw = encode(item)
        row = self._row(kind, {**item, "id": id}, raw, self.shelf(kind).get(id))
        self.shelf(kind).put(row, listed=not item.get("deleted"))
        self._kind_of_id.setdefault(id, kind)
        for inner in INNER.get(kind, ()):
            self._load_inner(inner, id, item.get(inner.field))
        if kind == "invoice" and isinstance(item.get("number"), str):
            self.used_numbers.add(item["number"])

    def _load_inner(self, inner: Inner, parent: str, held: Any) -> None:
        elements = held.get("data") if isinstance(held, dict) else None
        for element in elements if isinstance(elements, list) else ():
            if not isinstance(element, dict) or not isinstance(element.get("id"), str):
                continue
            if self.shelf(inner.kind).get(element["id"]) is None:
                row = self._row(inner.kind, element, encode(element), None)
                row.fields[inner.parent] = parent
                self.shelf(inner.kind).put(row)
                self._kind_of_id.setdefault(row.id, inner.kind)

    def _row(self, kind: str, item: Object, raw: bytes, before: Row | None) -> Row:
        known = kind_of(kind)
        if before is not None:
            arrival = before.key[1]
        else:
            self._arrivals += 1
            # Lists run newest first; elements of a parent keep their order by counting down.
            arrival = -self._arrivals if known.in_order else self._arrivals
        created = item.get("created", item.get("date"))
        moment = 0 if known.in_order or not isinstance(created, int) else created
        fields = fields_of(known, item)
        row = Row(item["id"], (moment, arrival), raw, fields)
        if before is not None:
            row.hidden = before.hidden
            for name in known.filters:
                if name not in fields and name in before.fields and name not in item:
                    fields[name] = before.fields[name]
        return row

    def _fill_inner(self, kind: str, item: Object) -> None:
        for inner in INNER.get(kind, ()):
            if inner.field not in item:
                continue  # served on request only
            ask = Ask(limit=_EMBEDDED, equal={inner.parent: item["id"]})
            rows, more = self.shelf(inner.kind).page(ask)
            held = item[inner.field]
            held["data"] = [decode(row.raw) for row in rows]
            held["has_more"] = more

    # Events

    def emit(self, type: str, snapshot: bytes, previous: Object | None = None) -> None:
        """Write an event with a frozen picture of the object, and hand it to the webhooks."""
        data: Object = {"object": embedded(snapshot)}
        if previous is not None:
            data["previous_attributes"] = previous
        request_id, key = self.request
        event: Object = {
            "id": self.new_id("event"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now(),
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": {"id": request_id, "idempotency_key": key},
            "type": type,
        }
        raw = encode(event)
        self.shelf("event").put(self._row("event", event, raw, None))
        self._kind_of_id[event["id"]] = "event"
        self.on_event(event["id"], event, raw)

    def emit_about(self, type: str, item: Object) -> None:
        """An event about an object as it stands."""
        self.emit(type, encode(item))

    def rewrite_event(self, id: str, pending: int) -> None:
        """Note how many endpoints still wait for an event."""
        row = self.shelf("event").get(id)
        if row is not None:
            event = decode(row.raw)
            event["pending_webhooks"] = pending
            row.raw = encode(event)


def difference(old: Object, new: Object) -> Object:
    """The old values of what changed; of a hash only the changed parts, of a list all."""
    changed: Object = {}
    for name in [*old, *(name for name in new if name not in old)]:
        before, after = old.get(name), new.get(name)
        if before == after and type(before) is type(after):
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            changed[name] = difference(before, after)
        else:
            changed[name] = before
    return changed


def load_all(account: Account, objects: Iterable[tuple[str, Object]]) -> None:
    """Load many; a kind of which Stripe has only one copy replaces it."""
    for kind, item in objects:
        if kind not in KINDS and not isinstance(item, dict):
            raise ValueError(f"{kind}: not an object")
        account.load(kind, item)
