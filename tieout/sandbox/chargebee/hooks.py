"""Which URLs events are sent to, and what became of each delivery.

https://apidocs.chargebee.com/docs/api/webhook_endpoints
"""

from __future__ import annotations

from .codec import encode
from .shelf import Object
from .site import Site
from .webhooks import Courier, Endpoint

_WORST = ("failed", "re_scheduled", "scheduled", "succeeded")


class Outbox:
    """Sends each event to the endpoints that want it."""

    def __init__(self, site: Site, courier: Courier) -> None:
        self._site, self._courier = site, courier
        self.endpoints: list[Endpoint] = []

    def dispatch(self, event: Object, webhooks: bool) -> None:
        """Mark the event with its webhooks and send it. `webhooks` False: the request said no."""
        wanted = [one for one in self.endpoints if one.takes(event["event_type"])]
        if not self.endpoints:
            return
        state = "scheduled" if webhooks else "disabled"
        event["webhook_status"] = state if wanted else "not_applicable"
        event["webhooks"] = [
            {"id": one.id, "webhook_status": state, "object": "webhook"} for one in wanted
        ]
        body = encode({name: value for name, value in event.items() if value is not None})
        for one in wanted if webhooks else ():
            self._courier.send(event["id"], one, body)

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
