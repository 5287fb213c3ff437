"""Look a household up: by reference, or by surname and postcode. Nothing stands in the address."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from earlyflag.casework.households import FoundHousehold, look_up_name, look_up_reference
from earlyflag.core.errors import InputInvalid
from earlyflag.web.forms import Field, Form, options, read
from earlyflag.web.framing import page
from earlyflag.web.site import Posted, SignedIn
from earlyflag.web.wording import words

router = APIRouter(include_in_schema=False)

FIELDS = (
    Field(
        "kind",
        "What do you have?",
        kind="radios",
        missing="Select what you have",
        options=options(
            {
                "account": "Council tax account reference",
                "tenancy": "Tenancy reference",
                "uprn": "Property reference (UPRN)",
                "name": "Surname and postcode",
            }
        ),
    ),
    Field(
        "reference",
        "Reference",
        hint="In full, for the first three. Leave it empty if you have a surname and postcode.",
        width="govuk-input--width-20",
        max_length=100,
    ),
    Field(
        "surname",
        "Surname",
        hint="In full",
        width="govuk-input--width-20",
        max_length=100,
    ),
    Field("postcode", "Postcode", width="govuk-input--width-10", max_length=10),
)


@dataclass(frozen=True, slots=True)
class Found:
    """One household that was found."""

    heading: str
    tenure: str
    href: str
    note: str


@dataclass(frozen=True, slots=True)
class LookUpView:
    """The look-up form and what it found."""

    title: str
    form: Form
    searched: bool
    found: tuple[Found, ...]


def _found(one: FoundHousehold) -> Found:
    note = "In your own work" if one.is_own_work else ""
    if one.needs_purpose:
        note = "You will be asked why you open it"
    return Found(
        one.address or f"Household {one.household_id}",
        words(one.tenure),
        f"/households/{one.household_id}",
        note,
    )


@router.get("/look-up")
def show_look_up(request: Request, visit: SignedIn) -> HTMLResponse:
    """Ask what to look up."""
    view = LookUpView("Look up a household", Form(FIELDS), searched=False, found=())
    return page(request, visit, "look_up.html", view)


@router.post("/look-up")
def do_look_up(request: Request, visit: SignedIn, data: Posted) -> HTMLResponse:
    """Show the households that were found."""
    form = read(FIELDS, data)
    kind = form.text("kind")
    found: list[FoundHousehold] = []
    if form.is_good:
        try:
            with visit.desk() as desk:
                if kind == "name":
                    found = look_up_name(desk, form.text("surname"), form.text("postcode"))
                else:
                    found = look_up_reference(desk, kind, form.text("reference"))
        except InputInvalid as error:
            form = form.with_error(error.field or "kind", str(error))
    view = LookUpView(
        "Look up a household",
        form,
        searched=form.is_good,
        found=tuple(_found(one) for one in found),
    )
    return page(request, visit, "look_up.html", view, 200 if form.is_good else 422)
