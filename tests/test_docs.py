"""What exists is documented: every command and option, every setting, every link between pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tieout.cli.main import COMMANDS, SUMMARIES, cli
from tieout.config import Compare, Flow, Guard, Mail, Reconcile, Report, SystemBase, Top

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def leaves(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Each command that can be run, with its full name."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            child = command.get_command(context, each)
            assert child is not None
            yield from leaves(child, f"{name} {each}")
    else:
        yield name, command


ALL = dict(leaves(cli, "tieout"))


@pytest.mark.parametrize("name", ALL)
def test_every_command_and_option_is_in_the_docs(name: str) -> None:
    text = (ROOT / "docs" / "commands.md").read_text()
    assert f"`{name}`" in text
    options = [o for p in ALL[name].params if isinstance(p, click.Option) for o in p.opts]
    missing = [o for o in options if o.startswith("--") and f"`{o}`" not in text]
    assert not missing


@pytest.mark.parametrize("name", ALL)
def test_every_help_has_an_example(name: str) -> None:
    assert "Example:" in (ALL[name].help or ""), name


def test_the_overview_lists_every_command() -> None:
    assert list(SUMMARIES) == list(COMMANDS)


def test_every_setting_is_in_the_docs() -> None:
    text = (ROOT / "docs" / "config.md").read_text()
    models = (Top, SystemBase, Flow, Compare, Guard, Reconcile, Report, Mail)
    names = {info.alias or name for m in models for name, info in m.model_fields.items()}
    missing = sorted(name for name in names if f"`{name}`" not in text)
    assert not missing


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#]+)", page.read_text())
        if not target.startswith(("http://", "https://")) and not (page.parent / target).exists()
    ]
    assert not broken


def test_the_example_configuration_is_what_init_writes() -> None:
    from tieout.cli.templates import config_text

    assert (ROOT / "config.yaml").read_text() == config_text(["stripe", "netsuite"])
