"""axe-core finds nothing on any page, at desktop and phone width."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.e2e.web.conftest import ADDRESS, Served, needs_axe, open_page, sign_in
from tests.web.borough import household_id

pytestmark = pytest.mark.needs_chromium

PAGES = {
    "manager": (
        "/about", "/work/mine", "/work/unassigned?band=highest", "/work/paused", "/work/all",
        "/assignments", "/look-up", f"/households/{household_id(20)}",
        f"/households/{household_id(38)}/purpose", f"/households/{household_id(20)}/objection",
        "/alerts", "/alerts/new", "/alerts/file", "/panels", "/panels/new", "/panels/overview",
        "/capacity", "/borough", "/pilot", "/model", "/model/features", "/objections",
        "/purposes", "/upload", "/api/docs",
    ),
    "auditor": ("/audit", f"/audit/households/{household_id(20)}"),
    "admin": ("/users", "/users/new", "/keys"),
}  # fmt: skip

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
        # an answer of 422 shows a form again; the browser reports it as a failed load
        if said.type == "error" and "422" not in said.text:
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
@pytest.mark.parametrize("username", PAGES)
def test_axe_finds_nothing(username: str, size: str, served: Served, chromium: Browser) -> None:
    page = open_page(chromium, size=size)
    examined = Examined(page)
    page.goto(f"{ADDRESS}/sign-in")
    examined.check("/sign-in")
    sign_in(page, username)
    for path in PAGES[username]:
        answer = page.goto(f"{ADDRESS}{path}")
        assert answer is not None
        assert answer.status == 200, path
        examined.check(path)
    page.context.close()
    assert examined.found == []


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
    assert examined.found == []
