"""YAML documents to checked rules. Every problem is noted with its line; none stops the reading."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from tieout.core.entities import ENTITIES
from tieout.core.yamltext import Document, did_you_mean

from .codec import CODECS, texts
from .forms import FINISH, PREPARE
from .paths import EVERY, getter, steps_of
from .rules import NEVER, NOTHING, WRITES, Condition, EntityRules, Rule, Term
from .sources import COMMON, SOURCES, TABLES, Sources, gather_sources
from .spots import Spot, check_codec, known, standing
from .targets import DEFAULT_CODECS, KINDS, SCALAR, TEXT, Target, entity_fields, targets_of

RULE_KEYS = (*SOURCES, "codec", "fields", "when", "default", "required", "write", "write_to")


@dataclass(frozen=True)
class Defaults:
    """`defaults:`: the codec and its options for a kind of field."""

    codecs: Mapping[str, tuple[str, Mapping[str, Any]]]


def read_defaults(documents: Iterable[Document]) -> Defaults:
    codecs: dict[str, tuple[str, Mapping[str, Any]]] = {
        kind: (codec, {}) for kind, codec in DEFAULT_CODECS.items()
    }
    for document in documents:
        whole = Spot(document.value, document, ())
        if "defaults" not in (document.value or {}):
            continue
        spot = whole.child("defaults")
        for kind, each in spot.children("defaults").items():
            if not known(spot, kind, KINDS, "kind of field"):
                continue
            given = each.value if isinstance(each.value, dict) else {"codec": each.value}
            codec = str(given.get("codec"))
            if check_codec(each, codec, given, ()):
                codecs[kind] = (codec, {k: v for k, v in given.items() if k != "codec"})
    return Defaults(codecs)


def read_options(documents: Iterable[Document]) -> dict[str, Any]:
    """The mapping's own options with their defaults; an overlay may only set known ones."""
    found: dict[str, Any] = {}
    for position, document in enumerate(documents):
        if "options" not in (document.value or {}):
            continue
        spot = Spot(document.value["options"], document, ("options",))
        for name, each in spot.children("options").items():
            if position == 0 or known(spot, name, found, "option"):
                found[name] = each.value
    return found


