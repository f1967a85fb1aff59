"""Every mistake in config.yaml is told at once, with its line and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr, field_validator

from tieout.config import Config, config_schema, load_config
from tieout.connectors.base import Settings
from tieout.core.errors import ConfigError


class PaperSettings(Settings):
    api_key: SecretStr
    base_url: str = "https://api.paper.example"

    @field_validator("base_url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        if "://" not in value:
            raise ValueError(f"{value!r} is not an address of the Paper API")
        return value


def settings_of(type_name: str) -> type[BaseModel]:
    if type_name != "paper":
        raise ConfigError(f"there is no connector of type {type_name!r}", hint="known: paper")
    return PaperSettings


GOOD = """\
systems:
  one: {type: paper, api_key: '${KEY}', timezone: Europe/Berlin}
  two:
    type: paper
    api_key: ${file:two.key}
flows:
  - {entity: customer, from: one, to: two, match: email, owners: {email: [one, two]}}
"""


def load(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return load_config(path, settings_of, {"KEY": "k-1"} if env is None else env)


def complaints(tmp_path: Path, text: str, env: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text, env)
    return [line.replace(str(tmp_path) + "/", "") for line in caught.value.message.splitlines()]


def test_a_good_file_loads_with_its_secrets(tmp_path: Path) -> None:
    (tmp_path / "two.key").write_text("k-2\n")
    config = load(tmp_path, GOOD)
    one, two = config.systems["one"].settings, config.systems["two"].settings
    assert isinstance(one, PaperSettings) and one.api_key.get_secret_value() == "k-1"
    assert isinstance(two, PaperSettings) and two.api_key.get_secret_value() == "k-2"
    assert config.secrets == ("k-1", "k-2")
    assert config.flows[0].owners == {"email": ("one", "two")}
    assert config.flows[0].match == ("email",)
    assert "k-1" not in repr(config) and "k-2" not in repr(config)


def test_all_problems_come_in_one_go_with_their_lines(tmp_path: Path) -> None:
    text = """\
stor: x.db
systems:
  one:
    type: paper
    api_key: plain-text-key
    base_ulr: http://x
  two: {type: papper}
  Three: {type: paper, api_key: '${KEY}'}
flows:
  - {entity: customr, from: one, to: two}
  - {entity: customer, from: one, to: tow, owners: {emial: one, name: four}}
  - {entity: invoice, from: one, to: one}
guard: {max_writes: -1}
timezone: Mars/Olympus
"""
    assert complaints(tmp_path, text) == [
        "config.yaml:1: unknown key 'stor' (did you mean store?)",
        "config.yaml:5: api_key must not stand in the file "
        "(put it into the environment: api_key: ${API_KEY})",
        "config.yaml:6: unknown key 'base_ulr' (did you mean base_url?)",
        "config.yaml:7: there is no connector of type 'papper' (known: paper)",
        "config.yaml:8: system name 'Three' (use lower-case letters, digits and _)",
        "config.yaml:10: flows[0].entity: 'customr'? (did you mean customer?)",
        "config.yaml:11: 'four' is not a side of this flow (use one or tow)",
        "config.yaml:11: customer has no field 'emial' (did you mean email?)",
        "config.yaml:11: no system is named 'tow' (did you mean two?)",
        "config.yaml:12: from and to are the same system",
        "config.yaml:13: guard.max_writes: input should be greater than or equal to 0",
    ]


def test_a_missing_secret_says_what_to_set_and_never_shows_others(tmp_path: Path) -> None:
    text = GOOD.replace("'${KEY}'", "'${KEY}x${NOT_SET}'")
    (tmp_path / "two.key").write_text("")
    assert complaints(tmp_path, text, {"KEY": "canary"}) == [
        "config.yaml:2: api_key must not stand in the file "
        "(put it into the environment: api_key: ${API_KEY})",
        "config.yaml:2: the environment variable NOT_SET is not set (export NOT_SET=... first)",
        "config.yaml:5: the secret file two.key is empty (put the secret into it)",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty or not a mapping"),
        ("- a\n", "is empty or not a mapping"),
        ("systems: {}\n", "names no system"),
        ("flows: []\n", "systems is missing"),
        ("systems: {one: {api_key: '${KEY}'}}\n", "systems.one.type is missing"),
        ("systems: {one: {type: paper}}\n", "systems.one.api_key is missing"),
        ("systems: {one: {type: paper, api_key: '${KEY'}}\n", "must not stand in the file"),
        (
            "systems: {one: {type: paper, api_key: '${KEY}', mappings: no.yaml}}\n",
            "no such file",
        ),
        ("systems: {one: {type: paper, api_key: '${KEY}', timezone: Nowhere}}\n", "time zone"),
        ("systems: {one: {type: paper, api_key: '${KEY}', currency: usd}}\n", "currency"),
    ],
)
def test_single_mistakes(tmp_path: Path, text: str, says: str) -> None:
    found = complaints(tmp_path, text)
    assert any(says in each for each in found), found
    assert all(each.startswith("config.yaml:") for each in found)


def test_an_unquoted_reference_inside_braces_is_explained(tmp_path: Path) -> None:
    found = complaints(tmp_path, GOOD.replace("'${KEY}'", "${KEY}"))
    assert "inside { } write references in quotes: '${NAME}'" in found[0]


def test_what_is_not_set_is_told_once_and_what_is_wrong_as_its_connector_says(
    tmp_path: Path,
) -> None:
    (tmp_path / "two.key").write_text("k-2\n")
    text = GOOD.replace("type: paper, ", "type: paper, base_url: '${ADDRESS}', ")
    (told,) = complaints(tmp_path, text, {"KEY": "k-1"})
    assert "the environment variable ADDRESS is not set" in told
    (told,) = complaints(tmp_path, text, {"KEY": "k-1", "ADDRESS": "Paper"})
    assert told.endswith("systems.one.base_url: 'Paper' is not an address of the Paper API")

    config = load_config(tmp_path / "config.yaml", settings_of, {}, offline=True)
    assert set(config.systems) == {"one", "two"}


def test_offline_needs_no_secrets(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(GOOD)
    config = load_config(path, settings_of, {}, offline=True)
    assert set(config.systems) == {"one", "two"} and config.secrets == ()


def test_the_schema_knows_every_connector_and_forbids_the_rest() -> None:
    schema = config_schema({"paper": PaperSettings})
    system = schema["properties"]["systems"]["additionalProperties"]["oneOf"][0]
    assert system["properties"]["type"] == {"const": "paper"}
    assert {"api_key", "base_url", "timezone", "mappings"} <= system["properties"].keys()
    assert system["additionalProperties"] is False
    assert "entity" in schema["$defs"]["Flow"]["properties"]
