"""Capacity, the borough, the pilot and the model: what the pipeline published, and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from earlyflag.casework.desk import Desk
from earlyflag.casework.figures import (
    Document,
    Funnel,
    bands,
    funnel,
    get_document,
    list_documents,
    runs,
)
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import may
from earlyflag.core.errors import StepMissing
from earlyflag.store.terms import DocumentKind, FlagState
from earlyflag.web import charts
from earlyflag.web.framing import page
from earlyflag.web.pages.codes import DECISIONS, HELPED, STATES
from earlyflag.web.pages.model_card import card_sections
from earlyflag.web.pages.reports import Link, ReportView, Section, Table, lead_of, sections_of
from earlyflag.web.site import SignedIn
from earlyflag.web.wording import (
    BANDS,
    NO_APPLICATION,
    day,
    moment,
    percent,
    plural,
    words,
)

router = APIRouter(include_in_schema=False)
MOST_ROWS = 12
"""A table of the model's page with more rows than this stands behind a line that opens it."""
NOT_YET = "Nothing has been published here yet. It comes with the next monthly run."


def _document(desk: Desk, kind: DocumentKind) -> Document | None:
    try:
        return get_document(desk, kind)
    except StepMissing:
        return None


def _published(found: Document | None) -> tuple[str, ...]:
    if found is None:
        return (NOT_YET,)
    return (*lead_of(found.content), f"Published {moment(found.published_at)}.")