class EntityReader:
    """Reads the rules of one entity. Complaints go to the documents."""

    def __init__(self, entity: str, sources: Sources, defaults: Defaults) -> None:
        self.entity, self.sources, self.defaults = entity, sources, defaults
        self.write = self._word("write", WRITES, NEVER)

    def read(self) -> EntityRules:
        common: dict[str, Rule] = {}
        tables: dict[str, dict[str, Rule]] = {name: {} for name in TABLES}
        wanted = entity_fields(self.entity)
        record = targets_of(ENTITIES[self.entity])
        for name, spot in self.sources.rules.items():
            table, _, field_name = name.partition(".")
            if spot.value is None:
                continue  # an overlay took the rule away
            if table in COMMON:
                common[table] = self.rule(spot, record[table], write=NEVER)
            elif table == "fields":
                parent = replace(spot, path=spot.path[:-1])
                if known(parent, field_name, wanted, f"field of {self.entity}"):
                    tables[table][field_name] = self.rule(spot, wanted[field_name])
            else:
                target = SCALAR if table == "custom" else TEXT
                tables[table][field_name] = self.rule(spot, target)
        if "id" not in common:
            common["id"] = Rule(TEXT, paths=("id",), codec="ref")
        common["id"] = replace(common["id"], codec=_id_codec(common["id"]), required=True)
        return EntityRules(
            self.entity,
            common,
            tables["fields"],
            tables["external_ids"],
            tables["custom"],
            metadata=self._paths("metadata"),
            metadata_write=self.write,
            prepare=self._word("prepare", PREPARE, ""),
            finish=self._word("finish", FINISH, ""),
            create=self._constants(),
            ignore=self._paths("ignore", every=True),
        )

    def _word(self, key: str, names: Iterable[str], default: str) -> str:
        spot = self.sources.settings.get(key)
        if spot is None:
            return default
        if spot.value in tuple(names):
            return str(spot.value)
        spot.complain(f"unknown {key} {spot.value!r}", did_you_mean(spot.value, names))
        return default

    def _paths(self, key: str, every: bool = False) -> tuple[str, ...]:
        spot = self.sources.settings.get(key)
        if spot is None:
            return ()
        found = texts(spot.value) if isinstance(spot.value, str | list) else ()
        if not found:
            spot.complain(f"{key} must be a path or a list of paths")
        return tuple(path for path in found if self._path_is_fine(spot, path, every))

    def _path_is_fine(self, spot: Spot, path: Any, every: bool = False) -> bool:
        try:
            if every:
                steps_of(path)
            else:
                getter(path)
        except (ValueError, TypeError):
            spot.complain(f"{path!r} is not a path such as customer.address.0.line1")
            return False
        return True

    def _constants(self) -> tuple[tuple[tuple[str | int, ...], Any], ...]:
        spot = self.sources.settings.get("create")
        if spot is None:
            return ()
        found = []
        for path, each in spot.children("create").items():
            if self._path_is_fine(spot, path):
                found.append((steps_of(path), each.value))
        return tuple(found)

    def rule(self, spot: Spot, target: Target, *, write: str = "") -> Rule:
        """One rule; on a problem, one that reads nothing, so that the reading goes on."""
        value = spot.value
        write = write or self.write
        if isinstance(value, str):
            value = {"path": value}
        elif isinstance(value, list):
            value = (
                {"first_of": value} if any(isinstance(e, dict) for e in value) else {"path": value}
            )
        if not isinstance(value, dict):
            spot.complain(f"{spot.value!r} is not a rule: a path, a list of paths or a table")
            return Rule(target)
        spot = replace(spot, value=value)
        given = [key for key in SOURCES if key in value]
        if len(given) != 1:
            what = " and ".join(given) if given else "no source"
            spot.complain(f"has {what}: a rule has one of " + ", ".join(SOURCES))
            return Rule(target)
        base = Rule(
            target,
            when=self._conditions(spot),
            default=self._default(spot, target),
            required=self._flag(spot, "required"),
            write=self._write(spot, write),
            write_to=self._write_to(spot),
        )
        return self._with_source(spot, given[0], base)

    def _with_source(self, spot: Spot, source: str, base: Rule) -> Rule:
        value = spot.value
        if source == "first_of":
            return self._first_of(spot, base)
        if source == "constant":
            self._only(spot, ("constant",))
            return replace(base, constant=self._constant(spot, base.target), write=NEVER)
        if source == "template":
            self._only(spot, ("template",))
            return replace(base, template=self._template(spot), write=NEVER)
        if base.target.kind == "list":
            return self._list(spot, base)
        codec, options = self._codec(spot, base.target)
        base = replace(base, codec=codec, options=options)
        if source == "sum_of":
            return replace(base, sum_of=self._terms(spot), write=NEVER)
        paths = texts(value["path"]) if isinstance(value["path"], str | list) else ()
        if not paths:
            spot.complain("path must be text or a list of texts")
        paths = tuple(path for path in paths if self._path_is_fine(spot, path))
        write_to = base.write_to or (steps_of(paths[0]) if paths else ())
        return replace(base, paths=paths, write_to=write_to)

    def _only(self, spot: Spot, source: tuple[str, ...]) -> None:
        for key in spot.value:
            known(spot, key, (*source, "when", "default", "required"), "key of a rule")

    def _first_of(self, spot: Spot, base: Rule) -> Rule:
        self._only(spot, ("first_of", "write"))
        rows = spot.value["first_of"]
        if not isinstance(rows, list) or not rows:
            spot.complain("first_of must be a list of rules")
            return base
        holder = spot.child("first_of") if "first_of" in standing(spot) else spot
        choices = tuple(
            self.rule(
                replace(holder, value=row, path=(*holder.path, place)),
                base.target,
                write=base.write,
            )
            for place, row in enumerate(rows)
        )
        return replace(base, choices=choices)

    def _list(self, spot: Spot, base: Rule) -> Rule:
        for key in spot.value:
            known(spot, key, ("path", "fields", "when", "write", "write_to", "required"), "key")
        assert base.target.element is not None
        wanted = targets_of(base.target.element)
        if "fields" not in spot.value:
            spot.complain("a list needs `fields`", "known here: " + ", ".join(wanted))
            return base
        parts = {}
        table = spot.child("fields")
        for name, each in table.children("fields").items():
            if each.value is not None and known(table, name, wanted, "field"):
                parts[name] = self.rule(each, wanted[name], write=base.write)
        paths = tuple(path for path in texts(spot.value["path"]) if self._path_is_fine(spot, path))
        write_to = base.write_to or (steps_of(paths[0]) if paths else ())
        return replace(base, paths=paths, fields=parts, write_to=write_to)

    def _codec(self, spot: Spot, target: Target) -> tuple[str, dict[str, Any]]:
        named = "codec" in spot.value
        codec, options = self.defaults.codecs.get(target.kind, ("", {}))
        if named:
            codec = str(spot.value["codec"])
            options = options if codec == self.defaults.codecs.get(target.kind, ("",))[0] else {}
        elif not codec:
            spot.complain(f"needs a codec, or `defaults: {{{target.kind}: ...}}` for all of them")
            return "text", {}
        if not check_codec(spot, codec, {**options, **spot.value}, RULE_KEYS):
            return "text", {}
        kind = CODECS[codec]
        if kind.gives not in (target.gives, object) and target.gives is not object:
            gives, holds = _word(kind.gives), _word(target.gives)
            spot.complain(f"the codec {codec} gives {gives}, the field holds {holds}")
        own = {key: value for key, value in spot.value.items() if key in kind.options}
        return codec, self._choices(spot, target, codec, {**options, **own})

    @staticmethod
    def _choices(spot: Spot, target: Target, codec: str, options: dict[str, Any]) -> dict[str, Any]:
        if not target.choices:
            return options
        if codec != "enum":
            spot.complain(f"the codec {codec} cannot fill a closed list", "use enum with `values`")
        values = options.setdefault("values", {choice: choice for choice in target.choices})
        for theirs, ours in values.items():
            if ours is not None and ours not in target.choices:
                Spot(None, spot.document, (*spot.path, "values", theirs)).complain(
                    f"{ours!r} is not one of ours", did_you_mean(ours, target.choices)
                )
        return options

    def _constant(self, spot: Spot, target: Target) -> Any:
        return self._typed(spot, "constant", target)

    def _default(self, spot: Spot, target: Target) -> Any:
        return self._typed(spot, "default", target) if "default" in spot.value else NOTHING

    @staticmethod
    def _typed(spot: Spot, key: str, target: Target) -> Any:
        value = spot.value[key]
        fine = (
            value is None
            or target.gives is object
            or (isinstance(value, target.gives) and (target.gives is not int or value is not True))
        )
        if target.choices and value is not None:
            fine = value in target.choices
        if not fine or target.gives in (date, datetime, tuple):
            hint = did_you_mean(value, target.choices) if target.choices else ""
            spot.complain(f"{key}: {value!r} is not {_word(target.gives)} that fits", hint)
        return value

    @staticmethod
    def _flag(spot: Spot, key: str) -> bool:
        value = spot.value.get(key, False)
        if not isinstance(value, bool):
            spot.complain(f"{key} must be true or false")
        return bool(value)

    @staticmethod
    def _write(spot: Spot, default: str) -> str:
        value = spot.value.get("write", default)
        if value not in WRITES:
            spot.complain(f"write: {value!r} is unknown", did_you_mean(value, WRITES))
            return NEVER
        return str(value)

    def _write_to(self, spot: Spot) -> tuple[str | int, ...]:
        path = spot.value.get("write_to")
        if path is None or not self._path_is_fine(spot, path):
            return ()
        return steps_of(path)

    def _conditions(self, spot: Spot) -> tuple[Condition, ...]:
        when = spot.value.get("when")
        if when is None:
            return ()
        if not isinstance(when, dict):
            spot.complain("when must be a table such as {livemode: true}")
            return ()
        found = []
        for path, values in when.items():
            if self._path_is_fine(spot, path):
                rows = values if isinstance(values, list) else [values]
                found.append(Condition(path, tuple(rows)))
        return tuple(found)

    def _template(self, spot: Spot) -> str:
        text = spot.value["template"]
        if not isinstance(text, str) or text.count("{") != text.count("}"):
            spot.complain(f"template: {text!r} is not text with {{path}} in it")
            return ""
        return text

    def _terms(self, spot: Spot) -> tuple[Term, ...]:
        found = []
        for text in texts(spot.value["sum_of"]):
            sign = -1 if text.startswith("-") else 1
            path = text.removeprefix("-")
            if self._path_is_fine(spot, path, every=EVERY in path):
                found.append(Term(sign, steps_of(path)))
        return tuple(found)


def _id_codec(rule: Rule) -> str:
    return "ref" if rule.codec == "text" else rule.codec


def _word(kind: type) -> str:
    words: dict[type, str] = {str: "text", int: "a whole number", bool: "yes/no"}
    words |= {datetime: "an instant", date: "a date"}
    return words.get(kind, kind.__name__.lower())


def read_entities(documents: list[Document]) -> dict[str, EntityRules]:
    """All entities' rules. Look at the documents' problems before using them."""
    defaults = read_defaults(documents)
    return {
        entity: EntityReader(entity, sources, defaults).read()
        for entity, sources in gather_sources(documents).items()
    }
