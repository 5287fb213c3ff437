"""Small inline SVG drawings: no script, no inline style, readable by a screen reader.

Each drawing has a title and a description, and stands beside a table with the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

from markupsafe import Markup

ROW = 34
LABEL_WIDTH = 300
BAR_WIDTH = 320
VALUE_WIDTH = 90


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, its length (negative goes left) and what stands at its end."""

    label: str
    value: float
    shown: str


def _shorten(text: str, limit: int = 42) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _open(name: str, width: float, height: float, title: str, description: str) -> list[str]:
    return [
        f'<svg class="ef-chart" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
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
    both = lowest < 0 < highest
    room = BAR_WIDTH - (VALUE_WIDTH if both else 0)
    axis = LABEL_WIDTH + (VALUE_WIDTH if lowest < 0 else 0) + room * (-lowest / span)
    width = LABEL_WIDTH + BAR_WIDTH + VALUE_WIDTH + (VALUE_WIDTH if both else 0)
    height = ROW * len(rows) + 8
    said = "; ".join(f"{row.label}: {row.shown}" for row in rows)
    parts = _open(name, width, height, title, said)
    for index, row in enumerate(rows):
        kind = (" ef-chart__bar--lowers" if row.value < 0 else " ef-chart__bar--raises") * signed
        parts += _bar(row, 4 + index * ROW, axis, abs(row.value) / span * room, kind)
    parts.append(
        f'<line class="ef-chart__axis" x1="{axis:.1f}" x2="{axis:.1f}" y1="0" y2="{height}"/></svg>'
    )
    return Markup("".join(parts))  # noqa: S704 (every text was escaped above)


def _bar(row: Bar, top: float, axis: float, length: float, kind: str) -> list[str]:
    left = row.value < 0
    start = axis - length if left else axis
    end = start - 6 if left else start + length + 6
    anchor = "end" if left else "start"
    return [
        f'<text x="{LABEL_WIDTH - 10}" y="{top + 20:.0f}" text-anchor="end">'
        f"{escape(_shorten(row.label))}</text>",
        f'<rect class="ef-chart__bar{kind}" x="{start:.1f}" y="{top + 4:.0f}" '
        f'width="{length:.1f}" height="22"/>',
        f'<text x="{end:.1f}" y="{top + 20:.0f}" text-anchor="{anchor}">{escape(row.shown)}</text>',
    ]


def line(name: str, title: str, points: Sequence[Bar]) -> Markup:
    """Return a line over equally spaced points, the first and last labelled, from zero up."""
    if len(points) < 2:
        return Markup("")
    width, height, left, bottom = 720, 220, 60, 190
    top = max(point.value for point in points) or 1.0
    step = (width - left - 40) / (len(points) - 1)
    places = [
        (left + index * step, bottom - point.value / top * 160)
        for index, point in enumerate(points)
    ]
    said = "; ".join(f"{point.label}: {point.shown}" for point in points)
    parts = _open(name, width, height, title, said)
    parts.append(f'<line class="ef-chart__axis" x1="{left}" x2="{left}" y1="20" y2="{bottom}"/>')
    parts.append(
        f'<line class="ef-chart__axis" x1="{left}" x2="{width - 20}" y1="{bottom}" y2="{bottom}"/>'
    )
    for (x1, y1), (x2, y2) in pairwise(places):
        ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        parts.append(f'<line class="ef-chart__line" {ends}/>')
    parts += [f'<circle class="ef-chart__dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in places]
    highest = max(points, key=lambda point: point.value)
    parts.append(f'<text x="{left - 8}" y="34" text-anchor="end">{escape(highest.shown)}</text>')
    parts.append(f'<text x="{left - 8}" y="{bottom}" text-anchor="end">0</text>')
    parts.append(f'<text x="{left}" y="{bottom + 22}">{escape(points[0].label)}</text>')
    parts.append(
        f'<text x="{width - 20}" y="{bottom + 22}" text-anchor="end">'
        f"{escape(points[-1].label)}</text></svg>"
    )
    return Markup("".join(parts))  # noqa: S704 (every text was escaped above)
