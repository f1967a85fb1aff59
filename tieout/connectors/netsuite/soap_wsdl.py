"""NetSuite's WSDL from a file of the user's own: a folder, the .wsdl itself, or an archive.

It is Oracle's and not part of tieout, and it is never fetched from the network.
"""

from __future__ import annotations

import io
import posixpath
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tieout.core.errors import ConfigError

# Where the documents seem to lie for zeep, which asks for them by path.
_ROOT = "/netsuite-wsdl/"
_MOST_BYTES = 64 * 1024 * 1024
_VERSION = re.compile(rb'targetNamespace="urn:platform_(20\d\d_[12])\.')
_WORDS = re.compile(rb'simpleType name="(Country|Language)".*?</simpleType>', re.S)
_SPACE = re.compile(rb'targetNamespace="([^"]+)"')
_IMPORT = re.compile(rb"<(?:\w+:)?import\b[^>]*>")
_NAMESPACE = re.compile(rb'\bnamespace="([^"]+)"')
_LOCATION = re.compile(rb'schemaLocation="[^"]*"')
_DOUBLE = re.compile(rb"""(type=["'](?:\w+:)?)double(["'])""")
_VALUE = re.compile(rb'value="(\w+)"')

HINT = (
    "set `wsdl` to NetSuite's WSDL with its .xsd files (a folder, netsuite.wsdl, .tgz or .zip); "
    "docs/providers/netsuite.md says where to get it"
)


@dataclass
class Wsdl:
    """A loaded WSDL. `version` is that of the endpoint: 2023_2."""

    version: str
    client: Any
    words: dict[str, frozenset[str]]
    _types: dict[str, Any] = field(default_factory=dict)

    def type(self, name: str) -> Any:
        """A schema type by its local name. LookupError if there is none."""
        if not self._types:
            self._types = {each.name: each for each in self.client.wsdl.types.types}
        return self._types[name]

    @property
    def binding(self) -> Any:
        return next(iter(self.client.wsdl.bindings.values()))


def load_wsdl(path: str, *, where: str = "") -> Wsdl:
    """Read once a process and file. ConfigError where there is none or it can't be used."""
    if not path:
        raise ConfigError("transport soap needs NetSuite's WSDL", where=where, hint=HINT)
    file = Path(path).expanduser()
    try:
        changed = file.stat().st_mtime_ns
    except OSError:
        raise ConfigError(f"there is no WSDL at {path}", where=where, hint=HINT) from None
    try:
        return _loaded(str(file), changed)
    except ConfigError as error:
        error.where = error.where or where
        raise


@lru_cache(maxsize=4)
def _loaded(path: str, changed: int) -> Wsdl:
    import zeep  # slow to import, and needed for this transport only

    documents = _documents(Path(path))
    entry = min((name for name in documents if name.endswith(".wsdl")), key=len, default="")
    found = _VERSION.search(documents.get(entry, b""))
    if not entry or not found:
        raise ConfigError(f"{path} holds no WSDL of NetSuite's", hint=HINT)
    words = {
        each.group(1).decode(): frozenset(word.decode() for word in _VALUE.findall(each.group()))
        for text in documents.values()
        for each in _WORDS.finditer(text)
    }
    settings = zeep.Settings(
        strict=False, forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    try:
        held = _transport(path, documents)
        client: Any = zeep.Client(_ROOT + entry, transport=held, settings=settings)  # type: ignore[no-untyped-call]
        client.wsdl.types.get_type("xsd:string")
    except (zeep.exceptions.Error, LookupError, OSError) as error:
        raise ConfigError(f"the WSDL at {path} cannot be used: {error}", hint=HINT) from None
    return Wsdl(found.group(1).decode(), client, words)


def _transport(path: str, documents: dict[str, bytes]) -> Any:
    import zeep

    class Held(zeep.Transport):
        """Gives the documents that were read; there is no way to the network."""

        def __init__(self) -> None:
            self.session = None
            self._close_session = False

        def load(self, url: str) -> bytes:
            name = posixpath.normpath(str(url)).removeprefix(_ROOT)
            if name not in documents:
                raise ConfigError(f"{path} lacks {name}, which the WSDL needs", hint=HINT)
            return documents[name]

        def post(self, address: str, message: Any, headers: Any) -> Any:
            raise ConfigError("SOAP calls go through the connector's own client")

        get = post

    return Held()


def _documents(path: Path) -> dict[str, bytes]:
    """Name -> text, with decimals for doubles, and imports that name the other documents."""
    found: dict[str, bytes] = {}
    size = 0
    for name, text in _files(path):
        size += len(text)
        if size > _MOST_BYTES:
            raise ConfigError(f"{path} is too big for a WSDL", hint=HINT)
        # An amount must never pass through a float, not even on its way in.
        found[name] = _DOUBLE.sub(rb"\1decimal\2", text)
    spaces = {
        told.group(1): name
        for name, text in found.items()
        if name.endswith(".xsd") and (told := _SPACE.search(text))
    }
    return {name: _with_local_imports(text, spaces) for name, text in found.items()}


def _with_local_imports(text: bytes, spaces: dict[bytes, str]) -> bytes:
    """Oracle's own files import each other by https address: here by namespace."""

    def local(found: re.Match[bytes]) -> bytes:
        space = _NAMESPACE.search(found.group())
        name = spaces.get(space.group(1)) if space else None
        if name is None:
            return found.group()
        return _LOCATION.sub(b'schemaLocation="' + (_ROOT + name).encode() + b'"', found.group())

    return _IMPORT.sub(local, text)


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    if path.is_dir() or path.suffix == ".wsdl":
        folder = path if path.is_dir() else path.parent
        for each in sorted([*folder.rglob("*.wsdl"), *folder.rglob("*.xsd")]):
            if each.suffix == ".xsd" or path.is_dir() or each == path:
                yield each.relative_to(folder).as_posix(), each.read_bytes()
        return
    packed = path.read_bytes()
    if zipfile.is_zipfile(io.BytesIO(packed)):
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            for info in archive.infolist():
                if info.filename.endswith((".wsdl", ".xsd")) and info.file_size <= _MOST_BYTES:
                    yield posixpath.normpath(info.filename), archive.read(info)
        return
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for member in archive:
                held = archive.extractfile(member) if member.isfile() else None
                if held and member.name.endswith((".wsdl", ".xsd")) and member.size <= _MOST_BYTES:
                    yield posixpath.normpath(member.name), held.read()
    except (tarfile.TarError, EOFError, OSError):
        raise ConfigError(f"{path} is neither a WSDL nor an archive", hint=HINT) from None
