"""The bench's oracle agrees with fractions of the text, and counts every wrong signal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import oracle
from tests.support import oracle as fractions

# Few different prices, so that ties are common.
closes = st.lists(st.integers(0, 999).map(lambda cents: f"{cents // 100}.{cents % 100:02}"))


def sides_of(texts: list[str], window: int) -> list[int]:
    cents = oracle.cents(pl.Series(texts, dtype=pl.String))
    return list(map(int, oracle.sides(cents.reshape(1, -1), window)[0]))


@given(
    st.integers(1, 5).flatmap(lambda w: st.tuples(st.just(w), closes.filter(lambda c: len(c) >= w)))
)
def test_whole_numbers_decide_as_fractions_do(given: tuple[int, list[str]]) -> None:
    window, texts = given
    margins = fractions.margins(fractions.prices(texts), window)[window - 1 :]
    expected = [(margin > 0) - (margin < 0) for margin in margins if margin is not None]
    assert sides_of(texts, window) == expected
    assert [oracle.side(texts[at : at + window]) for at in range(len(expected))] == expected


def test_closes_that_are_not_in_whole_cents_are_refused() -> None:
    with pytest.raises(ValueError, match="whole cents"):
        oracle.cents(pl.Series(["1.00", "1.005"]))


def test_sides_that_differ_from_the_fractions_are_found() -> None:
    texts = pl.Series([f"{cents // 100}.{cents % 100:02}" for cents in range(100, 900)])
    right = oracle.sides(oracle.cents(texts).reshape(2, -1), oracle.WINDOW)
    oracle.hold_to_definition(right, texts)
    with pytest.raises(RuntimeError, match="differ"):
        oracle.hold_to_definition(-right, texts)


def test_wrong_signals_are_counted(tmp_path: Path) -> None:
    right = np.array([1, 0, -1, 1, 0], np.int8)
    path = tmp_path / "found.npy"
    np.save(path, np.array([True, True, False, False, False]))
    assert oracle.wrong(path, right) == 2
    np.save(path, np.array([True, True]))
    with pytest.raises(RuntimeError, match="2 signals, not 5"):
        oracle.wrong(path, right)


def test_a_table_of_signals_is_compared_without_its_warm_up(tmp_path: Path) -> None:
    path = tmp_path / "signals.parquet"
    pl.DataFrame({"signal": [None, None, 1, 0]}).write_parquet(path)
    assert oracle.wrong(path, np.array([1, 1], np.int8)) == 1


def test_the_counts_of_a_log_are_compared(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text("... INFO    signals generated signals=5 ones=3 ties=1\n")
    assert oracle.wrong(log, np.array([1, 1, 1, 0, -1], np.int8)) == 0
    assert oracle.wrong(log, np.array([1, 1, 0, 0, -1], np.int8)) == 2
