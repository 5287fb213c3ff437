"""Months counted back from a cut-off, for cut-offs on any day of the month.

The months before a cut-off on the d-th run from the d-th to the day before the next d-th (clipped
to the month's last day). All cut-offs that share their d are one *phase*: for them, a day falls
into one period, and `period(day) <= index(as_of)` says exactly `day < as_of`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date


def index(as_of: date) -> int:
    """Return the number of the last period that lies wholly before a cut-off."""
    return as_of.year * 12 + as_of.month - 1


def period_sql(column: str, day: int) -> str:
    """Return SQL for the period that a date falls into, for cut-offs on the given day."""
    months = f"(year({column}) * 12 + month({column})"
    if day == 1:
        return f"{months})"
    return (
        f"{months} - CASE WHEN dayofmonth({column}) >= least({day}, "
        f"dayofmonth(last_day({column}))) THEN 0 ELSE 1 END)"
    )


def phases(cut_offs: Iterable[date]) -> dict[int, list[date]]:
    """Return the cut-offs, sorted and without repeats, by their day of the month."""
    found: dict[int, list[date]] = {}
    for as_of in sorted(set(cut_offs)):
        found.setdefault(as_of.day, []).append(as_of)
    return found
