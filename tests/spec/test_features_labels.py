"""What happened within the horizon: labels, exclusions, help and audit groups, from a few rows."""

from __future__ import annotations

from datetime import date

import pytest

from earlyflag import features
from earlyflag.core.errors import HorizonUnfinished, SpecificationInvalid
from earlyflag.features.labels import Label
from tests.feature_cases import HandmadeHouseholds, HandmadeTables

AS_OF = date(2025, 1, 1)
LONG_AGO = date(2020, 1, 1)
ACCOUNTS = [{"account_ref": f"A{n}", "uprn": f"00000000000{n}"} for n in range(1, 5)]


def homes(*, left: dict[str, date] | None = None) -> list[tuple]:
    return [
        (f"H{n}", f"00000000000{n}", f"A{n}", None, LONG_AGO, (left or {}).get(f"H{n}"))
        for n in range(1, 5)
    ]


def borough(links: list[tuple] = (), *, left=None, **rows):
    tables = HandmadeTables({"council_tax_accounts": ACCOUNTS, **rows})
    tables.last_known_on = date(2026, 6, 30)
    members = [
        (f"H{n}", f"P{n}", "council_tax", f"C{n}", "lead", None, LONG_AGO, None)
        for n in range(1, 5)
    ]
    return tables, HandmadeHouseholds(homes(left=left), members, list(links))


def case(ref: str, duty: str = "prevention", duty_on: str | None = "2025-03-01", **more) -> dict:
    return {
        "case_ref": ref, "person_ref": f"X{ref}", "approached_on": more.pop("approached", duty_on),
        "duty": duty, "duty_on": duty_on, "reason": "other", **more,
    }  # fmt: skip


def linked(ref: str, person: int, *, since: date = LONG_AGO, until: date | None = None) -> tuple:
    return (ref, "person", f"P{person}", "council_tax", f"C{person}", None, since, until)


def labelled(tables, households, label: Label = Label(), as_of: date = AS_OF):  # noqa: B008
    return features.label(tables, households, [as_of], label).set_index("household_id")


def test_a_duty_of_a_member_within_the_horizon_is_the_label():
    tables, households = borough(
        [linked("1", 1), linked("2", 2), linked("3", 3)],
        homelessness_cases=[
            case("1", "prevention", "2025-01-01"),
            case("2", "relief", "2025-12-31"),
            case("3", "relief", "2026-01-01"),
        ],
    )
    found = labelled(tables, households)
    assert found["label"].to_dict() == {"H1": 1, "H2": 1, "H3": 0, "H4": 0}
    assert found["owed_relief"].to_dict() == {"H1": 0, "H2": 1, "H3": 0, "H4": 0}
    assert not found["host"].any()


def test_an_approach_without_a_duty_is_no_label():
    tables, households = borough(
        [linked("1", 1)],
        homelessness_cases=[case("1", "none", None, approached="2025-02-01")],
    )
    assert labelled(tables, households)["label"].sum() == 0


def test_six_months_are_shorter_than_twelve():
    tables, households = borough(
        [linked("1", 1)], homelessness_cases=[case("1", duty_on="2025-08-01")]
    )
    assert labelled(tables, households)["label"].sum() == 1
    assert labelled(tables, households, Label(horizon_months=6))["label"].sum() == 0


def test_a_case_that_reaches_a_home_by_address_alone_is_a_host():
    tables, households = borough(
        [("1", "host", None, None, None, "000000000004", None, None)],
        homelessness_cases=[case("1", last_settled_uprn="000000000004")],
    )
    found = labelled(tables, households)
    assert found["host"].to_dict() == {"H1": 0, "H2": 0, "H3": 0, "H4": 1}
    assert found["label"].sum() == 0
    hosts = labelled(tables, households, Label("host"))
    assert hosts["label"].to_dict() == {"H1": 0, "H2": 0, "H3": 0, "H4": 1}


def test_of_a_case_linked_anew_the_newest_link_holds():
    moved = date(2025, 6, 1)
    tables, households = borough(
        [linked("1", 1, until=moved), linked("1", 2, since=moved)],
        homelessness_cases=[case("1")],
    )
    assert labelled(tables, households)["label"].to_dict() == {"H1": 0, "H2": 1, "H3": 0, "H4": 0}


def test_events_that_reach_no_household_are_counted_as_unlinked():
    tables, households = borough(
        [linked("1", 1), ("2", "none", None, None, None, None, None, None)],
        homelessness_cases=[case("1"), case("2")],
    )
    assert features.unlinked_events(tables, households, [AS_OF], Label()) == {AS_OF: 1.0}


