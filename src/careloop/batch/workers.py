"""Worker processes that read: started with the models at hand, fed in order and in constant memory."""

from __future__ import annotations

import gc
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_Given = TypeVar("_Given")
_Found = TypeVar("_Found")
_TASKS_PER_WORKER = 3  # in flight; bounds memory whatever the file's length


@contextmanager
def open_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Open a pool whose workers start at once, so that they are ready when the first texts come."""
    with ProcessPoolExecutor(workers, mp_context=_context(), initializer=_settle) as pool:
        for _ in range(workers):
            pool.submit(_warm)
        yield pool


def map_in_order(
    pool: ProcessPoolExecutor, workers: int, given: Iterable[_Given], submit: Callable[[_Given], Future[_Found]]
) -> Iterator[tuple[_Given, _Found]]:
    """Yield what was given with what was found, in order; only some tasks a worker are under way at once."""
    waiting: deque[tuple[_Given, Future[_Found]]] = deque()
    for one in given:
        waiting.append((one, submit(one)))
        if len(waiting) >= workers * _TASKS_PER_WORKER:
            first, future = waiting.popleft()
            yield first, future.result()
    while waiting:
        first, future = waiting.popleft()
        yield first, future.result()


def forget_young_objects() -> None:
    """Look at the objects that a task made, once, so that a stray cycle does not stay."""
    gc.collect(0)


def _settle() -> None:
    """Prepare a worker: readings are trees of tuples without cycles, and looking for cycles among them costs a third of the time."""
    gc.freeze()
    gc.disable()


def _warm() -> None:
    import careloop.batch.warmed  # noqa: F401


def _context() -> multiprocessing.context.BaseContext:
    """Return a way to start workers that does not copy this process's threads: a fork beside Polars' threads may hang."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["careloop.batch.warmed"])
    return context
