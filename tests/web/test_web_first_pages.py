"""The first walk: sign in, see the worktray, open a household, look another one up."""

from __future__ import annotations

from collections.abc import Callable

from tests.web.borough import PASSWORD, UNFLAGGED, account_ref, household_id
from tests.web.conftest import ORIGIN, Browser, World


def test_whoever_is_not_signed_in_is_sent_to_the_sign_in_page_and_back(world: World) -> None:
    answer = world.client().get("/work/unassigned")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/work/unassigned"


def test_a_wrong_password_says_so_without_saying_which_part(world: World) -> None:
    browser = Browser(world.client())
    answer = browser.post_form("/sign-in", "/sign-in", {"username": "officer", "password": "wrong"})
    assert answer.status_code == 401
    assert "The username or the password is not right." in answer.text
    assert "Error: Sign in" in answer.text


def test_after_signing_in_one_goes_on_to_the_page_that_was_asked_for(world: World) -> None:
    browser = Browser(world.client())
    answer = browser.post_form(
        "/sign-in?next=/look-up",
        "/sign-in",
        {"username": "officer", "password": PASSWORD, "next": "/look-up"},
    )
    assert answer.headers["location"] == "/look-up"


def test_another_site_is_never_gone_on_to(world: World) -> None:
    browser = Browser(world.client())
    answer = browser.post_form(
        "/sign-in",
        "/sign-in",
        {"username": "officer", "password": PASSWORD, "next": "//elsewhere.example/x"},
    )
    assert answer.headers["location"] == "/work/mine"


def test_the_worktray_shows_address_band_and_the_first_two_reasons(
    browser: Callable[[str], Browser],
) -> None:
    page = browser("officer").get("/work/unassigned")
    assert page.status_code == 200
    assert "1 Canary Street" in page.text
    assert "Missed 3 of the last 4 council tax instalments" in page.text
    assert "Rent has been owed for 9 of the last 26 weeks" in page.text
    assert "Highest" in page.text


def test_a_household_outside_own_work_asks_for_the_purpose_first(
    browser: Callable[[str], Browser],
) -> None:
    officer = browser("officer")
    path = f"/households/{household_id(UNFLAGGED)}"
    asked = officer.get(path)
    assert asked.headers["location"] == f"{path}/purpose"
    form = officer.get(f"{path}/purpose").text
    assert "checked" not in form
    none_chosen = officer.post_form(f"{path}/purpose", f"{path}/purpose", {})
    assert none_chosen.status_code == 422
    assert "Select why you are opening this household" in none_chosen.text
    stated = officer.post_form(f"{path}/purpose", f"{path}/purpose", {"purpose": "household_asked"})
    assert stated.headers["location"] == path
    page = officer.get(path).text
    assert "cannot be read as safe" not in page
    assert "does not mean that a household is safe" in page
    assert page.index("What the records show") < page.index("What can be offered")
    assert page.index("What can be offered") < page.index("How likely")
    assert "The score decides no application" in page


def test_looking_up_puts_nothing_personal_in_an_address(
    browser: Callable[[str], Browser],
) -> None:
    officer = browser("officer")
    by_account = officer.post_form(
        "/look-up", "/look-up", {"kind": "account", "reference": account_ref(UNFLAGGED)}
    )
    assert f"/households/{household_id(UNFLAGGED)}" in by_account.text
    by_name = officer.post_form(
        "/look-up",
        "/look-up",
        {"kind": "name", "surname": f"Canaryname{UNFLAGGED}", "postcode": "zz99zz"},
    )
    assert f"/households/{household_id(UNFLAGGED)}" in by_name.text
    wildcard = officer.post_form(
        "/look-up", "/look-up", {"kind": "name", "surname": "Can*", "postcode": "ZZ9 9ZZ"}
    )
    assert "without wildcards" in wildcard.text


def test_the_score_of_the_api_adds_up(browser: Callable[[str], Browser]) -> None:
    reviewer = browser("reviewer")
    answer = reviewer.get(f"/api/v1/households/{household_id(2)}/score")
    assert answer.status_code == 200
    score = answer.json()
    total = score["base_log_odds"] + sum(r["contribution"] for r in score["reasons"])
    assert abs(total - score["log_odds"]) < 1e-9
    assert score["model_version"] == "early_intervention/3"


def test_health_and_metrics_answer_without_a_session(world: World) -> None:
    client = world.client()
    assert client.get("/health/live").json() == {"status": "alive"}
    assert client.get("/health/ready").json()["status"] == "ready"
    assert "earlyflag_requests_total" in client.get("/metrics").text


def test_a_form_without_its_token_changes_nothing(browser: Callable[[str], Browser]) -> None:
    officer = browser("officer")
    answer = officer.client.post("/look-up", data={"kind": "name"}, headers={"Origin": ORIGIN})
    assert answer.status_code == 403
    foreign = officer.client.post(
        "/look-up",
        data={"kind": "name", "csrf_token": officer.token("/look-up")},
        headers={"Origin": "https://elsewhere.example"},
    )
    assert foreign.status_code == 403
