"""Bars that are cut into pieces give what they give in one, and every message word for word."""

from __future__ import annotations

from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Checks, Columns
from rollsignal.core.decisions import Decided
from rollsignal.core.findings import SHOWN_FINDINGS
from rollsignal.engines import passes, pieces
from rollsignal.engines.interface import Task
from rollsignal.engines.spans import span_between
from rollsignal.errors import DiskError
from rollsignal.outputs.signals.writer import Signals
from tests.support.answers import BAD, CONFIG, KINDS, ROWS, Row, answer, rows, write
from tests.support.deciding import REPORT, Kept, begun, files, ignore
from tests.support.sweeps import examples, sweep
from tests.support.workers import (
    CountingRunner,
    SmallLocalEngine,
    SmallReading,
    WholeReading,
    engine_here,
    engine_on,
)

WARN = Checks(order="warn", duplicates="warn", ohlc="off")
LEVELS = [
    Checks(),
    WARN,
    Checks(duplicates="off", values="error"),
    Checks(order="warn", duplicates="warn", gaps="warn"),
    Checks(order="off", gaps="error"),
]


@pytest.mark.parametrize("kind", KINDS)
def test_the_pieces_of_a_file_give_what_the_file_gives(tmp_path: Path, kind: str) -> None:
    path, counting = write(tmp_path, kind, rows()), CountingRunner()
    found = answer(engine_here(300, counting), [path])
    assert found == answer(SmallLocalEngine(), [path])
    assert found.signals.count("\n") == ROWS + 1
    first, second = counting.counts
    assert first == second > 5, "each piece is decided, and then decided for the signals"
    answer(engine_here(300, counting), [path], digest=False)
    assert counting.counts[2:] == [first, first]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("at", [1, 50, ROWS])
def test_the_first_bar_in_error_is_named_with_its_true_row(
    tmp_path: Path, kind: str, bad: str, at: int
) -> None:
    bars = rows()
    path = write(tmp_path, kind, [*bars[:at], BAD[bad], *bars[at:100], ("", "", ""), *bars[100:]])
    found = answer(engine_here(300), [path])
    assert found.error
    assert found == answer(SmallLocalEngine(), [path])


