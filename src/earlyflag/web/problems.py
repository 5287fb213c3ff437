"""One handler for every error: a problem document for machines, a page for people."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from earlyflag.core.errors import EarlyflagError, InputInvalid, NotSignedIn, StepMissing
from earlyflag.core.logging import get_logger

PACKAGE = Path(__file__).parents[1]
PROBLEM = "application/problem+json"
TITLES = {
    400: "The request cannot be read",
    401: "Sign in first",
    403: "You cannot do this",
    404: "Page not found",
    405: "This address does not take that method",
    409: "Somebody was faster, or it was done already",
    412: "This was changed since you opened it",
    413: "That is too much at once",
    415: "This kind of content is not taken",
    421: "This is not the address of the service",
    422: "Something in the request is not right",
    428: "Say which version you are changing",
    429: "A limit has been reached",
    500: "Sorry, something went wrong",
    503: "Not ready yet",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, as it is told to whoever asked."""

    status: int
    detail: str
    kind: str
    errors: Sequence[dict[str, Any]] = ()
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The heading for this status."""
        return TITLES.get(self.status, "The request was not accepted")


def correlation_id(request: Request) -> str:
    """Return the id under which the log tells of this request."""
    return str(getattr(request.state, "correlation_id", ""))


def from_error(error: EarlyflagError) -> Problem:
    """Return one of our own errors, whose message was written for its reader."""
    errors: list[dict[str, Any]] = []
    if isinstance(error, InputInvalid) and error.field:
        told = {"expected": error.expected, "got": error.got}
        given = {name: value for name, value in told.items() if value is not None}
        errors.append({"field": error.field, "detail": str(error), **given})
    kind = type(error).__name__
    headers = {}
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = 'Bearer realm="earlyflag"'
    status = error.http_status
    detail = str(error)
    if status == 500:
        detail = "The request could not be answered. The log has the cause."
    return Problem(status, detail, kind, errors, headers)


def from_validation(error: RequestValidationError) -> Problem:
    """Return the fields that are not as declared: which, what was expected, what kind came."""
    items = []
    for item in error.errors():
        # what is no JSON at all has a position in the text for a place, which names no field
        inside = () if item["type"] == "json_invalid" else item["loc"][1:]
        where = ".".join(str(part) for part in inside) or str(item["loc"][0])
        items.append(
            {"field": where, "detail": item["msg"], "expected": _expected(item), "got": _got(item)}
        )
    count = len(items)
    noun = "field is" if count == 1 else "fields are"
    return Problem(
        422,
        f"{count} {noun} not as expected: {', '.join(item['field'] for item in items[:5])}. "
        "See `errors` for each, and /api/docs for what this address takes.",
        "InputInvalid",
        items,
    )


_EXPECTED = {"missing": "a value", "extra_forbidden": "no field of this name"}


def _expected(item: dict[str, Any]) -> str:
    """Return what a field takes, in the words of its own validation without what came."""
    told = str(item["msg"])
    if item["type"].endswith("_parsing"):
        told = told.partition(",")[0]  # after it stands why the text could not be read
    _, be, wanted = told.partition(" should be ")
    return _EXPECTED.get(item["type"]) or (wanted if be else told)


def _got(item: dict[str, Any]) -> str:
    """Return what kind of thing came; never the thing."""
    return "nothing" if item["type"] == "missing" else type(item.get("input")).__name__


def from_http(error: HTTPException) -> Problem:
    """Return what the framework itself refuses: an unknown address, a wrong method."""
    details = {
        400: "The body cannot be read as JSON. See /api/docs for what this address takes.",
        413: "This is larger than one request may be: 10 MB, or 200 MB of extracts. Send it in "
        "parts.",
        404: "Nothing is at this address. Check it, or start again from the first page.",
        405: "This address exists but does not take that method. See /api/docs.",
    }
    return Problem(
        error.status_code,
        details.get(error.status_code, "The request was not accepted. See /api/docs."),
        "HttpError",
        headers=dict(error.headers or {}),
    )


def as_document(request: Request, problem: Problem) -> Response:
    """Return a problem as RFC 9457 JSON."""
    content: dict[str, Any] = {
        "type": f"urn:earlyflag:problem:{problem.kind}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "correlation_id": correlation_id(request),
    }
    if problem.errors:
        content["errors"] = list(problem.errors)
    return JSONResponse(content, problem.status, media_type=PROBLEM, headers=dict(problem.headers))


Page = Callable[[Request, Problem], HTMLResponse]


class Answers:
    """The handlers that the app registers; `page` draws a problem for people."""

    def __init__(self, page: Page) -> None:
        self._page = page

    def _answer(self, request: Request, problem: Problem) -> Response:
        if request.url.path.startswith(("/api/", "/health/", "/metrics")):
            return as_document(request, problem)
        return self._page(request, problem)

    def known(self, request: Request, error: Exception) -> Response:
        """Answer one of our own errors."""
        assert isinstance(error, EarlyflagError)
        if error.http_status >= 500 and not isinstance(error, StepMissing):
            get_logger().error(
                "request failed",
                error=type(error).__name__,
                correlation_id=correlation_id(request),
            )
        return self._answer(request, from_error(error))

    def invalid(self, request: Request, error: Exception) -> Response:
        """Answer a request that is not as declared."""
        assert isinstance(error, RequestValidationError)
        return self._answer(request, from_validation(error))

    def http(self, request: Request, error: Exception) -> Response:
        """Answer what the framework refuses."""
        assert isinstance(error, HTTPException)
        return self._answer(request, from_http(error))

    def unexpected(self, request: Request, error: Exception) -> Response:
        """Answer a mistake of ours without telling anything of it but its kind."""
        get_logger().error(
            "request failed",
            error=type(error).__name__,
            where=_where(error),
            correlation_id=correlation_id(request),
        )
        return self._answer(request, _MISTAKE)


_MISTAKE = Problem(
    500,
    "The service made a mistake and nothing was saved. Try again in a minute; if it "
    "comes back, tell whoever runs the service the reference.",
    "Unexpected",
)


def _where(error: BaseException) -> str:
    """Return the lines of our own code that an error passed; never a value, as its text may be."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [one for one in frames if PACKAGE.as_posix() in Path(one.filename).as_posix()]
    return " > ".join(
        f"{Path(one.filename).relative_to(PACKAGE).as_posix()}:{one.lineno}" for one in ours
    )


class NothingEscapes:
    """Middleware that answers an error nobody expected, so that no server prints its text.

    The text of a database's error holds the row, and the row holds names.
    """

    def __init__(self, app: ASGIApp, answer: Callable[[Request, Exception], Response]) -> None:
        self.app = app
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, come what may."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def watch(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, watch)
        except Exception as error:
            response = self.answer(Request(scope), error)
            if has_begun:
                raise ConnectionAbortedError("An answer broke off; the log has where.") from None
            await response(scope, receive, send)
