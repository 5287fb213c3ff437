"""What every change asks of its client: the version it was made against, and a key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from earlyflag.casework.desk import Desk
from earlyflag.casework.repeats import answered_before, keep_answer, request_hash
from earlyflag.core.errors import InputInvalid, PreconditionMissing
from earlyflag.web.site import Visit

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description='The flag\'s version as its ETag gives it, such as "3".',
        examples=['"3"'],
    ),
]
OnceKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="A fresh value a change, such as a UUID. The same request under the same key "
        "is done once and answered alike.",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        examples=["7d3f0c52-64f4-4b0a-9a53-0d6f3b1e0c11"],
    ),
]
_VERSION = re.compile(r'^"?([0-9]{1,9})"?$')
JSON = "application/json"


def version_of(if_match: str | None) -> int:
    """Return the version that a change was made against.

    Raises
    ------
    PreconditionMissing
        The header did not come.
    InputInvalid
        It is not one of our ETags.
    """
    if if_match is None:
        raise PreconditionMissing(
            "Send the flag's version in If-Match, as the ETag of the flag gives it, so that "
            "nobody's change is lost."
        )
    found = _VERSION.match(if_match.strip())
    if found is None:
        raise InputInvalid(
            'If-Match: expected a version such as "3".',
            "If-Match",
            expected='the flag\'s version as its ETag gives it, such as "3"',
            got="another text",
        )
    return int(found.group(1))


def etag(version: int) -> dict[str, str]:
    """Return the header that gives a version."""
    return {"ETag": f'"{version}"'}


def once(
    request: Request,
    visit: Visit,
    key: str,
    sent: BaseModel,
    act: Callable[[Desk], tuple[BaseModel, Mapping[str, str]]],
    *,
    status: int = 201,
) -> Response:
    """Do a change once under its key; a repeat gets the first answer again.

    Parameters
    ----------
    act : does it at the desk; returns the answer and its headers
    """
    digest = request_hash(request.url.path, sent.model_dump_json().encode())
    with visit.desk() as desk:
        before = answered_before(desk, key, digest)
        if before is not None:
            return Response(
                before.body, before.status, {"Idempotent-Replayed": "true"}, media_type=JSON
            )
        answer, headers = act(desk)
        body = answer.model_dump_json()
        keep_answer(desk, key, status, body)
    return Response(body, status, dict(headers), media_type=JSON)
