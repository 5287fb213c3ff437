"""How good the linkage is, told by itself: against the truth, by group, and weight by weight."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from earlyflag.linkage import parameters
from earlyflag.linkage.households import Households
from earlyflag.linkage.records import SourceTables
from earlyflag.linkage.weights import levels_by_weight
from earlyflag.sources import sql

SMALLEST_GROUP = 10
# A share of which one side is fewer than this many duties is withheld as well.
FEW = 5
GROUPINGS = ("tenure", "reason", "age_band", "ethnic_group", "uprn_given")


def quality(
    tables: SourceTables,
    households: Households,
    truth: Path | None = None,
    *,
    smallest_group: int = SMALLEST_GROUP,
) -> dict[str, Any]:
    """Return what can be said of a linkage, ready for JSON.

    Parameters
    ----------
    tables, households : what was linked, and the result
    truth : a folder with `people.parquet` (source, person_ref, true_person_id), if there is one
    smallest_group : figures of groups with fewer duties, linked or not, are withheld

    Returns
    -------
    dict : `counts`; `against_truth` (or None); `duties_linked` (overall and by group);
        `cannot_be_scored` (reason -> count, and by group); `match_weights` (each level's weight);
        `weight_histogram` (pairs by whole match weight, linked or not)
    """
    con = duckdb.connect()
    try:
        tables.register(con)
        households.register(con)
        con.execute(_DUTIES)
        return {
            "counts": _counts(con),
            "against_truth": None if truth is None else _against_truth(con, truth),
            "duties_linked": _duties_linked(con, smallest_group),
            "cannot_be_scored": _cannot_be_scored(con, smallest_group),
            "thresholds": {
                "link_weight": parameters.packaged().link_weight,
                "case_weight": parameters.packaged().case_weight,
            },
            "match_weights": levels_by_weight(parameters.packaged()),
            "weight_histogram": _histogram(con),
        }
    finally:
        con.close()


def _rows(con: duckdb.DuckDBPyConnection, sql: str, *values: object) -> list[dict[str, Any]]:
    result = con.execute(sql, list(values))
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _counts(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    return _rows(
        con,
        """
        SELECT (SELECT count(*) FROM linked_people) AS person_records,
               (SELECT count(DISTINCT person_id) FROM linked_people) AS people,
               (SELECT count(DISTINCT household_id) FROM household_homes) AS households,
               (SELECT count(*) FROM linked_pairs WHERE NOT is_case AND kept) AS record_links,
               (SELECT count(DISTINCT case_ref) FROM case_links) AS cases,
               (SELECT count(DISTINCT case_ref) FROM case_links WHERE matched = 'person')
                   AS cases_with_a_person,
               (SELECT count(*) FROM case_links WHERE matched = 'host') AS cases_with_a_host,
               (SELECT count(*) FROM case_links WHERE matched = 'none') AS cases_with_nobody
        """,
    )[0]


def _against_truth(con: duckdb.DuckDBPyConnection, truth: Path) -> dict[str, Any]:
    """Compare pairs of records: those joined with those that are one person in truth."""
    con.execute(
        "CREATE TEMP TABLE true_people AS SELECT * FROM read_parquet($1)",
        [sql.one_file(truth / "people.parquet")],
    )
    con.execute(_FOUND_AND_TRUE)
    return {
        "between_sources": _judged(con, "between <> 'council_tax+council_tax' AND "
                                        "between <> 'tenancy+tenancy'"),
        "all_pairs": _judged(con, "true"),
        "by_sources": {
            row["between"]: _judged(con, "between = $1", row["between"])
            for row in _rows(con, "SELECT DISTINCT between FROM judged_pairs ORDER BY between")
        },
        "cases_without_uprn": _judged(con, "case_without_uprn"),
    }  # fmt: skip


def _judged(con: duckdb.DuckDBPyConnection, condition: str, *values: object) -> dict[str, Any]:
    row = _rows(
        con,
        f"""
        SELECT count(*) FILTER (found) AS found, count(*) FILTER (is_true) AS true,
               count(*) FILTER (found AND is_true) AS right
        FROM judged_pairs WHERE {condition}
        """,
        *values,
    )[0]
    return {
        **row,
        "precision": round(row["right"] / row["found"], 5) if row["found"] else None,
        "recall": round(row["right"] / row["true"], 5) if row["true"] else None,
    }


def _duties_linked(con: duckdb.DuckDBPyConnection, smallest: int) -> dict[str, Any]:
    overall = _rows(con, "SELECT count(*) AS duties, avg(linked::INTEGER) AS share FROM duties")[0]
    by_group = {}
    for grouping in GROUPINGS:
        rows = _rows(
            con,
            f"""
            SELECT coalesce({grouping}, 'not known') AS name, count(*) AS duties,
                   count(*) FILTER (linked) AS linked
            FROM duties GROUP BY 1 ORDER BY 1
            """,
        )
        by_group[grouping] = [_withheld_if_small(row, smallest) for row in rows]
    return {"duties": overall["duties"], "share": _rounded(overall["share"]), "by": by_group}


def _withheld_if_small(row: dict[str, Any], smallest: int) -> dict[str, Any]:
    """Withhold figures from which a few people could be recognised."""
    if row["duties"] < smallest:
        return {"group": row["name"], "duties": f"fewer than {smallest}", "share": None}
    few = 0 < min(row["linked"], row["duties"] - row["linked"]) < FEW
    share = None if few else _rounded(row["linked"] / row["duties"])
    return {"group": row["name"], "duties": row["duties"], "share": share}


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 3)


def _cannot_be_scored(con: duckdb.DuckDBPyConnection, smallest: int) -> dict[str, Any]:
    reasons = _rows(
        con,
        "SELECT source, reason, count(*) AS count FROM unscorable GROUP BY ALL ORDER BY ALL",
    )
    by_group = {}
    for grouping in GROUPINGS:
        rows = _rows(
            con,
            f"""
            SELECT coalesce({grouping}, 'not known') AS name, count(*) AS cases
            FROM duties WHERE matched = 'none' GROUP BY 1 ORDER BY 1
            """,
        )
        by_group[grouping] = [
            {
                "group": row["name"],
                "cases": row["cases"] if row["cases"] >= smallest else f"fewer than {smallest}",
            }
            for row in rows
        ]
    return {"reasons": reasons, "duties_by": by_group}


def _histogram(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    return _rows(
        con,
        """
        SELECT floor(weight)::INTEGER AS weight, count(*) AS pairs,
               count(*) FILTER (kept) AS linked
        FROM linked_pairs GROUP BY 1 ORDER BY 1
        """,
    )


# A case stands for the homelessness source's record. Cases are not compared with each other.
_FOUND_AND_TRUE = """
    CREATE TEMP TABLE judged_pairs AS
    WITH linked AS (
        SELECT source, person_ref AS ref, person_id FROM linked_people
        UNION ALL
        SELECT DISTINCT 'homelessness', case_ref, person_id FROM case_links
        WHERE matched = 'person'
    ), stated AS (
        SELECT source, person_ref AS ref, true_person_id FROM true_people
        WHERE source <> 'homelessness'
        UNION ALL
        SELECT DISTINCT 'homelessness', c.case_ref, t.true_person_id
        FROM homelessness_cases c
        JOIN true_people t ON t.source = 'homelessness' AND t.person_ref = c.person_ref
    ), known AS (
        -- Only what reached linkage can be judged: a listed person or a case.
        SELECT s.* FROM stated s
        WHERE s.source = 'homelessness'
           OR (s.source, s.ref) IN (SELECT (source, person_ref) FROM linked_people)
    ), found AS (
        SELECT DISTINCT a.source AS source_a, a.ref AS ref_a, b.source AS source_b, b.ref AS ref_b
        FROM linked a JOIN linked b USING (person_id)
        WHERE (a.source, a.ref) < (b.source, b.ref)
          AND NOT (a.source = 'homelessness' AND b.source = 'homelessness')
    ), true_pairs AS (
        SELECT a.source AS source_a, a.ref AS ref_a, b.source AS source_b, b.ref AS ref_b
        FROM known a JOIN known b USING (true_person_id)
        WHERE (a.source, a.ref) < (b.source, b.ref)
          AND NOT (a.source = 'homelessness' AND b.source = 'homelessness')
    ), placed AS (
        SELECT case_ref FROM homelessness_cases
        GROUP BY case_ref HAVING count(last_settled_uprn) = 0
    )
    SELECT source_a || '+' || source_b AS between,
           f.found IS NOT NULL AS found, t.is_true IS NOT NULL AS is_true,
           (source_a = 'homelessness' AND ref_a IN (FROM placed))
               OR (source_b = 'homelessness' AND ref_b IN (FROM placed)) AS case_without_uprn
    FROM (SELECT *, true AS found FROM found) f
    FULL JOIN (SELECT *, true AS is_true FROM true_pairs) t
        USING (source_a, ref_a, source_b, ref_b)
"""

_DUTIES = """
    CREATE TEMP TABLE duties AS
    WITH matched AS (
        SELECT case_ref, any_value(matched) AS matched FROM case_links GROUP BY case_ref
    ), monitored AS (
        SELECT person_ref, any_value(ethnic_group) AS ethnic_group, any_value(age_band) AS age_band
        FROM equality_monitoring WHERE source = 'homelessness' GROUP BY person_ref
    )
    SELECT DISTINCT ON (c.case_ref) c.case_ref, m.matched, m.matched = 'person' AS linked,
           c.accommodation AS tenure, c.reason,
           coalesce(e.age_band, CASE
               WHEN age IS NULL THEN NULL WHEN age < 18 THEN '0-17' WHEN age < 25 THEN '18-24'
               WHEN age < 35 THEN '25-34' WHEN age < 45 THEN '35-44' WHEN age < 55 THEN '45-54'
               WHEN age < 65 THEN '55-64' WHEN age < 75 THEN '65-74' ELSE '75+' END) AS age_band,
           e.ethnic_group,
           CASE WHEN last_settled_uprn IS NULL THEN 'no' ELSE 'yes' END AS uprn_given
    FROM (SELECT *, date_diff('year', date_of_birth, approached_on) AS age
          FROM homelessness_cases) c
    JOIN matched m USING (case_ref)
    LEFT JOIN monitored e USING (person_ref)
    WHERE duty IN ('prevention', 'relief') AND superseded_on IS NULL
    ORDER BY c.case_ref
"""
