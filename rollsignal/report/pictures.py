"""This module draws the pictures of a series: figures in, SVG out."""

from collections.abc import Sequence

from rollsignal.analysis.breadth import Breadth
from rollsignal.analysis.curves import Curves
from rollsignal.analysis.distances import Distances
from rollsignal.analysis.forward import Forward
from rollsignal.analysis.frequency import Rates
from rollsignal.analysis.thinning import Curve, Mark, calendar_marks
from rollsignal.report.markup import Markup, element, together
from rollsignal.report.numbers import MINUS, percent, signed, whole
from rollsignal.report.svg import (
    Plot,
    Scale,
    area,
    bar,
    dot,
    line,
    log_ticks,
    nice_ticks,
    padded,
    picture,
    plot_of,
    rounded_place,
    tick_label,
    with_room,
    x_axis,
    y_axis,
)

SIZE = (360, 216)
# From here on a straight axis of growth would hide how it began.
LOG_SPAN = 3
FEW_OUTSIDE = 12
# More figures than this would touch.
MOST_NAMED = 4
Words = tuple[str, str]


def rate_picture(rates: Rates, words: Words) -> Markup:
    """Draw the signal rate by period, and what is usual."""
    curve = Curve(list(range(len(rates.rates))), rates.rates)
    return _share_picture("rate", words, curve, rates.usual, calendar_marks(rates.ends_ns))


def breadth_picture(found: Breadth, words: Words) -> Markup:
    """Draw the share of symbols at 1, and what is usual."""
    return _share_picture("breadth", words, found.shares, found.usual, found.marks)


def _share_picture(
    name: str, words: Words, curve: Curve, usual: list[float] | None, marks: list[Mark]
) -> Markup:
    low, high = padded([*curve.values, *(usual or [])])
    ticks = nice_ticks(max(low, 0), min(high, 1))
    labels = [tick_label(tick, ticks) for tick in ticks]
    ends = (curve.places[0], curve.places[-1])
    plot = plot_of(SIZE, ends, (low, high), labels)
    band = None
    if usual is not None:
        band = area(plot, ends, [usual[0]] * 2, [usual[1]] * 2, "band")
    points = list(zip(curve.places, curve.values, strict=True))
    outside = [p for p in points[:-1] if usual and not usual[0] <= p[1] <= usual[1]]
    shown = outside if len(outside) <= FEW_OUTSIDE else []
    return picture(
        name,
        words,
        SIZE,
        band,
        y_axis(plot, zip(ticks, labels, strict=True)),
        line(plot, curve.places, curve.values, "blue"),
        *(dot(plot, *point, "red", 2.5) for point in shown),
        dot(plot, *points[-1], "blue", 3.5),
        x_axis(plot, marks or _numbers(curve)),
    )


def _numbers(curve: Curve) -> list[Mark]:
    """Return what an axis of bars names where there are no times: some of their numbers."""
    first, last = curve.places[0], curve.places[-1]
    return [Mark(int(place), whole(int(place))) for place in nice_ticks(first, last)]


def distance_picture(found: Distances, signals: int, words: Words) -> Markup:
    """Draw how far closes are from their means, in ticks, those above to the right."""
    number = len(found.edges)
    counts = [*reversed(found.below), found.ties, *found.above]
    most = max(counts) / signals
    ticks = nice_ticks(0, most)
    labels = [percent(tick, 0 if ticks[-1] >= 0.04 else 1) for tick in ticks]
    plot = plot_of(SIZE, (0, len(counts)), (0, most * 1.05), labels)
    bars = [
        bar(plot, plot.x.at(place) + 0.5, plot.x.at(place + 1) - 0.5, count / signals, kind)
        for place, count in enumerate(counts)
        for kind in [("grey", "orange", "blue")[(place > number) + (place >= number)]]
    ]
    axis = y_axis(plot, zip(ticks, labels, strict=True), 0)
    return picture("distance", words, SIZE, axis, *bars, x_axis(plot, _tick_marks(found)))


def _tick_marks(found: Distances) -> list[tuple[float, str]]:
    """Name powers of ten of ticks, on both sides of the ties."""
    number = len(found.edges)
    powers = [place for place, edge in enumerate(found.edges) if str(edge).strip("0") == "1"]
    step = 1 if len(powers) <= 2 else 2
    chosen = powers[1::step] if len(powers) > 1 else powers
    left = [(number - place, f"{MINUS}{found.edges[place]:,}") for place in reversed(chosen)]
    right = [(number + 1 + place, f"{found.edges[place]:,}") for place in chosen]
    return [*left, (number + 0.5, "tie"), *right]


def growth_picture(found: Curves, words: Words, size: tuple[int, int] = SIZE) -> Markup:
    """Draw what became of 1."""
    return picture("growth", words, size, *growth_parts(found, size))


