"""Look a household up, say why, open it: every read checked, counted and audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action, Field, Fields
from earlyflag.casework.rules import (
    can_see_flag,
    check_can_open_household,
    check_household_exists_for,
    check_may,
    is_own_work,
    no_household,
)
from earlyflag.casework.withholding import (
    withhold,
    withhold_all,
    withhold_household,
    withhold_reasons,
)
from earlyflag.core.clock import end_of_london_day
from earlyflag.core.errors import InputInvalid, NotFound, TooMany
from earlyflag.core.terms import Change, HouseholdRecord, Reason, SuppressionRecord, TimelineEvent
from earlyflag.store.audit import Detail
from earlyflag.store.records import (
    Alert,
    CaseOutcome,
    Contact,
    Decision,
    Flag,
    Objection,
    OfferMade,
    RunRecord,
    ScoreDetail,
    ScoreLine,
    StatedPurpose,
    new_id,
)
from earlyflag.store.terms import ActorKind, Purpose, SuppressionKind


class _OfHousehold(Protocol):
    """A record of one household."""

    @property
    def household_id(self) -> str: ...


OfHouseholdT = TypeVar("OfHouseholdT", bound=_OfHousehold)
REFERENCE_KINDS = ("uprn", "account", "tenancy")


@dataclass(frozen=True, slots=True)
class FoundHousehold:
    """A household that a look-up found; enough to tell two at one address apart."""

    household_id: str
    address: str
    tenure: str
    is_own_work: bool
    needs_purpose: bool


@dataclass(frozen=True, slots=True)
class ScoreView:
    """A household's newest score as its reader may see it."""

    line: ScoreLine
    run: RunRecord
    reasons: tuple[Reason, ...]
    unknowns: tuple[str, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class HouseholdView:
    """Everything a household page shows, with what its reader may not see left blank.

    Attributes
    ----------
    fields : the groups of fields that the reader sees; a page hides the parts of the others
    score : None when the household was not scored
    purpose : why it is open: own work, or the purpose stated today
    lookups_today : distinct households outside one's own work opened today, this one included
    """

    household: HouseholdRecord
    fields: Fields
    purpose: Purpose
    lookups_today: int
    score: ScoreView | None
    history: tuple[ScoreLine, ...]
    timeline: tuple[TimelineEvent, ...]
    suppressions: tuple[SuppressionRecord, ...]
    flags: tuple[Flag, ...]
    decisions: tuple[Decision, ...]
    offers: tuple[OfferMade, ...]
    contacts: tuple[Contact, ...]
    outcomes: tuple[CaseOutcome, ...]
    objections: tuple[Objection, ...]
    alerts: tuple[Alert, ...]


def look_up_reference(desk: Desk, kind: str, reference: str) -> list[FoundHousehold]:
    """Return the households with a UPRN, or an account or tenancy reference, written in full.

    Parameters
    ----------
    kind : {'uprn', 'account', 'tenancy'}

    Raises
    ------
    InputInvalid
        The kind is none of these, or the reference is blank or holds a wildcard.
    """
    check_may(desk.actor, Action.LOOK_UP)
    if kind not in REFERENCE_KINDS:
        kinds = ", ".join(REFERENCE_KINDS)
        raise InputInvalid(f"Expected one of {kinds}.", "kind", expected=kinds, got="another word")
    _check_plain(reference, "reference")
    return _found(desk, desk.unit.borough.find_by_reference(kind, reference), kind)


def look_up_name(desk: Desk, surname: str, postcode: str) -> list[FoundHousehold]:
    """Return the households at a postcode with somebody of a surname, both written in full.

    Raises
    ------
    InputInvalid
        One of them is blank or holds a wildcard.
    """
    check_may(desk.actor, Action.LOOK_UP)
    _check_plain(surname, "surname")
    _check_plain(postcode, "postcode")
    return _found(desk, desk.unit.borough.find_by_name(surname, postcode), "name")


def _check_plain(value: str, field: str) -> None:
    if not value.strip():
        raise InputInvalid(f"Enter the {field}.", field, expected=f"a {field}", got="nothing")
    if len(value) > 100:
        raise InputInvalid(
            f"Enter the {field} alone, in at most 100 characters.",
            field,
            expected="at most 100 characters",
            got=f"{len(value):,} characters",
        )
    if set("*%_?") & set(value):
        raise InputInvalid(
            f"Enter the whole {field}, without wildcards.",
            field,
            expected=f"a whole {field}",
            got="a wildcard",
        )


def _found(desk: Desk, household_ids: list[str], kind: str) -> list[FoundHousehold]:
    fields = check_may(desk.actor, Action.LOOK_UP)
    found = []
    for household_id in household_ids:
        try:
            check_household_exists_for(desk.actor, household_id, _suppressed_by(desk, household_id))
        except NotFound:
            continue
        record = desk.unit.borough.household(household_id, None)
        if record is None:
            continue
        own = is_own_work(desk.actor, desk.unit.flags.of_household(household_id))
        stated = desk.unit.access.purpose(desk.actor.actor_id, household_id, desk.now)
        shown = withhold(record, fields | {Field.PLACE})
        found.append(
            FoundHousehold(
                household_id=household_id,
                address=shown.address,
                tenure=shown.tenure,
                is_own_work=own,
                needs_purpose=not own and stated is None and desk.actor.kind is ActorKind.PERSON,
            )
        )
    detail: dict[str, Detail] = {
        "kind": kind,
        "found": len(found),
        "households": [one.household_id for one in found],
    }
    desk.unit.audit.append(desk.entry("look_up", detail=detail))
    return found


def _suppressed_by(desk: Desk, household_id: str) -> set[str]:
    return {record.kind for record in desk.unit.suppressions.of(household_id, desk.today)}


STATABLE = (
    Purpose.HOUSEHOLD_ASKED,
    Purpose.PARTNER_REFERRAL,
    Purpose.SAFEGUARDING,
    Purpose.SUPERVISION,
    Purpose.COMPLAINT_OR_REQUEST,
)
"""The purposes that a person can choose from."""


def state_purpose(desk: Desk, household_id: str, purpose: Purpose, note: str = "") -> StatedPurpose:
    """Write why somebody opens a household outside their own work; good until midnight.

    Raises
    ------
    InputInvalid
        The purpose is not one that people can choose.
    NotFound
        There is no such household for this person.
    """
    check_may(desk.actor, Action.READ_HOUSEHOLD)
    if purpose not in STATABLE:
        raise InputInvalid(
            "Choose why you open this household.",
            "purpose",
            expected=", ".join(STATABLE),
            got=purpose.value,
        )
    check_may_know(desk, household_id)
    stated = StatedPurpose(
        purpose_id=new_id("L"),
        actor_id=desk.actor.actor_id,
        household_id=household_id,
        purpose=purpose,
        note=note.strip(),
        stated_at=desk.now,
        expires_at=end_of_london_day(desk.now),
    )
    entry = desk.entry("purpose_stated", household_id=household_id, purpose=purpose)
    desk.unit.access.add_purpose(stated, entry)
    return stated


def _count(desk: Desk, household_id: str, purpose: Purpose) -> int:
    """Count a household outside one's own work; alert at one limit, stop at the next."""
    if purpose is Purpose.OWN_WORK:
        return 0
    actor, rules = desk.actor, desk.rules
    count, is_new = desk.unit.access.count_lookup(actor.actor_id, desk.today, household_id)
    if not is_new:
        return count
    alert_at = actor.lookups_alert_at or rules.lookups_alert_at
    stop_at = actor.lookups_stop_at or rules.lookups_stop_at
    if count > stop_at:
        raise TooMany(
            f"You have opened {stop_at} households outside your own work today, which is the "
            "limit. Ask your manager if you need more."
        )
    if count > alert_at:
        entry = desk.entry("lookups_alert", detail={"count": count, "limit": alert_at})
        desk.unit.audit.append(entry)
    return count


def check_may_know(desk: Desk, household_id: str) -> None:
    """Refuse a household that does not exist, or not for this actor.

    Raises
    ------
    NotFound
        As if it did not exist.
    """
    check_household_exists_for(desk.actor, household_id, _suppressed_by(desk, household_id))
    if desk.unit.borough.household(household_id, None) is None:
        raise no_household()


def known_households(desk: Desk, records: Sequence[OfHouseholdT]) -> list[OfHouseholdT]:
    """Return the records of households that exist for an actor."""
    if desk.actor.sees_safe_contact:
        return list(records)
    return [
        one
        for one in records
        if SuppressionKind.SAFE_CONTACT not in _suppressed_by(desk, one.household_id)
    ]


def open_purpose(desk: Desk, household_id: str) -> Purpose:
    """Return the purpose under which an actor works on a household, counted against the limits.

    Raises
    ------
    PurposeMissing, TooMany
        It is outside their own work: no purpose was stated today, or the limit is reached.
    """
    flags = desk.unit.flags.of_household(household_id)
    purpose = check_can_open_household(desk, household_id, flags)
    # A household that was counted today is let through without counting the others again.
    if not desk.unit.access.looked_up(desk.actor.actor_id, desk.today, household_id):
        _count(desk, household_id, purpose)
    return purpose


@dataclass(frozen=True, slots=True)
class ScoreAnswer:
    """A household's newest score for a machine or a small part of a page."""

    household_id: str
    purpose: Purpose
    score: ScoreView


def get_score(desk: Desk, household_id: str, *, with_evidence: bool = True) -> ScoreAnswer:
    """Return a household's newest score with its reasons, under the rules of `get_household`.

    Parameters
    ----------
    with_evidence : whether the rows behind the reasons are wanted, where the reader sees them

    Raises
    ------
    PurposeMissing, TooMany
        As `get_household`.
    NotFound
        There is no such household for this reader, or it has no score.
    """
    fields = check_may(desk.actor, Action.READ_HOUSEHOLD)
    check_household_exists_for(desk.actor, household_id, _suppressed_by(desk, household_id))
    purpose = open_purpose(desk, household_id)
    with_evidence = with_evidence and Field.EVIDENCE in fields
    borough = desk.unit.borough
    newest = borough.newest_score(household_id, with_evidence=with_evidence)
    run = borough.run(newest[0].run_id) if newest else None
    if newest is None or run is None or Field.SCORE not in fields:
        if borough.household(household_id, None) is None:
            raise no_household()
        raise NotFound("No household with a score has this reference.")
    line, detail = newest
    desk.unit.audit.append(desk.entry("read_score", household_id=household_id, purpose=purpose))
    reasons = withhold_reasons(detail.reasons, fields)
    view = ScoreView(line, run, reasons, detail.unknowns, detail.changes)
    return ScoreAnswer(household_id, purpose, view)


def get_household(desk: Desk, household_id: str) -> HouseholdView:
    """Return everything a household's page shows to this reader; the read is audited.

    Raises
    ------
    PurposeMissing
        It is outside the reader's own work and no purpose was stated today.
    NotFound
        There is no such household, or not for this reader.
    TooMany
        The reader's limit of households outside their own work is reached.
    """
    unit = desk.unit
    fields = check_may(desk.actor, Action.READ_HOUSEHOLD)
    suppressions = unit.suppressions.of(household_id, desk.today)
    check_household_exists_for(desk.actor, household_id, {one.kind for one in suppressions})
    flags = unit.flags.of_household(household_id)
    purpose = check_can_open_household(desk, household_id, flags)
    count = _count(desk, household_id, purpose)
    entry = desk.entry("read_household", household_id=household_id, purpose=purpose)
    record = unit.borough.household(household_id, entry)
    if record is None:
        raise no_household()
    cases = unit.cases
    visible = [flag for flag in flags if can_see_flag(desk.actor, flag)]
    history = unit.borough.history(household_id) if Field.SCORE in fields else []
    return HouseholdView(
        household=withhold_household(record, fields),
        fields=fields,
        purpose=purpose,
        lookups_today=count,
        score=score_view(desk, history[0], fields) if history else None,
        history=tuple(history),
        timeline=unit.borough.timeline(household_id) if Field.TIMELINE in fields else (),
        suppressions=tuple(suppressions),
        flags=withhold_all(visible, fields),
        decisions=withhold_all(cases.of_household(Decision, household_id), fields),
        offers=withhold_all(cases.of_household(OfferMade, household_id), fields),
        contacts=withhold_all(cases.of_household(Contact, household_id), fields),
        outcomes=withhold_all(cases.of_household(CaseOutcome, household_id), fields),
        objections=withhold_all(cases.of_household(Objection, household_id), fields),
        alerts=withhold_all(cases.of_household(Alert, household_id), fields),
    )


def score_view(desk: Desk, line: ScoreLine, fields: Fields) -> ScoreView | None:
    """Return a score with its reasons, as a reader with these fields sees it."""
    borough = desk.unit.borough
    run = borough.run(line.run_id)
    if run is None:
        return None
    detail = borough.score_detail(line.household_id, line.run_id) or ScoreDetail((), (), ())
    return ScoreView(
        line=line,
        run=run,
        reasons=withhold_reasons(detail.reasons, fields),
        unknowns=detail.unknowns,
        changes=detail.changes,
    )
