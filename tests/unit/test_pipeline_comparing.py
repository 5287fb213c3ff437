"""Two versions side by side: who would be listed by one and not the other, counted by group."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd

from earlyflag.pipeline.comparing import _listed, _listed_by_group

FOUND = SimpleNamespace(
    listed_by_both=3, newly_listed=("H01", "H02", "H30"), no_longer_listed=("H15", "H16")
)
GROUPS = pd.DataFrame(
    {
        "household_id": [f"H{number:02d}" for number in range(32)],
        "tenure": ["council"] * 15 + ["private"] * 13 + ["temporary"] * 4,
        "ethnic_group": [None] * 32,
    }
)


def test_who_is_listed_by_one_version_alone_is_counted():
    header, rows = _listed(FOUND, ("3", "4"))
    assert header == ("listed", "households")
    assert rows == [("by both", 3), ("by 3 alone", 2), ("by 4 alone", 3)]


def test_the_counts_go_by_group_and_a_small_group_is_not_printed():
    tables = {
        header[0]: (header[1:], rows)
        for header, rows in _listed_by_group(FOUND, GROUPS, ("3", "4"), 10)
    }
    headings, rows = tables["tenure"]
    assert headings == ("by 3 alone", "by 4 alone")
    assert rows == [("council", 0, 2), ("private", 2, 0)]
    assert tables["ethnic group"][1] == [("not known", 2, 3)]
    assert "household type" not in tables  # a characteristic that the data lack
    assert not any("H" in str(cell) for _, rows in tables.values() for row in rows for cell in row)
