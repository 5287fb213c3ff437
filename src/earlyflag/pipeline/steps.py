"""The first steps: extracts to tables, tables to households, households to features."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from earlyflag import features, linkage, sources
from earlyflag.core.home import Home
from earlyflag.core.settings import Settings
from earlyflag.pipeline.calendar import Span, span_of
from earlyflag.pipeline.progress import Progress

if TYPE_CHECKING:
    from earlyflag.features import FeatureStore
    from earlyflag.linkage import Households
    from earlyflag.sources import IngestSummary, Tables


def ingest(
    settings: Settings,
    folder: Path,
    progress: Progress,
    *,
    mapping: str | Path | None = None,
    delivered_on: date | None = None,
    lawful_basis: str | None = None,
    dry_run: bool = False,
) -> IngestSummary:
    """Take a delivery into the home's tables, whole or not at all; see `sources.ingest`."""
    home = settings.home_folder.open()
    with progress.step("ingest", sources.delivery_size(folder, mapping)) as step:
        summary = sources.ingest(
            folder,
            home,
            bases=settings.lawful_basis,
            mapping=mapping,
            delivered_on=delivered_on,
            lawful_basis=lawful_basis,
            reject_share_limit=settings.reject_share_limit,
            dry_run=dry_run,
            advance=step.advance,
        )
        step.wrote(
            f"{summary.read:,} rows read, {summary.accepted:,} accepted, "
            f"{summary.rejected:,} rejected, {summary.duplicates:,} there already"
        )
    return summary


def link(settings: Settings, progress: Progress) -> Households:
    """Link the home's records to people and households, for every cut-off of the data."""
    home = settings.home_folder.open()
    tables = sources.load(home.tables)
    cut_offs = span_of(tables).cut_offs
    with progress.step("link", len(cut_offs)) as step:
        households = linkage.link(tables, cut_offs, home.households, advance=step.advance)
        step.wrote(_counts_of(households))
    return households


def build_features(
    settings: Settings, cut_offs: Sequence[date], progress: Progress
) -> FeatureStore:
    """Compute the features of some cut-offs; those that are there already are kept."""
    home = settings.home_folder.open()
    tables, households = linked(home)
    with progress.step("features", len(cut_offs)) as step:
        store = features.build(
            tables, households, list(cut_offs), home.features, advance=step.advance
        )
        step.wrote(f"{len(features.CATALOGUE)} features at {len(cut_offs)} cut-offs")
    return store


def linked(home: Home) -> tuple[Tables, Households]:
    """Return the tables and the households found in them.

    Raises
    ------
    StepMissing
        One of the steps before has not run.
    """
    return sources.load(home.tables), linkage.load(home.households)


def span(settings: Settings) -> Span:
    """Return the days that the home's tables speak for."""
    return span_of(sources.load(settings.home_folder.open().tables))


def _counts_of(households: Households) -> str:
    counts = households.facts.get("counts", {})
    found = counts.get("households")
    return f"{found:,} households over time" if found else "households over time"
