"""Gaps in time: every step beyond its series' most common one, however the bars come."""

from collections import Counter
from functools import partial
from itertools import cycle, pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.config.settings import Checks, JobConfig
from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.arrays import TickArray
from rollsignal.core.bars import Batch
from rollsignal.core.findings import Findings, LocatedFinding
from rollsignal.core.gaps import MAX_STEPS
from rollsignal.core.ledger import Ledger
from rollsignal.core.symbols import Coded
from rollsignal.core.ticks import Ticks
from rollsignal.core.timestamps.reader import iso
from rollsignal.errors import DataError
from tests.support.deciding import FakeReader
from tests.support.strategies import cuts_of
from tests.support.tables import CONFIG

SECOND = 10**9
MINUTE = 60 * SECOND
FAR = 2**62

File = list[tuple[str, int]]
"""A file's rows: symbol and nanoseconds since 1970."""


class Gap(NamedTuple):
    """A gap: where it first occurs, and how many similar ones there are."""

    timestamp: str | None
    file: str
    row: int | None
    symbol: str
    gaps: int


class Recorder(Findings):
    """Findings that remember all, with their counts."""

    def __init__(self) -> None:
        super().__init__({"order": "off", "duplicates": "off", "gaps": "warn"}, print)
        self.all: list[tuple[LocatedFinding, int]] = []

    def report(self, finding: LocatedFinding, count: int = 1) -> None:
        if finding.check == "gaps":
            self.all.append((finding, count))


def by_definition(files: list[File]) -> list[Gap]:
    """Count the steps of each series, and list those beyond the most common (the least of such)."""
    places: dict[str, list[tuple[int, str, int]]] = {}
    for number, rows in enumerate(files):
        for row, (symbol, ns) in enumerate(rows, start=2):
            places.setdefault(symbol, []).append((ns, f"{number}.csv", row))
    gaps = []
    for symbol, bars in places.items():
        steps = [after[0] - before[0] for before, after in pairwise(bars)]
        counts = Counter(step for step in steps if step > 0)
        most = max(counts.values(), default=0)
        usual = min((step for step, count in counts.items() if count == most), default=0)
        for step in counts:
            if step > usual:
                at = min(bars[index + 1] for index, each in enumerate(steps) if each == step)
                gaps.append((*at, symbol, counts[step]))
    # The other fields have the types that Gap has.
    return [Gap(iso(ns), *others) for ns, *others in sorted(gaps)]  # type: ignore[arg-type]


def batch_of(rows: File, begin: int, panel: bool, arrays: bool) -> Batch | ArrayBatch:
    times_ns, symbols = [ns for _, ns in rows], [symbol for symbol, _ in rows]
    lines = range(begin, begin + len(rows))
    closes = Ticks([1] * len(rows), 0)
    plain = Batch(closes, ["1"] * len(rows), times_ns, lines, symbols if panel else None)
    if not arrays or max(map(abs, times_ns)) >= 2**63:
        return plain
    names = sorted(set(symbols))
    codes = np.array([names.index(symbol) for symbol in symbols], np.int64)
    return ArrayBatch(
        TickArray(np.ones(len(rows), np.int64), 0),
        np.array(times_ns, np.int64),
        Coded(names, codes) if panel else None,
        partial(Batch, *plain),
        begin,
    )


def taken(files: list[File], cuts: list[list[slice]], arrays: list[bool], panel: bool) -> Recorder:
    """Give a ledger these files, cut into batches, some of them as arrays."""
    findings = Recorder()
    config = CONFIG._replace(checks=Checks("off", "off", gaps="warn"))
    ledger = Ledger(config.rules, findings)
    which = cycle(arrays)
    for number, (rows, slices) in enumerate(zip(files, cuts, strict=True)):
        reader = FakeReader([])
        reader.name = f"{number}.csv"
        for cut in slices:
            if rows[cut]:
                batch = batch_of(rows[cut], cut.start + 2, panel, next(which))
                ledger.take(batch, reader)
    ledger.finish()
    return findings


def gaps_in(findings: Recorder) -> list[Gap]:
    for finding, _ in findings.all:
        assert finding.message.startswith(f"{finding.file} line {finding.row}: a step of ")
        assert f" before {finding.timestamp}" in finding.message
    return [
        Gap(finding.timestamp, finding.file, finding.row, finding.symbol, count)
        for finding, count in findings.all
    ]


