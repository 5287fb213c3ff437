"""Earlier approaches and duties of the household's members.

Only that there was an approach, a duty or a closure, and when: the reason, the accommodation and
the outcome are not offered to features, so that nobody can be told apart by them.
"""

from __future__ import annotations

from functools import partial

from earlyflag.features.declare import Family, Feature, Rows

_feature = partial(
    Feature,
    unit="count",
    sources=("homelessness_cases",),
    group="earlier_help",
    gateway="homelessness",
    sensitivity="personal",
    sentence_missing="Earlier contact about homelessness is not known",
    evidence=(Rows("homelessness_cases"),),
)

_SQL = """
SELECT spine_at.household_id,
    count(c.case_ref) FILTER (WHERE lag < 12) AS approaches_12m,
    count(c.case_ref) FILTER (WHERE lag < 24) AS approaches_24m,
    count(c.case_ref) AS approaches_before,
    min(days_ago) AS days_since_approach,
    count(c.case_ref) FILTER (WHERE duty_owed = 1) AS duties_owed_before,
    min(days_since_duty) AS days_since_duty,
    min(days_since_closed) FILTER (WHERE closed = 1) AS days_since_case_closed
FROM spine_at
LEFT JOIN visible_homelessness_cases AS c ON c.household_id = spine_at.household_id
GROUP BY spine_at.household_id
"""


def _since(name: str, title: str, sentence: str, missing: str) -> Feature:
    return _feature(
        name, title, sentence, unit="days", window_months=None, sentence_missing=missing
    )


FAMILY = Family(
    "earlier_help",
    "Earlier contact about homelessness",
    _SQL,
    ("spine_at", "visible_homelessness_cases"),
    (
        *(
            _feature(
                f"approaches_{months}m",
                f"Approaches to the council in {months} months",
                "Approached the council about homelessness {value:count:time:times} in "
                f"{months} months",
                window_months=months,
                evidence=(Rows("homelessness_cases", ("approach",), months),),
                sentence_zero=f"No approach about homelessness in {months} months",
            )
            for months in (12, 24)
        ),
        _feature(
            "approaches_before",
            "Approaches to the council so far",
            "Approached the council about homelessness {value:count:time:times} before",
            window_months=None,
            sentence_zero="No earlier approach about homelessness",
        ),
        _since(
            "days_since_approach",
            "Time since an approach",
            "Approached the council about homelessness {value:days} ago",
            "No earlier approach about homelessness is known",
        ),
        _feature(
            "duties_owed_before",
            "Homelessness duties owed before",
            "Was owed a homelessness duty {value:count:time:times} before",
            window_months=None,
            sentence_zero="No homelessness duty was owed before",
        ),
        _since(
            "days_since_duty",
            "Time since a homelessness duty",
            "A homelessness duty was accepted {value:days} ago",
            "No earlier homelessness duty is known",
        ),
        _since(
            "days_since_case_closed",
            "Time since a homelessness case was closed",
            "A homelessness case was closed {value:days} ago",
            "No closed homelessness case is known",
        ),
    ),
)