def growth_parts(found: Curves, size: tuple[int, int], left: float = 0) -> list[Markup]:
    """Draw what became of 1, on a logarithmic axis if that spans much. left: least room."""
    drawn = {"grey": found.held, "orange": found.gross, "blue": found.net}
    values = [value for curve in drawn.values() for value in curve.values]
    low, high = min(values), max(values)
    log = low > 0 and high / low > LOG_SPAN
    ticks = log_ticks(low, high) if log else nice_ticks(*padded(values))
    labels = [tick_label(tick, ticks) if not log else f"{tick:,g}" for tick in ticks]
    room = (low / (high / low) ** 0.05, high * (high / low) ** 0.05) if log else padded(values)
    plot = with_room(plot_of(size, (0, found.steps), room, labels, (False, log)), left)
    return [
        y_axis(plot, zip(ticks, labels, strict=True), 1),
        *(line(plot, curve.places, curve.values, kind) for kind, curve in drawn.items()),
        x_axis(plot, found.marks or _numbers(found.net)),
    ]


def falls_picture(found: Curves, words: Words, size: tuple[int, int] = SIZE) -> Markup:
    """Draw how far it was below its last peak."""
    return picture("falls", words, size, *falls_parts(found, size))


def falls_parts(found: Curves, size: tuple[int, int], left: float = 0) -> list[Markup]:
    """Draw how far the growth, and that of holding, was below its last peak. left: least room."""
    net, held = found.falls_net, found.falls_held
    low = min(*net.values, *held.values, -0.001)
    ticks = nice_ticks(low, 0)
    digits = 0 if all(abs(tick * 100 % 1) < 1e-9 for tick in ticks) else 1
    labels = [percent(tick, digits) for tick in ticks]
    plot = with_room(plot_of(size, (0, found.steps), (low * 1.05, 0), labels), left)
    return [
        area(plot, net.places, net.values, [0.0] * len(net.values), "shade"),
        y_axis(plot, zip(ticks, labels, strict=True), 0),
        line(plot, held.places, held.values, "grey"),
        line(plot, net.places, net.values, "blue"),
        x_axis(plot, found.marks or _numbers(net)),
    ]


def interval_picture(rows: Sequence[Forward], words: Words) -> Markup:
    """Draw the difference of forward returns with its interval, by horizon, in basis points."""
    ends = [
        [10**4 * value for value in [row.difference or 0.0, *(row.interval or [])]] for row in rows
    ]
    low, high = padded([0.0, *(value for each in ends for value in each)], 0.1)
    ticks = nice_ticks(low, high)
    labels = [tick_label(tick, ticks) for tick in ticks]
    plot = plot_of(SIZE, (-0.5, len(rows) - 0.5), (low, high), labels)
    named = len(rows) <= MOST_NAMED
    parts = [
        _whisker(plot, place, values, named)
        for place, values in enumerate(ends)
        if rows[place].difference is not None
    ]
    bars = [(place, _horizon_words(row.horizon)) for place, row in enumerate(rows)]
    axis = y_axis(plot, zip(ticks, labels, strict=True), 0)
    return picture("forward", words, SIZE, axis, *parts, x_axis(plot, bars))


def _horizon_words(count: int) -> str:
    return "1 bar" if count == 1 else f"{count:,} bars"


def _whisker(plot: Plot, place: int, values: list[float], named: bool) -> Markup:
    """Draw a difference, and its interval if there is one. named: with its figure."""
    x = plot.x.at(place)
    parts = []
    if len(values) == 3:
        low, high = (plot.y.at(end) for end in values[1:])
        parts = [
            _stroke((x, low), (x, high)),
            *(_stroke((x - 5, y), (x + 5, y)) for y in (low, high)),
        ]
    y = rounded_place(plot.y.at(values[0]) - 6)
    digits = 2 if abs(values[0]) < 100 else 0
    label = signed(values[0], digits)
    text = None
    if named:
        text = element("text", label, x=rounded_place(x + 8), y=y, class_="value")
    return together(*parts, dot(plot, place, values[0], "blue", 4), text)


def _stroke(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    (x1, y1), (x2, y2) = (tuple(map(rounded_place, point)) for point in (start, end))
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="line blue")


def spark_picture(closes: Sequence[float]) -> Markup:
    """Draw closes as a small line without axes; what it shows is in the table beside it."""
    if len(closes) < 2:
        return element("svg", viewBox="0 0 120 22", class_="spark", aria_hidden="true")
    low, high = min(closes), max(closes)
    plot = Plot(120, 22, Scale(0, len(closes) - 1, 1, 119), Scale(low, high, 20, 2))
    drawn = line(plot, range(len(closes)), closes, "blue")
    return element("svg", drawn, viewBox="0 0 120 22", class_="spark", aria_hidden="true")
