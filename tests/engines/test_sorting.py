"""Bars are sorted as by Python's own stable sort, whatever the memory, batches and closes."""

import os
import tempfile
import tracemalloc
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.core.arrays import TickArray
from rollsignal.core.ticks import Ticks
from rollsignal.core.timestamps.reader import Timestamp, to_ns
from rollsignal.engines.sorting import BarSorter, SortedBars, int64_times
from rollsignal.engines.spill import HELD_BYTES
from rollsignal.errors import BadCellError, DiskError
from tests.support.disk import files_no_larger_than

LEAST, MOST = -(2**63), 2**63 - 1
KIB, MIB = 1 << 10, 1 << 20


class Bar(NamedTuple):
    """What goes in and comes out again."""

    moment: int
    close: Fraction | None
    code: int | None
    file: int
    row: int


class Part(NamedTuple):
    """The bars of one call of `add`, with the ticks of their closes."""

    moments: list[int]
    ticks: list[int | None]
    scale: int
    plain: bool
    codes: list[int] | None
    file: int
    rows: list[int]

    def bars(self) -> list[Bar]:
        closes = [None if tick is None else Fraction(tick, 10**self.scale) for tick in self.ticks]
        codes: Sequence[int | None] = self.codes or [None] * len(closes)
        columns = (self.moments, closes, codes, [self.file] * len(closes), self.rows)
        return [Bar(*bar) for bar in zip(*columns, strict=True)]

    def add_to(self, sorter: BarSorter) -> None:
        closes: TickArray | Ticks = Ticks(list(self.ticks), self.scale)
        if not self.plain:
            closes = TickArray(np.array(self.ticks, np.int64), self.scale)
        codes = None if self.codes is None else np.array(self.codes, np.int64)
        moments, rows = np.array(self.moments, np.int64), np.array(self.rows, np.int64)
        sorter.add(codes, moments, closes, self.file, rows)


small = st.integers(-3, 3)
int64s = st.integers(LEAST, MOST)
wide = st.integers(-(10**40), 10**40)


@st.composite
def parts(draw: DrawFn, rows: int = 12) -> list[Part]:
    """Draw bars of few timestamps, so that ties are common, in adds with a scale each."""
    coded = draw(st.booleans())
    moment = st.one_of(small, small, st.sampled_from([LEAST, LEAST + 1, MOST - 1, MOST]))
    found = []
    for file in range(draw(st.integers(0, 8))):
        count, plain = draw(st.integers(0, rows)), draw(st.booleans())
        tick = st.one_of(small, small, int64s)
        ticks = st.one_of(tick, st.none(), wide) if plain and draw(st.booleans()) else tick
        found.append(
            Part(
                draw(st.lists(moment, min_size=count, max_size=count)),
                draw(st.lists(ticks, min_size=count, max_size=count)),
                draw(st.sampled_from([0, 2, 2, 2, 5, 18, 30, 400])),
                plain,
                draw(st.lists(small, min_size=count, max_size=count)) if coded else None,
                file,
                list(range(count)),
            )
        )
    return found


def bars_of(batch: SortedBars) -> list[Bar]:
    """Write a batch's closes as fractions, of either form."""
    size, scale = len(batch.timestamps_ns), 10**batch.closes.scale
    masked = [False] * size if batch.missing is None else batch.missing.tolist()
    if isinstance(batch.closes, Ticks):
        assert [tick is None for tick in batch.closes.values] == masked
    ticks: list[int] = np.asarray(batch.closes.values, object).tolist()
    closes = [
        None if gone else Fraction(tick, scale) for tick, gone in zip(ticks, masked, strict=True)
    ]
    codes: Sequence[int | None] = [None] * size
    if batch.codes is not None:
        codes = batch.codes.tolist()
    columns = (
        batch.timestamps_ns.tolist(),
        closes,
        codes,
        batch.files.tolist(),
        batch.rows.tolist(),
    )
    return [Bar(*bar) for bar in zip(*columns, strict=True)]


