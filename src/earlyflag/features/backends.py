"""Where the engine's SQL runs: DuckDB in this process, or Spark, from the same statements.

Every statement is written once, in DuckDB's dialect, with `$name` for values. DuckDB binds them;
for Spark the statement is parsed, the values are bound in its tree as typed literals, and the tree
is written in Spark's dialect.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import sqlglot
from sqlglot import exp

from earlyflag.features.fingerprints import LINKED
from earlyflag.features.together import share_out
from earlyflag.sources.schema import TABLES

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import SparkSession

Values = Mapping[str, date | int]

_PARAMETER = re.compile(r"\$(\w+)")

MOST_ROOMS = 4
"""How many cut-offs are computed at the same time at most, so that memory holds them."""


@dataclass(frozen=True, slots=True)
class Step:
    """A relation to be made: its SELECT, the values it names, and the relations it reads."""

    name: str
    select: str
    reads: tuple[str, ...] = ()
    values: Values = field(default_factory=dict)


class Backend(Protocol):
    """Runs SELECT statements and keeps their results under a name."""

    def table(self, name: str, select: str, values: Values | None = None) -> None:
        """Run a SELECT now and keep its rows as a relation, replacing one of that name."""

    def tables(self, steps: Sequence[Step]) -> None:
        """Make several relations; steps stand after those whose relations they read."""

    def rooms(self, count: int) -> AbstractContextManager[Sequence[Backend]]:
        """Return at most `count` backends that may work at the same time.

        Each reads this one's relations, and keeps its own where the others do not see them.
        """

    def view(self, name: str, select: str) -> None:
        """Keep a SELECT without values under a name, to be run whenever it is read."""

    def drop(self, *names: str) -> None:
        """Forget relations that `table` made."""

    def rows(self, select: str, values: Values | None = None) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT."""

    def write(self, select: str, path: Path) -> None:
        """Write the rows of a SELECT to one Parquet file, which appears whole or not at all."""


@lru_cache(maxsize=2048)
def _parsed(select: str) -> exp.Expr:
    return sqlglot.parse_one(select, dialect="duckdb")


def for_spark(select: str, values: Values | None = None) -> str:
    """Return a statement in Spark's dialect, with its `$name` parameters bound to typed values."""
    bound = dict(values or {})

    def literal(node: exp.Expr) -> exp.Expr:
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


def _make(con: duckdb.DuckDBPyConnection, name: str, select: str, values: Values | None) -> None:
    con.execute(f'CREATE OR REPLACE TABLE "{name}" AS {select}', _used(select, values))


class DuckDBBackend:
    """Runs in one in-memory DuckDB database, out of core where memory ends.

    DuckDB shares one statement out among processors by row groups of 120,000 rows, so most
    statements about one cut-off run on one processor. Lanes run several statements at a time.

    Parameters
    ----------
    lanes : how many statements may run at the same time
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, lanes: int = 1, schema: str = "") -> None:
        self.con = con
        self._lanes = lanes
        self._schema = schema

    def table(self, name: str, select: str, values: Values | None = None) -> None:
        """Keep the rows of a SELECT as a table."""
        _make(self.con, name, select, values)

    def tables(self, steps: Sequence[Step]) -> None:
        """Keep the rows of several SELECTs, as many at a time as there are lanes."""
        named = {step.name: step for step in steps}
        beside = [self._cursor(self._schema) for _ in range(self._lanes - 1)]

        def worker(con: duckdb.DuckDBPyConnection, name: str) -> None:
            _make(con, name, named[name].select, named[name].values)

        try:
            follows = {step.name: step.reads for step in steps}
            workers = [partial(worker, con) for con in (self.con, *beside)]
            for _ in share_out(follows, workers):
                pass
        finally:
            for con in beside:
                con.close()

    @contextmanager
    def rooms(self, count: int) -> Iterator[Sequence[Backend]]:
        """Give each room a schema of its own and its part of the lanes."""
        count = min(count, self._lanes, MOST_ROOMS)
        if count <= 1:
            yield [self]
            return
        schemas = [f"room_{number}" for number in range(count)]
        for schema in schemas:
            self.con.execute(f"CREATE SCHEMA {schema}")
        cons = [self._cursor(schema) for schema in schemas]
        try:
            yield [
                DuckDBBackend(con, self._lanes // count, schema)
                for con, schema in zip(cons, schemas, strict=True)
            ]
        finally:
            for con, schema in zip(cons, schemas, strict=True):
                con.close()
                self.con.execute(f"DROP SCHEMA {schema} CASCADE")

    def _cursor(self, schema: str) -> duckdb.DuckDBPyConnection:
        con = self.con.cursor()
        if schema:
            con.execute(f"SET search_path = '{schema},main'")
        return con

    def view(self, name: str, select: str) -> None:
        """Keep a SELECT as a view."""
        self.con.execute(f'CREATE OR REPLACE VIEW "{name}" AS {select}')

    def drop(self, *names: str) -> None:
        """Drop tables."""
        for name in names:
            self.con.execute(f'DROP TABLE IF EXISTS "{name}"')

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
    sources : folder or URL that `export_relations` wrote: one Parquet file or folder a relation
    """

    def __init__(self, session: SparkSession, sources: Path | str) -> None:
        self.session = session
        for name in (*TABLES, *LINKED):
            session.read.parquet(f"{sources}/{name}.parquet").createOrReplaceTempView(name)

    def table(self, name: str, select: str, values: Values | None = None) -> None:
        """Run a SELECT and cut its lineage, so that long chains of steps stay short to plan."""
        frame = self.session.sql(for_spark(select, values)).localCheckpoint()
        frame.createOrReplaceTempView(name)

    def tables(self, steps: Sequence[Step]) -> None:
        """Make relations one after another: Spark shares each statement out by itself."""
        for step in steps:
            self.table(step.name, step.select, step.values)

    @contextmanager
    def rooms(self, count: int) -> Iterator[Sequence[Backend]]:
        """Return this backend alone: its relations are the session's."""
        yield [self]

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
