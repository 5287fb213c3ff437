"""New data files for one table: what is new is added, and only what changed is rewritten."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earlyflag.sources import sql
from earlyflag.sources.declare import Table
from earlyflag.sources.merge import Merged
from earlyflag.sources.store import DATA, KEPT, StoredTable, digest_query, relation
from earlyflag.sources.validate import canonical_columns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True)
class Written:
    """The state of a table after a delivery, not yet visible to anybody."""

    files: tuple[str, ...]
    rows: int
    digest: int
    last_known_on: date | None
    profile: Mapping[str, Any] = field(default_factory=dict)


def write_table(
    con: DuckDBPyConnection,
    table: Table,
    folder: Path,
    stored: StoredTable | None,
    merged: Merged,
) -> Written:
    """Write what `merge` prepared as new files.

    Parameters
    ----------
    con : has the view `fresh` and the table `chains`
    stored : the table as it stands, None before its first delivery
    """
    (folder / DATA).mkdir(parents=True, exist_ok=True)
    files = stored.files if stored else ()
    if merged.new == 0 and merged.changed == 0:
        return Written(files, stored.rows if stored else 0, stored.digest if stored else 0,
                       stored.last_known_on if stored else None)  # fmt: skip
    columns = ", ".join([*(c.name for c in canonical_columns(table)), *KEPT])
    if merged.changed:
        con.execute("CREATE OR REPLACE TABLE rechained AS SELECT DISTINCT "
                    f"{sql.names(table.key)} FROM versions")  # fmt: skip
        files = tuple(_without_rechained(con, table, folder, name) for name in files)
    added = _name(table)
    chains = f" UNION ALL SELECT {columns} FROM chains" if merged.changed else ""
    _copy(con, f"SELECT {columns} FROM fresh{chains}", folder / DATA / added)
    files = (*files, added)
    return _measured(con, table, folder, files, stored, added, merged)


def _measured(
    con: DuckDBPyConnection,
    table: Table,
    folder: Path,
    files: tuple[str, ...],
    stored: StoredTable | None,
    added: str,
    merged: Merged,
) -> Written:
    """Count, hash and date the table; of a mere addition only the new file is read."""
    grown = stored is not None and not merged.changed
    part = relation(folder, (added,) if grown else files)
    digest, rows = (
        sql.count(con, digest_query(table, part)),
        sql.count(con, f"SELECT count(*) FROM {part}"),
    )
    last = _last_known_on(con, table, part)
    if grown and stored is not None:
        digest, rows = digest + stored.digest, rows + stored.rows
        days = [day for day in (last, stored.last_known_on) if day is not None]
        last = max(days, default=None)
    return Written(files, rows, digest, last)


def _last_known_on(con: DuckDBPyConnection, table: Table, part: str) -> date | None:
    """Return the last day of knowledge that is not after its delivery, as a typing error is."""
    if table.dated_by is None:
        return None
    found = con.execute(
        "SELECT coalesce(max(known_on) FILTER (known_on <= delivered_on), min(known_on)) "
        f"FROM {part}"
    ).fetchall()
    day = found[0][0]
    return day if isinstance(day, date) else None


def _without_rechained(con: DuckDBPyConnection, table: Table, folder: Path, name: str) -> str:
    """Return the name of a file without the rows whose versions changed; the same if none did."""
    key = sql.names(table.key)
    part = relation(folder, (name,))
    if sql.count(con, f"SELECT count(*) FROM {part} SEMI JOIN rechained USING ({key})") == 0:
        return name
    renewed = _name(table)
    _copy(con, f"SELECT * FROM {part} ANTI JOIN rechained USING ({key})", folder / DATA / renewed)
    return renewed


def _name(table: Table) -> str:
    return f"{table.name}-{uuid.uuid4().hex[:12]}.parquet"


def _copy(con: DuckDBPyConnection, query: str, path: Path) -> None:
    con.execute(f"COPY ({query}) TO {sql.text(str(path))} (FORMAT parquet, COMPRESSION zstd)")