def bars_in_order(found: list[Part]) -> list[Bar]:
    return sorted((bar for part in found for bar in part.bars()), key=lambda bar: bar.moment)


def sorted_by(found: list[Part], held: int = 10**6, rows: int = 1 << 17) -> list[SortedBars]:
    with BarSorter(held * HELD_BYTES) as sorter:
        for part in found:
            part.add_to(sorter)
        return list(sorter.batches(rows))


def one(ticks: list[int | None], scale: int = 0) -> Part:
    """Make bars in the order of time, as plain numbers."""
    places = list(range(len(ticks)))
    return Part(places, ticks, scale, True, None, 0, places)


@given(parts(), st.integers(1, 40), st.integers(1, 30))
def test_bars_come_as_by_a_stable_sort_whatever_is_held_and_however_they_are_cut(
    found: list[Part], held: int, rows: int
) -> None:
    batches = sorted_by(found, held, rows)
    assert [bar for batch in batches for bar in bars_of(batch)] == bars_in_order(found)
    assert all(len(batch.timestamps_ns) == rows for batch in batches[:-1])
    assert all(1 <= len(batch.timestamps_ns) <= rows for batch in batches[-1:])


@given(st.lists(st.lists(st.integers(0, 30), max_size=400), max_size=5), st.integers(1, 60))
def test_long_runs_with_long_ties_come_as_by_a_stable_sort(
    moments: list[list[int]], held: int
) -> None:
    found = [
        Part(part, [0] * len(part), 0, False, None, file, list(range(len(part))))
        for file, part in enumerate(moments)
    ]
    batches = sorted_by(found, held, 50)
    assert [bar for batch in batches for bar in bars_of(batch)] == bars_in_order(found)


@given(parts())
def test_closes_are_an_array_just_where_all_of_them_fit_int64_at_one_scale(
    found: list[Part],
) -> None:
    for batch in sorted_by(found, rows=7):
        closes = [bar.close for bar in bars_of(batch) if bar.close is not None]
        if isinstance(batch.closes, TickArray):
            assert batch.closes.values.dtype == np.int64
        else:
            unit = 10**batch.closes.scale
            assert any(not LEAST < close * unit <= MOST for close in closes)


@pytest.mark.parametrize("held", [1, 100])
def test_scales_are_brought_to_the_finest_one_of_the_batch(held: int) -> None:
    found = [one([100, -5], scale=2), one([7, 0], scale=0), one([1_234_567], scale=6)]
    first, last = sorted_by(found, held, rows=3)
    assert isinstance(first.closes, TickArray)
    assert (first.closes.values.tolist(), first.closes.scale) == (
        [1_000_000, 7_000_000, 1_234_567],
        6,
    )
    assert isinstance(last.closes, TickArray)
    assert (last.closes.values.tolist(), last.closes.scale) == ([-5, 0], 2)


def test_a_zero_fits_beside_any_scale() -> None:
    (batch,) = sorted_by([one([0], scale=0), one([1], scale=400)])
    assert isinstance(batch.closes, TickArray)
    assert (batch.closes.values.tolist(), batch.closes.scale) == ([0, 1], 400)


@pytest.mark.parametrize("most", [MOST, LEAST])
def test_the_ends_of_int64_stay_in_arrays(most: int) -> None:
    for third in (0, None):
        (batch,) = sorted_by([one([most, most, third], scale=3)])
        assert isinstance(batch.closes, TickArray)
        assert batch.closes.values.tolist() == [most, most, 0]


