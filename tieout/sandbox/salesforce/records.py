"""The sobjects resources: describe, one record, upsert by external id, changes, deletions.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_list.htm
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from .around import layout_part, list_views
from .cells import moment_of, stamp
from .describing import brief, full
from .errors import Refusal, no_such_column, not_found, not_json, wrong_method
from .fields import SObject
from .querying import Queries
from .saving import ManyMatches, Org
from .soql import Operand, Query
from .store import Row, valid_id
from .wire import Answer, Request, decode

_WINDOW = timedelta(days=30)
_MOST_IDS = 600_000


class Records:
    """Answers /sobjects/... for one org."""

    def __init__(self, org: Org, queries: Queries, described: datetime) -> None:
        self.org, self.queries = org, queries
        self.described = described.replace(microsecond=0)
        self._schema = org.store.schema_changes
        self.deletions_since = ""

    def answer(self, request: Request, version: str, parts: list[str]) -> Answer:
        """`parts` are the path's segments after `sobjects`. Raises Refusal, ManyMatches."""
        if not parts:
            return self._global(request, version)
        type = self.org.type(parts[0])
        match parts[1:]:
            case []:
                return self._of_type(request, version, type)
            case ["describe"]:
                _only(request, "GET")
                return self._dated(request, full(self.org.store, type, version))
            case ["describe", *rest]:
                _only(request, "GET")
                return Answer(200, layout_part(type, version, rest))
            case ["listviews"]:
                _only(request, "GET")
                return Answer(200, list_views(type, version))
            case ["quickActions"]:
                _only(request, "GET")
                return Answer(200, [])
            case ["deleted" | "updated" as which]:
                _only(request, "GET")
                return self._changes(request, type, which)
            case [id]:
                return self._one(request, version, type, id)
            case [key, value]:
                return self._by_key(request, version, type, key, value)
        raise not_found()

    def _global(self, request: Request, version: str) -> Answer:
        _only(request, "GET")
        listed = [brief(one, version) for one in self.org.store.objects.values()]
        listed.sort(key=lambda each: str(each["name"]))
        content = {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed}
        return self._dated(request, content)

    def _dated(self, request: Request, content: Any) -> Answer:
        """Describes change rarely: a caller who has them is told so (304)."""
        if self._schema != self.org.store.schema_changes:
            self._schema = self.org.store.schema_changes
            self.described = self.org.clock.now().replace(microsecond=0)
        headers = {"Last-Modified": format_datetime(self.described.astimezone(UTC), usegmt=True)}
        since = _http_date(request.header("if-modified-since"))
        if since is not None and self.described <= since:
            return Answer(304, None, headers)
        return Answer(200, content, headers)

    def _of_type(self, request: Request, version: str, type: SObject) -> Answer:
        if request.method in ("GET", "HEAD"):
            recent = self.org.store.db.execute(
                f'SELECT Id FROM "{type.name}" WHERE _deleted IS NULL ORDER BY Id DESC LIMIT 5'
            ).fetchall()
            name = type.name_field
            fields = ["Id", *([name.name] if name else [])]
            items = [self.show(type, row[0], version, fields) for row in recent]
            return Answer(200, {"objectDescribe": brief(type, version), "recentItems": items})
        if request.method != "POST":
            raise wrong_method(request.method, "HEAD,GET,POST")
        id = self.org.create(type, read_object(request))
        return created(type, id, version)

    def _one(self, request: Request, version: str, type: SObject, id: str) -> Answer:
        match request.method:
            case "GET" | "HEAD":
                row = self.org.get(type, id)
                return Answer(200, self.show(type, row["Id"], version, _wanted(request, type)))
            case "PATCH":
                self._unmodified(request, type, id)
                body = read_object(request)
                self.org.update(type, id, body)
            case "DELETE":
                self._unmodified(request, type, id)
                self.org.delete(type, id)
            case _:
                raise wrong_method(request.method, "DELETE,GET,HEAD,PATCH")
        return Answer(204)

    def _unmodified(self, request: Request, type: SObject, id: str) -> None:
        since = _http_date(request.header("if-unmodified-since"))
        if since is None:
            return
        if moment_of(self.org.get(type, id)["LastModifiedDate"]) > since:
            raise Refusal(
                "PRECONDITION_FAILED",
                "One or more of the specified preconditions failed: the record was modified",
                status=412,
            )

    def _by_key(
        self, request: Request, version: str, type: SObject, key: str, value: str
    ) -> Answer:
        if type.find(key) is None and valid_id(key) is not None:
            return self._relation(request, version, self.org.get(type, key), type, value)
        one = self.org.key_field(type, key)
        if request.method in ("PATCH", "POST"):
            return self._upsert(request, version, type, key, value)
        found = self.org.matches(type, one, value)
        if found is None:
            raise not_found()
        if request.method == "DELETE":
            self.org.delete(type, found)
            return Answer(204)
        if request.method not in ("GET", "HEAD"):
            raise wrong_method(request.method, "DELETE,GET,HEAD,PATCH,POST")
        return Answer(200, self.show(type, found, version, _wanted(request, type)))

    def _relation(
        self, request: Request, version: str, row: Row, type: SObject, name: str
    ) -> Answer:
        """The parent, or the children, of a record by the relationship's name."""
        _only(request, "GET")
        for one in type.fields.values():
            if one.relationship.lower() == name.lower() and one.refers_to:
                parent = self.org.type(one.refers_to[0])
                if row[one.name] is None:
                    raise not_found()
                shown = self.show(parent, row[one.name], version, _wanted(request, parent))
                return Answer(200, shown)
        for child in self.org.store.objects.values():
            for one in child.fields.values():
                if type.name in one.refers_to and one.children.lower() == name.lower():
                    fields = request.param("fields") or ", ".join(child.fields)
                    soql = f"SELECT {fields} FROM {child.name} WHERE {one.name} = '{row['Id']}'"
                    return Answer(200, self.queries.run(soql, version))
        raise not_found()

    def _upsert(
        self, request: Request, version: str, type: SObject, key: str, value: str
    ) -> Answer:
        may_create = request.param("updateOnly").lower() != "true"
        id, was_created = self.org.upsert(
            type, key, value, read_object(request), may_create=may_create
        )
        if was_created:
            answer = created(type, id, version)
            answer.content["created"] = True
            return answer
        if float(version) < 46:
            return Answer(204)
        return Answer(200, {"id": id, "success": True, "errors": [], "created": False})

    def show(
        self, type: SObject, id: str, version: str, fields: list[str] | None = None
    ) -> dict[str, Any]:
        """One record as JSON; all of its fields, unless some are named."""
        names = fields if fields is not None else list(type.fields)
        query = Query("", [Operand(tuple(name.split("."))) for name in names], type.name)
        select = self.queries.compiler(all_rows=True).compile(query)
        return next(self.queries.records(select, [id], version, 1, True))

    def _changes(self, request: Request, type: SObject, which: str) -> Answer:
        start, end = _window(request, self.org)
        first, last = stamp(start), stamp(end)
        if which == "updated":
            rows = self.org.store.db.execute(
                f'SELECT Id FROM "{type.name}" WHERE SystemModstamp >= ? AND SystemModstamp < ? '
                "AND _deleted IS NULL ORDER BY SystemModstamp, Id",
                (first, last),
            ).fetchall()
            content: dict[str, Any] = {"ids": [row[0] for row in rows]}
        else:
            gone = self.org.store.deletions(type, max(first, self.deletions_since), last)
            content = {"deletedRecords": [{"id": id, "deletedDate": at} for id, at in gone]}
            kept = stamp(_minute(self.org.clock.now() - _WINDOW))
            content["earliestDateAvailable"] = max(kept, self.deletions_since)
        if len(next(iter(content.values()))) > _MOST_IDS:
            raise Refusal("EXCEEDED_ID_LIMIT", "too many ids in the given time")
        content["latestDateCovered"] = stamp(min(end, _minute(self.org.clock.now())))
        return Answer(200, content)


