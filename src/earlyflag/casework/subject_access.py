"""Subject access: everything held about one person's household, without what is others'."""

from __future__ import annotations

import dataclasses
from collections import Counter
from datetime import date, datetime
from enum import Enum
from typing import Any

from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.core.errors import NotFound
from earlyflag.core.terms import HouseholdRecord, Member
from earlyflag.store.erasing import WORDS
from earlyflag.store.holdings import HELD
from earlyflag.store.keys import name_key
from earlyflag.store.records import Alert
from earlyflag.store.terms import DecisionCode, Purpose, SuppressionKind

_STAFF_FIELDS = frozenset(
    {
        "decided_by",
        "assessed_by",
        "offered_by",
        "recorded_by",
        "answered_by",
        "reported_by",
        "reviewed_by",
        "assignee_id",
        "actor_id",
        "owner",
    }
)
_GENERATED = frozenset({"first_reason", "second_reason"})
"""Sentences that the model's reasons are worded in: nobody wrote them."""

_ABOUT_ONE_MEMBER = "homelessness"
"""The timeline's source whose lines are one member's, though not which member's."""

_SAFE_CONTACT = "safe_contact: ask the safeguarding lead before anything is sent"


def find_households(desk: Desk, reference: str) -> list[tuple[str, int]]:
    """Return the households that a reference leads to, each with the position of its person.

    A person's reference in a source system leads to that person; an account, a tenancy, a UPRN
    or a household's pseudonym to its first member. A pseudonym leads to what is left of a
    household that was erased or is in the data no more.
    """
    borough = desk.unit.borough
    people = borough.find_person(reference)
    if people:
        return people
    found = {
        household_id
        for kind in ("account", "tenancy", "uprn")
        for household_id in borough.find_by_reference(kind, reference)
    }
    if desk.unit.erasing.is_held(reference):
        found.add(reference)
    return [(household_id, 0) for household_id in sorted(found)]


def subject_access(desk: Desk, reference: str) -> dict[str, Any]:
    """Return everything held about one person's household, for the person, as JSON values.

    Other members are left out, and so are colleagues' names and what is known to be others';
    `left_out` counts it. `check_before_sending` lists what may name or be about somebody else.

    Raises
    ------
    NotFound
        Nothing is held under this reference.
    """
    check_may(desk.actor, Action.SUBJECT_ACCESS)
    found = find_households(desk, reference)
    if not found:
        raise NotFound("Nothing is held under this reference. Check it against the source system.")
    households = [_Answer(desk, household_id, position) for household_id, position in found]
    return {
        "made_at": desk.now.isoformat(),
        "households": [one.held for one in households],
        "check_before_sending": sorted({place for one in households for place in one.to_check}),
    }


