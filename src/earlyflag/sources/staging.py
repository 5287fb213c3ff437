"""The rows of a table's feeds, typed and checked, in one view with their file and record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from earlyflag.core.errors import ExtractRejected
from earlyflag.sources import rules, sql
from earlyflag.sources.declare import Table
from earlyflag.sources.feeds import Feed
from earlyflag.sources.mapped import AMBIGUOUS, reading
from earlyflag.sources.mapping import FeedMapping, InputMapping, Join, Take
from earlyflag.sources.merge import key_hash, row_hash
from earlyflag.sources.opening import Opened, open_file
from earlyflag.sources.validate import canonical_columns, validation_query

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(slots=True)
class Staged:
    """What staging one table left: its files, how many rows each offered, and what was refused.

    Attributes
    ----------
    read : rows offered to the table, lines that are no records included
    set_aside : rows that the mapping says are not for this table
    faults : why the table cannot be loaded at all
    ignored : columns of the files that nothing reads
    """

    table: Table
    opened: dict[int, Opened] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    read: int = 0
    set_aside: int = 0
    faults: list[str] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)

    @property
    def bad_lines(self) -> int:
        """How many lines are no records."""
        return sum(len(opened.bad) for opened in self.opened.values())


class Stager:
    """Stages the tables of one delivery in a working database.

    Parameters
    ----------
    con : the working database
    work : a folder for copies
    advance : told the size of every file once it was read
    """

    def __init__(
        self, con: DuckDBPyConnection, work: Path, advance: Callable[[int], None] | None
    ) -> None:
        self._con = con
        self._work = work
        self._advance = advance
        self._number = 0
        self._inputs: dict[tuple[Path, ...], _Input] = {}
        self._finished: set[Path] = set()

    def stage(self, table: Table, feeds: Sequence[Feed]) -> Staged:
        """Read, type and check all rows of a table; makes the view `staged`.

        A file that cannot be used is noted as a fault, and the others are still read, so that
        one report tells everything there is to mend.
        """
        staged = Staged(table)
        for feed in feeds:
            if feed.mapped is not None and _needs_all_rows(feed.mapped):
                self._guarded(staged, self._stage_joined, staged, feed)
                continue
            for path in feed.files:
                self._guarded(staged, self._stage, staged, feed, path)
        self._make_view(staged)
        return staged

    def drop(self, staged: Staged) -> None:
        """Free the space that a staged table takes."""
        self._con.execute("DROP VIEW IF EXISTS staged CASCADE")
        for part in staged.parts:
            self._con.execute(f"DROP TABLE IF EXISTS {part}")

    def _guarded(self, staged: Staged, step: Callable[..., None], *given: object) -> None:
        try:
            step(*given)
        except ExtractRejected as error:
            staged.faults.append(str(error))

    def _open(self, path: Path, options: InputMapping, expected: frozenset[str]) -> Opened:
        self._number += 1
        return open_file(self._con, self._number, path, options, expected, self._work)

    def _stage(self, staged: Staged, feed: Feed, path: Path) -> None:
        opened = self._open(path, feed.options, expected_names(feed))
        self._check_columns(staged, feed, path.name, opened.columns)
        part = f"part_{opened.number}"

        def query(relation: str) -> str:
            return self._query(feed, opened.columns, relation, {"file_no": str(opened.number)})

        taken = opened.take(self._con, part, query)
        staged.opened[opened.number] = opened
        self._add_part(staged, part, taken + len(opened.bad), keeps_record=False)
        self.finish((path,))

    def _query(
        self, feed: Feed, columns: dict[str, str], relation: str, carry: dict[str, str]
    ) -> str:
        mapped = feed.mapped or FeedMapping()
        readings = {
            column.name: reading(
                column,
                mapped.columns.get(column.name),
                feed.supplier,
                lambda name: columns.get(name.lower()),
                joined=bool(mapped.joins),
            )
            for column in feed.table.columns
        }
        carried = {**carry, "mine": _for_table(mapped, columns)}
        checked = validation_query(feed.table, readings, relation, carry=carried)
        return (
            f"SELECT *, {key_hash(feed.table)} AS kh, {row_hash(feed.table)} AS rh FROM ({checked})"
        )

    def _add_part(self, staged: Staged, part: str, read: int, *, keeps_record: bool) -> None:
        aside = sql.count(self._con, f"SELECT count(*) FROM {part} WHERE NOT mine")
        staged.read += read - aside
        staged.set_aside += aside
        staged.parts.append(part)
        record = "record" if keeps_record else "rowid AS record"
        names = ", ".join(c.name for c in canonical_columns(staged.table))
        self._con.execute(
            f"CREATE OR REPLACE VIEW view_{part} AS SELECT file_no, {record}, {names}, problem, "
            f"kh, rh FROM {part} WHERE mine"
        )

    def _make_view(self, staged: Staged) -> None:
        if not staged.parts:
            return
        union = " UNION ALL ".join(f"SELECT * FROM view_{part}" for part in staged.parts)
        self._con.execute(f"CREATE OR REPLACE VIEW staged AS {union}")

    def _check_columns(
        self, staged: Staged, feed: Feed, name: str, columns: dict[str, str]
    ) -> None:
        """Refuse a file without a required column; note columns that nothing reads."""
        mapped = (feed.mapped or FeedMapping()).columns
        missing, used = [], set()
        for column in feed.table.columns:
            how = mapped.get(column.name)
            sources = how.sources if how else (column.name,)
            used |= {source.lower() for source in sources}
            if how and how.constant is not None:
                continue
            absent = [source for source in sources if source.lower() not in columns]
            if not column.nullable and len(absent) == len(sources):
                missing.append(column.name if sources == (column.name,) else
                               f"{column.name} (from {', '.join(absent)})")  # fmt: skip
        conditions = feed.mapped and {**feed.mapped.only, **feed.mapped.leave_out}
        used |= {source.lower() for source in conditions or ()}
        staged.ignored |= {f"{name}: {other}" for other in columns if other not in used}
        if missing:
            raise ExtractRejected(
                f"{name}: {len(missing)} required column(s) of {feed.table.name} missing: "
                f"{', '.join(missing)}. Rename them in a mapping or ask for them to be delivered."
            )

    def _stage_joined(self, staged: Staged, feed: Feed) -> None:
        mapped = feed.mapped
        if mapped is None:
            return
        base = self._input(feed.files, feed.options, staged)
        columns = dict(base.columns)
        selects, joins = [], []
        for index, join in enumerate(mapped.joins):
            _, options, paths = next(other for other in feed.others if other[0] == join.input)
            other = self._input(paths, options, staged) if paths else _Input("", {}, ())
            alias = f"j{index}"
            for taken in join.take:
                columns[taken.lower()] = sql.name(taken) if paths else "CAST(NULL AS VARCHAR)"
            if paths:
                selects += [f"{alias}.{sql.name(taken)}" for taken in join.take]
                joins.append(_join_sql(join, base.columns, other, alias))
        self._check_columns(staged, feed, feed.files[0].name, columns)
        picked = ", ".join(["b.*", *selects])
        relation = f"(SELECT {picked} FROM {base.table} b {' '.join(joins)})"
        part = f"joined_{self._number}_{len(staged.parts)}"
        query = self._query(feed, columns, relation, {"file_no": "file_no", "record": "record"})
        self._con.execute(f"CREATE OR REPLACE TABLE {part} AS {query}")
        staged.opened |= {opened.number: opened for opened in base.opened}
        bad = sum(len(opened.bad) for opened in base.opened)
        taken_rows = sql.count(self._con, f"SELECT count(*) FROM {part}")
        self._add_part(staged, part, taken_rows + bad, keeps_record=True)

    def _input(self, paths: tuple[Path, ...], options: InputMapping, staged: Staged) -> _Input:
        """Take an input's files in as they are, once a delivery."""
        if paths in self._inputs:
            return self._inputs[paths]
        table = f"input_{len(self._inputs)}"
        opened_files: list[Opened] = []
        selects: list[str] = []
        names: dict[str, str] = {}
        for path in paths:
            opened = self._open(path, options, frozenset())
            target = f"{table}_{opened.number}"
            names |= {name: sql.name(name) for name in opened.columns}
            texts = ", ".join(f"{text} AS {sql.name(n)}" for n, text in opened.columns.items())
            opened.take(self._con, target, partial(_all_of, texts))
            selects.append(f"SELECT {opened.number} AS file_no, rowid AS record, * FROM {target}")
            opened_files.append(opened)
            self.finish((path,))
        union = " UNION ALL BY NAME ".join(selects)
        self._con.execute(f"CREATE OR REPLACE VIEW {table} AS {union}")
        self._inputs[paths] = _Input(table, names, tuple(opened_files))
        return self._inputs[paths]

    def finish(self, paths: Sequence[Path]) -> None:
        """Tell that files are done with; a file that several tables read counts once."""
        for path in paths:
            if self._advance is not None and path not in self._finished:
                self._advance(path.stat().st_size)
            self._finished.add(path)


