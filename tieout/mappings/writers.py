"""The way back: canonical fields to request bodies, and to what the provider would make of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tieout.core.entities import ENTITIES, Record
from tieout.core.errors import InvalidRecord

from .codec import Codec, Partly
from .forms import FINISH, Context
from .paths import put, steps_of
from .readers import BAD_SHAPE, codec_of
from .rules import NEVER, NOTHING, EntityRules, Rule
from .shown import shown
from .targets import SCALAR


class FieldWriter:
    """One writable rule: renders a value into a body, and projects it."""

    def __init__(self, rule: Rule, context: Context) -> None:
        self.rule = rule
        self.steps = rule.write_to
        self.codec: Codec | None = None
        self.parts: dict[str, FieldWriter] = {}
        if rule.target.kind == "list":
            self.parts = {
                name: FieldWriter(part, context)
                for name, part in rule.fields.items()
                if _can_write(part)
            }
        else:
            self.codec = codec_of(rule, context)

    def render(self, value: Any, currency: str | None, creating: bool) -> Any:
        if value is None:
            return None
        if self.codec is not None:
            return self.codec.render(value, currency)
        return [self._row(row, currency, creating) for row in value]

    def _row(self, row: Any, currency: str | None, creating: bool) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name, part in self.parts.items():
            value = getattr(row, name)
            if value is not None and part.rule.writes(creating):
                put(body, part.steps, part.render(value, currency, creating))
        return body

    def project(self, value: Any, currency: str | None) -> Any:
        if value is None:
            return None
        if self.codec is not None:
            found = self.codec.parse(self.codec.render(value, currency), currency)
            return found.value if isinstance(found, Partly) else found
        return tuple(self._projected(row, currency) for row in value)

    def _projected(self, row: Any, currency: str | None) -> Any:
        changed = {
            name: part.project(getattr(row, name), currency) for name, part in self.parts.items()
        }
        return msgspec.structs.replace(row, **changed)


def _can_write(rule: Rule) -> bool:
    """A rule with a path to write to; a computed value has none."""
    return rule.write != NEVER and bool(rule.write_to) and rule.constant is NOTHING


def _writer(rule: Rule, context: Context) -> FieldWriter | None:
    if rule.choices:
        return next((found for each in rule.choices if (found := _writer(each, context))), None)
    return FieldWriter(rule, context) if _can_write(rule) else None


class EntityWriter:
    """Renders and projects the fields of one entity."""

    def __init__(self, rules: EntityRules, context: Context, empty: Any) -> None:
        self.rules, self.context, self.empty = rules, context, empty
        self.struct: type[Record] = ENTITIES[rules.entity]
        self.types = {each.name: each.type for each in msgspec.structs.fields(self.struct)}
        self.fields = self._writers(rules.fields)
        self.custom = self._writers(rules.custom)
        self.external_ids = self._writers(rules.external_ids)

    def _writers(self, rules: Mapping[str, Rule]) -> dict[str, FieldWriter]:
        found = {name: _writer(rule, self.context) for name, rule in rules.items()}
        return {name: each for name, each in found.items() if each is not None}

    def writable(self, *, creating: bool) -> frozenset[str]:
        names = {name for name, each in self.fields.items() if each.rule.writes(creating)}
        for prefix, table in (("custom", self.custom), ("external_ids", self.external_ids)):
            names |= {
                f"{prefix}.{name}" for name, each in table.items() if each.rule.writes(creating)
            }
        if self._takes_metadata(creating):
            names.add("custom")
        return frozenset(names)

    def _takes_metadata(self, creating: bool) -> bool:
        write = self.rules.metadata_write
        return bool(self.rules.metadata) and Rule(SCALAR, write=write).writes(creating)

    def render(self, fields: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if creating:
            for steps, value in self.rules.create:
                put(body, steps, value)
        flat = _flat(fields)
        currency = flat.get("currency") or self.context.currency
        for name, value in flat.items():
            self._place(body, name, value, currency, creating)
        if self.rules.finish:
            try:
                body = FINISH[self.rules.finish](body, fields, self.context, creating)
            except BAD_SHAPE as error:
                raise InvalidRecord(
                    f"cannot be rendered ({type(error).__name__}: {error})"[:160],
                    where=self.rules.entity,
                ) from error
        return body

    def _place(
        self, body: dict[str, Any], name: str, value: Any, currency: str | None, creating: bool
    ) -> None:
        found = self._find(name, creating)
        if found is None or (value is None and creating):
            return
        steps, writer = found
        try:
            if writer is not None:
                typed = self._typed(name, value)
                value = writer.render(typed, currency, creating)
            elif value is not None:
                value = str(value)
            put(body, steps, self._settled(value, creating))
        except InvalidRecord as error:
            error.where = error.where or f"{self.rules.entity}, field {name}"
            raise
        except BAD_SHAPE as error:
            raise InvalidRecord(
                f"{shown(value)} cannot be rendered ({type(error).__name__})",
                where=f"{self.rules.entity}, field {name}",
            ) from error

    def _find(
        self, name: str, creating: bool
    ) -> tuple[tuple[str | int, ...], FieldWriter | None] | None:
        """Where a field goes and by which rule; a custom one without a rule is metadata."""
        table, _, rest = name.partition(".")
        if not rest:
            writer = self.fields.get(name)
        else:
            writer = (self.custom if table == "custom" else self.external_ids).get(rest)
        if writer is not None:
            return (writer.steps, writer) if writer.rule.writes(creating) else None
        spread = table == "custom" and rest and rest not in self.rules.custom
        if spread and self._takes_metadata(creating):
            return (*steps_of(self.rules.metadata[0]), rest), None
        return None

    def _typed(self, name: str, value: Any) -> Any:
        """Plain JSON values (as plans and operations keep them) with their types back."""
        if value is None or name not in self.types:
            return value
        try:
            return msgspec.convert(value, self.types[name])
        except msgspec.ValidationError as error:
            raise InvalidRecord(f"{shown(value)}: {error}") from None

    def _settled(self, value: Any, creating: bool) -> Any:
        """Nulls: left out of a create, the provider's way to clear a field in an update."""
        if value is None:
            return self.empty
        if isinstance(value, dict):
            return {
                key: self._settled(each, creating)
                for key, each in value.items()
                if each is not None or not creating
            }
        return value

    def project(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        flat = _flat(fields)
        currency = flat.get("currency") or self.context.currency
        found: dict[str, Any] = {}
        for name, value in flat.items():
            writer = self._projector(name)
            if writer is None:
                if self._find(name, True) or self._find(name, False):
                    found[name] = None if value is None else str(value)
                continue
            try:
                found[name] = writer.project(self._typed(name, value), currency)
            except InvalidRecord as error:
                error.where = error.where or f"{self.rules.entity}, field {name}"
                raise
        return found

    def _projector(self, name: str) -> FieldWriter | None:
        table, _, rest = name.partition(".")
        if not rest:
            return self.fields.get(name)
        return (self.custom if table == "custom" else self.external_ids).get(rest)


def _flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`custom: {tier: x}` and `custom.tier: x` alike as the latter; likewise external_ids."""
    flat: dict[str, Any] = {}
    for name, value in fields.items():
        if name in ("custom", "external_ids") and isinstance(value, Mapping):
            flat |= {f"{name}.{key}": each for key, each in value.items()}
        else:
            flat[name] = value
    return flat
