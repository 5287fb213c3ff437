"""Multi-agency meetings: choose a list, countersign it, print the pack, write what was agreed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from earlyflag.casework.panels import (
    PanelView,
    agree_action,
    close_panel,
    countersign,
    end_action,
    get_panel,
    list_panels,
    make_panel,
    set_barriers,
)
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import may
from earlyflag.casework.worktrays import list_flags
from earlyflag.core.errors import InputInvalid
from earlyflag.store.flags import FlagFilter
from earlyflag.store.records import PanelAction
from earlyflag.store.terms import Barrier, FlagState, PanelActionState, PanelState, Tray
from earlyflag.web.forms import Field, Form, Option, read
from earlyflag.web.framing import onward, page
from earlyflag.web.pages.codes import BARRIERS, STATES
from earlyflag.web.pages.forming import FormView, submit
from earlyflag.web.pages.reports import Link, ReportView, Section, Table
from earlyflag.web.site import Posted, SignedIn, Visit
from earlyflag.web.wording import day, words

router = APIRouter(include_in_schema=False)

PANEL_STATES = {
    PanelState.DRAFT: "Draft: waits for somebody else's countersignature",
    PanelState.COUNTERSIGNED: "Countersigned: can be printed",
    PanelState.CLOSED: "Closed",
}
_ON_A_LIST = (FlagState.ASSIGNED, FlagState.OFFERED, FlagState.PAUSED, FlagState.WATCHING)


@router.get("/panels")
def show_panels(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show the meetings' lists."""
    with visit.desk() as desk:
        known = list_panels(desk)
    table = Table(
        "Meetings' lists",
        ("Meeting", "Title", "Reference", "State", "Expires"),
        tuple(
            (
                Link(day(one.meeting_on), f"/panels/{one.panel_id}"),
                one.title,
                one.reference,
                PANEL_STATES[one.state],
                day(one.expires_on),
            )
            for one in known
        ),
    )
    text = () if known else ("There is no list yet. Make one before the next meeting.",)
    view = ReportView(
        "Panel",
        (Section("", text, table if known else None),),
        intro=("Lists of households for multi-agency meetings, and what was agreed there.",),
        links=(
            Link("Make a list", "/panels/new"),
            Link("Barriers, outcomes and actions in counts", "/panels/overview"),
        ),
    )
    return page(request, visit, "report.html", view)


def _fields(visit: Visit) -> tuple[Field, ...]:
    with visit.desk() as desk:
        found = list_flags(desk, FlagFilter(tray=Tray.ALL, states=_ON_A_LIST), limit=200)
    return (
        Field("title", "Title of the meeting", missing="Enter a title", max_length=120),
        Field("meeting_on", "Day of the meeting", kind="date", missing="Enter the day"),
        Field(
            "recipients",
            "Who receives the list?",
            kind="textarea",
            hint="One name and organisation a line. They stand on every page of the pack.",
            missing="Enter who receives the list",
            max_length=2000,
        ),
        Field(
            "flags",
            "Which households?",
            kind="checkboxes",
            missing="Select at least one household",
            hint="Flags that somebody works on. Safe contact households are never printed.",
            options=tuple(
                Option(row.flag.flag_id, row.address, f"{row.name}. {row.flag.first_reason}")
                for row in found.rows
                if not row.flag.safe_contact
            ),
        ),
    )


def _new_view(form: Form) -> FormView:
    return FormView(
        "Make a list for a meeting",
        form,
        "/panels/new",
        "Make the list",
        intro=(
            "The pack carries names, addresses, reasons and where the work stands. It carries no "
            "date of birth, reference or score. Somebody else countersigns it first.",
        ),
        back="/panels",
    )


