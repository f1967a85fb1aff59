"""Trying a mapping on one object, and mapping everything again from the kept bytes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import msgspec

from tieout.core.errors import ConfigError, InvalidRecord

from .main import ATTENTION, FAILED, FINE, open_hub, print_json, show_error
from .shown import clean, say


@click.command("map")
@click.option("--connector", "type_name", required=True, help="The connector type: stripe, ...")
@click.option("--entity", required=True, help="The canonical entity: invoice, customer, ...")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--reverse", is_flag=True, help="FILE is canonical; print what would be sent.")
@click.option("--timezone", default="UTC", show_default=True, help="The account's time zone.")
@click.option("--currency", help="For payloads that name none, e.g. USD.")
@click.option(
    "--lookups",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help='JSON file with tables the payload only refers to: {"currency": {"1": "USD"}}.',
)
@click.option(
    "--overlay",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A mapping overlay to try; may be given more than once.",
)
def map_command(
    type_name: str,
    entity: str,
    file: Path,
    as_json: bool,
    reverse: bool,
    timezone: str,
    currency: str | None,
    lookups: Path | None,
    overlay: tuple[Path, ...],
) -> int:
    """Print the canonical record of the provider object in FILE, or why it is refused (exit 1).

    \b
    Example:  tieout map --connector stripe --entity invoice in_1.json --json
              tieout map --connector stripe --entity customer canonical.json --reverse
    """
    from tieout.core.ports import real_ports
    from tieout.hub import bare_mapper, read_payload

    mapper = bare_mapper(
        type_name,
        timezone=timezone,
        currency=currency,
        lookups=_read_lookups(lookups) if lookups else {},
        overlays=overlay,
    )
    if entity not in mapper.entities:
        raise ConfigError(
            f"the {type_name} mapping has no entity {entity!r}",
            hint="it has: " + ", ".join(mapper.entities),
        )
    try:
        if reverse:
            body = mapper.render(entity, _canonical(entity, _read_bytes(file)), creating=True)
        else:
            today = f"{real_ports().now():%Y-%m-%d}"
            raw = read_payload(type_name, _read_bytes(file), today=today)
            record = mapper.parse(entity, raw)
    except InvalidRecord as error:
        error.where = error.where or str(file)
        if as_json:
            print_json({"refused": error.message, "where": error.where, "fix": error.hint})
        else:
            show_error(error)
        return FAILED
    if reverse:
        _print_body(body)
        return FINE
    if as_json:
        print_json(record)
        return FINE
    for name, value in msgspec.to_builtins(record).items():
        say(f"{name:24} {clean('' if value is None else value)}")
    for path in mapper.unknown_fields(entity, read_payload(type_name, _read_bytes(file))):
        say(f"not mapped: {path}", dim=True)
    return FINE


def _print_body(body: dict[str, Any]) -> None:
    """A request body as it would be sent: exact numbers stay numbers."""
    text = msgspec.json.Encoder(decimal_format="number").encode(body)
    click.echo(msgspec.json.format(text, indent=2).decode())


def _canonical(entity: str, body: bytes) -> dict[str, Any]:
    """The fields of a canonical record, as `--json` prints it; the common ones can't be sent."""
    from tieout.core.entities import COMMON_FIELDS, fields_of
    from tieout.core.yamltext import did_you_mean
    from tieout.mappings.payload_text import decode_payload
    from tieout.sync.golden import typed_fields

    values = decode_payload(body)
    if not isinstance(values, dict):
        raise InvalidRecord("is not one JSON object", hint=f"give one canonical {entity}")
    own = (*fields_of(entity), "custom", "external_ids")
    for name in values:
        if name not in (*own, *COMMON_FIELDS, "entity"):
            raise InvalidRecord(
                f"a canonical {entity} has no field {name!r}", hint=did_you_mean(name, own)
            )
    if values.get("entity", entity) != entity:
        raise InvalidRecord(f"is a canonical {values['entity']}, not {entity}")
    fields = {name: value for name, value in values.items() if name in own}
    try:
        return typed_fields(entity, fields)
    except msgspec.ValidationError as error:
        raise InvalidRecord(f"is not a canonical {entity}: {error}") from None


def _read_bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None


def _read_lookups(file: Path) -> dict[str, Any]:
    """Tables by name, each an object or a list of objects. Raises ConfigError."""
    from tieout.mappings.payload_text import decode_payload

    try:
        tables = decode_payload(_read_bytes(file))
    except InvalidRecord as error:
        raise ConfigError(f"the lookups file {error.message}", where=str(file)) from None
    if not isinstance(tables, dict) or not all(map(_is_table, tables.values())):
        raise ConfigError(
            "the lookups file holds something else than tables by name",
            where=str(file),
            hint='write such as {"currency": {"1": "USD"}} or {"currency": [{"id": "1", ...}]}',
        )
    return tables


def _is_table(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(row, dict) for row in value)
    return isinstance(value, dict)


@click.command("remap")
@click.argument("systems", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def remap_command(config_path: Path, systems: tuple[str, ...], as_json: bool) -> int:
    """Map everything again from the kept bytes: after a mapping was mended, without any call.

    Exit code 3: some records are still set aside.

    \b
    Example:  tieout remap netsuite
    """
    from tieout.jobs import tasks

    with open_hub(config_path) as hub:
        mapped = tasks.remap(hub, systems)
    if as_json:
        print_json({"mapped": [asdict(each) for each in mapped]})
    else:
        _show_mapped(mapped)
    return ATTENTION if any(each.quarantined for each in mapped) else FINE


def _show_mapped(mapped: list[Any]) -> None:
    for done in mapped:
        say(
            f"{done.system} {done.entity}: {done.seen} read again, {done.new} new, "
            f"{done.changed} changed, {done.quarantined} set aside"
        )
        for reason in done.reasons:
            say(f"set aside: {clean(reason)}", fg="yellow")
