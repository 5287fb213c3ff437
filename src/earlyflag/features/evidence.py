"""The dated source rows behind a feature's value, so that a reason can be checked.

Only rows that were visible at the cut-off are shown, by the engine's own rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from earlyflag.core.clock import add_months
from earlyflag.core.errors import UndeclaredFeature
from earlyflag.core.terms import Evidence
from earlyflag.features.catalogue import CATALOGUE
from earlyflag.features.connection import connect
from earlyflag.features.declare import Feature, Rows
from earlyflag.features.evidence_of_wards import ward_counts
from earlyflag.features.evidence_words import words_for
from earlyflag.features.families.council_tax_recovery import STAGES
from earlyflag.features.families.tenancy_steps import STEPS
from earlyflag.features.groups import GROUPS
from earlyflag.features.relations import visible

if TYPE_CHECKING:
    import duckdb

MOST = 12
"""How many rows are shown behind one feature: the newest."""

LADDERS: Mapping[str, Mapping[str, int]] = {"council_tax_recovery": STAGES, "tenancy_events": STEPS}
"""The tables whose rows are stages: the rank of each kind that is one."""


@dataclass(frozen=True, slots=True)
class _Fact:
    """One visible row, or one end of a visible spell."""

    table: str
    kind: str
    reference: str
    happened_on: date
    known_on: date
    amount_pence: int | None
    detail: str
    ended: bool
    in_force: bool

    def shown(self) -> Evidence:
        """Return the fact as evidence."""
        text = words_for(
            self.table, self.kind, self.amount_pence, ended=self.ended, detail=self.detail
        )
        return Evidence(
            self.table, self.reference, self.happened_on, self.known_on, text, self.amount_pence,
            LADDERS.get(self.table, {}).get(self.kind),
        )  # fmt: skip


def evidence(
    tables: Any, households: Any, household_id: str, as_of: date, feature: str
) -> list[Evidence]:
    """Return the rows behind one feature of one household, the newest first.

    Raises
    ------
    UndeclaredFeature
        The catalogue has no such feature.
    """
    found = evidence_of(tables, households, [household_id], as_of, [feature])
    return list(found.get(household_id, {}).get(feature, ()))


def evidence_of(
    tables: Any,
    households: Any,
    household_ids: Iterable[str],
    as_of: date,
    features: Iterable[str],
) -> dict[str, dict[str, tuple[Evidence, ...]]]:
    """Return the rows behind several features of several households.

    Returns
    -------
    household_id -> feature -> rows, the newest first, at most 12; features without rows are left
    out, and so are households without any

    Raises
    ------
    UndeclaredFeature
        The catalogue has no feature of one of the names.
    """
    wanted = list(dict.fromkeys(features))
    unknown = [name for name in wanted if name not in CATALOGUE]
    if unknown:
        raise UndeclaredFeature(
            f"{len(unknown)} features are not declared: {', '.join(unknown[:5])}. "
            "See docs/reference/features.md."
        )
    rows = {name: rows_behind(CATALOGUE[name]) for name in wanted}
    read = {each.table for behind in rows.values() for each in behind if each.rule != "ward"}
    wards = [name for name in wanted if any(each.rule == "ward" for each in rows[name])]
    with connect(tables, households) as con:
        facts = _facts(con, sorted(set(household_ids)), as_of, read)
        counts = ward_counts(con, tables.missing, as_of, wards) if wards else {}
    found: dict[str, dict[str, tuple[Evidence, ...]]] = {}
    for household_id in sorted({*facts, *counts}):
        held = facts.get(household_id, {})
        shown: dict[_Fact, Evidence] = {}
        by_feature: dict[str, tuple[Evidence, ...]] = {
            name: (row,) for name, row in counts.get(household_id, {}).items()
        }
        for name in wanted:
            if name in wards:
                continue
            chosen = _chosen(held, rows[name], CATALOGUE[name], as_of)
            if chosen:
                by_feature[name] = tuple(shown.setdefault(fact, fact.shown()) for fact in chosen)
        if by_feature:
            found[household_id] = by_feature
    return found


def rows_behind(feature: Feature) -> tuple[Rows, ...]:
    """Return which rows stand behind a feature: its own, else its reason's."""
    return feature.evidence or GROUPS[feature.group].evidence


