"""What households contested or objected to, answered by a manager."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from earlyflag.casework.objections import answer_objection, objections_to_answer
from earlyflag.core.errors import NotFound
from earlyflag.store.records import Objection
from earlyflag.web.forms import Field, Form, options, read
from earlyflag.web.framing import onward, page
from earlyflag.web.pages.codes import OBJECTIONS
from earlyflag.web.pages.forming import FormView, submit
from earlyflag.web.pages.reports import Link, ReportView, Section, Table
from earlyflag.web.site import Posted, SignedIn, Visit
from earlyflag.web.wording import day

router = APIRouter(include_in_schema=False)

FIELDS = (
    Field(
        "uphold",
        "Is the household right?",
        kind="radios",
        missing="Select whether the household is right",
        options=options(
            {
                "yes": "Yes: leave it out from now on",
                "no": "No: what it said is kept, and any suppression stays until it is ended",
            }
        ),
    ),
    Field(
        "answer",
        "Answer to the household",
        kind="textarea",
        missing="Enter the answer to the household",
        max_length=4000,
    ),
)


@router.get("/objections")
def show_objections(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show what waits for an answer."""
    with visit.desk() as desk:
        waiting = objections_to_answer(desk)
    table = Table(
        "Waiting for an answer",
        ("Recorded", "What it is", "In their words", "Left out already"),
        tuple(
            (
                Link(day(one.recorded_at), f"/objections/{one.objection_id}"),
                OBJECTIONS[one.kind],
                one.statement,
                "Yes" if one.suppression_ref else "No",
            )
            for one in waiting
        ),
    )
    text = () if waiting else ("Nothing waits for an answer.",)
    view = ReportView(
        "Objections",
        (Section("", text, table if waiting else None),),
        intro=(
            "What households contest or object to. Officers record it on the household's page. "
            "Answer each one, and tell the household.",
        ),
        wide=bool(waiting),
    )
    return page(request, visit, "report.html", view)


def _view(visit: Visit, objection_id: str, form: Form) -> FormView:
    with visit.desk() as desk:
        found: list[Objection] = [
            one for one in objections_to_answer(desk) if one.objection_id == objection_id
        ]
    if not found:
        raise NotFound("This has been answered already, or there is none. See the list.")
    one = found[0]
    return FormView(
        "Answer a household",
        form,
        f"/objections/{objection_id}",
        "Save the answer",
        intro=(f"{OBJECTIONS[one.kind]}, {day(one.recorded_at)}.",),
        inset=one.statement,
        back="/objections",
    )


@router.get("/objections/{objection_id}")
def ask_answer(request: Request, visit: SignedIn, objection_id: str) -> HTMLResponse:
    """Show what a household said, to be answered."""
    return page(request, visit, "form.html", _view(visit, objection_id, Form(FIELDS)))


@router.post("/objections/{objection_id}")
def keep_answer(request: Request, visit: SignedIn, data: Posted, objection_id: str) -> Response:
    """Keep the answer to a household."""

    def act(form: Form) -> Response:
        with visit.desk() as desk:
            answer_objection(
                desk,
                objection_id,
                uphold=form.text("uphold") == "yes",
                answer=form.text("answer"),
            )
        return onward("/objections", "answered")

    return submit(request, visit, _view(visit, objection_id, read(FIELDS, data)), act)
