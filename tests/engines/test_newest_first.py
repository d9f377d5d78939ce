"""Files that stand newest first are reversed in bounded memory, and nothing stays on disk."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from rollsignal.config.rules import NO_SYMBOLS, SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.core.bars import Batch
from rollsignal.core.ticks import Ticks
from rollsignal.engines import ENGINES, inputs
from rollsignal.engines.newest_first import BatchStack
from rollsignal.errors import DiskError
from tests.support.answers import answer, write
from tests.support.disk import files_no_larger_than


def batch(number: int, count: int) -> Batch:
    lines = range(number, number + count)
    return Batch(Ticks([*lines], 0), [*map(str, lines)], None, lines)


@pytest.mark.parametrize("held_rows", [1, 7, 10, 10**6])
def test_batches_come_back_from_the_last_to_the_first(held_rows: int) -> None:
    stack, batches = BatchStack(held_rows), [batch(10 * number, 5) for number in range(20)]
    for each in batches:
        stack.push(each)
    assert list(stack.popped()) == batches[::-1]
    stack.close()


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
@pytest.mark.parametrize("columns", [Columns(), Columns(symbol=SymbolFrom("symbol"))])
def test_what_is_held_on_disk_gives_the_same_signals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, columns: Columns
) -> None:
    monkeypatch.setattr(BatchStack.__init__, "__defaults__", (1000,))
    monkeypatch.setattr(inputs, "LARGE_BYTES", 0)
    begin = datetime(2024, 1, 1)
    bars = [
        (str(begin + timedelta(minutes=row)), "AB"[row % 3 % 2], f"{100 + row * 7919 % 997 / 8}")
        for row in range(20_000)
    ]
    if columns.symbol is None:
        bars = [(time, "", close) for time, _, close in bars]
        columns = Columns(symbol=NO_SYMBOLS)
    config = JobConfig(seed=1, window=3, version="v", columns=columns)
    up = answer(ENGINES["local"](), [write(tmp_path, form, bars)], config)
    down_path = write(tmp_path, form, bars[::-1], "down")
    down = answer(ENGINES["local"](), [down_path], config._replace(order="newest_first"))
    assert up.error is None
    assert (up.signals, up.found[1:3]) == (down.signals, down.found[1:3])


def test_a_full_disk_ends_the_run_and_says_what_to_do(tmp_path: Path) -> None:
    stack = BatchStack(5)
    stack.push(batch(0, 4000))
    with files_no_larger_than(100), pytest.raises(DiskError) as caught:
        stack.push(batch(4000, 5))
    assert caught.value.message == "Reversing a file on disk failed: File too large"
    assert "set TMPDIR to a folder with room for at least 64 bytes per row" in caught.value.detail
    stack.close()
