"""A household's page, the purpose of opening it, and what the household itself says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from earlyflag.casework.desk import Desk
from earlyflag.casework.figures import get_document
from earlyflag.casework.households import (
    STATABLE,
    HouseholdView,
    ScoreView,
    get_household,
    state_purpose,
)
from earlyflag.casework.objections import record_objection
from earlyflag.casework.permissions import Action
from earlyflag.casework.permissions import Field as FieldGroup
from earlyflag.casework.rules import may
from earlyflag.casework.worktrays import allowed, staff_names
from earlyflag.core.errors import PurposeMissing, StepMissing
from earlyflag.core.terms import HouseholdRecord
from earlyflag.store.terms import DocumentKind, ObjectionKind, Purpose
from earlyflag.web.forms import Field, Form, options, read
from earlyflag.web.framing import onward, page
from earlyflag.web.pages.codes import (
    NEXT_ACTIONS,
    OBJECTIONS,
    OFFER_STATES,
    PURPOSES,
    STATES,
    SUPPRESSIONS,
    YES_NO,
)
from earlyflag.web.pages.forming import FormView, submit
from earlyflag.web.pages.household_parts import (
    EventLine,
    ScorePart,
    current_flag,
    flags_part,
    history_part,
    score_part,
    timeline_part,
)
from earlyflag.web.pages.reports import Table
from earlyflag.web.site import Posted, SignedIn, Visit
from earlyflag.web.wording import MY_DATA_SCRIPT, day, plural, words

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ActionLink:
    """Something that the reader may do with the flag now."""

    text: str
    href: str
    posts: bool = False


@dataclass(frozen=True, slots=True)
class FlagPart:
    """The flag to work on: where it stands and what may be done."""

    flag_id: str
    version: int
    state: str
    assignee: str
    next_action: str
    next_action_on: date
    safe_contact: bool
    without_collection: bool
    pause_reason: str
    actions: tuple[ActionLink, ...]


@dataclass(frozen=True, slots=True)
class HouseholdPage:
    """Everything on a household's page."""

    title: str
    wide: bool
    back: str
    facts: tuple[tuple[str, str], ...]
    people: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    flag: FlagPart | None
    score: ScorePart | None
    offers: tuple[tuple[str, str], ...]
    offers_made: Table | None
    script: str
    history_chart: Markup
    history: Table | None
    timeline: tuple[EventLine, ...]
    flags: Table | None
    opened_for: str
    objection_href: str
    audit_href: str
    household_id: str


_ACTIONS = (
    ("take", "Take this flag", "take", True),
    ("decide", "Decide", "decision", False),
    ("contact", "Record a contact", "contact", False),
    ("offer", "Change the offers", "offers", False),
    ("close", "Record the outcome", "outcome", False),
    ("assess", "Agree or disagree with this flag", "assessment", False),
    ("pause", "Pause", "pause", False),
    ("resume", "Take up again", "resume", True),
    ("reopen", "Open again", "reopen", True),
)


def _facts(record: HouseholdRecord) -> tuple[tuple[str, str], ...]:
    rows = [
        ("Address", record.address),
        ("Ward", record.ward_code or ""),
        ("Tenure", words(record.tenure)),
        ("Property reference (UPRN)", record.uprn or ""),
        ("Council tax account", ", ".join(record.account_refs)),
        ("Tenancy", ", ".join(record.tenancy_refs)),
        ("Household reference", record.household_id),
        ("Data from before", day(record.as_of)),
    ]
    return tuple((name, value) for name, value in rows if value)


def _people(record: HouseholdRecord) -> tuple[tuple[str, str], ...]:
    """Return each person once, with what each source system says of them."""
    said: dict[tuple[str, str], list[str]] = {}
    for member in record.members:
        born = f"born {day(member.date_of_birth)}" if member.date_of_birth else ""
        part = f"{words(member.role)} ({words(member.source).lower()})"
        said.setdefault((member.name, born), []).append(part)
    return tuple(
        (name, ", ".join([*parts, born] if born else parts)) for (name, born), parts in said.items()
    )


