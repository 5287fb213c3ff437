"""The trained parameters of person linkage, kept as a readable file in the package."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from earlyflag.core.errors import SettingsInvalid


@dataclass(frozen=True)
class Parameters:
    """What turns two rows into a match weight, and a weight into a link.

    Nothing here is counted from the tables being linked, so a pair's weight is a function of the
    pair alone: records that arrive later change no weight.

    Attributes
    ----------
    prior : chance that two records drawn at random are one person
    levels : comparison -> level -> {"m": ..., "u": ...}
    link_weight : least match weight (log2 odds) of a link between council tax and tenancies
    case_weight : the same for attaching a homelessness case
    rival_weight : two rival links closer than this leave a record unlinked
    frequencies : name part -> name -> share of people; `rare` is the share of every other name
    nicknames : short form -> the forename it stands for
    digest : hash of the file
    """

    prior: float
    levels: dict[str, dict[str, dict[str, float]]]
    link_weight: float
    case_weight: float
    rival_weight: float
    frequencies: dict[str, dict[str, float]]
    rare: dict[str, float]
    nicknames: dict[str, str]
    digest: str


@cache
def packaged() -> Parameters:
    """Return the parameters that ship with the package."""
    text = resources.files("earlyflag.linkage").joinpath("parameters.json").read_text("utf-8")
    return _parse(text)


def read(path: Path) -> Parameters:
    """Return parameters from a file, for instance freshly trained ones.

    Raises
    ------
    SettingsInvalid
        The file is not JSON or lacks a key.
    """
    return _parse(path.read_text("utf-8"))


def _parse(text: str) -> Parameters:
    try:
        content: dict[str, Any] = json.loads(text)
        return Parameters(
            prior=content["prior"],
            levels=content["comparisons"],
            link_weight=content["thresholds"]["link_weight"],
            case_weight=content["thresholds"]["case_weight"],
            rival_weight=content["thresholds"]["rival_weight"],
            frequencies=content["name_frequencies"],
            rare=content["rare_name_frequency"],
            nicknames=content["nicknames"],
            digest=hashlib.sha256(text.encode()).hexdigest(),
        )
    except (json.JSONDecodeError, KeyError) as error:
        raise SettingsInvalid(
            f"The linkage parameters cannot be read ({type(error).__name__}). "
            "Restore linkage/parameters.json from the package, or train again."
        ) from error
