"""The print pack of a countersigned list: as a page to print, and as a tagged PDF."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from earlyflag.casework.panels import export_panel
from earlyflag.core.errors import NotFound
from earlyflag.web.framing import frame_for, page
from earlyflag.web.pages.panels import ActionLine, ListLine, action_line, list_lines
from earlyflag.web.rendering import render
from earlyflag.web.site import SignedIn, Visit
from earlyflag.web.wording import day

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Pack:
    """The print pack: the reference, recipients and expiry stand on every page."""

    title: str
    reference: str
    meeting: str
    expires: str
    recipients: str
    lines: tuple[ListLine, ...]
    carried: tuple[ActionLine, ...]
    printed_by: str
    pdf_href: str


def _pack(visit: Visit, panel_id: str) -> Pack:
    with visit.desk() as desk:
        view = export_panel(desk, panel_id)
    panel = view.panel
    return Pack(
        title=panel.title,
        reference=panel.reference,
        meeting=day(panel.meeting_on),
        expires=day(panel.expires_on),
        recipients="; ".join(panel.recipients),
        lines=list_lines(view),
        carried=tuple(action_line(one) for one in view.carried),
        printed_by=visit.actor.display_name,
        pdf_href=f"/panels/{panel_id}/pack.pdf" if visit.site.print_pack else "",
    )


@router.get("/panels/{panel_id}/pack")
def show_pack(request: Request, visit: SignedIn, panel_id: str) -> HTMLResponse:
    """Show the pack of a countersigned list, to be printed from the browser."""
    return page(request, visit, "pack.html", _pack(visit, panel_id))


@router.get("/panels/{panel_id}/pack.pdf")
def print_pack(request: Request, visit: SignedIn, panel_id: str) -> Response:
    """Return the pack as a tagged PDF."""
    printer = visit.site.print_pack
    if printer is None:
        raise NotFound(
            "PDFs are not set up here. Print the pack from your browser, or install earlyflag[pdf]."
        )
    pack = _pack(visit, panel_id)
    html = render("pack_print.html", frame_for(request, visit.site, visit), pack)
    name = f"earlyflag-{pack.reference}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(printer(html, pack.title), media_type="application/pdf", headers=headers)
