"""Judge a trained model on the test cut-offs, beside every rule, and gather what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from earlyflag.evaluation import fairness, leakage
from earlyflag.evaluation.calibration import (
    calibration as calibration_of,
)
from earlyflag.evaluation.calibration import (
    probability,
    reliability,
)
from earlyflag.evaluation.drift import recentre, stability_index
from earlyflag.evaluation.estimates import Resamples, as_json
from earlyflag.evaluation.ranking import Measured, Ranked, measure
from earlyflag.modelling.baselines import RULES, Rule, declared_rules
from earlyflag.modelling.boosting import Boosted
from earlyflag.modelling.candidates import raw
from earlyflag.modelling.linear import SplineLogistic
from earlyflag.modelling.rows import Rows, matrix
from earlyflag.modelling.served import Calibration
from earlyflag.modelling.specification import Specification

if TYPE_CHECKING:
    import pandas as pd

EXPLAINED_ROWS = 2000
"""How many test rows are explained to find each feature's share of the model."""

SLICED_EVENTS = 10
"""A slice with fewer events has no ranking figures."""


@dataclass(frozen=True)
class Assessment:
    """What is judged, and on what. The fields are those of `training.fit`."""

    specification: Specification
    frame: pd.DataFrame
    test: Rows
    features: tuple[str, ...]
    log_odds: dict[str, np.ndarray]
    champion: str
    model: Boosted | SplineLogistic
    audit: pd.DataFrame | None = None
    truth: pd.DataFrame | None = None
    delayed: pd.DataFrame | None = None
    unlinked: Mapping[date, float] = field(default_factory=dict)
    train_matrix: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def resamples(self) -> Resamples:
        """The draws of households that every figure shares."""
        return Resamples(
            self.test.households, self.specification.replicates, self.specification.seed
        )

    @property
    def capacity(self) -> int:
        """The capacity that groups are compared at: 100 if it is asked for, else the middle one."""
        asked = sorted(self.specification.capacities)
        return 100 if 100 in asked else asked[len(asked) // 2]

    def ranked(self, score: np.ndarray, rows: np.ndarray | None = None) -> Ranked:
        """Return test rows in the order of a score."""
        chosen = slice(None) if rows is None else rows
        return Ranked(self.test.label[chosen], score[chosen], self.test.as_of[chosen])

    def measured(self, score: np.ndarray) -> Measured:
        """Return a score's figures, pooled over the test cut-offs."""
        missed = float(sum(self.unlinked.values()))
        capacities = list(self.specification.capacities)
        return measure(self.ranked(score), capacities, self.resamples, unlinked=missed)


def assess(given: Assessment) -> dict[str, Any]:
    """Return every finding as plain JSON content.

    Keys: capacity, performance, by_cut_off, families, rules, best_rule, oracle, calibration,
    calibration_latest, reliability, slices, fairness, leakage, importance, drift, unlinked,
    events_left_out, assessment_notes.
    """
    score = given.log_odds[given.champion]
    measured = {family: given.measured(each) for family, each in given.log_odds.items()}
    champion = measured[given.champion]
    rules, rule_notes = _rules(given)
    oracle = _oracle(given, champion)
    listed = given.ranked(score).listed(given.capacity)
    latest = given.test.as_of == given.test.as_of.max()
    audit, audit_notes = _audit_columns(given)
    importance = importance_shares(given.model, given.test.matrix, given.features)
    content = {
        "capacity": given.capacity,
        "performance": champion.values,
        "by_cut_off": _by_cut_off(given, score),
        "families": {family: each.values for family, each in measured.items()},
        "family_differences": {
            family: champion.minus(each, "average_precision")
            for family, each in measured.items()
            if family != given.champion
        },
        "rules": {rule.name: {"title": rule.title, **each.values} for rule, each in rules},
        "best_rule": _best_rule(rules, champion, given.capacity),
        "oracle": oracle,
        "calibration": calibration_of(score, given.test.label, given.resamples),
        "calibration_latest": calibration_of(
            score[latest],
            given.test.label[latest],
            Resamples(given.test.households[latest], given.specification.replicates),
        ),
        "reliability": reliability(score, given.test.label, given.resamples),
        "slices": _slices(given, score, listed, audit),
        "fairness": _fairness(given, score, listed, audit),
        "leakage": _alarms(given, score, champion, oracle, importance),
        "importance": importance,
        "drift": _drift(given),
        "unlinked": {str(each): count for each, count in given.unlinked.items()},
        "events_left_out": _events_left_out(given),
        "assessment_notes": [*rule_notes, *audit_notes],
    }
    return dict(as_json(content))


def recentred_for_serving(
    calibration: Calibration, log_odds: np.ndarray, test: Rows
) -> tuple[Calibration, dict[str, Any]]:
    """Return the calibration that serving applies: re-centred if the latest base rate drifted."""
    latest = test.as_of == test.as_of.max()
    checked = recentre(
        log_odds[latest], test.label[latest], test.households[latest],
        where=f"the latest finished cut-off ({test.as_of.max()})",
    )  # fmt: skip
    moved = Calibration(calibration.slope, calibration.intercept + checked.shift)
    return moved, {
        "sentence": checked.sentence,
        "shift": checked.shift,
        "observed_over_expected": checked.ratio.as_json(),
        "slope": moved.slope,
        "intercept": moved.intercept,
    }


def importance_shares(
    model: Boosted | SplineLogistic, rows: np.ndarray, names: tuple[str, ...]
) -> dict[str, float]:
    """Return each feature's share of the mean absolute contribution, the largest first."""
    sample = rows[:: max(1, len(rows) // EXPLAINED_ROWS)]
    if isinstance(model, Boosted):
        values = np.asarray(model.booster.predict(sample, pred_contrib=True))[:, :-1]
    else:
        values = model.contributions(sample)
    sizes = np.abs(values).mean(axis=0)
    shares = sizes / max(float(sizes.sum()), 1e-12)
    order = np.argsort(-shares, kind="stable")
    return {names[place]: float(shares[place]) for place in order}


def _by_cut_off(given: Assessment, score: np.ndarray) -> dict[str, Any]:
    """Return the champion's figures at each test cut-off by itself."""
    result = {}
    for cut_off in np.unique(given.test.as_of):
        rows = np.flatnonzero(given.test.as_of == cut_off)
        if given.test.label[rows].sum() < 1:
            continue
        draws = Resamples(given.test.households[rows], given.specification.replicates)
        missed = float(given.unlinked.get(cut_off.astype(object), 0.0))
        ranked = given.ranked(score, rows)
        values = measure(ranked, list(given.specification.capacities), draws, unlinked=missed)
        result[str(cut_off)] = {
            "n": len(rows),
            "events": int(given.test.label[rows].sum()),
            **values.values,
        }
    return result


def _rules(given: Assessment) -> tuple[list[tuple[Rule, Measured]], list[str]]:
    """Return each rule that the data allow with its figures, and notes on those they do not."""
    result, notes = [], []
    columns = set(given.frame.columns)
    for rule in (*RULES, *declared_rules(given.specification.rules)):
        absent = [name for name in rule.uses if name not in columns]
        if absent:
            notes.append(f"Rule left out: {rule.title} (the data lack {', '.join(absent)}).")
            continue
        values = {
            name: given.frame[name].to_numpy(dtype=np.float64, na_value=np.nan)[given.test.place]
            for name in rule.uses
        }
        score = rule.score(values, given.test.households, given.test.as_of)
        result.append((rule, given.measured(score)))
    return result, notes


def _best_rule(
    rules: list[tuple[Rule, Measured]], champion: Measured, capacity: int
) -> dict[str, Any] | None:
    """Return the simple rule with the highest average precision and how the model compares."""
    simple = [(rule, each) for rule, each in rules if rule.name != "random"]
    if not simple:
        return None
    rule, best = max(simple, key=lambda pair: pair[1].values["average_precision"].value)
    at = f"precision_at_{capacity}"
    return {
        "name": rule.name,
        "title": rule.title,
        "average_precision": best.values["average_precision"],
        "ratio": champion.over(best, "average_precision"),
        "difference": champion.minus(best, "average_precision"),
        at: best.values[at],
        f"{at}_difference": champion.minus(best, at),
    }


def _oracle(given: Assessment, champion: Measured) -> dict[str, Any] | None:
    """Return how near the model comes to the best that the extracts allow, where that is known."""
    if given.truth is None:
        return None
    chance = _beside(given, given.truth, "oracle")
    known = np.isfinite(chance)
    if known.mean() < 0.5:
        return None
    best = given.measured(np.where(known, chance, -1.0))
    at = f"precision_at_{given.capacity}"
    return {
        "known_for": float(known.mean()),
        "average_precision": best.values["average_precision"],
        "auc": best.values["auc"],
        at: best.values[at],
        "share_reached": champion.over(best, "average_precision"),
        "difference": champion.minus(best, "average_precision"),
    }


def _slices(
    given: Assessment, score: np.ndarray, listed: np.ndarray, audit: dict[str, np.ndarray]
) -> dict[str, Any]:
    """Return the figures of each slice; a reason for loss is known of events alone."""
    result: dict[str, Any] = {}
    limit = given.specification.audit.disclosure_limit
    for name in given.specification.slices:
        if name not in audit:
            continue
        texts = fairness.texts(audit[name])
        rows = np.flatnonzero(given.test.label == 1) if name == "reason_for_loss" else None
        chosen = np.arange(len(texts)) if rows is None else rows
        draws = Resamples(given.test.households[chosen], given.specification.replicates)
        entries = fairness.by_group(
            texts[chosen], given.test.label[chosen], probability(score[chosen]), listed[chosen],
            draws, limit=limit,
        )  # fmt: skip
        for entry in entries if rows is None else ():
            group = np.flatnonzero(texts == entry["group"])
            events = given.test.label[group].sum()
            if entry["suppressed"] or not SLICED_EVENTS <= events < len(group):
                continue
            part = Resamples(given.test.households[group], min(100, given.specification.replicates))
            values = measure(given.ranked(score, group), [], part).values
            entry.update(average_precision=values["average_precision"], auc=values["auc"])
        result[name] = entries
    return result


def _fairness(
    given: Assessment, score: np.ndarray, listed: np.ndarray, audit: dict[str, np.ndarray]
) -> dict[str, Any]:
    asked = given.specification.audit
    columns = {name: audit[name] for name in asked.groups if name in audit}
    return fairness.audit(
        columns,
        given.test.label,
        probability(score),
        listed,
        given.resamples,
        intersections=asked.intersections,
        limit=asked.disclosure_limit,
    )


def _audit_columns(given: Assessment) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the audit's columns beside the test rows, and notes on those that are absent."""
    wanted = dict.fromkeys((*given.specification.slices, *given.specification.audit.groups))
    present = [] if given.audit is None else [name for name in wanted if name in given.audit]
    absent = [name for name in wanted if name not in present]
    notes = [f"Not audited, the data lack: {', '.join(absent)}."] if absent else []
    if given.audit is None or not present:
        return {}, notes
    beside = _merged(given, given.audit, present)
    return {name: beside[name].to_numpy(dtype=object) for name in present}, notes


def _alarms(
    given: Assessment,
    score: np.ndarray,
    champion: Measured,
    oracle: dict[str, Any] | None,
    importance: dict[str, float],
) -> list[dict[str, Any]]:
    rules = given.specification.promotion
    now, late = _delayed(given, score)
    alarms = [
        leakage.single_feature(importance, rules.single_feature_share),
        leakage.plausible_auc(champion.values["auc"].value, rules.auc_ceiling),
        leakage.delayed_features(now, late, rules.delayed_keeps),
        leakage.above_oracle(oracle["difference"].low if oracle else None),
    ]
    return [
        {"name": alarm.name, "rings": alarm.rings, "sentence": alarm.sentence} for alarm in alarms
    ]


def _delayed(given: Assessment, score: np.ndarray) -> tuple[float | None, float | None]:
    """Return average precision now and with features of one month before, on the same rows."""
    import pandas as pd

    if given.delayed is None or not len(given.delayed):
        return None, None
    keys = _keys(given)
    index = pd.MultiIndex.from_frame(
        pd.DataFrame(
            {
                "household_id": given.delayed["household_id"].to_numpy(),
                "as_of": given.delayed["as_of"].to_numpy().astype("datetime64[s]"),
            }
        )
    )
    place = index.get_indexer(pd.MultiIndex.from_frame(keys))
    both = np.flatnonzero(place >= 0)
    if given.test.label[both].sum() < SLICED_EVENTS:
        return None, None
    older = matrix(given.delayed, given.features, place[both])
    late = np.empty(len(score))
    late[both] = raw(given.model, older)
    return tuple(
        float(given.ranked(each, both).curves(np.ones((1, len(both))))[0][0])
        for each in (score, late)
    )  # type: ignore[return-value]


def _drift(given: Assessment) -> dict[str, float]:
    """Return the stability index of each feature between training and the latest test cut-off."""
    latest = given.test.matrix[given.test.as_of == given.test.as_of.max()]
    found = {
        name: stability_index(given.train_matrix[:, place], latest[:, place])
        for place, name in enumerate(given.features)
        if len(given.train_matrix)
    }
    return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def _events_left_out(given: Assessment) -> int | None:
    """Return how many test rows with the event no figure counts, as helped or excluded.

    None where households are apart: the rows of those that train are left out on purpose.
    """
    if given.specification.households_apart is not None:
        return None
    as_of = given.frame["as_of"].to_numpy().astype("datetime64[D]")
    happened = given.frame["label"].to_numpy(dtype=np.float64, na_value=np.nan) == 1
    return int((happened & np.isin(as_of, given.test.as_of)).sum() - given.test.label.sum())


def _keys(given: Assessment) -> pd.DataFrame:
    import pandas as pd

    households = given.frame["household_id"].to_numpy()[given.test.place]
    return pd.DataFrame(
        {"household_id": households, "as_of": given.test.as_of.astype("datetime64[s]")}
    )


def _merged(given: Assessment, other: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return columns of another frame beside the test rows, in their order."""
    kept = other[["household_id", "as_of", *columns]].drop_duplicates(["household_id", "as_of"])
    kept = kept.assign(as_of=kept["as_of"].to_numpy().astype("datetime64[s]"))
    return _keys(given).merge(kept, on=["household_id", "as_of"], how="left")


def _beside(given: Assessment, other: pd.DataFrame, column: str) -> np.ndarray:
    return _merged(given, other, [column])[column].to_numpy(dtype=np.float64, na_value=np.nan)
