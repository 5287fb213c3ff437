"""The whole of linkage in one call: from tables to dated households."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from earlyflag.core.errors import StepMissing
from earlyflag.linkage import households, parameters, records, scoring
from earlyflag.linkage.events import Timeline, timeline
from earlyflag.linkage.sweep import Sweep

FORMAT = 1


def link(
    tables: Any,
    cut_offs: Sequence[date],
    folder: Path,
    *,
    advance: Callable[[int], None] | None = None,
    backend: scoring.Backend = "duckdb",
    spark: Any = None,
    trained: parameters.Parameters | None = None,
    threads: int = 2,
) -> households.Households:
    """Link people and follow their households from month to month.

    Parameters
    ----------
    tables : `sources.Tables`
    cut_offs : the days at which households will be asked for, usually first days of months
    folder : where the households are written; a reader sees the old ones or the new
    advance : told 1 for each of `cut_offs` that is done
    backend : what compares the pairs, "duckdb" or "spark" (with a session in `spark`)
    trained : other parameters than the packaged ones

    Returns
    -------
    Households : those of the last run, unread, if nothing they depend on has changed

    Raises
    ------
    LinkageConflict
        A person would be in two households at one cut-off.
    """
    trained = trained or parameters.packaged()
    inputs = _inputs_hash(tables, cut_offs, trained)
    try:
        last = households.load(folder)
        if inputs is not None and last.facts.get("inputs_hash") == inputs:
            return last
    except StepMissing:
        pass
    con = duckdb.connect(config={"threads": threads, "preserve_insertion_order": False})
    try:
        records.prepare(con, tables, trained)
        scoring.score_pairs(con, trained, backend=backend, spark=spark)
        events = timeline(con, cut_offs)
        sweep = Sweep(events, trained.rival_weight)
        sweep.run(cut_offs, advance)
        _publish(con, events, sweep)
        households.check(con)
        found = households.content_hash(con)
        facts = {
            "content_hash": found,
            "cut_offs": [day.isoformat() for day in sorted(cut_offs)],
            "parameters": trained.digest,
            "backend": backend,
        }
        return households.write(con, folder, inputs or found, facts)
    finally:
        con.close()


def _inputs_hash(
    tables: Any, cut_offs: Sequence[date], trained: parameters.Parameters
) -> str | None:
    """Return a hash of all that decides the households; None if the tables cannot tell.

    Only the tables that linkage reads count: a new ledger row links nobody anew.
    """
    table_hash = getattr(tables, "table_hash", None)
    if table_hash is None:
        return None
    content = [table_hash(name) for name in records.TABLES_READ]
    parts = [FORMAT, content, trained.digest, [day.isoformat() for day in sorted(cut_offs)]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _publish(con: duckdb.DuckDBPyConnection, events: Timeline, sweep: Sweep) -> None:
    """Turn the numbers of the sweep into the tables that other rooms read."""
    con.register("cut_off_number", _numbered(events.grid, "day"))
    con.register(
        "household_number",
        _numbered([h.identifier for h in sweep.register.households], "household_id"),
    )
    con.register(
        "member_rows",
        pd.DataFrame(
            [(owner, *row, start, end) for owner, row, start, end in sweep.members],
            columns=["household", "record", "person", "unit", "role", "born", "start", "stop"],
        ).astype({"role": "str", "born": "object", "stop": "Int64"}),
    )
    con.register(
        "home_rows",
        pd.DataFrame(
            [(owner, *row, start, end) for owner, row, start, end in sweep.homes],
            columns=["household", "unit", "uprn", "start", "stop"],
        ).astype({"stop": "Int64"}),
    )
    con.register(
        "person_rows",
        pd.DataFrame(enumerate(sweep.people.person_of), columns=["record", "person"]),
    )
    con.register(
        "case_rows",
        pd.DataFrame(
            [(case, *row, start, end) for case, row, start, end in sweep.cases.links],
            columns=["matter", "record", "person", "weight", "start", "stop"],
        ).astype({"stop": "Int64"}),
    )
    for statement in (_MEMBERS, _HOMES, _CASE_LINKS, _UNSCORABLE, _LINKED_PEOPLE, _LINKED_PAIRS):
        con.execute(statement)


def _numbered(values: Sequence[object], name: str) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(values, dtype="object"), "number": range(len(values))})


_PERSON = "'P' || upper(left(sha256(f.record), 12))"
_SOURCE = "split_part(n.record, '/', 1)"
_REF = "substr(n.record, strpos(n.record, '/') + 1)"

_MEMBERS = f"""
    CREATE TEMP TABLE household_members AS
    SELECT h.household_id, {_PERSON} AS person_id, {_SOURCE} AS source, {_REF} AS person_ref,
           CASE WHEN u.kind = 'account' THEN u.ref END AS account_ref,
           CASE WHEN u.kind = 'tenancy' THEN u.ref END AS tenancy_ref,
           m.role, m.born::DATE AS date_of_birth,
           s.day::DATE AS from_as_of, e.day::DATE AS to_as_of
    FROM member_rows m
    JOIN household_number h ON h.number = m.household
    JOIN record_number n ON n.number = m.record
    JOIN record_number f ON f.number = m.person
    LEFT JOIN unit_number u ON u.unit = m.unit
    JOIN cut_off_number s ON s.number = m.start
    LEFT JOIN cut_off_number e ON e.number = m.stop
