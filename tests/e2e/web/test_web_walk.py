"""A person walks through the work in a real browser, with scripts and without."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.web.conftest import ADDRESS, Served, open_page, sign_in
from tests.e2e.web.filling import choose, fill_date, save
from tests.web.borough import CANARIES, PASSWORD, household_id

pytestmark = pytest.mark.needs_chromium

DIRTY = Path(__file__).parents[2] / "golden" / "dirty_extracts"


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_a_list_is_made_countersigned_by_somebody_else_and_printed(
    scripts: bool, served: Served, chromium: Browser
) -> None:
    page = open_page(chromium, scripts=scripts)
    sign_in(page, "manager")
    page.goto(f"{ADDRESS}/assignments")
    page.locator('input[name="flag"]').nth(4).check()
    page.locator('input[name="flag"]').nth(5).check()
    page.get_by_label("Demo manager").check()
    page.click("main button:has-text('Assign')")
    assert "The flags have been assigned." in page.locator("main").inner_text()
    page.goto(f"{ADDRESS}/panels/new")
    page.fill("#title", "March panel")
    fill_date(page, "meeting_on", "20", "3", "2027")
    page.fill("#recipients", "A housing association")
    page.locator('input[name="flags"]').first.check()
    page.click("text=Make the list")
    assert page.locator("h1").inner_text() == "March panel"
    assert page.locator("text=Countersign this list").count() == 0
    address = page.url.split("?")[0]
    page.context.close()

    other = open_page(chromium, scripts=scripts)
    sign_in(other, "second")
    other.goto(address)
    other.select_option("#flag_id", index=1)
    other.fill("#agency", "Advice centre")
    other.fill("#owner", "A duty adviser")
    other.fill("#what", "Check the claim")
    fill_date(other, "due_on", "2", "4", "2027")
    other.click("text=Save the action")
    assert "Check the claim" in other.locator("main").inner_text()
    other.click("text=Countersign this list")
    other.click("text=Print the pack")
    text = other.locator("main").inner_text()
    assert "For A housing association only" in text
    assert "Destroy by" in text
    assert "Check the claim" in text
    other.context.close()


HOMES = {
    "officer": "My work",
    "reviewer": "My work",
    "manager": "My work",
    "analyst": "Unassigned",
    "auditor": "Audit",
    "admin": "Users",
}


@pytest.mark.parametrize("username", HOMES)
def test_each_role_starts_where_its_work_is_and_can_sign_out(
    username: str, served: Served, chromium: Browser
) -> None:
    page = open_page(chromium, scripts=False)
    sign_in(page, username)
    assert page.locator("h1").inner_text() == HOMES[username]
    page.click("text=Sign out")
    assert page.locator("h1").inner_text() == "Sign in"
    page.context.close()


def names_nobody(page: Page) -> bool:
    """Whether a page, its source and its address are free of every canary."""
    text = page.content() + page.url
    return not [canary for canary in CANARIES if canary in text]


def refused(page: Page, *paths: str) -> None:
    """Ask for pages that are not this role's: each is refused, and none is in the menu."""
    for path in paths:
        page.goto(f"{ADDRESS}/about")
        assert page.locator(f'nav a[href="{path}"]').count() == 0, path
        answer = page.goto(f"{ADDRESS}{path}")
        assert answer is not None
        assert answer.status == 403, path
        assert names_nobody(page)


CASEWORK = (f"/households/{household_id(3)}", "/work/unassigned", "/look-up", "/panels", "/alerts")
BOTH_WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])


@BOTH_WAYS
def test_an_analyst_reads_scores_and_figures_under_pseudonyms_and_changes_nothing(
    scripts: bool, served: Served, chromium: Browser
) -> None:
    page = open_page(chromium, scripts=scripts)
    sign_in(page, "analyst")
    page.goto(f"{ADDRESS}/work/all?band=highest")
    assert names_nobody(page)
    page.click(f'main a[href="/households/{household_id(3)}"]')
    main = page.locator("main")
    assert household_id(3) in page.locator("h1").inner_text()
    assert "What the records show" in main.inner_text()
    assert names_nobody(page)
    for absent in ("Take this flag", "People", "What has happened", "Records behind this"):
        assert main.get_by_text(absent, exact=True).count() == 0, absent
    for path, heading in (
        ("/model", "Model"),
        ("/model/features", "What the model reads"),
        ("/capacity", "Capacity"),
        ("/borough", "The borough"),
        ("/pilot", "Pilot"),
    ):
        page.goto(f"{ADDRESS}{path}")
        assert page.locator("h1").inner_text() == heading
        assert names_nobody(page)
    refused(page, "/look-up", "/panels", "/alerts", "/assignments", "/audit", "/users", "/keys")
    page.context.close()