@pytest.mark.parametrize("kind", KINDS)
def test_findings_of_all_pieces_are_told_with_their_true_rows(tmp_path: Path, kind: str) -> None:
    bars = rows()
    for number in range(5, ROWS, 9):
        bars[number] = (bars[number - 3][0], bars[number][1], "0")
    path, counting = write(tmp_path, kind, bars), CountingRunner()
    found = answer(engine_here(300, counting), [path], CONFIG._replace(checks=WARN))
    assert found == answer(SmallLocalEngine(), [path], CONFIG._replace(checks=WARN))
    assert counting.counts
    assert len(found.told) == 2 * SHOWN_FINDINGS
    assert found.found[4][0]["values"] == len(range(5, ROWS, 9))


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_only_pieces_that_tell_of_rows_are_read_again(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    again: list[int | None] = []
    read = passes.FirstPass.read

    def reading(work: passes.FirstPass, number: int, first_row: int | None = None) -> Any:
        again.append(first_row)
        return read(work, number, first_row)

    monkeypatch.setattr(passes.FirstPass, "read", reading)
    bars = rows()
    for number in (60, 61, 90):
        bars[number] = (*bars[number][:2], "0")
    path = write(tmp_path, kind, bars)
    assert answer(engine_here(600), [path]).told == answer(SmallLocalEngine(), [path]).told
    assert len([line for line in again if line]) in (2, 3)
    assert len(again) > 6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", ["warn", "error"])
def test_steps_in_time_are_told_with_their_true_rows_and_no_piece_is_read_again(
    tmp_path: Path, kind: str, level: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Steps of A are of one and two minutes, those of B of three; each has a longer one.
    bars = [*rows()[:90], *rows()[96:]]
    path = write(tmp_path, kind, bars)
    whole = answer(SmallLocalEngine(), [path], CONFIG._replace(checks=Checks(gaps=level)))
    again: list[int | None] = []
    read = passes.FirstPass.read

    def reading(work: passes.FirstPass, number: int, first_row: int | None = None) -> Any:
        again.append(first_row)
        return read(work, number, first_row)

    monkeypatch.setattr(passes.FirstPass, "read", reading)
    counting = CountingRunner()
    found = answer(engine_here(300, counting), [path], CONFIG._replace(checks=Checks(gaps=level)))
    assert found == whole
    assert again == [None] * counting.counts[0]
    assert len(again) > 5
    row_of = {bar[0].replace(" ", "T"): row for row, bar in enumerate(bars, 1 + (kind == "csv"))}
    unit = "row" if kind in ("parquet", "arrow") else "line"
    messages = [found.error[1]] if found.error else [text for _, text in found.told]
    for message in messages:
        time = message.partition(" before ")[2].partition("Z")[0]
        assert message.startswith(f"{path} {unit} {row_of[time]}: a step of ")
    assert len(messages) == (1 if level == "error" else 2)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_series_without_a_usual_step_is_told_with_the_file_where_that_is_clear(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollsignal.core.gaps.MAX_STEPS", 5)
    bars = [rows(1, number * number)[0] for number in range(38)]
    paths = [write(tmp_path, kind, bars[at : at + 19], f"{at:03d}") for at in (0, 19)]
    config, counting = CONFIG._replace(checks=Checks(gaps="warn")), CountingRunner()
    found = answer(engine_here(150, counting), paths, config)
    assert found == answer(SmallLocalEngine(), paths, config)
    assert ["so none is usual" in text for _, text in found.told] == [True] * 2
    assert counting.counts[0] > 2


QUOTED = '"2024-01-01 23:59:30",A,"1\n"\n'


@pytest.mark.parametrize("text", [QUOTED, '"2024-01-01 23:59:30",A,1\n', "a\r", "a\0", "\xe9\n"])
@pytest.mark.parametrize("at", [2, 60, ROWS])
def test_a_text_that_cannot_be_cut_is_read_whole(tmp_path: Path, text: str, at: int) -> None:
    path = write(tmp_path, "csv", rows())
    lines = path.read_text().splitlines(keepends=True)
    written = "".join([*lines[:at], text, *lines[at:]])
    path.write_bytes(written.encode("latin-1"))
    assert answer(engine_here(300), [path]) == answer(SmallLocalEngine(), [path])
    path.write_bytes(written.encode("utf-8"))
    assert answer(engine_here(300), [path]) == answer(SmallLocalEngine(), [path])


def test_files_like_one_that_is_read_whole_are_read_whole_too(tmp_path: Path) -> None:
    kinds = ["csv", "csv", "csv", "ndjson", "csv"]
    paths = [
        write(tmp_path, kind, rows(40, 40 * number), str(number))
        for number, kind in enumerate(kinds)
    ]
    counting = CountingRunner()
    engine = engine_here(300, counting, WholeReading)
    assert answer(engine, paths) == answer(SmallLocalEngine(), paths)
    of_first, of_ndjson = (
        len(SmallReading(CONFIG, None).splits(files([path]), 300)) for path in (paths[0], paths[3])
    )
    every, but_first, but_csv, again = counting.counts
    assert min(of_first, of_ndjson) > 2
    assert every > but_first + of_first
    assert (but_first, but_csv) == (3 + of_ndjson, 2)
    assert again == of_first + 4, "the last pieces of the first pass are those of the second"


def test_one_file_that_is_read_whole_is_decided_here(tmp_path: Path) -> None:
    path, counting = write(tmp_path, "csv", rows(), "1"), CountingRunner()
    found = answer(engine_here(300, counting, WholeReading), [path])
    assert found == answer(SmallLocalEngine(), [path])
    assert len(counting.counts) == 1


@sweep
@settings(max_examples=examples(60))
@given(
    st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
    st.integers(100, 2000),
    st.integers(1, 150),
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(sorted(BAD))), max_size=2),
    st.sampled_from(["error", "skip", "gap"]),
    st.sampled_from(LEVELS),
    st.sampled_from([None, ("2024-01-01 00:20", "2024-01-01 02:00"), ("2024-01-01 01", None)]),
)
def test_however_bars_are_cut_all_is_as_in_one(
    kinds: list[str],
    piece_bytes: int,
    window: int,
    bad: list[tuple[int, str]],
    missing: Any,
    checks: Checks,
    span: Any,
) -> None:
    bars = rows(ROWS * len(kinds))
    for at, name in bad:
        bars.insert(at, BAD[name])
    cuts = range(0, len(bars), ROWS)
    config = CONFIG._replace(window=window, missing=missing, checks=checks)
    rest = {"span": span_between(*span) if span else None}
    with TemporaryDirectory() as folder:
        paths = [
            write(Path(folder), kind, bars[cut : cut + ROWS], str(number))
            for number, (kind, cut) in enumerate(zip(kinds, cuts, strict=False))
        ]
        found = answer(engine_here(piece_bytes), paths, config, **rest)
        assert found == answer(SmallLocalEngine(), paths, config, **rest)


def test_small_files_that_follow_each_other_are_one_piece(tmp_path: Path) -> None:
    paths = [write(tmp_path, "csv", rows(10, 10 * number), f"{number:02d}") for number in range(12)]
    counting = CountingRunner()
    assert answer(engine_here(1000, counting), paths) == answer(SmallLocalEngine(), paths)
    assert counting.counts == [4, 4]


def test_a_piece_has_more_bars_than_the_window(tmp_path: Path) -> None:
    path, counting = write(tmp_path, "csv", rows()), CountingRunner()
    config = CONFIG._replace(window=30)
    assert answer(engine_here(50, counting), [path], config) == answer(
        SmallLocalEngine(), [path], config
    )
    first, _ = counting.counts
    assert path.stat().st_size // first > 30 * pieces.BAR_BYTES - 150


def test_progress_counts_all_rows_and_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, "csv", rows())
    told: list[tuple[int, int]] = []
    task = Task(files([path]), CONFIG)
    engine_here(300).decide(task, [], ignore, lambda read, rows: told.append((read(), rows)))
    assert len(told) > 5
    assert told == sorted(told)
    assert told[-1] == (path.stat().st_size, ROWS)


