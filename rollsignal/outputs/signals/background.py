"""This module writes in a thread what is decided, while the next bars are decided."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import Full, Queue
from threading import Thread
from typing import Generic, TypeVar

from rollsignal.files.replace import cannot_write

Item = TypeVar("Item")

# How many items may wait for the thread.
WAITING_ITEMS = 2
LOOK_AGAIN_S = 0.2


class Background(Generic[Item]):
    """A thread that passes the items that are put here to `write`; messages name `path`.

    write: receives an iterator of all items, in their order; raises `OSError` if it fails.
    """

    def __init__(self, path: str, write: Callable[[Iterator[Item]], None]) -> None:
        self._path = path
        self._write = write
        self._items: Queue[Item | None] = Queue(WAITING_ITEMS)
        self._problem: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def put(self, item: Item | None) -> None:
        """Pass on the next item; raises `DiskError` if it cannot be written."""
        if not self._is_taken(item):
            self._check()

    def close(self) -> None:
        """Wait until all is written; raises `DiskError`."""
        self.put(None)
        self._thread.join()
        self._check()

    def abandon(self) -> None:
        """End the thread, whatever it has written."""
        self._is_taken(None)
        self._thread.join()

    def _is_taken(self, item: Item | None) -> bool:
        """Wait for room for an item; return False if the thread ends before there is any."""
        while self._thread.is_alive():
            with suppress(Full):
                self._items.put(item, timeout=LOOK_AGAIN_S)
                return True
        return False

    def _check(self) -> None:
        problem = self._problem
        if isinstance(problem, OSError):
            raise cannot_write(self._path, problem) from problem
        if problem:
            raise problem

    def _run(self) -> None:
        try:
            self._write(self._received())
        except BaseException as problem:
            self._problem = problem

    def _received(self) -> Iterator[Item]:
        while (item := self._items.get()) is not None:
            yield item
