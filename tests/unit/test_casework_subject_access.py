"""Subject access: everything that is held, and nothing that is somebody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import update

from earlyflag import casework
from earlyflag.casework import AlertForm, ContactForm, DecisionForm
from earlyflag.casework.webhooks import announce
from earlyflag.core.errors import NotFound
from earlyflag.core.terms import TimelineEvent
from earlyflag.store.encoding import encode_events
from earlyflag.store.erasing import UNMATCHED
from earlyflag.store.tables import TimelineRow
from earlyflag.store.terms import (
    AlertSource,
    Barrier,
    ContactChannel,
    ContactResult,
    DecisionCode,
    Purpose,
    SuppressionKind,
)
from earlyflag.store.units import begin
from tests.office import AS_OF, Office, household_id


def _answer(office: Office, reference: str = "P1") -> tuple[dict[str, Any], list[str]]:
    with office.desk("subject-access") as desk:
        held = casework.subject_access(desk, reference)
    assert json.loads(json.dumps(held)) == held
    return held["households"][0], held["check_before_sending"]


def _tell_timeline(office: Office, *events: TimelineEvent) -> None:
    with begin(office.engine) as unit:
        statement = update(TimelineRow).where(TimelineRow.household_id == household_id(1))
        unit.connection.execute(statement.values(events=encode_events(events)))


APPROACHED = TimelineEvent(household_id(1), AS_OF, "approached", "Approached.", "homelessness")
REMINDED = TimelineEvent(household_id(1), AS_OF, "reminder", "Reminder sent.", "council tax")


def _alert(office: Office, name: str, **more: Any) -> str:
    with office.desk("alerts") as desk:
        values = {"address": "1 Canary Road", "postcode": "E1 1AA", "tenancy_ref": "TEN1"}
        form = AlertForm(desk.today, name, **{**values, "statement": f"About {name}.", **more})
        return casework.report_alert(desk, form, source=AlertSource.LANDLORD)


@pytest.fixture
def worked(busy_office: Office) -> Office:
    """An office where household 1 was looked up, decided about, contacted and put on a list."""
    flag = busy_office.take("reviewer", 1)
    with busy_office.desk("manager") as desk:
        casework.state_purpose(desk, household_id(1), Purpose.SAFEGUARDING, "Words of a purpose.")
        casework.get_household(desk, household_id(1))
    with busy_office.desk("reviewer") as desk:
        form = DecisionForm(DecisionCode.OFFER_HELP, "Words about Ada.", ("money_advice",))
        flag = casework.decide(desk, flag.flag_id, flag.version, form)
        contact = ContactForm(
            desk.today, ContactChannel.VISIT, ContactResult.REACHED,
            interpreter="Words of a language.", adjustments="Words of a need.",
            safe_channel="Words of a way.",
        )  # fmt: skip
        casework.record_contact(desk, flag.flag_id, flag.version, contact)
        panel = casework.make_panel(desk, "October", desk.today, ["Health"], [flag.flag_id])
        casework.set_barriers(desk, panel.panel_id, flag.flag_id, [Barrier.NOTICE_SERVED])
        casework.agree_action(
            desk, panel.panel_id, flag.flag_id, agency="Health", owner="A Colleague",
            due_on=desk.today, what="Words of an action.",
        )  # fmt: skip
    return busy_office


def test_meetings_and_look_ups_are_told_with_who_received_the_list(worked: Office) -> None:
    one, to_check = _answer(worked)
    (item,), (action,) = one["panelitem"], one["panelaction"]
    assert (item["barriers"], item["recipients"]) == (["notice_served"], ["Health"])
    assert (action["agency"], action["what"]) == ("Health", "Words of an action.")
    (purpose,), (lookup,) = one["purpose"], one["lookup"]
    assert (purpose["purpose"], purpose["note"]) == ("safeguarding", "Words of a purpose.")
    assert lookup["day"] == "2026-10-01"
    text = json.dumps(one)
    assert "A Colleague" not in text
    assert not [person for person in worked.people.values() if person.actor_id in text]
    assert {"contact.interpreter", "contact.adjustments", "contact.safe_channel"} <= set(to_check)
    assert {"panelaction.what", "purpose.note"} <= set(to_check)
    assert "flags.first_reason" not in to_check


def test_suppressions_that_ended_are_told_too(worked: Office) -> None:
    with worked.desk("manager") as desk:
        reference = casework.suppress(desk, household_id(1), SuppressionKind.OBJECTION)
        casework.end_suppression(desk, reference)
    one, _ = _answer(worked)
    assert [record["kind"] for record in one["suppressions"]] == ["objection"]


@pytest.mark.parametrize(
    ("tenant", "reference", "told"),
    [
        ("Ada Canary1", "P1", 1),
        ("a canary1", "P1", 1),
        ("Bo Canary-Smith", "P1", 0),
        ("Bo Canary-Smith", "Q1", 1),
        ("Ada Canary1", "Q1", 0),
        ("Somebody Else", "P1", 1),
    ],
)
def test_a_report_about_another_tenant_is_left_out_and_counted(
    worked: Office, tenant: str, reference: str, told: int
) -> None:
    _alert(worked, tenant)
    one, to_check = _answer(worked, reference)
    assert len(one["alert"]) == told
    assert one["left_out"].get("alert", 0) == 1 - told
    assert ("alert.statement" in to_check) == bool(told)


def test_what_may_be_another_members_is_listed_for_checking(worked: Office) -> None:
    _tell_timeline(worked, APPROACHED, REMINDED)
    one, to_check = _answer(worked)
    assert len(one["timeline"]) == 2
    assert "timeline.homelessness" in to_check
    assert "household.tenancy_refs" in to_check


def test_how_a_member_keeps_safe_is_not_told_to_another(worked: Office) -> None:
    _tell_timeline(worked, APPROACHED, REMINDED)
    with worked.desk("suppress") as desk:
        casework.suppress(desk, household_id(1), SuppressionKind.SAFE_CONTACT)
    one, to_check = _answer(worked)
    text = json.dumps(one)
    assert "Words of a way." not in text
    assert "safeguarding" not in text
    assert [event["source"] for event in one["timeline"]] == ["council tax"]
    assert one["suppressions"] == []
    assert one["left_out"]["timeline"] == one["left_out"]["suppressions"] == 1
    assert one["left_out"]["contact.safe_channel"] == 1
    assert any(place.startswith("safe_contact: ask") for place in to_check)


def test_what_is_left_of_an_erased_household_is_told_by_its_pseudonym(worked: Office) -> None:
    with worked.desk("erase") as desk:
        casework.erase(desk, household_id(1), dry_run=False)
    with pytest.raises(NotFound):
        _answer(worked, "P1")
    one, to_check = _answer(worked, household_id(1))
    assert one["household"] is None
    assert one["decision"][0]["code"] == "offer_help"
    assert one["erasure"][0]["household_id"] == household_id(1)
    assert to_check == []


def test_erasing_takes_messages_and_kept_answers_that_name_the_household(worked: Office) -> None:
    flag_id = worked.flag_of(1).flag_id
    other = worked.flag_of(2)
    with worked.desk("admin") as desk:
        casework.make_webhook(desk, "https://cases.example/hook", ["flag.closed"])
        flags = [desk.unit.flags.get(flag_id), other]
        announce(desk, "flag.closed", flags)
        for key, body in (
            ("one", f'{{"household_id":"{household_id(1)}"}}'),
            ("two", f'{{"flag_id":"{flag_id}","state":"offered"}}'),
            ("three", f'{{"household_id":"{household_id(1)}0"}}'),
        ):
            casework.answered_before(desk, key, "digest")
            casework.keep_answer(desk, key, 201, body)
    with worked.desk("erase") as desk:
        foreseen = casework.erase(desk, household_id(1), dry_run=True)
    with worked.desk("erase") as desk:
        done = casework.erase(desk, household_id(1), dry_run=False)
    assert done == foreseen
    assert (done["outbox"], done["idempotency_keys"]) == (1, 2)
    with begin(worked.engine) as unit:
        (message,) = unit.connection.exec_driver_sql("SELECT body FROM outbox").all()
        (answer,) = unit.connection.exec_driver_sql("SELECT body FROM idempotency_keys").all()
    assert household_id(2) in message[0]
    assert f"{household_id(1)}0" in answer[0]


def test_erasing_takes_alerts_that_found_nobody_and_would_find_the_household_now(
    office: Office,
) -> None:
    about = _alert(office, "Ada Canary1", tenancy_ref=None)
    other = _alert(office, "Ada Canary2", tenancy_ref=None, postcode="E2 1AA")
    office.publish([1, 2])
    with office.desk("erase") as desk:
        foreseen = casework.erase(desk, household_id(1), dry_run=True)
    with office.desk("erase") as desk:
        done = casework.erase(desk, household_id(1), dry_run=False)
    assert foreseen[UNMATCHED] == done[UNMATCHED] == 1
    with begin(office.engine) as unit:
        assert unit.cases.alert(other).tenant_name == "Ada Canary2"
        with pytest.raises(NotFound):
            unit.cases.alert(about)


def test_a_household_that_is_in_the_data_no_more_is_erased_by_its_pseudonym(
    worked: Office,
) -> None:
    with begin(worked.engine) as unit:
        for table in ("household_members", "household_references", "households"):
            unit.connection.exec_driver_sql(f"DELETE FROM {table}")
    with worked.desk("erase") as desk:
        done = casework.erase(desk, household_id(1), dry_run=False)
    assert (done["households"], done["decisions"]) == (0, 1)
    with pytest.raises(NotFound), worked.desk("erase") as desk:
        casework.erase(desk, "H9999", dry_run=False)
