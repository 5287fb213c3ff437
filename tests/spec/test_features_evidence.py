"""The dated rows behind a value, so that a reason can be checked."""

from __future__ import annotations

from datetime import date

import pytest

from earlyflag import features
from earlyflag.core.errors import UndeclaredFeature
from earlyflag.features.evidence_words import words_for
from earlyflag.sources.schema import TABLES
from tests.feature_cases import (
    AS_OF,
    FOLDER,
    Case,
    HandmadeHouseholds,
    HandmadeTables,
    read_cases,
    village,
)

CASES = read_cases()
WARDS = read_cases(FOLDER / "wards")
PLACES = {case.title: f"H{number}" for number, case in enumerate(CASES)}


@pytest.fixture(scope="module")
def found():
    rows, households = village(CASES)
    return features.evidence_of(
        HandmadeTables(rows), households, PLACES.values(), AS_OF, features.CATALOGUE
    )


def of(found, title: str, feature: str) -> list[str]:
    rows = found[PLACES[title]].get(feature, ())
    return [f"{row.happened_on} {row.text}" for row in rows]


@pytest.fixture(scope="module")
def of_wards():
    rows, households = village(WARDS)
    names = [f"H{number}" for number in range(len(WARDS))]
    return features.evidence_of(HandmadeTables(rows), households, names, AS_OF, features.CATALOGUE)


def test_every_feature_has_dated_rows_behind_a_value_that_is_not_zero(found, of_wards):
    shown = {
        name
        for cases, rows in ((CASES, found), (WARDS, of_wards))
        for number, case in enumerate(cases)
        for name, value in case.values.items()
        if value and value == value and rows.get(f"H{number}", {}).get(name)
    }
    assert set(features.CATALOGUE) - shown == set()


def test_no_value_above_zero_stands_without_rows(found, of_wards):
    bare = {
        (case.title, name)
        for cases, rows in ((CASES, found), (WARDS, of_wards))
        for number, case in enumerate(cases)
        for name, value in case.values.items()
        if value > 0 and not rows.get(f"H{number}", {}).get(name)
    }
    assert bare == set()


def test_behind_a_rate_of_the_ward_stand_its_counts_and_no_neighbour(of_wards):
    (row,) = of_wards["H3"]["ward_recovery_rate_12m"]
    assert row.text == (
        "1 of the ward's 4 households were summoned for council tax in 12 months; "
        "2 of the borough's 7"
    )
    assert (row.table, row.reference) == ("council_tax_recovery", "E05000001")
    assert (row.happened_on, row.known_on) == (date(2026, 6, 30), date(2026, 6, 30))
    assert "ward_duty_rate_12m" not in of_wards.get("H6", {})


def test_the_rows_behind_a_single_month_are_of_that_month(found):
    for by_feature in found.values():
        for row in by_feature.get("council_tax_charge_pence_lag3", ()):
            assert date(2026, 4, 1) <= row.happened_on < date(2026, 5, 1)


def test_the_instalments_that_credits_do_not_cover_are_named(found):
    assert of(found, "Two of three instalments missed", "council_tax_instalments_missed_6m") == [
        "2026-06-01 Instalment of £100.00 fell due",
        "2026-05-01 Instalment of £100.00 fell due",
    ]


def test_as_many_uncovered_instalments_are_shown_as_the_feature_counts(found, tmp_path):
    rows, households = village(CASES)
    names = [f"council_tax_instalments_missed_{months}m" for months in (3, 6, 12)]
    frame = features.build(
        HandmadeTables(rows), households, [AS_OF], tmp_path, columns=names, threads=1
    ).frame([AS_OF])
    for row in frame.dropna().itertuples():
        for name in names:
            shown = found.get(row.household_id, {}).get(name, ())
            assert len(shown) == getattr(row, name)


def test_recovery_steps_are_shown_with_the_debt_of_the_day(found):
    shown = of(found, "Reminder, summons and order", "council_tax_recovery_steps_3m")
    assert shown == [
        "2026-06-10 Passed to an enforcement agent; £475.00 owed",
        "2026-04-10 Liability order made; £400.00 owed",
    ]


def test_spells_are_shown_by_their_starts_and_known_ends(found):
    shown = of(
        found, "Council tax reduction cut, then stopped", "council_tax_reduction_stopped_12m"
    )
    assert shown == [
        "2026-05-31 Council tax reduction of £12.00 a week ended",
        "2026-02-01 Council tax reduction of £12.00 a week",
        "2026-01-31 Council tax reduction of £20.00 a week ended",
        "2025-01-01 Council tax reduction of £20.00 a week",
    ]


