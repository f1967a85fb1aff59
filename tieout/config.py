"""config.yaml and its secrets, turned into frozen settings; all problems are told at once.

Secrets are references, `${ENV_VAR}` or `${file:PATH}`, never values: they are looked up here
and travel on as `SecretStr`, whose text form is masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from tieout.core.entities import ENTITIES, fields_of
from tieout.core.yamltext import Document, did_you_mean, raise_for, read_yaml_file

SettingsOf = Callable[[str], type[BaseModel]]  # connector type -> its settings model

_REFERENCE = re.compile(r"\$\{(?:(?P<file>file:)(?P<path>[^}]+)|(?P<env>[A-Za-z_][A-Za-z0-9_]*))\}")
_NAME = r"^[a-z][a-z0-9_]{0,39}$"


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


_BASE_FIELDS = frozenset(SystemBase.model_fields)


class _Top(Model):
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


def load_config(
    path: Path, settings_of: SettingsOf, env: Mapping[str, str], *, offline: bool = False
) -> Config:
    """Read and check everything; ConfigError lists every problem with its line.

    `settings_of` gives a connector type's settings model (ConfigError: unknown type). With
    `offline` a secret that cannot be found is no problem, its place is taken by a mask.
    """
    return _Loader(path, settings_of, env, offline).load()


class _Loader:
    def __init__(
        self, path: Path, settings_of: SettingsOf, env: Mapping[str, str], offline: bool
    ) -> None:
        self.path, self.settings_of, self.env, self.offline = path, settings_of, env, offline
        self.secrets: list[str] = []
        self.document: Document = read_yaml_file(path)

    def load(self) -> Config:
        document = self.document
        raise_for(document.problems)
        if not isinstance(document.value, dict):
            document.problem((), "is empty or not a mapping", "start with `tieout init`")
            raise_for(document.problems)
        top = self._validate(_Top, document.value, ())
        systems = self._systems(document.value.get("systems"))
        flows = self._flows(document.value.get("flows"))
        self._check_flows(flows)
        self._secret_of_mail()
        if isinstance(top, _Top):
            self._check_zone(top.timezone, ("timezone",))
        raise_for(document.problems)
        assert isinstance(top, _Top)
        return Config(
            path=self.path,
            store=top.store,
            timezone=top.timezone,
            systems=systems,
            flows=tuple(flows.values()),
            guard=top.guard,
            reconcile=top.reconcile,
            report=top.report,
            secrets=tuple(self.secrets),
        )

    # systems

    def _systems(self, raw: object) -> dict[str, System]:
        found: dict[str, System] = {}
        for name, settings in (raw if isinstance(raw, dict) else {}).items():
            where = ("systems", name)
            if not re.match(_NAME, name):
                self.document.problem(
                    where, f"system name {name!r}", "use lower-case letters, digits and _"
                )
            elif isinstance(settings, dict) and (system := self._system(name, settings)):
                found[name] = system
        if isinstance(raw, dict) and not raw:
            self.document.problem(("systems",), "names no system", "see `tieout init`")
        return found

    def _system(self, name: str, raw: dict[str, Any]) -> System | None:
        where = ("systems", name)
        base_part = {key: value for key, value in raw.items() if key in _BASE_FIELDS}
        own_part = {key: value for key, value in raw.items() if key not in _BASE_FIELDS}
        base = self._validate(SystemBase, base_part, where)
        if not isinstance(base, SystemBase):
            return None
        try:
            model = self.settings_of(base.type)
        except Exception as error:
            if not hasattr(error, "hint"):
                raise
            self.document.problem((*where, "type"), str(error), str(error.hint))
            return None
        self._check_zone(base.timezone, (*where, "timezone"))
        self._refuse_inline_secrets(model, own_part, where)
        settings = self._validate(model, own_part, where, also=_BASE_FIELDS)
        overlays = tuple(self.path.parent / each for each in base.mappings)
        for index, overlay in enumerate(overlays):
            if not overlay.is_file():
                self.document.problem((*where, "mappings", index), f"{overlay}: no such file")
        line = f"{self.path}:{self.document.line_of(where)}, systems.{name}"
        return System(name, base, settings, line, overlays) if settings else None

    def _refuse_inline_secrets(
        self, model: type[BaseModel], raw: dict[str, Any], where: tuple[str | int, ...]
    ) -> None:
        for name, info in model.model_fields.items():
            value = raw.get(name)
            if "SecretStr" not in repr(info.annotation) or value is None:
                continue
            for each in value if isinstance(value, list) else [value]:
                if not (isinstance(each, str) and _REFERENCE.fullmatch(each.strip())):
                    self.document.problem(
                        (*where, name),
                        f"{name} must not stand in the file",
                        f"put it into the environment: {name}: ${{{name.upper()}}}",
                    )

    def _secret_of_mail(self) -> None:
        report = self.document.value.get("report")
        email = report.get("email") if isinstance(report, dict) else None
        if isinstance(email, dict):
            self._refuse_inline_secrets(Mail, email, ("report", "email"))

    # flows

    def _flows(self, raw: object) -> dict[int, Flow]:
        found: dict[int, Flow] = {}
        for index, each in enumerate(raw if isinstance(raw, list) else []):
            flow = self._validate(Flow, each, ("flows", index)) if isinstance(each, dict) else None
            if isinstance(flow, Flow):
                found[index] = flow
        return found

    def _check_flows(self, flows: Mapping[int, Flow]) -> None:
        systems = self.document.value.get("systems")
        configured = systems if isinstance(systems, dict) else {}
        for index, flow in flows.items():
            where = ("flows", index)
            for key, name in (("from", flow.from_), ("to", flow.to)):
                if name not in configured:
                    self.document.problem(
                        (*where, key),
                        f"no system is named {name!r}",
                        did_you_mean(name, configured),
                    )
            if flow.from_ == flow.to:
                self.document.problem(where, "from and to are the same system")
            self._check_fields(flow, where)
        first: dict[str, int] = {}
        for index, flow in flows.items():
            if first.setdefault(flow.name, index) != index:
                self.document.problem(("flows", index), f"the flow {flow.name!r} is there twice")

    def _check_fields(self, flow: Flow, where: tuple[str | int, ...]) -> None:
        known = {*fields_of(flow.entity), "external_id"}
        named: list[tuple[tuple[str | int, ...], str]] = [
            (("owners", each), each) for each in flow.owners
        ]
        named += [(("where", each), each) for each in flow.where]
        named += [(("compare", each), each) for each in flow.compare]
        named += [(("fields", index), each) for index, each in enumerate(flow.fields)]
        named += [(("match", index), each) for index, each in enumerate(flow.match)]
        for place, each in named:
            plain = each.removesuffix("_on") + "_at" if each.endswith("_on") else each
            if each not in known and plain not in known and not each.startswith("custom."):
                self.document.problem(
                    (*where, *place),
                    f"{flow.entity} has no field {each!r}",
                    did_you_mean(each, known),
                )
        for each, owners in flow.owners.items():
            for owner in owners:
                if owner not in (flow.from_, flow.to):
                    self.document.problem(
                        (*where, "owners", each),
                        f"{owner!r} is not a side of this flow",
                        f"use {flow.from_} or {flow.to}",
                    )

    # values

    def _check_zone(self, name: str, where: tuple[str | int, ...]) -> None:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.document.problem(
                where, f"there is no time zone {name!r}", "use a name such as America/New_York"
            )

    def _validate(
        self,
        model: type[BaseModel],
        raw: dict[str, Any],
        where: tuple[str | int, ...],
        also: frozenset[str] = frozenset(),
    ) -> BaseModel | None:
        """The model, or None with each problem noted; `also` are keys known one level up."""
        try:
            return model.model_validate(self._resolved(raw, where))
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                self._note(model, detail, where, also)
            return None

    def _note(
        self,
        model: type[BaseModel],
        detail: ErrorDetails,
        where: tuple[str | int, ...],
        also: frozenset[str],
    ) -> None:
        path = (*where, *detail["loc"])
        if detail["type"] == "extra_forbidden":
            known = _keys_at(model, detail["loc"][:-1]) | (
                also if len(detail["loc"]) == 1 else set()
            )
            key = detail["loc"][-1]
            self.document.problem(path, f"unknown key {key!r}", did_you_mean(key, known))
        elif detail["type"] == "missing":
            name = detail["loc"][-1]
            self.document.problem(
                path[:-1], f"{_dotted(path)} is missing", f"add a line {name}: ..."
            )
        elif detail["type"] == "literal_error":
            choices = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
            got = self._value_at(path)
            self.document.problem(path, f"{_dotted(path)}: {got!r}?", did_you_mean(got, choices))
        else:
            self.document.problem(path, f"{_dotted(path)}: {detail['msg'].lower()}")

    def _value_at(self, path: tuple[str | int, ...]) -> Any:
        here = self.document.value
        for step in path:
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                return None
        return here

    def _resolved(self, value: Any, where: tuple[str | int, ...]) -> Any:
        if isinstance(value, dict):
            return {key: self._resolved(each, (*where, key)) for key, each in value.items()}
        if isinstance(value, list):
            return [self._resolved(each, (*where, i)) for i, each in enumerate(value)]
        if isinstance(value, str) and "${" in value:
            return self._with_secrets(value, where)
        return value

    def _with_secrets(self, text: str, where: tuple[str | int, ...]) -> str:
        def look_up(match: re.Match[str]) -> str:
            found, reason, hint = self._secret(match)
            if found is None:
                if not self.offline:
                    self.document.problem(where, reason, hint)
                return "not-set"
            if found not in self.secrets:
                self.secrets.append(found)
            return found

        rest = _REFERENCE.sub("", text)
        if "${" in rest:
            self.document.problem(
                where, f"{rest!r} is no reference", "write ${NAME} or ${file:/path/to/file}"
            )
            return text
        return _REFERENCE.sub(look_up, text)

    def _secret(self, match: re.Match[str]) -> tuple[str | None, str, str]:
        if name := match["env"]:
            value = self.env.get(name)
            if value:
                return value, "", ""
            what = "is empty" if value == "" else "is not set"
            return None, f"the environment variable {name} {what}", f"export {name}=... first"
        path = self.path.parent / match["path"].strip()
        try:
            content = path.read_text(encoding="utf-8").strip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not text"
            return None, f"the secret file {path} cannot be read: {reason}", "create it, mode 0600"
        if not content:
            return None, f"the secret file {path} is empty", "put the secret into it"
        return content, "", ""


def _keys_at(model: type[BaseModel], loc: tuple[str | int, ...]) -> set[str]:
    """The keys that the model has at a place inside it; empty where it can't be told."""
    here: Any = model
    for step in loc:
        if not (isinstance(here, type) and issubclass(here, BaseModel)):
            break
        if isinstance(step, int):
            continue
        info = here.model_fields.get(step) or next(
            (each for each in here.model_fields.values() if each.alias == step), None
        )
        here = _inner_model(info.annotation) if info else None
    if not (isinstance(here, type) and issubclass(here, BaseModel)):
        return set()
    return {info.alias or name for name, info in here.model_fields.items()}


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if found := _inner_model(argument):
            return found
    return None


