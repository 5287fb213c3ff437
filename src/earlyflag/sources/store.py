"""The validated tables on disk: immutable Parquet files and one pointer that names them.

A delivery writes new files and then replaces `current.json` in one step, so that a reader sees
the tables as before or as after, never between, whatever kills the writer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earlyflag.core.errors import StepMissing
from earlyflag.core.home import write_json_atomically
from earlyflag.sources import sql
from earlyflag.sources.declare import Table
from earlyflag.sources.schema import TABLES
from earlyflag.sources.validate import canonical_columns

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

POINTER = "current.json"
DATA = "data"
FORMAT = 1

# What the store keeps of every row beside the contract's columns.
KEPT = {
    "stated_known_on": "DATE",
    "superseded_on": "DATE",
    "delivered_on": "DATE",
    "delivery": "INTEGER",
}


@dataclass(frozen=True, slots=True)
class StoredTable:
    """What the pointer says of one table.

    Attributes
    ----------
    files : names below `data/`
    rows : versions on disk, superseded ones included
    digest : order-free sum over the visible rows; equal for equal content
    last_known_on : the last day on which a row of it was recorded
    profile : what each column looked like in the last delivery (see `preflight`)
    """

    files: tuple[str, ...]
    rows: int
    digest: int
    last_known_on: date | None = None
    profile: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of the pointer: the tables, the deliveries and the files seen so far."""

    tables: Mapping[str, StoredTable] = field(default_factory=dict)
    deliveries: tuple[Mapping[str, Any], ...] = ()
    seen: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    previous_files: tuple[str, ...] = ()

    @property
    def content_hash(self) -> str:
        """A short text that changes if and only if the visible content of a table does."""
        parts = {name: f"{table.digest:x}" for name, table in sorted(self.tables.items())}
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def files(self) -> set[str]:
        """Return the names of all data files that the tables are made of."""
        return {name for table in self.tables.values() for name in table.files}


