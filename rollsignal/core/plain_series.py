"""This module puts the margins of the series of a batch together, for those that listen."""

from collections.abc import Sequence

from rollsignal.core.bars import Batch
from rollsignal.core.decisions import PlainDecided
from rollsignal.core.kernel import SeriesMargins


def plain_decided(batch: Batch, decided: Sequence[SeriesMargins], path: str) -> PlainDecided:
    """Put the margins of all series into the order of the batch, at one scale."""
    scale = max(series.margins.scale for series in decided)
    codes, numbers = [0] * batch.rows, [0] * batch.rows
    closes: list[int | None] = [None] * batch.rows
    margins: list[int | None] = [None] * batch.rows
    for code, (_, places, part, before) in enumerate(decided):
        factor = 10 ** (scale - part.scale)
        kept = [index for index in places if batch.closes.values[index] is not None]
        if len(part.closes) == len(places):
            kept = list(places)
        for index, close, margin in zip(kept, part.closes, part.margins, strict=True):
            closes[index] = close and close * factor
            margins[index] = margin and margin * factor
        for number, index in enumerate(places, start=before + 1):
            codes[index], numbers[index] = code, number
    times = batch.timestamps_ns
    return PlainDecided(
        path,
        [series.symbol for series in decided],
        None if batch.symbols is None else codes,
        times,
        numbers if times is None else None,
        closes,
        margins,
        scale,
    )
