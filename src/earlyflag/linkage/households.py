"""What linkage found, as dated tables that other rooms read."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from earlyflag.core.errors import LinkageConflict, StepMissing
from earlyflag.core.home import write_json_atomically
from earlyflag.sources import sql

CURRENT = "current.json"
VIEWS = (
    "household_members",
    "household_homes",
    "case_links",
    "unscorable",
    "linked_people",
    "linked_pairs",
)


@dataclass(frozen=True)
class Households:
    """Households over time, read from one folder of parquet files.

    Attributes
    ----------
    folder : the folder that `link` wrote
    content_hash : changes if and only if the content does
    facts : counts and settings of the run that wrote it
    """

    folder: Path
    content_hash: str
    facts: dict[str, Any]

    def register(self, con: duckdb.DuckDBPyConnection) -> None:
        """Create one view for each table in a connection.

        `household_members`, `household_homes` and `case_links` rows hold at `as_of` when
        `from_as_of <= as_of AND (to_as_of IS NULL OR as_of < to_as_of)`.
        """
        for name in VIEWS:
            path = sql.text(sql.one_file(self.folder / f"{name}.parquet"))
            con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet({path})")


def load(folder: Path) -> Households:
    """Return the households that were last written to a folder.

    Raises
    ------
    StepMissing
        Nothing has been linked there yet.
    """
    pointer = folder / CURRENT
    if not pointer.exists():
        raise StepMissing(f"{folder} holds no households yet. Run `earlyflag link` first.")
    facts = json.loads(pointer.read_text("utf-8"))
    return Households(folder / facts["folder"], facts["content_hash"], facts)


def write(
    con: duckdb.DuckDBPyConnection, folder: Path, inputs_hash: str, facts: dict[str, Any]
) -> Households:
    """Write the tables of a connection so that readers see the old ones or the new.

    The files go to a folder of their own; the pointer to it is replaced last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    working = Path(tempfile.mkdtemp(dir=folder, prefix=".writing-"))
    try:
        for name in VIEWS:
            path = str(working / f"{name}.parquet").replace("'", "''")
            con.execute(f"COPY (SELECT * FROM {name} ORDER BY ALL) TO '{path}' (FORMAT parquet)")
        name = f"linked-{inputs_hash[:16]}"
        if (folder / name).exists():
            shutil.rmtree(folder / name)
        working.rename(folder / name)
    except BaseException:
        shutil.rmtree(working, ignore_errors=True)
        raise
    write_json_atomically(folder / CURRENT, {**facts, "folder": name, "inputs_hash": inputs_hash})
    for old in folder.glob("linked-*"):
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)
    return load(folder)


def content_hash(con: duckdb.DuckDBPyConnection) -> str:
    """Return a hash of all tables that does not depend on the order of their rows."""
    digests = [
        con.execute(
            f"SELECT coalesce(sum(hash(t)::HUGEINT), 0)::VARCHAR || ':' || count(*) FROM {name} t"
        ).fetchall()[0][0]
        for name in VIEWS
    ]
    return str(con.execute("SELECT sha256($1)", ["|".join(digests)]).fetchone()[0])


def check(con: duckdb.DuckDBPyConnection) -> None:
    """Check that nobody and no home is in two households at one `as_of`.

    Raises
    ------
    LinkageConflict
        Somebody or something is. It says how many, never who.
    """
    for what, table, key in (
        ("people", "household_members", "person_id"),
        ("records", "household_members", "source || '/' || person_ref"),
        ("accounts", "household_homes", "account_ref"),
        ("tenancies", "household_homes", "tenancy_ref"),
    ):
        count = con.execute(
            f"""
            WITH held AS (
                SELECT {key} AS who, household_id, from_as_of,
                       coalesce(to_as_of, DATE '9999-12-31') AS until
                FROM {table} WHERE {key} IS NOT NULL
            ), ordered AS (
                SELECT who, household_id, from_as_of, until,
                       max(until) OVER earlier AS reached,
                       arg_max(household_id, until) OVER earlier AS holder
                FROM held
                WINDOW earlier AS (PARTITION BY who ORDER BY from_as_of, household_id
                                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
            )
            SELECT count(DISTINCT who) FROM ordered
            WHERE reached > from_as_of AND holder <> household_id
            """
        ).fetchone()[0]
        if count:
            raise LinkageConflict(
                f"{count:,} {what} would be in two households at one cut-off. Nothing was written; "
                "report this with the run's folder, it is a fault of the linkage."
            )