def test_an_open_duty_a_recent_approach_and_temporary_housing_are_excluded():
    tables, households = borough(
        [linked("1", 1), linked("2", 2), linked("4", 4)],
        homelessness_cases=[
            case("1", "relief", "2024-03-01"),
            case("2", "none", None, approached="2024-11-01"),
            case("4", "relief", "2024-03-01", closed_on="2024-05-01", outcome="secured"),
        ],
        tenancies=[{"tenancy_ref": "T3", "landlord": "temporary", "uprn": "000000000003"}],
    )
    households.homes.append(("H3", "000000000003", None, "T3", LONG_AGO, None))
    expected = {
        "H1": "open homelessness duty",
        "H2": "approach in the 90 days before",
        "H3": "temporary accommodation",
    }
    assert features.exclusions(tables, households, AS_OF) == expected
    found = labelled(tables, households)["excluded"]
    assert found.dropna().to_dict() == expected


def test_an_exclusion_that_was_not_known_yet_excludes_nobody():
    tables, households = borough(
        [linked("1", 1)],
        homelessness_cases=[case("1", "relief", "2024-12-20", known_on="2025-01-01")],
    )
    assert features.exclusions(tables, households, AS_OF) == {}


def test_help_within_the_horizon_marks_a_household_and_an_attempt_does_not():
    tables, households = borough(
        interventions=[
            {"account_ref": "A1", "kind": "support_started", "happened_on": "2025-05-01"},
            {"account_ref": "A2", "kind": "contact_attempt", "happened_on": "2025-05-01"},
            {"uprn": "000000000003", "kind": "payment_awarded", "happened_on": "2025-05-01"},
            {"account_ref": "A4", "kind": "support_started", "happened_on": "2026-05-01"},
        ]
    )
    found = labelled(tables, households)["helped"]
    assert found.to_dict() == {"H1": True, "H2": False, "H3": True, "H4": False}


def test_support_that_is_under_way_at_the_cut_off_is_help_until_it_ends():
    tables, households = borough(
        interventions=[
            {"account_ref": "A1", "kind": "support_started", "happened_on": "2024-10-01"},
            {"account_ref": "A2", "kind": "support_started", "happened_on": "2024-10-01"},
            {"account_ref": "A2", "kind": "support_ended", "happened_on": "2024-12-31"},
            {"account_ref": "A3", "kind": "support_started", "happened_on": "2023-12-01"},
            {"account_ref": "A4", "kind": "support_started", "happened_on": "2024-10-01"},
            {"account_ref": "A4", "kind": "support_ended", "happened_on": "2025-01-01"},
        ]
    )
    found = labelled(tables, households)["helped"]
    assert found.to_dict() == {"H1": True, "H2": False, "H3": False, "H4": True}


def test_a_household_that_left_before_the_horizon_ended_is_censored():
    tables, households = borough(left={"H1": date(2025, 6, 1), "H2": date(2026, 3, 1)})
    found = labelled(tables, households)["censored"]
    assert found.to_dict() == {"H1": True, "H2": False, "H3": False, "H4": False}


def test_a_recovery_stage_reached_or_passed_can_be_the_label():
    tables, households = borough(
        council_tax_recovery=[
            {"account_ref": "A1", "stage": "final_notice", "happened_on": "2025-01-31"},
            {"account_ref": "A2", "stage": "liability_order", "happened_on": "2025-01-31"},
            {"account_ref": "A3", "stage": "reminder", "happened_on": "2025-01-31"},
            {"account_ref": "A4", "stage": "summons", "happened_on": "2025-01-31"},
            {"account_ref": "A4", "stage": "reminder", "happened_on": "2024-12-31"},
        ]
    )
    label = Label("recovery_stage", "final_notice", horizon_months=1)
    found = labelled(tables, households, label)
    assert found["label"].to_dict() == {"H1": 1, "H2": 1, "H3": 0, "H4": 1}
    new = labelled(
        tables, households, Label("recovery_stage", "final_notice", 1, "not_in_recovery")
    )
    assert new["excluded"].dropna().to_dict() == {"H4": "in recovery already"}


def test_a_tenancy_event_and_an_outcome_can_be_the_label():
    tables, households = borough(
        tenancy_events=[
            {"uprn": "000000000002", "kind": "eviction", "happened_on": "2025-03-01",
             "tenancy_ref": None},
        ],
        outcomes=[{"account_ref": "A3", "kind": "default", "happened_on": "2025-02-01"}],
    )  # fmt: skip
    eviction = labelled(tables, households, Label("tenancy_event", "eviction"))
    assert eviction["label"].to_dict() == {"H1": 0, "H2": 1, "H3": 0, "H4": 0}
    default = labelled(tables, households, Label("outcome", "default", horizon_months=3))
    assert default["label"].to_dict() == {"H1": 0, "H2": 0, "H3": 1, "H4": 0}


