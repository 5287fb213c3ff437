"""Publish one scoring run: scores with reasons, households, timelines, suppressions.

Written in pieces of a few thousand households, each in a transaction of its own, so that people
at work are not locked out; the run counts as published only when the last piece is in. A run that
stopped halfway is published again from the start and skips what is there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from datetime import date, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from earlyflag.core.errors import Conflict, Misused
from earlyflag.core.terms import (
    HouseholdRecord,
    Score,
    ScoringRun,
    SuppressionRecord,
    TimelineEvent,
)
from earlyflag.store.audit import AuditEntry
from earlyflag.store.database import settle, transaction
from earlyflag.store.encoding import encode_detail, encode_events
from earlyflag.store.erasing import erased
from earlyflag.store.keys import name_key, postcode_key, reference_key, uprn_key
from earlyflag.store.suppressing import replace_source_suppressions
from earlyflag.store.tables import (
    HouseholdMemberRow,
    HouseholdReferenceRow,
    HouseholdRow,
    ScoreDetailRow,
    ScoreRow,
    ScoringRunRow,
    TimelineRow,
)
from earlyflag.store.units import begin
from earlyflag.store.writing import ItemT, pieces, upsert

Advance = Callable[[int], None]


def publish_run(
    engine: Engine,
    run: ScoringRun,
    scores: Iterable[Score],
    households: Iterable[HouseholdRecord],
    timelines: Iterable[TimelineEvent] = (),
    suppressions: Iterable[SuppressionRecord] = (),
    *,
    now: datetime,
    audit: AuditEntry,
    advance: Advance | None = None,
) -> bool:
    """Write a run and what its pages need; return False if it was published before.

    Nothing is written of households that were erased; the run keeps how many they are.

    Parameters
    ----------
    engine : Engine
        Of `store.connect`, with the newest schema.
    run : ScoringRun
        Its `run_id` names the run for good.
    scores : iterable of Score
        One a household, in any order. Read once; may be a generator.
    households : iterable of HouseholdRecord
        Replaces what was known about these households at the same or an earlier cut-off: a run of
        an older one adds its scores to the history, and pages go on telling of the newest. Others
        stay.
    timelines : iterable of TimelineEvent
        The events of one household must follow each other.
    suppressions : iterable of SuppressionRecord
        All that the source systems hold now; they replace the last ones. Those recorded in
        casework stay.
    now : datetime
        In UTC.
    audit : AuditEntry
        Written when the run is complete.
    advance : callable, optional
        Told how many scores or households were written.

    Raises
    ------
    Conflict
        Another run has this `run_id`, or the number of scores differs from `run.scored`.
    """
    with transaction(engine) as connection:
        run_key, published_at = _open_run(connection, run)
    if published_at is not None:
        return False
    told = advance or (lambda _count: None)
    for batch in pieces(households):
        with transaction(engine) as connection:
            kept = _not_erased(connection, batch, _of_record)
            _write_households(connection, _not_newer(connection, kept, _of_record, run.as_of))
        told(len(batch))
    for events in pieces(_grouped(timelines)):
        with transaction(engine) as connection:
            rows = _not_erased(connection, events, _of_row)
            upsert(connection, TimelineRow, _not_newer(connection, rows, _of_row, run.as_of))
    came: set[str] = set()
    for some in pieces(scores):
        with transaction(engine) as connection:
            _write_scores(connection, run_key, _not_erased(connection, some, _of_record))
        came.update(score.household_id for score in some)
        told(len(some))
    with begin(engine) as unit:
        replace_source_suppressions(unit.connection, suppressions, now=now)
        withheld = _close_run(unit.connection, run_key, run, came, now)
        unit.audit.append(dataclasses.replace(audit, detail={**audit.detail, "withheld": withheld}))
    settle(engine)
    return True


def _of_record(record: HouseholdRecord | Score) -> str:
    return record.household_id


def _of_row(row: dict[str, Any]) -> str:
    return str(row["household_id"])


def _not_newer(
    connection: Connection, rows: Sequence[ItemT], household_of: Callable[[ItemT], str], as_of: date
) -> list[ItemT]:
    """Return what may replace what is there: nothing of a household known at a later cut-off."""
    query = select(HouseholdRow.household_id).where(HouseholdRow.as_of > as_of)
    known_later = set(connection.scalars(query))
    return [row for row in rows if household_of(row) not in known_later]


def _not_erased(
    connection: Connection, rows: Sequence[ItemT], household_of: Callable[[ItemT], str]
) -> list[ItemT]:
    """Return what may be written: nothing of a household that was erased, be it a moment ago."""
    gone = erased(connection, {household_of(row) for row in rows})
    return [row for row in rows if household_of(row) not in gone]


def _close_run(
    connection: Connection, run_key: int, run: ScoringRun, came: Set[str], now: datetime
) -> int:
    """Mark a run as published; return how many of its households were withheld as erased."""
    written = connection.scalar(
        select(func.count()).select_from(ScoreRow).where(ScoreRow.run_key == run_key)
    )
    withheld = len(erased(connection, came))
    if (written or 0) + withheld != run.scored:
        raise Conflict(
            f"The run says that {run.scored:,} households were scored, but {len(came):,} scores "
            "came. Publish the run again with all of its scores."
        )
    values = {"published_at": now, "withheld": withheld}
    connection.execute(
        update(ScoringRunRow).where(ScoringRunRow.run_key == run_key).values(**values)
    )
    return withheld


def _open_run(connection: Connection, run: ScoringRun) -> tuple[int, datetime | None]:
    """Return the key of the run, made if it is new, and when it was published."""
    values = {
        "as_of": run.as_of,
        "model_version": run.model.full_version,
        "data_hash": run.data_hash,
        "scored": run.scored,
    }
    found = connection.execute(
        select(*ScoringRunRow.__table__.columns).where(ScoringRunRow.run_id == run.run_id)
    ).first()
    if found is not None:
        if any(getattr(found, name) != value for name, value in values.items()):
            raise Conflict(
                f"Run {run.run_id} is known with another model, data or date. A changed model or "
                "data makes a new run: give it an identifier of its own."
            )
        return found.run_key, found.published_at
    model = dataclasses.asdict(run.model)
    model["trained_to"] = run.model.trained_to.isoformat()
    made = connection.execute(
        insert(ScoringRunRow)
        .values(
            run_id=run.run_id,
            model=model,
            capacity=run.capacity,
            cannot_score=dict(run.cannot_score),
            withheld=0,
            published_at=None,
            **values,
        )
        .returning(ScoringRunRow.run_key)
    )
    return made.scalar_one(), None


def _write_scores(connection: Connection, run_key: int, scores: Sequence[Score]) -> None:
    ordered = sorted(scores, key=lambda score: score.household_id)
    upsert(
        connection,
        ScoreRow,
        [
            {
                "household_id": score.household_id,
                "run_key": run_key,
                "as_of": score.as_of,
                "probability": score.probability,
                "log_odds": score.log_odds,
                "base_log_odds": score.base_log_odds,
                "band": score.band.value,
                "rank": score.rank,
            }
            for score in ordered
        ],
        keep=True,
    )
    upsert(
        connection,
        ScoreDetailRow,
        [
            {
                "run_key": run_key,
                "household_id": score.household_id,
                "detail": encode_detail(score),
            }
            for score in ordered
        ],
        keep=True,
    )


def _write_households(connection: Connection, households: Sequence[HouseholdRecord]) -> None:
    ids = [household.household_id for household in households]
    for child in (HouseholdMemberRow, HouseholdReferenceRow):
        connection.execute(delete(child).where(child.household_id.in_(ids)))
    upsert(connection, HouseholdRow, [_household_row(household) for household in households])
    members = [
        {
            "household_id": household.household_id,
            "position": position,
            "source": member.source,
            "person_ref": member.person_ref,
            "name": member.name,
            "name_key": name_key(member.name),
            "role": member.role,
            "date_of_birth": member.date_of_birth,
        }
        for household in households
        for position, member in enumerate(household.members)
    ]
    references = [
        {"household_id": household.household_id, "kind": kind, "reference": reference_key(value)}
        for household in households
        for kind, value in _references(household)
    ]
    if members:
        connection.execute(insert(HouseholdMemberRow), members)
    upsert(connection, HouseholdReferenceRow, references, keep=True)


def _household_row(household: HouseholdRecord) -> dict[str, Any]:
    return {
        "household_id": household.household_id,
        "as_of": household.as_of,
        "uprn": uprn_key(household.uprn) if household.uprn else None,
        "address": household.address,
        "postcode": household.postcode,
        "postcode_key": postcode_key(household.postcode) if household.postcode else None,
        "ward_code": household.ward_code,
        "tenure": household.tenure,
        "account_refs": list(household.account_refs),
        "tenancy_refs": list(household.tenancy_refs),
    }


def _references(household: HouseholdRecord) -> Iterator[tuple[str, str]]:
    if household.uprn:
        yield "uprn", uprn_key(household.uprn)
    for reference in household.account_refs:
        yield "account", reference
    for reference in household.tenancy_refs:
        yield "tenancy", reference


def _grouped(events: Iterable[TimelineEvent]) -> Iterator[dict[str, Any]]:
    """Yield one row a household; refuse events of a household that come apart."""
    seen: set[str] = set()
    for household_id, group in groupby(events, key=lambda event: event.household_id):
        if household_id in seen:
            raise Misused("Timeline events of one household must follow each other; sort them.")
        seen.add(household_id)
        newest_first = sorted(group, key=lambda event: event.happened_on, reverse=True)
        yield {"household_id": household_id, "events": encode_events(newest_first)}
