"""Looking: status, history, runs, ops, links, audit. Nothing here calls a provider."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec

from tieout.core.errors import ConfigError, NotFound

from .main import ALWAYS_JSON, ATTENTION, FAILED, FINE, open_hub, print_json
from .shown import clean, plural, say, table

AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def _hub(config_path: Path) -> Any:
    """For looking, secrets need not be there."""
    return open_hub(config_path, offline=True)


@click.command("status")
@AS_JSON
@click.pass_obj
def status_command(config_path: Path, as_json: bool) -> int:
    """How fresh each system is, what is open, what needs a person.

    \b
    Example:  tieout status
    """
    from tieout.jobs.queries import status

    from .calls import call_lines

    with _hub(config_path) as hub:
        found = status(hub)
        calls = call_lines(found["budgets"], ZoneInfo(hub.config.timezone), hub.ports.now())
    if as_json:
        print_json(found)
        return ATTENTION if found["attention"] else FINE
    rows = [
        [
            e["system"],
            e["entity"],
            e["records"],
            e["quarantined"],
            e["pulled_at"] or "never",
            e["complete"],
        ]
        for e in found["entities"]
    ]
    columns = ["system", "entity", "#records", "#set aside", "last pull to the end", "complete"]
    table("", columns, rows)
    for each in found["entities"]:
        if each["complete"] == "contradicted":
            place = f"{each['system']} {each['entity']}"
            say(clean(f"not complete: {place}: {each['complete_because']}"), fg="yellow")
    say()
    say("writes: " + (", ".join(f"{n:,} {s}" for s, n in found["operations"].items()) or "none"))
    say("breaks: " + (", ".join(f"{n:,} {s}" for s, n in found["breaks"].items()) or "none"))
    say("to review: " + plural(found["candidates"], "link candidate"))
    for line in calls:
        say(clean(f"calls: {line}"))
    for each in found["set_aside"]:
        place = f"{each['system']} {each['entity']} {each['id']}"
        say(clean(f"set aside: {place}: {each['reason']}"), fg="yellow")
    if found["attention"]:
        say("A person is needed: " + ", ".join(_where_to_look(found)))
    return ATTENTION if found["attention"] else FINE


def _where_to_look(found: dict[str, Any]) -> list[str]:
    stuck = [state for state in ("rejected", "unknown") if found["operations"].get(state)]
    places = [f"tieout ops list --state {state}" for state in stuck]
    if found["breaks"].get("open"):
        places.append("tieout breaks list")
    if found["candidates"]:
        places.append("tieout links review")
    if any(each["complete"] == "contradicted" for each in found["entities"]):
        places.append("tieout pull SYSTEM --entity ENTITY --full for what is not complete")
    if found["set_aside"]:
        places.append("mend what is set aside (in the provider, or with a mapping overlay)")
    return places


@click.command("history")
@click.argument("system")
@click.argument("entity")
@click.argument("id")
@AS_JSON
@click.pass_obj
def history_command(config_path: Path, system: str, entity: str, id: str, as_json: bool) -> int:
    """Every version of one record: when it was learnt, by which run, what changed.

    \b
    Example:  tieout history stripe invoice in_1OyE2
    """
    with _hub(config_path) as hub:
        hub.system(system)
        versions = hub.store.records.history(_entity(entity), system, id)
    if not versions:
        raise NotFound(
            f"{system} has no {entity} {id} in the store", hint="tieout pull reads what is there"
        )
    if as_json:
        print_json([asdict(each) for each in versions])
        return FINE
    before: dict[str, Any] = {}
    for each in versions:
        known = each.known_at.isoformat(timespec="seconds")
        say(f"version {each.version}  known since {known}  run {each.cause}")
        now = msgspec.to_builtins(each.record)
        for name, value in now.items():
            if before.get(name) != value and (before or value not in (None, {}, [])):
                say(f"    {name}: {clean(before.get(name, ''))} -> {clean(value)}")
        before = now
    return FINE


def _entity(name: str) -> str:
    from tieout.core.entities import ENTITIES
    from tieout.core.yamltext import did_you_mean

    if name not in ENTITIES:
        raise ConfigError(f"there is no entity {name!r}", hint=did_you_mean(name, ENTITIES))
    return name


@click.group("runs")
def runs_command() -> None:
    """What ran, when, and how it ended.

    \b
    Example:  tieout runs list
    """


@runs_command.command("list")
@click.option("--limit", default=20, show_default=True)
@AS_JSON
@click.pass_obj
def runs_list_command(config_path: Path, limit: int, as_json: bool) -> int:
    """The latest runs, newest first.

    \b
    Example:  tieout runs list --limit 5
    """
    with _hub(config_path) as hub:
        found = hub.store.runs.list(limit=limit)
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        columns = ["run", "job", "started", "finished", "state"]
        rows = [[e.id, e.job, _when(e.started_at), _when(e.finished_at), e.state] for e in found]
        table("", columns, rows)
    return FINE


def _when(moment: Any) -> str:
    return moment.isoformat(sep=" ", timespec="seconds") if moment else ""


@runs_command.command("show")
@click.argument("run_id")
@ALWAYS_JSON
@click.pass_obj
def runs_show_command(config_path: Path, run_id: str) -> int:
    """One run with its counts, as JSON.

    \b
    Example:  tieout runs show RUN
    """
    with _hub(config_path) as hub:
        found = hub.store.runs.show(run_id)
    print_json(asdict(found))
    return FINE


@click.group("ops")
def ops_command() -> None:
    """Operations: the writes of the outbox.

    \b
    Example:  tieout ops list --state rejected
    """


@ops_command.command("list")
@click.option("--state", help="pending, sent, confirmed, rejected, unknown or discarded.")
@click.option("--limit", default=50, show_default=True)
@AS_JSON
@click.pass_obj
def ops_list_command(config_path: Path, state: str | None, limit: int, as_json: bool) -> int:
    """The writes and where they stand, oldest first.

    \b
    Example:  tieout ops list --state unknown
    """
    with _hub(config_path) as hub:
        found = hub.store.outbox.list(state=state, limit=limit)
    if as_json:
        print_json([asdict(each) for each in found])
        return FINE
    rows = [[e.id, e.state, e.action, e.target, e.entity, _origin(e), e.error or ""] for e in found]
    table("", ["op", "state", "action", "target", "entity", "from", "why"], rows)
    return FINE


def _origin(operation: Any) -> str:
    return f"{operation.body.get('source')} {operation.body.get('source_id')}"


@ops_command.command("show")
@click.argument("op_id")
@ALWAYS_JSON
@click.pass_obj
def ops_show_command(config_path: Path, op_id: str) -> int:
    """One operation with its fields and key, as JSON.

    \b
    Example:  tieout ops show OP
    """
    with _hub(config_path) as hub:
        print_json(asdict(hub.store.outbox.get(op_id)))
    return FINE


@ops_command.command("retry")
@click.argument("op_id")
@click.pass_obj
def ops_retry_command(config_path: Path, op_id: str) -> int:
    """Let the next apply try a refused or unknown operation again (it looks it up first).

    \b
    Example:  tieout ops retry OP && tieout apply
    """
    with _hub(config_path) as hub, hub.store.transaction():
        hub.store.outbox.retry(op_id)
        hub.store.audit.append("person", "retry", f"operation {op_id}", {})
    say(f"{op_id} is tried again by the next tieout apply")
    return FINE


@ops_command.command("discard")
@click.argument("op_id")
@click.option("--reason", required=True, help="Why; goes into the audit trail.")
@click.pass_obj
def ops_discard_command(config_path: Path, op_id: str, reason: str) -> int:
    """Give up an operation for good.

    \b
    Example:  tieout ops discard OP --reason "entered by hand"
    """
    with _hub(config_path) as hub, hub.store.transaction():
        hub.store.outbox.discard(op_id, reason)
        hub.store.audit.append("person", "discard", f"operation {op_id}", {"reason": reason})
    say(f"{op_id} is discarded")
    return FINE


@click.group("links")
def links_command() -> None:
    """Links: which records are the same real-world thing, and why.

    \b
    Example:  tieout links list --entity customer
    """


@links_command.command("list")
@click.option("--entity", help="Only this entity.")
@click.option("--limit", default=50, show_default=True)
@AS_JSON
@click.pass_obj
def links_list_command(config_path: Path, entity: str | None, limit: int, as_json: bool) -> int:
    """Links with their reasons.

    \b
    Example:  tieout links list --entity invoice --limit 10
    """
    with _hub(config_path) as hub:
        found = hub.store.links.list(entity=entity, limit=limit)
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        rows = [[e.link, e.entity, e.system, e.id, e.reason] for e in found]
        table("", ["link", "entity", "system", "id", "why"], rows)
    return FINE


@links_command.command("show")
@click.argument("system")
@click.argument("entity")
@click.argument("id")
@ALWAYS_JSON
@click.pass_obj
def links_show_command(config_path: Path, system: str, entity: str, id: str) -> int:
    """What one record is linked to, as JSON.

    \b
    Example:  tieout links show stripe customer cus_1
    """
    with _hub(config_path) as hub:
        link = hub.store.links.of(_entity(entity), system, id)
        members = hub.store.links.members(entity, link) if link else {}
    if not link:
        raise NotFound(f"{system} {entity} {id} is not linked", hint="tieout links list")
    print_json({"link": link, "entity": entity, "members": members})
    return FINE


@links_command.command("review")
@AS_JSON
@click.pass_obj
def links_review_command(config_path: Path, as_json: bool) -> int:
    """Candidates that were too weak or too many to be linked without a person.

    \b
    Example:  tieout links review
    """
    with _hub(config_path) as hub:
        found = hub.store.candidates.list()
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        rows = [[e.entity, " ".join(e.left), " ".join(e.right), e.reason] for e in found]
        table("", ["entity", "record", "candidate", "why"], rows)
    return ATTENTION if found else FINE


@links_command.command("unlink")
@click.argument("system")
@click.argument("entity")
@click.argument("id")
@click.option("--reason", required=True, help="Why; goes into the audit trail.")
@click.pass_obj
def links_unlink_command(config_path: Path, system: str, entity: str, id: str, reason: str) -> int:
    """Take one record out of its link.

    \b
    Example:  tieout links unlink netsuite customer 42 --reason "another company"
    """
    with _hub(config_path) as hub, hub.store.transaction():
        if hub.store.links.of(_entity(entity), system, id) is None:
            raise ConfigError(f"{system} {entity} {id} is not linked", hint="tieout links list")
        hub.store.links.unlink(entity, system, id)
        hub.store.audit.append("person", "unlink", f"{system} {entity} {id}", {"reason": reason})
    say(f"{system} {entity} {id} is no longer linked")
    return FINE


@links_command.command("merge")
@click.argument("entity")
@click.argument("records", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why; goes into the audit trail.")
@click.pass_obj
def links_merge_command(
    config_path: Path, entity: str, records: tuple[str, ...], reason: str
) -> int:
    """Say that RECORDS, each written SYSTEM:ID, are the same thing.

    \b
    Example:  tieout links merge customer stripe:cus_1 netsuite:42 --reason "asked them"
    """
    from tieout.jobs import tasks

    members = [(system, id) for system, _, id in (each.partition(":") for each in records)]
    if len(members) < 2 or not all(system and id for system, id in members):
        raise ConfigError("name two records or more, each as SYSTEM:ID", hint="stripe:cus_1")
    with open_hub(config_path) as hub:
        for system, _ in members:
            hub.system(system)
        link = tasks.link_by_hand(hub, _entity(entity), members, reason)
    say(f"linked as {link}; tieout plan looks at them again")
    return FINE


@links_command.command("split")
@click.argument("entity")
@click.argument("link")
@click.option("--reason", required=True, help="Why; goes into the audit trail.")
@click.pass_obj
def links_split_command(config_path: Path, entity: str, link: str, reason: str) -> int:
    """Dissolve a LINK: its records are no longer held to be the same thing.

    \b
    Example:  tieout links split customer LINK --reason "two companies of one name"
    """
    with _hub(config_path) as hub, hub.store.transaction():
        members = hub.store.links.members(_entity(entity), link)
        if not members:
            raise ConfigError(f"there is no {entity} link {link!r}", hint="tieout links list")
        for system, ids in members.items():
            for id in ids:
                hub.store.links.unlink(entity, system, id)
        hub.store.audit.append("person", "split", f"{entity} link {link}", {"reason": reason})
    say(f"link {link} is dissolved")
    return FINE


@click.group("audit")
def audit_command() -> None:
    """The append-only, hash-chained trail of everything that was written.

    \b
    Example:  tieout audit verify
    """


@audit_command.command("verify")
@AS_JSON
@click.pass_obj
def audit_verify_command(config_path: Path, as_json: bool) -> int:
    """Walk the chain; name the first row that was tampered with.

    \b
    Example:  tieout audit verify
    """
    with _hub(config_path) as hub:
        bad = hub.store.audit.verify()
        count, head = hub.store.audit.head()
    if as_json:
        print_json({"whole": bad is None, "first_bad_row": bad, "entries": count, "head": head})
        return FINE if bad is None else FAILED
    if bad is not None:
        say(f"error: row {bad} of the audit trail does not fit the chain", fg="red", err=True)
        say("  fix     compare with the head hash of an earlier report; restore a backup", err=True)
        return FAILED
    say(f"{plural(count, 'entry')}, the chain is whole")
    return FINE
