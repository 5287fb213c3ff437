"""Labels: what happened to a household within a horizon that begins at the cut-off.

A label is the one thing here that reads from `as_of` on. Everything that a label is set beside
(who was a member, what excludes a household) is as known at `as_of`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from earlyflag.core.clock import add_months
from earlyflag.core.errors import HorizonUnfinished, SpecificationInvalid
from earlyflag.features.attached import HOLDS, attach, put_days
from earlyflag.features.connection import connect
from earlyflag.features.exclusions import put_exclusions
from earlyflag.features.families.council_tax_recovery import STAGES
from earlyflag.sources.schema import TABLES

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

DUTY_EVENTS = ("owed_duty", "owed_relief", "host")
EVENTS = (*DUTY_EVENTS, "recovery_stage", "tenancy_event", "outcome")
_TABLES = {
    "recovery_stage": "council_tax_recovery",
    "tenancy_event": "tenancy_events",
    "outcome": "outcomes",
}
SILENCE_DAYS = 62
"""A table of events that is silent for so long before a horizon's end was not delivered since."""
FROM_STATES = ("not_in_recovery",)
HELP = ("support_started", "payment_awarded")
"""Interventions that count as help; an attempt to reach somebody does not."""
LONGEST_SUPPORT_MONTHS = 12
"""Support whose end nobody recorded is taken to have ended after so long."""


class Declaration(Protocol):
    """What a model specification says of its label."""

    event: str
    kind: str | None
    from_state: str | None

    def ends(self, as_of: date) -> date:
        """Return the first day after the horizon that starts at `as_of`."""


@dataclass(frozen=True, slots=True)
class Label:
    """An event within a horizon.

    Attributes
    ----------
    event : owed_duty, owed_relief, host, recovery_stage, tenancy_event or outcome
    kind : the stage (reached or passed), the tenancy event or the outcome's kind
    from_state : `not_in_recovery` leaves out who had a recovery step in the month before
    """

    event: str = "owed_duty"
    kind: str | None = None
    horizon_months: int = 12
    from_state: str | None = None

    def ends(self, as_of: date) -> date:
        """Return the first day after the horizon that starts at `as_of`."""
        return add_months(as_of, self.horizon_months)


def label(
    tables: Any, households: Any, cut_offs: Iterable[date], declaration: Declaration
) -> pd.DataFrame:
    """Return what happened to each household of the spine within the horizon.

    Returns
    -------
    frame of shape (n, 9), sorted by as_of and household_id: household_id, as_of (datetime64[s]),
    label (0 or 1), owed_relief, host, censored (the household left the borough's data before the
    horizon ended), excluded (why, or null), helped, label_known_on (when the label was known in
    full)

    Raises
    ------
    HorizonUnfinished
        A horizon ends after the last day that the data know.
    SpecificationInvalid
        The event or its kind is not one that the tables can show.
    """
    days = sorted(set(cut_offs))
    check_label(declaration, tables.missing)
    check_horizons(days, declaration, tables.last_known_on)
    with connect(tables, households) as con:
        _prepare(con, tables, days, declaration)
        con.execute(_EVENTS_REACHED[_source(declaration)])
        frame: pd.DataFrame = con.sql(_LABELLED).to_df()
    frame["excluded"] = frame["excluded"].astype("str").where(frame["excluded"].notna(), None)
    return frame


def unlinked_events(
    tables: Any, households: Any, cut_offs: Iterable[date], declaration: Declaration
) -> dict[date, float]:
    """Return how many events of each horizon no household of the spine could have shown.

    They stay in the denominator of recall over all events.
    """
    days = sorted(set(cut_offs))
    check_label(declaration, tables.missing)
    check_horizons(days, declaration, tables.last_known_on)
    with connect(tables, households) as con:
        _prepare(con, tables, days, declaration)
        con.execute(_EVENTS_REACHED[_source(declaration)])
        rows = con.execute(
            """
            SELECT d.as_of, count(DISTINCT e.event_ref)
            FROM days AS d
            JOIN label_events AS e ON e.happened_on >= d.as_of AND e.happened_on < d.ends
            ANTI JOIN reached AS r ON r.event_ref = e.event_ref AND r.as_of = d.as_of
            GROUP BY d.as_of
            """
        ).fetchall()
    return {day: float(dict(rows).get(day, 0)) for day in days}


