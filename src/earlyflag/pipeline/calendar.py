"""Which days a home's data speak for: from when, until when, and every cut-off between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import duckdb

from earlyflag.core.clock import month_starts
from earlyflag.core.errors import Misused, StepMissing

if TYPE_CHECKING:
    from earlyflag.sources import Tables

LATEST = "latest"

# A ledger begins when its first instalment or rent fell due; spells may reach back decades.
FIRST_DAYS = """
SELECT least(
    (SELECT min(happened_on) FROM council_tax_transactions),
    (SELECT min(happened_on) FROM rent_transactions)
)
"""


@dataclass(frozen=True, slots=True)
class Span:
    """The first day of the ledgers and the last day on which anything was recorded."""

    data_from: date
    data_until: date

    @property
    def cut_offs(self) -> list[date]:
        """The first day of every month that the data speak for."""
        return month_starts(self.data_from + timedelta(days=1), self.data_until + timedelta(days=1))

    @property
    def latest(self) -> date:
        """The last cut-off of them all."""
        return self.cut_offs[-1]

    def resolve(self, wanted: str) -> date:
        """Return the cut-off that `latest` or an ISO date means.

        Raises
        ------
        Misused
            It is no date, or not the first day of a month that the data speak for.
        """
        if wanted == LATEST:
            return self.latest
        day = parse_day(wanted)
        if day not in self.cut_offs:
            raise Misused(
                f"{day} is no cut-off of these data: cut-offs are the first days of months from "
                f"{self.cut_offs[0]} to {self.latest}. Take one of them, or `latest`."
            )
        return day


def parse_day(wanted: str) -> date:
    """Return the day that an ISO date means.

    Raises
    ------
    Misused
        It is not written YYYY-MM-DD.
    """
    try:
        return date.fromisoformat(wanted)
    except ValueError as error:
        raise Misused(
            f"Got a date of {len(wanted)} characters that is not written YYYY-MM-DD; "
            "write it so, or `latest`."
        ) from error


def span_of(tables: Tables) -> Span:
    """Return the days that validated tables speak for.

    Raises
    ------
    StepMissing
        Nothing dated has been ingested yet, or less than a month.
    """
    until = tables.last_known_on
    with duckdb.connect() as connection:
        tables.register(connection)
        found = connection.execute(FIRST_DAYS).fetchone()
    first = found[0] if found else None
    if until is None or first is None:
        raise StepMissing(
            "The tables hold no dated ledger rows yet. Deliver council_tax_transactions and run: "
            "earlyflag ingest FOLDER"
        )
    span = Span(first, until)
    if not span.cut_offs:
        raise StepMissing(
            f"The data run from {first} to {until}, which holds no first day of a month. "
            "Deliver at least two months."
        )
    return span
