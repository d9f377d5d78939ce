"""This module finds the bars of a run whose signal another tool gets wrong, and why.

Each tool is given the doubles nearest to the closes, as its users give them, and computes the
rolling mean of the whole series. What is exact comes from the run.
"""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.decided_run import DecidedRun, PastSeries
from rollsignal.analysis.margins import margins_in_blocks
from rollsignal.analysis.returns import quotients
from rollsignal.analysis.rivals import Rival
from rollsignal.core.kernel import INT64_MAX, NO_SIGNAL, greatest, rolling_mean
from rollsignal.core.ticks import decimal_text
from rollsignal.core.timestamps.reader import iso

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]


class WrongBar(NamedTuple):
    """A bar whose signal a tool gets wrong.

    mean: the double nearest to the exact rolling mean. margin_ticks: window * close - window sum,
    in ticks. tie: whether the margin is 0. carried: whether the tool gets the signal right if it is
    given the closes of the window alone, so that the error comes from earlier bars.
    """

    tool: str
    symbol: str
    timestamp: str | None
    close: str
    mean: float
    tool_mean: float
    signal: int
    tool_signal: int
    margin_ticks: int
    tie: bool
    carried: bool


class ToolFindings(NamedTuple):
    """How often a tool is wrong.

    bars: those with a signal. wrong: those of which the tool says another; ties and carried are of
    them. unanswered: bars, not counted as wrong, for which it computes no number. largest_error: of
    its means, against the doubles nearest to the exact ones.
    """

    tool: str
    method: str
    version: str
    bars: int
    wrong: int
    ties: int
    carried: int
    unanswered: int
    largest_error: float


class Audit(NamedTuple):
    """What every tool found; `wrong` is sorted by tool, symbol and time."""

    tools: list[ToolFindings]
    wrong: list[WrongBar]


def audit(run: DecidedRun, rivals: Mapping[str, Rival]) -> Audit:
    """Ask every tool for the signals of a run.

    A tool and a series at a time: beside the run, they take what `rivals` says.
    """
    tools: list[ToolFindings] = []
    wrong: list[WrongBar] = []
    for tool, rival in rivals.items():
        sums = _Sums()
        for series in run.series:
            wrong += sums.audited(tool, rival, series, run.window)
        counts = sums.bars, sums.wrong, sums.ties, sums.carried, sums.unanswered
        tools.append(ToolFindings(tool, rival.name, rival.version, *counts, sums.largest_error))
    return Audit(tools, wrong)


class _Sums:
    """The counts of one tool."""

    def __init__(self) -> None:
        self.bars = self.unanswered = self.wrong = self.ties = self.carried = 0
        self.largest_error = 0.0

    def audited(
        self, tool: str, rival: Rival, series: PastSeries, window: int
    ) -> Iterator[WrongBar]:
        """Add a series; yield its wrong bars."""
        import numpy as np

        asked = _Asked(tool, rival, series, window)
        for place, margins in margins_in_blocks(series.closes, window):
            closes, means = asked.closes[place], asked.means[place]
            has_signal = series.signals[place] != NO_SIGNAL
            answered = has_signal & np.isfinite(means)
            self.bars += int(np.count_nonzero(has_signal))
            self.unanswered += int(np.count_nonzero(has_signal & ~answered))
            errors = np.abs(means - asked.exact_means(place, margins))[answered]
            self.largest_error = max(self.largest_error, float(errors.max(initial=0.0)))
            is_wrong = answered & ((closes > means) != (series.signals[place] == 1))
            for at in np.flatnonzero(is_wrong).tolist():
                bar = asked.wrong_bar(place.start + at, int(margins[at]))
                self.wrong += 1
                self.ties += bar.tie
                self.carried += bar.carried
                yield bar


class _Asked:
    """A series, and what a tool computes for it."""

    def __init__(self, tool: str, rival: Rival, series: PastSeries, window: int) -> None:
        import numpy as np

        self._tool, self._rival, self._series, self._window = tool, rival, series, window
        self.closes = quotients(series.closes, 10**series.scale)
        gaps = series.gaps
        given = np.insert(self.closes, gaps, np.nan) if len(gaps) else self.closes
        means = rival.means(given, window)
        self.means = np.delete(means, gaps + np.arange(len(gaps))) if len(gaps) else means

    def exact_means(self, place: slice, margins: "NDArray[Any]") -> "Doubles":
        """Return the doubles nearest to the exact rolling means."""
        closes, window = self._series.closes[place], self._window
        if greatest(closes) * window > INT64_MAX:
            closes = closes.astype(object)
        return quotients(window * closes - margins, window * 10**self._series.scale)

    def wrong_bar(self, at: int, margin: int) -> WrongBar:
        """Describe a bar that the tool gets wrong; ask it once more with the window alone."""
        series, window = self._series, self._window
        close, signal = int(series.closes[at]), int(series.signals[at])
        alone = float(self._rival.means(self.closes[at - window + 1 : at + 1], window)[-1])
        return WrongBar(
            tool=self._tool,
            symbol=series.symbol,
            timestamp=None if series.times_ns is None else iso(int(series.times_ns[at])),
            close=decimal_text(close, series.scale),
            mean=rolling_mean(margin, close, window, series.scale),
            tool_mean=float(self.means[at]),
            signal=signal,
            tool_signal=1 - signal,
            margin_ticks=margin,
            tie=margin == 0,
            carried=isfinite(alone) and int(self.closes[at] > alone) == signal,
        )
