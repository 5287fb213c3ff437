"""Worktrays: my work, unassigned, paused, decided and all flags, with filters and paging."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import can_take, may
from earlyflag.casework.worktrays import (
    TrayCounts,
    WorktrayRow,
    count_trays,
    list_flags,
)
from earlyflag.core.errors import NotFound
from earlyflag.core.terms import Band
from earlyflag.store.flags import FlagFilter
from earlyflag.store.terms import FlagOrigin, FlagSort, FlagState, Tray
from earlyflag.web.forms import Field, Option
from earlyflag.web.framing import home_of, page
from earlyflag.web.pages.codes import (
    EMPTY,
    LAST_ACTIONS,
    NEXT_ACTIONS,
    ORIGINS,
    SORTS,
    STATES,
    TRAYS,
)
from earlyflag.web.site import SignedIn, Visit
from earlyflag.web.wording import BANDS, words

router = APIRouter(include_in_schema=False)
CodeT = TypeVar("CodeT", bound=StrEnum)
PAGE = 25


@dataclass(frozen=True, slots=True)
class TrayLink:
    """One worktray in the row of worktrays."""

    text: str
    href: str
    count: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class Removable:
    """A filter that is on, and the address without it."""

    text: str
    href: str


@dataclass(frozen=True, slots=True)
class TrayItem:
    """One flag as a worktray shows it."""

    heading: str
    name: str
    href: str
    band: Band
    reasons: tuple[str, ...]
    as_of: date
    state: str
    assignee: str
    last_action: str
    next_action: str
    next_action_on: date
    is_due: bool
    safe_contact: bool
    without_collection: bool
    origin: str
    take_href: str
    version: int


@dataclass(frozen=True, slots=True)
class WorktrayView:
    """One page of a worktray."""

    title: str
    wide: bool
    trays: tuple[TrayLink, ...]
    filters: tuple[Field, ...]
    chosen: tuple[Removable, ...]
    clear_href: str
    action: str
    items: tuple[TrayItem, ...]
    total: int
    empty: str
    next_href: str
    first_href: str
    can_assign: bool


def _codes(kind: type[CodeT], values: list[str]) -> tuple[CodeT, ...]:
    known = {code.value for code in kind}
    return tuple(kind(value) for value in values if value in known)


def read_filter(request: Request, tray: Tray) -> FlagFilter:
    """Return the filter that an address's query asks for; unknown values are left out."""
    query = request.query_params
    return FlagFilter(
        tray=tray,
        bands=_codes(Band, query.getlist("band")),
        origins=_codes(FlagOrigin, query.getlist("origin")),
        states=_codes(FlagState, query.getlist("state")),
        tenures=tuple(value for value in query.getlist("tenure") if value.isidentifier()),
        wards=tuple(value for value in query.getlist("ward") if value.isalnum()),
    )


def item_of(row: WorktrayRow, visit: Visit) -> TrayItem:
    """Return a flag as a worktray shows it.

    An officer takes a waiting flag from here: its household is not in their own work before.
    """
    flag = row.flag
    return TrayItem(
        heading=row.address or f"Household {flag.household_id}",
        name=row.name,
        href=f"/households/{flag.household_id}",
        band=flag.band,
        reasons=tuple(text for text in (flag.first_reason, flag.second_reason) if text),
        as_of=flag.as_of,
        state=STATES[flag.state],
        assignee=row.assignee,
        last_action=LAST_ACTIONS.get(flag.last_action, words(flag.last_action)),
        next_action=NEXT_ACTIONS.get(flag.next_action or "", ""),
        next_action_on=flag.next_action_on,
        is_due=flag.next_action_on <= visit.today,
        safe_contact=flag.safe_contact,
        without_collection=flag.without_collection,
        origin=ORIGINS[flag.origin],
        take_href=f"/flags/{flag.flag_id}/take" if can_take(visit.actor, flag) else "",
        version=flag.version,
    )


def _places(
    counted: Mapping[str, int], on: tuple[str, ...], say: Callable[[str], str]
) -> dict[str, str]:
    """Return the places to choose from: those where flags of the list stand, and those chosen."""
    known = sorted({*counted, *on})
    return {code: f"{say(code)} ({counted.get(code, 0):,})" for code in known}


