"""What must hold for any village: the order of rows and the future change nothing."""

from __future__ import annotations

import copy
import random
import tempfile
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.village import Village

FORENAMES = ("Grace", "John", "Asha", "Maria")
SURNAMES = ("Okafor", "Carter", "Begum")
BIRTHS = (None, "1970-01-02", "1970-02-01", "1999-05-05")
FIRST = date(2021, 1, 4)
AS_OF = "2021-07-01"


def few(examples: int) -> settings:
    """Return settings for a property whose every example links a village twice."""
    return settings(
        max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )


def days(low: int = 0, high: int = 300) -> st.SearchStrategy[date]:
    return st.integers(low, high).map(lambda number: FIRST + timedelta(days=number))


names = st.tuples(st.sampled_from(FORENAMES), st.sampled_from(SURNAMES)).map(" ".join)
uprns = st.sampled_from(["1", "2", None])
spells = st.tuples(days(), st.none() | days(60, 400), st.integers(0, 90))


@st.composite
def villages(draw: st.DrawFn) -> Village:
    village = Village().home("1").home("2", "E8 1AA")
    for number in range(draw(st.integers(1, 4))):
        since, until, late = draw(spells)
        ref, uprn = f"A{number}", draw(uprns)
        village.account(ref, uprn, str(since), _text(_after(since, until)),
                        known_on=str(since + timedelta(days=late)),
                        discount=draw(st.sampled_from(["none", "second_home"])))  # fmt: skip
        for person in range(draw(st.integers(0, 2))):
            village.payer(ref, f"c{number}{person}", draw(names), draw(st.sampled_from(BIRTHS)),
                          since=str(since + timedelta(days=draw(st.integers(0, 40)))),
                          until=_text(draw(st.none() | days(60, 400))),
                          role="joint" if person else "lead")  # fmt: skip
    for number in range(draw(st.integers(0, 3))):
        since, until, late = draw(spells)
        ref = f"T{number}"
        village.tenancy(ref, draw(uprns), str(since), _text(_after(since, until)),
                        known_on=str(since + timedelta(days=late)))  # fmt: skip
        for person in range(draw(st.integers(0, 2))):
            village.tenant(ref, f"t{number}{person}", draw(names), draw(st.sampled_from(BIRTHS)),
                           since=str(since + timedelta(days=draw(st.integers(0, 40)))),
                           superseded_on=_text(draw(st.none() | days(100, 400))))  # fmt: skip
    for number in range(draw(st.integers(0, 2))):
        village.case(f"K{number}", draw(names), draw(st.sampled_from(BIRTHS)), on=str(draw(days())),
                     uprn=draw(uprns))  # fmt: skip
    return village


def _after(since: date, until: date | None) -> date | None:
    return None if until is None else max(until, since)


def _text(day: date | None) -> str | None:
    return None if day is None else str(day)


def known_before(village: Village, as_of: str) -> Village:
    """Return the village as its tables were on a day: later rows, ends and corrections undone."""
    then = Village()
    for table, rows in village.rows.items():
        for row in copy.deepcopy(rows):
            known = row.get("known_on") or row.get("valid_from") or row.get("approached_on") or ""
            if known >= as_of:
                continue
            end_known = row.get("valid_to_known_on") or row.get("valid_to")
            if end_known and end_known >= as_of:
                row["valid_to"] = row["valid_to_known_on"] = None
            if row.get("superseded_on") and row["superseded_on"] >= as_of:
                row["superseded_on"] = None
            then.rows.setdefault(table, []).append(row)
    return then


def linked(village: Village) -> object:
    return village.link(Path(tempfile.mkdtemp(prefix="village-")), AS_OF)


@few(5)
@given(village=villages(), seed=st.integers(0, 1000))
def test_row_order_changes_no_household_and_no_identifier(village, seed):
    shuffled = copy.deepcopy(village)
    for rows in shuffled.rows.values():
        random.Random(seed).shuffle(rows)
    assert linked(village).everything() == linked(shuffled).everything()


@few(8)
@given(village=villages())
def test_what_was_not_known_yet_changes_no_household_and_no_identifier(village):
    with_future, without = linked(village), linked(known_before(village, AS_OF))
    assert with_future.household_of(AS_OF) == without.household_of(AS_OF)
    assert with_future.person_of(AS_OF) == without.person_of(AS_OF)
    assert with_future.home_of(AS_OF) == without.home_of(AS_OF)


@few(4)
@given(village=villages())
def test_nobody_is_in_two_households_and_every_open_home_is_in_one(village):
    found = linked(village)
    for month in range(2, 13):
        as_of = f"2021-{month:02d}-01"
        people = found._at("household_members", "person_id, household_id", as_of)
        assert len(people) == len({person for person, _ in people})
        homes = found._at("household_homes", "account_ref, tenancy_ref, household_id", as_of)
        assert len(homes) == len({home[:2] for home in homes})


@few(4)
@given(village=villages())
def test_cases_change_no_household(village):
    without = copy.deepcopy(village)
    without.rows.pop("homelessness_cases", None)
    assert linked(village).household_of(AS_OF) == linked(without).household_of(AS_OF)


@pytest.mark.slow
@few(60)
@given(village=villages(), seed=st.integers(0, 1000))
def test_many_villages_hold_all_properties_at_once(village, seed):
    shuffled = known_before(village, AS_OF)
    for rows in shuffled.rows.values():
        random.Random(seed).shuffle(rows)
    whole, then = linked(village), linked(shuffled)
    assert whole.household_of(AS_OF) == then.household_of(AS_OF)
    assert whole.home_of(AS_OF) == then.home_of(AS_OF)
