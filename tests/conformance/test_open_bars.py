"""The newest bars of every series wait: whoever decides, and in whichever nights they come."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.commands import run as job
from rollsignal.commands.verify import verify
from rollsignal.config.request import Request
from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.core.findings import Found
from rollsignal.core.ledger import Missing
from rollsignal.engines import ENGINES, inputs
from rollsignal.engines.interface import Engine, Task
from rollsignal.engines.spans import Span
from rollsignal.errors import DataError, JobError
from rollsignal.outputs.signals.writer import Signals
from rollsignal.outputs.state.document import load_state
from tests.support.deciding import REPORT, begun, files, ignore
from tests.support.open_candles import Vendor, final
from tests.support.panels import (
    CLOSES,
    DecidedRow,
    Panel,
    PanelRow,
    as_csv,
    as_parquet,
    decided,
    digest_of,
    panels,
    tally_of,
)
from tests.support.strategies import cuts_of
from tests.support.sweeps import examples, part_of, sweep
from tests.support.workers import engine_on

MAKERS: dict[str, Callable[[], Engine]] = {
    "local": ENGINES["local"],
    "plain": ENGINES["plain"],
    "workers": engine_on(2, piece_bytes=60),
}
makers = pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
COUNTS = st.integers(1, 3)
KINDS = st.lists(st.sampled_from(["csv", "parquet"]), min_size=8, max_size=8)
SIGNALS_HEADER = "timestamp,symbol,close,rolling_mean,signal\n"


class Answer(NamedTuple):
    """What came of a task: what was found, the error, the signals."""

    found: Found | None
    error: str = ""
    signals: str = ""


def answer(
    engine: Engine, panel: Panel, cuts: Sequence[slice], kinds: Sequence[str], **rest: Any
) -> Answer:
    """Write a panel to files, and have an engine decide it."""
    with TemporaryDirectory() as name:
        task = Task(files(panel.write(Path(name), cuts, kinds)), panel.config, digest=True, **rest)
        path = Path(name, "signals.csv")
        with begun(Signals(str(path), panel.config.window)) as signals:
            try:
                found = engine.decide(task, [signals], ignore)
            except DataError as problem:
                return Answer(None, problem.message)
            signals.finish(REPORT)
        return Answer(found, signals=path.read_text())


def fast(is_fast: bool) -> Any:
    """Let small files be read as large ones are, if so."""
    return mock.patch.object(inputs, "LARGE_BYTES", 0 if is_fast else inputs.LARGE_BYTES)


def opened(panel: Panel, count: int) -> Panel:
    return panel._replace(config=panel.config._replace(open_bars=count))


@sweep
@makers
@settings(max_examples=examples(40), deadline=None)
@given(panels(), st.data(), KINDS, st.booleans(), COUNTS)
def test_bars_without_enough_successors_are_not_decided(
    maker: Callable[[], Engine],
    panel: Panel,
    data: st.DataObject,
    kinds: list[str],
    is_fast: bool,
    count: int,
) -> None:
    cuts = [cut for cut in data.draw(cuts_of(len(panel.rows))) if panel.rows[cut]]
    with fast(is_fast):
        found, error, signals = answer(maker(), opened(panel, count), cuts, kinds)
    rows = final(decided(panel), count)
    if found is None:
        assert tally_of(rows)[2] == 0, error
        return
    assert (found.tally, found.digest) == (tally_of(rows), digest_of(rows))
    assert signals == SIGNALS_HEADER + "".join(row.text for row in rows)
    assert found.tally.rows + len(found.waiting) == len(panel.rows)
    waiting = {(bar.symbol, bar.ns) for bar in found.waiting}
    assert waiting == {(r.symbol, r.ns) for r in panel.rows} - {
        (r.row.symbol, r.row.ns) for r in rows
    }
    assert {symbol for symbol, _ in waiting} == {row.symbol for row in panel.rows}


@makers
@settings(max_examples=20, deadline=None)
@given(panels(), st.integers(0, 60), st.integers(1, 60), st.booleans(), COUNTS)
def test_a_range_of_time_has_the_bars_that_do_not_wait(
    maker: Callable[[], Engine], panel: Panel, begin: int, minutes: int, is_fast: bool, count: int
) -> None:
    since, until = (PanelRow(minute, "", "").ns for minute in (begin, begin + minutes))
    with fast(is_fast):
        found, error, signals = answer(
            maker(), opened(panel, count), [slice(0, 99)], ["csv"], span=Span(since, until)
        )
    rows = [row for row in final(decided(panel), count) if since <= row.row.ns < until]
    if found is None:
        assert tally_of(rows)[2] == 0, error
        return
    assert (found.tally, found.digest) == (tally_of(rows), digest_of(rows))
    assert signals == SIGNALS_HEADER + "".join(row.text for row in rows)


@makers
@settings(max_examples=20, deadline=None)
@given(panels(missing=False), st.randoms(use_true_random=False), st.booleans(), COUNTS)
def test_sorted_bars_wait_in_the_order_of_time(
    maker: Callable[[], Engine], panel: Panel, random: Random, is_fast: bool, count: int
) -> None:
    rows = list(panel.rows)
    random.shuffle(rows)
    jumbled = panel._replace(rows=rows, config=panel.config._replace(sort=True, open_bars=count))
    with fast(is_fast):
        found, error, _ = answer(maker(), jumbled, [slice(0, 99)], ["csv"])
    expected = final(decided(panel), count)
    if found is None:
        assert tally_of(expected)[2] == 0, error
        return
    assert (found.tally, found.digest) == (tally_of(expected), digest_of(expected))


def one_night(folder: Path, *paths: Path) -> JobError | None:
    request = Request(
        tuple(map(str, paths)),
        str(folder / "c.yaml"),
        str(folder / "metrics.json"),
        None,
        summary=str(folder / "summary.csv"),
        signals=str(folder / "signals.csv"),
        state=str(folder / "s.state"),
        record=str(folder / "record.json"),
    )
    return job.run(request, 0, lambda level, text: None).error


def written(folder: Path, name: str, rows: list[PanelRow], *, as_text: bool) -> Path:
    path = folder / f"{name}.{'csv' if as_text else 'parquet'}"
    path.write_bytes(as_csv(rows) if as_text else as_parquet(rows))
    return path


def random_panel(random: Random) -> Panel:
    """Make up a panel, in which some series have few bars, and some times only a few series."""
    names = random.choice(["A", "AB", "AAAAAAABCD"])
    rows, reached, minute = list[PanelRow](), dict[str, int](), 0
    for _ in range(random.randint(12, 40)):
        symbol = random.choice(names)
        minute = max(minute + random.choice([0, 1, 1, 5]), reached.get(symbol, -1) + 1)
        reached[symbol] = minute
        rows.append(PanelRow(minute, symbol, random.choice([*CLOSES, ""])))
    columns = Columns(symbol=SymbolFrom("symbol"))
    missing: Missing = random.choice(["skip", "gap"])
    return Panel(rows, JobConfig(1, random.randint(1, 4), "v", missing=missing, columns=columns))


@sweep
@pytest.mark.parametrize("seed", part_of(range(60), 4))
def test_nights_with_unfinished_bars_end_as_one_run_over_the_final_ones(
    tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    panel, count, is_fast = random_panel(random), random.randint(1, 3), random.random() < 0.5
    vendor, config, size = Vendor(panel, count, random), panel.config, len(panel.rows)
    has_signal = [end for end in range(size + 1) if tally_of(final(decided(panel)[:end], count))[2]]
    if not has_signal:
        return
    (tmp_path / "c.yaml").write_text(
        f"{{seed: 1, window: {config.window}, version: v, missing: {config.missing},"
        f" open_bars: {count}, columns: {{symbol: symbol}}}}"
    )
    first = random.choice(has_signal)
    ends = [first, *sorted(random.choices(range(first, size + 1), k=random.randint(0, 5))), size]
    begin, former, name, as_text = 0, list[Path](), "0", random.random() < 0.5
    path = tmp_path / "none"
    for number, end in enumerate(ends):
        # The file of the last night, written again, or a new one from the open bars on.
        if number and random.random() < 0.5:
            begin, name, as_text = vendor.open_from(ends[number - 1]), str(number), not as_text
            former += [path]
        rows = vendor.rows(begin, end)
        path = written(tmp_path, name, rows or panel.rows[end - 1 : end], as_text=as_text)
        with fast(is_fast):
            assert one_night(tmp_path, *(former if random.random() < 0.5 else []), path) is None
    check_the_end(tmp_path, final(decided(panel), count), size)
    verified = verify(str(tmp_path / "record.json"), sample=9)
    assert verified.exit_code == 0, verified.document


def check_the_end(folder: Path, rows: list[DecidedRow], size: int) -> None:
    """Compare what the last night has left with what is final of so many bars."""
    state = load_state(str(folder / "s.state"))
    assert state is not None
    assert state.digest == digest_of(rows)
    signals = (folder / "signals.csv").read_text()
    assert signals == SIGNALS_HEADER + "".join(row.text for row in rows)
    assert json.loads((folder / "metrics.json").read_text())["rows_processed"] == len(rows)
    assert len(state.waiting) == size - len(rows)


@sweep
@pytest.mark.parametrize("seed", part_of(range(60), 4))
def test_a_file_that_holds_the_newest_bars_gives_what_all_of_them_give(
    tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    panel, count, is_fast = random_panel(random), random.randint(0, 2), random.random() < 0.5
    vendor, config, size = Vendor(panel, count, random), panel.config, len(panel.rows)
    begun_at = [end for end in range(size + 1) if tally_of(final(decided(panel)[:end], count))[2]]
    if not begun_at:
        return
    (tmp_path / "c.yaml").write_text(
        f"{{seed: 1, window: {config.window}, version: v, missing: {config.missing},"
        f" open_bars: {count}, columns: {{symbol: symbol}}}}"
    )
    first = random.choice(begun_at)
    ends = [first, *sorted(random.choices(range(first, size + 1), k=random.randint(1, 5))), size]
    # A window begins before the end of the last one, and never goes back.
    begins = [0]
    for end in ends[:-1]:
        begins.append(random.randint(begins[-1], end - 1))
    as_text = random.random() < 0.5
    for begin, end, again in zip(begins, ends, [*begins[1:], size], strict=True):
        path = written(tmp_path, "newest", vendor.rows(begin, end, again), as_text=as_text)
        with fast(is_fast):
            assert one_night(tmp_path, path) is None
    check_the_end(tmp_path, final(decided(panel), count), size)
