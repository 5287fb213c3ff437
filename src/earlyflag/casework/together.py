"""Reads of several requests in one transaction: each checked and audited, one commit for all.

A read of a household is only answered after its audit row is committed, and a commit waits for the
disk. Requests that stand in line at the same moment therefore share a transaction: each is checked
by its own rules at its own desk, each leaves its own row in the chain, and none is answered before
the commit. If any of them is refused, everything is undone and each is done again in a transaction
of its own, as `open_desk` does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import Engine

from earlyflag.casework.desk import REFUSALS, Actor, Desk, Rules, write_refusal
from earlyflag.casework.machine_keys import check_key_holds
from earlyflag.core.clock import london_day
from earlyflag.core.errors import PurposeMissing
from earlyflag.core.gathering import Gathered
from earlyflag.store.foreseen import Foreseen
from earlyflag.store.records import MachineKey, RunRecord
from earlyflag.store.terms import ActorKind
from earlyflag.store.units import begin

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class _Ask:
    """One read: who, when, what is done at the desk, and whom it is about."""

    actor: Actor
    now: datetime
    subject: str
    work: Callable[[Desk], Any]


class ReadsTogether:
    """Does reads of the same moment at once, each at a desk of its own.

    Parameters
    ----------
    engine : the casework database
    rules : the council's choices
    """

    def __init__(self, engine: Engine, rules: Rules) -> None:
        self._engine = engine
        self._rules = rules
        self._runs: dict[str, RunRecord] = {}
        # By household: two processes that count the same look-ups take the locks in one order.
        self._gathered: Gathered[_Ask, Any] = Gathered(self._do, order=lambda ask: ask.subject)

    async def do(
        self, actor: Actor, subject: str, work: Callable[[Desk], ResultT], *, now: datetime
    ) -> ResultT:
        """Return what a read at a desk gives, after its audit row was committed.

        Parameters
        ----------
        subject : the household whose score is read, blank for a read of nobody's
        work : reads at the desk and appends its audit row; may be done twice, so that it must
            change nothing but what the transaction undoes

        Raises
        ------
        NotSignedIn
            A machine's key was ended since it came in.
        """
        try:
            result: ResultT = await self._gathered.answer(_Ask(actor, now, subject, work))
        except PurposeMissing:
            raise
        except REFUSALS as refusal:
            await asyncio.to_thread(
                write_refusal, self._engine, actor, refusal, now=now, rules=self._rules
            )
            raise
        return result

    def _do(self, asks: Sequence[_Ask]) -> Sequence[Any]:
        with begin(self._engine, Foreseen(runs=self._runs)) as unit:
            keys: dict[str, MachineKey | None] = {}
            ahead: dict[tuple[str, date], list[str]] = {}
            for ask in asks:
                actor = ask.actor
                if actor.kind is ActorKind.MACHINE:
                    if actor.actor_id not in keys:
                        keys[actor.actor_id] = unit.access.key(actor.actor_id)
                    check_key_holds(keys[actor.actor_id], ask.now)
                if ask.subject:
                    ahead.setdefault((actor.actor_id, london_day(ask.now)), []).append(ask.subject)
            for (actor_id, day), household_ids in ahead.items():
                unit.foreseen.look_ahead(unit.connection, actor_id, day, household_ids)
            return [ask.work(Desk(unit, ask.actor, ask.now, self._rules)) for ask in asks]
