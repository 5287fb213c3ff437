"""Tenancies and the people in them, as far as the council knows of them."""

from __future__ import annotations

import numpy as np

from earlyflag.synthetic.columns import NO_DATE, NONE
from earlyflag.synthetic.homes import ASSOCIATION, COUNCIL, PRIVATE
from earlyflag.synthetic.months import SECTION_21_ENDED
from earlyflag.synthetic.society import is_social
from earlyflag.synthetic.world import CHILD, GROWN_CHILD, LEAD, OTHER, PARTNER, TENANCY, World

RECORDED = {LEAD: 1.0, PARTNER: 0.93, CHILD: 0.92, GROWN_CHILD: 0.8, OTHER: 0.5}
SHARE_OF_ASSOCIATIONS_THAT_SHARE_LEDGERS = 0.6


def open_social(world: World, rows: np.ndarray, day: np.ndarray) -> None:
    """Open a tenancy for each household in a council's or housing association's home."""
    households, sheet, rng = world.households, world.sheets["tenancies"], world.rng
    rows_social = is_social(households["tenure"][rows])
    rows, day = rows[rows_social], day[rows_social]
    council = households["tenure"][rows] == COUNCIL
    households["tenancy"][rows] = world.number("tenancy", len(rows))
    shares = rng.random(len(rows)) < SHARE_OF_ASSOCIATIONS_THAT_SHARE_LEDGERS
    households["ledger"][rows] = council | shares
    code = {word: sheet.code("tenancy_type", word)
            for word in ("secure", "introductory", "flexible", "assured")}  # fmt: skip
    recent = day > world.months.start(-6)
    kind = np.where(
        council,
        np.where(recent, code["introductory"],
                 np.where(rng.random(len(rows)) < 0.1, code["flexible"], code["secure"])),
        code["assured"],
    )  # fmt: skip
    landlord = np.where(
        council, sheet.code("landlord", "council"), sheet.code("landlord", "housing_association")
    )
    known = day + rng.integers(0, 10, len(rows))
    _write_tenancy(world, rows, landlord, kind, day, known)
    _enter_people(world, rows, day, known)


def open_private(world: World, rows: np.ndarray, known: np.ndarray) -> None:
    """Enter private tenancies that the council has just learnt of."""
    if not len(rows):
        return
    households, sheet = world.households, world.sheets["tenancies"]
    households["tenancy"][rows] = world.number("tenancy", len(rows))
    periodic = sheet.code("tenancy_type", "assured_periodic")
    kind = np.where(
        known >= SECTION_21_ENDED, periodic, sheet.code("tenancy_type", "assured_shorthold")
    )
    room = world.homes["house"][households["home"][rows]] >= 0
    kind = np.where(room, sheet.code("tenancy_type", "licence"), kind)
    moved_in = world.members["since"][world.people["member_row"][households["lead"][rows]]]
    day = np.minimum(moved_in, known)
    landlord = np.full(len(rows), sheet.code("landlord", "private"))
    _write_tenancy(world, rows, landlord, kind, day, known)
    _enter_people(world, rows, day, known)


def open_temporary(world: World, rows: np.ndarray, day: np.ndarray) -> None:
    """Enter licences of households in temporary accommodation."""
    households, sheet = world.households, world.sheets["tenancies"]
    households["tenancy"][rows] = world.number("tenancy", len(rows))
    landlord = np.full(len(rows), sheet.code("landlord", "temporary"))
    kind = np.full(len(rows), sheet.code("tenancy_type", "non_secure"))
    _write_tenancy(world, rows, landlord, kind, day, day)
    _enter_people(world, rows, day, day)


def _write_tenancy(world, rows, landlord, kind, day, known) -> None:
    households = world.households
    households["tenancy_row"][rows] = world.sheets["tenancies"].append(
        len(rows), tenancy_ref=households["tenancy"][rows], valid_from=day,
        known_on=np.maximum(known, day), uprn=households["home"][rows], landlord=landlord,
        tenancy_type=kind, weekly_rent_pence=households["rent"][rows],
        bedrooms=world.homes["bedrooms"][households["home"][rows]],
    )  # fmt: skip


def _enter_people(world, rows, day, known) -> None:
    """Enter who lives there; not everybody is told of."""
    if not len(rows):
        return
    households, people = world.households, world.people
    living = world.people_of(rows)
    chance = np.array([RECORDED[role] for role in range(5)])[people["role"][living]]
    living = living[world.rng.random(len(living)) < chance]
    at = np.zeros(len(households), np.int32)
    at[rows] = np.arange(len(rows))
    of = at[people["household"][living]]
    enter_tenants(world, living, day[of], np.maximum(known, day)[of])
    count_known(world, rows)


