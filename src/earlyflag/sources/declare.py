"""The words a table is declared in: its columns, their kinds, forms, codes and sensitivity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "date", "pence", "integer", "boolean", "code"]
Form = Literal["reference", "uprn", "postcode", "name", "word", "band", "exemption"]
Sensitivity = Literal["ordinary", "financial", "personal", "special"]

SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "date": "DATE",
    "pence": "BIGINT",
    "integer": "INTEGER",
    "boolean": "BOOLEAN",
    "code": "VARCHAR",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a contract table.

    Attributes
    ----------
    kind : what the values are; `pence` is whole pence, `code` one of `codes`
    meaning : one sentence for the data dictionary
    nullable : whether the value may be blank
    codes : the lower-case words allowed, for a `code`
    sensitivity : `special` covers what equality and domestic abuse law protects
    from_benefits : comes from a benefit system; disclosing it onward can be an offence
    benefit_codes : those of `codes` whose rows come from a benefit system, all of the row with them
    form : the shape a text must have (see `sources.rules`)
    known_by : the date column that decides when this value becomes visible, where it is not the
        row's own `known_on`
    pending : values that mean "not yet", so that a later value completes the row
    minimum, maximum : the range of an integer
    """

    name: str
    kind: Kind
    meaning: str
    nullable: bool = False
    codes: tuple[str, ...] = ()
    sensitivity: Sensitivity = "ordinary"
    from_benefits: bool = False
    benefit_codes: tuple[str, ...] = ()
    form: Form | None = None
    known_by: str | None = None
    pending: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None

    @property
    def sql_type(self) -> str:
        """The DuckDB type of the column in the validated store."""
        return SQL_TYPES[self.kind]


@dataclass(frozen=True, slots=True)
class Table:
    """One contract table, declared once: validation, dictionary and borough grow from it.

    Attributes
    ----------
    key : the columns that name a row
    spell : whether rows have `valid_from` and `valid_to`
    dated_by : the column that `known_on` is filled from where it is blank; None for a table
        that is not dated, of which only the current version of a row is shown
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    spell: bool = False
    dated_by: str | None = "happened_on"
    required: bool = False

    @property
    def column_names(self) -> tuple[str, ...]:
        """The contract's column names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def lawful_basis(self) -> str:
        """The settings key under which the table's lawful basis is filled in."""
        return f"lawful_basis.{self.name}"

    def column(self, name: str) -> Column:
        """Return one column by name; raises KeyError where there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def required_columns(self) -> tuple[str, ...]:
        """The columns that a delivery must have."""
        return tuple(column.name for column in self.columns if not column.nullable)


def reference(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """Return a text reference: kept exactly, never read as a number."""
    return Column(name, "text", meaning, nullable, sensitivity="personal", form="reference")


def uprn(name: str = "uprn", *, nullable: bool = False) -> Column:
    """Return a unique property reference number: text, padded to 12 digits."""
    return Column(
        name, "text", "Unique property reference number; up to 12 digits, padded with zeros.",
        nullable, sensitivity="personal", form="uprn",
    )  # fmt: skip


def person_name(name: str, meaning: str, *, nullable: bool = False) -> Column:
    """Return a part of a person's name."""
    return Column(name, "text", meaning, nullable, sensitivity="personal", form="name")


def date_of_birth() -> Column:
    """Return the date of birth, which may be blank."""
    return Column("date_of_birth", "date", "Date of birth.", True, sensitivity="personal")


def day(name: str, meaning: str, *, nullable: bool = False, known_by: str | None = None) -> Column:
    """Return a date column."""
    return Column(name, "date", meaning, nullable, known_by=known_by)


def known_on(filled_from: str) -> Column:
    """Return the column that decides visibility."""
    return Column(
        "known_on", "date",
        f"When the council's system recorded the row; blank means `{filled_from}`. A row is "
        "visible at `as_of` when `known_on < as_of`.", True,
    )  # fmt: skip


def spell_start() -> Column:
    """Return `valid_from`."""
    return day("valid_from", "First day of the spell.")


def spell_end() -> tuple[Column, Column, Column]:
    """Return `valid_to`, `valid_to_known_on` and `known_on`."""
    return (
        day("valid_to", "Last day of the spell; blank while it is open.",
            nullable=True, known_by="valid_to_known_on"),
        day("valid_to_known_on", "When the end was recorded; blank means `valid_to`.",
            nullable=True, known_by="valid_to_known_on"),
        known_on("valid_from"),
    )  # fmt: skip


def code(
    name: str,
    meaning: str,
    codes: str,
    *,
    nullable: bool = False,
    sensitivity: Sensitivity = "ordinary",
    from_benefits: bool = False,
    benefit_codes: str = "",
) -> Column:
    """Return a code column; `codes` are written as in the contract, parted by `|`."""
    return Column(
        name, "code", meaning, nullable, tuple(codes.split("|")), sensitivity, from_benefits,
        tuple(benefit_codes.split("|")) if benefit_codes else (),
    )  # fmt: skip


def pence(
    name: str, meaning: str, *, nullable: bool = False, from_benefits: bool = False
) -> Column:
    """Return a money column in whole pence."""
    return Column(
        name, "pence", meaning, nullable, sensitivity="financial", from_benefits=from_benefits
    )
