"""Refuses a family that reads what it may not, or whose columns the catalogue does not declare."""

from __future__ import annotations

from collections.abc import Iterable

import sqlglot
from sqlglot import exp

from earlyflag.core.errors import UndeclaredFeature
from earlyflag.features.declare import Family

_CLOCKS = (exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentTime, exp.Rand)


def check_family(family: Family, offered: Iterable[str]) -> None:
    """Check that a family reads only visible relations and gives exactly what it declares.

    Raises
    ------
    UndeclaredFeature
        It names a contract table or another relation than it says, reads the clock or a file, or
        its columns and its declared features differ.
    """
    tree = sqlglot.parse_one(family.sql, dialect="duckdb")
    if not isinstance(tree, exp.Select):
        raise UndeclaredFeature(f"The family {family.name} is not one SELECT statement.")
    steps = {step.alias for step in tree.find_all(exp.CTE)}
    offered = set(offered)
    hidden = steps & offered
    if hidden:
        raise UndeclaredFeature(f"The family {family.name} hides {_listed(hidden)} by a step.")
    read = {_name(table) for table in tree.find_all(exp.Table)} - steps
    forbidden = read - offered
    if forbidden:
        raise UndeclaredFeature(
            f"The family {family.name} reads {_listed(forbidden)}, which may hold rows that were "
            f"not known at the cut-off. Read the visible relations: {_listed(offered)}."
        )
    if read != set(family.reads):
        raise UndeclaredFeature(
            f"The family {family.name} declares that it reads {_listed(family.reads)}, "
            f"but its SQL reads {_listed(read)}."
        )
    if any(tree.find_all(*_CLOCKS)) or any(tree.find_all(exp.Parameter, exp.Placeholder)):
        raise UndeclaredFeature(
            f"The family {family.name} reads the clock, chance or a value of its own; "
            "count from the cut-off with `lag` and `days_ago`."
        )
    columns = set(tree.named_selects) - {"household_id"}
    if columns != set(family.feature_names):
        differ = columns ^ set(family.feature_names)
        raise UndeclaredFeature(
            f"The family {family.name} computes or declares {_listed(differ)}, but not both."
        )


def _name(table: exp.Table) -> str:
    """Return a table's full name; a function that reads files has none of its own."""
    return table.name if not (table.db or table.catalog) and table.name else table.sql()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
