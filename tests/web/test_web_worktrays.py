"""Worktrays narrow by place, count, and keep their place while one pages on."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from tests.web.borough import SAFE_CONTACT, household_id
from tests.web.conftest import Browser

WARD = "E05000001"


def households(page: str) -> list[str]:
    return re.findall(r'<h2 class="govuk-heading-s"><a class="govuk-link" href="([^"]+)"', page)


def test_a_list_offers_the_wards_and_tenures_of_its_flags_with_their_counts(
    browser: Callable[[str], Browser],
) -> None:
    page = browser("officer").get("/work/unassigned").text
    assert page.count('name="ward"') == 4
    assert f">{WARD} (8)<" in page
    assert ">Council (15)<" in page
    # of the fifteen private ones the officer does not see the one that needs safe contact
    assert SAFE_CONTACT % 2 == 0
    assert ">Private (14)<" in page


def test_ward_and_tenure_narrow_a_list_and_are_taken_off_again_one_by_one(
    browser: Callable[[str], Browser],
) -> None:
    officer = browser("officer")
    page = officer.get(f"/work/unassigned?ward={WARD}&ward=E05000003&tenure=council").text
    assert ">15 flags<" in page
    tags = [unescape(one) for one in re.findall(r'class="moj-filter__tag" href="([^"]+)"', page)]
    assert tags == [
        "/work/unassigned?ward=E05000001&ward=E05000003",
        "/work/unassigned?tenure=council&ward=E05000003",
        "/work/unassigned?tenure=council&ward=E05000001",
    ]
    narrower = officer.get(tags[2]).text
    assert ">8 flags<" in narrower
    assert set(households(narrower)) == {
        f"/households/{household_id(rank)}" for rank in range(1, 31, 4)
    }
    assert ">0 flags<" in officer.get("/work/unassigned?ward=E05000001&tenure=private").text


def test_the_next_page_keeps_filters_and_order_and_shows_no_flag_twice(
    browser: Callable[[str], Browser],
) -> None:
    officer = browser("officer")
    first = officer.get("/work/unassigned?tenure=council&tenure=private&sort=raised").text
    found = re.search(r'href="([^"]+)" rel="next"', first)
    assert found is not None
    onward = unescape(found.group(1))
    assert "tenure=council&tenure=private&sort=raised&after=" in onward
    second = officer.get(onward).text
    seen = households(first) + households(second)
    assert len(seen) == len(set(seen)) == 29
    assert 'class="moj-filter__tag"' in second
    assert "First page" in second