"""
_HOMES = """
    CREATE TEMP TABLE household_homes AS
    SELECT h.household_id, q.uprn,
           CASE WHEN u.kind = 'account' THEN u.ref END AS account_ref,
           CASE WHEN u.kind = 'tenancy' THEN u.ref END AS tenancy_ref,
           s.day::DATE AS from_as_of, e.day::DATE AS to_as_of
    FROM home_rows m
    JOIN household_number h ON h.number = m.household
    JOIN unit_number u ON u.unit = m.unit
    LEFT JOIN uprn_number q ON q.number = m.uprn
    JOIN cut_off_number s ON s.number = m.start
    LEFT JOIN cut_off_number e ON e.number = m.stop
"""
# A case whose person is nobody known leads to a home all the same: by its UPRN, else by its
# postcode where one home there, and only one, was known with the surname.
_CASE_LINKS = f"""
    CREATE TEMP TABLE case_links AS
    WITH person AS (
        SELECT substr(c.record, strpos(c.record, '/') + 1) AS case_ref, 'person' AS matched,
               {_PERSON} AS person_id, {_SOURCE} AS source, {_REF} AS person_ref,
               NULL::VARCHAR AS uprn,
               round(power(2, m.weight) / (1 + power(2, m.weight)), 6) AS probability,
               s.day::DATE AS from_as_of, e.day::DATE AS to_as_of
        FROM case_rows m
        JOIN case_number c ON c.number = m.matter
        JOIN record_number n ON n.number = m.record
        JOIN record_number f ON f.number = m.person
        JOIN cut_off_number s ON s.number = m.start
        LEFT JOIN cut_off_number e ON e.number = m.stop
    ), unmatched AS (
        SELECT case_ref, max(nullif(last_settled_uprn, '')) AS uprn
        FROM homelessness_cases
        WHERE superseded_on IS NULL AND case_ref NOT IN (SELECT case_ref FROM person)
        GROUP BY case_ref
    ), by_postcode AS (
        SELECT c.person_ref AS case_ref, min(a.uprn) AS uprn
        FROM appearances c
        JOIN appearances a ON a.system <> 'homelessness' AND a.postcode = c.postcode
            AND a.surname = c.surname AND a.known_after <= c.known_after
            AND c.known_after <= a.known_until
        WHERE c.system = 'homelessness' AND c.uprn IS NULL
        GROUP BY c.person_ref
        HAVING count(DISTINCT a.uprn) = 1
    )
    SELECT * FROM person
    UNION ALL
    SELECT u.case_ref, CASE WHEN coalesce(u.uprn, p.uprn) IS NULL THEN 'none' ELSE 'host' END,
           NULL, NULL, NULL, coalesce(u.uprn, p.uprn), NULL, NULL, NULL
    FROM unmatched u LEFT JOIN by_postcode p USING (case_ref)
"""
_UNSCORABLE = """
    CREATE TEMP TABLE unscorable AS
    SELECT 'homelessness' AS source, case_ref AS ref, 'case linked to no known home' AS reason,
           known_on AS from_as_of, NULL::DATE AS to_as_of
    FROM homelessness_cases
    JOIN case_links USING (case_ref)
    WHERE matched = 'none' AND superseded_on IS NULL
    UNION ALL
    SELECT r.source, r.person_ref, 'listed on an account or tenancy that was not delivered',
           min(r.start_after), NULL::DATE
    FROM roster_spells r
    WHERE NOT EXISTS (FROM unit_spells u WHERE u.kind = r.kind AND u.ref = r.ref)
    GROUP BY r.source, r.person_ref
"""
_LINKED_PEOPLE = f"""
    CREATE TEMP TABLE linked_people AS
    SELECT {_PERSON} AS person_id, {_SOURCE} AS source, {_REF} AS person_ref
    FROM person_rows m
    JOIN record_number n ON n.number = m.record
    JOIN record_number f ON f.number = m.person
"""
_LINKED_PAIRS = """
    CREATE TEMP TABLE linked_pairs AS
    SELECT one, other, is_case, max(weight) AS weight, min(known_after) AS known_after,
           arg_max(gamma_forename, weight) AS gamma_forename,
           arg_max(gamma_surname, weight) AS gamma_surname,
           arg_max(gamma_born, weight) AS gamma_born, arg_max(gamma_home, weight) AS gamma_home,
           bool_or(kept) AS kept
    FROM pairs
    WHERE weight > -10 AND NOT against
    GROUP BY one, other, is_case
"""
