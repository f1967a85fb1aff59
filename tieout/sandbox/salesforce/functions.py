"""SOQL's functions as SQL, and how their results are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .cells import shower
from .fields import Field
from .soql import Operand, malformed


def applied(function: str, column: str, field: Field) -> str:
    match function:
        case "":
            return column
        case "COUNT":
            return f"count({column})"
        case "COUNT_DISTINCT":
            return f"count(DISTINCT {column})"
        case "SUM" | "AVG":
            if not (field.is_number or field.type == "int"):
                raise malformed(
                    f"field {field.name} does not support aggregate operator {function}"
                )
            return f"decimal_{function.lower()}({column}) COLLATE DECIMAL"
        case "MIN" | "MAX":
            return f"{function.lower()}({column})"
        case "CALENDAR_YEAR":
            return f"CAST(substr({column}, 1, 4) AS INTEGER)"
        case "CALENDAR_MONTH":
            return f"CAST(substr({column}, 6, 2) AS INTEGER)"
        case "CALENDAR_QUARTER":
            return f"((CAST(substr({column}, 6, 2) AS INTEGER) + 2) / 3)"
        case "DAY_ONLY":
            return f"substr({column}, 1, 10)"
        case _:
            return column


def aggregate_shower(one: Operand, field: Field | None) -> Callable[[Any], Any]:
    if one.function in ("SUM", "AVG"):
        return shower(Field("sum", "double"))
    if field is None or one.function in ("COUNT", "COUNT_DISTINCT", "DAY_ONLY"):
        return lambda cell: cell
    if one.function.startswith("CALENDAR"):
        return lambda cell: cell
    return shower(field)
