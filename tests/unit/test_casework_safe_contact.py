"""A household that needs safe contact is shown to holders of the permission alone, at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from earlyflag import casework
from earlyflag.casework import AlertForm, DecisionForm
from earlyflag.casework.suppressing import settle_suppressions
from earlyflag.core.errors import Conflict, NotFound
from earlyflag.store import FlagFilter
from earlyflag.store.records import Flag
from earlyflag.store.terms import AlertSource, Barrier, DecisionCode, Permission, SuppressionKind
from earlyflag.store.units import begin
from tests.office import Office, household_id


def _decided(office: Office, number: int = 1) -> Flag:
    flag = office.take("reviewer", number)
    with office.desk("reviewer") as desk:
        form = DecisionForm(DecisionCode.DECLINED, "Said no.")
        return casework.decide(desk, flag.flag_id, flag.version, form)


def _need(office: Office, number: int = 1) -> str:
    """Record the need as the command line does, and nothing after it."""
    with office.desk("suppress") as desk:
        return casework.suppress(desk, household_id(number), SuppressionKind.SAFE_CONTACT)


def test_the_flag_is_hidden_in_the_transaction_that_records_the_need(busy_office: Office) -> None:
    flag = busy_office.flag_of(1)
    _need(busy_office)
    with pytest.raises(NotFound), busy_office.desk("reviewer") as desk:
        casework.get_flag(desk, flag.flag_id)
    with busy_office.desk(busy_office.with_permission("manager", Permission.SAFE_CONTACT)) as desk:
        assert casework.get_flag(desk, flag.flag_id).flag.safe_contact
    assert busy_office.actions().count("flag_marked") == 1


def test_a_decided_flag_is_hidden_too_and_cannot_be_reopened(busy_office: Office) -> None:
    flag = _decided(busy_office)
    _need(busy_office)
    with pytest.raises(NotFound), busy_office.desk("reviewer") as desk:
        casework.get_flag(desk, flag.flag_id)
    now = busy_office.flag_of(1)
    with pytest.raises(NotFound), busy_office.desk("manager") as desk:
        casework.reopen(desk, now.flag_id, now.version)


def test_a_household_s_older_flags_are_hidden_when_a_reviewer_decides_so(
    busy_office: Office,
) -> None:
    old = _decided(busy_office)
    busy_office.clock.advance(timedelta(days=400))
    busy_office.publish(range(1, 4), run_id="run-2", as_of=busy_office.clock.now().date())
    busy_office.raise_flags(3, "run-2")
    new = busy_office.take("reviewer", 1)
    assert new.flag_id != old.flag_id
    with busy_office.desk("reviewer") as desk:
        form = DecisionForm(DecisionCode.SAFE_CONTACT_NEEDED, "At work only.")
        casework.decide(desk, new.flag_id, new.version, form)
    for flag in (old, new):
        with pytest.raises(NotFound), busy_office.desk("reviewer") as desk:
            casework.get_flag(desk, flag.flag_id)


def test_the_flags_are_shown_again_when_the_need_ends(busy_office: Office) -> None:
    flag = _decided(busy_office)
    reference = _need(busy_office)
    with busy_office.desk(busy_office.with_permission("manager", Permission.SAFE_CONTACT)) as desk:
        casework.end_suppression(desk, reference)
    with busy_office.desk("reviewer") as desk:
        assert casework.get_flag(desk, flag.flag_id).flag.decision_code is DecisionCode.DECLINED


def test_a_need_that_runs_out_by_itself_unmarks_the_flags_the_next_day(
    busy_office: Office,
) -> None:
    with busy_office.desk("suppress") as desk:
        until = desk.today + timedelta(days=2)
        casework.suppress(desk, household_id(1), SuppressionKind.SAFE_CONTACT, until=until)
    flag = busy_office.flag_of(1)
    busy_office.clock.advance(timedelta(days=3))
    with busy_office.desk("suppress") as desk:
        settle_suppressions(desk)
    with busy_office.desk("reviewer") as desk:
        assert not casework.get_flag(desk, flag.flag_id).flag.safe_contact
    assert busy_office.actions().count("flag_unmarked") == 1


def _alert(office: Office, name: str, tenancy: str | None) -> str:
    with office.desk("officer") as desk:
        form = AlertForm(desk.today, name, "1 Road", "ZZ1 1ZZ", tenancy_ref=tenancy)
        return casework.report_alert(desk, form, source=AlertSource.OFFICER)


def _waiting(office: Office, who: str | casework.Actor) -> set[str]:
    with office.desk(who) as desk:
        return {alert.alert_id for alert in casework.alerts_to_match(desk)}


def test_an_alert_about_a_hidden_household_waits_as_if_it_found_none(busy_office: Office) -> None:
    _need(busy_office)
    about = _alert(busy_office, "Somebody", "TEN1")
    nobody = _alert(busy_office, "Nobody Known", None)
    assert _waiting(busy_office, "reviewer") == {about, nobody}
    trusted = busy_office.with_permission("reviewer", Permission.SAFE_CONTACT)
    assert _waiting(busy_office, trusted) == {nobody}
    with busy_office.desk("reviewer") as desk:
        shown = {alert.household_id for alert in casework.alerts_to_match(desk)}
    assert shown == {None}
    for alert_id in (about, nobody):
        with busy_office.desk("reviewer") as desk:
            assert casework.match_alert(desk, alert_id, None) is None
        with pytest.raises(Conflict), busy_office.desk("reviewer") as desk:
            casework.match_alert(desk, alert_id, None)
    with begin(busy_office.engine) as unit:
        assert unit.cases.alert(about).household_id == household_id(1)


def test_an_alert_about_a_hidden_household_becomes_work_of_those_who_may_know(
    busy_office: Office,
) -> None:
    _need(busy_office, 9)
    _alert(busy_office, "Somebody", "TEN9")
    trusted = busy_office.with_permission("reviewer", Permission.SAFE_CONTACT)
    with busy_office.desk(trusted) as desk:
        listed = casework.list_flags(desk, FlagFilter(household_id=household_id(9)))
    assert [row.flag.safe_contact for row in listed.rows] == [True]
    with busy_office.desk("reviewer") as desk:
        assert not casework.list_flags(desk, FlagFilter(household_id=household_id(9))).rows


def test_no_count_tells_those_who_may_not_know_that_a_hidden_flag_is_there(
    busy_office: Office,
) -> None:
    busy_office.take("reviewer", 1)
    flag_id = busy_office.flag_of(1).flag_id
    with busy_office.desk("reviewer") as desk:
        panel = casework.make_panel(desk, "October", desk.today, ["Health"], [flag_id])
        casework.set_barriers(desk, panel.panel_id, flag_id, [Barrier.RENT_ARREARS])
    _need(busy_office)
    trusted = busy_office.with_permission("manager", Permission.SAFE_CONTACT)
    counted = {}
    for who in ("manager", trusted):
        with busy_office.desk(who) as desk:
            seen = casework.birds_eye(desk)
            counted[who if isinstance(who, str) else "trusted"] = (
                sum(casework.funnel(desk).states.values()),
                sum(load.total for load in casework.loads(desk)),
                seen.households,
                seen.barriers[Barrier.RENT_ARREARS.value],
            )
    assert counted == {"manager": (7, 0, 0, 0), "trusted": (8, 1, 1, None)}
