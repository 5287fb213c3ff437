"""The groups that a fairness audit compares; never a feature, a reason or a field."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from earlyflag.features.backends import Backend, DuckDBBackend
from earlyflag.features.connection import connect
from earlyflag.features.engine import RESULT, Engine
from earlyflag.features.families import FAMILIES

if TYPE_CHECKING:
    import pandas as pd

_FACTS = (
    "council_tax_balance_pence",
    "rent_balance_pence",
    "council_tenancy",
    "housing_association_tenancy",
    "private_tenancy",
    "adults_people",
    "children_people",
    "approaches_before",
)

_READ = ("members_at", "visible_properties")

# The lead's own answers stand for the household, else those of its first member who gave any.
_GROUPS = f"""
WITH answers AS (
    SELECT m.household_id,
        arg_min(q.ethnic_group, m.place) FILTER (WHERE q.ethnic_group IS NOT NULL) AS ethnic_group,
        arg_min(q.sex, m.place) FILTER (WHERE q.sex IS NOT NULL) AS sex,
        arg_min(q.disability, m.place) FILTER (WHERE q.disability IS NOT NULL) AS disability,
        arg_min(q.age_band, m.place) FILTER (WHERE q.age_band IS NOT NULL) AS age_band
    FROM (
        SELECT household_id, source, person_ref, row_number() OVER (
            PARTITION BY household_id
            ORDER BY role NOT IN ('lead', 'tenant'), source, person_ref) AS place
        FROM members_at
    ) AS m
    JOIN equality_monitoring AS q ON q.source = m.source AND q.person_ref = m.person_ref
    GROUP BY m.household_id
),
systems AS (
    SELECT household_id, max((source = 'council_tax')::INTEGER) AS billed,
        max((source = 'tenancy')::INTEGER) AS housed
    FROM members_at GROUP BY household_id
),
next_duty AS (
    SELECT m.household_id, arg_min(c.reason, c.duty_on) AS reason
    FROM (SELECT DISTINCT household_id, source, person_ref FROM members_at) AS m
    JOIN case_links AS l ON l.source = m.source AND l.person_ref = m.person_ref
    JOIN homelessness_cases AS c ON c.case_ref = l.case_ref AND c.superseded_on IS NULL
    WHERE c.duty IN ('prevention', 'relief') AND c.duty_on >= $as_of
    GROUP BY m.household_id
)
SELECT f.household_id, CAST(f.as_of AS TIMESTAMP_S) AS as_of,
    a.ethnic_group, a.sex, a.disability, a.age_band,
    CASE WHEN f.council_tenancy = 1 THEN 'council'
         WHEN f.housing_association_tenancy = 1 THEN 'housing_association'
         WHEN f.private_tenancy = 1 THEN 'private'
         WHEN f.private_tenancy = 0 THEN 'temporary'
         ELSE 'owner_or_not_known' END AS tenure,
    p.ward_code,
    CASE WHEN f.adults_people IS NULL OR f.adults_people = 0 THEN 'not_known'
         WHEN f.adults_people = 1 AND f.children_people > 0 THEN 'one_adult_with_children'
         WHEN f.adults_people = 1 THEN 'one_adult'
         WHEN f.adults_people = 2 AND f.children_people > 0 THEN 'two_adults_with_children'
         WHEN f.adults_people = 2 THEN 'two_adults'
         ELSE 'three_or_more_adults' END AS household_type,
    CASE WHEN s.billed = 1 AND s.housed = 1 THEN 'council_tax_and_tenancy'
         WHEN s.billed = 1 THEN 'council_tax_only'
         WHEN s.housed = 1 THEN 'tenancy_only'
         ELSE 'no_people' END AS linkage_quality,
    CASE WHEN greatest(f.council_tax_balance_pence, f.rent_balance_pence) > 0 THEN 'yes'
         ELSE 'no' END AS in_arrears,
    CASE WHEN f.approaches_before > 0 THEN 'no' ELSE 'yes' END AS first_time,
    n.reason AS reason_for_loss
FROM {RESULT} AS f
LEFT JOIN answers AS a ON a.household_id = f.household_id
LEFT JOIN systems AS s ON s.household_id = f.household_id
LEFT JOIN next_duty AS n ON n.household_id = f.household_id
LEFT JOIN visible_properties AS p ON p.household_id = f.household_id
ORDER BY f.household_id"""


def audit_groups(tables: Any, households: Any, cut_offs: Iterable[date]) -> pd.DataFrame:
    """Return the audit's groups of each household of the spine.

    Returns
    -------
    frame sorted by as_of and household_id: household_id, as_of (datetime64[s]), ethnic_group, sex,
    disability and age_band from equality monitoring (null where nobody of the household was
    asked), tenure, ward_code, household_type, linkage_quality, in_arrears and first_time as known
    at the cut-off, reason_for_loss of the next duty (null where there is none)
    """
    import pandas as pd

    parts: list[pd.DataFrame] = []
    with connect(tables, households) as con:

        def take(_: Backend, as_of: date) -> None:
            parts.append(con.sql(_GROUPS, params={"as_of": as_of}).to_df())

        Engine(DuckDBBackend(con), FAMILIES, tables.missing, _FACTS).run(cut_offs, take, also=_READ)
    return pd.concat(parts, ignore_index=True)
