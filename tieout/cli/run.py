"""Moving records: pull, plan, apply, sync."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tieout.core.errors import TieoutError
from tieout.core.money import show as money

from .main import ATTENTION, FINE, exit_code, open_hub, print_json, show_error
from .shown import clean, plural, progress, say, table

SINCE = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])
PLAN_ROWS = 40


def _utc(since: datetime | None) -> datetime | None:
    from datetime import UTC

    return since.replace(tzinfo=UTC) if since else None


class _Bars:
    """Progress of a sync: pages while pulling, operations while applying."""

    def __init__(self, bars: Any) -> None:
        self.bars, self.tasks = bars, {}  # type: ignore[var-annotated]

    def on_page(self, pulled: Any) -> None:
        self._show(f"{pulled.system} {pulled.entity}", pulled.seen)

    def on_batch(self, done: int) -> None:
        self._show("deciding", done)

    def on_operation(self, operation: Any, applied: Any) -> None:
        self._show(f"writing to {operation.target}", applied.confirmed + applied.rejected)

    def _show(self, name: str, done: int) -> None:
        if name not in self.tasks:
            self.tasks[name] = self.bars.add_task(name, total=None)
        self.bars.update(self.tasks[name], completed=done)


@click.command("pull")
@click.argument("systems", nargs=-1)
@click.option("--entity", help="Only this entity, e.g. invoice.")
@click.option("--full", is_flag=True, help="Read everything, not only what changed.")
@click.option("--since", type=SINCE, help="Read what changed since (UTC).")
@click.option("--accept-large", is_flag=True, help="Although the guard objects to the deletions.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def pull_command(
    config_path: Path,
    systems: tuple[str, ...],
    entity: str | None,
    full: bool,
    since: datetime | None,
    accept_large: bool,
    as_json: bool,
) -> int:
    """Read what changed from the SYSTEMS (all, if none is named); prove that nothing is missing.

    \b
    Example:  tieout pull stripe --entity invoice
    """
    from tieout.jobs import tasks

    with open_hub(config_path) as hub, progress(not as_json) as bars:
        done, failures = tasks.pull_systems(
            hub,
            systems,
            entity=entity,
            full=full,
            since=_utc(since),
            accept_large=accept_large,
            on_page=_Bars(bars).on_page,
        )
    if as_json:
        print_json({"pulled": [asdict(each) for each in done], "failures": _failures(failures)})
    else:
        show_pulled(done)
    return _worst(failures, sum(each.quarantined for each in done))


def _failures(failures: list[TieoutError]) -> list[dict[str, str]]:
    return [
        {"message": error.message, "where": error.where, "fix": error.hint} for error in failures
    ]


def _worst(failures: list[TieoutError], attention: int) -> int:
    """The exit code, and each failure on stderr, where it does not disturb a JSON document."""
    for error in failures:
        show_error(error)
    if failures:
        say("  then    run the command again: it goes on where it stopped", err=True)
        return max(exit_code(error) for error in failures)
    return ATTENTION if attention else FINE


def show_pulled(done: list[Any]) -> None:
    """A line an entity, and the first reasons of what was set aside."""
    columns = [
        "system",
        "entity",
        "how",
        "#read",
        "#new",
        "#changed",
        "#gone",
        "#set aside",
        "complete",
    ]
    rows = [
        [
            each.system,
            each.entity,
            "all" if each.full else "changes",
            each.seen,
            each.new,
            each.changed,
            each.deleted,
            each.quarantined,
            each.verdict,
        ]
        for each in done
    ]
    table("", columns, rows)
    for each in done:
        if each.verdict == "contradicted":
            say(clean(f"not complete: {each.system} {each.entity}: {each.told}"), fg="yellow")
        for reason in each.reasons:
            say(f"set aside: {clean(reason)}", fg="yellow")


@click.command("plan")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def plan_command(config_path: Path, as_json: bool) -> int:
    """Decide about everything that changed, store the plan and show it. Writes nothing.

    \b
    Example:  tieout pull && tieout plan
    """
    from tieout.jobs import tasks

    with open_hub(config_path) as hub, progress(not as_json) as bars:
        planned = tasks.plan(hub, on_batch=_Bars(bars).on_batch)
        bars.stop()
        if as_json:
            print_json(plan_document(hub, planned))
        else:
            show_plan(hub, planned)
    return ATTENTION if planned.conflicts else FINE


def plan_document(hub: Any, planned: Any) -> dict[str, Any]:
    """The whole plan as plain values."""
    return {
        "plan": planned.id,
        "looked_at": planned.looked_at,
        "counts": [
            {"target": target, "entity": entity, "action": action, "count": count}
            for (target, entity, action), count in sorted(planned.counts.items())
        ],
        "money": [
            {"target": target, "entity": entity, "currency": currency, "create_minor": minor}
            for (target, entity, currency), minor in sorted(planned.money.items())
        ],
        "items": [asdict(item) for item in plan_items(hub, planned.id)],
    }


def show_plan(hub: Any, planned: Any) -> None:
    """What would be written: totals first, then each field old -> new."""
    if not planned.counts:
        say(f"plan {planned.id}: nothing to write; {planned.looked_at:,} records looked at")
        return
    say(f"plan {planned.id}: {plural(planned.writes, 'write')}")
    counts = [[*key, count] for key, count in sorted(planned.counts.items())]
    table("", ["target", "entity", "action", "#records"], counts)
    totals = [
        [target, entity, money(minor, currency)]
        for (target, entity, currency), minor in sorted(planned.money.items())
    ]
    table("\nMoney that would be created", ["target", "entity", "#total"], totals)
    say()
    for index, item in enumerate(plan_items(hub, planned.id)):
        if index >= PLAN_ROWS:
            say("... tieout plan --json shows all")
            break
        show_item(item)
    if planned.writes:
        say(f"\nCarry it out: tieout apply {planned.id}")


def plan_items(hub: Any, plan_id: str) -> Any:
    """The decisions of a plan, in order."""
    from tieout.jobs.queries import plan_items as items

    return items(hub, plan_id)


def show_item(item: Any) -> None:
    """One decision with its fields, old -> new."""
    amount = (
        f"  {money(item.amount_minor, item.currency)}"
        if item.amount_minor is not None and item.currency
        else ""
    )
    where = f"{item.target} {item.entity} {item.target_id or '(new)'}"
    say(
        clean(f"{item.action:8} {where}  <- {item.source} {item.source_id}{amount}"),
        fg={"conflict": "yellow", "wait": "yellow"}.get(item.action),
    )
    if item.action in ("conflict", "wait", "archive"):
        say(f"         {clean(item.reason)}")
    if item.action == "update":
        for name, value in item.write.items():
            say(
                f"         {name}: {clean(_shown(item.before.get(name)))} -> {clean(_shown(value))}"
            )
    for name, (want, have) in item.contested.items():
        say(f"         {name}: {clean(_shown(want))} here, {clean(_shown(have))} there")


def _shown(value: Any) -> str:
    return "(empty)" if value is None else str(value)


@click.command("apply")
@click.argument("plan_id", required=False)
@click.option("--accept-large", is_flag=True, help="Apply although the guard objects.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def apply_command(config_path: Path, plan_id: str | None, accept_large: bool, as_json: bool) -> int:
    """Carry out a plan (the latest, if none is named); goes on where an earlier run stopped.

    \b
    Example:  tieout apply
    """
    from tieout.jobs import tasks

    with open_hub(config_path) as hub, progress(not as_json) as bars:
        applied = tasks.apply_plan(
            hub, plan_id, accept_large=accept_large, on_operation=_Bars(bars).on_operation
        )
        bars.stop()
    if as_json:
        print_json(asdict(applied))
    else:
        show_applied(applied)
    return ATTENTION if applied.rejected or applied.unknown or applied.waiting else FINE


def show_applied(applied: Any) -> None:
    """Counts, and a sentence for each operation that needs a person."""
    parts = [f"{applied.confirmed:,} written and read back"]
    for name, text in (
        ("settled", "of them found to have taken place before"),
        ("rejected", "refused by the provider"),
        ("waiting", "waiting for the next run"),
        ("outdated", "outdated, to be planned again"),
        ("unknown", "with unknown outcome, looked up next time"),
    ):
        if count := getattr(applied, name):
            parts.append(f"{count:,} {text}")
    say(", ".join(parts))
    for problem in applied.problems[:20]:
        say(f"  {clean(problem)}", fg="yellow")
    if applied.problems:
        say("  see `tieout ops list`")


@click.command("sync")
@click.argument("systems", nargs=-1)
@click.option("--entity", help="Only pull this entity.")
@click.option("--full", is_flag=True, help="Read everything, not only what changed.")
@click.option("--since", type=SINCE, help="Read what changed since (UTC).")
@click.option("--accept-large", is_flag=True, help="Apply although the guard objects.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def sync_command(
    config_path: Path,
    systems: tuple[str, ...],
    entity: str | None,
    full: bool,
    since: datetime | None,
    accept_large: bool,
    as_json: bool,
) -> int:
    """Pull, plan and apply. Killed at any moment, the next run goes on and nothing happens twice.

    \b
    Example:  tieout sync
              tieout sync stripe --entity invoice --full
    """
    from tieout.jobs import tasks

    with open_hub(config_path) as hub, progress(not as_json) as bars:
        shown = _Bars(bars)
        synced = tasks.sync(
            hub,
            systems,
            entity=entity,
            full=full,
            since=_utc(since),
            accept_large=accept_large,
            on_page=shown.on_page,
            on_batch=shown.on_batch,
            on_operation=shown.on_operation,
        )
        bars.stop()
        if as_json:
            print_json(_sync_document(hub, synced))
        else:
            show_pulled(synced.pulled)
            _show_outcome(hub, synced)
    return _worst(synced.failures, synced.attention)


def _sync_document(hub: Any, synced: Any) -> dict[str, Any]:
    return {
        "pulled": [asdict(each) for each in synced.pulled],
        "plan": plan_document(hub, synced.outline) if synced.outline else None,
        "applied": asdict(synced.applied) if synced.applied else None,
        "failures": _failures(synced.failures),
    }


def _show_outcome(hub: Any, synced: Any) -> None:
    if synced.outline is not None:
        show_plan(hub, synced.outline)
    if synced.applied is not None:
        show_applied(synced.applied)
