"""Which household goes on as which: the identifiers, through moves, splits and merges.

Every earlier household claims the group where its account's lead now lives, else its
longest-standing adult, else its home. Where two claim one group the household that was founded
first goes on there; the other then claims the side it left behind, if there is one. A group that
nobody claims is a new household, named after its first record.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

IDENTIFIER_LENGTH = 10


@dataclass
class Household:
    """A household as it last was.

    Attributes
    ----------
    number : order of founding; a lower number is the older household
    identifier : what other rooms and pages call it
    records : its people's records, the one whose side keeps the identifier first
    units : its accounts and tenancies, accounts first
    """

    number: int
    identifier: str
    records: tuple[int, ...] = ()
    units: tuple[int, ...] = ()


@dataclass
class Register:
    """Every household ever founded, and where its people and homes were last seen."""

    households: list[Household] = field(default_factory=list)
    of_record: dict[int, int] = field(default_factory=dict)
    of_unit: dict[int, int] = field(default_factory=dict)
    _names: set[str] = field(default_factory=set)

    def found(self, founder: str) -> Household:
        """Return a new household named after its founding record or home."""
        household = Household(len(self.households), self._name(founder))
        self.households.append(household)
        return household

    def _name(self, founder: str) -> str:
        attempt = 0
        while True:
            digest = hashlib.sha256(f"{founder}#{attempt}".encode()).digest()
            name = "H" + base64.b32encode(digest).decode()[:IDENTIFIER_LENGTH]
            if name not in self._names:
                self._names.add(name)
                return name
            attempt += 1

    def settle(
        self, household: Household, records: tuple[int, ...], units: tuple[int, ...]
    ) -> None:
        """Record who and what a household now is.

        A household whose people are all gone keeps the last ones it had: should they come back
        under a new account, it is the same household.
        """
        if records:
            for record in household.records:
                if self.of_record.get(record) == household.number:
                    del self.of_record[record]
            household.records = records
            for record in records:
                self.of_record[record] = household.number
        for unit in household.units:
            if self.of_unit.get(unit) == household.number:
                del self.of_unit[unit]
        household.units = units
        for unit in units:
            self.of_unit[unit] = household.number


def claims(
    register: Register,
    numbers: Iterable[int],
    group_of_record: Mapping[int, int],
    group_of_unit: Mapping[int, int],
) -> dict[int, list[int]]:
    """Return for each household number the groups it claims, first choice first."""
    wanted = {}
    for number in numbers:
        household = register.households[number]
        choices = [group_of_record.get(record) for record in household.records]
        choices += [group_of_unit.get(unit) for unit in household.units]
        wanted[number] = list(dict.fromkeys(group for group in choices if group is not None))
    return wanted


def award(wanted: Mapping[int, Sequence[Hashable]]) -> dict[Hashable, int]:
    """Return which household each claimed group goes on as.

    Each household asks for its choices in turn; a group takes the oldest that asks and sends a
    younger one, already taken, on to its next choice. The result does not depend on who asks
    first.
    """
    held: dict[Hashable, int] = {}
    asking = sorted(wanted, reverse=True)
    turn = dict.fromkeys(wanted, 0)
    while asking:
        number = asking.pop()
        while turn[number] < len(wanted[number]):
            group = wanted[number][turn[number]]
            turn[number] += 1
            holder = held.get(group)
            if holder is None or number < holder:
                held[group] = number
                if holder is not None:
                    asking.append(holder)
                break
    return held
