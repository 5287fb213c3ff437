"""What each kind of agreement or difference is worth, as numbers and as a chart."""

from __future__ import annotations

from html import escape
from math import log2
from typing import Any

from earlyflag.linkage.model import VETO
from earlyflag.linkage.parameters import Parameters

NAMES = {
    "forename": "Forename",
    "surname": "Surname",
    "born": "Date of birth",
    "home": "Home",
}
BAR, ROW, LABELS, REACH = 10.0, 22, 300, 20.0


def levels_by_weight(parameters: Parameters) -> list[dict[str, Any]]:
    """Return every level of every comparison with its match weight (log2 of m over u).

    A veto's weight is None: such a pair is never linked, whatever else agrees.
    """
    return [
        {
            "comparison": comparison,
            "level": level,
            "m": chances["m"],
            "u": chances["u"],
            "weight": None
            if VETO.get(comparison) == level
            else round(log2(chances["m"] / chances["u"]), 2),
        }
        for comparison in NAMES
        for level, chances in parameters.levels[comparison].items()
    ]


def match_weight_chart(parameters: Parameters) -> str:
    """Return the match weights as an SVG drawing with a text alternative.

    Bars to the right speak for one person, to the left for two.
    """
    rows = levels_by_weight(parameters)
    height, width = ROW * (len(rows) + 2), LABELS + int(2 * REACH * BAR) + 60
    middle = LABELS + REACH * BAR
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="14">',
        "<title>Match weights of the person linkage</title>",
        f"<desc>{escape(_described(rows))}</desc>",
        f'<line x1="{middle}" y1="{ROW}" x2="{middle}" y2="{height - ROW}" stroke="#505a5f"/>',
    ]
    for position, row in enumerate(rows):
        top = ROW * (position + 1)
        label = escape(f"{NAMES[row['comparison']]}: {row['level']}")
        weight = row["weight"]
        parts.append(f'<text x="{LABELS - 10}" y="{top + 15}" text-anchor="end">{label}</text>')
        if weight is None:
            parts.append(f'<text x="{middle + 6}" y="{top + 15}">never linked</text>')
            continue
        length = min(abs(weight), REACH) * BAR
        left = middle if weight >= 0 else middle - length
        fill = "#1d70b8" if weight >= 0 else "#d4351c"
        at, anchor = (left + length + 6, "start") if weight >= 0 else (left - 6, "end")
        parts.append(
            f'<rect x="{left:.1f}" y="{top + 3}" width="{length:.1f}" height="{ROW - 6}" '
            f'fill="{fill}"/>'
            f'<text x="{at:.1f}" y="{top + 15}" text-anchor="{anchor}">{weight:+.1f}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def _described(rows: list[dict[str, Any]]) -> str:
    return "; ".join(
        f"{NAMES[row['comparison']]}, {row['level']}: "
        + ("never linked" if row["weight"] is None else f"{row['weight']:+.1f}")
        for row in rows
    )
