"""The auditor's pages: who looked, and what a check of the log may claim."""

from __future__ import annotations

import pytest

from earlyflag import casework
from earlyflag.casework.desk import open_desk, system_actor
from tests.web.borough import household_id
from tests.web.conftest import World, rules


def _check(world: World) -> str:
    return world.browser("auditor").post_form("/audit", "/audit/verify", {}).text


def test_a_check_without_anything_from_outside_claims_no_more_than_it_may(world: World) -> None:
    said = _check(world)
    assert "The log is sound as far as it was checked" in said
    assert "No exported head was at hand" in said


def test_a_check_meets_the_exported_heads_of_the_home(world: World) -> None:
    heads = world.settings.heads_file
    casework.export_head(world.engine, heads, now=world.clock.now())
    said = _check(world)
    assert "1 exported head met" in said
    assert "No exported head was at hand" not in said
    assert "rows after it are vouched for by the chain inside the database alone" in said
    heads.write_text(f"2026-10-01T09:00:00+00:00 1 {'f' * 64}\n")
    said = _check(world)
    assert "The log has been tampered with" in said
    assert "Row 1 is not the one whose head was exported." in said


def test_a_list_that_showed_a_household_stands_on_its_page(world: World) -> None:
    world.browser("reviewer").get("/work/unassigned")
    page = world.browser("auditor").get(f"/audit/households/{household_id(1)}").text
    assert "List flags" in page


def test_who_looked_goes_on_to_older_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("earlyflag.web.pages.audits.MOST", 1)
    auditor = world.browser("auditor")
    here = f"/audit/households/{household_id(1)}"
    first = auditor.get(here).text
    assert f"{here}?before=" in first
    older = auditor.get(f"{here}?before=3").text
    assert "Newest rows" in older


def test_the_log_shows_the_purpose_of_an_export_as_it_was_said(world: World) -> None:
    with open_desk(
        world.engine, system_actor("scores"), now=world.clock.now(), rules=rules()
    ) as desk:
        casework.export_scores(desk, None, purpose="monthly list for the board")
    auditor = world.browser("auditor")
    assert "monthly list for the board" in auditor.get("/audit").text
    page = auditor.get(f"/audit/households/{household_id(1)}")
    assert "monthly list for the board" in page.text