def created(type: SObject, id: str, version: str) -> Answer:
    home = f"/services/data/v{version}/sobjects/{type.name}/{id}"
    return Answer(201, {"id": id, "success": True, "errors": []}, {"Location": home})


def several(found: ManyMatches, version: str) -> Answer:
    """300: the addresses of all that match."""
    home = f"/services/data/v{version}/sobjects/{found.type.name}"
    return Answer(300, [f"{home}/{quote(id)}" for id in found.ids])


def read_object(request: Request) -> dict[str, Any]:
    """The body as one JSON object. Raises Refusal."""
    body = read_json(request)
    if not isinstance(body, dict):
        raise not_json("Cannot deserialize instance of map from START_ARRAY value [")
    return body


def read_json(request: Request) -> Any:
    media = request.header("content-type").split(";")[0].strip().lower()
    if media and media != "application/json":
        raise Refusal(
            "UNSUPPORTED_MEDIA_TYPE",
            f"Content-Type header specified in HTTP request is not supported: {media}",
            status=415,
        )
    try:
        return decode(request.body)
    except (ValueError, UnicodeDecodeError) as problem:
        raise not_json(f"Unexpected character or end-of-input: {problem}") from None


def _only(request: Request, *methods: str) -> None:
    allowed = [*methods, *(["HEAD"] if "GET" in methods else [])]
    if request.method not in allowed:
        raise wrong_method(request.method, ",".join(sorted(allowed)))


def _wanted(request: Request, type: SObject) -> list[str] | None:
    named = request.param("fields")
    if not named:
        return None
    wanted = [name.strip() for name in named.split(",")]
    for name in wanted:
        if "." not in name and type.find(name) is None:
            raise no_such_column(name, type.name)
    rest = [name for name in wanted if name.lower() != "id"]
    return [*rest, "Id"]


def _http_date(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return parsedate_to_datetime(text)
    except ValueError:
        raise Refusal("INVALID_DATE_FORMAT", f"invalid date format: {text}") from None


def _window(request: Request, org: Org) -> tuple[datetime, datetime]:
    """The asked-for window in whole minutes. Raises Refusal."""
    start, end = (_moment(request.param(name), name) for name in ("start", "end"))
    if start >= end:
        raise Refusal("INVALID_REPLICATION_DATE", "startDate must be before endDate")
    if start < _minute(org.clock.now() - _WINDOW):
        raise Refusal("INVALID_REPLICATION_DATE", "startDate cannot be more than 30 days ago")
    return _minute(start), _minute(end)


def _moment(text: str, name: str) -> datetime:
    if not text:
        raise Refusal("MISSING_ARGUMENT", f"{name} parameter is required")
    try:
        return moment_of(text.replace(" ", "+"))
    except ValueError:
        raise Refusal("INVALID_DATE_FORMAT", f"invalid date format: {text}") from None


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
