"""An office for casework tests: people at desks, a clock that stands still, a small borough."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine

from earlyflag import casework
from earlyflag.casework import Actor, Desk, Rules, system_actor
from earlyflag.casework.signing_in import actor_of
from earlyflag.core.clock import FixedClock
from earlyflag.core.terms import (
    Band,
    Change,
    Direction,
    Evidence,
    HouseholdRecord,
    Member,
    ModelInfo,
    Reason,
    Score,
    ScoringRun,
    SuppressionRecord,
    TimelineEvent,
)
from earlyflag.store import FlagFilter
from earlyflag.store.records import Flag, new_id
from earlyflag.store.tables import AccountRow
from earlyflag.store.terms import Permission, Role, Tray
from earlyflag.store.units import begin

NOW = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
AS_OF = date(2026, 10, 1)
MODEL = ModelInfo(
    name="owed_duty",
    version="3",
    family="lightgbm",
    label="owed_duty",
    horizon_months=12,
    base_rate=0.01,
    features=("instalments_missed", "rent_owed"),
    data_hash="d" * 8,
    specification_hash="s" * 8,
    trained_to=date(2025, 9, 1),
)
PASSWORD = "three unrelated words"


def reason(key: str = "instalments", contribution: float = 1.0) -> Reason:
    """A reason with one row of evidence."""
    row = Evidence("council_tax_transactions", "T-77", AS_OF, AS_OF, "Instalment missed", 12_345)
    direction = Direction.RAISES if contribution > 0 else Direction.LOWERS
    sentence = f"Sentence about {key}."
    return Reason(key, key.title(), sentence, direction, contribution, (key,), (row,))


def score(number: int, rank: int, of: int, as_of: date = AS_OF) -> Score:
    """The score of household `number`."""
    return Score(
        household_id=household_id(number),
        as_of=as_of,
        probability=round(0.9 * (1 - rank / (of + 1)), 6),
        log_odds=1.5,
        base_log_odds=-4.0,
        band=Band.HIGHEST if rank <= of / 4 else Band.HIGH,
        rank=rank,
        model_version=MODEL.full_version,
        reasons=(reason("rent", 0.5), reason("instalments", 2.0), reason("payments", -0.4)),
        unknowns=("No tenancy record.",),
        changes=(Change("If the arrears were cleared.", ("rent_owed",), 0.02),),
    )


def household_id(number: int) -> str:
    return f"H{number:04d}"


def household(number: int, as_of: date = AS_OF) -> HouseholdRecord:
    """Household `number`, whose names and address are canaries that must not leak."""
    return HouseholdRecord(
        household_id=household_id(number),
        as_of=as_of,
        uprn=f"{number:012d}",
        address=f"{number} Canary Road",
        postcode=f"E{number % 7} 1AA",
        ward_code=f"W{number % 3}",
        tenure="private_rented",
        account_refs=(f"7{number:05d}X",),
        tenancy_refs=(f"TEN{number}",),
        members=(
            Member("council_tax", f"P{number}", f"Ada Canary{number}", "lead", date(1980, 1, 2)),
            Member("tenancy", f"Q{number}", "Bo Canary-Smith", "partner"),
        ),
    )


@dataclass
class Office:
    """People, their desks, and the borough they work for."""

    engine: Engine
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))
    rules: Rules = field(
        default_factory=lambda: Rules(
            offers={"money_advice": "Money advice", "benefit_claim": "Benefit claim"}
        )
    )
    people: dict[str, Actor] = field(default_factory=dict)

    def desk(self, who: str | Actor) -> AbstractContextManager[Desk]:
        """Open a desk for somebody: a name that was hired, a command of the system, an actor."""
        actor = who if isinstance(who, Actor) else self.people.get(who) or system_actor(who)
        return casework.open_desk(self.engine, actor, now=self.clock.now(), rules=self.rules)

    def hire(self, name: str, *roles: Role, permissions: Iterable[Permission] = ()) -> Actor:
        """Give somebody an account, without the time that hashing a password takes."""
        account_id = new_id("A")
        row = {
            "account_id": account_id,
            "username": name,
            "display_name": name.title(),
            "password_hash": None,
            "subject": None,
            "roles": sorted(roles),
            "permissions": sorted(permissions),
            "is_active": True,
            "is_demo": False,
            "created_at": self.clock.now(),
            "password_changed_at": None,
        }
        with begin(self.engine) as unit:
            unit.connection.execute(AccountRow.__table__.insert(), row)
            self.people[name] = actor_of(unit.access.account(account_id), "c-test")
        return self.people[name]

    def publish(
        self,
        ranking: Sequence[int],
        *,
        run_id: str = "run-1",
        as_of: date = AS_OF,
        suppressions: Iterable[SuppressionRecord] = (),
        advance: Callable[[int], None] | None = None,
    ) -> bool:
        """Publish a run over households in the order of their ranks."""
        run = ScoringRun(run_id, as_of, MODEL, "d" * 8, 10, len(ranking), {"no_account": 2})
        return casework.publish(
            self.engine,
            system_actor("score"),
            run,
            (score(n, rank, len(ranking), as_of) for rank, n in enumerate(ranking, start=1)),
            (household(n, as_of) for n in ranking),
            (
                TimelineEvent(household_id(n), as_of, "payment", "Paid council tax", "council_tax")
                for n in ranking
            ),
            suppressions,
            now=self.clock.now(),
            rules=self.rules,
            advance=advance,
        )

    def raise_flags(self, capacity: int, run_id: str = "run-1", **more: object):
        """Raise flags from a published run."""
        with self.desk("score") as desk:
            return casework.raise_flags(desk, run_id, capacity=capacity, **more)

    def flags(self, who: str, tray: Tray = Tray.ALL) -> list[Flag]:
        """Return the flags that somebody sees in a worktray."""
        with self.desk(who) as desk:
            page = casework.list_flags(desk, FlagFilter(tray=tray), limit=200)
        return [row.flag for row in page.rows]

    def flag_of(self, number: int) -> Flag:
        """Return the newest flag of a household, whoever may see it."""
        with begin(self.engine) as unit:
            return unit.flags.of_household(household_id(number))[0]

    def take(self, who: str, number: int) -> Flag:
        """Let somebody take the flag of a household."""
        flag = self.flag_of(number)
        with self.desk(who) as desk:
            return casework.take_flag(desk, flag.flag_id, flag.version)

    def actions(self) -> list[str]:
        """Return what the audit says was done, oldest first."""
        with begin(self.engine) as unit:
            return [row.action for row in unit.audit.rows()]

    def with_permission(self, who: str, *permissions: Permission) -> Actor:
        """Return somebody with more permissions than their account has."""
        return replace(self.people[who], permissions=frozenset(permissions))


@pytest.fixture
def office(engine: Engine) -> Office:
    """An office with one person a role, and nothing published."""
    made = Office(engine)
    for role in Role:
        made.hire(role.value, role)
    return made


@pytest.fixture
def busy_office(office: Office) -> Office:
    """An office with twelve households scored and eight flags waiting."""
    office.publish(range(1, 13))
    office.raise_flags(8)
    return office
