"""This module reads ahead: a thread takes the next blocks while the last one is worked on."""

from collections.abc import Iterator
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import TypeVar

T = TypeVar("T")


def read_ahead(source: Iterator[T], count: int) -> Iterator[T]:
    """Yield what the source yields, of which a thread holds at most `count` ready.

    An error of the source is raised where its next item would be. Leaving early ends the thread.
    """
    ready: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
    room = Semaphore(count)
    left: list[bool] = []

    def read() -> None:
        try:
            for item in source:
                room.acquire()
                if left:
                    return
                ready.put((item, None))
            ready.put((None, None))
        except BaseException as error:  # raised again where the items are taken
            ready.put((None, error))

    thread = Thread(target=read, daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is None:
                return
            room.release()
            yield item
    finally:
        left.append(True)
        room.release()
        thread.join()
