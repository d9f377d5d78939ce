"""Laws of long windows: the margins and last closes of Python integers, at any cutting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.core import arrays
from rollsignal.core.arrays import TickArray, advance_array
from rollsignal.core.kernel import INT64_MAX, Carry, advance
from rollsignal.core.long_windows import LongTail
from rollsignal.core.ticks import Ticks
from tests.support import oracle
from tests.support.strategies import cuts_of

small = st.integers(-50, 50)
greatest = st.sampled_from([2**58, -(2**58), 2**59, -(2**59)])


@pytest.fixture(autouse=True)
def _every_window_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "LONG_WINDOW", 0)


@given(st.data(), st.one_of(st.lists(small), st.lists(small | greatest)), st.integers(1, 9))
def test_a_long_window_is_decided_like_its_numbers_in_any_cutting(
    data: st.DataObject, ticks: list[int], window: int
) -> None:
    carry, margins, has_all = Carry(window), [], True
    for batch in data.draw(cuts_of(len(ticks))):
        if ticks[batch]:
            plain, after = advance(Carry(window, 0, tuple(carry.tail)), Ticks([*ticks[batch]], 0))
            advanced = advance_array(carry, TickArray(np.array(ticks[batch], np.int64), 0))
            if advanced is None:
                sizes = map(abs, [*carry.tail, *ticks[batch]])
                assert 2 * window * max(sizes) > INT64_MAX
                has_all, carry = False, after
                continue
            decided, carry = advanced
            assert carry == after
            assert len(carry.tail) == len(after.tail)
            margins += decided.margins.tolist()
            assert decided.tally == plain.tally
    if has_all:
        expected = oracle.margins(oracle.prices([str(tick) for tick in ticks]), window)
        assert margins == [margin for margin in expected if margin is not None]


@given(st.lists(small, min_size=1), st.lists(small, min_size=1), st.integers(1, 9))
def test_decimals_that_come_later_raise_the_scale(
    whole: list[int], tenths: list[int], window: int
) -> None:
    first = advance_array(Carry(window), TickArray(np.array(whole, np.int64), 0))
    assert first
    second = advance_array(first[1], TickArray(np.array(tenths, np.int64), 1))
    assert second
    expected = advance(advance(Carry(window), Ticks([*whole], 0))[1], Ticks([*tenths], 1))
    assert second[1] == expected[1]
    kept = [margin for margin in expected[0].margins if margin is not None]
    assert second[0].margins.tolist() == kept


def test_a_tail_that_is_continued_twice_keeps_its_closes() -> None:
    batches = [TickArray(np.array([n, n + 1, n + 2], np.int64), 0) for n in (1, 100, 500)]
    first = advance_array(Carry(3), batches[0])
    assert first
    for batch in batches[1:]:
        _, after = advance_array(first[1], batch) or (None, None)
        assert after == Carry(3, 0, tuple(batch.values[1:].tolist()))
    assert first[1] == Carry(3, 0, (2, 3))


def test_a_great_close_that_has_left_the_window_does_not_count() -> None:
    great = advance_array(Carry(2), TickArray(np.array([2**60, 1], np.int64), 0))
    assert great
    decided = advance_array(great[1], TickArray(np.array([5, 6], np.int64), 1))
    assert decided
    assert decided[1].tail == [6]


def test_a_tail_reads_like_a_tuple() -> None:
    tail = LongTail.of((3, -1, 2), 10, 100)
    assert tail is not None
    assert (tail == (30, -10, 20), tail[0], tail[-2:], len(tail)) == (True, 30, [-10, 20], 3)
    assert tail != (30, -10, 21)
    assert hash(tail) == hash((30, -10, 20))
    assert LongTail.of((11,), 10, 100) is None
