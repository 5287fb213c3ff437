"""Data protection at hand: erasure and retention, each with a dry run and a report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from earlyflag.casework.alerts import match
from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_can_move, check_may
from earlyflag.casework.suppressing import suppress_household, withdraw
from earlyflag.casework.transitions import Move
from earlyflag.core.clock import LONDON, add_months
from earlyflag.core.errors import Conflict, NotAllowed, NotFound
from earlyflag.core.settings import Retention
from earlyflag.store.erasing import WORDS
from earlyflag.store.records import Flag
from earlyflag.store.retaining import Limits
from earlyflag.store.tables import FlagRow
from earlyflag.store.terms import AlertState, SuppressionKind

SHORT_LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """What a run of retention deleted or blanked, or would, by table.

    Attributes
    ----------
    held_back : the rows that are past their limit and stay for a legal hold, by table
    """

    dry_run: bool
    deleted: dict[str, int]
    held_back: dict[str, int]
    lapsed_flags: int


def erase(desk: Desk, household_id: str, *, dry_run: bool) -> dict[str, int]:
    """Erase a household and keep it from being listed again; return how many rows by table.

    Alerts that matched nobody, but are about this household as it is known now, are erased too,
    and so are messages and kept answers that name it. A household that is in the data no more
    is erased as well, by its pseudonym. The audit keeps the pseudonym, and so does the list of
    what was erased: the source systems still hold the household, but nothing of it is published
    when they deliver it again.

    Raises
    ------
    NotAllowed
        A legal hold forbids it.
    NotFound
        No household has this reference.
    """
    check_may(desk.actor, Action.ERASE)
    unit = desk.unit
    if unit.erasing.is_erased(household_id) and unit.borough.household(household_id, None) is None:
        raise Conflict("This household has been erased already; nothing of it has come back.")
    if not unit.erasing.is_held(household_id):
        raise NotFound("No household has this reference.")
    kinds = {record.kind for record in unit.suppressions.of(household_id, desk.today)}
    if SuppressionKind.LEGAL_HOLD in kinds:
        raise NotAllowed("A legal hold forbids erasing this household. Ask the legal team.")
    alert_ids = _unmatched_alerts(desk, household_id)
    if not dry_run:
        withdraw(desk, [household_id])
        if SuppressionKind.OBJECTION not in kinds:
            suppress_household(desk, household_id, SuppressionKind.OBJECTION)
    entry = desk.entry("erased", household_id=household_id, detail={"dry_run": dry_run})
    return unit.erasing.household(household_id, alert_ids=alert_ids, dry_run=dry_run, audit=entry)


def _unmatched_alerts(desk: Desk, household_id: str) -> list[str]:
    """Return the alerts that found nobody when they came, and would find this household now."""
    cases = desk.unit.cases
    alerts = [*cases.alerts(AlertState.UNMATCHED), *cases.alerts(AlertState.DISMISSED)]
    return [alert.alert_id for alert in alerts if match(desk, alert) == household_id]


def readmit(desk: Desk, household_id: str) -> None:
    """Let an erased household come with the next delivery again, at its own wish.

    The suppression that erasing wrote ends; what a source system suppresses stays so.

    Raises
    ------
    NotFound
        No household of this reference was erased.
    """
    check_may(desk.actor, Action.ERASE)
    if not desk.unit.erasing.forget(
        household_id, desk.entry("readmitted", household_id=household_id)
    ):
        raise NotFound("No household of this reference was erased.")
    for record in desk.unit.suppressions.of(household_id, desk.today):
        if record.kind == SuppressionKind.OBJECTION:
            entry = desk.entry(
                "suppression_ended", household_id=household_id, subject=record.suppression_ref
            )
            desk.unit.suppressions.end(record.suppression_ref, desk.today, entry)


def retain(desk: Desk, retention: Retention, *, dry_run: bool) -> RetentionReport:
    """Delete or blank what is older than its limit, let unreviewed flags lapse; report it.

    Nothing of a household under a legal hold goes. The audit's own retention is `end_stretch`.
    """
    check_may(desk.actor, Action.RETAIN)
    today = desk.today

    def before(months: int) -> datetime:
        return _midnight(add_months(today, -months))

    limits = Limits(
        scores=add_months(today, -retention.scores_months),
        flags=before(retention.unreviewed_flags_months),
        words=before(retention.case_words_months),
        cases=before(retention.cases_months),
        access=before(retention.audit_months),
        short=desk.now - SHORT_LIFE,
        now=desk.now,
    )
    held = desk.unit.suppressions.under_legal_hold(today)
    stale = [
        flag
        for flag in desk.unit.flags.unreviewed_since(limits.flags)
        if flag.household_id not in held
    ]
    if not dry_run:
        for flag in stale:
            _lapse(desk, flag)
    entry = desk.entry("retention", detail={"dry_run": dry_run})
    done = desk.unit.retaining.expired(limits, today=today, dry_run=dry_run, audit=entry)
    return RetentionReport(dry_run, done.gone, done.held_back, len(stale))


def _lapse(desk: Desk, flag: Flag) -> None:
    entry = desk.entry(
        f"flag_{Move.LAPSE}",
        household_id=flag.household_id,
        subject=flag.flag_id,
        detail={"from_state": flag.state, "to_state": "lapsed"},
    )
    changes = {
        "state": check_can_move(flag, Move.LAPSE),
        "last_action": Move.LAPSE,
        **WORDS[FlagRow],
    }
    desk.unit.flags.change(flag, changes, entry)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), LONDON)
