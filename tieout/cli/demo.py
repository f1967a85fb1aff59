"""The main job on local stand-ins: seed, pull, link, plan, apply, reconcile, report."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from tieout.core.errors import ConfigError
from tieout.core.money import show as money

from .main import ATTENTION, FAILED, FINE
from .run import _Bars
from .shown import plural, progress, say
from .templates import config_text

Result = TypeVar("Result")

OVERLAY = """\
# NetSuite fields in which an earlier integration left Stripe's ids.
customer: {external_ids: {stripe: custentity_stripe_id}}
product: {external_ids: {stripe: custitem_stripe_id}}
invoice: {external_ids: {stripe: custbody_stripe_id}}
payment: {external_ids: {stripe: custbody_stripe_id}}
credit_note: {external_ids: {stripe: custbody_stripe_id}}
refund: {external_ids: {stripe: custbody_stripe_id}}
payout: {external_ids: {stripe: custbody_stripe_id}}
"""


@click.command("demo")
@click.option("--once", is_flag=True, help="Stop when done; exit code 3: breaks need a person.")
@click.option("--port", default=0, help="First port of the stand-ins; 0 takes free ones.")
@click.option("--size", default=120, show_default=True, help="Customers of the company.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("tieout-demo"),
    show_default=True,
    help="Where config, store and report go; emptied of an earlier demo.",
)
def demo_command(once: bool, port: int, size: int, folder: Path) -> int:
    """Run the main job on local stand-ins of Stripe and NetSuite, without credentials.

    A company with two years of business lives in both; about 40 disagreements are planted.

    \b
    Example:  tieout demo --once
              tieout demo --size 2000 --dir big
    """
    from .stand_ins import company_of, start, wall_clock

    if size < 1:
        raise ConfigError("--size must be at least 1")
    _clear(folder)
    steps = _Steps()
    clock = wall_clock()
    company = steps.timed("company", lambda: company_of(1, size, clock))
    started = steps.timed(
        "stand-ins", lambda: start(["stripe", "netsuite"], port, clock=clock, company=company)
    )
    try:
        code = _main_job(folder, started, company, steps)
        if not once:
            _wait(folder, started)
        return code
    finally:
        for each in started.values():
            each.stop()


@dataclass
class _Steps:
    """How long each step took, by the machine's monotonic clock."""

    def __post_init__(self) -> None:
        from tieout.core.ports import real_ports

        self.clock = real_ports().monotonic
        self.seconds: dict[str, float] = {}

    def timed(self, name: str, step: Callable[[], Result]) -> Result:
        began = self.clock()
        result = step()
        self.seconds[name] = self.clock() - began
        return result

    def took(self, name: str) -> str:
        return f"{self.seconds[name]:6.1f} s"


def _main_job(folder: Path, started: dict[str, Any], company: Any, steps: _Steps) -> int:
    from tieout.hub import Hub
    from tieout.jobs import reporting, tasks

    config = write_config(folder, started, company)
    with Hub.open(config, os.environ) as hub, progress() as bars:
        shown = _Bars(bars)

        def pull() -> Any:
            return tasks.pull_systems(hub, on_page=shown.on_page)

        pulled, failures = steps.timed("pull", pull)
        if failures:
            raise failures[0]
        planned = steps.timed("plan", lambda: tasks.plan(hub, on_batch=shown.on_batch))
        applied = steps.timed(
            "apply",
            lambda: tasks.apply_plan(hub, planned.id, on_operation=shown.on_operation),
        )
        again, failures = steps.timed("pull again", pull)
        if failures:
            raise failures[0]
        settled = tasks.plan(hub)
        outcome = steps.timed("reconcile", lambda: reporting.reconcile(hub))
        files = steps.timed("report", lambda: reporting.report(hub, folder, outcome=outcome))
        bars.stop()
        links = hub.store.links.count()
        _tell(steps, folder, started, pulled, again, links, planned, applied, settled, outcome)
        say(f"report       {files['html']}  (also .txt and .xlsx beside it)")
    if applied.problems:
        for problem in applied.problems[:5]:
            say(f"  {problem}", fg="yellow")
        return FAILED if applied.unknown else ATTENTION
    return ATTENTION if outcome.breaks else FINE


