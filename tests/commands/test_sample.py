"""Laws of the sample generator, and the facts the shipped data.csv is chosen for."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.commands import sample
from rollsignal.commands.sample import sample_csv

ROOT = Path(__file__).resolve().parents[2]
WINDOW = 5


@cache
def shipped() -> str:
    return (ROOT / "data.csv").read_bytes().decode("ascii")


def text(rows: int, seed: int, block_rows: int = 4096) -> str:
    return "".join(sample_csv(rows, seed, block_rows=block_rows))


def rows_of(csv: str) -> list[dict[str, str]]:
    header, *lines = (line.split(",") for line in csv.splitlines())
    return [dict(zip(header, line, strict=True)) for line in lines]


def closes() -> list[Fraction]:
    return [Fraction(row["close"]) for row in rows_of(shipped())]


def windows(prices: list[Fraction]) -> list[list[Fraction]]:
    return [prices[end - WINDOW : end] for end in range(WINDOW, len(prices) + 1)]


def test_the_shipped_data_is_what_the_generator_makes_byte_for_byte() -> None:
    assert text(10_000, 42).encode("ascii") == (ROOT / "data.csv").read_bytes()


def test_exactly_4989_closes_are_above_their_mean_which_gives_both_published_rates() -> None:
    all_windows = windows(closes())
    ones = sum(window[-1] > sum(window) / WINDOW for window in all_windows)
    assert (ones, len(all_windows)) == (4_989, 9_996)
    assert [f"{Decimal(ones) / bars:.4f}" for bars in (9_996, 10_000)] == ["0.4991", "0.4989"]


def test_over_a_hundred_closes_equal_their_mean_some_of_them_in_windows_that_move() -> None:
    ties = [window for window in windows(closes()) if WINDOW * window[-1] == sum(window)]
    flat = [window for window in ties if len(set(window)) == 1]
    assert (len(ties), len(flat)) == (114, 97)


def test_two_runs_are_equal_and_other_seeds_differ() -> None:
    assert text(50, 7) == text(50, 7)
    assert len({text(50, seed) for seed in (0, 1, 7, 42, 2**40, 2**200)}) == 6


def test_no_rows_are_the_header_alone() -> None:
    assert text(0, 42) == "timestamp,open,high,low,close,volume_btc,volume_usd\n"


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 2**64), st.integers(1, 400))
@settings(max_examples=40, deadline=None)
def test_a_shorter_sample_begins_a_longer_one_in_blocks_of_any_size(
    rows: int, more: int, seed: int, block_rows: int
) -> None:
    shorter, longer = text(rows, seed), text(rows + more, seed, block_rows)
    assert longer.startswith(shorter)
    assert longer.count("\n") == 1 + rows + more


def test_pieces_are_whole_lines_so_that_memory_does_not_grow() -> None:
    pieces = list(sample_csv(250, 3, block_rows=100))
    assert [piece.count("\n") for piece in pieces] == [1, 100, 100, 50]
    assert all(piece.endswith("\n") for piece in pieces)


@pytest.mark.parametrize(("rows", "seed", "block_rows"), [(-1, 0, 1), (1, -1, 1), (1, 0, 0)])
def test_negative_rows_or_seeds_and_empty_blocks_are_refused(
    rows: int, seed: int, block_rows: int
) -> None:
    with pytest.raises(ValueError, match=r"rows|negative"):
        sample_csv(rows, seed, block_rows=block_rows)


def test_timestamps_are_one_minute_apart_from_the_start_of_2024() -> None:
    start = datetime(2024, 1, 1)
    expected = [str(start + timedelta(minutes=minute)) for minute in range(10_000)]
    assert [row["timestamp"] for row in rows_of(shipped())] == expected


@pytest.mark.parametrize("seed", [0, 1, 42])
def test_low_and_high_enclose_open_and_close_and_every_number_is_positive(seed: int) -> None:
    for row in rows_of(text(5_000, seed)):
        opened, high, low, close = (Decimal(row[name]) for name in ("open", "high", "low", "close"))
        assert 0 < low <= min(opened, close) <= max(opened, close) <= high
        assert Decimal(row["volume_btc"]) > 0
        assert Decimal(row["volume_usd"]) > 0


def test_prices_have_two_decimals_and_volumes_eight_and_two() -> None:
    places = [
        [len(field.partition(".")[2]) for field in row.values()] for row in rows_of(shipped())
    ]
    assert {tuple(counts) for counts in places} == {(0, 2, 2, 2, 2, 8, 2)}


def test_each_bar_opens_within_two_cents_of_the_last_close() -> None:
    bars = rows_of(shipped())
    lasts = ["42000.00", *(row["close"] for row in bars)]
    gaps = {Decimal(row["open"]) - Decimal(last) for row, last in zip(bars, lasts, strict=False)}
    assert gaps == {Decimal(cents) / 100 for cents in (-2, -1, 0, 1, 2)}


def test_the_dollar_volume_is_the_volume_at_the_close_to_the_cent() -> None:
    for row in rows_of(shipped()):
        worth = Decimal(row["close"]) * Decimal(row["volume_btc"])
        cent = Decimal("0.01")
        assert Decimal(row["volume_usd"]) == worth.quantize(cent, rounding=ROUND_HALF_UP)


@given(st.integers(-(2**62), 2**62), st.integers(-100_000, 100_000))
def test_prices_stay_between_the_walls_and_never_jump_however_far_the_walk_goes(
    place: int, move: int
) -> None:
    before, after = sample._price(np.array([place, place + move], dtype=np.int64)).tolist()
    assert sample.FLOOR <= before <= sample.CEILING
    assert abs(after - before) <= abs(move)


def test_large_moves_come_in_clusters_with_heavy_tails_and_more_volume() -> None:
    prices = closes()
    moves = np.array([float(b - a) for a, b in pairwise(prices)])
    volumes = np.array([float(row["volume_btc"]) for row in rows_of(shipped())[1:]])
    sizes, squares = abs(moves), moves**2
    assert (sizes[1:] * sizes[:-1]).mean() > 1.5 * sizes.mean() ** 2
    assert (squares**2).mean() > 6 * squares.mean() ** 2  # a normal law has 3
    large = sizes > np.quantile(sizes, 0.75)
    assert volumes[large].mean() > 2 * volumes[~large].mean()


def test_numpy_is_loaded_only_when_a_sample_is_made() -> None:
    code = "import sys, rollsignal.commands.sample; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
