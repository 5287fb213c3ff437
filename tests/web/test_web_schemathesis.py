"""Generated requests, right and wrong, against every operation of the API, as every role."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import just
from schemathesis.checks import CHECKS, load_all_checks

from earlyflag.store.terms import Role
from tests.web.borough import OneScorer
from tests.web.conftest import ORIGIN, World, make_world

load_all_checks()
NOT_IN_A_SCHEMA = {
    # 412 where the flag's version is another one, 422 where a decision and its offers do not go
    # together: only the tests of a case's life know which sequence must be accepted
    "/decisions", "/contacts", "/outcomes", "/assignment",
    # 422 for a day after today or more than a year ago, which a schema cannot say
    "/alerts",
    # 422 for a cursor that no page gave
    "/flags",
}  # fmt: skip
"""Operations that may refuse what is well-formed, so that `positive_data_acceptance`, which sees
one request by itself, does not hold of them. Every other check does."""


def checks_of(operation: Any) -> list[Any]:
    """Return the checks that every answer of an operation must pass."""
    checks = CHECKS.get_all()
    if not operation.path.endswith(tuple(NOT_IN_A_SCHEMA)):
        return list(checks)
    return [check for check in checks if check.__name__ != "positive_data_acceptance"]


@pytest.fixture(scope="module")
def serving(borough_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A service that has a live scorer."""
    made = make_world(borough_file, tmp_path_factory.mktemp("serving"), scorer=OneScorer())
    yield made
    made.engine.dispose()


def operations(world: World) -> list[Any]:
    schema = schemathesis.openapi.from_asgi(
        "/api/openapi.json", world.app, headers={"Host": "127.0.0.1:8000"}
    )
    return [found.ok() for found in schema.get_all_operations()]


def walk(world: World, role: Role, examples: int) -> None:
    browser = world.browser(role.value)
    session = browser.client.cookies.get("earlyflag")
    token = browser.session_token
    always = {
        "Host": "127.0.0.1:8000",
        "Origin": ORIGIN,
        "X-CSRF-Token": token,
        "Cookie": f"earlyflag={session}",
    }
    listed = browser.get("/api/v1/flags?limit=1")
    flags = listed.json().get("flags", []) if listed.status_code == 200 else []
    known = {key: flags[0][key] for key in ("flag_id", "household_id")} if flags else {}
    turns = itertools.count()
    for operation in operations(world):

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(), checks=just(checks_of(operation)))
        def answers_as_described(case: Any, checks: list[Any]) -> None:
            # a generated reference is hardly ever a real one: every other request gets one that is
            if next(turns) % 2:
                case.path_parameters.update(
                    {name: known[name] for name in case.path_parameters if name in known}
                )
            answer = case.call(headers=always)
            case.validate_response(answer, checks=checks, headers=always)

        answers_as_described()


@pytest.mark.parametrize("role", list(Role))
def test_every_operation_answers_as_it_is_described(role: Role, serving: World) -> None:
    walk(serving, role, examples=3)


@pytest.mark.slow
@pytest.mark.parametrize("role", list(Role))
def test_every_operation_answers_as_it_is_described_many_times(role: Role, serving: World) -> None:
    walk(serving, role, examples=100)
