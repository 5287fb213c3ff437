"""Read models: what the pipeline publishes for pages, and counts of the case life."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.core.errors import StepMissing
from earlyflag.core.terms import Band
from earlyflag.store.counting import RunCounts, WardCounts
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
    """How many flags came how far, in counts that the actor may know, small ones too."""

    states: Mapping[FlagState, int]
    decisions: Mapping[str, int]
    offers: Mapping[str, int]
    contacts: Mapping[str, int]
    helped: Mapping[str, int]
    duties: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BoroughCounts:
    """What a model's scores add up to, by data date, and the newest run by reason and by ward.

    Attributes
    ----------
    runs : the newest run of each data date, the oldest date first
    reasons : how many listed households each reason is among the strongest of
    """

    runs: tuple[tuple[RunRecord, RunCounts], ...]
    reasons: Mapping[str, int]
    wards: tuple[WardCounts, ...]


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
        states=desk.unit.flags.funnel(with_safe_contact=desk.actor.sees_safe_contact),
        decisions=cases.tally(Decision, "code"),
        offers=cases.tally(OfferMade, "state"),
        contacts=cases.tally(Contact, "result"),
        helped=cases.tally(CaseOutcome, "helped"),
        duties=cases.tally(CaseOutcome, "duty"),
    )


def borough_counts(desk: Desk, *, strongest: int) -> BoroughCounts:
    """Return what the newest model's scores add up to; small counts are still to be withheld.

    Parameters
    ----------
    strongest : how many of the reasons that raise a household's score count
    """
    check_may(desk.actor, Action.PUBLISH)
    newest: dict[date, RunRecord] = {}
    known = desk.unit.borough.runs()
    for run in known:
        same = (run.model.name, run.model.horizon_months)
        if same == (known[0].model.name, known[0].model.horizon_months):
            newest.setdefault(run.as_of, run)
    if not newest:
        return BoroughCounts((), {}, ())
    ordered = [newest[as_of] for as_of in sorted(newest)]
    counting = desk.unit.counting
    counted = counting.by_run([run.run_key for run in ordered])
    last = ordered[-1].run_key
    reasons = Counter(
        title for titles in counting.raising_reasons(last) for title in titles[:strongest]
    )
    return BoroughCounts(
        tuple((run, counted[run.run_key]) for run in ordered),
        dict(reasons.most_common()),
        tuple(counting.by_ward(last)),
    )
