"""Follow a flag up: contacts, the outcome, pauses, and how far the offers have come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from earlyflag.casework import (
    ContactForm,
    Desk,
    OutcomeForm,
    change_offer,
    get_flag,
    pause,
    record_contact,
    record_outcome,
)
from earlyflag.store.records import Flag
from earlyflag.store.terms import (
    ContactChannel,
    ContactResult,
    DutyOwed,
    Helped,
    OfferState,
    OutcomeCode,
)
from earlyflag.web.forms import Field, Form, options
from earlyflag.web.framing import onward, page
from earlyflag.web.pages.codes import (
    CHANNELS,
    DUTIES,
    HELPED,
    OFFER_STATES,
    OUTCOMES,
    RESULTS,
    USEFUL,
)
from earlyflag.web.pages.flags import (
    NOTE,
    flag_form,
    flag_to_work_on,
    home_page,
    keep_form,
    read_flag,
)
from earlyflag.web.pages.forming import FormView
from earlyflag.web.site import Posted, SignedIn
from earlyflag.web.wording import MY_DATA_SCRIPT, moment, words

router = APIRouter(include_in_schema=False)

CONTACT_FIELDS = (
    Field("happened_on", "Day of the attempt", kind="date", missing="Enter the day of the attempt"),
    Field(
        "channel",
        "How did you try?",
        kind="radios",
        missing="Select how you tried to reach the household",
        options=options(CHANNELS),
    ),
    Field(
        "result",
        "What came of it?",
        kind="radios",
        missing="Select what came of it",
        options=options(RESULTS),
    ),
    Field("interpreter", "Interpreter needed (optional)", hint="Which language, or BSL"),
    Field("adjustments", "Adjustments needed (optional)", hint="For example, large print"),
    Field(
        "safe_channel",
        "Safe way and time to reach them (optional)",
        hint="If it is not safe to call, write or visit",
    ),
    NOTE,
)


def _contact_view(flag: Flag, form: Form, version: int) -> FormView:
    return flag_form(
        flag, form, version, "contact", "Record a contact", "Save the contact", inset=_inset(flag)
    )


def _inset(flag: Flag) -> str:
    if flag.safe_contact:
        return "Safe contact only. Ask where, when and how it is safe before any contact."
    if flag.without_collection:
        return (
            "A notice, order or breathing space is live. Offer help only, and do not mention "
            "collecting any debt."
        )
    return ""


@router.get("/flags/{flag_id}/contact")
def ask_contact(request: Request, visit: SignedIn, flag_id: str) -> HTMLResponse:
    """Ask what came of an attempt to reach the household; the script stands beside it."""
    flag = flag_to_work_on(visit, flag_id, "contact")
    view = _contact_view(flag, Form(CONTACT_FIELDS), flag.version)
    script = "If they ask “How did you get my details?”: " + MY_DATA_SCRIPT.format(
        team=visit.site.settings.team_name
    )
    shown = flag_form(
        flag,
        view.form,
        flag.version,
        "contact",
        view.title,
        view.button,
        inset=view.inset,
        intro=(script,),
    )
    return page(request, visit, "form.html", shown)


@router.post("/flags/{flag_id}/contact")
def keep_contact(request: Request, visit: SignedIn, data: Posted, flag_id: str) -> Response:
    """Keep an attempt to reach the household."""

    def change(desk: Desk, version: int, form: Form) -> None:
        contact = ContactForm(
            happened_on=form.day("happened_on") or desk.today,
            channel=ContactChannel(form.text("channel")),
            result=ContactResult(form.text("result")),
            interpreter=form.text("interpreter"),
            adjustments=form.text("adjustments"),
            safe_channel=form.text("safe_channel"),
            note=form.text("note"),
        )
        record_contact(desk, flag_id, version, contact)

    return keep_form(
        request, visit, data, flag_id, _contact_view, CONTACT_FIELDS, change, "contacted"
    )


OUTCOME_FIELDS = (
    Field(
        "helped",
        "Did the help work?",
        kind="radios",
        missing="Select whether the help worked",
        options=options(HELPED),
    ),
    Field(
        "outcome",
        "Where does the household stand?",
        kind="radios",
        missing="Select where the household stands",
        options=options(OUTCOMES),
    ),
    Field(
        "duty",
        "Which homelessness duty followed?",
        kind="radios",
        missing="Select which duty followed, or that none did",
        options=options(DUTIES),
    ),
    Field(
        "useful",
        "Did this flag help you?",
        kind="radios",
        missing="Select whether this flag helped you",
        options=options(USEFUL),
    ),
    NOTE,
)


def _outcome_view(flag: Flag, form: Form, version: int) -> FormView:
    return flag_form(
        flag, form, version, "outcome", "Record the outcome", "Save and close the flag"
    )


@router.get("/flags/{flag_id}/outcome")
def ask_outcome(request: Request, visit: SignedIn, flag_id: str) -> HTMLResponse:
    """Ask where the household stands now that the work has ended."""
    flag = flag_to_work_on(visit, flag_id, "close")
    view = _outcome_view(flag, Form(OUTCOME_FIELDS), flag.version)
    return page(request, visit, "form.html", view)


@router.post("/flags/{flag_id}/outcome")
def keep_outcome(request: Request, visit: SignedIn, data: Posted, flag_id: str) -> Response:
    """Keep the outcome and close the flag."""

    def change(desk: Desk, version: int, form: Form) -> None:
        outcome = OutcomeForm(
            helped=Helped(form.text("helped")),
            outcome=OutcomeCode(form.text("outcome")),
            duty=DutyOwed(form.text("duty")),
            flag_was_useful={"yes": True, "no": False}.get(form.text("useful")),
            note=form.text("note"),
        )
        record_outcome(desk, flag_id, version, outcome)

    return keep_form(
        request,
        visit,
        data,
        flag_id,
        _outcome_view,
        OUTCOME_FIELDS,
        change,
        "closed",
        is_over=lambda _form: True,
    )


PAUSE_FIELDS = (
    Field("until", "Pause until", kind="date", missing="Enter the day to pause until"),
    Field(
        "reason", "Reason for the pause", kind="textarea", missing="Enter the reason for the pause"
    ),
)


def _pause_view(flag: Flag, form: Form, version: int) -> FormView:
    return flag_form(flag, form, version, "pause", "Pause this flag", "Pause this flag")


@router.get("/flags/{flag_id}/pause")
def ask_pause(request: Request, visit: SignedIn, flag_id: str) -> HTMLResponse:
    """Ask until when and why a flag is put aside."""
    flag = flag_to_work_on(visit, flag_id, "pause")
    return page(request, visit, "form.html", _pause_view(flag, Form(PAUSE_FIELDS), flag.version))


@router.post("/flags/{flag_id}/pause")
def keep_pause(request: Request, visit: SignedIn, data: Posted, flag_id: str) -> Response:
    """Put a flag aside until a day."""

    def change(desk: Desk, version: int, form: Form) -> None:
        pause(desk, flag_id, version, form.day("until") or date.min, form.text("reason"))

    return keep_form(request, visit, data, flag_id, _pause_view, PAUSE_FIELDS, change, "paused")


@dataclass(frozen=True, slots=True)
class OfferLine:
    """One offer and the states it may take."""

    name: str
    offer_id: str
    offered_on: str
    state: str
    choices: Field


@dataclass(frozen=True, slots=True)
class OffersView:
    """The offers of one flag."""

    title: str
    back: str
    action: str
    offers: tuple[OfferLine, ...]


@router.get("/flags/{flag_id}/offers")
def show_offers(request: Request, visit: SignedIn, flag_id: str) -> HTMLResponse:
    """Show the offers of a flag and how far each has come."""
    view = read_flag(visit, flag_id)
    names = visit.site.rules.offers
    lines = tuple(
        OfferLine(
            names.get(offer.code, words(offer.code)),
            offer.offer_id,
            moment(offer.offered_at),
            OFFER_STATES[offer.state],
            Field(
                f"state-{offer.offer_id}",
                f"{names.get(offer.code, words(offer.code))} is now",
                kind="select",
                options=options(OFFER_STATES),
            ),
        )
        for offer in view.offers
    )
    shown = OffersView(
        "How far the offers have come", home_page(view.flag), f"/flags/{flag_id}/offers", lines
    )
    return page(request, visit, "offers.html", shown)


@router.post("/flags/{flag_id}/offers")
def keep_offers(visit: SignedIn, data: Posted, flag_id: str) -> Response:
    """Keep how far each offer has come; one left alone stays as it is."""
    with visit.desk() as desk:
        view = get_flag(desk, flag_id)
        for offer in view.offers:
            sent = data.get(f"state-{offer.offer_id}")
            known = {state.value for state in OfferState}
            if isinstance(sent, str) and sent in known and sent != offer.state:
                change_offer(desk, offer.offer_id, OfferState(sent))
    return onward(home_page(view.flag), "offered")
