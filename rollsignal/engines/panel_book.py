"""This module keeps the book of a panel while its rows are decided on arrays."""

from collections.abc import Callable, Mapping

from rollsignal.bars.batch import ArrayBatch
from rollsignal.bars.symbols import SymbolCodes
from rollsignal.engines.rows import ArrayRows
from rollsignal.engines.series import Series
from rollsignal.kernel import INT64_MAX
from rollsignal.panel import Panel, PanelError


class PanelBook:
    """The panel, open between the first batch on arrays and the next that is not."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._codes = SymbolCodes()
        self._files: list[str] = []
        self._panel: Panel | None = None

    def take(
        self, batch: ArrayBatch, file: str, series: Mapping[str, Series]
    ) -> Callable[[], ArrayRows] | None:
        """Decide a batch; return what makes its rows, or None if arrays cannot hold it.

        series: what was known when the panel was last closed.
        """
        assert batch.symbols is not None
        codes = self._codes.of(batch.symbols)
        try:
            if codes.min() < 0:
                return None
            panel = self._panel or self._opened(series)
            order, margins, signed = panel.advance(
                codes, batch.ticks, batch.moments, self._number_of(file)
            )
        except PanelError:
            return None
        self._panel = panel

        def rows() -> ArrayRows:
            import numpy as np

            back = np.empty_like(order)
            back[order] = np.arange(len(order))
            closes = batch.ticks.values * 10 ** (panel.scale - batch.ticks.scale)
            names = self._codes.names
            numbers = None if batch.moments is not None else panel.numbers(codes[order])[back]
            return ArrayRows(
                batch.moments,
                names,
                codes,
                closes,
                margins[back],
                signed[back],
                panel.scale,
                numbers,
            )

        return rows

    def last_ns(self, symbol: str) -> int | None:
        """Tell the place that a series has reached, if it has timestamps and the panel is open."""
        code = self._codes.number(symbol)
        if self._panel is None or not self._panel.has(code):
            return None
        return self._panel.span_of(code)[1]

    def close(self) -> dict[str, Series]:
        """Return the account of every series, and forget them."""
        if self._panel is None:
            return {}
        panel, self._panel = self._panel, None
        return {
            self._codes.names[code]: Series(
                panel.carry_of(code),
                panel.tally_of(code),
                panel.last_of(code),
                *panel.span_of(code),
                self._files[panel.files[code]],
            )
            for code in panel.known()
        }

    def _opened(self, series: Mapping[str, Series]) -> Panel:
        """Make a panel of what is known; raises `PanelError` where arrays cannot hold it."""
        panel = Panel(self._window)
        for symbol, known in series.items():
            if known.last is None:
                raise PanelError("a series without any bar")
            code = self._codes.number(symbol)
            panel.enter(code, known.carry, known.tally, known.last)
            panel.files[code] = self._number_of(known.last_file)
            timed = known.first_ns is not None and known.last_ns is not None
            if panel.timed not in (None, timed):
                raise PanelError("timestamps in some files only")
            panel.timed = timed
            if known.first_ns is not None and known.last_ns is not None:
                if max(abs(known.first_ns), abs(known.last_ns)) > INT64_MAX:
                    raise PanelError("timestamps beyond int64")
                panel.first_ns[code], panel.last_ns[code] = known.first_ns, known.last_ns
        return panel

    def _number_of(self, file: str) -> int:
        if not self._files or self._files[-1] != file:
            self._files.append(file)
        return len(self._files) - 1
