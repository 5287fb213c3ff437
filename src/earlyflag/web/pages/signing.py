"""Sign in and out: local accounts or the council's identity provider."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from earlyflag.casework.signing_in import (
    Session,
    sign_in,
    sign_in_with_provider,
    sign_out,
)
from earlyflag.core.errors import NotAllowed, NotFound, NotSignedIn, TooMany
from earlyflag.web.forms import Field, Form, read
from earlyflag.web.framing import frame_for, home_of
from earlyflag.web.rendering import render
from earlyflag.web.security import FORM_FIELD, check_token, new_token
from earlyflag.web.site import Posted, SignedIn, Site, site_of

router = APIRouter(include_in_schema=False)

FIELDS = (
    Field("username", "Username", missing="Enter your username", autocomplete="username"),
    Field(
        "password",
        "Password",
        kind="password",
        missing="Enter your password",
        autocomplete="current-password",
        max_length=256,
    ),
)


@dataclass(frozen=True, slots=True)
class SignInView:
    """The sign-in page."""

    title: str
    form: Form
    next_page: str
    with_provider: bool
    ended: bool


def local_path(address: str) -> str:
    """Return an address if it is a path of ours, else nothing: no other site is gone on to."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\", "/sign-"))
    return address if is_ours and all(c.isprintable() and c != "\\" for c in address) else ""


def _page(request: Request, form: Form, next_page: str, status: int = 200) -> HTMLResponse:
    site = site_of(request)
    token = request.cookies.get(site.door.form_cookie) or new_token()
    view = SignInView(
        "Sign in",
        form,
        next_page,
        with_provider=site.provider is not None,
        ended="ended" in request.query_params,
    )
    html = render("sign_in.html", frame_for(request, site, None, token), view)
    response = HTMLResponse(html, status)
    site.door.set_cookie(response, site.door.form_cookie, token)
    return response


@router.get("/sign-in")
def show_sign_in(request: Request, next: str = "") -> HTMLResponse:
    """Ask for the username and password."""
    return _page(request, Form(FIELDS), local_path(next))


async def sign_in_form(request: Request) -> FormData:
    """Return the sign-in form, whose token is that of the form's own cookie.

    Raises
    ------
    NotAllowed
        The token is missing or not this browser's.
    """
    site = site_of(request)
    site.door.check_origin(request)
    data = await request.form(max_files=0, max_fields=10)
    given = data.get(FORM_FIELD)
    check_token(
        request.cookies.get(site.door.form_cookie, ""), given if isinstance(given, str) else ""
    )
    return data


@router.post("/sign-in")
def do_sign_in(request: Request, data: Annotated[FormData, Depends(sign_in_form)]) -> Response:
    """Check the password and start a session."""
    site = site_of(request)
    sent = data.get("next")
    next_page = local_path(sent) if isinstance(sent, str) else ""
    form = read(FIELDS, data)
    if site.settings.sign_in != "local":
        raise NotFound("People sign in through the council's own sign-in page here.")
    if not form.is_good:
        return _page(request, form, next_page, 422)
    try:
        session = sign_in(
            site.engine,
            form.text("username"),
            form.text("password"),
            now=site.clock.now(),
            rules=site.rules,
            address=request.client.host if request.client else "",
            correlation_id=request.state.correlation_id,
        )
    except (NotSignedIn, TooMany) as error:
        return _page(request, form.with_error("username", str(error)), next_page, error.http_status)
    return _enter(site, session, next_page)


def _enter(site: Site, session: Session, next_page: str) -> Response:
    response = RedirectResponse(next_page or home_of(session.actor), status_code=303)
    site.door.set_cookie(response, site.door.session_cookie, session.token)
    site.door.clear_cookie(response, site.door.form_cookie)
    return response


@router.post("/sign-out")
def do_sign_out(visit: SignedIn, _data: Posted) -> Response:
    """End the session."""
    if visit.session is not None:
        with visit.desk() as desk:
            sign_out(desk, visit.session.token)
    response = RedirectResponse("/sign-in", status_code=303)
    visit.site.door.clear_cookie(response, visit.site.door.session_cookie)
    return response


@router.get("/sign-in/openid")
async def start_openid(request: Request) -> Response:
    """Send the browser to the council's identity provider."""
    site = site_of(request)
    if site.provider is None:
        raise NotFound("People sign in with a username and password here.")
    answer = await site.provider.start(request)
    assert isinstance(answer, Response)
    return answer


@router.get("/sign-in/openid/return")
async def finish_openid(request: Request) -> Response:
    """Start a session for somebody whom the identity provider vouches for."""
    site = site_of(request)
    if site.provider is None or site.settings.openid is None:
        raise NotFound("People sign in with a username and password here.")
    subject, name, roles = await site.provider.finish(request)
    if not subject:
        raise NotAllowed("The council's sign-in did not say who you are. Try again.")
    session = sign_in_with_provider(
        site.engine,
        subject,
        name,
        roles,
        mapping=site.settings.openid.roles,
        now=site.clock.now(),
        rules=site.rules,
        correlation_id=request.state.correlation_id,
    )
    return _enter(site, session, "")
