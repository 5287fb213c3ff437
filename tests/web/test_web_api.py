"""The API's conventions: versions, keys done once, problems, pages, exports, machines."""

from __future__ import annotations

import csv
import io
import re
import time

import pytest

from earlyflag.casework.desk import open_desk, system_actor
from earlyflag.casework.machine_keys import make_key
from earlyflag.casework.suppressing import suppress
from earlyflag.core.errors import InputInvalid
from earlyflag.core.sheets import safe_cell, write_sheet
from earlyflag.store.terms import AlertSource, Scope, SuppressionKind
from earlyflag.store.units import begin
from earlyflag.web.limits import MOST_BYTES
from earlyflag.web.pacing import BEAT_SECONDS, on_the_beat
from earlyflag.web.problems import from_error
from tests.web.borough import SAFE_CONTACT, OneScorer, household_id
from tests.web.conftest import ORIGIN, Browser, World, make_world, rules


def changing(browser: Browser, key: str = "k1", version: str | None = None) -> dict[str, str]:
    headers = {"Origin": ORIGIN, "X-CSRF-Token": browser.session_token, "Idempotency-Key": key}
    return headers | ({"If-Match": version} if version else {})


def taken_flag(browser: Browser, rank: int) -> tuple[str, str]:
    flags = browser.get("/api/v1/flags?limit=200").json()["flags"]
    flag = next(one for one in flags if one["household_id"] == household_id(rank))
    answer = browser.client.put(
        f"/api/v1/flags/{flag['flag_id']}/assignment",
        json={},
        headers=changing(browser, version=f'"{flag["version"]}"'),
    )
    assert answer.status_code == 200, answer.text
    return flag["flag_id"], answer.headers["etag"]


DECISION = {"code": "already_known", "reason": "Known."}


def test_a_change_without_its_version_is_428_and_with_an_old_one_412(world: World) -> None:
    reviewer = world.browser("reviewer")
    flag, version = taken_flag(reviewer, 1)
    path = f"/api/v1/flags/{flag}/decisions"
    without = reviewer.client.post(path, json=DECISION, headers=changing(reviewer))
    assert without.status_code == 428
    stale = reviewer.client.post(path, json=DECISION, headers=changing(reviewer, version='"1"'))
    assert stale.status_code == 412
    assert "version 2" in stale.json()["detail"]
    assert "version 1" in stale.json()["detail"]
    good = reviewer.client.post(path, json=DECISION, headers=changing(reviewer, version=version))
    assert good.status_code == 201
    assert good.headers["etag"] == '"3"'


def test_the_same_request_under_one_key_is_done_once_and_answered_alike(world: World) -> None:
    reviewer = world.browser("reviewer")
    flag, version = taken_flag(reviewer, 2)
    path = f"/api/v1/flags/{flag}/decisions"
    headers = changing(reviewer, key="same", version=version)
    first = reviewer.client.post(path, json=DECISION, headers=headers)
    second = reviewer.client.post(path, json=DECISION, headers=headers)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    other = reviewer.client.post(path, json={**DECISION, "reason": "Other"}, headers=headers)
    assert other.status_code == 409


def test_a_problem_is_a_document_with_the_correlation_id_of_its_answer(world: World) -> None:
    reviewer = world.browser("reviewer")
    answer = reviewer.get("/api/v1/flags/Fnone")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]
    wrong = reviewer.get("/api/v1/flags?limit=abc").json()
    assert wrong["status"] == 422
    assert wrong["errors"][0] == {
        "field": "limit",
        "detail": "Input should be a valid integer, unable to parse string as an integer",
        "expected": "a valid integer",
        "got": "str",
    }


def test_what_cannot_be_read_is_told_by_field_expected_and_got(world: World) -> None:
    analyst = world.browser("analyst")
    headers = {**changing(analyst), "content-type": "application/json"}
    broken = analyst.client.post("/api/v1/score", content=b'{"rows":', headers=headers)
    assert broken.status_code == 422
    assert broken.json()["errors"][0]["field"] == "body"
    told = from_error(InputInvalid("Not declared.", "shoe_size", expected="a feature", got="none"))
    assert told.errors == [
        {"field": "shoe_size", "detail": "Not declared.", "expected": "a feature", "got": "none"}
    ]


