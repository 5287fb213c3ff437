"""A request that comes twice is done once: `Idempotency-Key` of the API, hidden key of a form."""

from __future__ import annotations

import hashlib

from earlyflag.casework.desk import Desk
from earlyflag.core.errors import Conflict, InputInvalid
from earlyflag.store.access import Answered

LONGEST_KEY = 200


def request_hash(route: str, body: bytes) -> str:
    """Return what tells two requests under one key apart."""
    return hashlib.sha256(route.encode() + b"\0" + body).hexdigest()


def answered_before(desk: Desk, key: str, digest: str) -> Answered | None:
    """Return the answer to a request that was done before, or take its key and return None.

    Call it first, do the work, then `keep_answer`, all at one desk.

    Raises
    ------
    InputInvalid
        The key is blank or longer than 200 characters.
    Conflict
        The key was used for another request.
    """
    if not key.strip() or len(key) > LONGEST_KEY:
        raise InputInvalid(
            f"Expected a key of 1 to {LONGEST_KEY} characters.",
            "Idempotency-Key",
            expected=f"1 to {LONGEST_KEY} characters",
            got=f"{len(key.strip()):,} characters",
        )
    found = desk.unit.access.reserve_answer(desk.actor.actor_id, key, digest, desk.now)
    if found is not None and found.request_hash != digest:
        raise Conflict("This Idempotency-Key was used for another request. Use a fresh one.")
    return found


def keep_answer(desk: Desk, key: str, status: int, body: str) -> None:
    """Keep the answer to a request whose key was taken."""
    desk.unit.access.keep_answer(desk.actor.actor_id, key, status, body)
