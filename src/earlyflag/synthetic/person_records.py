"""How each source system writes a person: typing errors, initials, old surnames, missing dates.

A person's record in a source is written once, with its faults, and repeated on every row that
names it; another source, or a later account, has faults of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from earlyflag.synthetic.columns import NO_DATE
from earlyflag.synthetic.months import as_date, day_number
from earlyflag.synthetic.names import name_book
from earlyflag.synthetic.world import COUNCIL_TAX, World

#: By source: council tax, tenancy, homelessness.
NO_BIRTH_DATE = np.array([0.12, 0.03, 0.01])
MISTYPED = np.array([0.025, 0.02, 0.025])
SWAPPED_DAY_AND_MONTH = 0.012
WRONG_YEAR = 0.006
INITIAL_ONLY = np.array([0.03, 0.0, 0.0])
NO_FORENAME = np.array([0.004, 0.0, 0.0])
UPPER_CASE = np.array([0.25, 0.05, 0.0])
OLD_SURNAME = 0.06
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class PersonRecords:
    """What each record says; arrays, one a record. A blank forename is None."""

    forename: np.ndarray
    surname: np.ndarray
    born: np.ndarray


def write_person_records(world: World) -> PersonRecords:
    """Write every record's name and date of birth, each with the faults of its source."""
    rng, book = world.rng, name_book()
    people, source = world.people, world.records["source"]
    person = world.records["person"]
    count = len(person)
    forename = book.forenames[people["forename"][person]].copy()
    changed = people["birth_surname"][person] != people["surname"][person]
    old = changed & (rng.random(count) < OLD_SURNAME)
    surname = book.surnames[
        np.where(old, people["birth_surname"][person], people["surname"][person])
    ].copy()
    for names in (forename, surname):
        for row in np.flatnonzero(rng.random(count) < MISTYPED[source] / 2):
            names[row] = _mistype(rng, names[row])
    for row in np.flatnonzero(rng.random(count) < INITIAL_ONLY[source]):
        forename[row] = forename[row][0]
    for row in np.flatnonzero(rng.random(count) < UPPER_CASE[source]):
        forename[row], surname[row] = forename[row].upper(), surname[row].upper()
    forename[rng.random(count) < NO_FORENAME[source]] = None
    return PersonRecords(forename, surname, _births(rng, people["born"][person], source))


def _mistype(rng: np.random.Generator, name: str) -> str:
    """Swap, drop, double or replace one letter, never the first."""
    if len(name) < 3:
        return name
    at = int(rng.integers(1, len(name) - 1))
    match int(rng.integers(4)):
        case 0:
            return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
        case 1:
            return name[:at] + name[at + 1 :]
        case 2:
            return name[:at] + name[at] + name[at:]
        case _:
            return name[:at] + ALPHABET[int(rng.integers(26))] + name[at + 1 :]


def _births(rng: np.random.Generator, born: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Return dates of birth as written (day numbers; `NO_DATE` where left out)."""
    written = born.copy()
    for row in np.flatnonzero(rng.random(len(born)) < SWAPPED_DAY_AND_MONTH):
        day = as_date(born[row])
        if day.day <= 12:
            written[row] = day_number(day.replace(month=day.day, day=day.month))
    wrong = rng.random(len(born)) < WRONG_YEAR
    written[wrong] += rng.choice([-365, 366], int(wrong.sum()))
    written[rng.random(len(born)) < NO_BIRTH_DATE[source]] = NO_DATE
    return written


__all__ = ["COUNCIL_TAX", "PersonRecords", "write_person_records"]
