"""Spells and pairs as events on a grid of cut-offs: what begins and what ends at each one.

Everything is sorted by its own content before it is numbered, so the order in which rows were
delivered decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import pandas as pd

from earlyflag.core.clock import month_starts


@dataclass(frozen=True)
class Timed:
    """Rows of a frame that are live at the cut-offs `starts <= index < ends` of the grid."""

    frame: pd.DataFrame
    starts: np.ndarray
    ends: np.ndarray

    @classmethod
    def on(cls, grid: np.ndarray, frame: pd.DataFrame, after: str, until: str) -> Timed:
        """Place rows that are usable in `after < as_of <= until` on the grid.

        Rows that are live at no cut-off are left out.
        """
        starts = np.searchsorted(grid, _days(frame[after]), side="right")
        ends = np.searchsorted(grid, _days(frame[until]), side="right")
        lives = starts < ends
        return cls(frame[lives].reset_index(drop=True), starts[lives], ends[lives])

    def column(self, name: str) -> list[object]:
        """Return a column as Python values, which the sweep reads one at a time."""
        return self.frame[name].tolist()

    def changes(self, count: int) -> Iterator[tuple[list[int], list[int]]]:
        """Yield for each of `count` cut-offs the rows that begin and the rows that end."""
        by_start, by_end = (
            np.argsort(self.starts, kind="stable"),
            np.argsort(self.ends, kind="stable"),
        )
        marks = np.arange(count + 1)
        first_started = np.searchsorted(self.starts[by_start], marks)
        first_ended = np.searchsorted(self.ends[by_end], marks)
        for index in range(count):
            yield (
                by_start[first_started[index] : first_started[index + 1]].tolist(),
                by_end[first_ended[index] : first_ended[index + 1]].tolist(),
            )


def _days(column: pd.Series) -> np.ndarray:
    return column.to_numpy(dtype="datetime64[D]")


@dataclass(frozen=True)
class Timeline:
    """All that happens to records, units and pairs, on one grid.

    Attributes
    ----------
    grid : cut-offs, ascending
    records : "source/person_ref" by number; `units` : (kind, ref) by number; `uprns` by number
    unit_spells : unit, uprn (-1 is none), away, since
    roster_spells : unit, record, role, born, surname, since
    edges, against, case_pairs : one, other, weight (and `same`: equal in name and birth)
    seen : number of the first cut-off at which each record is known
    """

    grid: list[date]
    records: list[str]
    units: list[tuple[str, str]]
    uprns: list[str]
    cases: list[str]
    unit_spells: Timed
    roster_spells: Timed
    edges: Timed
    against: Timed
    case_pairs: Timed
    seen: list[int]


def grid_of(con: duckdb.DuckDBPyConnection, cut_offs: Sequence[date]) -> list[date]:
    """Return every month start from the first known record to past the last, and the cut-offs.

    The grid starts with the data and not with the cut-offs asked for, so the same household has
    the same identifier whichever cut-offs a run needs. It runs past the last record because a
    homelessness case that arrives after the last cut-off still decides that cut-off's label.
    """
    first, last = con.execute(
        """
        SELECT min(day), max(day) FROM (
            SELECT unnest([start_after, live_until]) AS day FROM unit_spells UNION ALL
            SELECT unnest([start_after, live_until]) FROM roster_spells UNION ALL
            SELECT unnest([known_after, known_until]) FROM appearances
        ) WHERE day < DATE '2200-01-01'
        """
    ).fetchone() or (None, None)
    ends = list(cut_offs)
    if first is None:
        return sorted(set(ends))
    last_needed = max([last, *ends])
    months = month_starts(first, date(last_needed.year + last_needed.month // 12,
                                      last_needed.month % 12 + 1, 1))  # fmt: skip
    return sorted({*months, *(day for day in ends if day > first)})


def timeline(con: duckdb.DuckDBPyConnection, cut_offs: Sequence[date]) -> Timeline:
    """Return everything that linkage decided pair by pair or read, as events on the grid."""
    grid = grid_of(con, cut_offs)
    days = np.array(grid, dtype="datetime64[D]")
    records = _numbered(con, "record", _RECORDS)
    units = con.execute("SELECT DISTINCT kind, ref FROM unit_spells ORDER BY kind, ref").fetchall()
    con.register("record_number", _numbers(records, "record"))
    con.register(
        "unit_number", pd.DataFrame(units, columns=["kind", "ref"]).reset_index(names="unit")
    )
    uprns = _numbered(con, "uprn", "SELECT DISTINCT uprn FROM unit_spells WHERE uprn IS NOT NULL")
    con.register("uprn_number", _numbers(uprns, "uprn"))
    cases = _numbered(con, "r", "SELECT DISTINCT record AS r FROM appearances "
                      "WHERE system = 'homelessness'")  # fmt: skip
    con.register("case_number", _numbers(cases, "record"))

    def timed(sql: str) -> Timed:
        return Timed.on(days, con.execute(sql).df(), "after", "until")

    roster = timed(_ROSTER_EVENTS)
    appearances = timed(_SEEN)
    return Timeline(
        grid=grid,
        records=records,
        units=units,
        uprns=uprns,
        cases=cases,
        unit_spells=timed(_UNIT_EVENTS),
        roster_spells=roster,
        edges=timed(_EDGES.format(condition="kept")),
        against=timed(_EDGES.format(condition=_AGAINST)),
        case_pairs=timed(_CASE_PAIRS),
        seen=_first_seen(len(records), len(grid), roster, appearances),
    )


def _numbered(con: duckdb.DuckDBPyConnection, column: str, sql: str) -> list[str]:
    return [row[0] for row in con.execute(f"SELECT * FROM ({sql}) ORDER BY {column}").fetchall()]


def _numbers(values: list[str], name: str) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(values, dtype="str"), "number": range(len(values))})


def _first_seen(records: int, never: int, *timed: Timed) -> list[int]:
    seen = np.full(records, never)
    for rows in timed:
        np.minimum.at(seen, rows.frame["record"].to_numpy(dtype=np.int64), rows.starts)
    return seen.tolist()


_RECORDS = """
    SELECT source || '/' || person_ref AS record FROM roster_spells
    UNION SELECT record FROM appearances WHERE system <> 'homelessness'
