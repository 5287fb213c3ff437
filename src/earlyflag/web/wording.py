"""How codes, dates, money and chances are said on pages: plain words, one place."""

from __future__ import annotations

import re
from datetime import date, datetime

from earlyflag.core.clock import LONDON
from earlyflag.core.terms import Band

BANDS = {
    Band.HIGHEST: "Highest",
    Band.HIGH: "High",
    Band.RAISED: "Raised",
    Band.USUAL: "Usual for the borough",
}
BAND_COLOURS = {
    Band.HIGHEST: "govuk-tag--purple",
    Band.HIGH: "govuk-tag--magenta",
    Band.RAISED: "govuk-tag--blue",
    Band.USUAL: "govuk-tag--grey",
}
NOT_SAFE = (
    "Not being flagged does not mean that a household is safe. The score knows only what the "
    "council's records held on the data date. Judge by what the household tells you."
)
NO_APPLICATION = (
    "The score decides no application. It must not be used to refuse, delay or reduce help, "
    "a benefit, a tenancy or a homelessness duty."
)
MY_DATA_SCRIPT = (
    "“We are the council's {team}. The council looks at its own council tax, rent and benefit "
    "records to find households it could offer help to early, before things get worse. Your "
    "household came up, so I am calling to offer help. You do not have to take it, and saying no "
    "changes nothing about your tenancy, your benefits or any application. You can ask us to "
    "stop, ask what we hold about you, or say that it is wrong, now or later.”"
)


def day(value: date | datetime | None) -> str:
    """Return a day in words, such as 3 May 2026; for an instant, the day in London."""
    if value is None:
        return "not known"
    if isinstance(value, datetime):
        value = value.astimezone(LONDON).date()
    return f"{value.day} {value:%B %Y}"


_WRITTEN_DAY = re.compile(
    r"(?<![\w/-])(\d{4}-\d\d-\d\d)(T\d\d:\d\d[\d:.]*(?:Z|[+-]\d\d:\d\d))?(?![\w/-])"
)


def with_days(text: str) -> str:
    """Return a published text with its days in words; what is no day stays as it is.

    A day inside a reference, such as a run's, is left alone.
    """

    def said(found: re.Match[str]) -> str:
        try:
            if found[2]:
                return day(datetime.fromisoformat(found[0]))
            return day(date.fromisoformat(found[1]))
        except ValueError:
            return found[0]

    return _WRITTEN_DAY.sub(said, text)


def moment(value: datetime | None) -> str:
    """Return an instant in words in London time, such as 3 May 2026, 14:05."""
    if value is None:
        return "not known"
    local = value.astimezone(LONDON)
    return f"{local.day} {local:%B %Y}, {local:%H:%M}"


def pounds(pence: int | None) -> str:
    """Return whole pence as pounds, such as £1,204.50 or −£12."""
    if pence is None:
        return ""
    sign = "−" if pence < 0 else ""
    whole, rest = divmod(abs(pence), 100)
    return f"{sign}£{whole:,}" + (f".{rest:02d}" if rest else "")


def in_hundred(share: float) -> str:
    """Return a chance as “about 9 in 100”: one denominator, so that two can be compared."""
    count = round(share * 100)
    if count < 1:
        return "fewer than 1 in 100"
    return "more than 99 in 100" if share > 0.99 else f"about {count} in 100"


def percent(share: float) -> str:
    """Return a share as a percentage with one decimal below ten."""
    value = share * 100
    return f"{value:.1f}%" if value < 10 else f"{value:.0f}%"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun, such as “1 flag” or “2 flags”."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def words(code: str | None) -> str:
    """Return a code as words: `safe_contact_needed` is “Safe contact needed”."""
    if not code:
        return "not known"
    text = code.replace("_", " ")
    return text[:1].upper() + text[1:]
