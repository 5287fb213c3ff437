"""Publish a scoring run and raise flags from it: the top of the list, a seeded share, a holdback.

Every household that is left out is counted under its reason.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Engine

from earlyflag.casework.desk import Actor, Desk, Rules, open_desk
from earlyflag.casework.guarding import guard_open_flags
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.casework.suppressing import settle_suppressions
from earlyflag.casework.webhooks import RAISED, announce
from earlyflag.core.errors import InputInvalid, StepMissing
from earlyflag.core.terms import (
    Band,
    HouseholdRecord,
    Score,
    ScoringRun,
    SuppressionRecord,
    TimelineEvent,
)
from earlyflag.store.audit import AuditEntry
from earlyflag.store.publishing import Advance, publish_run
from earlyflag.store.records import Flag, PilotArm, RunRecord, ScoreDetail, new_id
from earlyflag.store.terms import Arm, FlagOrigin, FlagState, SuppressionKind

DAYS_TO_TAKE = 7


@dataclass(frozen=True, slots=True)
class Candidate:
    """A household that may be flagged, with its score."""

    household_id: str
    probability: float
    band: Band
    rank: int


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
    repeated : the run's flags had been raised before; nothing was done
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
    done = desk.unit.borough.raising(run.run_key)
    if done is not None:
        return replace(RaisingSummary(**done), repeated=True)
    guard_open_flags(desk, never_held_back)
    plan = _Plan(desk, run, seed, holdback_share, frozenset(never_held_back), left_out or {})
    explored = round(capacity * explore_share)
    rest = plan.take_top(capacity - explored)
    plan.explore(rest, explored)
    plan.write()
    summary = RaisingSummary(
        run_id=run_id,
        capacity=capacity,
        seed=seed,
        explore_share=explore_share,
        holdback_share=holdback_share,
        flagged=plan.count(FlagState.WAITING),
        explored=sum(flag.origin is FlagOrigin.EXPLORE for flag in plan.flags),
        held_back=plan.count(FlagState.HELD_BACK),
        guarded=plan.guarded,
        excluded=dict(sorted(plan.excluded.items())),
    )
    entry = desk.entry(
        "flags_raised",
        subject=run_id,
        detail={"capacity": capacity, "count": summary.flagged, "as_of": run.as_of.isoformat()},
    )
    desk.unit.borough.add_raising(run.run_key, asdict(summary), now=desk.now, audit=entry)
    return summary


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


def _draw(seed: int, purpose: str, household_id: str) -> float:
    """Return a number in [0, 1) that depends on nothing but these three."""
    digest = hashlib.sha256(f"{seed}|{purpose}|{household_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


class _Plan:
    """What one raising is about to write."""

    def __init__(
        self,
        desk: Desk,
        run: RunRecord,
        seed: int,
        holdback_share: float,
        never_held_back: frozenset[str],
        left_out: Mapping[str, str],
    ) -> None:
        self.desk = desk
        self.run = run
        self.seed = seed
        self.holdback_share = holdback_share
        self.never_held_back = never_held_back
        self.left_out = left_out
        self.flags: list[Flag] = []
        self.arms: list[PilotArm] = []
        self.excluded: Counter[str] = Counter()
        self.guarded = 0
        unit = desk.unit
        self._known_arms = unit.borough.pilot_arms()
        self._suppressed = unit.suppressions.households_on(desk.today)
        self._alerted = {alert.household_id for alert in unit.cases.all_alerts()}
        self._live = unit.flags.live_households()
        self._decided = unit.cases.households_decided_since(
            desk.now - timedelta(days=desk.rules.decided_within_days)
        )

    def _why_not(self, household_id: str) -> str | None:
        """Return why a household is left out, or None."""
        kinds = self._suppressed.get(household_id, frozenset()) - {SuppressionKind.SAFE_CONTACT}
        if kinds:
            return f"suppressed_{min(kinds)}"
        if household_id in self._live:
            return "open_flag"
        if household_id in self._decided:
            return "decided_lately"
        return self.left_out.get(household_id)

    def take_top(self, wanted: int) -> Iterator[Candidate]:
        """Flag the highest households until the team's list is full; return the rest."""
        ranked = (Candidate(*row) for row in self.desk.unit.borough.ranked(self.run.run_key))
        listed = 0
        while listed < wanted:
            candidate = next(ranked, None)
            if candidate is None:
                break
            why_not = self._why_not(candidate.household_id)
            if why_not is not None:
                self.excluded[why_not] += 1
                continue
            arm = self._arm(candidate.household_id)
            state = FlagState.HELD_BACK if arm is Arm.HOLDBACK else FlagState.WAITING
            self.flags.append(self._flag(candidate, FlagOrigin.TOP, state))
            listed += state is FlagState.WAITING
        return ranked

    def explore(self, rest: Iterator[Candidate], wanted: int) -> None:
        """Flag households drawn by the seed from below the line."""
        if wanted == 0:
            return
        held = {known.household_id for known in self._known_arms.values() if _is_held(known)}
        drawn = sorted(
            (candidate for candidate in rest if candidate.household_id not in held),
            key=lambda one: _draw(self.seed, "explore", one.household_id),
        )
        eligible = (one for one in drawn if self._why_not(one.household_id) is None)
        for _, candidate in zip(range(wanted), eligible, strict=False):
            self.flags.append(self._flag(candidate, FlagOrigin.EXPLORE, FlagState.WAITING))

    def _arm(self, household_id: str) -> Arm:
        """Return a household's arm in the pilot: the one it has, or one drawn by the seed."""
        if self.holdback_share == 0:
            return Arm.OFFER
        guarded = (
            household_id in self.never_held_back
            or household_id in self._suppressed
            or household_id in self._alerted
        )
        known = self._known_arms.get(household_id)
        if known is not None:
            held = _is_held(known)
        else:
            held = _draw(self.seed, "holdback", household_id) < self.holdback_share
            self.arms.append(
                PilotArm(
                    household_id=household_id,
                    run_key=self.run.run_key,
                    as_of=self.run.as_of,
                    arm=Arm.HOLDBACK if held and not guarded else Arm.OFFER,
                    randomised=not guarded,
                    assigned_at=self.desk.now,
                )
            )
        if held and guarded:
            self.guarded += 1
            return Arm.OFFER
        return Arm.HOLDBACK if held else Arm.OFFER

    def _flag(self, candidate: Candidate, origin: FlagOrigin, state: FlagState) -> Flag:
        household_id = candidate.household_id
        day = self.desk.today
        return Flag(
            flag_id=new_id("F"),
            household_id=household_id,
            run_key=self.run.run_key,
            as_of=self.run.as_of,
            origin=origin,
            state=state,
            version=1,
            rank=candidate.rank,
            probability=candidate.probability,
            band=candidate.band,
            first_reason="",
            second_reason="",
            ward_code=None,
            tenure="",
            safe_contact=household_id in self._suppressed,
            without_collection=household_id in self.never_held_back,
            assignee_id=None,
            raised_at=self.desk.now,
            changed_at=self.desk.now,
            last_action="raised",
            next_action="take",
            next_action_on=day + timedelta(days=DAYS_TO_TAKE),
            paused_until=None,
            pause_reason=None,
            decision_code=None,
            decided_at=None,
        )

    def count(self, state: FlagState) -> int:
        """Return how many planned flags are in a state."""
        return sum(flag.state is state for flag in self.flags)

    def write(self) -> None:
        """Write the flags with the first two reasons of their scores, their arms, their audit."""
        borough = self.desk.unit.borough
        places = borough.places([flag.household_id for flag in self.flags])
        self.flags = [self._told(flag, places) for flag in self.flags]
        borough.add_pilot_arms(self.arms)
        entries = [
            self.desk.entry(
                "flag_raised",
                household_id=flag.household_id,
                subject=flag.flag_id,
                detail={"origin": flag.origin, "run_id": self.run.run_id, "band": flag.band},
            )
            for flag in self.flags
        ]
        self.desk.unit.flags.add(self.flags, entries)
        announce(self.desk, RAISED, (f for f in self.flags if f.state is FlagState.WAITING))

    def _told(self, flag: Flag, places: Mapping[str, tuple[str | None, str]]) -> Flag:
        borough = self.desk.unit.borough
        detail = borough.score_detail(flag.household_id, self.run.run_id)
        first, second = first_reasons(detail)
        ward_code, tenure = places.get(flag.household_id, (None, ""))
        return replace(
            flag, first_reason=first, second_reason=second, ward_code=ward_code, tenure=tenure
        )


def _is_held(arm: PilotArm) -> bool:
    return arm.arm is Arm.HOLDBACK and arm.released_at is None


def first_reasons(detail: ScoreDetail | None) -> tuple[str, str]:
    """Return the sentences of the two reasons that raised a score most, or blanks."""
    reasons = sorted(
        detail.reasons if detail else (), key=lambda reason: reason.contribution, reverse=True
    )
    sentences = [reason.sentence for reason in reasons if reason.contribution > 0][:2]
    first, second = [*sentences, "", ""][:2]
    return first, second
