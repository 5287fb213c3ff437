"""Follow a decision up: attempts to reach the household, and where it stands in the end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from earlyflag.casework import rules
from earlyflag.casework.desk import Desk
from earlyflag.casework.moving import (
    DAYS_TO_CONTACT,
    LONGEST_WAIT,
    change,
    next_step,
    which_day,
    words,
)
from earlyflag.casework.transitions import Move
from earlyflag.casework.worktrays import at_version
from earlyflag.core.errors import InputInvalid
from earlyflag.store.audit import Detail
from earlyflag.store.records import CaseOutcome, Contact, Flag, new_id
from earlyflag.store.terms import (
    ContactChannel,
    ContactResult,
    DutyOwed,
    FlagState,
    Helped,
    OutcomeCode,
)

DAYS_TO_OUTCOME = 28


@dataclass(frozen=True, slots=True)
class ContactForm:
    """One attempt to reach the household."""

    happened_on: date
    channel: ContactChannel
    result: ContactResult
    interpreter: str = ""
    adjustments: str = ""
    safe_channel: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeForm:
    """Where the household stands now that the work has ended."""

    helped: Helped
    outcome: OutcomeCode
    duty: DutyOwed
    flag_was_useful: bool | None = None
    note: str = ""


def record_contact(desk: Desk, flag_id: str, version: int, form: ContactForm) -> Flag:
    """Record an attempt to reach the household of a flag of one's own.

    Raises
    ------
    InputInvalid
        The day lies ahead, or more than a year back.
    NotAllowed, Conflict, Stale
        It is not one's own, not open for it, or was changed since it was read.
    """
    flag = at_version(desk, flag_id, version)
    state = rules.check_can_contact(desk.actor, flag)
    if not desk.today - LONGEST_WAIT <= form.happened_on <= desk.today:
        raise InputInvalid(
            "Enter a day that is not after today.",
            "happened_on",
            expected="a day of the past year, today at the latest",
            got=which_day(desk, form.happened_on),
        )
    contact = Contact(
        contact_id=new_id("C"),
        flag_id=flag_id,
        household_id=flag.household_id,
        happened_on=form.happened_on,
        channel=form.channel,
        result=form.result,
        interpreter=words(form.interpreter, "interpreter", needed=False),
        adjustments=words(form.adjustments, "adjustments", needed=False),
        safe_channel=words(form.safe_channel, "safe_channel", needed=False),
        note=words(form.note, "note", needed=False),
        recorded_by=desk.actor.actor_id,
        recorded_at=desk.now,
    )
    detail = {"channel": form.channel, "result": form.result}
    entry = desk.entry("contact", household_id=flag.household_id, subject=flag_id, detail=detail)
    desk.unit.cases.add(contact, entry)
    return change(desk, flag, Move.CONTACT, state, _after_contact(desk, flag, form.result))


def _after_contact(desk: Desk, flag: Flag, result: ContactResult) -> dict[str, Any]:
    if result is ContactResult.ASKED_TO_STOP:
        return next_step(desk, "record_objection", 1)
    if result is ContactResult.REACHED and flag.state is FlagState.OFFERED:
        return next_step(desk, "outcome", DAYS_TO_OUTCOME)
    if result in (ContactResult.REACHED, ContactResult.REFUSED):
        return next_step(desk, "decide", DAYS_TO_CONTACT)
    return next_step(desk, "contact_again", DAYS_TO_CONTACT)


def record_outcome(desk: Desk, flag_id: str, version: int, form: OutcomeForm) -> Flag:
    """Record where the household stands and close the flag; a later outcome corrects it.

    Raises
    ------
    NotAllowed, Conflict, Stale
        It is not one's own, not decided yet, or was changed since it was read.
    """
    flag = at_version(desk, flag_id, version)
    state = rules.check_can_close(desk.actor, flag)
    outcome = CaseOutcome(
        outcome_id=new_id("U"),
        flag_id=flag_id,
        household_id=flag.household_id,
        helped=form.helped,
        outcome=form.outcome,
        duty=form.duty,
        flag_was_useful=form.flag_was_useful,
        note=words(form.note, "note", needed=False),
        recorded_by=desk.actor.actor_id,
        recorded_at=desk.now,
    )
    detail: dict[str, Detail] = {
        "helped": form.helped,
        "outcome": form.outcome,
        "duty": form.duty,
        "useful": form.flag_was_useful,
    }
    entry = desk.entry("outcome", household_id=flag.household_id, subject=flag_id, detail=detail)
    desk.unit.cases.add(outcome, entry)
    return change(desk, flag, Move.CLOSE, state, next_step(desk, "none", 0))
