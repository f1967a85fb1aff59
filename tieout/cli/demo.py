"""The main job on local stand-ins: seed, pull, link, plan, apply, reconcile, report."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from tieout.core.errors import ConfigError
from tieout.core.money import show as money

from .demo_config import write_config
from .main import ATTENTION, FAILED, FINE
from .run import _Bars
from .shown import plural, progress, say

Result = TypeVar("Result")


@click.command("demo")
@click.option("--once", is_flag=True, help="Stop when done; exit code 3: breaks need a person.")
@click.option(
    "--providers",
    default="salesforce,stripe,chargebee,zuora,netsuite",
    show_default=True,
    help="Which systems the company lives in; netsuite must be one of them.",
)
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
def demo_command(once: bool, providers: str, port: int, size: int, folder: Path) -> int:
    """Run the main job on local stand-ins of five systems, without credentials.

    A company with two years of business lives in all of them: Salesforce owns the customers,
    Stripe, Chargebee and Zuora bill them, NetSuite keeps the books. About 40 disagreements are
    planted. --providers takes fewer of them.

    \b
    Example:  tieout demo --once
              tieout demo --size 2000 --dir big
    """
    from .stand_ins import company_of, start, wall_clock

    names = _names(providers)
    if size < 1:
        raise ConfigError("--size must be at least 1")
    _clear(folder)
    steps = _Steps()
    clock = wall_clock()
    company = steps.timed("company", lambda: company_of(1, size, clock, names))
    started = steps.timed(
        "stand-ins", lambda: start(names, port, clock=clock, company=company, large=True)
    )
    try:
        code = _main_job(folder, started, company, steps)
        if not once:
            _wait(folder, started)
        return code
    finally:
        for each in started.values():
            each.stop()


def _names(providers: str) -> list[str]:
    """The systems, in the order in which the company tells its story."""
    from .stand_ins import BILLERS, PROVIDERS

    wanted = [each.strip() for each in providers.split(",") if each.strip()]
    if unknown := [each for each in wanted if each not in PROVIDERS]:
        raise ConfigError(
            f"there is no stand-in for {unknown[0]!r}", hint="known: " + ", ".join(PROVIDERS)
        )
    if "netsuite" not in wanted or not set(wanted) & set(BILLERS):
        raise ConfigError(
            "the demo needs netsuite and a biller",
            hint="such as --providers stripe,netsuite",
        )
    return [each for each in PROVIDERS if each in wanted]


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


@dataclass
class _Done:
    """What the main job did, to be told in ten lines."""

    pulled: list[Any]
    planned: Any
    applied: Any
    again: list[Any]
    settled: Any
    outcome: Any
    links: int
    files: dict[str, Path]


def _main_job(folder: Path, started: dict[str, Any], company: Any, steps: _Steps) -> int:
    from tieout.hub import Hub

    config = write_config(folder, started, company)
    with Hub.open(config, os.environ) as hub, progress() as bars:
        done = _run(hub, folder, steps, _Bars(bars))
        bars.stop()
    steps.seconds["stand-ins"] += steps.seconds["company"]
    urls = ", ".join(f"{name} {each.running.url}" for name, each in started.items())
    say(f"stand-ins  {steps.took('stand-ins')}  {urls}")
    for line in _told(done, steps):
        say(line)
    say(f"Next: open the report, or look around: cd {folder} && tieout breaks list")
    for problem in done.applied.problems[:5]:
        say(f"  {problem}", fg="yellow")
    if done.applied.unknown:
        return FAILED
    return ATTENTION if done.outcome.breaks or done.applied.problems else FINE


def _run(hub: Any, folder: Path, steps: _Steps, shown: _Bars) -> _Done:
    """Pull, plan, apply, pull what that changed, plan again, reconcile, report."""
    from tieout.jobs import reporting, tasks

    def pull() -> list[Any]:
        pulled, failures = tasks.pull_systems(hub, on_page=shown.on_page)
        if failures:
            raise failures[0]
        return pulled

    pulled = steps.timed("pull", pull)
    planned = steps.timed("plan", lambda: tasks.plan(hub, on_batch=shown.on_batch))
    applied = steps.timed(
        "apply", lambda: tasks.apply_plan(hub, planned.id, on_operation=shown.on_operation)
    )
    again = steps.timed("pull again", pull)
    settled = tasks.plan(hub)
    outcome = steps.timed("reconcile", lambda: reporting.reconcile(hub))
    files = steps.timed("report", lambda: reporting.report(hub, folder, outcome=outcome))
    links = hub.store.links.count()
    return _Done(pulled, planned, applied, again, settled, outcome, links, files)


def _told(done: _Done, steps: _Steps) -> Iterator[str]:
    """A line a step, with how long it took."""
    read = sum(each.seen for each in done.pulled)
    aside = sum(each.quarantined for each in done.pulled)
    yield f"pull       {steps.took('pull')}  {read:,} records read, {aside} set aside"
    planned = done.planned
    yield (
        f"plan       {steps.took('plan')}  {planned.looked_at:,} records looked at: "
        f"{plural(planned.writes, 'write')}, {plural(planned.conflicts, 'conflict')}"
    )
    bills = {key[2]: minor for key, minor in planned.money.items() if key[1] == "invoice"}
    sums = ", ".join(money(minor, currency) for currency, minor in sorted(bills.items()))
    yield f"                     new invoices: {sums or 'none'}"
    applied = done.applied
    yield (
        f"apply      {steps.took('apply')}  {applied.confirmed:,} written and read back, "
        f"{applied.rejected} refused, {applied.waiting} waiting"
    )
    changed = sum(each.new + each.changed for each in done.again)
    yield (
        f"pull again {steps.took('pull again')}  {changed:,} changed since; a second plan writes "
        f"{done.settled.writes}; {done.links:,} records linked"
    )
    outcome = done.outcome
    currencies = ", ".join(sorted({proof.currency for proof in outcome.proofs}))
    yield (
        f"reconcile  {steps.took('reconcile')}  {outcome.compared:,} pairs compared, "
        f"{plural(len(outcome.breaks), 'break')} for a person; unexplained: 0 in {currencies}"
    )
    yield (
        f"report     {steps.took('report')}  {done.files['html']} (.txt and .xlsx beside it); "
        f"accuracy {outcome.kpis.accuracy_percent} %"
    )


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
