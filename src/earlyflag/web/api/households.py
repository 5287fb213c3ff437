"""Households: search, who and where, score with reasons, evidence, history, purpose."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from earlyflag.casework.desk import Desk
from earlyflag.casework.households import (
    HouseholdView,
    ScoreView,
    get_household,
    get_score,
    look_up_name,
    look_up_reference,
    state_purpose,
)
from earlyflag.core.errors import NotFound
from earlyflag.web.api.changing import OnceKey, once
from earlyflag.web.api.describing import CHANGE_PROBLEMS, READ_PROBLEMS, HouseholdId, problems
from earlyflag.web.api.plain import change_content, plain_json, reason_content
from earlyflag.web.api.schemas import (
    EvidenceListOut,
    EvidenceOut,
    FoundOut,
    HistoryOut,
    HistoryPoint,
    HouseholdOut,
    MemberOut,
    NameSearch,
    PurposeIn,
    PurposeOut,
    ReasonEvidence,
    ScoreOut,
    SearchIn,
    SearchOut,
)
from earlyflag.web.site import SignedIn
from earlyflag.web.wording import NO_APPLICATION, NOT_SAFE

router = APIRouter(prefix="/api/v1/households", tags=["Households"], responses=READ_PROBLEMS)


def score_of(view: HouseholdView) -> ScoreView:
    """Return a household's newest score.

    Raises
    ------
    NotFound
        It was not scored.
    """
    if view.score is None:
        raise NotFound("This household could not be scored. " + NOT_SAFE)
    return view.score


def score_content(score: ScoreView) -> dict[str, Any]:
    """Return a score as the fields of `ScoreOut`, ready to be written as JSON.

    The most asked answer of the API is written from our own records as they are, not validated
    once more; a test reads it back through `ScoreOut`.
    """
    line = score.line
    return {
        "household_id": line.household_id,
        "as_of": line.as_of.isoformat(),
        "model_version": line.model_version,
        "run_id": line.run_id,
        "horizon_months": score.run.model.horizon_months,
        "probability": line.probability,
        "borough_rate": score.run.model.base_rate,
        "log_odds": line.log_odds,
        "base_log_odds": line.base_log_odds,
        "band": line.band,
        "rank": line.rank,
        "reasons": [reason_content(reason) for reason in score.reasons],
        "unknowns": score.unknowns,
        "changes": [change_content(change) for change in score.changes],
        "notice": NO_APPLICATION,
    }


@router.post("/search", responses=problems(400, 413))
def search(visit: SignedIn, wanted: SearchIn) -> SearchOut:
    """Find households by a reference, or by surname and postcode.

    A POST, so that nothing personal stands in an address.
    """
    with visit.desk() as desk:
        if isinstance(wanted, NameSearch):
            found = look_up_name(desk, wanted.surname, wanted.postcode)
        else:
            found = look_up_reference(desk, wanted.kind, wanted.reference)
    return SearchOut(
        found=[
            FoundOut(
                household_id=one.household_id,
                address=one.address,
                tenure=one.tenure,
                needs_purpose=one.needs_purpose,
            )
            for one in found
        ],
        notice=NOT_SAFE,
    )


@router.get("/{household_id}")
def read_household(visit: SignedIn, household_id: HouseholdId) -> HouseholdOut:
    """Who and where a household is. Fields that the caller may not see are empty."""
    with visit.desk() as desk:
        view = get_household(desk, household_id)
    record = view.household
    return HouseholdOut(
        household_id=record.household_id,
        as_of=record.as_of,
        address=record.address,
        postcode=record.postcode,
        ward_code=record.ward_code,
        tenure=record.tenure,
        uprn=record.uprn,
        account_refs=list(record.account_refs),
        tenancy_refs=list(record.tenancy_refs),
        members=[
            MemberOut(name=m.name, role=m.role, date_of_birth=m.date_of_birth)
            for m in record.members
        ],
        suppressions=sorted({one.kind for one in view.suppressions}),
        flag_ids=[flag.flag_id for flag in view.flags],
    )


@router.get("/{household_id}/score", response_model=ScoreOut)
async def read_score(visit: SignedIn, household_id: HouseholdId) -> Response:
    """The newest score of a household with its reasons, what is not known, what would change it."""
    answer = await visit.read_together(
        household_id, lambda desk: get_score(desk, household_id, with_evidence=False)
    )
    return plain_json(score_content(answer.score))


@router.get("/{household_id}/evidence")
def read_evidence(visit: SignedIn, household_id: HouseholdId) -> EvidenceListOut:
    """The dated records behind each reason of the newest score."""
    with visit.desk() as desk:
        view = get_household(desk, household_id)
    score = score_of(view)
    return EvidenceListOut(
        household_id=household_id,
        as_of=score.line.as_of,
        model_version=score.line.model_version,
        reasons=[
            ReasonEvidence(
                key=reason.key,
                sentence=reason.sentence,
                evidence=[
                    EvidenceOut(
                        table=row.table,
                        reference=row.reference,
                        happened_on=row.happened_on,
                        known_on=row.known_on,
                        text=row.text,
                        amount_pence=row.amount_pence,
                    )
                    for row in reason.evidence
                ],
            )
            for reason in score.reasons
        ],
    )


@router.get("/{household_id}/history")
def read_history(visit: SignedIn, household_id: HouseholdId) -> HistoryOut:
    """Every score of a household, newest first."""
    with visit.desk() as desk:
        view = get_household(desk, household_id)
    return HistoryOut(
        household_id=household_id,
        scores=[
            HistoryPoint(
                as_of=line.as_of,
                model_version=line.model_version,
                probability=line.probability,
                band=line.band,
                rank=line.rank,
            )
            for line in view.history
        ],
    )


@router.post(
    "/{household_id}/purposes",
    response_model=PurposeOut,
    status_code=201,
    responses=CHANGE_PROBLEMS,
)
def post_purpose(
    request: Request, visit: SignedIn, household_id: HouseholdId, sent: PurposeIn, key: OnceKey
) -> Response:
    """State why a household outside one's own work is opened; it holds until midnight in London."""

    def act(desk: Desk) -> PurposeOut:
        stated = state_purpose(desk, household_id, sent.purpose, sent.note)
        return PurposeOut(
            household_id=household_id, purpose=stated.purpose, expires_at=stated.expires_at
        )

    return once(request, visit, key, sent, act)
