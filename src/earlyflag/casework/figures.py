"""Read models: what the pipeline publishes for pages, and counts of the case life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.core.errors import StepMissing
from earlyflag.core.terms import Band
from earlyflag.store.records import CaseOutcome, Contact, Decision, OfferMade, RunRecord
from earlyflag.store.terms import DocumentKind, FlagState

_READS: Mapping[DocumentKind, Action] = {
    DocumentKind.CAPACITY: Action.READ_FIGURES,
    DocumentKind.BOROUGH: Action.READ_FIGURES,
    DocumentKind.PILOT: Action.READ_PILOT,
    DocumentKind.MONITORING: Action.READ_MODEL,
    DocumentKind.MODEL_CARD: Action.READ_MODEL,
    DocumentKind.MODEL_CHANGES: Action.READ_MODEL,
    DocumentKind.CATALOGUE: Action.READ_MODEL,
}


@dataclass(frozen=True, slots=True)
class Document:
    """A read model and when it was published."""

    kind: DocumentKind
    name: str
    published_at: datetime
    content: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Funnel:
    """How many flags came how far, in counts."""

    states: Mapping[FlagState, int]
    decisions: Mapping[str, int]
    offers: Mapping[str, int]
    contacts: Mapping[str, int]
    helped: Mapping[str, int]
    duties: Mapping[str, int]


def put_document(desk: Desk, kind: DocumentKind, name: str, content: Mapping[str, Any]) -> None:
    """Publish a read model; one of the same kind and name is replaced.

    Parameters
    ----------
    content : mapping
        What JSON can hold. It must name no person and no household.
    """
    check_may(desk.actor, Action.PUBLISH)
    entry = desk.entry("document_published", subject=name, detail={"kind": kind})
    desk.unit.borough.put_document(kind, name, content, now=desk.now, audit=entry)


def get_document(desk: Desk, kind: DocumentKind, name: str | None = None) -> Document:
    """Return a read model by name, or the newest of its kind.

    Raises
    ------
    StepMissing
        None has been published.
    """
    check_may(desk.actor, _READS[kind])
    if name is None:
        known = desk.unit.borough.documents(kind)
        name = known[0][0] if known else ""
    found = desk.unit.borough.document(kind, name)
    if found is None:
        raise StepMissing(f"No {kind.value.replace('_', ' ')} has been published yet.")
    return Document(kind, name, *found)


def list_documents(desk: Desk, kind: DocumentKind) -> list[tuple[str, datetime]]:
    """Return the names of the read models of a kind and when each was published, newest first."""
    check_may(desk.actor, _READS[kind])
    return desk.unit.borough.documents(kind)


def runs(desk: Desk) -> list[RunRecord]:
    """Return the published scoring runs, newest first."""
    check_may(desk.actor, Action.READ_MODEL)
    return desk.unit.borough.runs()


def raising_of(desk: Desk, run_id: str) -> dict[str, Any]:
    """Return what the raising of flags from a run did, and whom it left out, in counts.

    Raises
    ------
    StepMissing
        No flags were raised from it.
    """
    check_may(desk.actor, Action.READ_FIGURES)
    run = desk.unit.borough.run(run_id)
    summary = desk.unit.borough.raising(run.run_key) if run else None
    if summary is None:
        raise StepMissing("No flags have been raised from this run yet.")
    return summary


def bands(desk: Desk, run_key: int) -> dict[Band, int]:
    """Return how many households of a run are in each band."""
    check_may(desk.actor, Action.READ_FIGURES)
    return desk.unit.borough.counts(run_key)


def funnel(desk: Desk) -> Funnel:
    """Return how many flags came how far, from raised to helped."""
    check_may(desk.actor, Action.READ_FIGURES)
    cases = desk.unit.cases
    return Funnel(
        states=desk.unit.flags.funnel(),
        decisions=cases.tally(Decision, "code"),
        offers=cases.tally(OfferMade, "state"),
        contacts=cases.tally(Contact, "result"),
        helped=cases.tally(CaseOutcome, "helped"),
        duties=cases.tally(CaseOutcome, "duty"),
    )
