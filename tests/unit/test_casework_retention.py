"""Retention: what goes when, what a legal hold keeps, and that no table was forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from earlyflag import casework
from earlyflag.casework import (
    AlertForm,
    AssessmentForm,
    ContactForm,
    DecisionForm,
    OutcomeForm,
    RetentionReport,
)
from earlyflag.core.settings import Retention
from earlyflag.store.erasing import DELETED, WORDS
from earlyflag.store.holdings import HELD
from earlyflag.store.retaining import BLANKED
from earlyflag.store.tables import Base, PanelItemRow, PanelRow, SuppressionRow
from earlyflag.store.terms import (
    AlertSource,
    AssessmentWhy,
    Barrier,
    ContactChannel,
    ContactResult,
    DecisionCode,
    DutyOwed,
    FlagState,
    Helped,
    ObjectionKind,
    OutcomeCode,
    Purpose,
    SuppressionKind,
)
from earlyflag.store.units import begin
from tests.office import Office, household_id

MONTH = timedelta(days=31)
OF_A_CASE = (
    "decisions",
    "assessments",
    "offers",
    "contacts",
    "case_outcomes",
    "panel_actions",
    "panel_items",
    "panels",
    "flags",
    "objections",
    "suppressions",
    "suppressed_households",
)


def _close_a_case(office: Office, number: int) -> None:
    """Let a household go through everything that leaves a record."""
    flag = office.take("reviewer", number)
    with office.desk("reviewer") as desk:
        assessment = AssessmentForm(True, AssessmentWhy.REASONS_MATCH, "Words.")
        form = DecisionForm(DecisionCode.OFFER_HELP, "Words.", ("money_advice",))
        flag = casework.decide(desk, flag.flag_id, flag.version, form, assessment)
        contact = ContactForm(
            desk.today, ContactChannel.VISIT, ContactResult.REACHED, "Words.", "Words.", "Words."
        )
        flag = casework.record_contact(desk, flag.flag_id, flag.version, contact)
        today = desk.today
        panel = casework.make_panel(desk, "October", today, ["Health"], [flag.flag_id])
        casework.set_barriers(desk, panel.panel_id, flag.flag_id, [Barrier.NOTICE_SERVED])
        casework.agree_action(
            desk, panel.panel_id, flag.flag_id, agency="Health", owner="Words",
            due_on=today, what="Words.",
        )  # fmt: skip
        objection = casework.record_objection(
            desk, household_id(number), ObjectionKind.CONTEST, "Words.", suppress_now=False
        )
        outcome = OutcomeForm(Helped.YES, OutcomeCode.STAYED_HOME, DutyOwed.NONE, True, "Words.")
        casework.record_outcome(desk, flag.flag_id, flag.version, outcome)
    with office.desk("manager") as desk:
        casework.answer_objection(desk, objection.objection_id, uphold=False, answer="Words.")
        purpose = Purpose.COMPLAINT_OR_REQUEST
        casework.state_purpose(desk, household_id(number), purpose, "Words.")
        reference = casework.suppress(desk, household_id(number), SuppressionKind.OBJECTION)
        casework.end_suppression(desk, reference)


@pytest.fixture
def closed(busy_office: Office) -> Office:
    """An office where the case of household 1 was closed and that of household 2 is open."""
    _close_a_case(busy_office, 1)
    flag = busy_office.take("reviewer", 2)
    with busy_office.desk("reviewer") as desk:
        form = DecisionForm(DecisionCode.OFFER_HELP, "Words of an open case.", ("money_advice",))
        casework.decide(desk, flag.flag_id, flag.version, form)
    return busy_office


def _retain(office: Office, **months: int) -> RetentionReport:
    """Retain, after a dry run that must have said the same."""
    with office.desk("retain") as desk:
        foreseen = casework.retain(desk, Retention(**months), dry_run=True)
    with office.desk("retain") as desk:
        done = casework.retain(desk, Retention(**months), dry_run=False)
    assert foreseen.deleted == done.deleted
    assert foreseen.held_back == done.held_back
    assert foreseen.lapsed_flags == done.lapsed_flags
    return done


def _rows(office: Office, number: int) -> Iterator[tuple[str, dict[str, object]]]:
    with begin(office.engine) as unit:
        held = unit.holdings.of(household_id(number))
    for name, rows in held.items():
        for row in rows:
            yield name, row


def _words_left(office: Office, number: int) -> list[str]:
    return [
        f"{name}.{column}"
        for name, row in _rows(office, number)
        for column in WORDS.get(HELD[name], {})
        if row[column] not in ("", None)
    ]


def test_the_words_of_a_case_go_first_and_its_codes_stay(closed: Office) -> None:
    closed.clock.advance(23 * MONTH)
    assert _retain(closed).deleted[BLANKED.format("decisions")] == 0
    closed.clock.advance(2 * MONTH)
    done = _retain(closed)
    for table in ("decisions", "assessments", "contacts", "case_outcomes", "panel_actions"):
        assert done.deleted[BLANKED.format(table)] == 1, table
    assert done.deleted[BLANKED.format("objections")] == 1
    assert {done.deleted[table] for table in OF_A_CASE} == {0}
    left = set(_words_left(closed, 1))
    assert left == {"purpose.note"}
    codes = dict(_rows(closed, 1))
    assert codes["decision"]["code"] == "offer_help"
    assert codes["caseoutcome"]["helped"] == "yes"
    assert _words_left(closed, 2) != []
    assert _retain(closed).deleted[BLANKED.format("decisions")] == 0


def test_the_whole_record_of_a_case_goes_when_its_time_is_over(closed: Office) -> None:
    closed.clock.advance(74 * MONTH)
    done = _retain(closed)
    for table in OF_A_CASE:
        assert done.deleted[table] == 1, table
    assert done.deleted["purposes"] == 1
    assert list(_rows(closed, 1)) == []
    assert _retain(closed).deleted["flags"] == 0
    assert casework.verify_audit(closed.engine).is_sound


def test_an_open_case_keeps_its_records_however_old(closed: Office) -> None:
    before = [row for row in _rows(closed, 2) if row[0] != "lookup"]
    closed.clock.advance(100 * MONTH)
    _retain(closed)
    assert list(_rows(closed, 2)) == before
    with begin(closed.engine) as unit:
        assert unit.borough.household(household_id(2), None) is not None
        assert len(unit.borough.history(household_id(2))) == 1


def test_an_alert_that_found_its_household_goes_with_its_case(closed: Office) -> None:
    closed.clock.advance(timedelta(days=1))
    with closed.desk("alerts") as desk:
        form = AlertForm(desk.today, "Ada Canary1", "1 Canary Road", "E1 1AA", statement="Words.")
        casework.report_alert(desk, form, source=AlertSource.LANDLORD)
    flag = closed.take("reviewer", 1)
    with closed.desk("reviewer") as desk:
        form = DecisionForm(DecisionCode.NOT_APPROPRIATE, "Words.")
        casework.decide(desk, flag.flag_id, flag.version, form)
    closed.clock.advance(25 * MONTH)
    assert _retain(closed).deleted[BLANKED.format("alerts")] == 1
    assert not [left for left in _words_left(closed, 1) if left.startswith("alert")]
    closed.clock.advance(49 * MONTH)
    assert _retain(closed).deleted["alerts"] == 1


def test_nothing_of_a_household_under_a_legal_hold_goes(closed: Office) -> None:
    with closed.desk("manager") as desk:
        hold = casework.suppress(desk, household_id(1), SuppressionKind.LEGAL_HOLD)
        casework.suppress(desk, household_id(3), SuppressionKind.LEGAL_HOLD)
    before = list(_rows(closed, 1))
    closed.clock.advance(100 * MONTH)
    done = _retain(closed)
    assert list(_rows(closed, 1)) == before
    for table in OF_A_CASE:
        if table != "suppressed_households":
            assert done.held_back[table] >= 1, table
    assert done.held_back["scores"] == done.held_back["households"] == 2
    assert done.held_back["purposes"] == 1
    assert done.deleted["panels"] == 0
    with begin(closed.engine) as unit:
        assert unit.borough.household(household_id(1), None) is not None
        assert unit.borough.household(household_id(3), None) is not None
        assert len(unit.borough.timeline(household_id(1))) == 1
    with closed.desk("manager") as desk:
        casework.end_suppression(desk, hold)
    closed.clock.advance(timedelta(days=1))
    again = _retain(closed)
    assert again.deleted["decisions"] == again.deleted["panels"] == 1
    assert again.held_back["households"] == 1


def test_a_flag_under_a_legal_hold_does_not_lapse(busy_office: Office) -> None:
    with begin(busy_office.engine) as unit:
        hold = {
            "suppression_ref": "source:hold", "origin": "source", "kind": "legal_hold",
            "valid_from": date(2026, 1, 1), "recorded_at": busy_office.clock.now(),
        }  # fmt: skip
        unit.connection.execute(SuppressionRow.__table__.insert(), hold)
        covered = Base.metadata.tables["suppressed_households"]
        row = {"household_id": household_id(1), "suppression_ref": "source:hold"}
        unit.connection.execute(covered.insert(), row)
    busy_office.clock.advance(7 * MONTH)
    assert _retain(busy_office).lapsed_flags == 7
    assert busy_office.flag_of(1).state is FlagState.WAITING
    assert busy_office.flag_of(1).first_reason != ""
    lapsed = busy_office.flag_of(2)
    assert (lapsed.state, lapsed.first_reason, lapsed.probability) == (FlagState.LAPSED, "", None)


def test_what_was_done_for_a_household_is_not_told_again_without_a_reference(
    closed: Office,
) -> None:
    def told() -> list[str]:
        with closed.desk("feedback") as desk:
            return [row.intervention_ref[:1] for row in casework.intervention_rows(desk)]

    assert told() == ["C"]
    closed.clock.advance(25 * MONTH)
    closed.publish([20], run_id="run-2", as_of=date(2028, 11, 1))
    _retain(closed)
    with begin(closed.engine) as unit:
        assert unit.borough.household(household_id(1), None) is None
    assert told() == []


def test_an_alert_whose_words_are_gone_is_not_told_again(closed: Office) -> None:
    with closed.desk("alerts") as desk:
        form = AlertForm(desk.today, "Ada Canary1", "1 Road", "E1 1AA", tenancy_ref="TEN1")
        casework.report_alert(desk, form, source=AlertSource.LANDLORD)
    with closed.desk("feedback") as desk:
        assert [row.tenancy_ref for row in casework.alert_rows(desk)] == ["TEN1"]
    with closed.desk("erase") as desk:
        casework.erase(desk, household_id(1), dry_run=False)
    with closed.desk("feedback") as desk:
        assert casework.alert_rows(desk) == []


def test_a_list_that_still_has_a_household_stays_for_it(closed: Office) -> None:
    both = [closed.flag_of(1).flag_id, closed.flag_of(2).flag_id]
    with closed.desk("reviewer") as desk:
        casework.make_panel(desk, "November", desk.today, ["Health"], both)
    closed.clock.advance(74 * MONTH)
    done = _retain(closed)
    assert (done.deleted["panels"], done.deleted["panel_items"]) == (1, 2)
    with begin(closed.engine) as unit:
        assert unit.connection.scalar(select(func.count()).select_from(PanelRow)) == 1
        assert unit.connection.scalar(select(PanelItemRow.household_id)) == household_id(2)


def test_the_run_of_retention_stands_in_the_audit_with_what_it_did(closed: Office) -> None:
    closed.clock.advance(25 * MONTH)
    done = _retain(closed)
    with begin(closed.engine) as unit:
        last = unit.audit.page(action="retention", limit=1)[0]
    assert f'"deleted":{sum(done.deleted.values())}' in last.detail


def test_the_words_of_a_case_do_not_outlive_it() -> None:
    with pytest.raises(ValidationError, match="case_words_months is more than cases_months"):
        Retention(case_words_months=73)


HAS_HOUSEHOLD = {
    name for name, table in Base.metadata.tables.items() if "household_id" in table.columns
}
NOT_IN_SUBJECT_ACCESS = {
    "household_references": "the household's own record carries the same references",
}
NOT_ERASED = {
    "audit": "who looked, by pseudonym, is evidence that nobody may change; its retention ends it",
    "erasures": "the pseudonym is what keeps the household from coming back",
    "lookups": "a day and who looked; the limits count by it",
    "offers": "codes and dates only",
    "panel_items": "codes only",
    "pilot_arms": "a drawn arm and dates: who was drawn once is never drawn again",
    "suppressed_households": "what keeps the household off every list",
}
NOT_RETAINED_HERE = {
    "audit": "its oldest stretch is ended by a signed checkpoint",
    "erasures": "a household that was erased must never come back",
}
_PUBLISHED = {"households", "household_members", "timelines", "scores", "score_details"}
_TOLD_ELSEWHERE = {"suppressed_households", "audit"} | _PUBLISHED


WITHOUT_HOUSEHOLD = {
    "accounts": "colleagues; the audit names them by these",
    "audit_checkpoints": "numbers, hashes and signatures",
    "audit_head": "a number and a hash",
    "documents": "counts; a small one is withheld before it is published",
    "flag_raisings": "counts",
    "idempotency_keys": "answers: erased by what they name, gone after a week",
    "machine_keys": "systems",
    "outbox": "messages: erased by what they name, gone after a week",
    "panels": "a meeting; it goes when no household is left on its list",
    "scoring_runs": "counts and the model",
    "sessions": "colleagues; gone when they end",
    "suppressions": "told with its households; a source system's stays while that holds it",
    "throttles": "hashes; gone after a week",
    "webhooks": "systems",
}


def test_a_table_that_names_no_household_says_why_that_is_well() -> None:
    assert Base.metadata.tables.keys() - HAS_HOUSEHOLD == WITHOUT_HOUSEHOLD.keys()


def test_no_table_with_a_household_is_forgotten_by_subject_access() -> None:
    told = {table.__tablename__ for table in HELD.values()} | _TOLD_ELSEWHERE
    assert HAS_HOUSEHOLD - told == NOT_IN_SUBJECT_ACCESS.keys()


def test_no_table_with_a_household_is_forgotten_by_erasing() -> None:
    touched = {table.__tablename__ for table in (*DELETED, *WORDS)}
    assert HAS_HOUSEHOLD - touched == NOT_ERASED.keys()


def test_no_table_with_a_household_is_forgotten_by_retention(office: Office) -> None:
    assert HAS_HOUSEHOLD - _retain(office).deleted.keys() == NOT_RETAINED_HERE.keys()
