"""What a feature may read: relations that hold only what was known at the cut-off.

Each relation is written here once, with the rule of visibility in it: a row counts when
`known_on < as_of` and it had not been replaced by then; an event or spell must have begun; the
end of a spell, a duty and a closure exist only once they were known. Families never see a
contract table. What no feature may tell apart (names, reasons for homelessness, accommodation,
equality data) is not among the columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from earlyflag.features.periods import period_sql


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation of a cut-off: its SQL names only `reads`, other relations and `$as_of`."""

    name: str
    sql: str
    reads: tuple[str, ...]


def visible(table: str = "") -> str:
    """Return the condition that a row of a dated table was known at `$as_of`."""
    at = f"{table}." if table else ""
    return (
        f"{at}known_on < $as_of AND "
        f"({at}superseded_on IS NULL OR {at}superseded_on >= $as_of)"
    )  # fmt: skip


def _lag(column: str, day: int) -> str:
    """Return SQL for how many whole months before the cut-off a day lies; 0 is the last month."""
    return f"($period - {period_sql(column, day)})"


def _spell(table: str, columns: str, day: int) -> str:
    """Return the spells of a table that had begun, as known; an unknown end is no end."""
    return f"""
    SELECT *, ends_on IS NULL OR ends_on >= $as_of AS in_force,
        date_diff('day', valid_from, $as_of) AS days_since_start,
        {_lag("valid_from", day)} AS start_lag,
        CASE WHEN ends_on < $as_of THEN {_lag("ends_on", day)} END AS end_lag,
        CASE WHEN ends_on < $as_of THEN date_diff('day', ends_on, $as_of) END AS days_since_end,
        CASE WHEN ends_on >= $as_of THEN date_diff('day', $as_of, ends_on) END AS days_to_end
    FROM (
        SELECT {columns}, valid_from,
            CASE WHEN valid_to_known_on < $as_of THEN valid_to END AS ends_on
        FROM {table} WHERE {visible()} AND valid_from < $as_of
    ) AS known"""


def _events(table: str, columns: str, day: int) -> str:
    """Return the events of a table that had happened and were known."""
    return f"""
    SELECT {columns}, {_lag("happened_on", day)} AS lag,
        date_diff('day', happened_on, $as_of) AS days_ago
    FROM {table} WHERE {visible()} AND happened_on < $as_of"""


_HOLDS = "from_as_of <= $as_of AND (to_as_of IS NULL OR to_as_of > $as_of)"

_HOMES = f"""
SELECT DISTINCT household_id, account_ref, tenancy_ref, uprn
FROM household_homes WHERE {_HOLDS}"""

_SPINE = "SELECT DISTINCT household_id FROM homes_at"

_AGE = (
    "floor((year($as_of) * 10000 + month($as_of) * 100 + dayofmonth($as_of) - year({born}) * 10000"
    " - month({born}) * 100 - dayofmonth({born})) / 10000)"
)

_MEMBERS = f"""
SELECT DISTINCT household_id, person_id, source, person_ref, role,
    {_AGE.format(born="date_of_birth")} AS age_years
FROM household_members WHERE {_HOLDS}"""

_PROPERTIES = """
SELECT household_id, max(ward_code) AS ward_code, max(bedrooms) AS bedrooms
FROM homes_at JOIN properties USING (uprn)
GROUP BY household_id"""

_CASES = f"""
SELECT DISTINCT members.household_id, cases.case_ref, cases.lag, cases.days_ago,
    cases.duty_owed, cases.days_since_duty, cases.closed, cases.days_since_closed
FROM known_cases AS cases
JOIN (SELECT case_ref, source, person_ref FROM case_links
      WHERE matched = 'person' AND {_HOLDS}) AS links ON links.case_ref = cases.case_ref
JOIN (SELECT DISTINCT household_id, source, person_ref FROM household_members
      WHERE {_HOLDS}) AS members
  ON members.source = links.source AND members.person_ref = links.person_ref"""


def _known_cases(day: int) -> str:
    return f"""
    SELECT case_ref, {_lag("approached_on", day)} AS lag,
        date_diff('day', approached_on, $as_of) AS days_ago,
        CASE WHEN duty_known_on < $as_of AND duty_on < $as_of
              AND duty IN ('prevention', 'relief') THEN 1 ELSE 0 END AS duty_owed,
        CASE WHEN duty_known_on < $as_of AND duty_on < $as_of
              AND duty IN ('prevention', 'relief')
             THEN date_diff('day', duty_on, $as_of) END AS days_since_duty,
        CASE WHEN closed_known_on < $as_of AND closed_on < $as_of THEN 1 ELSE 0 END AS closed,
        CASE WHEN closed_known_on < $as_of AND closed_on < $as_of
             THEN date_diff('day', closed_on, $as_of) END AS days_since_closed
    FROM homelessness_cases WHERE {visible()} AND approached_on < $as_of"""


def _by_account(inner: str) -> str:
    return f"""
    SELECT homes.household_id, r.* FROM ({inner}) AS r
    JOIN (SELECT DISTINCT household_id, account_ref FROM homes_at) AS homes
        ON homes.account_ref = r.account_ref"""


def _by_tenancy(inner: str) -> str:
    return f"""
    SELECT homes.household_id, r.* FROM ({inner}) AS r
    JOIN (SELECT DISTINCT household_id, tenancy_ref FROM homes_at) AS homes
        ON homes.tenancy_ref = r.tenancy_ref"""


