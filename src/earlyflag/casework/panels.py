"""Multi-agency meetings: a list by name, countersigned before it is exported; actions agreed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from earlyflag.casework.desk import Desk
from earlyflag.casework.moving import which_day
from earlyflag.casework.permissions import Action, Field
from earlyflag.casework.rules import (
    can_close_panel,
    can_countersign,
    can_see_flag,
    check_can_close_panel,
    check_can_countersign,
    check_can_see_flag,
    check_may,
)
from earlyflag.casework.withholding import withhold_all, withhold_household
from earlyflag.core.errors import Conflict, InputInvalid, NotAllowed
from earlyflag.core.terms import HouseholdRecord
from earlyflag.store.audit import Detail
from earlyflag.store.records import Flag, Panel, PanelAction, PanelItem, new_id
from earlyflag.store.terms import Barrier, PanelActionState, PanelState

MOST_ITEMS = 60
LONGEST_LIFE = timedelta(days=42)
LONGEST_TEXT = 500
PACK_FIELDS = frozenset(
    {Field.PSEUDONYM, Field.NAME, Field.ADDRESS, Field.PLACE, Field.REASON, Field.CASE_CODES}
)
"""What of a household may stand in a pack: no dates of birth, references, scores or words."""
PACK_ACTION_FIELDS = PACK_FIELDS | {Field.CASE_WORDS}
"""What of an action may: its words too, which the agencies agreed on together, and no staff."""


@dataclass(frozen=True, slots=True)
class PanelRow:
    """One household of a meeting's list as its page shows it."""

    item: PanelItem
    flag: Flag
    household: HouseholdRecord | None
    actions: tuple[PanelAction, ...]


@dataclass(frozen=True, slots=True)
class PanelView:
    """A meeting's list, with actions agreed there and those carried from earlier meetings."""

    panel: Panel
    rows: tuple[PanelRow, ...]
    carried: tuple[PanelAction, ...]
    can_countersign: bool
    can_export: bool
    can_close: bool


def make_panel(
    desk: Desk,
    title: str,
    meeting_on: date,
    recipients: Sequence[str],
    flag_ids: Sequence[str],
    *,
    expires_on: date | None = None,
) -> Panel:
    """Make the list of a meeting from flags the actor may see.

    Households that need safe contact are refused: they are never printed or exported.

    Raises
    ------
    InputInvalid
        There is no title, recipient or flag, too many flags, or a date does not fit.
    NotAllowed
        A household may not be on a list that is exported.
    """
    check_may(desk.actor, Action.KEEP_PANEL)
    names = tuple(name.strip() for name in recipients if name.strip())
    expiry = expires_on or meeting_on + timedelta(days=14)
    if not title.strip():
        raise InputInvalid("Enter a title.", "title", expected="a few words", got="nothing")
    if not names:
        raise InputInvalid(
            "Enter who receives the list.", "recipients", expected="one name or more", got="none"
        )
    if not 1 <= len(set(flag_ids)) <= MOST_ITEMS:
        raise InputInvalid(
            f"Choose 1 to {MOST_ITEMS} flags.",
            "flags",
            expected=f"1 to {MOST_ITEMS} flags",
            got=str(len(set(flag_ids))),
        )
    if not desk.today <= meeting_on <= expiry <= meeting_on + LONGEST_LIFE:
        raise InputInvalid(
            "Enter a meeting from today on, and an expiry up to six weeks after it.",
            "meeting_on",
            expected="today or later, with an expiry in the six weeks after it",
            got=which_day(desk, meeting_on),
        )
    flags = [desk.unit.flags.get(flag_id) for flag_id in dict.fromkeys(flag_ids)]
    for flag in flags:
        check_can_see_flag(desk.actor, flag)
        if not _is_printable(desk, flag):
            raise NotAllowed(
                "One of these households is never printed or exported. Take it off the list."
            )
    panel = Panel(
        panel_id=new_id("P"),
        reference=new_id("EF-")[:11].upper(),
        title=title.strip(),
        meeting_on=meeting_on,
        expires_on=expiry,
        recipients=names,
        state=PanelState.DRAFT,
        created_by=desk.actor.actor_id,
        created_at=desk.now,
    )
    items = [
        PanelItem(panel.panel_id, flag.flag_id, flag.household_id, position, ())
        for position, flag in enumerate(flags, start=1)
    ]
    detail: dict[str, Detail] = {
        "count": len(items),
        "households": [item.household_id for item in items],
    }
    desk.unit.panels.add(
        panel, items, desk.entry("panel_made", subject=panel.panel_id, detail=detail)
    )
    return panel


def list_panels(desk: Desk) -> list[Panel]:
    """Return the meetings' lists, the newest meeting first."""
    check_may(desk.actor, Action.KEEP_PANEL)
    return desk.unit.panels.all()


