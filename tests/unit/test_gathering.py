"""Requests that stand in line together share a round, and no refusal spoils another's answer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from earlyflag.core.gathering import Gathered


def test_those_who_come_while_a_round_is_under_way_are_the_next_round():
    rounds: list[list[int]] = []
    begun, go = threading.Event(), threading.Event()

    def answer(asked: Sequence[int]) -> list[int]:
        rounds.append(sorted(asked))
        if len(rounds) == 1:
            begun.set()
            assert go.wait(10)
        return [2 * one for one in asked]

    gathered = Gathered(answer)
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(gathered.ask, 0)
        assert begun.wait(10)
        others = [pool.submit(gathered.ask, one) for one in range(1, 9)]
        while len(gathered._line) < 8:
            pass
        go.set()
        assert [first.result(), *(one.result() for one in others)] == [2 * n for n in range(9)]
    assert rounds == [[0], list(range(1, 9))]


def test_of_a_round_that_fails_each_is_asked_alone():
    def answer(asked: Sequence[int]) -> list[int]:
        if 3 in asked:
            raise ValueError(f"three of {len(asked)}")
        return list(asked)

    gathered = Gathered(answer)
    barrier = threading.Barrier(8)

    def ask(one: int) -> int | str:
        barrier.wait(10)
        try:
            return gathered.ask(one)
        except ValueError as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [0, 1, 2, "three of 1", 4, 5, 6, 7]


def test_a_single_request_raises_what_answering_it_raises():
    def refuse(_asked: Sequence[int]) -> list[int]:
        raise KeyError("no")

    with pytest.raises(KeyError):
        Gathered(refuse).ask(1)


def test_a_round_is_ordered_and_never_larger_than_allowed():
    rounds: list[list[int]] = []
    barrier = threading.Barrier(10)

    def answer(asked: Sequence[int]) -> list[int]:
        rounds.append(list(asked))
        return list(asked)

    gathered = Gathered(answer, order=str, most=4)

    def ask(one: int) -> int:
        barrier.wait(10)
        return gathered.ask(one)

    with ThreadPoolExecutor(10) as pool:
        assert sorted(pool.map(ask, range(10))) == list(range(10))
    assert all(one == sorted(one) and len(one) <= 4 for one in rounds)
