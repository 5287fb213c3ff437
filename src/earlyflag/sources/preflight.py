"""What each column of a delivery looks like, and how that differs from the delivery before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from earlyflag.sources.declare import Column, Table
from earlyflag.sources.validate import canonical_columns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROWS_DIFFER = 0.3
SHARE_DIFFERS = 0.1
RANGE_DIFFERS = 0.5
CODE_MATTERS = 0.01


def profile(con: DuckDBPyConnection, table: Table) -> dict[str, Any]:
    """Return counts of the good rows of the view `staged`, column by column.

    Returns
    -------
    `rows`, and per column `nulls` (share), for codes their shares, for days and numbers the
    lowest and highest
    """
    columns = canonical_columns(table)
    items = ["count(*)"]
    for column in columns:
        items.append(f"count({column.name})")
        if column.kind in {"date", "pence", "integer"}:
            items += [
                f"CAST(min({column.name}) AS VARCHAR)",
                f"CAST(max({column.name}) AS VARCHAR)",
            ]
    query = f"SELECT {', '.join(items)} FROM staged WHERE problem IS NULL"
    values = iter(con.execute(query).fetchall()[0])
    rows = int(next(values))
    described: dict[str, Any] = {}
    for column in columns:
        filled = int(next(values))
        facts: dict[str, Any] = {"nulls": round(1 - filled / rows, 4) if rows else 0.0}
        if column.kind in {"date", "pence", "integer"}:
            facts["lowest"], facts["highest"] = next(values), next(values)
        if column.kind == "code" and rows:
            facts["codes"] = _code_shares(con, column, rows)
        described[column.name] = facts
    return {"rows": rows, "columns": described}


def _code_shares(con: DuckDBPyConnection, column: Column, rows: int) -> dict[str, float]:
    counts = con.execute(
        f"SELECT {column.name}, count(*) FROM staged WHERE problem IS NULL "
        f"AND {column.name} IS NOT NULL GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    return {str(code): round(count / rows, 4) for code, count in counts}


def compare(table: Table, before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each thing that differs much from the delivery before.

    Parameters
    ----------
    before, now : profiles; an empty `before` is a first delivery, which differs from nothing
    """
    if not before or not before.get("rows"):
        return []
    found = []
    change = now["rows"] / before["rows"] - 1
    if abs(change) > ROWS_DIFFER:
        found.append(f"{table.name}: {now['rows']:,} rows, {change:+.0%} on the last delivery.")
    if not now["rows"]:
        return found
    for column in canonical_columns(table):
        old, new = before["columns"].get(column.name), now["columns"][column.name]
        if old is not None:
            found += _column_differences(f"{table.name}.{column.name}", column, old, new)
    return found


def recorded_later(table: Table, now: Mapping[str, Any], delivered_on: date) -> list[str]:
    """Return a warning where rows say that they were recorded after they were delivered."""
    last = now["columns"].get("known_on", {}).get("highest")
    if table.dated_by is None or last is None or str(last) <= delivered_on.isoformat():
        return []
    return [
        f"{table.name}.known_on: some rows were recorded after the day of the delivery "
        f"({delivered_on}); they stay invisible until then."
    ]


def _column_differences(
    where: str, column: Column, old: Mapping[str, Any], new: Mapping[str, Any]
) -> list[str]:
    found = []
    if abs(new["nulls"] - old["nulls"]) > SHARE_DIFFERS:
        found.append(f"{where}: {new['nulls']:.0%} blank, {old['nulls']:.0%} in the last delivery.")
    old_codes, new_codes = old.get("codes", {}), new.get("codes", {})
    for code in sorted({*old_codes, *new_codes}):
        was, now = old_codes.get(code, 0.0), new_codes.get(code, 0.0)
        vanished = min(was, now) == 0 and max(was, now) > CODE_MATTERS
        if abs(now - was) > SHARE_DIFFERS or vanished:
            found.append(f"{where}: {code} is {now:.1%} of rows, {was:.1%} in the last delivery.")
    if column.kind == "date" and new.get("highest") and old.get("highest"):
        if new["highest"] < old["highest"]:
            found.append(f"{where}: ends earlier than in the last delivery.")
    elif column.kind in {"pence", "integer"} and new.get("highest") and old.get("highest"):
        found += _range_differences(where, old, new)
    return found


def _range_differences(where: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    found = []
    span = max(int(old["highest"]) - int(old["lowest"]), 1)
    for end, word in (("lowest", "lowest"), ("highest", "highest")):
        beyond = (int(old[end]) - int(new[end])) * (1 if end == "lowest" else -1)
        if beyond > span * RANGE_DIFFERS:
            found.append(f"{where}: its {word} value lies far outside the last delivery's range.")
    return found
