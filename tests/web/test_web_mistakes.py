"""A fault of the database, or a mistake of ours, tells nobody's name to anybody."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog
from httpx import Response
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from earlyflag.core.logging import configure_logging
from earlyflag.store.terms import Scope
from tests.web.conftest import World
from tests.web.test_web_api import machine

CANARIES = ("Zebedee Canaryname", "77 Canary Row", "CN1 1RY", "CN11RY", "canary words")
ALERT = {
    "happened_on": "2027-02-20",
    "tenant_name": CANARIES[0],
    "address": CANARIES[1],
    "postcode": CANARIES[2],
    "statement": CANARIES[4],
}
FORM = {
    **{name: value for name, value in ALERT.items() if name != "happened_on"},
    "source": "landlord",
    "happened_on-day": "20",
    "happened_on-month": "2",
    "happened_on-year": "2027",
}


@pytest.fixture
def broken(world: World) -> World:
    """A service whose database takes no alert any more."""
    with world.engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER no_more BEFORE INSERT ON alerts "
                "BEGIN SELECT RAISE(ABORT, 'no more'); END"
            )
        )
    return world


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What the service writes to standard error."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    configure_logging()
    yield written
    structlog.reset_defaults()


def _through_the_api(world: World) -> Response:
    headers = {**machine(world, Scope.ALERTS_WRITE), "Idempotency-Key": "k1"}
    return world.client().post("/api/v1/alerts", json=ALERT, headers=headers)


def _through_the_page(world: World) -> Response:
    browser = world.browser("officer")
    return browser.post_form("/alerts/new", "/alerts/new", FORM)


@pytest.mark.parametrize("send", [_through_the_api, _through_the_page])
def test_a_fault_of_the_database_is_told_without_what_was_being_written(
    send: Callable[[World], Response], broken: World, log: io.StringIO
) -> None:
    answer = send(broken)
    assert answer.status_code == 500, answer.text
    assert "IntegrityError" in log.getvalue()
    assert re.search(r'"where": ".*store/\w+\.py:\d+', log.getvalue())
    for place in (answer.text, log.getvalue()):
        assert not [canary for canary in CANARIES if canary in place]


def test_the_answer_to_a_mistake_has_its_reference_and_every_guard_of_other_answers(
    broken: World,
) -> None:
    answer = _through_the_api(broken)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["correlation_id"] == answer.headers["X-Correlation-ID"]
    other = broken.browser("officer").get("/api/v1/flags")
    for guard in ("Content-Security-Policy", "X-Content-Type-Options", "Cache-Control"):
        assert answer.headers[guard] == other.headers[guard]


def test_an_error_of_the_database_names_no_parameter_wherever_it_is_printed(engine: Engine) -> None:
    insert = text("INSERT INTO alerts (alert_id, tenant_name) VALUES ('A1', :name)")
    with pytest.raises(DBAPIError) as raised, engine.begin() as connection:
        connection.execute(insert, {"name": CANARIES[0]})
    assert "parameters hidden" in str(raised.value)
    assert f"'{CANARIES[0]}'" not in str(raised.value)
