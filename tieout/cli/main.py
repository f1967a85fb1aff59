"""The command line's frame: commands by name, errors as people read them, exit codes.

0 fine, 1 failed, 2 usage or configuration, 3 done but something needs a person.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from tieout import __version__
from tieout.core.errors import ConfigError, StopRun, TieoutError

FINE, FAILED, USAGE, ATTENTION = 0, 1, 2, 3

# What the machine refuses, which a person can mend; any other OSError is a bug of ours.
MACHINE = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EACCES, errno.EPERM, errno.EROFS,
    errno.EEXIST, errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG,
}  # fmt: skip

# name -> module; imported when used, so that `tieout --help` stays quick.
COMMANDS = {
    "demo": "demo",
    "init": "setup",
    "check": "setup",
    "config": "setup",
    "connectors": "setup",
    "sandbox": "setup",
    "map": "mapping",
    "remap": "mapping",
    "pull": "run",
    "plan": "run",
    "apply": "run",
    "sync": "run",
    "reconcile": "report",
    "report": "report",
    "status": "look",
    "history": "look",
    "runs": "look",
    "ops": "look",
    "links": "look",
    "breaks": "breaks",
    "audit": "look",
}

SUMMARIES = {
    "demo": "Try everything on local stand-ins, without credentials.",
    "init": "Write a commented config.yaml and .env.example.",
    "check": "Test config, credentials, permissions and what the flows need.",
    "config": "Show the JSON Schema of config.yaml for your editor.",
    "connectors": "List connectors and what each can do.",
    "sandbox": "Run local stand-ins of the providers.",
    "map": "Map one provider object from a file and print the result.",
    "remap": "Map everything again from the kept bytes, without calling a provider.",
    "pull": "Read what changed from the systems.",
    "plan": "Decide what should be written, show it, write nothing.",
    "apply": "Carry out a plan.",
    "sync": "Pull, plan and apply in one go.",
    "reconcile": "Compare the systems to the cent and file what differs.",
    "report": "Write the daily report again (HTML, text, XLSX).",
    "status": "Freshness, open work and open breaks at a glance.",
    "history": "Every version of one record that was ever seen.",
    "runs": "What ran, when, and how it ended.",
    "ops": "Writes: list, show, retry, discard.",
    "links": "Which records are the same thing, and why.",
    "breaks": "Mismatches: list, show, explain, acknowledge, assign, waive, heal.",
    "audit": "Verify the hash-chained trail of everything written.",
}


class Commands(click.Group):
    """Loads a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = COMMANDS.get(cmd_name)
        if module is None:
            return None
        found = getattr(import_module(f"tieout.cli.{module}"), f"{cmd_name}_command")
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and name not in COMMANDS and not name.startswith("-"):
            from tieout.core.yamltext import did_you_mean

            raise click.UsageError(f"there is no command {name!r}; {did_you_mean(name, COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    envvar="TIEOUT_CONFIG",
    show_default=True,
    help="The configuration to use.",
)
@click.version_option(__version__, prog_name="tieout")
@click.pass_context
def cli(ctx: click.Context, config_path: Path) -> None:
    """tieout keeps billing systems in agreement, and proves it to the cent.

    \b
    Start here:  tieout demo --once        see it work on local stand-ins
                 tieout init               write a config.yaml for your own systems
    """
    ctx.obj = config_path


# For what has no other form, so that programs may add --json to every command that shows.
ALWAYS_JSON = click.option(
    "--json", is_flag=True, expose_value=False, help="Print one JSON document (as without)."
)


def open_hub(config_path: Path, *, offline: bool = False) -> Any:
    """The hub of a configuration, with secrets kept out of logs."""
    from tieout.hub import Hub

    return Hub.open(config_path, os.environ, offline=offline)


def print_json(value: Any) -> None:
    """One JSON document on stdout, for programs."""
    import msgspec

    text = json.dumps(msgspec.to_builtins(value, str_keys=True), indent=2, ensure_ascii=False)
    click.echo(text)


def show_error(error: TieoutError) -> None:
    """What happened, where, and what to do; on stderr."""
    from .shown import clean

    first, *rest = error.message.splitlines() or [""]
    if rest:  # a list of problems, each with its own place
        click.secho(f"error: {len(rest) + 1} problems", fg="red", err=True)
        for line in (first, *rest):
            click.echo(f"  {clean(line)}", err=True)
    else:
        click.secho("error: ", fg="red", nl=False, err=True)
        click.echo(clean(first), err=True)
        if error.where:
            click.echo(f"  where   {clean(error.where)}", err=True)
    if error.hint:
        click.echo(f"  fix     {clean(error.hint)}", err=True)


def exit_code(error: TieoutError) -> int:
    """2 where a person must edit the configuration, else 1."""
    return USAGE if isinstance(error, ConfigError) else FAILED


def run(args: list[str] | None = None) -> None:
    """Run the command line; a person's mistake never shows a traceback."""
    try:
        code = cli.main(args=args, prog_name="tieout", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else FINE)
    except click.exceptions.Abort:
        click.echo("stopped; what was done is kept, run it again to go on", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except TieoutError as error:
        show_error(error)
        if isinstance(error, StopRun) and not error.hint:
            click.echo("  then    what was done is kept; run the command again", err=True)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAILED)
    except OSError as error:
        if error.errno not in MACHINE:
            raise
        show_error(_of_the_machine(error))
        _print_no_more()
        sys.exit(FAILED)


def _of_the_machine(error: OSError) -> TieoutError:
    reason = error.strerror or "the machine refused it"
    if error.filename:
        return TieoutError(
            f"a file or folder cannot be used: {reason}",
            where=str(error.filename),
            hint="check that it is there, who may write to it, and the free space",
        )
    return TieoutError(
        f"what was to be printed or written did not fit: {reason}",
        hint="free some space, then run the command again; what was done before is kept",
    )


def _print_no_more() -> None:
    """Lets Python flush what is left of stdout into nothing, instead of failing once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
