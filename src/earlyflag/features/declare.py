"""The words a feature is declared in: what it means, reads, says aloud and shows as evidence.

A sentence is plain text with `{value:FORMAT}` placeholders; `FORMATS` lists the formats, and
`{latest:date}` stands for the day of the newest evidence row. The rendering is
`modelling.reasons`'; the words are here.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from earlyflag.core.errors import UndeclaredFeature

Sensitivity = Literal["ordinary", "financial", "personal"]
Needs = Literal["all", "any"]

WINDOWS_MONTHS = (1, 3, 6, 12, 24)
"""The windows that a feature may count over; lags name single months instead."""

FORMATS = {
    "money": "whole pence as pounds, without sign: £1,234.50",
    "count": "a whole number and its noun, {value:count:reminder:reminders}: 1 reminder",
    "number": "a number to one decimal place, and its noun: {value:number:week:weeks}",
    "percent": "a share as a percentage: 45%",
    "days": "a number of days in days, weeks, months or years, as people say it",
    "weeks": "a number of weeks to one decimal place: 3.5 weeks",
    "recovery_stage": "the name of a council tax recovery stage from its rank",
    "possession_stage": "the name of a step towards eviction from its rank",
    "date": "a day: 12 May 2026",
}
"""How a placeholder shows its value; nouns for `count` follow it, singular and plural."""

GATEWAYS = {
    "council_tax": "Local Government Finance Act 1992, Schedule 2, and the council's homelessness "
    "prevention duties (Housing Act 1996, Part 7)",
    "tenancy": "The landlord's own records; Housing Act 1996, Part 7",
    "benefits": "Welfare Reform Act 2012, sections 131 and 132 (onward disclosure can be an "
    "offence)",
    "homelessness": "Housing Act 1996, Part 7",
    "borough": "Counts of the borough's own records; nobody is singled out",
}
"""The lawful gateway by which the data behind a feature may be used."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Which source rows stand behind a feature's value, so that a reason can be checked.

    Attributes
    ----------
    table : contract table
    kinds : the kinds or stages that count; empty for all
    months : how far back, by `happened_on` or the spell's start; None for all
    rule : `newest` (the newest rows), `uncovered` (the dues that credits do not cover),
        `balance` (the same; where nothing is owed, the newest rows), `open` (spells in force),
        `changes` (starts and ends of spells), `ward` (counts of the ward and the borough)
    until_months : the rows of the last so many months do not count, as in a single earlier month
    """

    table: str
    kinds: tuple[str, ...] = ()
    months: int | None = None
    rule: Literal["newest", "uncovered", "balance", "open", "changes", "ward"] = "newest"
    until_months: int = 0


@dataclass(frozen=True, slots=True)
class Feature:
    """One number known about a household at a cut-off, or NaN where it is not known.

    Attributes
    ----------
    sentence : said when the value is above 0 (or any value, where the others are blank)
    sentence_zero, sentence_negative : said when it is 0 or below 0; blank if never said
    sentence_missing : what is not known
    unit : pence, count, instalments, days, weeks, share, yes or no, rank, people, rate
    window_months : what the value looks back over; None for a state at the cut-off
    sources : the contract tables it reads; where one that it `needs` is absent, it is NaN
    monotone : 1 or -1 where more can only mean more or less risk, else 0
    actionable : whether help can change it (arrears, a reduction, an arrangement)
    helpful : what an actionable feature is once help has set it right; None leaves it
        to `monotone`, and a fact that may point either way (the amount of a reduction) is never
        tried
    """

    name: str
    title: str
    sentence: str
    unit: str
    window_months: int | None
    sources: tuple[str, ...]
    group: str
    gateway: str
    sensitivity: Sensitivity = "financial"
    monotone: int = 0
    actionable: bool = False
    helpful: float | None = None
    sentence_zero: str = ""
    sentence_negative: str = ""
    sentence_missing: str = ""
    needs: Needs = "all"
    evidence: tuple[Rows, ...] = ()

    def __post_init__(self) -> None:
        if self.monotone not in (-1, 0, 1):
            raise UndeclaredFeature(f"{self.name}: got monotone {self.monotone}, not -1, 0 or 1.")
        if self.helpful is not None and not self.actionable:
            raise UndeclaredFeature(
                f"{self.name}: says what it is once set right, but is not actionable. "
                "Declare it actionable, or leave `helpful` out."
            )
        for text in self.sentences:
            for name, form in placeholders(text):
                if name not in ("value", "latest") or form.split(":")[0] not in FORMATS:
                    raise UndeclaredFeature(
                        f"{self.name}: its sentence has a placeholder {name}:{form}, which is not "
                        f"declared. Use {{value:FORMAT}} with one of {', '.join(FORMATS)}."
                    )

    @property
    def sentences(self) -> tuple[str, ...]:
        """Every sentence that may be said."""
        said = (self.sentence, self.sentence_zero, self.sentence_negative, self.sentence_missing)
        return tuple(text for text in said if text)


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """Related features that make one reason.

    Attributes
    ----------
    title : the reason's heading
    leads : the features whose sentences carry the reason, best first; the others only add to it
    evidence : the rows shown behind the reason, where a feature of it names none of its own
    missing : what is said when nothing of the group is known
    """

    key: str
    title: str
    leads: tuple[str, ...] = ()
    evidence: tuple[Rows, ...] = ()
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """Features that are computed together, in one SQL statement of named steps.

    Attributes
    ----------
    sql : a SELECT in DuckDB's dialect, one row a household: `household_id` and the features
    reads : the visible relations that it may name (see `features.relations`)
    """

    name: str
    title: str
    sql: str
    reads: tuple[str, ...]
    features: tuple[Feature, ...]

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of the features, in the order of the declaration."""
        return tuple(feature.name for feature in self.features)


@dataclass(frozen=True, slots=True)
class Measure:
    """One additive fact of a ledger row, summed by month, or the day of such a row.

    Attributes
    ----------
    value : SQL over one row of the ledger; NULL where the row does not count
    windows : months before the cut-off to sum over: `<name>_<w>m`
    lags : single months to sum: 1 is the month before the cut-off: `<name>_lag<j>`
    ends : months ago at which the running total is wanted: `<name>_end<j>`
    total : whether the total of all visible rows is wanted: `<name>_all`
    """

    name: str
    value: str
    windows: tuple[int, ...] = ()
    lags: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    total: bool = False


@dataclass(frozen=True, slots=True)
class Ledger:
    """A table of dated amounts, aggregated once to months.

    Attributes
    ----------
    name : of the relation that families read
    table : the contract table
    key : the reference that ties a row to a home: account_ref or tenancy_ref
    measures : what is summed
    newest : name -> SQL over one row: the newest day on which it holds: `days_since_<name>`
    carries : the columns, beside `happened_on`, that measures and conditions read
    """

    name: str
    table: str
    key: str
    measures: tuple[Measure, ...]
    newest: dict[str, str] = field(default_factory=dict)
    carries: tuple[str, ...] = ("kind", "amount_pence")


def placeholders(text: str) -> Iterator[tuple[str, str]]:
    """Return the placeholders of a sentence as (name, format)."""
    for _, name, form, _ in string.Formatter().parse(text):
        if name is not None:
            yield name, form or ""


def gather(features: Iterable[Feature]) -> dict[str, Feature]:
    """Return features by name.

    Raises
    ------
    UndeclaredFeature
        Two features have one name.
    """
    found: dict[str, Feature] = {}
    for feature in features:
        if feature.name in found:
            raise UndeclaredFeature(f"The feature {feature.name} is declared twice.")
        found[feature.name] = feature
    return found
