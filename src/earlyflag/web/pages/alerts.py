"""Early alerts: report one, send a file of them, settle those that matched no household."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from earlyflag.casework.alerts import AlertForm, alerts_to_match, match_alert, report_alert
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import may
from earlyflag.core.errors import InputInvalid, NotFound
from earlyflag.store.terms import AlertSource
from earlyflag.web.forms import Field, Form, options, read
from earlyflag.web.framing import onward, page
from earlyflag.web.pacing import on_the_beat
from earlyflag.web.pages.codes import ALERT_SOURCES
from earlyflag.web.pages.forming import FormView, submit
from earlyflag.web.pages.reports import Link, ReportView, Section, Table
from earlyflag.web.sheets import COLUMNS, SheetError, pence, read_sheet
from earlyflag.web.site import Posted, SignedIn, Visit
from earlyflag.web.wording import day, pounds

router = APIRouter(include_in_schema=False)

FIELDS = (
    Field(
        "source",
        "Who reports it?",
        kind="radios",
        missing="Select who reports it",
        options=options(ALERT_SOURCES),
    ),
    Field("tenant_name", "Tenant's name", missing="Enter the tenant's name", max_length=200),
    Field("address", "Address", missing="Enter the address", max_length=300),
    Field(
        "postcode",
        "Postcode",
        missing="Enter the postcode",
        width="govuk-input--width-10",
        max_length=10,
    ),
    Field(
        "uprn", "Property reference (UPRN), if known", width="govuk-input--width-20", max_length=12
    ),
    Field(
        "happened_on",
        "When did it happen, or when did you hear of it?",
        kind="date",
        missing="Enter the day",
    ),
    Field(
        "arrears",
        "Rent owed in pounds (optional)",
        hint="For example, 412.50",
        width="govuk-input--width-10",
        max_length=12,
    ),
    Field("statement", "What is happening? (optional)", kind="textarea", max_length=2000),
)


@router.get("/alerts")
def show_alerts(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show what can be reported, and the alerts that wait to be matched."""
    sections = []
    if may(visit.actor, Action.MATCH_ALERT):
        with visit.desk() as desk:
            waiting = alerts_to_match(desk)
        table = Table(
            "Alerts that matched no household by themselves",
            ("Received", "Reported by", "Tenant", "Address", "Owed"),
            tuple(
                (
                    Link(day(one.received_at), f"/alerts/{one.alert_id}"),
                    ALERT_SOURCES[one.source],
                    one.tenant_name,
                    f"{one.address}, {one.postcode}",
                    pounds(one.arrears_pence),
                )
                for one in waiting
            ),
            numeric=frozenset({4}),
        )
        text = (
            ()
            if waiting
            else (
                "No alert waits for you. Those that match a household become work by themselves.",
            )
        )
        sections.append(Section("To match", text, table if waiting else None))
    view = ReportView(
        "Early alerts",
        tuple(sections),
        intro=(
            "A landlord, a letting agent, a partner or an officer can report a tenant who is "
            "struggling. The alert becomes a piece of work at once, and whoever reports it is told "
            "nothing about the household.",
        ),
        links=(
            Link("Report an alert", "/alerts/new"),
            Link("Send a file of alerts", "/alerts/file"),
        ),
    )
    return page(request, visit, "report.html", view)


def _new_view(form: Form) -> FormView:
    return FormView(
        "Report an early alert",
        form,
        "/alerts/new",
        "Report the alert",
        intro=("Say only what is needed to offer help. No health or family details, please.",),
        back="/alerts",
    )


@router.get("/alerts/new")
def ask_alert(request: Request, visit: SignedIn) -> HTMLResponse:
    """Ask for an alert."""
    return page(request, visit, "form.html", _new_view(Form(FIELDS)))


@router.post("/alerts/new")
def keep_alert(request: Request, visit: SignedIn, data: Posted) -> Response:
    """Take an alert; the answer reveals nothing."""

    def act(form: Form) -> Response:
        happened_on = form.day("happened_on")
        assert happened_on is not None
        alert = AlertForm(
            happened_on=happened_on,
            tenant_name=form.text("tenant_name"),
            address=form.text("address"),
            postcode=form.text("postcode"),
            uprn=form.text("uprn") or None,
            arrears_pence=pence(form.text("arrears"), "arrears"),
            statement=form.text("statement"),
        )
        with on_the_beat(), visit.desk() as desk:
            report_alert(desk, alert, source=AlertSource(form.text("source")))
        return onward("/alerts", "alerted")

    return submit(request, visit, _new_view(read(FIELDS, data)), act)


