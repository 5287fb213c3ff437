"""Who is one person, in cases that a housing officer would recognise."""

from __future__ import annotations

import pytest

from tests.village import Village

SINCE = "2020-01-10"
AS_OF = "2021-01-01"


def one_home() -> Village:
    return Village().home("1").account("A1", "1", SINCE).tenancy("T1", "1", SINCE)


def test_one_person_in_council_tax_and_on_the_tenancy_is_linked(tmp_path):
    village = one_home().payer("A1", "c1", "Grace Okafor", "1980-04-17")
    village.tenant("T1", "t1", "Grace Okafor", "1980-04-17")
    person = village.link(tmp_path, AS_OF).person_of(AS_OF)
    assert person["c1"] == person["t1"]


def test_twins_of_one_home_stay_two_people(tmp_path):
    village = one_home()
    village.payer("A1", "c1", "Asha Begum", "2001-03-09")
    village.payer("A1", "c2", "Nadia Begum", "2001-03-09", role="joint")
    village.tenant("T1", "t1", "Asha Begum", "2001-03-09")
    village.tenant("T1", "t2", "Nadia Begum", "2001-03-09", relationship="joint_tenant")
    person = village.link(tmp_path, AS_OF).person_of(AS_OF)
    assert person["c1"] == person["t1"]
    assert person["c2"] == person["t2"]
    assert person["c1"] != person["c2"]


def test_father_and_son_of_one_name_stay_two_people(tmp_path):
    village = one_home()
    village.payer("A1", "c1", "John Carter", "1955-02-11")
    village.tenant("T1", "t1", "John Carter", "1955-02-11")
    village.tenant("T1", "t2", "John Carter", "1988-11-30", relationship="adult_child")
    person = village.link(tmp_path, AS_OF).person_of(AS_OF)
    assert person["c1"] == person["t1"]
    assert person["t2"] != person["t1"]


def test_without_a_date_of_birth_nobody_decides_between_father_and_son(tmp_path):
    village = one_home()
    village.payer("A1", "c1", "John Carter")
    village.tenant("T1", "t1", "John Carter", "1955-02-11")
    village.tenant("T1", "t2", "John Carter", "1988-11-30", relationship="adult_child")
    person = village.link(tmp_path, AS_OF).person_of(AS_OF)
    assert len({person["c1"], person["t1"], person["t2"]}) == 3


def test_father_and_son_without_any_dates_of_birth_on_one_account_stay_two_people(tmp_path):
    village = one_home()
    village.payer("A1", "c1", "John Carter")
    village.payer("A1", "c2", "John Carter", role="joint")
    village.tenant("T1", "t1", "John Carter")
    person = village.link(tmp_path, AS_OF).person_of(AS_OF)
    assert person["c1"] != person["c2"]


def test_a_married_name_is_the_same_person_at_the_same_home(tmp_path):
    village = one_home()
    village.payer("A1", "c1", "Maria Pereira", "1990-07-21")
    village.tenant("T1", "t1", "Maria Thompson", "1990-07-21")
    person = village.link(tmp_path, AS_OF).person_of(AS_OF)
    assert person["c1"] == person["t1"]


def test_a_double_barrelled_name_is_the_same_person(tmp_path):
    village = one_home()
    village.payer("A1", "c1", "Maria Pereira-Thompson", "1990-07-21")
    village.tenant("T1", "t1", "Maria Pereira", "1990-07-21")
    person = village.link(tmp_path, AS_OF).person_of(AS_OF)
    assert person["c1"] == person["t1"]


def test_swapped_day_and_month_is_the_same_person(tmp_path):
    village = one_home()
    village.payer("A1", "c1", "Yusuf Ali", "1984-03-09")
    village.tenant("T1", "t1", "Yusuf Ali", "1984-09-03")
    person = village.link(tmp_path, AS_OF).person_of(AS_OF)
    assert person["c1"] == person["t1"]


