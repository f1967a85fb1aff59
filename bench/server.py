"""A fast local server with Stripe-shaped invoices: pages are printed from a template, so that it
is never what a benchmark waits for. Prints its address; runs until stopped.

    python bench/server.py --records 200000 [--changed 100]
"""

from __future__ import annotations

import argparse
import json
import math
import re
import socket
import threading
import time
from typing import Any

NEWEST = int(time.time()) - 120  # `created` of the newest invoice
SPACING = 60  # seconds between two invoices


def line(place: int) -> dict[str, Any]:
    """One invoice line as the 2026-10-28 API serves it."""
    return {
        "id": f"il_%(id)012d{place}",
        "object": "line_item",
        "amount": 2000,
        "currency": "usd",
        "description": "1 x Professional seat (at $20.00 / month)",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": "in_%(id)012d",
        "livemode": False,
        "metadata": {},
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": "sub_%(id)012d",
                "subscription_item": f"si_%(id)012d{place}",
            },
            "type": "subscription_item_details",
        },
        "period": {"end": 1_790_000_000, "start": 1_787_400_000},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": "price_1PgafmB7WZ01", "product": "prod_Pgaf2mB7WZ"},
            "type": "price_details",
            "unit_amount_decimal": "2000",
        },
        "quantity": 1,
        "quantity_decimal": "1",
        "subtotal": 2000,
        "taxes": [],
    }


def invoice(lines: int) -> dict[str, Any]:
    """A paid invoice, about 4.2 KB with its one to three lines."""
    total = 2000 * lines
    return {
        "id": "in_%(id)012d",
        "object": "invoice",
        "account_country": "US",
        "account_name": "Benchmark Inc.",
        "account_tax_ids": None,
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": total,
        "amount_remaining": 0,
        "amount_shipping": 0,
        "application": None,
        "attempt_count": 1,
        "attempted": True,
        "auto_advance": False,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "automatically_finalizes_at": None,
        "billing_reason": "subscription_cycle",
        "collection_method": "charge_automatically",
        "created": "%(created)d#",
        "currency": "usd",
        "custom_fields": None,
        "customer": "cus_%(id)012d",
        "customer_account": None,
        "customer_address": {
            "city": "San Francisco",
            "country": "US",
            "line1": "510 Townsend St",
            "line2": None,
            "postal_code": "94103",
            "state": "CA",
        },
        "customer_email": "billing+%(id)d@example.com",
        "customer_name": "Customer %(id)d Ltd",
        "customer_phone": None,
        "customer_shipping": None,
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_payment_method": None,
        "default_source": None,
        "default_tax_rates": [],
        "description": None,
        "discounts": [],
        "due_date": None,
        "effective_at": "%(created)d#",
        "ending_balance": 0,
        "footer": None,
        "from_invoice": None,
        "hosted_invoice_url": "https://invoice.stripe.com/i/acct_1PgafTB7WZ01/test_%(id)012d?s=ap",
        "invoice_pdf": "https://pay.stripe.com/invoice/acct_1PgafTB7WZ01/test_%(id)012d/pdf?s=ap",
        "issuer": {"type": "self"},
        "last_finalization_error": None,
        "latest_revision": None,
        "lines": {
            "object": "list",
            "data": [line(place) for place in range(lines)],
            "has_more": False,
            "total_count": lines,
            "url": "/v1/invoices/in_%(id)012d/lines",
        },
        "livemode": False,
        "metadata": {},
        "next_payment_attempt": None,
        "number": "BENCH-%(id)08d",
        "on_behalf_of": None,
        "parent": {
            "quote_details": None,
            "subscription_details": {"metadata": {}, "subscription": "sub_%(id)012d"},
            "type": "subscription_details",
        },
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": 1_790_000_000,
        "period_start": 1_787_400_000,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "receipt_number": None,
        "rendering": None,
        "shipping_cost": None,
        "shipping_details": None,
        "starting_balance": 0,
        "statement_descriptor": None,
        "status": "paid",
        "status_transitions": {
            "finalized_at": "%(created)d#",
            "marked_uncollectible_at": None,
            "paid_at": "%(created)d#",
            "voided_at": None,
        },
        "subtotal": total,
        "subtotal_excluding_tax": total,
        "test_clock": None,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": "%(created)d#",
    }


