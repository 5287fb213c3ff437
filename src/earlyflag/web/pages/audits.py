"""The audit for its readers: the log, who looked at a household, verification, look-up reviews."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from earlyflag.casework.auditing import Verification, read_audit, read_vouchers, verify_audit
from earlyflag.casework.permissions import Action
from earlyflag.casework.permissions import Field as FieldGroup
from earlyflag.casework.reviewing import lookups_to_review, review_lookup
from earlyflag.casework.rules import check_may
from earlyflag.casework.worktrays import staff_names
from earlyflag.core.errors import InputInvalid
from earlyflag.store.audit import AuditRecord
from earlyflag.store.terms import Purpose
from earlyflag.web.forms import Field, Form
from earlyflag.web.framing import onward, page
from earlyflag.web.pages.codes import PURPOSES
from earlyflag.web.pages.reports import (
    Cell,
    Link,
    PostButton,
    ReportView,
    Section,
    SmallForm,
    Table,
)
from earlyflag.web.site import Posted, SignedIn
from earlyflag.web.wording import moment, plural, words

router = APIRouter(include_in_schema=False)
PAGE = 50
MOST = 200


def _purpose(stated: str) -> str:
    """Return a purpose in words; that of an export is words already."""
    return PURPOSES[Purpose(stated)] if stated in set(Purpose) else stated


def _rows(records: list[AuditRecord], staff: Mapping[str, str]) -> tuple[tuple[Cell, ...], ...]:
    return tuple(
        (
            f"{record.sequence:,}",
            moment(record.at),
            staff.get(record.actor_id, record.actor_id),
            words(record.action),
            Link(record.household_id, f"/audit/households/{record.household_id}")
            if record.household_id
            else "",
            _purpose(record.purpose or ""),
            record.correlation_id,
        )
        for record in records
    )


def _before(request: Request) -> int | None:
    """Return the number of the row that the page before this one ended with."""
    sent = request.query_params.get("before", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 16 else None


HEADINGS = ("Row", "When", "Who", "What", "Household", "Purpose", "Reference in the log")


@router.get("/audit")
def show_audit(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show the log, newest first."""
    before = _before(request)
    action = request.query_params.get("action", "")
    with visit.desk() as desk:
        records = read_audit(desk, before=before, limit=PAGE, action=action or None)
        staff = staff_names(desk)
    links = []
    if before:
        links.append(Link("Newest rows", "/audit"))
    if len(records) == PAGE:
        query = {"before": records[-1].sequence} | ({"action": action} if action else {})
        links.append(Link("Older rows", f"/audit?{urlencode(query)}"))
    table = Table("The audit log, newest first", HEADINGS, _rows(records, staff))
    verify = PostButton("Check the whole log", "/audit/verify")
    view = ReportView(
        "Audit",
        (Section("", (), table, links=tuple(links)), Section(buttons=(verify,))),
        intro=(
            "Every read of a household and every change. Households stand here under their "
            "pseudonyms only. Choose one to see who has looked at it.",
        ),
        wide=True,
    )
    return page(request, visit, "report.html", view)


@router.get("/audit/households/{household_id}")
def who_looked(request: Request, visit: SignedIn, household_id: str) -> HTMLResponse:
    """Show who has looked at one household, when and why, be it among others."""
    before = _before(request)
    with visit.desk() as desk:
        records = read_audit(desk, before=before, limit=MOST, household_id=household_id)
        staff = staff_names(desk)
    here = f"/audit/households/{household_id}"
    links = [Link("Newest rows", here)] if before else []
    if len(records) == MOST:
        links.append(Link("Older rows", f"{here}?before={records[-1].sequence}"))
    table = Table(f"Rows about household {household_id}", HEADINGS, _rows(records, staff))
    view = ReportView(
        "Who has looked at this household?",
        (
            Section(
                "",
                () if records else ("Nobody has looked at it.",),
                table if records else None,
                links=tuple(links),
            ),
        ),
        intro=(
            f"Household {household_id}. {plural(len(records), 'row')} on this page. A row that "
            "names no household is of a list, a meeting or a file that showed this one among "
            "others.",
        ),
        back="/audit",
        wide=True,
    )
    return page(request, visit, "report.html", view)


@router.post("/audit/verify")
def verify(request: Request, visit: SignedIn, _data: Posted) -> HTMLResponse:
    """Check every row of the log against its hash and its neighbours."""
    check_may(visit.actor, Action.VERIFY_AUDIT)
    settings = visit.site.settings
    vouchers = read_vouchers(
        settings.heads_file,
        settings.public_key_file,
        stated=(settings.audit_heads, settings.audit_public_key),
    )
    found = verify_audit(visit.site.engine, exported=vouchers.heads, public_key=vouchers.public_key)
    view = ReportView(
        _verdict(found),
        (
            Section("", found.findings),
            Section("What was not checked" if found.cautions else "", found.cautions),
        ),
        intro=_said(found),
        back="/audit",
    )
    return page(request, visit, "report.html", view)


def _verdict(found: Verification) -> str:
    """Return what a check may claim, and no more."""
    if not found.is_sound:
        return "The log has been tampered with"
    return "The log is sound as far as it was checked" if found.cautions else "The log is sound"


def _said(found: Verification) -> tuple[str, ...]:
    if not found.is_sound:
        return ("The log is not as it was written. Tell the data protection officer now.",)
    return (
        f"{plural(found.rows, 'row')} checked. None was changed, removed or reordered.",
        f"{plural(found.heads, 'exported head')} met.",
    )


@router.get("/purposes")
def show_purposes(request: Request, visit: SignedIn) -> HTMLResponse:
    """Show the look-ups that nobody has reviewed."""
    with visit.desk() as desk:
        fields = check_may(desk.actor, Action.REVIEW_LOOKUPS)
        stated = lookups_to_review(desk)
        staff = staff_names(desk)
    sees_words = FieldGroup.CASE_WORDS in fields
    sections = tuple(
        Section(
            f"{staff.get(one.actor_id, one.actor_id)}, {moment(one.stated_at)}",
            (
                f"Household {one.household_id}. {PURPOSES[one.purpose]}."
                + (f" Note: {one.note}" if one.note and sees_words else ""),
            ),
            small_form=SmallForm(
                Form(
                    (
                        Field(
                            f"finding-{one.purpose_id}",
                            f"Finding on household {one.household_id}",
                            max_length=500,
                        ),
                    )
                ),
                f"/purposes/{one.purpose_id}",
                "Save the finding",
            ),
        )
        for one in stated
    )
    view = ReportView(
        "Look-ups to review",
        sections,
        intro=(
            "People who opened a household outside their own work, and why they said they did. "
            "Ask them if a purpose is not clear.",
            f"{plural(len(stated), 'look-up')} to review."
            if stated
            else "No look-up waits to be reviewed.",
        ),
    )
    return page(request, visit, "report.html", view)


@router.post("/purposes/{purpose_id}")
def keep_finding(visit: SignedIn, data: Posted, purpose_id: str) -> Response:
    """Keep what a review found."""
    sent = data.get(f"finding-{purpose_id}")
    if not isinstance(sent, str) or not sent.strip():
        raise InputInvalid("Enter what you found, then save it. Go back to the list.", "finding")
    with visit.desk() as desk:
        review_lookup(desk, purpose_id, sent)
    return onward("/purposes", "reviewed")
