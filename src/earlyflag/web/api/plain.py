"""Answers written straight from our own records: what is ours need not be validated again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from earlyflag.core.terms import Change, Reason

_encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
).encode


def plain_json(content: Mapping[str, Any]) -> Response:
    """Return content of plain values as a JSON answer."""
    return Response(_encode(content), media_type="application/json")


def reason_content(reason: Reason) -> dict[str, Any]:
    """Return a reason as the fields of `ReasonOut`."""
    return {
        "key": reason.key,
        "title": reason.title,
        "sentence": reason.sentence,
        "direction": reason.direction,
        "contribution": reason.contribution,
        "features": reason.features,
    }


def change_content(change: Change) -> dict[str, Any]:
    """Return a change as the fields of `ChangeOut`."""
    return {
        "sentence": change.sentence,
        "features": change.features,
        "probability_after": change.probability_after,
    }