def test_a_listener_that_cannot_be_sent_has_all_bars_decided_here(tmp_path: Path) -> None:
    path, counting, kept = write(tmp_path, "csv", rows()), CountingRunner(), Kept()
    engine_here(300, counting).decide(Task(files([path]), CONFIG), [kept], ignore)
    assert (sum(bars.rows for bars in kept.bars), counting.counts) == (ROWS, [])


def test_where_no_process_can_be_started_bars_are_decided_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "csv", rows())
    engine = engine_on(2, 300)()
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    assert answer(engine, [path]) == answer(SmallLocalEngine(), [path])


FORMS = [(".csv", None), (".parquet", None), (".arrow", None)] + [
    (suffix, key) for suffix in (".csv", ".parquet", ".arrow") for key in ("symbol", "date")
]
WIDENING: dict[str, list[Row]] = {
    "none": rows(),
    "finer times": [*rows(), ("2024-01-02 00:00:00.000000001", "A", "5")],
    "longer closes": [*rows(), ("2024-01-02 00:00:00", "A", "1" * 30 + ".123456789")],
    "another day": [*rows(), ("2024-01-02 00:00:00", "=", "5.1")],
}


@pytest.mark.parametrize("bars", WIDENING.values(), ids=WIDENING)
@pytest.mark.parametrize(("suffix", "key"), FORMS)
def test_signals_of_pieces_have_the_bytes_of_one_process(
    tmp_path: Path, bars: list[Row], suffix: str, key: str | None
) -> None:
    config = CONFIG._replace(columns=Columns(symbol=SymbolFrom("name")))
    path = tmp_path / "bars.csv"
    lines = (f"{','.join(row)}\n" for row in [("timestamp", "name", "close"), *bars])
    path.write_text("".join(lines))
    written = []
    for engine in [SmallLocalEngine(), engine_here(300, counting := CountingRunner())]:
        folder = tmp_path / "out"
        folder.mkdir()
        with begun(Signals(str(folder / f"s{suffix}"), config.window, key)) as signals:
            engine.decide(Task(files([path]), config), [signals], ignore)
            signals.finish(REPORT)
        each = {file.name + str(file.parent): file for file in folder.rglob("*") if file.is_file()}
        written.append({name: file.read_bytes() for name, file in each.items()})
        rmtree(folder)
    assert written[0] == written[1] != {}
    assert len(counting.counts) == 2, "both passes were made in pieces"


def test_a_file_that_changes_between_the_passes_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "csv", rows())
    run = passes.SecondPass.run

    def changed(work: passes.SecondPass, number: int) -> bytes:
        path.write_text(path.read_text().replace(",A,1", ",A,2"))
        return run(work, number)

    monkeypatch.setattr(passes.SecondPass, "run", changed)
    task = Task(files([path]), CONFIG)
    with pytest.raises(DiskError, match="Input data file changed while it was read"):
        engine_here(300).decide(task, [Rows()], ignore)


class Rows:
    """A listener that counts rows, and can be sent."""

    def __init__(self) -> None:
        self.rows = 0

    def part(self) -> Rows:
        raise AssertionError

    def sent_part(self) -> Rows:
        return Rows()

    def take(self, bars: Decided) -> None:
        self.rows += bars.rows

    def end(self) -> int:
        return self.rows

    def add(self, ended: int) -> None:
        self.rows += ended
