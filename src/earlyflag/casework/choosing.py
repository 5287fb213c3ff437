"""Choose who of a run is flagged: the top that may be, a seeded share below it, a holdback.

Every household that is left out or passed over is counted under its reason.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from earlyflag.casework.desk import Desk
from earlyflag.casework.webhooks import RAISED, announce
from earlyflag.core.terms import Band
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


def _draw(seed: int, purpose: str, household_id: str) -> float:
    """Return a number in [0, 1) that depends on nothing but these three."""
    digest = hashlib.sha256(f"{seed}|{purpose}|{household_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


class Plan:
    """What one raising is about to write.

    Parameters
    ----------
    already : the households that the run flagged earlier, for a smaller list, and why; None where
        the pilot holds one back
    """

    def __init__(
        self,
        desk: Desk,
        run: RunRecord,
        seed: int,
        holdback_share: float,
        never_held_back: frozenset[str],
        left_out: Mapping[str, str],
        already: Mapping[str, FlagOrigin | None] | None = None,
    ) -> None:
        self.desk = desk
        self.run = run
        self.seed = seed
        self.holdback_share = holdback_share
        self.never_held_back = never_held_back
        self.left_out = left_out
        self.already = already or {}
        self.flags: list[Flag] = []
        self.arms: list[PilotArm] = []
        self.excluded: Counter[str] = Counter()
        self.passed_over: Counter[str] = Counter()
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
        """Flag the highest households until the team's list is full; return the rest.

        Those that the run flagged already for the team stand in its list.
        """
        ranked = (Candidate(*row) for row in self.desk.unit.borough.ranked(self.run.run_key))
        listed = 0
        while listed < wanted:
            candidate = next(ranked, None)
            if candidate is None:
                break
            if candidate.household_id in self.already:
                listed += self.already[candidate.household_id] is FlagOrigin.TOP
                continue
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
        """Flag households drawn by the seed from below the line; count who was passed over."""
        if wanted <= 0:
            return
        held = {known.household_id for known in self._known_arms.values() if _is_held(known)}
        drawn = sorted(
            (candidate for candidate in rest if candidate.household_id not in self.already),
            key=lambda one: _draw(self.seed, "explore", one.household_id),
        )
        for candidate in drawn:
            is_held = candidate.household_id in held
            why_not = "held_back" if is_held else self._why_not(candidate.household_id)
            if why_not is not None:
                self.passed_over[why_not] += 1
                continue
            self.flags.append(self._flag(candidate, FlagOrigin.EXPLORE, FlagState.WAITING))
            wanted -= 1
            if wanted == 0:
                break

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
