"""What the service is and is not, and the API's documentation, self-hosted."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from earlyflag.web.framing import page
from earlyflag.web.pages.reports import Link, ReportView, Section, Table
from earlyflag.web.site import SignedIn
from earlyflag.web.wording import NO_APPLICATION, NOT_SAFE

router = APIRouter(include_in_schema=False)

ABOUT = (
    Section(
        "What it does",
        (
            "Once a month it reads council tax, rent and benefit records that the council holds "
            "and estimates how likely each household is to be owed a homelessness duty. The "
            "households at the top are flagged, so that somebody can offer help early.",
            "People decide. A flag is a reason to look and to offer, nothing more.",
        ),
    ),
    Section("What it must not be used for", (NO_APPLICATION, NOT_SAFE)),
    Section(
        "If a household says that it is wrong, or does not want it",
        (
            "Open the household's page and choose “The household says that this is wrong, or "
            "objects”. Record what it says in its words. If it asks to be left out, that takes "
            "effect at once. A manager answers it.",
            "The household may ask what is held about it: everything, reasons included.",
        ),
    ),
    Section(
        "What is written down about you",
        (
            "Every household that you open and every change that you make, with the time and the "
            "purpose. Auditors can see who has looked at a household.",
        ),
    ),
)


@router.get("/about")
def about(request: Request, visit: SignedIn) -> HTMLResponse:
    """Say what the service is, is not, and how to contest a flag."""
    return page(request, visit, "report.html", ReportView("How earlyflag works", ABOUT))


@router.get("/api/openapi.json")
def openapi(request: Request) -> JSONResponse:
    """Return the API's description (OpenAPI 3.1)."""
    return JSONResponse(request.app.openapi())


def _rows(operation: dict[str, Any]) -> Table | None:
    parameters = operation.get("parameters", [])
    if not parameters:
        return None
    return Table(
        f"Parameters of {operation.get('summary', '')}",
        ("Name", "Where", "Needed", "Meaning"),
        tuple(
            (
                one["name"],
                one["in"],
                "Yes" if one.get("required") else "No",
                one.get("description", ""),
            )
            for one in parameters
        ),
    )


@router.get("/api/docs")
def docs(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show every operation of the API; needs no script."""
    description = request.app.openapi()
    sections = []
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            answers = ", ".join(sorted(operation["responses"]))
            body = operation.get("requestBody")
            text = [operation.get("description", ""), f"Answers: {answers}."]
            if body:
                text.insert(1, "Takes: " + ", ".join(body["content"]) + ".")
            sections.append(
                Section(f"{method.upper()} {path}", tuple(t for t in text if t), _rows(operation))
            )
    view = ReportView(
        "API",
        tuple(sections),
        intro=(description["info"]["description"],),
        links=(
            Link("OpenAPI description (JSON)", "/api/openapi.json"),
            Link("Schemas and examples (needs JavaScript)", "/api/docs/try"),
        ),
    )
    return page(request, visit, "report.html", view)


@router.get("/api/docs/try")
def interactive_docs(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show the API's schemas and examples interactively."""
    return page(
        request,
        visit,
        "swagger.html",
        ReportView("API: schemas and examples", (), back="/api/docs"),
    )
