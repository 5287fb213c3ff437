"""A sample of pairs for a clerk to judge, most of them near the line between link and no link."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import duckdb
import pandas as pd

from earlyflag.linkage import parameters, records
from earlyflag.linkage.households import Households

BANDS = 8


def sample(
    tables: records.SourceTables,
    households: Households,
    *,
    size: int = 100,
    seed: int = 1,
    on: date | None = None,
    withheld: Collection[str] = (),
) -> pd.DataFrame:
    """Return pairs of records side by side, with an empty column for the clerk's answer.

    The pairs are drawn evenly from bands of match weight around the threshold, so that the doubtful
    ones are seen more often than the plain ones. The same seed draws the same pairs. Nobody is
    among them who is, or ever shared a household with somebody, under a suppression of the tables.

    Parameters
    ----------
    size : the number of pairs, fewer where there are not so many
    on : the day of asking; without it a suppression counts that has ended, too
    withheld : households that are suppressed elsewhere, to be left out as well

    Returns
    -------
    DataFrame : pair, match_weight, linked, then for each side source, reference, forename, surname,
        date_of_birth, uprn, postcode; `same_person` is empty. Personal data: keep it where the
        extracts are kept.
    """
    con = duckdb.connect()
    try:
        records.prepare(con, tables, parameters.packaged())
        households.register(con)
        con.execute(_WITHHELD, [list(withheld), on])
        frame = con.execute(_SAMPLE, [seed, size]).df()
    finally:
        con.close()
    frame.insert(0, "pair", range(1, len(frame) + 1))
    frame["same_person"] = ""
    return frame


# A suppression counts until it has ended, even before it begins: the clerk keeps the file for days.
_WITHHELD = """
    CREATE TEMP TABLE withheld AS
    WITH standing AS (
        SELECT * FROM suppressions
        WHERE superseded_on IS NULL AND (valid_to IS NULL OR $2 IS NULL OR valid_to > $2::DATE)
    ), suppressed_cases AS (
        SELECT DISTINCT case_ref FROM homelessness_cases SEMI JOIN (
            SELECT person_ref FROM standing WHERE source = 'homelessness'
        ) USING (person_ref)
    ), named AS (
        SELECT source, person_ref FROM standing
        WHERE source <> 'homelessness' AND person_ref IS NOT NULL
        UNION
        SELECT 'homelessness', case_ref FROM suppressed_cases
        UNION
        SELECT source, person_ref FROM case_links SEMI JOIN suppressed_cases USING (case_ref)
        WHERE matched = 'person'
    ), covered AS (
        SELECT household_id FROM household_members SEMI JOIN named USING (source, person_ref)
        UNION
        SELECT household_id FROM household_homes SEMI JOIN standing USING (uprn)
        UNION
        SELECT unnest($1::VARCHAR[])
    ), members AS (
        SELECT source, person_ref FROM household_members SEMI JOIN covered USING (household_id)
        WHERE person_ref IS NOT NULL
        UNION
        FROM named
    )
    SELECT source || '/' || person_ref AS record FROM members
    UNION
    SELECT record FROM appearances SEMI JOIN standing USING (uprn)
    UNION
    SELECT 'homelessness/' || case_ref FROM case_links SEMI JOIN members USING (source, person_ref)
"""

_SAMPLE = f"""
    WITH drawn AS (
        SELECT *, row_number() OVER (PARTITION BY band ORDER BY lot) AS turn
        FROM (
            SELECT *, least(greatest(floor(weight / 4), -2), {BANDS - 3}) AS band,
                   md5($1::VARCHAR || one || other) AS lot
            FROM linked_pairs
            WHERE one NOT IN (FROM withheld) AND other NOT IN (FROM withheld)
        )
    ), chosen AS (
        SELECT * FROM drawn ORDER BY turn, band LIMIT $2
    ), written AS (
        SELECT DISTINCT ON (record) * FROM appearances ORDER BY record, known_after DESC, unique_id
    )
    SELECT weight AS match_weight, kept AS linked,
           a.system AS source_a, a.person_ref AS reference_a, a.forename AS forename_a,
           a.surname AS surname_a, a.born AS date_of_birth_a, a.uprn AS uprn_a,
           a.postcode AS postcode_a,
           b.system AS source_b, b.person_ref AS reference_b, b.forename AS forename_b,
           b.surname AS surname_b, b.born AS date_of_birth_b, b.uprn AS uprn_b,
           b.postcode AS postcode_b
    FROM chosen c
    JOIN written a ON a.record = c.one
    JOIN written b ON b.record = c.other
    ORDER BY lot
"""
