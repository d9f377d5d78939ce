"""Bars are sorted like Python's own stable sort, with any memory, batches and closes."""

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

from rollsignal.config.settings import Checks
from rollsignal.core.arrays import TickArray
from rollsignal.core.ticks import Ticks
from rollsignal.core.timestamps.reader import Timestamp, to_ns
from rollsignal.engines.sorting import BarSorter, SortedBars, int64_times
from rollsignal.engines.spill import HELD_BYTES
from rollsignal.errors import BadCellError, DataError, DiskError
from tests.support.deciding import decide
from tests.support.disk import files_no_larger_than
from tests.support.tables import CONFIG

LEAST, MOST = -(2**63), 2**63 - 1
KIB, MIB = 1 << 10, 1 << 20


class Bar(NamedTuple):
    """A bar as it goes in and comes out."""

    ns: int
    close: Fraction | None
    code: int | None
    file: int
    row: int


class Part(NamedTuple):
    """The bars of one call of `add`, with the ticks of their closes."""

    times_ns: list[int]
    ticks: list[int | None]
    scale: int
    plain: bool
    codes: list[int] | None
    file: int
    rows: list[int]

    def bars(self) -> list[Bar]:
        closes = [None if tick is None else Fraction(tick, 10**self.scale) for tick in self.ticks]
        codes: Sequence[int | None] = self.codes or [None] * len(closes)
        columns = (self.times_ns, closes, codes, [self.file] * len(closes), self.rows)
        return [Bar(*bar) for bar in zip(*columns, strict=True)]

    def add_to(self, sorter: BarSorter) -> None:
        closes: TickArray | Ticks = Ticks(list(self.ticks), self.scale)
        if not self.plain:
            closes = TickArray(np.array(self.ticks, np.int64), self.scale)
        codes = None if self.codes is None else np.array(self.codes, np.int64)
        times_ns, rows = np.array(self.times_ns, np.int64), np.array(self.rows, np.int64)
        sorter.add(codes, times_ns, closes, self.file, rows)


small = st.integers(-3, 3)
int64s = st.integers(LEAST, MOST)
wide = st.integers(-(10**40), 10**40)


@st.composite
def parts(draw: DrawFn, rows: int = 12) -> list[Part]:
    """Draw bars with few timestamps, so that ties are common, in parts with one scale each."""
    coded = draw(st.booleans())
    ns = st.one_of(small, small, st.sampled_from([LEAST, LEAST + 1, MOST - 1, MOST]))
    drawn = []
    for file in range(draw(st.integers(0, 8))):
        count, plain = draw(st.integers(0, rows)), draw(st.booleans())
        tick = st.one_of(small, small, int64s)
        ticks = st.one_of(tick, st.none(), wide) if plain and draw(st.booleans()) else tick
        drawn.append(
            Part(
                draw(st.lists(ns, min_size=count, max_size=count)),
                draw(st.lists(ticks, min_size=count, max_size=count)),
                draw(st.sampled_from([0, 2, 2, 2, 5, 18, 30, 400])),
                plain,
                draw(st.lists(small, min_size=count, max_size=count)) if coded else None,
                file,
                list(range(count)),
            )
        )
    return drawn


def bars_of(batch: SortedBars) -> list[Bar]:
    """List the bars of a batch, with closes as fractions."""
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


def bars_in_order(parts_in: list[Part]) -> list[Bar]:
    return sorted((bar for part in parts_in for bar in part.bars()), key=lambda bar: bar.ns)


def sorted_by(parts_in: list[Part], held: int = 10**6, rows: int = 1 << 17) -> list[SortedBars]:
    with BarSorter(held * HELD_BYTES) as sorter:
        for part in parts_in:
            part.add_to(sorter)
        return list(sorter.batches(rows))


def plain_part(ticks: list[int | None], scale: int = 0) -> Part:
    """Make bars in the order of time, as plain numbers."""
    places = list(range(len(ticks)))
    return Part(places, ticks, scale, True, None, 0, places)


