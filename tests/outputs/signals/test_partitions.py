"""Signals as a hive-partitioned folder: the rows of the single file, and no other file changes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rollsignal
from rollsignal.core.decisions import PlainDecided
from rollsignal.errors import OutputError, UsageError
from rollsignal.files.staged import Staging
from rollsignal.outputs.signals.writer import Signals
from tests.support.deciding import REPORT, begun
from tests.support.shell import ENVIRONMENT, ROOT, Job, process_arguments, snapshot

CONFIG = 'seed: 1\nwindow: 2\nversion: "v"\ncolumns: {symbol: s}\n'
START = datetime(2024, 1, 1, 23, 58)
ODD = [
    *("a/b", "%2F", "..", ".", "100%", "x=y", "a b", 'q"u', "it's", "a\nb", "a,b", "\\", "*?", "#"),
    *("é", "日本", "a\u00a0b", "🎉", "A", "a", "nan", "null", "1", "01", "true", "2024-01-01", "+"),
    *("=1+1", "CON", ".tmp", "x" * 248, "日" * 27),
]


def panel(path: Path, symbols: Sequence[str], bars: int = 3) -> None:
    """Write bars of symbols in turn, a minute apart, across midnight."""
    rows = [(minute, symbol) for minute in range(bars) for symbol in symbols]
    pl.DataFrame(
        {
            "timestamp": [START + timedelta(minutes=minute) for minute, _ in rows],
            "s": [symbol for _, symbol in rows],
            "close": [float(index % 5) for index in range(len(rows))],
        }
    ).write_parquet(path)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Return a job on a panel of three symbols and two days."""
    job = Job(tmp_path, config=CONFIG)
    panel(job.input, ["B", "A", "C"])
    return job


def litter(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.name.startswith(".")]


def partitioned(job: Job, key: str, suffix: str = "") -> Path:
    folder = job.folder / f"signals{suffix}"
    assert job.run(f"--signals={folder}", f"--partition-by={key}") == 0
    assert litter(job.folder) == []
    return folder


def whole(job: Job, suffix: str = ".parquet") -> pl.DataFrame:
    path = job.folder / f"whole{suffix}"
    assert job.run(f"--signals={path}") == 0
    if suffix == ".csv":
        return read_text(path)
    return pl.read_ipc(path) if suffix == ".arrow" else pl.read_parquet(path)


def read_text(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema=False)


def read_back(folder: Path, key: str, dtype: pl.DataType) -> pl.DataFrame:
    """Read a folder with the hive reader of polars, which has none for CSV."""
    if folder.suffix == ".csv":
        parts = [
            read_text(path).with_columns(pl.lit(hive_value(path)).alias(key))
            for path in folder.glob("*/signals.csv")
        ]
        return pl.concat(parts)
    if folder.suffix == ".arrow":
        pattern = folder / "**/*.arrow"
        return pl.scan_ipc(pattern, hive_partitioning=True, hive_schema={key: dtype}).collect()
    return pl.read_parquet(folder / "**/*.parquet", hive_schema={key: dtype})


def hive_value(path: Path) -> str | None:
    value = unquote(path.parent.name.partition("=")[2])
    return None if value == "__HIVE_DEFAULT_PARTITION__" else value


SUFFIXES = ["", ".parquet", ".arrow", ".csv"]


def assert_same(folder: Path, single: pl.DataFrame, key: str, dtype: pl.DataType) -> None:
    """Assert that a folder has the rows of the single file, in order within each partition."""
    table = read_back(folder, key, dtype)
    assert table.height == single.height
    columns = [*single.columns, *([key] if key not in single.columns else [])]
    expected = single if key in single.columns else single.with_columns(day_of(single))
    parts = table.select(columns).partition_by(key, as_dict=True, maintain_order=True)
    assert parts.keys() == expected.partition_by(key, as_dict=True).keys()
    for value, rows in expected.partition_by(key, as_dict=True, maintain_order=True).items():
        assert parts[value].equals(rows)


