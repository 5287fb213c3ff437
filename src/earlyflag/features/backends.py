"""Where the engine's SQL runs: DuckDB in this process, or Spark, from the same statements.

Every statement is written once, in DuckDB's dialect, with `$name` for values. DuckDB binds them;
for Spark the statement is parsed, the values are bound in its tree as typed literals, and the tree
is written in Spark's dialect.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import sqlglot
from sqlglot import exp

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

Values = Mapping[str, date | int]

_PARAMETER = re.compile(r"\$(\w+)")


class Backend(Protocol):
    """Runs SELECT statements and keeps their results under a name."""

    def table(self, name: str, select: str, values: Values | None = None) -> None:
        """Run a SELECT now and keep its rows as a relation, replacing one of that name."""

    def view(self, name: str, select: str) -> None:
        """Keep a SELECT without values under a name, to be run whenever it is read."""

    def drop(self, *names: str) -> None:
        """Forget relations that `table` made."""

    def rows(self, select: str, values: Values | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT."""

    def write(self, select: str, path: Path) -> None:
        """Write the rows of a SELECT to one Parquet file, which appears whole or not at all."""


@lru_cache(maxsize=2048)
def _parsed(select: str) -> exp.Expression:
    return sqlglot.parse_one(select, dialect="duckdb")


def for_spark(select: str, values: Values | None = None) -> str:
    """Return a statement in Spark's dialect, with its `$name` parameters bound to typed values."""
    bound = dict(values or {})

    def literal(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Placeholder):
            value = bound[str(node.this)]
            if isinstance(value, date):
                return exp.cast(exp.Literal.string(value.isoformat()), "date")
            return exp.Literal.number(value)
        return node

    return _parsed(select).transform(literal).sql(dialect="spark")


def _used(select: str, values: Values | None) -> dict[str, date | int]:
    """Return the values that a statement names; DuckDB refuses others."""
    named = set(_PARAMETER.findall(select))
    return {name: value for name, value in (values or {}).items() if name in named}


class DuckDBBackend:
    """Runs in one DuckDB connection, out of core where memory ends."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con

    def table(self, name: str, select: str, values: Values | None = None) -> None:
        """Keep the rows of a SELECT as a temporary table."""
        self.con.execute(
            f'CREATE OR REPLACE TEMP TABLE "{name}" AS {select}', _used(select, values)
        )

    def view(self, name: str, select: str) -> None:
        """Keep a SELECT as a temporary view."""
        self.con.execute(f'CREATE OR REPLACE TEMP VIEW "{name}" AS {select}')

    def drop(self, *names: str) -> None:
        """Drop temporary tables."""
        for name in names:
            self.con.execute(f'DROP TABLE IF EXISTS temp."{name}"')

    def rows(self, select: str, values: Values | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT."""
        return self.con.execute(select, _used(select, values)).fetchall()

    def write(self, select: str, path: Path) -> None:
        """Write one Parquet file beside its final name, then rename it."""
        draft = path.with_name(f".{path.name}.draft")
        draft.parent.mkdir(parents=True, exist_ok=True)
        quoted = str(draft).replace("'", "''")
        self.con.execute(
            f"COPY ({select}) TO '{quoted}' "
            "(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 131072)"
        )
        draft.rename(path)


class SparkBackend:
    """Runs in a Spark session; relations are temporary views over materialised frames.

    Parameters
    ----------
    session : of the cluster, or local
    sources : folder that `export_relations` wrote: one Parquet file or folder a relation
    """

    def __init__(self, session: SparkSession, sources: Path | str) -> None:
        self.session = session
        for path in sorted(Path(sources).glob("*.parquet")):
            session.read.parquet(str(path)).createOrReplaceTempView(path.stem)

    def table(self, name: str, select: str, values: Values | None = None) -> None:
        """Run a SELECT and cut its lineage, so that long chains of steps stay short to plan."""
        frame = self.session.sql(for_spark(select, values)).localCheckpoint()
        frame.createOrReplaceTempView(name)

    def view(self, name: str, select: str) -> None:
        """Keep a SELECT as a temporary view."""
        self.session.sql(for_spark(select)).createOrReplaceTempView(name)

    def drop(self, *names: str) -> None:
        """Drop temporary views."""
        for name in names:
            self.session.catalog.dropTempView(name)

    def rows(self, select: str, values: Values | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT."""
        return [tuple(row) for row in self.session.sql(for_spark(select, values)).collect()]

    def write(self, select: str, path: Path) -> None:
        """Write one Parquet file."""
        draft = path.with_name(f".{path.name}.draft")
        frame = self.session.sql(for_spark(select)).coalesce(1)
        frame.write.mode("overwrite").parquet(str(draft))
        (part,) = draft.glob("part-*.parquet")
        part.rename(path)
        shutil.rmtree(draft)
