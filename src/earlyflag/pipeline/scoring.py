"""Score every household, keep scores with their reasons, raise flags; export what may leave."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass, fields
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from earlyflag import casework, features, store
from earlyflag.core.clock import Clock
from earlyflag.core.errors import InputInvalid
from earlyflag.core.home import write_atomically
from earlyflag.core.settings import Settings
from earlyflag.core.sheets import write_sheet
from earlyflag.core.terms import Score, ScoringRun
from earlyflag.pipeline.borough_figures import publish_borough
from earlyflag.pipeline.calendar import LATEST, parse_day, span_of
from earlyflag.pipeline.documents import publish_documents
from earlyflag.pipeline.household_records import household_records, suppression_records
from earlyflag.pipeline.progress import Progress
from earlyflag.pipeline.steps import build_features, linked
from earlyflag.pipeline.timelines import timeline_events
from earlyflag.pipeline.training import data_hash

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from earlyflag.casework import RaisingSummary
    from earlyflag.modelling.score import Scored

REASONS_KEPT = 4
FULLY_WORDED_SHARE = 3
"""Reasons come with evidence, and with what would change them, for this many times the capacity."""


@dataclass(frozen=True, slots=True)
class ScoringSummary:
    """What one `score` did."""

    run: ScoringRun
    fresh: bool
    raised: RaisingSummary
    asked: int
    """The capacity that was asked for; `raised.capacity` is the one that stands."""
    withheld: int = 0
    """Households that came, but were erased: nothing of them was published."""


def open_database(settings: Settings) -> Engine:
    """Return the casework database at the newest schema."""
    settings.home_folder.open()
    engine = store.connect(settings.database)
    store.upgrade(engine)
    return engine


def score(
    settings: Settings,
    as_of: str,
    progress: Progress,
    *,
    clock: Clock,
    model_name: str,
    capacity: int | None = None,
    seed: int = 0,
) -> ScoringSummary:
    """Score every household at a cut-off with the champion, publish, and raise flags.

    Run again with the same model, data and date it changes nothing; a changed model or data makes
    a new run beside the old one. A run that was stopped goes on where it was, with reasons for the
    capacity that it was begun with. Only the capacity may be raised: flags are added down to the
    new line.

    Raises
    ------
    StepMissing
        Nothing is linked, or no version of the model is champion yet.
    InputInvalid
        The capacity is below 1, or beyond what the run has reasons in full for.
    """
    from earlyflag.modelling import registry

    home = settings.home_folder.open()
    served = registry.champion(home, model_name)
    tables, households = linked(home)
    day = span_of(tables).resolve(as_of)
    wanted = settings.capacity if capacity is None else capacity
    data = data_hash(tables, households)
    run_id = _run_id(day, served.manifest_sha256, data)
    engine, rules = open_database(settings), casework.Rules.of(settings)
    actor = casework.system_actor("score")
    with casework.open_desk(engine, actor, now=clock.now(), rules=rules) as desk:
        begun_for = desk.unit.borough.begun_for(run_id) or wanted
    _check_worded(wanted, begun_for)
    features_at = build_features(settings, [day], progress)
    with progress.step("score") as step:
        frame = features_at.frame([day])
        step.expect(len(frame))
        scored = _explained(served, frame, day, step.advance)
        step.wrote(f"{len(frame):,} households with {served.info.full_version}")
    with duckdb.connect() as connection:
        tables.register(connection)
        households.register(connection)
        run = ScoringRun(
            run_id=run_id,
            as_of=day,
            model=served.info,
            data_hash=data,
            capacity=begun_for,
            scored=len(frame),
            cannot_score=_cannot_score(connection, day),
        )
        with progress.step("publish", 2 * len(frame)) as step:
            # Asked for only when scores are read, which a run that was published before never is.
            evidence = partial(
                features.evidence_of, tables, households, as_of=day, features=served.info.features
            )
            fresh = casework.publish(
                engine,
                actor,
                run,
                _scores(scored, evidence, begun_for),
                household_records(connection, day),
                timeline_events(connection, day),
                suppression_records(connection),
                now=clock.now(),
                rules=rules,
                advance=step.advance,
            )
            step.wrote(f"run {run.run_id}" + ("" if fresh else ", published before; kept"))
    left_out = features.exclusions(tables, households, day)
    with (
        progress.step("flags") as step,
        casework.open_desk(engine, actor, now=clock.now(), rules=rules) as desk,
    ):
        raised = casework.raise_flags(
            desk,
            run.run_id,
            capacity=wanted,
            explore_share=settings.explore_share,
            holdback_share=settings.holdback_share,
            seed=seed,
            never_held_back=features.with_live_threat(tables, households, day),
            left_out=left_out,
        )
        publish_documents(desk, home, model_name)
        publish_borough(desk)
        known = desk.unit.borough.run(run.run_id)
        step.wrote(_words_of(raised, wanted))
    withheld = known.withheld if known else 0
    return ScoringSummary(run, fresh, raised, asked=wanted, withheld=withheld)


def export_scores(
    settings: Settings,
    as_of: str,
    out: Path,
    *,
    purpose: str,
    clock: Clock,
) -> int:
    """Write the newest run of a cut-off as CSV, without suppressed households; return the rows.

    The export and its purpose stand in the audit.
    """
    wanted = None if as_of == LATEST else parse_day(as_of)
    engine = open_database(settings)
    rules = casework.Rules.of(settings)
    actor = casework.system_actor("scores export")
    with casework.open_desk(engine, actor, now=clock.now(), rules=rules) as desk:
        rows = casework.export_scores(desk, wanted, purpose=purpose)
        names = [column.name for column in fields(casework.ExportedScore)]
        write_atomically(out, write_sheet(names, map(astuple, rows)))
    return len(rows)


def suppressed_households(settings: Settings, *, clock: Clock) -> frozenset[str]:
    """Return the households that casework's database holds under any suppression today."""
    rules = casework.Rules.of(settings)
    actor = casework.system_actor("suppressed households")
    with casework.open_desk(open_database(settings), actor, now=clock.now(), rules=rules) as desk:
        return frozenset(desk.unit.suppressions.households_on(desk.today))


