"""How the service is: alive, ready, measured. These addresses say nothing about anybody."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from earlyflag.core.errors import EarlyflagError
from earlyflag.store.database import check_ready
from earlyflag.web.api.describing import problems
from earlyflag.web.site import Site, site_of

router = APIRouter(tags=["Service"])


@router.get("/health/live")
async def live() -> dict[str, str]:
    """The process answers. Touches nothing else."""
    return {"status": "alive"}


def checks(site: Site) -> dict[str, str]:
    """Return each readiness check with `ok` or what is wrong with it."""
    answers: dict[str, str] = {}
    try:
        check_ready(site.engine)
        answers["database"] = "ok"
    except EarlyflagError as error:
        answers["database"] = str(error)
    if site.model_trouble is not None:
        answers["model"] = site.model_trouble() or "ok"
    return answers


@router.get("/health/ready", responses=problems(503))
def ready(request: Request) -> JSONResponse:
    """Database, schema and model manifest are in order."""
    site = site_of(request)
    answers = checks(site)
    good = all(answer == "ok" for answer in answers.values())
    site.figures.ready.set(1 if good else 0)
    content = {"status": "ready" if good else "not ready", "checks": answers}
    return JSONResponse(content, 200 if good else 503)


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Figures for Prometheus: counts and times by route template."""
    return Response(site_of(request).figures.text(), media_type=CONTENT_TYPE_LATEST)
