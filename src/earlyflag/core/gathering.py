"""Answer together what is asked at the same moment.

Some work costs as much for one request as for a dozen: a commit that waits for the disk, a walk
through a model that waits for memory. One thread of its own does such work, in rounds, without
waiting for company: a round answers everybody who stands in line when it begins, and those who
come meanwhile are the next round. A single request is answered at once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

AskT = TypeVar("AskT")
AnswerT = TypeVar("AnswerT")

MOST = 32
"""Requests of one round; more would make the first wait for the last."""


class Gathered(Generic[AskT, AnswerT]):
    """Answers requests of several threads or of an event loop in rounds.

    A round that fails has changed nothing (`answer_all` sees to that), and each of its requests
    is then asked again alone: one that is refused spoils no other's answer.

    Parameters
    ----------
    answer_all : gives one answer a request, in order, or raises as if none had been asked
    order : the order of the requests within a round, where it matters who locks what first
    """

    def __init__(
        self,
        answer_all: Callable[[Sequence[AskT]], Sequence[AnswerT]],
        *,
        order: Callable[[AskT], str] | None = None,
        most: int = MOST,
    ) -> None:
        self._answer_all = answer_all
        self._order = order
        self._most = most
        self._line: deque[tuple[AskT, Future[AnswerT]]] = deque()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="gathered")
        self._is_called = False

    def submit(self, ask: AskT) -> Future[AnswerT]:
        """Stand in line; the future gives the answer, or what answering it alone raises."""
        future: Future[AnswerT] = Future()
        self._line.append((ask, future))
        self._call()
        return future

    def _call(self) -> None:
        """Call for a round, unless one is called that has not yet looked at the line."""
        if not self._is_called:
            self._is_called = True
            self._worker.submit(self._round)

    def ask(self, ask: AskT) -> AnswerT:
        """Return the answer to one request, or raise what answering it alone raises."""
        return self.submit(ask).result()

    async def answer(self, ask: AskT) -> AnswerT:
        """Return the answer to one request of an event loop, which goes on meanwhile."""
        return await asyncio.wrap_future(self.submit(ask))

    def _round(self) -> None:
        """Answer those at the head of the line; nobody, if an earlier round took them along."""
        self._is_called = False  # before it looks: whoever comes from now on calls again
        present: list[tuple[AskT, Future[AnswerT]]] = []
        while self._line and len(present) < self._most:
            ask, future = self._line.popleft()
            if future.set_running_or_notify_cancel():  # nobody waits any more for a cancelled one
                present.append((ask, future))
        if self._line:
            self._call()
        if self._order is not None:
            order = self._order
            present.sort(key=lambda waiting: order(waiting[0]))
        if len(present) > 1:
            with suppress(Exception):  # whose fault it was shows when each is asked alone
                answers = self._answer_all([ask for ask, _ in present])
                for (_, future), answer in zip(present, answers, strict=True):
                    future.set_result(answer)
                return
        for ask, future in present:
            self._alone(ask, future)

    def _alone(self, ask: AskT, future: Future[AnswerT]) -> None:
        try:
            answer = self._answer_all([ask])[0]
        except BaseException as error:  # handed to whoever asked
            future.set_exception(error)
        else:
            future.set_result(answer)