def _chosen(
    held: Mapping[str, Sequence[_Fact]], behind: Iterable[Rows], feature: Feature, as_of: date
) -> list[_Fact]:
    found: list[_Fact] = []
    for rows in behind:
        facts = held.get(rows.table, ())
        if rows.rule in ("uncovered", "balance"):
            owed = _uncovered(facts, feature.window_months, as_of)
            found += owed
            if owed or rows.rule == "uncovered":
                continue
        first = add_months(as_of, -rows.months) if rows.months else date.min
        last = add_months(as_of, -rows.until_months)
        found += [
            fact
            for fact in facts
            if (not rows.kinds or fact.kind in rows.kinds)
            and (fact.in_force if rows.rule == "open" else first <= fact.happened_on < last)
        ]
    return sorted(set(found), key=_place, reverse=True)[:MOST]


def _place(fact: _Fact) -> tuple[Any, ...]:
    """Return where a fact stands among others: told apart to the last, so that a run repeats."""
    return (
        fact.happened_on, fact.reference, fact.ended, fact.table, fact.kind,
        fact.amount_pence or 0, fact.known_on, fact.detail,
    )  # fmt: skip


def _uncovered(facts: Sequence[_Fact], months: int | None, as_of: date) -> list[_Fact]:
    """Return the instalments that the credits so far do not cover, counted back from the newest.

    As in the feature, the instalments of one month are missed together or not at all.
    """
    owed = sum(fact.amount_pence or 0 for fact in facts)
    found: list[_Fact] = []
    later = 0
    month = 1
    while owed > later and month <= (months or MOST):
        first, last = add_months(as_of, -month), add_months(as_of, 1 - month)
        dues = [f for f in facts if f.kind == "charge" and first <= f.happened_on < last]
        found += dues
        later += sum(fact.amount_pence or 0 for fact in dues)
        month += 1
    return found


def _facts(
    con: duckdb.DuckDBPyConnection,
    household_ids: Sequence[str],
    as_of: date,
    read: Iterable[str],
) -> dict[str, dict[str, list[_Fact]]]:
    """Return every visible row of some households, by household and table."""
    con.execute(
        """
        CREATE TEMP TABLE chosen_homes AS
        SELECT DISTINCT household_id, account_ref, tenancy_ref, uprn FROM household_homes
        WHERE from_as_of <= $as_of AND (to_as_of IS NULL OR to_as_of > $as_of)
            AND list_contains($chosen, household_id)
        """,
        {"as_of": as_of, "chosen": list(household_ids)},
    )
    found: dict[str, dict[str, list[_Fact]]] = {}
    for table in sorted(read):
        for household_id, *row in con.execute(_SELECTS[table], {"as_of": as_of}).fetchall():
            fact = _Fact(table, *row)
            found.setdefault(household_id, {}).setdefault(table, []).append(fact)
    return found


_NO_TENANCY = """(r.tenancy_ref IS NULL OR r.tenancy_ref NOT IN (
    SELECT tenancy_ref FROM household_homes WHERE tenancy_ref IS NOT NULL
        AND from_as_of <= $as_of AND (to_as_of IS NULL OR to_as_of > $as_of)))"""

_HOME_OF = {
    "account": "JOIN (SELECT DISTINCT household_id, account_ref FROM chosen_homes "
    "WHERE account_ref IS NOT NULL) AS h ON h.account_ref = r.account_ref",
    "tenancy": "JOIN (SELECT DISTINCT household_id, tenancy_ref FROM chosen_homes "
    "WHERE tenancy_ref IS NOT NULL) AS h ON h.tenancy_ref = r.tenancy_ref",
    # As in the engine: of the account or the UPRN only where the tenancy is in no household.
    "either": "JOIN chosen_homes AS h ON h.tenancy_ref = r.tenancy_ref "
    f"OR (h.account_ref = r.account_ref AND {_NO_TENANCY})",
    "tenancy or uprn": "JOIN chosen_homes AS h ON h.tenancy_ref = r.tenancy_ref "
    f"OR (h.uprn = r.uprn AND {_NO_TENANCY})",
}


def _events(table: str, home: str, kind: str, reference: str, amount: str) -> str:
    return f"""
    SELECT DISTINCT h.household_id, r.{kind}, {reference}, r.happened_on, r.known_on, {amount},
        '' AS detail, false AS ended, false AS in_force
    FROM {table} AS r {_HOME_OF[home]}
    WHERE {visible("r")} AND r.happened_on < $as_of"""


