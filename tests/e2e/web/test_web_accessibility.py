"""axe-core finds nothing on any page, at desktop and phone width."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser

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


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("username", PAGES)
def test_axe_finds_nothing(username: str, size: str, served: Served, chromium: Browser) -> None:
    axe = needs_axe()
    page = open_page(chromium, size=size)
    messages: list[str] = []
    page.on("console", lambda said: messages.append(said.text) if said.type == "error" else None)
    found: list[str] = []

    def check(path: str) -> None:
        # evaluated through the debugger, which the pages' content security policy lets pass
        page.evaluate(axe)
        result = page.evaluate(f"axe.run(document, {json.dumps(RULES)})")
        for one in result["violations"]:
            nodes = "; ".join(node["html"][:160] for node in one["nodes"][:3])
            found.append(f"{path}: {one['id']}: {one['help']}: {nodes}")
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if overflow > 1:
            found.append(f"{path}: the page is {overflow} pixels wider than the window")

    page.goto(f"{ADDRESS}/sign-in")
    check("/sign-in")
    sign_in(page, username)
    for path in PAGES[username]:
        answer = page.goto(f"{ADDRESS}{path}")
        assert answer is not None
        assert answer.status == 200, path
        for details in page.locator("details > summary").all():
            details.click()
        check(path)
    page.context.close()
    assert found == []
    assert messages == []
