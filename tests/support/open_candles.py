"""Vendors whose last bars are unfinished, and what is final of them, by definition."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from tests.support.panels import DecidedRow, Panel, PanelRow

Bar = TypeVar("Bar", PanelRow, DecidedRow)
UNFINISHED = ["12345", "3", "0.125", "88888888888888888888"]


def final(bars: Sequence[Bar], count: int) -> list[Bar]:
    """Return the bars that have so many successors, in the order in which these come."""
    waiting: dict[str, list[Bar]] = {}
    ended = []
    for bar in bars:
        symbol = bar.row.symbol if isinstance(bar, DecidedRow) else bar.symbol
        of_series = waiting.setdefault(symbol, [])
        of_series.append(bar)
        if len(of_series) > count:
            ended.append(of_series.pop(0))
    return ended


class Vendor:
    """A vendor of the bars of a panel: `count` bars of each series are unfinished until later."""

    def __init__(self, panel: Panel, count: int, random: Random) -> None:
        self._rows = panel.rows
        self._count = count
        self._random = random

    def rows(self, begin: int, end: int, again: int = 0) -> list[PanelRow]:
        """Return the bars between two places, the last ones as they are before they are finished.

        again: the place from which on they come again later.
        """
        done = set(final(self._rows[:end], self._count)) | set(self._rows[:again])
        return [
            row
            if row in done or self._random.random() < 0.2
            else row._replace(close=self._random.choice(UNFINISHED))
            for row in self._rows[begin:end]
        ]

    def open_from(self, end: int) -> int:
        """Return the place of the first bar that waits if the vendor has come to a place."""
        done = set(final(self._rows[:end], self._count))
        places = [place for place, row in enumerate(self._rows[:end]) if row not in done]
        return min(places, default=end)