@dataclass(frozen=True, slots=True)
class _Input:
    table: str
    columns: dict[str, str]
    opened: tuple[Opened, ...]


def expected_names(feed: Feed) -> frozenset[str]:
    """Return the lower-case column names that a feed's files may have."""
    names = set(feed.table.column_names)
    if feed.mapped is not None:
        for column in feed.mapped.columns.values():
            names |= set(column.sources)
    return frozenset(name.lower() for name in names)


def _all_of(texts: str, relation: str) -> str:
    return f"SELECT {texts} FROM {relation}"


def _needs_all_rows(mapped: FeedMapping) -> bool:
    """Whether a row can only be read beside others: from another file, or numbered."""
    return bool(mapped.joins) or any(column.numbered for column in mapped.columns.values())


def _for_table(mapped: FeedMapping, columns: dict[str, str]) -> str:
    """Return SQL that is true for rows that the mapping means for this table; '' is a blank."""
    parts = []
    for name, words in mapped.only.items():
        source = columns.get(name.lower())
        if source:
            parts.append(f"coalesce({rules.trimmed(source)}, '') IN {sql.texts(words)}")
    for name, words in mapped.leave_out.items():
        source = columns.get(name.lower())
        if source:
            parts.append(f"coalesce({rules.trimmed(source)}, '') NOT IN {sql.texts(words)}")
    return "(" + (" AND ".join(parts) or "true") + ")"


