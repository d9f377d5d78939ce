"""This module runs reader and kernel in this process, batch after batch."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from rollsignal.bars.careful import Batch, CarefulReader
from rollsignal.config import JobConfig
from rollsignal.errors import DataError, plural
from rollsignal.kernel import Carry, Decided, Tally, advance, rolling_mean
from rollsignal.prices import Ticks
from rollsignal.quality import Finding, order_findings
from rollsignal.timestamps import to_ns

SHOWN_WARNINGS = 5

Warn = Callable[[str], None]


class Result(NamedTuple):
    """What a run found: its tally, the last rolling mean, and how often each check warned."""

    tally: Tally
    last_mean: float | None
    warnings: dict[str, int]


def decide(reader: CarefulReader, config: JobConfig, warn: Warn) -> Result:
    """Decide the signals of one series; raises `DataError` if it cannot have any."""
    carry, tally, last_mean = Carry(config.window), Tally(), None
    warnings: Counter[str] = Counter()
    for batch in _without_doubt(reader, config, warn, warnings):
        closes, left_out = batch.closes, 0
        if config.missing == "skip":
            closes = Ticks([tick for tick in closes.values if tick is not None], closes.scale)
            left_out = len(batch.lines) - len(closes.values)
        decided, carry = advance(carry, closes)
        tally = tally.plus(decided.tally).plus(Tally(rows=left_out, missing=left_out))
        last_mean = _last_mean(decided, carry) if closes.values else last_mean
    if not tally.signals:
        raise DataError(_no_signal(reader.name, config, tally))
    return Result(tally, last_mean, dict(warnings))


def _without_doubt(
    reader: CarefulReader, config: JobConfig, warn: Warn, warnings: Counter[str]
) -> Iterator[Batch]:
    """Pass batches on, after what the config says of order and duplicates is done."""
    last_ns: int | None = None
    for batch in reader.batches():
        if batch.moments is not None:
            for finding in order_findings(batch.moments, last_ns):
                _heed(reader.order_problem(batch, finding), finding, config, warn, warnings)
            last_ns = to_ns(batch.moments[-1])
        yield batch


def _heed(
    error: DataError, finding: Finding, config: JobConfig, warn: Warn, warnings: Counter[str]
) -> None:
    level = getattr(config.checks, finding.check)
    if level == "error":
        raise error
    if level == "warn":
        warnings[finding.check] += 1
        if warnings[finding.check] <= SHOWN_WARNINGS:
            warn(error.message)


def _last_mean(decided: Decided, carry: Carry) -> float | None:
    close, margin = decided.closes[-1], decided.margins[-1]
    if close is None or margin is None:
        return None
    return rolling_mean(margin, close, carry.window, decided.scale)


def _no_signal(name: str, config: JobConfig, tally: Tally) -> str:
    if not tally.rows:
        return f"{name}: no rows below the header"
    if tally.rows < config.window:
        return (
            f"{name}: {plural(tally.rows, 'row')}, fewer than the window of {config.window:,} bars"
        )
    return f"{name}: no window of {config.window:,} bars without a missing close"
