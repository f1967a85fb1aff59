"""Finds what answers a request, by method and path."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar


class Routed(Protocol):
    """`path` has `{}` where an id stands."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...


Route = TypeVar("Route", bound=Routed)


class Table(Generic[Route]):
    """Finds the route of a request; literal parts win over ids."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for route in routes:
            parts = route.path.split("/")
            self._routes.setdefault((route.method, len(parts)), []).append((parts, route))
        for found in self._routes.values():
            found.sort(key=lambda pair: [part == "{}" for part in pair[0]])

    def find(self, method: str, parts: Sequence[str]) -> tuple[Route, list[str]] | None:
        """The route and the ids in the path."""
        for pattern, route in self._routes.get((method, len(parts)), ()):
            ids: list[str] = []
            for want, have in zip(pattern, parts, strict=True):
                if want == "{}" and have:
                    ids.append(have)
                elif want != have:
                    break
            else:
                return route, ids
        return None
