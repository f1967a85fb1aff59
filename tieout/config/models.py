"""What config.yaml may say, as frozen models, and what a checked file becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from tieout.core.entities import ENTITIES


def _many(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


Texts = Annotated[tuple[str, ...], BeforeValidator(_many)]
Values = Annotated[tuple[str | int | bool, ...], BeforeValidator(_many)]


class Model(BaseModel):
    """Frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Compare(Model):
    """How far two values may differ before it is a break."""

    tolerance_minor: int = Field(0, ge=0, description="difference in minor units that is accepted")
    tolerance_days: int = Field(0, ge=0, le=366, description="days that dates may lie apart")
    ignore_case: bool = Field(False, description="compare text without regard to case and spaces")
    same: tuple[tuple[str, ...], ...] = Field(
        (), description="groups of values that count as equal"
    )


class Flow(Model):
    """One entity kept in agreement between two systems."""

    entity: Literal[tuple(ENTITIES)]  # type: ignore[valid-type]
    from_: str = Field(alias="from", description="the system that records come from")
    to: str = Field(description="the system that they are written to and compared with")
    match: Texts = Field((), description="how records that nobody linked yet find each other")
    both_changed: Literal["owner", "newest", "flag"] = Field(
        "owner", description="what happens when both sides changed since they last agreed"
    )
    owners: dict[str, Texts] = Field({}, description="field -> the system that owns it, or several")
    fields: Texts = Field((), description="fields to keep in agreement; default: the usual ones")
    where: dict[str, Values] = Field({}, description="only records whose field has such a value")
    compare: dict[str, Compare] = Field({}, description="field -> tolerance")
    mode: Literal["sync", "compare"] = Field("sync", description="compare: never write")
    starts_on: date | None = Field(None, description="older documents are compared, never created")

    @property
    def name(self) -> str:
        """How the flow is called in plans, breaks and reports."""
        return f"{self.entity} {self.from_} > {self.to}"


class Guard(Model):
    """Where a plan stops and asks, because it would change far too much."""

    max_writes: int = Field(1000, ge=0, description="writes of one plan")
    max_update_percent: int = Field(
        20, ge=0, le=100, description="share of a target's linked records that may be updated"
    )
    max_archives: int = Field(20, ge=0, description="records of one plan that may be archived")
    max_deletions: int = Field(
        20, ge=0, description="records of one pull that may be found to be gone at the provider"
    )


class Reconcile(Model):
    """When a difference is still in flight."""

    settle_minutes: int = Field(15, ge=0, description="records changed this recently are in flight")


class Mail(Model):
    """Where the daily report goes."""

    to: Texts
    from_: str = Field(alias="from")
    host: str = "localhost"
    port: int = Field(587, ge=1, le=65535)
    user: str = ""
    password: SecretStr = SecretStr("")
    tls: Literal["starttls", "tls", "none"] = "starttls"


class Report(Model):
    """The daily report."""

    out: str = Field("reports", description="folder for report files")
    title: str = "Daily reconciliation"
    email: Mail | None = None


class SystemBase(Model):
    """What every system has, whatever its type."""

    type: str = Field(description="the connector: see `tieout connectors list`")
    timezone: str = Field("UTC", description="time zone of the account, for dates")
    currency: str | None = Field(None, pattern="^[A-Z]{3}$", description="where records name none")
    entities: Texts = Field((), description="what to pull; default: what the flows need")
    mappings: Texts = Field((), description="mapping overlays, relative to config.yaml")
    options: dict[str, Any] = Field({}, description="options of the mapping")
    reserve_percent: int | None = Field(
        None,
        ge=0,
        le=95,
        description="share of every pool of calls that is left to other users of the login; "
        "default: 20 of daily and hourly pools, 5 of shorter ones",
    )


class Top(Model):
    store: str = Field("tieout.db", description="the store's file")
    timezone: str = Field("UTC", description="the time zone in which a day is a day")
    systems: dict[str, dict[str, Any]] = Field(description="name -> connection")
    flows: tuple[dict[str, Any], ...] = ()
    guard: Guard = Guard()
    reconcile: Reconcile = Reconcile()
    report: Report = Report()


@dataclass(frozen=True)
class System:
    """One configured connection. `settings` is the connector's own model; `where` is file:line."""

    name: str
    base: SystemBase
    settings: BaseModel = field(repr=False)
    where: str
    overlays: tuple[Path, ...]


@dataclass(frozen=True)
class Config:
    """A whole configuration, checked."""

    path: Path
    store: str
    timezone: str
    systems: Mapping[str, System]
    flows: tuple[Flow, ...]
    guard: Guard
    reconcile: Reconcile
    report: Report
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def folder(self) -> Path:
        """Where relative paths of config.yaml start."""
        return self.path.parent
