"""What the pipeline reads back: interventions, decisions, alerts, arms of the pilot."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from earlyflag.casework.desk import Desk
from earlyflag.casework.exporting import NAMED_A_ROW
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.core.clock import london_day
from earlyflag.core.terms import (
    AlertRecord,
    DecisionRecord,
    HouseholdRecord,
    InterventionRecord,
    JourneyRecord,
    PilotRecord,
)
from earlyflag.store.flags import FlagFilter
from earlyflag.store.records import Assessment, Contact, Decision, OfferMade
from earlyflag.store.terms import (
    AlertSource,
    AlertState,
    Arm,
    ContactResult,
    FlagState,
    OfferState,
)
from earlyflag.store.writing import pieces

_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_HELP = {
    OfferState.STARTED: "support_started",
    OfferState.COMPLETED: "support_ended",
}
_PAYMENT = "discretionary_payment"
_LISTED = tuple(state for state in FlagState if state is not FlagState.HELD_BACK)
_REACHED = (
    ContactResult.REACHED,
    ContactResult.CALL_BACK_AGREED,
    ContactResult.REFUSED,
    ContactResult.ASKED_TO_STOP,
)


def intervention_rows(desk: Desk) -> list[InterventionRecord]:
    """Return contacts and support as rows of the contract's table `interventions`.

    So that a household that was helped is not learnt as a safe one. What was done for a household
    that is known no more, since it was erased or its time was over, is not told again: told
    without a reference it would take the place of the row that the tables hold.
    """
    check_may(desk.actor, Action.PUBLISH)
    arms = {one.household_id: one.arm for one in desk.unit.borough.pilot_arms().values()}
    told = [*_contact_rows(desk, arms), *_support_rows(desk, arms)]
    rows = [row for row in told if row.uprn or row.account_ref or row.tenancy_ref]
    _note(desk, "interventions", len(rows))
    return sorted(rows, key=lambda row: (row.happened_on, row.intervention_ref))


def _note(desk: Desk, kind: str, count: int) -> None:
    """Write that the pipeline read records of many households, in counts, as a run of it does."""
    desk.unit.audit.append(desk.entry("read_back", detail={"kind": kind, "count": count}))


def _contact_rows(desk: Desk, arms: dict[str, Arm]) -> Iterator[InterventionRecord]:
    for contact in desk.unit.cases.since(Contact, _EVER):
        record = desk.unit.borough.household(contact.household_id, None)
        yield InterventionRecord(
            intervention_ref=contact.contact_id,
            happened_on=contact.happened_on,
            kind="contacted" if contact.result in _REACHED else "contact_attempt",
            arm=arms.get(contact.household_id),
            **_home(record),
        )


def _support_rows(desk: Desk, arms: dict[str, Arm]) -> Iterator[InterventionRecord]:
    for offer in desk.unit.cases.since(OfferMade, _EVER):
        kind = _HELP.get(offer.state)
        if kind is None:
            continue
        if offer.code == _PAYMENT and offer.state is OfferState.COMPLETED:
            kind = "payment_awarded"
        record = desk.unit.borough.household(offer.household_id, None)
        yield InterventionRecord(
            intervention_ref=offer.offer_id,
            happened_on=london_day(offer.changed_at),
            kind=kind,
            arm=arms.get(offer.household_id),
            **_home(record),
        )


def _home(record: HouseholdRecord | None) -> dict[str, str | None]:
    """Return the references by which a row is attached; one is enough."""
    if record is None:
        return {"uprn": None, "account_ref": None, "tenancy_ref": None}
    return {
        "uprn": record.uprn,
        "account_ref": next(iter(record.account_refs), None),
        "tenancy_ref": next(iter(record.tenancy_refs), None),
    }


def decision_rows(desk: Desk) -> list[DecisionRecord]:
    """Return every decision with the assessment that went with its flag, oldest first."""
    check_may(desk.actor, Action.READ_ASSESSMENTS)
    newest: dict[str, Assessment] = {}
    for assessment in reversed(desk.unit.cases.since(Assessment, _EVER)):
        newest[assessment.flag_id] = assessment
    found = []
    for decision in reversed(desk.unit.cases.since(Decision, _EVER)):
        flag = desk.unit.flags.get(decision.flag_id)
        assessed = newest.get(decision.flag_id)
        found.append(
            DecisionRecord(
                household_id=decision.household_id,
                as_of=flag.as_of,
                origin=flag.origin.value,
                band=flag.band,
                code=decision.code.value,
                decided_on=london_day(decision.decided_at),
                agrees=assessed.agrees if assessed else None,
                why=assessed.why.value if assessed else None,
            )
        )
    for piece in pieces([row.household_id for row in found], NAMED_A_ROW):
        desk.unit.audit.append(desk.entry("read_decisions", detail={"households": piece}))
    return found


def alert_rows(desk: Desk) -> list[AlertRecord]:
    """Return matched alerts of landlords and agents as rows of the table `tenancy_events`.

    One whose words are gone is not told again, for the reason that `intervention_rows` gives.
    """
    check_may(desk.actor, Action.PUBLISH)
    rows = []
    for alert in desk.unit.cases.all_alerts():
        if alert.state is not AlertState.MATCHED or alert.household_id is None:
            continue
        if not alert.tenant_name:
            continue
        record = desk.unit.borough.household(alert.household_id, None)
        kind = "agent_alert" if alert.source is AlertSource.AGENT else "landlord_alert"
        rows.append(
            AlertRecord(
                event_ref=alert.alert_id,
                uprn=record.uprn if record else alert.uprn,
                tenancy_ref=alert.tenancy_ref,
                happened_on=alert.happened_on,
                known_on=london_day(alert.received_at),
                kind=kind,
            )
        )
    _note(desk, "alerts", len(rows))
    return rows


def pilot_rows(desk: Desk) -> list[PilotRecord]:
    """Return the arm of every household of the pilot."""
    check_may(desk.actor, Action.PUBLISH)
    arms = desk.unit.borough.pilot_arms().values()
    _note(desk, "pilot", len(arms))
    return [PilotRecord(one.household_id, one.as_of, one.arm.value, one.randomised) for one in arms]


def journey_rows(desk: Desk) -> list[JourneyRecord]:
    """Return how far each household came that was put before the team, for counts by group.

    Suppressed households and those with a safe contact are no part of it.
    """
    check_may(desk.actor, Action.PUBLISH)
    cases = desk.unit.cases
    reached = {one.flag_id for one in cases.since(Contact, _EVER) if one.result in _REACHED}
    helped = {one.flag_id for one in cases.since(OfferMade, _EVER) if one.state in _HELP}
    wanted = FlagFilter(states=_LISTED)
    count = desk.unit.flags.count(wanted, today=desk.today, with_safe_contact=False)
    page = desk.unit.flags.page(wanted, today=desk.today, with_safe_contact=False, limit=count)
    _note(desk, "journeys", count)
    return [
        JourneyRecord(
            flag.household_id, flag.as_of, flag.flag_id in reached, flag.flag_id in helped
        )
        for flag in page.flags
    ]
