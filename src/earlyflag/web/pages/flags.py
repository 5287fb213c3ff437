"""Work on a flag: take, decide, offer, contact, outcome, agree or disagree, pause, reopen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from earlyflag.casework import (
    AssessmentForm,
    ContactForm,
    DecisionForm,
    Desk,
    FlagView,
    OutcomeForm,
    assess,
    change_offer,
    decide,
    get_flag,
    pause,
    record_contact,
    record_outcome,
    reopen,
    resume,
    take_flag,
)
from earlyflag.core.errors import Conflict
from earlyflag.store.records import Flag
from earlyflag.store.terms import (
    AssessmentWhy,
    ContactChannel,
    ContactResult,
    DecisionCode,
    DutyOwed,
    Helped,
    OfferState,
    OutcomeCode,
)
from earlyflag.web.forms import Field, Form, options, read
from earlyflag.web.framing import onward, page
from earlyflag.web.pages.codes import (
    ASSESSMENTS,
    CHANNELS,
    DECISION_HINTS,
    DECISIONS,
    DUTIES,
    HELPED,
    OFFER_STATES,
    OUTCOMES,
    RESULTS,
    STATES,
    USEFUL,
    YES_NO,
)
from earlyflag.web.pages.forming import FormView, conflict, submit, version_in
from earlyflag.web.site import Posted, SignedIn, Visit
from earlyflag.web.wording import MY_DATA_SCRIPT, moment, words

router = APIRouter(include_in_schema=False)


def _read(visit: Visit, flag_id: str) -> FlagView:
    with visit.desk() as desk:
        return get_flag(desk, flag_id)


def _stands(visit: Visit, flag_id: str) -> tuple[tuple[str, str], ...]:
    """Say how a flag stands, for somebody whose change came second."""
    view = _read(visit, flag_id)
    decided = view.flag.decision_code
    rows = [
        ("State", STATES[view.flag.state]),
        ("Assigned to", view.assignee or "Nobody"),
        ("Decision", DECISIONS[decided] if decided else "None yet"),
        ("Last action", words(view.flag.last_action)),
        ("Changed at", moment(view.flag.changed_at)),
    ]
    return tuple(rows)


def _home(flag: Flag) -> str:
    return f"/households/{flag.household_id}"


def _view(
    flag: Flag, form: Form, version: int, path: str, title: str, button: str, **more: object
) -> FormView:
    return FormView(
        title=title,
        form=form,
        action=f"/flags/{flag.flag_id}/{path}",
        button=button,
        back=_home(flag),
        hidden=(("version", str(version)),),
        intro=tuple(str(text) for text in more.get("intro", ())),  # type: ignore[attr-defined]
        inset=str(more.get("inset", "")),
    )


def _post(
    request: Request,
    visit: Visit,
    data: FormData,
    flag_id: str,
    view: Callable[[Flag, Form, int], FormView],
    fields: tuple[Field, ...],
    change: Callable[[Desk, int, Form], object],
    done: str,
) -> Response:
    """Read a flag's form and make its change, or show the form again."""
    flag = _read(visit, flag_id).flag
    version = version_in(data)

    def act(form: Form) -> Response:
        with visit.desk() as desk:
            change(desk, version, form)
        return onward(_home(flag), done)

    shown = view(flag, read(fields, data), version)
    return submit(request, visit, shown, act, describe=lambda: _stands(visit, flag_id))


@router.post("/flags/{flag_id}/take")
def take(request: Request, visit: SignedIn, data: Posted, flag_id: str) -> Response:
    """Take a waiting flag."""
    return _move(request, visit, data, flag_id, take_flag, "taken")


@router.post("/flags/{flag_id}/resume")
def take_up(request: Request, visit: SignedIn, data: Posted, flag_id: str) -> Response:
    """Take a paused flag up again."""
    return _move(request, visit, data, flag_id, resume, "resumed")


@router.post("/flags/{flag_id}/reopen")
def open_again(request: Request, visit: SignedIn, data: Posted, flag_id: str) -> Response:
    """Open a decided or closed flag again."""
    return _move(request, visit, data, flag_id, reopen, "reopened")


def _move(
    request: Request,
    visit: Visit,
    data: FormData,
    flag_id: str,
    move: Callable[[Desk, str, int], Flag],
    done: str,
) -> Response:
    try:
        with visit.desk() as desk:
            flag = move(desk, flag_id, version_in(data))
    except Conflict as error:
        before = _read(visit, flag_id).flag
        return conflict(request, visit, error, _stands(visit, flag_id), (), _home(before))
    return onward(_home(flag), done)


AGREES = Field(
    "agrees",
    "Was it right to flag this household?",
    kind="radios",
    missing="Select yes if it was right to flag this household",
    options=options(YES_NO),
)
WHY = Field(
    "why",
    "Why?",
    kind="radios",
    missing="Select why it was or was not right",
    options=options(ASSESSMENTS),
)
NOTE = Field("note", "Note (optional)", kind="textarea", max_length=4000)