def test_what_was_not_known_is_not_shown(found):
    late = found.get(PLACES["A payment typed in after the cut-off does not exist yet"], {})
    assert not late.get("days_since_council_tax_payment")
    summons = found[PLACES["A summons that became known after the cut-off"]]
    assert "days_since_council_tax_summons" not in summons
    assert "council_tax_recovery_steps_24m" not in summons
    ended = "An end of reduction that is not known yet is no end"
    assert not any("ended" in line for line in of(found, ended, "council_tax_reduction"))
    duty = of(found, "A duty that was recorded after the cut-off", "approaches_12m")
    assert duty == ["2026-06-01 Approached the council about homelessness"]


def test_every_row_shown_was_known_before_the_cut_off(found):
    for by_feature in found.values():
        for rows in by_feature.values():
            assert 0 < len(rows) <= 12
            assert all(row.known_on < AS_OF and row.happened_on < AS_OF for row in rows)


def test_a_homelessness_case_is_shown_without_its_reason(found):
    shown = found[PLACES["Two earlier approaches, one duty, one closed"]]["approaches_before"]
    assert [row.text for row in shown] == [
        "The homelessness case was closed",
        "A homelessness duty was accepted",
        "Approached the council about homelessness",
        "Approached the council about homelessness",
    ]


def test_evidence_of_one_household_is_the_same(found):
    rows, households = village(CASES)
    household = PLACES["Reminder, summons and order"]
    one = features.evidence(
        HandmadeTables(rows), households, household, AS_OF, "council_tax_reminders_12m"
    )
    assert tuple(one) == found[household]["council_tax_reminders_12m"]
    with pytest.raises(UndeclaredFeature):
        features.evidence(HandmadeTables(rows), households, household, AS_OF, "luck")


def test_every_kind_of_row_has_words_without_a_blank_or_a_code():
    for table, column in (
        ("council_tax_transactions", "kind"), ("council_tax_recovery", "stage"),
        ("rent_transactions", "kind"), ("tenancy_events", "kind"), ("benefits", "kind"),
        ("council_tax_accounts", "payment_method"), ("tenancies", "landlord"),
        ("tenancy_people", "relationship"), ("council_tax_people", "role"),
    ):  # fmt: skip
        for code in TABLES[table].column(column).codes:
            for ended in (False, True):
                text = words_for(table, code, 1234, ended=ended)
                assert text[0].isupper() or text[0] == "£"
                assert "_" not in text and "{" not in text
    assert date(2026, 7, 1) == AS_OF


def test_the_account_says_that_it_has_a_discount_but_no_protected_reason_for_it():
    codes = TABLES["council_tax_accounts"].column("discount").codes
    cases = [
        Case(
            code,
            "",
            {
                "council_tax_accounts": [
                    {"valid_from": "2020-01-01", "payment_method": "cash", "discount": code}
                ]
            },
        )
        for code in codes
    ]
    cases.append(
        Case(
            "class U",
            "",
            {
                "council_tax_accounts": [
                    {"valid_from": "2020-01-01", "payment_method": "cash", "exemption_class": "U"}
                ]
            },
        )
    )
    rows, households = village(cases)
    name = "single_person_discount"
    found = features.evidence_of(
        HandmadeTables(rows), households, [f"H{n}" for n in range(len(cases))], AS_OF, [name]
    )
    said = {
        case.title: found[f"H{number}"][name][0].text.partition("; ")[2]
        for number, case in enumerate(cases)
    }
    assert said == {
        "none": "",
        "single_person": "single person",
        "all_disregarded": "another discount",
        "disabled_band": "another discount",
        "care_leaver": "another discount",
        "empty_premium": "empty premium",
        "second_home": "second home",
        "class U": "exempt",
    }


