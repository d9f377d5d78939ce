"""This module runs reader and kernel in this process, batch after batch."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Literal, NamedTuple

from rollsignal.bars.batch import ArrayBatch, Batch, Reader
from rollsignal.bars.careful import CarefulReader
from rollsignal.bars.source import columnar_format
from rollsignal.config import JobConfig
from rollsignal.errors import DataError, plural
from rollsignal.kernel import Carry, Tally, advance, last_mean
from rollsignal.prices import Ticks
from rollsignal.quality import Finding, order_findings
from rollsignal.timestamps import to_ns

SHOWN_WARNINGS = 5
LARGE_BYTES = 16 << 20

Tell = Callable[[Literal["INFO", "WARNING"], str], None]


class Result(NamedTuple):
    """What a run found: its tally, the last rolling mean, and how often each check warned."""

    tally: Tally
    last_mean: float | None
    warnings: dict[str, int]


def read_and_decide(path: str, config: JobConfig, tell: Tell) -> tuple[Reader, Result]:
    """Decide the signals of a file, by the reader that suits its content."""
    form = columnar_format(path)
    if form:
        from rollsignal.bars.frames import FrameReader

        frames = FrameReader(path, form, config)
        return frames, decide(frames, config, tell)
    with closing(CarefulReader(path, config)) as careful:
        return _read_text(path, careful, config, tell)


def _read_text(
    path: str, careful: CarefulReader, config: JobConfig, tell: Tell
) -> tuple[Reader, Result]:
    """Decide the signals of a table of text, by the fast reader if it is large and plain."""
    if os.path.isfile(path) and os.path.getsize(path) >= LARGE_BYTES:
        from rollsignal.bars.fast import DoubtError, FastReader, suits

        if suits(careful):
            fast = FastReader(path, careful, config)
            try:
                return fast, decide(fast, config, tell)
            except DoubtError as doubt:
                tell("INFO", f"read carefully from the start: {doubt}")
    return careful, decide(careful, config, tell)


def decide(reader: Reader, config: JobConfig, tell: Tell) -> Result:
    """Decide the signals of one series; raises `DataError` if it cannot have any."""
    carry, tally, mean = Carry(config.window), Tally(), None
    warnings: Counter[str] = Counter()
    for batch in _without_doubt(reader, config, tell, warnings):
        if isinstance(batch, ArrayBatch):
            from rollsignal.arrays import advance_array

            found, mean, carry = advance_array(carry, batch.ticks)
        else:
            found, mean, carry = _advance(carry, batch.closes, config, mean)
        tally = tally.plus(found)
    if not tally.signals:
        raise DataError(_no_signal(reader.name, config, tally))
    return Result(tally, mean, dict(warnings))


def _advance(
    carry: Carry, closes: Ticks, config: JobConfig, mean: float | None
) -> tuple[Tally, float | None, Carry]:
    """Decide a batch of closes, after those left out (`missing: skip`) are counted."""
    left_out = closes.values.count(None) if config.missing == "skip" else 0
    if left_out:
        closes = Ticks([tick for tick in closes.values if tick is not None], closes.scale)
    decided, carry = advance(carry, closes)
    mean = last_mean(decided, carry) if closes.values else mean
    return decided.tally.plus(Tally(rows=left_out, missing=left_out)), mean, carry


def _without_doubt(
    reader: Reader, config: JobConfig, tell: Tell, warnings: Counter[str]
) -> Iterator[Batch | ArrayBatch]:
    """Pass batches on, after what the config says of order and duplicates is done."""
    last_ns: int | None = None
    for batch in reader.batches():
        if isinstance(batch, Batch) and batch.moments is not None:
            for finding in order_findings(batch.moments, last_ns):
                _heed(reader.order_problem(batch, finding), finding, config, tell, warnings)
            last_ns = to_ns(batch.moments[-1])
        yield batch


def _heed(
    error: DataError, finding: Finding, config: JobConfig, tell: Tell, warnings: Counter[str]
) -> None:
    level = getattr(config.checks, finding.check)
    if level == "error":
        raise error
    if level == "warn":
        warnings[finding.check] += 1
        if warnings[finding.check] <= SHOWN_WARNINGS:
            tell("WARNING", error.message)


def _no_signal(name: str, config: JobConfig, tally: Tally) -> str:
    if not tally.rows:
        return f"{name}: no rows below the header"
    if tally.rows < config.window:
        return (
            f"{name}: {plural(tally.rows, 'row')}, fewer than the window of {config.window:,} bars"
        )
    return f"{name}: no window of {config.window:,} bars without a missing close"