def check_label(declaration: Declaration, missing: Collection[str] = ()) -> None:
    """Check that a label names an event that the tables can show.

    Parameters
    ----------
    missing : contract tables that were never delivered; an event of theirs would never happen

    Raises
    ------
    SpecificationInvalid
        The event is unknown, or a kind is missing, unknown or out of place.
    """
    event, kind = declaration.event, declaration.kind
    if event not in EVENTS:
        raise SpecificationInvalid(
            f"The label's event is none of {', '.join(EVENTS)}. Change label.event."
        )
    if (kind is None) != (event in DUTY_EVENTS):
        need = "takes no kind" if kind else "needs a kind"
        raise SpecificationInvalid(f"The label's event {event} {need}. Change label.kind.")
    if event == "recovery_stage" and kind not in STAGES:
        raise SpecificationInvalid(
            f"The label's kind is no recovery stage. Change label.kind to one of "
            f"{', '.join(STAGES)}."
        )
    if event == "tenancy_event" and kind not in TABLES["tenancy_events"].column("kind").codes:
        raise SpecificationInvalid(
            "The label's kind is no tenancy event. Change label.kind to one of "
            f"{', '.join(TABLES['tenancy_events'].column('kind').codes)}."
        )
    table = table_of(declaration)
    if table in missing:
        raise SpecificationInvalid(
            f"The label's event {event} stands in {table}, which was never delivered. Ingest it, "
            "or change label.event."
        )
    if declaration.from_state not in (None, *FROM_STATES):
        raise SpecificationInvalid(
            f"The label's from_state is unknown. Leave it out or use {', '.join(FROM_STATES)}."
        )


def check_horizons(
    cut_offs: Sequence[date], declaration: Declaration, last_known_on: date | None
) -> None:
    """Check that every horizon ended before the data do.

    Raises
    ------
    HorizonUnfinished
        One did not.
    """
    if last_known_on is None:
        raise HorizonUnfinished("The tables hold no dated row, so no horizon has passed.")
    late = [day for day in cut_offs if declaration.ends(day) > last_known_on + timedelta(days=1)]
    if late:
        raise HorizonUnfinished(
            f"{len(late)} of {len(cut_offs)} cut-offs have a horizon that ends after "
            f"{last_known_on}, the last day that the data know (first: {late[0]}, whose horizon "
            f"ends before {declaration.ends(late[0])}). Take earlier cut-offs, a shorter horizon, "
            "or ingest newer extracts."
        )


def table_of(declaration: Declaration) -> str:
    """Return the contract table that the label's event stands in."""
    return _TABLES.get(declaration.event, "homelessness_cases")


def check_told(cut_offs: Iterable[date], declaration: Declaration, tables: Any) -> None:
    """Check that the label's own table was still delivered when the horizons ended.

    Newer ledgers beside an old table of cases would otherwise teach every later duty as none.

    Raises
    ------
    HorizonUnfinished
        The table's last row was recorded long before the end of a horizon.
    """
    days, table = sorted(set(cut_offs)), table_of(declaration)
    last = tables.last_known_in(table)
    silent = [
        day
        for day in days
        if last is None or declaration.ends(day) > last + timedelta(days=SILENCE_DAYS)
    ]
    if silent:
        raise HorizonUnfinished(
            f"{len(silent)} of {len(days)} cut-offs have a horizon that ends more than "
            f"{SILENCE_DAYS} days after the last row of {table} was recorded "
            f"({last or 'it holds no dated row'}), so later events would count as none (first: "
            f"{silent[0]}). Ingest newer rows of {table}, or take earlier cut-offs."
        )


