"""Intervals of `evaluate` on random walks, where chance is all there is."""

from __future__ import annotations

from rollsignal.analysis.forward import forward, with_interval
from rollsignal.analysis.timeline import timeline
from rollsignal.analysis.trading import Holding
from tests.support.evaluated import series_of, walk


def test_intervals_of_random_walks_hold_zero_as_often_as_they_say() -> None:
    held = dict.fromkeys((1, 5, 20), 0)
    for seed in range(200):
        # So many bars that the longest horizon has blocks enough.
        series = [series_of(walk(1_000 + seed, 1_800), 20)]
        holding = Holding(series, timeline(series), 1)
        for horizon in held:
            interval = with_interval(forward(holding, horizon), holding, seed).interval
            assert interval is not None
            held[horizon] += interval[0] <= 0 <= interval[1]
    assert all(175 <= count <= 200 for count in held.values()), held
