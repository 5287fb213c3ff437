"""One delivered file, opened: its columns, how many rows it offers, and the SQL that reads it."""

from __future__ import annotations

import gzip
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from earlyflag.core.errors import ExtractRejected
from earlyflag.sources import sql
from earlyflag.sources.encodings import Nature, delimiter_of, examine
from earlyflag.sources.mapping import InputMapping
from earlyflag.sources.records import (
    LONGEST_LINE,
    BadLine,
    Grammar,
    LineMap,
    clean,
    header_line,
    split_lines,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(slots=True)
class Opened:
    """A file whose header has been read.

    Attributes
    ----------
    number : its number in the delivery
    columns : SQL of each column as text, by its name in lower case
    header : the names as they stand in the file
    bad : lines that are no records; known after the rows were taken
    """

    number: int
    path: Path
    columns: dict[str, str]
    header: tuple[str, ...]
    bad: list[BadLine] = field(default_factory=list)
    encoding: str = ""

    def take(self, con: DuckDBPyConnection, target: str, query: Callable[[str], str]) -> int:
        """Make the table `target` from a query over the file's rows, in the file's order.

        Returns
        -------
        the number of records taken
        """
        raise NotImplementedError

    def line(self, record: int) -> int:
        """Return the line (of a CSV) or the row (of a Parquet file) of a record, from 1."""
        raise NotImplementedError

    def raw(self, con: DuckDBPyConnection, records: list[int]) -> Iterator[str]:
        """Yield the text of records, which come in order."""
        raise NotImplementedError


def open_file(
    con: DuckDBPyConnection,
    number: int,
    path: Path,
    options: InputMapping,
    expected: frozenset[str],
    work: Path,
) -> Opened:
    """Open one file and read its header.

    Parameters
    ----------
    expected : lower-case column names, by which the delimiter is found
    work : a folder for unpacked and cleaned copies

    Raises
    ------
    ExtractRejected
        The file is damaged, empty, or its header cannot be used.
    """
    if path.name.lower().endswith(".parquet"):
        return _open_parquet(con, number, path)
    plain = _unpacked(number, path, work)
    nature = examine(plain, options.encoding)
    header = header_line(plain, nature.encoding, options.skip_lines)
    if header is None:
        raise ExtractRejected(
            f"{path.name} has no header row that can be read at line {options.skip_lines + 1}. "
            "Ask the supplier for the column names, or set skip_lines in the mapping."
        )
    delimiter = options.delimiter or delimiter_of(header, expected)
    grammar = Grammar(delimiter, 0, quoted=options.quotes)
    names = tuple(_unquoted(name) for name in grammar.split_header(header))
    _check_names(path, names)
    grammar.width = len(names)
    return _Csv(
        number=number,
        path=path,
        columns={name.lower(): f"c{i}" for i, name in enumerate(names) if name},
        header=names,
        encoding=nature.encoding,
        plain=plain,
        nature=nature,
        grammar=grammar,
        skip=options.skip_lines,
        copy=work / f"{number}.clean.csv",
        lines=LineMap([0], [options.skip_lines + 2]),
    )


def _unquoted(name: str) -> str:
    return name.strip().strip('"').strip()


def _unpacked(number: int, path: Path, work: Path) -> Path:
    if not path.name.lower().endswith(".gz"):
        return path
    target = work / f"{number}.csv"
    try:
        with gzip.open(path, "rb") as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain, 1 << 20)
    except (OSError, EOFError, zlib.error) as error:
        raise ExtractRejected(
            f"{path.name} cannot be unpacked: it is damaged or no gzip file. Fetch it again."
        ) from error
    return target


def _check_names(path: Path, names: tuple[str, ...]) -> None:
    lowered = [name.lower() for name in names if name]
    twice = len(lowered) - len(set(lowered))
    if twice:
        raise ExtractRejected(
            f"{path.name}: {twice} column name(s) of the header come twice. Rename them and "
            "deliver the file again."
        )


def _open_parquet(con: DuckDBPyConnection, number: int, path: Path) -> Opened:
    source = f"read_parquet({sql.text(sql.one_file(path))})"
    try:
        described = con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    except duckdb.Error as error:
        raise ExtractRejected(
            f"{path.name} cannot be read: it is damaged or no Parquet file. Fetch it again."
        ) from error
    names = tuple(str(row[0]) for row in described)
    _check_names(path, names)
    columns = {str(row[0]).lower(): sql.as_text(str(row[0]), str(row[1])) for row in described}
    return _Parquet(number=number, path=path, columns=columns, header=names, source=source)


