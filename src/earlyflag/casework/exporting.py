"""Scores as a file for another system: pseudonyms and UPRNs, suppressed households left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.core.errors import InputInvalid, StepMissing
from earlyflag.store.writing import pieces

LONGEST_PURPOSE = 200
NAMED_A_ROW = 1_000
"""How many households one row of the audit names."""


@dataclass(frozen=True, slots=True)
class ExportedScore:
    """One line of an export."""

    household_id: str
    uprn: str
    as_of: date
    probability: float
    band: str
    rank: int
    model_version: str


def export_scores(desk: Desk, as_of: date | None, *, purpose: str) -> list[ExportedScore]:
    """Return the scores of a cut-off's newest run, highest first; the export is audited.

    Its own row is followed by rows that name the households in it, many to a row.

    Parameters
    ----------
    as_of : date or None
        The cut-off; None is the newest.
    purpose : str
        Why, in a few words; it stands in the audit, so it names nobody.

    Raises
    ------
    InputInvalid
        The purpose is blank or too long.
    StepMissing
        Nothing was scored at that cut-off.
    """
    check_may(desk.actor, Action.EXPORT_SCORES)
    if not 0 < len(purpose.strip()) <= LONGEST_PURPOSE:
        raise InputInvalid(
            f"An export needs a purpose of 1 to {LONGEST_PURPOSE} characters. "
            "Say it with --purpose, without naming anybody.",
            "purpose",
            expected=f"1 to {LONGEST_PURPOSE} characters",
            got=f"{len(purpose.strip()):,} characters",
        )
    borough = desk.unit.borough
    run = next((one for one in borough.runs(limit=1_000) if as_of in (None, one.as_of)), None)
    if run is None:
        raise StepMissing(f"Nothing was scored for {as_of or 'any date'} yet. Run: earlyflag score")
    withheld = desk.unit.suppressions.households_on(desk.today)
    rows = [row for row in _rows(desk, run.run_key) if row.household_id not in withheld]
    entry = desk.entry(
        "scores_exported",
        subject=run.run_id,
        detail={
            "count": len(rows),
            "withheld": run.scored - len(rows),
            "as_of": run.as_of.isoformat(),
        },
    )
    desk.unit.audit.append(replace(entry, purpose=purpose.strip()))
    for piece in pieces([row.household_id for row in rows], NAMED_A_ROW):
        named = desk.entry("in_scores_export", subject=run.run_id, detail={"households": piece})
        desk.unit.audit.append(replace(named, purpose=purpose.strip()))
    return rows


def _rows(desk: Desk, run_key: int) -> Iterator[ExportedScore]:
    run = desk.unit.borough.run_by_key(run_key)
    assert run is not None
    uprns = desk.unit.borough.uprns()
    for household_id, probability, band, rank in desk.unit.borough.ranked(run_key):
        yield ExportedScore(
            household_id=household_id,
            uprn=uprns.get(household_id) or "",
            as_of=run.as_of,
            probability=probability,
            band=band.value,
            rank=rank,
            model_version=run.model.full_version,
        )
