"""The model specification: what people decide about a model, in one short YAML file."""

from __future__ import annotations

import difflib
import hashlib
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from earlyflag.core.clock import add_months
from earlyflag.core.errors import SpecificationInvalid, WindowsOverlap

PROTECTED = frozenset(
    {
        "age_band",
        "disability",
        "ethnic_group",
        "ethnicity",
        "gender",
        "gender_reassignment",
        "marital_status",
        "pregnancy",
        "race",
        "religion",
        "sex",
        "sexual_orientation",
    }
)
"""Names that are for the fairness audit alone, whatever a specification says."""

SETTINGS: dict[str, dict[str, float | int | None]] = {
    "logistic": {"knots": 6, "penalty": 1.0},
    "lightgbm": {
        "leaves": 8,
        "rounds": 400,
        "learning_rate": 0.04,
        "l2": 50.0,
        "child_weight": 5.0,
        "child_rows": 50,
        "feature_share": 0.5,
        "row_share": 0.8,
        "random_splits": 0,
    },
}
"""The settings of each family, the simplest family first, with their defaults."""

FAMILIES = tuple(SETTINGS)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Label(_Part):
    """The event to foresee, within a horizon counted from the cut-off."""

    event: str = "owed_duty"
    kind: str | None = None
    horizon_months: int | None = Field(None, ge=1, le=36)
    horizon_days: int | None = Field(None, ge=1, le=1100)
    from_state: str | None = None

    @model_validator(mode="after")
    def _one_horizon(self) -> Label:
        if (self.horizon_months is None) == (self.horizon_days is None):
            raise ValueError("give either horizon_months or horizon_days")
        return self

    def ends(self, as_of: date) -> date:
        """Return the first day after the horizon that starts at `as_of`."""
        if self.horizon_days is not None:
            return as_of + timedelta(days=self.horizon_days)
        return add_months(as_of, self.horizon_months or 0)

    @property
    def horizon(self) -> str:
        """The horizon in words."""
        if self.horizon_days is not None:
            return f"{self.horizon_days} days"
        return f"{self.horizon_months} months"


class CutOffs(_Part):
    """Which `as_of` dates train and which test: named, or counted back from the data's end."""

    train: tuple[date, ...] | None = None
    test: tuple[date, ...] | None = None
    test_count: int = Field(4, ge=1)
    test_every_months: int = Field(2, ge=1)
    train_every_months: int = Field(3, ge=1)
    train_count: int = Field(24, ge=1)
    history_months: int = Field(12, ge=0)

    @model_validator(mode="after")
    def _both_or_none(self) -> CutOffs:
        if (self.train is None) != (self.test is None):
            raise ValueError("name both train and test cut-offs, or neither")
        return self


class Features(_Part):
    """Which declared features the model may use: all, or those of groups and those named.

    `exclude` takes names and patterns such as `council_tax_*_lag*`.
    """

    groups: tuple[str, ...] | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class Range(_Part):
    """The range that a search tries for one setting."""

    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _rising(self) -> Range:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError("low must be below high (and above 0 where log is true)")
        return self


class Candidate(_Part):
    """A family of estimators with its settings and, where it is searched, their ranges."""

    family: Literal["logistic", "lightgbm"]
    settings: dict[str, float] = Field(default_factory=dict)
    search: dict[str, Range] = Field(default_factory=dict)
    trials: int = Field(0, ge=0)
    minutes: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _known_settings(self) -> Candidate:
        known = SETTINGS[self.family]
        for place in ("settings", "search"):
            for key in getattr(self, place):
                if key not in known:
                    raise ValueError(_unknown(f"{place}.{key}", key, known))
        if self.trials and not self.search:
            raise ValueError("trials are asked for, but search names no setting")
        return self

    @property
    def complete(self) -> dict[str, Any]:
        """The settings with the family's defaults filled in."""
        return {**SETTINGS[self.family], **self.settings}


class Audit(_Part):
    """What the fairness audit compares. Never features."""

    groups: tuple[str, ...] = (
        "ethnic_group",
        "sex",
        "disability",
        "age_band",
        "tenure",
        "ward_code",
        "household_type",
        "linkage_quality",
    )
    intersections: tuple[tuple[str, str], ...] = (("ethnic_group", "sex"), ("sex", "disability"))
    disclosure_limit: int = Field(10, ge=2)


class Promotion(_Part):
    """When the gate refuses a model."""

    observed_over_expected: tuple[float, float] = (0.75, 1.33)
    calibration_slope: tuple[float, float] = (0.7, 1.4)
    recall_ratio_at_least: float = Field(0.5, ge=0, le=1)
    group_calibration: tuple[float, float] = (0.5, 2.0)
    single_feature_share: float = Field(0.5, gt=0, le=1)
    auc_ceiling: float = Field(0.95, gt=0.5, le=1)
    delayed_keeps: float = Field(0.6, ge=0, le=1)

    @model_validator(mode="after")
    def _rising(self) -> Promotion:
        for name in ("observed_over_expected", "calibration_slope", "group_calibration"):
            low, high = getattr(self, name)
            if not low < high:
                raise ValueError(f"{name} must give the lower bound first")
        return self