def get_panel(desk: Desk, panel_id: str) -> PanelView:
    """Return a meeting's list as its page shows it; the read is audited.

    A household that was suppressed since is left out. Open actions come along from the closed
    lists of other meetings, and from wherever a household of this list stands too.
    """
    check_may(desk.actor, Action.KEEP_PANEL)
    panel = desk.unit.panels.get(panel_id)
    rows = _rows(desk, panel)
    shown = [row.item.household_id for row in rows]
    carried = _carried(desk, panel, shown)
    read = sorted({*shown, *(action.household_id for action in carried)})
    desk.unit.audit.append(desk.entry("read_panel", subject=panel_id, detail={"households": read}))
    return PanelView(
        panel=panel,
        rows=rows,
        carried=carried,
        can_countersign=can_countersign(desk.actor, panel),
        can_export=panel.state is PanelState.COUNTERSIGNED and desk.today <= panel.expires_on,
        can_close=can_close_panel(desk.actor, panel),
    )


def _carried(desk: Desk, panel: Panel, shown: Sequence[str]) -> tuple[PanelAction, ...]:
    """Return the open actions that a meeting takes over; a closed one takes over none."""
    if panel.state is PanelState.CLOSED:
        return ()
    return tuple(
        action
        for action in desk.unit.panels.open_elsewhere(panel.panel_id, shown)
        if action.household_id in shown or _is_shown(desk, desk.unit.flags.get(action.flag_id))
    )


def _is_printable(desk: Desk, flag: Flag) -> bool:
    return not (flag.safe_contact or desk.unit.suppressions.of(flag.household_id, desk.today))


def _is_shown(desk: Desk, flag: Flag) -> bool:
    return can_see_flag(desk.actor, flag) and _is_printable(desk, flag)


def _rows(desk: Desk, panel: Panel) -> tuple[PanelRow, ...]:
    actions = desk.unit.panels.actions(panel_id=panel.panel_id)
    rows = []
    for item in desk.unit.panels.items(panel.panel_id):
        flag = desk.unit.flags.get(item.flag_id)
        if not _is_shown(desk, flag):
            continue
        record = desk.unit.borough.household(item.household_id, None)
        rows.append(
            PanelRow(
                item=item,
                flag=flag,
                household=withhold_household(record, PACK_FIELDS) if record else None,
                actions=tuple(one for one in actions if one.flag_id == item.flag_id),
            )
        )
    return tuple(rows)


def countersign(desk: Desk, panel_id: str) -> None:
    """Countersign somebody else's list, so that it can be exported.

    Raises
    ------
    NotAllowed, Conflict
        It is one's own, or not a draft any more.
    """
    panel = desk.unit.panels.get(panel_id)
    check_can_countersign(desk.actor, panel)
    changes = {
        "state": PanelState.COUNTERSIGNED,
        "countersigned_by": desk.actor.actor_id,
        "countersigned_at": desk.now,
    }
    desk.unit.panels.change(panel_id, changes, desk.entry("panel_countersigned", subject=panel_id))


def export_panel(desk: Desk, panel_id: str) -> PanelView:
    """Return a countersigned list to be printed; the export is audited, household by household.

    Carried actions of households that are not on the list are not for its recipients.

    Raises
    ------
    NotAllowed
        It is not countersigned, or has expired.
    """
    check_may(desk.actor, Action.KEEP_PANEL)
    panel = desk.unit.panels.get(panel_id)
    if panel.state is not PanelState.COUNTERSIGNED:
        raise NotAllowed("A list is exported only after somebody else has countersigned it.")
    if desk.today > panel.expires_on:
        raise NotAllowed("This list has expired. Make a new one.")
    view = get_panel(desk, panel_id)
    listed = {row.item.household_id for row in view.rows}
    # What was agreed elsewhere since was not countersigned.
    signed_at = panel.countersigned_at or panel.created_at
    carried = [a for a in view.carried if a.household_id in listed and a.recorded_at <= signed_at]
    for row in view.rows:
        desk.unit.audit.append(
            desk.entry(
                "panel_exported",
                household_id=row.item.household_id,
                subject=panel_id,
                detail={"reference": panel.reference, "expires": panel.expires_on.isoformat()},
            )
        )
    rows = (replace(r, actions=withhold_all(r.actions, PACK_ACTION_FIELDS)) for r in view.rows)
    return replace(view, rows=tuple(rows), carried=withhold_all(carried, PACK_ACTION_FIELDS))


def _void_signature(desk: Desk, panel_id: str) -> None:
    """Return a list that is about to change to a draft: what was countersigned was another."""
    if desk.unit.panels.get(panel_id).state is PanelState.COUNTERSIGNED:
        changes = {"state": PanelState.DRAFT, "countersigned_by": None, "countersigned_at": None}
        desk.unit.panels.change(panel_id, changes, desk.entry("panel_unsigned", subject=panel_id))


