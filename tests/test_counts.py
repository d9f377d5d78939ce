"""How much work kernel and readers do per row, counted, not timed: it must not grow unnoticed.

The limits are what is needed now, and a little for the blocks' edges. Who needs more changes them,
and says why; who needs less lowers them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from rollsignal.commands.sample import sample_csv
from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.arrays import TickArray, advance_array, ticks_of_array
from rollsignal.core.bars import Batch
from rollsignal.core.digester import Digester
from rollsignal.core.edges import Terms
from rollsignal.core.findings import Findings
from rollsignal.core.kernel import BLOCK_BARS, Carry, margin_blocks
from rollsignal.core.ledger import Ledger, Rules
from rollsignal.core.piece import Piece
from rollsignal.core.symbols import Coded
from rollsignal.files.find import input_of
from rollsignal.readers.careful import CarefulParser
from rollsignal.readers.columnar import FrameReader
from rollsignal.readers.dialect import find_dialect
from rollsignal.readers.fast.parser import FastParser
from rollsignal.readers.groups import Groups
from rollsignal.readers.small_files import read_together
from tests.support.deciding import files, ignore
from tests.support.passes import counted
from tests.support.pieces import MemoryFile
from tests.support.tables import CONFIG

ROWS = 8 * BLOCK_BARS
EDGES = 1.01
TICKS = np.arange(ROWS, dtype=np.int64) * 7919 % 100_003

INT64 = 8
SUMMED = 2 * INT64  # reads the closes, writes the sums
MULTIPLIED = 2 * INT64
SUBTRACTED = ADDED = 3 * INT64  # reads both sides, writes one


def work_per_row(act: Callable[[Any], object], array: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Count the passes over a block, and the bytes for a row."""
    with counted(array) as (passes, (watched,)):
        act(watched)
    return passes.calls * BLOCK_BARS / ROWS, passes.bytes / ROWS


def margins(window: int) -> Callable[[Any], object]:
    return lambda ticks: [len(block) for block in margin_blocks(ticks, window)]


def test_margins_take_four_passes() -> None:
    passes, touched = work_per_row(margins(5), TICKS)
    assert 0 < passes <= 4 * EDGES
    assert 0 < touched <= (SUMMED + MULTIPLIED + SUBTRACTED + ADDED) * EDGES


@pytest.mark.parametrize("window", [1, 2, 50, 1_000])
def test_a_longer_window_costs_no_more(window: int) -> None:
    passes, touched = work_per_row(margins(window), TICKS)
    assert passes <= 4 * EDGES
    assert touched <= (SUMMED + MULTIPLIED + SUBTRACTED + ADDED) * EDGES


def test_a_window_longer_than_a_block_costs_a_quarter_of_a_sum_more() -> None:
    passes, touched = work_per_row(margins(BLOCK_BARS), TICKS)
    assert passes <= 4 * EDGES
    assert touched <= (1.25 * SUMMED + MULTIPLIED + SUBTRACTED + ADDED) * EDGES


def test_a_series_is_decided_within_a_number_of_bytes_per_row() -> None:
    closes = TickArray(TICKS, 2, most=10**6)
    with counted() as (passes, _):
        assert advance_array(Carry(5), closes)
    assert 0 < passes.bytes / ROWS <= 130 * EDGES


@pytest.fixture(scope="module")
def text() -> str:
    """Return bars as a table of text, of all columns."""
    return "".join(sample_csv(20_000, seed=1))


def not_asked() -> Batch:
    raise AssertionError("the batch is made plain")


def test_a_block_of_text_is_read_within_a_number_of_passes_and_bytes_per_row(text: str) -> None:
    head, first, rest = text.split("\n", 2)
    dialect = find_dialect(head, CONFIG.columns, "bars.csv")
    careful = CarefulParser("bars.csv", dialect, CONFIG)
    careful.batch(f"{head}\n{first}\n".encode())
    fast = FastParser(careful, CONFIG)
    with counted() as (passes, _):
        batch = fast.batch(fast.fields(rest.encode()), not_asked)
    assert batch
    assert 0 < passes.calls <= 128
    assert 0 < passes.bytes / batch.rows <= 1_853 * EDGES


