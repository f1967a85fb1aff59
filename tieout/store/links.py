"""Who is who: one link is one real thing, with its id in each system and the reason for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from tieout.core.entities import ENTITIES
from tieout.core.errors import ConfigError, Conflict

from .db import CHUNK, Database, Row, chunks, marks_for, moment, only

Member = tuple[str, str]  # (system, id)


@dataclass(frozen=True)
class Link:
    """One record's place in a link."""

    entity: str
    link: str
    system: str
    id: str
    reason: str
    made_at: datetime


class Links:
    def __init__(self, db: Database) -> None:
        self._db = db

    # -- asking ----------------------------------------------------------------------------

    def of(self, entity: str, system: str, id: str) -> str | None:
        found: str | None = self._db.value(_OF, (entity, system, id))
        return found

    def of_many(self, entity: str, system: str, ids: Iterable[str]) -> dict[str, str]:
        """id -> link, for those that have one."""
        found: dict[str, str] = {}
        for some in chunks(ids):
            sql = _OF_MANY + marks_for(len(some)) + ")"
            found.update(self._db.rows(sql, [entity, system, *some]))
        return found

    def members(self, entity: str, link: str) -> dict[str, list[str]]:
        """system -> ids, in order; empty for an unknown link."""
        found: dict[str, list[str]] = {}
        for system, id in self._db.rows(_MEMBERS, (entity, link)):
            found.setdefault(system, []).append(id)
        return found

    def members_many(self, entity: str, links: Iterable[str]) -> dict[str, dict[str, list[str]]]:
        """link -> its members, for those that have any."""
        found: dict[str, dict[str, list[str]]] = {}
        for some in chunks(links):
            sql = _MEMBERS_MANY.format(links=marks_for(len(some)))
            for link, system, id in self._db.rows(sql, [entity, *some]):
                found.setdefault(link, {}).setdefault(system, []).append(id)
        return found

    def other(self, entity: str, system: str, id: str, target: str) -> str | None:
        """The same thing's id in `target`; the first, where it has several there."""
        return self.translate(entity, system, [id], target).get(id)

    def translate(
        self, entity: str, system: str, ids: Iterable[str], target: str
    ) -> dict[str, str]:
        """id in `system` -> id in `target`, for those linked there (the first, if several)."""
        found: dict[str, str] = {}
        for some in chunks(dict.fromkeys(ids)):
            sql = _TRANSLATE.format(ids=marks_for(len(some)))
            for here, there in self._db.rows(sql, [target, entity, system, *some]):
                found.setdefault(here, there)
        return found

    def list(
        self,
        entity: str | None = None,
        system: str | None = None,
        *,
        after: tuple[str, str, str] = ("", "", ""),
        limit: int = 1000,
    ) -> list[Link]:
        """In order of (entity, system, id); `after` is that of the last one already seen."""
        clause, values = only(entity=entity, system=system)
        rows = self._db.rows(_LIST.format(only=clause), (*after, *values, limit))
        return [_link(row) for row in rows]

    def count(self, entity: str | None = None, system: str | None = None) -> int:
        """How many records are linked."""
        clause, values = only(entity=entity, system=system)
        return int(self._db.value("SELECT COUNT(*) FROM links WHERE 1 = 1" + clause, values))

    def unlinked(
        self, entity: str, system: str, *, after: str = "", limit: int | None = None
    ) -> Iterator[str]:
        """Ids of living records that have no link, in order of id."""
        if entity not in ENTITIES:
            raise ConfigError(f"there is no entity {entity!r}")
        sql, left = _UNLINKED.format(entity=entity), limit
        while left is None or left > 0:
            size = CHUNK if left is None else min(CHUNK, left)
            ids = [id for (id,) in self._db.rows(sql, (entity, system, after, size))]
            yield from ids
            if len(ids) < size:
                return
            after, left = ids[-1], None if left is None else left - size

    # -- making ----------------------------------------------------------------------------

    def make(self, entity: str, members: Sequence[Member], reason: str) -> str:
        """A new link of these records. Conflict, and nothing made, if one has a link already."""
        link = self._db.ports.new_id()
        with self._db.transaction():
            for system, id in members:
                self.add(entity, link, system, id, reason)
        return link

    def add(self, entity: str, link: str, system: str, id: str, reason: str) -> None:
        """Joins a record to a link; twice is the same as once. Conflict if it has another."""
        if self._db.write(_ADD, (entity, link, system, id, reason, self._db.now())):
            return
        if (other := self.of(entity, system, id)) != link:
            raise Conflict(
                f"{system} {entity} {id} already belongs to link {other}",
                where=f"link {link}",
                hint="look with `tieout links show`, then merge or unlink by hand",
            )

    def merge(self, entity: str, kept: str, absorbed: str, reason: str) -> None:
        """All records of `absorbed` join `kept`; what was agreed about `absorbed` is forgotten."""
        with self._db.transaction() as connection:
            connection.execute(_MERGE, (kept, reason, self._db.now(), entity, absorbed))
            connection.execute("DELETE FROM base WHERE link = ?", (absorbed,))

    def unlink(self, entity: str, system: str, id: str) -> str | None:
        """Takes a record out of its link, with what was agreed; the link it had, or None."""
        with self._db.transaction() as connection:
            gone = connection.execute(_UNLINK, (entity, system, id)).fetchall()
            for (link,) in gone:
                left = connection.execute(_STILL, (entity, link, system)).fetchone()
                if left is None:
                    connection.execute(_NOTHING_AGREED, (link, system))
        return gone[0][0] if gone else None


def _link(row: Row) -> Link:
    *told, made_at = row
    return Link(*[*told, moment(made_at)])


_OF = "SELECT link FROM links WHERE entity = ? AND system = ? AND id = ?"
_OF_MANY = "SELECT id, link FROM links WHERE entity = ? AND system = ? AND id IN ("
_MEMBERS = "SELECT system, id FROM links WHERE entity = ? AND link = ? ORDER BY system, id"
_MEMBERS_MANY = (
    "SELECT link, system, id FROM links WHERE entity = ? AND link IN ({links})"
    " ORDER BY link, system, id"
)
_TRANSLATE = (
    "SELECT a.id, b.id FROM links a JOIN links b"
    " ON b.entity = a.entity AND b.link = a.link AND b.system = ?"
    " WHERE a.entity = ? AND a.system = ? AND a.id IN ({ids}) ORDER BY a.id, b.id"
)
_LIST = (
    "SELECT entity, link, system, id, reason, made_at FROM links"
    " WHERE (entity, system, id) > (?, ?, ?){only} ORDER BY entity, system, id LIMIT ?"
)
_UNLINKED = (
    "SELECT r.id FROM {entity} r WHERE NOT EXISTS (SELECT 1 FROM links l"
    " WHERE l.entity = ? AND l.system = r.system AND l.id = r.id)"
    " AND r.system = ? AND r.id > ? AND r.deleted = 0 ORDER BY r.id LIMIT ?"
)
_ADD = (
    "INSERT INTO links (entity, link, system, id, reason, made_at) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT DO NOTHING RETURNING link"
)
_MERGE = "UPDATE links SET link = ?, reason = ?, made_at = ? WHERE entity = ? AND link = ?"
_UNLINK = "DELETE FROM links WHERE entity = ? AND system = ? AND id = ? RETURNING link"
_STILL = "SELECT 1 FROM links WHERE entity = ? AND link = ? AND system = ?"
_NOTHING_AGREED = "DELETE FROM base WHERE link = ? AND system = ?"
