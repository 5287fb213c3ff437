"""A household contests its flag or objects to being flagged: recorded on the spot."""

from __future__ import annotations

from earlyflag.casework.desk import Desk
from earlyflag.casework.households import check_may_know, known_households, open_purpose
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.casework.suppressing import suppress_household
from earlyflag.casework.withholding import withhold_all
from earlyflag.core.errors import Conflict, InputInvalid, NotFound
from earlyflag.store.records import Objection, new_id
from earlyflag.store.terms import ObjectionKind, ObjectionState, SuppressionKind


def record_objection(
    desk: Desk,
    household_id: str,
    kind: ObjectionKind,
    statement: str,
    *,
    suppress_now: bool,
) -> Objection:
    """Record what a household says; where it asks to be left out, it is suppressed at once.

    Raises
    ------
    InputInvalid
        There is no statement.
    PurposeMissing
        The household is outside one's own work and no purpose was stated today.
    """
    check_may(desk.actor, Action.RECORD_OBJECTION)
    check_may_know(desk, household_id)
    purpose = open_purpose(desk, household_id)
    if not statement.strip():
        raise InputInvalid(
            "Enter what the household says, in its words.",
            "statement",
            expected="a few words",
            got="nothing",
        )
    reference = None
    if suppress_now:
        reference = suppress_household(desk, household_id, SuppressionKind.OBJECTION)
    objection = Objection(
        objection_id=new_id("B"),
        household_id=household_id,
        kind=kind,
        state=ObjectionState.OPEN,
        statement=statement.strip(),
        suppression_ref=reference,
        recorded_by=desk.actor.actor_id,
        recorded_at=desk.now,
    )
    entry = desk.entry(
        "objection_recorded",
        household_id=household_id,
        subject=objection.objection_id,
        purpose=purpose,
        detail={"kind": kind, "state": "suppressed" if suppress_now else "kept"},
    )
    desk.unit.cases.add(objection, entry)
    return objection


def objections_to_answer(desk: Desk) -> tuple[Objection, ...]:
    """Return the objections that nobody has answered, newest first; the read is audited."""
    fields = check_may(desk.actor, Action.ANSWER_OBJECTION)
    found = known_households(desk, desk.unit.cases.objections(ObjectionState.OPEN))
    detail = {"households": [objection.household_id for objection in found]}
    desk.unit.audit.append(desk.entry("list_objections", detail=detail))
    return withhold_all(found, fields)


def answer_objection(desk: Desk, objection_id: str, *, uphold: bool, answer: str) -> None:
    """Answer an objection; upholding it suppresses the household if it is not already.

    An objection that is not upheld leaves its suppression in force: ending it is a decision of
    its own (`end_suppression`).

    Raises
    ------
    InputInvalid
        There is no answer in words.
    NotFound
        There is no such objection for this actor.
    Conflict
        It was answered before.
    """
    check_may(desk.actor, Action.ANSWER_OBJECTION)
    objection = desk.unit.cases.objection(objection_id)
    if not known_households(desk, [objection]):
        raise NotFound("Nothing has this reference. Go back to the list and open it from there.")
    if objection.state is not ObjectionState.OPEN:
        raise Conflict("This objection has been answered already.")
    if not answer.strip():
        raise InputInvalid("Enter the answer.", "answer", expected="a few words", got="nothing")
    if uphold and objection.suppression_ref is None:
        suppress_household(desk, objection.household_id, SuppressionKind.OBJECTION)
    state = ObjectionState.UPHELD if uphold else ObjectionState.NOT_UPHELD
    desk.unit.cases.answer_objection(
        objection_id,
        state,
        answer.strip(),
        by=desk.actor.actor_id,
        now=desk.now,
        audit=desk.entry(
            "objection_answered",
            household_id=objection.household_id,
            subject=objection_id,
            detail={"state": state},
        ),
    )
