"""Subject access, suppression, erasure and retention."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from earlyflag import casework
from earlyflag.casework import AlertForm, ContactForm, DecisionForm
from earlyflag.core.errors import Conflict, NotAllowed, NotFound
from earlyflag.core.settings import Retention
from earlyflag.core.terms import SuppressionRecord
from earlyflag.store.erasing import REMEMBERED
from earlyflag.store.terms import (
    AlertSource,
    ContactChannel,
    ContactResult,
    DecisionCode,
    FlagState,
    SuppressionKind,
)
from earlyflag.store.units import begin
from tests.office import Office, household_id, score


@pytest.fixture
def worked(busy_office: Office) -> Office:
    """An office where household 1 was decided about and contacted."""
    flag = busy_office.take("reviewer", 1)
    with busy_office.desk("reviewer") as desk:
        form = DecisionForm(DecisionCode.OFFER_HELP, "Words about Ada.", ("money_advice",))
        flag = casework.decide(desk, flag.flag_id, flag.version, form)
        contact = ContactForm(
            desk.today, ContactChannel.TELEPHONE, ContactResult.REACHED, note="Spoke to Ada."
        )
        casework.record_contact(desk, flag.flag_id, flag.version, contact)
    return busy_office


def traces(office: Office, number: int) -> dict[str, int]:
    """Return how many rows that say something of a household each published table has."""
    tables = (
        "households", "household_members", "household_references", "timelines", "scores",
        "score_details",
    )  # fmt: skip
    with begin(office.engine) as unit:
        counts = {
            table: unit.connection.scalar(
                text(f"SELECT count(*) FROM {table} WHERE household_id = :one"),
                {"one": household_id(number)},
            )
            for table in tables
        }
    return {table: count for table, count in counts.items() if count}


def test_a_person_gets_everything_held_but_nothing_of_others(worked: Office) -> None:
    with worked.desk("subject-access") as desk:
        held = casework.subject_access(desk, "P1")
    text = json.dumps(held)
    one = held["households"][0]
    assert "Ada Canary1" in text
    assert "Canary-Smith" not in text
    assert worked.people["reviewer"].actor_id not in text
    assert one["household"]["others_left_out"] == 1
    assert one["scores"][0]["detail"]["reasons"][0]["sentence"] == "Sentence about rent."
    assert one["decision"][0]["reason"] == "Words about Ada."
    assert held["check_before_sending"] == [
        "contact.note",
        "decision.reason",
        "household.account_refs",
        "household.tenancy_refs",
        "scores.detail.reasons",
    ]
    assert {"decision", "contact"} <= {row["action"] for row in one["seen_by"]}


@pytest.mark.parametrize("reference", ["700001X", "TEN1", "1", "H0001", "Q1"])
def test_any_reference_of_the_contract_leads_to_the_household(
    worked: Office, reference: str
) -> None:
    with worked.desk("subject-access") as desk:
        held = casework.subject_access(desk, reference)
    assert held["households"][0]["household"]["household_id"] == household_id(1)


def test_a_reference_that_nobody_has_is_not_found(worked: Office) -> None:
    with pytest.raises(NotFound), worked.desk("subject-access") as desk:
        casework.subject_access(desk, "P999")
    with pytest.raises(NotAllowed), worked.desk("manager") as desk:
        casework.subject_access(desk, "P1")


def test_erasing_leaves_codes_and_the_pseudonym_only(worked: Office) -> None:
    with worked.desk("erase") as desk:
        foreseen = casework.erase(desk, household_id(1), dry_run=True)
    with begin(worked.engine) as unit:
        assert unit.borough.household(household_id(1), None) is not None
    with worked.desk("erase") as desk:
        done = casework.erase(desk, household_id(1), dry_run=False)
    assert done == foreseen
    assert done["households"] == done[REMEMBERED] == 1
    assert done["household_members"] == 2
    with begin(worked.engine) as unit:
        everything = [
            unit.connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            for table in (
                "households",
                "household_members",
                "household_references",
                "decisions",
                "contacts",
                "flags",
                "scores",
                "score_details",
            )
        ]
        assert unit.flags.of_household(household_id(1))[0].state is FlagState.WITHDRAWN
    assert "Ada Canary1'" not in repr(everything)
    assert "Words about" not in repr(everything)
    assert casework.verify_audit(worked.engine).is_sound


def test_an_erased_household_is_not_flagged_when_its_source_delivers_it_again(
    worked: Office,
) -> None:
    with worked.desk("erase") as desk:
        casework.erase(desk, household_id(1), dry_run=False)
    worked.publish([1, 2], run_id="run-2", as_of=date(2027, 6, 1))
    worked.raise_flags(2, "run-2")
    with begin(worked.engine) as unit:
        flags = unit.flags.of_household(household_id(1))
    assert [flag.state for flag in flags] == [FlagState.WITHDRAWN]


def test_nothing_of_an_erased_household_comes_back_with_a_later_delivery(worked: Office) -> None:
    with worked.desk("erase") as desk:
        casework.erase(desk, household_id(1), dry_run=False)
    worked.publish([1, 2, 3], run_id="run-2", as_of=date(2027, 6, 1))
    assert traces(worked, 1) == {}
    assert traces(worked, 2).keys() >= {"households", "household_members", "scores", "timelines"}
    with begin(worked.engine) as unit:
        run = unit.borough.run("run-2")
        told = [row.detail for row in unit.audit.rows() if row.action == "run_published"]
        remembered = unit.connection.exec_driver_sql("SELECT * FROM erasures").all()
    assert run is not None
    assert (run.scored, run.withheld) == (3, 1)
    assert json.loads(told[-1])["withheld"] == 1
    assert json.loads(told[0])["withheld"] == 0
    assert [row[0] for row in remembered] == [household_id(1)]
    assert len(remembered[0]) == 2
    assert casework.verify_audit(worked.engine).is_sound


def test_a_household_erased_while_a_run_is_published_is_withheld_from_it_too(
    worked: Office,
) -> None:
    erased: list[int] = []

    def erase_once(_count: int) -> None:
        if not erased:
            erased.append(1)
            with worked.desk("erase") as desk:
                casework.erase(desk, household_id(1), dry_run=False)

    worked.publish([1, 2, 3], run_id="run-2", as_of=date(2027, 6, 1), advance=erase_once)
    assert traces(worked, 1) == {}
    with begin(worked.engine) as unit:
        run = unit.borough.run("run-2")
    assert run is not None
    assert run.withheld == 1


def test_a_dry_run_of_erasing_remembers_nobody(worked: Office) -> None:
    with worked.desk("erase") as desk:
        casework.erase(desk, household_id(1), dry_run=True)
    worked.publish([1, 2], run_id="run-2", as_of=date(2027, 6, 1))
    assert traces(worked, 1)["scores"] == 2


def test_an_erased_household_is_erased_once_and_readmitted_at_its_own_wish(worked: Office) -> None:
    with worked.desk("erase") as desk:
        casework.erase(desk, household_id(1), dry_run=False)
    with pytest.raises(Conflict, match="erased already"), worked.desk("erase") as desk:
        casework.erase(desk, household_id(1), dry_run=False)
    with pytest.raises(NotAllowed), worked.desk("manager") as desk:
        casework.readmit(desk, household_id(1))
    with worked.desk("erase") as desk:
        casework.readmit(desk, household_id(1))
    with pytest.raises(NotFound), worked.desk("erase") as desk:
        casework.readmit(desk, household_id(1))
    worked.publish([1, 2], run_id="run-2", as_of=date(2027, 6, 1))
    assert traces(worked, 1)["scores"] == 1
    with begin(worked.engine) as unit:
        assert unit.suppressions.of(household_id(1), date(2027, 6, 1)) == []


def test_a_legal_hold_forbids_erasing(worked: Office) -> None:
    with worked.desk("manager") as desk:
        casework.suppress(desk, household_id(1), SuppressionKind.LEGAL_HOLD)
    with pytest.raises(NotAllowed), worked.desk("erase") as desk:
        casework.erase(desk, household_id(1), dry_run=False)


def test_a_suppressed_household_leaves_every_list_at_once(busy_office: Office) -> None:
    with busy_office.desk("manager") as desk:
        reference = casework.suppress(desk, household_id(1), SuppressionKind.DECEASED)
    assert household_id(1) not in [flag.household_id for flag in busy_office.flags("reviewer")]
    with busy_office.desk("manager") as desk:
        casework.end_suppression(desk, reference)
    with begin(busy_office.engine) as unit:
        assert unit.suppressions.of(household_id(1), date(2026, 10, 1)) == []
    with pytest.raises(NotFound), busy_office.desk("manager") as desk:
        casework.end_suppression(desk, "nothing")
    with pytest.raises(NotFound), busy_office.desk("manager") as desk:
        casework.suppress(desk, "H9999", SuppressionKind.DECEASED)


def test_a_suppression_of_a_person_or_an_address_covers_its_household(office: Office) -> None:
    since = date(2026, 1, 1)
    office.publish(
        range(1, 6),
        suppressions=[
            SuppressionRecord(
                "a", "objection", since, None, None, source="tenancy", person_ref="Q1"
            ),
            SuppressionRecord("b", "staff_member", since, None, None, uprn="2"),
            SuppressionRecord("c", "objection", since, date(2026, 5, 1), household_id(3)),
        ],
    )
    summary = office.raise_flags(2)
    assert summary.excluded == {"suppressed_objection": 1, "suppressed_staff_member": 1}
    assert [f.household_id for f in office.flags("reviewer")] == [household_id(3), household_id(4)]


def test_a_new_suppression_withdraws_the_flag_at_the_next_delivery(busy_office: Office) -> None:
    busy_office.publish(
        range(1, 13),
        run_id="run-2",
        as_of=date(2026, 11, 1),
        suppressions=[SuppressionRecord("a", "objection", date(2026, 1, 1), None, household_id(2))],
    )
    assert busy_office.flag_of(2).state is FlagState.WITHDRAWN


def test_retention_reports_first_and_then_deletes_the_same(worked: Office) -> None:
    with worked.desk("alerts") as desk:
        form = AlertForm(desk.today, "Nobody Known", "1 Road", "ZZ1 1ZZ")
        casework.report_alert(desk, form, source=AlertSource.LANDLORD)
    worked.clock.advance(timedelta(days=25 * 31))
    worked.publish([20], run_id="run-2", as_of=date(2028, 11, 1))
    with worked.desk("retain") as desk:
        foreseen = casework.retain(desk, Retention(), dry_run=True)
    with worked.desk("retain") as desk:
        done = casework.retain(desk, Retention(), dry_run=False)
    assert foreseen.deleted == done.deleted
    assert foreseen.lapsed_flags == done.lapsed_flags == 7
    # Those of the open case stay until it ends.
    assert done.deleted["scores"] == done.deleted["score_details"] == 11
    assert done.deleted["alerts"] == 1
    # A household with an open case is kept until the case is closed.
    with begin(worked.engine) as unit:
        assert unit.borough.household(household_id(1), None) is not None
        assert unit.borough.household(household_id(2), None) is None
        assert unit.flags.of_household(household_id(2))[0].state is FlagState.LAPSED
        assert unit.flags.of_household(household_id(2))[0].first_reason == ""


def test_a_score_is_kept_for_as_long_as_it_may_be(worked: Office) -> None:
    worked.clock.advance(timedelta(days=23 * 30))
    with worked.desk("retain") as desk:
        assert casework.retain(desk, Retention(), dry_run=True).deleted["scores"] == 0
    assert score(1, 1, 1).probability > 0
