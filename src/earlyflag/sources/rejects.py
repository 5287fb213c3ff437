"""The rejects of a run: every row that was not taken, with its file, line, column and reason."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from earlyflag.sources.merge import CONFLICT
from earlyflag.sources.opening import Opened
from earlyflag.sources.staging import Staged

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Reject = tuple[str, int, str, str, str]

HEADER = ("file", "line", "column", "rule", "raw")
BATCH = 1_000_000


def write_rejects(con: DuckDBPyConnection, staged: Staged, path: Path) -> Counter[str]:
    """Write the rejected rows of the staged table, and return their count by `column:rule`.

    The file is made only where there is something to write. It holds personal data as it was
    delivered, so that its folder is closed to everybody but its owner.
    """
    counts: Counter[str] = Counter()
    rows = _rejected(con, staged)
    first = next(rows, None)
    if first is None:
        return counts
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(HEADER)
        while first is not None:
            writer.writerow(first)
            counts[f"{first[2]}:{first[3]}"] += 1
            first = next(rows, None)
    return counts


def _rejected(con: DuckDBPyConnection, staged: Staged) -> Iterator[Reject]:
    """Yield the rejects file by file, in the order of their lines."""
    broken = _broken_rows(con, staged) if staged.parts else {}
    for number, opened in staged.opened.items():
        lines = ((opened.path.name, bad.line, "", bad.rule, bad.raw) for bad in opened.bad)
        yield from merge(lines, broken.get(number, iter(())), key=lambda reject: reject[1])


def _broken_rows(con: DuckDBPyConnection, staged: Staged) -> dict[int, Iterator[Reject]]:
    """Return, for each file that has some, an iterator over its rows that break a rule."""
    key = "+".join(staged.table.key)
    con.execute(
        "CREATE OR REPLACE TABLE broken AS "
        "SELECT file_no, record, problem FROM staged WHERE problem IS NOT NULL "
        f"UNION ALL SELECT file_no, record, '{key}:{CONFLICT}' FROM verdicts "
        f"WHERE verdict = '{CONFLICT}'"
    )
    numbers = con.execute("SELECT DISTINCT file_no FROM broken").fetchall()
    return {number: _rows_of(con, staged.opened[number]) for (number,) in numbers}


def _rows_of(con: DuckDBPyConnection, opened: Opened) -> Iterator[Reject]:
    cursor = con.cursor()
    cursor.execute(
        f"SELECT record, problem FROM broken WHERE file_no = {opened.number} ORDER BY ALL"
    )
    while found := cursor.fetchmany(BATCH):
        # A mapping may read one row several times, so that it can be rejected several times.
        texts = opened.raw(con, list(dict.fromkeys(record for record, _ in found)))
        for (record, problems), raw in zip(groupby(found, itemgetter(0)), texts, strict=True):
            for _, problem in problems:
                column, _, rule = problem.partition(":")
                yield (opened.path.name, opened.line(record), column, rule, raw)
