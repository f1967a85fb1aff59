"""Where a pull stands, as the text that is stored between two runs."""

from __future__ import annotations

from dataclasses import dataclass

from tieout.rest.position import read_back, written

ROWS, BULK, TOUCHED, GONE, END = "rows", "bulk", "touched", "gone", "end"
_PHASES = (ROWS, BULK, TOUCHED, GONE, END)


@dataclass(frozen=True)
class Resume:
    """phase: `rows` (Object Query) or `bulk` (Data Query), then (changes only) `touched`, `gone`.

    source  which of the entity's sources is being read.
    cursor  of Object Query; `seen` is the last updatedDate read, `count` how many records were.
    low, high, until   Unix seconds: the window of the bulk query, and where the last one ends.
    id      the last row's id within the window (or of a touched record).
    """

    phase: str = ROWS
    source: int = 0
    cursor: str = ""
    seen: str = ""
    count: int = 0
    low: int = 0
    high: int = 0
    until: int = 0
    id: str = ""

    def text(self) -> str:
        return written(self)

    @classmethod
    def read(cls, text: str, *, where: str) -> Resume:
        """The start for empty text; StopRun if this is not what `text` wrote."""
        if not text:
            return cls()
        return read_back(text, cls, lambda at: at.phase in _PHASES and at.source >= 0, where=where)
