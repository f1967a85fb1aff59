"""config.yaml and its secrets, turned into frozen settings; all problems are told at once.

Secrets are references, `${ENV_VAR}` or `${file:PATH}`, never values: they are looked up here
and travel on as `SecretStr`, whose text form is masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tieout.core.entities import fields_of
from tieout.core.errors import ConfigError
from tieout.core.yamltext import Document, did_you_mean, raise_for, read_yaml_file

from .models import Config, Flow, Mail, System, SystemBase, Top

SettingsOf = Callable[[str], type[BaseModel]]  # connector type -> its settings model

_REFERENCE = re.compile(r"\$\{(?:(?P<file>file:)(?P<path>[^}]+)|(?P<env>[A-Za-z_][A-Za-z0-9_]*))\}")
_NAME = r"^[a-z][a-z0-9_]{0,39}$"
_BASE_FIELDS = frozenset(SystemBase.model_fields)


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
        self._unset: set[tuple[str | int, ...]] = set()  # where a reference leads nowhere
        self.document: Document = read_yaml_file(path)

    def load(self) -> Config:
        document = self.document
        raise_for(document.problems)
        if not isinstance(document.value, dict):
            document.problem((), "is empty or not a mapping", "start with `tieout init`")
            raise_for(document.problems)
        top = self._validate(Top, document.value, ())
        systems = self._systems(document.value.get("systems"))
        flows = self._flows(document.value.get("flows"))
        self._check_flows(flows)
        self._secret_of_mail()
        if isinstance(top, Top):
            self._check_zone(top.timezone, ("timezone",))
        raise_for(document.problems)
        assert isinstance(top, Top)
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
        except ConfigError as error:
            self.document.problem((*where, "type"), error.message, error.hint)
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
        given = self._resolved(raw, where)
        try:
            return model.model_validate(given)
        except ValidationError as error:
            details = [
                each
                for each in error.errors(include_url=False, include_input=False)
                if (*where, *each["loc"]) not in self._unset
            ]
            for detail in details:
                self._note(model, detail, where, also)
            # What is not set has been told, or is of no use to what works offline.
            return None if details else model.model_construct(**given)

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
        elif detail["type"] == "value_error":
            self.document.problem(path, f"{_dotted(path)}: {detail['ctx']['error']}")
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
                self._unset.add(where)
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
