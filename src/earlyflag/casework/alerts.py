"""Early alerts: a landlord, agent, partner or officer says that a tenant is struggling.

The alert is matched to a household and becomes a piece of work at once; the answer to its sender
reveals nothing, not even whether a household was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from earlyflag.casework.choosing import DAYS_TO_TAKE
from earlyflag.casework.desk import Desk
from earlyflag.casework.households import check_may_know
from earlyflag.casework.moving import which_day
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_can_move, check_may
from earlyflag.casework.transitions import Move
from earlyflag.casework.webhooks import RAISED, announce
from earlyflag.casework.withholding import withhold_all
from earlyflag.core.errors import Conflict, InputInvalid, NotFound
from earlyflag.core.terms import Band
from earlyflag.store.keys import postcode_key
from earlyflag.store.records import Alert, Flag, new_id
from earlyflag.store.terms import (
    ActorKind,
    AlertSource,
    AlertState,
    FlagOrigin,
    FlagState,
    SuppressionKind,
)

OLDEST = timedelta(days=366)
_TITLES = {
    AlertSource.LANDLORD: "A landlord reported that the tenant is struggling.",
    AlertSource.AGENT: "A letting agent reported that the tenant is struggling.",
    AlertSource.PARTNER: "A partner reported that the household is struggling.",
    AlertSource.OFFICER: "An officer reported that the household is struggling.",
}


@dataclass(frozen=True, slots=True)
class AlertForm:
    """What the sender knows. A UPRN or tenancy reference, or a surname and postcode, match it."""

    happened_on: date
    tenant_name: str
    address: str
    postcode: str
    uprn: str | None = None
    tenancy_ref: str | None = None
    arrears_pence: int | None = None
    statement: str = ""


def report_alert(desk: Desk, form: AlertForm, *, source: AlertSource | None = None) -> str:
    """Take an alert, match it, raise a flag; return its reference and nothing else.

    Parameters
    ----------
    source : AlertSource or None
        Of an officer's form; a machine's alerts are of its key's source.

    Raises
    ------
    InputInvalid
        There is no name or postcode, the day lies ahead, or the arrears are negative.
    """
    check_may(desk.actor, Action.REPORT_ALERT)
    _check_form(desk, form)
    is_machine = desk.actor.kind is ActorKind.MACHINE
    stated = (desk.actor.alert_source if is_machine else source) or AlertSource.OFFICER
    alert = Alert(
        alert_id=new_id("W"),
        source=stated,
        state=AlertState.UNMATCHED,
        reported_by=desk.actor.actor_id,
        received_at=desk.now,
        happened_on=form.happened_on,
        arrears_pence=form.arrears_pence,
        tenant_name=form.tenant_name.strip(),
        address=form.address.strip(),
        postcode=postcode_key(form.postcode),
        uprn=form.uprn,
        tenancy_ref=form.tenancy_ref,
        statement=form.statement.strip(),
        household_id=None,
        flag_id=None,
    )
    household_id = match(desk, alert)
    if household_id is not None:
        flag_id = _raise(desk, alert, household_id)
        # An alert that waits for nobody would tell whoever sees the list, and knows of the alert,
        # that the household exists: about a hidden one it goes on waiting for them.
        is_hidden = household_id in _needing_safe_contact(desk)
        state = AlertState.UNMATCHED if is_hidden else AlertState.MATCHED
        alert = replace(alert, state=state, household_id=household_id, flag_id=flag_id)
    entry = desk.entry(
        "alert_reported",
        household_id=alert.household_id,
        subject=alert.alert_id,
        detail={"kind": alert.source, "state": alert.state},
    )
    desk.unit.cases.add(alert, entry)
    return alert.alert_id


def _check_form(desk: Desk, form: AlertForm) -> None:
    if not form.tenant_name.strip():
        raise InputInvalid(
            "Enter the tenant's name.", "tenant_name", expected="a name", got="nothing"
        )
    if not form.postcode.strip():
        raise InputInvalid("Enter the postcode.", "postcode", expected="a postcode", got="nothing")
    if not desk.today - OLDEST <= form.happened_on <= desk.today:
        raise InputInvalid(
            "Enter a day in the past year, not after today.",
            "happened_on",
            expected="a day of the past year, today at the latest",
            got=which_day(desk, form.happened_on),
        )
    if form.arrears_pence is not None and form.arrears_pence < 0:
        raise InputInvalid(
            "Enter what is owed as an amount of 0 or more.",
            "arrears_pence",
            expected="0 or more",
            got="less than 0",
        )


def match(desk: Desk, alert: Alert) -> str | None:
    """Return the one household that an alert is about, or None where there is none or several.

    A tenancy reference is enough; a UPRN must agree with the surname, unless the household has
    no known members; a surname at a postcode must be of one household alone.
    """
    borough = desk.unit.borough
    words = alert.tenant_name.split()
    namesakes: set[str] = set()
    for length in range(1, min(len(words), 3) + 1):
        namesakes |= set(borough.find_by_name(" ".join(words[-length:]), alert.postcode))
    if alert.tenancy_ref:
        found = borough.find_by_reference("tenancy", alert.tenancy_ref)
        if len(found) == 1:
            return found[0]
    if alert.uprn:
        at_uprn = [
            one
            for one in borough.find_by_reference("uprn", alert.uprn)
            if one in namesakes or not borough.has_members(one)
        ]
        if len(at_uprn) == 1:
            return at_uprn[0]
    return namesakes.pop() if len(namesakes) == 1 else None


def _raise(desk: Desk, alert: Alert, household_id: str) -> str | None:
    """Make the alert a piece of work: a new flag, or a note on the one that is open."""
    kinds = desk.unit.suppressions.households_on(desk.today).get(household_id, frozenset())
    if kinds - {SuppressionKind.SAFE_CONTACT}:
        return None
    live = desk.unit.flags.live_of([household_id])
    if live:
        return _wake(desk, live[0])
    score = desk.unit.borough.score(household_id)
    ward_code, tenure = desk.unit.borough.places([household_id]).get(household_id, (None, ""))
    flag = Flag(
        flag_id=new_id("F"),
        household_id=household_id,
        run_key=None,
        as_of=desk.today,
        origin=FlagOrigin.ALERT,
        state=FlagState.WAITING,
        version=1,
        rank=0,
        probability=score.probability if score else None,
        band=score.band if score else Band.RAISED,
        first_reason=_TITLES[alert.source],
        second_reason="",
        ward_code=ward_code,
        tenure=tenure,
        safe_contact=bool(kinds),
        without_collection=True,
        assignee_id=None,
        raised_at=desk.now,
        changed_at=desk.now,
        last_action="raised",
        next_action="take",
        next_action_on=desk.today + timedelta(days=DAYS_TO_TAKE),
        paused_until=None,
        pause_reason=None,
        decision_code=None,
        decided_at=None,
    )
    entry = desk.entry(
        "flag_raised",
        household_id=household_id,
        subject=flag.flag_id,
        detail={"origin": flag.origin, "band": flag.band},
    )
    desk.unit.flags.add([flag], [entry])
    announce(desk, RAISED, [flag])
    return flag.flag_id


def _wake(desk: Desk, flag: Flag) -> str:
    """Bring an open flag to the top; a household that was held back is released."""
    changes: dict[str, object] = {
        "next_action_on": desk.today,
        "last_action": "alert",
        "without_collection": True,
    }
    if flag.state is FlagState.HELD_BACK:
        changes["state"] = check_can_move(flag, Move.RELEASE)
        desk.unit.borough.release_arm(flag.household_id, desk.now)
    entry = desk.entry(
        "flag_alerted",
        household_id=flag.household_id,
        subject=flag.flag_id,
        detail={"from_state": flag.state, "to_state": str(changes.get("state", flag.state))},
    )
    desk.unit.flags.change(flag, changes, entry)
    return flag.flag_id


def _needing_safe_contact(desk: Desk) -> frozenset[str]:
    today = desk.unit.suppressions.households_on(desk.today)
    return frozenset(one for one, kinds in today.items() if SuppressionKind.SAFE_CONTACT in kinds)


def _waiting(desk: Desk, alerts: Sequence[Alert]) -> list[Alert]:
    """Return which alerts wait to be matched, as far as the actor may know.

    One that found a household that is hidden from the actor waits like one that found none.
    """
    hidden = frozenset() if desk.actor.sees_safe_contact else _needing_safe_contact(desk)
    return [
        replace(alert, household_id=None, flag_id=None)
        for alert in alerts
        if alert.state is AlertState.UNMATCHED
        and (alert.household_id is None or alert.household_id in hidden)
    ]


def alerts_to_match(desk: Desk) -> tuple[Alert, ...]:
    """Return the alerts that found no household that the actor may know of, newest first."""
    fields = check_may(desk.actor, Action.MATCH_ALERT)
    found = _waiting(desk, desk.unit.cases.alerts(AlertState.UNMATCHED))
    detail = {"alerts": [alert.alert_id for alert in found]}
    desk.unit.audit.append(desk.entry("list_alerts", detail=detail))
    return withhold_all(found, fields)


def match_alert(desk: Desk, alert_id: str, household_id: str | None) -> str | None:
    """Say by hand which household an alert is about, or with None that it is about none.

    Returns the flag that it became, if any.

    Raises
    ------
    InputInvalid
        There is no such household for this actor.
    Conflict
        It was matched or dismissed before.
    """
    check_may(desk.actor, Action.MATCH_ALERT)
    alert = desk.unit.cases.alert(alert_id)
    if not _waiting(desk, [alert]):
        raise Conflict("This alert has been matched or dismissed already.")
    flag_id = None
    state = AlertState.DISMISSED
    if household_id is not None:
        try:
            check_may_know(desk, household_id)
        except NotFound as unknown:
            raise InputInvalid(
                str(unknown), "household_id", expected="the pseudonym of a household"
            ) from unknown
        flag_id = _raise(desk, alert, household_id)
        state = AlertState.MATCHED
    entry = desk.entry(
        "alert_settled", household_id=household_id, subject=alert_id, detail={"state": state}
    )
    about = (household_id, flag_id)
    if household_id is None:
        # Dismissed by somebody who may not know which household it found: it still found it.
        about = (alert.household_id, alert.flag_id)
    desk.unit.cases.resolve_alert(alert_id, state, *about, entry)
    return flag_id
