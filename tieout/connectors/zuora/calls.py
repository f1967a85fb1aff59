"""One POST to Zuora with an idempotency key of ours, or a PUT that sets what it sets.

Zuora keeps the answer to a key for 24 hours, failures included. So the key also depends on the
body (a corrected record is another request), and after a failure that may pass a further key is
used, once it is known that nothing was made. https://developer.zuora.com/docs/guides/idempotent-requests
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from typing import Any

from tieout.core.errors import NotFound, RateLimited, TryLater
from tieout.core.ports import Ports
from tieout.rest import Request, RestClient, json

from ..base import Raw
from .errors import Kept
from .rows import folded, text

log = logging.getLogger("tieout.zuora")

KEYS_A_WRITE = 4
LONGEST_WAIT = 130.0
_ID_FIELDS = ("accountid", "id", "number", "journalentrynumber")


class Calls:
    """The calls that write."""

    def __init__(self, rest: RestClient, ports: Ports) -> None:
        self._rest, self._ports = rest, ports

    def post(
        self, path: str, body: Raw, key: str, step: str, found: Callable[[], str | None]
    ) -> str:
        """The id of what was made. A further key where a kept failure changed nothing."""
        for attempt in range(KEYS_A_WRITE):
            last = attempt == KEYS_A_WRITE - 1
            named = {"Idempotency-Key": idempotency_key(path, step, body, key, attempt)}
            asked = Request("POST", path, json=body, headers=named, idempotent=True)
            try:
                return self._rest.read(asked, _made_id)
            except Kept:
                if (id := found()) is not None:
                    return id
                if last:
                    raise
                wait = 2.0**attempt
            except TryLater as error:
                wait = getattr(error, "wait_seconds", None) or 2.0**attempt
                if last or wait > LONGEST_WAIT or (isinstance(error, RateLimited) and attempt > 1):
                    raise
            log.info("%s is sent again under another key", path)
            self._ports.sleep(wait + self._ports.random())
        raise AssertionError("the last attempt raises")

    def put(self, path: str, body: Raw) -> None:
        """A PUT sets what it sets, so it may be sent twice."""
        try:
            self._rest.send(Request("PUT", path, json=body, idempotent=True))
        except NotFound as error:
            error.hint = error.hint or "it was deleted in Zuora meanwhile"
            raise

    def action(self, kind: str, fields: Raw, key: str) -> None:
        """The old update call, for the few things that v1 cannot set."""
        body = {"objects": [fields], "type": kind}
        self.post("/v1/action/update", body, key, f"update {fields['Id']}", lambda: None)


def idempotency_key(path: str, step: str, body: Raw, key: str, attempt: int) -> str:
    """Of fixed length (Zuora allows 255), the same for the same write only."""
    told = b"\n".join([path.encode(), step.encode(), key.encode(), json.encode_stable(body)])
    return f"tieout-{hashlib.sha256(told).hexdigest()}-{attempt}"


def _made_id(answer: Any) -> str:
    """The new record's id, wherever this interface puts it."""
    told = json.decode(answer.body)
    row = folded(told[0] if isinstance(told, list) and told else told or {})
    if "ordernumber" in row:
        return text(row, "ordernumber")
    for name in _ID_FIELDS:
        if row.get(name) and not (name == "accountid" and row.get("id")):
            return text(row, name)
    raise ValueError("the answer names no record")
