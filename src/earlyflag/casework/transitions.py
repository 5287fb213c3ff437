"""The case life of a flag as data: from which state which move leads where."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from earlyflag.store.terms import DecisionCode, FlagState

_S = FlagState


class Move(StrEnum):
    """Something that is done to a flag."""

    RELEASE = "release"
    ASSIGN = "assign"
    UNASSIGN = "unassign"
    PAUSE = "pause"
    RESUME = "resume"
    CONTACT = "contact"
    OFFER = "offer"
    WATCH = "watch"
    DECIDE = "decide"
    CLOSE = "close"
    REOPEN = "reopen"
    LAPSE = "lapse"
    WITHDRAW = "withdraw"


TRANSITIONS: Mapping[tuple[FlagState, Move], FlagState] = {
    (_S.HELD_BACK, Move.RELEASE): _S.WAITING,
    (_S.HELD_BACK, Move.LAPSE): _S.LAPSED,
    (_S.HELD_BACK, Move.WITHDRAW): _S.WITHDRAWN,
    (_S.WAITING, Move.ASSIGN): _S.ASSIGNED,
    (_S.WAITING, Move.LAPSE): _S.LAPSED,
    (_S.WAITING, Move.WITHDRAW): _S.WITHDRAWN,
    (_S.ASSIGNED, Move.ASSIGN): _S.ASSIGNED,
    (_S.ASSIGNED, Move.UNASSIGN): _S.WAITING,
    (_S.ASSIGNED, Move.PAUSE): _S.PAUSED,
    (_S.ASSIGNED, Move.CONTACT): _S.ASSIGNED,
    (_S.ASSIGNED, Move.OFFER): _S.OFFERED,
    (_S.ASSIGNED, Move.WATCH): _S.WATCHING,
    (_S.ASSIGNED, Move.DECIDE): _S.DECIDED,
    (_S.ASSIGNED, Move.LAPSE): _S.LAPSED,
    (_S.ASSIGNED, Move.WITHDRAW): _S.WITHDRAWN,
    (_S.PAUSED, Move.ASSIGN): _S.PAUSED,
    (_S.PAUSED, Move.RESUME): _S.ASSIGNED,
    (_S.PAUSED, Move.WITHDRAW): _S.WITHDRAWN,
    (_S.WATCHING, Move.ASSIGN): _S.WATCHING,
    (_S.WATCHING, Move.RESUME): _S.ASSIGNED,
    (_S.WATCHING, Move.WITHDRAW): _S.WITHDRAWN,
    (_S.OFFERED, Move.ASSIGN): _S.OFFERED,
    (_S.OFFERED, Move.UNASSIGN): _S.WAITING,
    (_S.OFFERED, Move.CONTACT): _S.OFFERED,
    (_S.OFFERED, Move.OFFER): _S.OFFERED,
    (_S.OFFERED, Move.DECIDE): _S.DECIDED,
    (_S.OFFERED, Move.CLOSE): _S.CLOSED,
    (_S.OFFERED, Move.WITHDRAW): _S.WITHDRAWN,
    (_S.DECIDED, Move.CLOSE): _S.CLOSED,
    (_S.DECIDED, Move.REOPEN): _S.ASSIGNED,
    (_S.CLOSED, Move.CLOSE): _S.CLOSED,
    (_S.CLOSED, Move.REOPEN): _S.ASSIGNED,
}
"""Every move that exists. A pair that is not here is refused."""

DECIDING: Mapping[DecisionCode, Move] = {
    DecisionCode.OFFER_HELP: Move.OFFER,
    DecisionCode.ALREADY_KNOWN: Move.DECIDE,
    DecisionCode.NO_CONTACT_DETAILS: Move.DECIDE,
    DecisionCode.DECLINED: Move.DECIDE,
    DecisionCode.NO_CONSENT: Move.DECIDE,
    DecisionCode.NOT_APPROPRIATE: Move.DECIDE,
    DecisionCode.WRONG_HOUSEHOLD: Move.DECIDE,
    DecisionCode.SAFE_CONTACT_NEEDED: Move.UNASSIGN,
    DecisionCode.WATCH_UNTIL: Move.WATCH,
}
"""The move that each decision makes."""


def diagram() -> str:
    """Return the case life as a Mermaid state diagram, drawn from `TRANSITIONS`."""
    lines = ["stateDiagram-v2", "    [*] --> waiting: raised", "    [*] --> held_back: raised"]
    lines += [f"    {old} --> {new}: {move}" for (old, move), new in TRANSITIONS.items()]
    ends = [state for state in FlagState if not any(old is state for old, _ in TRANSITIONS)]
    lines += [f"    {state} --> [*]" for state in (*ends, FlagState.CLOSED)]
    return "\n".join(lines)
