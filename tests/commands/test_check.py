"""A check reports all that is wrong with bars and where, needs no config, and writes nothing."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.commands.check import check, usual_config
from rollsignal.core.findings import UNTIMED
from rollsignal.engines import inputs
from rollsignal.errors import ConfigError, InputError, JobError, UsageError
from rollsignal.readers.cell_hints import DUPLICATES_HINT, ONE_SERIES_HINT, ORDER_HINT
from rollsignal.readers.opening import OpenedFile
from tests.support.shell import CONFIG, ENVIRONMENT, ROOT, Heard, command, published, snapshot

HEAD = "timestamp,open,high,low,close,volume\n"
GOOD = HEAD + "".join(f"2024-01-01 00:{minute:02d}:00,5,6,4,5,1\n" for minute in range(4))
CHECKS = ["unreadable", "timestamps", "missing", "order", "duplicates", "ohlc", "gaps", "values"]
LEVELS = dict.fromkeys(CHECKS, "error") | {"timestamps": "warn", "values": "warn"}


def report_of(*paths: Path | str, config: Path | None = None) -> dict[str, Any]:
    checked = check([str(path) for path in paths], str(config) if config else None, Heard())
    assert checked.exit_code == (65 if checked.document["status"] == "errors" else 0)
    assert published(json.dumps(checked.document, indent=2, ensure_ascii=False) + "\n")
    return checked.document


def counts(report: dict[str, Any]) -> dict[str, int]:
    """Return the counts of the checks that found something."""
    return {name: check["count"] for name, check in report["checks"].items() if check["count"]}


def found(report: dict[str, Any], name: str) -> list[tuple[int, str, str | None]]:
    return [
        (first["row"], first["symbol"], first["timestamp"])
        for first in report["checks"][name]["first"]
    ]


def messages(report: dict[str, Any]) -> list[str]:
    return [first["message"] for name in CHECKS for first in report["checks"][name]["first"]]


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    path = tmp_path / "bars.csv"
    path.write_text(GOOD)
    return path


# Findings.


def test_good_bars_are_ok(bars: Path) -> None:
    report = report_of(bars)
    form = "utf-8, comma, close from close, timestamp from timestamp"
    assert report == {
        "status": "ok",
        "rows": 4,
        "series": 1,
        "files": {
            "count": 1,
            "first": [
                {
                    "file": str(bars),
                    "form": f"{form}, compared with open, high, low, volume",
                }
            ],
        },
        "checks": {name: {"level": LEVELS[name], "count": 0, "first": []} for name in CHECKS},
    }


def test_every_finding_is_reported_with_its_line(bars: Path) -> None:
    bars.write_text(
        HEAD + "2024-01-01 00:00:00,5,6,4,5,1\n"
        "2024-01-01 00:01:00,5,6,4,5,1\n"
        "2024-01-01 00:02:00,5,4,4,,1\n"
        "\n"
        "2024-01-01 00:02:00,5,6,4,5,-1\n"
        "2024-01-01 00:01:00,5,6,4,5,x\n"
        "2024-01-01 00:09:00,5,6,4,5,1\n"
    )
    report = report_of(bars)
    assert (report["status"], report["rows"]) == ("errors", 6)
    hints = {name: f" (set checks: {{{name}: warn}})" for name in CHECKS}
    hints |= {"order": f" ({ORDER_HINT})", "duplicates": f" ({DUPLICATES_HINT})"}
    hints["missing"] = " (set missing: skip to leave such rows out, or gap for no signal near them)"
    expected = {
        "missing": [(4, 2, "close is '', not a number")],
        "order": [(7, 1, "timestamp is earlier than 2024-01-01T00:02:00Z in the previous row")],
        "duplicates": [(6, 2, "timestamp is the same as in the previous row")],
        "ohlc": [
            (4, 2, "high 4 is below open 5"),
            (6, 2, "volume -1 is below zero"),
            (7, 1, "volume is 'x', not a number"),
        ],
        "gaps": [
            (8, 9, "a step of 0:08:00 before 2024-01-01T00:09:00Z, where 0:01:00 is usual"),
        ],
    }
    for name in CHECKS:
        assert report["checks"][name] == {
            "level": LEVELS[name],
            "count": len(expected.get(name, [])),
            "first": [
                {
                    "file": str(bars),
                    "row": line,
                    "symbol": "",
                    "timestamp": f"2024-01-01T00:0{minute}:00Z",
                    "message": f"{bars} line {line}: {what}{hints[name]}",
                }
                for line, minute, what in expected.get(name, [])
            ],
        }


def test_all_are_counted_and_the_first_five_of_each_check_are_shown(bars: Path) -> None:
    bars.write_text(HEAD + "2024-01-01,5,6,4,9,1\n" * 100)
    report = report_of(bars)
    assert counts(report) == {"ohlc": 100, "duplicates": 99}
    assert [row for row, _, _ in found(report, "ohlc")] == [2, 3, 4, 5, 6]
    assert [row for row, _, _ in found(report, "duplicates")] == [3, 4, 5, 6, 7]


def test_a_panel_is_checked_series_by_series(bars: Path, tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("columns: {symbol: s}\n")
    rows = "00,A,1\n00,B,1\n01,A,1\n01,B,1\n02,B,1\n05,A,1\n02,B,1\n06,A,1\n04,B,1\n"
    lines = rows.replace("\n", "\n2024-01-01T00:")
    bars.write_text(f"timestamp,s,close\n2024-01-01T00:{lines}".removesuffix("2024-01-01T00:"))
    report = report_of(bars, config=config)
    assert report["series"] == 2
    assert counts(report) == {"duplicates": 1, "gaps": 2}
    assert found(report, "duplicates") == [(8, "B", "2024-01-01T00:02:00Z")]
    same = "timestamp is the same as in the previous row of 'B'"
    assert f"{same} ({ONE_SERIES_HINT})" in messages(report)[0]
    assert found(report, "gaps") == [
        (10, "B", "2024-01-01T00:04:00Z"),
        (7, "A", "2024-01-01T00:05:00Z"),
    ]
    assert "2024-01-01T00:05:00Z of 'A', where 0:01:00 is usual" in messages(report)[-1]


Row = tuple[int, int | None, int, int]
table_rows = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 2, 0, -1]),
        st.one_of(st.integers(4, 6), st.none()),
        st.integers(3, 7),
        st.sampled_from([1, 0, -1]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40)
@given(table_rows, st.booleans())
def test_columns_have_the_findings_of_their_text(rows: list[Row], panel: bool) -> None:
    at, times = datetime(2024, 1, 1), []
    for step, *_ in rows:
        at += timedelta(minutes=step)
        times.append(at)
    frame = pl.DataFrame(
        {
            "timestamp": times,
            "close": pl.Series([close for _, close, _, _ in rows], dtype=pl.Float64),
            "high": [high / 2 + 2 for _, _, high, _ in rows],
            "volume": [volume for *_, volume in rows],
            "s": ["AB"[place % 2] for place in range(len(rows))],
        }
    )
    with TemporaryDirectory() as folder:
        lines, columns, config = (Path(folder, name) for name in ("a.csv", "a.parquet", "c"))
        config.write_text("columns: {symbol: s}\n" if panel else "columns: {}\n")
        frame.write_csv(lines, datetime_format="%Y-%m-%d %H:%M:%S")
        frame.write_parquet(columns)
        of_text, of_columns = (report_of(path, config=config) for path in (lines, columns))
    for name in CHECKS:
        for finding in of_columns["checks"][name]["first"]:
            row, line = finding["row"], finding["row"] + 1
            finding["message"] = finding["message"].replace(
                f"a.parquet row {row}:", f"a.csv line {line}:"
            )
            finding |= {"row": line, "file": str(lines)}
    assert of_columns["checks"] == of_text["checks"]
    assert (of_columns["rows"], of_columns["series"]) == (of_text["rows"], of_text["series"])


FAULTS: dict[str, dict[int, tuple[int, str]]] = {
    "none": {},
    "gaps": {900: (5, ""), 4_000: (5, ""), 7_999: (9, "")},
    "prices": {5_000: (1, "high"), 5_001: (1, "volume")},
    "many": {row: (row % 3, ["", "high", "volume"][row % 5 % 3]) for row in range(3_000, 8_000, 7)},
}


@pytest.mark.parametrize("panel", [False, True])
@pytest.mark.parametrize("faults", FAULTS)
def test_large_tables_have_the_findings_of_small_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faults: str, panel: bool
) -> None:
    """A large table is read as arrays, without its first block and those that are not clean."""
    at, rows = datetime(2024, 1, 1), []
    for row in range(8_000):
        step, fault = FAULTS[faults].get(row, (1, ""))
        at += timedelta(minutes=step)
        high, volume = 3 if fault == "high" else 6, -2 if fault == "volume" else 2
        rows.append(f"{at},{'AB'[row % 2]},5,{high}.5,2.25,{row % 3 + 3},{volume}\n")
    path, config = tmp_path / "bars.csv", tmp_path / "c.yaml"
    path.write_text("timestamp,symbol,open,high,low,close,volume\n" + "".join(rows))
    config.write_text(f"columns: {{symbol: {'symbol' if panel else 'none'}}}\n")
    small = report_of(path, config=config)
    monkeypatch.setattr(inputs, "LARGE_BYTES", 0)
    monkeypatch.setattr(inputs, "OpenedFile", partial(OpenedFile, block_bytes=20_000))
    assert report_of(path, config=config) == small
    assert sorted(counts(small)) == sorted(
        {
            "none": [],
            "gaps": ["gaps"],
            "prices": ["ohlc"],
            "many": ["gaps", "ohlc"] if panel else ["duplicates", "gaps", "ohlc"],
        }[faults]
    )


def test_without_timestamps_and_other_prices_only_closes_are_looked_at(bars: Path) -> None:
    bars.write_text("close\n1\n2\n")
    report = report_of(bars)
    form = "utf-8, comma, close from close, timestamp from none, compared with no other column"
    assert report["files"]["first"][0]["form"] == form
    assert (report["status"], counts(report)) == ("warnings", {"timestamps": 1})
    assert messages(report) == [UNTIMED]
    config = bars.with_name("mine.yaml")
    config.write_text("columns: {timestamp: none}\n")
    assert report_of(bars, config=config)["status"] == "ok"


def test_several_files_of_a_series_without_timestamps_are_an_error(tmp_path: Path) -> None:
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_text("close\n1\n2\n")
    report = report_of(tmp_path)
    assert (report["status"], counts(report)) == ("errors", {"timestamps": 1})
    assert "1.csv and" in messages(report)[0]
    config = tmp_path / "config.yaml"
    config.write_text("columns: {symbol: {from: filename}}\n")
    report = report_of(tmp_path / "1.csv", tmp_path / "2.csv", config=config)
    assert (report["status"], counts(report)) == ("warnings", {"timestamps": 2})


# Several files.


def day(number: int, rows: int = 3) -> str:
    """Write bars of one day, a minute apart."""
    return HEAD + "".join(
        f"2024-01-{number:02d} 00:{row:02d}:00,5,6,4,5,1\n" for row in range(rows)
    )


def test_several_files_are_checked_as_one_series_in_the_order_of_time(tmp_path: Path) -> None:
    for name, number in (("b", 1), ("a", 2), ("c", 2)):
        (tmp_path / f"{name}.csv").write_text(day(number))
    report = report_of(tmp_path)
    assert (report["rows"], report["series"], report["files"]["count"]) == (9, 1, 3)
    assert counts(report) == {"order": 1, "gaps": 1}
    ((row, _, at),) = found(report, "gaps")
    assert (row, at) == (2, "2024-01-02T00:00:00Z")
    (overlap,) = report["checks"]["order"]["first"]
    assert (overlap["file"], overlap["row"]) == (str(tmp_path / "c.csv"), None)
    assert overlap["message"].endswith("and duplicates: same for bars that both have)")
    assert "ends at 2024-01-02T00:02:00Z: do they overlap? (if" in overlap["message"]


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "no close column": (b"open\n1\n", "line 1: no 'close' column in the header: 'open'"),
    "nothing in it": (b"", "no header and no rows: the file is empty or blank"),
    "a close that is not a number": (
        day(2).replace("4,5,1", "4,x,1").encode(),
        "line 2: close is 'x'",
    ),
    "a torn archive": (gzip.compress(day(2, 50).encode())[:-20], "cannot be read as gzip"),
    "a torn table": (b"PAR1 and no more", "cannot be read as parquet"),
    "a short row": (day(2).encode() + b"2024-01-02 01:00:00,5\n", "line 5: 2 fields instead"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_file_that_cannot_be_read_is_reported_and_the_others_are_checked(
    tmp_path: Path, kind: str
) -> None:
    """The others are later by name and earlier in time, so that their order shows."""
    content, message = UNREADABLE[kind]
    (tmp_path / "late.csv").write_text(day(1).replace("2024-01-01", "2024-01-03"))
    (tmp_path / "zearly.csv").write_text(day(1))
    (tmp_path / "bad.csv").write_bytes(content)
    report = report_of(tmp_path)
    (bad,) = report["checks"]["unreadable"]["first"]
    assert bad["file"] == str(tmp_path / "bad.csv")
    assert (bad["row"], bad["timestamp"]) == (None, None)
    assert message in bad["message"]
    assert report["files"]["count"] == 2
    whole = 3 if kind == "a short row" else 0
    assert report["rows"] == 6 + whole
    assert counts(report) == {"unreadable": 1, "gaps": 2 if whole else 1}


def test_the_report_of_many_files_is_short(tmp_path: Path) -> None:
    for number in range(40):
        bars = "close\n1\n2\n" if number % 2 else "open\n1\n"
        (tmp_path / f"{number:02d}.csv").write_text(bars)
    report = report_of(tmp_path)
    names = [Path(first["file"]).name for first in report["files"]["first"]]
    assert (report["files"]["count"], names) == (20, [f"{n:02d}.csv" for n in range(1, 10, 2)])
    bad = [Path(first["file"]).name for first in report["checks"]["unreadable"]["first"]]
    assert counts(report) == {"unreadable": 20, "timestamps": 1}
    assert bad == [f"{n:02d}.csv" for n in range(0, 9, 2)]


def test_a_folder_stands_for_the_files_that_a_run_would_read(
    bars: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bars.parent)
    Path("config.yaml").write_text(CONFIG)
    assert command("run", "--input", ".") == 0
    assert sorted(os.listdir()) == ["bars.csv", "config.yaml", "metrics.json", "run.log"]
    assert command("check", "--input", ".") == 0
    Path("config.yaml").rename("mine")
    (first,) = report_of(".", config=Path("mine"))["files"]["first"]
    assert first["file"] == "./bars.csv"


def test_a_table_without_rows_is_not_ok(bars: Path, tmp_path: Path) -> None:
    bars.write_text(HEAD)
    report = report_of(bars)
    assert counts(report) == {"unreadable": 1}
    assert messages(report) == [f"{bars}: no rows below the header"]
    (tmp_path / "more.csv").write_text(GOOD)
    assert report_of(tmp_path)["status"] == "ok"


def test_a_name_that_is_not_utf8_is_reported(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv")
    Path(path).write_text(GOOD)
    (first,) = report_of(path)["files"]["first"]
    assert first["file"] == repr(path)


# Settings.


def levels(report: dict[str, Any]) -> list[str]:
    return [report["checks"][name]["level"] for name in CHECKS]


@pytest.mark.parametrize("config", ["", "# nothing yet\n", "columns: {}\n", CONFIG])
def test_a_config_may_lack_what_only_signals_need(bars: Path, config: str) -> None:
    path = bars.parent / "c.yaml"
    path.write_text(config)
    assert report_of(bars, config=path) == report_of(bars)
    assert levels(report_of(bars)) == ["error", "warn", *["error"] * 5, "warn"]


def test_what_the_config_warns_of_is_a_warning_and_all_others_are_errors(bars: Path) -> None:
    config = bars.parent / "c.yaml"
    config.write_text("checks: {order: off, duplicates: warn, ohlc: warn, gaps: off}\n")
    assert levels(report_of(bars, config=config)) == [
        *("error", "warn", "error"),
        *("error", "warn", "warn", "error", "warn"),
    ]
    bars.write_text(GOOD.replace(",4,5,", ",4,7,"))
    report = report_of(bars, config=config)
    assert (report["status"], counts(report)) == ("warnings", {"ohlc": 4})


@pytest.mark.parametrize(("missing", "status"), [("skip", "warnings"), ("gap", "warnings")])
def test_missing_closes_that_the_config_allows_are_warnings(
    bars: Path, missing: str, status: str
) -> None:
    config = bars.parent / "c.yaml"
    config.write_text(f"missing: {missing}\n")
    bars.write_text(GOOD.replace("4,5,1", "4,,1"))
    report = report_of(bars, config=config)
    assert (report["status"], counts(report), report["rows"]) == (status, {"missing": 4}, 4)
    assert report_of(bars)["status"] == "errors"


def test_columns_are_those_of_the_config(bars: Path) -> None:
    config = bars.parent / "c.yaml"
    config.write_text("columns: {close: Last, timestamp: at}\n")
    bars.write_text("at,timestamp,Last,close\n2024-01-02,x,1,y\n2024-01-01,x,1,y\n")
    assert counts(report_of(bars, config=config)) == {"order": 1}


@pytest.mark.parametrize("wrong", ["window: 0\n", "checks: {gaps: maybe}\n", "[1]\n", "a: b\n"])
def test_a_config_that_is_wrong_is_refused(bars: Path, wrong: str) -> None:
    config = bars.parent / "c.yaml"
    config.write_text(wrong)
    with pytest.raises(ConfigError, match=r"c\.yaml line 1: "):
        report_of(bars, config=config)
    with pytest.raises(ConfigError, match="Config file not found"):
        report_of(bars, config=bars.parent / "none.yaml")


def test_the_usual_config_is_read_if_there_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert usual_config(None) is None
    assert usual_config("other.yaml") == "other.yaml"
    Path("config.yaml").write_text(CONFIG)
    assert usual_config(None) == "config.yaml"


@pytest.mark.parametrize(
    ("inputs", "error"),
    [(["none.csv"], InputError), (["*.nothing"], InputError), (["bars.csv"] * 2, UsageError)],
)
def test_having_nothing_to_check_is_an_error(
    bars: Path, monkeypatch: pytest.MonkeyPatch, inputs: list[str], error: type[JobError]
) -> None:
    monkeypatch.chdir(bars.parent)
    with pytest.raises(error):
        check(inputs, None, Heard())


# The command.


def test_the_command_prints_the_report_and_writes_nothing(
    bars: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(bars.parent)
    bars.rename("data.csv")
    before = snapshot(bars.parent)
    assert command("check") == 0
    printed, errors = capsys.readouterr()
    assert (published(printed)["status"], errors) == ("ok", "")
    assert command("check", "--input", "data.csv", "none.csv") == 66
    assert capsys.readouterr() == (
        "",
        "rollsignal: error: Input data file not found"
        " (path: none.csv, looked for in the working directory)\n",
    )
    assert command("check", "--config", "none.yaml") == 78
    assert command("check", "--nope") == 2
    assert snapshot(bars.parent) == before


def test_errors_and_warnings_are_printed_on_stderr_and_exit_65(
    bars: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = bars.parent / "c.yaml"
    config.write_text("checks: {ohlc: warn}\n")
    bars.write_text(HEAD + "2024-01-01,5,6,4,9,1\n" * 2)
    flags = ["check", f"--input={bars}", f"--config={config}"]
    assert command(*flags) == 65
    printed, errors = capsys.readouterr()
    assert published(printed)["status"] == "errors"
    high = "high 6 is below close 9 (set checks: {ohlc: warn})"
    same = "timestamp is the same as in the previous row"
    error = f"{bars} line 3: {same} ({DUPLICATES_HINT})"
    assert errors.splitlines() == [
        f"rollsignal: warning: {bars} line 2: {high}",
        f"rollsignal: warning: {bars} line 3: {high}",
        f"rollsignal: error: {error}",
    ]
    assert command(*flags, "--quiet") == 65
    assert capsys.readouterr() == (printed, f"rollsignal: error: {error}\n")


def process(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "rollsignal", "check", *arguments],
        env=ENVIRONMENT | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def test_standard_input_is_checked(tmp_path: Path) -> None:
    with process("--input", "-", cwd=tmp_path, stdout=subprocess.PIPE) as running:
        printed, errors = running.communicate(GOOD.replace("4,5,1", "4,8,1").encode())
    report = published(printed.decode())
    assert (running.returncode, report["status"], report["rows"]) == (65, "errors", 4)
    assert b"error: - line 2: high 6 is below close 8" in errors


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_check_with_its_code_and_a_line(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    with process("--input", "-", cwd=tmp_path, stdout=subprocess.PIPE) as running:
        assert running.stdin
        # More than fits into the pipe: once it is written, the check is reading.
        running.stdin.write(b"close\n" + b"1\n" * 500_000)
        running.stdin.flush()
        running.send_signal(number)
        printed, errors = running.communicate()
    assert (running.returncode, printed) == (code, b"")
    assert errors.decode() == f"rollsignal: error: Stopped by {number.name} before the end\n"


def test_a_report_that_nobody_reads_does_not_hide_the_errors(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(HEAD + "2024-01-01,5,6,4,9,1\n")
    reading, writing = os.pipe()
    os.close(reading)
    with process("-q", cwd=tmp_path, stdout=writing) as running:
        os.close(writing)
    assert running.returncode == 65


def test_a_report_that_cannot_be_printed_exits_74(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(GOOD)
    with open("/dev/full", "w") as full, process(cwd=tmp_path, stdout=full) as running:
        assert running.stderr
        errors = running.stderr.read()
    assert running.returncode == 74
    assert errors == b"rollsignal: error: stdout could not be written: No space left on device\n"


def test_a_compressed_table_is_checked_and_reported_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(GOOD.replace("4,5,1", "4,5,-1").encode())
    (first, *_) = messages(report_of(path))
    assert first.startswith(f"{path} line 2: volume -1 is below zero")


def test_prices_in_columns_are_compared_exactly(tmp_path: Path) -> None:
    """The float32 nearest to 0.1 is 0.1, whatever double it is beside."""
    file = io.BytesIO()
    pl.DataFrame(
        {
            "close": pl.Series([0.1, 0.1], dtype=pl.Float32),
            "high": [0.1, 0.09999999999999999],
            "low": [0.1, 0.1],
        }
    ).write_parquet(file)
    path = tmp_path / "bars.parquet"
    path.write_bytes(file.getvalue())
    untimed, message = messages(report_of(path))
    assert untimed == UNTIMED
    assert message == (
        f"{path} row 2: high 0.09999999999999999 is below close 0.1,"
        " high 0.09999999999999999 is below low 0.1 (set checks: {ohlc: warn})"
    )


@pytest.mark.parametrize("symbols", [None, 2])
def test_a_gap_in_a_columnar_file_of_many_parts_has_its_row(
    tmp_path: Path, symbols: int | None
) -> None:
    count, gap = 140_000, 135_001
    rows = pl.DataFrame({"row": range(1, count + 1)}).with_columns(
        timestamp=pl.datetime(2024, 1, 1) + pl.duration(minutes=pl.col("row")),
        close=pl.col("row") % 7 + 1,
        symbol=pl.format("S{}", pl.col("row") % (symbols or 1)),
    )
    rows.filter(pl.col("row") != gap).write_parquet(tmp_path / "bars.parquet")
    config = tmp_path / "c.yaml"
    config.write_text(f"columns: {{symbol: {'symbol' if symbols else 'none'}}}\n")
    report = report_of(tmp_path / "bars.parquet", config=config)
    after = datetime(2024, 1, 1) + timedelta(minutes=gap + (symbols or 1))
    symbol = "S1" if symbols else ""
    assert counts(report) == {"gaps": 1}
    assert found(report, "gaps") == [(gap + (symbols or 1) - 1, symbol, f"{after.isoformat()}Z")]
