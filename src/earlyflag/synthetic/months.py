"""The borough's calendar: days as integers since 1970, months by their number in the period."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from earlyflag.core.clock import add_months

EPOCH = date(1970, 1, 1)
LAST_CUT_OFF = date(2026, 10, 1)
SECTION_21_ENDED = (date(2026, 5, 1) - EPOCH).days


def day_number(day: date) -> int:
    """Return the days from 1970-01-01 to a day."""
    return (day - EPOCH).days


def as_date(number: int) -> date:
    """Return the day of a day number."""
    return date.fromordinal(EPOCH.toordinal() + int(number))


@dataclass(frozen=True)
class Months:
    """The months of the simulated period; month 0 begins it, and it ends at `LAST_CUT_OFF`."""

    count: int

    @property
    def first(self) -> date:
        """The first day of the period."""
        return add_months(LAST_CUT_OFF, -self.count)

    def date_of(self, month: int) -> date:
        """Return the first day of a month; numbers before 0 and past the end are allowed."""
        return add_months(self.first, month)

    def start(self, month: int) -> int:
        """Return the first day of a month as a day number."""
        return day_number(self.date_of(month))

    def calendar_month(self, month: int) -> int:
        """Return 1 for January to 12 for December."""
        return self.date_of(month).month

    def days_in(self, month: int) -> int:
        """Return the number of days of a month."""
        return self.start(month + 1) - self.start(month)

    def tax_year(self, month: int) -> int:
        """Return the year in which the month's financial year began (April)."""
        day = self.date_of(month)
        return day.year if day.month >= 4 else day.year - 1

    def first_monday(self, month: int) -> int:
        """Return the first Monday of a month as a day number."""
        start = self.start(month)
        return start + int((4 - start) % 7)  # 1970-01-01 was a Thursday: Mondays are 4 mod 7

    def mondays(self, month: int) -> int:
        """Return how many Mondays a month has."""
        return len(range(self.first_monday(month), self.start(month + 1), 7))


def age_in_years(born: np.ndarray, today: int) -> np.ndarray:
    """Return whole years of age on a day (day numbers in, years out)."""
    return ((today - born) / 365.2425).astype(int)
