"""Requests that arrive together are answered together: one transaction, one walk of the trees.

What costs most of a small request is often the same for one and for twenty: a commit that waits
for the disk, a pass over a model's trees. `Gathered` lets the threads that ask at the same time
share it, without a thread of its own and without waiting for company: the first to get its turn
answers everybody who stands in line at that moment, itself included; those who came meanwhile are
the next round. A single request is answered at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

AskT = TypeVar("AskT")
AnswerT = TypeVar("AnswerT")

MOST = 32
"""Requests of one round; more would make the first wait for the last."""


class _Waiting(Generic[AskT, AnswerT]):
    """One request in line, and what came of it."""

    __slots__ = ("answer", "ask", "done", "error")

    def __init__(self, ask: AskT) -> None:
        self.ask = ask
        self.done = False
        self.answer: AnswerT | None = None
        self.error: BaseException | None = None


class Gathered(Generic[AskT, AnswerT]):
    """Answers requests of several threads in rounds.

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
        self._line: deque[_Waiting[AskT, AnswerT]] = deque()
        self._turn = threading.Lock()

    def ask(self, ask: AskT) -> AnswerT:
        """Return the answer to one request, or raise what answering it alone raises."""
        mine: _Waiting[AskT, AnswerT] = _Waiting(ask)
        self._line.append(mine)
        while not mine.done:
            with self._turn:
                if not mine.done:  # somebody before us may have answered us along with theirs
                    self._round()
        if mine.error is not None:
            raise mine.error
        return mine.answer  # type: ignore[return-value]

    def _round(self) -> None:
        """Answer those at the head of the line."""
        present = [self._line.popleft() for _ in range(min(self._most, len(self._line)))]
        if self._order is not None:
            order = self._order
            present.sort(key=lambda waiting: order(waiting.ask))
        if len(present) > 1:
            with suppress(Exception):  # whose fault it was shows when each is asked alone
                answers = self._answer_all([waiting.ask for waiting in present])
                for waiting, answer in zip(present, answers, strict=True):
                    waiting.answer = answer
                    waiting.done = True
                return
        for waiting in present:
            self._alone(waiting)

    def _alone(self, waiting: _Waiting[AskT, AnswerT]) -> None:
        try:
            waiting.answer = self._answer_all([waiting.ask])[0]
        except BaseException as error:  # handed to the thread that asked
            waiting.error = error
        waiting.done = True
