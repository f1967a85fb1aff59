"""What the org's objects have and what our user sees of them: describe, asked once per object.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tieout.core.errors import ConfigError, InvalidRecord, NotFound

from .errors import PERMISSION_HINT
from .library import Library

# Compound values: their parts are fields of their own, and Bulk API refuses them.
COMPOUND = {"address", "location", "base64", "complexvalue"}
_HIDDEN = re.compile(r"answered 403|INVALID_TYPE")
NUMBERS = {"currency", "double", "percent"}


@dataclass(frozen=True)
class Field:
    """One field as describe shows it. `scale` is its number of decimals."""

    name: str
    type: str
    scale: int = 0
    creatable: bool = False
    updatable: bool = False
    external_id: bool = False
    unique: bool = False
    relationship: str = ""
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Described:
    """One object. `replicable`: Salesforce keeps lists of what was changed and deleted in it."""

    name: str
    fields: Mapping[str, Field]
    creatable: bool = False
    updatable: bool = False
    replicable: bool = False


class Schema:
    """The org's objects by name. Safe to share between threads."""

    def __init__(self, library: Library, *, where: str = "") -> None:
        self._library, self._where = library, where
        self._known: dict[str, Described] = {}
        self._lock = threading.Lock()

    def object(self, name: str) -> Described:
        """ConfigError where the org has no such object, or our user does not see it."""
        with self._lock:
            if name not in self._known:
                self._known[name] = self._describe(name)
            return self._known[name]

    def _describe(self, name: str) -> Described:
        try:
            told = self._library.call(f"sobjects/{name}/describe")
        except (NotFound, ConfigError) as error:
            if not isinstance(error, NotFound) and not _HIDDEN.search(error.message):
                raise  # the login or the whole API was refused
            raise ConfigError(
                f"Salesforce shows us no object {name}", where=self._where, hint=PERMISSION_HINT
            ) from None
        return described(told)

    def columns(self, name: str, wanted: Iterable[str]) -> list[str]:
        """Those of the wanted fields that the org has and that may be selected."""
        held = self.object(name)
        return [each for each in dict.fromkeys(wanted) if self.field(held, each) is not None]

    def field(self, held: Described, path: str) -> Field | None:
        """A field by its name, or by way of one relationship: `Owner.Name`."""
        first, _, rest = path.partition(".")
        if not rest:
            found = held.fields.get(first)
            return found if found and found.type not in COMPOUND else None
        for each in held.fields.values():
            if each.relationship == first:
                return next((f for to in each.targets if (f := self._field_there(to, rest))), None)
        return None

    def _field_there(self, object: str, name: str) -> Field | None:
        try:
            return self.object(object).fields.get(name)
        except ConfigError:
            return None

    def check_body(self, name: str, body: Mapping[str, Any], *, creating: bool) -> None:
        """ConfigError for a field that is missing or may not be written; InvalidRecord for a
        number with more decimals than its field keeps, which Salesforce would round."""
        held = self.object(name)
        for key, value in body.items():
            if key == "attributes":
                continue
            field = held.fields.get(key)
            if field is None:
                raise self._unwritable(f"{name} has no field {key}, or it is hidden from us")
            if not (field.creatable if creating else field.updatable):
                verb = "set in new records" if creating else "changed"
                raise self._unwritable(f"{name}.{key} may not be {verb} by us")
            if (
                field.type in NUMBERS
                and isinstance(value, Decimal)
                and _places(value) > field.scale
            ):
                raise InvalidRecord(
                    f"{value} has more decimals than {name}.{key} keeps ({field.scale})",
                    hint="give the field more decimals in Salesforce",
                )

    def _unwritable(self, message: str) -> ConfigError:
        hint = f"{PERMISSION_HINT}, or take the field's rule away in a mapping overlay"
        return ConfigError(message, where=self._where, hint=hint)


def _places(value: Decimal) -> int:
    normal = value.normalize().as_tuple().exponent
    return max(0, -normal) if isinstance(normal, int) else 0


def described(told: Mapping[str, Any]) -> Described:
    """A describe answer as far as we need it."""
    fields = {}
    for each in told.get("fields") or ():
        fields[each["name"]] = Field(
            each["name"],
            each.get("type", "string"),
            each.get("scale") or 0,
            each.get("createable") is True,
            each.get("updateable") is True,
            each.get("externalId") is True,
            each.get("unique") is True,
            each.get("relationshipName") or "",
            tuple(each.get("referenceTo") or ()),
        )
    return Described(
        told["name"],
        fields,
        told.get("createable") is True,
        told.get("updateable") is True,
        told.get("replicateable") is True,
    )
