"""Worktrays: list flags, read one, take it, assign many, see each person's load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from earlyflag.casework import rules
from earlyflag.casework.desk import Actor, Desk
from earlyflag.casework.permissions import Action, Field, Fields
from earlyflag.casework.signing_in import actor_of
from earlyflag.casework.transitions import Move
from earlyflag.casework.withholding import withhold, withhold_all
from earlyflag.core.errors import InputInvalid
from earlyflag.store.flags import TRAYS, FlagFilter
from earlyflag.store.records import (
    Assessment,
    CaseOutcome,
    Contact,
    Decision,
    Flag,
    OfferMade,
)
from earlyflag.store.terms import FlagSort, FlagState, Tray

MOST_A_PAGE = 200
DAYS_TO_DECIDE = 7


@dataclass(frozen=True, slots=True)
class WorktrayRow:
    """One flag of a list. Name, address and assignee are blank where they are not shown."""

    flag: Flag
    name: str
    address: str
    assignee: str


@dataclass(frozen=True, slots=True)
class Worktray:
    """One page of a list, how long the whole list is, and where the next page starts."""

    rows: tuple[WorktrayRow, ...]
    total: int
    next_cursor: str | None
    fields: Fields


@dataclass(frozen=True, slots=True)
class TrayCounts:
    """How many flags each worktray holds, and how many of them in each ward and tenure.

    Attributes
    ----------
    totals : by worktray
    wards, tenures : by worktray, then by code; a ward that is not known is left out
    """

    totals: Mapping[Tray, int]
    wards: Mapping[Tray, Mapping[str, int]]
    tenures: Mapping[Tray, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class FlagView:
    """A flag, what was done with it, and what its reader may do now.

    Attributes
    ----------
    allowed : of take, assign, decide, offer, watch, contact, close, pause, resume, reopen, assess
    """

    flag: Flag
    fields: Fields
    assignee: str
    decisions: tuple[Decision, ...]
    assessments: tuple[Assessment, ...]
    offers: tuple[OfferMade, ...]
    contacts: tuple[Contact, ...]
    outcomes: tuple[CaseOutcome, ...]
    allowed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Load:
    """How much somebody who can be given flags has to do."""

    account_id: str
    display_name: str
    sees_safe_contact: bool
    states: dict[FlagState, int]

    @property
    def total(self) -> int:
        """All live flags of this person."""
        return sum(self.states.values())


def _own(desk: Desk, wanted: FlagFilter) -> FlagFilter:
    return replace(wanted, assignee_id=desk.actor.actor_id) if wanted.tray is Tray.MINE else wanted


def list_flags(
    desk: Desk,
    wanted: FlagFilter,
    *,
    sort: FlagSort = FlagSort.RANK,
    cursor: str | None = None,
    limit: int = 25,
    total: int | None = None,
) -> Worktray:
    """Return one page of a worktray; the read is audited with the households it showed.

    Parameters
    ----------
    total : how long the whole list is, where it was counted at this desk already

    Raises
    ------
    InputInvalid
        The cursor is not one of this list, or the limit is not 1 to 200.
    """
    fields = rules.check_may(desk.actor, Action.LIST_FLAGS)
    if not 1 <= limit <= MOST_A_PAGE:
        raise InputInvalid(
            f"Got {limit}, but expected 1 to {MOST_A_PAGE}.",
            "limit",
            expected=f"1 to {MOST_A_PAGE}",
            got=str(limit),
        )
    wanted = _own(desk, wanted)
    seen = desk.actor.sees_safe_contact
    page = desk.unit.flags.page(
        wanted, today=desk.today, with_safe_contact=seen, sort=sort, cursor=cursor, limit=limit
    )
    if total is None:
        total = desk.unit.flags.count(wanted, today=desk.today, with_safe_contact=seen)
    shown = [flag.household_id for flag in page.flags]
    titles = desk.unit.borough.titles(shown) if shown and Field.ADDRESS in fields else {}
    names = staff_names(desk) if Field.STAFF in fields else {}
    rows = []
    for flag in page.flags:
        name, address = titles.get(flag.household_id, ("", ""))
        rows.append(
            WorktrayRow(
                flag=withhold(flag, fields),
                name=name if Field.NAME in fields else "",
                address=address,
                assignee=names.get(flag.assignee_id or "", ""),
            )
        )
    detail = {"kind": wanted.tray.value, "households": shown, "count": total}
    desk.unit.audit.append(desk.entry("list_flags", detail=detail))
    return Worktray(tuple(rows), total, page.next_cursor, fields)


def count_trays(desk: Desk) -> TrayCounts:
    """Return how many flags each worktray holds for this reader, and where they stand."""
    rules.check_may(desk.actor, Action.LIST_FLAGS)
    actor = desk.actor
    found = desk.unit.flags.tally(
        actor.actor_id, today=desk.today, with_safe_contact=actor.sees_safe_contact
    )
    totals: Counter[Tray] = Counter()
    wards: dict[Tray, Counter[str]] = {tray: Counter() for tray in Tray}
    tenures: dict[Tray, Counter[str]] = {tray: Counter() for tray in Tray}
    for tray in Tray:
        for one in found:
            count = one.own if tray is Tray.MINE else one.count
            if count and one.state in TRAYS[tray]:
                totals[tray] += count
                if one.ward_code:
                    wards[tray][one.ward_code] += count
                tenures[tray][one.tenure] += count
    return TrayCounts(totals, wards, tenures)


def staff_names(desk: Desk) -> dict[str, str]:
    """Return the display name of every account, for lists and histories."""
    return {a.account_id: a.display_name for a in desk.unit.access.accounts()}


def get_flag(desk: Desk, flag_id: str) -> FlagView:
    """Return a flag, its history and what the reader may do; the read is audited.

    The words of a case are shown to those in whose work it is, or who stated a purpose today.

    Raises
    ------
    NotFound
        There is no such flag for this reader.
    """
    fields = rules.check_may(desk.actor, Action.READ_FLAG)
    flag = desk.unit.flags.get(flag_id)
    rules.check_can_see_flag(desk.actor, flag)
    if not _may_read_words(desk, flag):
        fields -= {Field.CASE_WORDS}
    entry = desk.entry("read_flag", household_id=flag.household_id, subject=flag_id)
    desk.unit.audit.append(entry)
    cases = desk.unit.cases
    names = staff_names(desk) if Field.STAFF in fields else {}
    return FlagView(
        flag=withhold(flag, fields),
        fields=fields,
        assignee=names.get(flag.assignee_id or "", ""),
        decisions=withhold_all(cases.of_flag(Decision, flag_id), fields),
        assessments=withhold_all(cases.of_flag(Assessment, flag_id), fields),
        offers=withhold_all(cases.of_flag(OfferMade, flag_id), fields),
        contacts=withhold_all(cases.of_flag(Contact, flag_id), fields),
        outcomes=withhold_all(cases.of_flag(CaseOutcome, flag_id), fields),
        allowed=allowed(desk.actor, flag),
    )


def _may_read_words(desk: Desk, flag: Flag) -> bool:
    if rules.is_own_work(desk.actor, [flag]):
        return True
    stated = desk.unit.access.purpose(desk.actor.actor_id, flag.household_id, desk.now)
    return stated is not None


def allowed(actor: Actor, flag: Flag) -> frozenset[str]:
    """Return what an actor may do with a flag now."""
    answers = {
        "take": rules.can_take(actor, flag),
        "assign": rules.may(actor, Action.ASSIGN_FLAGS) and rules.can_move(flag, Move.ASSIGN),
        "decide": rules.can_decide(actor, flag),
        "offer": rules.can_decide(actor, flag, Move.OFFER),
        "watch": rules.can_decide(actor, flag, Move.WATCH),
        "contact": rules.can_contact(actor, flag),
        "close": rules.can_close(actor, flag),
        "pause": rules.can_pause(actor, flag),
        "resume": rules.can_resume(actor, flag),
        "reopen": rules.can_reopen(actor, flag),
        "assess": rules.can_assess(actor, flag),
    }
    return frozenset(name for name, answer in answers.items() if answer)


def _assigned(desk: Desk, flag: Flag, assignee_id: str, state: FlagState) -> Flag:
    changes: dict[str, object] = {
        "state": state,
        "assignee_id": assignee_id,
        "last_action": Move.ASSIGN,
    }
    if flag.state is FlagState.WAITING:
        changes |= {
            "next_action": "decide",
            "next_action_on": desk.today + timedelta(days=DAYS_TO_DECIDE),
        }
    entry = desk.entry(
        "flag_assigned",
        household_id=flag.household_id,
        subject=flag.flag_id,
        detail={"assignee": assignee_id, "from_state": flag.state, "to_state": state},
    )
    return desk.unit.flags.change(flag, changes, entry)


def take_flag(desk: Desk, flag_id: str, version: int) -> Flag:
    """Take a waiting flag into one's own work.

    Raises
    ------
    Conflict, Stale
        Somebody else has it, or changed it since it was read.
    """
    flag = at_version(desk, flag_id, version)
    state = rules.check_can_take(desk.actor, flag)
    return _assigned(desk, flag, desk.actor.actor_id, state)


def assign_flags(desk: Desk, flags: Sequence[tuple[str, int]], assignee_id: str) -> list[Flag]:
    """Give flags, each at the version that was read, to one person: all of them or none.

    Raises
    ------
    NotAllowed
        The person may not work on one of them.
    Stale
        One was changed since it was read.
    """
    rules.check_may(desk.actor, Action.ASSIGN_FLAGS)
    if not flags:
        raise InputInvalid(
            "Choose at least one flag.", "flags", expected="one flag or more", got="none"
        )
    assignee = actor_of(desk.unit.access.account(assignee_id))
    changed = []
    for flag_id, version in sorted(flags):
        flag = at_version(desk, flag_id, version)
        state = rules.check_can_assign(desk.actor, flag, assignee)
        changed.append(_assigned(desk, flag, assignee_id, state))
    return changed


def loads(desk: Desk) -> list[Load]:
    """Return everybody who can be given flags, with how much they have, the least first."""
    rules.check_may(desk.actor, Action.ASSIGN_FLAGS)
    counted = desk.unit.flags.loads(with_safe_contact=desk.actor.sees_safe_contact)
    people = [
        Load(
            account.account_id,
            account.display_name,
            actor_of(account).sees_safe_contact,
            counted.get(account.account_id, {}),
        )
        for account in desk.unit.access.accounts()
        if account.is_active and rules.may(actor_of(account), Action.DECIDE)
    ]
    return sorted(people, key=lambda load: (load.total, load.display_name))


def at_version(desk: Desk, flag_id: str, version: int) -> Flag:
    """Return a flag to change, as it is now, if it is still the version that was read.

    Raises
    ------
    Stale
        It is not.
    NotFound
        There is no such flag for this actor.
    """
    flag = desk.unit.flags.get(flag_id)
    rules.check_can_see_flag(desk.actor, flag)
    desk.unit.flags.check_version(flag, version)
    return flag
