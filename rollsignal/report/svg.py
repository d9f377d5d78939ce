"""This module has what all pictures are drawn with: scales, axes, lines and bars, as SVG.

Colours are classes of the style sheet, so that a picture is light or dark as its page is.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from rollsignal.report.markup import Markup, element, together
from rollsignal.report.numbers import MINUS, whole

NICE = (1, 2, 2.5, 5, 10)
AXIS_TICKS = 4
# About the width of a letter, in the units of a picture.
LETTER = 6.6


class Scale(NamedTuple):
    """A straight or logarithmic way from figures to a picture."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """Return where a value is."""
        low, high, place = self.low, self.high, value
        if self.log:
            low, high, place = math.log(low), math.log(high), math.log(value)
        share = (place - low) / (high - low) if high > low else 0.5
        return self.start + share * (self.end - self.start)


class Plot(NamedTuple):
    """The size of a picture, and its two scales."""

    width: int
    height: int
    x: Scale
    y: Scale


def rounded_place(value: float) -> str:
    """Write a coordinate: to a tenth, without zeros that say nothing.

    >>> rounded_place(12.04), rounded_place(-0.04)
    ('12', '0')
    """
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def nice_ticks(low: float, high: float, most: int = AXIS_TICKS) -> list[float]:
    """Return round numbers between two others, at most so many.

    >>> nice_ticks(0.41, 0.6)
    [0.45, 0.5, 0.55, 0.6]
    """
    if not high > low:
        return [low]
    power = 10 ** math.floor(math.log10((high - low) / most))
    for factor in NICE:
        step = power * factor
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            break
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers between two others above 0, so that their logarithms are spread."""
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [
            float(f"{factor * 10.0**power:.12g}")
            for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            for factor in factors
            if low <= factor * 10.0**power <= high
        ]
        if len(found) <= most:
            break
    step = -(-len(found) // most) if found else 1
    return found[::step] if len(found) > 1 else nice_ticks(low, high)


def tick_label(value: float, ticks: Sequence[float]) -> str:
    """Write a number of an axis, with the decimals that its ticks need."""
    digits = max((len(f"{tick:.10g}".partition(".")[2]) for tick in ticks), default=0)
    return f"{value:,.{digits}f}".replace("-", MINUS)


def whole_label(value: float) -> str:
    """Write a whole number of an axis."""
    return whole(int(value))


def y_axis(plot: Plot, labels: Iterable[tuple[float, str]], zero: float | None = None) -> Markup:
    """Draw lines across the picture with labels on the left; that at `zero` is stronger."""
    parts: list[Markup] = []
    for value, label in labels:
        y = rounded_place(plot.y.at(value))
        kind = "zero" if value == zero else "rule"
        x1, x2 = rounded_place(plot.x.start), rounded_place(plot.x.end)
        parts.append(element("line", x1=x1, x2=x2, y1=y, y2=y, class_=kind))
        at = rounded_place(plot.x.start - 7)
        parts.append(element("text", label, x=at, y=y, dy="0.35em", text_anchor="end"))
    return together(*parts)


def x_axis(plot: Plot, labels: Iterable[tuple[float, str]]) -> Markup:
    """Write labels below the picture, inside of its sides; where they touch, every second one."""
    placed = [(_inside(plot, value, label), label) for value, label in labels]
    while any(after[0] - before[0] < _apart(before, after) for before, after in pairwise(placed)):
        placed = placed[::2]
    y = rounded_place(plot.y.start + 20)
    return together(
        *(
            element("text", label, x=rounded_place(x), y=y, text_anchor="middle")
            for x, label in placed
        )
    )


def _inside(plot: Plot, value: float, label: str) -> float:
    half = LETTER / 2 * len(label)
    return min(max(plot.x.at(value), half), plot.width - half)


def _apart(before: tuple[float, str], after: tuple[float, str]) -> float:
    """Return how far the middles of two labels must be from each other."""
    return LETTER / 2 * (len(before[1]) + len(after[1])) + LETTER


def line_through(points: Iterable[tuple[float, float]]) -> str:
    """Write a path through points of a picture."""
    steps = (f"{rounded_place(x)} {rounded_place(y)}" for x, y in points)
    return "M" + "L".join(steps)


def points_of(
    plot: Plot, places: Iterable[float], values: Iterable[float]
) -> Iterator[tuple[float, float]]:
    """Yield where figures are in a picture."""
    for place, value in zip(places, values, strict=True):
        yield plot.x.at(place), plot.y.at(value)


def line(plot: Plot, places: Iterable[float], values: Iterable[float], kind: str) -> Markup:
    """Draw a line through figures."""
    return element("path", d=line_through(points_of(plot, places, values)), class_=f"line {kind}")


def area(
    plot: Plot,
    places: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    kind: str,
) -> Markup:
    """Fill what is between two lines."""
    forth = points_of(plot, places, highs)
    back = points_of(plot, reversed(places), reversed(lows))
    return element("path", d=line_through(chain(forth, back)) + "Z", class_=kind)


def bar(plot: Plot, left: float, right: float, value: float, kind: str) -> Markup | None:
    """Draw a bar between two places of the picture, from 0 to a value; none for 0."""
    if not value:
        return None
    top, bottom = sorted((plot.y.at(value), plot.y.at(0)))
    # A bar of few is still seen.
    height = max(bottom - top, 0.8)
    sizes = (left, bottom - height, right - left, height)
    x, y, width, tall = map(rounded_place, sizes)
    return element("rect", x=x, y=y, width=width, height=tall, class_=kind)


def dot(plot: Plot, place: float, value: float, kind: str, radius: float = 3) -> Markup:
    """Draw a dot."""
    x, y = rounded_place(plot.x.at(place)), rounded_place(plot.y.at(value))
    return element("circle", cx=x, cy=y, r=rounded_place(radius), class_=kind)


def picture(
    name: str, words: tuple[str, str], size: tuple[int, int], *parts: Markup | None, kind: str = ""
) -> Markup:
    """Return a picture with its title and description. name: one of its own on the page."""
    title, description = words
    return element(
        "svg",
        element("title", title, id=f"{name}-title"),
        element("desc", description, id=f"{name}-desc"),
        *parts,
        viewBox=f"0 0 {size[0]} {size[1]}",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        class_=f"plot {kind}".strip(),
    )


def plot_of(
    size: tuple[int, int],
    x: tuple[float, float],
    y: tuple[float, float],
    y_labels: Sequence[str],
    log: tuple[bool, bool] = (False, False),
) -> Plot:
    """Lay out a picture: room for the labels on the left and below. log: of x, and of y."""
    width, height = size
    left = 14 + 7.2 * max(map(len, y_labels), default=0)
    return Plot(
        width,
        height,
        Scale(*x, left, width - 8, log[0]),
        Scale(*y, height - 30, 12, log[1]),
    )


def with_room(plot: Plot, left: float) -> Plot:
    """Return a picture with at least so much room on the left."""
    return plot._replace(x=plot.x._replace(start=max(left, plot.x.start)))


def padded(values: Iterable[float], share: float = 0.06) -> tuple[float, float]:
    """Return a range that holds values, with some room around them."""
    every = list(values)
    low, high = min(every), max(every)
    room = (high - low) * share or abs(high) * share or share
    return low - room, high + room
