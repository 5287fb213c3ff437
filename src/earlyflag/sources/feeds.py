"""Which files of a folder feed which tables, by their names or by a supplier's mapping."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatch
from pathlib import Path

from earlyflag.core.errors import Misused, StepMissing
from earlyflag.sources.declare import Table
from earlyflag.sources.mapping import FeedMapping, InputMapping, Mapping
from earlyflag.sources.schema import TABLES

SUFFIXES = (".csv", ".csv.gz", ".parquet")
DATE_IN_NAME = re.compile(r"(?<!\d)(20\d{2})-?([01]\d)-?([0-3]\d)(?!\d)")


@dataclass(frozen=True, slots=True)
class Feed:
    """Files that are read into one table in one way.

    Attributes
    ----------
    options : how the files are written, as far as the mapping says
    mapped : the mapping's columns; None for a file that follows the contract
    others : the inputs that the feed joins to, by name
    """

    table: Table
    files: tuple[Path, ...]
    options: InputMapping
    mapped: FeedMapping | None = None
    supplier: Mapping | None = None
    others: tuple[tuple[str, InputMapping, tuple[Path, ...]], ...] = ()

    @property
    def all_files(self) -> tuple[Path, ...]:
        """The feed's files and those it joins to."""
        return (*self.files, *(path for other in self.others for path in other[2]))


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of extracts: the feeds found in it, and files that nothing reads."""

    feeds: tuple[Feed, ...]
    unread: tuple[Path, ...]
    warnings: tuple[str, ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """The contract tables that the folder delivers."""
        found = {feed.table.name for feed in self.feeds}
        return tuple(name for name in TABLES if name in found)

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that is read, once."""
        return tuple(dict.fromkeys(path for feed in self.feeds for path in feed.all_files))


def extract_files(folder: Path) -> list[Path]:
    """Return the CSV, gzipped CSV and Parquet files that lie in a folder, by name.

    Raises
    ------
    Misused
        The folder does not exist or cannot be listed.
    """
    try:
        found = [path for path in folder.iterdir() if path.name.lower().endswith(SUFFIXES)]
    except OSError as error:
        raise Misused(
            f"The folder {folder} cannot be read ({error.strerror}). Name a folder of extracts."
        ) from error
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def stem(path: Path) -> str:
    """Return a file's name without the suffixes of extracts."""
    name = path.name
    for suffix in (".gz", ".csv", ".parquet"):
        if name.lower().endswith(suffix):
            name = name[: -len(suffix)]
    return name


def is_file_of(path: Path, table: str) -> bool:
    """Whether a file is named as the contract names a table's files."""
    return stem(path) == table or stem(path).startswith(f"{table}-")


def find_feeds(folder: Path, mapping: Mapping | None) -> Folder:
    """Find what a folder delivers.

    Files that the mapping claims are read by it; the others by their names. A contract table
    that the mapping describes without an input is read from the files named after it.

    Raises
    ------
    StepMissing
        No file of the folder belongs to a table.
    """
    files = extract_files(folder)
    claimed: set[Path] = set()
    feeds: list[Feed] = []
    warnings: list[str] = []
    if mapping is not None:
        feeds, warnings = _mapped_feeds(files, mapping)
        claimed = {path for feed in feeds for path in feed.all_files}
    plain = InputMapping(files=("*",))
    for table in TABLES.values():
        own = tuple(p for p in files if p not in claimed and is_file_of(p, table.name))
        if own:
            feeds.append(Feed(table, own, plain))
            claimed |= set(own)
    if not feeds:
        raise StepMissing(
            f"{folder} has no extracts: expected files such as council_tax_accounts.csv, .csv.gz "
            "or .parquet, or a mapping that names the supplier's files (--mapping)."
        )
    return Folder(tuple(feeds), tuple(p for p in files if p not in claimed), tuple(warnings))


def _mapped_feeds(files: list[Path], mapping: Mapping) -> tuple[list[Feed], list[str]]:
    """Return the mapping's feeds that have files, and a warning for each that lacks another."""
    inputs = {
        name: (_options(given, mapping), _matching(files, given))
        for name, given in mapping.inputs.items()
    }
    feeds: list[Feed] = []
    warnings: list[str] = []
    for name, mapped in ((n, feed) for n, several in mapping.tables.items() for feed in several):
        options = _options(InputMapping(files=("*",)), mapping)
        own = tuple(path for path in files if is_file_of(path, name))
        if mapped.input is not None:
            options, own = inputs[mapped.input]
        lacking = [j.input for j in mapped.joins if not j.optional and not inputs[j.input][1]]
        if own and lacking:
            wanted = ", ".join(g for name in lacking for g in mapping.inputs[name].files)
            warnings.append(f"{name}: not read from {mapped.input}, since no file is {wanted}.")
        elif own:
            others = tuple((join.input, *inputs[join.input]) for join in mapped.joins)
            feeds.append(Feed(TABLES[name], own, options, mapped, mapping, others))
    return feeds, warnings


def _options(given: InputMapping, mapping: Mapping) -> InputMapping:
    return given.model_copy(
        update={
            "encoding": given.encoding or mapping.encoding,
            "delimiter": given.delimiter or mapping.delimiter,
        }
    )


def _matching(files: list[Path], given: InputMapping) -> tuple[Path, ...]:
    return tuple(p for p in files if any(fnmatch(p.name.lower(), g.lower()) for g in given.files))


def date_in_names(folder: Path, files: tuple[Path, ...]) -> date | None:
    """Return the latest day that stands in the names of files, else in the folder's; or None."""
    for names in ([path.name for path in files], [folder.resolve().name]):
        days = [day for name in names for day in _days(name)]
        if days:
            return max(days)
    return None


def _days(name: str) -> list[date]:
    days = []
    for match in DATE_IN_NAME.finditer(name):
        try:
            days.append(datetime.strptime("".join(match.groups()), "%Y%m%d").date())  # noqa: DTZ007
        except ValueError:
            continue
    return days
