"""The house keeps its floors: imports run downwards, rooms on one floor don't know each other."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "tieout"

# From the roof down. `sandbox` is sealed: see the last test.
FLOORS: list[set[str]] = [
    {"__main__"},
    {"cli"},
    {"web"},
    {"webhooks"},
    {"jobs"},
    {"hub"},
    {"sync", "reports", "testing"},
    {"connectors", "store"},
    {"config", "mappings", "rest", "reconcile", "revenue"},
    {"core"},
]
LEVEL = {room: level for level, floor in enumerate(FLOORS) for room in floor}
ABOVE_THE_HUB = {room for room, level in LEVEL.items() if level < LEVEL["hub"]}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> set[str]:
    """The rooms that a file imports by absolute name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module == "tieout":
            names = [f"tieout.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        elif isinstance(node, ast.ImportFrom) and node.level > 1:
            depth = len(path.relative_to(PACKAGE).parts) - node.level
            names = [f"tieout.{node.module}"] if depth < 1 else []
        found |= {name.split(".")[1] for name in names if name.startswith("tieout.")}
    return {room for room in found if room != "__version__"}


def sources() -> list[Path]:
    return [
        path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem != "__init__"
    ]


def test_every_file_stands_in_a_known_room() -> None:
    rooms = {room_of(path) for path in sources()}
    assert rooms <= set(LEVEL) | {"sandbox"}, rooms - set(LEVEL)


def test_imports_run_downwards_only() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {target}"
        for path in sources()
        if (room := room_of(path)) != "sandbox"
        for target in imports(path)
        if target not in (room, "sandbox") and LEVEL[target] <= LEVEL[room]
    ]
    assert not wrong, "\n".join(wrong)


def test_above_the_hub_store_and_connectors_are_reached_through_the_hub() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {target}"
        for path in sources()
        if room_of(path) in ABOVE_THE_HUB
        for target in imports(path) & {"store", "connectors"}
    ]
    assert not wrong, "\n".join(wrong)


def test_the_sandbox_is_sealed() -> None:
    inside = [
        f"{path.relative_to(PACKAGE)} imports {imports(path) - {'sandbox'}}"
        for path in sources()
        if room_of(path) == "sandbox" and imports(path) - {"sandbox"}
    ]
    users = [
        str(path.relative_to(PACKAGE))
        for path in sources()
        if room_of(path) not in ("sandbox", "cli") and "sandbox" in imports(path)
    ]
    assert not inside and not users, (inside, users)
