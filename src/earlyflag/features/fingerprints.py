"""What the inputs of each cut-off are, as a text that changes only when they do.

A row touches only the cut-offs at which something of it was known. So a new month's delivery
leaves the texts of earlier cut-offs as they were, and their features need no computing again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING

from earlyflag.sources.schema import TABLES

if TYPE_CHECKING:
    import duckdb

LINKED = {
    "household_homes": "household_id, account_ref, tenancy_ref, uprn",
    "household_members": "household_id, person_id, source, person_ref, role, date_of_birth",
    "case_links": "case_ref, matched, source, person_ref",
}


def fingerprints(
    con: duckdb.DuckDBPyConnection,
    tables: Iterable[str],
    cut_offs: Iterable[date],
    columns: Collection[str],
) -> dict[date, str]:
    """Return, for each cut-off, a text that depends on exactly what was known before it.

    Parameters
    ----------
    con : a connection with the views of the contract's tables and of linkage
    tables : contract tables that features read
    columns : the columns that they read of any of these; a change of another (a name, an address,
        the reference of a payment) is none here, and most of a ledger's bytes need no reading
    """
    days = sorted(set(cut_offs))
    found: dict[date, list[str]] = {day: [] for day in days}
    for name, statements in [
        *((name, _of_table(name, columns)) for name in sorted(tables)),
        *((name, _of_linkage(name)) for name in LINKED),
    ]:
        facts = " UNION ALL ".join(statements)
        rows = con.execute(
            f"SELECT since, sum(number::HUGEINT), count(*) FROM ({facts}) AS facts "
            "WHERE since IS NOT NULL GROUP BY since ORDER BY since"
        ).fetchall()
        _accumulate(found, name, days, rows)
    return {day: sha256("|".join(parts).encode()).hexdigest()[:20] for day, parts in found.items()}


def _accumulate(
    found: dict[date, list[str]],
    name: str,
    days: Sequence[date],
    rows: Sequence[tuple[date, int, int]],
) -> None:
    """Add to each day the total of all facts from before it."""
    total, count, place = 0, 0, 0
    for day in days:
        while place < len(rows) and rows[place][0] < day:
            total += rows[place][1]
            count += rows[place][2]
            place += 1
        found[day].append(f"{name}:{total:x}:{count}")


def _of_table(name: str, wanted: Collection[str]) -> list[str]:
    """Return statements of (since, number): each row, and each later-known part of it."""
    table = TABLES[name]
    dates = {"known_on", table.dated_by}
    read = [column for column in table.column_names if column in wanted or column in dates]
    if table.dated_by is None:
        always = date.min.isoformat()
        return [f"SELECT DATE '{always}' AS since, hash({', '.join(read)}) AS number FROM {name}"]
    later: dict[str, list[str]] = {}
    for column in table.columns:
        if column.known_by is not None:
            later.setdefault(column.known_by, []).append(column.name)
    hidden = {column for columns in later.values() for column in columns} | set(later)
    plain = [column for column in read if column not in hidden]
    row = ", ".join(plain)
    made = [f"SELECT known_on AS since, hash('row', {row}) AS number FROM {name}"]
    for known_by, columns in later.items():
        facts = ", ".join(column for column in read if column in {*columns, known_by})
        made.append(
            f"SELECT greatest({known_by}, known_on) AS since, "
            f"hash('{known_by}', {row}, {facts}) AS number FROM {name} "
            f"WHERE {known_by} IS NOT NULL"
        )
    made.append(
        f"SELECT superseded_on AS since, hash('replaced', {row}) AS number FROM {name} "
        "WHERE superseded_on IS NOT NULL"
    )
    return made


def _of_linkage(name: str) -> list[str]:
    """Return statements of (since, number) for rows that hold from one cut-off to another."""
    row = f"hash({LINKED[name]}, from_as_of)"
    day = "INTERVAL 1 DAY"
    return [
        f"SELECT CAST(from_as_of - {day} AS DATE) AS since, {row} AS number FROM {name}",
        f"SELECT CAST(to_as_of - {day} AS DATE) AS since, hash('left', {row}) AS number "
        f"FROM {name} WHERE to_as_of IS NOT NULL",
    ]
