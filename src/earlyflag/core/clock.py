"""Time as the service counts it: instants in UTC, days in Europe/London."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


class Clock(Protocol):
    """Tells the present instant; a test hands in one that stands still."""

    def now(self) -> datetime:
        """Return the present instant, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that shows one instant until it is moved."""

    def __init__(self, instant: datetime) -> None:
        if instant.tzinfo is None:
            raise ValueError("Got an instant without a time zone, but expected one in UTC.")
        self._instant = instant.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant that was set."""
        return self._instant

    def advance(self, by: timedelta) -> None:
        """Move the clock forward by `by`."""
        self._instant += by


def london_day(instant: datetime) -> date:
    """Return the calendar day in London at an instant."""
    return instant.astimezone(LONDON).date()


def end_of_london_day(instant: datetime) -> datetime:
    """Return the next midnight in London after an instant, in UTC."""
    following = london_day(instant) + timedelta(days=1)
    return datetime.combine(following, time(0), LONDON).astimezone(UTC)


def add_months(day: date, months: int) -> date:
    """Return the day `months` later (or earlier), clipped to the month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    month += 1
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, min(day.day, (first_of_next - timedelta(days=1)).day))


def month_starts(first: date, last: date) -> list[date]:
    """Return the first day of every month from `first` to `last`, both included if they are one."""
    start = first if first.day == 1 else add_months(first.replace(day=1), 1)
    count = (last.year - start.year) * 12 + last.month - start.month
    return [add_months(start, index) for index in range(count + 1)]
