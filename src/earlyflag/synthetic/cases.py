"""Homelessness case records: who applied, why, from what home, and how the case ended."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from earlyflag.synthetic.columns import NO_DATE, NONE
from earlyflag.synthetic.homes import ASSOCIATION, COUNCIL, OWNED, PRIVATE
from earlyflag.synthetic.names import name_book
from earlyflag.synthetic.rent import ORDER, write_events
from earlyflag.synthetic.world import HOMELESSNESS, World

Shares = Mapping[str, float]

REASONS_WHEN_MEANS_FAIL: dict[int, Shares] = {
    OWNED: {"other": 0.6, "not_known": 0.3, "relationship_breakdown": 0.1},
    COUNCIL: {"social_tenancy_ended": 0.16, "other": 0.42, "not_known": 0.34,
              "home_unsuitable": 0.08},
    ASSOCIATION: {"social_tenancy_ended": 0.16, "other": 0.42, "not_known": 0.34,
                  "home_unsuitable": 0.08},
    PRIVATE: {"assured_shorthold_ended": 0.46, "other_private_ended": 0.03, "other": 0.29,
              "not_known": 0.21, "home_unsuitable": 0.01},
}  # fmt: skip
REASONS_AFTER_SHOCK: dict[int, Shares] = {
    OWNED: {"domestic_abuse": 0.35, "relationship_breakdown": 0.30, "other": 0.35},
    COUNCIL: {"domestic_abuse": 0.30, "relationship_breakdown": 0.10, "other_violence": 0.12,
              "other": 0.28, "not_known": 0.20},
    ASSOCIATION: {"domestic_abuse": 0.30, "relationship_breakdown": 0.10, "other_violence": 0.12,
                  "other": 0.28, "not_known": 0.20},
    PRIVATE: {"assured_shorthold_ended": 0.17, "domestic_abuse": 0.22,
              "relationship_breakdown": 0.07, "other_violence": 0.02,
              "family_or_friends_unwilling": 0.05, "other": 0.27, "not_known": 0.20},
}  # fmt: skip
REASONS_OF_UNKNOWN: Shares = {
    "other": 0.30, "not_known": 0.16, "family_or_friends_unwilling": 0.15,
    "domestic_abuse": 0.06, "supported_housing_ended": 0.17, "asylum_support_ended": 0.08,
    "left_institution": 0.035, "relationship_breakdown": 0.02, "other_violence": 0.015,
    "assured_shorthold_ended": 0.01,
}  # fmt: skip
HOMES_OF_UNKNOWN: Shares = {
    "no_fixed_abode": 0.37, "rough_sleeping": 0.22, "living_with_friends": 0.06,
    "temporary": 0.06, "living_with_family": 0.02, "refuge": 0.02, "asylum_support": 0.04,
    "institution": 0.13, "not_known": 0.08,
}  # fmt: skip
HOMES_OF_MEMBERS: dict[int, Shares] = {
    OWNED: {"owner_occupied": 0.10, "living_with_friends": 0.25, "living_with_family": 0.20,
            "temporary": 0.20, "no_fixed_abode": 0.15, "not_known": 0.10},
    COUNCIL: {"council": 0.27, "temporary": 0.20, "living_with_friends": 0.07,
              "living_with_family": 0.05, "no_fixed_abode": 0.30, "refuge": 0.02,
              "not_known": 0.09},
    ASSOCIATION: {"registered_provider": 0.27, "temporary": 0.20, "living_with_friends": 0.07,
                  "living_with_family": 0.05, "no_fixed_abode": 0.30, "refuge": 0.02,
                  "not_known": 0.09},
    PRIVATE: {"private_rented": 0.64, "temporary": 0.08, "living_with_friends": 0.03,
              "living_with_family": 0.03, "no_fixed_abode": 0.14, "not_known": 0.08},
}  # fmt: skip
TYPES_OF_HOSTED: Shares = {"single_adult": 0.85, "lone_parent": 0.13, "couple": 0.02}
TYPES_OF_UNKNOWN: Shares = {
    "single_adult": 0.85, "lone_parent": 0.11, "couple": 0.015, "couple_with_children": 0.025,
}  # fmt: skip
OUTCOMES_OF_RELIEF: Shares = {
    "secured": 0.42, "expired_56_days": 0.34, "contact_lost": 0.12, "withdrew": 0.06,
    "refused": 0.02, "intentional": 0.02, "referred_on": 0.02,
}  # fmt: skip
OUTCOMES_OF_PREVENTION: Shares = {
    "secured": 0.58, "homeless": 0.24, "contact_lost": 0.08, "withdrew": 0.06,
    "expired_56_days": 0.04,
}  # fmt: skip
OUTCOMES_WITHOUT_DUTY: Shares = {"withdrew": 0.6, "ineligible": 0.2, "referred_on": 0.2}

#: How a case's person stands to the household beside it.
RELATIONS = ("member", "grown_child", "host", "unknown")
MEMBER, GROWN, HOST, UNKNOWN = range(4)
#: What brought a member's case about; for the others the simulation knows of no more.
CAUSES = ("means", "shock", "other")
MEANS_FAILED, SHOCK_CAME, OTHER_CAUSE = range(3)
GIVES_UPRN, GIVES_POSTCODE = 0.85, 0.93


def _draw(world: World, column: str, shares: Shares, count: int) -> np.ndarray:
    """Draw code positions of a case column."""
    sheet = world.sheets["homelessness_cases"]
    positions = np.array([sheet.code(column, word) for word in shares])
    weights = np.array(list(shares.values()))
    return world.rng.choice(positions, count, p=weights / weights.sum())


def _draw_by_tenure(world, column, by_tenure, tenure) -> np.ndarray:
    drawn = np.zeros(len(tenure), np.int8)
    for key, shares in by_tenure.items():
        at = np.flatnonzero(tenure == key)
        drawn[at] = _draw(world, column, shares, len(at))
    return drawn


def write_members(
    world: World, rows: np.ndarray, applicant: np.ndarray, month: int, duty: str,
    *, shocked: np.ndarray | None,
) -> None:  # fmt: skip
    """Write the cases of households that the borough's extracts know.

    Parameters
    ----------
    shocked : whether a shock, not failing means, brought each here; None for an approach that
        brings no duty
    """
    households = world.households
    tenure = households["tenure"][rows]
    reason = _draw_by_tenure(world, "reason", REASONS_WHEN_MEANS_FAIL, tenure)
    if shocked is not None:
        after_shock = _draw_by_tenure(world, "reason", REASONS_AFTER_SHOCK, tenure)
        reason = np.where(shocked, after_shock, reason)
        _evict(world, rows, reason, month)
    accommodation = _draw_by_tenure(world, "accommodation", HOMES_OF_MEMBERS, tenure)
    cause = MEANS_FAILED if shocked is None else np.where(shocked, SHOCK_CAME, MEANS_FAILED)
    _write(world, applicant, rows, MEMBER, month, duty, reason, accommodation,
           _household_type(world, rows), cause)  # fmt: skip


def _evict(world: World, rows: np.ndarray, reason: np.ndarray, month: int) -> None:
    """Record the eviction where an order stood and the tenancy's end brought the duty."""
    ended = world.sheets["homelessness_cases"].code("reason", "social_tenancy_ended")
    stood = (world.households["rent_stage"][rows] >= ORDER) & (reason == ended)
    evicted = rows[stood]
    write_events(world, evicted, "eviction", world.day(month, len(evicted), 1, 8))