"""
_UNIT_EVENTS = """
    SELECT unit, coalesce(number, -1) AS uprn, away,
           (valid_from - DATE '1800-01-01')::INTEGER AS since,
           start_after AS after, live_until AS until
    FROM unit_spells JOIN unit_number USING (kind, ref) LEFT JOIN uprn_number USING (uprn)
    ORDER BY unit, since, number, away, after, until
"""
_ROSTER_EVENTS = """
    SELECT unit, number AS record, role, date_of_birth::VARCHAR AS born, surname,
           (valid_from - DATE '1800-01-01')::INTEGER AS since,
           start_after AS after, live_until AS until
    FROM roster_spells r
    JOIN unit_number USING (kind, ref)
    JOIN record_number n ON n.record = r.source || '/' || r.person_ref
    ORDER BY unit, number, since, role, born, surname, after, until
"""
_SEEN = """
    SELECT number AS record, known_after AS after, known_until AS until
    FROM appearances JOIN record_number USING (record)
"""
_EDGES = """
    SELECT a.number AS one, b.number AS other, max(weight) AS weight,
           bool_or(gamma_forename = 3 AND gamma_born = 4) AS same,
           min(known_after) AS after, known_until AS until
    FROM pairs p
    JOIN record_number a ON a.record = p.one
    JOIN record_number b ON b.record = p.other
    WHERE NOT is_case AND {condition}
    GROUP BY a.number, b.number, weight, known_until
    ORDER BY ALL
"""
# Only what keeps linked people apart matters, and both must then have a link of their own.
_AGAINST = """
    against
    AND one IN (SELECT unnest([one, other]) FROM pairs WHERE kept AND NOT is_case)
    AND other IN (SELECT unnest([one, other]) FROM pairs WHERE kept AND NOT is_case)
"""
_CASE_PAIRS = """
    SELECT c.number AS matter, r.number AS record, weight,
           min(known_after) AS after, known_until AS until
    FROM pairs p
    JOIN case_number c ON c.record IN (p.one, p.other)
    JOIN record_number r ON r.record = CASE WHEN c.record = p.one THEN p.other ELSE p.one END
    WHERE is_case AND kept
    GROUP BY matter, r.number, weight, until
    ORDER BY ALL
"""
