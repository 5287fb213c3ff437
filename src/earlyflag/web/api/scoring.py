"""Score rows of declared features at once, with exact reasons: what-ifs and batches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from earlyflag.casework.desk import Desk
from earlyflag.casework.permissions import Action
from earlyflag.casework.rules import check_may
from earlyflag.core.errors import StepMissing
from earlyflag.core.terms import Band, LiveScorer, Score
from earlyflag.web.api.describing import problems
from earlyflag.web.api.plain import change_content, plain_json, reason_content
from earlyflag.web.api.schemas import ChangeOut, Given, ReasonOut, Sent
from earlyflag.web.site import SignedIn, Visit
from earlyflag.web.wording import NO_APPLICATION

router = APIRouter(prefix="/api/v1/score", tags=["Score"], responses=problems(401, 403, 422, 503))

FeatureName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")]
Finite = Annotated[float, Field(allow_inf_nan=False)]
# the schema says what validation does: no key of another form
Row = Annotated[
    dict[FeatureName, Finite | None], Field(json_schema_extra={"additionalProperties": False})
]


class RowsIn(Sent):
    """Rows of features. A feature left out, or null, is not known."""

    rows: list[Row] = Field(
        min_length=1,
        max_length=1_000,
        examples=[[{"instalments_missed_4": 3, "rent_arrears_weeks": None}]],
    )


class RowScore(Given):
    """The score of one row, in the order of the rows."""

    probability: float
    log_odds: float
    base_log_odds: float
    band: Band
    reasons: list[ReasonOut]
    unknowns: list[str]
    changes: list[ChangeOut]


class RowsOut(Given):
    """The scores, and the version of the model that made every one of them."""

    model_version: str
    as_of: date | None
    scores: list[RowScore]
    notice: str


def scorer_of(visit: SignedIn) -> LiveScorer:
    """Return the live scorer.

    Raises
    ------
    StepMissing
        This server has no model to score with.
    """
    if visit.site.scorer is None:
        raise StepMissing(
            "No model is being served. Train and promote one (earlyflag train, earlyflag promote), "
            "then start the server again."
        )
    return visit.site.scorer


def row_content(score: Score) -> dict[str, Any]:
    """Return a live score as the fields of `RowScore`."""
    return {
        "probability": score.probability,
        "log_odds": score.log_odds,
        "base_log_odds": score.base_log_odds,
        "band": score.band,
        "reasons": [reason_content(reason) for reason in score.reasons],
        "unknowns": score.unknowns,
        "changes": [change_content(change) for change in score.changes],
    }


def _note(desk: Desk, count: int) -> None:
    check_may(desk.actor, Action.SCORE_ROWS)
    desk.unit.audit.append(desk.entry("score_rows", detail={"count": count}))


async def _scored(visit: Visit, rows: Sequence[Mapping[str, float | None]]) -> Sequence[Score]:
    """Return the scores of rows; one row is scored with others of the same moment."""
    scorer, what_ifs = scorer_of(visit), visit.site.what_ifs
    if len(rows) == 1 and what_ifs is not None:
        return [await what_ifs.answer(rows[0])]
    return await run_in_threadpool(scorer.score, rows)


@router.post("", response_model=RowsOut)
async def score_rows(visit: SignedIn, sent: RowsIn) -> Response:
    """Score up to 1,000 rows at once. Nothing is kept; that it was asked is in the audit log."""
    scores, _ = await asyncio.gather(
        _scored(visit, sent.rows),
        visit.read_together("", lambda desk: _note(desk, len(sent.rows))),
    )
    as_of = scores[0].as_of
    return plain_json(
        {
            "model_version": scores[0].model_version,
            "as_of": as_of.isoformat() if as_of else None,
            "scores": [row_content(score) for score in scores],
            "notice": NO_APPLICATION,
        }
    )
