"""Work on a flag: take, decide, offer, contact, outcome, agree or disagree, pause, reopen."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from earlyflag.casework import (
    AssessmentForm,
    DecisionForm,
    Desk,
    FlagView,
    assess,
    decide,
    get_flag,
    reopen,
    resume,
    take_flag,
)
from earlyflag.core.errors import Conflict, NotAllowed
from earlyflag.store.records import Flag
from earlyflag.store.terms import (
    AssessmentWhy,
    DecisionCode,
)
from earlyflag.web.forms import Field, Form, options, read
from earlyflag.web.framing import onward, page
from earlyflag.web.pages.codes import (
    ASSESSMENTS,
    DECISION_HINTS,
    DECISIONS,
    LAST_ACTIONS,
    STATES,
    YES_NO,
)
from earlyflag.web.pages.forming import FormView, conflict, submit, version_in
from earlyflag.web.site import Posted, SignedIn, Visit
from earlyflag.web.wording import moment, words

router = APIRouter(include_in_schema=False)


def read_flag(visit: Visit, flag_id: str) -> FlagView:
    """Return a flag with what was done and may be done; the read is audited."""
    with visit.desk() as desk:
        return get_flag(desk, flag_id)


def flag_to_work_on(visit: Visit, flag_id: str, *wanted: str) -> Flag:
    """Return a flag whose form is asked for, if what the form does may be done now.

    Parameters
    ----------
    wanted : any one of these suffices, by the names that `FlagView` uses

    Raises
    ------
    NotAllowed
        It is somebody else's, or stands where this is not done: said before anybody fills it in.
    """
    view = read_flag(visit, flag_id)
    if not view.allowed & set(wanted):
        raise NotAllowed(
            "This flag is somebody else's, or this cannot be done with it as it stands now. Open "
            "its household from your list to see what can."
        )
    return view.flag


def _stands(visit: Visit, flag_id: str) -> tuple[tuple[str, str], ...]:
    """Say how a flag stands, for somebody whose change came second."""
    view = read_flag(visit, flag_id)
    decided = view.flag.decision_code
    rows = [
        ("State", STATES[view.flag.state]),
        ("Assigned to", view.assignee or "Nobody"),
        ("Decision", DECISIONS[decided] if decided else "None yet"),
        ("Last action", LAST_ACTIONS.get(view.flag.last_action, words(view.flag.last_action))),
        ("Changed at", moment(view.flag.changed_at)),
    ]
    return tuple(rows)


def home_page(flag: Flag) -> str:
    """Return the page that a flag is worked on from: its household's."""
    return f"/households/{flag.household_id}"


def flag_form(
    flag: Flag,
    form: Form,
    version: int,
    path: str,
    title: str,
    button: str,
    *,
    intro: tuple[str, ...] = (),
    inset: str = "",
) -> FormView:
    """Return a form about a flag, which carries the version that it was opened at."""
    return FormView(
        title=title,
        form=form,
        action=f"/flags/{flag.flag_id}/{path}",
        button=button,
        back=home_page(flag),
        hidden=(("version", str(version)),),
        intro=intro,
        inset=inset,
    )


def keep_form(
    request: Request,
    visit: Visit,
    data: FormData,
    flag_id: str,
    view: Callable[[Flag, Form, int], FormView],
    fields: tuple[Field, ...],
    change: Callable[[Desk, int, Form], object],
    done: str,
    *,
    is_over: Callable[[Form], bool] = lambda _form: False,
) -> Response:
    """Read a flag's form and make its change, or show the form again.

    `is_over` says whether the household leaves one's own work with it: its page would then ask
    for a purpose, so one goes back to the worktray.
    """
    flag = read_flag(visit, flag_id).flag
    version = version_in(data)

    def act(form: Form) -> Response:
        with visit.desk() as desk:
            change(desk, version, form)
        return onward("/work/mine" if is_over(form) else home_page(flag), done)

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
        before = read_flag(visit, flag_id).flag
        return conflict(request, visit, error, _stands(visit, flag_id), (), home_page(before))
    return onward(home_page(flag), done)


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
    return flag_form(
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
    flag = flag_to_work_on(visit, flag_id, "decide", "offer", "watch")
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
    return keep_form(
        request,
        visit,
        data,
        flag_id,
        _decision_view,
        fields,
        change,
        "decided",
        is_over=lambda form: form.text("code") == DecisionCode.SAFE_CONTACT_NEEDED,
    )


ASSESSMENT_FIELDS = (AGREES, WHY, NOTE)


def _assessment_view(flag: Flag, form: Form, version: int) -> FormView:
    return flag_form(
        flag,
        form,
        version,
        "assessment",
        "Was this flag right?",
        "Save your view",
        intro=("Your answer is kept for the analysts who look after the model.",),
    )


@router.get("/flags/{flag_id}/assessment")
def ask_assessment(request: Request, visit: SignedIn, flag_id: str) -> HTMLResponse:
    """Ask whether the flag was right, and why."""
    flag = flag_to_work_on(visit, flag_id, "assess")
    view = _assessment_view(flag, Form(ASSESSMENT_FIELDS), flag.version)
    return page(request, visit, "form.html", view)


@router.post("/flags/{flag_id}/assessment")
def keep_assessment(request: Request, visit: SignedIn, data: Posted, flag_id: str) -> Response:
    """Keep whether the flag was right."""

    def change(desk: Desk, _version: int, form: Form) -> None:
        assess(desk, flag_id, _assessment(form))

    return keep_form(
        request, visit, data, flag_id, _assessment_view, ASSESSMENT_FIELDS, change, "assessed"
    )
