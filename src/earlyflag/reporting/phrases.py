"""How the card says a figure, a share, a count and a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from earlyflag.core.terms import ModelInfo

Figures = Mapping[str, Any]

WITHHELD = "withheld"
"""Stands for a figure that rests on too few households or events."""


def horizon(info: ModelInfo, results: Mapping[str, Any]) -> str:
    """Return how far ahead the model looks."""
    days = results["specification"]["label"].get("horizon_days")
    return f"{days} days" if days else f"{info.horizon_months} months"


def family(name: str) -> str:
    """Return what a family of estimators is called in words."""
    return {"logistic": "logistic regression on splines", "lightgbm": "gradient-boosted trees"}.get(
        name, name
    )


def words(name: str) -> str:
    """Return a name of the data as words that break no table."""
    return str(name).replace("_", " ").replace("|", "/")


def group(name: str) -> str:
    """Return the name of a group as it begins a row."""
    text = words(name)
    return text[:1].upper() + text[1:]


def count(number: int | None) -> str:
    """Return a count, or that it is withheld."""
    return WITHHELD if number is None else f"{number:,}"


def percent(share: float, places: int = 1) -> str:
    """Return a share as a percentage."""
    return f"{100 * share:.{places}f}%"


def share(figure: Figures | None, places: int = 1) -> str:
    """Return a share with its interval."""
    if not figure or figure["value"] is None:
        return WITHHELD
    text = percent(figure["value"], places)
    if figure["low"] is None:
        return text
    return f"{text} ({percent(figure['low'], places)} to {percent(figure['high'], places)})"


def other(figure: Figures | None) -> str:
    """Return one minus a share, its interval turned round."""
    if not figure or figure["value"] is None:
        return WITHHELD
    return share(
        {
            "value": 1 - figure["value"],
            "low": None if figure["high"] is None else 1 - figure["high"],
            "high": None if figure["low"] is None else 1 - figure["low"],
        }
    )


def number(figure: Figures | None, places: int = 3) -> str:
    """Return a figure with its interval."""
    if not figure or figure["value"] is None:
        return WITHHELD
    text = f"{figure['value']:.{places}f}"
    if figure["low"] is None:
        return text
    return f"{text} ({figure['low']:.{places}f} to {figure['high']:.{places}f})"