def _household_type(world: World, rows: np.ndarray) -> np.ndarray:
    households, sheet = world.households, world.sheets["homelessness_cases"]
    words = [sheet.code("household_type", word) for word in
             ("single_adult", "lone_parent", "couple", "couple_with_children",
              "three_or_more_adults")]  # fmt: skip
    couple = households["partner"][rows] != NONE
    kids = households["kids"][rows] > 0
    more = couple & (households["grown"][rows] > 0)
    return np.select(
        [more, couple & kids, couple, kids], [words[4], words[3], words[2], words[1]], words[0]
    )


def write_asked_to_leave(world: World, rows: np.ndarray, child: np.ndarray, month: int) -> None:
    """Write the cases of grown children whom the records name and whose parents ask them to go."""
    sheet = world.sheets["homelessness_cases"]
    family = np.full(len(rows), sheet.code("accommodation", "living_with_family"))
    reason = np.full(len(rows), sheet.code("reason", "family_or_friends_unwilling"))
    single = np.full(len(rows), sheet.code("household_type", "single_adult"))
    _write(world, child, rows, GROWN, month, None, reason, family, single)


def write_hosted(world: World, hosts: np.ndarray, month: int) -> None:
    """Write the cases of kin and lodgers whom no record of the host's home names."""
    sheet, rng = world.sheets["homelessness_cases"], world.rng
    people = _strangers(world, len(hosts), month, 27, 6)
    kin = rng.random(len(hosts)) < 0.86
    lead = world.households["lead"][hosts[kin]]
    for name in ("surname", "birth_surname", "community", "ethnic"):
        world.people[name][people[kin]] = world.people[name][lead]
    reason = np.full(len(hosts), sheet.code("reason", "family_or_friends_unwilling"))
    where = np.where(
        kin, sheet.code("accommodation", "living_with_family"),
        sheet.code("accommodation", "living_with_friends"),
    )  # fmt: skip
    kinds = _draw(world, "household_type", TYPES_OF_HOSTED, len(hosts))
    _write(world, people, hosts, HOST, month, None, reason, where, kinds)


