"""The glossary as types: what the data wing and the casework wing say to each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Protocol

NO_EFFECT = 0.005
"""A contribution in log-odds that moves the odds by less than half a percent."""

LARGEST_EFFECT = 20.0
"""Beyond this the factor is not worth telling apart."""


class Band(StrEnum):
    """What an officer sees in place of a bare number. Bands rank offers, never people."""

    HIGHEST = "highest"
    HIGH = "high"
    RAISED = "raised"
    USUAL = "usual"


class Direction(StrEnum):
    """Whether a reason moved the score up or down."""

    RAISES = "raises"
    LOWERS = "lowers"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One dated source row behind a reason. Dates are days; money is whole pence.

    `rank` is the row's stage on its table's ladder, where it has one. It dates a sentence when it
    is written; it is neither kept nor compared.
    """

    table: str
    reference: str
    happened_on: date
    known_on: date
    text: str
    amount_pence: int | None = None
    rank: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Reason:
    """Related features gathered into one sentence an officer can say aloud.

    `contribution` is in calibrated log-odds: the contributions of all reasons and the base add
    up to the log-odds of the probability that is shown.
    """

    key: str
    title: str
    sentence: str
    direction: Direction
    contribution: float
    features: tuple[str, ...]
    evidence: tuple[Evidence, ...] = ()

    @property
    def effect(self) -> str:
        """How much the reason moved the estimate, in words: "raises the odds 2.7 times"."""
        if abs(self.contribution) < NO_EFFECT:
            return "leaves the odds as they are"
        factor = math.exp(min(abs(self.contribution), LARGEST_EFFECT))
        if self.contribution < 0:
            return f"lowers the odds by {min(99, max(1, round((1 - 1 / factor) * 100)))}%"
        if factor < 2:
            return f"raises the odds by {max(1, round((factor - 1) * 100))}%"
        return f"raises the odds {factor:,.1f} times"


@dataclass(frozen=True, slots=True)
class Change:
    """An actionable fact and the probability if it were different; information for an offer."""

    sentence: str
    features: tuple[str, ...]
    probability_after: float


@dataclass(frozen=True, slots=True)
class Score:
    """The estimated probability that one household is owed a duty within the horizon.

    Attributes
    ----------
    probability : calibrated, 0 to 1
    log_odds : of `probability`; equals `base_log_odds` plus the reasons' contributions
    rank : 1 is the highest score of the run
    unknowns : sentences on what is not known about the household
    """

    household_id: str
    as_of: date
    probability: float
    log_odds: float
    base_log_odds: float
    band: Band
    rank: int
    model_version: str
    reasons: tuple[Reason, ...] = ()
    unknowns: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What serving and casework need to know of a model; the card holds the rest."""

    name: str
    version: str
    family: str
    label: str
    horizon_months: int
    base_rate: float
    features: tuple[str, ...]
    data_hash: str
    specification_hash: str
    trained_to: date

    @property
    def full_version(self) -> str:
        """The name and version as every score states them."""
        return f"{self.name}/{self.version}"


@dataclass(frozen=True, slots=True)
class Member:
    """A person of a household as a page may show them, role permitting."""

    source: str
    person_ref: str
    name: str
    role: str
    date_of_birth: date | None = None


@dataclass(frozen=True, slots=True)
class HouseholdRecord:
    """Who and where a household is, as known at the data date; the page's heading."""

    household_id: str
    as_of: date
    uprn: str | None
    address: str
    postcode: str | None
    ward_code: str | None
    tenure: str
    account_refs: tuple[str, ...]
    tenancy_refs: tuple[str, ...]
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One dated line of a household's timeline."""

    household_id: str
    happened_on: date
    kind: str
    text: str
    source: str
    amount_pence: int | None = None


@dataclass(frozen=True, slots=True)
class SuppressionRecord:
    """A suppression, resolved to the household it covers (or to a person or UPRN alone)."""

    suppression_ref: str
    kind: str
    valid_from: date
    valid_to: date | None
    household_id: str | None
    uprn: str | None = None
    source: str | None = None
    person_ref: str | None = None


@dataclass(frozen=True, slots=True)
class ScoringRun:
    """One run of a model over the borough: what was scored, with what, and what was left out."""

    run_id: str
    as_of: date
    model: ModelInfo
    data_hash: str
    capacity: int
    scored: int
    cannot_score: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServingStatus:
    """What serves, what was promoted, and why they differ.

    Attributes
    ----------
    serving : the version that answers
    promoted : the version that should, or None if that cannot be read
    problem : why the promoted version does not serve, or what happened to its files since it was
        read; blank if all is well
    """

    serving: str
    promoted: str | None
    problem: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether the promoted version is the one that serves, and its files are sound."""
        return not self.problem


class LiveScorer(Protocol):
    """Scores rows of declared features at once, with exact reasons."""

    @property
    def model(self) -> ModelInfo:
        """The model that answers now."""
        ...

    def score(self, rows: Sequence[Mapping[str, float | None]]) -> Sequence[Score]:
        """Return one score a row, in order.

        Raises
        ------
        InputInvalid
            A row names an undeclared feature, or holds no finite number.
        """
        ...

    def status(self) -> ServingStatus:
        """Return what serves and whether it is what was promoted; for readiness."""
        ...


@dataclass(frozen=True, slots=True)
class InterventionRecord:
    """What was done for a household, as a row of the contract's table `interventions`."""

    intervention_ref: str
    uprn: str | None
    account_ref: str | None
    tenancy_ref: str | None
    happened_on: date
    kind: str
    arm: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision about a flag and whether the reviewer agreed with it, without any words."""

    household_id: str
    as_of: date
    origin: str
    band: Band
    code: str
    decided_on: date
    agrees: bool | None
    why: str | None


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """An early alert, as a row of the contract's table `tenancy_events`."""

    event_ref: str
    uprn: str | None
    tenancy_ref: str | None
    happened_on: date
    known_on: date
    kind: str


@dataclass(frozen=True, slots=True)
class PilotRecord:
    """The arm of the pilot that a household was put in, and whether by chance."""

    household_id: str
    as_of: date
    arm: str
    randomised: bool


@dataclass(frozen=True, slots=True)
class JourneyRecord:
    """How far a listed household came: whether somebody reached it, and whether help began."""

    household_id: str
    as_of: date
    contacted: bool
    helped: bool
