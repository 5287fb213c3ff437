"""Contract tables from data frames, by the same rules as from files: for tests and notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from earlyflag.core.errors import ExtractRejected, Misused
from earlyflag.sources import sql
from earlyflag.sources.declare import Table
from earlyflag.sources.merge import Delivery, key_hash, merge, row_hash
from earlyflag.sources.schema import TABLES
from earlyflag.sources.store import Manifest, StoredTable, Tables, write_manifest
from earlyflag.sources.validate import plain_reading, validation_query
from earlyflag.sources.writing import write_table

if TYPE_CHECKING:
    from pandas import DataFrame

DELIVERED = date(2199, 12, 31)


def tables_from_frames(frames: Mapping[str, DataFrame], folder: Path) -> Tables:
    """Write data frames as validated tables and open them.

    Parameters
    ----------
    frames : one frame a contract table; optional columns may be left out
    folder : where to write; what it held before is no longer seen

    Raises
    ------
    ExtractRejected
        A row breaks the contract; the message names the column and the rule.
    Misused
        A table is not one of the contract.
    """
    unknown = [name for name in frames if name not in TABLES]
    if unknown:
        raise Misused(f"The contract has no table {', '.join(unknown)}.")
    con = duckdb.connect(config={"threads": 1})
    try:
        stored = {name: _stored(con, TABLES[name], frame, folder) for name, frame in frames.items()}
    finally:
        con.close()
    manifest = Manifest(tables=stored)
    write_manifest(folder, manifest)
    return Tables(folder, manifest)


def _stored(
    con: duckdb.DuckDBPyConnection, table: Table, frame: DataFrame, folder: Path
) -> StoredTable:
    con.register("offered", frame)
    types = {
        str(row[0]).lower(): sql.as_text(str(row[0]), str(row[1]))
        for row in con.execute("DESCRIBE offered").fetchall()
    }
    missing = [name for name in table.required_columns if name not in types]
    if missing:
        raise ExtractRejected(f"{table.name}: missing columns {', '.join(missing)}.")
    readings = {c.name: plain_reading(c, types.get(c.name)) for c in table.columns}
    carried = {"file_no": "1", "record": "row_number() OVER ()"}
    checked = validation_query(table, readings, "offered", carry=carried)
    con.execute(
        f"CREATE OR REPLACE TABLE staged AS SELECT *, {key_hash(table)} AS kh, "
        f"{row_hash(table)} AS rh FROM ({checked})"
    )
    con.unregister("offered")
    merged = merge(con, table, None, Delivery(DELIVERED, 1, dated=True))
    broken = "SELECT DISTINCT problem FROM staged WHERE problem IS NOT NULL ORDER BY 1"
    problems = [str(row[0]) for row in con.execute(broken).fetchall()]
    if merged.conflicts:
        problems.append(f"{'+'.join(table.key)}:same_key_differs")
    if problems:
        raise ExtractRejected(f"{table.name}: rows break the contract: {', '.join(problems)}.")
    written = write_table(con, table, folder, None, merged)
    return StoredTable(written.files, written.rows, written.digest, written.last_known_on)
