"""The door: headers, cookies, origins, tokens, sessions, and no canary where it must not be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from earlyflag.core.clock import FixedClock
from earlyflag.core.errors import SettingsInvalid
from earlyflag.core.logging import keep_allowed_fields
from earlyflag.core.settings import Settings
from earlyflag.store.database import connect
from earlyflag.store.terms import (
    AlertSource,
    AssessmentWhy,
    Barrier,
    ContactChannel,
    ContactResult,
    DecisionCode,
    DutyOwed,
    FlagOrigin,
    FlagSort,
    FlagState,
    Helped,
    ObjectionKind,
    OfferState,
    OutcomeCode,
    Permission,
    Purpose,
    Role,
    Scope,
    SuppressionKind,
    Tray,
)
from earlyflag.web.app import HandedIn, create_app
from earlyflag.web.limits import MOST_BYTES
from earlyflag.web.pages import codes
from earlyflag.web.rendering import STATIC
from earlyflag.web.security import Door
from tests.web.borough import CANARIES, PASSWORD, SAFE_CONTACT, account_ref, household_id
from tests.web.conftest import NOW, ORIGIN, Browser, World


def test_every_answer_carries_the_security_headers(world: World) -> None:
    client = world.client()
    for path in ("/sign-in", "/health/live", "/static/earlyflag.css", "/nothing/here"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        assert "unsafe-eval" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert re.fullmatch(r"[0-9a-f]{32}", headers["x-correlation-id"])
    assert client.get("/sign-in").headers["cache-control"] == "no-store"


def test_the_only_inline_script_is_the_one_that_the_policy_allows_by_its_hash(
    world: World,
) -> None:
    page = world.client().get("/sign-in")
    scripts = re.findall(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", page.text, re.DOTALL)
    assert len(scripts) == 1
    import base64
    import hashlib

    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    assert f"'sha256-{digest}'" in page.headers["content-security-policy"]


def test_cookies_are_host_bound_where_people_come_through_tls() -> None:
    assert Door("https://flags.example").session_cookie == "__Host-earlyflag"
    assert Door("http://127.0.0.1:8000").session_cookie == "earlyflag"


def test_the_session_cookie_is_hidden_from_scripts_and_other_sites(world: World) -> None:
    browser = Browser(world.client())
    answer = browser.post_form(
        "/sign-in", "/sign-in", {"username": "officer", "password": PASSWORD}
    )
    cookie = next(c for c in answer.headers.get_list("set-cookie") if c.startswith("earlyflag="))
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert "Path=/" in cookie


@pytest.mark.parametrize(
    ("after", "is_in"),
    [(timedelta(minutes=29), True), (timedelta(minutes=31), False), (timedelta(hours=11), False)],
)
def test_a_session_ends_when_it_was_idle_for_half_an_hour(
    after: timedelta, is_in: bool, world: World
) -> None:
    officer = world.browser("officer")
    world.clock.advance(after)
    assert (officer.get("/about").status_code == 200) is is_in


def test_a_busy_session_ends_after_ten_hours(world: World) -> None:
    officer = world.browser("officer")
    for _ in range(24):
        assert officer.get("/about").status_code == 200
        world.clock.advance(timedelta(minutes=25))
    answer = officer.get("/about")
    assert answer.status_code == 303
    assert "ended=1" in answer.headers["location"]


def test_signing_out_ends_the_session_on_the_server(world: World) -> None:
    officer = world.browser("officer")
    cookies = dict(officer.client.cookies)
    officer.post_form("/about", "/sign-out", {})
    officer.client.cookies.update(cookies)
    assert officer.get("/about").status_code == 303


def test_a_change_through_the_api_with_a_cookie_needs_the_token(
    browser: Callable[[str], Browser],
) -> None:
    officer = browser("officer")
    body = {"kind": "account", "reference": account_ref(1)}
    path = "/api/v1/households/search"
    without = officer.client.post(path, json=body, headers={"Origin": ORIGIN})
    assert without.status_code == 403
    token = {"Origin": ORIGIN, "X-CSRF-Token": officer.session_token}
    assert officer.client.post(path, json=body, headers=token).status_code == 200


@pytest.mark.parametrize("origin", ["null", "https://elsewhere.example", "http://127.0.0.1:9999"])
def test_a_form_of_another_origin_is_refused(
    origin: str, browser: Callable[[str], Browser]
) -> None:
    officer = browser("officer")
    token = officer.session_token
    answer = officer.client.post(
        "/look-up", data={"csrf_token": token, "kind": "uprn"}, headers={"Origin": origin}
    )
    assert answer.status_code == 403
    assert "sent from another site" in answer.text


def test_a_strange_host_name_is_not_answered(world: World) -> None:
    answer = world.client().get("/sign-in", headers={"Host": "rebound.example"})
    assert answer.status_code == 421
    machine = world.client().get("/api/v1/flags", headers={"Host": "rebound.example"})
    assert machine.status_code == 421
    assert machine.headers["Content-Type"] == "application/problem+json"
    assert machine.json()["correlation_id"] == machine.headers["X-Correlation-ID"]


def test_the_demo_refuses_to_be_reached_from_outside(borough_file: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, public_origin="https://flags.example")
    engine = connect(f"sqlite:///{borough_file}")
    with pytest.raises(SettingsInvalid, match="this machine only"):
        create_app(settings, engine, HandedIn(is_demo=True, clock=FixedClock(NOW)))
    engine.dispose()


def test_an_address_without_tls_is_refused_outside_this_machine(
    borough_file: Path, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, public_origin="http://flags.example")
    engine = connect(f"sqlite:///{borough_file}")
    with pytest.raises(SettingsInvalid, match="https"):
        create_app(settings, engine, HandedIn(clock=FixedClock(NOW)))
    engine.dispose()


@pytest.mark.parametrize("path", ["/sign-in", "/look-up", "/alerts/new"])
def test_a_form_that_is_too_large_is_refused_before_it_is_read(path: str, world: World) -> None:
    client = world.client() if path == "/sign-in" else world.browser("officer").client
    answer = client.post(path, data={"words": "x" * MOST_BYTES}, headers={"Origin": ORIGIN})
    assert answer.status_code == 413
    assert "10 MB" in answer.text


def test_extracts_may_be_larger_than_a_form(world: World) -> None:
    manager = world.browser("manager")
    answer = manager.client.post(
        "/upload",
        data={"csrf_token": manager.session_token},
        files={"files": ("council_tax_accounts.csv", b"x" * (MOST_BYTES + 1))},
        headers={"Origin": ORIGIN},
    )
    assert answer.status_code == 422
    assert "Uploads are not set up" in answer.text


def test_too_many_wrong_passwords_lock_for_a_while(world: World) -> None:
    browser = Browser(world.client())
    for _ in range(6):
        browser.post_form("/sign-in", "/sign-in", {"username": "officer", "password": "no"})
    answer = browser.post_form(
        "/sign-in", "/sign-in", {"username": "officer", "password": PASSWORD}
    )
    assert answer.status_code == 429
    assert "Too many failed attempts" in answer.text


def test_the_style_sheet_names_no_typeface_or_crest_that_is_not_ours() -> None:
    style = (STATIC / "earlyflag.css").read_text(encoding="utf-8").lower()
    for name in ("gds transport", "crown", "gov.uk", "govuk-crest"):
        assert name not in style
    assert "atkinson hyperlegible" in style
    pages = "".join(
        path.read_text(encoding="utf-8").lower() for path in STATIC.parent.glob("templates/*.html")
    )
    assert "govuklogo" not in pages
    assert "crown" not in pages


def test_no_page_asks_another_host_for_anything(world: World) -> None:
    manager = world.browser("manager")
    for path in ("/sign-in", "/work/unassigned", "/borough", "/api/docs/try"):
        page = manager.get(path).text
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', page)


def test_canaries_stand_in_no_address_log_or_figure(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = LogCapture()
    structlog.configure(processors=[keep_allowed_fields, capture])
    addresses: list[str] = []
    try:
        officer = world.browser("officer")
        searches = (
            {"kind": "account", "reference": account_ref(39)},
            {"kind": "name", "surname": "Canaryname39", "postcode": "ZZ9 9ZZ"},
            {"kind": "name", "surname": "Canaryname39*", "postcode": "ZZ9 9ZZ"},
        )
        for search in searches:
            answer = officer.post_form("/look-up", "/look-up", search)
            addresses += re.findall(r'(?:href|action)="([^"]+)"', answer.text)
            addresses.append(str(answer.url))
        page = f"/households/{household_id(39)}"
        officer.post_form(f"{page}/purpose", f"{page}/purpose", {"purpose": "safeguarding"})
        addresses += re.findall(r'(?:href|action)="([^"]+)"', officer.get(page).text)
        officer.get("/nothing/Canaryname39?x=Canary+Street")
        figures = world.client().get("/metrics").text
    finally:
        structlog.reset_defaults()
    told = json.dumps(capture.entries) + capsys.readouterr().err
    assert len(capture.entries) > 5
    for canary in CANARIES:
        assert not [one for one in addresses if canary in one]
        assert canary not in figures
        assert canary not in told


def test_an_analyst_sees_no_name_address_reference_or_words(world: World) -> None:
    analyst = world.browser("analyst")
    pages = [
        analyst.get(path).text
        for path in (
            "/work/unassigned",
            f"/households/{household_id(2)}",
            "/borough",
            "/model",
            "/capacity",
        )
    ]
    api = [
        analyst.get(f"/api/v1/households/{household_id(2)}{part}").text
        for part in ("", "/score", "/evidence", "/history")
    ]
    flags = analyst.get("/api/v1/flags").text
    for text in (*pages, *api, flags):
        for canary in CANARIES:
            assert canary not in text
    assert household_id(2) in pages[0]


def test_a_household_that_needs_safe_contact_exists_only_for_holders_of_the_permission(
    world: World,
) -> None:
    path = f"/households/{household_id(SAFE_CONTACT)}"
    officer, holder = world.browser("officer"), world.browser("safe")
    purpose = officer.post_form(
        "/look-up", "/look-up", {"kind": "account", "reference": account_ref(SAFE_CONTACT)}
    )
    assert "No household found" in purpose.text
    assert officer.get(path).status_code == 404
    assert household_id(SAFE_CONTACT) not in officer.get("/work/unassigned").text
    assert household_id(SAFE_CONTACT) in holder.get("/work/unassigned").text


WORDED = (
    (Tray, codes.TRAYS), (FlagState, codes.STATES), (FlagOrigin, codes.ORIGINS),
    (FlagSort, codes.SORTS), (DecisionCode, codes.DECISIONS), (AssessmentWhy, codes.ASSESSMENTS),
    (ContactChannel, codes.CHANNELS), (ContactResult, codes.RESULTS), (Helped, codes.HELPED),
    (OutcomeCode, codes.OUTCOMES), (DutyOwed, codes.DUTIES), (Purpose, codes.PURPOSES),
    (ObjectionKind, codes.OBJECTIONS), (AlertSource, codes.ALERT_SOURCES),
    (Barrier, codes.BARRIERS), (Role, codes.ROLES), (Permission, codes.PERMISSIONS),
    (Scope, codes.SCOPES), (SuppressionKind, codes.SUPPRESSIONS), (OfferState, codes.OFFER_STATES),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "words"), WORDED)
def test_every_code_has_its_words(kind: type, words: dict[str, str]) -> None:
    assert set(words) == set(kind)  # type: ignore[arg-type]
