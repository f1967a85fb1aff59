"""Where a pull over SOAP stands, as the text that is stored between two runs."""

from __future__ import annotations

from dataclasses import dataclass

from tieout.rest.position import read_back, written

from .resume import END, ROWS, TOUCHED

_MARK = "soap:"  # so that a place of the other transport is not taken for one of this


@dataclass(frozen=True)
class SoapResume:
    """phase: `rows`, then (changes only) `touched` by others' changes; `end`.

    low, high     the window of internal ids that is being read (of everything only).
    search, page  the search of the window, and its last page that was handed out, of `pages`.
    """

    phase: str = ROWS
    low: int = 0
    high: int = 0
    search: str = ""
    page: int = 0
    pages: int = 0

    def text(self) -> str:
        return _MARK + written(self)

    @classmethod
    def read(cls, text: str, *, where: str) -> SoapResume | None:
        """None for empty text; StopRun if this is not what `text` wrote."""
        if not text:
            return None
        marked = text.startswith(_MARK)
        return read_back(
            text.removeprefix(_MARK),
            cls,
            lambda at: marked and at.phase in (ROWS, TOUCHED, END),
            where=where,
        )
