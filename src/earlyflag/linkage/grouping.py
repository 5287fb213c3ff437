"""Who shares a home: people and homes that touch each other, sorted into households.

The rules, in order:

1. A person lives at one home: not at a second or empty home if there is another, then where they
   were last registered.
2. At one UPRN, accounts and tenancies with a person in common are one household. One account and
   one tenancy without a person in common are one household too, if either lists nobody, the two
   began within half a year of each other, or a surname is shared. All others there are
   households of their own: a house in multiple occupation.
3. An account or tenancy whose people all live elsewhere belongs to the household of its lead: a
   second home, or a former home whose end is not known yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

SAME_MOVE_DAYS = 184
CHILD = "child"


class Unit(NamedTuple):
    """An account or tenancy as known at a cut-off. `since` counts days."""

    number: int
    account: bool
    home: int
    away: bool
    since: int


class Presence(NamedTuple):
    """One record of a person on a unit, as known at a cut-off. `since` counts days."""

    unit: int
    record: int
    person: int
    role: str
    since: int
    born: str | None
    surname: str | None


class Group(NamedTuple):
    """The homes and the people of one household at a cut-off.

    `presences` are the residents' records on these units, the account's lead first, then adults
    by standing, then children. `elsewhere` are residents' records on other households' units.
    """

    units: tuple[int, ...]
    presences: tuple[Presence, ...]
    elsewhere: tuple[Presence, ...]


def standing(presence: Presence) -> tuple[bool, bool, int, int]:
    """Order presences by whose side keeps a household's identifier."""
    return (
        presence.role != "lead",
        presence.role == CHILD,
        presence.since,
        presence.record,
    )


def groups(units: Sequence[Unit], presences: Sequence[Presence]) -> list[Group]:
    """Return the households among units and presences that touch no others.

    Parameters
    ----------
    units : every live unit of the connected piece
    presences : everybody on them

    Returns
    -------
    list of Group : each unit in one group, each person's residence in one group
    """
    if len(units) == 1:
        ordered = tuple(sorted(presences, key=standing))
        return [Group((units[0].number,), ordered, ())]
    by_number = {unit.number: unit for unit in units}
    main_unit = _main_units(by_number, presences)
    residents: dict[int, list[Presence]] = {unit.number: [] for unit in units}
    listed: dict[int, list[Presence]] = {unit.number: [] for unit in units}
    for presence in presences:
        listed[presence.unit].append(presence)
        if by_number[presence.unit].home == by_number[main_unit[presence.person]].home:
            residents[presence.unit].append(presence)
    joined = _Joined(by_number)
    _join_shared_people(joined, residents)
    occupied = [unit for unit in units if residents[unit.number] or not listed[unit.number]]
    _join_account_with_tenancy(joined, occupied, residents)
    for unit in units:
        if listed[unit.number] and not residents[unit.number]:
            lead = min(listed[unit.number], key=standing)
            joined.join(unit.number, main_unit[lead.person])
    return _collect(joined, presences, main_unit)


def _main_units(units: Mapping[int, Unit], presences: Sequence[Presence]) -> dict[int, int]:
    best: dict[int, tuple[tuple[object, ...], int]] = {}
    for presence in presences:
        unit = units[presence.unit]
        key = (unit.away, -presence.since, not unit.account, unit.number)
        if presence.person not in best or key < best[presence.person][0]:
            best[presence.person] = (key, unit.number)
    return {person: unit for person, (_, unit) in best.items()}


class _Joined:
    """Units joined into groups."""

    def __init__(self, units: Mapping[int, Unit]) -> None:
        self._parent = {number: number for number in units}

    def root(self, unit: int) -> int:
        while self._parent[unit] != unit:
            unit = self._parent[unit]
        return unit

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        self._parent[high] = low


def _join_shared_people(joined: _Joined, residents: Mapping[int, list[Presence]]) -> None:
    first_unit: dict[int, int] = {}
    for unit, present in residents.items():
        for presence in present:
            joined.join(unit, first_unit.setdefault(presence.person, unit))


def _join_account_with_tenancy(
    joined: _Joined,
    occupied: Sequence[Unit],
    residents: Mapping[int, list[Presence]],
) -> None:
    homes: dict[int, dict[int, list[Unit]]] = {}
    for unit in occupied:
        homes.setdefault(unit.home, {}).setdefault(joined.root(unit.number), []).append(unit)
    for parts in homes.values():
        if len(parts) != 2:
            continue
        one, other = parts.values()
        kinds = {unit.account for unit in one}, {unit.account for unit in other}
        if kinds in (({True}, {False}), ({False}, {True})) and _one_household(
            one, other, residents
        ):
            joined.join(one[0].number, other[0].number)


def _one_household(
    one: Sequence[Unit],
    other: Sequence[Unit],
    residents: Mapping[int, list[Presence]],
) -> bool:
    sides = [[p for unit in side for p in residents[unit.number]] for side in (one, other)]
    if not sides[0] or not sides[1]:
        return True
    began = [min(unit.since for unit in side) for side in (one, other)]
    if abs(began[0] - began[1]) <= SAME_MOVE_DAYS:
        return True
    names = [{p.surname for p in side if p.surname} for side in sides]
    return bool(names[0] & names[1])


def _collect(
    joined: _Joined, presences: Sequence[Presence], main_unit: Mapping[int, int]
) -> list[Group]:
    members: dict[int, list[int]] = {}
    for unit in joined._parent:
        members.setdefault(joined.root(unit), []).append(unit)
    at_home: dict[int, list[Presence]] = {root: [] for root in members}
    elsewhere: dict[int, list[Presence]] = {root: [] for root in members}
    for presence in presences:
        root = joined.root(main_unit[presence.person])
        here = joined.root(presence.unit) == root
        (at_home if here else elsewhere)[root].append(presence)
    return [
        Group(
            tuple(sorted(units)),
            tuple(sorted(at_home[root], key=standing)),
            tuple(sorted(elsewhere[root], key=standing)),
        )
        for root, units in sorted(members.items())
    ]
