"""What would change a score: actionable facts set right, and the model asked again.

Only features that the catalogue marks as actionable are tried, a whole group at a time (arrears
in pounds and in weeks fall together). The figures come from the model itself, not from the
contributions. They are information for an offer and say nothing on what an offer will achieve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from earlyflag.core.terms import Change
from earlyflag.modelling.reasons import ReasonWriter
from earlyflag.modelling.served import YES_OR_NO, FeatureFacts, probability
from earlyflag.modelling.wording import in_100, spoken

FACTS_NAMED = 2
"""How many facts of one group a sentence names."""


@dataclass(frozen=True, slots=True)
class _Try:
    """One row with some facts set right: the places that change, and what they become."""

    row: int
    targets: dict[int, float]
    is_together: bool = False


def changes(
    writer: ReasonWriter, rows: np.ndarray, log_odds: np.ndarray, *, line: float | None = None
) -> list[tuple[Change, ...]]:
    """Return, for each row, the changes that would lower its score, the largest first.

    Parameters
    ----------
    rows : shape (n_rows, n_features)
    log_odds : shape (n_rows,); calibrated
    line : the log-odds of the last household on the list; where no single change takes a row
        below it, the fewest that do so together are added, if there are any
    """
    singles = [
        _Try(row, targets) for row in range(len(rows)) for targets in _singles(writer, rows[row])
    ]
    after = _after(writer, rows, singles)
    by_row: list[list[tuple[float, _Try]]] = [[] for _ in range(len(rows))]
    for attempt, found in zip(singles, after, strict=True):
        if _is_worth_saying(log_odds[attempt.row], found, line):
            by_row[attempt.row].append((float(found), attempt))
    for found_here in by_row:
        found_here.sort(key=lambda pair: pair[0])
    if line is not None:
        _add_together(writer, rows, by_row, line)
    return [
        tuple(_change(writer, rows[row], log_odds[row], *pair, line) for pair in found_here)
        for row, found_here in enumerate(by_row)
    ]


def _is_worth_saying(before: float, after: float, line: float | None) -> bool:
    """Return whether an estimate falls by enough to be worded otherwise, or below the line."""
    said = [in_100(float(chance)) for chance in probability(np.array([before, after]))]
    return after < before and (said[0] != said[1] or (line is not None and after < line <= before))


def target(fact: FeatureFacts, value: float) -> float | None:
    """Return what an actionable fact would be if it were set right; None if it is, or unknown.

    An amount only ever falls, so that no debt in credit is moved back to nil.
    """
    right = _right(fact) if fact.actionable else None
    if right is None or np.isnan(value):
        return None
    is_right = (value > 0) == (right > 0) if fact.unit == YES_OR_NO else value <= right
    return None if is_right else right


def _right(fact: FeatureFacts) -> float | None:
    """Return what a fact is once set right; None if nothing says it, so that it is not tried.

    A table's own features, and artefacts from before it was declared, say it by their direction
    alone. A fact that may point either way is then left as it is: to end an arrangement that is
    kept must never be told as a way to lower an estimate.
    """
    if fact.helpful is not None:
        return fact.helpful
    if fact.monotone > 0:
        return 0.0
    return 1.0 if fact.monotone < 0 and fact.unit == YES_OR_NO else None


def _singles(writer: ReasonWriter, row: np.ndarray) -> list[dict[int, float]]:
    """Return the facts of one row that can be set right, a group at a time, leads first."""
    found = []
    for actionable in writer.actionable:
        aims = {
            place: target(writer.model.features[place], float(row[place])) for place in actionable
        }
        targets = {place: aim for place, aim in aims.items() if aim is not None}
        if targets:
            found.append(targets)
    return found


def _after(writer: ReasonWriter, rows: np.ndarray, attempts: Sequence[_Try]) -> np.ndarray:
    """Return the log-odds of each attempt, all asked of the model at once."""
    changed = rows[[attempt.row for attempt in attempts]].copy()
    for at, attempt in enumerate(attempts):
        changed[at, list(attempt.targets)] = list(attempt.targets.values())
    return writer.model.log_odds(changed)


def _add_together(
    writer: ReasonWriter,
    rows: np.ndarray,
    by_row: list[list[tuple[float, _Try]]],
    line: float,
) -> None:
    """Add to each row that no single change takes below the line the fewest that do together."""
    attempts = []
    for row, singles in enumerate(by_row):
        if len(singles) > 1 and singles[0][0] >= line:
            targets: dict[int, float] = dict(singles[0][1].targets)
            for _, single in singles[1:]:
                targets |= single.targets
                attempts.append(_Try(row, dict(targets), is_together=True))
    done: set[int] = set()
    for attempt, found in zip(attempts, _after(writer, rows, attempts), strict=True):
        if found < line and attempt.row not in done:
            by_row[attempt.row].append((float(found), attempt))
            done.add(attempt.row)


def _change(
    writer: ReasonWriter,
    row: np.ndarray,
    before: float,
    after: float,
    attempt: _Try,
    line: float | None,
) -> Change:
    """Say one change: which facts, from what to what, and the estimate before and after."""
    facts = [(writer.model.features[place], place) for place in attempt.targets]
    named = _first_of_groups(facts) if attempt.is_together else facts[:FACTS_NAMED]
    words = "; ".join(
        f"{fact.title}: {spoken(fact, attempt.targets[place])}, now {spoken(fact, row[place])}"
        for fact, place in named
    )
    chances = probability(np.array([before, after]))
    is_below = line is not None and after < line
    return Change(
        f"If this were so ({words}), the estimate would be "
        f"{_estimate(float(chances[0]), float(chances[1]), is_below)}",
        tuple(fact.name for fact, _ in facts),
        float(chances[1]),
    )


def _estimate(before: float, after: float, is_below: bool) -> str:
    """Say an estimate beside the one before; where both round alike, that it is hardly less."""
    was, now = in_100(before), in_100(after)
    if was == now:
        return f"hardly less ({was} as before){', but below the line' if is_below else ''}"
    return f"{now} instead of {was}{', which is below the line' if is_below else ''}"


def _first_of_groups(facts: list[tuple[FeatureFacts, int]]) -> list[tuple[FeatureFacts, int]]:
    """Return the first fact of each group, in order."""
    first: dict[str, tuple[FeatureFacts, int]] = {}
    for fact, place in facts:
        first.setdefault(fact.group, (fact, place))
    return list(first.values())
