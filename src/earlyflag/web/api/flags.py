"""Flags: list, one flag, decisions, contacts, outcomes, assignment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from earlyflag.casework import (
    AssessmentForm,
    ContactForm,
    DecisionForm,
    Desk,
    OutcomeForm,
    assign_flags,
    decide,
    get_flag,
    list_flags,
    record_contact,
    record_outcome,
    take_flag,
)
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.core.errors import NotFound
from earlyflag.core.terms import Band
from earlyflag.store.flags import FlagFilter
from earlyflag.store.records import Flag
from earlyflag.store.terms import FlagOrigin, FlagSort, FlagState, Tray
from earlyflag.web.api.changing import IfMatch, OnceKey, etag, once, version_of
from earlyflag.web.api.describing import CHANGE_PROBLEMS, READ_PROBLEMS, FlagId
from earlyflag.web.api.schemas import (
    AssignmentIn,
    ContactIn,
    DecisionIn,
    FlagChanged,
    FlagOut,
    FlagsOut,
    OutcomeIn,
)
from earlyflag.web.site import SignedIn

router = APIRouter(prefix="/api/v1/flags", tags=["Flags"], responses=READ_PROBLEMS)


def flag_out(flag: Flag, assignee: str) -> FlagOut:
    """Return a flag as the API gives it."""
    return FlagOut(
        flag_id=flag.flag_id,
        household_id=flag.household_id,
        as_of=flag.as_of,
        origin=flag.origin,
        state=flag.state,
        version=flag.version,
        rank=flag.rank,
        probability=flag.probability,
        band=flag.band,
        reasons=[text for text in (flag.first_reason, flag.second_reason) if text],
        ward_code=flag.ward_code,
        tenure=flag.tenure,
        safe_contact=flag.safe_contact,
        without_collection=flag.without_collection,
        assignee=assignee,
        raised_at=flag.raised_at,
        changed_at=flag.changed_at,
        next_action=flag.next_action,
        next_action_on=flag.next_action_on,
        decision_code=flag.decision_code,
    )


@router.get("")
def read_flags(
    visit: SignedIn,
    tray: Annotated[Tray, Query(description="Which list.")] = Tray.ALL,
    band: Annotated[list[Band] | None, Query(description="Only these bands.")] = None,
    state: Annotated[list[FlagState] | None, Query(description="Only these states.")] = None,
    origin: Annotated[list[FlagOrigin] | None, Query(description="Only raised by these.")] = None,
    as_of: Annotated[date | None, Query(description="Only of this data date.")] = None,
    sort: Annotated[FlagSort, Query(description="The order.")] = FlagSort.RANK,
    cursor: Annotated[
        str | None, Query(description="`next_cursor` of the page before.", max_length=400)
    ] = None,
    limit: Annotated[int, Query(description="Flags a page.", ge=1, le=200)] = 50,
) -> FlagsOut:
    """Flags, filtered and page by page."""
    wanted = FlagFilter(
        tray=tray,
        bands=tuple(band or ()),
        states=tuple(state or ()),
        origins=tuple(origin or ()),
        as_of=as_of,
    )
    with visit.desk() as desk:
        found = list_flags(desk, wanted, sort=sort, cursor=cursor, limit=limit)
    return FlagsOut(
        flags=[flag_out(row.flag, row.assignee) for row in found.rows],
        total=found.total,
        next_cursor=found.next_cursor,
    )


def _read(desk: Desk, flag_id: str) -> tuple[FlagOut, Mapping[str, str]]:
    view = get_flag(desk, flag_id)
    return flag_out(view.flag, view.assignee), etag(view.flag.version)


@router.get("/{flag_id}", response_model=FlagOut)
def read_flag(visit: SignedIn, flag_id: FlagId) -> Response:
    """One flag. Its `ETag` is what a change sends as `If-Match`."""
    with visit.desk() as desk:
        flag, headers = _read(desk, flag_id)
    return Response(flag.model_dump_json(), 200, dict(headers), media_type="application/json")


def _change(
    request: Request,
    visit: SignedIn,
    flag_id: str,
    key: str,
    sent: BaseModel,
    if_match: str | None,
    act: Callable[[Desk, int], object],
) -> Response:
    """Change a flag once under a key, and answer with it as it is now.

    Nothing of the flag is kept for a repeat: it is read again, by whoever may read it then.
    """
    version = version_of(if_match)

    def change(desk: Desk) -> FlagChanged:
        act(desk, version)
        return FlagChanged(flag_id=flag_id)

    def show(desk: Desk) -> tuple[BaseModel, Mapping[str, str]]:
        try:
            return _read(desk, flag_id)
        except NotFound:
            # The change stands; it, or another since, took the flag out of the reader's sight.
            return FlagChanged(flag_id=flag_id), {}

    return once(request, visit, key, sent, change, version=version, show=show)


@router.post(
    "/{flag_id}/decisions",
    response_model=FlagOut | FlagChanged,
    status_code=201,
    responses=CHANGE_PROBLEMS,
)
def post_decision(
    request: Request,
    visit: SignedIn,
    flag_id: FlagId,
    sent: DecisionIn,
    key: OnceKey,
    if_match: IfMatch = None,
) -> Response:
    """Decide about a flag in one's own work; answers with the flag as it is now.

    Where the decision takes the flag out of one's sight, the answer is its reference alone.
    """
    form = DecisionForm(sent.code, sent.reason, tuple(sent.offers), sent.watch_until)
    view = sent.assessment
    assessment = AssessmentForm(view.agrees, view.why, view.note) if view else None

    def act(desk: Desk, version: int) -> None:
        decide(desk, flag_id, version, form, assessment)

    return _change(request, visit, flag_id, key, sent, if_match, act)


@router.post(
    "/{flag_id}/contacts",
    response_model=FlagOut | FlagChanged,
    status_code=201,
    responses=CHANGE_PROBLEMS,
)
def post_contact(
    request: Request,
    visit: SignedIn,
    flag_id: FlagId,
    sent: ContactIn,
    key: OnceKey,
    if_match: IfMatch = None,
) -> Response:
    """Record an attempt to reach the household; answers with the flag as it is now."""

    def act(desk: Desk, version: int) -> None:
        record_contact(desk, flag_id, version, ContactForm(**sent.model_dump()))

    return _change(request, visit, flag_id, key, sent, if_match, act)


@router.post(
    "/{flag_id}/outcomes",
    response_model=FlagOut | FlagChanged,
    status_code=201,
    responses=CHANGE_PROBLEMS,
)
def post_outcome(
    request: Request,
    visit: SignedIn,
    flag_id: FlagId,
    sent: OutcomeIn,
    key: OnceKey,
    if_match: IfMatch = None,
) -> Response:
    """Record where the household stands and close the flag; answers with the flag."""

    def act(desk: Desk, version: int) -> None:
        record_outcome(desk, flag_id, version, OutcomeForm(**sent.model_dump()))

    return _change(request, visit, flag_id, key, sent, if_match, act)


@router.put("/{flag_id}/assignment", response_model=FlagOut, responses=CHANGE_PROBLEMS)
def put_assignment(
    visit: SignedIn, flag_id: FlagId, sent: AssignmentIn, if_match: IfMatch = None
) -> Response:
    """Take a flag, or as a manager give it to somebody; answers with the flag as it is now."""
    version = version_of(if_match)
    with visit.desk() as desk:
        if sent.account_id is None:
            take_flag(desk, flag_id, version)
        else:
            check_may(desk.actor, Action.ASSIGN_FLAGS)
            assign_flags(desk, [(flag_id, version)], sent.account_id)
        flag, headers = _read(desk, flag_id)
    return Response(flag.model_dump_json(), 200, dict(headers), media_type="application/json")
