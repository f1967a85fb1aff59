"""Reconciling as a job, and the latest outcome kept for reports."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tieout.hub import Hub
from tieout.reconcile.outcome import Outcome
from tieout.sync import reconcile as comparing

from .tasks import run_of


def reconcile(hub: Hub, *, as_of: date | None = None) -> Outcome:
    """Compare all flows and file the breaks; StopRun where a cent stays unexplained."""
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
