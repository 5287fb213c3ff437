"""What a round of reads will ask of some households, read ahead by one statement for all.

A read of a score asks whether the household is suppressed, flagged and counted already, and for
its newest score with reasons. For a round of them that is one exchange with the database instead
of five a household. Only what the answer "no" settles is kept of the first questions: where the
answer is "yes", the repository asks on as it always does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, select
from sqlalchemy.orm import aliased

from earlyflag.store.conditions import active_on
from earlyflag.store.records import RunRecord
from earlyflag.store.tables import (
    FlagRow,
    LookupRow,
    ScoreDetailRow,
    ScoreRow,
    ScoringRunRow,
    SuppressedHouseholdRow,
    SuppressionRow,
)

_OTHER = aliased(ScoreRow)
_RUN_OF_OTHER = aliased(ScoringRunRow)
_NEWEST = (
    select(_OTHER.run_key)
    .join(_RUN_OF_OTHER, _RUN_OF_OTHER.run_key == _OTHER.run_key)
    .where(_OTHER.household_id == ScoreRow.household_id, _RUN_OF_OTHER.published_at.is_not(None))
    .order_by(_OTHER.as_of.desc(), _OTHER.run_key.desc())
    .limit(1)
    .correlate(ScoreRow)
    .scalar_subquery()
)
_SUPPRESSED = exists().where(
    SuppressedHouseholdRow.household_id == ScoreRow.household_id,
    SuppressionRow.suppression_ref == SuppressedHouseholdRow.suppression_ref,
    active_on(bindparam("day")),
)
_FLAGGED = exists().where(FlagRow.household_id == ScoreRow.household_id)
_COUNTED = exists().where(
    LookupRow.actor_id == bindparam("actor_id"),
    LookupRow.day == bindparam("day"),
    LookupRow.household_id == ScoreRow.household_id,
)
LINE = (
    ScoreRow.household_id, ScoringRunRow.run_id, ScoreRow.as_of, ScoreRow.probability,
    ScoreRow.log_odds, ScoreRow.base_log_odds, ScoreRow.band, ScoreRow.rank,
    ScoringRunRow.model_version,
)  # fmt: skip
_SCORES: Select[*tuple[Any, ...]] = (
    select(*LINE, ScoreDetailRow.detail)
    .join(ScoringRunRow, ScoringRunRow.run_key == ScoreRow.run_key)
    .outerjoin(
        ScoreDetailRow,
        (ScoreDetailRow.run_key == ScoreRow.run_key)
        & (ScoreDetailRow.household_id == ScoreRow.household_id),
    )
    .where(
        ScoreRow.household_id.in_(bindparam("household_ids", expanding=True)),
        ScoreRow.run_key == _NEWEST,
    )
)
_AHEAD = _SCORES.add_columns(_SUPPRESSED, _FLAGGED, _COUNTED)


def newest_scores(
    connection: Connection, household_ids: Sequence[str]
) -> dict[str, tuple[Any, ...]]:
    """Return households' newest scores: the columns of `LINE` and the text of the reasons."""
    rows = connection.execute(_SCORES, {"household_ids": list(household_ids)})
    return {row[0]: tuple(row) for row in rows}


@dataclass(slots=True)
class Foreseen:
    """What was read ahead in one transaction; empty until `look_ahead`.

    Attributes
    ----------
    scores : by household, its newest score's columns and the text of its reasons
    not_suppressed : households and days
    not_flagged : households
    counted : actors, days and households
    runs : published runs by identifier, which never change; a process may share them
    """

    scores: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    not_suppressed: set[tuple[str, date]] = field(default_factory=set)
    not_flagged: set[str] = field(default_factory=set)
    counted: set[tuple[str, date, str]] = field(default_factory=set)
    runs: dict[str, RunRecord] = field(default_factory=dict)

    def look_ahead(
        self, connection: Connection, actor_id: str, day: date, household_ids: Sequence[str]
    ) -> None:
        """Read what reads of these households' scores by one actor will ask."""
        wanted = {"actor_id": actor_id, "day": day, "household_ids": list(household_ids)}
        for row in connection.execute(_AHEAD, wanted):
            *score, suppressed, flagged, counted = row
            household_id = row[0]
            self.scores[household_id] = tuple(score)
            if not suppressed:
                self.not_suppressed.add((household_id, day))
            if not flagged:
                self.not_flagged.add(household_id)
            if counted:
                self.counted.add((actor_id, day, household_id))
