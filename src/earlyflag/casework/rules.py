"""The rules, in pairs: `check_can_...` raises, its twin `can_...` answers for a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from earlyflag.casework.desk import Actor, Desk
from earlyflag.casework.permissions import Action, Field, Fields
from earlyflag.casework.transitions import TRANSITIONS, Move
from earlyflag.core.errors import Conflict, NotAllowed, NotFound, PurposeMissing
from earlyflag.store.records import Flag, Panel
from earlyflag.store.terms import ActorKind, FlagState, PanelState, Purpose, Role, SuppressionKind

_OWN_STATES = (
    FlagState.ASSIGNED,
    FlagState.PAUSED,
    FlagState.WATCHING,
    FlagState.OFFERED,
    FlagState.DECIDED,
)


def _answer(check: Callable[..., Any], *arguments: Any) -> bool:
    """Return whether a check lets pass."""
    try:
        check(*arguments)
    except (NotAllowed, Conflict, NotFound):
        return False
    return True


def check_may(actor: Actor, action: Action) -> Fields:
    """Return the fields that an actor sees when doing this.

    Raises
    ------
    NotAllowed
        The table does not declare it for any of the actor's roles or scopes.
    """
    fields = actor.fields(action)
    if fields is None:
        raise NotAllowed(
            f"Your role does not allow this ({action.value.replace('_', ' ')}). "
            "Ask your manager if you need it."
        )
    return fields


def may(actor: Actor, action: Action) -> bool:
    """Answer whether an actor may do this at all."""
    return actor.fields(action) is not None


def check_can_move(flag: Flag, move: Move) -> FlagState:
    """Return the state that a move leads to.

    Raises
    ------
    Conflict
        The flag's state does not know the move.
    """
    state = TRANSITIONS.get((flag.state, move))
    if state is None:
        words = flag.state.value.replace("_", " ")
        raise Conflict(
            f"A flag that is {words} cannot be changed in this way ({move.value}). "
            "Read it again to see where it stands."
        )
    return state


def can_move(flag: Flag, move: Move) -> bool:
    """Answer whether a flag's state knows a move."""
    return (flag.state, move) in TRANSITIONS


def check_can_see_flag(actor: Actor, flag: Flag) -> None:
    """Refuse a flag that does not exist for this actor.

    Raises
    ------
    NotFound
        It needs safe contact, is held back or withdrawn, and the actor may not know of it.
    """
    hidden = flag.state in (FlagState.HELD_BACK, FlagState.WITHDRAWN)
    if (flag.safe_contact and not actor.sees_safe_contact) or hidden:
        raise NotFound(
            "No flag has this reference. Go back to the list and open it from there.",
            is_audited=True,
            household_id=flag.household_id,
        )


def can_see_flag(actor: Actor, flag: Flag) -> bool:
    """Answer whether a flag exists for this actor."""
    return _answer(check_can_see_flag, actor, flag)


def check_is_theirs(actor: Actor, flag: Flag) -> None:
    """Refuse to change somebody else's flag.

    Raises
    ------
    NotAllowed
        It is assigned to somebody else, or to nobody. Machines act for the assignee.
    """
    if actor.kind is ActorKind.PERSON and flag.assignee_id != actor.actor_id:
        raise NotAllowed("This flag is not assigned to you. Take it first, or ask your manager.")


def _check_can_change(actor: Actor, flag: Flag, action: Action, move: Move) -> FlagState:
    check_may(actor, action)
    check_can_see_flag(actor, flag)
    check_is_theirs(actor, flag)
    return check_can_move(flag, move)


def check_can_take(actor: Actor, flag: Flag) -> FlagState:
    """Refuse to take a flag that has somebody, or by someone who may not take flags."""
    check_may(actor, Action.TAKE_FLAG)
    check_can_see_flag(actor, flag)
    if flag.assignee_id is not None and flag.assignee_id != actor.actor_id:
        raise Conflict("Somebody else has taken this flag. Ask a manager to assign it to you.")
    return check_can_move(flag, Move.ASSIGN)


def can_take(actor: Actor, flag: Flag) -> bool:
    """Answer whether an actor may take a flag."""
    return flag.assignee_id is None and _answer(check_can_take, actor, flag)


def check_can_assign(actor: Actor, flag: Flag, assignee: Actor) -> FlagState:
    """Refuse to assign a flag to someone who may not decide on it or may not know of it."""
    check_may(actor, Action.ASSIGN_FLAGS)
    check_can_see_flag(actor, flag)
    if not (may(assignee, Action.DECIDE) and can_see_flag(assignee, flag)):
        raise NotAllowed("This person may not work on this flag. Choose another.")
    return check_can_move(flag, Move.ASSIGN)


def can_assign(actor: Actor, flag: Flag, assignee: Actor) -> bool:
    """Answer whether a flag may be assigned to somebody."""
    return _answer(check_can_assign, actor, flag, assignee)


def check_can_decide(actor: Actor, flag: Flag, move: Move = Move.DECIDE) -> FlagState:
    """Refuse a decision on a flag that is not one's own or is not open for it."""
    return _check_can_change(actor, flag, Action.DECIDE, move)


def can_decide(actor: Actor, flag: Flag, move: Move = Move.DECIDE) -> bool:
    """Answer whether an actor may decide about a flag."""
    return _answer(check_can_decide, actor, flag, move)


def check_can_contact(actor: Actor, flag: Flag) -> FlagState:
    """Refuse to record a contact on a flag that is not one's own or not open."""
    return _check_can_change(actor, flag, Action.RECORD_CONTACT, Move.CONTACT)