def _prepare(
    con: duckdb.DuckDBPyConnection, tables: Any, days: Sequence[date], declaration: Declaration
) -> None:
    """Make what every label is set beside: spine, duties reached, help, exclusions."""
    put_days(con, days, {day: declaration.ends(day) for day in days})
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE spine AS
        SELECT DISTINCT h.household_id, d.as_of, d.ends
        FROM household_homes AS h JOIN days AS d ON {HOLDS}
        """
    )
    con.execute(_DUTIES)
    con.execute(_DUTIES_REACHED)
    attach(con, "help", _HELP)
    put_exclusions(con, tables.missing, days)
    if declaration.from_state == "not_in_recovery":
        ranked = ", ".join(f"'{stage}'" for stage in STAGES)
        con.execute(
            f"""
            INSERT INTO excluded_at
            SELECT DISTINCT h.household_id, d.as_of, 'in recovery already'
            FROM council_tax_recovery AS r
            JOIN days AS d ON r.happened_on < d.as_of AND r.known_on < d.as_of
                AND r.happened_on >= d.as_of - INTERVAL 1 MONTH
                AND (r.superseded_on IS NULL OR r.superseded_on >= d.as_of)
            JOIN household_homes AS h ON h.account_ref = r.account_ref AND {HOLDS}
            WHERE r.stage IN ({ranked})
            """
        )
    _put_events(con, declaration)


def _source(declaration: Declaration) -> str:
    return declaration.event if declaration.event in DUTY_EVENTS else "attached"


def _put_events(con: duckdb.DuckDBPyConnection, declaration: Declaration) -> None:
    """Make `label_events`: every event of the declared kind, whomever it reaches."""
    event, kind = declaration.event, declaration.kind
    if event in DUTY_EVENTS:
        relief = " WHERE relief = 1" if event == "owed_relief" else ""
        con.execute(f"CREATE OR REPLACE TEMP TABLE label_events AS SELECT * FROM duties{relief}")
        return
    if event == "recovery_stage":
        rank = STAGES[str(kind)]
        kinds = [stage for stage, place in STAGES.items() if place >= rank]
        select = """SELECT account_ref || '/' || happened_on || '/' || stage AS event_ref,
            account_ref, NULL::VARCHAR AS tenancy_ref, NULL::VARCHAR AS uprn,
            happened_on, known_on
            FROM council_tax_recovery
            WHERE superseded_on IS NULL AND list_contains($kinds, stage)"""
    elif event == "tenancy_event":
        kinds = [str(kind)]
        select = """SELECT event_ref, NULL::VARCHAR AS account_ref, tenancy_ref, uprn,
            happened_on, known_on
            FROM tenancy_events WHERE superseded_on IS NULL AND list_contains($kinds, kind)"""
    else:
        kinds = [str(kind)]
        select = """SELECT outcome_ref AS event_ref, account_ref, tenancy_ref, uprn,
            happened_on, known_on
            FROM outcomes WHERE superseded_on IS NULL AND list_contains($kinds, kind)"""
    con.execute(f"CREATE OR REPLACE TEMP TABLE label_events AS {select}", {"kinds": kinds})
    attach(con, "attached", "SELECT * FROM label_events")


# Support that is under way at a cut-off counts as happening on its first day.
_HELP = f"""
WITH spells AS (
    SELECT *, unnest(['account ' || account_ref, 'tenancy ' || tenancy_ref, 'home ' || uprn])
        AS place
    FROM interventions
    WHERE superseded_on IS NULL AND kind IN ('support_started', 'support_ended')
),
ended AS (
    SELECT s.intervention_ref, min(e.happened_on) AS ended_on
    FROM spells AS s
    JOIN spells AS e ON e.place = s.place AND e.happened_on >= s.happened_on
    WHERE s.kind = 'support_started' AND e.kind = 'support_ended'
    GROUP BY s.intervention_ref
)
SELECT intervention_ref AS event_ref, account_ref, tenancy_ref, uprn, happened_on
FROM interventions
WHERE superseded_on IS NULL AND kind IN ({", ".join(f"'{kind}'" for kind in HELP)})
UNION ALL
SELECT i.intervention_ref || '/' || d.as_of, i.account_ref, i.tenancy_ref, i.uprn, d.as_of
FROM interventions AS i
LEFT JOIN ended ON ended.intervention_ref = i.intervention_ref
JOIN days AS d ON i.happened_on < d.as_of
    AND d.as_of <= coalesce(
        ended.ended_on, i.happened_on + INTERVAL {LONGEST_SUPPORT_MONTHS} MONTH
    )
