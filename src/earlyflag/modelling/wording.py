"""Say a value as people say it: money, counts with their noun, spans of time, stages, days.

The formats are those that `features.declare.FORMATS` lists. Where the newest evidence's day is
not known, the clause that asks for it (from the comma or semicolon before it) is left out.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from datetime import date
from functools import cache

from earlyflag.modelling.served import YES_OR_NO, FeatureFacts

RECOVERY_STAGES = (
    "no stage", "a reminder", "a second reminder", "a final notice", "a summons",
    "a liability order", "attachment of earnings or benefits", "enforcement agents",
    "a charging order", "committal",
)  # fmt: skip
"""Council tax recovery stages by rank, 0 being none."""

POSSESSION_STAGES = (
    "no step", "an arrears letter", "a second arrears letter", "a notice", "a court application",
    "a suspended order", "a possession order", "a warrant", "an eviction",
)  # fmt: skip
"""Steps towards losing the tenancy by rank, 0 being none."""

DAYS_A_WEEK, DAYS_A_MONTH, DAYS_A_YEAR = 7, 30.4375, 365.25
LARGEST_SAID = 1e15
"""Numbers beyond this are said as this: no household owes a thousand billion."""


def say(template: str, value: float, latest: date | None = None) -> str:
    """Return a catalogue sentence with its value, and its newest day where one is known.

    Parameters
    ----------
    template : text with `{value:FORMAT}` and `{latest:date}` placeholders
    value : the feature's known value
    latest : the day of the newest evidence row
    """
    said = "".join(
        text + (_placeholder(name, form, value, latest) if name else "")
        for text, name, form in _pieces(template, latest is not None)
    )
    return said[:1].upper() + said[1:]


def day(when: date) -> str:
    """Return a day as people write it: 12 May 2026."""
    return f"{when.day} {when:%B %Y}"


def money(pence: float) -> str:
    """Return whole pence as pounds, without sign."""
    return f"£{round(min(abs(pence), LARGEST_SAID)) / 100:,.2f}"


def count(value: float, one: str = "", many: str = "") -> str:
    """Return a whole number and its noun."""
    number = round(max(-LARGEST_SAID, min(value, LARGEST_SAID)))
    noun = one if abs(number) == 1 else many or one
    return f"{number:,} {noun}".rstrip()


def span(days: float) -> str:
    """Return a number of days in the largest unit of which people would count at least two."""
    whole = round(min(abs(days), LARGEST_SAID))
    if whole < 2 * DAYS_A_WEEK:
        return count(whole, "day", "days")
    if whole < 2 * DAYS_A_MONTH:
        return count(whole / DAYS_A_WEEK, "week", "weeks")
    if whole < 2 * DAYS_A_YEAR:
        return count(whole / DAYS_A_MONTH, "month", "months")
    return count(whole / DAYS_A_YEAR, "year", "years")


def stage(names: tuple[str, ...], rank: float) -> str:
    """Return the name of a stage from its rank; ranks beyond the ladder are its ends."""
    return names[round(max(0.0, min(rank, len(names) - 1)))]


def share(value: float) -> str:
    """Return a share as a percentage, "less than 1%" for what would round to nothing."""
    percent = 100 * max(-LARGEST_SAID, min(value, LARGEST_SAID))
    return "less than 1%" if 0 < percent < 0.5 else f"{percent:,.0f}%"


def decimal(value: float, one: str = "", many: str = "") -> str:
    """Return a number to one decimal place, without a trailing zero, and its noun."""
    said = f"{max(-LARGEST_SAID, min(value, LARGEST_SAID)):,.1f}".removesuffix(".0")
    return f"{said} {one if said == '1' else many}".rstrip()


def weeks(value: float) -> str:
    """Return a number of weeks to one decimal place."""
    return decimal(value, "week", "weeks")


def in_100(probability: float) -> str:
    """Return a probability in words that can be said aloud: "about 9 in 100"."""
    if probability < 0.0005:
        return "fewer than 1 in 1,000"
    if probability < 0.0095:
        return f"about {max(1, round(probability * 1000))} in 1,000"
    if probability > 0.995:
        return "more than 99 in 100"
    return f"about {round(probability * 100)} in 100"


FORMATS: dict[str, Callable[..., str]] = {
    "money": money,
    "count": count,
    "number": decimal,
    "percent": share,
    "days": span,
    "weeks": weeks,
    "recovery_stage": lambda rank: stage(RECOVERY_STAGES, rank),
    "possession_stage": lambda rank: stage(POSSESSION_STAGES, rank),
}
"""How a placeholder shows a value, by the format's name; two of them take their nouns."""

UNIT_FORMATS = {"pence": "money", "days": "days", "weeks": "weeks", "share": "percent"}
"""The format of a value whose sentence does not show it."""


_DATED_CLAUSE = re.compile(r"[,;][^,;]*\{latest:date\}[^,;]*")


def spoken(fact: FeatureFacts, value: float) -> str:
    """Return a feature's value alone, in the format of its sentence, else in that of its unit."""
    if fact.unit == YES_OR_NO:
        return "yes" if value > 0 else "no"
    for _, name, form in _pieces(fact.sentence, True):
        if name == "value":
            return _placeholder(name, form.split(":")[0], value, None)
    return _placeholder("value", UNIT_FORMATS.get(fact.unit, "number"), value, None)


@cache
def _pieces(template: str, is_dated: bool) -> tuple[tuple[str, str, str], ...]:
    """Return the template as (text, placeholder, format), undated clauses left out."""
    if not is_dated:
        template = _DATED_CLAUSE.sub("", template)
    parsed = string.Formatter().parse(template)
    return tuple((text, name or "", form or "") for text, name, form, _ in parsed)


def _placeholder(name: str, form: str, value: float, latest: date | None) -> str:
    if name == "latest" and latest is not None:
        return day(latest)
    kind, *nouns = form.split(":")
    return FORMATS[kind](value, *nouns)