def _decision_fields(visit: Visit) -> tuple[Field, ...]:
    return (
        Field(
            "code",
            "What do you decide?",
            kind="radios",
            missing="Select what you decide",
            options=options(DECISIONS, DECISION_HINTS),
        ),
        Field(
            "offers",
            "Which help do you offer?",
            kind="checkboxes",
            hint="Only if you offer help. Choose all that fit.",
            options=options(visit.site.rules.offers),
        ),
        Field(
            "watch_until",
            "Watch until",
            kind="date",
            hint="Only if you watch until a date. For example, 27 3 2027",
        ),
        Field(
            "reason",
            "Reason for the decision",
            kind="textarea",
            missing="Enter the reason for the decision",
            hint="In your own words. The household may ask to read this.",
            max_length=4000,
        ),
        AGREES,
        WHY,
        NOTE,
    )


def _decision_view(flag: Flag, form: Form, version: int) -> FormView:
    return _view(
        flag,
        form,
        version,
        "decision",
        "Decide about this flag",
        "Save the decision",
        intro=("Decide from what you know and have been told, not from the score alone.",),
    )


@router.get("/flags/{flag_id}/decision")
def ask_decision(request: Request, visit: SignedIn, flag_id: str) -> HTMLResponse:
    """Ask for a decision; nothing is chosen beforehand."""
    flag = _read(visit, flag_id).flag
    view = _decision_view(flag, Form(_decision_fields(visit)), flag.version)
    return page(request, visit, "form.html", view)


def _assessment(form: Form) -> AssessmentForm:
    return AssessmentForm(
        form.text("agrees") == "yes", AssessmentWhy(form.text("why")), form.text("note")
    )


@router.post("/flags/{flag_id}/decision")
def keep_decision(request: Request, visit: SignedIn, data: Posted, flag_id: str) -> Response:
    """Keep a decision, with whether it was right to flag the household."""

    def change(desk: Desk, version: int, form: Form) -> None:
        decision = DecisionForm(
            code=DecisionCode(form.text("code")),
            reason=form.text("reason"),
            offers=form.chosen("offers"),
            watch_until=form.day("watch_until"),
        )
        decide(desk, flag_id, version, decision, _assessment(form))

    fields = _decision_fields(visit)
    return _post(request, visit, data, flag_id, _decision_view, fields, change, "decided")


ASSESSMENT_FIELDS = (AGREES, WHY, NOTE)


def _assessment_view(flag: Flag, form: Form, version: int) -> FormView:
    return _view(
        flag,
        form,
        version,
        "assessment",
        "Was this flag right?",
        "Save",
        intro=("Your answer is kept for the analysts who look after the model.",),
    )


@router.get("/flags/{flag_id}/assessment")
def ask_assessment(request: Request, visit: SignedIn, flag_id: str) -> HTMLResponse:
    """Ask whether the flag was right, and why."""
    flag = _read(visit, flag_id).flag
    view = _assessment_view(flag, Form(ASSESSMENT_FIELDS), flag.version)
    return page(request, visit, "form.html", view)


@router.post("/flags/{flag_id}/assessment")
def keep_assessment(request: Request, visit: SignedIn, data: Posted, flag_id: str) -> Response:
    """Keep whether the flag was right."""

    def change(desk: Desk, _version: int, form: Form) -> None:
        assess(desk, flag_id, _assessment(form))

    return _post(
        request, visit, data, flag_id, _assessment_view, ASSESSMENT_FIELDS, change, "assessed"
    )


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
    return _view(
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
    flag = _read(visit, flag_id).flag
    view = _contact_view(flag, Form(CONTACT_FIELDS), flag.version)
    script = "If they ask “How did you get my details?”: " + MY_DATA_SCRIPT.format(
        team=visit.site.settings.team_name
    )
    shown = _view(
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

    return _post(request, visit, data, flag_id, _contact_view, CONTACT_FIELDS, change, "contacted")


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
    return _view(flag, form, version, "outcome", "Record the outcome", "Save and close the flag")


@router.get("/flags/{flag_id}/outcome")
def ask_outcome(request: Request, visit: SignedIn, flag_id: str) -> HTMLResponse:
    """Ask where the household stands now that the work has ended."""
    flag = _read(visit, flag_id).flag
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

    return _post(request, visit, data, flag_id, _outcome_view, OUTCOME_FIELDS, change, "closed")


PAUSE_FIELDS = (
    Field("until", "Pause until", kind="date", missing="Enter the day to pause until"),
    Field(
        "reason", "Reason for the pause", kind="textarea", missing="Enter the reason for the pause"
    ),
)


def _pause_view(flag: Flag, form: Form, version: int) -> FormView:
    return _view(flag, form, version, "pause", "Pause this flag", "Pause")


@router.get("/flags/{flag_id}/pause")
def ask_pause(request: Request, visit: SignedIn, flag_id: str) -> HTMLResponse:
    """Ask until when and why a flag is put aside."""
    flag = _read(visit, flag_id).flag
    return page(request, visit, "form.html", _pause_view(flag, Form(PAUSE_FIELDS), flag.version))


@router.post("/flags/{flag_id}/pause")
def keep_pause(request: Request, visit: SignedIn, data: Posted, flag_id: str) -> Response:
    """Put a flag aside until a day."""

    def change(desk: Desk, version: int, form: Form) -> None:
        pause(desk, flag_id, version, form.day("until") or date.min, form.text("reason"))

    return _post(request, visit, data, flag_id, _pause_view, PAUSE_FIELDS, change, "paused")


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
    view = _read(visit, flag_id)
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
        "How far the offers have come", _home(view.flag), f"/flags/{flag_id}/offers", lines
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
    return onward(_home(view.flag), "offered")