def _spells(
    table: str, home: str, kind: str, reference: str, amount: str, detail: str = "''"
) -> str:
    """Return the start of each spell, and its end where that was known and had come."""
    over = "coalesce(r.valid_to_known_on < $as_of AND r.valid_to < $as_of, false)"
    return f"""
    SELECT DISTINCT h.household_id, r.{kind}, {reference}, r.valid_from, r.known_on, {amount},
        {detail} AS detail, false AS ended, NOT {over} AS in_force
    FROM {table} AS r {_HOME_OF[home]}
    WHERE {visible("r")} AND r.valid_from < $as_of
    UNION ALL
    SELECT DISTINCT h.household_id, r.{kind}, {reference}, r.valid_to, r.valid_to_known_on,
        {amount}, {detail}, true, false
    FROM {table} AS r {_HOME_OF[home]}
    WHERE {visible("r")} AND r.valid_from < $as_of AND {over}"""


# Other discounts and the classes of exemption tell of disability, illness, care or age: that there
# is one is said, never which.
_DETAIL = """concat_ws(', ',
    CASE WHEN r.discount IN ('single_person', 'second_home', 'empty_premium') THEN r.discount
        WHEN r.discount <> 'none' THEN 'another discount' END,
    CASE WHEN r.exemption_class IS NOT NULL THEN 'exempt' END)"""

_KNOWN_END = """CASE WHEN r.valid_to_known_on < $as_of AND r.valid_to >= $as_of
    THEN strftime(r.valid_to, '%-d %B %Y') ELSE '' END"""

_CASE_PARTS = " UNION ALL ".join(
    f"""
    SELECT DISTINCT m.household_id, '{kind}' AS kind, r.case_ref, r.{day}, r.{known},
        NULL::BIGINT, '' AS detail, false AS ended, false AS in_force
    FROM homelessness_cases AS r
    JOIN case_links AS l ON l.case_ref = r.case_ref AND l.matched = 'person'
        AND l.from_as_of <= $as_of AND (l.to_as_of IS NULL OR l.to_as_of > $as_of)
    JOIN household_members AS m ON m.source = l.source AND m.person_ref = l.person_ref
        AND m.from_as_of <= $as_of AND (m.to_as_of IS NULL OR m.to_as_of > $as_of)
    WHERE {visible("r")} AND r.approached_on < $as_of
        AND r.{known} < $as_of AND r.{day} < $as_of AND {condition}
        AND m.household_id IN (SELECT household_id FROM chosen_homes)"""
    for kind, day, known, condition in (
        ("approach", "approached_on", "known_on", "true"),
        ("duty", "duty_on", "duty_known_on", "r.duty IN ('prevention', 'relief')"),
        ("closed", "closed_on", "closed_known_on", "true"),
    )
)

_SELECTS = {
    "council_tax_transactions": _events(
        "council_tax_transactions", "account", "kind", "r.transaction_ref", "r.amount_pence"
    ),
    "council_tax_recovery": _events(
        "council_tax_recovery",
        "account",
        "stage",
        "r.account_ref || '/' || r.happened_on || '/' || r.stage",
        "r.balance_pence",
    ),
    "rent_transactions": _events(
        "rent_transactions", "tenancy", "kind", "r.transaction_ref", "r.amount_pence"
    ),
    "tenancy_events": _events(
        "tenancy_events", "tenancy or uprn", "kind", "r.event_ref", "NULL::BIGINT"
    ),
    "council_tax_accounts": _spells(
        "council_tax_accounts", "account", "payment_method", "r.account_ref", "NULL::BIGINT",
        _DETAIL,
    ),
    "benefits": _spells(
        "benefits", "either", "kind", "r.claim_ref", "r.weekly_pence", _KNOWN_END
    ),
    "tenancies": _spells(
        "tenancies", "tenancy", "landlord", "r.tenancy_ref", "r.weekly_rent_pence", _KNOWN_END
    ),
    "tenancy_people": _spells(
        "tenancy_people", "tenancy", "relationship", "r.tenancy_ref", "NULL::BIGINT"
    ),
    "council_tax_people": _spells(
        "council_tax_people", "account", "role", "r.account_ref", "NULL::BIGINT"
    ),
    "homelessness_cases": _CASE_PARTS,
}  # fmt: skip
