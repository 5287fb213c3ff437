"""Bulk assignment: a manager sees each person's load and gives several flags at once."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from earlyflag.casework.worktrays import Load, Worktray, assign_flags, list_flags, loads
from earlyflag.core.errors import Conflict, InputInvalid
from earlyflag.core.terms import Band
from earlyflag.store.flags import FlagFilter
from earlyflag.store.terms import FlagState, Tray
from earlyflag.web.forms import Field, Form, Option, read
from earlyflag.web.framing import onward, page
from earlyflag.web.pages.codes import STATES
from earlyflag.web.pages.reports import Table
from earlyflag.web.site import Posted, SignedIn, Visit
from earlyflag.web.wording import plural

router = APIRouter(include_in_schema=False)
MOST = 100
_SHOWN = (FlagState.ASSIGNED, FlagState.OFFERED, FlagState.PAUSED, FlagState.WATCHING)


@dataclass(frozen=True, slots=True)
class Choice:
    """One flag that may be given to somebody."""

    value: str
    heading: str
    band: Band
    reason: str
    assignee: str
    safe_contact: bool
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class AssignmentView:
    """Everybody's load, the flags, and whom to give them to."""

    title: str
    wide: bool
    form: Form
    loads: Table
    choices: tuple[Choice, ...]
    flag_error: str
    next_href: str


def _person_field(people: list[Load]) -> Field:
    return Field(
        "assignee",
        "Give the chosen flags to",
        kind="radios",
        missing="Select whom to give the flags to",
        options=tuple(
            Option(
                one.account_id,
                one.display_name,
                f"{plural(one.total, 'open flag')}"
                + (", may see safe contact" if one.sees_safe_contact else ""),
            )
            for one in people
        ),
    )


def _loads_table(people: list[Load]) -> Table:
    return Table(
        "Who has how much to do",
        ("Person", *(STATES[state] for state in _SHOWN), "Together"),
        tuple(
            (
                one.display_name,
                *(f"{one.states.get(state, 0):,}" for state in _SHOWN),
                f"{one.total:,}",
            )
            for one in people
        ),
        numeric=frozenset(range(1, len(_SHOWN) + 2)),
    )


def _page(
    request: Request,
    visit: Visit,
    form: Form | None = None,
    chosen: tuple[str, ...] = (),
    flag_error: str = "",
) -> HTMLResponse:
    cursor = request.query_params.get("after") or None
    with visit.desk() as desk:
        people = loads(desk)
        found = list_flags(desk, FlagFilter(tray=Tray.UNASSIGNED), cursor=cursor, limit=MOST)
    shown = form or Form((_person_field(people),))
    if flag_error:
        error = Field("flag", "Flags", error=flag_error)
        shown = Form((error, *shown.fields), shown.values)
    query = urlencode({"after": found.next_cursor or ""})
    view = AssignmentView(
        "Assign flags",
        wide=True,
        form=shown,
        loads=_loads_table(people),
        choices=_choices(found, chosen),
        flag_error=flag_error,
        next_href=f"/assignments?{query}" if found.next_cursor else "",
    )
    return page(request, visit, "assignments.html", view, 422 if shown.errors else 200)


def _choices(found: Worktray, chosen: tuple[str, ...]) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            value=f"{row.flag.flag_id}:{row.flag.version}",
            heading=row.address or row.flag.household_id,
            band=row.flag.band,
            reason=row.flag.first_reason,
            assignee=row.assignee,
            safe_contact=row.flag.safe_contact,
            is_chosen=f"{row.flag.flag_id}:{row.flag.version}" in chosen,
        )
        for row in found.rows
    )


@router.get("/assignments")
def show_assignments(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show the flags that nobody has, and everybody's load."""
    return _page(request, visit)


def _version_pairs(values: tuple[str, ...]) -> list[tuple[str, int]]:
    pairs = [value.partition(":") for value in values]
    return [(flag, int(version)) for flag, _, version in pairs if version.isdigit()]


@router.post("/assignments")
def assign(request: Request, visit: SignedIn, data: Posted) -> Response:
    """Give the chosen flags to one person: all of them or none."""
    chosen = tuple(value for value in data.getlist("flag") if isinstance(value, str))
    with visit.desk() as desk:
        people = loads(desk)
    form = read((_person_field(people),), data)
    flag_error = "" if chosen else "Select at least one flag"
    if not form.is_good or flag_error:
        return _page(request, visit, form, chosen, flag_error)
    try:
        with visit.desk() as desk:
            assign_flags(desk, _version_pairs(chosen), form.text("assignee"))
    except (Conflict, InputInvalid):
        return _page(
            request,
            visit,
            form,
            (),
            "One of the flags was changed by somebody else, so none was assigned. The list below "
            "is new: choose again",
        )
    return onward("/assignments", "assigned")