@router.get("/capacity")
def capacity(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show what each number of households a month would find and miss."""
    with visit.desk() as desk:
        found = _document(desk, DocumentKind.CAPACITY)
    view = ReportView(
        "Capacity",
        sections_of(found.content) if found else (),
        intro=(
            "How many households the team can reach a month decides how many duties it can come "
            "before, and how many it will miss. This is the one dial.",
            *_published(found),
        ),
        inset="Whom the list misses is as important as whom it finds. Not being listed does not "
        "mean that a household is safe.",
    )
    return page(request, visit, "report.html", view)


def _counts(
    heading: str,
    name: str,
    counts: Mapping[Any, int],
    texts: Mapping[Any, str],
    limit: int,
    noun: str = "Flags",
) -> Section:
    rows = [(text, counts[code]) for code, text in texts.items() if counts.get(code)]
    if not rows:
        return Section(heading, ("Nothing to count yet.",))
    return _counted(heading, name, ("Which", noun), rows, limit)


def _counted(
    heading: str, name: str, columns: tuple[str, str], rows: Sequence[tuple[str, int]], limit: int
) -> Section:
    """Draw and list counts; those of few households are withheld in both.

    One alone could be told from what the others add up to, so the next smallest goes with it.
    """
    withheld = {text for text, n in rows if 0 < n < limit}
    others = sorted((n, text) for text, n in rows if n >= limit)
    if len(withheld) == 1 and others:
        withheld.add(others[0][1])
    bars = [charts.Bar(text, n, f"{n:,}") for text, n in rows if text not in withheld]
    cells = tuple((text, "withheld" if text in withheld else f"{n:,}") for text, n in rows)
    drawing = charts.bars(name, heading, bars)
    return Section(heading, (), Table(heading, columns, cells, frozenset({1})), drawing)


def _funnel_section(counts: Funnel, limit: int) -> Section:
    raised = sum(n for state, n in counts.states.items() if state is not FlagState.HELD_BACK)
    steps = [
        ("Flags raised", raised),
        ("Decided", sum(counts.decisions.values())),
        ("Help offered", sum(counts.offers.values())),
        ("Contacts made", sum(counts.contacts.values())),
        (
            "Help worked, at least in part",
            counts.helped.get("yes", 0) + counts.helped.get("partly", 0),
        ),
    ]
    return _counted("From flag to help", "funnel", ("Step", "Count"), steps, limit)


def _drawn(name: str, found: Document) -> tuple[Section, ...]:
    """Return a read model's sections, what it says first standing in the first of them."""
    first, *others = sections_of(found.content, name=name) or (Section(),)
    return (replace(first, text=(*lead_of(found.content), *first.text)), *others)


@router.get("/borough")
def borough(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show risk over time, its reasons and wards, and how far flags have come."""
    with visit.desk() as desk:
        published = [
            (name, get_document(desk, DocumentKind.BOROUGH, name))
            for name, _ in sorted(list_documents(desk, DocumentKind.BOROUGH), reverse=True)
        ]
        counts = funnel(desk)
        known = runs(desk)
        spread = bands(desk, known[0].run_key) if known else {}
    drawn = [_drawn(name, found) for name, found in published]
    limit = visit.site.rules.disclosure_limit
    sections = [
        _funnel_section(counts, limit),
        *(section for part in drawn[:1] for section in part),
        _counts("Where flags stand", "states", counts.states, STATES, limit),
        _counts("What was decided", "decisions", counts.decisions, DECISIONS, limit),
        _counts("Did the help work?", "helped", counts.helped, HELPED, limit),
        _counts("Households by band", "bands", spread, BANDS, limit, "Households"),
        *(section for part in drawn[1:] for section in part),
    ]
    intro = (
        "In counts only: nobody is named here, and counts of few households are withheld.",
        *(() if published else (NOT_YET,)),
    )
    return page(request, visit, "report.html", ReportView("The borough", tuple(sections), intro))


@router.get("/pilot")
def pilot(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show whether offering help helped, as far as can be known now."""
    with visit.desk() as desk:
        found = _document(desk, DocumentKind.PILOT)
    view = ReportView(
        "Pilot",
        sections_of(found.content) if found else (),
        intro=(
            "Some households outside the most urgent are drawn by chance to be offered help later, "
            "so that it can be known whether help helps. A household with a live notice, order or "
            "breathing space is never held back.",
            *_published(found),
        ),
    )
    return page(request, visit, "report.html", view)


@router.get("/model")
def model(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show the model that scored last: its card, what it relies on, what changed."""
    with visit.desk() as desk:
        card = _document(desk, DocumentKind.MODEL_CARD)
        changes = _document(desk, DocumentKind.MODEL_CHANGES)
        watched = _document(desk, DocumentKind.MONITORING)
        known = runs(desk)
    sections: list[Section] = []
    if known:
        sections.append(_runs_section(known, visit.site.rules.disclosure_limit))
    for heading, found in (("What changed", changes), ("Monitoring", watched)):
        if found:
            anchor = heading.lower().replace(" ", "-")
            sections.append(Section(heading, lead_of(found.content), anchor=anchor))
            sections += [_folded(one) for one in sections_of(found.content, heading)]
    if card:
        sections += card_sections(str(card.content.get("markdown", "")))
    links = [Link("What the model reads: the features", "/model/features")]
    if may(visit.actor, Action.READ_FIGURES):
        links.append(Link("What each capacity finds and misses", "/capacity"))
    view = ReportView(
        "Model",
        tuple(sections),
        intro=(NO_APPLICATION,) if sections else (NOT_YET, NO_APPLICATION),
        links=tuple(links),
    )
    return page(request, visit, "report.html", view)


def _folded(section: Section) -> Section:
    """Return a section whose table stands behind a line if it is long."""
    is_long = section.table is not None and len(section.table.rows) > MOST_ROWS
    return replace(section, folded=is_long)


def _runs_section(known: Any, limit: int) -> Section:
    """Show the runs; how many households were withheld is left out where it is a small count."""
    table = Table(
        "Scoring runs, newest first",
        (
            "Data date",
            "Model",
            "Family",
            "Households scored",
            "Withheld: erased",
            "Borough's rate",
            "Published",
        ),
        tuple(
            (
                day(run.as_of),
                run.model.full_version,
                words(run.model.family),
                f"{run.scored:,}",
                f"fewer than {limit}" if 0 < run.withheld < limit else f"{run.withheld:,}",
                percent(run.model.base_rate),
                moment(run.published_at),
            )
            for run in known[:12]
        ),
        numeric=frozenset({3, 4, 5}),
    )
    return Section("Scoring runs", (), table, anchor="scoring-runs")


@router.get("/model/features")
def features(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show every feature: what it means, where it comes from, why it may be used."""
    with visit.desk() as desk:
        found = _document(desk, DocumentKind.CATALOGUE)
    listed = found.content.get("features", []) if found else []
    by_source: dict[str, list[tuple[str, ...]]] = {}
    for one in listed:
        if isinstance(one, Mapping):
            source = words(str(next(iter(one.get("sources", [])), "")))
            by_source.setdefault(source, []).append(_feature_row(one))
    sections = tuple(
        Section(table=Table(f"From {source.lower()}", _FEATURE_HEADINGS, tuple(rows)), folded=True)
        for source, rows in sorted(by_source.items())
    )
    view = ReportView(
        "What the model reads",
        sections,
        intro=(
            "No feature is a protected characteristic or is inferred from one.",
            f"{plural(len(listed), 'feature')}, by the records that they come from first."
            if sections
            else NOT_YET,
        ),
        back="/model",
        wide=True,
    )
    return page(request, visit, "report.html", view)


_FEATURE_HEADINGS = (
    "Feature",
    "What an officer reads",
    "Unit",
    "From",
    "Sensitivity",
    "Lawful gateway",
    "Can an offer change it?",
    "Name",
)


def _feature_row(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        str(one.get("title", "")),
        str(one.get("sentence", "")),
        str(one.get("unit", "")),
        ", ".join(words(str(source)) for source in one.get("sources", [])),
        words(str(one.get("sensitivity", ""))),
        str(one.get("gateway", "")),
        "Yes" if one.get("actionable") else "No",
        str(one.get("name", "")),
    )
