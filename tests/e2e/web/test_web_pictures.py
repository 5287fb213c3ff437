"""The pictures in the docs show the pages as they are: each stands beside its page's fingerprint.

`EARLYFLAG_DRAW_PICTURES=1 python -m pytest tests/e2e/web/test_web_pictures.py` draws them again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from earlyflag.web.assets.__main__ import sources_hash
from tests.e2e.web.conftest import ADDRESS, Served, open_page, sign_in
from tests.web.borough import household_id

pytestmark = pytest.mark.needs_chromium

FOLDER = Path(__file__).parents[3] / "docs" / "images"
FINGERPRINTS = FOLDER / "fingerprints.json"
PICTURES = {
    "worktray": ("second-officer", "/work/all?band=highest", "desktop"),
    "household": ("reviewer", f"/households/{household_id(24)}", "desktop"),
    "household-phone": ("reviewer", f"/households/{household_id(24)}", "phone"),
    "look-up": ("officer", "/look-up", "desktop"),
    "assignments": ("manager", "/assignments", "desktop"),
}
HEIGHT = 1800


def fingerprint(html: str) -> str:
    """Return what tells two pages apart, without what changes at every visit."""
    plain = re.sub(r'name="csrf_token" value="[^"]*"', "", html)
    plain = re.sub(r"\b[A-Z][a-z2-9]{12}\b", "", plain)
    plain = re.sub(r"\(\d+\)|\d+ flags|\d+ open flags|<td[^>]*>\d+</td>", "", plain)
    plain = re.sub(r'<li class="ef-tray__item">.*?</li>', "", plain, flags=re.DOTALL)
    plain = re.sub(r'<div class="govuk-checkboxes__item">.*?</div>', "", plain, flags=re.DOTALL)
    return hashlib.sha256((sources_hash() + plain).encode()).hexdigest()


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_its_page_as_it_is(name: str, served: Served, chromium: Browser) -> None:
    username, path, size = PICTURES[name]
    page = open_page(chromium, size=size)
    sign_in(page, username)
    page.goto(f"{ADDRESS}{path}")
    found = fingerprint(page.content())
    known = json.loads(FINGERPRINTS.read_text()) if FINGERPRINTS.is_file() else {}
    if os.environ.get("EARLYFLAG_DRAW_PICTURES"):
        FOLDER.mkdir(parents=True, exist_ok=True)
        width = page.viewport_size["width"] if page.viewport_size else 1280
        clip = {"x": 0, "y": 0, "width": width, "height": HEIGHT}
        page.screenshot(path=FOLDER / f"{name}.png", full_page=True, clip=clip)  # type: ignore[arg-type]
        FINGERPRINTS.write_text(json.dumps({**known, name: found}, indent=2, sort_keys=True) + "\n")
        known[name] = found
    page.context.close()
    assert (FOLDER / f"{name}.png").is_file()
    assert known.get(name) == found, (
        f"The page behind docs/images/{name}.png has changed. Draw the pictures again with "
        "EARLYFLAG_DRAW_PICTURES=1 and look at them."
    )