@dataclass(slots=True, kw_only=True)
class _Parquet(Opened):
    source: str

    def take(self, con: DuckDBPyConnection, target: str, query: Callable[[str], str]) -> int:
        try:
            con.execute(f"CREATE OR REPLACE TABLE {target} AS {query(self.source)}")
        except duckdb.Error as error:
            raise ExtractRejected(
                f"{self.path.name} cannot be read to its end: it is damaged. Fetch it again."
            ) from error
        return sql.count(con, f"SELECT count(*) FROM {target}")

    def line(self, record: int) -> int:
        return record + 1

    def raw(self, con: DuckDBPyConnection, records: list[int]) -> Iterator[str]:
        path = sql.text(sql.one_file(self.path))
        source = f"read_parquet({path}, file_row_number = true)"
        texts = ", ".join(f"{text} AS {sql.name(name)}" for name, text in self.columns.items())
        for start in range(0, len(records), 10_000):
            wanted = ", ".join(str(record) for record in records[start : start + 10_000])
            rows = con.execute(
                f"SELECT to_json(r) FROM (SELECT file_row_number AS n, struct_pack("
                f"{', '.join(f'{sql.name(n)} := {sql.name(n)}' for n in self.columns)}) AS r FROM "
                f"(SELECT file_row_number, {texts} FROM {source}) "
                f"WHERE file_row_number IN ({wanted})) ORDER BY n"
            ).fetchall()
            yield from (str(row[0]) for row in rows)


@dataclass(slots=True, kw_only=True)
class _Csv(Opened):
    plain: Path
    nature: Nature
    grammar: Grammar
    skip: int
    copy: Path
    lines: LineMap

    def take(self, con: DuckDBPyConnection, target: str, query: Callable[[str], str]) -> int:
        if not self._needs_care():
            expected = max(self.nature.lines - 1 - self.skip, 0)
            try:
                con.execute(f"CREATE OR REPLACE TABLE {target} AS {query(self._relation())}")
                if sql.count(con, f"SELECT count(*) FROM {target}") == expected:
                    return expected
            except (duckdb.InvalidInputException, duckdb.ConversionException):
                pass  # A line that the fast reader cannot take: the careful one finds which.
        cleaned = clean(self.plain, self.copy, self.encoding, self.grammar, self.skip)
        self.bad, self.lines = cleaned.bad, cleaned.lines
        con.execute(f"CREATE OR REPLACE TABLE {target} AS {query(self._relation(self.copy))}")
        if sql.count(con, f"SELECT count(*) FROM {target}") != cleaned.records:
            raise ExtractRejected(
                f"{self.path.name} reads differently twice. Set delimiter, encoding and quotes "
                "in a mapping and deliver it again."
            )
        return cleaned.records

    def _needs_care(self) -> bool:
        nature = self.nature
        plain_text = nature.encoding in {"utf-8", "utf-8-sig"} and not nature.mixed
        return not plain_text or nature.nulls or not nature.one_line_ending

    def _relation(self, copy: Path | None = None) -> str:
        columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(self.header)))
        quote = "'\"'" if self.grammar.quoted else "''"
        start = "header = false" if copy else f"header = true, skip = {self.skip}"
        return (
            f"read_csv({sql.text(sql.one_file(copy or self.plain))}, auto_detect = false, {start}, "
            f"delim = {sql.text(self.grammar.delimiter)}, quote = {quote}, escape = {quote}, "
            f"strict_mode = true, null_padding = false, max_line_size = {LONGEST_LINE}, "
            f"columns = {{{columns}}})"
        )

    def line(self, record: int) -> int:
        return self.lines.line(record)

    def raw(self, con: DuckDBPyConnection, records: list[int]) -> Iterator[str]:
        del con  # The text comes from the file itself, as it was delivered.
        wanted = iter(records)
        target = next(wanted, None)
        gathered: list[str] = []
        for number, (text, _) in enumerate(split_lines(self.plain, self.encoding), start=1):
            if target is None:
                return
            if not gathered and number < self.line(target):
                continue
            gathered.append(text)
            record = "\n".join(gathered)
            if self.grammar.is_record(record) or number + 1 >= self.line(target + 1):
                yield record
                gathered, target = [], next(wanted, None)
