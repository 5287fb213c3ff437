"""Decide about a flag and make offers; agree or disagree with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from earlyflag.casework import rules
from earlyflag.casework.desk import Desk
from earlyflag.casework.moving import DAYS_TO_CONTACT, change, check_day_ahead, next_step, words
from earlyflag.casework.permissions import Action
from earlyflag.casework.suppressing import suppress_household
from earlyflag.casework.transitions import DECIDING
from earlyflag.casework.worktrays import at_version
from earlyflag.core.errors import InputInvalid
from earlyflag.store.records import Assessment, Decision, Flag, OfferMade, new_id
from earlyflag.store.terms import AssessmentWhy, DecisionCode, OfferState, SuppressionKind


@dataclass(frozen=True, slots=True)
class DecisionForm:
    """What a reviewer fills in. `offers` are codes that the settings hold."""

    code: DecisionCode
    reason: str
    offers: tuple[str, ...] = ()
    watch_until: date | None = None


@dataclass(frozen=True, slots=True)
class AssessmentForm:
    """Whether the flag was right, and why."""

    agrees: bool
    why: AssessmentWhy
    note: str = ""


def decide(
    desk: Desk,
    flag_id: str,
    version: int,
    form: DecisionForm,
    assessment: AssessmentForm | None = None,
) -> Flag:
    """Decide about a flag in one's own work; return it as it is now.

    Raises
    ------
    InputInvalid
        There is no reason in words, an offer the settings do not hold, none where help is
        offered, or no day to watch until.
    NotAllowed, Conflict, Stale
        It is not one's own, not open for this decision, or was changed since it was read.
    """
    move = DECIDING[form.code]
    flag = at_version(desk, flag_id, version)
    state = rules.check_can_decide(desk.actor, flag, move)
    reason = words(form.reason, "reason")
    _check_offers(desk, form)
    until = None
    if form.code is DecisionCode.WATCH_UNTIL:
        until = check_day_ahead(desk, form.watch_until, "watch_until")
    elif form.watch_until is not None:
        raise InputInvalid(
            "A day to watch until goes with that decision only.",
            "watch_until",
            expected="no day",
            got="a day",
        )
    if assessment is not None:
        assess(desk, flag_id, assessment)
    decision = Decision(
        decision_id=new_id("D"),
        flag_id=flag_id,
        household_id=flag.household_id,
        code=form.code,
        reason=reason,
        watch_until=until,
        decided_by=desk.actor.actor_id,
        decided_at=desk.now,
    )
    entry = desk.entry(
        "decision",
        household_id=flag.household_id,
        subject=flag_id,
        detail={"code": form.code, "offers": list(form.offers)},
    )
    desk.unit.cases.add(decision, entry)
    for code in form.offers:
        _make_offer(desk, flag, code)
    decided = change(desk, flag, move, state, _after_decision(desk, form, until))
    if form.code is DecisionCode.SAFE_CONTACT_NEEDED:
        # After the change: it marks the household's other flags, and not this one again.
        suppress_household(desk, flag.household_id, SuppressionKind.SAFE_CONTACT)
    return decided


def _check_offers(desk: Desk, form: DecisionForm) -> None:
    unknown = set(form.offers) - desk.rules.offers.keys()
    if unknown or len(set(form.offers)) < len(form.offers):
        raise InputInvalid(
            "Choose offers from the list, each once.",
            "offers",
            expected=", ".join(sorted(desk.rules.offers)),
            got=f"{len(unknown)} others" if unknown else "one of them twice",
        )
    if (form.code is DecisionCode.OFFER_HELP) != bool(form.offers):
        raise InputInvalid(
            "Choose at least one offer where help is offered, else none.",
            "offers",
            expected="none" if form.offers else "one offer or more",
            got=f"{len(form.offers)} offers" if form.offers else "none",
        )


def _after_decision(desk: Desk, form: DecisionForm, until: date | None) -> dict[str, Any]:
    """Return what a decision changes on its flag beside the state."""
    if form.code is DecisionCode.SAFE_CONTACT_NEEDED:
        return {
            "safe_contact": True,
            "assignee_id": None,
            **next_step(desk, "take", DAYS_TO_CONTACT),
        }
    changes: dict[str, Any] = {"decision_code": form.code, "decided_at": desk.now}
    if until is not None:
        return {**changes, "paused_until": until, "next_action": "resume", "next_action_on": until}
    if form.code is DecisionCode.OFFER_HELP:
        return {**changes, **next_step(desk, "contact", DAYS_TO_CONTACT)}
    return {**changes, **next_step(desk, "none", 0)}


def _make_offer(desk: Desk, flag: Flag, code: str) -> None:
    offer = OfferMade(
        offer_id=new_id("O"),
        flag_id=flag.flag_id,
        household_id=flag.household_id,
        code=code,
        state=OfferState.OFFERED,
        offered_by=desk.actor.actor_id,
        offered_at=desk.now,
        changed_at=desk.now,
    )
    entry = desk.entry(
        "offer_made",
        household_id=flag.household_id,
        subject=flag.flag_id,
        detail={"code": code},
    )
    desk.unit.cases.add(offer, entry)


def change_offer(desk: Desk, offer_id: str, state: OfferState) -> None:
    """Say how far an offer on a flag of one's own has come.

    Raises
    ------
    NotFound, NotAllowed
        There is no such offer, or its flag is somebody else's.
    """
    offer = desk.unit.cases.offer(offer_id)
    flag = desk.unit.flags.get(offer.flag_id)
    rules.check_may(desk.actor, Action.RECORD_OUTCOME)
    rules.check_can_see_flag(desk.actor, flag)
    rules.check_is_theirs(desk.actor, flag)
    entry = desk.entry(
        "offer_changed",
        household_id=offer.household_id,
        subject=offer.flag_id,
        detail={"code": offer.code, "from_state": offer.state, "to_state": state},
    )
    desk.unit.cases.change_offer(offer_id, state, now=desk.now, audit=entry)


def assess(desk: Desk, flag_id: str, form: AssessmentForm) -> Assessment:
    """Agree or disagree with a flag, and say why; the flag itself does not change."""
    flag = desk.unit.flags.get(flag_id)
    rules.check_can_assess(desk.actor, flag)
    assessment = Assessment(
        assessment_id=new_id("E"),
        flag_id=flag_id,
        household_id=flag.household_id,
        agrees=form.agrees,
        why=form.why,
        note=words(form.note, "note", needed=form.why is AssessmentWhy.OTHER),
        assessed_by=desk.actor.actor_id,
        assessed_at=desk.now,
    )
    entry = desk.entry(
        "assessment",
        household_id=flag.household_id,
        subject=flag_id,
        detail={"agrees": form.agrees, "why": form.why},
    )
    desk.unit.cases.add(assessment, entry)
    return assessment
