"""Who has looked at a household: alone, in a list, at a meeting, in a file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event

from earlyflag import casework
from earlyflag.casework import AlertForm
from earlyflag.casework.flag_export import export_flags
from earlyflag.casework.suppressing import settle_suppressions
from earlyflag.core.errors import InputInvalid, NotFound
from earlyflag.store.terms import (
    AlertSource,
    ObjectionKind,
    PanelActionState,
    Permission,
    Purpose,
    Scope,
    SuppressionKind,
)
from earlyflag.store.units import begin
from tests.office import NOW, Office, household_id

Read = Callable[[casework.Desk, str], object]


def _looks(office: Office, number: int) -> list[str]:
    """Return what an auditor is told of a household, the newest first."""
    with office.desk("auditor") as desk:
        return [row.action for row in casework.read_audit(desk, household_id=household_id(number))]


def _list(office: Office) -> None:
    office.flags("reviewer")


def _look_up(office: Office) -> None:
    with office.desk("officer") as desk:
        casework.look_up_reference(desk, "tenancy", "TEN1")


def _objections(office: Office) -> None:
    office.take("officer", 1)
    with office.desk("officer") as desk:
        casework.record_objection(
            desk, household_id(1), ObjectionKind.CONTEST, "Words.", suppress_now=False
        )
    with office.desk("manager") as desk:
        casework.objections_to_answer(desk)


def _lookups(office: Office) -> None:
    with office.desk("officer") as desk:
        casework.state_purpose(desk, household_id(1), Purpose.HOUSEHOLD_ASKED)
    with office.desk("manager") as desk:
        casework.lookups_to_review(desk)


def _meeting(office: Office) -> None:
    flag_id = office.flag_of(1).flag_id
    with office.desk("reviewer") as desk:
        panel = casework.make_panel(desk, "October", desk.today, ["Health"], [flag_id])
        casework.get_panel(desk, panel.panel_id)


def _scores(office: Office) -> None:
    with office.desk("scores-export") as desk:
        casework.export_scores(desk, None, purpose="monthly list")


def _flags(office: Office) -> None:
    with office.desk("manager") as desk:
        export_flags(desk)


@pytest.mark.parametrize(
    ("show", "action"),
    [
        (_list, "list_flags"),
        (_look_up, "look_up"),
        (_objections, "list_objections"),
        (_lookups, "list_lookups"),
        (_meeting, "read_panel"),
        (_scores, "in_scores_export"),
        (_flags, "flag_exported"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatever_showed_a_household_is_found_by_it(
    busy_office: Office, show: Callable[[Office], None], action: str
) -> None:
    assert action not in _looks(busy_office, 1)
    show(busy_office)
    assert action in _looks(busy_office, 1)


def test_an_alert_that_was_listed_before_it_was_matched_is_a_look_at_its_household(
    busy_office: Office,
) -> None:
    with busy_office.desk("alerts") as desk:
        form = AlertForm(desk.today, "Nobody Known", "1 Road", "ZZ1 1ZZ")
        alert_id = casework.report_alert(desk, form, source=AlertSource.PARTNER)
    with busy_office.desk("reviewer") as desk:
        casework.alerts_to_match(desk)
    assert "list_alerts" not in _looks(busy_office, 1)
    with busy_office.desk("reviewer") as desk:
        casework.match_alert(desk, alert_id, household_id(1))
    assert {"alert_reported", "list_alerts", "alert_settled"} <= set(_looks(busy_office, 1))
    with busy_office.desk("subject-access") as desk:
        held = casework.subject_access(desk, "P1")
    assert "list_alerts" in {row["action"] for row in held["households"][0]["seen_by"]}


def test_a_list_that_did_not_show_a_household_is_no_look_at_it(busy_office: Office) -> None:
    before = _looks(busy_office, 1)
    with busy_office.desk("officer") as desk:
        casework.look_up_reference(desk, "tenancy", "TEN2")
    busy_office.publish([1, 100], run_id="run-2")
    assert "list_flags" not in _looks(busy_office, 12)
    assert _looks(busy_office, 1)[1:] == before


def test_the_pages_of_who_looked_join_without_gap_or_repeat(busy_office: Office) -> None:
    for _ in range(3):
        busy_office.flags("reviewer")
        with busy_office.desk("officer") as desk:
            casework.look_up_reference(desk, "tenancy", "TEN1")
    with begin(busy_office.engine) as unit:
        everything = [row.sequence for row in unit.audit.about(household_id(1))]
        small = [row.sequence for row in unit.audit.about(household_id(1), batch=2)]
    assert small == everything == sorted(set(everything), reverse=True)
    assert len(everything) >= 7


def test_a_person_is_told_of_more_looks_than_one_page_holds(busy_office: Office) -> None:
    count = 10_050
    with busy_office.desk("officer") as desk:
        for _ in range(count):
            desk.unit.audit.append(desk.entry("read_score", household_id=household_id(1)))
    with busy_office.desk("subject-access") as desk:
        held = casework.subject_access(desk, "P1")
    seen = held["households"][0]["seen_by"]
    assert sum(row["action"] == "read_score" for row in seen) == count


def test_a_list_page_asks_the_database_no_more_often_for_being_found(
    busy_office: Office,
) -> None:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    event.listen(busy_office.engine, "before_cursor_execute", note)
    busy_office.flags("reviewer")
    assert sum("INSERT INTO audit" in one for one in statements) == 1


@pytest.fixture
def secret(busy_office: Office) -> Office:
    """An office where household 1 needs safe contact, known to one reviewer."""
    busy_office.people["trusted"] = busy_office.with_permission("manager", Permission.SAFE_CONTACT)
    flag_id = busy_office.flag_of(1).flag_id
    with busy_office.desk("reviewer") as desk:
        panel = casework.make_panel(desk, "October", desk.today, ["Health"], [flag_id])
        casework.agree_action(
            desk, panel.panel_id, flag_id, agency="A", owner="B", due_on=desk.today, what="C."
        )
    busy_office.take("officer", 1)
    with busy_office.desk("officer") as desk:
        casework.record_objection(
            desk, household_id(1), ObjectionKind.CONTEST, "Words.", suppress_now=False
        )
        casework.state_purpose(desk, household_id(1), Purpose.HOUSEHOLD_ASKED)
    with busy_office.desk("suppress") as desk:
        casework.suppress(desk, household_id(1), SuppressionKind.SAFE_CONTACT)
        settle_suppressions(desk)
    return busy_office


def _refusal(office: Office, who: str | casework.Actor, read: Read, number: int) -> tuple[str, str]:
    """Return what a refused read says, and the household that the audit was told of."""
    with pytest.raises(NotFound) as refusal, office.desk(who) as desk:
        read(desk, household_id(number))
    with begin(office.engine) as unit:
        (row,) = unit.audit.page(action="refused", limit=1)
    return str(refusal.value), str(row.household_id)


@pytest.mark.parametrize("read", [casework.get_household, casework.get_score])
def test_a_hidden_household_is_refused_as_one_that_does_not_exist_and_noted(
    secret: Office, read: Read
) -> None:
    with secret.desk("admin") as desk:
        key, _ = casework.make_key(desk, "Case system", [Scope.HOUSEHOLDS_READ])
    machine = casework.machine_actor(secret.engine, key, now=secret.clock.now())
    for who in ("manager", machine):
        hidden, noted = _refusal(secret, who, read, 1)
        unknown, not_noted = _refusal(secret, who, read, 9999)
        assert hidden == unknown
        assert (noted, not_noted) == (household_id(1), "None")
    assert "refused" in _looks(secret, 1)


def test_a_hidden_flag_that_is_asked_for_is_noted(secret: Office) -> None:
    flag_id = secret.flag_of(1).flag_id
    with pytest.raises(NotFound), secret.desk("reviewer") as desk:
        casework.get_flag(desk, flag_id)
    assert _looks(secret, 1)[0] == "refused"
    before = secret.actions().count("refused")
    with pytest.raises(NotFound), secret.desk("reviewer") as desk:
        casework.get_flag(desk, "Fnone")
    assert secret.actions().count("refused") == before


def test_meetings_tell_nothing_of_a_household_that_needs_safe_contact(secret: Office) -> None:
    flag_id = secret.flag_of(1).flag_id
    with begin(secret.engine) as unit:
        (panel,) = unit.panels.all()
        (action,) = unit.panels.actions()
    refused = "The household is not on this list"
    for reference in (flag_id, secret.flag_of(2).flag_id):
        with pytest.raises(InputInvalid, match=refused), secret.desk("reviewer") as desk:
            casework.set_barriers(desk, panel.panel_id, reference, [])
        with pytest.raises(InputInvalid, match=refused), secret.desk("reviewer") as desk:
            casework.agree_action(
                desk, panel.panel_id, reference, agency="A", owner="B",
                due_on=desk.today, what="C.",
            )  # fmt: skip
    with pytest.raises(NotFound), secret.desk("reviewer") as desk:
        casework.end_action(desk, action.action_id, PanelActionState.DONE)


def test_objections_tell_nothing_of_a_household_that_needs_safe_contact(secret: Office) -> None:
    with secret.desk("trusted") as desk:
        (objection,) = casework.objections_to_answer(desk)
    with secret.desk("manager") as desk:
        assert casework.objections_to_answer(desk) == ()
    with pytest.raises(NotFound), secret.desk("manager") as desk:
        casework.answer_objection(desk, objection.objection_id, uphold=False, answer="Words.")


def test_reviews_tell_nothing_of_a_household_that_needs_safe_contact(secret: Office) -> None:
    with secret.desk("auditor") as desk:
        (stated,) = casework.lookups_to_review(desk)
    assert stated.note == ""
    with secret.desk("manager") as desk:
        assert casework.lookups_to_review(desk) == []
    with pytest.raises(NotFound), secret.desk("manager") as desk:
        casework.review_lookup(desk, stated.purpose_id, "In order.")
    with secret.desk("auditor") as desk:
        casework.review_lookup(desk, stated.purpose_id, "In order.")
    assert "lookup_reviewed" in _looks(secret, 1)


def test_an_alert_is_not_matched_to_a_household_that_needs_safe_contact(secret: Office) -> None:
    with secret.desk("alerts") as desk:
        form = AlertForm(desk.today, "Nobody Known", "1 Road", "ZZ1 1ZZ")
        alert_id = casework.report_alert(desk, form, source=AlertSource.PARTNER)
    told = []
    for number in (1, 999):
        with pytest.raises(InputInvalid) as refusal, secret.desk("reviewer") as desk:
            casework.match_alert(desk, alert_id, household_id(number))
        told.append((str(refusal.value), refusal.value.field))
    assert told[0] == told[1]
    with secret.desk("trusted") as desk:
        assert casework.match_alert(desk, alert_id, household_id(1)) is not None


def test_suppressing_tells_nothing_of_a_household_that_needs_safe_contact(secret: Office) -> None:
    with begin(secret.engine) as unit:
        (record,) = unit.suppressions.of(household_id(1), NOW.date())
    with pytest.raises(NotFound), secret.desk("manager") as desk:
        casework.suppress(desk, household_id(1), SuppressionKind.OBJECTION)
    with pytest.raises(NotFound), secret.desk("manager") as desk:
        casework.end_suppression(desk, record.suppression_ref)
    with secret.desk("trusted") as desk:
        casework.end_suppression(desk, record.suppression_ref)
    secret.clock.advance(timedelta(days=1))
    assert "suppression_ended" in _looks(secret, 1)