def enter_tenants(world: World, living: np.ndarray, day: np.ndarray, known: np.ndarray) -> None:
    """Write people into the tenancy of their household, with their present relationship."""
    people, sheet = world.people, world.sheets["tenancy_people"]
    joint = world.rng.random(len(living)) < 0.5
    words = np.array(
        [sheet.code("relationship", word)
         for word in ("tenant", "partner", "child", "adult_child", "other")]
    )  # fmt: skip
    role = words[people["role"][living]]
    as_joint = joint & (people["role"][living] == PARTNER)
    role = np.where(as_joint, sheet.code("relationship", "joint_tenant"), role)
    people["tenant_row"][living] = sheet.append(
        len(living), tenancy_ref=world.households["tenancy"][people["household"][living]],
        person_ref=world.record(TENANCY, living), valid_from=day, known_on=known,
        relationship=role,
    )  # fmt: skip


def count_known(world: World, rows: np.ndarray) -> None:
    """Count the children and grown children whom the tenancy records name."""
    households, people = world.households, world.people
    living = world.people_of(rows)
    living = living[people["tenant_row"][living] != NONE]
    for name, role in (("known_kids", CHILD), ("known_grown", GROWN_CHILD)):
        of = people["household"][living[people["role"][living] == role]]
        households[name][rows] = np.bincount(of, minlength=len(households))[rows]


def end_tenants(world: World, people: np.ndarray, day: np.ndarray, known: np.ndarray) -> None:
    """End people's spells in their tenancy."""
    sheet = world.sheets["tenancy_people"]
    held = world.people["tenant_row"][people]
    some = held != NONE
    held, day, known = held[some], day[some], known[some]
    last = np.maximum(day, sheet.rows["valid_from"][held])
    sheet.set(held, valid_to=last, valid_to_known_on=np.maximum(known, last))
    world.people["tenant_row"][people] = NONE


def close_tenancies(world: World, rows: np.ndarray, day: np.ndarray, reason: str) -> None:
    """End households' tenancies and everybody's spell in them."""
    households, sheet = world.households, world.sheets["tenancies"]
    keep = households["tenancy"][rows] != NONE
    rows, day = rows[keep], day[keep]
    held = households["tenancy_row"][rows]
    last = np.maximum(day, sheet.rows["valid_from"][held])
    known = last + world.rng.integers(0, 20, len(rows))
    sheet.set(held, valid_to=last, valid_to_known_on=known)
    sheet.rows["end_reason"][held] = END_REASONS.index(reason)
    living = world.people_of(rows)
    at = np.zeros(len(households), np.int32)
    at[rows] = np.arange(len(rows))
    of = at[world.people["household"][living]]
    end_tenants(world, living, last[of], known[of])
    for name in ("tenancy", "tenancy_row"):
        households[name][rows] = NONE
    for name in ("known_kids", "known_grown", "rent_arrears", "rent_stage"):
        households[name][rows] = 0
    households["ledger"][rows] = False


END_REASONS = ("tenant_left", "transfer", "eviction", "homeless", "private_tenancy_ended")


def raise_rents(world: World, rows: np.ndarray, month: int) -> None:
    """Begin a new spell of each social tenancy in April, with the new rent."""
    households, sheet = world.households, world.sheets["tenancies"]
    start = world.months.start(month)
    rows = rows[is_social(households["tenure"][rows]) & (households["tenancy"][rows] != NONE)]
    held = households["tenancy_row"][rows]
    fits = (sheet.rows["valid_from"][held] < start) & (sheet.rows["valid_to"][held] == NO_DATE)
    rows, held = rows[fits], held[fits]
    sheet.set(held, valid_to=start - 1, valid_to_known_on=start - 30)
    households["rent"][rows] = (households["rent"][rows] * 1.04).round(-1)
    secure = sheet.code("tenancy_type", "secure")
    kind = sheet.rows["tenancy_type"][held]
    kind = np.where(kind == sheet.code("tenancy_type", "introductory"), secure, kind)
    since = np.full(len(rows), start)
    _write_tenancy(world, rows, sheet.rows["landlord"][held], kind, since, since - 30)
    # A rent known before it starts is visible before it starts.
    sheet.rows["known_on"][households["tenancy_row"][rows]] = start - 30


__all__ = ["ASSOCIATION", "PRIVATE", "close_tenancies", "open_private", "open_social"]