@router.get("/panels/new")
def ask_panel(request: Request, visit: SignedIn) -> HTMLResponse:
    """Ask for a meeting and its households; say what to do first where there is none to choose."""
    form = Form(_fields(visit))
    if form.field("flags").options:
        return page(request, visit, "form.html", _new_view(form))
    links = [Link("Take a flag from the unassigned ones", "/work/unassigned")]
    if may(visit.actor, Action.ASSIGN_FLAGS):
        links.append(Link("Assign flags", "/assignments"))
    view = ReportView(
        "Make a list for a meeting",
        (
            Section(
                "",
                (
                    "There is no household to choose yet. A list is made of flags that somebody "
                    "works on, except those for safe contact only. Take or assign a flag first.",
                ),
                links=tuple(links),
            ),
        ),
        back="/panels",
    )
    return page(request, visit, "report.html", view)


@router.post("/panels/new")
def keep_panel(request: Request, visit: SignedIn, data: Posted) -> Response:
    """Make a meeting's list."""

    def act(form: Form) -> Response:
        with visit.desk() as desk:
            panel = make_panel(
                desk,
                form.text("title"),
                form.day("meeting_on") or date.min,
                form.text("recipients").splitlines(),
                form.chosen("flags"),
            )
        return onward(f"/panels/{panel.panel_id}", "panel")

    return submit(request, visit, _new_view(read(_fields(visit), data)), act)


@dataclass(frozen=True, slots=True)
class ActionLine:
    """One action as a meeting agreed it."""

    action_id: str
    what: str
    who: str
    due: str
    state: str
    is_open: bool
    href: str


@dataclass(frozen=True, slots=True)
class ListLine:
    """One household of a list."""

    flag_id: str
    position: int
    heading: str
    names: str
    tenure: str
    state: str
    reasons: tuple[str, ...]
    href: str
    barriers: Field
    barrier_words: str
    actions: tuple[ActionLine, ...]


@dataclass(frozen=True, slots=True)
class PanelPage:
    """A meeting's list with what was agreed."""

    title: str
    wide: bool
    back: str
    panel_id: str
    reference: str
    meeting: str
    expires: str
    state: str
    recipients: tuple[str, ...]
    lines: tuple[ListLine, ...]
    carried: tuple[ActionLine, ...]
    can_countersign: bool
    can_export: bool
    can_close: bool
    is_closed: bool
    has_pdf: bool
    form: Form


ACTION_FIELDS = (
    Field("agency", "Agency", missing="Enter the agency", max_length=200),
    Field("owner", "Who will do it", missing="Enter who will do it", max_length=200),
    Field("what", "What will be done", missing="Enter what will be done", max_length=500),
    Field("due_on", "By when", kind="date", missing="Enter by when"),
)


def _action_fields(view: PanelView) -> tuple[Field, ...]:
    households = tuple(
        Option(row.flag.flag_id, row.household.address if row.household else row.item.household_id)
        for row in view.rows
    )
    who = Field(
        "flag_id", "Household", kind="select", missing="Select the household", options=households
    )
    return (who, *ACTION_FIELDS)


def action_line(one: PanelAction) -> ActionLine:
    """Return an action as pages and packs show it."""
    return ActionLine(
        one.action_id,
        one.what,
        f"{one.owner}, {one.agency}",
        day(one.due_on),
        words(one.state),
        one.state is PanelActionState.OPEN,
        f"/households/{one.household_id}",
    )


def list_lines(view: PanelView) -> tuple[ListLine, ...]:
    """Return the households of a list as pages and packs show them."""
    lines = []
    for row in view.rows:
        home = row.household
        flag = row.flag
        on = frozenset(row.item.barriers)
        lines.append(
            ListLine(
                flag_id=flag.flag_id,
                position=row.item.position,
                heading=home.address if home else row.item.household_id,
                names=", ".join(one.name for one in home.members) if home else "",
                tenure=words(flag.tenure),
                state=STATES[flag.state],
                reasons=tuple(text for text in (flag.first_reason, flag.second_reason) if text),
                href=f"/households/{flag.household_id}",
                barriers=Field(
                    f"barriers-{flag.flag_id}",
                    "What stands in the way",
                    kind="checkboxes",
                    options=tuple(Option(c, t, chosen=c in on) for c, t in BARRIERS.items()),
                ),
                barrier_words=", ".join(BARRIERS[one] for one in row.item.barriers),
                actions=tuple(action_line(one) for one in row.actions),
            )
        )
    return tuple(lines)


