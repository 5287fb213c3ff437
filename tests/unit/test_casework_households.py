"""Look households up, say why, open them; what each role sees of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from earlyflag import casework
from earlyflag.core.errors import (
    InputInvalid,
    NotAllowed,
    NotFound,
    PurposeMissing,
    TooMany,
)
from earlyflag.core.terms import SuppressionRecord
from earlyflag.store import FlagFilter
from earlyflag.store.terms import DecisionCode, Permission, Purpose, Role, Scope
from earlyflag.store.units import begin
from tests.office import Office, household_id

CANARIES = ("Canary", "Ada", "TEN", "00001X")


def _open(office: Office, who: str, number: int) -> casework.HouseholdView:
    with office.desk(who) as desk:
        return casework.get_household(desk, household_id(number))


def _state(office: Office, who: str, number: int) -> None:
    with office.desk(who) as desk:
        casework.state_purpose(desk, household_id(number), Purpose.HOUSEHOLD_ASKED)


def test_ones_own_work_opens_without_a_purpose(busy_office: Office) -> None:
    busy_office.take("officer", 1)
    view = _open(busy_office, "officer", 1)
    assert view.purpose is Purpose.OWN_WORK
    assert view.lookups_today == 0
    assert view.household.members[0].name == "Ada Canary1"
    assert view.score is not None
    assert [r.key for r in view.score.reasons] == ["rent", "instalments", "payments"]
    assert view.score.reasons[0].evidence[0].amount_pence == 12_345
    assert view.score.unknowns == ("No tenancy record.",)
    assert view.score.changes[0].probability_after == 0.02
    assert len(view.timeline) == len(view.history) == 1


def test_another_household_asks_for_a_purpose_that_ends_at_midnight_in_london(
    busy_office: Office,
) -> None:
    busy_office.clock = type(busy_office.clock)(datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    with pytest.raises(PurposeMissing):
        _open(busy_office, "officer", 1)
    _state(busy_office, "officer", 1)
    assert _open(busy_office, "officer", 1).purpose is Purpose.HOUSEHOLD_ASKED
    busy_office.clock.advance(timedelta(minutes=29))
    assert _open(busy_office, "officer", 1).lookups_today == 1
    busy_office.clock.advance(timedelta(minutes=1))
    with pytest.raises(PurposeMissing):
        _open(busy_office, "officer", 1)


def test_one_persons_purpose_opens_nothing_for_another(busy_office: Office) -> None:
    _state(busy_office, "officer", 1)
    busy_office.hire("other", Role.OFFICER)
    with pytest.raises(PurposeMissing):
        _open(busy_office, "other", 1)


def test_a_purpose_that_people_cannot_choose_is_refused(busy_office: Office) -> None:
    for purpose in (Purpose.OWN_WORK, Purpose.CASE_SYSTEM, Purpose.ANALYSIS):
        with pytest.raises(InputInvalid), busy_office.desk("officer") as desk:
            casework.state_purpose(desk, household_id(1), purpose)


def test_opening_many_households_alerts_and_then_stops(office: Office) -> None:
    office.rules = replace(office.rules, lookups_alert_at=2, lookups_stop_at=4)
    office.publish(range(1, 8))
    for number in range(1, 5):
        _state(office, "officer", number)
        _open(office, "officer", number)
        _open(office, "officer", number)
    assert office.actions().count("lookups_alert") == 2
    _state(office, "officer", 5)
    with pytest.raises(TooMany):
        _open(office, "officer", 5)
    assert office.actions()[-1] == "refused"
    office.clock.advance(timedelta(days=1))
    _state(office, "officer", 5)
    assert _open(office, "officer", 5).lookups_today == 1


def test_a_machine_has_limits_of_its_own(office: Office) -> None:
    office.publish(range(1, 4))
    with office.desk("admin") as desk:
        secret, _ = casework.make_key(
            desk, "Case system", [Scope.HOUSEHOLDS_READ], lookups_alert_at=1, lookups_stop_at=1
        )
    actor = casework.machine_actor(office.engine, secret, now=office.clock.now())
    with office.desk(actor) as desk:
        view = casework.get_household(desk, household_id(1))
    assert view.purpose is Purpose.CASE_SYSTEM
    assert view.household.members == ()
    with pytest.raises(TooMany), office.desk(actor) as desk:
        casework.get_household(desk, household_id(2))


def test_every_read_of_a_household_stands_in_the_audit(busy_office: Office) -> None:
    _state(busy_office, "officer", 2)
    _open(busy_office, "officer", 2)
    with busy_office.desk("auditor") as desk:
        rows = casework.read_audit(desk, household_id=household_id(2))
    reads = [row for row in rows if row.action == "read_household"]
    assert [(row.actor_id, row.purpose) for row in reads] == [
        (busy_office.people["officer"].actor_id, "household_asked")
    ]
    assert reads[0].correlation_id == "c-test"


def test_a_look_up_finds_by_reference_or_by_surname_and_postcode(office: Office) -> None:
    office.publish(range(1, 10))

    def by(kind: str, reference: str) -> list[str]:
        with office.desk("officer") as desk:
            return [r.household_id for r in casework.look_up_reference(desk, kind, reference)]

    def found(surname: str, postcode: str) -> list[str]:
        with office.desk("officer") as desk:
            return [r.household_id for r in casework.look_up_name(desk, surname, postcode)]

    assert by("uprn", "3") == [household_id(3)]
    assert by("account", " 700003x ") == [household_id(3)]
    assert by("tenancy", "ten3") == [household_id(3)]
    assert by("tenancy", "ten") == []
    assert found("canary3", "e3 1aa") == [household_id(3)]
    assert found("Canary-Smith", "E2 1AA") == [household_id(2), household_id(9)]
    assert found("Smith", "E2 1AA") == [household_id(2), household_id(9)]
    assert found("canary", "E2 1AA") == []


def test_a_look_up_takes_no_wildcard_and_nothing_blank(office: Office) -> None:
    for surname, postcode in (("Can*", "E1 1AA"), ("%", "E1 1AA"), ("Smith", " "), ("", "E1")):
        with pytest.raises(InputInvalid), office.desk("officer") as desk:
            casework.look_up_name(desk, surname, postcode)
    with pytest.raises(InputInvalid), office.desk("officer") as desk:
        casework.look_up_reference(desk, "surname", "Smith")


def test_a_household_that_needs_safe_contact_does_not_exist_for_others(office: Office) -> None:
    office.publish(
        [1, 2],
        suppressions=[
            SuppressionRecord("s1", "safe_contact", date(2026, 1, 1), None, household_id(1))
        ],
    )
    office.hire("safe", Role.OFFICER, permissions=[Permission.SAFE_CONTACT])
    with office.desk("officer") as desk:
        assert casework.look_up_reference(desk, "uprn", "1") == []
    for who in ("officer", "manager", "analyst"):
        with pytest.raises(NotFound):
            _open(office, who, 1)
    with pytest.raises(NotFound):
        _state(office, "officer", 1)
    _state(office, "safe", 1)
    assert _open(office, "safe", 1).suppressions[0].kind == "safe_contact"


def test_an_analyst_sees_pseudonyms_only(busy_office: Office) -> None:
    flag = busy_office.take("reviewer", 1)
    with busy_office.desk("reviewer") as desk:
        casework.decide(
            desk,
            flag.flag_id,
            flag.version,
            casework.DecisionForm(DecisionCode.DECLINED, "Ada Canary1 told me."),
        )
    view = _open(busy_office, "analyst", 1)
    with busy_office.desk("analyst") as desk:
        tray = casework.list_flags(desk, FlagFilter())
        one = casework.get_flag(desk, flag.flag_id)
    for shown in (view, tray, one):
        assert not any(canary in repr(shown) for canary in CANARIES)
        assert busy_office.people["reviewer"].actor_id not in repr(shown)
    assert view.score is not None
    assert view.decisions[0].code == "declined"


def test_auditors_and_administrators_open_no_household(busy_office: Office) -> None:
    for who in ("auditor", "admin"):
        with pytest.raises(NotAllowed):
            _open(busy_office, who, 1)


def test_audit_rows_carry_no_name_address_or_words(busy_office: Office) -> None:
    _state(busy_office, "officer", 2)
    _open(busy_office, "officer", 2)
    with busy_office.desk("officer") as desk:
        casework.look_up_name(desk, "Canary3", "E3 1AA")
        casework.look_up_reference(desk, "account", "700001X")
    with begin(busy_office.engine) as unit:
        rows = repr(list(unit.audit.rows()))
    assert not any(canary in rows for canary in CANARIES)


def test_stated_purposes_are_reviewed(busy_office: Office) -> None:
    _state(busy_office, "officer", 2)
    with busy_office.desk("manager") as desk:
        (stated,) = casework.lookups_to_review(desk)
        casework.review_lookup(desk, stated.purpose_id, "In order.")
        assert casework.lookups_to_review(desk) == []
    with pytest.raises(InputInvalid), busy_office.desk("manager") as desk:
        casework.review_lookup(desk, stated.purpose_id, " ")


def test_a_household_nobody_knows_is_not_found(busy_office: Office) -> None:
    with pytest.raises(NotFound):
        _state(busy_office, "officer", 999)


def test_a_score_alone_is_read_under_the_same_rules(busy_office: Office) -> None:
    with pytest.raises(PurposeMissing), busy_office.desk("officer") as desk:
        casework.get_score(desk, household_id(1))
    busy_office.take("officer", 1)
    with busy_office.desk("officer") as desk:
        answer = casework.get_score(desk, household_id(1))
    assert answer.purpose is Purpose.OWN_WORK
    assert answer.score.reasons[0].evidence[0].reference == "T-77"
    with busy_office.desk("analyst") as desk:
        assert casework.get_score(desk, household_id(1)).score.reasons[0].evidence == ()
    with pytest.raises(NotFound), busy_office.desk("analyst") as desk:
        casework.get_score(desk, "H9999")
    assert busy_office.actions().count("read_score") == 2
