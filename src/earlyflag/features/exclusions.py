"""Which households the prediction is not about at a cut-off, and which are under a live threat."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from earlyflag.features.backends import Backend, DuckDBBackend
from earlyflag.features.connection import connect
from earlyflag.features.engine import Engine

if TYPE_CHECKING:
    import duckdb

OPEN_DUTY = "open homelessness duty"
TEMPORARY = "temporary accommodation"
RECENT_APPROACH = "approach in the 90 days before"
RECENT_DAYS = 90

NOTICE_MONTHS = 12
"""How long a notice from a landlord can be acted upon."""

ORDER_MONTHS = 24
BREATHING_SPACE_DAYS = 60

_READ = ("visible_homelessness_cases", "visible_tenancies", "visible_tenancy_events")

_EXCLUDED = f"""
SELECT household_id, min(place) AS place
FROM (
    SELECT household_id, 1 AS place FROM visible_homelessness_cases
    WHERE duty_owed = 1 AND closed = 0
    UNION ALL
    SELECT household_id, 2 FROM visible_tenancies WHERE landlord = 'temporary' AND in_force
    UNION ALL
    SELECT household_id, 3 FROM visible_homelessness_cases WHERE days_ago <= {RECENT_DAYS}
) AS found
GROUP BY household_id"""

_THREATENED = f"""
SELECT DISTINCT household_id FROM visible_tenancy_events
WHERE (kind IN ('notice_seeking_possession', 'section_21_notice', 'section_8_notice',
                'court_application') AND lag < {NOTICE_MONTHS})
   OR (kind IN ('possession_order', 'suspended_order', 'warrant', 'eviction')
       AND lag < {ORDER_MONTHS})
   OR (kind = 'breathing_space' AND days_ago <= {BREATHING_SPACE_DAYS})"""

_REASONS = {1: OPEN_DUTY, 2: TEMPORARY, 3: RECENT_APPROACH}


def put_exclusions(
    con: duckdb.DuckDBPyConnection, missing: Iterable[str], cut_offs: Iterable[date]
) -> None:
    """Make the relation `excluded_at`: household_id, as_of, reason; only what was known then."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE excluded_at "
        "(household_id VARCHAR, as_of DATE, reason VARCHAR)"
    )
    cases = " ".join(f"WHEN {place} THEN '{reason}'" for place, reason in _REASONS.items())

    def take(_: Backend, as_of: date) -> None:
        con.execute(
            f"INSERT INTO excluded_at SELECT household_id, $as_of, CASE place {cases} END "
            f"FROM ({_EXCLUDED}) AS e",
            {"as_of": as_of},
        )

    Engine(DuckDBBackend(con), (), set(missing)).run(cut_offs, take, also=_READ)


def exclusions(tables: Any, households: Any, as_of: date) -> dict[str, str]:
    """Return the households that the homelessness service works with already, and why.

    Returns
    -------
    household_id -> an open duty, temporary accommodation or an approach in the 90 days before, as
    known at `as_of`
    """
    with connect(tables, households) as con:
        put_exclusions(con, tables.missing, [as_of])
        rows = con.execute("SELECT household_id, reason FROM excluded_at").fetchall()
    return dict(rows)


def with_live_threat(tables: Any, households: Any, as_of: date) -> frozenset[str]:
    """Return the households with a live notice, order, warrant or breathing space.

    They are never held back from help, and contact with them is worded without collection.
    """
    found: set[str] = set()
    with connect(tables, households) as con:

        def take(_: Backend, __: date) -> None:
            found.update(row[0] for row in con.execute(_THREATENED).fetchall())

        Engine(DuckDBBackend(con), (), tables.missing).run([as_of], take, also=_READ)
    return frozenset(found)
