"""Where a pull stands, as the text that is stored between two runs."""

from __future__ import annotations

from dataclasses import dataclass

from tieout.rest.position import read_back, written

ROWS, TOUCHED, END = "rows", "touched", "end"
BEFORE_ALL = -(10**12)  # system records have small negative ids


@dataclass(frozen=True)
class Resume:
    """phase: `rows`, then (changes only) `touched` by others' changes; `end`.

    id     the last internal id read in this phase.
    shown  in a window of changes: that row's time as SuiteQL shows it.
    """

    phase: str = ROWS
    id: int = BEFORE_ALL
    shown: str = ""

    def text(self) -> str:
        return written(self)

    @classmethod
    def read(cls, text: str, *, where: str) -> Resume:
        """The start for empty text; StopRun if this is not what `text` wrote."""
        if not text:
            return cls()
        return read_back(text, cls, lambda at: at.phase in (ROWS, TOUCHED, END), where=where)
