"""Whoever decides, finds the same: what the definition says, to the last bit and byte.

Files are read by the fast readers in half of the cases; the expected answer is worked out on
fractions of the text, except for messages, which are those of the plain engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.core import joining
from rollsignal.core.findings import SHOWN_FINDINGS, Found, LocatedFinding
from rollsignal.core.kernel import Account
from rollsignal.engines import inputs
from rollsignal.engines.interface import Engine, Task
from rollsignal.engines.local import PlainEngine
from rollsignal.engines.spans import Span
from rollsignal.errors import DataError
from rollsignal.outputs.signals.writer import Signals
from tests.support import oracle
from tests.support.cut_engine import CutEngine
from tests.support.deciding import REPORT, begun, files
from tests.support.panels import HEADER, Panel, PanelRow, decided, digest_of, panels, tally_of
from tests.support.strategies import cuts_of
from tests.support.sweeps import examples, sweep
from tests.support.workers import SmallPiecesEngine

MakeEngine = Callable[[], Engine]
KINDS = st.lists(st.sampled_from(["csv", "parquet"]), min_size=8, max_size=8)
PANEL_CONFIG = JobConfig(
    seed=1, window=3, version="v", columns=Columns(symbol=SymbolFrom("symbol"))
)
SIGNALS_HEADER = "timestamp,symbol,close,rolling_mean,signal\n"


class Answer(NamedTuple):
    """What came of a task: what was found, or the error; the signals; the warnings."""

    found: Found | None
    error: str
    signals: str
    told: list[tuple[str, str]]

    @property
    def findings(self) -> tuple[Counter[str], list[LocatedFinding]]:
        assert self.found, self.error
        return self.found.findings.counts, self.found.findings.shown


def answer(engine: Engine, task: Task, folder: Path) -> Answer:
    """Decide a task, and have its signals written."""
    told: list[tuple[str, str]] = []
    found, error, path = None, "", folder / "signals.csv"
    with begun(Signals(str(path), task.config.window)) as signals:
        try:
            found = engine.decide(task, [signals], lambda level, text: told.append((level, text)))
            signals.finish(REPORT)
        except DataError as problem:
            error = problem.message
    text = path.read_text() if found else ""
    path.unlink(missing_ok=True)
    assert not list(folder.glob(".*")), "nothing unfinished is left"
    return Answer(found, error, text, told)


def answers(
    panel: Panel, cuts: Sequence[slice], kinds: Sequence[str], *engines: Engine, **rest: Any
) -> list[Answer]:
    """Write a panel to files, and have several engines decide it."""
    with TemporaryDirectory() as name:
        folder = Path(name, "written")
        folder.mkdir()
        paths = panel.write(Path(name), cuts, kinds)
        task = Task(files(paths), panel.config, digest=True, **rest)
        return [answer(engine, task, folder) for engine in engines]


def has_rows(panel: Panel, cuts: Sequence[slice]) -> list[slice]:
    """Return the cuts that are not empty: a file without rows does not tell its time."""
    return [cut for cut in cuts if panel.rows[cut]]


def fast(is_fast: bool) -> Any:
    """Let small files be read as large ones are, if so."""
    return mock.patch.object(inputs, "LARGE_BYTES", 0 if is_fast else inputs.LARGE_BYTES)


def facts(accounts: dict[str, Account]) -> dict[str, Any]:
    """Return what is known of each series, as numbers that do not depend on a scale."""
    return {
        symbol: (
            account.tally,
            [Fraction(close, 10**account.carry.scale) for close in account.carry.tail],
            account.last and (account.last.mean, account.last.signal),
            account.first_ns,
            account.last_ns,
        )
        for symbol, account in accounts.items()
    }


def facts_by_definition(panel: Panel) -> dict[str, Any]:
    window, skips = panel.config.window, panel.config.missing == "skip"
    rows_of: dict[str, list[Any]] = {}
    for row in decided(panel):
        rows_of.setdefault(row.row.symbol, []).append(row)
    known = {}
    for symbol, rows in rows_of.items():
        bars = [row for row in rows if row.close is not None or not skips]
        tail: list[Fraction] = []
        for bar in bars:
            tail = [] if bar.close is None else [*tail, bar.close]
        last = (bars[-1].mean, bars[-1].signal) if bars else None
        edges = rows[0].row.ns, rows[-1].row.ns
        known[symbol] = tally_of(rows), tail[max(0, len(tail) - window + 1) :], last, *edges
    return known


@sweep
@settings(max_examples=examples(40))
@given(panels(), st.data(), KINDS, st.booleans())
def test_tally_digest_accounts_and_signals_are_those_of_the_definition(
    engine: MakeEngine, panel: Panel, data: st.DataObject, kinds: list[str], is_fast: bool
) -> None:
    cuts = has_rows(panel, data.draw(cuts_of(len(panel.rows))))
    with fast(is_fast):
        ((found, error, signals, told),) = answers(panel, cuts, kinds, engine())
    rows = decided(panel)
    if found is None:
        assert tally_of(rows)[2] == 0, error
        return
    assert (found.tally, found.digest) == (tally_of(rows), digest_of(rows))
    assert facts(dict(found.accounts)) == facts_by_definition(panel)
    assert signals == SIGNALS_HEADER + "".join(row.text for row in rows)
    count = oracle.doubtful(oracle.prices([row.close or None for row in panel.rows]))
    assert found.findings.counts == Counter(values=count)
    assert len(told) == min(count, SHOWN_FINDINGS)
    assert all("(if that is right, set checks: {values: off})" in text for _, text in told)
    assert [file.rows for file in found.files.values()] == [len(panel.rows[cut]) for cut in cuts]


@sweep
@settings(max_examples=examples(30))
@given(panels(), st.data(), st.integers(0, 60), st.integers(1, 60), st.booleans())
def test_a_range_of_time_has_its_rows_decided_with_all_those_before_them(
    engine: MakeEngine, panel: Panel, data: st.DataObject, begin: int, minutes: int, is_fast: bool
) -> None:
    cuts = has_rows(panel, data.draw(cuts_of(len(panel.rows))))
    since, until = (PanelRow(minute, "", "").ns for minute in (begin, begin + minutes))
    with fast(is_fast):
        ((found, error, signals, _),) = answers(
            panel, cuts, ["csv"] * 8, engine(), span=Span(since, until)
        )
    rows = [row for row in decided(panel) if since <= row.row.ns < until]
    if found is None:
        assert tally_of(rows)[2] == 0, error
        return
    assert (found.tally, found.digest) == (tally_of(rows), digest_of(rows))
    assert signals == SIGNALS_HEADER + "".join(row.text for row in rows)
    by_symbol = {symbol: account.tally for symbol, account in found.accounts.items()}
    symbols = {row.row.symbol for row in rows}
    assert by_symbol == {
        symbol: tally_of([row for row in rows if row.row.symbol == symbol]) for symbol in symbols
    }


@sweep
@settings(max_examples=examples(30))
@given(panels(), st.data(), st.integers(0, 40))
def test_series_that_are_continued_end_as_if_they_were_read_whole(
    engine: MakeEngine, panel: Panel, data: st.DataObject, at: int
) -> None:
    before, after = (panel._replace(rows=panel.rows[cut]) for cut in (slice(at), slice(at, None)))
    first = answers(before, [slice(0, 99)], ["csv"], PlainEngine())[0].found
    if not (first and after.rows):
        return
    cuts = has_rows(after, data.draw(cuts_of(len(after.rows))))
    (second,) = answers(after, cuts, ["csv"] * 8, engine(), known=first.accounts)
    assert second.found, second.error
    rows = decided(panel)
    assert second.found.tally == tally_of(rows)
    assert facts(dict(second.found.accounts)) == facts_by_definition(panel)
    assert second.found.digest == digest_of(rows[at:])
    assert second.signals == SIGNALS_HEADER + "".join(row.text for row in rows[at:])


def jumbled(panel: Panel, places: Sequence[int]) -> Panel:
    return panel._replace(rows=[panel.rows[place] for place in places])


@sweep
@settings(max_examples=examples(40))
@given(
    panels(),
    st.data(),
    st.sampled_from(["warn", "error", "off"]),
    st.sampled_from(["warn", "error", "off"]),
    st.booleans(),
)
def test_bars_out_of_order_are_found_told_or_refused_alike(
    engine: MakeEngine,
    panel: Panel,
    data: st.DataObject,
    order: Any,
    duplicates: Any,
    is_fast: bool,
) -> None:
    places = data.draw(st.lists(st.integers(0, len(panel.rows) - 1), min_size=2, max_size=30))
    checks = Checks(order=order, duplicates=duplicates)
    panel = jumbled(panel, places)._replace(config=panel.config._replace(checks=checks))
    cuts = has_rows(panel, data.draw(cuts_of(len(panel.rows))))
    rest = {"collect_errors": data.draw(st.booleans())}
    with fast(is_fast):
        found, plain = answers(panel, cuts, ["csv"] * 8, engine(), PlainEngine(), **rest)
    assert (found.error, found.told, found.signals) == (plain.error, plain.told, plain.signals)
    if found.found and plain.found:
        assert found.findings == plain.findings
        assert found.found.tally == plain.found.tally
        assert facts(dict(found.found.accounts)) == facts(dict(plain.found.accounts))


@sweep
@settings(max_examples=examples(30))
@given(panels(missing=False), st.randoms(use_true_random=False), st.booleans())
def test_rows_in_any_order_are_decided_in_that_of_time_where_they_are_sorted(
    engine: MakeEngine, panel: Panel, random: Any, is_fast: bool
) -> None:
    places = list(range(len(panel.rows)))
    random.shuffle(places)
    config = panel.config._replace(sort=True)
    with fast(is_fast):
        ((found, error, _, _),) = answers(
            jumbled(panel, places)._replace(config=config), [slice(0, 99)], ["csv"], engine()
        )
    rows = decided(panel)
    if found is None:
        assert tally_of(rows)[2] == 0, error
        return
    assert (found.tally, found.digest) == (tally_of(rows), digest_of(rows))
    assert facts(dict(found.accounts)) == facts_by_definition(panel)


@sweep
@settings(max_examples=examples(30))
@given(panels(missing=False, steps=(1, 1, 1, 2, 7)), st.data(), st.booleans())
def test_gaps_in_time_are_counted_by_definition(
    engine: MakeEngine, panel: Panel, data: st.DataObject, is_fast: bool
) -> None:
    panel = panel._replace(config=panel.config._replace(checks=Checks(gaps="warn")))
    cuts = has_rows(panel, data.draw(cuts_of(len(panel.rows))))
    with fast(is_fast):
        found, plain = answers(panel, cuts, ["csv"] * 8, engine(), PlainEngine())
    if not found.found:
        return
    assert found.findings[0]["gaps"] == gaps(panel.rows)
    assert (found.findings, found.told) == (plain.findings, plain.told)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("level", ["warn", "error"])
def test_gaps_in_time_are_told_by_pieces_with_their_true_rows(
    engine: MakeEngine, tmp_path: Path, kind: str, level: Any
) -> None:
    rows = [row for row in ROWS if row.minute not in (21, 22, 23, 31)]
    panel = Panel(rows, PANEL_CONFIG._replace(checks=Checks(gaps=level)))
    (path,) = panel.write(tmp_path, [slice(0, 40)], [kind])
    used = engine()
    found = answer(used, Task(files([path]), panel.config, digest=True), tmp_path)
    unit, above = ("line", 1) if kind == "csv" else ("row", 0)
    messages = [
        f"{path} {unit} {row + above}: a step of 0:0{minutes}:00 before 2024-02-29T00:{minute}:00Z"
        f" of '{symbol}', where 0:02:00 is usual (set checks: {{gaps: warn}})"
        for row, minutes, minute, symbol in ((22, 4, 14, "A"), (23, 6, 15, "B"), (30, 4, 23, "B"))
    ]
    told = [text for _, text in found.told if " a step " in text]
    assert (found.error, told) == ((messages[0], []) if level == "error" else ("", messages))
    if isinstance(used, SmallPiecesEngine):
        assert used.counts[-1] > 4, "the bars are cut, and not left to one process"


def gaps(rows: Sequence[PanelRow]) -> int:
    """Count the steps beyond the most common one, the shortest of the most common, by series."""
    count, last, steps = 0, dict[str, int](), dict[str, Counter[int]]()
    for row in rows:
        if row.symbol in last:
            steps.setdefault(row.symbol, Counter())[row.minute - last[row.symbol]] += 1
        last[row.symbol] = row.minute
    for counter in steps.values():
        usual = max(counter, key=lambda step: (counter[step], -step))
        count += sum(times for step, times in counter.items() if step > usual)
    return count


BAD = {
    "a close": ("2024-01-01 00:04:00,A,x\n", "line 3: close is 'x', not a number"),
    "a time": ("20240101T99,A,1\n", "line 3: timestamp is '20240101T99'"),
    "a symbol": ("2024-01-01 00:04:00,,1\n", "line 3: the symbol is empty"),
    "a bar before": ("2024-01-01 00:00:30,A,1\n", "line 3: timestamp is earlier than"),
}


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("is_fast", [False, True])
def test_the_first_bar_in_error_is_named(
    engine: MakeEngine, tmp_path: Path, bad: str, is_fast: bool
) -> None:
    row, message = BAD[bad]
    good = "2024-01-01 00:0{}:00,A,1\n"
    (tmp_path / "1.csv").write_text(HEADER + good.format(1) + good.format(2))
    (tmp_path / "2.csv").write_text(HEADER + good.format(3) + row)
    panel = Panel([], PANEL_CONFIG)
    task = Task(files([tmp_path / "1.csv", tmp_path / "2.csv"]), panel.config)
    with fast(is_fast):
        found, plain = (answer(each, task, tmp_path) for each in (engine(), PlainEngine()))
    assert f"{tmp_path / '2.csv'} {message}" in found.error
    assert found == plain


def test_files_are_described_alike(engine: MakeEngine, tmp_path: Path) -> None:
    paths = Panel([PanelRow(0, "A", "1")], PANEL_CONFIG).write(
        tmp_path, [slice(0, 1)] * 2, ["csv", "parquet"]
    )
    task = Task(files(paths), PANEL_CONFIG)
    csv, parquet = engine().describe(task)
    columns = "close from close, timestamp from timestamp, symbol from symbol"
    assert csv == f"{paths[0]}: utf-8, comma, {columns}"
    assert [csv, parquet] == PlainEngine().describe(task)


def test_a_task_without_a_signal_is_refused_alike(engine: MakeEngine, tmp_path: Path) -> None:
    paths = Panel([PanelRow(0, "A", "1")], PANEL_CONFIG).write(tmp_path, [slice(0, 1)], ["csv"])
    found = answer(engine(), Task(files(paths), PANEL_CONFIG), tmp_path)
    assert found.error == f"{paths[0]}: 1 row, fewer than the window of 3 bars"


ROWS = [PanelRow(minute, "AB"[minute % 2], str(minute * 7 % 5)) for minute in range(40)]


def test_pieces_that_are_cut_are_many() -> None:
    engine = CutEngine(rows=4)
    answers(Panel(ROWS, PANEL_CONFIG), [slice(0, 20), slice(20, 40)], ["csv"] * 2, engine)
    assert engine.pieces == 10


def test_an_engine_that_forgets_what_came_before_a_piece_is_noticed(tmp_path: Path) -> None:
    panel = Panel(ROWS, PANEL_CONFIG)
    task = Task(files(panel.write(tmp_path, [slice(0, 40)], ["csv"])), panel.config, digest=True)
    forgetful = mock.patch.object(joining, "continued", lambda *given: given[3])
    with forgetful, pytest.raises(DataError, match="each with fewer than the window of 3"):
        CutEngine(rows=3).decide(task, [], lambda level, text: None)
    with forgetful:
        found = CutEngine(rows=8).decide(task, [], lambda level, text: None)
    assert found.digest != digest_of(decided(panel))
    found = CutEngine(rows=8).decide(task, [], lambda level, text: None)
    assert found.digest == digest_of(decided(panel))


def test_a_piece_whose_only_bar_is_left_out_keeps_the_last_bar_of_its_series() -> None:
    rows = [*ROWS, PanelRow(50, "A", "1"), PanelRow(51, "A", "")]
    panel = Panel(rows, PANEL_CONFIG._replace(missing="skip"))
    (found,) = answers(panel, [slice(0, 99)], ["csv"], CutEngine(rows=1))
    assert found.found
    assert facts(dict(found.found.accounts)) == facts_by_definition(panel)


def test_an_overlap_is_told_where_its_series_begins_however_bars_are_cut() -> None:
    first = [PanelRow(minute, symbol, "1") for minute in (1, 2) for symbol in "AB"]
    again = [PanelRow(minute, symbol, "2") for symbol in "AB" for minute in (2, 2, 1)]
    config = PANEL_CONFIG._replace(checks=Checks(order="warn", duplicates="warn"))
    panel, cuts = Panel([*first, *again], config), [slice(0, 4), slice(4, 10)]
    cut, plain = answers(panel, cuts, ["csv"] * 2, CutEngine(rows=1), PlainEngine())
    begins = [number for number, (_, text) in enumerate(plain.told) if "01.csv begins" in text]
    assert (begins, len(plain.told)) == ([0, 3], 6)
    assert cut.told == plain.told
