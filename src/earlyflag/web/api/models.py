"""The model that scores, the one that waits beside it, its card and what it reads."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter

from earlyflag.casework.figures import get_document, runs
from earlyflag.core.errors import NotFound, StepMissing
from earlyflag.core.terms import ModelInfo
from earlyflag.store.terms import DocumentKind
from earlyflag.web.api.describing import problems
from earlyflag.web.api.schemas import Given
from earlyflag.web.site import SignedIn, Visit

router = APIRouter(prefix="/api/v1/models", tags=["Models"], responses=problems(401, 403, 404))


class ModelOut(Given):
    """What a client needs to know of a model; the card holds the rest."""

    model_version: str
    family: str
    label: str
    horizon_months: int
    base_rate: float
    features: list[str]
    trained_to: date
    data_hash: str
    specification_hash: str
    is_serving: bool


class DocumentOut(Given):
    """A published read model."""

    name: str
    published_at: datetime
    content: dict[str, Any]


def _model_out(info: ModelInfo, *, is_serving: bool) -> ModelOut:
    return ModelOut(
        model_version=info.full_version,
        family=info.family,
        label=info.label,
        horizon_months=info.horizon_months,
        base_rate=info.base_rate,
        features=list(info.features),
        trained_to=info.trained_to,
        data_hash=info.data_hash,
        specification_hash=info.specification_hash,
        is_serving=is_serving,
    )


@router.get("/champion")
def champion(visit: SignedIn) -> ModelOut:
    """The model that answers now; without live scoring, the one of the newest run."""
    if visit.site.scorer is not None:
        with suppress(StepMissing):  # the server waits for its first model
            return _model_out(visit.site.scorer.model, is_serving=True)
    with visit.desk() as desk:
        known = runs(desk)
    if not known:
        raise NotFound("No model has scored the borough yet.")
    return _model_out(known[0].model, is_serving=False)


def _document(visit: Visit, kind: DocumentKind, name: str | None = None) -> DocumentOut:
    try:
        with visit.desk() as desk:
            found = get_document(desk, kind, name)
    except StepMissing as error:
        raise NotFound(str(error)) from error
    return DocumentOut(name=found.name, published_at=found.published_at, content=found.content)


@router.get("/challenger")
def challenger(visit: SignedIn) -> DocumentOut:
    """The model that waits beside the champion, by its card, if one was published."""
    return _document(visit, DocumentKind.MODEL_CARD, "challenger")


@router.get("/card")
def card(visit: SignedIn) -> DocumentOut:
    """The champion's model card."""
    return _document(visit, DocumentKind.MODEL_CARD)


@router.get("/catalogue")
def catalogue(visit: SignedIn) -> DocumentOut:
    """Every feature that the model may read: meaning, source, sensitivity, lawful gateway."""
    return _document(visit, DocumentKind.CATALOGUE)
