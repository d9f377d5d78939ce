"""Reading ahead changes nothing but the time: the same items, the same error, no thread left."""

import threading
from collections.abc import Generator, Iterator
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.readers.blocks import read_ahead


class Counted:
    """A source of the numbers from 0, which records how many it has yielded, and when."""

    def __init__(self) -> None:
        self.given = 0
        self.at = {count: Event() for count in range(20)}

    def __iter__(self) -> Iterator[int]:
        while True:
            self.given += 1
            if self.given in self.at:
                self.at[self.given].set()
            yield self.given - 1


def failing(count: int, error: BaseException) -> Iterator[int]:
    yield from range(count)
    raise error


def readers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("Thread-")}


def closed(items: Iterator[object]) -> None:
    assert isinstance(items, Generator)
    items.close()


@settings(max_examples=30)
@given(st.integers(0, 30), st.integers(1, 5))
def test_all_items_come_in_their_order(length: int, count: int) -> None:
    assert list(read_ahead(iter(range(length)), count)) == list(range(length))


@pytest.mark.parametrize("error", [ValueError("at the end"), MemoryError(), KeyboardInterrupt()])
@pytest.mark.parametrize("length", [0, 1, 5])
def test_an_error_is_raised_where_its_item_would_be(length: int, error: BaseException) -> None:
    items = read_ahead(failing(length, error), 2)
    assert [next(items) for _ in range(length)] == list(range(length))
    with pytest.raises(type(error)) as caught:
        next(items)
    assert caught.value is error


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("taken", [1, 3])
def test_at_most_count_items_are_held_ready(taken: int, count: int) -> None:
    """One more has been read, and waits for room."""
    source = Counted()
    items = read_ahead(iter(source), count)
    assert [next(items) for _ in range(taken)] == list(range(taken))
    assert source.at[taken + count + 1].wait(20)
    closed(items)
    # Nothing was read between the wait and the end.
    assert source.given == taken + count + 1


def test_nothing_is_read_before_the_first_is_asked_for() -> None:
    source = Counted()
    closed(read_ahead(iter(source), 3))
    assert source.given == 0


@settings(max_examples=30)
@given(st.integers(1, 9), st.integers(1, 5))
def test_leaving_early_ends_the_thread(taken: int, count: int) -> None:
    before = readers()
    items = read_ahead(iter(Counted()), count)
    for _ in range(taken):
        next(items)
    assert len(readers() - before) == 1
    closed(items)
    assert readers() == before
    assert next(items, None) is None


@pytest.mark.parametrize("length", [0, 1, 9])
def test_the_thread_has_ended_when_all_are_taken_or_one_fails(length: int) -> None:
    before = readers()
    assert list(read_ahead(iter(range(length)), 2)) == list(range(length))
    with pytest.raises(OSError, match="gone"):
        list(read_ahead(failing(length, OSError("gone")), 2))
    assert readers() == before


def test_an_error_that_is_never_reached_is_not_raised() -> None:
    items = read_ahead(failing(1, OSError("gone")), 3)
    assert next(items) == 0
    closed(items)