def close_panel(desk: Desk, panel_id: str) -> None:
    """Close a list after its meeting: nothing more is exported or agreed; open actions go on.

    Raises
    ------
    Conflict
        It has been closed before.
    """
    check_can_close_panel(desk.actor, desk.unit.panels.get(panel_id))
    entry = desk.entry("panel_closed", subject=panel_id)
    desk.unit.panels.change(panel_id, {"state": PanelState.CLOSED}, entry)


def set_barriers(desk: Desk, panel_id: str, flag_id: str, barriers: Sequence[Barrier]) -> None:
    """Say what stands in a household's way, as the meeting saw it.

    Raises
    ------
    InputInvalid
        The household is not on the list, or is shown there no more.
    Conflict
        The meeting's list is closed.
    """
    check_may(desk.actor, Action.KEEP_PANEL)
    _check_open(desk, panel_id)
    item = _on_list(desk, panel_id, flag_id)
    codes = sorted({barrier.value for barrier in barriers})
    entry = desk.entry(
        "panel_barriers",
        household_id=item.household_id,
        subject=panel_id,
        detail={"barriers": codes},
    )
    _void_signature(desk, panel_id)
    desk.unit.panels.set_barriers(panel_id, flag_id, codes, entry)


def _on_list(desk: Desk, panel_id: str, flag_id: str) -> PanelItem:
    """Return a household of a list, if its page shows it to this actor.

    Raises
    ------
    InputInvalid
        It is not on the list, or is there no more for this actor: one refusal for all of these,
        so that it tells nothing of a flag that the actor may not know of.
    """
    for item in desk.unit.panels.items(panel_id):
        if item.flag_id == flag_id and _is_shown(desk, desk.unit.flags.get(flag_id)):
            return item
    raise InputInvalid(
        "The household is not on this list. Open the list again.",
        "flag_id",
        expected="a flag of this list",
    )


def _check_open(desk: Desk, panel_id: str) -> None:
    if desk.unit.panels.get(panel_id).state is PanelState.CLOSED:
        raise Conflict("This list is closed. Write it on the list of the next meeting.")


def agree_action(
    desk: Desk, panel_id: str, flag_id: str, *, agency: str, owner: str, due_on: date, what: str
) -> PanelAction:
    """Write an action agreed in a meeting; it is carried to the next one until it ends.

    Raises
    ------
    InputInvalid
        A part is missing, too long, or due before today, or the household is not on the list.
    Conflict
        The meeting's list is closed.
    """
    check_may(desk.actor, Action.KEEP_PANEL)
    _check_open(desk, panel_id)
    for name, value in (("agency", agency), ("owner", owner), ("what", what)):
        if not 0 < len(value.strip()) <= LONGEST_TEXT:
            raise InputInvalid(
                f"Enter the {name}, in at most {LONGEST_TEXT} characters.",
                name,
                expected=f"1 to {LONGEST_TEXT} characters",
                got=f"{len(value.strip()):,} characters",
            )
    if due_on < desk.today:
        raise InputInvalid(
            "Enter a day from today on.",
            "due_on",
            expected="today or later",
            got=which_day(desk, due_on),
        )
    item = _on_list(desk, panel_id, flag_id)
    action = PanelAction(
        action_id=new_id("N"),
        panel_id=panel_id,
        flag_id=flag_id,
        household_id=item.household_id,
        agency=agency.strip(),
        owner=owner.strip(),
        due_on=due_on,
        what=what.strip(),
        state=PanelActionState.OPEN,
        recorded_by=desk.actor.actor_id,
        recorded_at=desk.now,
    )
    entry = desk.entry(
        "action_agreed",
        household_id=action.household_id,
        subject=panel_id,
        detail={"due_on": due_on.isoformat()},
    )
    _void_signature(desk, panel_id)
    desk.unit.panels.add_action(action, entry)
    return action


def end_action(desk: Desk, action_id: str, state: PanelActionState) -> None:
    """Say that an action is done or dropped.

    Raises
    ------
    NotFound
        There is no such action for this actor.
    Conflict
        It has ended before.
    """
    check_may(desk.actor, Action.KEEP_PANEL)
    action = desk.unit.panels.action(action_id)
    check_can_see_flag(desk.actor, desk.unit.flags.get(action.flag_id))
    if action.state is not PanelActionState.OPEN or state is PanelActionState.OPEN:
        raise Conflict("This action has ended already.")
    entry = desk.entry(
        "action_ended",
        household_id=action.household_id,
        subject=action.panel_id,
        detail={"state": state},
    )
    _void_signature(desk, action.panel_id)
    desk.unit.panels.end_action(action_id, state, entry)
