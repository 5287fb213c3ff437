"""A supplier's mapping: how its files and columns read as contract tables, checked when loaded."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from earlyflag.core.errors import MappingInvalid
from earlyflag.sources.declare import Table
from earlyflag.sources.schema import TABLES

Encoding = Literal["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"]

BESIDE = "mapping.yaml"


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Split(_Strict):
    """One part of a field: the group of a regular expression that the whole field must match."""

    pattern: str
    part: int = Field(1, ge=1, le=9)

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"not a regular expression ({error})") from error
        return pattern


class Part(_Strict):
    """A column, or the part of it that a pattern finds; nothing where it does not match."""

    from_: str = Field(alias="from")
    split: Split | None = None


class ColumnMapping(_Strict):
    """How one contract column is read. Exactly one of `from`, `join`, `first_of`, `constant`.

    Attributes
    ----------
    from_ : the supplier's column
    join : several of them, put together with `with` between those that are not blank
    first_of : the first of them that is not blank; each a column, or a part of one
    constant : the same text in every row
    split : keep one part of the field
    suffix : put after the text, so that references of two feeds cannot meet
    numbered : put `/1`, `/2` after equal texts, for a supplier's rows that have no reference
    blank : texts that mean "nothing here"
    date : strptime formats, tried in turn; one that reads a day differently is never added silently
    latest_year : a two-digit year after this one is taken a century earlier
    money : `pounds` reads `£1,234.56CR`; `pence` a whole number
    reversed : the supplier writes what is owed as negative
    codes : the supplier's code to the contract's
    patterns : a regular expression for the whole text to the contract's code, tried in order
    otherwise : the contract's code for all others; without it they are rejected
    """

    from_: str | None = Field(None, alias="from")
    join: tuple[str, ...] = ()
    with_: str = Field(" ", alias="with")
    first_of: tuple[Part, ...] = ()
    constant: str | None = None
    split: Split | None = None
    suffix: str = ""
    numbered: bool = False
    blank: Texts = ()
    date: Texts = ()
    latest_year: int | None = None
    money: Literal["pounds", "pence"] | None = None
    reversed: bool = False
    codes: dict[str, str] = Field(default_factory=dict)
    patterns: dict[str, str] = Field(default_factory=dict)
    otherwise: str | None = None

    @field_validator("first_of", mode="before")
    @classmethod
    def _parts(cls, parts: Any) -> Any:
        if not isinstance(parts, list | tuple):
            return parts
        return [{"from": part} if isinstance(part, str) else part for part in parts]

    @field_validator("patterns")
    @classmethod
    def _compile(cls, patterns: dict[str, str]) -> dict[str, str]:
        for pattern in patterns:
            Split(pattern=pattern)
        return patterns

    @model_validator(mode="after")
    def _one_source(self) -> ColumnMapping:
        given = [bool(self.from_), bool(self.join), bool(self.first_of), self.constant is not None]
        if sum(given) != 1:
            raise ValueError("expected exactly one of from, join, first_of, constant")
        if self.otherwise is not None and not (self.codes or self.patterns):
            raise ValueError("otherwise needs codes or patterns")
        return self

    @property
    def sources(self) -> tuple[str, ...]:
        """The supplier's columns that this one is read from."""
        first = (self.from_,) if self.from_ else ()
        return (*first, *self.join, *(part.from_ for part in self.first_of))

    @property
    def words(self) -> tuple[str, ...]:
        """The contract's codes that this mapping can give."""
        other = (self.otherwise,) if self.otherwise else ()
        return (*self.codes.values(), *self.patterns.values(), *other)


class Take(_Strict):
    """A column taken from another file.

    `pick` says what to do with several rows of one key: `only` refuses them where they differ,
    `earliest` and `latest` choose by the date in the column `by` (the column itself if blank),
    read by the format `date`.
    """

    column: str
    pick: Literal["only", "earliest", "latest"] = "only"
    by: str | None = None
    date: str = "%Y-%m-%d"


class Join(_Strict):
    """Columns of another input, found by equal keys: this input's column to the other's.

    `where` keeps rows of the other input only; without a file an `optional` join gives blanks,
    and any other one leaves the whole feed out, with a warning.
    """

    input: str
    optional: bool = False
    where: dict[str, Texts] = Field(default_factory=dict)
    on: dict[str, str] = Field(min_length=1)
    take: dict[str, Take] = Field(min_length=1)


