"""Steps shared out among workers: each after those it follows, none twice, errors handed on."""

from __future__ import annotations

from threading import Barrier

import pytest

from earlyflag.features.together import share_out


def test_each_task_comes_after_those_it_follows_and_once():
    follows = {"a": (), "b": ("a",), "c": ("a", "elsewhere"), "d": ("b", "c")}
    done: list[str] = []
    for workers in (1, 3):
        done.clear()
        yielded = list(share_out(follows, [done.append] * workers))
        assert sorted(done) == sorted(yielded) == ["a", "b", "c", "d"]
        assert all(done.index(task) > done.index(f) for task in done for f in follows[task]
                   if f in follows)  # fmt: skip


def test_tasks_that_wait_for_nothing_run_at_the_same_time():
    both = Barrier(2, timeout=30)
    assert set(share_out({1: (), 2: ()}, [lambda _: both.wait()] * 2)) == {1, 2}


def test_an_error_of_a_worker_reaches_the_caller_and_what_follows_does_not_run():
    done = []

    def worker(task: str) -> None:
        if task == "a":
            raise OSError("disk full")
        done.append(task)

    with pytest.raises(OSError, match="disk full"):
        list(share_out({"a": (), "b": ("a",)}, [worker, worker]))
    assert done == []


def test_a_ring_is_refused():
    with pytest.raises(ValueError, match="2 steps wait"):
        list(share_out({"a": ("b",), "b": ("a",)}, [print]))
