"""Two people at one flag, the same form sent twice, and forms that are wrong."""

from __future__ import annotations

import re

from tests.web.borough import household_id
from tests.web.conftest import Browser, World

DECISION = {
    "code": "already_known",
    "reason": "Floating support works with them.",
    "agrees": "no",
    "why": "already_resolved",
}


def flag_on(browser: Browser, household: str) -> tuple[str, str]:
    page = browser.get(f"/households/{household}").text
    flag = re.search(r'action="/flags/(\w+)/take"', page) or re.search(
        r'href="/flags/(\w+)/decision"', page
    )
    version = re.search(r'name="version" value="(\d+)"', page)
    assert flag, page
    return flag.group(1), version.group(1) if version else ""


def taken(browser: Browser, rank: int) -> str:
    page = f"/households/{household_id(rank)}"
    flag, version = flag_on(browser, household_id(rank))
    answer = browser.post_form(page, f"/flags/{flag}/take", {"version": version})
    assert answer.status_code == 303
    return flag


def test_two_reviewers_take_one_flag_and_the_second_sees_who_was_first(world: World) -> None:
    first, second = world.browser("reviewer"), world.browser("manager")
    page = f"/households/{household_id(1)}"
    flag, version = flag_on(first, household_id(1))
    token = second.token(page)
    assert (
        first.post_form(page, f"/flags/{flag}/take", {"version": version}).headers["location"]
        == f"{page}?done=taken"
    )
    answer = second.client.post(
        f"/flags/{flag}/take",
        data={"csrf_token": token, "version": version},
        headers={"Origin": "http://127.0.0.1:8000"},
    )
    assert answer.status_code in (409, 412)
    assert "This was changed since you opened it" in answer.text
    assert "Demo reviewer" in answer.text
    assert f"version {version}" in answer.text
    assert f"version {int(version) + 1}" in answer.text


def test_the_same_form_sent_twice_decides_once(world: World) -> None:
    reviewer = world.browser("reviewer")
    flag = taken(reviewer, 2)
    path = f"/flags/{flag}/decision"
    form = reviewer.get(path).text
    version = re.search(r'name="version" value="(\d+)"', form)
    assert version
    data = {**DECISION, "version": version.group(1)}
    assert reviewer.post_form(path, path, data).status_code == 303
    again = reviewer.client.post(
        path,
        data={**data, "csrf_token": reviewer.session_token},
        headers={"Origin": "http://127.0.0.1:8000"},
    )
    assert again.status_code in (409, 412)
    assert "Already known to a service" in again.text
    assert "Floating support works with them." in again.text
    history = reviewer.get(f"/api/v1/flags/{flag}").json()
    assert history["decision_code"] == "already_known"
    assert history["version"] == int(version.group(1)) + 1


def test_nothing_is_chosen_beforehand_on_the_decision(world: World) -> None:
    reviewer = world.browser("reviewer")
    flag = taken(reviewer, 3)
    page = reviewer.get(f"/flags/{flag}/decision").text
    assert " checked" not in page
    assert "<textarea" in page


def test_a_wrong_form_says_each_thing_and_keeps_what_was_typed(world: World) -> None:
    reviewer = world.browser("reviewer")
    path = f"/flags/{taken(reviewer, 5)}/decision"
    answer = reviewer.post_form(path, path, {"version": "2", "reason": "Typed with care"})
    assert answer.status_code == 422
    for said in (
        "Select what you decide",
        "Select yes if it was right to flag this household",
        "Select why it was or was not right",
    ):
        assert answer.text.count(said) == 2, said
    assert "Typed with care" in answer.text
    assert "<title>Error: Decide about this flag" in answer.text


def test_help_without_an_offer_is_sent_back_to_the_offers(world: World) -> None:
    reviewer = world.browser("reviewer")
    path = f"/flags/{taken(reviewer, 6)}/decision"
    answer = reviewer.post_form(path, path, {**DECISION, "code": "offer_help", "version": "2"})
    assert answer.status_code == 422
    assert 'href="#offers"' in answer.text


def test_a_date_that_does_not_exist_is_named(world: World) -> None:
    reviewer = world.browser("reviewer")
    path = f"/flags/{taken(reviewer, 7)}/pause"
    answer = reviewer.post_form(
        path,
        path,
        {
            "version": "2",
            "reason": "Away",
            "until-day": "31",
            "until-month": "2",
            "until-year": "2027",
        },
    )
    assert answer.status_code == 422
    assert "Pause until must be a real date" in answer.text
    assert 'href="#until-day"' in answer.text


def test_an_objection_suppresses_at_once_when_asked(world: World) -> None:
    reviewer = world.browser("reviewer")
    path = f"/households/{household_id(8)}/objection"
    answer = reviewer.post_form(
        path, path, {"kind": "objection", "statement": "Please stop.", "suppress": "yes"}
    )
    assert answer.status_code == 303
    assert "8 Canary Street" not in reviewer.get("/work/unassigned").text.replace("18 ", "")
    manager = world.browser("manager")
    assert "Please stop." in manager.get("/objections").text


def test_an_alert_is_acknowledged_without_revealing_anything(world: World) -> None:
    officer = world.browser("officer")
    alert = {
        "source": "landlord",
        "tenant_name": "Pat Canaryname39",
        "address": "39 Canary Street",
        "postcode": "ZZ9 9ZZ",
        "happened_on-day": "5",
        "happened_on-month": "3",
        "happened_on-year": "2027",
        "arrears": "412.50",
    }
    matched = officer.post_form("/alerts/new", "/alerts/new", alert)
    unmatched = officer.post_form(
        "/alerts/new", "/alerts/new", {**alert, "tenant_name": "Nobody Known"}
    )
    assert matched.headers["location"] == unmatched.headers["location"] == "/alerts?done=alerted"
    assert "39 Canary Street" in officer.get("/work/unassigned?origin=alert").text
    assert "Nobody Known" in world.browser("manager").get("/alerts").text


def test_a_file_of_alerts_is_taken_as_a_whole_or_not_at_all(world: World) -> None:
    officer = world.browser("officer")
    header = "tenant_name,address,postcode,happened_on,arrears_pounds\n"
    wrong = header + "A,1 Road,ZZ9 9ZZ,2027-03-01,12.50\nB,2 Road,ZZ9 9ZZ,01/03/2027,1\n"
    answer = officer.post_form(
        "/alerts/file", "/alerts/file", {"source": "agent"}, files={"file": ("a.csv", wrong)}
    )
    assert answer.status_code == 422
    assert "Row 3, happened_on" in answer.text
    right = header + "A,1 Road,ZZ9 9ZZ,2027-03-01,12.50\n"
    answer = officer.post_form(
        "/alerts/file", "/alerts/file", {"source": "agent"}, files={"file": ("a.csv", right)}
    )
    assert answer.status_code == 303
    assert world.browser("manager").get("/alerts").text.count("£12.50") == 1
