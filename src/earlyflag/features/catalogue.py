"""The catalogue of features: what exists, as declarations, as a page and for machines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

from earlyflag.core.errors import UndeclaredFeature
from earlyflag.features.declare import GATEWAYS, Family, Feature, gather
from earlyflag.features.families import FAMILIES
from earlyflag.features.groups import GROUPS

PAGES = Path("docs/reference")
"""Where the generated pages stand, from the root of the repository."""

CATALOGUE: dict[str, Feature] = gather(
    feature for family in FAMILIES for feature in family.features
)
"""Every declared feature by name, in the order of the columns of a feature table."""


LAGGED: tuple[str, ...] = tuple(name for name in CATALOGUE if name[:-1].endswith("_lag"))
"""The features of single months."""


def family_of(name: str) -> Family:
    """Return the family that computes a feature.

    Raises
    ------
    UndeclaredFeature
        No family declares it.
    """
    for family in FAMILIES:
        if name in family.feature_names:
            return family
    raise UndeclaredFeature(f"No feature is called {name}. See docs/reference/features.md.")


def fingerprint(families: Iterable[Family] = FAMILIES) -> str:
    """Return a short text that changes when a declaration or its SQL does."""
    content = repr([(family.name, family.sql, family.features) for family in families])
    return sha256(content.encode()).hexdigest()[:16]


def as_json() -> dict[str, Any]:
    """Return the catalogue for machines: features in order, and reason groups."""
    return {
        "features": [asdict(feature) for feature in CATALOGUE.values()],
        "groups": [asdict(group) for group in GROUPS.values()],
        "gateways": dict(GATEWAYS),
    }


def as_markdown() -> str:
    """Return the catalogue as the page `docs/reference/features.md`."""
    lines = [
        "# Features",
        "",
        "This page is generated from the declarations in `src/earlyflag/features/families/`; "
        "write it again with `python -m earlyflag.features`.",
        "",
        f"{len(CATALOGUE)} features in {len(FAMILIES)} families. A feature is a number known "
        "about a household at a cut-off. It reads only rows with `known_on` before the cut-off "
        "and counts by `happened_on`. Where the tables behind it hold nothing on a household, "
        "it is missing, never zero.",
        "",
        "| column | meaning |",
        "|---|---|",
        "| window | months looked back over; `now` is a state at the cut-off |",
        "| direction | `+`: more can only mean more risk, `-`: less; blank: either |",
        "| can change | help can change it: arrears, a reduction, an arrangement |",
        "",
        f"{len(LAGGED)} features end in `_lag1` to `_lag6` and are of one month each, `_lag1` "
        "being the month before the cut-off. They are for models of a short horizon, such as the "
        "next recovery stage or default on a ledger, which read the course of the months; the "
        "specifications of a homelessness duty leave them out.",
        "",
        "## Lawful gateways",
        "",
        *(f"- **{key}**: {text}." for key, text in GATEWAYS.items()),
        "",
    ]
    for family in FAMILIES:
        lines += [f"## {family.title}", ""]
        lines += [
            "| feature | meaning | unit | window | sources | reason | sensitivity | gateway "
            "| direction | can change |",
            "|---|---|---|---|---|---|---|---|---|---|",
        ]
        lines += [_row(feature) for feature in family.features]
        lines += [""]
    lines += ["## Sentences", ""]
    lines += ["| feature | said | said at zero | said below zero | said when missing |"]
    lines += ["|---|---|---|---|---|"]
    lines += [
        f"| `{f.name}` | {f.sentence} | {f.sentence_zero} | {f.sentence_negative} "
        f"| {f.sentence_missing} |"
        for f in CATALOGUE.values()
    ]
    lines += ["", "## Reasons", "", "| reason | title | features |", "|---|---|---|"]
    for group in GROUPS.values():
        names = [f"`{f.name}`" for f in CATALOGUE.values() if f.group == group.key]
        lines.append(f"| `{group.key}` | {group.title} | {', '.join(names)} |")
    return "\n".join(lines) + "\n"


def _row(feature: Feature) -> str:
    months = feature.window_months
    window = "now" if months is None else "1 month" if months == 1 else f"{months} months"
    direction = {1: "+", -1: "-", 0: ""}[feature.monotone]
    return (
        f"| `{feature.name}` | {feature.title} | {feature.unit} | {window} "
        f"| {', '.join(feature.sources)} | {feature.group} | {feature.sensitivity} "
        f"| {feature.gateway} | {direction} | {'yes' if feature.actionable else ''} |"
    )
