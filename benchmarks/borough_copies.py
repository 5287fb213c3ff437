"""A large borough made of copies of a small one, side by side under other references.

The small one goes the real way (synthetic, ingested, linked); its copies need neither ingesting
nor linking, so that the time of features alone can be measured on any number of households.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from earlyflag import linkage, sources, synthetic
from earlyflag.core.clock import month_starts
from earlyflag.core.home import Home
from earlyflag.core.settings import LawfulBasis

HOUSEHOLDS = 10_000
MONTHS = 48
LAST = date(2026, 10, 1)
LINKED = ("household_homes", "household_members", "case_links")


@dataclass(frozen=True)
class Views:
    """Views over Parquet files, as `Tables` and `Households` give them."""

    folder: Path
    names: tuple[str, ...]
    missing: tuple[str, ...] = ()
    last_known_on: date = LAST

    def register(self, con: duckdb.DuckDBPyConnection) -> None:
        """Create one view a file."""
        for name in self.names:
            path = self.folder / f"{name}.parquet"
            con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet('{path}')")


def small_borough(folder: Path) -> Home:
    """Write, ingest and link the small borough, unless the folder has it."""
    home = Home(folder / "home")
    if (home.households / "current.json").exists():
        return home
    synthetic.write_borough(folder / "extracts", households=HOUSEHOLDS, months=MONTHS, seed=1)
    basis = LawfulBasis(
        gateway="benchmark", approved_by="benchmark", approved_on=LAST, impact_assessment="none"
    )
    home.open()
    sources.ingest(folder / "extracts", home, bases=dict.fromkeys(sources.TABLES, basis))
    first = date(LAST.year - 3, LAST.month, 1)
    linkage.link(sources.load(home.tables), month_starts(first, LAST), home.households)
    return home


def copies(home: Home, folder: Path, times: int) -> tuple[Views, Views]:
    """Return tables and households of `times` copies, written to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    names = tuple(sources.TABLES)
    with duckdb.connect() as con:
        sources.load(home.tables).register(con)
        linkage.load(home.households).register(con)
        for name in (*names, *LINKED):
            path = folder / f"{name}.parquet"
            if not path.exists():
                columns = [str(row[0]) for row in con.execute(f"DESCRIBE {name}").fetchall()]
                chosen = ", ".join(_copied(column) for column in columns)
                con.execute(
                    f"COPY (SELECT {chosen} FROM {name}, range({times}) AS r(copy)) "
                    f"TO '{path}' (FORMAT parquet)"
                )
    return Views(folder, names), Views(folder, LINKED)


def empty_views(con: duckdb.DuckDBPyConnection) -> None:
    """Create every contract view without rows."""
    for table in sources.TABLES.values():
        columns = {c.name: c.sql_type for c in table.columns} | {"superseded_on": "DATE"}
        if table.dated_by:
            columns.setdefault("known_on", "DATE")
        _empty(con, table.name, columns)


def empty_links(con: duckdb.DuckDBPyConnection) -> None:
    """Create linkage's views of people and cases without rows."""
    day = {"from_as_of": "DATE", "to_as_of": "DATE"}
    text = dict.fromkeys(("household_id", "person_id", "source", "person_ref", "role"), "VARCHAR")
    _empty(con, "household_members", text | {"date_of_birth": "DATE"} | day)
    names = ("case_ref", "matched", "person_id", "source", "person_ref", "uprn")
    _empty(con, "case_links", dict.fromkeys(names, "VARCHAR") | day)


def _empty(con: duckdb.DuckDBPyConnection, name: str, columns: dict[str, str]) -> None:
    typed = ", ".join(f"CAST(NULL AS {kind}) AS {column}" for column, kind in columns.items())
    con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {typed} WHERE false")


def _copied(column: str) -> str:
    """Return SQL that makes a reference another one in each copy."""
    if column.endswith("uprn"):
        number = f"CAST({column} AS BIGINT) + copy * 10000000000"
        return f"lpad(CAST({number} AS VARCHAR), 12, '0') AS {column}"
    if column.endswith("_ref") or column in ("household_id", "person_id"):
        return f"{column} || chr(CAST(65 + copy AS INTEGER)) AS {column}"
    return column
