"""One query a feed: raw rows in, typed rows and the first broken rule of each out."""

from __future__ import annotations

from collections.abc import Mapping

from earlyflag.sources import rules, sql
from earlyflag.sources.declare import Column, Table
from earlyflag.sources.rules import Reading

# Columns that are filled from another where they are blank, so that no reader forgets to.
FILLED = {
    "valid_to_known_on": "valid_to",
    "duty_known_on": "duty_on",
    "closed_known_on": "closed_on",
}


def plain_reading(column: Column, source: str | None) -> Reading:
    """Return how a column is read when the file already follows the contract.

    Parameters
    ----------
    source : SQL of the raw text, or None where the file does not have the column
    """
    text, value = f"t_{column.name}", f"v_{column.name}"
    return Reading(
        text="CAST(NULL AS VARCHAR)" if source is None else rules.trimmed(source),
        value=rules.default_value(column, text),
        refusals=rules.refusals(column, text, value),
    )


def canonical_columns(table: Table) -> tuple[Column, ...]:
    """Return the contract's columns as the store holds them, `known_on` added where implied."""
    if table.dated_by and "known_on" not in table.column_names:
        known = Column("known_on", "date", f"Equals `{table.dated_by}`.")
        return (*table.columns, known)
    return table.columns


def validation_query(
    table: Table, readings: Mapping[str, Reading], relation: str, *, carry: Mapping[str, str]
) -> str:
    """Return the query that types and checks the rows of a relation.

    Parameters
    ----------
    readings : one for each column of the table
    relation : SQL of the raw rows
    carry : SQL of items taken along unchanged, by name (the file's number, the record)

    Returns
    -------
    SQL of a table: the carried items, the canonical columns, `problem` (`column:rule` or NULL)
    """
    texts = ", ".join(f"{readings[c.name].text} AS t_{c.name}" for c in table.columns)
    values = ", ".join(
        f"CAST({readings[c.name].value} AS {c.sql_type}) AS v_{c.name}" for c in table.columns
    )
    finals = ", ".join(f"{_final(table, c)} AS {c.name}" for c in canonical_columns(table))
    carried = ", ".join(carry)
    taken = ", ".join(f"{item} AS {name}" for name, item in carry.items())
    return (
        f"WITH texts AS (SELECT {taken}, {texts} FROM {relation}), "
        f"typed AS (SELECT *, {values} FROM texts) "
        f"SELECT {carried}, {finals}, {_problem(table, readings)} AS problem FROM typed"
    )


def _final(table: Table, column: Column) -> str:
    own = f"v_{column.name}"
    if column.name == "known_on":
        filled = f"v_{table.dated_by}"
        return f"coalesce({own}, {filled})" if "known_on" in table.column_names else filled
    if column.name in FILLED and FILLED[column.name] in table.column_names:
        return f"coalesce({own}, v_{FILLED[column.name]})"
    return own


def _problem(table: Table, readings: Mapping[str, Reading]) -> str:
    cases = [
        f"WHEN {condition} THEN {sql.text(f'{column.name}:{rule}')}"
        for column in table.columns
        for rule, condition in readings[column.name].refusals
    ]
    if table.spell:
        cases.append("WHEN v_valid_to < v_valid_from THEN 'valid_to:ends_before_start'")
    return f"CASE {' '.join(cases)} END"
