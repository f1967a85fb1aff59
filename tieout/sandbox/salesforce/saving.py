"""Creates, changes, deletes and restores records under the org's rules.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/using_resources_working_with_records.htm
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from ..clock import SandboxClock
from .cells import stamp
from .errors import (
    Refusal,
    bad_cross_reference,
    is_deleted,
    no_external_id,
    no_such_column,
    not_found,
    not_json,
    not_writable,
)
from .fields import Field, SObject
from .store import Row, Store, valid_id
from .values import bad_id, read_value

BIN_LIFE = timedelta(days=15)


class Rules(Protocol):
    """What holds for one type of record beyond its fields' own limits."""

    def before(self, org: Org, old: Row | None, new: Row, given: set[str]) -> None:
        """Complete and judge `new` before it is saved; `given` are the fields a caller set."""
        ...

    def after(self, org: Org, old: Row | None, new: Row) -> None:
        """Carry over to other records what was saved."""
        ...

    def deleting(self, org: Org, old: Row) -> None:
        """Refuse, or prepare, that it goes to the recycle bin."""
        ...

    def deleted(self, org: Org, old: Row) -> None: ...


@dataclass
class Org:
    """The records, who writes them, and what must happen after a write.

    `touched` collects what was created or changed by a caller, until its request is answered.
    """

    store: Store
    clock: SandboxClock
    me: str
    rules: Mapping[str, Rules]
    multi_currency: bool
    touched: list[tuple[SObject, str]] = field(default_factory=list)
    dated: str = ""
    blocked: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    validations: list[tuple[str, Callable[[Row], str]]] = field(default_factory=list)
    duplicate_keys: list[tuple[str, str]] = field(default_factory=list)
    may_duplicate: bool = False

    @property
    def now(self) -> str:
        """The stamp of what is written now; `dated` is that of a transaction begun before."""
        return self.dated or stamp(self.clock.now())

    @contextmanager
    def step(self) -> Iterator[None]:
        """What fails inside leaves no trace."""
        known = len(self.touched)
        try:
            with self.store.undoable():
                yield
        except BaseException:
            del self.touched[known:]
            raise

    def type(self, name: str) -> SObject:
        found = self.store.find(name)
        if found is None:
            raise not_found()
        return found

    def get(self, type: SObject, id: str) -> Row:
        """A living record. Raises Refusal for one that isn't there, or not any more."""
        key = valid_id(id)
        row = self.store.row(type, key) if key else None
        if row is None:
            raise not_found()
        if row["_deleted"]:
            raise is_deleted()
        return row

    def check_free(self, id: str) -> None:
        """Raises Refusal while the record is held by somebody else."""
        times, code, message = self.blocked.get(id, (0, "", ""))
        if times:
            self.blocked[id] = (times - 1, code, message)
            raise Refusal(code, message, [])

    def peek(self, type_name: str, id: Any) -> Row | None:
        """A living record of that type, or None."""
        row = self.store.row(self.store.objects[type_name], id) if id else None
        return None if row is None or row["_deleted"] else row

    def create(self, type: SObject, body: Mapping[str, Any], id: str = "") -> str:
        """The new record's id. Raises Refusal."""
        if not type.createable:
            raise Refusal("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"{type.name} is not createable")
        given = self.read(type, body, creating=True)
        new: Row = {one.name: False for one in type.stored if one.type == "boolean"}
        new |= {one.name: None for one in type.stored if one.type != "boolean"} | given
        self._defaults(type, new, given)
        new["Id"] = id or self.store.ids.make(type.prefix)
        rules = self.rules.get(type.name)
        with self.step():
            _need_all(type, new, given)
            self._unique(type, new, given)
            if rules is not None:
                rules.before(self, None, new, set(given))
            self._judge(type, new, given)
            self._number(type, new)
            new |= self._audit(type, creating=True)
            self.store.insert(type, new)
            if rules is not None:
                rules.after(self, None, new)
            self.touched.append((type, new["Id"]))
        return str(new["Id"])

    def update(self, type: SObject, id: str, body: Mapping[str, Any]) -> None:
        """Raises Refusal."""
        old = self.get(type, id)
        if not type.updateable:
            raise Refusal("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"{type.name} is not updateable")
        self.check_free(old["Id"])
        given = self.read(type, body, creating=False)
        new = old | given
        rules = self.rules.get(type.name)
        with self.step():
            cleared = [
                name for name, value in given.items() if value is None and _must(type.fields[name])
            ]
            if cleared:
                raise _missing(cleared)
            self._unique(type, new, given)
            if rules is not None:
                rules.before(self, old, new, set(given))
            self._judge(type, new, given)
            new |= self._audit(type, creating=False)
            changed = {name: value for name, value in new.items() if value != old.get(name)}
            self.store.update(type, old["Id"], changed)
            if rules is not None:
                rules.after(self, old, new)
            self.touched.append((type, old["Id"]))

    def upsert(
        self, type: SObject, key: str, value: str, body: Mapping[str, Any], *, may_create: bool
    ) -> tuple[str, bool]:
        """(id, whether it was created). Raises Refusal, or ManyMatches."""
        one = self.key_field(type, key)
        repeated = next((name for name in body if name.lower() == key.lower()), None)
        if repeated is not None:
            raise Refusal(
                "INVALID_FIELD",
                f"The {one.name} field should not be specified in the sobject data.",
            )
        found = self.matches(type, one, value)
        if found is not None:
            self.update(type, found, body)
            return found, False
        if not may_create:
            raise no_external_id(one.name)
        if one.type == "id":
            raise not_found()
        return self.create(type, {**body, one.name: value}), True

    def matches(self, type: SObject, one: Field, value: str) -> str | None:
        """The id of the one record with that key. Raises ManyMatches."""
        if one.type == "id":
            return str(self.get(type, value)["Id"])
        read = read_value(one, value)
        if read is None:
            raise Refusal("MISSING_ARGUMENT", f"{one.name} not specified", [])
        rows = self.store.rows_where(type, one.name, read, limit=20)
        if len(rows) > 1:
            raise ManyMatches(type, [row["Id"] for row in rows], one.name)
        return str(rows[0]["Id"]) if rows else None

    @staticmethod
    def key_field(type: SObject, key: str) -> Field:
        one = type.find(key)
        if one is None or not (one.external_id or one.id_lookup):
            raise no_external_id(key)
        return one

    def delete(self, type: SObject, id: str, *, at: str = "") -> None:
        """Into the recycle bin, with what hangs on it. Raises Refusal."""
        old = self.get(type, id)
        if not type.deletable:
            raise Refusal(
                "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id"
            )
        self.check_free(old["Id"])
        at = at or self.now
        rules = self.rules.get(type.name)
        with self.step():
            if rules is not None:
                rules.deleting(self, old)
            self._release(type, old["Id"], at)
            self.store.bury(type, old["Id"], at)
            self.touch(type, old["Id"], {}, at)
            if rules is not None:
                rules.deleted(self, old)

    def _release(self, type: SObject, id: str, at: str) -> None:
        """Children go along, or lose their reference."""
        for child in self.store.objects.values():
            for one in child.stored:
                if type.name not in one.refers_to or not (one.children or one.cascade):
                    continue
                for row in self.store.rows_where(child, one.name, id):
                    if one.cascade:
                        self.delete(child, row["Id"], at=at)
                    elif one.nillable:
                        self.touch(child, row["Id"], {one.name: None}, at)

    def undelete(self, type: SObject, id: str) -> None:
        """Out of the recycle bin. Raises Refusal for what isn't in it."""
        row = self.store.row(type, valid_id(id) or "")
        if row is None or not row["_deleted"] or not type.undeletable:
            raise Refusal("UNDELETE_FAILED", "Entity is not in the recycle bin", [])
        with self.step():
            self.store.dig_up(type, row["Id"])
            cleared = {"MasterRecordId": None} if "MasterRecordId" in type.fields else {}
            self.touch(type, row["Id"], cleared, self.now)

    def touch(self, type: SObject, id: str, changes: Row, at: str = "") -> None:
        """A change by the system: stamps move, no rule is asked."""
        at = at or self.now
        stamps = {"SystemModstamp": at, "LastModifiedDate": at, "LastModifiedById": self.me}
        shown = {name: value for name, value in stamps.items() if name in type.fields}
        self.store.update(type, id, changes | shown)

    def read(self, type: SObject, body: Mapping[str, Any], *, creating: bool) -> Row:
        """The fields of a body, by their API names. Raises Refusal."""
        given: Row = {}
        locked: list[str] = []
        for name, sent in body.items():
            if name == "attributes":
                continue
            if name.lower() == "id":
                raise _no_id(creating=creating)
            one = type.find(name)
            if one is None or (one.type == "reference" and isinstance(sent, dict)):
                one, sent = self._related(type, name, sent)
            if not (one.createable if creating else one.updateable):
                locked.append(one.name)
            elif one.columns:
                raise not_writable([one.name])
            else:
                given[one.name] = read_value(one, sent)
                self._refers(one, given[one.name])
                self._parent_free(given[one.name])
        if locked:
            raise not_writable(locked)
        return given

    def _parent_free(self, id: Any) -> None:
        """A write locks the records that it points at, too."""
        if isinstance(id, str) and self.blocked.get(id, (0, ""))[1] == "UNABLE_TO_LOCK_ROW":
            self.check_free(id)

    def _related(self, type: SObject, name: str, sent: Any) -> tuple[Field, Any]:
        """A relationship told by the other record's external id."""
        one = next(
            (each for each in type.fields.values() if each.relationship.lower() == name.lower()),
            None,
        )
        if one is None or not one.relationship:
            raise no_such_column(name, type.name)
        if sent is None:
            return one, None
        target = self.store.find(one.refers_to[0])
        keys = {
            key: value
            for key, value in (sent.items() if isinstance(sent, dict) else ())
            if key != "attributes"
        }
        if target is None or len(keys) != 1:
            raise not_json(f"Cannot deserialize instance of {one.refers_to[0]}")
        (key, value), *_ = keys.items()
        field = target.find(key)
        if field is None or not (field.external_id or field.id_lookup):
            raise Refusal(
                "INVALID_FIELD",
                f"No such column '{key}' on sobject of type {target.name}, or it is no external id",
            )
        found = self._foreign(target, field, value)
        return one, found

    def _foreign(self, target: SObject, one: Field, value: Any) -> str:
        text = "" if value is None else str(value)
        rows = self.store.rows_where(target, one.name, text, limit=2) if text else []
        if len(rows) == 1:
            return str(rows[0]["Id"])
        what = (
            "more than one record found for external id field"
            if rows
            else (f"Foreign key external ID: {text} not found for field")
        )
        raise Refusal("INVALID_FIELD", f"{what} {one.name} in entity {target.name}", [])

    def _refers(self, one: Field, value: Any) -> None:
        """A reference must lead to a living record of a type that the field takes."""
        if one.type != "reference" or value is None:
            return
        targets = [self.store.find(name) for name in one.refers_to]
        known = [target for target in targets if target is not None]
        if not known:
            return
        target = next((each for each in known if each.prefix == value[:3]), None)
        if target is None:
            raise bad_id(one, value)
        row = self.store.row(target, value)
        if row is None:
            raise bad_cross_reference()
        if row["_deleted"]:
            raise Refusal("ENTITY_IS_DELETED", "entity is deleted", [])

    def _defaults(self, type: SObject, new: Row, given: Row) -> None:
        for one in type.stored:
            if one.default is None or given.get(one.name) is not None:
                continue
            if one.type == "boolean":
                new[one.name] = bool(given.get(one.name, one.default == "true"))
            else:
                new[one.name] = self.me if one.default == "me" else one.default

    def _judge(self, type: SObject, new: Row, given: Row) -> None:
        """The rules that the org's own administrator made."""
        for name, check in self.validations:
            message = check(dict(new)) if name == type.name else ""
            if message:
                raise Refusal("FIELD_CUSTOM_VALIDATION_EXCEPTION", message, [])
        for name, key in self.duplicate_keys:
            if name != type.name or self.may_duplicate or given.get(key) is None:
                continue
            twins = self.store.rows_where(type, key, new[key], limit=2)
            if any(row["Id"] != new["Id"] for row in twins):
                raise Refusal("DUPLICATES_DETECTED", "Use one of these records?", [])

    def _number(self, type: SObject, new: Row) -> None:
        for one in type.stored:
            if one.auto_number and not new.get(one.name):
                new[one.name] = self.store.next_number(type, one)
        name = type.fields.get("Name")
        if name is not None and type.custom and not new.get("Name"):
            new["Name"] = new["Id"]

    def _unique(self, type: SObject, new: Row, given: Row) -> None:
        for name in given:
            one, value = type.fields[name], new[name]
            if not one.unique or value is None:
                continue
            other = next(
                (
                    row["Id"]
                    for row in self.store.rows_where(type, name, value, limit=2)
                    if row["Id"] != new.get("Id")
                ),
                None,
            )
            if other is not None:
                raise Refusal(
                    "DUPLICATE_VALUE",
                    f"duplicate value found: {name} duplicates value on record with id: "
                    f"{other[:15]}",
                    [],
                )

    def _audit(self, type: SObject, *, creating: bool) -> Row:
        now = self.now
        stamps = {"LastModifiedDate": now, "LastModifiedById": self.me, "SystemModstamp": now}
        if creating:
            stamps |= {"CreatedDate": now, "CreatedById": self.me}
            stamps |= {"LastViewedDate": now, "LastReferencedDate": now}
        return {name: value for name, value in stamps.items() if name in type.fields}


class ManyMatches(Exception):
    """An upsert's key fits several records: HTTP 300."""

    def __init__(self, type: SObject, ids: list[str], key: str) -> None:
        super().__init__(type.name)
        self.type, self.ids, self.key = type, ids, key

    @property
    def refusal(self) -> Refusal:
        """The same, as a collection call and Bulk answer it."""
        shown = "more than one record found for external id field: " + str(self.ids)
        return Refusal("DUPLICATE_EXTERNAL_ID", f"{self.key}: {shown}", [self.key])


def _no_id(*, creating: bool) -> Refusal:
    if creating:
        return Refusal(
            "INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"]
        )
    return Refusal("INVALID_FIELD", "The Id field should not be specified in the sobject data.")


def _must(one: Field) -> bool:
    """Whether a caller may not leave, or make, the field empty."""
    return one.required or (not one.nillable and one.createable and one.type != "boolean")


def _need_all(type: SObject, new: Row, given: Row) -> None:
    empty = [
        one.name
        for one in type.stored
        if one.required and one.type != "boolean" and new.get(one.name) is None
    ]
    empty += [
        name
        for name, value in given.items()
        if value is None and _must(type.fields[name]) and name not in empty and new[name] is None
    ]
    if empty:
        raise _missing(empty)


def _missing(names: list[str]) -> Refusal:
    return Refusal(
        "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{', '.join(names)}]", names
    )
