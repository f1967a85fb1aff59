"""One mapping compiled for one configured system: records in, bodies out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from tieout.core.entities import ENTITIES, Record
from tieout.core.errors import ConfigError, InvalidRecord
from tieout.core.yamltext import did_you_mean

from .codec import Partly, wrong_type
from .drift import KnownPaths
from .fastpath import may_leave, record_reader
from .forms import PREPARE, Context, Prepare
from .paths import first_getter
from .plain_codecs import Scalar
from .readers import BAD_SHAPE, Reader, as_scalar, reader
from .rules import EntityRules
from .writers import EntityWriter

_DECODE = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


@dataclass(frozen=True)
class _Plan:
    """The compiled rules of one entity."""

    struct: type[Record]
    fast: Callable[[dict[str, Any]], Record]
    prepare: Prepare | None
    id: Reader
    currency: Reader | None
    needs_currency: bool
    fields: tuple[tuple[str, Reader], ...]
    constants: Mapping[str, Any]
    required: tuple[str, ...]
    uncertain: tuple[str, ...]  # fields whose value may be a Partly
    external_ids: tuple[tuple[str, Reader], ...]
    custom: tuple[tuple[str, Reader], ...]
    metadata: Callable[[dict[str, Any]], Any] | None
    spread: Callable[[dict[str, Any], Any], None]


class Mapper:
    """Reads and writes the records of one system. Cheap to call, safe to share."""

    def __init__(self, rules: Mapping[str, EntityRules], context: Context, empty: Any) -> None:
        self.context = context
        self._rules = rules
        self._plans = {entity: _plan(each, context) for entity, each in rules.items()}
        self._writers = {
            entity: EntityWriter(each, context, empty) for entity, each in rules.items()
        }
        self._known: dict[str, KnownPaths] = {}

    @property
    def entities(self) -> tuple[str, ...]:
        """What the mapping maps."""
        return tuple(self._plans)

    def parse(self, entity: str, raw: dict[str, Any]) -> Record:
        """The canonical record of a decoded payload (numbers exact: int or Decimal).

        Raises InvalidRecord; its `where` is such as "invoice in_1, field total_minor".
        """
        record = self._prepared(entity, raw)
        try:
            return self._plans[entity].fast(record)
        except Exception:  # whatever it was, the careful way says what and where
            return self._read(entity, record)[0]

    def parse_bytes(self, entity: str, body: bytes) -> Record:
        """As `parse`, from JSON bytes. Raises InvalidRecord for what is no JSON object, too."""
        return self.parse(entity, self._decoded(entity, body))

    def remarks(self, entity: str, raw: dict[str, Any]) -> list[str]:
        """What was kept in `custom` because it was not understood: "currency: 'xyz'"."""
        left = self._read(entity, self._prepared(entity, raw))[1]
        return [f"{name}: {value!r} was kept as custom.{name}" for name, value in left.items()]

    def render(self, entity: str, fields: Mapping[str, Any], *, creating: bool) -> dict[str, Any]:
        """The request body for the given canonical fields; what can't be written is left out.

        References must already be ids of this system. Values may be typed or plain JSON. Null
        is left out of a create and clears the field in an update. Raises InvalidRecord.
        """
        return self._writer(entity).render(fields, creating=creating)

    def project(self, entity: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The writable ones of the fields as this provider would give them back."""
        return self._writer(entity).project(fields)

    def writable(self, entity: str, *, creating: bool) -> frozenset[str]:
        """The canonical fields that `render` sends. "custom" in it stands for any custom field."""
        return self._writer(entity).writable(creating=creating)

    def unknown_fields(self, entity: str, raw: dict[str, Any]) -> list[str]:
        """Schema drift: the paths in a payload that neither the rules nor `ignore` know."""
        self._plan(entity)
        known = self._known.get(entity)
        if known is None:
            known = self._known[entity] = KnownPaths(self._rules[entity])
        return known.unknown(self._prepared(entity, raw))

    def _plan(self, entity: str) -> _Plan:
        try:
            return self._plans[entity]
        except KeyError:
            raise ConfigError(
                f"{self.context.system}: the mapping has no entity {entity!r}",
                hint=did_you_mean(entity, self._plans),
            ) from None

    def _writer(self, entity: str) -> EntityWriter:
        self._plan(entity)
        return self._writers[entity]

    def _decoded(self, entity: str, body: bytes) -> dict[str, Any]:
        try:
            return _DECODE(body)
        except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError) as error:
            raise InvalidRecord(
                f"is not a JSON object that can be read: {error}", where=entity
            ) from None

    def _prepared(self, entity: str, raw: Any) -> dict[str, Any]:
        prepare = self._plan(entity).prepare
        if type(raw) is not dict:
            raise InvalidRecord("is not a JSON object", where=entity)
        if prepare is None:
            return raw
        try:
            return prepare(raw, self.context)
        except InvalidRecord as error:
            error.where = _where(entity, _told_id(raw), error.where)
            raise
        except BAD_SHAPE as error:
            raise InvalidRecord(
                f"has another shape than documented ({type(error).__name__}: {error})"[:160],
                where=_where(entity, _told_id(raw), ""),
            ) from error

    def _read(self, entity: str, record: dict[str, Any]) -> tuple[Record, dict[str, Any]]:
        """The careful way: field by field, so that a complaint can name the field."""
        plan = self._plan(entity)
        values: dict[str, Any] = dict(plan.constants)
        values["system"] = self.context.system
        id: Any = None
        name = "id"
        try:
            id = values["id"] = plan.id(record, None)
            name = "currency"
            currency = self._currency(plan, record)
            for name, read in plan.fields:
                values[name] = read(record, currency)
            name = "external_ids"
            if plan.external_ids:
                values[name] = _external_ids(plan, record, currency)
            name = "custom"
            custom = _custom(plan, record, currency)
        except InvalidRecord as error:
            error.where = _where(entity, id, name + error.where)
            raise
        except BAD_SHAPE as error:
            raise InvalidRecord(
                f"has another shape than documented ({type(error).__name__}: {error})"[:160],
                where=_where(entity, id, name),
            ) from error
        left = _leftovers(plan, values)
        if left:
            for name, value in left.items():
                custom[name if name not in custom else f"received_{name}"] = value
        values["custom"] = custom
        if values.get("deleted") is None:
            values["deleted"] = False
        self._complete(plan, entity, values)
        return plan.struct(**values), left

    def _currency(self, plan: _Plan, record: dict[str, Any]) -> str | None:
        found = plan.currency(record, None) if plan.currency else None
        if found is None:
            return self.context.currency
        return str(found.left[""]).upper() if found.__class__ is Partly else str(found)

    def _complete(self, plan: _Plan, entity: str, values: dict[str, Any]) -> None:
        """Required fields; a deleted record may be a stub with nothing but its id."""
        if plan.needs_currency and values.get("currency") is None:
            values["currency"] = self.context.currency
        for name in plan.required:
            if values.get(name) is None and (name == "id" or not values["deleted"]):
                raise InvalidRecord(
                    "is missing" if name != "currency" else "is missing or unknown",
                    where=_where(entity, values.get("id"), name),
                    hint="give the system's `currency` (--currency)" if name == "currency" else "",
                )