@given(parts(), st.integers(1, 40), st.integers(1, 30))
def test_bars_come_out_as_by_a_stable_sort_with_any_memory_and_any_cutting(
    parts_in: list[Part], held: int, rows: int
) -> None:
    batches = sorted_by(parts_in, held, rows)
    assert [bar for batch in batches for bar in bars_of(batch)] == bars_in_order(parts_in)
    assert all(len(batch.timestamps_ns) == rows for batch in batches[:-1])
    assert all(1 <= len(batch.timestamps_ns) <= rows for batch in batches[-1:])


@given(st.lists(st.lists(st.integers(0, 30), max_size=400), max_size=5), st.integers(1, 60))
def test_long_runs_with_long_ties_come_out_as_by_a_stable_sort(
    times_ns: list[list[int]], held: int
) -> None:
    parts_in = [
        Part(part, [0] * len(part), 0, False, None, file, list(range(len(part))))
        for file, part in enumerate(times_ns)
    ]
    batches = sorted_by(parts_in, held, 50)
    assert [bar for batch in batches for bar in bars_of(batch)] == bars_in_order(parts_in)


@given(parts())
def test_closes_are_an_array_exactly_if_all_of_them_fit_int64_at_one_scale(
    parts_in: list[Part],
) -> None:
    for batch in sorted_by(parts_in, rows=7):
        closes = [bar.close for bar in bars_of(batch) if bar.close is not None]
        if isinstance(batch.closes, TickArray):
            assert batch.closes.values.dtype == np.int64
        else:
            unit = 10**batch.closes.scale
            assert any(not LEAST < close * unit <= MOST for close in closes)


@pytest.mark.parametrize("held", [1, 100])
def test_scales_are_brought_to_the_finest_one_of_the_batch(held: int) -> None:
    parts_in = [
        plain_part([100, -5], scale=2),
        plain_part([7, 0], scale=0),
        plain_part([1_234_567], scale=6),
    ]
    first, last = sorted_by(parts_in, held, rows=3)
    assert isinstance(first.closes, TickArray)
    assert (first.closes.values.tolist(), first.closes.scale) == (
        [1_000_000, 7_000_000, 1_234_567],
        6,
    )
    assert isinstance(last.closes, TickArray)
    assert (last.closes.values.tolist(), last.closes.scale) == ([-5, 0], 2)


def test_a_zero_fits_any_scale() -> None:
    (batch,) = sorted_by([plain_part([0], scale=0), plain_part([1], scale=400)])
    assert isinstance(batch.closes, TickArray)
    assert (batch.closes.values.tolist(), batch.closes.scale) == ([0, 1], 400)


@pytest.mark.parametrize("most", [MOST, LEAST])
def test_the_ends_of_int64_stay_in_arrays(most: int) -> None:
    for third in (0, None):
        (batch,) = sorted_by([plain_part([most, most, third], scale=3)])
        assert isinstance(batch.closes, TickArray)
        assert batch.closes.values.tolist() == [most, most, 0]


