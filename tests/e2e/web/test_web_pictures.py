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
    """Return what tells two pages apart: every tag, attribute and word, and the style's sources.

    Left out is only what is drawn by chance: the forms' tokens, and references, of which only the
    order is kept. Dates and counts stay, since the borough and its clock are the same every time.
    """
    plain = re.sub(r'name="csrf_token" value="[^"]*"', "", html)
    order: dict[str, str] = {}
    plain = re.sub(
        r"\b[A-Z][a-z2-9]{12}\b",
        lambda found: order.setdefault(found[0], f"reference-{len(order)}"),
        plain,
    )
    return hashlib.sha256((sources_hash() + plain).encode()).hexdigest()


def test_a_fingerprint_tells_a_changed_word_count_or_tag_and_not_a_new_reference() -> None:
    page = (
        '<input name="csrf_token" value="one"><ul><li class="ef-tray__item">Fabcdefgh2345: 3 of 4'
        "</li></ul><td>7</td>"
    )
    same = page.replace('"one"', '"two"').replace("Fabcdefgh2345", "Fzzzzzzzz2345")
    assert fingerprint(same) == fingerprint(page)
    for before, after in (
        ("3 of 4", "2 of 4"),
        ("<td>7", "<td>8"),
        ("ul>", "ol>"),
        ("li c", "li  c"),
    ):
        assert fingerprint(page.replace(before, after)) != fingerprint(page)


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