def day_of(table: pl.DataFrame) -> pl.Series:
    stamps = table["timestamp"]
    days = stamps.dt.date() if stamps.dtype.is_temporal() else stamps.str.slice(0, 10)
    return days.alias("date")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_symbols_of_any_name_are_read_back_as_from_the_single_file(
    tmp_path: Path, suffix: str
) -> None:
    job = Job(tmp_path, config=CONFIG)
    panel(job.input, ODD)
    folder = partitioned(job, "symbol", suffix)
    single = whole(job, suffix or ".parquet")
    assert single["symbol"].n_unique() == len(ODD)
    assert_same(folder, single, "symbol", pl.String())
    assert all(path.parent.parent == folder for path in folder.rglob("signals.*"))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_days_are_read_back_as_from_the_single_file(job: Job, suffix: str) -> None:
    folder = partitioned(job, "date", suffix)
    assert sorted(os.listdir(folder)) == ["date=2024-01-01", "date=2024-01-02"]
    # The single file has the bars as they were read, a day has all symbols sorted by time.
    single = whole(job, suffix or ".parquet").sort("timestamp", "symbol")
    assert_same(folder, single, "date", pl.Date())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_days_have_the_same_bytes_however_a_panel_is_cut_into_files(
    tmp_path: Path, suffix: str
) -> None:
    job = Job(tmp_path, config=CONFIG)
    stamps = [f"2024-01-0{1 + number // 4}T00:00:0{number % 4}" for number in range(8)]
    # As text, 00:00:01Z comes after 00:00:01.5Z.
    rows = [
        f"{stamp}{part},{symbol},{number}\n"
        for number, stamp in enumerate(stamps)
        for part in ("", ".5")
        for symbol in ("B", "A")
    ]
    cuts = {
        "interleaved": {"all.csv": rows},
        "symbols": {f"{s}.csv": [row for row in rows if f",{s}," in row] for s in "BA"},
        "halves": {"1.csv": rows[:9], "2.csv": rows[9:]},
    }
    contents = []
    for name, files in cuts.items():
        (tmp_path / name).mkdir()
        for file, lines in files.items():
            (tmp_path / name / file).write_text("timestamp,s,close\n" + "".join(lines))
        job.input = tmp_path / name
        folder = partitioned(job, "date", suffix)
        contents.append({path.parent.name: path.read_bytes() for path in folder.rglob("signals.*")})
    assert len(contents[0]) == 2
    assert contents[0] == contents[1] == contents[2]
    if suffix == ".csv":
        lines = contents[0]["date=2024-01-01"].decode().split("\n")
        assert [line[17:24] for line in lines[1:5]] == ["00Z,A,0", "00Z,B,0", "00.5Z,A", "00.5Z,B"]


def is_seen(name: str) -> bool:
    """Return whether both ends of a symbol can be seen; else it is refused."""
    ends = {unicodedata.category(end) for end in (name[0], name[-1])}
    return name.isascii() or not ends & {"Zs", "Zl", "Zp", "Cc", "Cf"}


names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=4)


@settings(max_examples=25)
@given(
    st.lists(
        names.map(lambda name: name.strip(" \t")).filter(lambda name: name and is_seen(name)),
        min_size=1,
        max_size=4,
        unique=True,
    )
)
def test_any_symbols_are_read_back(symbols: list[str]) -> None:
    with TemporaryDirectory() as folder:
        job = Job(Path(folder), config=CONFIG)
        panel(job.input, symbols)
        parts = partitioned(job, "symbol")
        assert_same(parts, whole(job), "symbol", pl.String())


