"""The rejects of a run: every row that was not taken, with its file, line, column and reason."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from earlyflag.sources.merge import CONFLICT
from earlyflag.sources.staging import Staged

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HEADER = ("file", "line", "column", "rule", "raw")
BATCH = 100_000


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


def _rejected(con: DuckDBPyConnection, staged: Staged) -> Iterator[tuple[str, int, str, str, str]]:
    for opened in staged.opened.values():
        for bad in opened.bad:
            yield (opened.path.name, bad.line, "", bad.rule, bad.raw)
    if not staged.parts:
        return
    key = "+".join(staged.table.key)
    cursor = con.cursor()
    cursor.execute(
        "SELECT file_no, record, problem FROM staged WHERE problem IS NOT NULL "
        f"UNION ALL SELECT file_no, record, '{key}:{CONFLICT}' FROM verdicts "
        f"WHERE verdict = '{CONFLICT}' ORDER BY file_no, record"
    )
    for file_no, rows in groupby(_fetched(cursor), key=lambda row: row[0]):
        opened = staged.opened[file_no]
        found = [(record, problem) for _, record, problem in rows]
        texts = opened.raw(con, [record for record, _ in found])
        for (record, problem), raw in zip(found, texts, strict=True):
            column, _, rule = problem.partition(":")
            yield (opened.path.name, opened.line(record), column, rule, raw)


def _fetched(cursor: DuckDBPyConnection) -> Iterator[tuple[int, int, str]]:
    while rows := cursor.fetchmany(BATCH):
        yield from rows
