"""Are these two records the same real-world thing? Pure rules; link.py does the looking up."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from tieout.core.entities import Record

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def key_for(entity: str, system: str, id: str, target: str) -> str:
    """Our key of a record that we create in `target`: the same for ever, so never made twice. One
    record may be brought to several systems, each time under a key of its own.

    Letters, digits, `_` and `-` only and at most 100 long, so that every provider's external-id
    field can hold it. The hash tells apart ids that differ only in case or odd characters.
    """
    digest = hashlib.sha256(f"{entity}\0{system}\0{id}\0{target}".encode()).hexdigest()[:10]
    return f"tieout-{entity}-{system}-{_UNSAFE.sub('-', id)[:50]}-{digest}"


@dataclass(frozen=True)
class Claim:
    """Why two records are held to be the same. A strong claim needs no second look."""

    reason: str
    strong: bool


def claims_by_id(
    record: Record, entity: str, own: tuple[str, ...], other_id: str, other: Record
) -> Claim | None:
    """Do the records name each other? `own` are the names under which our side is known there."""
    key = key_for(entity, record.system, record.id, other.system)
    if (other.external_ids.get("tieout") or "").casefold() == key.casefold():
        return Claim("our key", strong=True)
    for name in own:
        if other.external_ids.get(name) == record.id:
            return Claim(f"{other.system} holds the {name} id", strong=True)
    return None


def same_text(left: str | None, right: str | None) -> bool:
    """Equal but for case and outer white space; two empty ones are not equal."""
    return bool(left and right) and left.strip().casefold() == right.strip().casefold()  # type: ignore[union-attr]


def oldest_first(record: Record) -> tuple[str, int, str]:
    """Order among several records that claim the same partner: the first made is the original."""
    created = record.created_at.isoformat() if record.created_at else "9999"
    return (created, len(record.id), record.id)