def _flag_part(
    visit: Visit, view: HouseholdView, desk: Desk, staff: Mapping[str, str]
) -> FlagPart | None:
    flag = current_flag(view.flags)
    if flag is None:
        return None
    open_to = allowed(visit.actor, flag)
    links = tuple(
        ActionLink(text, f"/flags/{flag.flag_id}/{path}", posts)
        for name, text, path, posts in _ACTIONS
        if name in open_to or (name == "decide" and open_to & {"offer", "watch"})
    )
    return FlagPart(
        flag_id=flag.flag_id,
        version=flag.version,
        state=STATES[flag.state],
        assignee=staff.get(flag.assignee_id or "", ""),
        next_action=NEXT_ACTIONS.get(flag.next_action or "", ""),
        next_action_on=flag.next_action_on,
        safe_contact=flag.safe_contact,
        without_collection=flag.without_collection,
        pause_reason=flag.pause_reason or "",
        actions=links,
    )


def _page_of(visit: Visit, view: HouseholdView, desk: Desk) -> HouseholdPage:
    record = view.household
    staff = staff_names(desk) if FieldGroup.STAFF in view.fields else {}
    drawing, history = history_part(view)
    settings = visit.site.settings
    made = [(offer.name, offer.contact) for offer in settings.offers]
    names = visit.site.rules.offers
    return HouseholdPage(
        title=record.address or f"Household {record.household_id}",
        wide=True,
        back="/work/mine" if may(visit.actor, Action.TAKE_FLAG) else "/work/all",
        facts=_facts(record),
        people=_people(record),
        warnings=tuple(
            SUPPRESSIONS.get(kind, "This household is suppressed. Do not contact it.")
            for kind in sorted({one.kind for one in view.suppressions})
        ),
        flag=_flag_part(visit, view, desk, staff),
        score=score_part(view.score, _card_of(desk, view.score)) if view.score else None,
        offers=tuple(made),
        offers_made=Table(
            "Help offered so far",
            ("Help", "How far it has come", "Offered on", "Offered by"),
            tuple(
                (
                    names.get(o.code, words(o.code)),
                    OFFER_STATES[o.state],
                    day(o.offered_at),
                    staff.get(o.offered_by, ""),
                )
                for o in view.offers
            ),
        )
        if view.offers
        else None,
        script=MY_DATA_SCRIPT.format(team=settings.team_name)
        if may(visit.actor, Action.RECORD_CONTACT)
        else "",
        history_chart=drawing,
        history=history,
        timeline=timeline_part(view, staff),
        flags=flags_part(view.flags, staff),
        opened_for=_opened_for(view),
        objection_href=f"/households/{record.household_id}/objection"
        if may(visit.actor, Action.RECORD_OBJECTION)
        else "",
        audit_href=f"/audit/households/{record.household_id}"
        if may(visit.actor, Action.READ_AUDIT)
        else "",
        household_id=record.household_id,
    )


def _card_of(desk: Desk, score: ScoreView) -> Mapping[str, Any]:
    """Return what was published of the model that scored; nothing where the reader may not see."""
    if not may(desk.actor, Action.READ_MODEL):
        return {}
    try:
        return get_document(desk, DocumentKind.MODEL_CARD, score.run.model.name).content
    except StepMissing:
        return {}


def _opened_for(view: HouseholdView) -> str:
    if view.purpose is Purpose.OWN_WORK:
        return "You opened this household as part of your own work. That is in the audit log."
    opened = plural(view.lookups_today, "household")
    return (
        f"You opened this household for: {PURPOSES[view.purpose].lower()}. That is in the audit "
        f"log and holds until midnight. You have opened {opened} outside your own work today."
    )


@router.get("/households/{household_id}")
def show_household(request: Request, visit: SignedIn, household_id: str) -> Response:
    """Show a household, or ask first why it is opened."""
    try:
        with visit.desk() as desk:
            view = get_household(desk, household_id)
            shown = _page_of(visit, view, desk)
    except PurposeMissing:
        return RedirectResponse(f"/households/{household_id}/purpose", status_code=303)
    return page(request, visit, "household.html", shown)


