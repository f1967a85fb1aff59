"""YAML 1.2 text to plain values that remember their lines; everything surprising is refused.

Anchors, aliases, tags, several documents, duplicate keys, non-text keys, nesting beyond 50 and
files beyond 1 MiB are problems, because a person who reads the file would not see what they do.
Numbers with a point become `Decimal`; `no`, `on` and `12:30` stay text (YAML 1.2 core schema).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from .errors import ConfigError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50

Where = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z")
_WORDS = {"": None, "~": None} | {
    spelling: value
    for word, value in (("null", None), ("true", True), ("false", False))
    for spelling in (word, word.capitalize(), word.upper())
}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file, with its line (from 1)."""

    file: str
    line: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        tail = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}: {self.message}{tail}"


@dataclass
class Document:
    """The values of one file and the line where each path starts."""

    file: str
    value: Any = None
    lines: dict[Where, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line_of(self, path: Iterable[str | int]) -> int:
        """The line of a path, or of the nearest thing above it that exists."""
        where = tuple(path)
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)

    def problem(self, path: Iterable[str | int], message: str, hint: str = "") -> None:
        self.problems.append(Problem(self.file, self.line_of(path), message, hint))


def raise_for(problems: Iterable[Problem], *, hint: str = "") -> None:
    """One ConfigError that lists all problems, in the order of files and lines; none: nothing."""
    found = sorted(set(problems), key=lambda each: (each.file, each.line, each.message))
    if found:
        raise ConfigError("\n".join(map(str, found)), where=found[0].file, hint=hint)


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """A suggestion for a misspelt name, and the known ones where there are few."""
    names = sorted(known)
    close = difflib.get_close_matches(str(word), names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]}?"
    return "known here: " + ", ".join(names[:40]) if names else ""


def read_yaml_file(path: Path) -> Document:
    """As `read_yaml`; a file that cannot be read is a problem too, never an exception."""
    shown = str(path)
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        return Document(shown, problems=[Problem(shown, 1, f"cannot be read: {reason}")])
    if len(body) > MAX_BYTES:
        return Document(shown, problems=[Problem(shown, 1, "is larger than 1 MiB")])
    try:
        return read_yaml(body.decode("utf-8-sig"), shown)
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        return Document(shown, problems=[Problem(shown, line, "is not UTF-8 text")])


def read_yaml(text: str, file: str) -> Document:
    """Parse; syntax errors and refused constructs end up in `problems`."""
    document = Document(file)
    try:
        _Builder(document).build(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        what = error.problem or error.context or "is not YAML"
        document.problems.append(
            Problem(file, line, f"not valid YAML: {what}", _remedy(text, line))
        )
    except _Refused as refused:
        document.problems.append(Problem(file, refused.line, str(refused)))
    except (YAMLError, ValueError) as error:
        document.problems.append(Problem(file, 1, f"not valid YAML: {str(error).splitlines()[0]}"))
    return document


def _remedy(text: str, line: int) -> str:
    """What usually is wrong on a line that does not parse."""
    lines = text.splitlines()
    here = lines[line - 1] if 0 < line <= len(lines) else ""
    if "${" in here and "{" in here.replace("${", ""):
        return "inside { } write references in quotes: '${NAME}'"
    return "indent with spaces, not tabs" if "\t" in here else ""


class _Refused(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass
class _Frame:
    """An open mapping or sequence while events come in."""

    path: Where
    value: Any
    key: str | None = None


class _Builder:
    """Turns parser events into values without recursion, so that depth can't exhaust the stack."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.stack: list[_Frame] = []
        self.documents = 0

    def build(self, text: str) -> None:
        yaml = YAML(typ="safe", pure=True)
        for event in yaml.parse(text):
            self._take(event)

    def _take(self, event: Any) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _Refused(line, "holds more than one document ('---')")
        elif isinstance(event, AliasEvent):
            raise _Refused(line, f"aliases (*{event.anchor}) are not allowed: write the value out")
        elif isinstance(event, MappingStartEvent | SequenceStartEvent | ScalarEvent):
            self._start(event, line)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            self.stack.pop()

    def _start(self, event: Any, line: int) -> None:
        if event.anchor:
            raise _Refused(line, f"anchors (&{event.anchor}) are not allowed: write the value out")
        if event.tag and str(event.tag) != "!":
            raise _Refused(line, f"tags ({event.tag}) are not allowed")
        if isinstance(event, ScalarEvent):
            if self._is_key():
                self._set_key(event, line)
            else:
                self._place(_scalar(event), line)
            return
        if self._is_key():
            raise _Refused(line, "a key must be plain text")
        if len(self.stack) >= MAX_DEPTH:
            raise _Refused(line, f"is nested deeper than {MAX_DEPTH} levels")
        opened: Any = {} if isinstance(event, MappingStartEvent) else []
        path = self._place(opened, line)
        self.stack.append(_Frame(path, opened))

    def _is_key(self) -> bool:
        top = self.stack[-1] if self.stack else None
        return top is not None and isinstance(top.value, dict) and top.key is None

    def _set_key(self, event: Any, line: int) -> None:
        top = self.stack[-1]
        key = str(event.value)
        path = (*top.path, key)
        if key == "<<":
            raise _Refused(line, "merge keys (<<) are not allowed: write the values out")
        if key in top.value:
            first = self.document.lines[path]
            self.document.problems.append(
                Problem(
                    self.document.file, line, f"duplicate key {key!r}", f"first on line {first}"
                )
            )
        else:
            self.document.lines[path] = line
        top.key = key

    def _place(self, value: Any, line: int) -> Where:
        if not self.stack:
            self.document.value = value
            self.document.lines[()] = line
            return ()
        top = self.stack[-1]
        if isinstance(top.value, list):
            path: Where = (*top.path, len(top.value))
            self.document.lines[path] = line
            top.value.append(value)
        else:
            assert top.key is not None
            path = (*top.path, top.key)
            top.value[top.key] = value
            top.key = None
        return path


def _scalar(event: Any) -> Any:
    text = str(event.value)
    if not event.implicit[0]:  # quoted or block text
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text) and len(text) < 40:
        return int(text)
    if _DECIMAL.match(text) and len(text) < 40:
        return Decimal(text)
    return text
