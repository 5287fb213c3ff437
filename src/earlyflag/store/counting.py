"""Counts over published scores and the flags raised from them, for figures that name nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from earlyflag.core.terms import Direction
from earlyflag.store.encoding import decode_detail
from earlyflag.store.tables import FlagRow, HouseholdRow, ScoreDetailRow, ScoreRow
from earlyflag.store.terms import FlagOrigin, FlagState


@dataclass(frozen=True, slots=True)
class RunCounts:
    """What one run's scores add up to; `flags` are those that the list's line raised."""

    scored: int
    expected: float
    flags: int


@dataclass(frozen=True, slots=True)
class WardCounts:
    """One ward's share of a run; `ward_code` is None where the address has none."""

    ward_code: str | None
    scored: int
    expected: float
    flags: int


# Households held back for the pilot are counted by nobody who could then tell who they are; those
# that need safe contact in no figure that people read who must not know of them.
_LISTED = (
    FlagRow.origin == FlagOrigin.TOP,
    FlagRow.state != FlagState.HELD_BACK,
    FlagRow.safe_contact.is_(False),
)


class Counting:
    """Counts and sums over runs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_run(self, run_keys: Sequence[int]) -> dict[int, RunCounts]:
        """Return the counts of runs by their keys."""
        listed = self._connection.execute(
            select(FlagRow.run_key, func.count())
            .where(FlagRow.run_key.in_(run_keys), *_LISTED)
            .group_by(FlagRow.run_key)
        )
        flags = {key: n for key, n in listed}  # noqa: C416 (a row is no pair to `dict`'s type)
        sums = self._connection.execute(
            select(ScoreRow.run_key, func.count(), func.sum(ScoreRow.probability))
            .where(ScoreRow.run_key.in_(run_keys))
            .group_by(ScoreRow.run_key)
        )
        return {key: RunCounts(n, float(total), flags.get(key, 0)) for key, n, total in sums}

    def by_ward(self, run_key: int) -> list[WardCounts]:
        """Return the counts of a run by ward, in the order of their codes."""
        listed = self._connection.execute(
            select(HouseholdRow.ward_code, func.count())
            .join(FlagRow, FlagRow.household_id == HouseholdRow.household_id)
            .where(FlagRow.run_key == run_key, *_LISTED)
            .group_by(HouseholdRow.ward_code)
        )
        flags = {ward: n for ward, n in listed}  # noqa: C416
        sums = self._connection.execute(
            select(HouseholdRow.ward_code, func.count(), func.sum(ScoreRow.probability))
            .select_from(ScoreRow)
            .outerjoin(HouseholdRow, HouseholdRow.household_id == ScoreRow.household_id)
            .where(ScoreRow.run_key == run_key)
            .group_by(HouseholdRow.ward_code)
        )
        found = [WardCounts(ward, n, float(total), flags.get(ward, 0)) for ward, n, total in sums]
        return sorted(found, key=lambda one: (one.ward_code is None, one.ward_code or ""))

    def raising_reasons(self, run_key: int) -> Iterator[tuple[str, ...]]:
        """Yield the titles of what raised each listed household's score, the strongest first."""
        details = self._connection.scalars(
            select(ScoreDetailRow.detail)
            .join(FlagRow, FlagRow.household_id == ScoreDetailRow.household_id)
            .where(ScoreDetailRow.run_key == run_key, FlagRow.run_key == run_key, *_LISTED)
        )
        for text in details:
            reasons = decode_detail(text, with_evidence=False).reasons
            raising = [one for one in reasons if one.direction is Direction.RAISES]
            raising.sort(key=lambda one: -one.contribution)
            yield tuple(one.title for one in raising)