def test_what_was_sent_never_stands_in_a_problem(world: World) -> None:
    officer = world.browser("officer")
    answer = officer.client.post(
        "/api/v1/households/search",
        json={"kind": "name", "surname": 7, "postcode": "SECRET-CANARY-1"},
        headers=changing(officer),
    )
    assert answer.status_code == 422
    assert "SECRET-CANARY" not in answer.text


def test_pages_of_flags_join_without_gap_or_repeat(world: World) -> None:
    reviewer = world.browser("reviewer")
    seen: list[str] = []
    cursor = ""
    while True:
        more = f"&cursor={cursor}" if cursor else ""
        answer = reviewer.get(f"/api/v1/flags?tray=unassigned&limit=7{more}").json()
        seen += [flag["household_id"] for flag in answer["flags"]]
        cursor = answer["next_cursor"]
        if not cursor:
            break
    expected = [household_id(rank) for rank in range(1, 31) if rank != SAFE_CONTACT]
    assert seen == expected


def test_times_are_utc_and_rfc_3339(world: World) -> None:
    flag = world.browser("reviewer").get("/api/v1/flags?limit=1").json()["flags"][0]
    assert re.fullmatch(r"2027-03-09T10:00:00Z", flag["raised_at"])


def machine(world: World, *scopes: Scope) -> dict[str, str]:
    desk_of = open_desk(world.engine, system_actor("keys"), now=world.clock.now(), rules=rules())
    with desk_of as desk:
        source = AlertSource.LANDLORD if Scope.ALERTS_WRITE in scopes else None
        secret, _key = make_key(desk, "Case system", scopes, alert_source=source)
    return {"Authorization": f"Bearer {secret}"}


def test_a_machine_reports_an_alert_and_learns_nothing(world: World) -> None:
    key = machine(world, Scope.ALERTS_WRITE)
    client = world.client()
    alert = {
        "happened_on": "2027-03-01",
        "tenant_name": "Pat Canaryname39",
        "address": "39 Canary Street",
        "postcode": "ZZ9 9ZZ",
    }
    known = client.post("/api/v1/alerts", json=alert, headers={**key, "Idempotency-Key": "a"})
    unknown = client.post(
        "/api/v1/alerts",
        json={**alert, "tenant_name": "No One"},
        headers={**key, "Idempotency-Key": "b"},
    )
    assert known.status_code == unknown.status_code == 202
    assert known.json().keys() == unknown.json().keys() == {"alert_id", "received"}
    assert client.get("/api/v1/flags", headers=key).status_code == 403
    assert client.get("/work/unassigned", headers=key).status_code == 303


def test_a_machine_reads_scores_under_pseudonyms_only(world: World) -> None:
    key = machine(world, Scope.HOUSEHOLDS_READ)
    answer = world.client().get(f"/api/v1/households/{household_id(3)}/score", headers=key)
    assert answer.status_code == 200
    home = world.client().get(f"/api/v1/households/{household_id(3)}", headers=key).json()
    assert home["address"] == ""
    assert home["members"] == []


