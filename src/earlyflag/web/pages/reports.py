"""Pages that show: sections of text, tables, drawings and small buttons. One template draws all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from markupsafe import Markup

from earlyflag.web import charts
from earlyflag.web.forms import Form
from earlyflag.web.wording import with_days

NOTHING = Markup("")
NO_FORM = Form(())


@dataclass(frozen=True, slots=True)
class Link:
    """A cell or line that leads somewhere."""

    text: str
    href: str


Cell = str | Link


@dataclass(frozen=True, slots=True)
class Table:
    """A table as pages draw it: the first cell of a row is its heading."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()
    large: bool = False


@dataclass(frozen=True, slots=True)
class PostButton:
    """A button that changes something; `about` says to a screen reader what."""

    text: str
    action: str
    about: str = ""
    hidden: tuple[tuple[str, str], ...] = ()
    classes: str = "govuk-button--secondary"


@dataclass(frozen=True, slots=True)
class SmallForm:
    """A form that stands inside a page."""

    form: Form
    action: str
    button: str


@dataclass(frozen=True, slots=True)
class Part:
    """A long piece of a section, behind a line that opens it."""

    heading: str
    prose: Markup


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page under a heading.

    Attributes
    ----------
    anchor : its place in the address, where the page has a list of its contents
    folded : its table stands behind a line that opens it, since it is long
    """

    heading: str = ""
    text: tuple[str, ...] = ()
    table: Table | None = None
    chart: Markup = NOTHING
    prose: Markup = NOTHING
    links: tuple[Link, ...] = ()
    buttons: tuple[PostButton, ...] = ()
    small_form: SmallForm | None = None
    anchor: str = ""
    folded: bool = False
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportView:
    """A page of sections. `form` is a small form with errors, for the summary at the top.

    Sections that have an anchor are listed at the top, as the page's contents.
    """

    title: str
    sections: tuple[Section, ...]
    intro: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    back: str = ""
    wide: bool = False
    inset: str = ""
    form: Form = NO_FORM


def _texts(value: object) -> tuple[str, ...]:
    return tuple(with_days(str(item)) for item in value) if isinstance(value, list | tuple) else ()


def _points(value: object) -> list[charts.Bar]:
    if not isinstance(value, list):
        return []
    return [
        charts.Bar(with_days(str(one["label"])), float(one["value"]), str(one["shown"]))
        for one in value
        if isinstance(one, Mapping) and {"label", "value", "shown"} <= one.keys()
    ]


def _table(value: object) -> Table | None:
    if not isinstance(value, Mapping):
        return None
    rows = value.get("rows")
    numeric = value.get("numeric")
    return Table(
        str(value.get("caption", "Figures")),
        _texts(value.get("headings")),
        tuple(_texts(row) for row in rows) if isinstance(rows, list) else (),
        frozenset(int(index) for index in numeric) if isinstance(numeric, list) else frozenset(),
    )


def sections_of(
    content: Mapping[str, Any], about: str = "", *, name: str = ""
) -> tuple[Section, ...]:
    """Return the sections of a published read model, each part of them optional.

    Parameters
    ----------
    about : tells the tables and drawings of two read models on one page apart
    name : tells the drawings apart where headings and captions need no telling apart
    """
    found = content.get("sections")
    parts: Iterable[Any] = found if isinstance(found, list) else []
    stem = (name or about or "part").lower().replace(" ", "-").replace("_", "-")
    return tuple(
        _section(f"{stem}-{number}", part, about)
        for number, part in enumerate(parts, start=1)
        if isinstance(part, Mapping)
    )


def _section(name: str, part: Mapping[str, Any], about: str) -> Section:
    heading = str(part.get("heading", ""))
    bars, points = _points(part.get("bars")), _points(part.get("line"))
    drawing = charts.bars(name, heading, bars) if bars else charts.line(name, heading, points)
    table = _table(part.get("table"))
    if table is None and (bars or points):
        rows = tuple((one.label, one.shown) for one in (bars or points))
        table = Table(heading or "Figures", ("Which", "Figure"), rows, frozenset({1}))
    if table is not None and about:
        table = replace(table, caption=f"{about}: {table.caption}")
    return Section(heading, _texts(part.get("text")), table, drawing)


def lead_of(content: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the opening paragraphs of a published read model."""
    return _texts(content.get("lead"))