@BOTH_WAYS
def test_an_auditor_sees_who_looked_at_a_household_and_no_case(
    scripts: bool, served: Served, chromium: Browser
) -> None:
    reader = open_page(chromium, scripts=scripts)
    sign_in(reader, "reviewer")
    reader.goto(f"{ADDRESS}/households/{household_id(9)}")
    reader.context.close()

    page = open_page(chromium, scripts=scripts)
    sign_in(page, "auditor")
    assert page.locator("h1").inner_text() == "Audit"
    page.locator(f'main a[href="/audit/households/{household_id(9)}"]').first.click()
    assert page.locator("h1").inner_text() == "Who has looked at this household?"
    looked = page.locator("main tbody tr", has_text="Demo reviewer")
    assert looked.count() >= 1
    assert "Read household" in looked.first.inner_text()
    assert names_nobody(page)
    page.goto(f"{ADDRESS}/audit")
    page.click("text=Check the whole log")
    assert page.locator("h1").inner_text().startswith("The log is sound")
    page.goto(f"{ADDRESS}/purposes")
    assert page.locator("h1").inner_text() == "Look-ups to review"
    assert names_nobody(page)
    refused(page, *CASEWORK, "/borough", "/capacity", "/pilot", "/assignments", "/users", "/upload")
    page.context.close()


@BOTH_WAYS
def test_an_admin_keeps_accounts_and_keys_and_sees_no_case_or_figure(
    scripts: bool, served: Served, chromium: Browser
) -> None:
    username = f"newcomer-{'with' if scripts else 'without'}"
    page = open_page(chromium, scripts=scripts)
    sign_in(page, "admin")
    page.click("text=Add an account")
    page.fill("#username", username)
    page.fill("#display_name", "New analyst")
    choose(page, "roles", "analyst")
    page.fill("#password", PASSWORD)
    save(page)
    page.goto(f"{ADDRESS}/users")
    assert page.locator("main tbody tr", has_text=username).count() == 1
    page.goto(f"{ADDRESS}/keys")
    assert page.locator("h1").inner_text() == "Machine keys"
    figures = ("/borough", "/capacity", "/pilot", "/model")
    refused(page, *CASEWORK, *figures, "/assignments", "/audit", "/upload")
    page.context.close()

    newcomer = open_page(chromium, scripts=scripts)
    sign_in(newcomer, username)
    assert newcomer.locator("h1").inner_text() == "Unassigned"
    newcomer.context.close()


@BOTH_WAYS
@pytest.mark.parametrize("username", ["manager", "analyst"])
def test_who_may_upload_checks_an_extract_and_nothing_is_kept(
    username: str, scripts: bool, served: Served, chromium: Browser
) -> None:
    page = open_page(chromium, scripts=scripts)
    sign_in(page, username)
    page.goto(f"{ADDRESS}/upload")
    page.click("text=Check without keeping")
    assert "Choose at least one file" in page.locator("main").inner_text()
    page.set_input_files('input[type="file"]', sorted(DIRTY.glob("*.csv")))
    page.click("text=Check without keeping")
    assert page.locator("h1").inner_text() == "The delivery would be refused"
    assert "Nothing was kept." in page.locator("main").inner_text()
    mends = page.locator("table", has_text="What is wrong, by row and column")
    assert mends.locator("tbody tr").count() > 3
    assert names_nobody(page)
    page.context.close()


@BOTH_WAYS
def test_an_officer_and_a_manager_are_refused_what_is_not_theirs(
    scripts: bool, served: Served, chromium: Browser
) -> None:
    theirs = ("/audit", "/users", "/keys")
    for username, more in (
        ("officer", ("/assignments", "/purposes", "/objections", "/pilot", "/upload")),
        ("reviewer", ("/assignments", "/purposes", "/objections", "/pilot", "/upload")),
        ("manager", ()),
    ):
        page = open_page(chromium, scripts=scripts)
        sign_in(page, username)
        refused(page, *theirs, *more)
        page.context.close()