def read_manifest(folder: Path) -> Manifest:
    """Return what the pointer says; an empty manifest where nothing was ever ingested."""
    pointer = folder / POINTER
    if not pointer.is_file():
        return Manifest()
    content = json.loads(pointer.read_text(encoding="utf-8"))
    return Manifest(
        tables={
            name: StoredTable(
                files=tuple(stored["files"]),
                rows=stored["rows"],
                digest=int(stored["digest"], 16),
                last_known_on=_day(stored["last_known_on"]),
                profile=stored["profile"],
            )
            for name, stored in content["tables"].items()
        },
        deliveries=tuple(content["deliveries"]),
        seen=content["seen"],
        previous_files=tuple(content["previous_files"]),
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the pointer: the one step that makes a delivery visible."""
    content = asdict(manifest)
    for stored in content["tables"].values():
        stored["digest"] = f"{stored['digest']:x}"
    content["format"] = FORMAT
    write_json_atomically(folder / POINTER, content)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


class Tables:
    """The validated contract tables, as they stand at the moment they are opened.

    Attributes
    ----------
    names : tables that hold at least one row or were delivered empty
    missing : contract tables that were never delivered; their views are empty
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self._manifest = manifest

    @property
    def names(self) -> tuple[str, ...]:
        """Contract tables that have been delivered, in the contract's order."""
        return tuple(name for name in TABLES if name in self._manifest.tables)

    @property
    def missing(self) -> tuple[str, ...]:
        """Contract tables that were never delivered."""
        return tuple(name for name in TABLES if name not in self._manifest.tables)

    @property
    def content_hash(self) -> str:
        """A short text that changes if and only if the visible content does."""
        return self._manifest.content_hash

    @property
    def last_known_on(self) -> date | None:
        """The last day on which anything was recorded; ends of spells do not count."""
        days = [t.last_known_on for t in self._manifest.tables.values() if t.last_known_on]
        return max(days, default=None)

    def last_known_in(self, name: str) -> date | None:
        """Return the last day on which a row of one table was recorded."""
        stored = self._manifest.tables.get(name)
        return stored.last_known_on if stored else None

    @property
    def deliveries(self) -> tuple[Mapping[str, Any], ...]:
        """What was delivered, when, with which files, counts and lawful bases, oldest first."""
        return self._manifest.deliveries

    def rows(self, name: str) -> int:
        """Return how many rows of a table are on disk, superseded ones included."""
        stored = self._manifest.tables.get(name)
        return stored.rows if stored else 0

    def table_hash(self, name: str) -> str:
        """Return the content hash of one table; `-` where it was never delivered."""
        stored = self._manifest.tables.get(name)
        return f"{stored.digest:x}" if stored else "-"

    def register(self, con: DuckDBPyConnection) -> None:
        """Make one typed view a contract table in a DuckDB connection.

        A view has the contract's columns, with `known_on` and the other dates of knowledge
        filled, and `superseded_on` (NULL for the current version of a row). A row is visible at
        `as_of` when `known_on < as_of AND (superseded_on IS NULL OR superseded_on >= as_of)`.
        A table that is not dated shows its current rows only. A missing table is an empty view.
        """
        for table in TABLES.values():
            con.execute(f"CREATE OR REPLACE VIEW {table.name} AS {self.query(table)}")

    def query(self, table: Table) -> str:
        """Return the SQL of a table's visible versions."""
        columns = canonical_columns(table)
        stored = self._manifest.tables.get(table.name)
        if stored is None or not stored.files:
            empty = ", ".join(f"CAST(NULL AS {c.sql_type}) AS {c.name}" for c in columns)
            return f"SELECT {empty}, CAST(NULL AS DATE) AS superseded_on WHERE false"
        names = ", ".join(c.name for c in columns)
        return (
            f"SELECT {names}, superseded_on FROM {relation(self.folder, stored.files)} "
            f"WHERE {visible(table)}"
        )


def relation(folder: Path, files: tuple[str, ...]) -> str:
    """Return SQL that reads data files as one relation."""
    paths = ", ".join(sql.text(sql.one_file(folder / DATA / name)) for name in files)
    return f"read_parquet([{paths}])"


def visible(table: Table) -> str:
    """Return the SQL condition that leaves out versions that no `as_of` ever sees."""
    if table.dated_by is None:
        return "superseded_on IS NULL"
    return "(superseded_on IS NULL OR superseded_on > known_on)"


def load(folder: Path) -> Tables:
    """Open the validated tables.

    Parameters
    ----------
    folder : the home's `tables` folder

    Raises
    ------
    StepMissing
        Nothing was ingested yet, or the council tax accounts, which every other step starts
        from, are missing.
    """
    manifest = read_manifest(folder)
    missing = [table.name for table in TABLES.values() if table.required]
    absent = [name for name in missing if name not in manifest.tables]
    if not manifest.tables:
        raise StepMissing(
            "No tables have been ingested. Put the extracts in a folder and run "
            "`earlyflag ingest FOLDER`."
        )
    if absent:
        raise StepMissing(
            f"{', '.join(absent)} was never delivered, and households start from it. "
            "Run `earlyflag ingest FOLDER` with that table."
        )
    return Tables(folder, manifest)


def digest_query(table: Table, relation_sql: str) -> str:
    """Return SQL of one order-free number over the visible rows of a relation.

    It is built on MD5 of the rows' text, so that it stays the same in later versions of DuckDB.
    """
    columns = [*(c.name for c in canonical_columns(table)), "superseded_on"]
    cells = ", ".join(f"coalesce(CAST({c} AS VARCHAR), chr(30))" for c in columns)
    return (
        f"SELECT coalesce(sum(CAST(md5_number_lower(concat_ws(chr(31), {cells})) AS HUGEINT)), 0) "
        f"FROM {relation_sql} WHERE {visible(table)}"
    )
