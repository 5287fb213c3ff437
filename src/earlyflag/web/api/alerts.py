"""Early alerts from landlords, agents and partners."""

from __future__ import annotations

from datetime import date

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from earlyflag.casework.alerts import AlertForm, report_alert
from earlyflag.casework.desk import Desk
from earlyflag.web.api.changing import OnceKey, once
from earlyflag.web.api.describing import problems
from earlyflag.web.api.schemas import NOT_NUL, Given, Sent
from earlyflag.web.pacing import on_the_beat
from earlyflag.web.site import SignedIn

router = APIRouter(prefix="/api/v1/alerts", tags=["Early alerts"])


class AlertIn(Sent):
    """What is known about a tenant who is struggling."""

    happened_on: date
    tenant_name: str = Field(min_length=1, max_length=200, pattern=NOT_NUL)
    address: str = Field(max_length=300, pattern=NOT_NUL)
    postcode: str = Field(min_length=1, max_length=10, pattern=NOT_NUL)
    uprn: str | None = Field(None, pattern=r"^[0-9]{1,12}$")
    tenancy_ref: str | None = Field(None, max_length=40, pattern=NOT_NUL)
    arrears_pence: int | None = Field(None, ge=0, le=100_000_000)
    statement: str = Field("", max_length=2_000, pattern=NOT_NUL)


class AlertOut(Given):
    """The alert was received. The answer is the same whatever was found."""

    alert_id: str
    received: bool = True


@router.post(
    "",
    response_model=AlertOut,
    status_code=202,
    responses=problems(400, 401, 403, 409, 413, 422, 429),
)
def post_alert(request: Request, visit: SignedIn, sent: AlertIn, key: OnceKey) -> Response:
    """Report a tenant who is struggling. The answer reveals nothing about anybody."""

    def act(desk: Desk) -> AlertOut:
        return AlertOut(alert_id=report_alert(desk, AlertForm(**sent.model_dump())))

    with on_the_beat():
        return once(request, visit, key, sent, act, status=202)
