"""Every page that the application has, and who may open it: taken from both, written nowhere."""

from __future__ import annotations

from earlyflag.casework.permissions import ROLES
from earlyflag.store.terms import Role
from earlyflag.web.access import ROUTES
from earlyflag.web.pages import ROUTERS

NO_PAGES = {
    "/api/openapi.json",
    "/panels/{panel_id}/pack.pdf",
    "/sign-in/openid",
    "/sign-in/openid/return",
}
"""What is answered to a GET but is no page: data, a PDF, steps to another site and back."""

PAGES = sorted(
    {
        route.path  # type: ignore[attr-defined]
        for router in ROUTERS
        for route in router.routes
        if "GET" in route.methods  # type: ignore[attr-defined]
    }
    - NO_PAGES
)


def may_open(path: str, role: Role, method: str = "GET") -> bool:
    """Whether the role table lets a role come to a route."""
    access = ROUTES[method, path]
    return access.signed_in or bool(access.actions & ROLES[role].keys())


def pages_of(role: Role) -> list[str]:
    """Return every page that a role may open."""
    return [path for path in PAGES if may_open(path, role)]


def closed_to(role: Role) -> list[str]:
    """Return every page that a role may not open."""
    return [path for path in PAGES if not may_open(path, role) and not ROUTES["GET", path].public]
