"""Mistakes in config.yaml: exit code 2, the line, what is known, and nothing is called."""

from __future__ import annotations

import pytest
from two_stripes import World

MISTAKES: list[tuple[str, str, list[str]]] = [
    ("    api_key: ${LEFT_KEY}", "    api_kee: ${LEFT_KEY}", ["'api_kee'", "api_key"]),
    ("type: stripe", "type: strip", ["strip", "stripe"]),
    ("entity: customer", "entity: custmer", ["custmer", "customer"]),
    ("from: left, to: right", "from: leftt, to: right", ["leftt", "left"]),
    ("both_changed: flag", "both_changed: flags", ["flags", "flag"]),
    ("both_changed: flag", "match: [emial]", ["emial", "email"]),
    ("${LEFT_KEY}", "${LEFT_KY}", ["LEFT_KY", "is not set"]),
    ("${LEFT_HOOK}", "${file:nowhere}", ["nowhere", "cannot be read"]),
    ("store: tieout.db", "store: tieout.db\nstore: two.db", ["duplicate key 'store'", "line 1"]),
    ("store: tieout.db", "store: tieout.db\n\tx: 1", ["tab"]),
    ("flows:", "flow:", ["'flow'", "flows"]),
    (
        "calls_per_second: 1000",
        "calls_per_second: many",
        ["calls_per_second", "number"],
    ),
    ("store: tieout.db", "timezone: Mars/Base", ["Mars/Base"]),
]


@pytest.mark.parametrize(("right", "wrong", "words"), MISTAKES, ids=[m[1] for m in MISTAKES])
def test_a_mistake_is_named_with_its_line(
    world: World, right: str, wrong: str, words: list[str]
) -> None:
    line = world.rewrite(right, wrong)
    done = world.run("sync", code=2)
    lines = {f"config.yaml:{line}", f"config.yaml:{line + wrong.count(chr(10))}"}
    assert any(place in done.err for place in lines), done.err
    for word in words:
        assert word in done.err, done.err
    assert done.out == ""
    assert world.left.wire.asked == world.right.wire.asked == []


def test_all_mistakes_are_told_at_once(world: World) -> None:
    for right, wrong, _ in (MISTAKES[0], MISTAKES[2], MISTAKES[4], MISTAKES[6]):
        if right in world.config.read_text():
            world.rewrite(right, wrong)
    done = world.run("check", "--json", code=2)
    assert done.out == ""
    assert done.err.count("config.yaml:") >= 3
    assert "problems" in done.err


def test_a_config_that_cannot_be_read(world: World) -> None:
    world.config.write_bytes(b"systems: \xff\xfe\x00 {")
    assert "config.yaml" in world.run("check", code=2).err
    world.config.write_text("")
    assert "tieout init" in world.run("check", code=2).err
    world.config.unlink()
    world.config.mkdir()
    assert "config.yaml" in world.run("check", code=2).err


def test_a_mapping_overlay_with_a_mistake_names_its_line(world: World) -> None:
    (world.folder / "mine.yaml").write_text("customer:\n  fields:\n    nmae: name\n")
    world.rewrite("    webhook_secret", "    mappings: [mine.yaml]\n    webhook_secret")
    done = world.run("sync", code=2)
    assert "mine.yaml:3" in done.err and "name" in done.err
    assert world.left.wire.asked == []


def test_an_unknown_command_suggests_one(world: World) -> None:
    done = world.run("snyc", code=2)
    assert "sync" in done.err
