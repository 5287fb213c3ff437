"""Publish a scoring run and raise flags from it: the top of the list, a seeded share, a holdback.

Every household that is left out is counted under its reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from sqlalchemy import Engine

from earlyflag.casework.choosing import Plan
from earlyflag.casework.desk import Actor, Desk, Rules, open_desk
from earlyflag.casework.guarding import guard_open_flags
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.casework.suppressing import settle_suppressions
from earlyflag.core.errors import InputInvalid, StepMissing
from earlyflag.core.terms import (
    HouseholdRecord,
    Score,
    ScoringRun,
    SuppressionRecord,
    TimelineEvent,
)
from earlyflag.store.audit import AuditEntry, Detail
from earlyflag.store.publishing import Advance, publish_run
from earlyflag.store.records import RunRecord
from earlyflag.store.terms import FlagOrigin, FlagState


@dataclass(frozen=True, slots=True)
class RaisingSummary:
    """What one raising of flags did.

    Attributes
    ----------
    flagged : flags that the team sees, of the top and of the seeded share
    explored : of these, chosen by the seed outside the top
    held_back : households of the pilot's holdback, recorded and shown to nobody
    guarded : households that chance would have held back, but a live notice, order, breathing
        space, alert or safe contact forbade it
    excluded : households above the line that were left out, by reason
    passed_over : households below the line that the seed drew and that were left out, by reason
    added : flags of `flagged` that this raising added
    widened_from : the capacity before, where a larger one was asked for of the same run
    repeated : the run's flags had been raised before for as many or more; nothing was done, and
        `capacity` is the one that stands
    """

    run_id: str
    capacity: int
    seed: int
    explore_share: float
    holdback_share: float
    flagged: int
    explored: int
    held_back: int
    guarded: int
    excluded: Mapping[str, int]
    passed_over: Mapping[str, int] = field(default_factory=dict)
    added: int = 0
    widened_from: int | None = None
    repeated: bool = False


def publish(
    engine: Engine,
    actor: Actor,
    run: ScoringRun,
    scores: Iterable[Score],
    households: Iterable[HouseholdRecord],
    timelines: Iterable[TimelineEvent] = (),
    suppressions: Iterable[SuppressionRecord] = (),
    *,
    now: datetime,
    rules: Rules,
    advance: Advance | None = None,
) -> bool:
    """Write a scoring run and bring flags in line with suppressions; False if it was there.

    See `store.publish_run` for the parameters.

    Raises
    ------
    Conflict
        Another run has this identifier, or scores are missing.
    """
    check_may(actor, Action.PUBLISH)
    entry = AuditEntry(
        at=now,
        actor_id=actor.actor_id,
        actor_kind=actor.kind,
        roles=actor.standing,
        action="run_published",
        correlation_id=actor.correlation_id,
        subject=run.run_id,
        detail={
            "model_version": run.model.full_version,
            "count": run.scored,
            "as_of": run.as_of.isoformat(),
        },
    )
    fresh = publish_run(
        engine,
        run,
        scores,
        households,
        timelines,
        suppressions,
        now=now,
        audit=entry,
        advance=advance,
    )
    with open_desk(engine, actor, now=now, rules=rules) as desk:
        settle_suppressions(desk)
    return fresh


def raise_flags(
    desk: Desk,
    run_id: str,
    *,
    capacity: int,
    explore_share: float = 0.0,
    holdback_share: float = 0.0,
    seed: int = 0,
    never_held_back: Collection[str] = (),
    left_out: Mapping[str, str] | None = None,
) -> RaisingSummary:
    """Raise flags for the `capacity` highest households of a run that may be flagged.

    Left out, each counted: suppressed households (those that need safe contact are flagged, to
    holders of the permission), those with an open flag, those decided about lately. A share of
    the capacity is drawn by the seed from below the line, for learning. Under a pilot, a share of
    the top is held back at random, once and for good; the team's list is still filled.

    Raised again, the same capacity or a smaller one changes nothing: a flag is never taken back
    because the list got shorter. A larger one raises the flags down to the new line, with the seed
    and the shares that the run began with.

    Parameters
    ----------
    never_held_back : collection of str
        Households with a live notice, order or breathing space: never held back, and contacted
        without collection; those that were held back before are released.
    left_out : mapping of str to str
        Households that the homelessness service works with already, and why they are left out.

    Raises
    ------
    StepMissing
        No published run has this identifier.
    InputInvalid
        The capacity or a share is out of range.
    """
    check_may(desk.actor, Action.RAISE_FLAGS)
    run = desk.unit.borough.run(run_id)
    if run is None:
        raise StepMissing(f"No run {run_id} is published. Run: earlyflag score")
    _check_range(capacity, explore_share, holdback_share)
    begun = RaisingSummary(
        run_id, capacity, seed, explore_share, holdback_share,
        flagged=0, explored=0, held_back=0, guarded=0, excluded={},
    )  # fmt: skip
    done = desk.unit.borough.raising(run.run_key)
    if done is not None:
        begun = replace(RaisingSummary(**done), added=0, widened_from=None)
        if capacity <= begun.capacity:
            return replace(begun, repeated=True)
    guard_open_flags(desk, never_held_back)
    already = desk.unit.flags.raised_from(run.run_key) if done is not None else {}
    plan = Plan(
        desk, run, begun.seed, begun.holdback_share, frozenset(never_held_back), left_out or {},
        already,
    )  # fmt: skip
    explored = round(capacity * begun.explore_share)
    rest = plan.take_top(capacity - explored)
    plan.explore(rest, explored - begun.explored)
    plan.write()
    summary = _after(plan, begun, capacity, is_widened=done is not None)
    _keep(desk, run, summary)
    return summary


def _after(plan: Plan, begun: RaisingSummary, capacity: int, *, is_widened: bool) -> RaisingSummary:
    """Return what stands after a plan was written: what stood before, and what it added."""
    added = plan.count(FlagState.WAITING)
    drawn = sum(flag.origin is FlagOrigin.EXPLORE for flag in plan.flags)
    return replace(
        begun,
        capacity=capacity,
        flagged=begun.flagged + added,
        explored=begun.explored + drawn,
        held_back=begun.held_back + plan.count(FlagState.HELD_BACK),
        guarded=begun.guarded + plan.guarded,
        excluded=dict(sorted(plan.excluded.items())),
        passed_over=dict(sorted(plan.passed_over.items())),
        added=added,
        widened_from=begun.capacity if is_widened else None,
    )


def _keep(desk: Desk, run: RunRecord, summary: RaisingSummary) -> None:
    """Write the summary in place of the run's earlier one, with its row in the audit."""
    detail: dict[str, Detail] = {
        "capacity": summary.capacity,
        "count": summary.added,
        "as_of": run.as_of.isoformat(),
    }
    action = "flags_raised"
    if summary.widened_from is not None:
        action = "list_widened"
        detail["widened_from"] = summary.widened_from
    entry = desk.entry(action, subject=run.run_id, detail=detail)
    desk.unit.borough.put_raising(run.run_key, asdict(summary), now=desk.now, audit=entry)


def _check_range(capacity: int, explore_share: float, holdback_share: float) -> None:
    if capacity < 1:
        raise InputInvalid(
            f"Got a capacity of {capacity}, but expected 1 or more.",
            "capacity",
            expected="1 or more",
            got=str(capacity),
        )
    for name, share in (("explore_share", explore_share), ("holdback_share", holdback_share)):
        if not 0 <= share <= 0.5:
            raise InputInvalid(
                f"Got {share}, but expected 0 to 0.5.", name, expected="0 to 0.5", got=str(share)
            )
