"""The reference page of roles, written from the tables that the code keeps to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

from earlyflag.casework.permissions import ROLES, SCOPES, SYSTEM, Action, Field, Fields
from earlyflag.casework.withholding import FIELDS

CodeT = TypeVar("CodeT", bound=StrEnum)

_HEAD = """# Roles, scopes and fields

This page is written from the code (`earlyflag.casework.permissions`). A pair of role and action
that is not in the tables is refused. A person with two roles may do what either may.
`safe_contact` is no role: it is a permission given to a person by name, and shows the households
that need safe contact to those who may already do the rest.
"""


def roles_page() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD, "## People\n", _matrix(ROLES), "## What each role sees\n"]
    parts += [_shown(role.value.capitalize(), table) for role, table in ROLES.items()]
    parts += ["## Machines\n", "A machine's key has scopes.\n", _matrix(SCOPES)]
    parts += [_shown(f"`{scope.value}`", table) for scope, table in SCOPES.items()]
    parts += ["## The service's own commands\n", _shown("Commands", SYSTEM)]
    parts += ["## Which fields belong to which group\n", _groups()]
    return "\n".join(parts).rstrip() + "\n"


def _words(code: StrEnum) -> str:
    return code.value.replace("_", " ")


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _matrix(tables: Mapping[CodeT, Mapping[Action, Fields]]) -> str:
    names = list(tables)
    lines = [
        _row(["Action", *(_words(name) for name in names)]),
        _row(["---"] * (len(names) + 1)),
    ]
    for action in Action:
        marks = ["yes" if action in tables[name] else "" for name in names]
        if any(marks):
            lines.append(_row([_words(action), *marks]))
    return "\n".join(lines) + "\n"


def _shown(title: str, table: Mapping[Action, Fields]) -> str:
    lines = [f"### {title}\n", _row(["Action", "Fields shown"]), _row(["---", "---"])]
    for action in Action:
        if action in table:
            fields = ", ".join(_words(field) for field in Field if field in table[action])
            lines.append(_row([_words(action), fields or "(none)"]))
    return "\n".join(lines) + "\n"


def _groups() -> str:
    lines = [_row(["Record", "Group", "Fields"]), _row(["---", "---", "---"])]
    for kind, groups in FIELDS.items():
        for field in Field:
            named = [f"`{name}`" for name, group in groups.items() if group is field]
            if named:
                lines.append(_row([kind.__name__, _words(field), ", ".join(named)]))
    return "\n".join(lines) + "\n"