def test_a_table_is_neither_a_file_nor_a_folder(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    for flags in [], ["--partition-by=symbol"]:
        assert job.run("--signals=table:market.signals", *flags) == 2
        assert "--signals table:market.signals is a table, not a file" in capsys.readouterr().err
    assert not Path("table:market.signals").exists()


def test_a_large_table_is_read_back_in_its_order(tmp_path: Path) -> None:
    job = Job(tmp_path, config=CONFIG)
    rows = [(minute, f"S{minute % 7 * (minute % 3)}") for minute in range(50_000)]
    text = "".join(f"{START + timedelta(minutes=at)},{name},{at % 11}.5\n" for at, name in rows)
    job.input.write_text("timestamp,s,close\n" + text)
    assert_same(partitioned(job, "symbol"), whole(job), "symbol", pl.String())
    assert_same(partitioned(job, "date"), whole(job), "date", pl.Date())


@pytest.mark.parametrize(
    ("bars", "key"),
    [
        ("timestamp,close\n2024-01-01,1\n2024-01-02,2\n", "symbol"),
        ("close\n1\n2\n", "symbol"),
        ("close\n1\n2\n", "date"),
    ],
)
def test_bars_without_a_symbol_or_day_are_in_the_default_partition(
    tmp_path: Path, bars: str, key: str
) -> None:
    job = Job(tmp_path, bars, CONFIG.partition("columns")[0])
    folder = partitioned(job, key)
    assert os.listdir(folder) == [f"{key}=__HIVE_DEFAULT_PARTITION__"]
    table = read_back(folder, key, pl.String())
    assert table[key].to_list() == [None, None]
    assert table["signal"].to_list() == [None, 1]


def test_days_before_1970_and_beyond_64_bits_have_their_partitions(tmp_path: Path) -> None:
    days = ["0999-12-31", "1600-01-01", "1969-12-31", "2024-01-01", "9999-12-31"]
    text = "timestamp,close\n" + "".join(f"{day},1\n" for day in days)
    job = Job(tmp_path, text, CONFIG.partition("columns")[0])
    for suffix in SUFFIXES:
        folder = partitioned(job, "date", suffix)
        assert sorted(os.listdir(folder)) == [f"date={day}" for day in days]
    table = read_back(tmp_path / "signals", "date", pl.Date())
    assert sorted(table["date"]) == [date.fromisoformat(day) for day in days]
    assert sorted(table["timestamp"]) == [f"{day}T00:00:00Z" for day in days]


# Existing files before and after a run.


def test_the_same_bars_give_the_same_bytes(job: Job) -> None:
    for suffix in SUFFIXES:
        folder = partitioned(job, "symbol", suffix)
        before = snapshot(folder)
        assert len(before) == 6
        partitioned(job, "symbol", suffix)
        assert snapshot(folder) == before


def test_partitions_of_an_earlier_run_that_are_not_written_again_are_removed(job: Job) -> None:
    folder = partitioned(job, "symbol")
    panel(job.input, ["A", "D"])
    assert sorted(os.listdir(partitioned(job, "symbol"))) == ["symbol=A", "symbol=D"]
    assert sorted(os.listdir(partitioned(job, "date"))) == ["date=2024-01-01", "date=2024-01-02"]
    assert_same(folder, whole(job), "date", pl.Date())


def test_nothing_else_is_removed(job: Job) -> None:
    folder = job.folder / "signals"
    kept = [
        *("README", "signals.parquet", "sub/signals.parquet", "symbol=A/notes", "symbol=Z/notes"),
        *("symbol=Y/signals.csv", "symbol=X/deep/signals.parquet", "symbols=A/signals.parquet"),
        *("[x]/symbol=A/signals.parquet", "date/signals.parquet"),
    ]
    stale = ["symbol=Z/signals.parquet", "symbol=gone/signals.parquet", "date=1/signals.parquet"]
    for name in (*kept, *stale):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    partitioned(job, "symbol")
    for name in kept:
        assert (folder / name).read_text() == name
    new = [f"symbol={symbol}/signals.parquet" for symbol in "ABC"]
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    assert sorted(names) == sorted([*kept, *new])
    assert not (folder / "symbol=gone").exists()


def test_a_folder_name_with_pattern_characters_is_used_literally(job: Job) -> None:
    job.folder = job.folder / "[ab]*"
    elsewhere = job.folder.parent / "ab/signals/symbol=A/signals.parquet"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_text("of another")
    partitioned(job, "symbol")
    panel(job.input, ["D"])
    assert os.listdir(partitioned(job, "symbol")) == ["symbol=D"]
    assert elsewhere.read_text() == "of another"


def test_a_run_that_fails_leaves_the_former_partitions_whole(job: Job) -> None:
    folder = partitioned(job, "symbol")
    before = snapshot(folder)
    flags = [f"--signals={folder}", "--partition-by=symbol"]
    panel(job.input, ["A", "x" * 249])
    assert job.run(*flags) == 73
    message = str(job.metrics()["error_message"])
    assert re.fullmatch(
        r"Output cannot be created: the symbol 'x{40}…' \(249 characters\) is too long for the"
        r" name of a folder",
        message,
    )
    assert snapshot(folder) == before
    job.input.write_text("s,close\nA,1\nA,2\nA,x\n")
    assert job.run(*flags) == 65
    assert snapshot(folder) == before
    job.input.unlink()
    assert job.run(*flags) == 66
    assert snapshot(folder) == before
    assert litter(job.folder) == []


@pytest.mark.parametrize(
    ("symbol", "suffix", "fits"),
    [
        ("x" * 248, ".csv", True),
        ("x" * 249, ".csv", False),
        ("é" * 41, ".parquet", True),
        ("é" * 42, ".parquet", False),
        ("=" + "x" * 245, ".parquet", True),
        ("=" + "x" * 245, ".csv", False),
    ],
)
def test_a_symbol_too_long_for_a_folder_is_refused_when_it_is_first_seen(
    tmp_path: Path, symbol: str, suffix: str, fits: bool
) -> None:
    bars = PlainDecided("", [symbol], None, None, [1], [1], [None], 0)
    with begun(Signals(str(tmp_path / f"s{suffix}"), 1, "symbol")) as signals:
        part = signals.part()
        if fits:
            part.take(bars)
            signals.add(part.end())
            signals.finish(REPORT)
        else:
            with pytest.raises(OutputError, match="too long for the name of a folder"):
                part.take(bars)
    assert len(list(tmp_path.rglob("signals.*"))) == fits


# A run whose disk becomes full when it begins to write columns.
FULL_AT_LAST = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import polars
from rollsignal.cli.main import main
sink = polars.LazyFrame.sink_parquet

def sink_parquet(*arguments, **options):
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
    return sink(*arguments, **options)

polars.LazyFrame.sink_parquet = sink_parquet
sys.exit(main(["run", "-q", *sys.argv[2:]]))
"""


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("more", [["--partition-by=symbol"], []])
def test_a_disk_that_is_full_leaves_the_former_partitions_whole(
    job: Job, late: bool, more: list[str]
) -> None:
    folder = partitioned(job, "symbol")
    before = snapshot(folder)
    path = folder if more else job.folder / "one.parquet"
    panel(job.input, ["A", "B"], bars=2_000)
    job.log.unlink()
    if late:
        line = [sys.executable, "-c", FULL_AT_LAST, str(ROOT)]
        line += job.arguments(f"--signals={path}", *more)
        done = subprocess.run(line, capture_output=True, text=True, check=False)
    else:
        limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))"
        done = job.process(f"--signals={path}", *more, before=limit)
    assert done.returncode == 74
    # Some messages of polars only say that writing failed.
    assert ("Output could not be written: " if late else "File too large") in done.stdout
    assert snapshot(folder) == before
    assert not (job.folder / "one.parquet").exists()
    assert litter(job.folder) == []


# A run that is stopped when it begins to write partitions, or moves the first or second of them.
STOPPED_AT = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from rollsignal.cli.main import main
from rollsignal.outputs.signals import writer
calls = []

def stopping(act):
    def acting(*arguments):
        calls.append(act)
        if len(calls) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGTERM)
        return act(*arguments)
    return acting

def moving(source, target):
    return (moved if ".signals." in source else move)(source, target)

writer.write_partitions = stopping(writer.write_partitions)
move, moved = os.replace, stopping(os.replace)
os.replace = moving
sys.exit(main(["run", *sys.argv[3:]]))
"""


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_run_that_is_stopped_leaves_no_litter(job: Job, call: int) -> None:
    folder = partitioned(job, "symbol")
    before = snapshot(folder)
    panel(job.input, ["A", "D", "E"])
    flags = job.arguments(f"--signals={folder}", "--partition-by=symbol")
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_AT, str(ROOT), str(call), *flags],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 128 + signal.SIGTERM
    assert job.metrics()["error_message"] == "Stopped by SIGTERM before the end"
    assert litter(job.folder) == []
    after = snapshot(folder)
    if call < 3:
        assert after == before
    # Every file is complete, from the former run or from this one.
    files = sorted(folder.rglob("*.parquet"))
    assert [path.parent.name for path in files] == ["symbol=A", "symbol=B", "symbol=C"]
    assert all(pl.read_parquet(path).height == 3 for path in files)


