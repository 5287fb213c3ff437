"""The borough's homes: where they stand, what they are, what they cost."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import numpy as np

from earlyflag.synthetic.columns import Columns, scalar

OWNED, COUNCIL, ASSOCIATION, PRIVATE = range(4)
#: Census 2021, Westminster, households by tenure.
TENURE_SHARES = np.array([0.27, 0.13, 0.15, 0.45])
TENURE_SHARES = TENURE_SHARES / TENURE_SHARES.sum()
BANDS = "ABCDEFGH"
BAND_SHARES = np.array(
    [
        [0.01, 0.03, 0.08, 0.15, 0.19, 0.17, 0.26, 0.11],
        [0.04, 0.12, 0.28, 0.30, 0.18, 0.06, 0.02, 0.00],
        [0.05, 0.14, 0.28, 0.28, 0.17, 0.06, 0.02, 0.00],
        [0.02, 0.05, 0.11, 0.18, 0.22, 0.19, 0.19, 0.04],
    ]
)
#: A year's council tax in band D, in pence, by the year it begins in; later years as the last.
BAND_D_PENCE = {2019: 78200, 2020: 81000, 2021: 82900, 2022: 86600, 2023: 91300, 2024: 97300,
                2025: 101900, 2026: 106700}  # fmt: skip
BAND_NINTHS = np.array([6, 7, 8, 9, 11, 13, 15, 18])
BEDROOM_SHARES = np.array(
    [
        [0.05, 0.26, 0.36, 0.22, 0.11],
        [0.13, 0.36, 0.33, 0.15, 0.03],
        [0.17, 0.38, 0.30, 0.12, 0.03],
        [0.16, 0.40, 0.31, 0.10, 0.03],
    ]
)
WEEKLY_RENT_PENCE = np.array(
    [
        [0, 0, 0, 0, 0],
        [10200, 11800, 13600, 15400, 17200],
        [11600, 13400, 15400, 17300, 19400],
        [29000, 38500, 52000, 69000, 98000],
    ]
)
WARDS = 18
HOMES_A_POSTCODE = 14
OUTWARD = ("W15", "W16", "W17", "SW21", "SW22", "NW13")  # districts that do not exist
INWARD_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
ROOMS_IN_SHARED_HOUSE = 4


def build_homes(rng: np.random.Generator, count: int) -> Columns:
    """Return the borough's homes, as columns one row a home.

    Tenure and council tax band depend on the ward: some wards hold more social homes than others.
    A home that stands in a shared house has `house` >= 0, the row of the house it is a room of.
    """
    homes = Columns(
        {
            "tenure": scalar(np.int8, 0), "band": scalar(np.int8, 0),
            "bedrooms": scalar(np.int8, 0), "rent": scalar(np.int32, 0),
            "ward": scalar(np.int16, 0), "postcode": scalar(np.int32, 0),
            "street": scalar(np.int16, 0), "number": scalar(np.int16, 0),
            "flat": scalar(np.int16, 0), "house": scalar(np.int32, -1),
            "occupant": scalar(np.int32, -1),
        }
    )  # fmt: skip
    postcode = np.arange(count) // HOMES_A_POSTCODE
    ward = postcode * WARDS // (postcode[-1] + 1)
    ward_tilt = rng.permutation(np.linspace(-1.1, 1.1, WARDS))
    tenure = _tenures(rng, ward_tilt[ward])
    kind = rng.random(count)
    bedrooms = _choose(rng, BEDROOM_SHARES[tenure])
    band = np.clip(_choose(rng, BAND_SHARES[tenure]) + (bedrooms - 1) // 2, 0, 7)
    rent = WEEKLY_RENT_PENCE[tenure, bedrooms] * np.exp(rng.normal(0, 0.14, count))
    homes.append(
        count, tenure=tenure, band=band, bedrooms=bedrooms, rent=rent.round(-1), ward=ward,
        postcode=postcode, street=(postcode * 7919) % len(street_names()),
        number=1 + (np.arange(count) % HOMES_A_POSTCODE) // 3 + (postcode % 9) * 10,
        flat=np.where(kind < 0.8, 1 + np.arange(count) % 3, 0),
    )  # fmt: skip
    return homes


def add_shared_houses(rng: np.random.Generator, homes: Columns, count: int) -> np.ndarray:
    """Turn some private homes into houses in multiple occupation; return the rooms' rows.

    The house keeps its UPRN and its landlord's council tax account; each room is a home of its
    own with a licence, and no account.
    """
    private = np.flatnonzero((homes["tenure"] == PRIVATE) & (homes["bedrooms"] >= 2))
    houses = rng.choice(private, min(count, len(private)), replace=False)
    of_house = np.repeat(houses, ROOMS_IN_SHARED_HOUSE)
    copied = {
        name: homes[name][of_house]
        for name in ("tenure", "band", "ward", "postcode", "street", "number", "flat")
    }
    rent = 17500 * np.exp(rng.normal(0, 0.12, len(of_house)))
    return homes.append(len(of_house), house=of_house, bedrooms=1, rent=rent.round(-1), **copied)


def annual_council_tax(homes: Columns, rows: np.ndarray, tax_year: int) -> np.ndarray:
    """Return a year's full council tax of some homes, in pence."""
    band_d = BAND_D_PENCE[min(max(tax_year, min(BAND_D_PENCE)), max(BAND_D_PENCE))]
    return band_d * BAND_NINTHS[homes["band"][rows]] // 9


