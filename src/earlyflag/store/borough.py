"""Reads what the pipeline published: runs, scores, households, timelines, documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, func, insert, select, update

from earlyflag.core.terms import Band, HouseholdRecord, Member, ModelInfo, TimelineEvent
from earlyflag.store.audit import AuditEntry, AuditTrail
from earlyflag.store.encoding import decode_detail, decode_events
from earlyflag.store.foreseen import LINE, Foreseen, newest_scores
from earlyflag.store.keys import name_key, postcode_key, reference_key, uprn_key
from earlyflag.store.records import PilotArm, RunRecord, ScoreDetail, ScoreLine, columns, read
from earlyflag.store.tables import (
    DocumentRow,
    HouseholdMemberRow,
    HouseholdReferenceRow,
    HouseholdRow,
    PilotArmRow,
    RaisingRow,
    ScoreDetailRow,
    ScoreRow,
    ScoringRunRow,
    TimelineRow,
)
from earlyflag.store.terms import DocumentKind
from earlyflag.store.writing import upsert

_ONE: BindParameter[str] = bindparam("household_id")
_SCORES: Select[*tuple[Any, ...]] = (
    select(*LINE)
    .join(ScoringRunRow, ScoringRunRow.run_key == ScoreRow.run_key)
    .where(ScoreRow.household_id == _ONE, ScoringRunRow.published_at.is_not(None))
    .order_by(ScoreRow.as_of.desc(), ScoreRow.run_key.desc())
)
_LINE = tuple(column.name for column in _SCORES.selected_columns)
_DETAIL = (
    select(ScoreDetailRow.detail)
    .join(ScoringRunRow, ScoringRunRow.run_key == ScoreDetailRow.run_key)
    .where(ScoringRunRow.run_id == bindparam("run_id"), ScoreDetailRow.household_id == _ONE)
)
_RUNS: Select[*tuple[Any, ...]] = select(*ScoringRunRow.__table__.columns).where(
    ScoringRunRow.published_at.is_not(None)
)
_RUN = _RUNS.where(ScoringRunRow.run_id == bindparam("run_id"))
_HOUSEHOLD: Select[*tuple[Any, ...]] = select(*HouseholdRow.__table__.columns).where(
    HouseholdRow.household_id == _ONE
)
_MEMBERS: Select[*tuple[Any, ...]] = (
    select(*HouseholdMemberRow.__table__.columns)
    .where(HouseholdMemberRow.household_id == _ONE)
    .order_by(HouseholdMemberRow.position)
)
_TIMELINE = select(TimelineRow.events).where(TimelineRow.household_id == _ONE)


class Borough:
    """Published runs, scores and households."""

    def __init__(self, connection: Connection, audit: AuditTrail, foreseen: Foreseen) -> None:
        self._connection = connection
        self._audit = audit
        self._foreseen = foreseen

    def latest_run(self) -> RunRecord | None:
        """Return the published run with the newest cut-off, the last published among equals."""
        return self._run(
            _RUNS.order_by(ScoringRunRow.as_of.desc(), ScoringRunRow.run_key.desc()).limit(1)
        )

    def run(self, run_id: str) -> RunRecord | None:
        """Return a published run by its identifier."""
        known = self._foreseen.runs
        if run_id not in known:
            row = self._connection.execute(_RUN, {"run_id": run_id}).first()
            if row is None:
                return None
            known[run_id] = _read_run(row)
        return known[run_id]

    def begun_for(self, run_id: str) -> int | None:
        """Return the capacity that a run was begun with, be it published by now or not."""
        return self._connection.scalar(
            select(ScoringRunRow.capacity).where(ScoringRunRow.run_id == run_id)
        )

    def run_by_key(self, run_key: int) -> RunRecord | None:
        """Return a published run by its key."""
        return self._run(_RUNS.where(ScoringRunRow.run_key == run_key))

    def runs(self, limit: int = 50) -> list[RunRecord]:
        """Return published runs, newest first."""
        query = _RUNS.order_by(ScoringRunRow.as_of.desc(), ScoringRunRow.run_key.desc())
        return [_read_run(row) for row in self._connection.execute(query.limit(limit))]

    def _run(self, query: Select[*tuple[Any, ...]]) -> RunRecord | None:
        row = self._connection.execute(query).first()
        return None if row is None else _read_run(row)

    def score(self, household_id: str, run_key: int | None = None) -> ScoreLine | None:
        """Return a household's score in one run, or its newest."""
        query = _SCORES if run_key is None else _SCORES.where(ScoreRow.run_key == run_key)
        row = self._connection.execute(query, {"household_id": household_id}).first()
        return None if row is None else read(ScoreLine, row)

    def score_detail(self, household_id: str, run_id: str) -> ScoreDetail | None:
        """Return the reasons, unknowns and changes of a household's score in a run."""
        text = self._connection.scalar(_DETAIL, {"run_id": run_id, "household_id": household_id})
        return None if text is None else decode_detail(text)

    def newest_score(
        self, household_id: str, *, with_evidence: bool = True
    ) -> tuple[ScoreLine, ScoreDetail] | None:
        """Return a household's newest score with its reasons, by one statement."""
        row = self._foreseen.scores.get(household_id)
        if row is None:
            row = newest_scores(self._connection, [household_id]).get(household_id)
        if row is None:
            return None
        *line, text = row
        detail = _detail(text, with_evidence=with_evidence)
        return read(ScoreLine, dict(zip(_LINE, line, strict=True))), detail

    def history(self, household_id: str) -> list[ScoreLine]:
        """Return a household's scores, newest first."""
        rows = self._connection.execute(_SCORES, {"household_id": household_id})
        return [read(ScoreLine, row) for row in rows]

    def ranked(self, run_key: int, *, batch: int = 2_000) -> Iterator[tuple[str, float, Band, int]]:
        """Yield household, probability, band and rank of a run, highest first."""
        after = 0
        while True:
            query = (
                select(ScoreRow.household_id, ScoreRow.probability, ScoreRow.band, ScoreRow.rank)
                .where(ScoreRow.run_key == run_key, ScoreRow.rank > after)
                .order_by(ScoreRow.rank)
                .limit(batch)
            )
            rows = self._connection.execute(query).all()
            if not rows:
                return
            for household_id, probability, band, rank in rows:
                yield household_id, probability, Band(band), rank
            after = rows[-1].rank

    def household(self, household_id: str, audit: AuditEntry | None) -> HouseholdRecord | None:
        """Return who and where a household is; the read is audited.

        `audit` is None only where the household is read to be matched, not shown.
        """
        one = {"household_id": household_id}
        row = self._connection.execute(_HOUSEHOLD, one).first()
        if audit is not None:
            self._audit.append(audit)
        if row is None:
            return None
        members = self._connection.execute(_MEMBERS, one)
        return HouseholdRecord(
            household_id=row.household_id,
            as_of=row.as_of,
            uprn=row.uprn,
            address=row.address,
            postcode=row.postcode,
            ward_code=row.ward_code,
            tenure=row.tenure,
            account_refs=tuple(row.account_refs),
            tenancy_refs=tuple(row.tenancy_refs),
            members=tuple(
                Member(m.source, m.person_ref, m.name, m.role, m.date_of_birth) for m in members
            ),
        )

    def find_person(self, person_ref: str) -> list[tuple[str, int]]:
        """Return the households, and the positions in them, of a person's reference."""
        query = select(HouseholdMemberRow.household_id, HouseholdMemberRow.position).where(
            HouseholdMemberRow.person_ref == person_ref.strip()
        )
        rows = self._connection.execute(query)
        return sorted((row.household_id, row.position) for row in rows)

    def has_members(self, household_id: str) -> bool:
        """Answer whether anybody is known to live in a household."""
        query = select(HouseholdMemberRow.position).where(
            HouseholdMemberRow.household_id == household_id
        )
        return self._connection.execute(query.limit(1)).first() is not None

    def uprns(self) -> dict[str, str | None]:
        """Return every household's UPRN, for an export."""
        query = select(HouseholdRow.household_id, HouseholdRow.uprn)
        return {row.household_id: row.uprn for row in self._connection.execute(query)}

    def places(self, household_ids: list[str]) -> dict[str, tuple[str | None, str]]:
        """Return ward and tenure of households."""
        query = select(HouseholdRow.household_id, HouseholdRow.ward_code, HouseholdRow.tenure)
        rows = self._connection.execute(query.where(HouseholdRow.household_id.in_(household_ids)))
        return {row.household_id: (row.ward_code, row.tenure) for row in rows}

    def titles(self, household_ids: list[str]) -> dict[str, tuple[str, str]]:
        """Return the lead member's name and the address of households, for a list."""
        addresses = self._connection.execute(
            select(HouseholdRow.household_id, HouseholdRow.address).where(
                HouseholdRow.household_id.in_(household_ids)
            )
        )
        names = {
            row.household_id: row.name
            for row in self._connection.execute(
                select(HouseholdMemberRow.household_id, HouseholdMemberRow.name).where(
                    HouseholdMemberRow.household_id.in_(household_ids),
                    HouseholdMemberRow.position == 0,
                )
            )
        }
        return {one: (names.get(one, ""), address) for one, address in addresses}

    def timeline(self, household_id: str) -> tuple[TimelineEvent, ...]:
        """Return a household's timeline from the source systems, newest first."""
        text = self._connection.scalar(_TIMELINE, {"household_id": household_id})
        return () if text is None else decode_events(household_id, text)

    def find_by_reference(self, kind: str, reference: str) -> list[str]:
        """Return the households with a reference of a kind: `uprn`, `account` or `tenancy`."""
        key = uprn_key(reference) if kind == "uprn" else reference_key(reference)
        query = select(HouseholdReferenceRow.household_id).where(
            HouseholdReferenceRow.kind == kind, HouseholdReferenceRow.reference == key
        )
        return sorted(self._connection.scalars(query))

    def find_by_name(self, surname: str, postcode: str) -> list[str]:
        """Return the households at a postcode with a member whose name ends with the surname."""
        wanted = name_key(surname)
        if not wanted:
            return []
        query = (
            select(HouseholdMemberRow.household_id, HouseholdMemberRow.name_key)
            .join(HouseholdRow, HouseholdRow.household_id == HouseholdMemberRow.household_id)
            .where(HouseholdRow.postcode_key == postcode_key(postcode))
        )
        rows = self._connection.execute(query)
        return sorted({row[0] for row in rows if f" {row[1]}".endswith(f" {wanted}")})

    def put_document(
        self,
        kind: DocumentKind,
        name: str,
        content: Mapping[str, Any],
        *,
        now: datetime,
        audit: AuditEntry,
    ) -> None:
        """Publish a read model under a kind and a name; one of the same name is replaced."""
        row = {"kind": kind, "name": name, "published_at": now, "content": dict(content)}
        upsert(self._connection, DocumentRow, [row])
        self._audit.append(audit)

    def document(self, kind: DocumentKind, name: str) -> tuple[datetime, dict[str, Any]] | None:
        """Return when a read model was published and its content."""
        row = self._connection.execute(
            select(DocumentRow.published_at, DocumentRow.content).where(
                DocumentRow.kind == kind, DocumentRow.name == name
            )
        ).first()
        return None if row is None else (row.published_at, row.content)

    def documents(self, kind: DocumentKind) -> list[tuple[str, datetime]]:
        """Return the names of the read models of a kind, the newest first."""
        query = select(DocumentRow.name, DocumentRow.published_at).where(DocumentRow.kind == kind)
        ordered = query.order_by(DocumentRow.published_at.desc(), DocumentRow.name)
        return [(row.name, row.published_at) for row in self._connection.execute(ordered)]

    def raising(self, run_key: int) -> dict[str, Any] | None:
        """Return the summary of the raising of flags from a run, if it was done."""
        return self._connection.scalar(
            select(RaisingRow.summary).where(RaisingRow.run_key == run_key)
        )

    def put_raising(
        self, run_key: int, summary: Mapping[str, Any], *, now: datetime, audit: AuditEntry
    ) -> None:
        """Write what stands after a raising of flags; it replaces the run's earlier summary."""
        row = {"run_key": run_key, "raised_at": now, "summary": dict(summary)}
        upsert(self._connection, RaisingRow, [row])
        self._audit.append(audit)

    def pilot_arms(self) -> dict[str, PilotArm]:
        """Return the arm of every household that was put in one."""
        rows = self._connection.execute(select(*PilotArmRow.__table__.columns))
        return {row.household_id: read(PilotArm, row) for row in rows}

    def add_pilot_arms(self, arms: list[PilotArm]) -> None:
        """Put households in their arms, for good."""
        if arms:
            self._connection.execute(insert(PilotArmRow), [columns(arm) for arm in arms])

    def release_arm(self, household_id: str, now: datetime) -> None:
        """Say that a household is held back no longer; the arm it was drawn into stays."""
        statement = update(PilotArmRow).where(
            PilotArmRow.household_id == household_id, PilotArmRow.released_at.is_(None)
        )
        self._connection.execute(statement.values(released_at=now))

    def counts(self, run_key: int) -> dict[Band, int]:
        """Return how many households of a run are in each band."""
        query = (
            select(ScoreRow.band, func.count())
            .where(ScoreRow.run_key == run_key)
            .group_by(ScoreRow.band)
        )
        return {Band(band): count for band, count in self._connection.execute(query)}


def _detail(text: str | None, *, with_evidence: bool) -> ScoreDetail:
    if text is None:
        return ScoreDetail((), (), ())
    return decode_detail(text, with_evidence=with_evidence)


def _read_run(row: Any) -> RunRecord:
    model = dict(row.model)
    model["features"] = tuple(model["features"])
    model["trained_to"] = date.fromisoformat(model["trained_to"])
    return RunRecord(
        run_key=row.run_key,
        run_id=row.run_id,
        as_of=row.as_of,
        model=ModelInfo(**model),
        data_hash=row.data_hash,
        capacity=row.capacity,
        scored=row.scored,
        cannot_score=row.cannot_score,
        withheld=row.withheld,
        published_at=row.published_at,
    )
