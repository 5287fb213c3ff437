"""Flags: list them in worktrays, read one, change one against its version."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute

from earlyflag.core.errors import InputInvalid, NotFound, Stale
from earlyflag.core.terms import Band
from earlyflag.store.audit import AuditEntry, AuditTrail
from earlyflag.store.conditions import active_on, needing_safe_contact, suppressed_where
from earlyflag.store.foreseen import Foreseen
from earlyflag.store.records import Flag, columns, read
from earlyflag.store.tables import FlagRow, SuppressionRow
from earlyflag.store.terms import (
    LIVE_STATES,
    FlagOrigin,
    FlagSort,
    FlagState,
    SuppressionKind,
    Tray,
)

TRAYS: dict[Tray, tuple[FlagState, ...]] = {
    Tray.MINE: (FlagState.ASSIGNED, FlagState.OFFERED),
    Tray.UNASSIGNED: (FlagState.WAITING,),
    Tray.PAUSED: (FlagState.PAUSED, FlagState.WATCHING),
    Tray.DECIDED: (FlagState.OFFERED, FlagState.DECIDED, FlagState.CLOSED),
    Tray.ALL: tuple(s for s in FlagState if s not in (FlagState.HELD_BACK, FlagState.WITHDRAWN)),
}
"""The states that stand in each worktray."""

_SORTS: dict[FlagSort, InstrumentedAttribute[Any]] = {
    FlagSort.RANK: FlagRow.rank,
    FlagSort.RAISED: FlagRow.raised_at,
    FlagSort.NEXT_ACTION: FlagRow.next_action_on,
}

LARGEST_RANK = 2**31 - 1
"""The largest number that the column holds; a cursor with a larger one is nobody's."""


def _read_rank(value: Any) -> int:
    """Return a rank that a cursor holds, no larger than the database can compare."""
    rank = int(value)
    if abs(rank) > LARGEST_RANK:
        raise ValueError("no rank is as large")
    return rank


def _read_flag_id(value: Any) -> str:
    """Return the flag that a cursor holds; PostgreSQL compares no text with a null character."""
    text = str(value)
    if "\0" in text:
        raise ValueError("no flag is named so")
    return text


_SORT_READERS: dict[FlagSort, Any] = {
    FlagSort.RANK: _read_rank,
    FlagSort.RAISED: datetime.fromisoformat,
    FlagSort.NEXT_ACTION: date.fromisoformat,
}


_FLAGS: Select[*tuple[Any, ...]] = select(*FlagRow.__table__.columns)
_BY_ID = _FLAGS.where(FlagRow.flag_id == bindparam("flag_id"))
_OF_HOUSEHOLD = _FLAGS.where(FlagRow.household_id == bindparam("household_id")).order_by(
    FlagRow.raised_at.desc(), FlagRow.flag_id
)


@dataclass(frozen=True, slots=True)
class FlagFilter:
    """What a worktray shows. Empty tuples and None let everything through."""

    tray: Tray = Tray.ALL
    bands: tuple[Band, ...] = ()
    wards: tuple[str, ...] = ()
    tenures: tuple[str, ...] = ()
    origins: tuple[FlagOrigin, ...] = ()
    states: tuple[FlagState, ...] = ()
    assignee_id: str | None = None
    as_of: date | None = None
    household_id: str | None = None


@dataclass(frozen=True, slots=True)
class FlagTally:
    """How many flags stand in a state and a place, and how many of them are one person's."""

    state: FlagState
    ward_code: str | None
    tenure: str
    count: int
    own: int


@dataclass(frozen=True, slots=True)
class FlagPage:
    """Flags of one page, and where the next one starts."""

    flags: tuple[Flag, ...]
    next_cursor: str | None


