"""Where a pull stands, as the text that is stored between two runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from tieout.rest.position import read_back, written

from .listing import Place


@dataclass(frozen=True)
class Resume:
    """phase: `all` and `also` (the two collections of a full pull), `events`, `end`.

    bound  a full pull reads what was created up to this Unix second.
    since  the event feed is read from this Unix second on.
    """

    phase: str
    bound: int = 0
    since: int = 0
    place: Place = field(default_factory=Place)

    def text(self) -> str:
        """For `Page.resume`."""
        return written(self)

    @classmethod
    def read(cls, text: str, *, where: str) -> Resume:
        """StopRun if this is not what `text` wrote."""
        phases = ("all", "also", "events", "end")
        return read_back(text, cls, lambda at: at.phase in phases, where=where)
