"""Comparing the systems and writing the daily report."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tieout.core.money import show as money

from .main import ATTENTION, FINE, exit_code, open_hub, print_json, show_error
from .shown import clean, plural, say, table

DAY = click.DateTime(["%Y-%m-%d"])
OUT = click.Path(path_type=Path, file_okay=False)


@click.command("reconcile")
@click.option("--fresh", is_flag=True, help="Pull what changed first.")
@click.option("--as-of", type=DAY, help="As things were known at the end of this day.")
@click.option("--email", is_flag=True, help="Mail the report to those config.yaml names.")
@click.option("--out", type=OUT, help="Write the report files into this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def reconcile_command(
    config_path: Path,
    fresh: bool,
    as_of: datetime | None,
    email: bool,
    out: Path | None,
    as_json: bool,
) -> int:
    """Compare the systems to the cent; file what differs as breaks. Exit code 3: there are some.

    \b
    Example:  tieout reconcile --fresh --out reports
    """
    from tieout.jobs import reporting, tasks

    with open_hub(config_path, offline=not (fresh or email)) as hub:
        if fresh:
            _, failures = tasks.pull_systems(hub)
            for error in failures:
                show_error(error)
            if failures:
                then = "nothing was compared: half-read systems would only look broken"
                say(f"  then    {then}", err=True)
                return max(exit_code(error) for error in failures)
        outcome = reporting.reconcile(hub, as_of=as_of.date() if as_of else None)
        files = {}
        if out or email:
            files = reporting.report(hub, out, email=email, outcome=outcome)
    if as_json:
        print_json(reporting.document(outcome, files))
    else:
        show_outcome(outcome)
        for path in files.values():
            say(f"wrote {path}")
    return ATTENTION if outcome.breaks else FINE


def show_outcome(outcome: Any) -> None:
    """Per flow and currency: both totals, the difference, what explains it; then the verdict."""
    rows = [
        [
            proof.flow,
            money(proof.left_minor, proof.currency),
            money(proof.right_minor, proof.currency),
            money(proof.difference_minor, proof.currency),
            money(proof.explained_minor, proof.currency),
            money(proof.unexplained_minor, proof.currency),
        ]
        for proof in outcome.proofs
    ]
    columns = ["flow", "#left", "#right", "#difference", "#explained", "#unexplained"]
    table("", columns, rows)
    say()
    for kind, count in sorted(_by_kind(outcome.breaks).items()):
        say(f"  {count:4}  {clean(kind)}")
    kpis = outcome.kpis
    say(
        f"{plural(outcome.compared, 'pair')} compared, {plural(len(outcome.breaks), 'break')}; "
        f"accuracy {kpis.accuracy_percent} %, data quality {kpis.quality_percent} %, "
        f"automated {kpis.automated_percent} %"
    )
    if outcome.breaks:
        say("See them: tieout breaks list")


def _by_kind(breaks: list[Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for each in breaks:
        name = f"{each.entity} {each.kind}"
        counts[name] = counts.get(name, 0) + 1
    return counts


@click.command("report")
@click.option("--date", "day", type=DAY, help="The day of the report; default: the latest.")
@click.option("--out", type=OUT, help="Where the files go; default: report.out of config.yaml.")
@click.option("--email", is_flag=True, help="Mail it to those config.yaml names.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def report_command(
    config_path: Path, day: datetime | None, out: Path | None, email: bool, as_json: bool
) -> int:
    """Write the daily report from what is in the store: HTML, plain text, XLSX.

    \b
    Example:  tieout report --out reports
    """
    from tieout.jobs import reporting

    with open_hub(config_path, offline=not email) as hub:
        files = reporting.report(hub, out, day=day.date() if day else None, email=email)
    if as_json:
        print_json({"files": {name: str(path) for name, path in files.items()}})
        return FINE
    for path in files.values():
        say(f"wrote {path}")
    return FINE
