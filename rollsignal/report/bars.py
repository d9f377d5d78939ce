"""This module packs the last bars of every series for the chart of a page: exact, and small.

The bars are the text of one element of JSON. Its `packed` is base64 of a raw deflate stream: four
bytes with the length of the header, the header as JSON, and then, each for all bars in the order of
the series: the changes of the steps in time, in seconds; the parts of a second, if there are any;
the steps of the closes, in ticks; and a byte for each signal. All but the signals are as `varints`
writes them, and the header has their sizes in bytes. `browser/bars.js` reads it again.
"""

import json
import zlib
from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.decided_run import DecidedRun, PastSeries
from rollsignal.messages import escaped
from rollsignal.report.markup import script_json
from rollsignal.report.varints import differences, varint_parts

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_BARS = 1_000_000
# Whole numbers below this are doubles, which is how a browser computes.
SAFE_NUMBERS = 2**53
# The steps between closes of this size are safe numbers too, also as they are written.
SAFE_CLOSES = 2**51
_NS_OF_SECOND = 10**9
# Level 9 takes six times as long to save half a percent.
_DEFLATE_LEVEL, _RAW_DEFLATE = 7, -15


class PackedBars(NamedTuple):
    """The bars of a page, and what is said of them.

    json: the content of a script element. bars: those in it. of_bars: all of the run that have a
    close. share: the most bars of one series. symbols: their names, in the order of the run.
    """

    json: str
    bars: int
    of_bars: int
    share: int
    symbols: tuple[str, ...]


class _PageSeries(NamedTuple):
    """The bars of a series that are in the page, and how many have a close before them."""

    series: PastSeries
    before: int

    @property
    def closes(self) -> "NDArray[Any]":
        return self.series.closes[self.before :]

    @property
    def most(self) -> int:
        return max(abs(int(self.closes.max(initial=0))), abs(int(self.closes.min(initial=0))))


def packed_bars(run: DecidedRun, most: int = MOST_BARS) -> PackedBars:
    """Pack the last bars of every series of a run.

    most: the bars of all series together. A series that has fewer than its share leaves the rest to
    the others.
    """
    counts = [len(each.closes) for each in run.series]
    share = _bars_each(counts, most)
    shown = [_PageSeries(each, max(0, len(each.closes) - share)) for each in run.series]
    header = _bars_header(run, shown)
    kinds = _bytes_by_kind(shown, header["digits"])
    header["sizes"] = [list(map(len, parts)) for parts in kinds]
    content = {"packed": b64encode(_deflated_bars(header, kinds)).decode("ascii")}
    return PackedBars(
        script_json(content),
        sum(len(each.closes) for each in shown),
        sum(counts),
        share,
        tuple(each.symbol for each in run.series),
    )


def _bars_each(counts: Sequence[int], most: int) -> int:
    """Return the most bars of one series, so that all have as many bars as there is room for.

    >>> _bars_each([10, 900, 900], most=1010)
    500
    """
    for place, count in enumerate(sorted(counts)):
        share = max(1, most // (len(counts) - place))
        if count > share:
            return share
        most -= count
    return max(counts)


def _bars_header(run: DecidedRun, shown: Sequence[_PageSeries]) -> dict[str, Any]:
    """Return what the page must know of each series before it reads the bars."""
    return {
        "window": run.window,
        "names": [escaped(each.series.symbol) for each in shown],
        "counts": [len(each.closes) for each in shown],
        "before": [each.before for each in shown],
        "rows": [each.series.rows for each in shown],
        "scales": [each.series.scale for each in shown],
        "timed": [int(each.series.times_ns is not None) for each in shown],
        "digits": _digits_of_seconds(shown),
        "wide": [int(each.most >= SAFE_CLOSES) for each in shown],
        "exact": [int(_has_safe_margins(each, run.window)) for each in shown],
        "gaps": [_gaps_on_page(each) for each in shown],
    }


def _has_safe_margins(shown: _PageSeries, window: int) -> bool:
    """Return whether doubles compute every margin of a series, and round its means correctly."""
    divisor = window * int(10**shown.series.scale)
    return max(2 * window * max(1, shown.most), divisor) < SAFE_NUMBERS


def _gaps_on_page(shown: _PageSeries) -> list[int]:
    gaps: list[int] = (shown.series.gaps - shown.before).tolist()
    return [gap for gap in gaps if gap >= 0]


def _deflated_bars(header: dict[str, Any], kinds: Sequence[Sequence[bytes]]) -> bytes:
    head = json.dumps(header, separators=(",", ":")).encode("ascii")
    squeeze = zlib.compressobj(_DEFLATE_LEVEL, zlib.DEFLATED, _RAW_DEFLATE)
    parts = [len(head).to_bytes(4, "big"), head, *(b"".join(parts) for parts in kinds)]
    return b"".join([*map(squeeze.compress, parts), squeeze.flush()])


def _bytes_by_kind(shown: Sequence[_PageSeries], digits: int) -> list[list[bytes]]:
    """Return the bytes of each series, for each kind in the order of the stream."""
    times_ns = [_times_on_page(each) for each in shown]
    seconds = [differences((each // _NS_OF_SECOND).astype("int64")) for each in times_ns]
    for each in seconds:
        each[1:] = differences(each[1:])
    unit = 10 ** (9 - digits)
    parts = [(each % _NS_OF_SECOND // unit).astype("int64") for each in times_ns] if digits else []
    closes = [differences(each.closes) for each in shown]
    signals = [each.series.signals[each.before :].tobytes() for each in shown]
    return [*map(varint_parts, (seconds, parts or [each[:0] for each in seconds], closes)), signals]


def _digits_of_seconds(shown: Sequence[_PageSeries]) -> int:
    """Return how many digits of a second the times need: 0, 3, 6 or 9."""
    for digits in (0, 3, 6):
        unit = 10 ** (9 - digits)
        if not any((_times_on_page(each) % unit).any() for each in shown):
            return digits
    return 9


def _times_on_page(shown: _PageSeries) -> "NDArray[Any]":
    import numpy as np

    times_ns = shown.series.times_ns
    return np.zeros(0, np.int64) if times_ns is None else times_ns[shown.before :]
