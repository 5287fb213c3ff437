"""axe-core finds nothing on any page of any role, at desktop and phone width."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from earlyflag.store.terms import Role
from earlyflag.web.access import ROUTES
from tests.e2e.web.cases import Cases, make_cases
from tests.e2e.web.conftest import ADDRESS, NOW, Served, open_page, sign_in
from tests.e2e.web.examining import Examined
from tests.e2e.web.visits import PAGES, closed_to, may_open, pages_of
from tests.web.borough import SAFE_CONTACT, UNFLAGGED, account_ref, household_id

pytestmark = pytest.mark.needs_chromium

DIRTY = Path(__file__).parents[2] / "golden" / "dirty_extracts"
SIZES = pytest.mark.parametrize("size", ["desktop", "phone"])
INTERACTIVE = "/api/docs/try"
"""Drawn by a script of a megabyte, the same for every role: examined as one of them."""
OTHERS = (
    f"/households/{household_id(UNFLAGGED)}/purpose",
    *(f"/work/{tray}" for tray in ("mine", "paused", "decided", "all")),
)
MORE: dict[Role, tuple[str, ...]] = {
    Role.OFFICER: OTHERS,
    Role.REVIEWER: OTHERS,
    Role.MANAGER: OTHERS,
    Role.ANALYST: ("/work/all?band=highest&ward=E05000001", f"/households/{household_id(30)}"),
}
"""Addresses beside those of the routes, where a page looks different with another one."""


@pytest.fixture(scope="module")
def cases(served: Served) -> Cases:
    """The values of the routes' parameters, all of them of something that exists."""
    return make_cases(served.engine, NOW)


@pytest.fixture(scope="module")
def seen() -> dict[str, set[str]]:
    """What was examined so far, by width."""
    return {"desktop": set(), "phone": set()}


def begin(browser: Browser, size: str, seen: dict[str, set[str]], username: str) -> Examined:
    """Return an examined page of somebody who has signed in."""
    page = open_page(browser, size=size)
    sign_in(page, username)
    return Examined(page, seen[size])


def finish(examined: Examined) -> None:
    """Close the browser window and say what was found."""
    examined.page.context.close()
    assert not examined.found, "\n".join(examined.found)


def visit(page: Page, address: str) -> int:
    answer = page.goto(f"{ADDRESS}{address}")
    assert answer is not None
    return answer.status


@SIZES
@pytest.mark.parametrize("role", list(Role))
def test_axe_finds_nothing_on_any_page_that_a_role_may_open_or_is_refused(
    role: Role, size: str, served: Served, cases: Cases, seen: dict[str, set[str]],
    chromium: Browser,
) -> None:  # fmt: skip
    examined = begin(chromium, size, seen, role.value)
    for path in [*(cases.address(one, role) for one in pages_of(role)), *MORE.get(role, ())]:
        if path == INTERACTIVE and role is not Role.MANAGER:
            assert examined.page.request.get(f"{ADDRESS}{path}").status == 200
            continue
        assert visit(examined.page, path) == 200, path
        if path == INTERACTIVE:
            examined.page.wait_for_selector(".opblock")
        examined.check(path)
    page_of_others = next(iter(closed_to(role)))
    assert visit(examined.page, cases.address(page_of_others, role)) == 403
    assert "Your role does not open this page" in examined.page.locator("main").inner_text()
    examined.check("a page of another role")
    assert visit(examined.page, "/nothing/here") == 404
    examined.check("no such page")
    finish(examined)


def test_every_page_of_the_application_is_visited_by_somebody(cases: Cases) -> None:
    visited = {path for role in Role for path in pages_of(role)}
    public = {path for path in PAGES if ROUTES["GET", path].public}
    assert visited | public == set(PAGES)
    assert public == {"/sign-in"}
    assert len(PAGES) > 40
    assert all("{" not in cases.address(path, role) for role in Role for path in pages_of(role))


@SIZES
def test_axe_finds_nothing_before_somebody_signs_in(
    size: str, served: Served, seen: dict[str, set[str]], chromium: Browser
) -> None:
    examined = Examined(open_page(chromium, size=size), seen[size])
    page = examined.page
    for address, status in (
        ("/sign-in", 200),
        ("/sign-in?ended=1&next=/work/mine", 200),
        ("/nothing", 404),
    ):
        assert visit(page, address) == status
        examined.check(address)
    page.goto(f"{ADDRESS}/sign-in")
    page.click("main button[type=submit]")
    examined.check("/sign-in with nothing entered")
    page.fill("#username", "nobody")
    page.fill("#password", "not the password")
    page.click("main button[type=submit]")
    assert "There is a problem" in page.locator("main").inner_text()
    examined.check("/sign-in with a wrong password")
    finish(examined)


SENT_BACK = [path for path in PAGES if ("POST", path) in ROUTES]
"""Pages that are forms: each is sent as it opens, which is wrong or changes nothing."""
NEVER_WRONG = {"/flags/{flag_id}/offers", "/users/{account_id}"}
"""Forms that may be sent as they open: nothing in them needs an answer, or all is answered."""


