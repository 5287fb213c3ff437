"""From a labelled feature frame to the arrays that estimators take."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from earlyflag.core.errors import SpecificationInvalid, UndeclaredFeature
from earlyflag.modelling.specification import PROTECTED, Specification

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled rows as aligned arrays.

    Attributes
    ----------
    place : shape (n,); each row's position in the frame
    households : shape (n,); integer codes
    as_of : shape (n,), datetime64[D]
    matrix : shape (n, n_features), float32; NaN is not known
    label : shape (n,); 0 or 1
    weight : shape (n,); how many rows of the population a row stands for
    helped : shape (n,); whether the household was helped within the horizon
    fold : shape (n,); all rows of one household share it
    """

    place: np.ndarray
    households: np.ndarray
    as_of: np.ndarray
    matrix: np.ndarray
    label: np.ndarray
    weight: np.ndarray
    helped: np.ndarray
    fold: np.ndarray

    def __len__(self) -> int:
        return len(self.label)

    def take(self, chosen: np.ndarray) -> Rows:
        """Return the chosen rows, by mask or position."""
        names = Rows.__slots__
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})


def choose_features(
    specification: Specification, columns: Iterable[str], catalogue: Mapping[str, Any]
) -> tuple[tuple[str, ...], list[str]]:
    """Return the features to train on, in catalogue order, and notes on what was left out.

    Raises
    ------
    UndeclaredFeature
        The specification names a feature or group that the catalogue does not have.
    SpecificationInvalid
        A feature is a protected characteristic or an audit group.
    """
    asked = specification.features
    groups = {feature.group for feature in catalogue.values()}
    unknown = [name for name in asked.include if name not in catalogue]
    unknown += [pattern for pattern in asked.exclude if not fnmatch.filter(catalogue, pattern)]
    unknown += [group for group in asked.groups or () if group not in groups]
    if unknown:
        raise UndeclaredFeature(
            f"The specification names {len(unknown)} features or groups that the catalogue does "
            f"not declare (first: {unknown[0]}). See docs/reference/features.md."
        )
    wanted = [
        name
        for name, feature in catalogue.items()
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in asked.exclude)
        and (
            name in asked.include
            or (asked.groups is None and not asked.include)
            or feature.group in (asked.groups or ())
        )
    ]
    audited = {name.casefold() for name in (*PROTECTED, *specification.audit.groups)}
    forbidden = [name for name in wanted if name.casefold() in audited]
    if forbidden:
        raise SpecificationInvalid(
            f"{forbidden[0]} is declared as a feature but is for the fairness audit alone. "
            "Take it out of the catalogue, or name it in features.exclude."
        )
    present = set(columns)
    chosen = tuple(name for name in wanted if name in present)
    absent = [name for name in wanted if name not in present]
    notes = [f"{len(absent)} declared features are not in the data: {', '.join(absent[:12])}"]
    if not chosen:
        raise UndeclaredFeature("None of the features that the specification names is in the data.")
    return chosen, notes if absent else []


def select(
    specification: Specification,
    frame: pd.DataFrame,
    features: tuple[str, ...],
    cut_offs: Iterable[date],
    *,
    part: str,
) -> Rows:
    """Return the eligible rows of some cut-offs.

    Excluded rows and rows without a known label never enter. Helped and censored rows enter as
    the specification says. With `households_apart` a household trains or tests, never both.
    For `part="train"` rows without the event may be sampled; `weight` then says for how many
    each stands.
    """
    import pandas as pd

    as_of = frame["as_of"].to_numpy().astype("datetime64[D]")
    label = frame["label"].to_numpy(dtype=np.float64, na_value=np.nan)
    keep = np.isin(as_of, np.array(sorted(cut_offs), dtype="datetime64[D]")) & np.isfinite(label)
    if "excluded" in frame:
        excluded = frame["excluded"]
        keep &= (excluded.isna() | excluded.isin([False, ""])).to_numpy()
    helped = _flag(frame, "helped")
    if specification.helped == "leave_out" or (specification.helped == "model" and part == "test"):
        keep &= ~helped  # what would have happened to them without help is not known
    if specification.censored == "leave_out":
        keep &= ~(_flag(frame, "censored") & (label == 0))
    codes, names = pd.factorize(frame["household_id"])
    if specification.households_apart is not None:
        tests = _hashed(names, "apart", specification.seed) < specification.households_apart
        keep &= tests[codes] if part == "test" else ~tests[codes]
    place = np.flatnonzero(keep)
    weight = np.ones(len(place))
    if part == "train":
        place, weight = _sampled(place, label[place], specification)
        if specification.helped == "weight":
            weight = np.where(helped[place], specification.helped_weight * weight, weight)
    fold = (_hashed(names, "fold", specification.seed) * specification.folds).astype(np.int64)
    return Rows(
        place=place,
        households=codes[place],
        as_of=as_of[place],
        matrix=matrix(frame, features, place),
        label=label[place],
        weight=weight,
        helped=helped[place],
        fold=fold[codes[place]],
    )


def matrix(frame: pd.DataFrame, features: tuple[str, ...], place: np.ndarray) -> np.ndarray:
    """Return features of the chosen rows as float32, shape (len(place), n_features)."""
    result = np.empty((len(place), len(features)), dtype=np.float32)
    for column, name in enumerate(features):
        result[:, column] = frame[name].to_numpy(dtype=np.float32, na_value=np.nan)[place]
    return result


def _flag(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return a yes-or-no column, all no where the frame does not have it."""
    if name not in frame:
        return np.zeros(len(frame), dtype=bool)
    return frame[name].fillna(False).to_numpy(dtype=bool)


def _hashed(names: Any, purpose: str, seed: int) -> np.ndarray:
    """Return a number in [0, 1) for each household, the same on every machine and day."""
    import pandas as pd

    texts = pd.Series(names).astype(str).to_numpy(dtype=object)
    key = f"{purpose}{seed}".ljust(16, "-")[:16]
    hashed = pd.util.hash_array(texts, hash_key=key, categorize=False)
    return (hashed >> np.uint64(11)).astype(np.float64) / 2.0**53


def _sampled(
    place: np.ndarray, label: np.ndarray, specification: Specification
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to train on and their weights, rows without the event sampled if asked."""
    events = int(label.sum())
    others = len(label) - events
    ratio = specification.negatives_per_event
    if ratio is None or others <= ratio * max(events, 1):
        return place, np.ones(len(place))
    share = ratio * max(events, 1) / others
    drawn = np.random.default_rng(specification.seed).random(len(label)) < share
    keep = drawn | (label == 1)
    return place[keep], np.where(label[keep] == 1, 1.0, 1.0 / share)