def test_the_greatest_close_that_fits_at_the_finest_scale_stays_in_an_array() -> None:
    (batch,) = sorted_by([plain_part([-(MOST // 100)], scale=0), plain_part([1], scale=2)])
    assert isinstance(batch.closes, TickArray)
    assert batch.closes.values.tolist() == [-(MOST // 100) * 100, 1]


def test_closes_without_a_common_scale_that_fits_are_plain_numbers() -> None:
    (batch,) = sorted_by([plain_part([10**18], scale=0), plain_part([1], scale=1)])
    assert batch.closes == Ticks([10**19, 1], 1)


@pytest.mark.parametrize("held", [1, 100])
def test_closes_of_thousands_of_digits_are_kept(held: int) -> None:
    long = 10**4300 + 7
    batches = sorted_by([plain_part([long, 5, -long], scale=4000)], held)
    assert [batch.closes for batch in batches] == [Ticks([long, 5, -long], 4000)]


@pytest.mark.parametrize("held", [1, 100])
def test_a_missing_close_is_masked_among_int64_closes(held: int) -> None:
    (batch,) = sorted_by([plain_part([None, 5, None], scale=2)], held)
    assert batch.missing is not None
    assert batch.missing.tolist() == [True, False, True]
    assert isinstance(batch.closes, TickArray)
    assert (batch.closes.values.tolist(), batch.closes.scale) == ([0, 5, 0], 2)


def test_a_missing_close_is_masked_among_closes_that_need_more() -> None:
    (batch,) = sorted_by([plain_part([None, 10**30], scale=2)])
    assert batch.missing is not None
    assert batch.missing.tolist() == [True, False]
    assert batch.closes == Ticks([None, 10**30], 2)


def test_closes_that_are_all_missing_are_masked() -> None:
    (batch,) = sorted_by([plain_part([None, None], scale=2)])
    assert batch.missing is not None
    assert batch.missing.all()
    assert isinstance(batch.closes, TickArray)
    assert batch.closes.scale == 0


def test_there_is_no_mask_if_no_close_is_missing() -> None:
    assert [batch.missing for batch in sorted_by([plain_part([1, 2])])] == [None]


def test_without_bars_there_are_no_batches() -> None:
    assert sorted_by([]) == []
    assert sorted_by([plain_part([])]) == []


def test_bars_may_come_out_while_others_wait() -> None:
    with BarSorter(10 * HELD_BYTES) as sorter:
        plain_part(list(range(100))).add_to(sorter)
        batches = sorter.batches(7)
        assert next(batches).timestamps_ns.tolist() == list(range(7))
        assert next(batches).timestamps_ns.tolist() == list(range(7, 14))


# Memory and files


def spread(rows: int, seed: int = 1) -> Iterator[Part]:
    """Make bars without any order in time."""
    times_ns = np.random.default_rng(seed).integers(0, 10**15, rows).tolist()
    for start in range(0, rows, 1000):
        chunk = times_ns[start : start + 1000]
        yield Part(chunk, [5] * len(chunk), 2, False, None, 0, list(range(len(chunk))))


def peak_bytes(memory_bytes: int, rows: int, batch_rows: int) -> int:
    """Sort this many bars; return the most memory that took."""
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


def test_memory_is_bounded_for_any_number_of_rows() -> None:
    rows, memory = 150_000, MIB
    peak = peak_bytes(memory, rows, batch_rows=1000)
    assert peak < 3 * MIB < rows * 40
    assert peak_bytes(100 * MIB, rows, batch_rows=1000) > rows * 40


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Put temporary files into a folder."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def open_files(folder: Path) -> int:
    """Count the open files of this process that are, or were, in a folder."""
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        # Listing the folder opens a file too, which is closed by now.
        if descriptor.exists() or descriptor.is_symlink():
            links.append(os.readlink(descriptor))
    return sum(link.startswith(f"{folder}/") for link in links)


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="lists open files")
LONG = plain_part([10**30 + tick for tick in range(2000)])


def broken_off(sorter: BarSorter, folder: Path) -> None:
    """Raise an error while bars come out."""
    with sorter:
        LONG.add_to(sorter)
        for batch in sorter.batches(10):
            assert open_files(folder) == 2
            raise ValueError("ten bars" * (len(batch.timestamps_ns) == 10))


@needs_proc
def test_five_hundred_runs_and_long_closes_are_two_open_files_without_a_name(
    tmp_path: Path,
) -> None:
    times_ns = [row * 7919 % 1000 for row in range(1000)]
    sorted_ns = []
    with temporary_files_in(tmp_path), BarSorter(2 * HELD_BYTES) as sorter:
        plain_part([10**30] * 1000)._replace(times_ns=times_ns).add_to(sorter)
        for batch in sorter.batches(100):
            sorted_ns += batch.timestamps_ns.tolist()
            assert open_files(tmp_path) == 2
            assert list(tmp_path.iterdir()) == []
    assert sorted_ns == list(range(1000))
    assert open_files(tmp_path) == 0


@needs_proc
def test_no_file_is_left_after_an_error(tmp_path: Path) -> None:
    with temporary_files_in(tmp_path), pytest.raises(ValueError, match="ten bars"):
        broken_off(BarSorter(300 * HELD_BYTES), tmp_path)
    assert open_files(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []


@needs_proc
def test_no_file_is_left_if_bars_are_not_read_to_the_end(tmp_path: Path) -> None:
    with temporary_files_in(tmp_path), BarSorter(300 * HELD_BYTES) as sorter:
        LONG.add_to(sorter)
        with closing(cast("Generator[SortedBars]", sorter.batches(10))) as batches:
            assert len(next(batches).timestamps_ns) == 10
    assert open_files(tmp_path) == 0


def test_bars_that_fit_the_memory_are_sorted_without_a_folder_for_files(tmp_path: Path) -> None:
    parts_in = [*spread(1000), plain_part([10**30, None])]
    with temporary_files_in(tmp_path / "missing"):
        batches = sorted_by(parts_in, held=1002)
    assert [bar for batch in batches for bar in bars_of(batch)] == bars_in_order(parts_in)


@pytest.mark.parametrize("parts_in", [[plain_part([1, 2, 3])], [LONG]])
def test_a_folder_that_takes_no_files_is_an_error_that_says_what_to_do(
    tmp_path: Path, parts_in: list[Part]
) -> None:
    with temporary_files_in(tmp_path / "missing"), pytest.raises(DiskError) as caught:
        sorted_by(parts_in, held=2)
    assert caught.value.message == "Sorting on disk failed: No such file or directory"
    assert f"{tmp_path}/missing; set TMPDIR to a folder with room" in caught.value.detail


@pytest.mark.parametrize(
    ("parts_in", "held"), [(list(spread(30_000)), 10_000), (list(spread(3000)), 7), ([LONG], 3000)]
)
def test_a_full_disk_is_an_error_that_says_what_to_do_and_nothing_is_left(
    tmp_path: Path, parts_in: list[Part], held: int
) -> None:
    with (
        temporary_files_in(tmp_path),
        files_no_larger_than(20 * KIB),
        pytest.raises(DiskError) as caught,
    ):
        sorted_by(parts_in, held)
    assert caught.value.message == "Sorting on disk failed: File too large"
    assert "set TMPDIR" in caught.value.detail
    assert list(tmp_path.iterdir()) == []


# Timestamps


def test_timestamps_of_any_type_become_ns() -> None:
    east = timezone(timedelta(hours=2))
    timestamps: list[Timestamp] = [datetime(1970, 1, 1, 0, 0, 1), 5, LEAST, MOST]
    assert int64_times(list(map(to_ns, timestamps))).tolist() == [10**9, 5, LEAST, MOST]
    assert int64_times([to_ns(datetime(1970, 1, 1, 2, tzinfo=east))]).tolist() == [0]
    assert int64_times([]).tolist() == []


@pytest.mark.parametrize("far", [LEAST - 1, MOST + 1, datetime(1, 1, 1), datetime(9999, 1, 1)])
def test_a_timestamp_beyond_int64_is_refused_with_its_index(far: int | datetime) -> None:
    with pytest.raises(BadCellError, match="1678 to 2261") as caught:
        int64_times([LEAST, MOST, to_ns(far)])
    assert caught.value.index == 2
    assert int64_times([to_ns(datetime(2261, 12, 31, tzinfo=UTC))])[0] > 0


def test_a_timestamp_that_cannot_be_sorted_is_named_with_what_helps(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,close\n2024-01-01,1\n3000-01-01,2\n2024-01-02,3\n")
    config = CONFIG._replace(window=2, sort=True)
    with pytest.raises(DataError) as caught:
        decide([tmp_path / "a.csv"], config)
    assert caught.value.message == (
        f"{tmp_path}/a.csv line 3: the timestamp is not within the years 1678 to 2261,"
        " as sort: true requires"
    )
    assert caught.value.detail == "set sort: false"
    assert decide([tmp_path / "a.csv"], config._replace(sort=False, checks=Checks("warn"))).tally
