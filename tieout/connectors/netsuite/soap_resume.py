"""Where a pull over SOAP stands, as the text that is stored between two runs."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from tieout.core.errors import StopRun

from .resume import END, ROWS, TOUCHED


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
        return "soap:" + msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, text: str, *, where: str) -> SoapResume | None:
        """None for empty text; StopRun if this is not what `text` wrote."""
        if not text:
            return None
        try:
            found = msgspec.json.decode(text.removeprefix("soap:"), type=cls)
        except msgspec.DecodeError:
            found = cls("")
        if not text.startswith("soap:") or found.phase not in (ROWS, TOUCHED, END):
            raise StopRun(
                "the saved position of this pull cannot be read",
                where=where,
                hint="start over with --full",
            )
        return found