def test_evidence_belongs_to_the_household_whose_feature_counts_it():
    homes = [
        ("H1", "000000000001", "A1", None, date(2020, 1, 1), None),
        ("H1", "000000000001", None, "T1", date(2020, 1, 1), None),
        ("H2", "000000000002", "A2", None, date(2020, 1, 1), None),
    ]
    tables = HandmadeTables(
        {
            "benefits": [
                {"claim_ref": "B1", "account_ref": "A2", "tenancy_ref": "T1",
                 "kind": "housing_benefit", "weekly_pence": 500, "valid_from": "2026-01-01"},
            ],
            # Of a tenancy that is on no record: the home of its UPRN counts the alert.
            "tenancy_events": [
                {"event_ref": "E1", "tenancy_ref": "T9", "uprn": "000000000002",
                 "kind": "landlord_alert", "happened_on": "2026-06-01"},
                {"event_ref": "E2", "tenancy_ref": "T1", "uprn": "000000000002",
                 "kind": "landlord_alert", "happened_on": "2026-06-02"},
            ],
        }
    )  # fmt: skip
    households = HandmadeHouseholds(homes, [], [])
    names = ["housing_benefit", "landlord_alerts_3m"]
    found = features.evidence_of(tables, households, ["H1", "H2"], AS_OF, names)
    assert set(found["H1"]) == {"housing_benefit", "landlord_alerts_3m"}
    assert [row.reference for row in found["H1"]["landlord_alerts_3m"]] == ["E2"]
    assert set(found["H2"]) == {"landlord_alerts_3m"}
    assert [row.reference for row in found["H2"]["landlord_alerts_3m"]] == ["E1"]
    alone = features.evidence_of(tables, households, ["H2"], AS_OF, names)
    assert alone["H2"] == found["H2"]


def test_an_end_that_is_known_to_come_is_said_and_one_not_known_yet_is_not():
    def ending(known_on: str) -> Case:
        spell = {"valid_from": "2024-01-01", "valid_to": "2026-08-15"}
        return Case(
            known_on,
            "",
            {
                "tenancies": [
                    {**spell, "landlord": "private", "tenancy_type": "assured_periodic",
                     "weekly_rent_pence": 20000, "valid_to_known_on": known_on}
                ],
                "benefits": [
                    {**spell, "kind": "housing_benefit", "weekly_pence": 9000,
                     "valid_to_known_on": known_on}
                ],
            },
        )  # fmt: skip

    rows, households = village([ending("2026-06-30"), ending("2026-07-01")])
    names = ["tenancy_ends_within_90_days", "rent_award_ends_within_90_days"]
    found = features.evidence_of(HandmadeTables(rows), households, ["H0", "H1"], AS_OF, names)
    said = {
        household: [row.text for name in names for row in by_feature[name]]
        for household, by_feature in found.items()
    }
    tenancy = "Tenancy (private landlord) at £200.00 a week"
    benefit = "Housing benefit of £90.00 a week"
    end = ", known to end on 15 August 2026"
    assert said == {"H0": [tenancy + end, benefit + end], "H1": [tenancy, benefit]}


def test_counted_events_have_no_other_rows_around_them(found, tmp_path):
    names = [
        "council_tax_arrangements_broken_12m", "council_tax_cleared_12m", "approaches_12m",
        "approaches_24m", "rent_arrangements_broken_12m", "council_tax_summonses_24m",
        "landlord_alerts_12m", "council_tax_failed_payments_12m",
    ]  # fmt: skip
    rows, households = village(CASES)
    frame = features.build(
        HandmadeTables(rows), households, [AS_OF], tmp_path, columns=names, threads=1
    ).frame([AS_OF])
    for name in names:
        values = frame.set_index("household_id")[name].dropna()
        assert values.sum() > 0, name
        for household, value in values.items():
            assert len(found.get(household, {}).get(name, ())) == value, (household, name)


def test_rows_of_one_day_and_reference_stand_in_the_same_order_every_time():
    relationships = TABLES["tenancy_people"].column("relationship").codes
    people = [
        {
            "valid_from": "2025-09-01",
            "person_ref": f"P{number}",
            "relationship": code,
            "tenancy_ref": "T0",
        }
        for number, code in enumerate(relationships)
    ]
    let = {
        "valid_from": "2025-09-01",
        "landlord": "council",
        "tenancy_type": "secure",
        "weekly_rent_pence": 100,
    }
    rows, households = village(
        [Case("Many at once", "", {"tenancies": [let], "tenancy_people": people})]
    )
    found = features.evidence_of(
        HandmadeTables(rows), households, ["H0"], AS_OF, ["adults_joined_12m"]
    )
    shown = [row.text for row in found["H0"]["adults_joined_12m"] if row.table == "tenancy_people"]
    spoken = [code.replace("_", " ") for code in sorted(relationships, reverse=True)]
    assert shown == [f"A person listed as {code}" for code in spoken]