def write_unknown(world: World, count: int, month: int) -> None:
    """Write the cases of people whom no other extract knows: no settled home in the borough."""
    people = _strangers(world, count, month, 34, 11)
    _write(
        world, people, np.full(count, NONE), UNKNOWN, month, None,
        _draw(world, "reason", REASONS_OF_UNKNOWN, count),
        _draw(world, "accommodation", HOMES_OF_UNKNOWN, count),
        _draw(world, "household_type", TYPES_OF_UNKNOWN, count),
    )  # fmt: skip


def _strangers(world: World, count: int, month: int, age: float, spread: float) -> np.ndarray:
    """Make people who live in no household of the records."""
    from earlyflag.synthetic.society import COMMUNITY_OF_GROUP, GROUP_SHARES

    rng, book = world.rng, name_book()
    ethnic = rng.choice(len(GROUP_SHARES), count, p=GROUP_SHARES)
    community = COMMUNITY_OF_GROUP[ethnic]
    male = rng.random(count) < 0.62
    years = np.clip(rng.normal(age, spread, count), 17.6 + rng.random(count) * 5, 82)
    surname = book.draw_surnames(rng, community)
    return world.people.append(
        count, born=world.months.start(month) - (years * 365.25).astype(int), male=male,
        community=community, ethnic=ethnic, surname=surname, birth_surname=surname,
        forename=book.draw_forenames(rng, community, male), present=False,
        disabled=rng.random(count) < 0.2,
    )  # fmt: skip


def _write(
    world, people, households, relation, month, duty, reason, accommodation, household_type,
    cause=OTHER_CAUSE,
) -> None:  # fmt: skip
    """Write cases; the approach is known within its month, the duty within some days."""
    sheet, rng, months = world.sheets["homelessness_cases"], world.rng, world.months
    count = len(people)
    words = {word: sheet.code("duty", word) for word in ("none", "prevention", "relief")}
    if duty is None:
        owed = np.where(rng.random(count) < 0.15, words["prevention"], words["relief"])
    else:
        owed = np.full(count, words[duty])
    last_day = months.start(month + 1) - 1
    approached = world.day(month, count, 1, 22)
    known = np.minimum(approached + rng.integers(0, 4, count), last_day)
    duty_on = np.minimum(approached + rng.integers(0, 15, count), last_day)
    has_duty = owed != words["none"]
    closed = np.where(has_duty, duty_on, approached) + rng.integers(20, 120, count)
    outcome = _draw(world, "outcome", OUTCOMES_WITHOUT_DUTY, count)
    for word, shares in (("prevention", OUTCOMES_OF_PREVENTION), ("relief", OUTCOMES_OF_RELIEF)):
        at = np.flatnonzero(owed == words[word])
        outcome[at] = _draw(world, "outcome", shares, len(at))
    end = months.start(months.count)
    running = closed >= end
    gives = rng.random(count)
    home = np.where(households == NONE, NONE, world.households["home"][households])
    known_home = home != NONE
    sheet.append(
        count, case_ref=world.number("case", count),
        person_ref=world.record(HOMELESSNESS, people, renewed=0.4),
        last_settled_uprn=np.where(known_home & (gives < GIVES_UPRN), home, NONE),
        last_settled_postcode=np.where(known_home & (gives < GIVES_POSTCODE), home, NONE),
        approached_on=approached, known_on=known, duty=owed,
        duty_on=np.where(has_duty, duty_on, NO_DATE),
        duty_known_on=np.where(has_duty, duty_on + rng.integers(0, 8, count), NO_DATE),
        reason=reason, accommodation=accommodation, household_type=household_type,
        closed_on=np.where(running, NO_DATE, closed),
        closed_known_on=np.where(running, NO_DATE, closed + rng.integers(0, 15, count)),
        outcome=np.where(running, sheet.code("outcome", "open"), outcome),
    )  # fmt: skip
    world.case_truth.append(count, household=households, relation=relation, cause=cause)
