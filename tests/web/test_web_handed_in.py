"""What the pages are handed: the identity provider, the PDF printer, the upload check."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import RedirectResponse

from earlyflag.core.errors import SettingsInvalid
from earlyflag.core.settings import OpenIDSettings, Settings
from earlyflag.store.database import connect
from earlyflag.web.app import HandedIn, create_app
from earlyflag.web.openid import OpenIDProvider
from earlyflag.web.site import UploadFinding, UploadReport
from tests.web.conftest import ORIGIN, Browser, World, make_world


class Provider:
    """An identity provider that vouches for whoever the test says."""

    def __init__(self) -> None:
        self.answer: tuple[str, str, Sequence[str]] = ("issuer|1", "Someone New", ["App.Officer"])

    async def start(self, request: Request) -> Any:
        return RedirectResponse("https://issuer.example/authorize", 302)

    async def finish(self, request: Request) -> tuple[str, str, Sequence[str]]:
        return self.answer


@pytest.fixture
def provided(borough_file: Path, tmp_path: Path) -> Iterator[tuple[World, Provider]]:
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    made = make_world(borough_file, tmp_path)
    provider = Provider()
    settings = made.settings.model_copy(
        update={
            "sign_in": "openid",
            "openid": OpenIDSettings(
                issuer="https://issuer.example",
                client_id="earlyflag",
                client_secret_file=secret,
                roles={"App.Officer": "officer"},
            ),
        }
    )
    app = create_app(settings, made.engine, HandedIn(clock=made.clock, provider=provider))
    yield World(made.engine, made.clock, settings, app), provider
    made.engine.dispose()


def test_whoever_the_provider_vouches_for_comes_in_with_the_mapped_role(
    provided: tuple[World, Provider],
) -> None:
    world, _provider = provided
    client = world.client()
    assert "Sign in with your council account" in client.get("/sign-in").text
    assert client.get("/sign-in/openid").headers["location"].startswith("https://issuer.example")
    answer = client.get("/sign-in/openid/return")
    assert answer.headers["location"] == "/work/mine"
    assert "Signed in as Someone New" in client.get("/work/mine").text
    assert client.get("/users").status_code == 403


@pytest.mark.parametrize("roles", [[], ["App.Other"]])
def test_whoever_has_no_mapped_role_stays_outside(
    roles: list[str], provided: tuple[World, Provider]
) -> None:
    world, provider = provided
    provider.answer = ("issuer|2", "Nobody", roles)
    answer = world.client().get("/sign-in/openid/return")
    assert answer.status_code == 403
    assert "no role here" in answer.text


def test_a_password_is_not_taken_where_the_provider_signs_people_in(
    provided: tuple[World, Provider],
) -> None:
    world, _provider = provided
    client = world.client()
    client.get("/sign-in")
    token = client.cookies.get("earlyflag-form")
    answer = client.post(
        "/sign-in",
        data={"csrf_token": token, "username": "officer", "password": "x"},
        headers={"Origin": ORIGIN},
    )
    assert answer.status_code == 404


def test_openid_without_its_settings_or_secret_is_refused_at_the_start(
    borough_file: Path, tmp_path: Path
) -> None:
    engine = connect(f"sqlite:///{borough_file}")
    with pytest.raises(SettingsInvalid, match=r"\[openid\]"):
        create_app(Settings(home=tmp_path, sign_in="openid"), engine, HandedIn())
    missing = OpenIDSettings(
        issuer="https://issuer.example", client_id="x", client_secret_file=tmp_path / "none"
    )
    with pytest.raises(SettingsInvalid, match="client_secret_file"):
        OpenIDProvider(missing, "https://flags.example")
    engine.dispose()


class Uploads:
    """Finds one thing wrong with whatever it is given."""

    def dry_run(self, files: Sequence[tuple[str, bytes]]) -> UploadReport:
        findings = [UploadFinding("rent_transactions", 7, "amount_pence", "no amount")]
        return UploadReport([("rent_transactions", 20, 1)], findings, False, f"{len(files)} file")


def test_an_upload_is_a_dry_run_that_names_row_and_column(
    borough_file: Path, tmp_path: Path
) -> None:
    world = make_world(borough_file, tmp_path, uploads=Uploads())
    manager = world.browser("manager")
    none = manager.post_form("/upload", "/upload", {}, files={"files": ("", b"")})
    assert none.status_code == 422
    assert "Choose at least one file" in none.text
    answer = manager.post_form("/upload", "/upload", {}, files={"files": ("../r.csv", b"a\n1\n")})
    assert answer.status_code == 200, answer.text
    for said in ("would be refused", "amount_pence", "no amount", ">7<", "Nothing was kept"):
        assert said in answer.text
    world.engine.dispose()


def assigned_list(world: World, manager: Browser) -> str:
    page = manager.get("/assignments").text
    flag = re.search(r'name="flag" type="checkbox" value="([^"]+)"', page)
    person = re.search(r'name="assignee" type="radio" value="(\w+)"', page)
    assert flag
    assert person
    sent = {"flag": flag.group(1), "assignee": person.group(1)}
    assert manager.post_form("/assignments", "/assignments", sent).status_code == 303
    form = {
        "title": "March panel",
        "meeting_on-day": "20",
        "meeting_on-month": "3",
        "meeting_on-year": "2027",
        "recipients": "A housing association",
        "flags": flag.group(1).partition(":")[0],
    }
    made = manager.post_form("/panels/new", "/panels/new", form)
    assert made.status_code == 303, made.text
    return made.headers["location"].split("?")[0]


def test_a_pack_is_printed_only_after_somebody_else_countersigned_it(
    borough_file: Path, tmp_path: Path
) -> None:
    printed: list[str] = []

    def printer(html: str, title: str) -> bytes:
        printed.append(html)
        return b"%PDF-" + title.encode()

    world = make_world(borough_file, tmp_path, print_pack=printer)
    manager, second = world.browser("manager"), world.browser("second")
    address = assigned_list(world, manager)
    assert manager.get(f"{address}/pack.pdf").status_code == 403
    own = manager.post_form(address, f"{address}/countersign", {})
    assert own.status_code == 403
    assert second.post_form(address, f"{address}/countersign", {}).status_code == 303
    pdf = second.get(f"{address}/pack.pdf")
    assert pdf.content.startswith(b"%PDF-March panel")
    assert pdf.headers["content-type"] == "application/pdf"
    assert "A housing association" in printed[0]
    assert "Reference EF-" in printed[0]
    for hidden in ("70010", "10009000", "1980", "%)"):
        assert hidden not in printed[0]
    world.engine.dispose()


def test_a_meeting_is_closed_on_its_page_and_its_actions_go_on(
    borough_file: Path, tmp_path: Path
) -> None:
    world = make_world(borough_file, tmp_path)
    manager = world.browser("manager")
    address = assigned_list(world, manager)
    flag = re.search(rf"{address}/barriers/(\w+)", manager.get(address).text)
    assert flag
    action = {
        "flag_id": flag.group(1), "agency": "Health", "owner": "A nurse", "what": "Visit them",
        "due_on-day": "1", "due_on-month": "4", "due_on-year": "2027",
    }  # fmt: skip
    assert manager.post_form(address, f"{address}/actions", action).status_code == 303
    analyst = world.browser("analyst")
    assert analyst.post_form("/about", f"{address}/close", {}).status_code == 403
    assert "Close this list" in manager.get(address).text
    closed = manager.post_form(address, f"{address}/close", {})
    assert closed.status_code == 303
    told = manager.get(closed.headers["location"]).text
    assert "The list is closed." in told
    for gone in ("Close this list", "Countersign this list", "Agree an action"):
        assert gone not in told
    assert manager.post_form("/about", f"{address}/close", {}).status_code == 409
    following = assigned_list(world, manager)
    page = manager.get(following).text
    assert "Carried from earlier meetings" in page
    assert "Visit them" in page
    counts = manager.get("/panels/overview").text
    for heading in ("What stands in the way", "Where households stood when work ended"):
        assert heading in counts
    world.engine.dispose()


@pytest.mark.needs_pango
def test_the_pack_is_a_tagged_pdf_with_recipients_reference_and_expiry_on_each_page(
    borough_file: Path, tmp_path: Path
) -> None:
    pytest.importorskip("weasyprint")
    from pypdf import PdfReader

    from earlyflag.reporting import pdf

    if not pdf.is_available():
        pytest.skip("Pango is not installed")
    world = make_world(borough_file, tmp_path, print_pack=pdf.tagged_pdf)
    manager, second = world.browser("manager"), world.browser("second")
    address = assigned_list(world, manager)
    second.post_form(address, f"{address}/countersign", {})
    document = PdfReader(io.BytesIO(second.get(f"{address}/pack.pdf").content))
    assert document.trailer["/Root"]["/MarkInfo"]["/Marked"]
    for sheet in document.pages:
        text = sheet.extract_text()
        assert "For A housing association only" in text
        assert "destroy by 3 April 2027" in text
        assert "Reference EF-" in text
    world.engine.dispose()
