"""Export jobs: a zip with one CSV file of what lists of that kind show.

https://apidocs.chargebee.com/docs/api/exports
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

from .codec import decode, encode
from .errors import no_such_path
from .kinds import KINDS
from .listing import Listing
from .params import Params
from .routes import Answered, Call, Route
from .shelf import Ask, Object
from .site import Site

_SECONDS, _LOOKS = 10, 2
_VALID_FOR = 3600
_EXPORTED = {
    "customers": "customer", "subscriptions": "subscription", "invoices": "invoice",
    "credit_notes": "credit_note", "transactions": "transaction", "orders": "order",
    "item_families": "item_family", "items": "item", "item_prices": "item_price",
    "attached_items": "attached_item", "differential_prices": "differential_price",
    "price_variants": "price_variant", "plans": "plan", "addons": "addon", "coupons": "coupon",
}  # fmt: skip


class Exports:
    """The export jobs of one site. `address` is where clients reach the stand-in."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._files: dict[str, tuple[str, Params]] = {}
        self._looks: Counter[str] = Counter()
        self.address = ""

    def routes(self) -> Iterator[Route]:
        for path, kind in _EXPORTED.items():
            yield Route("POST", f"exports/{path}", self._start(kind), None, KINDS[kind].catalog)
        yield Route("GET", "exports/{}", self._look)

    def _start(self, kind: str) -> Any:
        def act(call: Call) -> Answered:
            sent: Params = call.params.pop(kind, {})
            export: Object = {
                "id": self._site.new_id(),
                "operation_type": KINDS[kind].path.replace("_", " ").title(),
                "mime_type": "zip",
                "status": "in_process",
                "created_at": self._site.now(),
            }
            self._asked(kind, sent)
            self._files[export["id"]] = (kind, sent)
            return {"export": self._site.save("export", export)}

        return act

    def _asked(self, kind: str, sent: Params) -> Ask:
        settings = self._site.settings
        now = self._site.now()
        return Listing(KINDS[kind], sent, settings.zone, settings.rules, now, {}).ask

    def _look(self, call: Call) -> Answered:
        export = self._site.need("export", call.id)
        # A clock that stands still must not keep a client polling for ever.
        self._looks[call.id] += 1
        waited = self._site.now() >= export["created_at"] + _SECONDS
        done = waited or self._looks[call.id] > _LOOKS
        if export["status"] == "in_process" and done and call.id in self._files:
            export["status"] = "completed"
            export["download"] = {
                "download_url": f"{self.address}/downloads/{export['id']}.zip",
                "valid_till": self._site.now() + _VALID_FOR,
                "mime_type": "application/zip",
                "object": "download",
            }
            self._site.save("export", export)
        return {"export": export}

    def file(self, name: str) -> bytes:
        """The zip behind a download URL. Raises ApiError (404) once it is not valid any more."""
        id = name.removesuffix(".zip")
        export = self._site.get("export", id) or {}
        valid = (export.get("download") or {}).get("valid_till", 0)
        if id not in self._files or valid < self._site.now():
            raise no_such_path()
        kind, sent = self._files[id]
        return _zipped(KINDS[kind].path, list(self._rows(kind, sent)))

    def _rows(self, kind: str, sent: Params) -> Iterator[Object]:
        shelf = self._site.publish(KINDS[kind])
        ask = self._asked(kind, sent)
        everything = Ask(10**9, ask.sort, ask.descending, ask.equal, ask.ranges, ask.wanted)
        for row in shelf.page(everything)[0]:
            yield decode(row.raw)


def _zipped(name: str, items: list[Object]) -> bytes:
    columns = list(dict.fromkeys(key for item in items for key in item))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    for item in items:
        writer.writerow({key: _cell(value) for key, value in item.items()})
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{name}.csv"), text.getvalue())
    return raw.getvalue()


def _cell(value: Any) -> Any:
    return encode(value).decode() if isinstance(value, (dict, list)) else value
