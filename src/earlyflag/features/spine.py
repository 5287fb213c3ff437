"""The spine: which households there were at each cut-off."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb


def spine(con: duckdb.DuckDBPyConnection, cut_offs: Iterable[date]) -> duckdb.DuckDBPyRelation:
    """Return the households that had a home at each cut-off.

    Parameters
    ----------
    con : a connection in which `Households.register` has made its views
    cut_offs : any days, in any order

    Returns
    -------
    relation of shape (n, 2): household_id, as_of; sorted by as_of, household_id
    """
    days = sorted(set(cut_offs))
    return con.sql(
        """
        SELECT DISTINCT household_id, as_of
        FROM household_homes
        JOIN (SELECT unnest(CAST($days AS DATE[])) AS as_of) AS days
          ON from_as_of <= as_of AND (to_as_of IS NULL OR to_as_of > as_of)
        ORDER BY as_of, household_id
        """,
        params={"days": days},
    )
