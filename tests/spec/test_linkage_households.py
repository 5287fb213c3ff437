"""Who shares a home from month to month, in cases that a housing officer would recognise."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from earlyflag.core.errors import LinkageConflict, StepMissing
from earlyflag.linkage import households, load
from tests.village import Village

SINCE = "2020-01-10"
BEFORE, AFTER = "2021-01-01", "2021-07-01"


def family() -> Village:
    """Rosa and Luis, with Ana, their grown-up daughter, at home 1."""
    village = Village().home("1").home("2", "E8 1AA").home("3", "E9 7SS")
    village.account("A1", "1", SINCE).tenancy("T1", "1", SINCE)
    village.payer("A1", "rosa-c", "Rosa Mendes", "1970-01-02")
    village.tenant("T1", "rosa-t", "Rosa Mendes", "1970-01-02")
    return village


def test_account_and_tenancy_of_one_person_at_one_home_are_one_household(tmp_path):
    linked = family().link(tmp_path, BEFORE)
    assert linked.people(BEFORE) == {frozenset({"rosa-c", "rosa-t"})}
    assert len(set(linked.home_of(BEFORE).values())) == 1


def test_an_adult_child_who_leaves_is_a_new_household_and_the_parents_keep_theirs(tmp_path):
    village = family()
    village.tenant("T1", "ana-t", "Ana Mendes", "1999-05-05", until="2021-03-10",
                   relationship="adult_child")  # fmt: skip
    village.account("A2", "2", "2021-03-10")
    village.payer("A2", "ana-c", "Ana Mendes", "1999-05-05", since="2021-03-10")
    linked = village.link(tmp_path, BEFORE, AFTER)
    before, after = linked.household_of(BEFORE), linked.household_of(AFTER)
    assert before["ana-t"] == before["rosa-c"] == after["rosa-c"]
    assert after["ana-c"] != after["rosa-c"]


@pytest.mark.parametrize("who_leaves", ["lead", "joint"])
def test_when_a_couple_separates_the_side_of_the_accounts_lead_keeps_the_household(
    tmp_path, who_leaves
):
    village = Village().home("1").home("2", "E8 1AA")
    until = {who_leaves: "2021-03-10"}
    village.account("A1", "1", SINCE).account("A2", "2", "2021-03-10")
    village.payer("A1", "rosa", "Rosa Mendes", "1970-01-02", until=until.get("lead"))
    village.payer("A1", "luis", "Luis Mendes", "1971-01-02", until=until.get("joint"), role="joint")
    gone = "Rosa Mendes" if who_leaves == "lead" else "Luis Mendes"
    born = "1970-01-02" if who_leaves == "lead" else "1971-01-02"
    village.payer("A2", "gone", gone, born, since="2021-03-10")
    linked = village.link(tmp_path, BEFORE, AFTER)
    before, after = linked.household_of(BEFORE), linked.household_of(AFTER)
    lead_after = after["gone"] if who_leaves == "lead" else after["rosa"]
    other_after = after["luis"] if who_leaves == "lead" else after["gone"]
    assert before["rosa"] == before["luis"] == lead_after
    assert other_after != lead_after


def test_a_household_that_moves_inside_the_borough_keeps_its_identifier(tmp_path):
    village = Village().home("1").home("2", "E8 1AA")
    village.account("A1", "1", SINCE, "2021-03-10").account("A2", "2", "2021-03-10")
    village.payer("A1", "old", "Rosa Mendes", "1970-01-02", until="2021-03-10")
    village.payer("A2", "new", "Rosa Mendes", "1970-01-02", since="2021-03-10")
    linked = village.link(tmp_path, BEFORE, AFTER)
    assert linked.household_of(BEFORE)["old"] == linked.household_of(AFTER)["new"]
    assert set(linked.home_of(AFTER)) == {"A2"}


def test_a_household_that_is_unseen_for_some_months_between_homes_is_the_same_one(tmp_path):
    village = Village().home("1").home("2", "E8 1AA")
    village.account("A1", "1", SINCE, "2021-01-10").account("A2", "2", "2021-06-10")
    village.payer("A1", "old", "Rosa Mendes", "1970-01-02", until="2021-01-10")
    village.payer("A2", "new", "Rosa Mendes", "1970-01-02", since="2021-06-10")
    linked = village.link(tmp_path, BEFORE, AFTER)
    assert linked.household_of("2021-04-01") == {}
    assert linked.household_of(BEFORE)["old"] == linked.household_of(AFTER)["new"]


def test_a_former_home_whose_end_is_not_known_yet_goes_with_the_household(tmp_path):
    village = Village().home("1").home("2", "E8 1AA")
    village.account("A1", "1", SINCE, "2021-03-10", valid_to_known_on="2021-09-10")
    village.account("A2", "2", "2021-03-10")
    village.payer("A1", "old", "Rosa Mendes", "1970-01-02", until="2021-03-10",
                  valid_to_known_on="2021-09-10")  # fmt: skip
    village.payer("A2", "new", "Rosa Mendes", "1970-01-02", since="2021-03-10")
    linked = village.link(tmp_path, BEFORE, AFTER)
    assert set(linked.home_of(AFTER)) == {"A1", "A2"}
    assert len(set(linked.home_of(AFTER).values())) == 1
    assert set(linked.home_of("2021-10-01")) == {"A2"}


def test_two_households_that_move_together_go_on_as_the_older(tmp_path):
    village = Village().home("1").home("2", "E8 1AA").home("3", "E9 7SS")
    village.account("A1", "1", SINCE, "2021-03-10").account("A2", "2", "2020-06-10", "2021-03-10")
    village.account("A3", "3", "2021-03-10")
    village.payer("A1", "rosa", "Rosa Mendes", "1970-01-02", until="2021-03-10")
    village.payer("A2", "luis", "Luis Prado", "1971-01-02", since="2020-06-10", until="2021-03-10")
    village.payer("A3", "luis-3", "Luis Prado", "1971-01-02", since="2021-03-10")
    village.payer("A3", "rosa-3", "Rosa Mendes", "1970-01-02", since="2021-03-10", role="joint")
    linked = village.link(tmp_path, BEFORE, AFTER)
    before, after = linked.household_of(BEFORE), linked.household_of(AFTER)
    assert before["rosa"] != before["luis"]
    assert after["rosa-3"] == after["luis-3"] == before["rosa"]


def test_in_a_house_in_multiple_occupation_each_tenancy_is_a_household(tmp_path):
    village = Village().home("1").account("A1", "1", "2015-01-10")
    for number, (name, since) in enumerate(
        [("Tunde Bello", "2019-01-10"), ("Wei Chen", "2020-02-10"), ("Olga Petrova", "2020-09-10")]
    ):
        village.tenancy(f"T{number}", "1", since, landlord="private")
        village.tenant(f"T{number}", f"t{number}", name, f"199{number}-01-02", since=since)
    linked = village.link(tmp_path, BEFORE)
    assert linked.people(BEFORE) == {frozenset({"t0"}), frozenset({"t1"}), frozenset({"t2"})}
    assert len(set(linked.home_of(BEFORE).values())) == 4


def test_the_owner_of_a_second_home_is_one_household_at_the_main_home(tmp_path):
    village = family()
    village.account("A2", "2", "2020-08-10", discount="second_home")
    village.payer("A2", "rosa-2", "Rosa Mendes", "1970-01-02", since="2020-08-10")
    linked = village.link(tmp_path, BEFORE)
    homes = linked.home_of(BEFORE)
    assert homes["A1"] == homes["T1"] == homes["A2"]
    assert linked.people(BEFORE) == {frozenset({"rosa-c", "rosa-t", "rosa-2"})}


def test_an_account_that_names_nobody_is_a_household(tmp_path):
    village = Village()
    for number in range(3):
        village.account(f"A{number}", f"{number + 1}", SINCE)
    linked = village.link(tmp_path, BEFORE)
    assert len(set(linked.home_of(BEFORE).values())) == 3


def test_an_account_without_a_uprn_is_a_household_of_its_own(tmp_path):
    village = Village().account("A1", None, SINCE).account("A2", None, SINCE)
    linked = village.link(tmp_path, BEFORE)
    assert len(set(linked.home_of(BEFORE).values())) == 2


def test_without_uprns_the_people_hold_account_and_tenancy_together(tmp_path):
    village = Village().account("A1", None, SINCE).tenancy("T1", None, SINCE)
    village.payer("A1", "c", "Rosa Mendes", "1970-01-02")
    village.tenant("T1", "t", "Rosa Mendes", "1970-01-02")
    linked = village.link(tmp_path, BEFORE)
    assert linked.people(BEFORE) == {frozenset({"c", "t"})}
    assert len(set(linked.home_of(BEFORE).values())) == 1


def test_a_new_row_for_a_new_payment_method_changes_nothing(tmp_path):
    village = Village().home("1")
    village.account("A1", "1", SINCE, "2021-03-31")
    village.account("A1", "1", "2021-04-01", payment_method="direct_debit")
    village.payer("A1", "rosa", "Rosa Mendes", "1970-01-02")
    rows = village.link(tmp_path, BEFORE).con.sql("FROM household_homes").fetchall()
    assert len(rows) == 1


def test_the_next_tenant_of_a_home_is_another_household(tmp_path):
    village = Village().home("1")
    village.account("A1", "1", SINCE, "2021-03-10").account("A2", "1", "2021-03-11")
    village.payer("A1", "rosa", "Rosa Mendes", "1970-01-02", until="2021-03-10")
    village.payer("A2", "luis", "Luis Prado", "1971-01-02", since="2021-03-11")
    linked = village.link(tmp_path, BEFORE)
    assert linked.household_of(BEFORE)["rosa"] != linked.household_of(AFTER)["luis"]


def test_a_link_is_there_only_once_both_records_are_known(tmp_path):
    village = Village().home("1").home("2", "E8 1AA")
    village.account("A1", "1", SINCE).account("A2", "2", SINCE)
    village.payer("A1", "first", "Rosa Mendes", "1970-01-02")
    village.payer("A2", "late", "Rosa Mendes", "1970-01-02", known_on="2021-02-15")
    linked = village.link(tmp_path, BEFORE)
    assert "late" not in linked.household_of("2021-02-01")
    after = linked.person_of("2021-03-01")
    assert after["first"] == after["late"]


def test_a_home_that_is_recorded_late_is_not_there_before(tmp_path):
    village = Village().home("1").account("A1", "1", SINCE, known_on="2021-02-15")
    village.payer("A1", "rosa", "Rosa Mendes", "1970-01-02")
    linked = village.link(tmp_path, BEFORE)
    assert linked.household_of("2021-02-01") == linked.home_of("2021-02-01") == {}
    assert set(linked.home_of("2021-03-01")) == {"A1"}


def test_a_corrected_row_holds_until_the_day_of_its_correction(tmp_path):
    village = family()
    village.rows["tenancy_people"] = []
    village.tenant("T1", "rosa-t", "Rosa Mendez", "1907-12-31", superseded_on="2021-02-15")
    village.tenant("T1", "rosa-t", "Rosa Mendes", "1970-01-02", known_on="2021-02-15")
    linked = village.link(tmp_path, BEFORE)
    before, after = linked.person_of("2021-02-01"), linked.person_of("2021-03-01")
    assert before["rosa-t"] != before["rosa-c"]
    assert after["rosa-t"] == after["rosa-c"]


@pytest.mark.parametrize("source", ["council_tax", "tenancy"])
def test_a_roster_corrected_to_have_ended_lists_nobody_after_the_correction(tmp_path, source):
    village = family()
    wrong = {"since": SINCE, "superseded_on": "2021-02-15"}
    right = {"since": SINCE, "until": "2020-06-30", "known_on": "2021-02-15"}
    for row in (wrong, right):
        if source == "council_tax":
            village.payer("A1", "guest", "Omar Haddad", "1991-03-04", role="joint", **row)
        else:
            village.tenant("T1", "guest", "Omar Haddad", "1991-03-04", **row)
    linked = village.link(tmp_path, BEFORE)
    before = linked.household_of("2021-02-01")
    assert before["guest"] == before["rosa-c"]
    assert "guest" not in linked.household_of("2021-03-01")


@pytest.mark.parametrize(("first", "second"), [("1", "2"), ("2", "1")])
def test_an_account_corrected_to_another_home_leaves_the_first_one(tmp_path, first, second):
    village = Village().home("1").home("2", "E8 1AA")
    village.account("A1", first, SINCE, superseded_on="2021-02-15")
    village.account("A1", second, SINCE, known_on="2021-02-15")
    village.tenancy("T1", first, SINCE)
    linked = village.link(tmp_path, BEFORE)
    before, after = linked.home_of("2021-02-01"), linked.home_of("2021-03-01")
    assert before["A1"] == before["T1"]
    assert after["A1"] != after["T1"]


def test_a_name_that_was_corrected_away_links_nobody_any_more(tmp_path):
    village = family()
    village.rows["tenancy_people"] = []
    village.tenant("T1", "rosa-t", "Rosa Mendes", "1970-01-02", superseded_on="2021-02-15")
    village.tenant("T1", "rosa-t", "Ivan Petrov", "1991-11-12", known_on="2021-02-15")
    linked = village.link(tmp_path, BEFORE)
    before, after = linked.person_of("2021-02-01"), linked.person_of("2021-03-01")
    assert before["rosa-t"] == before["rosa-c"]
    assert after["rosa-t"] != after["rosa-c"]


def test_one_more_month_changes_no_identifier(tmp_path):
    village = family()
    first = village.link(tmp_path / "first", BEFORE).household_of(BEFORE)
    again = village.link(tmp_path / "again", BEFORE, "2021-02-01", AFTER)
    assert again.household_of(BEFORE) == again.household_of(AFTER) == first


def test_a_cut_off_inside_a_month_sees_what_was_known_by_then(tmp_path):
    village = family()
    village.tenant("T1", "ana", "Ana Mendes", "1999-05-05", since="2021-03-10",
                   relationship="adult_child")  # fmt: skip
    linked = village.link(tmp_path, BEFORE, "2021-03-15")
    assert "ana" not in linked.household_of("2021-03-01")
    assert "ana" in linked.household_of("2021-03-15")


def test_progress_is_told_once_for_each_cut_off(tmp_path):
    told: list[int] = []
    family().link(tmp_path, BEFORE, "2021-02-01", AFTER, advance=told.append)
    assert told == [1, 1, 1]


def test_no_rows_at_all_are_no_households(tmp_path):
    linked = Village().link(tmp_path, BEFORE)
    assert linked.people(BEFORE) == set()


def test_nobody_can_be_written_into_two_households():
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE household_members (household_id VARCHAR, person_id VARCHAR, source VARCHAR,"
        " person_ref VARCHAR, from_as_of DATE, to_as_of DATE)"
    )
    con.execute(
        "CREATE TABLE household_homes (household_id VARCHAR, account_ref VARCHAR,"
        " tenancy_ref VARCHAR, from_as_of DATE, to_as_of DATE)"
    )
    rows = [("H1", date(2021, 1, 1), None), ("H2", date(2021, 3, 1), date(2021, 4, 1))]
    for household, start, end in rows:
        con.execute(
            "INSERT INTO household_members VALUES ($1, 'P1', 'tenancy', 't1', $2, $3)",
            [household, start, end],
        )
    with pytest.raises(LinkageConflict, match="1 people"):
        households.check(con)


def test_a_folder_without_households_says_what_to_run(tmp_path):
    with pytest.raises(StepMissing, match="earlyflag link"):
        load(tmp_path)
