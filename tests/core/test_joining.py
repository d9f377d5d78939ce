"""Pieces decided alone and joined have what one run over everything has, however bars are cut."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from random import Random
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.core import gaps, joining
from rollsignal.core.decisions import Decided
from rollsignal.core.edges import NO_BARS, Edges, Terms
from rollsignal.core.joining import Join, Settled, join
from rollsignal.core.kernel import Account
from rollsignal.core.ledger import Ledger, Rules
from rollsignal.core.piece import Piece
from rollsignal.core.replay import Replay
from rollsignal.errors import DiskError, JobError
from tests.support.deciding import Kept
from tests.support.pieces import (
    Bar,
    Case,
    MemoryFile,
    Outcome,
    Part,
    Tellings,
    by_definition,
    cases,
    edges_of,
    exact,
    in_one_run,
    outcome,
)
from tests.support.sweeps import examples, sweep

LEVELS = {"order": "warn", "duplicates": "warn", "values": "off", "gaps": "off"}
FEW_STEPS = 2


def cut(parts: Sequence[Part], places: Sequence[int]) -> list[Sequence[Part]]:
    """Cut batches into pieces, some of them empty."""
    edges = [0, *sorted(place % (len(parts) + 1) for place in places), len(parts)]
    return [parts[slice(*pair)] for pair in pairwise(edges)]


def joined(
    case: Case, edges: Sequence[Edges], known: dict[str, Account] | None = None
) -> tuple[Outcome, list[Settled]]:
    findings, settled = Tellings(case.terms), list[Settled]()
    together = Join(case.terms, findings, known)
    try:
        for each in edges:
            settled.append(together.add(pickle.loads(pickle.dumps(each))))
        together.finish()
    except JobError as error:
        return Outcome(error.message, findings.told), settled
    return outcome(findings, together.accounts, together.counted, together.digest), settled


PLACES = st.lists(st.integers(0, 8), max_size=6)


@sweep
@settings(max_examples=examples(500))
@given(cases(), PLACES, st.booleans(), st.booleans())
def test_pieces_that_are_joined_have_what_one_run_has(
    case: Case, places: list[int], arrays: bool, few_steps: bool
) -> None:
    with mock.patch.object(gaps, "MAX_STEPS", FEW_STEPS if few_steps else gaps.MAX_STEPS):
        edges = [edges_of(case.terms, parts, arrays=arrays) for parts in cut(case.parts, places)]
        assert joined(case, edges)[0] == in_one_run(case)


@sweep
@settings(max_examples=examples(200))
@given(cases(clean=True), PLACES)
def test_tallies_and_digest_are_those_of_the_definition(case: Case, places: list[int]) -> None:
    case = case._replace(terms=case.terms._replace(span=None))
    together = Join(case.terms, Tellings(case.terms))
    for parts in cut(case.parts, places):
        together.add(edges_of(case.terms, parts))
    tallies, digest = by_definition(case)
    assert {symbol: each.tally for symbol, each in together.accounts.items()} == tallies
    assert together.digest == digest


@sweep
@settings(max_examples=examples(150))
@given(cases(), st.integers(0, 8), PLACES)
def test_series_that_are_known_are_continued(case: Case, at: int, places: list[int]) -> None:
    quiet = case.terms._replace(levels=dict.fromkeys(case.terms.levels, "off"), span=None)
    ledger = Ledger(quiet.rules, Tellings(quiet))
    try:
        for part in case.parts[:at]:
            ledger.take(part.batch(), part.file)
    except JobError:
        return
    ledger.close_panel()
    rest, known = case._replace(parts=case.parts[at:]), dict(ledger.accounts)
    edges = [edges_of(rest.terms, parts) for parts in cut(rest.parts, places)]
    assert joined(rest, edges, known)[0] == in_one_run(rest, known)


def in_any_pairs(terms: Terms, edges: list[Edges], random: Random) -> Edges:
    """Join neighbours, drawn at random, until one is left."""
    edges = list(edges)
    while len(edges) > 1:
        at = random.randrange(len(edges) - 1)
        edges[at : at + 2] = [join(terms, edges[at], edges[at + 1])]
    return edges[0]


@sweep
@settings(max_examples=examples(250))
@given(cases(), PLACES, st.randoms(use_true_random=False), st.booleans())
def test_neighbours_may_be_joined_in_any_order(
    case: Case, places: list[int], random: Random, few_steps: bool
) -> None:
    with mock.patch.object(gaps, "MAX_STEPS", FEW_STEPS if few_steps else gaps.MAX_STEPS):
        terms = case.terms
        edges = [edges_of(terms, parts) for parts in cut(case.parts, places)]
        in_order = reduce(lambda earlier, later: join(terms, earlier, later), edges, NO_BARS)
        assert in_any_pairs(terms, edges, random) == in_order
        assert join(terms, in_order, NO_BARS) == in_order
        assert same_for_any_scale(in_order) == same_for_any_scale(edges_of(terms, case.parts))


def same_for_any_scale(edges: Edges) -> object:
    accounts = {symbol: series.account for symbol, series in edges.series.items()}
    in_span = {symbol: each.in_span for symbol, each in edges.series.items() if each.in_span}
    rest = {symbol: (each.head, each.unnumbered) for symbol, each in edges.series.items()}
    return exact(accounts), exact(in_span), rest, edges._replace(series={})


@sweep
@settings(max_examples=examples(150))
@given(cases(clean=True), PLACES)
def test_a_second_pass_gives_the_bars_of_one_run(case: Case, places: list[int]) -> None:
    pieces = cut(case.parts, places)
    _, settled = joined(case, [edges_of(case.terms, parts) for parts in pieces])
    kept, expected = Kept(), Kept()
    for parts, each in zip(pieces, settled, strict=True):
        replay = Replay(case.terms, each, kept.take)
        for part in parts:
            replay.take(part.batch(), part.file)
        replay.prove()
    ledger = Ledger(case.terms.rules, Tellings(case.terms), expected.take)
    for part in case.parts:
        ledger.take(part.batch(), part.file)
    span = case.terms.span
    within = [bars.within(*span) if span else bars for bars in expected.bars]
    assert rows_of(kept.bars) == rows_of(within)


def rows_of(several: Sequence[Decided]) -> list[tuple[object, ...]]:
    """Return the place, close and signal of each bar."""
    return [
        (int(place), close if close is None else Fraction(int(close), 10**bars.scale), int(signal))
        for bars in several
        for place, close, signal in zip(bars.places, bars.closes, bars.signals, strict=False)
    ]


def file_of(cells: Sequence[str], file: str = "a.csv", row: int = 1, ns: int | None = 0) -> Part:
    bars = [Bar("", None if ns is None else ns + at, cell) for at, cell in enumerate(cells)]
    return Part(MemoryFile(file), row, bars, is_panel=False, in_arrays=True)


TERMS = Terms(Rules(3), LEVELS)


def test_a_join_that_drops_the_head_is_noticed() -> None:
    case = Case([file_of("1234"), file_of("5678", row=5, ns=4)], TERMS)
    edges = [edges_of(TERMS, [part]) for part in case.parts]
    forgetful = mock.patch.object(joining, "continued", lambda *given: given[3])
    with forgetful:
        assert joined(case, edges)[0] != in_one_run(case)
    assert joined(case, edges)[0] == in_one_run(case)


def test_a_piece_that_another_pass_sees_otherwise_is_refused() -> None:
    first, second, other = (file_of(cells) for cells in ("1234", "5678", "5679"))
    _, settled = joined(Case([first], TERMS), [edges_of(TERMS, [first]), NO_BARS])
    for part, is_same in ((first, True), (second, False), (other, False)):
        replay = Replay(TERMS, settled[0], Kept().take)
        replay.take(part.batch(), part.file)
        if is_same:
            replay.prove()
        else:
            with pytest.raises(DiskError, match="changed while it was read"):
                replay.prove()


def test_a_bar_out_of_order_across_a_cut_names_its_row() -> None:
    terms = TERMS._replace(levels=LEVELS | {"order": "error"})
    parts = [file_of("123"), file_of("45", row=4, ns=1)]
    found, _ = joined(Case(parts, terms), [edges_of(terms, [part]) for part in parts])
    earlier = "is earlier than 1970-01-01T00:00:00.000000002Z in the previous row"
    assert found.error == f"a.csv row 4: {earlier} (order)"


@pytest.mark.parametrize("in_arrays", [False, True])
def test_the_row_across_a_cut_is_right_also_where_bars_before_it_are_left_out(
    in_arrays: bool,
) -> None:
    whole = file_of("12345")
    bars = [Bar(name, ns, "1") for name, ns in [("A", 5), ("B", 6), ("A", 6), ("A", 7), ("B", 7)]]
    panel = whole._replace(bars=bars, is_panel=True, in_arrays=in_arrays)
    terms = TERMS._replace(levels=LEVELS | {"duplicates": "error"})
    first, second = Piece(terms), Piece(terms)
    first.take(panel.batch().picked([0, 1]), panel.file)
    first.take(panel.batch().picked([4]), panel.file)
    second.take(panel.batch().picked([2, 4]), panel.file)
    found, _ = joined(Case([], terms), [first.edges(), second.edges()])
    assert found.error == "a.csv row 5: is the same as in the previous row of 'B' (duplicates)"


def test_a_file_that_overlaps_the_one_of_the_piece_before_is_told() -> None:
    parts = [file_of("123"), file_of("45", "b.csv", ns=2)]
    found, _ = joined(Case(parts, TERMS), [edges_of(TERMS, [part]) for part in parts])
    (told,) = [text for _, text in found.told]
    assert told.startswith(
        "b.csv begins at 1970-01-01T00:00:00.000000002Z, but a.csv, which comes before it,"
        " ends at 1970-01-01T00:00:00.000000002Z: do they overlap? ("
    )


@pytest.mark.parametrize("collect_errors", [False, True])
def test_timestamps_in_one_of_two_pieces_end_the_run(collect_errors: bool) -> None:
    terms = TERMS._replace(collect_errors=collect_errors)
    parts = [file_of("123"), file_of("45", "b.csv", ns=None)]
    found, _ = joined(Case(parts, terms), [edges_of(terms, [part]) for part in parts])
    assert found.error == "a.csv has timestamps, but b.csv, of the same series, has none"


def test_a_window_longer_than_all_pieces_together_gives_no_signal() -> None:
    parts = [file_of("12", row=2 * at + 1, ns=2 * at) for at in range(5)]
    for window, signals in ((11, 0), (10, 1), (9, 2)):
        terms = Terms(Rules(window), LEVELS)
        together = Join(terms, Tellings(terms))
        for part in parts:
            together.add(edges_of(terms, [part]))
        assert together.accounts[""].tally[:3] == (10, 0, signals)