def test_files_of_a_killed_run_are_not_treated_as_a_partition(job: Job) -> None:
    folder = job.folder / "signals"
    left = Path(Staging(str(folder), is_folder=True).ready) / "symbol=OLD"
    left.parent.mkdir(parents=True)
    left.write_text("half of it")
    assert sorted(os.listdir(partitioned(job, "symbol"))) == ["symbol=A", "symbol=B", "symbol=C"]


# Places that are not allowed.


def test_a_folder_of_signals_within_the_input_folder_is_not_read(job: Job) -> None:
    (job.folder / "in").mkdir()
    job.input = job.input.rename(job.folder / "in/bars.parquet")
    flags = ["--partition-by=date", f"--signals={job.folder}/in/signals"]
    for _ in range(2):
        assert job.run(*flags, input=job.folder / "in") == 0
        assert job.metrics()["rows_processed"] == 9


@pytest.mark.parametrize("spelling", ["{}", "./{}", "link/symbol=A/signals.parquet"])
def test_partitions_that_are_read_are_not_replaced(
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    spelling: str,
) -> None:
    monkeypatch.chdir(job.folder)
    partitioned(job, "symbol")
    Path("link").symlink_to("signals")
    before = snapshot(job.folder / "signals")
    path = spelling.format("signals/symbol=A/signals.parquet")
    flags = ["--signals=signals", "--partition-by=date"]
    for asked in (path, "signals/*/*.parquet"):
        assert job.run(*flags, input=asked) == 2
        message = capsys.readouterr().err
        assert "--signals would replace a file that --input reads; nothing was written" in message
    assert snapshot(job.folder / "signals") == before