def test_the_greatest_close_that_fits_at_the_finest_scale_stays_in_an_array() -> None:
    (batch,) = sorted_by([one([-(MOST // 100)], scale=0), one([1], scale=2)])
    assert isinstance(batch.closes, TickArray)
    assert batch.closes.values.tolist() == [-(MOST // 100) * 100, 1]


def test_closes_that_no_common_scale_fits_are_plain_numbers() -> None:
    (batch,) = sorted_by([one([10**18], scale=0), one([1], scale=1)])
    assert batch.closes == Ticks([10**19, 1], 1)


@pytest.mark.parametrize("held", [1, 100])
def test_closes_of_thousands_of_digits_are_kept(held: int) -> None:
    long = 10**4300 + 7
    batches = sorted_by([one([long, 5, -long], scale=4000)], held)
    assert [batch.closes for batch in batches] == [Ticks([long, 5, -long], 4000)]


@pytest.mark.parametrize("held", [1, 100])
def test_a_missing_close_is_masked_beside_int64(held: int) -> None:
    (batch,) = sorted_by([one([None, 5, None], scale=2)], held)
    assert batch.missing is not None
    assert batch.missing.tolist() == [True, False, True]
    assert isinstance(batch.closes, TickArray)
    assert (batch.closes.values.tolist(), batch.closes.scale) == ([0, 5, 0], 2)


def test_a_missing_close_is_masked_beside_closes_that_need_more() -> None:
    (batch,) = sorted_by([one([None, 10**30], scale=2)])
    assert batch.missing is not None
    assert batch.missing.tolist() == [True, False]
    assert batch.closes == Ticks([None, 10**30], 2)


def test_closes_that_are_all_missing_are_masked() -> None:
    (batch,) = sorted_by([one([None, None], scale=2)])
    assert batch.missing is not None
    assert batch.missing.all()
    assert isinstance(batch.closes, TickArray)
    assert batch.closes.scale == 0


def test_there_is_no_mask_where_every_close_is_there() -> None:
    assert [batch.missing for batch in sorted_by([one([1, 2])])] == [None]


def test_no_bars_are_no_batches() -> None:
    assert sorted_by([]) == []
    assert sorted_by([one([])]) == []


def test_bars_may_come_out_while_others_wait() -> None:
    with BarSorter(10 * HELD_BYTES) as sorter:
        one(list(range(100))).add_to(sorter)
        batches = sorter.batches(7)
        assert next(batches).timestamps_ns.tolist() == list(range(7))
        assert next(batches).timestamps_ns.tolist() == list(range(7, 14))


# Memory and files


def spread(rows: int, seed: int = 1) -> Iterator[Part]:
    """Make bars without any order in time."""
    moments = np.random.default_rng(seed).integers(0, 10**15, rows).tolist()
    for start in range(0, rows, 1000):
        chunk = moments[start : start + 1000]
        yield Part(chunk, [5] * len(chunk), 2, False, None, 0, list(range(len(chunk))))


def peak_bytes(memory_bytes: int, rows: int, batch_rows: int) -> int:
    """Sort so many bars, and tell how much memory that took at most."""
    tracemalloc.start()
    try:
        count = 0
        with BarSorter(memory_bytes) as sorter:
            for seed in range(rows // 10_000):
                for part in spread(10_000, seed):
                    part.add_to(sorter)
            for batch in sorter.batches(batch_rows):
                count += len(batch.timestamps_ns)
        assert count == rows
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_is_bounded_however_many_the_rows() -> None:
    rows, memory = 150_000, MIB
    peak = peak_bytes(memory, rows, batch_rows=1000)
    assert peak < 3 * MIB < rows * 40
    assert peak_bytes(100 * MIB, rows, batch_rows=1000) > rows * 40


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Let temporary files go to a folder."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def open_files(folder: Path) -> int:
    """Count the open files of this process that are, or were, in a folder."""
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        # The listing itself has one, which is gone.
        if descriptor.exists() or descriptor.is_symlink():
            links.append(os.readlink(descriptor))
    return sum(link.startswith(f"{folder}/") for link in links)


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="lists open files")
LONG = one([10**30 + tick for tick in range(2000)])


def broken_off(sorter: BarSorter, folder: Path) -> None:
    """Fail while bars come out."""
    with sorter:
        LONG.add_to(sorter)
        for batch in sorter.batches(10):
            assert open_files(folder) == 2
            raise ValueError("ten bars" * (len(batch.timestamps_ns) == 10))


@needs_proc
def test_five_hundred_runs_and_long_closes_are_two_open_files_without_a_name(
    tmp_path: Path,
) -> None:
    moments = [place * 7919 % 1000 for place in range(1000)]
    found = []
    with temporary_files_in(tmp_path), BarSorter(2 * HELD_BYTES) as sorter:
        one([10**30] * 1000)._replace(moments=moments).add_to(sorter)
        for batch in sorter.batches(100):
            found += batch.timestamps_ns.tolist()
            assert open_files(tmp_path) == 2
            assert list(tmp_path.iterdir()) == []
    assert found == list(range(1000))
    assert open_files(tmp_path) == 0


@needs_proc
def test_no_file_is_left_after_an_error(tmp_path: Path) -> None:
    with temporary_files_in(tmp_path), pytest.raises(ValueError, match="ten bars"):
        broken_off(BarSorter(300 * HELD_BYTES), tmp_path)
    assert open_files(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []


@needs_proc
def test_no_file_is_left_when_bars_are_not_taken_to_the_end(tmp_path: Path) -> None:
    with temporary_files_in(tmp_path), BarSorter(300 * HELD_BYTES) as sorter:
        LONG.add_to(sorter)
        with closing(cast("Generator[SortedBars]", sorter.batches(10))) as batches:
            assert len(next(batches).timestamps_ns) == 10
    assert open_files(tmp_path) == 0


def test_what_fits_is_sorted_without_any_folder_for_files(tmp_path: Path) -> None:
    found = [*spread(1000), one([10**30, None])]
    with temporary_files_in(tmp_path / "missing"):
        batches = sorted_by(found, held=1002)
    assert [bar for batch in batches for bar in bars_of(batch)] == bars_in_order(found)


@pytest.mark.parametrize("found", [[one([1, 2, 3])], [LONG]])
def test_a_folder_that_takes_no_files_is_an_error_that_says_what_to_do(
    tmp_path: Path, found: list[Part]
) -> None:
    with temporary_files_in(tmp_path / "missing"), pytest.raises(DiskError) as caught:
        sorted_by(found, held=2)
    assert caught.value.message == "Sorting on disk failed: No such file or directory"
    assert f"{tmp_path}/missing; set TMPDIR to a folder with room" in caught.value.detail


@pytest.mark.parametrize(
    ("found", "held"), [(list(spread(30_000)), 10_000), (list(spread(3000)), 7), ([LONG], 3000)]
)
def test_a_full_disk_is_an_error_that_says_what_to_do_and_nothing_is_left(
    tmp_path: Path, found: list[Part], held: int
) -> None:
    with (
        temporary_files_in(tmp_path),
        files_no_larger_than(20 * KIB),
        pytest.raises(DiskError) as caught,
    ):
        sorted_by(found, held)
    assert caught.value.message == "Sorting on disk failed: File too large"
    assert "set TMPDIR" in caught.value.detail
    assert list(tmp_path.iterdir()) == []


# Timestamps


def test_timestamps_of_any_kind_become_ns() -> None:
    east = timezone(timedelta(hours=2))
    moments: list[Timestamp] = [datetime(1970, 1, 1, 0, 0, 1), 5, LEAST, MOST]
    assert int64_times(list(map(to_ns, moments))).tolist() == [10**9, 5, LEAST, MOST]
    assert int64_times([to_ns(datetime(1970, 1, 1, 2, tzinfo=east))]).tolist() == [0]
    assert int64_times([]).tolist() == []


@pytest.mark.parametrize("far", [LEAST - 1, MOST + 1, datetime(1, 1, 1), datetime(9999, 1, 1)])
def test_a_timestamp_too_far_for_int64_is_refused_with_its_place(far: int | datetime) -> None:
    with pytest.raises(BadCellError, match="1678 to 2261") as caught:
        int64_times([LEAST, MOST, to_ns(far)])
    assert caught.value.index == 2
    assert int64_times([to_ns(datetime(2261, 12, 31, tzinfo=UTC))])[0] > 0
