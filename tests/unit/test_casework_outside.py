"""What comes from outside the team: objections, early alerts, meetings, the pipeline's reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from earlyflag import casework
from earlyflag.casework import AlertForm, ContactForm, DecisionForm, OutcomeForm
from earlyflag.core.errors import (
    Conflict,
    InputInvalid,
    NotAllowed,
    PurposeMissing,
    StepMissing,
)
from earlyflag.core.terms import SuppressionRecord
from earlyflag.store.terms import (
    AlertSource,
    AlertState,
    AssessmentWhy,
    Barrier,
    ContactChannel,
    ContactResult,
    DecisionCode,
    DocumentKind,
    DutyOwed,
    FlagOrigin,
    FlagState,
    Helped,
    ObjectionKind,
    OfferState,
    OutcomeCode,
    PanelActionState,
    Permission,
    Role,
    Scope,
    SuppressionKind,
)
from earlyflag.store.units import begin
from tests.office import Office, household_id

DAY = date(2026, 10, 1)


def _object(office: Office, number: int, *, suppress_now: bool) -> str:
    with office.desk("officer") as desk:
        return casework.record_objection(
            desk,
            household_id(number),
            ObjectionKind.OBJECTION,
            "I do not want this.",
            suppress_now=suppress_now,
        ).objection_id


def test_an_objection_suppresses_at_once_when_it_is_asked_for(busy_office: Office) -> None:
    busy_office.take("officer", 1)
    objection_id = _object(busy_office, 1, suppress_now=True)
    assert busy_office.flag_of(1).state is FlagState.WITHDRAWN
    with busy_office.desk("manager") as desk:
        (open_,) = casework.objections_to_answer(desk)
        assert open_.statement == "I do not want this."
        casework.answer_objection(desk, objection_id, uphold=False, answer="We explained.")
        assert casework.objections_to_answer(desk) == ()
    with pytest.raises(Conflict), busy_office.desk("manager") as desk:
        casework.answer_objection(desk, objection_id, uphold=True, answer="Again.")


def test_upholding_an_objection_suppresses_the_household(busy_office: Office) -> None:
    busy_office.take("officer", 1)
    objection_id = _object(busy_office, 1, suppress_now=False)
    assert busy_office.flag_of(1).state is FlagState.ASSIGNED
    with busy_office.desk("manager") as desk:
        casework.answer_objection(desk, objection_id, uphold=True, answer="You are right.")
    assert busy_office.flag_of(1).state is FlagState.WITHDRAWN


def test_an_objection_outside_ones_own_work_needs_a_purpose(busy_office: Office) -> None:
    with pytest.raises(PurposeMissing):
        _object(busy_office, 5, suppress_now=True)


def _alert(office: Office, **more: object) -> str:
    values: dict[str, object] = {
        "happened_on": DAY,
        "tenant_name": "A. Canary9",
        "address": "9 Canary Road",
        "postcode": "e21aa",
    }
    with office.desk("officer") as desk:
        return casework.report_alert(
            desk, AlertForm(**{**values, **more}), source=AlertSource.LANDLORD
        )


def test_an_alert_that_finds_its_household_becomes_work_at_once(busy_office: Office) -> None:
    _alert(busy_office)
    flag = busy_office.flag_of(9)
    assert (flag.origin, flag.state) == (FlagOrigin.ALERT, FlagState.WAITING)
    assert busy_office.flags("reviewer")[0] == flag
    with busy_office.desk("score") as desk:
        (row,) = casework.alert_rows(desk)
    assert (row.kind, row.uprn, row.happened_on) == ("landlord_alert", "000000000009", DAY)


def test_an_alert_about_an_open_flag_brings_it_forward(busy_office: Office) -> None:
    _alert(busy_office, tenant_name="Ada Canary2", postcode="E2 1AA")
    flags = [f for f in busy_office.flags("reviewer") if f.household_id == household_id(2)]
    assert len(flags) == 1
    assert (flags[0].last_action, flags[0].next_action_on) == ("alert", DAY)


def test_an_alert_releases_a_household_that_was_held_back(office: Office) -> None:
    office.publish(range(1, 41))
    office.raise_flags(20, holdback_share=0.5, seed=3)
    with begin(office.engine) as unit:
        held = [
            int(flag.household_id[1:])
            for flag in unit.flags.live_of([household_id(n) for n in range(1, 41)])
            if flag.state is FlagState.HELD_BACK
        ]
    number = held[0]
    _alert(office, tenant_name=f"Ada Canary{number}", postcode=f"E{number % 7} 1AA")
    assert office.flag_of(number).state is FlagState.WAITING
    with begin(office.engine) as unit:
        arm = unit.borough.pilot_arms()[household_id(number)]
    assert (arm.arm, arm.released_at) == ("holdback", office.clock.now())


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"tenant_name": "Nobody", "tenancy_ref": "TEN9"}, 9),
        ({"uprn": "9", "postcode": "E2 1AA"}, 9),
        ({"tenant_name": "Former Tenant", "uprn": "9"}, None),
        ({"tenant_name": "Bo Canary-Smith"}, None),
        ({"tenant_name": "Ada Canary9", "postcode": "E9 1AA"}, None),
        ({"tenant_name": "Nobody", "tenancy_ref": "TEN999"}, None),
    ],
)
def test_an_alert_is_matched_to_one_household_or_to_none(
    busy_office: Office, more: dict[str, object], found: int | None
) -> None:
    alert_id = _alert(busy_office, **more)
    with begin(busy_office.engine) as unit:
        alert = unit.cases.alert(alert_id)
    assert alert.household_id == (household_id(found) if found else None)


def test_an_alert_that_found_nobody_is_matched_by_hand(busy_office: Office) -> None:
    alert_id = _alert(busy_office, tenant_name="Nobody")
    with busy_office.desk("reviewer") as desk:
        assert [one.alert_id for one in casework.alerts_to_match(desk)] == [alert_id]
        with pytest.raises(InputInvalid):
            casework.match_alert(desk, alert_id, "H9999")
        flag_id = casework.match_alert(desk, alert_id, household_id(10))
        with pytest.raises(Conflict):
            casework.match_alert(desk, alert_id, None)
    assert busy_office.flag_of(10).flag_id == flag_id


def test_a_sender_is_told_nothing_and_sees_nothing(busy_office: Office) -> None:
    with busy_office.desk("admin") as desk:
        secret, _ = casework.make_key(
            desk, "Agent", [Scope.ALERTS_WRITE], alert_source=AlertSource.AGENT
        )
    actor = casework.machine_actor(busy_office.engine, secret, now=busy_office.clock.now())
    with busy_office.desk(actor) as desk:
        form = AlertForm(DAY, "Ada Canary9", "", "E2 1AA")
        answers = [
            casework.report_alert(desk, form, source=AlertSource.LANDLORD),
            casework.report_alert(desk, replace(form, tenant_name="Nobody")),
        ]
    assert [len(answer) for answer in answers] == [13, 13]
    with begin(busy_office.engine) as unit:
        states = [unit.cases.alert(answer).state for answer in answers]
        assert unit.cases.alert(answers[0]).source is AlertSource.AGENT
    assert states == [AlertState.MATCHED, AlertState.UNMATCHED]
    with pytest.raises(NotAllowed), busy_office.desk(actor) as desk:
        casework.get_household(desk, household_id(9))


def test_an_alert_about_a_suppressed_household_raises_nothing(office: Office) -> None:
    office.publish(
        [9],
        suppressions=[SuppressionRecord("a", "objection", date(2026, 1, 1), None, household_id(9))],
    )
    _alert(office)
    assert office.flags("reviewer") == []


@pytest.mark.parametrize(
    "more",
    [
        {"tenant_name": " "},
        {"postcode": ""},
        {"happened_on": date(2026, 10, 2)},
        {"happened_on": date(2024, 1, 1)},
        {"arrears_pence": -1},
    ],
)
def test_an_alert_that_makes_no_sense_is_refused(office: Office, more: dict[str, object]) -> None:
    with pytest.raises(InputInvalid):
        _alert(office, **more)


def _panel(office: Office, *numbers: int, who: str = "reviewer") -> str:
    flags = [office.flag_of(number).flag_id for number in numbers]
    with office.desk(who) as desk:
        return casework.make_panel(desk, "October", DAY, ["Housing", "Health"], flags).panel_id


def test_a_list_is_exported_only_after_somebody_else_countersigned_it(
    busy_office: Office,
) -> None:
    panel_id = _panel(busy_office, 1, 2, who="manager")
    with pytest.raises(NotAllowed), busy_office.desk("manager") as desk:
        casework.export_panel(desk, panel_id)
    with pytest.raises(NotAllowed), busy_office.desk("manager") as desk:
        casework.countersign(desk, panel_id)
    busy_office.hire("second", Role.MANAGER)
    with busy_office.desk("second") as desk:
        casework.countersign(desk, panel_id)
    with busy_office.desk("manager") as desk:
        view = casework.export_panel(desk, panel_id)
    assert view.rows[0].household is not None
    assert view.rows[0].household.members[0].name == "Ada Canary1"
    assert view.rows[0].household.members[0].date_of_birth is None
    assert view.rows[0].household.account_refs == ()
    assert busy_office.actions().count("panel_exported") == 2
    busy_office.clock.advance(timedelta(days=15))
    with pytest.raises(NotAllowed), busy_office.desk("manager") as desk:
        casework.export_panel(desk, panel_id)


def _agree(office: Office, panel_id: str, number: int, what: str) -> str:
    flag_id = office.flag_of(number).flag_id
    with office.desk("reviewer") as desk:
        return casework.agree_action(
            desk, panel_id, flag_id, agency="Health", owner="Nurse", due_on=DAY, what=what
        ).action_id


def test_a_list_that_changes_after_it_was_countersigned_is_a_draft_again(
    busy_office: Office,
) -> None:
    panel_id = _panel(busy_office, 1, 2)
    action_id = _agree(busy_office, panel_id, 1, "Visit.")
    flag_id = busy_office.flag_of(1).flag_id

    def agree(desk: casework.Desk) -> None:
        casework.agree_action(
            desk, panel_id, flag_id, agency="Health", owner="Nurse", due_on=DAY, what="Call."
        )

    def bar(desk: casework.Desk) -> None:
        casework.set_barriers(desk, panel_id, flag_id, [Barrier.RENT_ARREARS])

    def end(desk: casework.Desk) -> None:
        casework.end_action(desk, action_id, PanelActionState.DONE)

    for change in (agree, bar, end):
        with busy_office.desk("manager") as desk:
            casework.countersign(desk, panel_id)
            assert casework.get_panel(desk, panel_id).can_export
        with busy_office.desk("reviewer") as desk:
            change(desk)
        with pytest.raises(NotAllowed), busy_office.desk("manager") as desk:
            casework.export_panel(desk, panel_id)
    assert busy_office.actions().count("panel_unsigned") == 3


def test_a_pack_carries_what_was_agreed_before_it_was_signed_for_households_of_its_list(
    busy_office: Office,
) -> None:
    first, other = _panel(busy_office, 1, 2), _panel(busy_office, 1)
    for number, what in ((1, "Visit."), (2, "Call.")):
        _agree(busy_office, first, number, what)
    with busy_office.desk("reviewer") as desk:
        casework.close_panel(desk, first)
    second = _panel(busy_office, 1)
    with busy_office.desk("manager") as desk:
        casework.countersign(desk, second)
    busy_office.clock.advance(timedelta(minutes=5))
    _agree(busy_office, other, 1, "Later.")
    with busy_office.desk("manager") as desk:
        page = casework.get_panel(desk, second)
        pack = casework.export_panel(desk, second)
    assert {one.what for one in page.carried} == {"Visit.", "Call.", "Later."}
    assert [(one.what, one.owner, one.recorded_by) for one in pack.carried] == [
        ("Visit.", "Nurse", "")
    ]


def test_a_suppressed_household_stands_on_no_list(busy_office: Office) -> None:
    panel_id = _panel(busy_office, 1, 2)
    busy_office.take("officer", 1)
    _object(busy_office, 1, suppress_now=True)
    with busy_office.desk("reviewer") as desk:
        view = casework.get_panel(desk, panel_id)
    assert [row.item.household_id for row in view.rows] == [household_id(2)]


def test_a_household_that_needs_safe_contact_is_never_printed(busy_office: Office) -> None:
    flag = busy_office.take("reviewer", 1)
    with busy_office.desk("reviewer") as desk:
        form = DecisionForm(DecisionCode.SAFE_CONTACT_NEEDED, "At work only.")
        casework.decide(desk, flag.flag_id, flag.version, form)
    safe = busy_office.with_permission("reviewer", Permission.SAFE_CONTACT)
    with pytest.raises(NotAllowed), busy_office.desk(safe) as desk:
        casework.make_panel(desk, "October", DAY, ["Housing"], [flag.flag_id])


def test_an_action_is_carried_to_the_next_meeting_until_it_is_done(busy_office: Office) -> None:
    first = _panel(busy_office, 1, 2)
    flag_id = busy_office.flag_of(1).flag_id
    with busy_office.desk("reviewer") as desk:
        casework.set_barriers(desk, first, flag_id, [Barrier.RENT_ARREARS])
        action = casework.agree_action(
            desk, first, flag_id, agency="Health", owner="Nurse", due_on=DAY, what="Visit."
        )
        casework.close_panel(desk, first)
    second = _panel(busy_office, 1)
    with busy_office.desk("reviewer") as desk:
        assert [one.action_id for one in casework.get_panel(desk, second).carried] == [
            action.action_id
        ]
        casework.end_action(desk, action.action_id, PanelActionState.DONE)
        assert casework.get_panel(desk, second).carried == ()
        with pytest.raises(Conflict):
            casework.end_action(desk, action.action_id, PanelActionState.DONE)


def test_a_closed_meetings_open_actions_stand_on_the_next_list_whoever_is_on_it(
    busy_office: Office,
) -> None:
    first = _panel(busy_office, 1, 2, 3)
    for number, what in ((1, "Visit."), (2, "Call."), (3, "Write.")):
        with busy_office.desk("reviewer") as desk:
            flag_id = desk.unit.flags.of_household(household_id(number))[0].flag_id
            action = casework.agree_action(
                desk, first, flag_id, agency="Health", owner="Nurse", due_on=DAY, what=what
            )
            if number == 3:
                casework.end_action(desk, action.action_id, PanelActionState.DONE)
    second = _panel(busy_office, 4)
    with busy_office.desk("reviewer") as desk:
        assert casework.get_panel(desk, second).carried == ()
        casework.close_panel(desk, first)
    with busy_office.desk("reviewer") as desk:
        assert [one.what for one in casework.get_panel(desk, second).carried] == ["Visit.", "Call."]
        assert casework.get_panel(desk, first).carried == ()
    with busy_office.desk("manager") as desk:
        casework.suppress(desk, household_id(1), SuppressionKind.OBJECTION)
    with busy_office.desk("reviewer") as desk:
        assert [one.what for one in casework.get_panel(desk, second).carried] == ["Call."]
    with begin(busy_office.engine) as unit:
        read = [row for row in unit.audit.rows() if row.action == "read_panel"][-1]
    assert household_id(2) in read.detail


def test_a_closed_list_takes_nothing_more(busy_office: Office) -> None:
    panel_id = _panel(busy_office, 1)
    flag_id = busy_office.flag_of(1).flag_id
    with busy_office.desk("reviewer") as desk:
        assert casework.get_panel(desk, panel_id).can_close
        casework.close_panel(desk, panel_id)
        view = casework.get_panel(desk, panel_id)
        assert not (view.can_close or view.can_export or view.can_countersign)
    with pytest.raises(Conflict), busy_office.desk("reviewer") as desk:
        casework.close_panel(desk, panel_id)
    with pytest.raises(Conflict), busy_office.desk("reviewer") as desk:
        casework.set_barriers(desk, panel_id, flag_id, [Barrier.RENT_ARREARS])
    with pytest.raises(Conflict), busy_office.desk("reviewer") as desk:
        casework.agree_action(desk, panel_id, flag_id, agency="A", owner="B", due_on=DAY, what="C.")
    for nobody in ("analyst", "auditor", "admin"):
        with pytest.raises(NotAllowed), busy_office.desk(nobody) as desk:
            casework.close_panel(desk, panel_id)


def test_the_birds_eye_counts_the_last_outcome_of_each_listed_household(
    busy_office: Office,
) -> None:
    for number in range(1, 8):
        flag = busy_office.take("reviewer", number)
        with busy_office.desk("reviewer") as desk:
            form = DecisionForm(DecisionCode.OFFER_HELP, "Because.", ("money_advice",))
            flag = casework.decide(desk, flag.flag_id, flag.version, form)
            lost = OutcomeForm(Helped.NO, OutcomeCode.LOST_HOME, DutyOwed.NONE)
            flag = casework.record_outcome(desk, flag.flag_id, flag.version, lost)
        busy_office.clock.advance(timedelta(minutes=1))
        if number > 1:
            with busy_office.desk("reviewer") as desk:
                kept = OutcomeForm(Helped.YES, OutcomeCode.STAYED_HOME, DutyOwed.NONE)
                casework.record_outcome(desk, flag.flag_id, flag.version, kept)
    _panel(busy_office, *range(1, 7))
    _panel(busy_office, 1, 2)
    busy_office.rules = replace(busy_office.rules, disclosure_limit=5)
    with busy_office.desk("analyst") as desk:
        view = casework.birds_eye(desk)
    assert view.outcomes["stayed_home"] == view.helped["yes"] == 5
    assert view.outcomes["lost_home"] is view.helped["no"] is None
    assert view.outcomes["moved_planned"] == 0


def test_the_birds_eye_hides_small_counts(busy_office: Office) -> None:
    panel_id = _panel(busy_office, *range(1, 9))
    with busy_office.desk("reviewer") as desk:
        for number in range(1, 9):
            flag_id = desk.unit.flags.of_household(household_id(number))[0].flag_id
            barriers = [Barrier.RENT_ARREARS, *([Barrier.DISREPAIR] if number == 1 else [])]
            casework.set_barriers(desk, panel_id, flag_id, barriers)
    busy_office.rules = replace(busy_office.rules, disclosure_limit=5)
    with busy_office.desk("analyst") as desk:
        view = casework.birds_eye(desk)
    assert view.barriers["rent_arrears"] == 8
    assert view.barriers["disrepair"] is None
    assert view.barriers["overcrowding"] == 0


def test_the_pipeline_reads_back_what_was_done(busy_office: Office) -> None:
    flag = busy_office.take("reviewer", 1)
    with busy_office.desk("reviewer") as desk:
        form = DecisionForm(DecisionCode.OFFER_HELP, "Why.", ("money_advice",))
        view = casework.AssessmentForm(False, AssessmentWhy.DATA_WRONG)
        flag = casework.decide(desk, flag.flag_id, flag.version, form, view)
        call = ContactForm(DAY, ContactChannel.TELEPHONE, ContactResult.REACHED)
        casework.record_contact(desk, flag.flag_id, flag.version, call)
        offer = casework.get_flag(desk, flag.flag_id).offers[0]
        casework.change_offer(desk, offer.offer_id, OfferState.STARTED)
    with busy_office.desk("score") as desk:
        rows = casework.intervention_rows(desk)
        (decision,) = casework.decision_rows(desk)
    assert [(row.kind, row.account_ref) for row in rows] == [
        ("contacted", "700001X"),
        ("support_started", "700001X"),
    ]
    assert (decision.agrees, decision.why, decision.code) == (False, "data_wrong", "offer_help")


def test_read_models_are_published_and_read(office: Office) -> None:
    with office.desk("score") as desk:
        casework.put_document(desk, DocumentKind.CAPACITY, "2026-10-01", {"rows": [1]})
        casework.put_document(desk, DocumentKind.CAPACITY, "2026-10-01", {"rows": [2]})
    with office.desk("analyst") as desk:
        assert casework.get_document(desk, DocumentKind.CAPACITY).content == {"rows": [2]}
        with pytest.raises(StepMissing):
            casework.get_document(desk, DocumentKind.MODEL_CARD)
    with pytest.raises(NotAllowed), office.desk("officer") as desk:
        casework.get_document(desk, DocumentKind.PILOT)


def test_what_a_raising_left_out_is_told(busy_office: Office) -> None:
    with busy_office.desk("officer") as desk:
        assert casework.raising_of(desk, "run-1")["flagged"] == 8
        with pytest.raises(StepMissing):
            casework.raising_of(desk, "run-9")
        assert sum(casework.bands(desk, 1).values()) == 12
