"""What the borough's page says of few households."""

from __future__ import annotations

from earlyflag.web.pages.figures import _counted


def test_a_small_count_is_withheld_and_cannot_be_told_from_the_others() -> None:
    rows = [("One", 2), ("Two", 40), ("Three", 25), ("None", 0)]
    section = _counted("Heading", "name", ("Which", "Flags"), rows, 10)
    assert section.table is not None
    shown = dict(section.table.rows)
    assert shown == {"One": "withheld", "Two": "40", "Three": "withheld", "None": "0"}


def test_two_small_counts_hide_one_another() -> None:
    rows = [("One", 2), ("Two", 40), ("Three", 3)]
    section = _counted("Heading", "name", ("Which", "Flags"), rows, 10)
    assert section.table is not None
    assert dict(section.table.rows) == {"One": "withheld", "Two": "40", "Three": "withheld"}