def _tenures(rng: np.random.Generator, tilt: np.ndarray) -> np.ndarray:
    """Draw tenures whose shares keep the borough's total while social homes gather in wards."""
    weights = TENURE_SHARES[None, :] * np.exp(np.outer(tilt, [-0.4, 1.0, 0.8, -0.25]))
    weights /= weights.sum(axis=1, keepdims=True)
    for _ in range(20):
        weights *= TENURE_SHARES / weights.mean(axis=0)
        weights /= weights.sum(axis=1, keepdims=True)
    return _choose(rng, weights)


def _choose(rng: np.random.Generator, shares: np.ndarray) -> np.ndarray:
    """Draw a column for each row of shares."""
    cumulative = shares.cumsum(axis=1) / shares.sum(axis=1, keepdims=True)
    return (rng.random(len(shares))[:, None] > cumulative[:, :-1]).sum(axis=1)


def uprns(rows: np.ndarray, homes: Columns) -> np.ndarray:
    """Return UPRN numbers of homes; a room has its house's."""
    house = homes["house"][rows]
    return np.where(house >= 0, house, rows).astype(np.int64) * 7 + 10_090_000_011


def postcodes(homes: Columns, rows: np.ndarray) -> np.ndarray:
    """Return postcode texts of homes: well-formed, in districts that do not exist."""
    letters = np.array(list(INWARD_LETTERS), object)
    outward = np.array(OUTWARD, object)
    all_codes = len(OUTWARD) * 3600
    spacing = max(all_codes // (int(homes["postcode"].max()) + 1), 1)
    code = homes["postcode"][rows].astype(np.int64) * spacing % all_codes
    return (
        outward[code // 3600] + " "
        + (1 + (code // 400) % 9).astype(str).astype(object)
        + letters[code % 400 // 20] + letters[code % 20]
    )  # fmt: skip


@cache
def street_names() -> np.ndarray:
    """Return the borough's street names, as text."""
    text = files("earlyflag.synthetic").joinpath("names.toml").read_text(encoding="utf-8")
    places = tomllib.loads(text)["places"]
    return np.array(
        [
            f"{street} {kind}"
            for kind in places["kind"].split()
            for street in places["street"].split()
        ],
        object,
    )


def addresses(homes: Columns, rows: np.ndarray) -> np.ndarray:
    """Return one-line addresses of homes."""
    flat = homes["flat"][rows]
    street = (
        homes["number"][rows].astype(str).astype(object)
        + " "
        + (street_names()[homes["street"][rows]])
    )
    return np.where(flat > 0, "Flat " + flat.astype(str).astype(object) + ", " + street, street)
