"""What every operation of the API says of itself: the problems it may answer with."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path

from earlyflag.web.api.schemas import ProblemDocument
from earlyflag.web.problems import PROBLEM, TITLES

HouseholdId = Annotated[
    str,
    Path(
        description="The household's pseudonym, as search and flags give it.",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        examples=["H7K2M4Q9TA"],
    ),
]
FlagId = Annotated[
    str,
    Path(
        description="The flag's reference.",
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        examples=["F2k3m4n5p6q7"],
    ),
]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI description of problem answers."""
    return {
        status: {
            "description": TITLES[status],
            "content": {PROBLEM: {"schema": ProblemDocument.model_json_schema()}},
        }
        for status in statuses
    }


READ_PROBLEMS = problems(401, 403, 404, 422, 429)
CHANGE_PROBLEMS = problems(400, 401, 403, 404, 409, 412, 413, 422, 428)
