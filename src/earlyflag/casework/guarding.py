"""Bring open flags in line with threats to the home that came after they were raised."""

from __future__ import annotations

from collections.abc import Collection

from earlyflag.casework.desk import Desk
from earlyflag.casework.rules import check_can_move
from earlyflag.casework.transitions import Move
from earlyflag.casework.webhooks import RAISED, announce
from earlyflag.store.terms import FlagState
from earlyflag.store.writing import pieces


def guard_open_flags(desk: Desk, threatened: Collection[str]) -> int:
    """Bring open flags in line with threats that were not there when they were raised.

    Contact about them is worded without collection from now on, and who was held back is released
    to the team.

    Parameters
    ----------
    threatened : collection of str
        Households with a live notice, order or breathing space.

    Returns
    -------
    How many flags were changed.
    """
    flags = [
        flag
        for batch in pieces(sorted(threatened))
        for flag in desk.unit.flags.live_of(batch)
        if not flag.without_collection or flag.state is FlagState.HELD_BACK
    ]
    released = []
    for flag in flags:
        changes: dict[str, object] = {"without_collection": True}
        if flag.state is FlagState.HELD_BACK:
            changes |= {
                "state": check_can_move(flag, Move.RELEASE),
                "last_action": Move.RELEASE,
                "next_action_on": desk.today,
            }
            desk.unit.borough.release_arm(flag.household_id, desk.now)
        entry = desk.entry(
            "flag_guarded",
            household_id=flag.household_id,
            subject=flag.flag_id,
            detail={"from_state": flag.state, "to_state": str(changes.get("state", flag.state))},
        )
        changed = desk.unit.flags.change(flag, changes, entry)
        if flag.state is FlagState.HELD_BACK:
            released.append(changed)
    announce(desk, RAISED, released)
    return len(flags)
