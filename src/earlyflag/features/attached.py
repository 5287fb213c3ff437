"""Ties dated rows that name an account, a tenancy or a UPRN to the households of any cut-off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

HOLDS = "h.from_as_of <= d.as_of AND (h.to_as_of IS NULL OR h.to_as_of > d.as_of)"
"""Whether a row of linkage holds at the cut-off."""


def put_days(
    con: duckdb.DuckDBPyConnection, cut_offs: Sequence[date], ends: Mapping[date, date]
) -> None:
    """Make the relation `days`: as_of, ends (the first day after its horizon)."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE days AS "
        "SELECT unnest($starts::DATE[]) AS as_of, unnest($ends::DATE[]) AS ends",
        {"starts": list(cut_offs), "ends": [ends[day] for day in cut_offs]},
    )


def attach(con: duckdb.DuckDBPyConnection, name: str, events: str) -> None:
    """Make a relation of events and the households they reach within each cut-off's horizon.

    A row reaches the household of its account or tenancy; only where it names neither, or they
    belong to no household then, those of its UPRN.

    Parameters
    ----------
    name : of the relation that is made: household_id, as_of, and the columns of the events
    events : SELECT with event_ref, account_ref, tenancy_ref, uprn, happened_on and others
    """
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {name} AS
        WITH events AS ({events}),
        dated AS (
            SELECT d.as_of, e.* FROM events AS e
            JOIN days AS d ON e.happened_on >= d.as_of AND e.happened_on < d.ends
        ),
        by_ref AS (
            SELECT h.household_id, d.* FROM dated AS d
            JOIN household_homes AS h ON h.account_ref = d.account_ref AND {HOLDS}
            UNION
            SELECT h.household_id, d.* FROM dated AS d
            JOIN household_homes AS h ON h.tenancy_ref = d.tenancy_ref AND {HOLDS}
        )
        SELECT * FROM by_ref
        UNION
        SELECT h.household_id, d.* FROM dated AS d
        JOIN household_homes AS h ON h.uprn = d.uprn AND {HOLDS}
        ANTI JOIN by_ref AS r ON r.event_ref = d.event_ref AND r.as_of = d.as_of
        """
    )