WHERE i.superseded_on IS NULL AND i.kind = 'support_started'"""

# The label reads what became known later, so of a case that was linked anew the newest link holds.
_DUTIES = """
CREATE OR REPLACE TEMP TABLE duties AS
SELECT c.case_ref AS event_ref, c.duty_on AS happened_on,
    greatest(c.duty_known_on, c.known_on) AS known_on,
    (c.duty = 'relief')::INTEGER AS relief, l.source, l.person_ref, l.person_id,
    coalesce(l.uprn, c.last_settled_uprn) AS uprn
FROM homelessness_cases AS c
LEFT JOIN (
    SELECT * FROM case_links
    QUALIFY row_number() OVER (PARTITION BY case_ref ORDER BY from_as_of DESC NULLS LAST) = 1
) AS l ON l.case_ref = c.case_ref
WHERE c.superseded_on IS NULL AND c.duty IN ('prevention', 'relief') AND c.duty_on IS NOT NULL"""

_DUTIES_REACHED = f"""
CREATE OR REPLACE TEMP TABLE duties_reached AS
WITH dated AS (
    SELECT d.as_of, e.* FROM duties AS e
    JOIN days AS d ON e.happened_on >= d.as_of AND e.happened_on < d.ends
),
members AS (
    SELECT h.household_id, d.* FROM dated AS d
    JOIN household_members AS h
        ON h.source = d.source AND h.person_ref = d.person_ref AND {HOLDS}
    UNION
    SELECT h.household_id, d.* FROM dated AS d
    JOIN household_members AS h ON h.person_id = d.person_id AND {HOLDS}
)
SELECT *, 0 AS host FROM members
UNION ALL
SELECT DISTINCT h.household_id, d.*, 1 AS host FROM dated AS d
JOIN household_homes AS h ON h.uprn = d.uprn AND {HOLDS}
ANTI JOIN members AS m ON m.event_ref = d.event_ref AND m.as_of = d.as_of"""

_EVENTS_REACHED = {
    "owed_duty": "CREATE OR REPLACE TEMP TABLE reached AS "
    "SELECT * FROM duties_reached WHERE host = 0",
    "owed_relief": "CREATE OR REPLACE TEMP TABLE reached AS "
    "SELECT * FROM duties_reached WHERE host = 0 AND relief = 1",
    "host": "CREATE OR REPLACE TEMP TABLE reached AS SELECT * FROM duties_reached WHERE host = 1",
    "attached": "CREATE OR REPLACE TEMP TABLE reached AS SELECT * FROM attached",
}

_LABELLED = """
WITH events AS (
    SELECT household_id, as_of, max(known_on) AS known_on
    FROM reached GROUP BY household_id, as_of
),
duties AS (
    SELECT household_id, as_of, max(relief) FILTER (WHERE host = 0) AS relief, max(host) AS host
    FROM duties_reached GROUP BY household_id, as_of
),
stayed AS (
    SELECT household_id, CASE WHEN count(*) = count(to_as_of) THEN max(to_as_of) END AS left_on
    FROM household_homes GROUP BY household_id
),
helped AS (
    SELECT DISTINCT household_id, as_of FROM help
),
excluded AS (
    SELECT household_id, as_of, min(reason) AS reason
    FROM excluded_at GROUP BY household_id, as_of
)
SELECT s.household_id, CAST(s.as_of AS TIMESTAMP_S) AS as_of,
    (e.household_id IS NOT NULL)::TINYINT AS label,
    coalesce(d.relief, 0)::TINYINT AS owed_relief,
    coalesce(d.host, 0)::TINYINT AS host,
    coalesce(stayed.left_on < s.ends, false) AS censored,
    excluded.reason AS excluded,
    helped.household_id IS NOT NULL AS helped,
    CAST(greatest(s.ends, e.known_on) AS TIMESTAMP_S) AS label_known_on
FROM spine AS s
LEFT JOIN events AS e ON e.household_id = s.household_id AND e.as_of = s.as_of
LEFT JOIN duties AS d ON d.household_id = s.household_id AND d.as_of = s.as_of
LEFT JOIN stayed ON stayed.household_id = s.household_id
LEFT JOIN helped ON helped.household_id = s.household_id AND helped.as_of = s.as_of
LEFT JOIN excluded ON excluded.household_id = s.household_id AND excluded.as_of = s.as_of
ORDER BY s.as_of, s.household_id"""
