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
        "is done once; the repeat is answered with what stands then, to who may see it then.",
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
    act: Callable[[Desk], BaseModel],
    *,
    version: int | None = None,
    show: Callable[[Desk], tuple[BaseModel, Mapping[str, str]]] | None = None,
    status: int = 201,
) -> Response:
    """Do a change once under its key; a repeat does nothing and is answered too.

    Parameters
    ----------
    act : does it at the desk; returns a receipt, which is kept as long as the key
    version : the version that the change was made against; another one is another request
    show : reads the answer and its headers, checked and audited like every read, after the change
        and at each repeat; without it the receipt is the answer
    """
    against = "" if version is None else str(version)
    digest = request_hash(f"{request.url.path} {against}", sent.model_dump_json().encode())
    headers: dict[str, str] = {}
    with visit.desk() as desk:
        before = answered_before(desk, key, digest)
        if before is None:
            body = act(desk).model_dump_json()
            keep_answer(desk, key, status, body)
        else:
            body, status = before.body, before.status
            headers["Idempotent-Replayed"] = "true"
        if show is not None:
            answer, more = show(desk)
            body = answer.model_dump_json()
            headers.update(more)
    return Response(body, status, headers, media_type=JSON)
