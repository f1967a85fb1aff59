"""Small bar charts as inline SVG: no script, no font and no file from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

INK, MUTED, BAR, TRACK = "#1a2433", "#5b6675", "#2f5d9b", "#e9eef4"
_ROW, _LABEL, _COUNT = 24, 108, 44


def bars(title: str, rows: Sequence[tuple[str, int]], *, width: int = 400) -> str:
    """Horizontal bars, one a row, the longest as wide as there is room. '' without rows.

    The figures stand beside the bars, so nothing is told by length or colour alone.
    """
    if not rows:
        return ""
    most = max(1, *(count for _, count in rows))
    height = _ROW * len(rows)
    told = ", ".join(f"{label} {count}" for label, count in rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="100%"'
        f' viewBox="0 0 {width} {height}" style="display:block;max-width:{width}px"'
        f' aria-label="{escape(title)}: {escape(told)}">'
    ]
    parts += [_bar(at, label, count, most, width) for at, (label, count) in enumerate(rows)]
    return "".join([*parts, "</svg>"])


def _bar(at: int, label: str, count: int, most: int, width: int) -> str:
    room = width - _LABEL - _COUNT
    length = 0 if not count else max(3, room * count // most)
    top, base = at * _ROW + 5, at * _ROW + 16
    text = f'font-family="Segoe UI,Helvetica,Arial,sans-serif" font-size="12" fill="{MUTED}"'
    return (
        f'<text x="0" y="{base}" {text}>{escape(label)}</text>'
        f'<rect x="{_LABEL}" y="{top}" width="{room}" height="14" rx="3" fill="{TRACK}"/>'
        f'<rect x="{_LABEL}" y="{top}" width="{length}" height="14" rx="3" fill="{BAR}"/>'
        f'<text x="{width}" y="{base}" text-anchor="end" font-weight="600" {text}>'
        f'<tspan fill="{INK}">{count:,}</tspan></text>'
    )
