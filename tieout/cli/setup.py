"""Setting up: init, check, config schema, connectors, sandbox."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click

from tieout.core.errors import ConfigError, TieoutError
from tieout.core.priority import Priority, priority

from .main import ALWAYS_JSON, ATTENTION, FAILED, FINE, exit_code, open_hub, print_json, show_error
from .shown import plural, say, table


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("."))
@click.option(
    "--connectors", default="stripe,netsuite", show_default=True, help="Which systems to set up."
)
def init_command(folder: Path, connectors: str) -> int:
    """Write a commented config.yaml and .env.example into FOLDER.

    \b
    Example:  tieout init books --connectors stripe,netsuite
    """
    from .templates import config_text, env_text

    names = [name.strip() for name in connectors.split(",") if name.strip()]
    wanted = {"config.yaml": config_text(names), ".env.example": env_text(names)}
    taken = [name for name in wanted if (folder / name).exists()]
    if taken:
        raise ConfigError(
            f"{folder / taken[0]} is there already, and is not overwritten",
            hint="choose another folder: tieout init FOLDER",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
        say(f"wrote {folder / name}")
    say("Next: put the keys that .env.example names into the environment, then `tieout check`.")
    return FINE


@click.command("check")
@click.option("--offline", is_flag=True, help="Only the configuration; no call, no secret needed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def check_command(config_path: Path, offline: bool, as_json: bool) -> int:
    """Test the configuration, the credentials, the permissions and what the flows need.

    \b
    Example:  tieout check
              tieout check --offline
    """
    with open_hub(config_path, offline=offline) as hub:
        rows: list[dict[str, Any]] = []
        worst = FINE
        for name, system in hub.config.systems.items():
            row: dict[str, Any] = {"system": name, "type": system.base.type}
            row["entities"] = hub.entities(name)
            if not offline:
                worst = max(worst, _log_in(hub, name, row))
            rows.append(row)
        if as_json:
            print_json({"config": str(config_path), "flows": len(hub.flows), "systems": rows})
            return worst
        for row in rows:
            who = row.get("account", "not asked (offline)" if offline else "login failed")
            say(f"{row['system']}: {row['type']}, {who}; reads {', '.join(row['entities'])}")
            for problem in row.get("problems", ()):
                say(f"  {problem}", fg="yellow")
        say(f"{config_path}: fine, {plural(len(hub.flows), 'flow')}" if worst == FINE else "")
        return worst


def _log_in(hub: Any, name: str, row: dict[str, Any]) -> int:
    try:
        with priority(Priority.PERSON):
            account = hub.side(name).connector.check()
    except TieoutError as error:
        row["error"], row["fix"] = error.message, error.hint
        show_error(error)
        return exit_code(error)
    row["account"], row["problems"] = f"{account.name} ({account.id})", list(account.problems)
    return ATTENTION if account.problems else FINE


@click.group("config")
def config_command() -> None:
    """About the configuration file.

    \b
    Example:  tieout config schema > config.schema.json
    """


@config_command.command("schema")
@ALWAYS_JSON
def schema_command() -> int:
    """Print the JSON Schema of config.yaml, for completion in your editor.

    \b
    Example:  tieout config schema > config.schema.json
              then, as the first line of config.yaml:
              # yaml-language-server: $schema=config.schema.json
    """
    from tieout.hub import schema_for_editors

    print_json(schema_for_editors())
    return FINE


@click.group("connectors")
def connectors_command() -> None:
    """The connectors that are installed.

    \b
    Example:  tieout connectors list
    """


@connectors_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def connectors_list_command(as_json: bool) -> int:
    """What each connector can do with each entity; what is not named, it cannot do.

    \b
    Example:  tieout connectors list
    """
    from tieout.hub import abilities_known, capabilities

    found, known = capabilities(), abilities_known()
    if as_json:
        print_json(found)
        return FINE
    for name, entities in found.items():
        abilities = [each for each in known if any(each in cans for cans in entities.values())]
        rows = [
            [entity, *("yes" if each in cans else "no" for each in abilities)]
            for entity, cans in entities.items()
        ]
        table(name, ["entity", *abilities], rows)
        say()
    return FINE


@connectors_command.command("new")
@click.argument("name")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write it; default: tieout-NAME.",
)
def connectors_new_command(name: str, folder: Path | None) -> int:
    """Write a connector, mapping, stand-in and test for the provider NAME; they run at once.

    \b
    Example:  tieout connectors new acme
              cd tieout-acme && python -m pytest
    """
    from tieout.hub import known_connectors

    from .skeleton import write_skeleton

    folder = folder or Path(f"tieout-{name}")
    for path in write_skeleton(name, folder, known_connectors()):
        say(f"wrote {path}")
    say(f"Next: cd {folder} && python -m pytest, then docs/connectors.md.")
    return FINE


@connectors_command.command(
    "conformance", context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
@click.argument("tests", type=click.Path(path_type=Path, exists=True), default=Path("tests"))
@click.pass_context
def connectors_conformance_command(context: click.Context, tests: Path) -> int:
    """Run a connector's conformance tests (those that inherit from tieout.testing) in TESTS.

    \b
    Example:  tieout connectors conformance tests/test_acme.py
    """
    try:
        import pytest
    except ModuleNotFoundError:
        raise ConfigError("pytest is not installed here", hint="pip install pytest") from None
    return FINE if pytest.main([str(tests), *context.args]) == 0 else FAILED


@click.command("sandbox")
@click.option(
    "--providers",
    default="salesforce,stripe,chargebee,zuora,netsuite",
    show_default=True,
    help="Which to run.",
)
@click.option("--port-base", default=0, help="First port; 0 takes free ones.")
@click.option("--seed", default=1, show_default=True, help="The same seed, the same company.")
@click.option("--size", default=120, show_default=True, help="Customers of the company.")
@click.option("--faults", default="", help="Faults on demand, e.g. 'stripe:429@every:10'.")
@click.option(
    "--samples",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of provider objects (JSON files) to load instead of the company.",
)
def sandbox_command(
    providers: str, port_base: int, seed: int, size: int, faults: str, samples: Path | None
) -> int:
    """Run local stand-ins of the providers until stopped (Ctrl-C).

    The first line on stdout is JSON: each provider's address and credentials.

    \b
    Example:  tieout sandbox --size 50 --port-base 8400
    """
    from .stand_ins import start

    names = [name.strip() for name in providers.split(",") if name.strip()]
    try:
        running = start(names, port_base, seed, size, faults, samples)
    except (ValueError, OSError) as error:
        say(f"error: {error}", fg="red", err=True)
        return FAILED
    click.echo(json.dumps({name: each.announced for name, each in running.items()}))
    sys.stdout.flush()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    stopped.wait()
    for stand_in in running.values():
        stand_in.stop()
    return FINE
