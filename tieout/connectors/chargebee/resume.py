"""Where a pull stands, as the text that is stored between two runs."""

from __future__ import annotations

from dataclasses import dataclass

from tieout.rest.position import read_back, written

ALL, WINDOW, GONE, END = "all", "window", "gone", "end"


@dataclass(frozen=True)
class Resume:
    """phase: `all`, or `window` (changed rows) and then `gone` (deletions that only events tell).

    source        which of the entity's lists.
    since, until  the closed window in Unix seconds; all pages must ask for the very same.
    offset        Chargebee's `next_offset`, "" for the first page.
    """

    phase: str
    source: int = 0
    since: int = 0
    until: int = 0
    offset: str = ""

    def text(self) -> str:
        """For `Page.resume`."""
        return written(self)

    @classmethod
    def read(cls, text: str, *, where: str) -> Resume:
        """StopRun if this is not what `text` wrote."""
        return read_back(text, cls, lambda at: at.phase in (ALL, WINDOW, GONE, END), where=where)