def encode_cursor(sort: FlagSort, flag: Flag) -> str:
    """Return where a page ends: the sorted value and the flag, opaque to the reader."""
    value = getattr(flag, _SORTS[sort].key)
    text = value if isinstance(value, int) else value.isoformat()
    packed = json.dumps([sort.value, text, flag.flag_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[FlagSort, Any, str]:
    """Return the order, the sorted value and the flag of a cursor.

    Raises
    ------
    InputInvalid
        It is not one of ours.
    """
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        name, value, flag_id = json.loads(packed)
        sort = FlagSort(name)
        return sort, _SORT_READERS[sort](value), _read_flag_id(flag_id)
    except (ValueError, TypeError, OverflowError, binascii.Error) as error:
        raise InputInvalid(
            "The cursor is not one of this list. Start at the first page.",
            "cursor",
            expected="the cursor that the page before gave",
            got="another text",
        ) from error


class Flags:
    """The flags of the borough."""

    def __init__(self, connection: Connection, audit: AuditTrail, foreseen: Foreseen) -> None:
        self._connection = connection
        self._audit = audit
        self._foreseen = foreseen

    def page(
        self,
        wanted: FlagFilter,
        *,
        today: date,
        with_safe_contact: bool,
        sort: FlagSort = FlagSort.RANK,
        cursor: str | None = None,
        limit: int = 25,
    ) -> FlagPage:
        """Return one page of a worktray; suppressed households are never in it."""
        column = _SORTS[sort]
        query = _visible(_FLAGS, today, with_safe_contact).where(*_conditions(wanted))
        if cursor is not None:
            cursor_sort, value, flag_id = decode_cursor(cursor)
            if cursor_sort is not sort:
                raise InputInvalid(
                    f"The cursor is of a list in another order than {sort.value}. "
                    "Start at the first page.",
                    "cursor",
                    expected=f"a cursor of the order {sort.value}",
                    got="one of another order",
                )
            query = query.where(tuple_(column, FlagRow.flag_id) > tuple_(value, flag_id))
        rows = self._connection.execute(query.order_by(column, FlagRow.flag_id).limit(limit + 1))
        found = [read(Flag, row) for row in rows]
        more = len(found) > limit
        found = found[:limit]
        return FlagPage(tuple(found), encode_cursor(sort, found[-1]) if more else None)

    def count(self, wanted: FlagFilter, *, today: date, with_safe_contact: bool) -> int:
        """Return how many flags a worktray holds."""
        query = _visible(select(func.count()).select_from(FlagRow), today, with_safe_contact)
        return self._connection.scalar(query.where(*_conditions(wanted))) or 0

    def tally(self, assignee_id: str, *, today: date, with_safe_contact: bool) -> list[FlagTally]:
        """Return how many flags stand in each state and place, and how many are somebody's."""
        mine = func.sum(case((FlagRow.assignee_id == assignee_id, 1), else_=0))
        # in the order of the index, so that nothing is sorted
        groups = (FlagRow.state, FlagRow.ward_code, FlagRow.tenure)
        query = _visible(select(*groups, func.count(), mine), today, with_safe_contact)
        rows = self._connection.execute(query.group_by(*groups))
        return [FlagTally(FlagState(state), *rest) for state, *rest in rows]

    def loads(self, *, with_safe_contact: bool) -> dict[str, dict[FlagState, int]]:
        """Return how many live flags each person has, by state."""
        query = (
            select(FlagRow.assignee_id, FlagRow.state, func.count())
            .where(
                FlagRow.assignee_id.is_not(None),
                FlagRow.state.in_(LIVE_STATES),
                *_unless(with_safe_contact),
            )
            .group_by(FlagRow.assignee_id, FlagRow.state)
        )
        loads: dict[str, dict[FlagState, int]] = {}
        for assignee_id, state, count in self._connection.execute(query):
            loads.setdefault(str(assignee_id), {})[FlagState(state)] = count
        return loads

    def get(self, flag_id: str, audit: AuditEntry | None = None) -> Flag:
        """Return a flag; the read is audited when an entry is given.

        Raises
        ------
        NotFound
            No flag has this reference.
        """
        row = self._connection.execute(_BY_ID, {"flag_id": flag_id}).first()
        if row is None:
            raise NotFound(
                "No flag has this reference. Go back to the list and open it from there."
            )
        if audit is not None:
            self._audit.append(audit)
        return read(Flag, row)

    def of_household(self, household_id: str) -> list[Flag]:
        """Return a household's flags, newest first."""
        if household_id in self._foreseen.not_flagged:
            return []
        rows = self._connection.execute(_OF_HOUSEHOLD, {"household_id": household_id})
        return [read(Flag, row) for row in rows]

    def live_households(self) -> set[str]:
        """Return the households with a live flag."""
        query = select(FlagRow.household_id).where(FlagRow.state.in_(LIVE_STATES))
        return set(self._connection.scalars(query))

    def raised_from(self, run_key: int) -> dict[str, FlagOrigin | None]:
        """Return the households that a run flagged, and why; None where the pilot holds it back."""
        query = select(FlagRow.household_id, FlagRow.origin, FlagRow.state)
        rows = self._connection.execute(query.where(FlagRow.run_key == run_key))
        return {
            household_id: None if state == FlagState.HELD_BACK else FlagOrigin(origin)
            for household_id, origin, state in rows
        }

    def live_of(self, household_ids: Iterable[str]) -> list[Flag]:
        """Return the live flags of households."""
        query = _FLAGS.where(
            FlagRow.household_id.in_(list(household_ids)), FlagRow.state.in_(LIVE_STATES)
        )
        return [read(Flag, row) for row in self._connection.execute(query)]

    def wrongly_marked(self, day: date, household_ids: Iterable[str] | None = None) -> list[Flag]:
        """Return flags, of any state, whose mark of safe contact is not what holds on a day."""
        needs = FlagRow.household_id.in_(needing_safe_contact(day))
        query = _FLAGS.where(FlagRow.safe_contact != needs)
        if household_ids is not None:
            query = query.where(FlagRow.household_id.in_(list(household_ids)))
        return [read(Flag, row) for row in self._connection.execute(query)]

    def add(self, flags: Sequence[Flag], audit: Sequence[AuditEntry]) -> None:
        """Raise flags."""
        if flags:
            self._connection.execute(insert(FlagRow), [columns(flag) for flag in flags])
        for entry in audit:
            self._audit.append(entry)

    @staticmethod
    def check_version(flag: Flag, version: int) -> None:
        """Refuse a version that is no longer the newest.

        Raises
        ------
        Stale
            With both versions.
        """
        if flag.version != version:
            raise Stale(
                f"This flag is at version {flag.version}, but the change was made against version "
                f"{version}: somebody else changed it. Read it again, then make your change."
            )

    def change(self, flag: Flag, changes: Mapping[str, Any], audit: AuditEntry) -> Flag:
        """Change a flag that nobody else has changed since it was read; return it as it is now.

        Raises
        ------
        Stale
            Somebody else changed it first.
        """
        statement = (
            update(FlagRow)
            .where(FlagRow.flag_id == flag.flag_id, FlagRow.version == flag.version)
            .values(**changes, version=flag.version + 1, changed_at=audit.at)
            .returning(*FlagRow.__table__.columns)
        )
        row = self._connection.execute(statement).first()
        if row is None:
            raise Stale(
                f"Somebody else changed this flag after version {flag.version}. "
                "Read it again, then make your change."
            )
        self._audit.append(audit)
        return read(Flag, row)

    def due(self, day: date) -> list[Flag]:
        """Return the paused and watched flags whose day has come."""
        query = _FLAGS.where(
            FlagRow.state.in_((FlagState.PAUSED, FlagState.WATCHING)), FlagRow.paused_until <= day
        )
        return [read(Flag, row) for row in self._connection.execute(query)]

    def unreviewed_since(self, before: datetime) -> list[Flag]:
        """Return the live flags raised before an instant that nobody has decided about."""
        query = _FLAGS.where(unreviewed(before))
        return [read(Flag, row) for row in self._connection.execute(query)]

    def funnel(self, *, with_safe_contact: bool) -> dict[FlagState, int]:
        """Return how many flags stand in each state."""
        query = select(FlagRow.state, func.count()).where(*_unless(with_safe_contact))
        query = query.group_by(FlagRow.state)
        return {FlagState(s): count for s, count in self._connection.execute(query)}


def _unless(with_safe_contact: bool) -> tuple[ColumnElement[bool], ...]:
    """Return the condition, if any, that leaves out marked flags, of whatever state."""
    return () if with_safe_contact else (FlagRow.safe_contact.is_(False),)


def unreviewed(before: datetime) -> ColumnElement[bool]:
    """Return the condition that a flag was raised before an instant and never decided about."""
    return and_(
        FlagRow.state.in_((FlagState.HELD_BACK, FlagState.WAITING, FlagState.ASSIGNED)),
        FlagRow.raised_at < before,
        FlagRow.decided_at.is_(None),
    )


def _conditions(wanted: FlagFilter) -> list[ColumnElement[bool]]:
    states = wanted.states or TRAYS[wanted.tray]
    conditions: list[ColumnElement[bool]] = [FlagRow.state.in_(states)]
    for column, values in (
        (FlagRow.band, wanted.bands),
        (FlagRow.ward_code, wanted.wards),
        (FlagRow.tenure, wanted.tenures),
        (FlagRow.origin, wanted.origins),
    ):
        if values:
            conditions.append(column.in_(values))
    if wanted.assignee_id is not None:
        conditions.append(FlagRow.assignee_id == wanted.assignee_id)
    if wanted.as_of is not None:
        conditions.append(FlagRow.as_of == wanted.as_of)
    if wanted.household_id is not None:
        conditions.append(FlagRow.household_id == wanted.household_id)
    return conditions


def _visible(
    query: Select[*tuple[Any, ...]], today: date, with_safe_contact: bool
) -> Select[*tuple[Any, ...]]:
    """Leave out suppressed households; `safe_contact` ones stay for those who may see them."""
    hides = active_on(today)
    if with_safe_contact:
        hides = and_(hides, SuppressionRow.kind != SuppressionKind.SAFE_CONTACT)
    query = query.where(FlagRow.household_id.not_in(suppressed_where(hides)))
    return query if with_safe_contact else query.where(FlagRow.safe_contact.is_(False))
