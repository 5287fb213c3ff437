"""A desk: who is at work, in which transaction, at what instant, under which rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Engine

from earlyflag.casework.permissions import SYSTEM, Action, Fields, fields_for
from earlyflag.core.clock import london_day
from earlyflag.core.errors import NotAllowed, NotFound, PurposeMissing, TooMany
from earlyflag.core.settings import Settings
from earlyflag.store.audit import AuditEntry, Detail
from earlyflag.store.terms import ActorKind, AlertSource, Permission, Purpose, Role, Scope
from earlyflag.store.units import UnitOfWork, begin


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and what they may do."""

    actor_id: str
    kind: ActorKind
    display_name: str
    roles: frozenset[Role] = frozenset()
    permissions: frozenset[Permission] = frozenset()
    scopes: frozenset[Scope] = frozenset()
    correlation_id: str = ""
    lookups_alert_at: int | None = None
    lookups_stop_at: int | None = None
    alert_source: AlertSource | None = None

    def fields(self, action: Action) -> Fields | None:
        """Return the fields this actor sees when doing this, or None if they may not."""
        if self.kind is ActorKind.SYSTEM:
            return SYSTEM.get(action)
        return fields_for(action, roles=self.roles, scopes=self.scopes)

    @property
    def sees_safe_contact(self) -> bool:
        """Whether the households that need safe contact are shown to this actor."""
        return Permission.SAFE_CONTACT in self.permissions

    @property
    def standing(self) -> str:
        """The roles, or the scopes of a machine, as the audit states them."""
        return ",".join(sorted(self.roles or self.scopes)) or self.kind.value


def system_actor(command: str, correlation_id: str = "") -> Actor:
    """Return the actor of one of the service's own commands."""
    return Actor(
        actor_id=f"system:{command}",
        kind=ActorKind.SYSTEM,
        display_name="earlyflag",
        correlation_id=correlation_id,
    )


@dataclass(frozen=True, slots=True)
class Rules:
    """The council's choices that casework keeps to."""

    offers: Mapping[str, str] = field(default_factory=dict)
    lookups_alert_at: int = 40
    lookups_stop_at: int = 80
    session_idle_minutes: int = 30
    session_hours: int = 10
    decided_within_days: int = 183
    disclosure_limit: int = 10

    @classmethod
    def of(cls, settings: Settings) -> Rules:
        """Return the rules that the settings hold."""
        return cls(
            offers={offer.code: offer.name for offer in settings.offers},
            lookups_alert_at=settings.lookups_alert_at,
            lookups_stop_at=settings.lookups_stop_at,
            session_idle_minutes=settings.session_idle_minutes,
            session_hours=settings.session_hours,
            disclosure_limit=settings.disclosure_limit,
        )


@dataclass(frozen=True, slots=True)
class Desk:
    """One request's transaction, person, instant and rules; every service takes it first."""

    unit: UnitOfWork
    actor: Actor
    now: datetime
    rules: Rules

    @property
    def today(self) -> date:
        """The day in London."""
        return london_day(self.now)

    def entry(
        self,
        action: str,
        *,
        household_id: str | None = None,
        subject: str | None = None,
        purpose: Purpose | None = None,
        detail: Mapping[str, Detail] | None = None,
    ) -> AuditEntry:
        """Return an audit entry of this actor at this instant."""
        return AuditEntry(
            at=self.now,
            actor_id=self.actor.actor_id,
            actor_kind=self.actor.kind,
            roles=self.actor.standing,
            action=action,
            correlation_id=self.actor.correlation_id,
            household_id=household_id,
            subject=subject,
            purpose=purpose,
            detail=detail or {},
        )


REFUSALS = (NotAllowed, NotFound, TooMany)


@contextmanager
def open_desk(engine: Engine, actor: Actor, *, now: datetime, rules: Rules) -> Iterator[Desk]:
    """Open a desk; what was done at it is committed with its audit, or undone together.

    A refusal is written to the audit too, in a transaction of its own, and so is a look at a
    household that does not exist, or not for this actor; being asked for a purpose is none.
    """
    try:
        with begin(engine) as unit:
            yield Desk(unit, actor, now, rules)
    except PurposeMissing:
        raise
    except REFUSALS as refusal:
        write_refusal(engine, actor, refusal, now=now, rules=rules)
        raise


def write_refusal(
    engine: Engine, actor: Actor, refusal: Exception, *, now: datetime, rules: Rules
) -> None:
    """Write that somebody was refused, in a transaction of its own.

    What was only not found is written where it was a household.
    """
    if isinstance(refusal, NotFound) and not refusal.is_audited:
        return
    household_id = refusal.household_id if isinstance(refusal, NotFound) else None
    detail = {"error": type(refusal).__name__}
    with begin(engine) as unit:
        refused = Desk(unit, actor, now, rules)
        unit.audit.append(refused.entry("refused", household_id=household_id, detail=detail))
