"""A provider's mapping: YAML read, checked with its overlays, and compiled for a system."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Mapping as Table
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tieout.core.errors import ConfigError
from tieout.core.money import EXPONENTS
from tieout.core.yamltext import Document, did_you_mean, raise_for, read_yaml_file

from . import money_codecs, place_codecs, plain_codecs, time_codecs  # noqa: F401  (registered)
from .forms import Context
from .mapper import Mapper
from .reading import read_entities, read_options
from .rules import EntityRules

_HERE = Path(__file__).parent


class Mapping:
    """Checked rules, not yet tied to a system.

    entities   what it maps, in the order of the files.
    version    changes whenever a text of it changes: what was mapped before may be remapped.
    """

    def __init__(
        self,
        type_name: str,
        rules: Table[str, EntityRules],
        options: Table[str, Any],
        empty: Any,
        version: str,
    ) -> None:
        self.type_name, self.version = type_name, version
        self.entities = tuple(rules)
        self._rules, self._options, self._empty = rules, options, empty

    def compile(
        self,
        *,
        system: str,
        timezone: str = "UTC",
        currency: str | None = None,
        lookups: Table[str, Any] | None = None,
        options: Table[str, Any] | None = None,
    ) -> Mapper:
        """The mapping for one system. Raises ConfigError for what the system got wrong.

        timezone   of the account, for calendar dates of instants and the reverse.
        currency   ISO code for records that name none.
        lookups    tables such as {"currency": {"1": "USD"}}.
        options    the mapping's own options, by name.
        """
        try:
            zone = ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigError(
                f"{timezone!r} is not a time zone", where=system, hint="such as Europe/Berlin"
            ) from None
        if currency is not None and currency.upper() not in EXPONENTS:
            raise ConfigError(f"{currency!r} is not an ISO 4217 currency code", where=system)
        for name in options or {}:
            if name not in self._options:
                raise ConfigError(
                    f"the {self.type_name} mapping has no option {name!r}",
                    where=system,
                    hint=did_you_mean(name, self._options),
                )
        context = Context(
            system=system,
            zone=zone,
            currency=currency.upper() if currency else None,
            lookups=dict(lookups or {}),
            options={**self._options, **(options or {})},
        )
        return Mapper(self._rules, context, self._empty)


def load_mapping(
    type_name: str, overlays: Sequence[Path] = (), *, builtin: Path | None = None
) -> Mapping:
    """Read and check `<type_name>.yaml` (or `builtin`) and the overlays laid over it in order.

    Raises one ConfigError that lists all problems as file:line with suggestions.
    """
    path = builtin or _HERE / f"{type_name}.yaml"
    if builtin is None:
        _know_forms(type_name)
    documents = [read_yaml_file(each) for each in (path, *overlays)]
    for document in documents:
        if document.value is not None and not isinstance(document.value, dict):
            document.problem((), "a mapping must be a table of entities")
            document.value = {}
    unread = [document for document in documents if not document.value]
    raise_for(problem for document in unread for problem in document.problems)
    rules = read_entities(documents)
    options = read_options(documents)
    raise_for(problem for document in documents for problem in document.problems)
    texts = [each.read_bytes() for each in (path, *overlays)]
    return Mapping(type_name, rules, options, _empty(documents), _version(texts))


def _know_forms(type_name: str) -> None:
    """Load `<type>_forms.py`, which registers the mapping's functions, where there is one."""
    available = sorted(path.stem for path in _HERE.glob("*.yaml"))
    if type_name not in available:
        raise ConfigError(
            f"there is no mapping for {type_name!r}", hint=did_you_mean(type_name, available)
        )
    module = f"{__package__}.{type_name}_forms"
    if importlib.util.find_spec(module) is not None:
        importlib.import_module(module)


def _empty(documents: Sequence[Document]) -> Any:
    found = None
    for document in documents:
        found = (document.value or {}).get("empty", found)
    return found


def _version(texts: Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(len(text).to_bytes(8, "big") + text)
    return digest.hexdigest()[:16]