class FeedMapping(_Strict):
    """One way into a contract table.

    Attributes
    ----------
    input : a name in `inputs`; without it the files are named as the contract says
    columns : contract column to its reading; columns left out are read under their own name
    only : rows that are for this table: a supplier's column and the values it must have
    leave_out : rows that are not
    joins : columns taken from other inputs
    """

    input: str | None = None
    columns: dict[str, ColumnMapping] = Field(default_factory=dict)
    only: dict[str, Texts] = Field(default_factory=dict)
    leave_out: dict[str, Texts] = Field(default_factory=dict)
    joins: tuple[Join, ...] = ()

    @field_validator("columns", mode="before")
    @classmethod
    def _shorthand(cls, columns: Any) -> Any:
        if not isinstance(columns, dict):
            return columns
        return {k: {"from": v} if isinstance(v, str) else v for k, v in columns.items()}


class InputMapping(_Strict):
    """A supplier's file or files: which, and how they are written where that is not found out."""

    files: Texts = Field(min_length=1)
    encoding: Encoding | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    skip_lines: int = Field(0, ge=0, le=1000)
    quotes: bool = True


class Mapping(_Strict):
    """A supplier's mapping as it stands in its YAML file. See `docs/how-to/write-a-mapping.md`.

    `blank`, `date`, `money` hold for every column of the mapping that does not say otherwise.
    """

    supplier: str
    description: str = ""
    blank: Texts = ()
    date: Texts = ()
    latest_year: int | None = None
    money: Literal["pounds", "pence"] | None = None
    encoding: Encoding | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    inputs: dict[str, InputMapping] = Field(default_factory=dict)
    tables: dict[str, tuple[FeedMapping, ...]]

    @field_validator("tables", mode="before")
    @classmethod
    def _feeds(cls, tables: Any) -> Any:
        if not isinstance(tables, dict):
            return tables
        return {
            name: feeds if isinstance(feeds, list) else [feeds] for name, feeds in tables.items()
        }

    @model_validator(mode="after")
    def _names_exist(self) -> Mapping:
        for name, feeds in self.tables.items():
            if name not in TABLES:
                raise ValueError(f"tables.{name}: the contract has no such table")
            for feed in feeds:
                self._check_feed(TABLES[name], feed)
        return self

    def _check_feed(self, table: Table, feed: FeedMapping) -> None:
        where = f"tables.{table.name}"
        for name in [feed.input, *(join.input for join in feed.joins)]:
            if name is not None and name not in self.inputs:
                raise ValueError(f"{where}: inputs has no {name}")
        for name, column in feed.columns.items():
            if name not in table.column_names:
                raise ValueError(f"{where}: the contract has no column {name}")
            declared = table.column(name)
            wrong = [w for w in column.words if declared.codes and w not in declared.codes]
            if wrong:
                raise ValueError(f"{where}.{name}: not codes of the contract: {', '.join(wrong)}")
            if column.date and declared.kind != "date":
                raise ValueError(f"{where}.{name}: date is for date columns")
            if (column.money or column.reversed) and declared.kind != "pence":
                raise ValueError(f"{where}.{name}: money and reversed are for pence columns")


def bundled() -> tuple[str, ...]:
    """Return the names of the mappings that come with the package."""
    folder = resources.files("earlyflag.sources") / "mappings"
    names = [item.name for item in folder.iterdir() if item.name.endswith(".yaml")]
    return tuple(sorted(name.removesuffix(".yaml") for name in names))


def load_mapping(chosen: str | Path) -> Mapping:
    """Read and check a mapping: a file, or the name of one that comes with the package.

    Raises
    ------
    MappingInvalid
        There is no such mapping, or it names a table, column, code or option that does not exist.
    """
    path = Path(chosen)
    try:
        if path.is_file():
            content = path.read_text(encoding="utf-8")
        elif str(chosen) in bundled():
            place = resources.files("earlyflag.sources") / "mappings" / f"{chosen}.yaml"
            content = place.read_text(encoding="utf-8")
        else:
            raise MappingInvalid(
                f"There is no mapping {chosen}. Give a YAML file, or one of: "
                f"{', '.join(bundled())}."
            )
        return parse_mapping(content, str(chosen))
    except (OSError, UnicodeDecodeError) as error:
        raise MappingInvalid(f"The mapping {chosen} cannot be read as UTF-8 text.") from error


def parse_mapping(content: str, origin: str) -> Mapping:
    """Return the mapping that a YAML text holds; see `load_mapping`."""
    try:
        # The base loader knows texts only: `on`, `Y` and `007` stay what they are.
        loaded = yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" at line {mark.line + 1}" if mark else ""
        raise MappingInvalid(f"The mapping {origin} is not YAML{line}.") from error
    if not isinstance(loaded, dict):
        raise MappingInvalid(f"The mapping {origin} is empty or no set of keys.")
    try:
        return Mapping.model_validate(loaded)
    except ValidationError as error:
        faults = [
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}".removeprefix(": ")
            for item in error.errors()
        ]
        raise MappingInvalid(
            f"The mapping {origin} cannot be used. {'; '.join(faults)}. "
            "See docs/how-to/write-a-mapping.md."
        ) from error
