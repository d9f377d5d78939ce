"""The test of a sweep for superior predictive ability is that of arch."""

from __future__ import annotations

import numpy as np
import pytest
from arch.bootstrap import SPA

from rollsignal.analysis import selection as selections
from rollsignal.analysis.selection import selection

CELLS, CANDIDATES = 800, 12


@pytest.mark.parametrize("cost", [0.0, 1e-4])
@pytest.mark.parametrize("edge", [0.0, 0.0008, 0.004])
@pytest.mark.parametrize("seed", range(2))
def test_the_p_value_is_that_of_arch(
    monkeypatch: pytest.MonkeyPatch, seed: int, edge: float, cost: float
) -> None:
    # So many resamples that chance does not hide a difference.
    monkeypatch.setattr(selections, "SWEEP_RESAMPLES", 10_000)
    draw = np.random.default_rng(seed)
    shared = draw.normal(size=(1, CELLS)) / 2
    gains = (draw.normal(size=(CANDIDATES, CELLS)) + shared) / 100
    gains[3] += edge
    changes = draw.integers(0, 3, (CANDIDATES, CELLS)).astype(float)
    found = selection(gains, changes, cost, seed=42)
    assert found is not None
    losses = (cost * changes - gains).T
    theirs = SPA(np.zeros(CELLS), losses, block_size=found.mean_block, reps=5_000, seed=3)
    theirs.compute()
    assert found.p_value == pytest.approx(theirs.pvalues["consistent"], abs=0.03)
