"""Decide about a flag, reach the household, follow up, pause, reopen; agree or disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from earlyflag.casework import rules
from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.suppressing import suppress_household
from earlyflag.casework.transitions import DECIDING, Move
from earlyflag.casework.webhooks import CLOSED, DECIDED, announce
from earlyflag.casework.worktrays import at_version
from earlyflag.core.errors import Conflict, InputInvalid
from earlyflag.store.audit import Detail
from earlyflag.store.records import (
    Assessment,
    CaseOutcome,
    Contact,
    Decision,
    Flag,
    OfferMade,
    new_id,
)
from earlyflag.store.terms import (
    AssessmentWhy,
    ContactChannel,
    ContactResult,
    DecisionCode,
    DutyOwed,
    FlagState,
    Helped,
    OfferState,
    OutcomeCode,
    SuppressionKind,
)

DAYS_TO_CONTACT = 7
DAYS_TO_OUTCOME = 28
LONGEST_WAIT = timedelta(days=366)
LONGEST_TEXT = 4_000
_TOLD = {Move.OFFER: DECIDED, Move.WATCH: DECIDED, Move.DECIDE: DECIDED, Move.CLOSE: CLOSED}
"""The moves that case systems are told of, and the event's name."""


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


def _words(value: str, field: str, *, needed: bool = True) -> str:
    text = value.strip()
    if needed and not text:
        raise InputInvalid(f"Enter the {field.replace('_', ' ')}.", field)
    if len(text) > LONGEST_TEXT:
        raise InputInvalid(f"Got {len(text):,} characters, but at most {LONGEST_TEXT:,}.", field)
    return text


def _check_day_ahead(desk: Desk, day: date | None, field: str) -> date:
    if day is None or not desk.today < day <= desk.today + LONGEST_WAIT:
        raise InputInvalid("Enter a day after today, at most a year away.", field)
    return day


def _change(
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


def _next(desk: Desk, action: str, days: int) -> dict[str, Any]:
    return {"next_action": action, "next_action_on": desk.today + timedelta(days=days)}


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
    reason = _words(form.reason, "reason")
    _check_offers(desk, form)
    until = None
    if form.code is DecisionCode.WATCH_UNTIL:
        until = _check_day_ahead(desk, form.watch_until, "watch_until")
    elif form.watch_until is not None:
        raise InputInvalid("A day to watch until goes with that decision only.", "watch_until")
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
    return _change(desk, flag, move, state, _after_decision(desk, flag, form, until))


def _check_offers(desk: Desk, form: DecisionForm) -> None:
    unknown = set(form.offers) - desk.rules.offers.keys()
    if unknown or len(set(form.offers)) < len(form.offers):
        raise InputInvalid("Choose offers from the list, each once.", "offers")
    if (form.code is DecisionCode.OFFER_HELP) != bool(form.offers):
        raise InputInvalid("Choose at least one offer where help is offered, else none.", "offers")


def _after_decision(
    desk: Desk, flag: Flag, form: DecisionForm, until: date | None
) -> dict[str, Any]:
    """Return what a decision changes on its flag beside the state."""
    if form.code is DecisionCode.SAFE_CONTACT_NEEDED:
        suppress_household(desk, flag.household_id, SuppressionKind.SAFE_CONTACT)
        return {"safe_contact": True, "assignee_id": None, **_next(desk, "take", DAYS_TO_CONTACT)}
    changes: dict[str, Any] = {"decision_code": form.code, "decided_at": desk.now}
    if until is not None:
        return {**changes, "paused_until": until, "next_action": "resume", "next_action_on": until}
    if form.code is DecisionCode.OFFER_HELP:
        return {**changes, **_next(desk, "contact", DAYS_TO_CONTACT)}
    return {**changes, **_next(desk, "none", 0)}


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
        note=_words(form.note, "note", needed=form.why is AssessmentWhy.OTHER),
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
        raise InputInvalid("Enter a day that is not after today.", "happened_on")
    contact = Contact(
        contact_id=new_id("C"),
        flag_id=flag_id,
        household_id=flag.household_id,
        happened_on=form.happened_on,
        channel=form.channel,
        result=form.result,
        interpreter=_words(form.interpreter, "interpreter", needed=False),
        adjustments=_words(form.adjustments, "adjustments", needed=False),
        safe_channel=_words(form.safe_channel, "safe_channel", needed=False),
        note=_words(form.note, "note", needed=False),
        recorded_by=desk.actor.actor_id,
        recorded_at=desk.now,
    )
    detail = {"channel": form.channel, "result": form.result}
    entry = desk.entry("contact", household_id=flag.household_id, subject=flag_id, detail=detail)
    desk.unit.cases.add(contact, entry)
    return _change(desk, flag, Move.CONTACT, state, _after_contact(desk, flag, form.result))


def _after_contact(desk: Desk, flag: Flag, result: ContactResult) -> dict[str, Any]:
    if result is ContactResult.ASKED_TO_STOP:
        return _next(desk, "record_objection", 1)
    if result is ContactResult.REACHED and flag.state is FlagState.OFFERED:
        return _next(desk, "outcome", DAYS_TO_OUTCOME)
    if result in (ContactResult.REACHED, ContactResult.REFUSED):
        return _next(desk, "decide", DAYS_TO_CONTACT)
    return _next(desk, "contact_again", DAYS_TO_CONTACT)


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
        note=_words(form.note, "note", needed=False),
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
    return _change(desk, flag, Move.CLOSE, state, _next(desk, "none", 0))


def pause(desk: Desk, flag_id: str, version: int, until: date, reason: str) -> Flag:
    """Put a flag of one's own aside until a day.

    Raises
    ------
    InputInvalid
        The day is not ahead, or there is no reason.
    """
    flag = at_version(desk, flag_id, version)
    state = rules.check_can_pause(desk.actor, flag)
    day = _check_day_ahead(desk, until, "until")
    changes = {
        "paused_until": day,
        "pause_reason": _words(reason, "reason"),
        "next_action": "resume",
        "next_action_on": day,
    }
    return _change(desk, flag, Move.PAUSE, state, changes, {"until": day.isoformat()})


_RESUMED = {"paused_until": None, "pause_reason": None}


def resume(desk: Desk, flag_id: str, version: int) -> Flag:
    """Take a paused or watched flag of one's own up again."""
    flag = at_version(desk, flag_id, version)
    state = rules.check_can_resume(desk.actor, flag)
    return _change(
        desk, flag, Move.RESUME, state, {**_RESUMED, **_next(desk, "decide", DAYS_TO_CONTACT)}
    )


def resume_due(desk: Desk) -> Sequence[Flag]:
    """Take up again every paused or watched flag whose day has come; run daily."""
    rules.check_may(desk.actor, Action.RAISE_FLAGS)
    return [
        _change(
            desk,
            flag,
            Move.RESUME,
            rules.check_can_move(flag, Move.RESUME),
            {**_RESUMED, **_next(desk, "decide", DAYS_TO_CONTACT)},
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
        **_next(desk, "decide", DAYS_TO_CONTACT),
    }
    return _change(desk, flag, Move.REOPEN, state, changes)


def put_back(desk: Desk, flag_id: str, version: int) -> Flag:
    """Give a flag of one's own back to the team."""
    flag = at_version(desk, flag_id, version)
    rules.check_may(desk.actor, Action.TAKE_FLAG)
    rules.check_is_theirs(desk.actor, flag)
    state = rules.check_can_move(flag, Move.UNASSIGN)
    changes = {"assignee_id": None, **_next(desk, "take", DAYS_TO_CONTACT)}
    return _change(desk, flag, Move.UNASSIGN, state, changes)
