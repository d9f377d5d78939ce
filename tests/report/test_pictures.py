"""Facts about the pictures: what is drawn is where its figures say."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.analysis.curves import Curves
from rollsignal.analysis.distances import Distances
from rollsignal.analysis.forward import Forward
from rollsignal.analysis.frequency import Rates
from rollsignal.analysis.sweep import SweptWindow
from rollsignal.analysis.thinning import Curve
from rollsignal.report.markup import Markup
from rollsignal.report.numbers import basis_points, interval, moments, percent, plain, signed
from rollsignal.report.pictures import (
    distance_picture,
    falls_picture,
    growth_picture,
    interval_picture,
    rate_picture,
    spark_picture,
)
from rollsignal.report.svg import LETTER, Plot, Scale, log_ticks, nice_ticks, x_axis
from rollsignal.report.symbol_pictures import against_picture, rates_picture, t_picture
from rollsignal.report.window_section import NARROW, WIDE, window_picture

WORDS = ("A title", "What it shows")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def read(picture: Markup) -> ET.Element:
    tree = ET.fromstring(picture)
    _, _, width, height = map(float, tree.attrib["viewBox"].split())
    for node in tree.iter():
        for name, limit in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            if name in node.attrib:
                assert -2 <= float(node.attrib[name]) <= limit + 2, node.attrib
        if node.tag == "path":
            places = list(map(float, NUMBER.findall(node.attrib["d"])))
            assert all(-2 <= x <= width + 2 for x in places[::2])
            assert all(-2 <= y <= height + 2 for y in places[1::2])
    return tree


def curve(*values: float) -> Curve:
    return Curve(list(range(len(values))), list(values))


def grown(*values: float) -> Curves:
    falls = curve(*(min(0.0, value - 1) / 2 for value in values))
    steps = len(values) - 1
    return Curves(steps, [], curve(*values), curve(*values), curve(*values), falls, falls)


@given(st.floats(-1e9, 1e9), st.floats(1e-9, 1e9), st.integers(2, 8))
def test_ticks_are_few_round_and_inside(low: float, span: float, most: int) -> None:
    high = low + span
    ticks = nice_ticks(low, high, most)
    assert len(ticks) <= most + 1
    room = 1e-6 * max(abs(low), abs(high), span)
    assert all(low - room <= tick <= high + room for tick in ticks)


@given(st.floats(1e-6, 1e6), st.floats(3, 1e6))
def test_ticks_of_a_logarithmic_axis_are_inside_and_there(low: float, times: float) -> None:
    ticks = log_ticks(low, low * times)
    assert 1 <= len(ticks) <= 6
    assert all(low * 0.99 <= tick <= low * times * 1.01 for tick in ticks)


def test_a_logarithmic_scale_has_equal_steps_for_equal_factors() -> None:
    scale = Scale(1, 100, 0, 200, log=True)
    assert [scale.at(1), scale.at(10), scale.at(100)] == pytest.approx([0, 100, 200])


@pytest.mark.parametrize("values", [(1.0, 1.0), (1.0, 2.0, 0.5), (1.0, 5.0), (1.0, 1e-6), (1, 1e9)])
def test_growth_and_falls_stay_inside_of_their_picture(values: tuple[float, ...]) -> None:
    read(growth_picture(grown(*values), WORDS))
    read(falls_picture(grown(*values), WORDS))


def test_the_axis_of_growth_is_logarithmic_from_3_times_on() -> None:
    def middle(*values: float) -> float:
        line = read(growth_picture(grown(*values), WORDS)).findall("path")[-1].attrib["d"]
        (_, first), (_, second), (_, third) = (part.split() for part in line[1:].split("L"))
        return (float(second) - float(first)) / (float(third) - float(first))

    assert middle(1, 1.5, 2) == pytest.approx(0.5, abs=0.01)
    assert middle(1, 10, 100) == pytest.approx(0.5, abs=0.01)


def test_bars_of_distances_are_as_high_as_their_counts() -> None:
    found = Distances([0, 1, 2], [5, 10, 0], 4, [0, 20, 1], 0)
    tree = read(distance_picture(found, 40, WORDS))
    bars = {node.attrib["class"]: [] for node in tree.findall("rect")}  # type: ignore[var-annotated]
    for node in tree.findall("rect"):
        bars[node.attrib["class"]].append(float(node.attrib["height"]))
    assert {kind: len(heights) for kind, heights in bars.items()} == {
        "grey": 2, "orange": 1, "blue": 2,
    }  # fmt: skip
    assert bars["grey"][1] / bars["grey"][0] == pytest.approx(0.5, abs=0.02)
    assert bars["blue"][0] / bars["grey"][0] == pytest.approx(2, abs=0.02)


def test_a_distance_without_any_but_ties_is_a_picture() -> None:
    read(distance_picture(Distances([0], [0], 7, [0], 0), 7, WORDS))


@pytest.mark.parametrize("usual", [None, [0.4, 0.6]])
def test_rates_are_drawn_with_their_last_one_stressed(usual: list[float] | None) -> None:
    values = [0.5, 0.7, 0.45, 0.55]
    tree = read(rate_picture(Rates("day", values, usual, usual, [1, 2, 3, 4]), WORDS))
    dots = [node.attrib["class"] for node in tree.findall("circle")]
    assert dots == (["red", "blue"] if usual else ["blue"])


def test_differences_without_an_interval_have_no_whisker() -> None:
    row = Forward(1, 9, 9, 0.001, 0.0, 0.001, None, 0.5, 0.5, None)
    rows = [row, row._replace(interval=[-0.001, 0.002]), row._replace(difference=None)]
    tree = read(interval_picture(rows, WORDS))
    assert len(tree.findall("circle")) == 2
    assert len([n for n in tree.findall("line") if n.attrib["class"] == "line blue"]) == 3


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_windows_are_drawn_with_the_luck_that_is_known(size: tuple[int, int]) -> None:
    rows = [
        SweptWindow(w, 9, 4, 0.4, 0, 3, 3, 0.5, 1.1, 1.0, earns, luck, 0.1)
        for w, earns, luck in ((2, 0.5, 1.0), (20, -0.5, None), (200, 3.0, 2.0))
    ]
    tree = read(window_picture(rows, (1.0, 20), WORDS, size))
    assert "window 20" in [node.text for node in tree.iter("text")]
    assert len(tree.findall("circle")) == 1
    alone = read(window_picture(rows[:1], (1.0, 7), WORDS, size))
    assert not alone.findall("circle")


@pytest.mark.parametrize("values", [[0.0], [-9.0, 12.0], [0.1] * 50])
def test_symbols_are_counted_by_their_t_and_by_their_rate(values: list[float]) -> None:
    read(t_picture(values, WORDS))
    rates = [min(1.0, abs(value) / 12) for value in values]
    read(rates_picture(rates, WORDS))


@pytest.mark.parametrize("pairs", [[(0.0, 0.0)], [(5.0, -1.0)], [(0.1, 0.2), (-0.5, 9.0)]])
def test_symbols_are_dots_of_net_against_held(pairs: list[tuple[float, float]]) -> None:
    assert len(read(against_picture(pairs, WORDS)).findall("circle")) == len(pairs)


def test_a_small_line_of_one_close_is_empty() -> None:
    assert not read(spark_picture([5.0])).findall("path")
    assert read(spark_picture([5.0, 5.0])).findall("path")


def test_every_picture_has_its_title_and_its_description() -> None:
    tree = read(growth_picture(grown(1, 2), WORDS))
    assert (tree[0].text, tree[1].text) == WORDS
    ids = tree.attrib["aria-labelledby"].split()
    assert ids == [tree[0].attrib["id"], tree[1].attrib["id"]]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (plain(-0.0004, 3), "0.000"),
        (plain(1234567.0, 1), "1,234,567.0"),
        (plain(None, 2), "–"),
        (plain(3e12, 2), "3.000e+12"),
        (signed(0.04, 1), "0.0"),
        (signed(12.34, 1), "+12.3"),
        (percent(1.0), "100.0 %"),
        (basis_points(0.0123), "+123"),
        (basis_points(1e-9), "0.000"),
        (interval(None), "–"),
        (interval([0.0, 0.0]), "0.000 to 0.000"),
        (moments("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z"), "2024-01-01"),
        (moments("2024-01-01T00:00:00Z", "2024-01-01T09:00:00Z"),
         "2024-01-01 00:00 to 2024-01-01 09:00"),
    ],
)  # fmt: skip
def test_figures_are_written_for_people(written: str, text: str) -> None:
    assert written == text


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(1, 12))
def test_labels_of_an_axis_do_not_touch_and_stay_inside(places: list[float], letters: int) -> None:
    plot = Plot(360, 216, Scale(0, 1, 30, 352), Scale(0, 1, 186, 12))
    drawn = x_axis(plot, [(place, "m" * letters) for place in sorted(places)])
    found = [float(x) for x in re.findall(r' x="([\d.]+)"', drawn)]
    assert found
    assert all(after - before >= LETTER * letters for before, after in pairwise(found))
    assert LETTER * letters / 2 - 0.1 <= found[0] <= found[-1] <= 360.1 - LETTER * letters / 2
