"""Small inline SVG drawings: no script, no inline style, readable by a screen reader.

Each drawing has a title and a description, and stands beside a table with the same figures. It has
no view box: its texts keep the size of the page's own on every screen. Only what is drawn is placed
in hundredths of the width, and grows and shrinks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

from markupsafe import Markup

ROW = 54
BAR_HEIGHT = 22
BARS_WIDTH = 68
"""How much of the width bars may take, in hundredths; their figures stand to the right of them."""
LINE_LEFT, LINE_RIGHT = 15, 97
LINE_TOP, LINE_BOTTOM, LINE_HEIGHT = 24, 170, 204


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its length (negative goes left) and what stands at its end."""

    label: str
    value: float
    shown: str


def _shorten(text: str, limit: int = 38) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _open(name: str, height: int, title: str, description: str) -> list[str]:
    return [
        f'<svg class="ef-chart" width="100%" height="{height}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc" xmlns="http://www.w3.org/2000/svg">',
        f'<title id="{name}-title">{escape(title)}</title>',
        f'<desc id="{name}-desc">{escape(description)}</desc>',
    ]


def bars(name: str, title: str, rows: Sequence[Bar], *, signed: bool = False) -> Markup:
    """Return horizontal bars; `signed` ones tell what raises and what lowers by their colour."""
    if not rows:
        return Markup("")
    lowest = min(0.0, *(row.value for row in rows))
    highest = max(0.0, *(row.value for row in rows))
    span = (highest - lowest) or 1.0
    axis = BARS_WIDTH * abs(lowest) / span
    height = ROW * len(rows) + 4
    said = "; ".join(f"{row.label}: {row.shown}" for row in rows)
    parts = _open(name, height, title, said)
    for index, row in enumerate(rows):
        kind = (" ef-chart__bar--lowers" if row.value < 0 else " ef-chart__bar--raises") * signed
        parts += _bar(row, index * ROW, axis, abs(row.value) / span * BARS_WIDTH, kind)
    return Markup("".join([*parts, "</svg>"]))  # noqa: S704 (every text was escaped above)


def _bar(row: Bar, top: int, axis: float, length: float, kind: str) -> list[str]:
    start = axis - length if row.value < 0 else axis
    return [
        f'<text x="0" y="{top + 18}">{escape(_shorten(row.label))}</text>',
        f'<rect class="ef-chart__bar{kind}" x="{start:.2f}%" y="{top + 24}" '
        f'width="{length:.2f}%" height="{BAR_HEIGHT}"/>',
        f'<text x="100%" y="{top + 41}" text-anchor="end">{escape(row.shown)}</text>',
        _axis(f"{axis:.2f}%", f"{axis:.2f}%", top + 22, top + 26 + BAR_HEIGHT),
    ]


def _axis(x1: str, x2: str, y1: int, y2: int) -> str:
    return f'<line class="ef-chart__axis" x1="{x1}" x2="{x2}" y1="{y1}" y2="{y2}"/>'


def line(name: str, title: str, points: Sequence[Bar]) -> Markup:
    """Return a line over equally spaced points, the first and last labelled, from zero up."""
    if len(points) < 2:
        return Markup("")
    top = max(point.value for point in points) or 1.0
    step = (LINE_RIGHT - LINE_LEFT) / (len(points) - 1)
    depth = LINE_BOTTOM - LINE_TOP
    places = [
        (LINE_LEFT + index * step, LINE_BOTTOM - point.value / top * depth)
        for index, point in enumerate(points)
    ]
    said = "; ".join(f"{point.label}: {point.shown}" for point in points)
    left = f"{LINE_LEFT}%"
    parts = _open(name, LINE_HEIGHT, title, said)
    parts.append(_axis(left, left, LINE_TOP - 10, LINE_BOTTOM))
    parts.append(_axis(left, "100%", LINE_BOTTOM, LINE_BOTTOM))
    for (x1, y1), (x2, y2) in pairwise(places):
        ends = f'x1="{x1:.2f}%" y1="{y1:.1f}" x2="{x2:.2f}%" y2="{y2:.1f}"'
        parts.append(f'<line class="ef-chart__line" {ends}/>')
    parts += [
        f'<circle class="ef-chart__dot" cx="{x:.2f}%" cy="{y:.1f}" r="4"/>' for x, y in places
    ]
    highest = max(points, key=lambda point: point.value)
    parts += [
        f'<text x="0" y="{LINE_TOP + 5}">{escape(highest.shown)}</text>',
        f'<text x="0" y="{LINE_BOTTOM}">0</text>',
        f'<text x="{left}" y="{LINE_BOTTOM + 24}">{escape(points[0].label)}</text>',
        f'<text x="100%" y="{LINE_BOTTOM + 24}" text-anchor="end">'
        f"{escape(points[-1].label)}</text></svg>",
    ]
    return Markup("".join(parts))  # noqa: S704 (every text was escaped above)
