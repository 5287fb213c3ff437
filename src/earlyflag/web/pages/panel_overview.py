"""The bird's eye over all multi-agency meetings: barriers, outcomes and actions in counts."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from earlyflag.casework.birds_eye import birds_eye
from earlyflag.web import charts
from earlyflag.web.framing import page
from earlyflag.web.pages.codes import BARRIERS, HELPED, OUTCOMES
from earlyflag.web.pages.reports import ReportView, Section, Table
from earlyflag.web.site import SignedIn
from earlyflag.web.wording import plural, words

router = APIRouter(include_in_schema=False)


@router.get("/panels/overview")
def overview(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show barriers, outcomes and actions over all meetings, in counts."""
    with visit.desk() as desk:
        seen = birds_eye(desk)
    limit = visit.site.rules.disclosure_limit

    def part(
        heading: str, name: str, counts: dict[str, int | None], texts: dict[str, str], noun: str
    ) -> Section:
        if not any(count != 0 for count in counts.values()):
            return Section(heading, ("Nothing yet.",))
        shown = [(texts.get(code, words(code)), count) for code, count in counts.items()]
        drawing = charts.bars(
            name, heading, [charts.Bar(t, n, f"{n:,}") for t, n in shown if n is not None]
        )
        rows = tuple((t, f"fewer than {limit}" if n is None else f"{n:,}") for t, n in shown)
        return Section(heading, (), Table(heading, ("Which", noun), rows, frozenset({1})), drawing)

    sections = (
        part(
            "What stands in the way",
            "barriers",
            seen.barriers,
            {str(k): v for k, v in BARRIERS.items()},
            "Households",
        ),
        part(
            "Where households stood when work ended",
            "outcomes",
            seen.outcomes,
            {str(k): v for k, v in OUTCOMES.items()},
            "Households",
        ),
        part(
            "Did the help work?",
            "helped",
            seen.helped,
            {str(k): v for k, v in HELPED.items()},
            "Households",
        ),
        part("Actions agreed", "actions", seen.actions, {}, "Actions"),
    )
    overdue = f"fewer than {limit}" if seen.overdue is None else f"{seen.overdue:,}"
    view = ReportView(
        "Barriers, outcomes and actions",
        sections,
        intro=(
            f"{plural(seen.households, 'household')} on lists so far. Actions overdue: {overdue}.",
            f"Counts from 1 to {limit - 1} are not shown, because they could point at somebody.",
        ),
        back="/panels",
    )
    return page(request, visit, "report.html", view)
