"""A list comes first on a phone and stands beside its filters on a desk; pages print whole."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.e2e.web.conftest import ADDRESS, SIZES, Served, open_page, sign_in
from tests.web.borough import household_id

pytestmark = pytest.mark.needs_chromium

BOTH_WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])


@BOTH_WAYS
def test_on_a_phone_the_first_flag_is_seen_without_scrolling_and_filters_open(
    scripts: bool, served: Served, chromium: Browser
) -> None:
    page = open_page(chromium, size="phone", scripts=scripts)
    sign_in(page, "second-officer")
    page.goto(f"{ADDRESS}/work/all")
    place = page.locator(".ef-tray__item h2").first.bounding_box()
    assert place is not None
    assert place["y"] + place["height"] < SIZES["phone"]["height"]
    raised = page.get_by_label("Raised", exact=True).first
    assert not raised.is_visible()
    page.locator("summary", has_text="Filter and sort").click()
    raised.check()
    page.click("text=Apply filters")
    assert "band=raised" in page.url
    assert page.locator(".moj-filter__tag", has_text="Band: Raised").is_visible()
    page.context.close()


@BOTH_WAYS
def test_on_a_desk_the_filters_stand_open_beside_the_list(
    scripts: bool, served: Served, chromium: Browser
) -> None:
    page = open_page(chromium, scripts=scripts)
    sign_in(page, "second-officer")
    page.goto(f"{ADDRESS}/work/all")
    assert not page.locator(".ef-filter > summary").is_visible()
    page.get_by_label("Raised", exact=True).first.check()
    page.click("text=Apply filters")
    assert page.locator(".moj-filter__tag", has_text="Band: Raised").is_visible()
    page.context.close()


def test_a_printed_page_leaves_out_what_paper_cannot_do(served: Served, chromium: Browser) -> None:
    page = open_page(chromium)
    sign_in(page, "reviewer")
    page.goto(f"{ADDRESS}/households/{household_id(23)}")
    page.emulate_media(media="print")
    for gone in ("nav", ".ef-account", "text=Take this flag", ".govuk-back-link"):
        assert not page.locator(gone).first.is_visible(), gone
    assert page.locator("h1").is_visible()
    assert page.locator(".ef-reason").first.is_visible()
    clipped = page.evaluate(
        "[...document.querySelectorAll('.ef-scroll')]"
        ".filter(one => getComputedStyle(one).overflowX !== 'visible').length"
    )
    assert clipped == 0
    page.context.close()
