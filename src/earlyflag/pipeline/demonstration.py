"""The demo's steps in their order. What is there already is reused, and said so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from earlyflag import casework, sources, synthetic
from earlyflag.core.clock import Clock
from earlyflag.core.errors import Conflict, PromotionRefused
from earlyflag.core.home import write_atomically, write_json_atomically
from earlyflag.core.settings import Settings, load_settings
from earlyflag.pipeline import promotion, scoring, steps, training
from earlyflag.pipeline.progress import Progress

BOROUGH = "borough.json"
PEOPLE = ("demo-analyst", "demo-manager")

SETTINGS = """\
# Written by the demo. Every person, home and event of its borough is made up.
borough_name = "the synthetic borough"

"""
BASIS = """\
[lawful_basis.{table}]
gateway = "Demonstration: synthetic data, nobody in it exists"
approved_by = "The demo"
approved_on = 2026-10-01
impact_assessment = "none needed"

"""


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What the demo ends with."""

    as_of: date
    flagged: int
    card: Path
    sign_ins: Mapping[str, str]


def run(
    settings: Settings,
    progress: Progress,
    *,
    households: int,
    months: int,
    model_name: str,
    clock: Clock,
) -> Demonstration:
    """Write a borough, ingest, link, train, promote, score and raise flags.

    Raises
    ------
    Conflict
        The home holds a borough of another size, or data that are no demo's.
    """
    home = settings.home_folder.open()
    _write_borough(settings, progress, households, months)
    settings = _with_bases(settings)
    steps.ingest(settings, home.extracts, progress)
    steps.link(settings, progress)
    version = _trained(settings, training.specification_file(model_name), progress, model_name)
    _promote(settings, progress, model_name, version)
    scored = scoring.score(settings, "latest", progress, clock=clock, model_name=model_name)
    engine = scoring.open_database(settings)
    sign_ins = casework.make_demo_accounts(
        engine, now=clock.now(), rules=casework.Rules.of(settings)
    )
    return Demonstration(
        as_of=scored.run.as_of,
        flagged=scored.raised.flagged,
        card=home.registry / model_name / version / "card.html",
        sign_ins=sign_ins,
    )


def _write_borough(settings: Settings, progress: Progress, households: int, months: int) -> None:
    home = settings.home_folder
    note, wanted = home.extracts / BOROUGH, {"households": households, "months": months}
    if note.is_file():
        found = json.loads(note.read_text(encoding="utf-8"))
        if found != wanted:
            raise Conflict(
                f"{home.root} holds a demo of {found['households']:,} households over "
                f"{found['months']} months. Remove the folder, or choose another with --home, to "
                f"make one of {households:,} over {months}."
            )
        with progress.step("synth") as step:
            step.wrote("the borough is there already; reused")
        return
    if home.tables.exists():
        raise Conflict(
            f"{home.root} holds tables that are no demo's. Choose another folder with --home."
        )
    with progress.step("synth", months + 1) as step:
        written = synthetic.write_borough(
            home.extracts, households=households, months=months, advance=step.advance
        )
        step.wrote(f"{sum(written.rows.values()):,} rows in {len(written.rows)} tables")
    write_json_atomically(note, wanted)


def _with_bases(settings: Settings) -> Settings:
    """Fill in the lawful bases where the home has no settings yet; return the settings anew."""
    file = settings.home_folder.settings_file
    if not file.exists():
        bases = "".join(BASIS.format(table=name) for name in sources.TABLES)
        write_atomically(file, SETTINGS + bases)
    return load_settings(settings.home)


def _trained(settings: Settings, file: Path, progress: Progress, model_name: str) -> str:
    """Train, unless a version was trained on exactly these data to this specification."""
    known = training.version_for(settings, file)
    if known is None:
        return training.train(settings, file, progress).info.version
    with progress.step("train") as step:
        step.wrote(f"{model_name}/{known} was trained on these data already; reused")
    return known


def _promote(settings: Settings, progress: Progress, model_name: str, version: str) -> None:
    """Promote through the gate; if it refuses so small a borough, by a recorded override."""
    with progress.step("promote") as step:
        if promotion.champion_version(settings, model_name) == version:
            step.wrote(f"{model_name}/{version} is champion already")
            return
        reason = "Demonstration on a synthetic borough."
        try:
            promotion.promote(settings, model_name, version, reason=reason, by=PEOPLE[0])
            step.wrote(f"{model_name}/{version} passed the gate")
        except PromotionRefused:
            promotion.promote(
                settings, model_name, version,
                reason=f"{reason} The gate refused it; overridden to show the site.",
                by=PEOPLE[0], override_by=PEOPLE[1],
            )  # fmt: skip
            step.wrote(f"{model_name}/{version}, by an override recorded as a demonstration")
