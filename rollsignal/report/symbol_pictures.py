"""This module draws the pictures of a panel: how its symbols are spread."""

import math
from collections.abc import Sequence
from statistics import NormalDist

from rollsignal.report.markup import Markup, element
from rollsignal.report.numbers import percent
from rollsignal.report.pictures import SIZE, Words
from rollsignal.report.svg import (
    Plot,
    bar,
    dot,
    line,
    line_through,
    nice_ticks,
    padded,
    picture,
    plot_of,
    tick_label,
    whole_label,
    x_axis,
    y_axis,
)

MOST_BINS = 24
CURVE_POINTS = 61
T_STEP = 0.5
T_SPAN = 4.0
MOST_DOTS = 5_000


def t_picture(values: Sequence[float], words: Words) -> Markup:
    """Draw how many symbols have which t, and what luck alone gives."""
    span = max(T_SPAN, math.ceil(max(map(abs, values)) / T_STEP) * T_STEP)
    bins = round(2 * span / T_STEP)
    while bins > MOST_BINS * 2:
        bins = -(-bins // 2)
    counts = _binned(values, (-span, span), bins)
    width = 2 * span / bins
    ends = [span * (2 * place / (CURVE_POINTS - 1) - 1) for place in range(CURVE_POINTS)]
    luck = [NormalDist().pdf(end) * width * len(values) for end in ends]
    plot, axis = _counts_plot(counts, (-span, span), max(*counts, *luck))
    curve = line(plot, ends, luck, "orange")
    ticks = [tick for tick in nice_ticks(-span, span, 6) if tick == int(tick)]
    names = [(tick, tick_label(tick, ticks)) for tick in ticks]
    bars = _count_bars(plot, counts, (-span, span))
    return picture("t", words, SIZE, axis, *bars, curve, x_axis(plot, names))


def rates_picture(values: Sequence[float], words: Words) -> Markup:
    """Draw how many symbols have which share of ones."""
    low, high = min(values), max(values)
    if high - low < 0.01:
        low, high = max(0.0, low - 0.05), min(1.0, high + 0.05)
    bins = max(5, min(MOST_BINS, math.isqrt(len(values)) + 4))
    counts = _binned(values, (low, high), bins)
    plot, axis = _counts_plot(counts, (low, high), max(counts))
    ticks = nice_ticks(low, high)
    names = [(tick, tick_label(tick, ticks)) for tick in ticks]
    return picture(
        "rates", words, SIZE, axis, *_count_bars(plot, counts, (low, high)), x_axis(plot, names)
    )


def _binned(values: Sequence[float], ends: tuple[float, float], bins: int) -> list[int]:
    low, high = ends
    counts = [0] * bins
    for value in values:
        counts[min(bins - 1, int((value - low) / (high - low) * bins))] += 1
    return counts


def _counts_plot(
    counts: Sequence[int], ends: tuple[float, float], most: float
) -> tuple[Plot, Markup]:
    """Lay out a picture of counts, and draw its upright axis."""
    ticks = [tick for tick in nice_ticks(0, most) if tick == int(tick)]
    labels = [whole_label(tick) for tick in ticks]
    plot = plot_of(SIZE, ends, (0, most * 1.05), labels)
    return plot, y_axis(plot, zip(ticks, labels, strict=True), 0)


def _count_bars(
    plot: Plot, counts: Sequence[int], ends: tuple[float, float]
) -> list[Markup | None]:
    low, high = ends
    width = (high - low) / len(counts)
    sides = [plot.x.at(low + place * width) for place in range(len(counts) + 1)]
    return [
        bar(plot, sides[place] + 0.5, sides[place + 1] - 0.5, count, "blue")
        for place, count in enumerate(counts)
    ]


def against_picture(pairs: Sequence[tuple[float, float]], words: Words) -> Markup:
    """Draw a dot for each symbol: what holding made, and what the signal made, net."""
    held, net = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    x, y = padded(held), padded(net)
    across, up = nice_ticks(*x), nice_ticks(*y)
    labels = [percent(tick, 0) for tick in up]
    plot = plot_of(SIZE, x, y, labels)
    low, high = max(x[0], y[0]), min(x[1], y[1])
    same = None
    if low < high:
        ends = [(plot.x.at(end), plot.y.at(end)) for end in (low, high)]
        same = element("path", d=line_through(ends), class_="line orange dashed thin")
    step = -(-len(pairs) // MOST_DOTS)
    dots = [dot(plot, *pair, "blue faint", 1.8) for pair in pairs[::step]]
    axis = y_axis(plot, zip(up, labels, strict=True), 0)
    names = [(tick, percent(tick, 0)) for tick in across]
    return picture("against", words, SIZE, axis, same, *dots, x_axis(plot, names))
