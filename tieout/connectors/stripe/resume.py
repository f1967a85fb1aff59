"""Where a pull stands, as the text that is stored between two runs."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from tieout.core.errors import StopRun

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
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, text: str, *, where: str) -> Resume:
        """StopRun if this is not what `text` wrote."""
        try:
            found = msgspec.json.decode(text, type=cls)
        except msgspec.DecodeError:
            found = cls("")
        if found.phase not in ("all", "also", "events", "end"):
            raise StopRun(
                "the saved position of this pull cannot be read",
                where=where,
                hint="start over with --full",
            )
        return found
