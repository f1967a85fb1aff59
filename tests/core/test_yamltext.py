"""YAML that a person would misread is refused, with its line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from tieout.core.yamltext import did_you_mean, read_yaml, read_yaml_file


def test_values_follow_the_yaml_1_2_core_schema() -> None:
    text = "a: no\nb: 12:30:45\nc: 1.10\nd: [~, true, 007, '1']\ne: |\n  hi\nf:\ng: 2026-01-31\n"
    assert read_yaml(text, "x").value == {
        "a": "no",
        "b": "12:30:45",
        "c": Decimal("1.10"),
        "d": [None, True, 7, "1"],
        "e": "hi\n",
        "f": None,
        "g": "2026-01-31",
    }


def test_lines_are_remembered_for_every_path() -> None:
    document = read_yaml("a:\n  - x\n  - y: 1\n    z: 2\n", "x")
    assert document.line_of(("a", 1, "z")) == 4
    assert document.line_of(("a", 0)) == 2
    assert document.line_of(("a", 1, "nothing", "there")) == 3


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3", 3, "duplicate key 'a'"),
        ("a: &x 1\nb: *x", 1, "anchors"),
        ("a: 1\nb: *x", 2, "aliases"),
        ("a: !!python/object:os.system x", 1, "tags"),
        ("a: 1\n---\nb: 2", 2, "more than one document"),
        ("? [a]\n: 1", 1, "key must be plain text"),
        ("a: {<<: {b: 1}}", 1, "merge keys"),
        ("a:\n\t- x", 2, "not valid YAML"),
        ("a: 'x", 1, "not valid YAML"),
        ("[" * 20_000, 1, "nested deeper"),
        ("a: [1, 2", 1, "not valid YAML"),
    ],
)
def test_what_would_surprise_is_refused_with_its_line(text: str, line: int, says: str) -> None:
    problems = read_yaml(text, "config.yaml").problems
    assert problems and says in problems[0].message
    assert problems[0].file == "config.yaml"
    assert problems[0].line >= line


def test_two_duplicates_are_two_problems() -> None:
    assert len(read_yaml("a: 1\na: 2\nb: 1\nb: 2", "x").problems) == 2


def test_files_that_cannot_be_read_are_problems_too(tmp_path: Path) -> None:
    assert "cannot be read" in read_yaml_file(tmp_path / "none.yaml").problems[0].message
    big = tmp_path / "big.yaml"
    big.write_bytes(b"a" * (1024 * 1024 + 1))
    assert "1 MiB" in read_yaml_file(big).problems[0].message
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: 1\nb: \xe9\n")
    problem = read_yaml_file(latin).problems[0]
    assert (problem.line, problem.message) == (2, "is not UTF-8 text")


def test_suggestions_are_near_or_list_what_is_known() -> None:
    assert did_you_mean("emial", ["email", "name"]) == "did you mean email?"
    assert did_you_mean("zzz", ["email", "name"]) == "known here: email, name"
