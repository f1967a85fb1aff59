"""`make bulk`: a whole load in bulk, from a stand-in in a process of its own into a store.

100,000 Salesforce accounts through Bulk API 2.0 and 100,000 Zuora invoices of one line through
Data Query. Prints one JSON document: records/s, calls, CPU seconds and peak memory of the pulling
process at 20,000 and at 100,000, and how much its memory grows. `--quick` pulls a tenth.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tieout.hub import Hub
from tieout.jobs import tasks

WORK = Path(__file__).parent.parent / ".bench" / "bulk"
BEGAN = datetime(2025, 1, 6, 9, tzinfo=UTC)
SPACING = timedelta(minutes=3)

CONFIGS = {
    "salesforce": """\
systems:
  salesforce:
    type: salesforce
    base_url: %(url)s
    client_id: ${client_id}
    client_secret: ${client_secret}
    entities: [customer]
""",
    "zuora": """\
systems:
  zuora:
    type: zuora
    base_url: %(url)s
    client_id: ${client_id}
    client_secret: ${client_secret}
    data_query: 'yes'
    entities: [invoice]
""",
}
# What a job is asked for its rows by.
BULK_PATHS = {"salesforce": "/jobs/query", "zuora": "/query/jobs"}


# -- the provider's process ---------------------------------------------------------------------


def accounts(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    for n in range(count):
        stamp = (BEGAN + n * SPACING).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
        yield (
            "Account",
            {
                "Id": f"001{n:012d}",
                "Name": f"Customer {n} Ltd",
                "AccountNumber": f"ACC-{n:07d}",
                "Type": "Customer - Direct",
                "Industry": "Technology",
                "Phone": "+1 415 555 0100",
                "Website": f"https://www.customer-{n}.example",
                "BillingStreet": f"{n} Market Street\nFloor 2",
                "BillingCity": "San Francisco",
                "BillingState": "CA",
                "BillingPostalCode": "94103",
                "BillingCountry": "United States",
                "AnnualRevenue": Decimal(1000 + n),
                "CurrencyIsoCode": "USD",
                "IsDeleted": False,
                "CreatedDate": stamp,
                "LastModifiedDate": stamp,
                "SystemModstamp": stamp,
            },
        )


def invoices(count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    account = f"{1:032x}"
    audit = {"createdById": account, "updatedById": account}
    for n in range(count):
        made = BEGAN + n * SPACING
        stamp, day = made.isoformat(), made.date().isoformat()
        dated = {**audit, "createdDate": stamp, "updatedDate": stamp}
        if n == 0:
            who = {"id": account, "accountNumber": "A00000001", "name": "Customer Ltd"}
            yield "Account", {**who, "status": "Active", "currency": "USD", "batch": "B1", **dated}
        total = Decimal(10000 + n).scaleb(-2)
        nothing = dict.fromkeys(
            ("taxAmount", "creditMemoAmount", "refundAmount", "adjustmentAmount", "paymentAmount",
             "taxExemptAmount"), Decimal(0)
        )  # fmt: skip
        yield (
            "Invoice",
            {
                "id": f"{2**64 + n:032x}",
                "accountId": account,
                "currency": "USD",
                "invoiceNumber": f"INV{n:08d}",
                "invoiceDate": day,
                "targetDate": day,
                "dueDate": day,
                "amount": total,
                "amountWithoutTax": total,
                "balance": total,
                "status": "Posted",
                "source": "BillRun",
                "sourceType": "Subscription",
                "postedDate": stamp,
                "transferredToAccounting": "No",
                **nothing,
                **dated,
            },
        )
        yield (
            "InvoiceItem",
            {
                "id": f"{2**65 + n:032x}",
                "invoiceId": f"{2**64 + n:032x}",
                "accountId": account,
                "chargeAmount": total,
                "taxAmount": Decimal(0),
                "quantity": 1,
                "unitPrice": total,
                "chargeName": "Professional",
                "serviceStartDate": day,
                "serviceEndDate": day,
                "sKU": "PRO",
                "processingType": "Charge",
                "taxMode": "TaxExclusive",
                "sourceItemType": "SubscriptionComponent",
                "chargeDate": stamp,
                **dated,
            },
        )


def play(name: str, count: int) -> None:
    """Serve so many records until the other end closes our input."""
    # Here, so that the pulling process does not carry them.
    from tieout.sandbox import SandboxClock, serve
    from tieout.sandbox.salesforce import SalesforceStandIn
    from tieout.sandbox.zuora import ZuoraStandIn

    stand_in: Any
    if name == "salesforce":
        stand_in = SalesforceStandIn(SandboxClock())
        stand_in.load(accounts(count))
    else:
        stand_in = ZuoraStandIn(SandboxClock(), timezone="UTC")
        stand_in.load(invoices(count))
    with serve(stand_in) as running:
        print(json.dumps({"url": running.url, **stand_in.credentials()}), flush=True)
        sys.stdin.read()


# -- the pulling process ------------------------------------------------------------------------


def pull(name: str, folder: Path) -> None:
    """A first pull into a new store; prints what it took."""
    known = json.loads(os.environ["BENCH_PROVIDER"])
    folder.mkdir(parents=True)
    config = folder / "config.yaml"
    config.write_text(CONFIGS[name] % known)
    began, cpu = time.perf_counter(), time.process_time()
    with Hub.open(config, known) as hub:
        pulled, failures = tasks.pull_systems(hub)
    assert not failures, failures
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    (done,) = pulled
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {
        "records": done.new,
        "quarantined": done.quarantined,
        "verdict": done.verdict,
        "seconds": round(seconds, 2),
        "cpu_seconds": round(cpu, 2),
        "records_per_second": round(done.seen / seconds),
        "peak_mb": round(peak, 1),
    }
    print(json.dumps(told))


# -- the measurement ----------------------------------------------------------------------------


@contextmanager
def provider(name: str, count: int) -> Iterator[dict[str, str]]:
    """Its address and credentials."""
    command = [sys.executable, __file__, "--play", name, str(count)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait()


def measured(name: str, count: int) -> dict[str, Any]:
    folder = WORK / f"{name}-{count}"
    shutil.rmtree(folder, ignore_errors=True)
    with provider(name, count) as known:
        environment = {**os.environ, "BENCH_PROVIDER": json.dumps(known)}
        command = [sys.executable, __file__, "--pull", name, str(folder)]
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, env=environment
        )
        found: dict[str, Any] = json.loads(done.stdout)
        with urllib.request.urlopen(f"{known['url']}/_sandbox/requests") as answer:
            asked = Counter(each["path"] for each in json.load(answer)["requests"])
    found["calls"] = sum(asked.values())
    found["bulk_calls"] = sum(
        number for path, number in asked.items() if BULK_PATHS[name] in path or "/_s3/" in path
    )
    assert found["records"] == count and found["bulk_calls"], found
    print(f"  {name}, {count}: {found}", file=sys.stderr)
    return found


def main() -> None:
    if "--play" in sys.argv:
        play(sys.argv[-2], int(sys.argv[-1]))
        return
    if "--pull" in sys.argv:
        pull(sys.argv[-2], Path(sys.argv[-1]))
        return
    sizes = (2_000, 10_000) if "--quick" in sys.argv else (20_000, 100_000)
    result: dict[str, Any] = {}
    for name in CONFIGS:
        small, large = (measured(name, size) for size in sizes)
        growth = round(100 * (large["peak_mb"] / small["peak_mb"] - 1), 1)
        result[name] = {
            str(sizes[0]): small,
            str(sizes[1]): large,
            "memory_growth_percent": growth,
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
