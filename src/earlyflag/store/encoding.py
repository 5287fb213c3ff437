"""Reasons, evidence and timelines as compact JSON text, the same on both databases.

Arrays in a fixed order, since 130,000 households with ten reasons each are written in one run.
The order is part of the format: a new part goes at the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from earlyflag.core.terms import Change, Direction, Evidence, Reason, Score, TimelineEvent
from earlyflag.store.records import ScoreDetail

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def encode_detail(score: Score) -> str:
    """Return the reasons, unknowns and changes of a score as JSON text."""
    reasons = [
        [
            reason.key,
            reason.title,
            reason.sentence,
            reason.direction.value,
            reason.contribution,
            reason.features,
            [_evidence(row) for row in reason.evidence],
        ]
        for reason in score.reasons
    ]
    changes = [[c.sentence, c.features, c.probability_after] for c in score.changes]
    return _encode([reasons, score.unknowns, changes])


def _evidence(row: Evidence) -> list[Any]:
    return [
        row.table,
        row.reference,
        row.happened_on.isoformat(),
        row.known_on.isoformat(),
        row.text,
        row.amount_pence,
    ]


def decode_detail(text: str, *, with_evidence: bool = True) -> ScoreDetail:
    """Return the reasons, unknowns and changes that `encode_detail` wrote."""
    reasons, unknowns, changes = json.loads(text)
    return ScoreDetail(
        reasons=tuple(
            Reason(
                key=key,
                title=title,
                sentence=sentence,
                direction=Direction(direction),
                contribution=contribution,
                features=tuple(features),
                evidence=tuple(_read_evidence(row) for row in evidence) if with_evidence else (),
            )
            for key, title, sentence, direction, contribution, features, evidence in reasons
        ),
        unknowns=tuple(unknowns),
        changes=tuple(
            Change(sentence, tuple(features), probability)
            for sentence, features, probability in changes
        ),
    )


def _read_evidence(row: list[Any]) -> Evidence:
    table, reference, happened_on, known_on, text, amount = row
    return Evidence(
        table,
        reference,
        date.fromisoformat(happened_on),
        date.fromisoformat(known_on),
        text,
        amount,
    )


def encode_events(events: Iterable[TimelineEvent]) -> str:
    """Return one household's timeline as JSON text."""
    return _encode(
        [
            [
                event.happened_on.isoformat(),
                event.kind,
                event.text,
                event.source,
                event.amount_pence,
            ]
            for event in events
        ]
    )


def decode_events(household_id: str, text: str) -> tuple[TimelineEvent, ...]:
    """Return the timeline that `encode_events` wrote."""
    return tuple(
        TimelineEvent(household_id, date.fromisoformat(day), kind, line, source, amount)
        for day, kind, line, source, amount in json.loads(text)
    )
