"""Shares work out among a few workers, each task after the tasks that it follows."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Task = TypeVar("Task")


def share_out(
    tasks: Mapping[Task, Iterable[Task]], workers: Sequence[Callable[[Task], object]]
) -> Generator[Task, None, None]:
    """Give each task to a free worker, in a thread of its own, and yield it when it is done.

    Parameters
    ----------
    tasks : task -> the tasks that it follows; names among these that are no task do not count
    workers : each does one task at a time

    Raises
    ------
    ValueError
        Tasks follow each other in a ring.
    """
    waiting = {task: set(follows) & tasks.keys() for task, follows in tasks.items()}
    idle = list(workers)
    busy: dict[Future[object], tuple[Task, Callable[[Task], object]]] = {}
    with ThreadPoolExecutor(len(workers)) as pool:
        while waiting or busy:
            ready = [task for task, follows in waiting.items() if not follows][: len(idle)]
            for task in ready:
                worker = idle.pop()
                del waiting[task]
                busy[pool.submit(worker, task)] = (task, worker)
            if not busy:
                raise ValueError(f"{len(waiting)} steps wait for each other.")
            finished, _ = wait(busy, return_when=FIRST_COMPLETED)
            for future in finished:
                task, worker = busy.pop(future)
                future.result()
                idle.append(worker)
                for follows in waiting.values():
                    follows.discard(task)
                yield task
