"""Suppress a household, and take the flags of suppressed households out of the team's work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_can_move, check_household_exists_for, check_may
from earlyflag.casework.transitions import Move
from earlyflag.core.errors import NotFound
from earlyflag.core.terms import SuppressionRecord
from earlyflag.store.records import new_id
from earlyflag.store.terms import ActorKind, FlagState, SuppressionKind


def suppress_household(
    desk: Desk,
    household_id: str,
    kind: SuppressionKind,
    *,
    until: date | None = None,
) -> str:
    """Write a suppression of a household and return its reference; its live flag is withdrawn.

    `safe_contact` withdraws nothing: every flag of the household, the closed ones too, is from
    now on seen by holders of the permission alone.
    The caller checks that the actor may do this.
    """
    reference = new_id("S")
    record = SuppressionRecord(
        suppression_ref=reference,
        kind=kind.value,
        valid_from=desk.today,
        valid_to=until,
        household_id=household_id,
    )
    entry = desk.entry(
        "household_suppressed",
        household_id=household_id,
        subject=reference,
        detail={"kind": kind},
    )
    desk.unit.suppressions.add(record, by=desk.actor.actor_id, audit=entry)
    if kind is SuppressionKind.SAFE_CONTACT:
        settle_marks(desk, [household_id])
    else:
        withdraw(desk, [household_id])
    return reference


def suppress(
    desk: Desk, household_id: str, kind: SuppressionKind, *, until: date | None = None
) -> str:
    """Suppress a household at its own or the council's wish; return the suppression's reference.

    Raises
    ------
    NotFound
        No household has this reference.
    """
    check_may(desk.actor, Action.SUPPRESS)
    _check_exists_for(desk, household_id)
    if desk.unit.borough.household(household_id, None) is None:
        raise NotFound("No household has this reference.")
    return suppress_household(desk, household_id, kind, until=until)


def end_suppression(desk: Desk, suppression_ref: str) -> None:
    """End a suppression recorded in casework; one from a source system is ended there.

    Raises
    ------
    NotFound
        Casework holds none with this reference.
    """
    check_may(desk.actor, Action.SUPPRESS)
    covered = desk.unit.suppressions.covered(suppression_ref)
    for household_id in covered:
        _check_exists_for(desk, household_id)
    entry = desk.entry(
        "suppression_ended",
        household_id=covered[0] if len(covered) == 1 else None,
        subject=suppression_ref,
        detail={"households": covered},
    )
    if not desk.unit.suppressions.end(suppression_ref, desk.today, entry):
        raise NotFound("No suppression recorded here has this reference.")
    settle_marks(desk, covered)


def _check_exists_for(desk: Desk, household_id: str) -> None:
    """Refuse a household that does not exist for a person; the service's commands know all."""
    if desk.actor.kind is not ActorKind.SYSTEM:
        kinds = {record.kind for record in desk.unit.suppressions.of(household_id, desk.today)}
        check_household_exists_for(desk.actor, household_id, kinds)


def withdraw(desk: Desk, household_ids: list[str]) -> int:
    """Take the live flags of households out of the team's work; return how many."""
    flags = desk.unit.flags.live_of(household_ids)
    for flag in flags:
        entry = desk.entry(
            f"flag_{Move.WITHDRAW}",
            household_id=flag.household_id,
            subject=flag.flag_id,
            detail={"from_state": flag.state, "to_state": FlagState.WITHDRAWN},
        )
        changes = {"state": check_can_move(flag, Move.WITHDRAW), "last_action": Move.WITHDRAW}
        desk.unit.flags.change(flag, changes, entry)
    return len(flags)


def settle_suppressions(desk: Desk) -> int:
    """Bring flags in line with the suppressions that hold today; return how many were withdrawn.

    Flags of households that need safe contact are marked, those decided and closed too, so that
    they are shown to holders of the permission only.
    """
    today = desk.unit.suppressions.households_on(desk.today)
    hidden = [one for one, kinds in today.items() if kinds - {SuppressionKind.SAFE_CONTACT}]
    settle_marks(desk)
    return withdraw(desk, hidden)


def settle_marks(desk: Desk, household_ids: Sequence[str] | None = None) -> None:
    """Mark the flags of households that need safe contact today, and no others.

    A flag alone decides who is shown it, so it must be marked in the transaction that records the
    need, whatever its state.

    Parameters
    ----------
    household_ids : whose flags; every household's when None
    """
    for flag in desk.unit.flags.wrongly_marked(desk.today, household_ids):
        needed = not flag.safe_contact
        entry = desk.entry(
            "flag_marked" if needed else "flag_unmarked",
            household_id=flag.household_id,
            subject=flag.flag_id,
        )
        desk.unit.flags.change(flag, {"safe_contact": needed}, entry)
