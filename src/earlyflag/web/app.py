"""The web application: built from settings, a database engine and what `cli` hands in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from earlyflag.casework.desk import Rules
from earlyflag.casework.together import ReadsTogether
from earlyflag.core.clock import Clock, SystemClock
from earlyflag.core.errors import EarlyflagError, NotSignedIn, SettingsInvalid, StepMissing
from earlyflag.core.gathering import Gathered
from earlyflag.core.settings import Settings
from earlyflag.core.terms import LiveScorer
from earlyflag.web.api import ROUTERS as API_ROUTERS
from earlyflag.web.api.examples import illustrate
from earlyflag.web.framing import frame_for
from earlyflag.web.limits import BodyLimit
from earlyflag.web.observe import Figures, Observed
from earlyflag.web.pages import ROUTERS as PAGE_ROUTERS
from earlyflag.web.problems import Answers, NothingEscapes, Problem, correlation_id
from earlyflag.web.rendering import STATIC, render
from earlyflag.web.security import Door, KnownHosts, SecureHeaders
from earlyflag.web.site import PackPrinter, Provider, Site, Uploads, gate, site_of

DESCRIPTION = (
    "Scores, reasons and casework of earlyflag. Every answer about a household is written in the "
    "audit log. Problems are RFC 9457 documents with a correlation id. Changes to a flag need its "
    "version in `If-Match`; POSTs that create take an `Idempotency-Key`. "
    "The score decides no application."
)


@dataclass(frozen=True, slots=True)
class HandedIn:
    """What the casework wing does not build itself.

    Attributes
    ----------
    scorer : scores rows of features at once; without it `/api/v1/score` says that it is not there
    model_trouble : says what is wrong with the model artefact, blank if nothing is
    print_pack : turns a print pack's HTML into a tagged PDF
    uploads : checks a delivery against the data contract
    provider : another identity provider than the one that the settings name, for tests
    """

    scorer: LiveScorer | None = None
    model_trouble: Callable[[], str] | None = None
    print_pack: PackPrinter | None = None
    uploads: Uploads | None = None
    provider: Provider | None = None
    is_demo: bool = False
    clock: Clock = field(default_factory=SystemClock)


class _Api(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Return the description of every operation, with examples."""
        return illustrate(super().openapi())


def create_app(settings: Settings, engine: Engine, handed_in: HandedIn | None = None) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    settings : the council's settings
    engine : the casework database, at the newest schema
    handed_in : what `cli` builds: live scorer, PDF printer, uploads, identity provider

    Raises
    ------
    StepMissing
        The pages' assets have not been built.
    SettingsInvalid
        The demo would be reachable from outside this machine, or OpenID is not set up.
    """
    given = handed_in or HandedIn()
    door = Door(settings.public_origin.rstrip("/"))
    _check(settings, given, door)
    figures = Figures()
    app = _Api(
        title="earlyflag",
        version=version("earlyflag"),
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # What is told of a request stands in `observe`: no URL, and nothing sent anywhere else.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        dependencies=[Depends(gate)],
    )
    rules = Rules.of(settings)
    app.state.site = Site(
        settings=settings,
        engine=engine,
        rules=rules,
        clock=given.clock,
        door=door,
        figures=figures,
        together=ReadsTogether(engine, rules),
        scorer=given.scorer,
        # Single what-ifs of the same moment are one batch for the scorer.
        what_ifs=Gathered(given.scorer.score) if given.scorer else None,
        model_trouble=given.model_trouble,
        print_pack=given.print_pack,
        uploads=given.uploads,
        provider=_provider(settings, given, door, app),
        is_demo=given.is_demo,
    )
    for router in (*API_ROUTERS, *PAGE_ROUTERS):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    answers = _answer_errors(app)
    app.add_middleware(NothingEscapes, answer=answers.unexpected)
    app.add_middleware(BodyLimit)
    app.add_middleware(KnownHosts, door=door)
    app.add_middleware(SecureHeaders, is_https=door.is_https)
    app.add_middleware(Observed, figures=figures)
    return app


def _check(settings: Settings, given: HandedIn, door: Door) -> None:
    if not (STATIC / "earlyflag.css").is_file():
        raise StepMissing(
            "The pages' assets are not built. Run: python -m earlyflag.web.assets (or make setup)."
        )
    if given.is_demo and not door.is_loopback:
        raise SettingsInvalid(
            f"The demo's sign-in refuses to run at {door.public_origin}: it is for this machine "
            "only (127.0.0.1 or localhost). Make real accounts, or use OpenID Connect."
        )
    if not (door.is_https or door.is_loopback):
        raise SettingsInvalid(
            f"public_origin is {door.public_origin}, so sessions would pass unencrypted and their "
            "cookies could not be marked Secure. Put the service behind TLS and set "
            "public_origin to its https address."
        )
    if settings.sign_in == "openid" and settings.openid is None:
        raise SettingsInvalid("sign_in is openid, but the [openid] settings are missing.")


def _provider(settings: Settings, given: HandedIn, door: Door, app: FastAPI) -> Provider | None:
    """Return the identity provider, and give it a short-lived signed cookie for its state."""
    if settings.sign_in != "openid" or settings.openid is None:
        return None
    if given.provider is not None:
        return given.provider
    from starlette.middleware.sessions import SessionMiddleware

    from earlyflag.web.openid import STATE_SECONDS, OpenIDProvider

    provider = OpenIDProvider(settings.openid, door.public_origin)
    app.add_middleware(
        SessionMiddleware,
        secret_key=provider.state_key,
        session_cookie=f"{door.session_cookie}-openid",
        max_age=STATE_SECONDS,
        https_only=door.is_https,
        same_site="lax",
    )
    return provider


@dataclass(frozen=True, slots=True)
class MessageView:
    """A page that only says something."""

    title: str
    paragraphs: tuple[str, ...]
    link: str
    link_text: str
    reference: str


def _problem_page(request: Request, problem: Problem) -> HTMLResponse:
    site = site_of(request)
    visit = getattr(request.state, "visit", None)
    view = MessageView(
        title=problem.title,
        paragraphs=(problem.detail,),
        link="/",
        link_text="Go to your first page" if visit else "Go to the first page",
        reference=correlation_id(request),
    )
    html = render("message.html", frame_for(request, site, visit), view)
    return HTMLResponse(html, problem.status, headers=dict(problem.headers))


def _answer_errors(app: FastAPI) -> Answers:
    answers = Answers(_problem_page)

    def sign_in_first(request: Request, error: Exception) -> Response:
        """Send a person to the sign-in page and back; tell a machine."""
        path = request.url.path
        if path.startswith(("/api/v1", "/sign-in")) or request.method != "GET":
            return answers.known(request, error)
        ended = "ended=1&" if site_of(request).door.session_cookie in request.cookies else ""
        return RedirectResponse(f"/sign-in?{ended}next={path}", status_code=303)

    app.add_exception_handler(NotSignedIn, sign_in_first)
    app.add_exception_handler(EarlyflagError, answers.known)
    app.add_exception_handler(RequestValidationError, answers.invalid)
    app.add_exception_handler(HTTPException, answers.http)
    return answers