def sent_by(role: Role) -> list[str]:
    """Return the forms that are sent as a role: the manager's, and what only others may send."""
    forms = [path for path in SENT_BACK if may_open(path, role, "POST") and path != "/sign-in"]
    return [one for one in forms if role is Role.MANAGER or not may_open(one, Role.MANAGER, "POST")]


@SIZES
@pytest.mark.parametrize("role", [Role.MANAGER, Role.ADMIN])
def test_axe_finds_nothing_on_any_form_that_is_sent_back_with_its_errors(
    role: Role, size: str, served: Served, cases: Cases, seen: dict[str, set[str]],
    chromium: Browser,
) -> None:  # fmt: skip
    examined = begin(chromium, size, seen, role.value)
    page = examined.page
    for path in sent_by(role):
        if path in NEVER_WRONG:
            continue
        address = cases.address(path, role)
        if path.endswith("/purpose"):
            address = f"/households/{household_id(UNFLAGGED)}/purpose"
        assert visit(page, address) == 200, path
        page.locator("main form button[type=submit]").last.click()
        assert "There is a problem" in page.locator("main").inner_text(), path
        assert page.title().startswith("Error: "), path
        first = page.locator(".govuk-error-summary__list a").first.get_attribute("href") or "#"
        assert page.locator(f'[id="{first[1:]}"]').count() == 1, path
        examined.check(f"{path} with errors")
    finish(examined)


def test_every_form_is_sent_back_by_somebody() -> None:
    tried = {path for role in (Role.MANAGER, Role.ADMIN) for path in sent_by(role)}
    assert tried == set(SENT_BACK) - {"/sign-in"}


@SIZES
def test_axe_finds_nothing_on_what_follows_a_step(
    size: str, served: Served, cases: Cases, seen: dict[str, set[str]], chromium: Browser
) -> None:
    examined = begin(chromium, size, seen, "manager")
    page = examined.page
    offered = cases.address("/flags/{flag_id}/outcome", Role.MANAGER)
    visit(page, cases.address("/flags/{flag_id}/assessment", Role.MANAGER))
    page.check('input[name="agrees"][value="yes"]')
    page.check('input[name="why"][value="reasons_match"]')
    page.locator("main form button[type=submit]").last.click()
    assert "Thank you." in page.locator("main").inner_text()
    examined.check("a household after a change")
    for reference, said in (
        (account_ref(UNFLAGGED), "1 household found"),
        ("none", "No household"),
    ):
        visit(page, "/look-up")
        page.check('input[name="kind"][value="account"]')
        page.fill("#reference", reference)
        page.locator("main form button[type=submit]").last.click()
        assert said in page.locator("main").inner_text()
        examined.check(f"/look-up: {said}")
    visit(page, "/upload")
    page.set_input_files('input[type="file"]', sorted(DIRTY.glob("*.csv")))
    page.click("text=Check without keeping")
    assert page.locator("h1").inner_text() == "The delivery would be refused"
    examined.check("the report of an upload")
    _conflict(page, offered)
    assert page.locator("h1").inner_text() == "This was changed since you opened it"
    examined.check("a conflict")
    finish(examined)

    auditor = begin(chromium, size, seen, "auditor")
    visit(auditor.page, "/audit")
    auditor.page.click("text=Check the whole log")
    assert auditor.page.locator("h1").inner_text() == "The log is sound as far as it was checked"
    auditor.check("the log was checked")
    finish(auditor)


def _conflict(page: Page, outcome: str) -> None:
    """Send the outcome of a flag as one who opened it before somebody else changed it."""
    page.goto(f"{ADDRESS}{outcome}")
    for name, value in (
        ("helped", "yes"), ("outcome", "stayed_home"), ("duty", "none"), ("useful", "yes")
    ):  # fmt: skip
        page.check(f'input[name="{name}"][value="{value}"]')
    page.evaluate("document.querySelector('input[name=version]').value = '0'")
    page.click("text=Save and close the flag")


@SIZES
def test_axe_finds_nothing_where_the_scripts_do_not_come(
    size: str, served: Served, cases: Cases, chromium: Browser
) -> None:
    page = open_page(chromium, size=size)
    # axe is itself a script: the page's own come empty, which is how it stands without them
    page.context.route(
        re.compile(r"/static/.*\.m?js$"),
        lambda route: route.fulfill(content_type="text/javascript", body=""),
    )
    sign_in(page, "manager")
    examined = Examined(page, set())
    for path in (
        "/work/{tray}",
        "/assignments",
        "/households/{household_id}",
        "/panels/{panel_id}",
    ):
        assert visit(page, cases.address(path, Role.MANAGER)) == 200
        page.evaluate("document.body.className = 'govuk-template__body'")
        examined.check(path)
    finish(examined)


@SIZES
def test_axe_finds_nothing_where_a_household_needs_safe_contact(
    size: str, served: Served, seen: dict[str, set[str]], chromium: Browser
) -> None:
    examined = begin(chromium, size, seen, "safe")
    page = examined.page
    visit(page, f"/households/{household_id(SAFE_CONTACT)}/purpose")
    page.check('input[name="purpose"][value="safeguarding"]')
    page.click("text=Open the household")
    assert "Safe contact only" in page.locator("main").inner_text()
    examined.check("a household that needs safe contact")
    finish(examined)