def test_bars_beside_the_partitions_may_be_read(job: Job) -> None:
    job.input = job.input.rename(job.folder / "bars.parquet")
    flags = [f"--signals={job.folder}", "--partition-by=symbol"]
    for _ in range(2):
        assert job.run(*flags) == 0
    assert {path.name for path in job.folder.iterdir()} >= {"bars.parquet", "symbol=A"}


def test_a_file_in_the_place_of_the_folder_is_kept_and_the_run_exits_73(job: Job) -> None:
    (job.folder / "signals").write_text("precious")
    assert job.run(f"--signals={job.folder}/signals", "--partition-by=date") == 73
    assert (job.folder / "signals").read_text() == "precious"


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_partitions_need_the_name_of_their_folder(
    job: Job, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert job.run("--partition-by=symbol", *more) == 2
    message = capsys.readouterr().err
    assert "--partition-by writes the signals as a folder; name it with --signals" in message


def test_a_dry_run_makes_no_folder(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(job.folder)
    assert job.run(f"--signals={job.folder}/s", "--partition-by=symbol", "--dry-run") == 0
    assert f"would write {job.folder}/s\n" in capsys.readouterr().out
    assert snapshot(job.folder) == before


def test_another_key_is_refused(job: Job) -> None:
    assert job.run(f"--signals={job.folder}/s", "--partition-by=close") == 2
    with pytest.raises(UsageError, match="--partition-by is 'close', not symbol or date"):
        rollsignal.run(
            str(job.input),
            str(job.config),
            str(job.output),
            None,
            signals=f"{job.folder}/s",
            partition_by="close",  # type: ignore[arg-type]  # a wrong word
        )
    assert not (job.folder / "s").exists()


def test_the_command_of_the_readme_writes_a_folder(job: Job) -> None:
    job.input.rename(job.folder / "data.csv")
    done = subprocess.run(
        process_arguments("--signals", "signals", "--partition-by", "symbol"),
        cwd=job.folder,
        check=False,
        capture_output=True,
    )
    assert done.returncode == 0
    assert sorted(os.listdir(job.folder / "signals")) == ["symbol=A", "symbol=B", "symbol=C"]


def test_a_run_that_was_killed_while_it_moved_partitions_writes_the_same_bytes(job: Job) -> None:
    # Each file has one symbol and files are read one by one, so no day is sorted by time.
    job.config.write_text(CONFIG.replace("s}", "{from: filename}}"))
    (job.folder / "in").mkdir()
    for symbol in "AB":
        panel(job.folder / "in" / f"{symbol}.parquet", [symbol])
    folder, state = job.folder / "signals", job.folder / "s.state"
    flags = [f"--state={state}", f"--signals={folder}", "--partition-by=date"]
    assert job.run(*flags, input=job.folder / "in") == 0
    before = snapshot(folder)
    state.unlink()
    (folder / "date=2024-01-02/signals.parquet").unlink()
    assert job.run(*flags, input=job.folder / "in") == 0
    assert snapshot(folder) == before


@pytest.mark.parametrize("suffix", ["", ".csv"])
def test_rows_of_one_time_keep_their_order_among_existing_rows(job: Job, suffix: str) -> None:
    symbols = [f"{number * 7 % 40}" for number in range(40)]
    folder = job.folder / f"signals{suffix}"
    flags = f"--state={job.folder / 's.state'}", f"--signals={folder}", "--partition-by=date"
    for bars in (2, 5, 9):
        panel(job.input, symbols, bars)
        assert job.run(*flags) == 0
    at_once = job.folder / f"other{suffix}"
    assert job.run(f"--signals={at_once}", "--partition-by=date") == 0
    assert snapshot(folder) == snapshot(at_once)


@pytest.mark.parametrize("bars", ["s,close\nA,1\nA,2\nA,3\n", "s,close\n" + "A,1\nB,2\n" * 400_000])
def test_rows_without_timestamps_are_not_added_to_partitions(job: Job, bars: str) -> None:
    job.input.write_text(bars)
    flags = f"--state={job.folder / 's.state'}", f"--signals={job.folder / 'parts'}"
    assert job.run(*flags, "--partition-by=symbol") == 65
    assert "Rows without timestamps cannot be matched" in str(job.metrics()["error_message"])
    assert not (job.folder / "s.state").exists()