class _Answer:
    """What is held about one household, for one of its members."""

    def __init__(self, desk: Desk, household_id: str, position: int) -> None:
        self._desk = desk
        entry = desk.entry("subject_access", household_id=household_id)
        record = desk.unit.borough.household(household_id, entry)
        members = record.members if record else ()
        self._own = members[position : position + 1]
        self._others = members[:position] + members[position + 1 :]
        suppressions = desk.unit.holdings.suppressions(household_id)
        self._keeps_safe = bool(self._others) and any(
            one.kind == SuppressionKind.SAFE_CONTACT for one in suppressions
        )
        self._left_out: Counter[str] = Counter()
        self.to_check: set[str] = {_SAFE_CONTACT} if self._keeps_safe else set()
        self.held: dict[str, Any] = {
            "household": self._household(record),
            "suppressions": [
                plain(one)
                for one in suppressions
                if not self._is_secret("suppressions", one.kind, SuppressionKind.SAFE_CONTACT)
            ],
            "scores": self._scores(household_id),
            "timeline": self._timeline(household_id),
            **self._records(household_id),
            "seen_by": self._seen_by(household_id),
        }
        self.held["left_out"] = dict(self._left_out)

    def _is_secret(self, kind: str, value: Any, secret: str) -> bool:
        """Answer, and count, whether a record would tell one member how another keeps safe."""
        is_secret = self._keeps_safe and value == secret
        self._left_out[kind] += is_secret
        return is_secret

    def _household(self, record: HouseholdRecord | None) -> dict[str, Any] | None:
        if record is None:
            return None
        shown: dict[str, Any] = plain(record)
        shown["members"] = plain(self._own)
        shown["others_left_out"] = len(self._others)
        if self._others:
            self.to_check |= {
                f"household.{name}" for name in ("account_refs", "tenancy_refs") if shown[name]
            }
        return shown

    def _scores(self, household_id: str) -> list[dict[str, Any]]:
        borough = self._desk.unit.borough
        scores = []
        for line in borough.history(household_id):
            detail = borough.score_detail(household_id, line.run_id)
            scores.append({"score": plain(line), "detail": plain(detail) if detail else None})
        if scores and self._others:
            self.to_check.add("scores.detail.reasons")
        return scores

    def _timeline(self, household_id: str) -> list[dict[str, Any]]:
        events = []
        for event in self._desk.unit.borough.timeline(household_id):
            if event.source == _ABOUT_ONE_MEMBER and self._others:
                if self._is_secret("timeline", event.source, _ABOUT_ONE_MEMBER):
                    continue
                self.to_check.add(f"timeline.{_ABOUT_ONE_MEMBER}")
            events.append(plain(event))
        return events

    def _records(self, household_id: str) -> dict[str, list[dict[str, Any]]]:
        found = self._desk.unit.holdings.of(household_id)
        return {
            kind: [self._cleaned(kind, row) for row in rows if not self._is_others(kind, row)]
            for kind, rows in found.items()
        }

    def _is_others(self, kind: str, row: dict[str, Any]) -> bool:
        if kind == "alert" and _names(row["tenant_name"], self._others):
            is_others = not _names(row["tenant_name"], self._own)
            self._left_out[kind] += is_others
            return is_others
        if kind == "decision":
            return self._is_secret(kind, row["code"], DecisionCode.SAFE_CONTACT_NEEDED)
        if kind == "purpose":
            return self._is_secret(kind, row["purpose"], Purpose.SAFEGUARDING)
        return False

    def _cleaned(self, kind: str, row: dict[str, Any]) -> dict[str, Any]:
        """Return a row without colleagues, and note where its words must be read."""
        shown = {name: value for name, value in row.items() if name not in _STAFF_FIELDS}
        if self._keeps_safe:
            for name in ("safe_contact", "safe_channel"):
                self._left_out[f"{kind}.{name}"] += bool(shown.pop(name, None))
        for name in WORDS.get(HELD[kind], {}).keys() - _GENERATED:
            if isinstance(shown.get(name), str) and shown[name]:
                self.to_check.add(f"{kind}.{name}")
        values: dict[str, Any] = plain(shown)
        return values

    def _seen_by(self, household_id: str) -> list[dict[str, Any]]:
        """Return each read and change of the household: when, by which roles, why; nobody."""
        unit = self._desk.unit
        alerts = [alert.alert_id for alert in unit.cases.of_household(Alert, household_id)]
        return [
            {
                "at": row.at.isoformat(),
                "roles": row.roles,
                "action": row.action,
                "purpose": row.purpose,
                "among_others": row.household_id is None,
            }
            for row in unit.audit.about(household_id, alerts)
            if not self._is_secret("seen_by", row.purpose, Purpose.SAFEGUARDING)
        ]


def _names(tenant: str, members: tuple[Member, ...]) -> bool:
    """Answer whether a name as somebody outside wrote it is of one of some members.

    The surname must be the same, and the first letter of the forename.
    """
    words = name_key(tenant).split()
    return any(
        words[-1:] == own[-1:] and words[0][:1] == own[0][:1]
        for own in (name_key(member.name).split() for member in members)
        if words and own
    )


def plain(value: Any) -> Any:
    """Return records, dates and codes as what JSON can hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date | datetime):
        return value.isoformat()
    return value
