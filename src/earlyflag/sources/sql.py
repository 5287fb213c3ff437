"""Small pieces of SQL: identifiers and literals quoted, typed values read as text, counts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def name(identifier: str) -> str:
    """Return a quoted identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a quoted text literal."""
    return "'" + value.replace("'", "''") + "'"


def one_file(path: Path) -> str:
    """Return a path as DuckDB reads it, where `*`, `?` and `[` in it are no pattern of names."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def texts(values: Iterable[str]) -> str:
    """Return a parenthesised list of text literals; never empty, so that IN stays valid."""
    return "(" + ", ".join(text(value) for value in values) + ")" if values else "('')"


def names(identifiers: Iterable[str]) -> str:
    """Return quoted identifiers parted by commas."""
    return ", ".join(name(identifier) for identifier in identifiers)


def as_text(identifier: str, sql_type: str) -> str:
    """Return the text of a typed column, as the contract would write it in a CSV.

    Whole floats lose their fraction (a column of integers with blanks often arrives so) and a
    timestamp at midnight is read as its day; anything else keeps its digits, to be refused by
    the rule of its column.
    """
    quoted = name(identifier)
    kind = sql_type.upper()
    if kind in {"FLOAT", "DOUBLE"}:
        return (
            f"CASE WHEN isnan({quoted}) THEN NULL "
            f"WHEN isfinite({quoted}) AND abs({quoted}) < 1e15 AND {quoted} = trunc({quoted}) "
            f"THEN CAST(CAST({quoted} AS BIGINT) AS VARCHAR) ELSE CAST({quoted} AS VARCHAR) END"
        )
    if kind.startswith("TIMESTAMP"):
        day = f"CAST({quoted} AS DATE)"
        return (
            f"CASE WHEN NOT isfinite({quoted}) OR CAST({day} AS TIMESTAMP) = "
            f"CAST({quoted} AS TIMESTAMP) THEN CAST({day} AS VARCHAR) "
            f"ELSE CAST({quoted} AS VARCHAR) END"
        )
    return quoted if kind == "VARCHAR" else f"CAST({quoted} AS VARCHAR)"


def count(con: DuckDBPyConnection, query: str) -> int:
    """Return the one number that a query gives."""
    return int(con.execute(query).fetchall()[0][0])
