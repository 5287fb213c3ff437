"""Two versions of a model side by side, on the households as they are now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from earlyflag import features
from earlyflag.core.settings import Settings
from earlyflag.evaluation.fairness import texts
from earlyflag.modelling import artefact, registry
from earlyflag.modelling.comparison import Comparison
from earlyflag.modelling.comparison import compare as compare_scored
from earlyflag.modelling.score import matrix_of
from earlyflag.modelling.score import score as score_rows
from earlyflag.pipeline.calendar import span_of
from earlyflag.pipeline.progress import Progress
from earlyflag.pipeline.steps import build_features, linked

Listing = tuple[Sequence[str], list[Sequence[Any]]]

FIGURES = ("auc", "average_precision", "base_rate")
GROUPED_BY = ("tenure", "household_type", "ethnic_group")
SHIFTS_SHOWN = 10


def compare(
    settings: Settings,
    model_name: str,
    first: str,
    second: str,
    capacity: int | None,
    progress: Progress,
) -> Iterator[Listing]:
    """Yield tables: figures of both, what they rely on, who is listed by one and not the other.

    Who is listed is counted by group; groups below the disclosure limit are not printed.
    """
    home = settings.home_folder.open()
    versions = [registry.resolve(home, model_name, each) for each in (first, second)]
    yield _figures(*(registry.results(home, model_name, each) for each in versions), versions)
    tables, households = linked(home)
    day = span_of(tables).latest
    frame = build_features(settings, [day], progress).frame([day])
    scored = []
    for version in versions:
        with progress.step(f"score {version}", len(frame)) as step:
            served = artefact.load(home.registry / model_name / version)
            rows = matrix_of(served, frame)
            ids = frame["household_id"].tolist()
            scored.append(score_rows(served, ids, rows, day, advance=step.advance))
            step.wrote(f"{len(frame):,} households with {served.info.full_version}")
    found = compare_scored(scored[0], scored[1], capacity or settings.capacity)
    yield _relies(found, versions)
    yield _listed(found, versions)
    groups = features.audit_groups(tables, households, [day])
    yield from _listed_by_group(found, groups, versions, settings.disclosure_limit)


def _figures(before: Any, after: Any, versions: Sequence[str]) -> Listing:
    rows: list[Sequence[Any]] = [
        ("family", before["model"]["family"], after["model"]["family"]),
        ("trained to", before["windows"]["train"][-1], after["windows"]["train"][-1]),
    ]
    for name in (*FIGURES, f"precision_at_{before['capacity']}"):
        cells = [_interval(each["performance"].get(name)) for each in (before, after)]
        rows.append((name.replace("_", " "), *cells))
    return ("figure", *versions), rows


def _relies(found: Comparison, versions: Sequence[str]) -> Listing:
    rows = [
        (each.title, f"{100 * each.share_before:.0f}%", f"{100 * each.share_after:.0f}%")
        for each in found.shifts[:SHIFTS_SHOWN]
    ]
    return ("share of what moves scores", *versions), list(rows)


def _listed(found: Comparison, versions: Sequence[str]) -> Listing:
    return ("listed", "households"), [
        ("by both", found.listed_by_both),
        (f"by {versions[0]} alone", len(found.no_longer_listed)),
        (f"by {versions[1]} alone", len(found.newly_listed)),
    ]


def _listed_by_group(
    found: Comparison, groups: Any, versions: Sequence[str], limit: int
) -> Iterator[Listing]:
    for name in GROUPED_BY:
        if name not in groups:
            continue
        group_of = dict(zip(groups["household_id"], texts(groups[name].to_numpy()), strict=True))
        sizes = Counter(group_of.values())
        before, after = (
            Counter(group_of.get(household_id) for household_id in ids)
            for ids in (found.no_longer_listed, found.newly_listed)
        )
        rows = [
            (str(group).replace("_", " "), before[group], after[group])
            for group in sorted(sizes, key=str)
            if sizes[group] >= limit
        ]
        yield (name.replace("_", " "), *(f"by {each} alone" for each in versions)), list(rows)


def _interval(figure: Any) -> str:
    if not figure or figure["value"] is None:
        return "not known"
    return f"{figure['value']:.4f} ({figure['low']:.4f} to {figure['high']:.4f})"
