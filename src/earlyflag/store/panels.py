"""Lists for multi-agency meetings and the actions agreed there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute

from earlyflag.core.errors import NotFound
from earlyflag.store.audit import AuditEntry, AuditTrail
from earlyflag.store.records import Panel, PanelAction, PanelItem, columns, read
from earlyflag.store.tables import CaseOutcomeRow, FlagRow, PanelActionRow, PanelItemRow, PanelRow
from earlyflag.store.terms import PanelActionState, PanelState


class Panels:
    """Meetings' lists."""

    def __init__(self, connection: Connection, audit: AuditTrail) -> None:
        self._connection = connection
        self._audit = audit

    def add(self, panel: Panel, items: Sequence[PanelItem], audit: AuditEntry) -> None:
        """Write a meeting's list."""
        self._connection.execute(insert(PanelRow).values(**columns(panel)))
        self._connection.execute(insert(PanelItemRow), [columns(item) for item in items])
        self._audit.append(audit)

    def get(self, panel_id: str) -> Panel:
        """Return a meeting's list.

        Raises
        ------
        NotFound
            No list has this reference.
        """
        query = select(*PanelRow.__table__.columns).where(PanelRow.panel_id == panel_id)
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("No meeting's list has this reference. Open it from the list of lists.")
        return read(Panel, row)

    def all(self, limit: int = 100) -> list[Panel]:
        """Return the meetings' lists, the newest meeting first."""
        query = select(*PanelRow.__table__.columns).order_by(
            PanelRow.meeting_on.desc(), PanelRow.created_at.desc()
        )
        return [read(Panel, row) for row in self._connection.execute(query.limit(limit))]

    def items(self, panel_id: str) -> list[PanelItem]:
        """Return the households of a list, in order."""
        query = select(*PanelItemRow.__table__.columns).where(PanelItemRow.panel_id == panel_id)
        rows = self._connection.execute(query.order_by(PanelItemRow.position))
        return [read(PanelItem, row) for row in rows]

    def change(self, panel_id: str, changes: Mapping[str, Any], audit: AuditEntry) -> None:
        """Change a meeting's list."""
        statement = update(PanelRow).where(PanelRow.panel_id == panel_id)
        self._connection.execute(statement.values(**changes))
        self._audit.append(audit)

    def set_barriers(
        self, panel_id: str, flag_id: str, barriers: Sequence[str], audit: AuditEntry
    ) -> None:
        """Say what stands in a household's way."""
        statement = update(PanelItemRow).where(
            PanelItemRow.panel_id == panel_id, PanelItemRow.flag_id == flag_id
        )
        done = self._connection.execute(statement.values(barriers=list(barriers)))
        if done.rowcount == 0:
            raise NotFound("The household is not on this list.")
        self._audit.append(audit)

    def add_action(self, action: PanelAction, audit: AuditEntry) -> None:
        """Write an action agreed in a meeting."""
        self._connection.execute(insert(PanelActionRow).values(**columns(action)))
        self._audit.append(audit)

    def action(self, action_id: str) -> PanelAction:
        """Return an action.

        Raises
        ------
        NotFound
            No action has this reference.
        """
        query = select(*PanelActionRow.__table__.columns)
        row = self._connection.execute(query.where(PanelActionRow.action_id == action_id)).first()
        if row is None:
            raise NotFound("No action has this reference. Open the meeting's list again.")
        return read(PanelAction, row)

    def end_action(self, action_id: str, state: PanelActionState, audit: AuditEntry) -> None:
        """Say that an action is done or dropped."""
        statement = update(PanelActionRow).where(PanelActionRow.action_id == action_id)
        self._connection.execute(statement.values(state=state, ended_at=audit.at))
        self._audit.append(audit)

    def actions(
        self,
        *,
        panel_id: str | None = None,
        open_only: bool = False,
        with_safe_contact: bool = True,
    ) -> list[PanelAction]:
        """Return actions, the earliest due first."""
        query = select(*PanelActionRow.__table__.columns).where(
            *_unmarked(PanelActionRow.flag_id, with_safe_contact)
        )
        if panel_id is not None:
            query = query.where(PanelActionRow.panel_id == panel_id)
        if open_only:
            query = query.where(PanelActionRow.state == PanelActionState.OPEN)
        rows = self._connection.execute(query.order_by(PanelActionRow.due_on))
        return [read(PanelAction, row) for row in rows]

    def open_elsewhere(self, panel_id: str, household_ids: Sequence[str]) -> list[PanelAction]:
        """Return open actions of other meetings that are closed, or that are about households."""
        closed = select(PanelRow.panel_id).where(PanelRow.state == PanelState.CLOSED)
        query = select(*PanelActionRow.__table__.columns).where(
            PanelActionRow.panel_id != panel_id,
            PanelActionRow.state == PanelActionState.OPEN,
            PanelActionRow.household_id.in_(list(household_ids))
            | PanelActionRow.panel_id.in_(closed),
        )
        rows = self._connection.execute(query.order_by(PanelActionRow.due_on))
        return [read(PanelAction, row) for row in rows]

    def barriers(self, *, with_safe_contact: bool) -> list[tuple[str, ...]]:
        """Return what stands in each listed household's way, without the household."""
        query = select(PanelItemRow.barriers).where(
            *_unmarked(PanelItemRow.flag_id, with_safe_contact)
        )
        return [tuple(found) for found in self._connection.scalars(query)]

    def outcomes(self, *, with_safe_contact: bool) -> list[tuple[str, str]]:
        """Return the last outcome of each listed flag and whether help worked, without whose."""
        listed = select(PanelItemRow.flag_id).where(
            *_unmarked(PanelItemRow.flag_id, with_safe_contact)
        )
        query = (
            select(CaseOutcomeRow.flag_id, CaseOutcomeRow.outcome, CaseOutcomeRow.helped)
            .where(CaseOutcomeRow.flag_id.in_(listed))
            .order_by(CaseOutcomeRow.recorded_at)
        )
        last = {row.flag_id: (row.outcome, row.helped) for row in self._connection.execute(query)}
        return list(last.values())

    def count_items(self, *, with_safe_contact: bool) -> int:
        """Return how many households stand on lists."""
        query = select(func.count()).select_from(PanelItemRow)
        marked = _unmarked(PanelItemRow.flag_id, with_safe_contact)
        return self._connection.scalar(query.where(*marked)) or 0


def _unmarked(
    column: InstrumentedAttribute[str], with_safe_contact: bool
) -> tuple[ColumnElement[bool], ...]:
    """Return the condition, if any, that leaves out flags that need safe contact."""
    if with_safe_contact:
        return ()
    return (column.in_(select(FlagRow.flag_id).where(FlagRow.safe_contact.is_(False))),)