def test_a_table_in_many_small_files_is_read_in_hardly_more_passes(
    text: str, tmp_path: Path
) -> None:
    """Only the times that they begin with are looked at for each of them, in a pass for all."""
    head, *rows = text.splitlines(keepends=True)
    calls = {}
    for count in (1, 50):
        paths = [str(tmp_path / f"{place} of {count}.csv") for place in range(count)]
        for place, path in enumerate(paths):
            Path(path).write_text(head + "".join(rows[place::count]))
        groups = Groups(files(paths), CONFIG)
        with counted() as (passes, _):
            read = [reader for _, reader in read_together(groups, CONFIG)]
        assert None not in read
        calls[count] = passes.calls
    assert 0 < calls[50] <= calls[1] + 8


def test_a_batch_of_columns_is_read_within_a_number_of_passes_and_bytes_per_row(
    text: str, tmp_path: Path
) -> None:
    path = tmp_path / "bars.parquet"
    pl.read_csv(text.encode(), try_parse_dates=True).write_parquet(path)
    rows = 0
    with counted() as (passes, _):
        for batch in FrameReader(input_of(str(path)), "parquet", CONFIG).batches():
            rows += batch.rows
    assert rows == 20_000
    assert 0 < passes.calls <= 47
    assert 0 < passes.bytes / rows <= 175 * EDGES


def test_floats_become_ticks_within_a_number_of_bytes_per_row() -> None:
    _, touched = work_per_row(lambda closes: ticks_of_array(closes, 5), TICKS / 100)
    assert 0 < touched <= 99 * EDGES


@pytest.mark.parametrize(
    ("act", "calls", "touched"),
    [
        (lambda a: a + a, 1, 3 * INT64),
        (lambda a: np.cumsum(a, out=a), 1, 2 * INT64),
        (lambda a: a.max(), 1, INT64),
        (lambda a: a.astype(float), 1, 2 * INT64),
        (lambda a: a[::-1][np.arange(len(a))], 1, 3 * INT64),
        (lambda a: a[a > 50], 2, 3 * INT64 + 2),
        (lambda a: a.__setitem__(slice(None), 0), 1, INT64),
        (lambda a: np.concatenate([a[:5], a[5:]]), 1, 2 * INT64),
        (lambda a: np.sort(a + 1)[3:] * 2, 3, 6 * INT64),
        (lambda a: a[5:], 0, 0),
    ],
)
def test_every_kind_of_pass_is_counted(
    act: Callable[[Any], object], calls: int, touched: int
) -> None:
    with counted(np.arange(ROWS)) as (passes, (watched,)):
        act(watched)
    assert passes.calls == calls
    assert passes.bytes / ROWS == pytest.approx(touched, rel=0.01)


def test_arrays_made_on_the_way_are_watched_too() -> None:
    with counted(TICKS) as (passes, _):
        import numpy

        fresh = numpy.zeros(ROWS)
        fresh += 1
    assert (passes.calls, passes.bytes) == (1, 2 * fresh.nbytes)


def test_watched_arrays_compute_the_same() -> None:
    with counted(TICKS) as (_, (watched,)):
        blocks = [block.copy() for block in margin_blocks(watched, 5)]
    expected = [block.copy() for block in margin_blocks(TICKS, 5)]
    np.testing.assert_array_equal(np.concatenate(blocks), np.concatenate(expected))


def passes_of_panel(take: Callable[[Any, Any], object], codes: np.ndarray[Any, Any]) -> int:
    """Count the passes over the second batch of a panel of which the first has all symbols."""
    reader, names = MemoryFile("a.csv"), ["A", "B", "C"]

    def batch(begin: int, numbers: Any) -> ArrayBatch:
        times = np.arange(begin, begin + len(codes))
        closes = TickArray(TICKS[: len(codes)], 0, 100_003)
        return ArrayBatch(closes, times, Coded(names, numbers), unread, begin)

    take(batch(0, codes), reader)
    with counted(codes) as (passes, (watched,)):
        take(batch(len(codes), watched), reader)
    return passes.calls


def unread() -> Batch:
    raise AssertionError("arrays are enough")


def test_a_piece_goes_over_no_bars_again_once_it_has_its_heads() -> None:
    levels = {"order": "error", "duplicates": "error", "values": "warn"}
    terms = Terms(Rules(20), levels)
    digester, findings = Digester(), Findings(levels, ignore)
    codes = np.arange(BLOCK_BARS, dtype=np.int64) % 3
    alone = passes_of_panel(Ledger(terms.rules, findings, digester.take).take, codes)
    # The piece looks for empty symbols, as the ledger does after it.
    assert 0 < passes_of_panel(Piece(terms).take, codes) <= alone + 2
