"""Score rows of declared features at once, with exact reasons: what-ifs and batches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from pydantic_core import core_schema
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

router = APIRouter(
    prefix="/api/v1/score", tags=["Score"], responses=problems(400, 401, 403, 413, 422, 503)
)

FeatureName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,99}$")]


class _FeatureValue:
    """A finite number, or true or false where the feature is one of those; never a text."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> core_schema.CoreSchema:
        """Return the schema, in which a value that fits neither is one error of its field."""
        return core_schema.union_schema(
            [
                core_schema.float_schema(strict=True, allow_inf_nan=False),
                core_schema.bool_schema(strict=True),
            ],
            mode="left_to_right",
            custom_error_type="finite_number_or_boolean",
            custom_error_message="Input should be a finite number, or true or false where the "
            "feature is one of those, or null",
        )


FeatureValue = Annotated[float, _FeatureValue]
# the schema says what validation does: no key of another form
Row = Annotated[
    dict[FeatureName, FeatureValue | None], Field(json_schema_extra={"additionalProperties": False})
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
        This server has no model to score with: none was promoted, or it was found damaged.
    """
    site = visit.site
    if site.scorer is None:
        trouble = site.model_trouble() if site.model_trouble else ""
        raise StepMissing(
            trouble
            or "No model is being served. Train and promote one (earlyflag train, earlyflag "
            "promote), then start the server again."
        )
    return site.scorer


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
