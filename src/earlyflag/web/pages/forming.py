"""What every page with a form shares: its view, its version, and what a conflict says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from earlyflag.core.errors import Conflict, InputInvalid
from earlyflag.web.forms import Form
from earlyflag.web.framing import page
from earlyflag.web.site import Visit


@dataclass(frozen=True, slots=True)
class FormView:
    """A page that is one form.

    Attributes
    ----------
    hidden : names and values that go with the form unseen, such as the flag's version
    """

    title: str
    form: Form
    action: str
    button: str
    intro: tuple[str, ...] = ()
    inset: str = ""
    back: str = ""
    has_file: bool = False
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ConflictView:
    """Somebody was faster: what they did and what was not saved."""

    title: str
    message: str
    now: tuple[tuple[str, str], ...]
    entered: tuple[tuple[str, str], ...]
    href: str


def version_in(data: FormData) -> int:
    """Return the version that a form was made against; 0, which no flag has, if there is none."""
    sent = data.get("version")
    return int(sent) if isinstance(sent, str) and sent.isascii() and sent.isdigit() else 0


def entered(form: Form) -> tuple[tuple[str, str], ...]:
    """Return what somebody typed or chose, in words, so that nothing they wrote is lost."""
    lines = []
    for item in form.fields:
        chosen = [option.text for option in item.options if option.chosen]
        text = ", ".join(chosen) if item.options else " ".join(item.typed).strip()
        if text and item.kind != "password":
            lines.append((item.label, text))
    return tuple(lines)


def submit(
    request: Request,
    visit: Visit,
    view: FormView,
    act: Callable[[Form], Response],
    *,
    describe: Callable[[], tuple[tuple[str, str], ...]] = tuple,
) -> Response:
    """Do what a good form asks for; show a wrong one again, and a conflict with both versions.

    Parameters
    ----------
    act : does it and returns where to go
    describe : says how things stand now, for somebody whose change came second
    """
    if not view.form.is_good:
        return page(request, visit, "form.html", view, 422)
    try:
        return act(view.form)
    except InputInvalid as error:
        names = {item.name for item in view.form.fields}
        first = view.form.fields[0].name
        field = error.field if error.field in names else first
        wrong = view.form.with_error(field or first, str(error))
        return page(request, visit, "form.html", replace(view, form=wrong), 422)
    except Conflict as error:
        return conflict(request, visit, error, describe(), entered(view.form), view.back)


def conflict(
    request: Request,
    visit: Visit,
    error: Conflict,
    now: tuple[tuple[str, str], ...],
    typed: tuple[tuple[str, str], ...],
    href: str,
) -> HTMLResponse:
    """Return the page for somebody whose change came second."""
    view = ConflictView("This was changed since you opened it", str(error), now, typed, href)
    return page(request, visit, "conflict.html", view, error.http_status)
