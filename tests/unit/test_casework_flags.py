"""Raise flags, list them, take them, assign them."""

from __future__ import annotations

import base64
from datetime import date, timedelta

import pytest

from earlyflag import casework
from earlyflag.casework import DecisionForm
from earlyflag.core.errors import (
    Conflict,
    InputInvalid,
    NotAllowed,
    NotFound,
    Stale,
    StepMissing,
)
from earlyflag.core.terms import Band, SuppressionRecord
from earlyflag.store import FlagFilter
from earlyflag.store.terms import (
    Arm,
    DecisionCode,
    FlagOrigin,
    FlagSort,
    FlagState,
    Permission,
    Role,
    Tray,
)
from earlyflag.store.units import begin
from tests.office import AS_OF, Office, household_id


def _suppress(number: int, kind: str) -> SuppressionRecord:
    return SuppressionRecord(f"s{number}", kind, date(2026, 1, 1), None, household_id(number))


def test_the_highest_households_are_flagged_up_to_capacity(office: Office) -> None:
    office.publish(range(1, 13))
    summary = office.raise_flags(5)
    assert summary.flagged == 5
    flags = office.flags("reviewer")
    assert [flag.household_id for flag in flags] == [household_id(n) for n in range(1, 6)]
    assert flags[0].first_reason == "Sentence about instalments."
    assert flags[0].second_reason == "Sentence about rent."


def test_raising_twice_raises_nothing_the_second_time(busy_office: Office) -> None:
    again = busy_office.raise_flags(8)
    assert again.repeated
    assert len(busy_office.flags("reviewer")) == 8