@pytest.mark.parametrize(
    ("council_tax", "tenancy"),
    [
        ("Séan O'Brien", "Sean Obrien"),
        ("Kateryna Shevchenko", "Katerina Shevchenko"),
        ("J Adeyemi", "Joseph Adeyemi"),
        ("Liz Barrett", "Elizabeth Barrett"),
    ],
    ids=["accents and apostrophes", "a spelling", "an initial", "a short form"],
)
def test_one_name_written_in_two_ways_is_one_person(tmp_path, council_tax, tenancy):
    village = one_home()
    village.payer("A1", "c1", council_tax, "1979-12-05")
    village.tenant("T1", "t1", tenancy, "1979-12-05")
    person = village.link(tmp_path, AS_OF).person_of(AS_OF)
    assert person["c1"] == person["t1"]


def test_a_name_and_title_in_one_field_is_read(tmp_path):
    village = one_home()
    village.payer("A1", "c1", ". COOKE,MS NADY", "1979-12-05")
    village.tenant("T1", "t1", "Nady Cooke", "1979-12-05")
    person = village.link(tmp_path, AS_OF).person_of(AS_OF)
    assert person["c1"] == person["t1"]


def test_a_husband_and_wife_are_two_people_in_one_household(tmp_path):
    village = one_home()
    village.payer("A1", "c1", "Peter Lane", "1970-01-02")
    village.tenant("T1", "t1", "Petra Lane", "1971-08-19")
    linked = village.link(tmp_path, AS_OF)
    person = linked.person_of(AS_OF)
    assert person["c1"] != person["t1"]
    assert linked.people(AS_OF) == {frozenset({"c1", "t1"})}


def test_a_common_name_alone_links_nobody(tmp_path):
    village = Village().home("1").home("2", "E8 1AA").account("A1", "1", SINCE)
    village.tenancy("T2", "2", SINCE)
    village.payer("A1", "c1", "John Smith").tenant("T2", "t1", "John Smith")
    person = village.link(tmp_path, AS_OF).person_of(AS_OF)
    assert person["c1"] != person["t1"]


def test_a_case_without_uprn_attaches_by_name_and_date_of_birth(tmp_path):
    village = one_home().payer("A1", "c1", "Grace Okafor", "1980-04-17")
    village.tenant("T1", "t1", "Grace Okafor", "1980-04-17")
    village.case("K1", "Grace Okafor", "1980-04-17")
    assert village.link(tmp_path, AS_OF).case("K1") == ("person", {"c1", "t1"})


def test_a_case_without_uprn_attaches_by_postcode_and_name(tmp_path):
    village = one_home().payer("A1", "c1", "Grace Okafor", "1980-04-17")
    village.case("K1", "Grace Okafor", postcode="n165tz")
    assert village.link(tmp_path, AS_OF).case("K1") == ("person", {"c1"})


def test_a_case_never_bridges_two_people(tmp_path):
    village = one_home()
    village.payer("A1", "c1", "Maria Pereira")
    village.tenant("T1", "t1", "M Thompson", "1990-07-21")
    apart = village.link(tmp_path / "before", AS_OF).person_of("2022-01-01")
    village.case("K1", "Maria Pereira", "1990-07-21", uprn="1")
    linked = village.link(tmp_path / "after", AS_OF)
    assert linked.person_of("2022-01-01") == apart
    assert apart["c1"] != apart["t1"]
    matched, people = linked.case("K1")
    assert matched == "person"
    assert len(people) == 1


def test_a_case_of_a_twin_attaches_to_that_twin(tmp_path):
    village = one_home()
    village.tenant("T1", "t1", "Asha Begum", "2001-03-09")
    village.tenant("T1", "t2", "Nadia Begum", "2001-03-09", relationship="joint_tenant")
    village.case("K1", "Nadia Begum", "2001-03-09", uprn="1")
    assert village.link(tmp_path, AS_OF).case("K1") == ("person", {"t2"})


def test_a_case_of_somebody_unknown_at_a_known_home_is_the_hosts(tmp_path):
    village = one_home().payer("A1", "c1", "Grace Okafor", "1980-04-17")
    village.case("K1", "Tunde Bello", "2002-05-05", uprn="1")
    village.case("K2", "Chidi Okafor", "2002-05-05", postcode="N16 5TZ")
    village.case("K3", "Ann Nobody", "1966-05-05")
    linked = village.link(tmp_path, AS_OF)
    assert linked.case("K1") == ("host", set())
    assert linked.case("K2") == ("host", set())
    assert linked.case("K3") == ("none", set())
    assert linked.con.sql("SELECT source, ref FROM unscorable").fetchall() == [
        ("homelessness", "K3")
    ]