def _join_sql(join: Join, base: dict[str, str], other: _Input, alias: str) -> str:
    keys = list(join.on.items())
    absent = [mine for mine, _ in keys if mine.lower() not in base]
    absent += [theirs for _, theirs in keys if theirs.lower() not in other.columns]
    absent += [
        take.column for take in join.take.values() if take.column.lower() not in other.columns
    ]
    if absent:
        raise ExtractRejected(
            f"{join.input}: {len(absent)} column(s) that the mapping joins by are missing: "
            f"{', '.join(sorted(set(absent)))}."
        )
    kept = _for_table(FeedMapping(only=join.where), other.columns)
    grouped = ", ".join(
        f"{rules.trimmed(sql.name(theirs.lower()))} AS k{i}" for i, (_, theirs) in enumerate(keys)
    )
    taken = ", ".join(f"{_take_sql(take)} AS {sql.name(name)}" for name, take in join.take.items())
    matched = " AND ".join(
        f"{rules.trimmed('b.' + sql.name(mine.lower()))} = {alias}.k{i}"
        for i, (mine, _) in enumerate(keys)
    )
    source = f"SELECT {grouped}, {taken} FROM {other.table} WHERE {kept} GROUP BY ALL"
    return f"LEFT JOIN ({source}) {alias} ON {matched}"


def _take_sql(take: Take) -> str:
    column = sql.name(take.column.lower())
    if take.pick == "only":
        return (
            f"CASE WHEN count(DISTINCT {column}) > 1 THEN {sql.text(AMBIGUOUS)} "
            f"ELSE min({column}) END"
        )
    ordered_by = rules.trimmed(sql.name((take.by or take.column).lower()))
    by = f"TRY_STRPTIME({ordered_by}, {sql.text(take.date)})"
    return f"{'arg_min' if take.pick == 'earliest' else 'arg_max'}({column}, {by})"
