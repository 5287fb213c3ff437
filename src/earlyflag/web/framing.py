"""The frame around every page: navigation by role, the form token, a notice of what was done."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from earlyflag.casework.desk import Actor
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import may
from earlyflag.web.rendering import Frame, NavigationItem, render
from earlyflag.web.site import Site, Visit

_NAVIGATION = (
    (Action.TAKE_FLAG, "My work", "/work/mine"),
    (Action.LIST_FLAGS, "Flags", "/work/unassigned"),
    (Action.LOOK_UP, "Look up", "/look-up"),
    (Action.ASSIGN_FLAGS, "Assign", "/assignments"),
    (Action.REPORT_ALERT, "Early alerts", "/alerts"),
    (Action.KEEP_PANEL, "Panel", "/panels"),
    (Action.READ_FIGURES, "Capacity", "/capacity"),
    (Action.READ_FIGURES, "Borough", "/borough"),
    (Action.READ_PILOT, "Pilot", "/pilot"),
    (Action.READ_MODEL, "Model", "/model"),
    (Action.UPLOAD, "Upload", "/upload"),
    (Action.ANSWER_OBJECTION, "Objections", "/objections"),
    (Action.REVIEW_LOOKUPS, "Look-up reviews", "/purposes"),
    (Action.READ_AUDIT, "Audit", "/audit"),
    (Action.KEEP_ACCOUNTS, "Users", "/users"),
    (Action.KEEP_KEYS, "Keys", "/keys"),
)

_HOMES = (
    (Action.TAKE_FLAG, "/work/mine"),
    (Action.LIST_FLAGS, "/work/unassigned"),
    (Action.READ_AUDIT, "/audit"),
    (Action.KEEP_ACCOUNTS, "/users"),
)

NOTICES = {
    "taken": "The flag is yours now.",
    "assigned": "The flags have been assigned.",
    "decided": "Your decision has been saved.",
    "offered": "The offers have been saved.",
    "assessed": "Thank you. Your view of the flag has been kept for the analysts.",
    "contacted": "The contact has been saved.",
    "closed": "The outcome has been saved and the flag is closed.",
    "paused": "The flag is paused.",
    "resumed": "The flag is back in your work.",
    "reopened": "The flag is open again.",
    "objected": "What the household said has been recorded.",
    "answered": "Your answer has been saved.",
    "alerted": "Thank you. The alert has been received.",
    "matched": "The alert has been settled.",
    "panel": "The list has been saved.",
    "action": "The action has been saved.",
    "panel-closed": "The list is closed. Its open actions stand on the next meeting's list.",
    "countersigned": "The list is countersigned and can be printed.",
    "reviewed": "Your finding has been saved.",
    "account": "The account has been saved.",
    "revoked": "The key no longer works.",
}
"""What is said after something was done: the address carries the key only."""


def home_of(actor: Actor) -> str:
    """Return the page that somebody starts from."""
    return next((href for action, href in _HOMES if may(actor, action)), "/about")


def navigation(actor: Actor, path: str) -> tuple[NavigationItem, ...]:
    """Return the pages open to a role, the current one marked."""
    open_pages = [(text, href) for action, text, href in _NAVIGATION if may(actor, action)]
    current = max(
        (href for _, href in open_pages if path == href or path.startswith(f"{href}/")),
        key=len,
        default="",
    )
    if not current and path.startswith("/work/"):
        current = "/work/unassigned"
    return tuple(NavigationItem(text, href, href == current) for text, href in open_pages)


def frame_for(request: Request, site: Site, visit: Visit | None, token: str = "") -> Frame:
    """Return the frame of one page."""
    notice = NOTICES.get(request.query_params.get("done", ""), "")
    return Frame(
        borough_name=site.settings.borough_name,
        team_name=site.settings.team_name,
        signed_in_as=visit.actor.display_name if visit else "",
        csrf_token=visit.token if visit else token,
        navigation=navigation(visit.actor, request.url.path) if visit else (),
        is_demo=site.is_demo,
        notice=notice,
    )


def page(
    request: Request, visit: Visit, template: str, view: Any, status: int = 200
) -> HTMLResponse:
    """Return a page for somebody who is signed in."""
    return HTMLResponse(render(template, frame_for(request, visit.site, visit), view), status)


def onward(address: str, done: str = "") -> RedirectResponse:
    """Return the redirect that follows a change, so that reloading does not send it again."""
    return RedirectResponse(f"{address}?done={done}" if done else address, status_code=303)
