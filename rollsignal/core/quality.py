"""This module checks bars: their order in time, and their prices."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from operator import lt
from typing import TYPE_CHECKING, NamedTuple, cast

from rollsignal.core.ticks import Ticks, decimal_text, parse_closes
from rollsignal.core.timestamps.reader import Timestamp, iso, to_ns
from rollsignal.errors import BadCellError
from rollsignal.messages import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


PRICES = ("open", "high", "low")
# What programs write where they have no price: the greatest whole numbers of 32 and 64 bits, the
# latter also as the double nearest to it.
SENTINELS = (2**31 - 1, 2**63 - 1, 2**63, 9_223_372_036_854_776_000)
MAX_SHOWN = 40


class Finding(NamedTuple):
    """A bar that breaks a rule; `place` is its index in the batch."""

    check: str
    place: int
    what: str


def order_findings(timestamps: Sequence[Timestamp], last_ns: int | None) -> list[Finding]:
    """Find every bar that is not later than the one before it.

    `last_ns` is the last timestamp before these, in nanoseconds since 1970 UTC.

    >>> order_findings([60, 60, 30], last_ns=None)[0].check
    'duplicates'
    """
    findings: list[Finding] = []
    if timestamps and last_ns is not None:
        findings += _compare(last_ns, to_ns(timestamps[0]), 0)
    if not all(map(lt, timestamps, timestamps[1:])):
        for index in range(1, len(timestamps)):
            findings += _compare(to_ns(timestamps[index - 1]), to_ns(timestamps[index]), index)
    return findings


def _compare(earlier_ns: int, ns: int, index: int) -> list[Finding]:
    if earlier_ns < ns:
        return []
    if earlier_ns == ns:
        return [Finding("duplicates", index, "is the same as in the previous row")]
    return [Finding("order", index, f"is earlier than {iso(earlier_ns)} in the previous row")]


def value_findings(closes: Ticks) -> list[Finding]:
    """Find every close that can hardly be a price: not above zero, or a sentinel.

    >>> value_findings(Ticks([105, 0, None, 21474836470], 1))[1].what
    'is 2147483647, which many programs write where there is no price'
    """
    unit = 10**closes.scale
    if not closes.values or _are_usual(closes.values, unit):
        return []
    findings = []
    for index, tick in enumerate(closes.values):
        if tick is not None and tick <= 0:
            what = f"is {_written(tick, closes.scale)}, not above zero"
            findings.append(Finding("values", index, what))
        elif tick is not None and is_sentinel(tick, unit):
            what = f"is {tick // unit}, which many programs write where there is no price"
            findings.append(Finding("values", index, what))
    return findings


def _are_usual(values: Sequence[int | None], unit: int) -> bool:
    """Return whether all closes are there, above zero and below the least sentinel."""
    try:
        least, most = min(cast("Sequence[int]", values)), max(cast("Sequence[int]", values))
        return least > 0 and most < SENTINELS[0] * unit
    except TypeError:
        # A missing close cannot be compared.
        return False


def is_sentinel(tick: int, unit: int) -> bool:
    """Return whether a tick, of which `unit` make 1, is one of `SENTINELS`."""
    return tick % unit == 0 and tick // unit in SENTINELS


def parsed_each(name: str, cells: Sequence[str]) -> tuple[Ticks, list[Finding]]:
    """Parse the cells of another column; those that are not numbers become findings, and None."""
    with suppress(BadCellError):
        return parse_closes(cells), []
    findings: list[Finding] = []
    good = list(cells)
    for row, cell in enumerate(cells):
        try:
            parse_closes([cell])
        except BadCellError as bad:
            findings.append(Finding("ohlc", row, f"{name} is {shown(cell)}, {bad.reason}"))
            good[row] = ""
    return parse_closes(good), findings


def ohlc_findings(close: Ticks, others: Mapping[str, Ticks]) -> list[Finding]:
    """Find every bar whose prices contradict each other, or whose volume is below zero.

    others: any of the columns open, high and low; every other column is a volume. A price of None
    is not compared.

    >>> ohlc_findings(Ticks([5, 7], 0), {"high": Ticks([50, 60], 1)})
    [Finding(check='ohlc', place=1, what='high 6 is below close 7')]
    """
    columns = {name: others[name] for name in PRICES if name in others} | {"close": close}
    scale = max(column.scale for column in columns.values())
    values = {name: _at(scale, column) for name, column in columns.items()}
    findings = []
    for upper, lower in _comparisons(columns):
        for index, (high, low) in enumerate(zip(values[upper], values[lower], strict=True)):
            if high is not None and low is not None and high < low:
                what = f"{upper} {_written(high, scale)} is below {lower} {_written(low, scale)}"
                findings.append(Finding("ohlc", index, what))
    for name in _volumes(others):
        findings += [
            Finding("ohlc", index, f"{name} {_written(tick, others[name].scale)} is below zero")
            for index, tick in enumerate(others[name].values)
            if tick is not None and tick < 0
        ]
    return findings


def _at(scale: int, column: Ticks) -> list[int | None]:
    factor = 10 ** (scale - column.scale)
    return [tick if tick is None else tick * factor for tick in column.values]


def by_bar(findings: Iterable[Finding]) -> list[Finding]:
    """Join the findings of one check about each bar, in the order of the bars.

    >>> by_bar([Finding("ohlc", 3, "a"), Finding("ohlc", 1, "b"), Finding("ohlc", 3, "c")])[1].what
    'a, c'
    """
    bars: dict[int, Finding] = {}
    for finding in findings:
        before = bars.get(finding.place)
        what = f"{before.what}, {finding.what}" if before else finding.what
        bars[finding.place] = finding._replace(what=what)
    return [bars[index] for index in sorted(bars)]


def _written(tick: int, scale: int) -> str:
    text = decimal_text(tick, scale)
    return text if len(text) <= MAX_SHOWN else shown(text)


def is_sane(columns: "Mapping[str, tuple[NDArray[np.int64], int]]") -> bool:
    """Return whether `ohlc_findings` would find nothing; False also if 64 bits are not enough.

    columns: ticks and scale of each, the close among them.
    """
    volumes = _volumes(columns)
    prices = {name: column for name, column in columns.items() if name not in volumes}
    scale = max(scale for _, scale in prices.values())
    values = {}
    for name, (ticks, own) in prices.items():
        factor = 10 ** (scale - own)
        if max(int(ticks.max()), -int(ticks.min())) * factor >= 2**63 or factor >= 2**63:
            return False
        values[name] = ticks * factor if factor > 1 else ticks
    below = any((values[upper] < values[lower]).any() for upper, lower in _comparisons(prices))
    return not below and all(int(columns[name][0].min()) >= 0 for name in volumes)


def _volumes(columns: Iterable[str]) -> list[str]:
    """List the columns that are not prices."""
    return [name for name in columns if name not in (*PRICES, "close")]


def _comparisons(columns: Mapping[str, object]) -> list[tuple[str, str]]:
    """List the pairs of columns where the first is never below the second."""
    pairs = [
        ("high", "open"),
        ("high", "close"),
        ("high", "low"),
        ("open", "low"),
        ("close", "low"),
    ]
    return [pair for pair in pairs if columns.keys() >= set(pair)]
