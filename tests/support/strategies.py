"""This module draws series of closes, in ticks and as text, with the hard cases of real ones."""

from itertools import pairwise
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

SPIKE = 10**15


class Series(NamedTuple):
    """Closes in ticks of 10^-scale; None is a bar without a close."""

    ticks: list[int | None]
    scale: int

    @property
    def texts(self) -> list[str | None]:
        """Write every close with `scale` decimals."""
        return [None if tick is None else written(tick, self.scale) for tick in self.ticks]

    @property
    def cells(self) -> list[str]:
        """Write every close as a cell, an empty one where it is missing."""
        return [text or "" for text in self.texts]


def written(tick: int, scale: int) -> str:
    """Write `tick` * 10^-scale with exactly `scale` decimals."""
    digits = str(abs(tick)).rjust(scale + 1, "0")
    whole, decimals = digits[: len(digits) - scale], digits[len(digits) - scale :]
    return "-" * (tick < 0) + whole + (f".{decimals}" if scale else "")


@st.composite
def series(draw: DrawFn, gaps: bool = False, max_scale: int = 30) -> Series:
    """Draw flat runs of a few prices, so that ties are common, with spikes between them."""
    scale = draw(st.integers(0, max_scale))
    spike = SPIKE * 10**scale
    few = draw(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=4))
    spikes = st.sampled_from([spike, -spike, spike + 1])
    ticks = st.one_of(st.sampled_from(few), st.integers(-3, 3), st.sampled_from(few), spikes)
    tick: SearchStrategy[int | None] = st.one_of(ticks, ticks, st.none()) if gaps else ticks
    runs = draw(st.lists(st.tuples(tick, st.integers(1, 5)), max_size=12))
    return Series([value for value, length in runs for _ in range(length)], scale)


def windows_of(bars: int) -> SearchStrategy[int]:
    """Draw a window of 1 bar up to a few more than `bars`, mostly short ones."""
    return st.one_of(st.integers(1, 6), st.integers(1, bars + 2), st.just(max(1, bars)))


def cuts_of(length: int) -> SearchStrategy[list[slice]]:
    """Draw slices that cut `length` items into consecutive batches, some of them empty."""

    def slices(cuts: list[int]) -> list[slice]:
        edges = [0, *sorted(cuts), length]
        return [slice(*pair) for pair in pairwise(edges)]

    return st.lists(st.integers(0, length), max_size=6).map(slices)


@st.composite
def spelled(draw: DrawFn, tick: int, scale: int) -> str:
    """Draw one of the ways to write `tick` * 10^-scale."""
    sign = "-" if tick < 0 else draw(st.sampled_from(["", "+"] + ["-"] * (tick == 0)))
    zeros = "0" * draw(st.integers(0, 3))
    plain, digits = written(abs(tick), scale), str(abs(tick))
    forms = [
        plain,
        zeros + plain,
        plain + zeros if scale else f"{plain}.{zeros}",
        f"{digits}{zeros}e-{scale + len(zeros)}",
        f"{digits}E-{zeros}{scale}",
        f"{digits[0]}.{digits[1:]}e{len(digits) - 1 - scale:+d}",
        f".{zeros}{digits}e{len(digits) + len(zeros) - scale}",
    ]
    if scale and plain.startswith("0."):
        forms.append(plain[1:])
    blank = st.sampled_from(["", "", " ", "\t "])
    return draw(blank) + sign + draw(st.sampled_from(forms)) + draw(blank)