def _dotted(path: tuple[str | int, ...]) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text


def config_schema(settings: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """JSON Schema (2020-12) of config.yaml for editors, with each connector's own settings."""
    top = _Top.model_json_schema(by_alias=True)
    shared: dict[str, Any] = top.setdefault("$defs", {})
    flow = Flow.model_json_schema(by_alias=True)
    shared.update(flow.pop("$defs", {}))
    shared["Flow"] = flow
    top["properties"]["flows"]["items"] = {"$ref": "#/$defs/Flow"}
    base = SystemBase.model_json_schema(by_alias=True)
    variants = []
    for name, model in sorted(settings.items()):
        own = model.model_json_schema(by_alias=True)
        shared.update(own.pop("$defs", {}))
        variants.append(
            {
                "title": name,
                "type": "object",
                "additionalProperties": False,
                "properties": base["properties"]
                | own.get("properties", {})
                | {"type": {"const": name}},
                "required": ["type", *own.get("required", [])],
            }
        )
    top["properties"]["systems"]["additionalProperties"] = {"oneOf": variants}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tieout config.yaml",
        **_without_titles(top),
    }


def _without_titles(schema: Any) -> Any:
    """pydantic's generated titles only repeat the keys; constants of Decimal become text."""
    if isinstance(schema, dict):
        return {
            key: _without_titles(value)
            for key, value in schema.items()
            if not (key == "title" and isinstance(value, str) and "properties" not in schema)
        }
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    return str(schema) if isinstance(schema, Decimal) else schema
