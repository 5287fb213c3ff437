"""Put a flag aside for a while, take it up again, reopen it, or give it back to the team."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from earlyflag.casework import rules
from earlyflag.casework.desk import Desk
from earlyflag.casework.moving import DAYS_TO_CONTACT, change, check_day_ahead, next_step, words
from earlyflag.casework.permissions import Action
from earlyflag.casework.transitions import Move
from earlyflag.casework.worktrays import at_version
from earlyflag.core.errors import Conflict
from earlyflag.store.records import Flag
from earlyflag.store.terms import SuppressionKind


def pause(desk: Desk, flag_id: str, version: int, until: date, reason: str) -> Flag:
    """Put a flag of one's own aside until a day.

    Raises
    ------
    InputInvalid
        The day is not ahead, or there is no reason.
    """
    flag = at_version(desk, flag_id, version)
    state = rules.check_can_pause(desk.actor, flag)
    day = check_day_ahead(desk, until, "until")
    changes = {
        "paused_until": day,
        "pause_reason": words(reason, "reason"),
        "next_action": "resume",
        "next_action_on": day,
    }
    return change(desk, flag, Move.PAUSE, state, changes, {"until": day.isoformat()})


_RESUMED = {"paused_until": None, "pause_reason": None}


def resume(desk: Desk, flag_id: str, version: int) -> Flag:
    """Take a paused or watched flag of one's own up again."""
    flag = at_version(desk, flag_id, version)
    state = rules.check_can_resume(desk.actor, flag)
    return change(
        desk, flag, Move.RESUME, state, {**_RESUMED, **next_step(desk, "decide", DAYS_TO_CONTACT)}
    )


def resume_due(desk: Desk) -> Sequence[Flag]:
    """Take up again every paused or watched flag whose day has come; run daily."""
    rules.check_may(desk.actor, Action.RAISE_FLAGS)
    return [
        change(
            desk,
            flag,
            Move.RESUME,
            rules.check_can_move(flag, Move.RESUME),
            {**_RESUMED, **next_step(desk, "decide", DAYS_TO_CONTACT)},
        )
        for flag in desk.unit.flags.due(desk.today)
    ]


def reopen(desk: Desk, flag_id: str, version: int) -> Flag:
    """Take a decided or closed flag up again, into the work of whoever reopens it.

    Raises
    ------
    Conflict
        The household has another live flag, or has been suppressed since.
    """
    flag = at_version(desk, flag_id, version)
    state = rules.check_can_reopen(desk.actor, flag)
    if desk.unit.flags.live_of([flag.household_id]):
        raise Conflict("This household has another flag that is open. Work on that one.")
    kinds = {record.kind for record in desk.unit.suppressions.of(flag.household_id, desk.today)}
    if kinds - {SuppressionKind.SAFE_CONTACT}:
        raise Conflict("This household has been suppressed since. Its flag stays closed.")
    changes = {
        "assignee_id": desk.actor.actor_id,
        "decision_code": None,
        "decided_at": None,
        **next_step(desk, "decide", DAYS_TO_CONTACT),
    }
    return change(desk, flag, Move.REOPEN, state, changes)


def put_back(desk: Desk, flag_id: str, version: int) -> Flag:
    """Give a flag of one's own back to the team."""
    flag = at_version(desk, flag_id, version)
    rules.check_may(desk.actor, Action.TAKE_FLAG)
    rules.check_is_theirs(desk.actor, flag)
    state = rules.check_can_move(flag, Move.UNASSIGN)
    changes = {"assignee_id": None, **next_step(desk, "take", DAYS_TO_CONTACT)}
    return change(desk, flag, Move.UNASSIGN, state, changes)
