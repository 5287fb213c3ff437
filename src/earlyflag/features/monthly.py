"""Ledgers summed once by month, and windows taken from running totals.

A row falls into the period of `happened_on` and is usable from the later of that and the period
of `known_on`. Nearly every row is known in the month it happened or the next (*prompt* rows):
their running totals at each month's end, one small table a month, give every window as a
difference of two totals, and every month as the difference of two neighbours. Rows known later
than that, or replaced by a correction, are few (*odd* rows): they are summed for each cut-off
from their own months, by the same rule, exactly. See `docs/explanation/feature-engine.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from earlyflag.features.backends import Step
from earlyflag.features.declare import Ledger, Measure
from earlyflag.features.periods import period_sql

LAST = "last_"
"""Prefix of the columns that hold the newest day of something."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column that families may read of a ledger, and how it comes from running totals.

    `newer` and `older` say which months' totals are subtracted (0 is the cut-off, 3 three months
    before it; `older` None is nothing subtracted).
    """

    name: str
    measure: str
    newer: int
    older: int | None


def columns(ledger: Ledger, wanted: Iterable[str] | None = None) -> list[Column]:
    """Return the columns of a ledger relation, or those of them that are wanted."""
    found = [column for measure in ledger.measures for column in _of_measure(measure)]
    if wanted is None:
        return found
    names = set(wanted)
    return [column for column in found if column.name in names]


def _of_measure(measure: Measure) -> Iterator[Column]:
    name = measure.name
    if measure.total:
        yield Column(f"{name}_all", name, 0, None)
    for window in measure.windows:
        yield Column(f"{name}_{window}m", name, 0, window)
    for lag in measure.lags:
        yield Column(f"{name}_lag{lag}", name, lag - 1, lag)
    for end in measure.ends:
        yield Column(f"{name}_end{end}", name, end, None)


class MonthlyLedger:
    """One ledger at the cut-offs of one phase.

    Parameters
    ----------
    ledger : its declaration
    day : the day of the month that all cut-offs share
    periods : the cut-offs' period numbers
    wanted : the columns that families read; all of them where None
    """

    def __init__(
        self,
        ledger: Ledger,
        day: int,
        periods: Sequence[int],
        wanted: Iterable[str] | None = None,
    ) -> None:
        self._ledger = ledger
        self._day = day
        wanted = None if wanted is None else set(wanted)
        self._columns = columns(ledger, wanted)
        used = {column.measure for column in self._columns}
        self._sums = [measure for measure in ledger.measures if measure.name in used]
        self._newest = {
            name: condition
            for name, condition in ledger.newest.items()
            if wanted is None or f"days_since_{name}" in wanted
        }
        self._backs = sorted(
            {max(1, back) for column in self._columns for back in _backs(column)} | {1}
        )
        self._totals = sorted({period - back for period in periods for back in self._backs})
        self._name = ledger.name.removesuffix("_at")
        self._last = max(periods)

    def once(self) -> list[Step]:
        """Return the steps that read the ledger and make the running totals."""
        return [*self._reading(), *self._walk()]

    def at(self, period: int) -> list[Step]:
        """Return the steps that make the ledger's relation for one cut-off.

        One row a household with any row known. They read `homes_at` and `cut_off` of the cut-off.
        """
        values = {"period": period}
        fresh = (
            f"SELECT k, {self._summed()} FROM (SELECT k, {self._measured_rows()} "
            f"FROM {self._name}_rows WHERE happened = $period AND NOT late) AS r GROUP BY k"
        )
        homes = f"""
            SELECT household_id, k, count(*) OVER (PARTITION BY household_id) AS homes
            FROM (SELECT DISTINCT household_id, {self._ledger.key} FROM homes_at) AS h
            JOIN {self._name}_keys USING ({self._ledger.key})"""
        own = tuple(f"{self._name}_{part}" for part in ("fresh", "odd_at", "homes"))
        return [
            Step(own[0], fresh, (), values),
            Step(own[1], self._odd(), (), values),
            Step(own[2], homes, ("homes_at",)),
            Step(self._ledger.name, self._wide(period), ("cut_off", *own)),
        ]

    @property
    def made(self) -> list[str]:
        """Every relation that the steps make."""
        return [
            *(f"{self._name}_{part}" for part in ("keys", "rows", "odd")),
            *(f"{self._name}_to_{period}" for period in self._totals),
            *(f"{self._name}_{part}" for part in ("fresh", "odd_at", "homes")),
            self._ledger.name,
        ]

    def _reading(self) -> list[Step]:
        """Read the ledger once: prompt rows with their month, odd rows summed by their dates."""
        table, key, day = self._ledger.table, self._ledger.key, self._day
        happened, known = period_sql("happened_on", day), period_sql("known_on", day)
        keys = (
            f"SELECT {key}, CAST(row_number() OVER (ORDER BY {key}) AS INTEGER) AS k "
            f"FROM (SELECT DISTINCT {key} FROM household_homes WHERE {key} IS NOT NULL) AS r"
        )
        late = f"greatest({known} - {happened}, 0)"
        carried = ", ".join(("happened_on", *self._ledger.carries))
        rows = f"""
            SELECT k, CAST({happened} AS INTEGER) AS happened, {late} > 0 AS late, {carried}
            FROM {table} JOIN {self._name}_keys USING ({key})
            WHERE superseded_on IS NULL AND {late} <= 1 AND {happened} <= $last"""
        odd = f"""
            SELECT k, happened, happened + late AS usable, replaced, {self._summed()}
            FROM (
                SELECT k, happened, late, replaced, {self._measured_rows()}
                FROM (
                    SELECT k, {happened} AS happened, {late} AS late,
                        {period_sql("superseded_on", day)} AS replaced, {carried}
                    FROM {table} JOIN {self._name}_keys USING ({key})
                ) AS dated
                WHERE (replaced IS NOT NULL OR late > 1) AND happened <= $last
            ) AS r
            GROUP BY k, happened, happened + late, replaced"""
        named, last = f"{self._name}_keys", {"last": self._last}
        return [
            Step(named, keys),
            Step(f"{self._name}_rows", rows, (named,), last),
            Step(f"{self._name}_odd", odd, (named,), last),
        ]

    def _walk(self) -> Iterator[Step]:
        """Return the running totals of prompt rows at the end of every month that is needed."""
        before: str | None = None
        names = ", ".join(self._measured())
        low = -1
        for period in self._totals:
            name = f"{self._name}_to_{period}"
            step = (
                f"SELECT k, {self._measured_rows()} FROM {self._name}_rows "
                "WHERE happened > $low AND happened <= $high"
            )
            if before is not None:
                step = f"SELECT k, {names} FROM {before} UNION ALL {step}"
            yield Step(
                name,
                f"SELECT k, {self._summed()} FROM ({step}) AS r GROUP BY k",
                (f"{self._name}_rows", *((before,) if before else ())),
                {"low": low, "high": period},
            )
            before, low = name, period

    def _measured(self) -> list[str]:
        return [measure.name for measure in self._sums] + [f"{LAST}{n}" for n in self._newest]

    def _measured_rows(self) -> str:
        """Return SQL for the measures of single rows."""
        sums = [f"CAST({measure.value} AS DOUBLE) AS {measure.name}" for measure in self._sums]
        newest = [
            f"CASE WHEN {condition} THEN happened_on END AS {LAST}{name}"
            for name, condition in self._newest.items()
        ]
        return ", ".join(sums + newest)

    def _summed(self) -> str:
        sums = [f"sum({measure.name}) AS {measure.name}" for measure in self._sums]
        newest = [f"max({LAST}{name}) AS {LAST}{name}" for name in self._newest]
        return ", ".join(sums + newest)

    def _odd(self) -> str:
        """Return SQL that sums the odd rows known at `$period`, column by column."""
        sums = [
            f"sum(CASE WHEN {_within(column)} THEN {column.measure} END) AS {column.name}"
            for column in self._columns
        ]
        newest = [f"max({LAST}{name}) AS {LAST}{name}" for name in self._newest]
        return (
            f"SELECT k, {', '.join(sums + newest)} FROM {self._name}_odd "
            "WHERE usable <= $period AND (replaced IS NULL OR replaced > $period) GROUP BY k"
        )

    def _wide(self, period: int) -> str:
        """Return SQL that brings totals, the newest month and odd rows together by household."""
        chosen = [f"{_value(column)} AS {column.name}" for column in self._columns]
        newest = [
            f"greatest(t1.{LAST}{name}, fresh.{LAST}{name}, odd.{LAST}{name}) AS {LAST}{name}"
            for name in self._newest
        ]
        joins = " ".join(
            f"LEFT JOIN {self._name}_to_{period - back} AS t{back} ON t{back}.k = h.k"
            for back in self._backs
        )
        by_key = f"""
            SELECT h.household_id, h.homes, {", ".join(chosen + newest)}
            FROM {self._name}_homes AS h {joins}
            LEFT JOIN {self._name}_fresh AS fresh ON fresh.k = h.k
            LEFT JOIN {self._name}_odd_at AS odd ON odd.k = h.k
            WHERE t1.k IS NOT NULL OR fresh.k IS NOT NULL OR odd.k IS NOT NULL"""
        days = [
            f"date_diff('day', {LAST}{name}, c.as_of) AS days_since_{name}" for name in self._newest
        ]
        names = [column.name for column in self._columns]
        lasts = [f"{LAST}{name}" for name in self._newest]
        one = ", ".join(names + lasts)
        many = ", ".join(
            [f"sum({name}) AS {name}" for name in names]
            + [f"max({name}) AS {name}" for name in lasts]
        )
        # Hardly any household has two accounts: only those are grouped.
        return f"""
            WITH by_key AS ({by_key})
            SELECT household_id, {", ".join(names + days)}
            FROM (
                SELECT household_id, {one} FROM by_key WHERE homes = 1
                UNION ALL
                SELECT household_id, {many} FROM by_key WHERE homes > 1 GROUP BY household_id
            ) AS r CROSS JOIN cut_off AS c"""


def _backs(column: Column) -> list[int]:
    return [column.newer] if column.older is None else [column.newer, column.older]


def _within(column: Column) -> str:
    """Return the condition on an odd row's month that a column counts it."""
    newer = f"happened <= $period - {column.newer}"
    if column.older is None:
        return newer
    return f"{newer} AND happened > $period - {column.older}"


def _value(column: Column) -> str:
    """Return a column from running totals, the newest month and odd rows."""
    name = column.measure
    parts = [f"coalesce(t{max(1, column.newer)}.{name}, 0)"]
    if column.newer == 0:
        parts.append(f"coalesce(fresh.{name}, 0)")
    parts.append(f"coalesce(odd.{column.name}, 0)")
    value = " + ".join(parts)
    if column.older is None:
        return value
    return f"{value} - coalesce(t{column.older}.{name}, 0)"