def template(lines: int) -> bytes:
    """The invoice as a bytes template; numbers lose the quotes that carried them through JSON."""
    text = json.dumps(invoice(lines), separators=(",", ":")).replace("%(", "\0").replace("%", "%%")
    text = text.replace("\0", "%(")
    return re.sub(r'"(%\(created\)d)#"', r"\1", text).encode()


TEMPLATES = [template(lines) for lines in (1, 2, 3)]


def printed(number: int, records: int, *, edited: bool = False) -> bytes:
    """Invoice `number`; the highest number is the newest."""
    body = TEMPLATES[number % 3] % {
        b"id": number,
        b"created": NEWEST - (records - number) * SPACING,
    }
    return body.replace(b'"description":null', b'"description":"edited"', 1) if edited else body


class Server:
    """Answers /v1/invoices, /v1/invoices/{id}, /v1/events and /v1/account; counts its calls."""

    def __init__(self, records: int, changed: int) -> None:
        self.records, self.changed, self.calls = records, changed, 0
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]

    def serve(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        pending = b""
        with connection:
            while True:
                while b"\r\n\r\n" not in pending:
                    received = connection.recv(65536)
                    if not received:
                        return
                    pending += received
                head, _, pending = pending.partition(b"\r\n\r\n")
                target = head.split(b" ", 2)[1].decode()
                body = self._answer(target)
                connection.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nRequest-Id: req_1\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
                )

    def _answer(self, target: str) -> bytes:
        path, _, query = target.partition("?")
        if path == "/calls":
            return json.dumps({"calls": self.calls}).encode()
        self.calls += 1
        if path == "/v1/invoices":
            return self._page(query)
        if path == "/v1/events":
            return self._events(query)
        if path.startswith("/v1/invoices/"):
            number = int(path.rpartition("_")[2])
            return printed(number, self.records, edited=number > self.records - self.changed)
        return b'{"id":"acct_1","object":"account","livemode":false}'

    def _page(self, query: str) -> bytes:
        after = re.search(r"starting_after=in_(\d+)", query)
        top = int(after[1]) - 1 if after else self.records
        size = int((re.search(r"(?:^|&)limit=(\d+)", query) or ["", "10"])[1])
        floor, ceiling = self._created(query)
        top = min(top, ceiling)
        numbers = range(top, max(top - size, floor), -1)
        data = b",".join(printed(number, self.records) for number in numbers)
        more = b"true" if top - size > floor else b"false"
        return b'{"object":"list","data":[%b],"has_more":%b,"url":"/v1/invoices"}' % (data, more)

    def _created(self, query: str) -> tuple[int, int]:
        """What `created[gte]` and `[lte]` leave: above the first number, up to the second."""
        found = dict(re.findall(r"created(?:%5B|\[)(gte|lte)(?:%5D|\])=(\d+)", query))
        oldest = self.records + math.ceil((int(found.get("gte", 0)) - NEWEST) / SPACING)
        newest = self.records + (int(found["lte"]) - NEWEST) // SPACING if "lte" in found else None
        ceiling = self.records if newest is None else min(self.records, newest)
        return max(oldest - 1, 0), ceiling

    def _events(self, query: str) -> bytes:
        after = re.search(r"starting_after=evt_(\d+)", query)
        top = int(after[1]) - 1 if after else self.changed
        before = re.search(r"ending_before=evt_(\d+)", query)
        if before:
            low = int(before[1]) + 1
            top = min(low + 99, self.changed)
            numbers = range(top, low - 1, -1)
            more = top < self.changed
        else:
            numbers = range(top, max(top - 100, 0), -1)
            more = top - 100 > 0
        data = [
            {
                "id": f"evt_{number:09d}",
                "object": "event",
                "type": "invoice.updated",
                "created": int(time.time()) - 5,
                "api_version": "2026-10-28.endive",
                "livemode": False,
                "data": {
                    "object": {
                        "id": f"in_{self.records - self.changed + number:012d}",
                        "object": "invoice",
                    }
                },
            }
            for number in numbers
        ]
        return json.dumps(
            {"object": "list", "data": data, "has_more": more, "url": "/v1/events"}
        ).encode()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--changed", type=int, default=100)
    arguments = parser.parse_args()
    server = Server(arguments.records, arguments.changed)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    server.serve()


if __name__ == "__main__":
    main()
