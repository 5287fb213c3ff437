"""Every page opens for whoever may open it, and for nobody else: the table is complete."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute

from earlyflag.casework.permissions import ROLES
from earlyflag.store.terms import Role
from earlyflag.web.access import ROUTES, Access, access_to
from earlyflag.web.api import ROUTERS as API_ROUTERS
from earlyflag.web.pages import ROUTERS as PAGE_ROUTERS
from tests.web.borough import household_id
from tests.web.conftest import ORIGIN, Browser, World

SAMPLES = {
    "tray": "unassigned",
    "household_id": household_id(1),
    "flag_id": "Fnone",
    "panel_id": "Pnone",
    "action_id": "Nnone",
    "alert_id": "Wnone",
    "objection_id": "Bnone",
    "purpose_id": "Lnone",
    "account_id": "Anone",
    "key_id": "Knone",
}


def declared() -> Iterator[tuple[str, str]]:
    for router in (*PAGE_ROUTERS, *API_ROUTERS):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            for method in route.methods or ():
                yield method, route.path


def address(template: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: SAMPLES[found.group(1)], template)


def opens_to(access: Access, role: Role) -> bool:
    return access.signed_in or bool(access.actions & ROLES[role].keys())


def test_the_access_table_names_every_route_and_no_other() -> None:
    assert set(declared()) == set(ROUTES)


def test_a_route_that_the_table_does_not_name_is_open_to_nobody() -> None:
    access = access_to("GET", "/something/new")
    assert not access.public
    assert not any(opens_to(access, role) for role in Role)


@pytest.fixture(scope="module")
def browsers(shared_world: World) -> dict[Role, Browser]:
    return {role: shared_world.browser(role.value) for role in Role}


PROTECTED = sorted(key for key, access in ROUTES.items() if not access.public)


@pytest.mark.parametrize(("method", "template"), PROTECTED)
def test_a_route_opens_to_its_roles_and_refuses_the_others(
    method: str, template: str, browsers: dict[Role, Browser], shared_world: World
) -> None:
    access = ROUTES[method, template]
    if template == "/sign-out":
        return
    stranger = shared_world.client().request(method, address(template), headers={"Origin": ORIGIN})
    assert stranger.status_code in (303, 401)
    for role, browser in browsers.items():
        token = browser.session_token
        answer = browser.client.request(
            method,
            address(template),
            headers={"Origin": ORIGIN, "X-CSRF-Token": token},
            **(
                {"data": {"csrf_token": token}}
                if method == "POST" and "/api/" not in template
                else {}
            ),
        )
        refused = "Your role does not open this page" in answer.text
        assert refused is not opens_to(access, role), (role, method, template, answer.text[:300])
        if refused:
            assert answer.status_code == 403
        assert answer.status_code < 500 or answer.status_code == 503, (role, answer.text)


GET_PAGES = [path for method, path in PROTECTED if method == "GET" and "/api/v1" not in path]


@pytest.mark.parametrize("template", [path for path in GET_PAGES if "{" not in path])
def test_a_page_has_one_heading_that_its_title_begins_with(
    template: str, browsers: dict[Role, Browser]
) -> None:
    access = ROUTES["GET", template]
    role = next(role for role in Role if opens_to(access, role))
    answer = browsers[role].get(template)
    if answer.status_code == 303:
        return
    assert answer.status_code == 200, answer.text
    if not answer.headers["content-type"].startswith("text/html"):
        return
    headings = re.findall(r"<h1[^>]*>(.*?)</h1>", answer.text, re.DOTALL)
    title = re.search(r"<title>(.*?)</title>", answer.text)
    assert len(headings) == 1
    assert title is not None
    assert title.group(1).startswith(headings[0])
    assert "style=" not in answer.text
    assert "{{" not in answer.text