def test_a_run_that_was_stopped_remembers_the_capacity_it_was_begun_for(office: Office) -> None:
    def stop(_count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        office.publish(range(1, 13), advance=stop)
    with begin(office.engine) as unit:
        assert unit.borough.run("run-1") is None
        assert unit.borough.begun_for("run-1") == 10
        assert unit.borough.begun_for("run-9") is None


def test_a_smaller_capacity_takes_no_flag_back(busy_office: Office) -> None:
    again = busy_office.raise_flags(3)
    assert (again.repeated, again.capacity, again.flagged, again.added) == (True, 8, 8, 0)
    assert len(busy_office.flags("reviewer")) == 8


def test_a_larger_capacity_raises_the_flags_down_to_the_new_line_and_says_so(
    office: Office,
) -> None:
    office.publish(range(1, 41), suppressions=[_suppress(12, "objection")])
    first = office.raise_flags(8)
    assert (first.added, first.widened_from) == (8, None)
    before = {flag.flag_id: flag for flag in office.flags("reviewer")}
    wider = office.raise_flags(12)
    assert (wider.capacity, wider.flagged, wider.added, wider.widened_from) == (12, 12, 4, 8)
    assert wider.excluded == {"suppressed_objection": 1}
    flags = office.flags("reviewer")
    assert [flag.rank for flag in flags] == [*range(1, 12), 13]
    assert {flag.flag_id: flag for flag in flags if flag.rank <= 8} == before
    assert office.actions().count("list_widened") == 1
    assert office.actions().count("flag_raised") == 12
    same = office.raise_flags(12)
    assert (same.repeated, same.added, same.widened_from) == (True, 0, None)
    with office.desk("manager") as desk:
        assert casework.raising_of(desk, "run-1")["capacity"] == 12


def test_a_household_decided_about_since_keeps_its_place_in_a_wider_list(office: Office) -> None:
    office.publish(range(1, 21))
    office.raise_flags(4)
    flag = office.take("reviewer", 2)
    with office.desk("reviewer") as desk:
        casework.decide(
            desk, flag.flag_id, flag.version, DecisionForm(DecisionCode.DECLINED, "Said no.")
        )
    wider = office.raise_flags(6)
    assert (wider.added, wider.excluded) == (2, {})
    assert office.flag_of(6).run_key == flag.run_key


def test_a_wider_list_keeps_the_shares_and_the_seed_it_began_with(office: Office) -> None:
    office.publish(range(1, 201))
    first = office.raise_flags(20, explore_share=0.25, holdback_share=0.3, seed=7)
    wider = office.raise_flags(60, seed=99)
    flags = office.flags("reviewer")
    assert (wider.seed, wider.explore_share, wider.holdback_share) == (7, 0.25, 0.3)
    assert (first.explored, wider.explored, wider.flagged, len(flags)) == (5, 15, 60, 60)
    assert wider.held_back > first.held_back > 0
    with begin(office.engine) as unit:
        run = unit.borough.run("run-1")
        assert len(unit.flags.raised_from(run.run_key)) == 60 + wider.held_back


def test_whoever_the_seed_draws_and_may_not_be_flagged_is_counted(office: Office) -> None:
    suppressed = [_suppress(number, "objection") for number in range(11, 41)]
    office.publish(range(1, 61), suppressions=suppressed)
    summary = office.raise_flags(20, explore_share=0.5, seed=3)
    assert (summary.flagged, summary.explored, summary.excluded) == (20, 10, {})
    assert 1 <= summary.passed_over["suppressed_objection"] <= 30
    assert set(summary.passed_over) == {"suppressed_objection"}


def test_a_wider_list_gives_no_household_two_flags_of_one_run(office: Office) -> None:
    office.publish(range(1, 101))
    office.raise_flags(10, explore_share=0.5, seed=1)
    office.raise_flags(70)
    with begin(office.engine) as unit:
        run = unit.borough.run("run-1")
        households = unit.flags.raised_from(run.run_key)
    flags = office.flags("reviewer")
    assert len(flags) == len(households) == len({flag.household_id for flag in flags})


def test_suppressed_open_and_lately_decided_households_are_left_out_and_counted(
    office: Office,
) -> None:
    office.publish(range(1, 7))
    office.raise_flags(2)
    flag = office.take("reviewer", 2)
    with office.desk("reviewer") as desk:
        casework.decide(
            desk, flag.flag_id, flag.version, DecisionForm(DecisionCode.DECLINED, "Said no.")
        )
    office.publish(
        [1, 2, 3, 4, 5],
        run_id="run-2",
        as_of=date(2026, 11, 1),
        suppressions=[_suppress(3, "objection")],
    )
    summary = office.raise_flags(2, "run-2")
    assert summary.excluded == {
        "decided_lately": 1,
        "open_flag": 1,
        "suppressed_objection": 1,
    }
    assert summary.flagged == 2


def test_a_decision_long_ago_does_not_keep_a_household_out(office: Office) -> None:
    office.publish([1, 2])
    office.raise_flags(1)
    flag = office.take("reviewer", 1)
    with office.desk("reviewer") as desk:
        casework.decide(
            desk, flag.flag_id, flag.version, DecisionForm(DecisionCode.DECLINED, "Said no.")
        )
    office.clock.advance(timedelta(days=200))
    office.publish([1, 2], run_id="run-2", as_of=date(2027, 4, 1))
    assert office.raise_flags(1, "run-2").excluded == {}


def test_a_household_that_needs_safe_contact_is_flagged_to_holders_of_the_permission_only(
    office: Office,
) -> None:
    office.hire("safe", Role.REVIEWER, permissions=[Permission.SAFE_CONTACT])
    office.publish(range(1, 5), suppressions=[_suppress(1, "safe_contact")])
    assert office.raise_flags(2).flagged == 2
    assert [f.household_id for f in office.flags("reviewer")] == [household_id(2)]
    assert [f.household_id for f in office.flags("safe")] == [household_id(1), household_id(2)]
    hidden = office.flag_of(1)
    with pytest.raises(NotFound), office.desk("reviewer") as desk:
        casework.get_flag(desk, hidden.flag_id)
    manager = office.with_permission("manager", Permission.SAFE_CONTACT)
    with pytest.raises(NotAllowed), office.desk(manager) as desk:
        casework.assign_flags(
            desk, [(hidden.flag_id, hidden.version)], office.people["officer"].actor_id
        )


def test_a_seeded_share_is_drawn_from_below_the_line(office: Office) -> None:
    office.publish(range(1, 101))
    summary = office.raise_flags(20, explore_share=0.25, seed=7)
    flags = office.flags("reviewer")
    explored = [flag for flag in flags if flag.origin is FlagOrigin.EXPLORE]
    assert (summary.flagged, summary.explored, len(explored)) == (20, 5, 5)
    assert min(flag.rank for flag in explored) > 15


def test_the_same_seed_draws_the_same_households(office: Office) -> None:
    office.publish(range(1, 101))
    office.publish(range(1, 101), run_id="run-2", as_of=date(2026, 11, 1))
    with begin(office.engine) as unit:
        runs = [unit.borough.run("run-1"), unit.borough.run("run-2")]
    drawn = []
    for run in runs:
        with office.desk("score") as desk:
            from earlyflag.casework.choosing import Plan

            plan = Plan(desk, run, 7, 0.3, frozenset(), {})
            plan.explore(plan.take_top(15), 5)
            drawn.append([(flag.household_id, flag.state) for flag in plan.flags])
    assert drawn[0] == drawn[1]


def test_a_share_of_the_top_is_held_back_and_the_list_is_still_filled(office: Office) -> None:
    office.publish(range(1, 201))
    summary = office.raise_flags(60, holdback_share=0.3, seed=1)
    assert summary.flagged == 60
    assert 10 < summary.held_back < 45
    assert all(flag.state is FlagState.WAITING for flag in office.flags("reviewer"))


def test_a_household_with_a_live_notice_is_never_held_back(office: Office) -> None:
    office.publish(range(1, 101))
    everyone = {household_id(number) for number in range(1, 101)}
    summary = office.raise_flags(50, holdback_share=0.5, seed=1, never_held_back=everyone)
    assert summary.held_back == 0
    assert summary.guarded > 10
    with begin(office.engine) as unit:
        arms = unit.borough.pilot_arms().values()
    assert {(arm.arm, arm.randomised) for arm in arms} == {(Arm.OFFER, False)}
    assert all(flag.without_collection for flag in office.flags("reviewer"))


def test_a_notice_that_comes_later_releases_who_was_held_back_and_ends_collection(
    office: Office,
) -> None:
    office.publish(range(1, 41))
    office.raise_flags(10, holdback_share=0.5, seed=1)
    office.publish(range(1, 41), run_id="run-2", as_of=date(2026, 11, 1))
    everyone = [household_id(number) for number in range(1, 41)]
    with begin(office.engine) as unit:
        before = unit.flags.live_of(everyone)
    held = next(flag for flag in before if flag.state is FlagState.HELD_BACK)
    waiting, other = [flag for flag in before if flag.state is FlagState.WAITING][:2]
    threatened = {held.household_id, waiting.household_id}
    office.raise_flags(5, "run-2", holdback_share=0.5, seed=1, never_held_back=threatened)
    with begin(office.engine) as unit:
        now = {flag.flag_id: flag for flag in unit.flags.live_of(everyone)}
        arm = unit.borough.pilot_arms()[held.household_id]
    assert now[held.flag_id].state is FlagState.WAITING
    assert now[held.flag_id].without_collection
    assert arm.released_at == office.clock.now()
    assert now[waiting.flag_id].without_collection
    assert not now[other.flag_id].without_collection
    assert office.actions().count("flag_guarded") == 2


def test_a_household_keeps_its_arm_from_month_to_month(office: Office) -> None:
    office.publish(range(1, 41))
    office.raise_flags(20, holdback_share=0.5, seed=1)
    with begin(office.engine) as unit:
        before = {one: arm.arm for one, arm in unit.borough.pilot_arms().items()}
    office.publish(range(1, 41), run_id="run-2", as_of=date(2026, 11, 1))
    office.raise_flags(20, "run-2", holdback_share=0.5, seed=2)
    with begin(office.engine) as unit:
        after = {one: arm.arm for one, arm in unit.borough.pilot_arms().items()}
    assert before.items() <= after.items()


def test_flags_of_an_unknown_run_or_with_a_wrong_share_are_refused(office: Office) -> None:
    office.publish([1])
    with pytest.raises(StepMissing):
        office.raise_flags(1, "run-9")
    with pytest.raises(InputInvalid):
        office.raise_flags(0)
    with pytest.raises(InputInvalid):
        office.raise_flags(1, holdback_share=0.9)


def test_only_the_pipeline_raises_flags(office: Office) -> None:
    office.publish([1])
    with pytest.raises(NotAllowed), office.desk("manager") as desk:
        casework.raise_flags(desk, "run-1", capacity=1)


def test_a_list_is_read_page_by_page_without_a_gap_or_a_repeat(office: Office) -> None:
    office.publish(range(1, 31))
    office.raise_flags(30)
    for sort in FlagSort:
        seen: list[str] = []
        cursor = None
        while True:
            with office.desk("reviewer") as desk:
                page = casework.list_flags(desk, FlagFilter(), sort=sort, cursor=cursor, limit=7)
            seen += [row.flag.flag_id for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == page.total == 30


def test_a_cursor_that_is_not_of_this_list_is_refused(busy_office: Office) -> None:
    with busy_office.desk("reviewer") as desk:
        page = casework.list_flags(desk, FlagFilter(), limit=2)
    for cursor in ("rubbish", "", page.next_cursor):
        with pytest.raises(InputInvalid), busy_office.desk("reviewer") as desk:
            casework.list_flags(desk, FlagFilter(), sort=FlagSort.RAISED, cursor=cursor)


@pytest.mark.parametrize(
    "content",
    ['["rank",1e999,"F1"]', f'["rank",{10**30},"F1"]', '["rank",1,"F\\u0000"]', "[1,2,3]", "null"],
)
def test_a_cursor_that_somebody_made_up_is_refused_and_breaks_nothing(
    busy_office: Office, content: str
) -> None:
    cursor = base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")
    with pytest.raises(InputInvalid), busy_office.desk("reviewer") as desk:
        casework.list_flags(desk, FlagFilter(), sort=FlagSort.RANK, cursor=cursor)


def test_filters_narrow_a_list(busy_office: Office) -> None:
    def count(**wanted: object) -> int:
        with busy_office.desk("reviewer") as desk:
            return casework.list_flags(desk, FlagFilter(**wanted)).total

    assert count() == 8
    assert count(wards=("W1",)) == 3
    assert count(bands=(Band.HIGHEST,)) == 3
    assert count(tenures=("council",)) == 0
    assert count(as_of=AS_OF) == 8
    assert count(household_id=household_id(3)) == 1


def test_trays_are_counted_for_their_reader(busy_office: Office) -> None:
    busy_office.take("reviewer", 1)
    with busy_office.desk("reviewer") as desk:
        counts = casework.count_trays(desk)
    assert counts.totals[Tray.MINE] == 1
    assert counts.totals[Tray.UNASSIGNED] == 7
    with busy_office.desk("officer") as desk:
        assert casework.count_trays(desk).totals[Tray.MINE] == 0
    for tray in Tray:
        with busy_office.desk("reviewer") as desk:
            counts = casework.count_trays(desk)
            assert counts.totals[tray] == casework.list_flags(desk, FlagFilter(tray=tray)).total
            for ward, count in counts.wards[tray].items():
                there = FlagFilter(tray=tray, wards=(ward,))
                assert casework.list_flags(desk, there).total == count
            for tenure, count in counts.tenures[tray].items():
                there = FlagFilter(tray=tray, tenures=(tenure,))
                assert casework.list_flags(desk, there).total == count


def test_two_people_cannot_take_one_flag(busy_office: Office) -> None:
    flag = busy_office.flag_of(1)
    busy_office.take("reviewer", 1)
    with pytest.raises(Stale, match=r"version 2.*version 1"), busy_office.desk("officer") as desk:
        casework.take_flag(desk, flag.flag_id, flag.version)
    with pytest.raises(Conflict), busy_office.desk("officer") as desk:
        casework.take_flag(desk, flag.flag_id, flag.version + 1)


def test_a_manager_assigns_many_flags_or_none(busy_office: Office) -> None:
    officer = busy_office.people["officer"].actor_id
    flags = [busy_office.flag_of(number) for number in (1, 2, 3)]
    stale = [(flag.flag_id, flag.version + (flag is flags[2])) for flag in flags]
    with pytest.raises(Stale), busy_office.desk("manager") as desk:
        casework.assign_flags(desk, stale, officer)
    assert busy_office.flags("officer", Tray.MINE) == []
    with busy_office.desk("manager") as desk:
        casework.assign_flags(desk, [(flag.flag_id, flag.version) for flag in flags], officer)
        loads = {load.display_name: load.total for load in casework.loads(desk)}
    assert len(busy_office.flags("officer", Tray.MINE)) == 3
    assert loads == {"Manager": 0, "Officer": 3, "Reviewer": 0}


def test_nobody_is_given_a_flag_who_may_not_decide_on_it(busy_office: Office) -> None:
    flag = busy_office.flag_of(1)
    with pytest.raises(NotAllowed), busy_office.desk("manager") as desk:
        casework.assign_flags(
            desk, [(flag.flag_id, flag.version)], busy_office.people["analyst"].actor_id
        )
