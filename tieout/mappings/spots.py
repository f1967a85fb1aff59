"""Places in YAML documents, so that every complaint can name its file and line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tieout.core.yamltext import Document, did_you_mean

from .codec import CODECS


@dataclass(frozen=True)
class Spot:
    """A piece of YAML and where it stands, so that a complaint can name the line."""

    value: Any
    document: Document
    path: tuple[str | int, ...]

    def complain(self, message: str, hint: str = "") -> None:
        self.document.problem(self.path, message, hint)

    def child(self, key: str | int) -> Spot:
        return Spot(self.value[key], self.document, (*self.path, key))

    def children(self, what: str) -> dict[str, Spot]:
        """The entries of a table; a complaint and nothing where it is none."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            self.complain(f"{what} must be a table, not {self.value!r}")
            return {}
        return {key: self.child(key) for key in self.value}


def known(spot: Spot, key: str, names: Iterable[str], what: str) -> bool:
    """Whether a word is one of the known ones; if not, a complaint with a suggestion."""
    names = tuple(names)
    if key in names:
        return True
    Spot(None, spot.document, (*spot.path, key)).complain(
        f"unknown {what} {key!r}", did_you_mean(key, names)
    )
    return False


def check_codec(spot: Spot, codec: str, given: Mapping[str, Any], also: Iterable[str]) -> bool:
    """Whether the codec exists and its options are known, present and well-formed."""
    if codec not in CODECS:
        spot.complain(f"unknown codec {codec!r}", did_you_mean(codec, CODECS))
        return False
    kind, fine = CODECS[codec], True
    also = ("codec", *also)
    for name, value in given.items():
        if name in also:
            continue
        if name not in kind.options:
            fine = known(spot, name, (*kind.options, *also), f"key of a rule ({codec})") and fine
        elif problem := kind.options[name](value):
            Spot(None, spot.document, (*spot.path, name)).complain(f"{name}: {problem}")
            fine = False
    for name in kind.needs:
        if name not in given:
            spot.complain(f"the codec {codec} needs {name!r}")
            fine = False
    return fine


def standing(spot: Spot) -> Mapping[str, Any]:
    """The table that really stands in the file at a spot (a short form has none)."""
    value: Any = spot.document.value
    for step in spot.path:
        value = value[step] if isinstance(value, dict | list) else {}  # type: ignore[index]
    return value if isinstance(value, dict) else {}
