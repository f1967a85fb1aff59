"""metadata-catalog: which record types there are, and their fields as JSON Schema or OpenAPI.

https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/chapter_1540810168.html
"""

from __future__ import annotations

from typing import Any

from .books import Books
from .catalog import TYPES, RecordType
from .errors import invalid_parameter, malformed, wrong_method
from .shown import link
from .wire import Answer, Request

_SCHEMA = {
    "text": {"type": "string"},
    "int": {"type": "integer", "format": "int64"},
    "amount": {"type": "number", "format": "double"},
    "number": {"type": "number", "format": "double"},
    "bool": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "choice": {"type": "object"},
    "any": {},
}


def catalog_answer(books: Books, request: Request, rest: list[str]) -> Answer:
    """The list of types, the schema of one (path) or the OpenAPI of some (`select`)."""
    if request.method != "GET":
        raise wrong_method(request.method)
    accept = request.header("accept").lower()
    names = rest or [name for name in request.param("select").split(",") if name]
    if any(name.lower() not in TYPES for name in names):
        if rest:
            raise malformed()
        raise invalid_parameter("Invalid query parameter 'select'.", "select")
    types = [TYPES[name.lower()] for name in names]
    if rest and "swagger" not in accept:
        return Answer(200, _schema(books, types[0]), kind="schema")
    if "swagger" in accept:
        return Answer(200, _openapi(books, types or list(TYPES.values())), kind="swagger")
    items = [
        {
            "name": type.name,
            "links": [
                link(request.base, f"metadata-catalog/{type.name}", "canonical"),
                link(request.base, f"metadata-catalog/{type.name}", "describes"),
            ],
        }
        for type in types or TYPES.values()
    ]
    frame = {"links": [link(request.base, "metadata-catalog")], "items": items}
    return Answer(200, frame, kind="collection")


def _schema(books: Books, type: RecordType) -> dict[str, Any]:
    properties: dict[str, Any] = {"id": {"title": "Internal ID", "type": "string"}}
    for name, kind in type.fields.items():
        if name == "subsidiary" and not books.one_world and type.name != "subsidiary":
            continue
        shape = {"type": "object"} if kind.startswith("ref:") else _SCHEMA[kind]
        properties[name] = {"title": name, **shape, "x-ns-filterable": True}
    for name in sorted(books.custom_fields):
        if name.startswith(type.custom_prefix):
            properties[name] = {"title": name, "type": "string", "x-ns-custom-field": True}
    for name, sublist in type.sublists.items():
        lines = {
            field: {"type": "object"} if kind.startswith("ref:") else _SCHEMA[kind]
            for field, kind in sublist.fields.items()
        }
        items = {"type": "array", "items": {"type": "object", "properties": lines}}
        properties[name] = {
            "type": "object",
            "properties": {"items": items},
            "x-ns-sublist-keys": list(sublist.keys),
        }
    return {"type": "object", "properties": properties, "x-ns-filterable": sorted(type.fields)}


def _openapi(books: Books, types: list[RecordType]) -> dict[str, Any]:
    verbs = ("get", "post")
    return {
        "openapi": "3.0.1",
        "info": {"title": "NetSuite REST Record API", "version": "v1"},
        "paths": {
            f"/{type.name}": {verb: {"tags": [type.name]} for verb in verbs} for type in types
        },
        "components": {"schemas": {type.name: _schema(books, type) for type in types}},
    }
