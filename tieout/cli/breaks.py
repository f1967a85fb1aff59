"""Breaks: what differs between systems, and what a person does about it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tieout.core.errors import ConfigError
from tieout.core.money import show as money

from .main import ALWAYS_JSON, ATTENTION, FINE, open_hub, print_json
from .shown import clean, plural, say, table

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group("breaks")
def breaks_command() -> None:
    """Breaks: mismatches between systems, each with a life of its own.

    \b
    Example:  tieout breaks list
    """


@breaks_command.command("list")
@click.option("--state", default="open", show_default=True, help="open, acknowledged, waived, ...")
@click.option("--entity", help="Only this entity.")
@click.option("--limit", default=100, show_default=True)
@AS_JSON
@click.pass_obj
def list_command(
    config_path: Path, state: str, entity: str | None, limit: int, as_json: bool
) -> int:
    """Breaks, those with most money at stake first. Exit code 3: there are some.

    \b
    Example:  tieout breaks list --entity invoice
    """
    with open_hub(config_path, offline=True) as hub:
        found = hub.store.breaks.list(state=state, entity=entity, limit=limit)
    if as_json:
        print_json([asdict(each) for each in found])
        return ATTENTION if found else FINE
    rows = [
        [
            each.fingerprint[:10],
            each.kind,
            each.entity,
            f"{each.left_system} {each.left_id or '-'}",
            f"{each.right_system} {each.right_id or '-'}",
            _money(each),
            each.first_seen[:10],
            each.cause or "",
        ]
        for each in found
    ]
    columns = ["break", "kind", "entity", "left", "right", "#at stake", "since", "likely cause"]
    table("", columns, rows)
    say(plural(len(found), "break"))
    return ATTENTION if found else FINE


def _money(each: Any) -> str:
    return money(each.stake_minor, each.currency) if each.currency and each.stake_minor else ""


def _found(hub: Any, prefix: str) -> Any:
    """The one break whose fingerprint starts so."""
    found = hub.store.breaks.find(prefix)
    if not found:
        raise ConfigError(f"there is no break {prefix!r}", hint="tieout breaks list")
    if len(found) > 1:
        raise ConfigError(f"{len(found)} breaks start with {prefix!r}", hint="give more letters")
    return found[0]


@breaks_command.command("show")
@click.argument("fingerprint")
@ALWAYS_JSON
@click.pass_obj
def show_command(config_path: Path, fingerprint: str) -> int:
    """One break, as JSON.

    \b
    Example:  tieout breaks show 3f2a9c
    """
    with open_hub(config_path, offline=True) as hub:
        print_json(asdict(_found(hub, fingerprint)))
    return FINE


@breaks_command.command("explain")
@click.argument("fingerprint")
@AS_JSON
@click.pass_obj
def explain_command(config_path: Path, fingerprint: str, as_json: bool) -> int:
    """Both sides of a break, field by field, their history and the likely cause.

    \b
    Example:  tieout breaks explain 3f2a9c
    """
    from tieout.jobs.queries import explain

    with open_hub(config_path, offline=True) as hub:
        found = _found(hub, fingerprint)
        told = explain(hub, found)
    if as_json:
        print_json({"break": asdict(found), "told": told})
        return FINE
    for line in told:
        say(clean(line))
    return FINE


def _change(config_path: Path, fingerprint: str, what: str, why: str, **changes: Any) -> int:
    with open_hub(config_path, offline=True) as hub:
        found = _found(hub, fingerprint)
        with hub.store.transaction():
            hub.store.breaks.change(found.fingerprint, **changes)
            subject = f"break {found.fingerprint}"
            hub.store.audit.append("person", what, subject, {"note": why})
    say(f"{found.fingerprint[:10]} {what}")
    return FINE


@breaks_command.command("ack")
@click.argument("fingerprint")
@click.option("--note", default="", help="What you know about it.")
@click.pass_obj
def ack_command(config_path: Path, fingerprint: str, note: str) -> int:
    """Somebody has seen it and is at work.

    \b
    Example:  tieout breaks ack 3f2a9c --note "asked the bank"
    """
    return _change(config_path, fingerprint, "acknowledged", note, state="acknowledged", note=note)


@breaks_command.command("assign")
@click.argument("fingerprint")
@click.argument("person")
@click.pass_obj
def assign_command(config_path: Path, fingerprint: str, person: str) -> int:
    """Give a break to a person.

    \b
    Example:  tieout breaks assign 3f2a9c ada@example.com
    """
    return _change(config_path, fingerprint, "assigned", person, assignee=person)


@breaks_command.command("waive")
@click.argument("fingerprint")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), required=True, help="It then reopens.")
@click.option("--reason", required=True, help="Why it is accepted; goes into the audit trail.")
@click.pass_obj
def waive_command(config_path: Path, fingerprint: str, until: datetime, reason: str) -> int:
    """Accept a break until a date.

    \b
    Example:  tieout breaks waive 3f2a9c --until 2026-12-31 --reason "known bank fee"
    """
    day = until.date().isoformat()
    return _change(
        config_path, fingerprint, "waived", reason, state="waived", waived_until=day, note=reason
    )


@breaks_command.command("heal")
@click.argument("fingerprint")
@click.pass_obj
def heal_command(config_path: Path, fingerprint: str) -> int:
    """Make a plan that mends a break: create what is missing, or write the owner's values.

    Nothing is written before `tieout apply`. Issued documents that differ are not edited.

    \b
    Example:  tieout breaks heal 3f2a9c && tieout apply
    """
    from tieout.jobs import tasks

    from .run import show_plan

    with open_hub(config_path) as hub:
        outline = tasks.heal(hub, _found(hub, fingerprint))
        show_plan(hub, outline)
    return FINE
