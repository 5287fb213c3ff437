"""The oracle of a synthetic borough, put beside the households that linkage found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd


def oracle_of(truth: Path, households: Any, horizon_months: int) -> pd.DataFrame:
    """Return household_id, as_of, oracle: the best possible probability of a duty.

    A linked household is the true one whose council tax account, or else tenancy, it holds at that
    cut-off; where it holds several, the highest probability stands.
    """
    column = {6: "p6", 12: "p12"}[horizon_months]
    with duckdb.connect() as con:
        households.register(con)
        found = con.execute(
            f"""
            WITH oracle AS (
                SELECT as_of::DATE AS as_of, account_ref, tenancy_ref, {column} AS chance
                FROM read_parquet(?)
            ),
            held AS (
                SELECT h.household_id, o.as_of, o.chance
                FROM oracle AS o JOIN household_homes AS h ON h.account_ref = o.account_ref
                    AND h.from_as_of <= o.as_of AND (h.to_as_of IS NULL OR o.as_of < h.to_as_of)
                UNION ALL
                SELECT h.household_id, o.as_of, o.chance
                FROM oracle AS o JOIN household_homes AS h ON h.tenancy_ref = o.tenancy_ref
                    AND h.from_as_of <= o.as_of AND (h.to_as_of IS NULL OR o.as_of < h.to_as_of)
                WHERE o.account_ref IS NULL
            )
            SELECT household_id, as_of, max(chance) AS oracle FROM held GROUP BY ALL
            """,
            [str(truth / "oracle.parquet")],
        ).df()
    return found.assign(as_of=pd.to_datetime(found["as_of"]))
