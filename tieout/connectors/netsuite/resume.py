"""Where a pull stands, as the text that is stored between two runs."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tieout.core.errors import StopRun

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
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, text: str, *, where: str) -> Resume:
        """The start for empty text; StopRun if this is not what `text` wrote."""
        if not text:
            return cls()
        try:
            found = msgspec.json.decode(text, type=cls)
        except msgspec.DecodeError:
            found = cls("")
        if found.phase not in (ROWS, TOUCHED, END):
            raise StopRun(
                "the saved position of this pull cannot be read",
                where=where,
                hint="start over with --full",
            )
        return found
