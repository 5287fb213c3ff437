"""The borough's figures: sums over published scores, and small counts withheld."""

from __future__ import annotations

from datetime import date

import pytest

from earlyflag import casework
from earlyflag.core.errors import NotAllowed
from earlyflag.pipeline.borough_figures import NAME, borough_figures, publish_borough
from earlyflag.store.counting import WardCounts
from earlyflag.store.terms import DocumentKind
from tests.office import Office

HOUSEHOLDS = range(1, 121)
FLAGS = 40


@pytest.fixture
def counted(office: Office) -> Office:
    """An office with two data dates; flags are raised from the second."""
    office.publish(HOUSEHOLDS[:60], run_id="run-0", as_of=date(2026, 9, 1))
    office.publish(HOUSEHOLDS, run_id="run-1")
    office.raise_flags(FLAGS)
    return office


def _counts(office: Office) -> casework.BoroughCounts:
    with office.desk("score") as desk:
        return casework.borough_counts(desk, strongest=3)


def test_expected_duties_are_the_chances_added_up_at_each_data_date(counted: Office) -> None:
    runs = _counts(counted).runs
    assert [run.as_of for run, _ in runs] == [date(2026, 9, 1), date(2026, 10, 1)]
    for (_, counts), n in zip(runs, (60, 120), strict=True):
        # the chances of `tests.office.score`: 0.9 of what is left above each rank
        assert counts.scored == n
        assert counts.expected == pytest.approx(0.9 * n / 2, abs=1e-3)
    assert [counts.flags for _, counts in runs] == [0, FLAGS]


def test_only_the_newest_run_of_a_data_date_counts(counted: Office) -> None:
    counted.publish(HOUSEHOLDS[:30], run_id="run-2")
    runs = _counts(counted).runs
    assert [counts.scored for _, counts in runs] == [60, 30]


def test_a_reason_that_lowers_a_score_is_not_counted_among_those_that_raise_it(
    counted: Office,
) -> None:
    assert _counts(counted).reasons == {"Instalments": FLAGS, "Rent": FLAGS}
    with counted.desk("score") as desk:
        assert casework.borough_counts(desk, strongest=1).reasons == {"Instalments": FLAGS}


def test_wards_add_up_to_the_borough(counted: Office) -> None:
    counts = _counts(counted)
    _, whole = counts.runs[-1]
    assert [ward.ward_code for ward in counts.wards] == ["W0", "W1", "W2"]
    assert sum(ward.scored for ward in counts.wards) == whole.scored
    assert sum(ward.flags for ward in counts.wards) == FLAGS
    assert sum(ward.expected for ward in counts.wards) == pytest.approx(whole.expected)


def test_small_counts_and_what_would_tell_them_are_withheld(counted: Office) -> None:
    counts = _counts(counted)
    wards = (
        WardCounts("Large", 100, 5.0, 30),
        WardCounts("Middle", 80, 4.0, 12),
        WardCounts("Few flags", 70, 3.0, 4),
        WardCounts(None, 6, 0.1, 1),
    )
    reasons = {"Common": 25, "Rare": 9}
    content = borough_figures(casework.BoroughCounts(counts.runs, reasons, wards), 10)
    _, listed, by_ward = content["sections"]
    assert [row[0] for row in listed["table"]["rows"]] == ["Common"]
    assert "Rare" not in str(listed)
    rows = {row[0]: row[1:] for row in by_ward["table"]["rows"]}
    assert rows["Large"] == ["100", "5.0", "5.00%", "30"]
    # 4 and 1 are withheld, and 12 with them: the total would tell that they are 5
    assert rows["Few flags"][3] == rows["Middle"][3] == "withheld"
    assert rows["Not known"] == ["withheld"] * 4


def test_what_is_published_names_nobody_and_is_read_by_who_may_see_figures(
    counted: Office,
) -> None:
    with counted.desk("score") as desk:
        publish_borough(desk)
    with counted.desk("analyst") as desk:
        content = casework.get_document(desk, DocumentKind.BOROUGH, NAME).content
    assert "Canary" not in str(content)
    assert "H0001" not in str(content)
    assert len(content["sections"][0]["line"]) == 2
    for refused in ("admin", "auditor"):
        with pytest.raises(NotAllowed), counted.desk(refused) as desk:
            casework.get_document(desk, DocumentKind.BOROUGH, NAME)
    with pytest.raises(NotAllowed), counted.desk("analyst") as desk:
        casework.borough_counts(desk, strongest=3)


def test_nothing_is_published_before_anything_is_scored(office: Office) -> None:
    with office.desk("score") as desk:
        publish_borough(desk)
        assert casework.list_documents(desk, DocumentKind.BOROUGH) == []
