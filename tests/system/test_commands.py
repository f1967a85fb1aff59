"""Every command: --help, and one valid JSON document wherever data is printed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from two_stripes import World, plain_env
from wire import as_json

from tieout.cli.main import cli

ROOT = Path(__file__).parents[2]


def commands() -> dict[tuple[str, ...], click.Command]:
    """Every command and subcommand by the words that call it."""
    found: dict[tuple[str, ...], click.Command] = {}

    def walk(group: click.Group, words: tuple[str, ...]) -> None:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            found[(*words, name)] = command
            if isinstance(command, click.Group):
                walk(command, (*words, name))

    walk(cli, ())
    return found


# What prints no data but does something, or serves until it is stopped.
NO_DATA = {
    ("init",),
    ("demo",),
    ("sandbox",),
    ("connectors", "new"),
    ("connectors", "conformance"),
}
DOING = {
    "retry",
    "discard",
    "unlink",
    "merge",
    "split",
    "heal",
    "ack",
    "assign",
    "note",
    "waive",
    "resolve",
}


def takes_json(command: click.Command) -> bool:
    return any("--json" in parameter.opts for parameter in command.params)


def test_every_command_that_shows_data_takes_json() -> None:
    without = [
        " ".join(words)
        for words, command in commands().items()
        if not isinstance(command, click.Group)
        and words not in NO_DATA
        and words[-1] not in DOING
        and not takes_json(command)
    ]
    assert without == []


def test_every_command_explains_itself(world: World) -> None:
    for words in [(), *commands()]:
        result = CliRunner().invoke(cli, [*words, "--help"], prog_name="tieout")
        assert result.exit_code == 0, words
        assert result.output.startswith(f"Usage: {' '.join(['tieout', *words])}")
    assert world.run("sync", "--help", code=0).out.startswith("Usage: tieout sync")


def test_python_m_tieout_is_the_command(tmp_path: Path) -> None:
    """The one test that pays for a fresh interpreter."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tieout", "check", "--json"],
        cwd=tmp_path,
        env={**plain_env(), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no config.yaml" in done.stderr and "tieout init" in done.stderr
    assert "Traceback" not in done.stderr


READING: list[tuple[str, ...]] = [
    ("check", "--json"),
    ("check", "--offline", "--json"),
    ("config", "schema"),
    ("connectors", "list", "--json"),
    ("pull", "--json"),
    ("plan", "--json"),
    ("sync", "--json"),
    ("sync", "--full", "--json"),
    ("status", "--json"),
    ("runs", "list", "--json"),
    ("ops", "list", "--json"),
    ("links", "list", "--json"),
    ("links", "review", "--json"),
    ("breaks", "list", "--json"),
    ("audit", "verify", "--json"),
    ("remap", "--json"),
    ("reconcile", "--json"),
    ("reconcile", "--fresh", "--json"),
    ("apply", "--json"),
]


def test_json_is_one_document_on_stdout(world: World) -> None:
    world.seed(3, 1)
    for words in READING:
        done = world.run(*words)
        assert done.code in (0, 3), (words, done)
        assert isinstance(done.document, dict | list), words
        assert done.err == "", (words, done.err)
    item = world.left.held("customer")[0]
    operation = world.run("ops", "list", "--json").document[0]
    link = world.run("links", "list", "--json").document[0]
    run = world.run("runs", "list", "--json").document[0]["id"]
    for words in (
        ("history", "left", "customer", item["id"], "--json"),
        ("links", "show", link["system"], link["entity"], link["id"], "--json"),
        ("ops", "show", operation["id"], "--json"),
        ("runs", "show", run, "--json"),
    ):
        assert world.run(*words, code=0).document


@pytest.mark.parametrize(
    "words",
    [
        ("history", "left", "customer", "cus_none"),
        ("history", "leftt", "customer", "cus_none"),
        ("history", "left", "custmer", "cus_none"),
        ("links", "show", "left", "customer", "cus_none"),
        ("ops", "show", "nope"),
        ("runs", "show", "nope"),
        ("apply", "nope"),
        ("pull", "leftt"),
        ("pull", "left", "--entity", "custmer"),
        ("sync", "--since", "soon"),
        ("breaks", "show", "nope"),
    ],
    ids=" ".join,
)
def test_json_in_an_error_is_no_broken_json(world: World, words: tuple[str, ...]) -> None:
    """stdout holds a document or nothing; what went wrong is on stderr, with what to do."""
    done = world.run(*words, "--json")
    assert done.code in (1, 2), done
    assert "rror" in done.err
    assert done.out == "" or done.document is not None


def test_json_of_a_failed_sync_is_one_document(world: World) -> None:
    down = {"error": {"type": "api_error", "message": "down"}}
    world.left.wire.on_request = lambda method, path, number: as_json(
        503, down, Stripe_Should_Retry="false"
    )
    for words in (("pull",), ("sync",)):
        done = world.run(*words, "--json", code=1)
        assert done.document["failures"][0]["where"].count("systems.left") == 1
    done = world.run("reconcile", "--fresh", "--json", code=1)
    assert done.out == "" or done.document


def test_a_reader_that_stops_reading_is_no_crash(world: World) -> None:
    """tieout ... | head -1"""
    (world.folder / "run.sh").write_text(
        f"{sys.executable} -m tieout config schema | head -1; exit ${{PIPESTATUS[0]}}\n"
    )
    done = subprocess.run(
        ["bash", "run.sh"],
        cwd=world.folder,
        env={**world.env, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "{\n"
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


@pytest.mark.parametrize("words", ["connectors list", "config schema", "sync --help"])
def test_a_full_disk_behind_stdout_is_named(tmp_path: Path, words: str) -> None:
    """tieout ... > file, on a disk without space."""
    if not Path("/dev/full").exists():
        pytest.skip("this machine has no /dev/full")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tieout", *words.split()],
            cwd=tmp_path,
            env={**plain_env(), "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert "did not fit" in done.stderr and "free some space" in done.stderr
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_init_where_a_file_is_in_the_way(world: World) -> None:
    (world.folder / "notes").write_text("mine")
    for target in ("notes", "notes/books"):
        done = world.run("init", target, code=1)
        assert "notes" in done.err and "cannot be used" in done.err
    assert (world.folder / "notes").read_text() == "mine"
    assert "there already" in world.run("init", ".", code=2).err
