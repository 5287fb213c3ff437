"""The data dictionary, written from the declarations: `docs/reference/data-dictionary.md`."""

from __future__ import annotations

from earlyflag.sources.declare import Column, Table
from earlyflag.sources.rules import RULES
from earlyflag.sources.schema import TABLES

INTRODUCTION = """# Data dictionary

Generated from the declarations in `src/earlyflag/sources/tables`; do not edit. Renew it with
`python -m earlyflag.sources.dictionary > docs/reference/data-dictionary.md`.

One file a table: `<table>.csv`, `.csv.gz` or `.parquet`; `<table>-<anything>` files are read
together. Only `council_tax_accounts` must be delivered. References are text; dates are
`YYYY-MM-DD`; money is whole pence, positive when the household owes it. A key is marked `*`, a
column that may be blank `?`. *Visible from* is the day on which a value exists for a feature or
score: a value is visible at `as_of` when that day is before it.

Sensitivity: `personal` names or locates a person, `financial` tells of money, `special` is
protected by equality law or concerns abuse. **B** marks a column, or the rows of a code, that come
from a benefit system: disclosing them onward without a gateway can be an offence.
"""


def dictionary() -> str:
    """Return the data dictionary as Markdown."""
    parts = [INTRODUCTION, *(_table(table) for table in TABLES.values()), _rules()]
    return "\n".join(parts)


def _table(table: Table) -> str:
    facts = [f"Lawful basis: `[{table.lawful_basis}]` in `settings.toml`."]
    if table.spell:
        facts.append("Rows are spells.")
    if table.dated_by is None:
        facts.append("Not dated: the newest delivered version of a row counts.")
    lines = [
        f"## {table.name}",
        "",
        f"{table.description} {' '.join(facts)}",
        "",
        "| Column | Kind | Meaning | Visible from | Sensitivity |",
        "|---|---|---|---|---|",
        *(_column(table, column) for column in table.columns),
        "",
    ]
    return "\n".join(lines)


def _column(table: Table, column: Column) -> str:
    mark = "*" if column.name in table.key else "?" if column.nullable else ""
    kind = f"{column.kind} ({column.form})" if column.form else column.kind
    meaning = column.meaning
    if column.codes and column.kind == "code":
        meaning = f"{meaning} {', '.join(f'`{code}`' for code in column.codes)}"
    if column.benefit_codes:
        named = ", ".join(f"`{code}`" for code in column.benefit_codes)
        meaning = f"{meaning} **B** for all of a row with {named}."
    visible = f"`{column.known_by or 'known_on'}`" if table.dated_by else "delivery"
    sensitivity = f"{column.sensitivity}{' **B**' if column.from_benefits else ''}"
    return f"| `{column.name}`{mark} | {kind} | {meaning} | {visible} | {sensitivity} |"


def _rules() -> str:
    lines = ["## Rules", "", "Why a row is rejected, as the `rule` of a rejects file says it.", "",
             "| Rule | Meaning |", "|---|---|"]  # fmt: skip
    return "\n".join([*lines, *(f"| `{rule}` | {text} |" for rule, text in RULES.items())]) + "\n"


if __name__ == "__main__":
    print(dictionary(), end="")