def _tell(
    steps: _Steps,
    folder: Path,
    started: dict[str, Any],
    pulled: list[Any],
    again: list[Any],
    links: int,
    planned: Any,
    applied: Any,
    settled: Any,
    outcome: Any,
) -> None:
    """What was done, in ten lines."""
    urls = ", ".join(f"{name} {each.running.url}" for name, each in started.items())
    steps.seconds["stand-ins"] += steps.seconds["company"]
    say(f"stand-ins  {steps.took('stand-ins')}  {urls}")
    read = sum(each.seen for each in pulled)
    set_aside = sum(each.quarantined for each in pulled)
    say(f"pull       {steps.took('pull')}  {read:,} records read, {set_aside} set aside")
    sums = ", ".join(
        money(
            sum(m for (_, e, c), m in planned.money.items() if c == code and e == "invoice"), code
        )
        for code in sorted({c for (_, e, c) in planned.money if e == "invoice"})
    )
    say(
        f"plan       {steps.took('plan')}  {planned.looked_at:,} pairs looked at: "
        f"{plural(planned.writes, 'write')}, {plural(planned.conflicts, 'conflict')}"
    )
    if sums:
        say(f"                     new invoices: {sums}")
    say(
        f"apply      {steps.took('apply')}  {applied.confirmed:,} written and read back, "
        f"{applied.rejected} refused, {applied.waiting} waiting"
    )
    changed = sum(each.new + each.changed for each in again)
    say(
        f"pull again {steps.took('pull again')}  {changed:,} changed since; a second plan writes "
        f"{settled.writes}; {links:,} links"
    )
    unexplained = ", ".join(sorted({proof.currency for proof in outcome.proofs}))
    say(
        f"reconcile  {steps.took('reconcile')}  {outcome.compared:,} pairs compared, "
        f"{plural(len(outcome.breaks), 'break')} for a person; unexplained: 0 in {unexplained}"
    )
    say(f"report     {steps.took('report')}  accuracy {outcome.kpis.accuracy_percent} %")


def write_config(folder: Path, started: dict[str, Any], company: Any) -> Path:
    """config.yaml, mapping overlay and secret files for these stand-ins."""
    secrets = folder / "secrets"
    secrets.mkdir(parents=True, exist_ok=True)
    secrets.chmod(0o700)
    for name, each in started.items():
        for key, value in each.announced["credentials"].items():
            file = secrets / f"{name}_{key}"
            file.write_text(value)
            file.chmod(0o600)
    (folder / "netsuite-overlay.yaml").write_text(OVERLAY)
    config = folder / "config.yaml"
    text = _pointed_at(config_text(list(started)), started)
    config.write_text(_fitted(text, company))
    return config


def _pointed_at(text: str, started: dict[str, Any]) -> str:
    """The template with its secrets read from files and its addresses those of the stand-ins."""
    for reference, file in (
        ("${STRIPE_API_KEY}", "stripe_api_key"),
        ("${STRIPE_WEBHOOK_SECRET}", "stripe_webhook_secret"),
        ("${NETSUITE_ACCOUNT}", "netsuite_account"),
        ("${NETSUITE_CLIENT_ID}", "netsuite_client_id"),
        ("${NETSUITE_CERTIFICATE_ID}", "netsuite_certificate_id"),
        ("${file:netsuite-private.pem}", "netsuite_private_key"),
    ):
        text = text.replace(reference, f"${{file:secrets/{file}}}")
    for name, each in started.items():
        address = f"    type: {name}\n    base_url: {each.running.url}\n"
        text = text.replace(f"    type: {name}\n", address)
    return text


def _fitted(text: str, company: Any) -> str:
    """What this company's books need: accounts, items, and since when tieout writes."""
    own = company.settings
    begins = (company.now - timedelta(days=14)).date()
    netsuite = (
        f'    subsidiary: "{own["subsidiary"]}"\n'
        f'    income_account: "{own["income_account"]}"\n'
        f'    bank_account: "{own["clearing_account"]}"\n'
        f'    item: "{_first_item(company)}"\n'
        "    calls_per_second: 500\n"
        "    payout_deposits: {field: custbody_stripe_id}\n"
        f'    options: {{tax_item: "{own["tax_item"]}", discount_item: "{own["discount_item"]}"}}\n'
    )
    quick = "    calls_per_second: 500\n    endpoint_calls_per_second: 500\n"
    return (
        text.replace("    type: stripe\n", f"    type: stripe\n{quick}")
        .replace("    # custom_fields: [", netsuite + "    custom_fields: [")
        .replace("    # mappings: netsuite-overlay.yaml ", "    mappings: netsuite-overlay.yaml ")
        .replace("# starts_on: 2026-01-01", f"starts_on: {begins}")
        .replace("settle_minutes: 15 ", "settle_minutes: 0 ")
        .replace("  out: reports", "  out: .")
    )


def _first_item(company: Any) -> str:
    """What a line without a product is booked on (Stripe's credit note lines name none)."""
    return str(next(each["id"] for kind, each in company.netsuite if kind == "serviceSaleItem"))


def _clear(folder: Path) -> None:
    """Remove what an earlier demo left; anything else in the folder is not touched."""
    if not folder.exists():
        return
    if any(folder.iterdir()) and not (folder / "config.yaml").exists():
        raise ConfigError(
            f"{folder} is not empty and not from an earlier demo",
            hint="name another folder: tieout demo --dir FOLDER",
        )
    for name in ("tieout.db", "tieout.db-wal", "tieout.db-shm", "tieout.db.lock"):
        (folder / name).unlink(missing_ok=True)


def _wait(folder: Path, started: dict[str, Any]) -> None:
    """Keep the stand-ins running so that the other commands can be tried on them."""
    import signal
    import threading

    say(f"\nThe stand-ins keep running. Try, in another terminal: cd {folder}, then")
    say("  tieout status; tieout breaks list; tieout plan; tieout sync")
    say("Stop with Ctrl-C.")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
