"""The borough while it is lived in: homes, households, people, and the sheets written so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from earlyflag.synthetic.columns import NO_DATE, NONE, Columns, scalar
from earlyflag.synthetic.hidden import HABITS, MEANS
from earlyflag.synthetic.months import Months
from earlyflag.synthetic.sheets import Sheet, new_sheets

LEAD, PARTNER, CHILD, GROWN_CHILD, OTHER = range(5)
NEVER = -999
COUNCIL_TAX, TENANCY, HOMELESSNESS = range(3)
SOURCE_WORDS = ("council_tax", "tenancy", "homelessness")

_I8, _I16, _I32, _F8 = np.int8, np.int16, np.int32, np.float64


def _households() -> Columns:
    """Return empty household columns; months are numbers of the period, money is pence."""
    number = {
        "home": NONE, "lead": NONE, "partner": NONE, "account": NONE, "account_row": NONE,
        "tenancy": NONE, "tenancy_row": NONE, "claim_row": NONE, "reduction_row": NONE,
        "gross": 0, "cut": 0, "arrears": 0, "stage_on": NO_DATE, "rent": 0, "award": 0,
        "shortfall": 0, "rent_arrears": 0, "rent_stage_on": NO_DATE, "home_row": NONE,
        "claim": NONE, "reduction_claim": NONE,
    }  # fmt: skip
    small = {
        "tenure": 0, "kids": 0, "grown": 0, "others": 0, "ethnic": 0, "method": 0,
        "instalments": 10, "discount": 0, "claim_kind": 0, "habit": 0, "means": 0, "stage": 0,
        "reminders": 0, "missed_run": 0, "rent_stage": 0, "known_kids": 0, "known_grown": 0,
        "community": 0,
    }  # fmt: skip
    month = {
        "first_month": NEVER, "moved": NEVER, "split": NEVER, "claimed": NEVER, "helped": NEVER,
        "approached": NEVER, "due_from": NEVER, "due_until": NEVER, "busy_until": NEVER,
        "alerted": NEVER, "overdue_since": NEVER,
    }  # fmt: skip
    truth = {"active": False, "low_income": False, "exempt": False, "capped": False,
             "managed": False, "ledger": False, "shock": False, "private_known": False,
             "covered": False}  # fmt: skip
    return Columns(
        {name: scalar(_I32, fill) for name, fill in number.items()}
        | {name: scalar(_I8, fill) for name, fill in small.items()}
        | {name: scalar(_I16, fill) for name, fill in month.items()}
        | {name: scalar(np.bool_, fill) for name, fill in truth.items()}
        | {
            "belief": (_F8, 0.0, (HABITS, MEANS)),
            "belief_now": (_F8, 0.0, (HABITS, MEANS)),
            "belief_shock": scalar(_F8, 0.0),
        }
    )


def _people() -> Columns:
    """Return empty person columns; `*_record` is the person's record in each source."""
    return Columns(
        {
            "household": scalar(_I32, NONE), "role": scalar(_I8, LEAD), "born": scalar(_I32, 0),
            "male": scalar(np.bool_, False), "community": scalar(_I8, 0),
            "ethnic": scalar(_I8, 0), "forename": scalar(_I32, 0), "surname": scalar(_I32, 0),
            "birth_surname": scalar(_I32, 0), "present": scalar(np.bool_, True),
            "disabled": scalar(np.bool_, False),
            "council_tax_record": scalar(_I32, NONE), "tenancy_record": scalar(_I32, NONE),
            "case_record": scalar(_I32, NONE), "liable_row": scalar(_I32, NONE),
            "tenant_row": scalar(_I32, NONE), "member_row": scalar(_I32, NONE),
        }
    )  # fmt: skip


@dataclass
class World:
    """Everything that the simulated months read and change.

    Attributes
    ----------
    rng : the one source of chance
    months : the calendar
    homes, households, people : what there is
    records : one row a person record of a source system: source, person
    members, addresses : the truth of who lived in which household and where it was, in spells
    case_truth : the household that each case touches, and how its person stands to it
    sheets : the contract's tables so far
    counters : the next number of each kind of reference
    """

    rng: np.random.Generator
    months: Months
    homes: Columns
    households: Columns = field(default_factory=_households)
    people: Columns = field(default_factory=_people)
    records: Columns = field(
        default_factory=lambda: Columns({"source": scalar(_I8, 0), "person": scalar(_I32, 0)})
    )
    members: Columns = field(
        default_factory=lambda: Columns(
            {"household": scalar(_I32, 0), "person": scalar(_I32, 0),
             "since": scalar(_I32, 0), "until": scalar(_I32, NO_DATE)}
        )
    )  # fmt: skip
    case_truth: Columns = field(
        default_factory=lambda: Columns(
            {"household": scalar(_I32, NONE), "relation": scalar(_I8, 0), "cause": scalar(_I8, 0)}
        )
    )
    sheets: dict[str, Sheet] = field(default_factory=new_sheets)
    counters: dict[str, int] = field(default_factory=dict)
    unhoused: list[int] = field(default_factory=list)

    def number(self, kind: str, count: int) -> np.ndarray:
        """Return the next `count` numbers of a kind of reference."""
        start = self.counters.get(kind, 0)
        self.counters[kind] = start + count
        return np.arange(start, start + count)

    def active(self) -> np.ndarray:
        """Return the rows of the households that live in the borough now."""
        return np.flatnonzero(self.households["active"])

    def day(self, month: int, count: int, first: int, last: int) -> np.ndarray:
        """Draw days (day numbers) of a month, from its `first` to its `last` day."""
        return self.months.start(month) + self.rng.integers(first - 1, last, count)

    def chosen(self, rows: np.ndarray, chance: float | np.ndarray) -> np.ndarray:
        """Return the rows that a coin with a chance each falls for."""
        return rows[self.rng.random(len(rows)) < chance]

    def people_of(self, households: np.ndarray) -> np.ndarray:
        """Return the rows of the people who live in some households now."""
        wanted = np.zeros(len(self.households), bool)
        wanted[households] = True
        people = self.people
        return np.flatnonzero(people["present"] & wanted[people["household"]])

    def record(self, source: int, people: np.ndarray, renewed: float = 0.0) -> np.ndarray:
        """Return each person's record in a source, made where there is none.

        `renewed` is the share of people with a record who are entered afresh all the same, as
        happens when a new account is opened.
        """
        column = ("council_tax_record", "tenancy_record", "case_record")[source]
        held = self.people[column]
        fresh = (held[people] == NONE) | (self.rng.random(len(people)) < renewed)
        made = self.records.append(int(fresh.sum()), source=source, person=people[fresh])
        held[people[fresh]] = made
        return held[people]
