"""axe-core finds nothing on any page, at desktop and phone width."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from earlyflag.casework.permissions import ROLES
from earlyflag.store.terms import Role
from earlyflag.web.access import ROUTES
from tests.e2e.web.cases import make_cases
from tests.e2e.web.conftest import ADDRESS, NOW, Served, needs_axe, open_page, sign_in
from tests.web.borough import UNFLAGGED, household_id

pytestmark = pytest.mark.needs_chromium

NO_PAGES = {
    "/api/openapi.json",
    "/health/live",
    "/health/ready",
    "/metrics",
    "/panels/{panel_id}/pack.pdf",
    "/sign-in/openid",
    "/sign-in/openid/return",
}
"""What is answered to a GET but is no page: data, a PDF, steps to another site and back."""

PAGES = sorted(
    path
    for method, path in ROUTES
    if method == "GET" and not path.startswith("/api/v1/") and path not in NO_PAGES
)
TRAYS = ("mine", "unassigned", "paused", "decided", "all")
MORE = {
    Role.OFFICER: ["/", "/about", f"/households/{household_id(UNFLAGGED)}/purpose"],
    Role.REVIEWER: ["/work/all?band=highest&ward=E05000001&sort=raised"],
    Role.MANAGER: [f"/work/{tray}" for tray in TRAYS],
    Role.ANALYST: ["/work/all", f"/households/{household_id(30)}", "/households/HNOBODY"],
}
"""Pages that look different to another role or with another address."""


def role_for(path: str) -> Role:
    """Return whose page it is: the manager's where they may open it."""
    access = ROUTES["GET", path]
    order = (Role.MANAGER, Role.REVIEWER, Role.AUDITOR, Role.ADMIN, Role.ANALYST, Role.OFFICER)
    if access.public or access.signed_in:
        return Role.MANAGER
    return next(role for role in order if access.actions & ROLES[role].keys())


@pytest.fixture(scope="module")
def cases(served: Served) -> dict[str, str]:
    """The values of the routes' parameters, all of them of something that exists."""
    return make_cases(served.engine, NOW)


def addresses(role: Role, cases: dict[str, str]) -> list[str]:
    """Return the address of every page that is this role's, and those that vary."""
    found = []
    for path in PAGES:
        if role_for(path) is not role or path == "/sign-in":
            continue
        values = cases
        if path.endswith(("/offers", "/outcome")):
            values = {**cases, "flag_id": cases["offered_flag_id"]}
        found.append(path.format(**values))
    return found + MORE.get(role, [])


RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}


class Examined:
    """A page in a browser, and everything that axe and the console said about it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []
        self.axe = needs_axe()
        page.on("console", self._hear)

    def _hear(self, said: ConsoleMessage) -> None:
        # the browser reports a form that is shown again (422), or no such page (404), as failed
        if said.type == "error" and not {"422", "404"} & set(re.findall(r"\d+", said.text)):
            self.found.append(f"console: {said.text}")

    def check(self, name: str) -> None:
        for details in self.page.locator("details > summary").all():
            if details.is_visible():
                details.click()
        # evaluated through the debugger, which the pages' content security policy lets pass
        self.page.evaluate(self.axe)
        result = self.page.evaluate(f"axe.run(document, {json.dumps(RULES)})")
        for one in result["violations"]:
            nodes = "; ".join(node["html"][:160] for node in one["nodes"][:3])
            self.found.append(f"{name}: {one['id']}: {one['help']}: {nodes}")
        wider = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if wider > 1:
            self.found.append(f"{name}: the page is {wider} pixels wider than the window")


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OFFICER])
def test_axe_finds_nothing_on_any_page(
    role: Role, size: str, served: Served, cases: dict[str, str], chromium: Browser
) -> None:
    page = open_page(chromium, size=size)
    examined = Examined(page)
    page.goto(f"{ADDRESS}/sign-in")
    examined.check("/sign-in")
    sign_in(page, role.value)
    for path in addresses(role, cases):
        answer = page.goto(f"{ADDRESS}{path}")
        assert answer is not None
        assert answer.status == (404 if path.endswith("NOBODY") else 200), path
        if path == "/api/docs/try":
            page.wait_for_selector(".opblock")
        examined.check(path)
    page.context.close()
    assert not examined.found, "\n".join(examined.found)


def test_every_page_is_somebodys(cases: dict[str, str]) -> None:
    reached = {path for role in Role for path in addresses(role, cases)}
    assert len(reached) >= len(PAGES) > 40
    assert all(re.search(r"[{}]", path) is None for path in reached)


FORMS = sorted(path for method, path in ROUTES if method == "POST" and path in PAGES)


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_axe_finds_nothing_on_a_form_that_was_sent_back(
    size: str, served: Served, cases: dict[str, str], chromium: Browser
) -> None:
    sent_back = []
    found = []
    for role in (Role.MANAGER, Role.REVIEWER, Role.ADMIN):
        page = open_page(chromium, size=size)
        examined = Examined(page)
        sign_in(page, role.value)
        for path in FORMS:
            if role_for(path) is not role or path in {"/sign-in", "/flags/{flag_id}/offers"}:
                continue
            page.goto(ADDRESS + path.format(**{**cases, **_that_is_asked(path, cases)}))
            page.locator("main form button[type=submit]").last.click()
            if "There is a problem" in page.locator("main").inner_text():
                sent_back.append(path)
                examined.check(f"{path} with errors")
        page.context.close()
        found += examined.found
    assert not found, "\n".join(found)
    assert len(sent_back) >= 12, sent_back


def _that_is_asked(path: str, cases: dict[str, str]) -> dict[str, str]:
    """Return another flag or household where a form asks only in some states."""
    if path.endswith("/outcome"):
        return {"flag_id": cases["offered_flag_id"]}
    if path.endswith("/purpose"):
        return {"household_id": household_id(UNFLAGGED)}
    return {}


@pytest.mark.parametrize(("size", "rank"), [("desktop", 21), ("phone", 22)])
def test_axe_finds_nothing_on_the_forms_of_a_flag_and_their_errors(
    size: str, rank: int, served: Served, chromium: Browser
) -> None:
    page = open_page(chromium, size=size)
    examined = Examined(page)
    sign_in(page, "reviewer")
    page.goto(f"{ADDRESS}/households/{household_id(rank)}")
    page.click("text=Take this flag")
    examined.check("the household after a change")
    decide = page.get_by_role("button", name="Decide", exact=True).get_attribute("href")
    assert decide
    for form in ("decision", "contact", "pause", "assessment", "offers"):
        page.goto(ADDRESS + decide.replace("decision", form))
        examined.check(form)
        if form != "offers":
            page.locator("main form button[type=submit]").click()
            assert "There is a problem" in page.locator("main").inner_text()
            examined.check(f"{form} with errors")
    page.context.close()
    assert not examined.found, "\n".join(examined.found)
