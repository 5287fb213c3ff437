"""Upload extracts for a dry run: what would be taken, what would be rejected, by row and cell."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import HTMLResponse

from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.core.errors import EarlyflagError, InputInvalid
from earlyflag.web.forms import Field, Form
from earlyflag.web.framing import page
from earlyflag.web.pages.forming import FormView
from earlyflag.web.pages.reports import ReportView, Section, Table
from earlyflag.web.site import Posted, SignedIn, UploadReport, Visit
from earlyflag.web.wording import words

router = APIRouter(include_in_schema=False)
MOST_BYTES = 200_000_000
MOST_FINDINGS = 200

FIELDS = (
    Field(
        "files",
        "Extracts",
        kind="file",
        hint="CSV, CSV.GZ or Parquet files, named as in the data contract; several are fine.",
    ),
)


def _view(visit: Visit, form: Form) -> FormView:
    ready = visit.site.uploads is not None
    return FormView(
        "Upload extracts",
        form,
        "/upload",
        "Check without keeping",
        intro=(
            "This is a dry run: the files are checked against the data contract and forgotten.",
            "A delivery that passes is taken in on the server by the command earlyflag ingest.",
        ),
        inset="" if ready else "Uploads are not set up on this server.",
        has_file=True,
    )


@router.get("/upload")
def ask_upload(request: Request, visit: SignedIn) -> HTMLResponse:
    """Ask for extracts."""
    return page(request, visit, "form.html", _view(visit, Form(FIELDS)))


async def _files(data: FormData) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    size = 0
    for sent in data.getlist("files"):
        if not isinstance(sent, UploadFile) or not sent.filename:
            continue
        size += sent.size or 0
        if size > MOST_BYTES:
            raise InputInvalid("These files are too big for a page. Use earlyflag ingest.", "files")
        name = sent.filename.replace("\\", "/").rsplit("/", 1)[-1]
        found.append((name, await sent.read()))
    return found


@router.post("/upload")
async def check_upload(request: Request, visit: SignedIn, data: Posted) -> HTMLResponse:
    """Check extracts and forget them."""
    check_may(visit.actor, Action.UPLOAD)
    form = Form(FIELDS)
    uploads = visit.site.uploads
    try:
        files = await _files(data)
        if uploads is None:
            raise InputInvalid("Uploads are not set up on this server. Use earlyflag ingest.")
        if not files:
            raise InputInvalid("Choose at least one file")
        report = await run_in_threadpool(uploads.dry_run, files)
    except EarlyflagError as error:
        wrong = form.with_error("files", str(error))
        return page(request, visit, "form.html", _view(visit, wrong), 422)
    return page(request, visit, "report.html", _report(report))


def _report(report: UploadReport) -> ReportView:
    rows = Table(
        "Rows by table",
        ("Table", "Accepted", "Rejected"),
        tuple((words(name), f"{good:,}", f"{bad:,}") for name, good, bad in report.rows),
        numeric=frozenset({1, 2}),
    )
    findings = Table(
        "What is wrong, by row and column",
        ("Table", "Row", "Column", "What is wrong", "How often"),
        tuple(
            (words(f.table), f"{f.row:,}" if f.row else "", f.column, f.reason, f"{f.count:,}")
            for f in list(report.findings)[:MOST_FINDINGS]
        ),
        numeric=frozenset({1, 4}),
    )
    sections = [Section("", (), rows)]
    if report.findings:
        sections.append(Section("To mend", (), findings))
    return ReportView(
        "The delivery would be taken" if report.accepted else "The delivery would be refused",
        tuple(sections),
        intro=(report.summary, "Nothing was kept."),
        back="/upload",
    )
