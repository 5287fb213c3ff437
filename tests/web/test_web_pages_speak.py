"""Pages say what an empty one waits for, keep their length in hand and speak plainly."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from earlyflag import casework
from earlyflag.store.terms import DocumentKind
from earlyflag.web.pages.model_card import card_sections
from earlyflag.web.wording import with_days
from tests.web.borough import household_id
from tests.web.conftest import NOW, Browser, World, rules

CARD = """# Owed a duty: model card

Trained to 2026-01-01.

## Data

<script>alert(1)</script> | and a table:

| Which | Value |
| --- | --- |
| One | `a|b` |

## Fairness

Groups.

### By sex

| Group | Rows |
| --- | --- |
| All | 20 |

### By age

None.

### By tenure

None.

### By ward

None.

## Limits

- None.
"""


def publish(
    world: World, kind: DocumentKind, content: dict[str, object], name: str = "one"
) -> None:
    """Put what a page shows into the borough."""
    actor = casework.system_actor("score")
    with casework.open_desk(world.engine, actor, now=NOW, rules=rules()) as desk:
        casework.put_document(desk, kind, name, content)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("from 2025-07-01 to 2025-10-01.", "from 1 July 2025 to 1 October 2025."),
        ("at 2026-11-22T23:48:33.5+00:00: yes", "at 22 November 2026: yes"),
        ("at 2026-06-30T23:30:00Z", "at 1 July 2026"),
        ("run 2026-10-01-8af51494da", "run 2026-10-01-8af51494da"),
        ("runs/2026-10-01/rejects", "runs/2026-10-01/rejects"),
        ("2026-13-01 is no day", "2026-13-01 is no day"),
        ("no day at all", "no day at all"),
    ],
)
def test_published_days_are_said_in_words_and_references_are_left_alone(
    written: str, said: str
) -> None:
    assert with_days(written) == said


def test_the_card_becomes_sections_whose_many_parts_are_folded() -> None:
    opening, data, fairness, limits = card_sections(CARD)
    assert opening.heading == "Owed a duty: model card"
    assert "1 January 2026" in opening.prose
    assert [one.heading for one in fairness.parts] == ["By sex", "By age", "By tenure", "By ward"]
    assert not data.parts
    assert len({one.anchor for one in (opening, data, fairness, limits)}) == 4


def test_a_table_of_the_card_has_a_caption_headings_and_no_live_markup() -> None:
    _, data, fairness, _ = card_sections(CARD)
    assert "<script>" not in data.prose
    assert '<caption class="govuk-visually-hidden">Data</caption>' in data.prose
    assert '<th scope="col" role="columnheader">Which</th>' in data.prose
    assert 'data-label="Rows"' in fairness.parts[0].prose
    assert 'aria-label="Fairness, By sex"' in fairness.parts[0].prose


def test_the_model_page_lists_its_contents_and_every_link_of_them_leads_somewhere(
    world: World,
) -> None:
    publish(world, DocumentKind.MODEL_CARD, {"markdown": CARD})
    page = world.browser("analyst").get("/model").text
    contents = page.split('class="ef-contents')[1].split("</nav>")[0]
    anchors = re.findall(r'href="#([^"]+)"', contents)
    assert len(anchors) == 5
    for anchor in anchors:
        assert len(re.findall(rf'id="{anchor}"', page)) == 1


def test_a_meeting_list_that_nothing_can_stand_on_says_what_to_do_first(
    browser: Callable[[str], Browser],
) -> None:
    page = browser("officer").get("/panels/new").text
    assert "<form" not in page.split("<main")[1].split("</main>")[0]
    assert "There is no household to choose yet." in page
    assert 'href="/work/unassigned"' in page
    assert "/assignments" not in page
    assert 'href="/assignments"' in browser("manager").get("/panels/new").text


def test_meetings_that_never_were_are_no_drawings_of_nothing(
    browser: Callable[[str], Browser],
) -> None:
    page = browser("manager").get("/panels/overview").text
    assert page.count("Nothing yet.") == 4
    assert "<svg" not in page


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/work/mine", "You have no flag to work on."),
        ("/work/paused", "No flag is paused."),
        ("/work/decided", "No flag has been decided yet."),
        ("/work/unassigned?origin=alert", "No flag has all of these. Remove a filter"),
    ],
)
def test_an_empty_list_says_why_it_is_empty(
    path: str, says: str, browser: Callable[[str], Browser]
) -> None:
    assert says in browser("officer").get(path).text


def test_no_page_of_a_flag_ranks_households_or_speaks_of_log_odds_beside_a_reason(
    browser: Callable[[str], Browser],
) -> None:
    page = browser("reviewer").get(f"/households/{household_id(2)}").text
    beside = re.findall(r'<p class="ef-reason__effect">(.*?)</p>', page)
    assert beside
    assert all(re.fullmatch(r"(Raised|Lowered) the score [a-z ]+", one) for one in beside)
    assert "Place in the borough" not in page


def test_whoever_is_lost_is_led_back(browser: Callable[[str], Browser]) -> None:
    answer = browser("officer").get("/nothing")
    assert answer.status_code == 404
    assert 'href="/">Go to the first page' in answer.text


@pytest.mark.parametrize(("version", "rank", "cautions"), [("3", 1, 1), ("3", 29, 0), ("2", 1, 0)])
def test_a_chance_above_all_that_were_checked_says_what_came_of_the_highest(
    version: str, rank: int, cautions: int, world: World
) -> None:
    top = {"expected": 0.2, "observed": 0.15, "low": 0.1, "high": 0.22}
    card: dict[str, object] = {"markdown": CARD, "version": version, "highest_checked": top}
    publish(world, DocumentKind.MODEL_CARD, card, "early_intervention")
    page = world.browser("reviewer").get(f"/households/{household_id(rank)}").text
    said = (
        "of those scored highest when the model was tested, about 15 in 100 were owed a duty "
        "(10 to 22 in 100)."
    )
    assert page.count(said) == cautions


def test_an_officer_takes_a_flag_from_the_list_and_an_analyst_does_not(
    browser: Callable[[str], Browser],
) -> None:
    assert browser("officer").get("/work/unassigned").text.count("Take this flag<") == 25
    assert "Take this flag" not in browser("analyst").get("/work/unassigned").text
    purpose = f"/households/{household_id(3)}/purpose"
    assert "take it from the list" in browser("officer").get(purpose).text
    assert "take it from the list" not in browser("analyst").get(purpose).text


@pytest.mark.parametrize("form", ["decision", "contact", "outcome", "pause", "assessment"])
def test_a_form_that_could_not_be_saved_says_so_before_it_is_filled_in(
    form: str, browser: Callable[[str], Browser]
) -> None:
    page = browser("reviewer").get(f"/households/{household_id(12)}").text
    take = re.search(r'action="/flags/([^/]+)/take"', page)
    assert take is not None
    answer = browser("officer").get(f"/flags/{take.group(1)}/{form}")
    assert answer.status_code == 403
    assert "Open its household from your list" in answer.text
    assert "<textarea" not in answer.text