@st.composite
def series_in_time(draw: st.DrawFn, symbol: str) -> File:
    """Draw rows of one series: a few steps again and again, some of them zero or backwards."""
    steps = st.sampled_from([1, 1, MINUTE, MINUTE, 2 * MINUTE, 5 * MINUTE, 0, -MINUTE, FAR])
    rows, ns = [], draw(st.sampled_from([0, -FAR, -2 * FAR + 1, 3 * FAR]))
    for step in draw(st.lists(steps, max_size=12)):
        rows.append((symbol, ns))
        ns += step
    return rows


@st.composite
def tables_in_time(draw: st.DrawFn, symbols: list[str]) -> list[File]:
    """Draw series, interleaved and spread over up to three files."""
    left = {symbol: iter(draw(series_in_time(symbol))) for symbol in symbols}
    rows = []
    for symbol in draw(st.lists(st.sampled_from(symbols), max_size=30)):
        row = next(left[symbol], None)
        rows += [row] if row else []
    edges = [0, *sorted(draw(st.lists(st.integers(0, len(rows)), max_size=2))), len(rows)]
    return [rows[begin:end] for begin, end in pairwise(edges)]


kinds = st.lists(st.booleans(), min_size=1, max_size=5)


@given(st.data(), kinds, st.sampled_from([[""], ["A", "B"], ["A", "B", "C", "D"]]))
def test_gaps_are_those_of_the_definition_however_the_bars_come(
    data: st.DataObject, arrays: list[bool], symbols: list[str]
) -> None:
    files = data.draw(tables_in_time(symbols))
    cuts = [data.draw(cuts_of(len(rows))) for rows in files]
    findings = taken(files, cuts, arrays, panel=len(symbols) > 1)
    assert gaps_in(findings) == by_definition(files)


@given(st.data(), kinds, st.sampled_from([[""], ["A", "B"]]))
def test_any_cutting_gives_the_same_messages(
    data: st.DataObject, arrays: list[bool], symbols: list[str]
) -> None:
    files = data.draw(tables_in_time(symbols))
    whole = [[slice(0, len(rows))] for rows in files]
    cuts = [data.draw(cuts_of(len(rows))) for rows in files]
    panel = len(symbols) > 1
    assert taken(files, cuts, arrays, panel).all == taken(files, whole, [False], panel).all


def messages(rows: File, arrays: bool = False) -> list[str]:
    findings = taken([rows], [[slice(0, len(rows))]], [arrays], panel=bool(rows[0][0])).all
    return [finding.message for finding, _ in findings]


@pytest.mark.parametrize("arrays", [False, True])
@pytest.mark.parametrize(
    ("symbol", "steps", "what"),
    [
        ("", [60, 60, 300], "a step of 0:05:00 before 1970-01-01T00:07:00Z, where 0:01:00"),
        ("BTC", [60, 60, 300], "a step of 0:05:00 before 1970-01-01T00:07:00Z of 'BTC', where"),
        ("", [86400, 86400, 259200], "a step of 3 days, 0:00:00 before 1970-01-06T00:00:00Z"),
        ("", [1e-9, 1e-9, 5e-9], "a step of 5 ns before 1970-01-01T00:00:00.000000007Z, where 1"),
    ],
)
def test_a_gap_is_reported_with_its_line_its_step_and_the_usual_one(
    symbol: str, steps: list[float], what: str, arrays: bool
) -> None:
    times = [round(SECOND * sum(steps[:count])) for count in range(4)]
    (message,) = messages([(symbol, ns) for ns in times], arrays)
    assert message.startswith(f"0.csv line 5: {what}")
    assert message.endswith(" is usual (set checks: {gaps: warn})")


def test_steps_beyond_the_calendar_are_written_in_nanoseconds() -> None:
    """A count far beyond the year 9999, such as a count in a wrong unit."""
    (message,) = messages([("", 0), ("", 1), ("", 2), ("", 10**29)])
    assert "a step of 99,999,999,999,999,999,999,999,999,998 ns before 1" in message


