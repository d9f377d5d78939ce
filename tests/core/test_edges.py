"""The edges of a piece: the head of each series, what is final, and values that fit into bytes."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.core.edges import (
    Refusal,
    Terms,
    head_of,
    packed_numbers,
    packed_signals,
    unpacked_numbers,
    unpacked_signals,
)
from rollsignal.core.kernel import Tally
from rollsignal.core.ledger import Missing, Rules
from rollsignal.errors import InputError
from tests.support.pieces import Bar, MemoryFile, Part, edges_of

LEVELS = {"order": "error", "duplicates": "error", "values": "warn", "gaps": "off"}


def part(*cells: str, timed: bool = True, in_arrays: bool = False) -> Part:
    bars = [Bar("", 10 * at if timed else None, cell) for at, cell in enumerate(cells, start=1)]
    return Part(MemoryFile("a.csv"), 1, bars, is_panel=False, in_arrays=in_arrays)


def terms(window: int = 3, missing: Missing = "gap") -> Terms:
    return Terms(Rules(window, missing), LEVELS)


@given(st.lists(st.integers(-(10**25), 10**25) | st.integers(-9, 9)))
def test_packed_numbers_come_out_as_they_went_in(numbers: list[int]) -> None:
    assert unpacked_numbers(packed_numbers(numbers)) == numbers


@given(st.lists(st.integers(0, 2)).map(bytes))
def test_packed_signals_come_out_as_they_went_in(signals: bytes) -> None:
    packed = packed_signals(signals)
    assert unpacked_signals(packed) == signals
    assert len(packed.packed) == (len(signals) + 3) // 4


def test_equal_heads_are_equal_at_any_scale() -> None:
    assert head_of([1050, 200], 2, [1, 2], is_open=True) == head_of(
        [105, 20], 1, [1, 2], is_open=True
    )
    assert head_of([0], 3, [1], is_open=True).ticks == ([0], 0)


@pytest.mark.parametrize("in_arrays", [False, True])
@pytest.mark.parametrize(
    ("window", "missing", "cells", "closes", "places", "is_open"),
    [
        (3, "gap", "1234", [1, 2], [10, 20], False),
        (1, "gap", "12", [], [], False),
        (9, "gap", "123", [1, 2, 3], [10, 20, 30], True),
        (4, "gap", ["1", "2", "", "3", "4"], [1, 2], [10, 20], False),
        (4, "gap", ["", "1", "2"], [], [], False),
        (4, "skip", ["1", "", "", "3", "4", "5"], [1, 3, 4], [10, 40, 50], False),
        (4, "skip", ["", "1", "", "2"], [1, 2], [20, 40], True),
    ],
)
def test_the_head_is_what_the_bars_before_a_piece_decide(
    window: int,
    missing: Missing,
    cells: list[str],
    closes: list[int],
    places: list[int],
    is_open: bool,
    in_arrays: bool,
) -> None:
    for cuts in (1, 2, 9):
        parts = [part(*cells, in_arrays=in_arrays)]
        if cuts > 1:
            bars = parts[0].bars
            pieces = [bars[at : at + cuts - 1] for at in range(0, len(bars), cuts - 1)]
            parts = [parts[0]._replace(bars=piece) for piece in pieces]
        head = edges_of(terms(window, missing), parts).series[""].head
        assert (unpacked_numbers(head.closes), unpacked_numbers(head.places)) == (closes, places)
        assert head.is_open == is_open


def test_the_edges_are_small_however_long_the_piece() -> None:
    sizes = [
        len(pickle.dumps(edges_of(terms(), [part(*["1"] * rows, in_arrays=True)])))
        for rows in (100, 10_000)
    ]
    assert sizes[1] < sizes[0] + 10


def test_signals_without_timestamps_take_a_quarter_of_a_byte() -> None:
    edges = edges_of(terms(), [part(*["1"] * 10_000, timed=False)])
    assert edges.digest == 0
    assert len(edges.series[""].unnumbered.packed) == 2_500


def test_after_a_refusal_nothing_is_kept_but_what_tells_which_error_is_the_first() -> None:
    bad = part("1", "2")._replace(bars=[Bar("", 20, "0"), Bar("", 10, "2")])
    edges = edges_of(terms(), [bad])
    assert edges.refusal
    assert edges.refusal.message.startswith("a.csv row 2: is earlier than")
    kinds = [event.check if not isinstance(event, Refusal) else "refusal" for event in edges.events]
    assert kinds == ["symbols", "times", "overlap", "values", "order", "refusal"]
    assert (edges.series, edges.counts) == ({}, {})


def test_an_error_of_a_reader_is_kept_with_its_kind() -> None:
    error = pickle.loads(pickle.dumps(Refusal(InputError, "a.csv is cut off", "read it again")))
    assert isinstance(error.error, InputError)
    assert (error.error.message, error.error.detail) == ("a.csv is cut off", "read it again")


def test_the_tally_is_that_of_a_run_over_the_piece_alone() -> None:
    account = edges_of(terms(), [part("1", "2", "3", "3", "1")]).series[""].account
    assert account.tally == Tally(rows=5, missing=0, signals=3, ones=2, ties=0)
