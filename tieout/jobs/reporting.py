"""Reconciling, writing the daily report and mailing it, as jobs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tieout.core.errors import ConfigError
from tieout.hub import Hub
from tieout.reconcile.outcome import Outcome
from tieout.reports import daily, mail
from tieout.reports.facts import facts_of
from tieout.sync import reconcile as comparing

from .tasks import run_of


def reconcile(hub: Hub, *, as_of: date | None = None) -> Outcome:
    """Compare all flows and file the breaks; StopRun where a cent stays unexplained."""
    if not hub.flows:
        raise ConfigError(
            f"{hub.config.path} has no flows, so there is nothing to compare",
            where=str(hub.config.path),
            hint="add some under `flows:`, see docs/config.md",
        )
    zones = {name: system.base.timezone for name, system in hub.config.systems.items()}
    rules = comparing.flow_rules(
        hub.flows, zones, settle_minutes=hub.config.reconcile.settle_minutes
    )
    with run_of(hub, "reconcile", {"as_of": as_of.isoformat() if as_of else None}) as run:
        outcome = comparing.reconcile(
            hub.store, rules, hub.ports, as_of=_end_of(hub, as_of), run=run.id
        )
        run.counts = {
            "compared": outcome.compared,
            "breaks": len(outcome.breaks),
            "in_flight": len(outcome.in_flight),
            "accuracy_percent": str(outcome.kpis.accuracy_percent),
        }
    return outcome


def _end_of(hub: Hub, day: date | None) -> datetime | None:
    """The last instant of a day in the business's time zone."""
    if day is None:
        return None
    zone = ZoneInfo(hub.config.timezone)
    start = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return start.astimezone(UTC) - timedelta(microseconds=1)


def report(
    hub: Hub,
    out: Path | None = None,
    *,
    day: date | None = None,
    email: bool = False,
    outcome: Outcome | None = None,
) -> dict[str, Path]:
    """Write report.html, .txt and .xlsx, and mail them; {"html", "txt", "xlsx"} -> path.

    Of an earlier `day` what was known at its end; else of `outcome`, or of a new reconciliation.
    """
    outcome = outcome or reconcile(hub, as_of=day)
    folder = out or hub.config.folder / hub.config.report.out
    files = daily.write_daily(outcome, _context(hub, outcome), folder)
    if email:
        _send(hub, outcome, files)
    return files


def _context(hub: Hub, outcome: Outcome) -> daily.Context:
    return daily.Context(
        title=hub.config.report.title,
        timezone=hub.config.timezone,
        freshness=_freshness(hub),
        written=_written(hub, outcome),
    )


def _freshness(hub: Hub) -> list[daily.Freshness]:
    found = []
    for system in hub.config.systems:
        for entity in hub.entities(system):
            cursor = hub.store.cursors.get(system, entity)
            proof = hub.store.certificates.latest(system, entity)
            found.append(
                daily.Freshness(
                    system,
                    entity,
                    hub.store.records.count(entity, system),
                    hub.store.quarantine.count(entity, system),
                    cursor.since if cursor else None,
                    proof.verdict if proof else "unproven",
                    proof.told if proof else "never read to the end",
                )
            )
    return found


def _written(hub: Hub, outcome: Outcome) -> list[daily.Written]:
    """What tieout wrote in the day before the reconciliation."""
    since = outcome.at - timedelta(days=1)
    counts = hub.store.outbox.confirmed_between(since, outcome.at)
    return [daily.Written(*key, count) for key, count in counts.items()]


def _send(hub: Hub, outcome: Outcome, files: Mapping[str, Path]) -> None:
    settings = hub.config.report.email
    if settings is None:
        raise ConfigError(
            "config.yaml does not say whom to mail the report to",
            where=f"{hub.config.path}, report.email",
            hint="add to, from and host under report: email:, see docs/config.md",
        )
    day = outcome.at.astimezone(ZoneInfo(hub.config.timezone)).date().isoformat()
    message = mail.build(
        subject=f"{hub.config.report.title} {day}: {len(outcome.breaks)} breaks",
        sender=settings.from_,
        to=settings.to,
        text=files["txt"].read_text(encoding="utf-8"),
        html=daily.page(facts_of(outcome, _context(hub, outcome)), mail=True),
        workbook=files["xlsx"].read_bytes(),
        made_at=outcome.at,
        message_id=f"tieout-report-{day}",
        name=f"tieout-{day}.xlsx",
    )
    server = mail.Smtp(
        settings.host,
        settings.port,
        settings.user,
        settings.password.get_secret_value(),
        settings.tls,
    )
    mail.send(message, server)
    hub.store.audit.append("tieout", "mail", f"report {day}", {"to": list(settings.to)})


def document(outcome: Outcome, files: Mapping[str, Path]) -> dict[str, Any]:
    """The outcome as plain values, for programs."""
    return {
        "at": outcome.at,
        "as_of": outcome.as_of,
        "compared": outcome.compared,
        "proofs": [
            {
                "flow": proof.flow,
                "currency": proof.currency,
                "left_minor": proof.left_minor,
                "right_minor": proof.right_minor,
                "difference_minor": proof.difference_minor,
                "explained_minor": proof.explained_minor,
                "unexplained_minor": proof.unexplained_minor,
            }
            for proof in outcome.proofs
        ],
        "kpis": msgspec.to_builtins(outcome.kpis),
        "breaks": [
            msgspec.to_builtins(each) | {"fingerprint": each.fingerprint} for each in outcome.breaks
        ],
        "in_flight": len(outcome.in_flight),
        "waived": len(outcome.waived),
        "new": outcome.new,
        "resolved": outcome.resolved,
        "files": {kind: str(path) for kind, path in files.items()},
    }