def _explained(served, frame, day: date, advance) -> Scored:  # type: ignore[no-untyped-def]
    from earlyflag.modelling.reference import pred_contrib
    from earlyflag.modelling.score import matrix_of
    from earlyflag.modelling.score import score as score_rows

    return score_rows(
        served,
        frame["household_id"].tolist(),
        matrix_of(served, frame),
        day,
        fallback=pred_contrib,
        advance=advance,
    )


def _places_listed(scored: Scored, capacity: int) -> list[int]:
    """Return the places of the households whose reasons come in full, the highest first."""
    return scored.in_order()[: FULLY_WORDED_SHARE * capacity].tolist()


def _scores(
    scored: Scored, evidence_of: Callable[[list[str]], Mapping], capacity: int
) -> Iterator[Score]:
    """Yield the listed households' scores in full, then all others with their first reasons."""
    listed, line = _places_listed(scored, capacity), scored.line(capacity)
    evidence = evidence_of([scored.household_ids[place] for place in listed])
    yield from scored.scores(listed, evidence=evidence, line=line, with_changes=True)
    others = np.setdiff1d(np.arange(len(scored.household_ids)), listed)
    yield from scored.scores(others, keep=REASONS_KEPT)


def _run_id(day: date, model_digest: str, data: str) -> str:
    """Name a run by what it depends on, so that the same scoring is the same run."""
    digest = hashlib.sha256(f"{day}/{model_digest}/{data}".encode()).hexdigest()
    return f"{day}-{digest[:10]}"


def _cannot_score(connection: duckdb.DuckDBPyConnection, day: date) -> dict[str, int]:
    """Count the records that linkage could tie to no household, by source and reason."""
    rows = connection.execute(
        "SELECT source || ': ' || reason, count(DISTINCT ref) FROM unscorable "
        "WHERE from_as_of <= $1 AND (to_as_of IS NULL OR $1 < to_as_of) GROUP BY 1 ORDER BY 1",
        [day],
    ).fetchall()
    return {str(name): int(count) for name, count in rows}


def _check_worded(wanted: int, begun_for: int) -> None:
    """Refuse a list that is empty, or longer than what a run has reasons in full for.

    Raises
    ------
    InputInvalid
        It is.
    """
    most = FULLY_WORDED_SHARE * begun_for
    if wanted < 1:
        raise InputInvalid(
            f"Got a capacity of {wanted:,}, but expected 1 or more.",
            "capacity",
            expected="1 or more",
            got=f"{wanted:,}",
        )
    if wanted > most:
        raise InputInvalid(
            f"Got a capacity of {wanted:,}, but expected at most {most:,}: with this model and "
            f"data the run was begun for {begun_for:,}, and it keeps reasons with their evidence "
            f"for {FULLY_WORDED_SHARE} times as many. Raise it to {most:,} now, and give the "
            "larger capacity when the next data is scored.",
            "capacity",
            expected=f"1 to {most:,}",
            got=f"{wanted:,}",
        )


def _words_of(raised: RaisingSummary, asked: int) -> str:
    left = sum(raised.excluded.values())
    words = f"{raised.flagged:,} flags for a capacity of {raised.capacity:,}"
    if left:
        words += f"; {left:,} above the line left out"
    if raised.held_back:
        words += f"; {raised.held_back:,} held back for the pilot"
    if raised.widened_from is not None:
        words += f"; {raised.added:,} of them added to the list for {raised.widened_from:,}"
    if raised.repeated:
        words += "; raised before"
    if asked < raised.capacity:
        words += f", and a capacity of {asked:,} takes no flag back"
    return words
