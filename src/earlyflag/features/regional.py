"""Features on Spark, for a region whose data outgrow one machine: the same statements, the same
declarations.

Spark reads the contract's views and linkage's as Parquet; `export_relations` writes them, with
the dates of knowledge filled and only the versions that some cut-off can see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earlyflag.features.backends import Backend, SparkBackend
from earlyflag.features.connection import connect
from earlyflag.features.declare import Family
from earlyflag.features.engine import RESULT, Engine
from earlyflag.features.families import FAMILIES
from earlyflag.features.fingerprints import LINKED
from earlyflag.features.store import file_of
from earlyflag.sources.schema import TABLES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def export_relations(tables: Any, households: Any, folder: Path) -> list[Path]:
    """Write the views that features read, one Parquet file each, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with connect(tables, households) as con:
        for name in (*TABLES, *LINKED):
            path = folder / f"{name}.parquet"
            quoted = str(path).replace("'", "''")
            con.execute(f"COPY (SELECT * FROM {name}) TO '{quoted}' (FORMAT parquet)")
            written.append(path)
    return written


def build_on_spark(
    session: SparkSession,
    relations: Path | str,
    cut_offs: Iterable[date],
    folder: Path,
    *,
    missing: Iterable[str] = (),
    columns: Sequence[str] | None = None,
    families: Sequence[Family] = FAMILIES,
) -> list[Path]:
    """Compute features in a Spark session and write one Parquet file a cut-off.

    Parameters
    ----------
    session : of the cluster, or local; its time zone does not matter, all facts are days
    relations : folder or URL of the files that `export_relations` wrote
    missing : contract tables that were never delivered (`Tables.missing`)

    Returns
    -------
    the files written, in order of the cut-offs; the same columns and rows as DuckDB's, counts and
    money equal exactly

    Raises
    ------
    UndeclaredFeature
        A column is not declared, or a family breaks the engine's rules.
    """
    backend = SparkBackend(session, relations)
    declared = [name for family in families for name in family.feature_names]
    wanted = declared if columns is None else [name for name in declared if name in set(columns)]
    listed = ", ".join(f"CAST({name} AS REAL) AS {name}" for name in wanted)
    written: list[Path] = []

    def take(_: Backend, as_of: date) -> None:
        path = file_of(folder, as_of)
        backend.write(
            f"SELECT household_id, as_of, {listed} FROM {RESULT} ORDER BY household_id", path
        )
        written.append(path)

    Engine(backend, families, set(missing), columns).run(cut_offs, take)
    return written