@pytest.mark.parametrize("arrays", [[True], [False], [True, False]])
@pytest.mark.parametrize("cut", [1, 2, 700, MAX_STEPS + 3])
@pytest.mark.parametrize("symbol", ["", "A"])
def test_a_series_of_too_many_different_steps_has_no_usual_one(
    arrays: list[bool], cut: int, symbol: str
) -> None:
    rows = [(symbol, row * (row + 1)) for row in range(MAX_STEPS + 3)]
    slices = [slice(begin, begin + cut) for begin in range(0, len(rows), cut)]
    ((finding, count),) = taken([rows], [slices], arrays, panel=bool(symbol)).all
    of = " of 'A'" if symbol else ""
    assert (count, finding.row, finding.timestamp, finding.symbol) == (1, None, None, symbol)
    assert finding.message == (
        f"0.csv: more than 1,000 different steps in time{of}, so none is usual"
        " (set checks: {gaps: off})"
    )


def test_as_many_different_steps_as_are_remembered_have_a_usual_one() -> None:
    rows = [("", row * (row + 1)) for row in range(MAX_STEPS + 1)]
    assert len(messages(rows)) == MAX_STEPS - 1


def run_with(level: str, times: list[int]) -> list[str]:
    """Decide one series at a level of the check; return the warnings."""
    warnings: list[str] = []
    # Each level is one of the three words.
    config: JobConfig = CONFIG._replace(checks=Checks(gaps=level))  # type: ignore[arg-type]
    findings = Findings(config.checks._asdict(), lambda _, text: warnings.append(text))
    ledger = Ledger(config.rules, findings)
    ledger.take(batch_of([("", ns) for ns in times], 2, False, False), FakeReader([]))
    ledger.finish()
    assert findings.counts == ({"gaps": 2} if warnings else {})
    return warnings


def test_a_gap_is_an_error_a_warning_or_nothing_as_the_config_says() -> None:
    times = [0, 1, 2, 3, 6, 7, 10]
    assert run_with("off", times) == []
    (warning,) = run_with("warn", times)
    assert "line 6: a step of 3 ns before " in warning
    with pytest.raises(DataError) as caught:
        run_with("error", times)
    assert caught.value.message == warning


@pytest.mark.parametrize("arrays", [False, True])
def test_a_step_of_more_than_63_bits_is_a_gap(arrays: bool) -> None:
    begin, end = 1 - 2**63, 2**63 - 1
    (message,) = messages([("", begin), ("", begin + 1), ("", begin + 2), ("", end)], arrays)
    assert (
        "a step of 18,446,744,073,709,551,612 ns before 2262-04-11T23:47:16.854775807Z" in message
    )


@pytest.mark.parametrize("arrays", [False, True])
def test_gaps_at_the_same_time_come_in_the_order_of_their_rows(arrays: bool) -> None:
    rows = [(symbol, ns) for ns in (0, 1, 2, 9) for symbol in "BA"]
    findings = taken([rows], [[slice(0, 2), slice(2, 8)]], [arrays], panel=True)
    assert [(gap.symbol, gap.row) for gap in gaps_in(findings)] == [("B", 8), ("A", 9)]


def test_of_similar_gaps_the_earliest_is_reported() -> None:
    rows = [("", ns) for ns in (0, 1, 2, 50, 55, 3, 8, 9)]
    assert gaps_in(taken([rows], [[slice(0, 8)]], [False], panel=False)) == by_definition([rows])
    assert by_definition([rows])[0][2:] == (8, "", 2)


@pytest.mark.parametrize("arrays", [False, True])
def test_a_gap_names_its_row_also_where_bars_before_it_are_left_out(arrays: bool) -> None:
    rows = [("", minute * MINUTE) for minute in (0, 0, 1, 2, 0, 9)]
    new = batch_of(rows, 2, panel=False, arrays=arrays).picked([0, 2, 3, 5])
    findings = Recorder()
    ledger = Ledger(CONFIG._replace(checks=Checks(gaps="warn")).rules, findings)
    ledger.take(new, FakeReader([]))
    ledger.finish()
    assert [gap.row for gap in gaps_in(findings)] == [7]
    assert new.lines_int64().tolist() == [2, 4, 5, 7]
    again = new.picked([1, 2])
    assert [again.line_of(index) for index in range(2)] == [4, 5]
