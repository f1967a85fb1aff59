"""The files of a new connector, as templates: `tieout connectors new` fills in its name."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template

from tieout.core.errors import ConfigError

_NAME = re.compile(r"[a-z][a-z0-9]{1,30}")


def layout(name: str) -> dict[str, str]:
    """Path in the new folder -> template."""
    package = f"tieout_{name}"
    return {
        "pyproject.toml": "pyproject.toml.txt",
        "README.md": "README.md.txt",
        f"{package}/__init__.py": "init.py.txt",
        f"{package}/connector.py": "connector.py.txt",
        f"{package}/{name}.yaml": "mapping.yaml.txt",
        "tests/stand_in.py": "stand_in.py.txt",
        f"tests/test_{name}.py": "test.py.txt",
    }


def write_skeleton(name: str, folder: Path, known: list[str]) -> list[Path]:
    """A package with a connector of this name that works at once; the files written.

    ConfigError for a name that is taken or cannot be a Python module's, and where a file of it is
    there already.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} cannot be a connector's name",
            hint="lower-case letters and digits, beginning with a letter, such as acme",
        )
    if name in known:
        raise ConfigError(f"there is a connector named {name!r} already", hint="choose another")
    wanted = {folder / path: template for path, template in layout(name).items()}
    if taken := next((path for path in wanted if path.exists()), None):
        raise ConfigError(
            f"{taken} is there already, and is not overwritten", hint="name another folder: --dir"
        )
    words = {"name": name, "Name": name.capitalize()}
    for path, template in wanted.items():
        text = files(__name__).joinpath(template).read_text(encoding="utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(words), encoding="utf-8")
    return list(wanted)
