"""Which URLs events are sent to, and what became of each delivery.

https://apidocs.chargebee.com/docs/api/webhook_endpoints
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .codec import encode
from .errors import resource_limit
from .routes import Answered, Call, Route, take
from .shelf import Object
from .site import Site
from .webhooks import Courier, Endpoint

_MOST = 5
_TAKES = (
    "name url api_version:v1/v2 primary_url:b disabled:b basic_auth_password basic_auth_username "
    "send_card_resource:b chargebee_response_schema_type:plans_addons/items/compat "
    "enabled_events:l"
)
_SHOWN = (
    "name url api_version primary_url disabled send_card_resource "
    "chargebee_response_schema_type enabled_events"
)
_WORST = ("failed", "re_scheduled", "scheduled", "succeeded")


class Outbox:
    """Sends each event to the endpoints that want it."""

    def __init__(self, site: Site, courier: Courier) -> None:
        self._site, self._courier = site, courier
        self.endpoints: list[Endpoint] = []

    def prepare(self, event: Object, webhooks: bool) -> Callable[[], None]:
        """Mark the event with its webhooks; what sends them. `webhooks` False: none are."""
        wanted = [one for one in self.endpoints if one.takes(event["event_type"])]
        if not self.endpoints:
            return lambda: None
        state = "scheduled" if webhooks else "disabled"
        event["webhook_status"] = state if wanted else "not_applicable"
        event["webhooks"] = [
            {"id": one.id, "webhook_status": state, "object": "webhook"} for one in wanted
        ]
        body = encode({name: value for name, value in event.items() if value is not None})

        def send() -> None:
            for one in wanted if webhooks else ():
                self._courier.send(event["id"], one, body)

        return send

    def settled(self, event_id: str, endpoint_id: str, status: str) -> None:
        """Note what became of a delivery."""
        with self._site.lock:
            event = self._site.get("event", event_id)
            if event is None:
                return
            for one in event.get("webhooks") or []:
                if one["id"] == endpoint_id:
                    one["webhook_status"] = status
            states = {one["webhook_status"] for one in event.get("webhooks") or []}
            event["webhook_status"] = next((one for one in _WORST if one in states), status)
            self._site.store("event", event)

    # Endpoints that clients register

    def routes(self) -> Iterator[Route]:
        needed = _TAKES.replace("name url", "name! url!", 1)
        yield Route("POST", "webhook_endpoints", self._create, needed)
        yield Route("POST", "webhook_endpoints/{}", self._update, _TAKES)
        yield Route("POST", "webhook_endpoints/{}/delete", self._delete)

    def _create(self, call: Call) -> Answered:
        if len(self._site.shelf("webhook_endpoint")) >= _MOST:
            raise resource_limit(f"A site has at most {_MOST} webhook endpoints.")
        made: Object = {
            "id": self._site.new_id("whv2_"),
            "api_version": "v2",
            "primary_url": False,
            "disabled": False,
            "send_card_resource": False,
            "enabled_events": ["all_events"],
        }
        return self._keep(call, made, ("", ""))

    def _update(self, call: Call) -> Answered:
        login = next(
            ((one.user, one.password) for one in self.endpoints if one.id == call.id), ("", "")
        )
        return self._keep(call, self._site.need("webhook_endpoint", call.id), login)

    def _keep(self, call: Call, item: Object, login: tuple[str, str]) -> Answered:
        take(item, call, _SHOWN)
        user = call.get("basic_auth_username", login[0])
        password = call.get("basic_auth_password", login[1])
        self._drop(item["id"])
        if not item["disabled"]:
            types = frozenset("*" if one == "all_events" else one for one in item["enabled_events"])
            self.endpoints.append(Endpoint(item["id"], item["url"], user, password, types))
        return {"webhook_endpoint": self._site.save("webhook_endpoint", item)}

    def _delete(self, call: Call) -> Answered:
        item = self._site.need("webhook_endpoint", call.id)
        self._drop(call.id)
        self._site.forget("webhook_endpoint", call.id)
        return {"webhook_endpoint": item}

    def _drop(self, id: str) -> None:
        self.endpoints = [one for one in self.endpoints if one.id != id]
