"""Read models of households: who and where they are, as known at a cut-off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from earlyflag.core.terms import HouseholdRecord, Member, SuppressionRecord

if TYPE_CHECKING:
    import duckdb

HOMES = """
WITH homes AS (
    SELECT household_id, uprn, account_ref, tenancy_ref
    FROM household_homes
    WHERE from_as_of <= $as_of AND (to_as_of IS NULL OR $as_of < to_as_of)
),
landlords AS (
    SELECT tenancy_ref, arg_max(landlord, valid_from) AS landlord
    FROM tenancies
    WHERE known_on < $as_of AND (superseded_on IS NULL OR superseded_on >= $as_of)
    GROUP BY tenancy_ref
),
addresses AS (
    SELECT uprn, any_value(address) AS address, any_value(postcode) AS postcode,
           any_value(ward_code) AS ward_code
    FROM properties WHERE superseded_on IS NULL GROUP BY uprn
),
gathered AS (
    SELECT homes.household_id, min(homes.uprn) AS uprn,
           list_sort(list(DISTINCT homes.account_ref)
                     FILTER (homes.account_ref IS NOT NULL)) AS account_refs,
           list_sort(list(DISTINCT homes.tenancy_ref)
                     FILTER (homes.tenancy_ref IS NOT NULL)) AS tenancy_refs,
           max(landlords.landlord) AS landlord
    FROM homes LEFT JOIN landlords USING (tenancy_ref)
    GROUP BY homes.household_id
)
SELECT gathered.household_id, gathered.uprn, addresses.address, addresses.postcode,
       addresses.ward_code, gathered.landlord, gathered.account_refs, gathered.tenancy_refs
FROM gathered LEFT JOIN addresses USING (uprn)
ORDER BY gathered.household_id
"""

MEMBERS = """
WITH names AS (
    SELECT 'council_tax' AS source, person_ref, forename, surname, valid_from
    FROM council_tax_people
    WHERE known_on < $as_of AND (superseded_on IS NULL OR superseded_on >= $as_of)
    UNION ALL
    SELECT 'tenancy', person_ref, forename, surname, valid_from
    FROM tenancy_people
    WHERE known_on < $as_of AND (superseded_on IS NULL OR superseded_on >= $as_of)
),
latest AS (
    SELECT source, person_ref, arg_max(concat_ws(' ', forename, surname), valid_from) AS name
    FROM names GROUP BY source, person_ref
)
SELECT members.household_id, members.source, members.person_ref, coalesce(latest.name, ''),
       members.role, members.date_of_birth
FROM household_members AS members
LEFT JOIN latest ON latest.source = members.source AND latest.person_ref = members.person_ref
WHERE members.from_as_of <= $as_of AND (members.to_as_of IS NULL OR $as_of < members.to_as_of)
  AND members.person_ref IS NOT NULL
ORDER BY members.household_id, members.source, members.person_ref
"""

# A reference of the homelessness system is no member's: its cases say whose household it is.
SUPPRESSIONS = """
WITH households_of_cases AS (
    SELECT DISTINCT cases.person_ref, members.household_id
    FROM homelessness_cases AS cases
    JOIN case_links AS links ON links.case_ref = cases.case_ref AND links.matched = 'person'
    JOIN household_members AS members
        ON members.source = links.source AND members.person_ref = links.person_ref
    WHERE members.to_as_of IS NULL AND links.to_as_of IS NULL
)
SELECT suppression_ref, kind, valid_from, valid_to, households_of_cases.household_id, uprn, source,
       suppressions.person_ref
FROM suppressions
LEFT JOIN households_of_cases ON suppressions.source = 'homelessness'
    AND households_of_cases.person_ref = suppressions.person_ref
WHERE superseded_on IS NULL ORDER BY suppression_ref, household_id
"""

TENURES = {
    "council": "council tenant",
    "housing_association": "housing association tenant",
    "private": "private tenant",
    "temporary": "temporary accommodation",
}
TENURE_NOT_KNOWN = "owner or private tenant (no tenancy known)"


def household_records(
    connection: duckdb.DuckDBPyConnection, as_of: date
) -> Iterator[HouseholdRecord]:
    """Yield every household at a cut-off, ordered by `household_id`.

    Parameters
    ----------
    connection : with the views of `sources.Tables.register` and `linkage.Households.register`
    as_of : only what was known before this day counts
    """
    members = _members(connection, as_of)
    for row in _rows(connection, HOMES, as_of):
        household_id, uprn, address, postcode, ward_code, landlord, accounts, tenancies = row
        yield HouseholdRecord(
            household_id=household_id,
            as_of=as_of,
            uprn=uprn,
            address=address or "address not known",
            postcode=postcode,
            ward_code=ward_code,
            tenure=TENURES.get(landlord, TENURE_NOT_KNOWN),
            account_refs=tuple(accounts or ()),
            tenancy_refs=tuple(tenancies or ()),
            members=tuple(members.get(household_id, ())),
        )


def suppression_records(connection: duckdb.DuckDBPyConnection) -> list[SuppressionRecord]:
    """Return what the sources suppress; the store resolves members and UPRNs to households.

    A suppressed homelessness applicant has a record for each household of theirs, if any.
    """
    return [SuppressionRecord(*row) for row in connection.execute(SUPPRESSIONS).fetchall()]


def _members(connection: duckdb.DuckDBPyConnection, as_of: date) -> dict[str, list[Member]]:
    """Gather members by household; the same person in two systems is shown twice, by system."""
    found: dict[str, list[Member]] = {}
    for household_id, source, person_ref, name, role, born in _rows(connection, MEMBERS, as_of):
        found.setdefault(household_id, []).append(Member(source, person_ref, name, role, born))
    return found


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, as_of: date
) -> Iterator[tuple[Any, ...]]:
    result = connection.cursor().execute(query, {"as_of": as_of})
    while rows := result.fetchmany(20_000):
        yield from rows
