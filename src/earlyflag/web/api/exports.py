"""Flags as files for case systems; no cell is taken for a formula by a spreadsheet."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import date

from fastapi import APIRouter
from starlette.responses import Response

from earlyflag.casework.flag_export import ExportedFlag, export_flags
from earlyflag.core.sheets import write_sheet
from earlyflag.web.api.describing import problems
from earlyflag.web.api.schemas import Given
from earlyflag.web.site import SignedIn

router = APIRouter(prefix="/api/v1/exports", tags=["Exports"], responses=problems(401, 403))


class ExportedFlagOut(Given):
    """One flag of an export; what the caller may not see is empty."""

    flag_id: str
    household_id: str
    as_of: date
    state: str
    origin: str
    band: str
    first_reason: str
    second_reason: str
    decision_code: str
    next_action: str
    next_action_on: date
    ward_code: str
    tenure: str
    uprn: str
    account_refs: str
    tenancy_refs: str
    name: str
    address: str


class ExportOut(Given):
    """The flags of an export."""

    flags: list[ExportedFlagOut]


@router.get(
    "/flags.csv",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def flags_csv(visit: SignedIn) -> Response:
    """Every open or decided flag as CSV. Suppressed households are never in it."""
    with visit.desk() as desk:
        lines = export_flags(desk)
    names = [one.name for one in fields(ExportedFlag)]
    body = write_sheet(names, ([getattr(line, name) for name in names] for line in lines))
    headers = {"Content-Disposition": 'attachment; filename="earlyflag-flags.csv"'}
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/flags.json")
def flags_json(visit: SignedIn) -> ExportOut:
    """Every open or decided flag as JSON. Suppressed households are never in it."""
    with visit.desk() as desk:
        lines = export_flags(desk)
    return ExportOut(flags=[ExportedFlagOut(**asdict(line)) for line in lines])
