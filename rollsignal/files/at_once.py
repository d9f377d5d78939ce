"""This module does the same with many things at once, such as requests that wait for a server."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar, cast

AT_ONCE = 8

Given = TypeVar("Given")
Result = TypeVar("Result")


def all_at_once(act: Callable[[Given], Result], items: Sequence[Given]) -> list[Result]:
    """Call a function for every item, a few at once; return the results in their order.

    Raises what it raises first, after which it is called for no further item. A signal interrupts
    the wait.
    """
    return _Work(act, items).results()


class _Work(Generic[Given, Result]):
    """What is to be done for each item, and the threads that do it."""

    def __init__(self, act: Callable[[Given], Result], items: Sequence[Given]) -> None:
        self._act = act
        self._count = len(items)
        self._waiting = list(enumerate(items))[::-1]
        self._done: SimpleQueue[tuple[int, Result | None, BaseException | None]] = SimpleQueue()

    def results(self) -> list[Result]:
        """Do it for all, and return the results."""
        for _ in range(min(AT_ONCE, self._count)):
            Thread(target=self._run, daemon=True).start()
        results: dict[int, Result] = {}
        try:
            while len(results) < self._count:
                number, result, problem = self._done.get()
                if problem:
                    raise problem
                results[number] = cast(Result, result)
        finally:
            self._waiting.clear()
        return [results[number] for number in range(self._count)]

    def _run(self) -> None:
        with suppress(IndexError):
            while True:
                number, item = self._waiting.pop()
                self._done.put((number, *self._outcome(item)))

    def _outcome(self, item: Given) -> tuple[Result | None, BaseException | None]:
        try:
            return self._act(item), None
        except BaseException as problem:
            self._waiting.clear()
            return None, problem