def _by_either(inner: str) -> str:
    """Tie a row to the household of its tenancy, else of its account."""
    return f"""
    SELECT coalesce(t.household_id, a.household_id) AS household_id, r.*
    FROM ({inner}) AS r
    LEFT JOIN (SELECT DISTINCT household_id, tenancy_ref FROM homes_at) AS t
        ON t.tenancy_ref = r.tenancy_ref
    LEFT JOIN (SELECT DISTINCT household_id, account_ref FROM homes_at) AS a
        ON a.account_ref = r.account_ref
    WHERE t.household_id IS NOT NULL OR a.household_id IS NOT NULL"""


def _by_tenancy_or_home(inner: str) -> str:
    """Tie an event to the household of its tenancy, else to those of its UPRN."""
    return f"""
    SELECT t.household_id, r.* FROM ({inner}) AS r
    JOIN (SELECT DISTINCT household_id, tenancy_ref FROM homes_at) AS t
        ON t.tenancy_ref = r.tenancy_ref
    UNION ALL
    SELECT u.household_id, r.* FROM ({inner}) AS r
    LEFT JOIN (SELECT DISTINCT tenancy_ref FROM homes_at) AS t ON t.tenancy_ref = r.tenancy_ref
    JOIN (SELECT DISTINCT household_id, uprn FROM homes_at) AS u ON u.uprn = r.uprn
    WHERE t.tenancy_ref IS NULL"""


def _people(day: int) -> tuple[str, str]:
    """Return the people of the homes, and every home that the present members have had."""
    age = _AGE.format(born="date_of_birth")
    kept = f"person_ref, {age} AS age_years"
    billed = _spell("council_tax_people", f"account_ref, role, {kept}", day)
    housed = _spell("tenancy_people", f"tenancy_ref, relationship AS role, {kept}", day)
    shown = "person_ref, role, age_years, in_force, start_lag, end_lag"
    at_home = f"""
    SELECT household_id, 'council_tax' AS source, {shown} FROM ({_by_account(billed)}) AS c
    UNION ALL
    SELECT household_id, 'tenancy' AS source, {shown} FROM ({_by_tenancy(housed)}) AS t"""
    of_members = f"""
    SELECT m.household_id, m.source, s.home_ref, s.start_lag
    FROM (SELECT DISTINCT household_id, source, person_ref FROM members_at) AS m
    JOIN (
        SELECT 'council_tax' AS source, person_ref, account_ref AS home_ref, start_lag
        FROM ({billed}) AS b
        UNION ALL
        SELECT 'tenancy' AS source, person_ref, tenancy_ref AS home_ref, start_lag
        FROM ({housed}) AS h WHERE role IN ('tenant', 'joint_tenant')
    ) AS s ON s.source = m.source AND s.person_ref = m.person_ref"""
    return at_home, of_members


def relations(day: int) -> Mapping[str, Relation]:
    """Return every relation for cut-offs on the given day of the month, in order of making."""
    accounts = _spell(
        "council_tax_accounts",
        "account_ref, uprn, payment_method, instalments, discount, exemption_class",
        day,
    )
    benefits = _spell(
        "benefits",
        "claim_ref, account_ref, tenancy_ref, kind, weekly_pence, shortfall_weekly_pence, capped",
        day,
    )
    tenancies = _spell(
        "tenancies",
        "tenancy_ref, uprn, landlord, tenancy_type, weekly_rent_pence, bedrooms",
        day,
    )
    recovery = _events("council_tax_recovery", "account_ref, stage, balance_pence", day)
    rents = _events("rent_transactions", "transaction_ref, tenancy_ref, kind, amount_pence", day)
    events = _events("tenancy_events", "event_ref, tenancy_ref, uprn, kind", day)
    at_home, of_members = _people(day)
    made = (
        Relation("homes_at", _HOMES, ("household_homes",)),
        Relation("spine_at", _SPINE, ("homes_at",)),
        Relation("members_at", _MEMBERS, ("household_members",)),
        Relation("visible_properties", _PROPERTIES, ("homes_at", "properties")),
        Relation(
            "visible_council_tax_accounts",
            _by_account(accounts),
            ("homes_at", "council_tax_accounts"),
        ),
        Relation(
            "visible_council_tax_recovery",
            _by_account(recovery),
            ("homes_at", "council_tax_recovery"),
        ),
        Relation("visible_benefits", _by_either(benefits), ("homes_at", "benefits")),
        Relation("visible_tenancies", _by_tenancy(tenancies), ("homes_at", "tenancies")),
        Relation(
            "visible_tenancy_events", _by_tenancy_or_home(events), ("homes_at", "tenancy_events")
        ),
        Relation(
            "visible_rent_transactions", _by_tenancy(rents), ("homes_at", "rent_transactions")
        ),
        Relation("known_cases", _known_cases(day), ("homelessness_cases",)),
        Relation(
            "visible_homelessness_cases",
            _CASES,
            ("known_cases", "case_links", "household_members"),
        ),
        Relation("visible_people", at_home, ("homes_at", "council_tax_people", "tenancy_people")),
        Relation(
            "visible_member_homes",
            of_members,
            ("members_at", "council_tax_people", "tenancy_people"),
        ),
    )
    return {relation.name: relation for relation in made}
