"""Where a pull stands, as the text that is stored between two runs."""

from __future__ import annotations

from dataclasses import dataclass

from tieout.rest.position import read_back, written

ROWS, BULK, LINES, GONE, END = "rows", "bulk", "lines", "gone", "end"
PHASES = (ROWS, BULK, LINES, GONE, END)


@dataclass(frozen=True)
class Resume:
    """One object is read after another, each phase by phase.

    object   the object that is being read; "" before the first.
    phase    `rows` or `bulk`; in a window of changes then `lines` (parents of changed lines) and
             `gone` (deletions); `end`.
    id       the last id read in this phase.
    stamp    in a window of changes: that row's SystemModstamp.
    job, locator   of a bulk query.
    """

    object: str = ""
    phase: str = ROWS
    id: str = ""
    stamp: str = ""
    job: str = ""
    locator: str = ""

    def text(self) -> str:
        return written(self)

    @classmethod
    def read(cls, text: str, objects: tuple[str, ...], *, where: str) -> Resume:
        """The start for empty text; StopRun if this is not what `text` wrote."""
        if not text:
            return cls(objects[0])
        return read_back(
            text, cls, lambda at: at.phase in PHASES and at.object in objects, where=where
        )
