"""Schema drift: what a payload has that the mapping has never heard of."""

from __future__ import annotations

from typing import Any

from .codec import texts
from .paths import EVERY, steps_of
from .place_codecs import PARTS
from .readers import HOLE
from .rules import EntityRules, Rule

_DEEPEST = 12
_LEAF: dict[str, Any] = {}  # everything below is known


class KnownPaths:
    """A tree of the paths that the rules read or the mapping ignores; a leaf covers all below."""

    def __init__(self, rules: EntityRules) -> None:
        self.tree: dict[str, Any] = {}
        tables = (rules.common, rules.fields, rules.external_ids, rules.custom)
        for table in tables:
            for rule in table.values():
                self._learn(rule, ())
        for path in (*rules.metadata, *rules.ignore):
            self._add(tuple(map(str, steps_of(path))))

    def _learn(self, rule: Rule, above: tuple[str, ...]) -> None:
        for choice in rule.choices:
            self._learn(choice, above)
        for condition in rule.when:
            self._add((*above, *map(str, steps_of(condition.path))))
        for term in rule.sum_of:
            self._add((*above, *map(str, term.steps)))
        for hole in HOLE.findall(rule.template):
            self._add((*above, *map(str, steps_of(hole))))
        for path in rule.paths:
            steps = (*above, *map(str, steps_of(path)))
            if rule.fields:
                for part in rule.fields.values():
                    self._learn(part, (*steps, EVERY))
            elif rule.codec == "address":
                for field in _address_fields(rule):
                    self._add((*steps, *map(str, steps_of(field))))
            else:
                self._add(steps)

    def _add(self, steps: tuple[str, ...]) -> None:
        here = self.tree
        for position, step in enumerate(steps):
            step = EVERY if step.isdecimal() else step
            last = position == len(steps) - 1
            if step in here and here[step] is _LEAF:
                return
            if last:
                here[step] = _LEAF
            else:
                here = here.setdefault(step, {})

    def unknown(self, record: dict[str, Any]) -> list[str]:
        """The paths (list positions as `*`, nulls and empties included), sorted."""
        found: set[str] = set()
        _walk(record, self.tree, "", found, 0)
        return sorted(found)


def _address_fields(rule: Rule) -> list[str]:
    given = rule.options.get("parts") or {}
    return [field for part in PARTS for field in texts(given.get(part, part))]


def _begins(key: str, tree: dict[str, Any]) -> bool:
    """Whether the tree knows every key that begins as this one: `cf_*`."""
    return any(len(name) > 1 and name[-1] == EVERY and key.startswith(name[:-1]) for name in tree)


def _walk(value: Any, tree: dict[str, Any], path: str, found: set[str], depth: int) -> None:
    if depth > _DEEPEST:
        return
    rows = value.items() if isinstance(value, dict) else [(EVERY, row) for row in value]
    for key, inner in rows:
        here = f"{path}.{key}" if path else str(key)
        below = tree.get(key)
        if below is None:
            below = _by_ending(tree, str(key))
        if below is None:
            if not _begins(key, tree):
                found.add(here)
        elif below is not _LEAF and isinstance(inner, dict | list):
            _walk(inner, below, here, found, depth + 1)


def _by_ending(tree: dict[str, Any], key: str) -> Any:
    """`ignore: ["*__c"]`: every field that ends so."""
    for known, below in tree.items():
        if len(known) > 1 and known[0] == EVERY and key.endswith(known[1:]):
            return below
    return None
