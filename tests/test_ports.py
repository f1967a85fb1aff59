"""Time, randomness, ids, sleep and the network reach the code only through injected ports."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "tieout"

BANNED_MODULES = {"time", "random", "uuid", "secrets", "requests", "urllib3", "httpx", "socket"}
CLOCKS = {"datetime", "date", "time", "os"}
BANNED_CALLS = {"now", "utcnow", "today", "sleep", "urandom", "getrandom"}

# Where a ban does not hold, and why. Everything else goes through `Ports`.
ALLOWED: dict[str, set[str]] = {
    "core/ports.py": {"time", "random", "uuid", "now"},  # the ports themselves
    "rest/transport.py": {"requests", "urllib3"},  # the network port
}
SANDBOX = {  # sealed: a world with a clock of its own
    "sandbox/clock.py": {"time", "now"},
    "sandbox/faults.py": {"time", "sleep"},  # the fault "slow" really is
}


def banned_in(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names} & BANNED_MODULES
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found |= {node.module.split(".")[0]} & BANNED_MODULES
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
            if node.func.attr in BANNED_CALLS and name in CLOCKS:
                found.add(node.func.attr)
    return found


def test_nothing_reads_the_world_except_through_the_ports() -> None:
    wrong: dict[str, set[str]] = {}
    for path in PACKAGE.rglob("*.py"):
        name = str(path.relative_to(PACKAGE))
        if name.startswith("sandbox/"):
            continue  # it is a world of its own; the next test looks at its clock
        if left := banned_in(path) - ALLOWED.get(name, set()):
            wrong[name] = left
    assert not wrong


def test_the_sandbox_reads_the_wall_clock_in_one_place() -> None:
    clocks = {"time", "now", "utcnow", "today", "sleep"}
    wrong = {
        name: left
        for path in (PACKAGE / "sandbox").rglob("*.py")
        for name in (str(path.relative_to(PACKAGE)),)
        if (left := banned_in(path) & clocks - SANDBOX.get(name, set()))
    }
    assert not wrong
