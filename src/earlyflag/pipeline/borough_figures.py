"""The borough's read model: risk over time, what raises it, and where; small counts withheld."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from earlyflag import casework
from earlyflag.evaluation.fairness import NOT_KNOWN, funnel
from earlyflag.store.counting import RunCounts, WardCounts
from earlyflag.store.records import RunRecord
from earlyflag.store.terms import DocumentKind

NAME = "risk_reasons_wards"
STRONGEST = 3
"""How many of the reasons that raise a household's score count as what raised it."""
MOST_REASONS = 12
WITHHELD = "withheld"


def publish_borough(desk: casework.Desk) -> None:
    """Publish what the scores of the newest run, and of those before it, add up to."""
    counts = casework.borough_counts(desk, strongest=STRONGEST)
    if counts.runs:
        content = borough_figures(counts, desk.rules.disclosure_limit)
        casework.put_document(desk, DocumentKind.BOROUGH, NAME, content)


def borough_figures(counts: casework.BoroughCounts, limit: int) -> dict[str, Any]:
    """Return the page's sections, with counts of fewer households than `limit` withheld."""
    newest, last = counts.runs[-1]
    months = newest.model.horizon_months
    said = f"{_day(newest)}, {last.scored:,} households"
    return {
        "sections": [
            _over_time(counts.runs, months, limit),
            _reasons(counts.reasons, last.flags, said, limit),
            _wards(counts.wards, months, said, limit),
        ]
    }


def _over_time(
    runs: Sequence[tuple[RunRecord, RunCounts]], months: int, limit: int
) -> dict[str, Any]:
    text = [
        "Each household's chance, added up: how many households the model expects to be owed a "
        f"homelessness duty within {months} months of the data date. An estimate, not a count of "
        "what happened.",
    ]
    if len(runs) == 1:
        text.append("One data date has been scored so far. The line begins with the second.")
    return {
        "heading": "Risk over time",
        "text": text,
        "line": [
            {
                "label": _day(run),
                "value": round(counts.expected, 1),
                "shown": f"{counts.expected:,.0f}",
            }
            for run, counts in runs
        ],
        "table": {
            "caption": "Expected duties and flags by data date, newest first",
            "headings": [
                "Data date",
                "Households scored",
                "Duties expected",
                "Average chance",
                "Flags raised",
                "Model",
            ],
            "rows": [
                [
                    _day(run),
                    f"{counts.scored:,}",
                    f"{counts.expected:,.0f}",
                    f"{100 * counts.expected / counts.scored:.2f}%",
                    _shown(counts.flags, limit),
                    run.model.full_version,
                ]
                for run, counts in reversed(runs)
            ],
            "numeric": [1, 2, 3, 4],
        },
    }


def _reasons(counts: Mapping[str, int], flags: int, said: str, limit: int) -> dict[str, Any]:
    heading = "Reasons in the borough"
    shown = [(title, n) for title, n in counts.items() if n >= limit][:MOST_REASONS]
    text = [
        f"How many flagged households have each reason among the {STRONGEST} that raise their "
        f"score most. A household counts once for each of its reasons. Data of {said}.",
        f"Reasons of fewer than {limit} households are not shown.",
    ]
    if not shown:
        return {"heading": heading, "text": [*text, "No reason is shared by enough households."]}
    return {
        "heading": heading,
        "text": text,
        "bars": [{"label": title, "value": n, "shown": f"{n:,}"} for title, n in shown],
        "table": {
            "caption": "Commonest reasons of flagged households",
            "headings": ["Reason", "Flagged households", "Of all flagged"],
            "rows": [[title, f"{n:,}", f"{100 * n / flags:.0f}%"] for title, n in shown],
            "numeric": [1, 2],
        },
    }


def _wards(wards: Sequence[WardCounts], months: int, said: str, limit: int) -> dict[str, Any]:
    heading = "By ward"
    rows = list(_ward_rows(wards, limit))
    return {
        "heading": heading,
        "text": [
            f"Households scored, duties expected among them within {months} months, and flags "
            f"raised, by ward. Data of {said}. Counts below {limit}, and what would tell them, "
            "are withheld.",
        ],
        "bars": [
            {"label": name, "value": round(expected, 1), "shown": f"{expected:,.1f} expected"}
            for name, _, expected, _ in rows
            if expected is not None
        ],
        "table": {
            "caption": "Households, expected duties and flags by ward",
            "headings": [
                "Ward",
                "Households scored",
                "Duties expected",
                "Average chance",
                "Flags raised",
            ],
            "rows": [
                [
                    name,
                    WITHHELD if n is None else f"{n:,}",
                    WITHHELD if expected is None else f"{expected:,.1f}",
                    WITHHELD if n is None or expected is None else f"{100 * expected / n:.2f}%",
                    WITHHELD if flags is None else f"{flags:,}",
                ]
                for name, n, expected, flags in rows
            ],
            "numeric": [1, 2, 3, 4],
        },
    }


def _ward_rows(
    wards: Sequence[WardCounts], limit: int
) -> Iterator[tuple[str, int | None, float | None, int | None]]:
    """Yield ward, households, expected duties and flags; the largest first, None is withheld."""
    expected = {ward.ward_code or NOT_KNOWN: ward.expected for ward in wards}
    names = np.repeat(
        np.array([ward.ward_code or NOT_KNOWN for ward in wards], dtype=object),
        [ward.scored for ward in wards],
    )
    flagged = np.concatenate([np.arange(ward.scored) < ward.flags for ward in wards])
    for entry in funnel(names, {"flags": flagged}, limit=limit):
        name = entry["group"]
        yield (
            name[:1].upper() + name[1:],
            entry["listed"],
            None if entry["suppressed"] else expected[name],
            entry["flags"],
        )


def _shown(count: int, limit: int) -> str:
    return WITHHELD if 0 < count < limit else f"{count:,}"


def _day(run: RunRecord) -> str:
    return f"{run.as_of.day} {run.as_of:%B %Y}"
