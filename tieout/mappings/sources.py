"""What a mapping file and its overlays say about each entity, laid over one another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tieout.core.entities import ENTITIES
from tieout.core.yamltext import Document

from .codec import texts
from .spots import Spot, known

FILE_KEYS = ("defaults", "options", "empty")
SOURCES = ("path", "constant", "template", "sum_of", "first_of")
COMMON = ("id", "created_at", "updated_at", "deleted", "url")
TABLES = ("fields", "external_ids", "custom")
ENTITY_KEYS = (*COMMON, *TABLES, "metadata", "prepare", "finish", "write", "create", "ignore")


@dataclass
class Sources:
    """What the documents say about one entity, overlays laid over the built-in file."""

    settings: dict[str, Spot] = field(default_factory=dict)  # prepare, write, metadata, ...
    rules: dict[str, Spot] = field(default_factory=dict)  # "fields.name", "custom.x", "id"


def gather_sources(documents: Iterable[Document]) -> dict[str, Sources]:
    """Per entity what stands where, later documents amending or replacing earlier ones."""
    found: dict[str, Sources] = {}
    for document in documents:
        whole = Spot(document.value, document, ())
        for entity, spot in whole.children("a mapping").items():
            if entity in FILE_KEYS:
                continue
            if known(whole, entity, (*ENTITIES, *FILE_KEYS), "entity"):
                _gather_entity(found.setdefault(entity, Sources()), spot, entity)
    return found


def _gather_entity(sources: Sources, spot: Spot, entity: str) -> None:
    for key, section in spot.children(entity).items():
        if not known(spot, key, ENTITY_KEYS, "key"):
            continue
        if key in TABLES:
            for name, rule in section.children(key).items():
                table, _, rest = name.partition(".")
                full = name if table in TABLES[1:] and rest and key == "fields" else f"{key}.{name}"
                _lay_over(sources.rules, full, rule)
        elif key in COMMON:
            _lay_over(sources.rules, key, section)
        elif key in ("ignore", "create") and key in sources.settings:
            sources.settings[key] = _joined(sources.settings[key], section)
        else:
            sources.settings[key] = section


def _joined(base: Spot, over: Spot) -> Spot:
    if isinstance(base.value, dict) and isinstance(over.value, dict):
        return replace(over, value={**base.value, **over.value})
    return replace(over, value=[*texts(base.value), *texts(over.value)])


def _lay_over(rules: dict[str, Spot], name: str, rule: Spot) -> None:
    """An overlay's rule without a source amends the one below it; any other replaces it."""
    base = rules.get(name)
    amends = isinstance(rule.value, dict) and not set(rule.value) & set(SOURCES)
    if base is None or base.document is rule.document or not amends:
        rules[name] = rule
        return
    below = base.value if isinstance(base.value, dict) else {"path": base.value}
    merged = {**below, **rule.value}
    for table in ("values", "fields"):
        if isinstance(below.get(table), dict) and isinstance(rule.value.get(table), dict):
            merged[table] = {**below[table], **rule.value[table]}
    rules[name] = replace(rule, value=merged)
