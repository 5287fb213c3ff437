"""The whole walk, as each role: who works on flags does every step, and the others none of them."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from earlyflag.store.terms import Role
from tests.e2e.web.conftest import ADDRESS, Served, open_page, sign_in
from tests.e2e.web.filling import choose, fill_date, save
from tests.e2e.web.visits import may_open
from tests.web.borough import CANARIES, account_ref, household_id

pytestmark = pytest.mark.needs_chromium

RANKS = {
    (Role.REVIEWER, "desktop", True): (5, 31),
    (Role.REVIEWER, "desktop", False): (6, 32),
    (Role.REVIEWER, "phone", True): (7, 33),
    (Role.REVIEWER, "phone", False): (8, 34),
    (Role.OFFICER, "desktop", True): (25, 35),
    (Role.OFFICER, "desktop", False): (26, 36),
    (Role.MANAGER, "desktop", True): (27, 37),
    (Role.MANAGER, "desktop", False): (28, 38),
}
"""For each walk, the flagged household that is worked on and the one that is looked up."""


def said(page: Page) -> str:
    return page.locator("main").inner_text()


@pytest.mark.parametrize(
    ("role", "size", "scripts"),
    RANKS,
    ids=[f"{role}-{size}-{'with' if js else 'without'} scripts" for role, size, js in RANKS],
)
def test_whoever_works_on_flags_goes_from_the_flag_to_the_pack_and_the_outcome(
    role: Role, size: str, scripts: bool, served: Served, chromium: Browser
) -> None:
    rank, other = RANKS[role, size, scripts]
    page = open_page(chromium, size=size, scripts=scripts)
    sign_in(page, role.value)
    take_and_read(page, rank, from_the_list=role is Role.OFFICER)
    decide_and_contact(page)
    print_the_pack(page, chromium, rank, scripts=scripts)
    close_the_flag(page, rank)
    look_up_with_a_purpose(page, other)
    page.context.close()


def take_and_read(page: Page, rank: int, *, from_the_list: bool) -> None:
    """Take a flag: officers from the list, since its household is not in their work before."""
    page.goto(f"{ADDRESS}/work/unassigned")
    home = f'a[href="/households/{household_id(rank)}"]'
    if from_the_list:
        row = page.locator(".ef-tray__item", has=page.locator(home))
        row.get_by_role("button", name="Take this flag").click()
    else:
        page.click(home)
        page.click("text=Take this flag")
    assert page.locator("h1").inner_text() == f"{rank} Canary Street, Testborough"
    assert "The flag is yours now." in said(page)
    assert "Missed 3 of the last 4 council tax instalments" in said(page)
    page.locator("summary", has_text="Records behind this").first.click()
    evidence = page.locator(".ef-reason table").first
    assert evidence.is_visible()
    assert "Instalment due, not paid" in evidence.inner_text()


def decide_and_contact(page: Page) -> None:
    page.get_by_role("button", name="Decide", exact=True).click()
    assert page.locator("main input:checked").count() == 0
    choose(page, "code", "offer_help")
    choose(page, "offers", "money_advice")
    page.fill("#reason", "The rent shortfall grows each month.")
    choose(page, "agrees", "yes")
    choose(page, "why", "reasons_match")
    page.click("text=Save the decision")
    assert "Your decision has been saved." in said(page)
    page.click("text=Record a contact")
    fill_date(page, "happened_on", "9", "3", "2027")
    choose(page, "channel", "telephone")
    choose(page, "result", "reached")
    page.click("text=Save the contact")
    assert "The contact has been saved." in said(page)


def print_the_pack(page: Page, browser: Browser, rank: int, *, scripts: bool) -> None:
    """Make a list of the household, have a manager countersign it, and print its pack."""
    page.goto(f"{ADDRESS}/panels/new")
    page.fill("#title", f"A panel about {rank}")
    fill_date(page, "meeting_on", "20", "3", "2027")
    page.fill("#recipients", "A housing association")
    page.get_by_label(f"{rank} Canary Street, Testborough", exact=True).check()
    page.click("text=Make the list")
    address = page.url.split("?")[0]
    assert page.locator("text=Countersign this list").count() == 0
    assert page.locator("text=Print the pack").count() == 0
    second = open_page(browser, scripts=scripts)
    sign_in(second, "second")
    second.goto(address)
    second.click("text=Countersign this list")
    assert "The list is countersigned and can be printed." in said(second)
    second.context.close()
    page.goto(address)
    page.click("text=Print the pack")
    assert f"{rank} Canary Street" in said(page)
    assert "For A housing association only" in said(page)
    assert "Destroy by" in said(page)


def close_the_flag(page: Page, rank: int) -> None:
    page.goto(f"{ADDRESS}/households/{household_id(rank)}")
    page.get_by_role("link", name="Record the outcome").or_(
        page.get_by_role("button", name="Record the outcome")
    ).first.click()
    choose(page, "helped", "yes")
    choose(page, "outcome", "stayed_home")
    choose(page, "duty", "none")
    choose(page, "useful", "yes")
    page.click("text=Save and close the flag")
    assert "the flag is closed" in said(page)


def look_up_with_a_purpose(page: Page, rank: int) -> None:
    page.goto(f"{ADDRESS}/look-up")
    choose(page, "kind", "account")
    page.fill("#reference", account_ref(rank))
    save(page)
    assert account_ref(rank) not in page.url
    page.click(f"text={rank} Canary Street")
    assert page.locator("h1").inner_text() == "Why are you opening this household?"
    assert page.locator("main input:checked").count() == 0
    page.click("text=Open the household")
    assert "There is a problem" in said(page)
    choose(page, "purpose", "household_asked")
    page.click("text=Open the household")
    assert "This household is not flagged" in said(page)
    assert "does not mean that a household is safe" in said(page)


STEPS = (
    ("POST", "/flags/{flag_id}/take"),
    ("GET", "/flags/{flag_id}/decision"),
    ("POST", "/flags/{flag_id}/decision"),
    ("GET", "/flags/{flag_id}/contact"),
    ("POST", "/flags/{flag_id}/contact"),
    ("GET", "/flags/{flag_id}/outcome"),
    ("POST", "/flags/{flag_id}/outcome"),
    ("GET", "/look-up"),
    ("POST", "/look-up"),
    ("GET", "/panels/new"),
    ("POST", "/panels/new"),
    ("POST", "/panels/{panel_id}/countersign"),
    ("GET", "/panels/{panel_id}/pack"),
    ("GET", "/panels/{panel_id}/pack.pdf"),
)
"""Every step of the walk that changes something or names somebody."""
READING = ("/work/{tray}", "/households/{household_id}", "/households/{household_id}/purpose")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("role", [Role.ANALYST, Role.AUDITOR, Role.ADMIN])
def test_whoever_does_not_work_on_flags_is_refused_every_step(
    role: Role, scripts: bool, served: Served, chromium: Browser
) -> None:
    page = open_page(chromium, scripts=scripts)
    sign_in(page, role.value)
    token = page.locator('input[name="csrf_token"]').first.get_attribute("value") or ""
    closed = [("GET", path) for path in READING if role is not Role.ANALYST]
    for method, path in (*STEPS, *closed):
        assert not may_open(path, role, method)
        address = ADDRESS + path.format(
            flag_id="Fnone", panel_id="Pnone", tray="unassigned", household_id=household_id(3)
        )
        if method == "GET":
            answer = page.goto(address)
            assert answer is not None
            status, text = answer.status, page.content()
        else:
            sent = page.request.post(
                address, form={"csrf_token": token, "version": "1"}, headers={"Origin": ADDRESS}
            )
            status, text = sent.status, sent.text()
        assert status == 403, (method, path)
        assert "Your role does not open this page" in text
        assert not [canary for canary in CANARIES if canary in text]
    page.context.close()


def test_every_role_walks_or_is_refused() -> None:
    walking = {role for role, _, _ in RANKS}
    for role in Role:
        may = [may_open(path, role, method) for method, path in STEPS]
        assert any(may) is (role in walking), role
