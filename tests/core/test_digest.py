"""Facts about digests, compared with their definition, computed slowly, bar by bar."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.core.digest import (
    HASHED_ROWS,
    digest_arrays,
    digest_of_sums,
    digest_rows,
    hex_text,
    key_table,
    plus,
    sums,
)
from rollsignal.core.kernel import NO_SIGNAL
from tests.support.oracle import digest, hashed, mix

Bar = tuple[str, int, "int | None"]
MINUTE = 60 * 10**9

symbols = st.text(st.characters(exclude_categories=()), max_size=20)
signals = st.sampled_from([0, 1, None])
int64s = st.integers(-(2**63), 2**63 - 1)
bars = st.lists(st.tuples(st.sampled_from(["", "A", "BTC/USDT", "é\udcff"]), int64s, signals))


def digested(drawn: Sequence[Bar]) -> int:
    """Digest bars of many symbols by plain Python."""
    total = 0
    for symbol in {bar[0] for bar in drawn}:
        own = [bar for bar in drawn if bar[0] == symbol]
        part = digest_rows(symbol, [bar[1] for bar in own], [bar[2] for bar in own])
        total = plus(total, part)
    return total


def in_arrays(drawn: Sequence[Bar]) -> int:
    """Digest bars of many symbols at once by NumPy."""
    names = sorted({bar[0] for bar in drawn})
    return digest_arrays(
        key_table(names),
        np.array([bar[1] for bar in drawn], np.int64),
        np.array([NO_SIGNAL if bar[2] is None else bar[2] for bar in drawn], np.int8),
        np.array([names.index(bar[0]) for bar in drawn], np.int64),
    )


def test_the_definition_mixes_like_splitmix64_whose_first_outputs_are_published() -> None:
    outputs = [mix(step * 0x9E3779B97F4A7C15 % 2**64) for step in (1, 2, 3)]
    assert outputs == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]


@pytest.mark.parametrize(
    ("symbol", "place", "signal", "text"),
    [
        ("", 1, None, "1c166ff01c086c55abec301d16c1e062"),
        ("", 1, 0, "96cf1df71313a3bb05b5d560663f1684"),
        ("BTC", 1_700_000_000_000_000_000, 1, "a17b055ce4ef289ddcb2ebb5272ab5fb"),
        ("BTC/USDT:é", -5, 0, "c0d05978e540ca6b77b8da1eb710d6bd"),
    ],
)
def test_the_digest_of_a_bar_is_that_of_a_program_in_c(
    symbol: str, place: int, signal: int | None, text: str
) -> None:
    assert hex_text(digested([(symbol, place, signal)])) == text
    assert hex_text(in_arrays([(symbol, place, signal)])) == text
    assert hex_text(hashed(symbol, place, signal)) == text


@given(symbols, st.lists(st.tuples(st.integers(-(2**70), 2**70), signals)))
def test_plain_python_follows_the_definition(symbol: str, rows: list[tuple[int, int]]) -> None:
    found = [(symbol, place, signal) for place, signal in rows]
    assert digested(found) == digest(found)


@given(bars)
def test_arrays_follow_the_definition(found: list[Bar]) -> None:
    assert in_arrays(found) == digest(found)


@pytest.mark.parametrize("count", [HASHED_ROWS - 1, HASHED_ROWS, 2 * HASHED_ROWS + 1])
def test_both_implementations_agree_on_more_bars_than_a_block(count: int) -> None:
    draws = np.random.default_rng(count)
    places = np.cumsum(draws.integers(1, 2**40, count))
    drawn = draws.integers(0, 3, count).astype(np.int8)
    plain = [[0, 1, None][signal] for signal in drawn]
    digest = digest_arrays(key_table(["A"]), places, drawn)
    assert digest == digest_rows("A", places.tolist(), plain)


@pytest.mark.parametrize("begin", [1, HASHED_ROWS - 1, HASHED_ROWS, HASHED_ROWS + 1])
def test_series_that_go_on_from_block_to_block_keep_their_own_digests(begin: int) -> None:
    count = 3 * HASHED_ROWS
    places, drawn = np.arange(count), np.zeros(count, np.int8)
    series = (places >= begin).astype(np.int64)
    keys = key_table(["A", "B"])
    totals = sums(keys, places, drawn, np.array([0, begin]), series)
    digests = [digest_of_sums(four) for four in totals.T.tolist()]
    parts = [("A", range(begin)), ("B", range(begin, count))]
    assert digests == [digest_rows(name, part, [0] * len(part)) for name, part in parts]
    assert digest_arrays(keys, places, drawn, series) == plus(*digests)


def test_the_digest_of_no_bars_is_0() -> None:
    assert digested([]) == digest_rows("A", [], []) == in_arrays([]) == 0


@given(bars, st.data())
def test_the_order_of_bars_is_irrelevant(drawn: list[Bar], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(drawn))
    assert digested(shuffled) == digested(drawn)
    assert in_arrays(shuffled) == in_arrays(drawn)


@given(bars, st.data())
def test_digests_of_parts_add_up_to_that_of_the_whole(
    drawn: list[Bar], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(drawn)))
    assert plus(digested(drawn[:cut]), in_arrays(drawn[cut:])) == digested(drawn)


@given(st.lists(st.tuples(int64s, st.integers(0, 2), st.integers(0, 3)), max_size=30), st.data())
def test_each_series_of_a_panel_has_the_digest_of_its_own_bars(
    rows: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    names = ["", "A", "B", "long symbol"]
    keys = np.concatenate((key_table(names[:1]), key_table(names[1:])), axis=1)
    totals = np.zeros((4, len(names)), np.uint64)
    cut = data.draw(st.integers(0, len(rows)))
    for part in (rows[:cut], rows[cut:]):
        if part:
            add_up(totals, keys, sorted(part, key=lambda row: row[2]))
    for code, name in enumerate(names):
        own = [(name, place, [0, 1, None][signal]) for place, signal, of in rows if of == code]
        assert digest_of_sums(totals[:, code].tolist()) == digest(own)


def add_up(
    totals: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
    keys: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
    rows: list[tuple[int, int, int]],
) -> None:
    """Add bars, sorted by series, to the sums of each series."""
    places, signs, series = (np.array(column) for column in zip(*rows, strict=True))
    begins = np.flatnonzero(np.append(True, series[1:] != series[:-1]))
    signs = signs.astype(np.int8)
    totals[:, series[begins]] += sums(keys, places.astype(np.int64), signs, begins, series)


@given(st.tuples(symbols, int64s, signals), st.tuples(symbols, int64s, signals), st.data())
def test_a_bar_with_one_changed_field_has_another_digest(
    bar: Bar, other: Bar, data: st.DataObject
) -> None:
    field = data.draw(st.integers(0, 2))
    changed = (*bar[:field], other[field], *bar[field + 1 :])
    assert (digest_of(bar) == digest_of(changed)) == (bar == changed)


def digest_of(bar: tuple[object, ...]) -> int:
    symbol, place, signal = bar
    assert isinstance(symbol, str)
    assert isinstance(place, int)
    return digest_rows(symbol, [place], [signal if isinstance(signal, int) else None])


@given(st.lists(signals, min_size=2, max_size=40), st.data())
def test_signals_that_swap_places_change_the_digest(
    drawn: list[int | None], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(drawn))
    places = [MINUTE * row for row in range(len(drawn))]
    same = digest_rows("A", places, drawn) == digest_rows("A", places, shuffled)
    assert same == (drawn == shuffled)


def test_a_bar_that_comes_twice_is_counted_twice() -> None:
    once = digest_rows("A", [MINUTE], [1])
    assert digest_rows("A", [MINUTE] * 2, [1, 1]) == plus(once, once) != once


@pytest.mark.parametrize("step", [1, 1000, 10**9, MINUTE, 2**32, 2**59])
def test_neither_half_of_the_hashes_of_similar_bars_repeats(step: int) -> None:
    names = ["", "\0", "A", "B", "AA", "A" * 8, "A" * 8 + "\0", "A" * 16, "a", "1", "2"]
    places, signs, series = zip(
        *product(range(0, 9 * step, step), range(3), range(11)), strict=True
    )
    hashes = sums(
        key_table(names),
        np.array(places),
        np.array(signs, np.int8),
        np.arange(len(places)),
        np.array(series),
    )
    for half_of_each in hashes[:2]:
        assert len(np.unique(half_of_each)) == len(places)


@pytest.mark.parametrize("bit", range(64))
def test_every_bit_of_a_place_changes_about_half_of_the_bits_of_its_hash(bit: int) -> None:
    places = np.arange(4000, dtype=np.int64) * MINUTE
    flipped = (places.view(np.uint64) ^ np.uint64(1 << bit)).view(np.int64)
    zeros, each = np.zeros(len(places), np.int8), np.arange(len(places))
    keys = key_table(["A"])
    changed = sums(keys, places, zeros, each)[:2] ^ sums(keys, flipped, zeros, each)[:2]
    bits = np.unpackbits(changed.view(np.uint8).reshape(2, -1, 8), axis=2).mean(axis=1)
    # Of 4,000 fair coins 1,800 to 2,200 show heads, except once in 10^9 times.
    assert bits.min() > 0.45
    assert bits.max() < 0.55


@given(st.integers(0, 2**128 - 1))
def test_a_digest_is_written_as_32_digits(digest: int) -> None:
    text = hex_text(digest)
    assert (len(text), text.lower(), int(text, 16)) == (32, text, digest)
