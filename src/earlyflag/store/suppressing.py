"""Suppressions: what the sources and casework hold, resolved to the households they cover."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import (
    Connection,
    Date,
    bindparam,
    delete,
    insert,
    select,
    union,
    update,
)

from earlyflag.core.terms import SuppressionRecord
from earlyflag.store.audit import AuditEntry, AuditTrail
from earlyflag.store.conditions import active_on
from earlyflag.store.foreseen import Foreseen
from earlyflag.store.keys import uprn_key
from earlyflag.store.tables import (
    HouseholdMemberRow,
    HouseholdReferenceRow,
    SuppressedHouseholdRow,
    SuppressionRow,
)
from earlyflag.store.terms import SuppressionKind

SOURCE, CASEWORK = "source", "casework"


def replace_source_suppressions(
    connection: Connection, records: Iterable[SuppressionRecord], *, now: datetime
) -> None:
    """Replace what the source systems hold, and resolve every suppression anew."""
    connection.execute(delete(SuppressionRow).where(SuppressionRow.origin == SOURCE))
    for record in records:
        reference = f"{SOURCE}:{record.suppression_ref}"
        found = connection.scalar(
            select(SuppressionRow.origin).where(SuppressionRow.suppression_ref == reference)
        )
        if found is None:
            add_suppression(connection, record, reference=reference, origin=SOURCE, now=now)
        elif record.household_id is not None:
            _cover(connection, reference, [record.household_id])
    resolve_again(connection)


def add_suppression(
    connection: Connection,
    record: SuppressionRecord,
    *,
    reference: str,
    origin: str,
    now: datetime,
    recorded_by: str | None = None,
) -> None:
    """Write one suppression and the households it covers."""
    connection.execute(
        insert(SuppressionRow).values(
            suppression_ref=reference,
            origin=origin,
            kind=SuppressionKind(record.kind).value,
            valid_from=record.valid_from,
            valid_to=record.valid_to,
            uprn=uprn_key(record.uprn) if record.uprn else None,
            source=record.source,
            person_ref=record.person_ref,
            recorded_by=recorded_by,
            recorded_at=now,
        )
    )
    if record.household_id is not None:
        _cover(connection, reference, [record.household_id])


def resolve_again(connection: Connection) -> None:
    """Find the households that suppressions of a person or a UPRN cover as they are known now."""
    by_uprn = (
        select(SuppressionRow.suppression_ref, HouseholdReferenceRow.household_id)
        .join(HouseholdReferenceRow, HouseholdReferenceRow.reference == SuppressionRow.uprn)
        .where(HouseholdReferenceRow.kind == "uprn")
    )
    by_person = select(SuppressionRow.suppression_ref, HouseholdMemberRow.household_id).join(
        HouseholdMemberRow,
        (HouseholdMemberRow.source == SuppressionRow.source)
        & (HouseholdMemberRow.person_ref == SuppressionRow.person_ref),
    )
    known = set(
        connection.execute(
            select(SuppressedHouseholdRow.suppression_ref, SuppressedHouseholdRow.household_id)
        )
    )
    found = set(connection.execute(union(by_uprn, by_person)))
    fresh = [{"suppression_ref": ref, "household_id": one} for ref, one in sorted(found - known)]
    if fresh:
        connection.execute(insert(SuppressedHouseholdRow), fresh)


def _cover(connection: Connection, reference: str, household_ids: Iterable[str]) -> None:
    for household_id in household_ids:
        known = connection.scalar(
            select(SuppressedHouseholdRow.household_id).where(
                SuppressedHouseholdRow.household_id == household_id,
                SuppressedHouseholdRow.suppression_ref == reference,
            )
        )
        if known is None:
            connection.execute(
                insert(SuppressedHouseholdRow).values(
                    household_id=household_id, suppression_ref=reference
                )
            )


_OF = (
    select(
        SuppressionRow.suppression_ref,
        SuppressionRow.kind,
        SuppressionRow.valid_from,
        SuppressionRow.valid_to,
        SuppressedHouseholdRow.household_id,
    )
    .join(SuppressedHouseholdRow)
    .where(
        SuppressedHouseholdRow.household_id == bindparam("household_id"),
        active_on(bindparam("day", type_=Date())),
    )
    .order_by(SuppressionRow.suppression_ref)
)


class Suppressions:
    """Reads suppressions and writes those of casework."""

    def __init__(self, connection: Connection, audit: AuditTrail, foreseen: Foreseen) -> None:
        self._connection = connection
        self._audit = audit
        self._foreseen = foreseen

    def add(self, record: SuppressionRecord, *, by: str, audit: AuditEntry) -> None:
        """Write a suppression recorded in casework; its reference is used as it is."""
        add_suppression(
            self._connection,
            record,
            reference=record.suppression_ref,
            origin=CASEWORK,
            now=audit.at,
            recorded_by=by,
        )
        resolve_again(self._connection)
        self._audit.append(audit)

    def end(self, suppression_ref: str, day: date, audit: AuditEntry) -> bool:
        """End a suppression of casework on a day; return False where there is none."""
        statement = update(SuppressionRow).where(
            SuppressionRow.suppression_ref == suppression_ref, SuppressionRow.origin == CASEWORK
        )
        done = self._connection.execute(statement.values(valid_to=day)).rowcount > 0
        self._audit.append(audit)
        return done

    def covered(self, suppression_ref: str) -> list[str]:
        """Return the households that a suppression covers."""
        query = select(SuppressedHouseholdRow.household_id).where(
            SuppressedHouseholdRow.suppression_ref == suppression_ref
        )
        return sorted(self._connection.scalars(query))

    def of(self, household_id: str, day: date) -> list[SuppressionRecord]:
        """Return what suppresses a household on a day."""
        if (household_id, day) in self._foreseen.not_suppressed:
            return []
        rows = self._connection.execute(_OF, {"household_id": household_id, "day": day})
        return [
            SuppressionRecord(row.suppression_ref, row.kind, row.valid_from, row.valid_to, row[4])
            for row in rows
        ]

    def under_legal_hold(self, day: date) -> frozenset[str]:
        """Return the households of which nothing may be deleted on a day."""
        hold = SuppressionKind.LEGAL_HOLD
        return frozenset(one for one, kinds in self.households_on(day).items() if hold in kinds)

    def households_on(self, day: date) -> dict[str, frozenset[str]]:
        """Return the kinds of suppression of every suppressed household on a day."""
        query = (
            select(SuppressedHouseholdRow.household_id, SuppressionRow.kind)
            .join(SuppressionRow)
            .where(active_on(day))
        )
        kinds: dict[str, set[str]] = {}
        for household_id, kind in self._connection.execute(query):
            kinds.setdefault(household_id, set()).add(kind)
        return {household_id: frozenset(found) for household_id, found in kinds.items()}
