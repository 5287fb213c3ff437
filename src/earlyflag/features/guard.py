"""Refuses a family that reads what it may not, or whose columns the catalogue does not declare."""

from __future__ import annotations

from collections.abc import Iterable

import sqlglot
from sqlglot import exp

from earlyflag.core.errors import UndeclaredFeature
from earlyflag.features.declare import Family

_CLOCKS = (
    exp.CurrentDate,
    exp.CurrentDatetime,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.Localtime,
    exp.Localtimestamp,
    exp.Rand,
    exp.Randn,
    exp.TableSample,
    exp.Uuid,
    # A function that the parser has no word for: `getenv`, `age`, another name of the clock.
    exp.Anonymous,
)


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
    offered = set(offered)
    _check_steps(family.name, tree, offered)
    steps = {step.alias for step in tree.ctes}
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
            f"The family {family.name} reads the clock, chance, a value of its own or an unknown "
            "function; "
            "count from the cut-off with `lag` and `days_ago`."
        )
    columns = set(tree.named_selects) - {"household_id"}
    if columns != set(family.feature_names):
        differ = columns ^ set(family.feature_names)
        raise UndeclaredFeature(
            f"The family {family.name} computes or declares {_listed(differ)}, but not both."
        )


def _check_steps(family: str, tree: exp.Select, offered: set[str]) -> None:
    """Check that a step's name means that step wherever it is read, and never a table.

    Inside a step, or before it, its name would mean a table of the contract that has that name.
    """
    hidden = {step.alias for step in tree.ctes} & offered
    if hidden:
        raise UndeclaredFeature(f"The family {family} hides {_listed(hidden)} by a step.")
    if len(list(tree.find_all(exp.With))) > 1:
        raise UndeclaredFeature(
            f"The family {family} has a WITH inside a step; write one WITH, at the top."
        )
    names = [step.alias for step in tree.ctes]
    for number, step in enumerate(tree.ctes):
        early = {_name(table) for table in step.find_all(exp.Table)} & set(names[number:])
        if early:
            raise UndeclaredFeature(
                f"The family {family} reads {_listed(early)} before that step is made."
            )


def _name(table: exp.Table) -> str:
    """Return a table's full name; a function that reads files has none of its own."""
    return table.name if not (table.db or table.catalog) and table.name else table.sql()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
