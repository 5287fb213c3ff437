"""Rates of the ward, as known at the cut-off, drawn towards the borough's where it is small."""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature, Rows

_feature = partial(
    Feature,
    unit="rate",
    window_months=12,
    group="area",
    gateway="borough",
    sensitivity="ordinary",
    sentence_missing="The ward is not known",
)

_COUNTED = """
WITH placed AS (
    SELECT spine_at.household_id, p.ward_code
    FROM spine_at LEFT JOIN visible_properties AS p ON p.household_id = spine_at.household_id
),
duties AS (
    SELECT DISTINCT household_id FROM visible_homelessness_cases WHERE days_since_duty <= 365
),
summonses AS (
    SELECT DISTINCT household_id FROM visible_council_tax_recovery
    WHERE stage = 'summons' AND lag < 12
),
facts AS (
    SELECT placed.household_id, placed.ward_code,
        CASE WHEN d.household_id IS NULL THEN 0 ELSE 1 END AS duty,
        CASE WHEN s.household_id IS NULL THEN 0 ELSE 1 END AS summoned
    FROM placed
    LEFT JOIN duties AS d ON d.household_id = placed.household_id
    LEFT JOIN summonses AS s ON s.household_id = placed.household_id
),
borough AS (
    SELECT count(*) AS households, sum(duty) AS duties, sum(summoned) AS summoned FROM facts
),
wards AS (
    SELECT ward_code, count(*) AS households, sum(duty) AS duties, sum(summoned) AS summoned
    FROM facts WHERE ward_code IS NOT NULL GROUP BY ward_code
)
"""

_SQL = f"""{_COUNTED}
SELECT f.household_id,
    1000 * (w.duties + 200 * (b.duties::DOUBLE / b.households)) / (w.households + 200)
        AS ward_duty_rate_12m,
    1000 * (w.summoned + 200 * (b.summoned::DOUBLE / b.households)) / (w.households + 200)
        AS ward_recovery_rate_12m
FROM facts AS f
JOIN wards AS w ON w.ward_code = f.ward_code
CROSS JOIN borough AS b
"""

COUNTS = f"""{_COUNTED}
SELECT f.household_id, f.ward_code, w.households, w.duties, w.summoned,
    b.households AS borough_households, b.duties AS borough_duties, b.summoned AS borough_summoned
FROM facts AS f
JOIN wards AS w ON w.ward_code = f.ward_code
CROSS JOIN borough AS b
WHERE f.household_id IN (SELECT household_id FROM chosen_homes)
"""
"""The counts behind the rates of some households; rows of neighbours are nobody's to read."""

FAMILY = Family(
    "area",
    "The area",
    _SQL,
    ("spine_at", "visible_council_tax_recovery", "visible_homelessness_cases",
     "visible_properties"),
    (
        _feature(
            "ward_duty_rate_12m",
            "Households of the ward owed a duty in 12 months, of 1,000",
            "Of 1,000 households in the ward, {value:number:was:were} owed a duty in 12 months",
            sources=("homelessness_cases", "properties"),
            evidence=(Rows("homelessness_cases", ("duty",), 12, "ward"),),
            sentence_zero="No household in the ward was owed a duty in 12 months",
        ),
        _feature(
            "ward_recovery_rate_12m",
            "Households of the ward summoned for council tax in 12 months, of 1,000",
            "Of 1,000 households in the ward, {value:number:was:were} summoned for council tax "
            "in 12 months",
            sources=("council_tax_recovery", "properties"),
            evidence=(Rows("council_tax_recovery", ("summons",), 12, "ward"),),
            sentence_zero="No household in the ward was summoned for council tax in 12 months",
        ),
    ),
)  # fmt: skip