def _told_id(raw: dict[str, Any]) -> Any:
    """An id for a complaint, before any rule has read one: the record's or its envelope's."""
    for held in (raw, *raw.values()):
        if isinstance(held, dict) and (id := held.get("id") or held.get("Id")):
            return id
    return None


def _where(entity: str, id: Any, name: str) -> str:
    place = f"{entity} {id}" if isinstance(id, str) and id else entity
    return f"{place}, field {name}" if name else place


def _leftovers(plan: _Plan, values: dict[str, Any]) -> dict[str, Any]:
    left: dict[str, Any] = {}
    for name in plan.uncertain:
        value = values[name]
        if value.__class__ is Partly:
            values[name] = value.value
            for suffix, received in value.left.items():
                left[f"{name}_{suffix}" if suffix else name] = received
    return left


def _external_ids(plan: _Plan, record: dict[str, Any], currency: str | None) -> dict[str, str]:
    found = {}
    for name, read in plan.external_ids:
        value = read(record, currency)
        if value is not None and value.__class__ is not Partly:
            found[name] = str(value)
    return found


def _custom(plan: _Plan, record: dict[str, Any], currency: str | None) -> dict[str, Any]:
    """Custom fields by rule, then each key of the metadata; on a clash `metadata_<key>`."""
    found: dict[str, Any] = {}
    for name, read in plan.custom:
        value = read(record, currency)
        if value is not None:
            if value.__class__ is Partly:
                value = next(iter(value.left.values()))
            found[name] = as_scalar(value)
    if plan.metadata:
        plan.spread(found, plan.metadata(record))
    return found


_SCALAR = Scalar({}, Context("-"))


def _spreader(rules: EntityRules) -> Callable[[dict[str, Any], Any], None]:
    """A function that adds metadata to custom fields, apart from what a rule of the key's own
    name has read already."""
    own = frozenset(
        name
        for name, rule in rules.custom.items()
        if any(path == f"{holder}.{name}" for path in rule.paths for holder in rules.metadata)
    )
    scalar = _SCALAR.parse

    def spread(found: dict[str, Any], metadata: Any) -> None:
        if not metadata:
            return
        if type(metadata) is not dict:
            raise wrong_type(metadata, "a table of custom fields")
        for key, value in metadata.items():
            if key in found and key in own:
                continue
            plain = value if type(value) is str and value else _plain(value)
            if plain is not None:
                found[key if key not in found else f"metadata_{key}"] = plain

    def _plain(value: Any) -> Any:
        return None if value is None else scalar(value, None)

    return spread


def _plan(rules: EntityRules, context: Context) -> _Plan:
    every = {**rules.common, **rules.fields}
    constants = {
        name: rule.constant
        for name, rule in every.items()
        if type(rule.constant) in (str, int, bool, type(None)) and not rule.when
    }
    compiled = {
        name: reader(rule, context)
        for name, rule in every.items()
        if name not in constants and name != "id"
    }
    currency = reader(rules.fields["currency"], context) if "currency" in rules.fields else None
    struct, spread = ENTITIES[rules.entity], _spreader(rules)
    return _Plan(
        struct=struct,
        fast=record_reader(rules, struct, context, spread),
        prepare=PREPARE[rules.prepare] if rules.prepare else None,
        id=reader(rules.common["id"], context),
        currency=currency,
        needs_currency="currency" in rules.fields and rules.fields["currency"].required,
        fields=tuple(compiled.items()),
        constants=constants,
        required=tuple(name for name, rule in every.items() if rule.required),
        uncertain=tuple(name for name in compiled if may_leave(every[name])),
        external_ids=tuple(
            (name, reader(rule, context)) for name, rule in rules.external_ids.items()
        ),
        custom=tuple((name, reader(rule, context)) for name, rule in rules.custom.items()),
        metadata=first_getter(rules.metadata) if rules.metadata else None,
        spread=spread,
    )
