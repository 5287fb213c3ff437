"""A household that needs safe contact is shown to holders of the permission alone, at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from earlyflag import casework
from earlyflag.casework import DecisionForm
from earlyflag.casework.suppressing import settle_suppressions
from earlyflag.core.errors import NotFound
from earlyflag.store.records import Flag
from earlyflag.store.terms import DecisionCode, Permission, SuppressionKind
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