def can_contact(actor: Actor, flag: Flag) -> bool:
    """Answer whether an actor may record a contact."""
    return _answer(check_can_contact, actor, flag)


def check_can_close(actor: Actor, flag: Flag) -> FlagState:
    """Refuse to record an outcome on a flag that is not one's own or not decided."""
    return _check_can_change(actor, flag, Action.RECORD_OUTCOME, Move.CLOSE)


def can_close(actor: Actor, flag: Flag) -> bool:
    """Answer whether an actor may record an outcome."""
    return _answer(check_can_close, actor, flag)


def check_can_pause(actor: Actor, flag: Flag) -> FlagState:
    """Refuse to pause a flag that is not one's own."""
    return _check_can_change(actor, flag, Action.PAUSE, Move.PAUSE)


def can_pause(actor: Actor, flag: Flag) -> bool:
    """Answer whether an actor may pause a flag."""
    return _answer(check_can_pause, actor, flag)


def check_can_resume(actor: Actor, flag: Flag) -> FlagState:
    """Refuse to resume a flag that is not one's own."""
    return _check_can_change(actor, flag, Action.PAUSE, Move.RESUME)


def can_resume(actor: Actor, flag: Flag) -> bool:
    """Answer whether an actor may resume a flag."""
    return _answer(check_can_resume, actor, flag)


def check_can_reopen(actor: Actor, flag: Flag) -> FlagState:
    """Refuse to reopen a flag that is not decided, or by someone who may not."""
    check_may(actor, Action.REOPEN)
    check_can_see_flag(actor, flag)
    return check_can_move(flag, Move.REOPEN)


def can_reopen(actor: Actor, flag: Flag) -> bool:
    """Answer whether an actor may reopen a flag."""
    return _answer(check_can_reopen, actor, flag)


def check_can_assess(actor: Actor, flag: Flag) -> None:
    """Refuse to agree or disagree with a flag that is not one's own."""
    check_may(actor, Action.ASSESS)
    check_can_see_flag(actor, flag)
    check_is_theirs(actor, flag)


def can_assess(actor: Actor, flag: Flag) -> bool:
    """Answer whether an actor may agree or disagree with a flag."""
    return _answer(check_can_assess, actor, flag)


def check_can_countersign(actor: Actor, panel: Panel) -> None:
    """Refuse to countersign one's own list, or one that is signed.

    Raises
    ------
    NotAllowed
        Two people are needed.
    Conflict
        It is countersigned or closed.
    """
    check_may(actor, Action.COUNTERSIGN_PANEL)
    if panel.created_by == actor.actor_id:
        raise NotAllowed("A list is countersigned by somebody else than the person who made it.")
    if panel.state is not PanelState.DRAFT:
        raise Conflict("This list has been countersigned or closed already.")


def can_countersign(actor: Actor, panel: Panel) -> bool:
    """Answer whether an actor may countersign a list."""
    return _answer(check_can_countersign, actor, panel)


def check_can_close_panel(actor: Actor, panel: Panel) -> None:
    """Refuse to close a meeting's list that is closed.

    Raises
    ------
    Conflict
        It has been closed already.
    """
    check_may(actor, Action.KEEP_PANEL)
    if panel.state is PanelState.CLOSED:
        raise Conflict("This list has been closed already. Its open actions stand on the next one.")


def can_close_panel(actor: Actor, panel: Panel) -> bool:
    """Answer whether an actor may close a meeting's list."""
    return _answer(check_can_close_panel, actor, panel)


def is_own_work(actor: Actor, flags: list[Flag]) -> bool:
    """Answer whether a household with these flags is in somebody's own work.

    It is, if a flag is assigned to them whose outcome is still to come; for reviewers and
    managers also if one waits for somebody to take it.
    """
    mine = any(f.assignee_id == actor.actor_id and f.state in _OWN_STATES for f in flags)
    triage = actor.roles & {Role.REVIEWER, Role.MANAGER}
    return mine or bool(triage and any(f.state is FlagState.WAITING for f in flags))


def check_household_exists_for(actor: Actor, household_id: str, suppressed_by: set[str]) -> None:
    """Refuse a household that needs safe contact to those who may not know of it.

    Raises
    ------
    NotFound
        As if the household did not exist; the audit alone is told which it was.
    """
    if SuppressionKind.SAFE_CONTACT in suppressed_by and not actor.sees_safe_contact:
        raise no_household(household_id)


def no_household(household_id: str | None = None) -> NotFound:
    """Return the one refusal of a household that does not exist, or not for this actor.

    Parameters
    ----------
    household_id : a household that exists and is hidden; never what somebody typed
    """
    return NotFound("No household has this reference.", is_audited=True, household_id=household_id)


def check_can_open_household(desk: Desk, household_id: str, flags: list[Flag]) -> Purpose:
    """Return the purpose under which an actor opens a household now.

    Raises
    ------
    NotAllowed
        It is not in their own work and no purpose has been stated today.
    NotFound
        There is none: a hidden one is not told by being asked for no purpose.
    """
    fields = check_may(desk.actor, Action.READ_HOUSEHOLD)
    if is_own_work(desk.actor, flags):
        return Purpose.OWN_WORK
    if desk.actor.kind is ActorKind.MACHINE:
        return Purpose.CASE_SYSTEM
    if not fields & {Field.NAME, Field.ADDRESS}:
        return Purpose.ANALYSIS
    stated = desk.unit.access.purpose(desk.actor.actor_id, household_id, desk.now)
    if stated is None:
        if desk.unit.borough.household(household_id, None) is None:
            raise no_household()
        raise PurposeMissing("This household is not in your work. Say first why you open it.")
    return stated.purpose
