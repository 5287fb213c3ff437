"""What an app holds, and what a request brings: the site, the visit, the posted form."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import HTTPConnection, Request

from earlyflag.casework.desk import Actor, Desk, Rules, open_desk
from earlyflag.casework.machine_keys import KnownKeys, check_key_holds
from earlyflag.casework.rules import may
from earlyflag.casework.signing_in import Session, resume_session
from earlyflag.casework.together import ReadsTogether
from earlyflag.core.clock import Clock, london_day
from earlyflag.core.errors import NotAllowed, NotSignedIn
from earlyflag.core.gathering import Gathered
from earlyflag.core.settings import Settings
from earlyflag.core.terms import LiveScorer, Score
from earlyflag.store.terms import ActorKind
from earlyflag.web.access import Access, access_to
from earlyflag.web.observe import Figures, route_template
from earlyflag.web.security import (
    FORM_FIELD,
    SAFE_METHODS,
    TOKEN_HEADER,
    Door,
    check_token,
)

ResultT = TypeVar("ResultT")


class PackPrinter(Protocol):
    """Turns the HTML of a print pack into a tagged PDF."""

    def __call__(self, html: str, title: str) -> bytes:
        """Return the PDF's bytes."""
        ...


@dataclass(frozen=True, slots=True)
class UploadFinding:
    """One thing that a dry run found: where it is and what is wrong, never the value."""

    table: str
    row: int | None
    column: str
    reason: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class UploadReport:
    """What a delivery would do: rows by table, what would be rejected, whether it can be kept."""

    rows: Sequence[tuple[str, int, int]]
    findings: Sequence[UploadFinding]
    accepted: bool
    summary: str


class Uploads(Protocol):
    """Checks files against the data contract without keeping them."""

    def dry_run(self, files: Sequence[tuple[str, bytes]]) -> UploadReport:
        """Return what the files would do; nothing is kept."""
        ...


class Provider(Protocol):
    """The council's identity provider (OpenID Connect)."""

    async def start(self, request: Request) -> Any:
        """Return the redirect that sends a browser to the provider."""
        ...

    async def finish(self, request: Request) -> tuple[str, str, Sequence[str]]:
        """Return the subject, the display name and the app roles that the provider vouches for."""
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """What one app was built with. Everything that is not casework is handed in."""

    settings: Settings
    engine: Engine
    rules: Rules
    clock: Clock
    door: Door
    figures: Figures
    together: ReadsTogether
    known_keys: KnownKeys = field(default_factory=KnownKeys)
    scorer: LiveScorer | None = None
    what_ifs: Gathered[Mapping[str, float | None], Score] | None = None
    model_trouble: Callable[[], str] | None = None
    print_pack: PackPrinter | None = None
    uploads: Uploads | None = None
    provider: Provider | None = None
    is_demo: bool = False


def site_of(connection: HTTPConnection) -> Site:
    """Return the site that answers a request."""
    site = connection.app.state.site
    assert isinstance(site, Site)
    return site


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at the door: who they are and, for a browser, their session."""

    site: Site
    actor: Actor
    session: Session | None
    now: datetime

    @property
    def today(self) -> date:
        """The day in London."""
        return london_day(self.now)

    @property
    def token(self) -> str:
        """The form token of a browser's session."""
        return self.session.csrf_token if self.session else ""

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """Open a desk: what is done at it is committed with its audit, or undone together."""
        with open_desk(self.site.engine, self.actor, now=self.now, rules=self.site.rules) as desk:
            if self.actor.kind is ActorKind.MACHINE:
                # The door may have known the key from a moment ago; what is done here may not.
                check_key_holds(desk.unit.access.key(self.actor.actor_id), self.now)
            yield desk

    async def read_together(self, subject: str, work: Callable[[Desk], ResultT]) -> ResultT:
        """Return what a read gives; those of the same moment share a transaction."""
        return await self.site.together.do(self.actor, subject, work, now=self.now)


def _bearer(request: Request) -> str:
    """Return the secret that a machine sent, blank if none came."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    is_machine = scheme.lower() == "bearer" and request.scope["path"].startswith("/api/")
    return secret if is_machine else ""


def _arrive(request: Request, site: Site) -> Visit:
    now = site.clock.now()
    correlation_id = str(request.state.correlation_id)
    secret = _bearer(request)
    if secret:
        actor = site.known_keys.ask(site.engine, secret, now=now, correlation_id=correlation_id)
        return Visit(site, actor, None, now)
    token = request.cookies.get(site.door.session_cookie)
    if not token:
        raise NotSignedIn("You are not signed in.")
    session = resume_session(
        site.engine, token, now=now, rules=site.rules, correlation_id=correlation_id
    )
    return Visit(site, session.actor, session, now)


def _known(request: Request, site: Site) -> Visit | None:
    """Return the visit of a machine that came a moment ago, without asking the database."""
    secret = _bearer(request)
    if not secret:
        return None
    now = site.clock.now()
    correlation_id = str(request.state.correlation_id)
    actor = site.known_keys.actor(secret, now=now, correlation_id=correlation_id)
    return Visit(site, actor, None, now) if actor else None


def _check_access(access: Access, actor: Actor) -> None:
    if access.signed_in or any(may(actor, action) for action in access.actions):
        return
    raise NotAllowed(
        "Your role does not open this page. Ask your manager if you need it for your work."
    )


async def gate(request: Request) -> None:
    """Let a request through to its route, or refuse it; the first dependency of every route.

    Raises
    ------
    NotSignedIn
        The route is not public and no good session or key came.
    NotAllowed
        The role or scope does not open the route, or another site sent the change.
    """
    site = site_of(request)
    access = access_to(request.method, route_template(request.scope))
    if access.public:
        return
    visit = _known(request, site)
    if visit is None:
        visit = await run_in_threadpool(_arrive, request, site)
    request.state.role = visit.actor.standing
    request.state.visit = visit
    is_api = request.scope["path"].startswith("/api/")
    if visit.session and request.method not in SAFE_METHODS:
        site.door.check_origin(request)
        if is_api:
            check_token(visit.token, request.headers.get(TOKEN_HEADER, ""))
    _check_access(access, visit.actor)


async def signed_in(request: Request) -> Visit:
    """Return the visit that the gate let in; a public route has none."""
    visit = getattr(request.state, "visit", None)
    if visit is None:
        raise NotSignedIn("You are not signed in.")
    assert isinstance(visit, Visit)
    return visit


async def posted(
    request: Request, visit: Annotated[Visit, Depends(signed_in)]
) -> AsyncIterator[FormData]:
    """Give a posted form whose token is the session's; its files are closed afterwards.

    Raises
    ------
    NotAllowed
        The token is missing or another session's.
    """
    async with request.form(max_files=40, max_fields=500) as data:
        given = data.get(FORM_FIELD)
        check_token(visit.token, given if isinstance(given, str) else "")
        yield data


SignedIn = Annotated[Visit, Depends(signed_in)]
Posted = Annotated[FormData, Depends(posted)]
