"""A served borough and a real browser: the system's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy import Engine

from earlyflag.cli.handed_in import DryRuns
from earlyflag.core.clock import FixedClock
from earlyflag.core.settings import Settings
from earlyflag.store.database import connect
from earlyflag.web.app import HandedIn, create_app
from tests.factories import lawful_bases
from tests.web.borough import PASSWORD, make_borough
from tests.web.conftest import NOW


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# Chosen once: forms are checked against the address that the service was told it has.
PORT = _free_port()
ADDRESS = f"http://127.0.0.1:{PORT}"
CHROMIUM = shutil.which("chromium") or "chromium"
AXE = Path(__file__).parents[3] / "build/assets/node_modules/axe-core/axe.min.js"
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take the pictures first: they show the borough before other tests work in it."""
    items.sort(key=lambda item: item.path.name != "test_web_pictures.py")


@dataclass
class Served:
    """A service that answers, its clock and its database."""

    clock: FixedClock
    engine: Engine
    address: str = ADDRESS


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The test borough, served on this machine until the tests end."""
    folder = tmp_path_factory.mktemp("served")
    make_borough(folder / "earlyflag.db", NOW)
    engine = connect(f"sqlite:///{folder}/earlyflag.db")
    clock = FixedClock(NOW)
    settings = Settings(
        home=folder, public_origin=ADDRESS, borough_name="Testborough", lawful_basis=lawful_bases()
    )
    app = create_app(
        settings, engine, HandedIn(clock=clock, is_demo=True, uploads=DryRuns(settings))
    )
    config = uvicorn.Config(app, host="127.0.0.1", port=PORT, log_level="error", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(200):
        if server.started:
            break
        time.sleep(0.05)
    yield Served(clock, engine)
    server.should_exit = True
    thread.join(timeout=10)
    engine.dispose()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium."""
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield browser
        browser.close()


def open_page(browser: Browser, *, size: str = "desktop", scripts: bool = True) -> Page:
    """Return a page in a browser window of its own, which fails on errors of its scripts."""
    context = browser.new_context(
        viewport=SIZES[size],  # type: ignore[arg-type]
        java_script_enabled=scripts,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


def sign_in(page: Page, username: str) -> None:
    """Sign somebody in through the page."""
    page.goto(f"{ADDRESS}/sign-in")
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("main button[type=submit]")


def needs_axe() -> str:
    """Return axe-core's source, from the pinned npm packages."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed: run python -m earlyflag.web.assets --force")
    return AXE.read_text(encoding="utf-8")
