"""One move of a flag's life, with its audit, what comes next, and who is told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from earlyflag.casework.desk import Desk
from earlyflag.casework.transitions import Move
from earlyflag.casework.webhooks import CLOSED, DECIDED, announce
from earlyflag.core.errors import InputInvalid
from earlyflag.store.audit import Detail
from earlyflag.store.records import Flag
from earlyflag.store.terms import FlagState

DAYS_TO_CONTACT = 7
LONGEST_WAIT = timedelta(days=366)
LONGEST_TEXT = 4_000
_TOLD = {Move.OFFER: DECIDED, Move.WATCH: DECIDED, Move.DECIDE: DECIDED, Move.CLOSE: CLOSED}
"""The moves that case systems are told of, and the event's name."""


def words(value: str, field: str, *, needed: bool = True) -> str:
    """Return what somebody wrote, without blanks around it.

    Raises
    ------
    InputInvalid
        It is missing though needed, or too long.
    """
    text = value.strip()
    if needed and not text:
        raise InputInvalid(
            f"Enter the {field.replace('_', ' ')}.", field, expected="a few words", got="nothing"
        )
    if len(text) > LONGEST_TEXT:
        raise InputInvalid(
            f"Got {len(text):,} characters, but at most {LONGEST_TEXT:,}.",
            field,
            expected=f"at most {LONGEST_TEXT:,} characters",
            got=f"{len(text):,} characters",
        )
    return text


def which_day(desk: Desk, day: date | None) -> str:
    """Return where a day lies, without saying which it is, for the refusal of it."""
    if day is None:
        return "no day"
    if day == desk.today:
        return "today"
    return "a day after today" if day > desk.today else "a day before today"


def check_day_ahead(desk: Desk, day: date | None, field: str) -> date:
    """Return a day that lies ahead, at most a year away.

    Raises
    ------
    InputInvalid
        It is missing or does not lie there.
    """
    if day is None or not desk.today < day <= desk.today + LONGEST_WAIT:
        raise InputInvalid(
            "Enter a day after today, at most a year away.",
            field,
            expected="a day of the year after today",
            got=which_day(desk, day),
        )
    return day


def change(
    desk: Desk,
    flag: Flag,
    move: Move,
    state: FlagState,
    changes: Mapping[str, Any] | None = None,
    detail: Mapping[str, Detail] | None = None,
) -> Flag:
    """Make one move of the case life and its audit entry."""
    entry = desk.entry(
        f"flag_{move.value}",
        household_id=flag.household_id,
        subject=flag.flag_id,
        detail={"from_state": flag.state, "to_state": state, **(detail or {})},
    )
    values = {"state": state, "last_action": move, **(changes or {})}
    changed = desk.unit.flags.change(flag, values, entry)
    if move in _TOLD:
        announce(desk, _TOLD[move], [changed])
    return changed


def next_step(desk: Desk, action: str, days: int) -> dict[str, Any]:
    """Return what is to be done next with a flag, and in how many days."""
    return {"next_action": action, "next_action_on": desk.today + timedelta(days=days)}