def test_an_unknown_key_is_401_and_says_how_to_come_in(world: World) -> None:
    answer = world.client().get("/api/v1/flags", headers={"Authorization": "Bearer efk_no"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_an_export_leaves_suppressed_households_out_and_runs_no_formula(world: World) -> None:
    manager = world.browser("manager")
    rows = list(csv.DictReader(io.StringIO(manager.get("/api/v1/exports/flags.csv").text)))
    assert len(rows) == 29
    assert household_id(SAFE_CONTACT) not in {row["household_id"] for row in rows}
    listed = manager.get("/api/v1/exports/flags.json").json()["flags"]
    assert [row["flag_id"] for row in rows] == [row["flag_id"] for row in listed]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_cell_that_a_spreadsheet_would_run_is_made_text(start: str) -> None:
    assert safe_cell(f"{start}cmd()") == f"'{start}cmd()"
    assert write_sheet(["a"], [[-5]]) == "a\r\n-5\r\n"


def test_a_what_if_is_scored_with_reasons_that_add_up(borough_file, tmp_path) -> None:  # type: ignore[no-untyped-def]
    world = make_world(borough_file, tmp_path, scorer=OneScorer())
    reviewer = world.browser("reviewer")
    answer = reviewer.client.post(
        "/api/v1/score",
        json={"rows": [{"instalments_missed_4": 3}, {"rent_arrears_weeks": None}]},
        headers=changing(reviewer),
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["model_version"] == "early_intervention/3"
    assert len(answer.json()["scores"]) == 2
    for one in answer.json()["scores"]:
        total = one["base_log_odds"] + sum(r["contribution"] for r in one["reasons"])
        assert abs(total - one["log_odds"]) < 1e-9
    empty = reviewer.client.post("/api/v1/score", json={"rows": []}, headers=changing(reviewer))
    assert empty.status_code == 422
    world.engine.dispose()


@pytest.mark.parametrize("value", ["3", "nan", [3], {"a": 3}])
def test_a_value_that_is_no_number_is_one_error_that_names_its_row_and_field(  # type: ignore[no-untyped-def]
    borough_file, tmp_path, value: object
) -> None:
    world = make_world(borough_file, tmp_path, scorer=OneScorer())
    reviewer = world.browser("reviewer")
    rows = [{"rent_arrears_weeks": True}, {"instalments_missed_4": value}]
    answer = reviewer.client.post("/api/v1/score", json={"rows": rows}, headers=changing(reviewer))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["field"] == "rows.1.instalments_missed_4"
    assert error["expected"].startswith("a finite number")
    assert error["got"] == type(value).__name__
    world.engine.dispose()


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_body_too_large_to_read_is_refused_before_anybody_signs_in(
    world: World, is_announced: bool
) -> None:
    body = b'{"rows": [' + b" " * MOST_BYTES + b"]}"
    content = body if is_announced else iter([body[:MOST_BYTES], body[MOST_BYTES:]])
    answer = world.client().post(
        "/api/v1/score", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]
    assert "in parts" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/nothing", 404), ("DELETE", "/api/v1/flags", 405), ("POST", "/metrics", 405)],
)
def test_what_the_framework_refuses_is_a_problem_document_too(
    world: World, method: str, path: str, status: int
) -> None:
    answer = world.client().request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["correlation_id"] == answer.headers["x-correlation-id"]


def test_without_a_model_a_what_if_says_what_to_run(world: World) -> None:
    reviewer = world.browser("reviewer")
    answer = reviewer.client.post(
        "/api/v1/score", json={"rows": [{"a": 1}]}, headers=changing(reviewer)
    )
    assert answer.status_code == 503
    assert "earlyflag promote" in answer.json()["detail"]


def test_every_change_asks_for_its_key_and_every_change_to_a_flag_for_its_version(
    world: World,
) -> None:
    description = world.client().get("/api/openapi.json").json()
    makes_nothing = {"/api/v1/score", "/api/v1/households/search"}
    seen = []
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            if method == "get" or path in makes_nothing:
                continue
            asked = {one["name"]: one["required"] for one in operation["parameters"]}
            seen.append((method, path))
            assert {"400", "413", "422"} <= set(operation["responses"]), (method, path)
            if method == "post":
                assert asked["Idempotency-Key"], path
            if "/flags/{flag_id}/" in path:
                assert "If-Match" in asked, path
                assert {"412", "428"} <= set(operation["responses"]), path
    assert len(seen) >= 6


def test_every_operation_describes_itself_and_its_problems(world: World) -> None:
    description = world.client().get("/api/openapi.json").json()
    assert description["openapi"].startswith("3.1")
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            assert operation.get("description"), (method, path)
            if path.startswith("/api/"):
                assert {"401", "403"} <= set(operation["responses"]), (method, path)


def test_the_page_and_the_api_show_the_same_figures(world: World) -> None:
    reviewer = world.browser("reviewer")
    api = reviewer.get(f"/api/v1/households/{household_id(9)}/score").json()
    page = reviewer.get(f"/households/{household_id(9)}").text
    assert f"{api['log_odds']:+.3f}" in page
    for reason in api["reasons"]:
        assert f"{reason['contribution']:+.3f}" in page
        assert reason["sentence"] in page


NEEDS_SAFE_CONTACT = {"code": "safe_contact_needed", "reason": "At work only."}


def _reads(world: World, flag: str) -> int:
    with begin(world.engine) as unit:
        rows = unit.audit.page(action="read_flag", limit=200)
    return sum(row.subject == flag for row in rows)


def test_a_reviewer_may_decide_that_takes_a_flag_out_of_sight_and_is_told_no_more(
    world: World,
) -> None:
    reviewer = world.browser("reviewer")
    flag, version = taken_flag(reviewer, 1)
    path = f"/api/v1/flags/{flag}/decisions"
    headers = changing(reviewer, key="hide", version=version)
    answer = reviewer.client.post(path, json=NEEDS_SAFE_CONTACT, headers=headers)
    assert (answer.status_code, answer.json()) == (201, {"flag_id": flag})
    assert "etag" not in answer.headers
    again = reviewer.client.post(path, json=NEEDS_SAFE_CONTACT, headers=headers)
    assert (again.status_code, again.json()) == (201, {"flag_id": flag})
    assert again.headers["idempotent-replayed"] == "true"
    assert reviewer.get(f"/api/v1/flags/{flag}").status_code == 404
    with begin(world.engine) as unit:
        assert unit.flags.get(flag).safe_contact


def test_a_repeat_reads_the_flag_again_in_the_audit_and_with_its_version(world: World) -> None:
    reviewer = world.browser("reviewer")
    flag, version = taken_flag(reviewer, 2)
    path = f"/api/v1/flags/{flag}/decisions"
    headers = changing(reviewer, key="twice", version=version)
    first = reviewer.client.post(path, json=DECISION, headers=headers)
    before = _reads(world, flag)
    again = reviewer.client.post(path, json=DECISION, headers=headers)
    assert again.headers["etag"] == first.headers["etag"]
    assert _reads(world, flag) == before + 1
    other = changing(reviewer, key="twice", version='"1"')
    assert reviewer.client.post(path, json=DECISION, headers=other).status_code == 409


def test_a_repeat_shows_nothing_of_a_flag_that_was_hidden_since(world: World) -> None:
    reviewer = world.browser("reviewer")
    flag, version = taken_flag(reviewer, 2)
    path = f"/api/v1/flags/{flag}/decisions"
    headers = changing(reviewer, key="later", version=version)
    first = reviewer.client.post(path, json=DECISION, headers=headers).json()
    actor = system_actor("suppress")
    with open_desk(world.engine, actor, now=world.clock.now(), rules=rules()) as desk:
        suppress(desk, first["household_id"], SuppressionKind.SAFE_CONTACT)
    again = reviewer.client.post(path, json=DECISION, headers=headers)
    assert (again.status_code, again.json()) == (201, {"flag_id": flag})


def test_the_time_of_an_acknowledgement_tells_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(on_the_beat.__wrapped__, "__defaults__", (time.monotonic, waits.append))
    officer = world.browser("officer")
    alert = {"happened_on": "2027-03-01", "address": "39 Canary Street", "postcode": "ZZ9 9ZZ"}
    for number, name in enumerate(("Pat Canaryname39", "No One")):
        answer = officer.client.post(
            "/api/v1/alerts", json={**alert, "tenant_name": name},
            headers={**machine(world, Scope.ALERTS_WRITE), "Idempotency-Key": f"t{number}"},
        )  # fmt: skip
        assert answer.status_code == 202, answer.text
    assert len(waits) == 2
    assert all(0 <= wait <= BEAT_SECONDS for wait in waits)