FILE_FIELDS = (
    Field(
        "source",
        "Who reports them?",
        kind="radios",
        missing="Select who reports them",
        options=options(ALERT_SOURCES),
    ),
    Field("file", "File of alerts (CSV)", kind="file"),
)


def _file_view(form: Form) -> FormView:
    return FormView(
        "Send a file of alerts",
        form,
        "/alerts/file",
        "Send the file",
        intro=(
            "A CSV file with a header row and these columns: " + ", ".join(COLUMNS) + ". "
            "Dates are written 2027-03-27 and amounts in pounds. All rows are taken, or none.",
        ),
        back="/alerts",
        has_file=True,
    )


@router.get("/alerts/file")
def ask_file(request: Request, visit: SignedIn) -> HTMLResponse:
    """Ask for a file of alerts."""
    return page(request, visit, "form.html", _file_view(Form(FILE_FIELDS)))


@router.post("/alerts/file")
async def keep_file(request: Request, visit: SignedIn, data: Posted) -> Response:
    """Take a file of alerts: all of them, or none and why."""
    form = read(FILE_FIELDS, data)
    sent = data.get("file")
    content = await sent.read() if sent is not None and not isinstance(sent, str) else b""
    if not content:
        form = form.with_error("file", "Choose a file that is not empty")
    return await run_in_threadpool(_keep_rows, request, visit, form, content)


def _keep_rows(request: Request, visit: Visit, form: Form, content: bytes) -> Response:
    if form.is_good:
        try:
            rows = read_sheet(content)
            with visit.desk() as desk:
                for number, row in enumerate(rows, start=2):
                    try:
                        report_alert(desk, row, source=AlertSource(form.text("source")))
                    except InputInvalid as error:
                        raise SheetError(f"Row {number}: {error}") from error
            return onward("/alerts", "alerted")
        except SheetError as error:
            form = form.with_error("file", str(error))
    return page(request, visit, "form.html", _file_view(form), 422)


MATCH_FIELDS = (
    Field(
        "settle",
        "Which household is this about?",
        kind="radios",
        missing="Select whether you know the household",
        options=options(
            {"match": "The household with the reference below", "none": "None that we know"}
        ),
    ),
    Field(
        "household_id",
        "Household reference",
        hint="As it stands on the household's page. Look it up first.",
        width="govuk-input--width-20",
        max_length=40,
    ),
)


@router.get("/alerts/{alert_id}")
def ask_match(request: Request, visit: SignedIn, alert_id: str) -> HTMLResponse:
    """Show an alert that matched no household, to be settled by hand."""
    return page(request, visit, "form.html", _match_view(visit, alert_id, Form(MATCH_FIELDS)))


def _match_view(visit: Visit, alert_id: str, form: Form) -> FormView:
    with visit.desk() as desk:
        found = [one for one in alerts_to_match(desk) if one.alert_id == alert_id]
    if not found:
        raise NotFound("This alert has been settled already, or there is none. See the list.")
    one = found[0]
    owed = f", {pounds(one.arrears_pence)} owed" if one.arrears_pence else ""
    return FormView(
        "Settle an alert",
        form,
        f"/alerts/{alert_id}",
        "Save",
        intro=(
            f"{ALERT_SOURCES[one.source]}, {day(one.happened_on)}: {one.tenant_name}, "
            f"{one.address}, {one.postcode}{owed}.",
            *((one.statement,) if one.statement else ()),
        ),
        back="/alerts",
    )


@router.post("/alerts/{alert_id}")
def keep_match(request: Request, visit: SignedIn, data: Posted, alert_id: str) -> Response:
    """Settle an alert by hand."""
    form = read(MATCH_FIELDS, data)
    if form.text("settle") == "match" and not form.text("household_id"):
        form = form.with_error("household_id", "Enter the household reference")

    def act(good: Form) -> Response:
        household = good.text("household_id") if good.text("settle") == "match" else None
        with visit.desk() as desk:
            match_alert(desk, alert_id, household)
        return onward("/alerts", "matched")

    return submit(request, visit, _match_view(visit, alert_id, form), act)