def _page_of(visit: Visit, view: PanelView, form: Form) -> PanelPage:
    panel = view.panel
    return PanelPage(
        title=panel.title,
        wide=True,
        back="/panels",
        panel_id=panel.panel_id,
        reference=panel.reference,
        meeting=day(panel.meeting_on),
        expires=day(panel.expires_on),
        state=PANEL_STATES[panel.state],
        recipients=panel.recipients,
        lines=list_lines(view),
        carried=tuple(action_line(one) for one in view.carried),
        can_countersign=view.can_countersign,
        can_export=view.can_export,
        can_close=view.can_close,
        is_closed=panel.state is PanelState.CLOSED,
        has_pdf=visit.site.print_pack is not None,
        form=form,
    )


@router.get("/panels/{panel_id}")
def show_panel(request: Request, visit: SignedIn, panel_id: str) -> HTMLResponse:
    """Show a meeting's list."""
    with visit.desk() as desk:
        view = get_panel(desk, panel_id)
    shown = _page_of(visit, view, Form(_action_fields(view)))
    return page(request, visit, "panel.html", shown)


@router.post("/panels/{panel_id}/countersign")
def sign(visit: SignedIn, _data: Posted, panel_id: str) -> Response:
    """Countersign somebody else's list."""
    with visit.desk() as desk:
        countersign(desk, panel_id)
    return onward(f"/panels/{panel_id}", "countersigned")


@router.post("/panels/{panel_id}/close")
def close(visit: SignedIn, _data: Posted, panel_id: str) -> Response:
    """Close a list after its meeting."""
    with visit.desk() as desk:
        close_panel(desk, panel_id)
    return onward(f"/panels/{panel_id}", "panel-closed")


@router.post("/panels/{panel_id}/barriers/{flag_id}")
def keep_barriers(visit: SignedIn, data: Posted, panel_id: str, flag_id: str) -> Response:
    """Keep what stands in a household's way."""
    known = {one.value for one in Barrier}
    sent = [one for one in data.getlist(f"barriers-{flag_id}") if isinstance(one, str)]
    with visit.desk() as desk:
        set_barriers(desk, panel_id, flag_id, [Barrier(one) for one in sent if one in known])
    return onward(f"/panels/{panel_id}", "panel")


@router.post("/panels/{panel_id}/actions")
def keep_action(request: Request, visit: SignedIn, data: Posted, panel_id: str) -> Response:
    """Keep an action agreed in the meeting."""
    with visit.desk() as desk:
        view = get_panel(desk, panel_id)
    form = read(_action_fields(view), data)
    if form.is_good:
        try:
            with visit.desk() as desk:
                agree_action(
                    desk,
                    panel_id,
                    form.text("flag_id"),
                    agency=form.text("agency"),
                    owner=form.text("owner"),
                    due_on=form.day("due_on") or date.min,
                    what=form.text("what"),
                )
            return onward(f"/panels/{panel_id}", "action")
        except InputInvalid as error:
            form = form.with_error(error.field or "what", str(error))
    return page(request, visit, "panel.html", _page_of(visit, view, form), 422)


@router.post("/panels/{panel_id}/actions/{action_id}")
def finish_action(visit: SignedIn, data: Posted, panel_id: str, action_id: str) -> Response:
    """Say that an action is done or dropped."""
    state = PanelActionState.DROPPED if data.get("state") == "dropped" else PanelActionState.DONE
    with visit.desk() as desk:
        end_action(desk, action_id, state)
    return onward(f"/panels/{panel_id}", "action")
