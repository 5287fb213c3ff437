"""A small borough in a database, made with casework's own services, and clients for each role."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from earlyflag.casework.desk import Rules
from earlyflag.core.clock import FixedClock
from earlyflag.core.settings import Settings
from earlyflag.store.database import connect
from earlyflag.web.app import HandedIn, create_app
from tests.web.borough import PASSWORD, make_borough

NOW = datetime(2027, 3, 9, 10, 0, tzinfo=UTC)
AS_OF = date(2027, 3, 1)
ORIGIN = "http://127.0.0.1:8000"


@pytest.fixture(scope="session")
def borough_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a published run and raised flags; copied for every test."""
    path = tmp_path_factory.mktemp("borough") / "earlyflag.db"
    make_borough(path, NOW)
    return path


@dataclass
class World:
    """One test's service: its database, clock and address."""

    engine: Engine
    clock: FixedClock
    settings: Settings
    app: object

    def client(self) -> TestClient:
        """Return a browser that has not signed in."""
        return TestClient(self.app, base_url=ORIGIN, follow_redirects=False)  # type: ignore[arg-type]

    def browser(self, username: str) -> Browser:
        """Return a browser of somebody who has signed in."""
        browser = Browser(self.client())
        answer = browser.post_form(
            "/sign-in", "/sign-in", {"username": username, "password": PASSWORD}
        )
        assert answer.status_code == 303, answer.text
        return browser


class Browser:
    """A test client that sends forms as a browser does: with the page's token and an Origin."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, path: str, **more: object):
        return self.client.get(path, **more)

    @cached_property
    def session_token(self) -> str:
        """The form token of the session; the sign-out form on every page carries it."""
        return self.token("/about")

    def token(self, path: str) -> str:
        page = self.client.get(path)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert found, f"{path} has no form: {page.status_code} {page.text[:300]}"
        return found.group(1)

    def post_form(self, page: str, path: str, data: dict[str, object], **more: object):
        """Open a page and send a form of it."""
        filled = {"csrf_token": self.token(page), **data}
        return self.client.post(path, data=filled, headers={"Origin": ORIGIN}, **more)


def make_world(borough_file: Path, folder: Path, **handed_in: object) -> World:
    """Return a service on a copy of the borough."""
    database = folder / "earlyflag.db"
    shutil.copyfile(borough_file, database)
    engine = connect(f"sqlite:///{database}")
    clock = FixedClock(NOW)
    settings = Settings(home=folder, borough_name="Testborough", public_origin=ORIGIN)
    app = create_app(settings, engine, HandedIn(clock=clock, **handed_in))  # type: ignore[arg-type]
    return World(engine, clock, settings, app)


@pytest.fixture
def world(borough_file: Path, tmp_path: Path) -> Iterator[World]:
    """A service of its own for one test."""
    made = make_world(borough_file, tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture(scope="session")
def shared_world(borough_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One service for tests that only read or do not mind what others did."""
    made = make_world(borough_file, tmp_path_factory.mktemp("shared"))
    yield made
    made.engine.dispose()


@pytest.fixture
def browser(world: World) -> Callable[[str], Browser]:
    """Sign somebody in: `browser("officer")`."""
    return world.browser


def rules() -> Rules:
    """The rules of the test council."""
    return Rules.of(Settings())
