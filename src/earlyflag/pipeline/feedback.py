"""What people did comes back: decisions as interventions, early alerts as tenancy events.

So that a helped household is not learnt as a safe one, and an alert counts at the next cut-off.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from earlyflag import casework, features
from earlyflag.core.clock import Clock, london_day
from earlyflag.core.errors import HorizonUnfinished
from earlyflag.core.settings import Settings
from earlyflag.evaluation.fairness import funnel
from earlyflag.evaluation.pilot import PilotEffect, effect
from earlyflag.pipeline.progress import Progress
from earlyflag.pipeline.scoring import open_database
from earlyflag.pipeline.steps import ingest, linked
from earlyflag.sources import TABLES
from earlyflag.store.terms import DocumentKind

if TYPE_CHECKING:
    from earlyflag.sources import IngestSummary

SMALLEST_ARM = 10
STAGES = ("contacted", "helped")
"""What happens to a listed household, in order."""


def return_to_tables(
    settings: Settings, progress: Progress, *, clock: Clock
) -> IngestSummary | None:
    """Ingest casework's interventions and alerts as a delivery of today; None if there are none.

    The rows carry references of their own, so that a second run the same day changes nothing.
    """
    with _desk(settings, "feedback", clock) as desk:
        rows = {
            "interventions": casework.intervention_rows(desk),
            "tenancy_events": casework.alert_rows(desk),
        }
    if not any(rows.values()):
        return None
    with tempfile.TemporaryDirectory(dir=settings.home_folder.root) as scratch:
        folder = Path(scratch)
        for name, records in rows.items():
            if records:
                _write(folder / f"{name}-casework.parquet", name, records)
        try:
            return ingest(settings, folder, progress, delivered_on=london_day(clock.now()))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def evaluate_pilot(
    settings: Settings, *, clock: Clock, horizon_months: int = 12
) -> PilotEffect | None:
    """Compare the pilot's arms on finished horizons and publish the finding; None if too few.

    Only households whose arm was drawn by chance are compared, each from the cut-off at which it
    was drawn.
    """
    tables, households = linked(settings.home_folder.open())
    with _desk(settings, "pilot", clock) as desk:
        drawn = [row for row in casework.pilot_rows(desk) if row.randomised]
    label = features.Label(horizon_months=horizon_months)
    arms: list[bool] = []
    events: list[bool] = []
    waiting = 0
    for as_of in sorted({row.as_of for row in drawn}):
        own = {row.household_id: row.arm == "offer" for row in drawn if row.as_of == as_of}
        try:
            frame = features.label(tables, households, [as_of], label)
        except HorizonUnfinished:
            waiting += len(own)
            continue
        frame = frame[frame["household_id"].isin(own)]
        arms += [own[household_id] for household_id in frame["household_id"]]
        events += frame["label"].astype(bool).tolist()
    found = None
    if min(sum(arms), len(arms) - sum(arms)) >= SMALLEST_ARM:
        import numpy as np

        found = effect(np.array(arms), np.array(events))
    with _desk(settings, "pilot", clock) as desk:
        content = _document(found, len(arms), waiting)
        casework.put_document(desk, DocumentKind.PILOT, "pilot", content)
    return found


def audit_help(
    settings: Settings, groups: Sequence[str], *, clock: Clock
) -> dict[str, list[dict[str, Any]]]:
    """Count by group how many were listed, reached and helped, and publish the counts.

    Each household is in the groups that were known of it when it was listed. Small counts are
    withheld (`evaluation.fairness.funnel`).

    Parameters
    ----------
    groups : the columns of `features.audit_groups` to count by

    Returns
    -------
    counts : by column, what `funnel` returns; empty where nobody was listed yet
    """
    import pandas as pd

    tables, households = linked(settings.home_folder.open())
    with _desk(settings, "fairness", clock) as desk:
        journeys = pd.DataFrame([asdict(row) for row in casework.journey_rows(desk)])
    if journeys.empty:
        return {}
    journeys = journeys.assign(as_of=journeys["as_of"].astype("datetime64[s]"))
    known = features.audit_groups(tables, households, sorted(set(journeys["as_of"].dt.date)))
    joined = journeys.merge(known, on=["household_id", "as_of"], how="left")
    stages = {stage: joined[stage].to_numpy() for stage in STAGES}
    found = {
        name: funnel(joined[name].to_numpy(dtype=object), stages, limit=settings.disclosure_limit)
        for name in groups
        if name in joined
    }
    with _desk(settings, "fairness", clock) as desk:
        content = _journeys(found, settings.disclosure_limit)
        casework.put_document(desk, DocumentKind.BOROUGH, "from_list_to_help", content)
    return found


def _journeys(found: Mapping[str, Sequence[Mapping[str, Any]]], limit: int) -> dict[str, Any]:
    """Return the counts as the page shows them."""
    return {
        "lead": [
            "By group: who was listed, whom somebody reached, and for whom help began. Counts "
            f"below {limit}, and what would tell them, are withheld.",
        ],
        "sections": [
            {
                "heading": f"From list to help, by {words(name)}",
                "table": {
                    "caption": f"From list to help, by {words(name)}",
                    "headings": list(journey_headings(name)),
                    "rows": [list(row) for row in journey_lines(entries)],
                    "numeric": [1, 2, 3],
                },
            }
            for name, entries in found.items()
        ],
    }


def journey_headings(name: str) -> tuple[str, ...]:
    """Return the headings of a table of counts by one characteristic."""
    return (words(name).capitalize(), "Listed", "Reached", "Helped")


def journey_lines(entries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Yield a line a group: its counts in words."""
    for each in entries:
        counts = (each[stage] for stage in ("listed", *STAGES))
        yield words(each["group"]), *("withheld" if n is None else f"{n:,}" for n in counts)


def words(name: str) -> str:
    """Return a name of the data as words."""
    return str(name).removesuffix("_code").replace("_", " ")


def _desk(settings: Settings, command: str, clock: Clock) -> Any:
    return casework.open_desk(
        open_database(settings),
        casework.system_actor(command),
        now=clock.now(),
        rules=casework.Rules.of(settings),
    )


def _write(path: Path, table: str, records: Sequence[Any]) -> None:
    """Write records under the contract's columns; what the contract does not name stays out."""
    import pandas as pd

    frame = pd.DataFrame([asdict(record) for record in records])
    names = [name for name in TABLES[table].column_names if name in frame]
    frame[names].to_parquet(path, index=False)


def _document(found: PilotEffect | None, finished: int, waiting: int) -> dict[str, Any]:
    lead = [
        f"{finished:,} households of the pilot have lived through their horizon; "
        f"{waiting:,} have not yet."
    ]
    if found is None:
        lead.append("There are too few in an arm to compare them without guessing.")
        return {"lead": lead}
    rows = [
        [name, f"{n:,}", f"{100 * rate.value:.1f}%",
         f"{100 * rate.low:.1f}% to {100 * rate.high:.1f}%"]
        for name, n, rate in (
            ("Offered help", found.n_offer, found.rate_offer),
            ("Without help (held back)", found.n_holdback, found.rate_without_help),
        )
    ]  # fmt: skip
    return {
        "lead": [found.sentence, *lead],
        "sections": [
            {
                "heading": "Owed a duty, by arm as drawn",
                "table": {
                    "caption": "Arms of the pilot",
                    "headings": ["Arm", "Households", "Owed a duty", "95% interval"],
                    "rows": rows,
                    "numeric": [1, 2, 3],
                },
            }
        ],
    }
