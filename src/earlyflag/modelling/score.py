"""Score households: probability, rank, band, and reasons that are checked to add up.

A borough is scored as arrays, at once; `Scored.scores` then words as many households, in as much
detail, as is asked for.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from earlyflag.core.errors import FeatureListDiffers, ReasonsDoNotAddUp
from earlyflag.core.terms import Band, Change, Evidence, Reason, Score
from earlyflag.modelling.changes import changes
from earlyflag.modelling.reasons import ReasonWriter, writer_of
from earlyflag.modelling.served import Contributions, ServedModel, probability

TOLERANCE = 1e-9
"""How far base + reasons may stand from the log-odds that are shown: of 1, or of their size beyond.

A straight term answers a huge value with huge log-odds, whose last digits are no longer 1e-9.
"""

BANDS = ((Band.HIGHEST, 8.0), (Band.HIGH, 4.0), (Band.RAISED, 2.0))
"""A band begins where the odds are this many times those of the base rate."""

CHUNK = 20_000
"""Rows explained between two reports of progress."""

EvidenceByFeature = Mapping[str, Sequence[Evidence]]


@dataclass(slots=True)
class Scored:
    """Every household of one run, as arrays in the order that they were given.

    Attributes
    ----------
    household_ids : n_rows of them
    rows : shape (n_rows, n_features); NaN is a missing value
    log_odds, probability : shape (n_rows,); calibrated
    rank : shape (n_rows,); 1 is the highest; equal scores are ordered by chance, the same each time
    totals : shape (n_rows, n_groups); each reason group's contribution
    speakers : shape (n_rows, n_groups); the feature that speaks for each group
    """

    model: ServedModel
    as_of: date
    household_ids: Sequence[str]
    rows: np.ndarray
    base: float
    log_odds: np.ndarray
    probability: np.ndarray
    rank: np.ndarray
    totals: np.ndarray
    speakers: np.ndarray
    writer: ReasonWriter

    def in_order(self) -> np.ndarray:
        """Return the places of the households from the highest score to the lowest."""
        return np.argsort(self.rank)

    def line(self, capacity: int) -> float | None:
        """Return the log-odds of the household at rank `capacity`, or None if all are listed."""
        if capacity >= len(self.rank):
            return None
        return float(self.log_odds[self.in_order()[capacity - 1]])

    def scores(
        self,
        places: Sequence[int] | np.ndarray | None = None,
        *,
        keep: int | None = None,
        evidence: Mapping[str, EvidenceByFeature] | None = None,
        line: float | None = None,
        with_changes: bool = False,
    ) -> Iterator[Score]:
        """Word the scores of some households, or of all.

        Parameters
        ----------
        places : which households, by their place in `household_ids`; None for all
        keep : how many reasons are said one by one, the strongest first, the others gathered
            into one; None says all
        evidence : by household, then by feature, the dated rows behind a value
        line : the log-odds below which a household is not listed, for the changes
        with_changes : whether to ask the model what would lower each score
        """
        places = np.arange(len(self.rank)) if places is None else np.asarray(places, dtype=np.int64)
        strongest = np.argsort(-np.abs(self.totals[places]), axis=1, kind="stable")
        changed: Sequence[tuple[Change, ...]] = [()] * len(places)
        if with_changes:
            changed = changes(self.writer, self.rows[places], self.log_odds[places], line=line)
        full_version = self.model.info.full_version
        bands = bands_of(self.log_odds, self.model.info.base_rate)
        for at, place in enumerate(places.tolist()):
            household_id = self.household_ids[place]
            found = (evidence or {}).get(household_id, {})
            yield Score(
                household_id=household_id,
                as_of=self.as_of,
                probability=float(self.probability[place]),
                log_odds=float(self.log_odds[place]),
                base_log_odds=self.base,
                band=bands[place],
                rank=int(self.rank[place]),
                model_version=full_version,
                reasons=self._reasons(place, strongest[at].tolist(), keep, found),
                unknowns=self.writer.unknowns(self.rows[place]),
                changes=changed[at],
            )

    def _reasons(
        self, place: int, order: list[int], keep: int | None, evidence: EvidenceByFeature
    ) -> tuple[Reason, ...]:
        totals, speakers = self.totals[place].tolist(), self.speakers[place].tolist()
        row = self.rows[place]
        said = order if keep is None or keep >= len(order) - 1 else order[:keep]
        reasons = []
        for group in said:
            speaker = speakers[group]
            reasons.append(
                self.writer.reason(group, speaker, float(row[speaker]), totals[group], evidence)
            )
        rest = order[len(said) :]
        if rest:
            reasons.append(self.writer.others(rest, math.fsum(totals[group] for group in rest)))
        return tuple(reasons)


def score(
    model: ServedModel,
    household_ids: Sequence[str],
    rows: np.ndarray,
    as_of: date,
    *,
    threads: int = 2,
    fallback: Callable[[ServedModel, np.ndarray], Contributions] | None = None,
    advance: Callable[[int], None] | None = None,
) -> Scored:
    """Score and explain households with one model.

    Parameters
    ----------
    household_ids : n_rows of them
    rows : shape (n_rows, n_features), the model's features in its order (see `matrix_of`)
    threads : how many blocks of rows are explained at the same time
    fallback : what explains the rows if our own contributions do not add up, such as
        `reference.pred_contrib`
    advance : called with the number of rows done since the last call

    Raises
    ------
    FeatureListDiffers
        The rows are not of the model's features.
    ReasonsDoNotAddUp
        For a row, base + contributions differ from the log-odds by more than `TOLERANCE`
        of them.
    """
    writer = writer_of(model)
    rows = np.asarray(rows, dtype=np.float64)
    log_odds = model.log_odds(rows)
    totals = np.empty((len(rows), len(writer.groups)))
    speakers = np.empty(totals.shape, dtype=np.int64)
    base = math.nan
    for start in range(0, max(len(rows), 1), CHUNK):
        part = slice(start, min(start + CHUNK, len(rows)))
        explained = model.contributions(rows[part], threads=threads)
        if fallback is not None and not _adds_up(explained, log_odds[part]).all():
            explained = fallback(model, rows[part])
        totals[part] = writer.totals(explained.values)
        speakers[part] = writer.speakers(rows[part], explained.values, totals[part])
        base = explained.base
        check_adds_up(Contributions(base, totals[part]), log_odds[part], model)
        if advance is not None:
            advance(part.stop - part.start)
    return Scored(
        model, as_of, household_ids, rows, base, log_odds, probability(log_odds),
        ranks(log_odds, household_ids, as_of), totals, speakers, writer,
    )  # fmt: skip


def matrix_of(model: ServedModel, frame: Any) -> np.ndarray:
    """Return a data frame's features in the model's order, shape (n_rows, n_features).

    Raises
    ------
    FeatureListDiffers
        The frame lacks a feature of the model.
    """
    names = list(model.info.features)
    missing = sorted(set(names) - set(frame.columns))
    if missing:
        raise FeatureListDiffers(
            f"{len(missing)} of the {len(names)} features of model {model.info.full_version} are "
            f"not in the rows (first: {missing[0]}). Build the features again."
        )
    return np.asarray(frame[names].to_numpy(), dtype=np.float64)


def check_adds_up(explained: Contributions, log_odds: np.ndarray, model: ServedModel) -> None:
    """Check that base + contributions give the log-odds of each row.

    Raises
    ------
    ReasonsDoNotAddUp
        For at least one row they do not, by more than `TOLERANCE`.
    """
    wrong = int((~_adds_up(explained, log_odds)).sum())
    if wrong:
        raise ReasonsDoNotAddUp(
            f"For {wrong:,} of {len(log_odds):,} households the reasons of model "
            f"{model.info.full_version} do not add up to the score. No score was kept: "
            "promote the version before, and report this."
        )


def _adds_up(explained: Contributions, log_odds: np.ndarray) -> np.ndarray:
    apart = np.abs(explained.base + explained.values.sum(axis=1) - log_odds)
    return apart <= TOLERANCE * np.maximum(1.0, np.abs(log_odds))


def ranks(log_odds: np.ndarray, household_ids: Sequence[str], as_of: date) -> np.ndarray:
    """Return each household's rank, 1 for the highest score.

    Equal scores are ordered by a hash of household and cut-off: the same on every run and every
    machine, and no household is the loser of every month.
    """
    lots = [
        hashlib.blake2b(f"{as_of}:{household_id}".encode(), digest_size=8).digest()
        for household_id in household_ids
    ]
    order = np.lexsort((np.array(lots, dtype="S8"), -log_odds))
    result = np.empty(len(log_odds), dtype=np.int64)
    result[order] = np.arange(1, len(log_odds) + 1)
    return result


def bands_of(log_odds: np.ndarray, base_rate: float) -> list[Band]:
    """Return each score's band, by how many times its odds are those of the base rate."""
    usual = min(max(base_rate, 1e-6), 1 - 1e-6)
    base = math.log(usual / (1 - usual))
    starts = [base + math.log(times) for _, times in BANDS]
    names = np.array([*(band for band, _ in BANDS), Band.USUAL], dtype=object)
    reached = np.searchsorted(-np.array(starts), -log_odds, side="left")
    return names[reached].tolist()
