"""Webhook endpoints and the event feed. https://docs.stripe.com/api/events"""

from __future__ import annotations

from typing import Any

from .account import Account, Object
from .codec import decode, encode
from .errors import bad_request, missing
from .listing import page
from .params import PAGING
from .routes import Call, Route, merge_metadata, take
from .shelf import Row
from .webhooks import Courier, Endpoint

_VISIBLE_SECONDS = 30 * 86_400
_MOST_TYPES = 20
_MOST_ENDPOINTS = 16


class Outbox:
    """Hands events to the endpoints and keeps count of who still waits for which."""

    def __init__(self, account: Account, courier: Courier) -> None:
        self._account, self._courier = account, courier
        self.fixed: list[Endpoint] = []  # configured from outside, not through the API
        self.waiting: dict[str, set[str]] = {}  # event -> endpoints that have not taken it
        self.secrets: dict[str, str] = {}
        self._registered: list[Endpoint] = []
        self.versions: dict[str, str] = {}

    def dispatch(self, id: str, event: Object, raw: bytes) -> None:
        """Queue one delivery per endpoint that wants this type."""
        takers = [one for one in (*self._registered, *self.fixed) if one.takes(event["type"])]
        if not takers:
            return
        self.waiting[id] = {one.id for one in takers}
        self._account.rewrite_event(id, len(takers))
        for one in takers:
            body = decode(raw)
            body |= {"pending_webhooks": len(takers)}
            if one.id in self.versions:
                body["api_version"] = self.versions[one.id]
            self._courier.send(id, one, encode(body))

    def settled(self, event: str, endpoint: str, delivered: bool) -> None:
        """Called from the courier's thread."""
        with self._account.lock:
            waiting = self.waiting.get(event)
            if waiting is None or not delivered:
                return
            waiting.discard(endpoint)
            self._account.rewrite_event(event, len(waiting))
            if not waiting:
                del self.waiting[event]

    def refresh(self) -> None:
        """Read the registered endpoints again after one was made, changed or deleted."""
        self._registered = [
            Endpoint(item["id"], item["url"], self.secrets.get(item["id"], ""),
                     frozenset(item["enabled_events"]))
            for item in self._account.all("webhook_endpoint")
            if item.get("status") == "enabled" and item["id"] in self.secrets
        ]  # fmt: skip


def _create(outbox: Outbox, call: Call) -> Object:
    account = call.account
    if len(account.shelf("webhook_endpoint")) >= _MOST_ENDPOINTS:
        raise bad_request(f"You have reached the maximum of {_MOST_ENDPOINTS} webhook endpoints.")
    _check_url(call.params["url"])
    item: Object = {
        "id": account.new_id("webhook_endpoint"),
        "object": "webhook_endpoint",
        "api_version": call.get("api_version"),
        "application": None,
        "created": account.now(),
        "description": call.get("description"),
        "enabled_events": call.params["enabled_events"],
        "livemode": False,
        "metadata": {},
        "status": "enabled",
        "url": call.params["url"],
    }
    merge_metadata(item, call)
    secret = "whsec_" + account.random_text(32)
    outbox.secrets[item["id"]] = secret
    if item["api_version"]:
        outbox.versions[item["id"]] = item["api_version"]
    account.save("webhook_endpoint", item)
    outbox.refresh()
    return {**item, "secret": secret}


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise bad_request("Invalid URL: An explicit scheme (such as https) must be provided.",
                          code="url_invalid", param="url")  # fmt: skip


def _update(outbox: Outbox, call: Call) -> Object:
    item = call.account.need("webhook_endpoint", call.id)
    take(item, call, "description enabled_events url")
    _check_url(item["url"])
    if "disabled" in call.params:
        item["status"] = "disabled" if call.params["disabled"] else "enabled"
    merge_metadata(item, call)
    call.account.save("webhook_endpoint", item)
    outbox.refresh()
    return item


def _delete(outbox: Outbox, call: Call) -> Object:
    call.account.need("webhook_endpoint", call.id)
    call.account.drop("webhook_endpoint", call.id)
    outbox.refresh()
    return {"id": call.id, "object": "webhook_endpoint", "deleted": True}


def _events(outbox: Outbox, call: Call) -> bytes:
    account, types = call.account, call.get("types")
    if types is not None and "type" in call.params:
        raise bad_request("You may not specify both type and types.", param="types")
    if types is not None and len(types) > _MOST_TYPES:
        raise bad_request(f"You may specify up to {_MOST_TYPES} event types.", param="types")
    wanted = set(types) if types is not None else None
    delivered = call.get("delivery_success")
    oldest = account.now() - _VISIBLE_SECONDS

    def only(row: Row) -> bool:
        if wanted is not None and row.fields.get("type") not in wanted:
            return False
        return delivered is None or (row.id not in outbox.waiting) is delivered

    params: dict[str, Any] = {**call.params}
    created = dict(params.pop("created", None) or {})
    created["gte"] = max(created.get("gte", oldest), oldest)
    exact = params.get("type")
    if exact is not None and exact.endswith(".*"):
        # A trailing * stands for every type of that family.
        del params["type"]
        family = exact[:-1]
        inner = only
        only = lambda row: str(row.fields.get("type")).startswith(family) and inner(row)  # noqa: E731
    return page(account, "event", params, url="/v1/events", only=only, created=created)


def _event(call: Call) -> Object:
    item = call.account.need("event", call.id)
    if item["created"] < call.account.now() - _VISIBLE_SECONDS:
        raise missing("event", call.id)
    return item


def routes(outbox: Outbox) -> list[Route]:
    """These need the outbox, so they are made for one stand-in."""
    base = "/v1/webhook_endpoints"
    return [
        Route("POST", base, lambda call: _create(outbox, call), """api_version connect:b
              description? enabled_events!:l metadata?:m url! expand:l"""),
        Route("POST", base + "/{}", lambda call: _update(outbox, call),
              "description? disabled:b enabled_events:l metadata?:m url expand:l"),
        Route("DELETE", base + "/{}", lambda call: _delete(outbox, call), ""),
        Route("GET", "/v1/events", lambda call: _events(outbox, call),
              PAGING + " created:r delivery_success:b type types:l"),
        Route("GET", "/v1/events/{}", _event, "expand:l"),
    ]  # fmt: skip
