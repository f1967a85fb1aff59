"""Delivers events to the registered endpoints, signed and retried, from a background thread.

https://docs.stripe.com/webhooks
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from .. import courier
from ..clock import SandboxClock

RETRY_SECONDS = (300, 1800, 7200)  # a sandbox account retries three times over a few hours


@dataclass(frozen=True)
class Endpoint:
    """Where events go. `types` may hold "*"."""

    id: str
    url: str
    secret: str
    types: frozenset[str]

    def takes(self, type: str) -> bool:
        return "*" in self.types or type in self.types


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint."""

    event: str
    endpoint: Endpoint
    body: bytes
    attempt: int = 0


def sign(secret: str, body: bytes, moment: int) -> str:
    """The Stripe-Signature header: https://docs.stripe.com/webhooks#verify-manually"""
    signed = f"{moment}.".encode() + body
    return f"t={moment},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class Courier(courier.Courier[Delivery]):
    """`settled` is told (event, endpoint, delivered) at the end."""

    name = "stripe-webhooks"

    def __init__(self, clock: SandboxClock, settled: Callable[[str, str, bool], None]) -> None:
        super().__init__(clock)
        self._settled = settled

    def send(self, event: str, endpoint: Endpoint, body: bytes) -> None:
        """Queue one delivery."""
        self.queue(Delivery(event, endpoint, body), endpoint.url)

    def deliver(self, parcel: Delivery) -> Iterable[tuple[int, Delivery]]:
        """Only a 2xx counts."""
        now = self.clock.timestamp()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": sign(parcel.endpoint.secret, parcel.body, now),
        }
        status, _ = courier.post(parcel.endpoint.url, parcel.body, headers, self.answer_within)
        if 200 <= status < 300:
            self._settled(parcel.event, parcel.endpoint.id, True)
        elif parcel.attempt < len(RETRY_SECONDS):
            due = self.clock.timestamp() + RETRY_SECONDS[parcel.attempt]
            yield due, replace(parcel, attempt=parcel.attempt + 1)