def test_a_label_says_when_it_was_known():
    tables, households = borough(
        [linked("1", 1)],
        homelessness_cases=[case("1", duty_on="2025-12-20", duty_known_on="2026-02-03")],
    )
    found = labelled(tables, households)["label_known_on"].dt.date
    assert found["H1"] == date(2026, 2, 3)
    assert found["H2"] == date(2026, 1, 1)


def test_an_unfinished_horizon_is_refused():
    tables, households = borough()
    with pytest.raises(HorizonUnfinished, match="1 of 2 cut-offs"):
        features.label(tables, households, [AS_OF, date(2025, 8, 1)], Label())
    assert len(features.label(tables, households, [date(2025, 7, 1)], Label()))


def test_cases_that_ended_long_before_the_ledgers_teach_no_safety():
    tables, _ = borough()
    tables.last_known_in = {"homelessness_cases": date(2026, 2, 10)}.get
    features.check_told([AS_OF], Label(), tables)
    with pytest.raises(HorizonUnfinished, match=r"1 of 2 .* last row of homelessness_cases"):
        features.check_told([AS_OF, date(2025, 6, 1)], Label(), tables)
    with pytest.raises(HorizonUnfinished, match="it holds no dated row"):
        features.check_told([AS_OF], Label("tenancy_event", "notice_served"), tables)


@pytest.mark.parametrize(
    ("label", "part"),
    [
        (Label("hardship"), "label.event"),
        (Label("owed_duty", "relief"), "takes no kind"),
        (Label("recovery_stage"), "needs a kind"),
        (Label("recovery_stage", "bailiff"), "recovery stage"),
        (Label("tenancy_event", "evicted"), "no tenancy event"),
        (Label(from_state="quiet"), "from_state"),
    ],
)
def test_a_label_that_the_tables_cannot_show_is_refused(label, part):
    tables, households = borough()
    with pytest.raises(SpecificationInvalid, match=part):
        features.label(tables, households, [AS_OF], label)


@pytest.mark.parametrize(
    ("label", "table"),
    [
        (Label(), "homelessness_cases"),
        (Label("tenancy_event", "eviction"), "tenancy_events"),
        (Label("recovery_stage", "summons"), "council_tax_recovery"),
        (Label("outcome", "default"), "outcomes"),
    ],
)
def test_a_label_of_a_table_that_was_never_delivered_is_refused(label, table):
    tables, households = borough()
    tables.missing = (table,)
    with pytest.raises(SpecificationInvalid, match=f"{table}, which was never delivered"):
        features.label(tables, households, [AS_OF], label)
    with pytest.raises(SpecificationInvalid, match="never delivered"):
        features.unlinked_events(tables, households, [AS_OF], label)


def test_a_live_notice_or_breathing_space_is_a_threat_and_an_old_one_is_not():
    tables, households = borough(
        tenancy_events=[
            {"uprn": "000000000001", "tenancy_ref": None, "kind": "section_8_notice",
             "happened_on": "2024-10-01"},
            {"uprn": "000000000002", "tenancy_ref": None, "kind": "breathing_space",
             "happened_on": "2024-12-01"},
            {"uprn": "000000000003", "tenancy_ref": None, "kind": "section_8_notice",
             "happened_on": "2023-10-01"},
            {"uprn": "000000000004", "tenancy_ref": None, "kind": "arrears_letter_1",
             "happened_on": "2024-12-01"},
        ]
    )  # fmt: skip
    assert features.with_live_threat(tables, households, AS_OF) == {"H1", "H2"}


def test_audit_groups_come_from_the_lead_and_from_what_was_known():
    tables, households = borough(
        [linked("2", 2)],
        equality_monitoring=[
            {"source": "council_tax", "person_ref": "C1", "ethnic_group": "white_british",
             "sex": "female"},
        ],
        council_tax_transactions=[
            {"account_ref": "A1", "kind": "charge", "happened_on": "2024-12-01"},
        ],
        homelessness_cases=[case("2", duty_on="2024-06-01")],
        properties=[{"uprn": "000000000001", "ward_code": "E05000001"}],
    )  # fmt: skip
    found = features.audit_groups(tables, households, [AS_OF]).set_index("household_id")
    assert found.loc["H1", "ethnic_group"] == "white_british"
    assert found.loc["H1", "in_arrears"] == "yes"
    assert found.loc["H1", "ward_code"] == "E05000001"
    assert found.loc["H1", "household_type"] == "one_adult"
    assert found["linkage_quality"].unique().tolist() == ["council_tax_only"]
    assert found["first_time"].to_dict() == {"H1": "yes", "H2": "no", "H3": "yes", "H4": "yes"}
    assert found["ethnic_group"].isna().sum() == 3
