"""Names with realistic frequencies, by community; common names are common, and there is a tail."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

#: Community -> the ethnic groups it is drawn for (see `society`), in the file's order.
COMMUNITIES = (
    "british", "irish", "european", "african", "caribbean", "arab", "bangladeshi",
    "south_asian", "east_asian", "other",
)  # fmt: skip
SHARE_OF_RARE_SURNAMES = 0.28


@dataclass(frozen=True)
class NameBook:
    """All names in one list each, and how often each is drawn in each community.

    Attributes
    ----------
    forenames, surnames : arrays of text
    female, male, family : community -> (positions in the list, cumulative chances)
    """

    forenames: np.ndarray
    surnames: np.ndarray
    female: tuple[tuple[np.ndarray, np.ndarray], ...]
    male: tuple[tuple[np.ndarray, np.ndarray], ...]
    family: tuple[tuple[np.ndarray, np.ndarray], ...]

    def draw_forenames(
        self, rng: np.random.Generator, community: np.ndarray, male: np.ndarray
    ) -> np.ndarray:
        """Return positions of forenames for people of given communities and sexes."""
        chosen = np.zeros(len(community), np.int32)
        for index in range(len(COMMUNITIES)):
            for book, sex in ((self.female, False), (self.male, True)):
                rows = np.flatnonzero((community == index) & (male == sex))
                chosen[rows] = _draw(rng, book[index], len(rows))
        return chosen

    def draw_surnames(self, rng: np.random.Generator, community: np.ndarray) -> np.ndarray:
        """Return positions of surnames for families of given communities."""
        chosen = np.zeros(len(community), np.int32)
        for index in range(len(COMMUNITIES)):
            rows = np.flatnonzero(community == index)
            chosen[rows] = _draw(rng, self.family[index], len(rows))
        return chosen


def _draw(rng: np.random.Generator, book: tuple[np.ndarray, np.ndarray], count: int) -> np.ndarray:
    positions, cumulative = book
    return positions[np.searchsorted(cumulative, rng.random(count))]


def _falling(count: int, rare: int = 0) -> np.ndarray:
    """Return cumulative chances that fall with rank; the last `rare` share one small part."""
    weights = 1 / (np.arange(count) + 8.0)
    weights /= weights.sum()
    if rare:
        tail = np.full(rare, SHARE_OF_RARE_SURNAMES / rare)
        weights = np.concatenate([weights * (1 - SHARE_OF_RARE_SURNAMES), tail])
    cumulative = np.cumsum(weights)
    cumulative[-1] = 1.0
    return cumulative


@cache
def name_book() -> NameBook:
    """Return the names of the package's list."""
    text = files("earlyflag.synthetic").joinpath("names.toml").read_text(encoding="utf-8")
    lists = {key: {kind: names.split() for kind, names in value.items()}
             for key, value in tomllib.loads(text).items()}  # fmt: skip
    rare = [first + last for first in lists["tail"]["first"] for last in lists["tail"]["last"]]
    forenames = sorted(
        {name for key in COMMUNITIES for kind in ("female", "male") for name in lists[key][kind]}
    )
    surnames = sorted({name for key in COMMUNITIES for name in lists[key]["surname"]} | set(rare))
    at = {name: index for index, name in enumerate(forenames)}
    family_at = {name: index for index, name in enumerate(surnames)}

    def book(key: str, kind: str) -> tuple[np.ndarray, np.ndarray]:
        names = lists[key][kind]
        return np.array([at[name] for name in names], np.int32), _falling(len(names))

    def family(key: str) -> tuple[np.ndarray, np.ndarray]:
        names = lists[key]["surname"] + (rare if key == "british" else [])
        positions = np.array([family_at[name] for name in names], np.int32)
        return positions, _falling(
            len(lists[key]["surname"]), len(names) - len(lists[key]["surname"])
        )

    return NameBook(
        np.array(forenames, object),
        np.array(surnames, object),
        tuple(book(key, "female") for key in COMMUNITIES),
        tuple(book(key, "male") for key in COMMUNITIES),
        tuple(family(key) for key in COMMUNITIES),
    )
