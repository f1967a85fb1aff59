"""JSON Schema of config.yaml, for completion and checks in an editor."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from .models import Flow, SystemBase, Top


def config_schema(settings: Mapping[str, type[BaseModel]]) -> dict[str, Any]:
    """JSON Schema (2020-12) of config.yaml for editors, with each connector's own settings."""
    top = Top.model_json_schema(by_alias=True)
    shared: dict[str, Any] = top.setdefault("$defs", {})
    flow = Flow.model_json_schema(by_alias=True)
    shared.update(flow.pop("$defs", {}))
    shared["Flow"] = flow
    top["properties"]["flows"]["items"] = {"$ref": "#/$defs/Flow"}
    base = SystemBase.model_json_schema(by_alias=True)
    variants = []
    for name, model in sorted(settings.items()):
        own = model.model_json_schema(by_alias=True)
        shared.update(own.pop("$defs", {}))
        variants.append(
            {
                "title": name,
                "type": "object",
                "additionalProperties": False,
                "properties": base["properties"]
                | own.get("properties", {})
                | {"type": {"const": name}},
                "required": ["type", *own.get("required", [])],
            }
        )
    top["properties"]["systems"]["additionalProperties"] = {"oneOf": variants}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tieout config.yaml",
        **_without_titles(top),
    }


def _without_titles(schema: Any) -> Any:
    """pydantic's generated titles only repeat the keys; constants of Decimal become text."""
    if isinstance(schema, dict):
        return {
            key: _without_titles(value)
            for key, value in schema.items()
            if not (key == "title" and isinstance(value, str) and "properties" not in schema)
        }
    if isinstance(schema, list):
        return [_without_titles(each) for each in schema]
    return str(schema) if isinstance(schema, Decimal) else schema