class Specification(_Part):
    """A model specification, read from YAML and checked whole before anything is computed."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = ""
    purpose: str = ""
    not_for: tuple[str, ...] = ()
    label: Label
    cut_offs: CutOffs = CutOffs()
    data_until: date | None = None
    households_apart: float | None = Field(None, gt=0, lt=1)
    capacities: tuple[int, ...] = (50, 100, 200)
    features: Features = Features()
    candidates: tuple[Candidate, ...] = (
        Candidate(family="logistic"),
        Candidate(family="lightgbm"),
    )
    folds: int = Field(4, ge=2, le=20)
    negatives_per_event: float | None = Field(None, ge=1)
    replicates: int = Field(200, ge=20, le=5000)
    helped: Literal["keep", "leave_out", "weight", "model"] = "leave_out"
    helped_weight: float = Field(0.5, ge=0, le=1)
    censored: Literal["keep", "leave_out"] = "keep"
    audit: Audit = Audit()
    slices: tuple[str, ...] = (
        "tenure",
        "in_arrears",
        "first_time",
        "reason_for_loss",
        "linkage_quality",
    )
    rules: dict[str, str] = Field(default_factory=dict)
    promotion: Promotion = Promotion()
    catalogue: str | None = None
    seed: int = 7

    @model_validator(mode="after")
    def _audit_stays_audit(self) -> Specification:
        asked = set(self.features.include)
        for name in sorted(asked & (PROTECTED | set(self.audit.groups))):
            raise ValueError(
                f"features.include names {name}, which is for the fairness audit alone: "
                "take it out of features.include"
            )
        if not self.capacities or min(self.capacities) < 1:
            raise ValueError("capacities must name at least one length of the list, 1 or more")
        families = [candidate.family for candidate in self.candidates]
        if len(families) != len(set(families)) or not families:
            raise ValueError("candidates must name each family once, and at least one")
        return self

    @model_validator(mode="after")
    def _windows_apart(self) -> Specification:
        train, test = self.cut_offs.train, self.cut_offs.test
        if train is None or test is None:
            return self
        if not train or not test:
            raise ValueError("cut_offs.train and cut_offs.test must each name at least one date")
        first = min(test)
        overlapping = [each for each in train if self.label.ends(each) > first]
        if overlapping:
            raise _Overlap(
                f"{len(overlapping)} of {len(train)} training cut-offs overlap the test: with a "
                f"horizon of {self.label.horizon}, the label of {max(overlapping)} is known only "
                f"on {self.label.ends(max(overlapping))}, after the first test cut-off {first}. "
                "End cut_offs.train earlier or start cut_offs.test later."
            )
        if self.data_until:
            check_finished(self.label, max(test), self.data_until)
        return self

    @classmethod
    def load(cls, path: Path | str) -> Specification:
        """Read a specification.

        Raises
        ------
        SpecificationInvalid
            The file is no YAML mapping, a key is unknown or contradicts another, or an audit
            group is used as a feature.
        WindowsOverlap
            A training label would be known only after the first test cut-off.
        HorizonUnfinished
            The last test label is not yet known at `data_until`.
        """
        path = Path(path)
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise SpecificationInvalid(f"There is no specification at {path}.") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise SpecificationInvalid(f"{path} is not valid YAML: {error}.") from error
        if not isinstance(content, dict):
            raise SpecificationInvalid(
                f"{path} must hold keys and values, at least name and label."
            )
        return cls.of(content, where=str(path))

    @classmethod
    def of(cls, content: dict[str, Any], *, where: str = "The specification") -> Specification:
        """Return the specification that a mapping declares; `where` opens any refusal."""
        try:
            return cls.model_validate(content)
        except _Overlap as error:
            raise WindowsOverlap(f"{where}: {error}") from error
        except ValidationError as error:
            raise SpecificationInvalid(f"{where}: {readable(cls, error)}") from error

    @property
    def content_hash(self) -> str:
        """SHA-256 of the specification's content; it changes with any decision in it."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()


class _Overlap(Exception):
    """Carries an overlap through pydantic, which would turn a ValueError into a list."""


def check_finished(label: Label, as_of: date, data_until: date) -> None:
    """Refuse a cut-off whose label is not yet known.

    Raises
    ------
    HorizonUnfinished
        The horizon that starts at `as_of` ends after `data_until`.
    """
    from earlyflag.core.errors import HorizonUnfinished

    if label.ends(as_of) > data_until + timedelta(days=1):
        raise HorizonUnfinished(
            f"The test cut-off {as_of} has a horizon of {label.horizon} that ends on "
            f"{label.ends(as_of)}, but the data end on {data_until}. Take an earlier cut-off in "
            "cut_offs.test or a shorter horizon."
        )


def _unknown(place: str, key: str, known: Any) -> str:
    """Say that a key is unknown and which one was probably meant."""
    close = difflib.get_close_matches(key, list(known), n=1, cutoff=0.5)
    hint = f"did you mean {close[0]}?" if close else f"known keys: {', '.join(sorted(known))}"
    return f"{place} is not a key of a specification; {hint}"


def readable(model: type[BaseModel], error: ValidationError) -> str:
    """Return one sentence for each mistake, with the key and what to change."""
    sentences = []
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            known = _keys_at(model, item["loc"][:-1])
            sentences.append(_unknown(place, str(item["loc"][-1]), known))
        elif item["type"] == "missing":
            sentences.append(f"{place} is missing; add it")
        else:
            message = item["msg"].removeprefix("Value error, ")
            sentences.append(f"{place}: {message}" if place else message)
    said = "; ".join(sentences)
    return f"{said}{'' if said.endswith('?') else '.'} See docs/how-to/train-and-promote.md."


def _keys_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the specification has at a place."""
    parts: dict[str, type[BaseModel]] = {
        "label": Label, "cut_offs": CutOffs, "features": Features, "candidates": Candidate,
        "search": Range, "audit": Audit, "promotion": Promotion,
    }  # fmt: skip
    named = [str(part) for part in place if str(part) in parts]
    return list((parts[named[-1]] if named else model).model_fields)
