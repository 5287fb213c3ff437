"""Features on disk: one Parquet file a cut-off, computed when its inputs changed and only then."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import duckdb

from earlyflag.core.errors import StepMissing, UndeclaredFeature
from earlyflag.core.home import write_json_atomically
from earlyflag.features.backends import Backend, DuckDBBackend
from earlyflag.features.catalogue import fingerprint
from earlyflag.features.connection import connect
from earlyflag.features.declare import Family
from earlyflag.features.engine import RESULT, Engine
from earlyflag.features.families import FAMILIES
from earlyflag.features.fingerprints import fingerprints
from earlyflag.features.ledgers import LEDGERS
from earlyflag.features.relations import relations
from earlyflag.sources import sql

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa  # type: ignore[import-untyped]

FORMAT = 2
MANIFEST = "features.json"
STEPS_MEMORY = "1GB"


@dataclass(frozen=True, slots=True)
class FeatureStore:
    """The features of one folder.

    Attributes
    ----------
    folder : holds `as_of=YYYY-MM-DD.parquet` (household_id, as_of, one column a feature) and
        `features.json` (columns and the fingerprint of each file's inputs)
    computed : the cut-offs that `build` computed anew, where it made this store
    """

    folder: Path
    computed: tuple[date, ...] = ()

    @property
    def cut_offs(self) -> list[date]:
        """The cut-offs that the folder holds, oldest first."""
        return sorted(date.fromisoformat(day) for day in _manifest(self.folder)["inputs"])

    @property
    def columns(self) -> list[str]:
        """The features that the folder holds, in the order of the catalogue."""
        return list(_manifest(self.folder)["columns"])

    @property
    def content_hash(self) -> str:
        """A short text that changes when any file's inputs or the catalogue do."""
        content = json.dumps(_manifest(self.folder), sort_keys=True)
        return sha256(content.encode()).hexdigest()[:16]

    def path(self, as_of: date) -> Path:
        """Return the file of one cut-off.

        Raises
        ------
        StepMissing
            It was not computed, or its inputs changed since and a run that began to compute it
            anew did not end.
        """
        path = file_of(self.folder, as_of)
        if as_of.isoformat() not in _manifest(self.folder)["inputs"] or not path.exists():
            raise StepMissing(
                f"There are no features at {as_of}. Run `earlyflag features` for that date."
            )
        return path

    @overload
    def frame(
        self,
        cut_offs: Iterable[date],
        columns: Sequence[str] | None = None,
        *,
        form: Literal["pandas"] = "pandas",
    ) -> pd.DataFrame: ...

    @overload
    def frame(
        self,
        cut_offs: Iterable[date],
        columns: Sequence[str] | None = None,
        *,
        form: Literal["arrow"],
    ) -> pa.Table: ...

    def frame(
        self,
        cut_offs: Iterable[date],
        columns: Sequence[str] | None = None,
        *,
        form: Literal["pandas", "arrow"] = "pandas",
    ) -> pd.DataFrame | pa.Table:
        """Return features of several cut-offs, sorted by as_of and household_id.

        Returns
        -------
        frame of shape (n, 2 + len(columns)): household_id, as_of (datetime64[s]) and
        float32 features; NaN (in Arrow: null) is not known

        Raises
        ------
        StepMissing
            A cut-off was not computed.
        UndeclaredFeature
            A column is not in the store.
        """
        held = self.columns
        chosen = held if columns is None else list(columns)
        strange = sorted(set(chosen) - set(held))
        if strange:
            raise UndeclaredFeature(
                f"{len(strange)} columns are no features of {self.folder.name}: "
                f"{', '.join(strange[:5])}. See docs/reference/features.md."
            )
        paths = [sql.one_file(self.path(as_of)) for as_of in sorted(set(cut_offs))]
        if not paths:
            raise StepMissing("No cut-off was named, so there are no features to read.")
        listed = ", ".join(f'CAST("{name}" AS FLOAT) AS "{name}"' for name in chosen)
        with duckdb.connect() as con:
            table = con.sql(
                f"SELECT household_id, CAST(as_of AS TIMESTAMP_S) AS as_of"
                f"{', ' if chosen else ''}{listed} "
                "FROM read_parquet($paths, hive_partitioning = false) "
                "ORDER BY as_of, household_id",
                params={"paths": paths},
            ).to_arrow_table()
        if form == "arrow":
            return table
        return table.to_pandas(split_blocks=True, self_destruct=True)


def open_store(folder: Path) -> FeatureStore:
    """Open the features of a folder.

    Raises
    ------
    StepMissing
        Nothing was computed there.
    """
    if not (folder / MANIFEST).exists():
        raise StepMissing(f"{folder} holds no features yet. Run `earlyflag features` first.")
    return FeatureStore(folder)


def build(
    tables: Any,
    households: Any,
    cut_offs: Iterable[date],
    folder: Path,
    *,
    columns: Sequence[str] | None = None,
    families: Sequence[Family] = FAMILIES,
    threads: int | None = None,
    advance: Callable[[int], None] | None = None,
) -> FeatureStore:
    """Compute the features of each cut-off whose inputs changed, and write one file each.

    Parameters
    ----------
    tables : `sources.Tables`
    households : `linkage.Households`, linked for these cut-offs
    cut_offs : any days; months' first days are fastest together
    folder : the home's `features` folder
    columns : the features wanted; every declared one where None
    advance : called with 1 after each cut-off, also one that was already there

    Returns
    -------
    FeatureStore whose `computed` names the cut-offs that were not already there

    Raises
    ------
    UndeclaredFeature
        A column is not declared, or a family breaks the engine's rules.
    """
    days = sorted(set(cut_offs))
    declared = [name for family in families for name in family.feature_names]
    wanted = declared if columns is None else [name for name in declared if name in set(columns)]
    con = connect(tables, households, threads=threads)
    try:
        # Memory kept for good spares giving each step's pages back and asking for them anew.
        con.execute(f"SET block_allocator_memory = '{STEPS_MEMORY}'")
        backend = DuckDBBackend(con, lanes=threads or os.cpu_count() or 1)
        engine = Engine(backend, families, tables.missing, columns)
        inputs = _inputs(con, tables, engine, families, wanted, days)
        old = _manifest(folder)
        known = old["inputs"] if old["columns"] == wanted else {}
        stale = [
            day
            for day in days
            if known.get(day.isoformat()) != inputs[day] or not file_of(folder, day).exists()
        ]
        kept = {
            day: text for day, text in known.items() if date.fromisoformat(day) not in set(stale)
        }
        _write_manifest(folder, wanted, kept)
        if advance and len(stale) < len(days):
            advance(len(days) - len(stale))
        _compute(engine, folder, wanted, stale, inputs, kept, advance)
    finally:
        con.close()
    return FeatureStore(folder, tuple(stale))


def _compute(
    engine: Engine,
    folder: Path,
    wanted: Sequence[str],
    stale: Sequence[date],
    inputs: dict[date, str],
    kept: dict[str, str],
    advance: Callable[[int], None] | None,
) -> None:
    """Write each stale cut-off's file, and only then say in the manifest that it is there."""
    listed = ", ".join(f"CAST({name} AS REAL) AS {name}" for name in wanted)

    def take(backend: Backend, as_of: date) -> None:
        backend.write(
            f"SELECT household_id, as_of, {listed} FROM {RESULT} ORDER BY household_id",
            file_of(folder, as_of),
        )

    def done(as_of: date) -> None:
        kept[as_of.isoformat()] = inputs[as_of]
        _write_manifest(folder, wanted, kept)
        if advance:
            advance(1)

    if stale:
        engine.run(stale, take, done=done)


def file_of(folder: Path, as_of: date) -> Path:
    """Return the path of a cut-off's file, whether it is there or not."""
    return folder / f"as_of={as_of.isoformat()}.parquet"


def _inputs(
    con: duckdb.DuckDBPyConnection,
    tables: Any,
    engine: Engine,
    families: Sequence[Family],
    wanted: Sequence[str],
    days: Sequence[date],
) -> dict[date, str]:
    chosen = set(wanted)
    features = [f for family in families for f in family.features if f.name in chosen]
    read = {table for feature in features for table in feature.sources} | {"properties"}
    absent = ",".join(sorted(set(tables.missing)))
    rules = sha256(repr((relations(1), LEDGERS)).encode()).hexdigest()[:16]
    common = f"{FORMAT}:{duckdb.__version__}:{fingerprint(families)}:{rules}:{absent}"
    texts = fingerprints(con, read, days, engine.columns_read())
    return {day: f"{text}:{common}" for day, text in texts.items()}


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.exists():
        return {"columns": [], "inputs": {}}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _write_manifest(folder: Path, wanted: Sequence[str], inputs: dict[str, str]) -> None:
    write_json_atomically(folder / MANIFEST, {"columns": list(wanted), "inputs": inputs})