def _filters(
    tray: Tray, wanted: FlagFilter, sort: FlagSort, counts: TrayCounts
) -> tuple[Field, ...]:
    def boxes(name: str, label: str, codes: dict[str, str], on: tuple[str, ...]) -> Field:
        return Field(
            name,
            label,
            kind="checkboxes",
            options=tuple(Option(code, text, chosen=code in on) for code, text in codes.items()),
        )

    fields = [
        boxes("band", "Band", {str(k): v for k, v in BANDS.items()}, wanted.bands),
        boxes("origin", "Raised by", {str(k): v for k, v in ORIGINS.items()}, wanted.origins),
        boxes(
            "tenure",
            "Tenure",
            _places(counts.tenures[tray], wanted.tenures, words),
            wanted.tenures,
        ),
        boxes("ward", "Ward", _places(counts.wards[tray], wanted.wards, str), wanted.wards),
    ]
    if tray is Tray.ALL:
        shown = {str(k): v for k, v in STATES.items() if k not in ("held_back", "withdrawn")}
        fields.append(boxes("state", "State", shown, wanted.states))
    fields.append(
        Field(
            "sort",
            "Sort by",
            kind="select",
            options=tuple(Option(code, text, chosen=code is sort) for code, text in SORTS.items()),
        )
    )
    return tuple(fields)


def _address(tray: Tray, pairs: list[tuple[str, str]]) -> str:
    query = urlencode(pairs)
    return f"/work/{tray}" + (f"?{query}" if query else "")


def _chosen(tray: Tray, wanted: FlagFilter, sort: FlagSort) -> tuple[Removable, ...]:
    on: list[tuple[str, str, str]] = [
        *(("band", band.value, f"Band: {BANDS[band]}") for band in wanted.bands),
        *(("origin", o.value, f"Raised by: {ORIGINS[o]}") for o in wanted.origins),
        *(("state", s.value, f"State: {STATES[s]}") for s in wanted.states),
        *(("tenure", t, f"Tenure: {words(t)}") for t in wanted.tenures),
        *(("ward", w, f"Ward: {w}") for w in wanted.wards),
    ]
    keep = [("sort", sort.value)] if sort is not FlagSort.RANK else []
    return tuple(
        Removable(
            text,
            _address(tray, [(n, v) for n, v, _ in on if (n, v) != (name, value)] + keep),
        )
        for name, value, text in on
    )


@router.get("/")
def start(visit: SignedIn) -> Response:
    """Go to the page that a role starts from."""
    return RedirectResponse(home_of(visit.actor), status_code=303)


@router.get("/work/{tray}")
def show_tray(request: Request, visit: SignedIn, tray: str) -> HTMLResponse:
    """Show one page of a worktray."""
    if tray not in [one.value for one in Tray]:
        raise NotFound("There is no such list. Choose one of those at the top of the page.")
    chosen = Tray(tray)
    wanted = read_filter(request, chosen)
    sort = next(iter(_codes(FlagSort, request.query_params.getlist("sort"))), FlagSort.RANK)
    cursor = request.query_params.get("after") or None
    with visit.desk() as desk:
        counts = count_trays(desk)
        total = counts.totals[chosen] if wanted == FlagFilter(tray=chosen) else None
        found = list_flags(desk, wanted, sort=sort, cursor=cursor, limit=PAGE, total=total)
    has_own = may(visit.actor, Action.TAKE_FLAG)
    kept = [pair for pair in request.query_params.multi_items() if pair[0] not in ("after", "done")]
    view = WorktrayView(
        title=TRAYS[chosen],
        wide=True,
        trays=tuple(
            TrayLink(text, f"/work/{one}", counts.totals[one], one is chosen)
            for one, text in TRAYS.items()
            if has_own or one is not Tray.MINE
        ),
        filters=_filters(chosen, wanted, sort, counts),
        chosen=_chosen(chosen, wanted, sort),
        clear_href=f"/work/{chosen}",
        action=f"/work/{chosen}",
        items=tuple(item_of(row, visit) for row in found.rows),
        total=found.total,
        empty=EMPTY[chosen],
        next_href=_address(chosen, [*kept, ("after", found.next_cursor)])
        if found.next_cursor
        else "",
        first_href=_address(chosen, kept) if cursor else "",
        can_assign=may(visit.actor, Action.ASSIGN_FLAGS),
    )
    return page(request, visit, "worktray.html", view)