PURPOSE_FIELDS = (
    Field(
        "purpose",
        "Choose the reason that fits best",
        kind="radios",
        missing="Select why you are opening this household",
        options=options({p: PURPOSES[p] for p in STATABLE}),
    ),
    Field(
        "note",
        "Reference or short note (optional)",
        hint="For example, a case or complaint number. No names, please.",
        max_length=200,
    ),
)


def _purpose_page(
    request: Request, visit: Visit, household_id: str, form: Form, status: int = 200
) -> HTMLResponse:
    view = FormView(
        title="Why are you opening this household?",
        form=form,
        action=f"/households/{household_id}/purpose",
        button="Open the household",
        intro=(
            "This household is not in your own work."
            + (
                " To work on a flag that waits, take it from the list of unassigned flags instead."
                if may(visit.actor, Action.TAKE_FLAG)
                else ""
            ),
            "Your answer is kept with your name and the time, and a manager or auditor may review "
            "it. It holds for this household until midnight.",
        ),
        back="/look-up" if may(visit.actor, Action.LOOK_UP) else "/work/all",
    )
    return page(request, visit, "form.html", view, status)


@router.get("/households/{household_id}/purpose")
def ask_purpose(request: Request, visit: SignedIn, household_id: str) -> HTMLResponse:
    """Ask why a household outside one's own work is opened."""
    return _purpose_page(request, visit, household_id, Form(PURPOSE_FIELDS))


@router.post("/households/{household_id}/purpose")
def keep_purpose(request: Request, visit: SignedIn, data: Posted, household_id: str) -> Response:
    """Keep why a household is opened, and open it."""
    form = read(PURPOSE_FIELDS, data)
    if not form.is_good:
        return _purpose_page(request, visit, household_id, form, 422)
    with visit.desk() as desk:
        state_purpose(desk, household_id, Purpose(form.text("purpose")), form.text("note"))
    return onward(f"/households/{household_id}")


OBJECTION_FIELDS = (
    Field(
        "kind",
        "What does the household say?",
        kind="radios",
        missing="Select what the household says",
        options=options(OBJECTIONS),
    ),
    Field(
        "statement",
        "In their words",
        kind="textarea",
        missing="Enter what the household says, in its words",
        max_length=4000,
    ),
    Field(
        "suppress",
        "Do they ask not to be listed, contacted or printed from now on?",
        kind="radios",
        missing="Select yes if they ask not to be listed or contacted",
        hint="Yes takes effect at once.",
        options=options(YES_NO),
    ),
)


def _objection_view(household_id: str, form: Form) -> FormView:
    return FormView(
        title="The household contests or objects",
        form=form,
        action=f"/households/{household_id}/objection",
        button="Record what they said",
        intro=("A manager answers what you record here. The household is told of the answer.",),
        back=f"/households/{household_id}",
    )


@router.get("/households/{household_id}/objection")
def ask_objection(request: Request, visit: SignedIn, household_id: str) -> HTMLResponse:
    """Ask what the household says."""
    view = _objection_view(household_id, Form(OBJECTION_FIELDS))
    return page(request, visit, "form.html", view)


@router.post("/households/{household_id}/objection")
def keep_objection(request: Request, visit: SignedIn, data: Posted, household_id: str) -> Response:
    """Keep what the household says; suppress it at once if it asks for that."""

    def act(form: Form) -> Response:
        with visit.desk() as desk:
            record_objection(
                desk,
                household_id,
                ObjectionKind(form.text("kind")),
                form.text("statement"),
                suppress_now=form.text("suppress") == "yes",
            )
        return onward(f"/households/{household_id}", "objected")

    view = _objection_view(household_id, read(OBJECTION_FIELDS, data))
    try:
        return submit(request, visit, view, act)
    except PurposeMissing:
        return onward(f"/households/{household_id}/purpose")
