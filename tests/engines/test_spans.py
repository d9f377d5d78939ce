"""A range of time has the rows of a run over everything in that range, and their account."""

import json
from pathlib import Path

import pytest

from rollsignal.commands import run as job
from rollsignal.config.request import Request
from rollsignal.engines import inputs
from rollsignal.errors import JobError

CONFIG = 'seed: 1\nwindow: 4\nversion: "v"\n'
PANEL = CONFIG + "columns: {symbol: symbol}\n"
ROWS = [
    f"2024-01-{1 + number // 24:02d}T{number % 24:02d}:00:00,{symbol},{100 + number * 7 % 13}.5\n"
    for number in range(96)
    for symbol in "AB"
]
SPANS = [
    ("2024-01-02", "2024-01-03"),
    ("2024-01-02T05:00:00Z", None),
    (None, "2024-01-01T06:00"),
    ("2023-01-01", "2025-01-01"),
]


@pytest.fixture(params=["one", "panel"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    panel = request.param == "panel"
    (tmp_path / "c.yaml").write_text(PANEL if panel else CONFIG)
    (tmp_path / "bars.csv").write_text("timestamp,symbol,close\n" + "".join(ROWS[:: 2 - panel]))
    return tmp_path


def run(folder: Path, name: str, **flags: str | None) -> JobError | None:
    request = Request(
        (str(folder / "bars.csv"),),
        str(folder / "c.yaml"),
        str(folder / f"{name}.json"),
        None,
        summary=str(folder / f"{name}.summary.json"),
        signals=str(folder / f"{name}.signals.csv"),
    )
    # Any flag may be given.
    return job.run(request._replace(**flags), 0, lambda level, text: None).error  # type: ignore[arg-type]


def within(rows: list[str], since: str | None, until: str | None) -> list[str]:
    low = (since or "").removesuffix("Z")
    return [row for row in rows if row >= low and (until is None or row < until)]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("span", SPANS)
def test_the_rows_are_those_of_a_run_over_everything(
    folder: Path, span: tuple[str | None, str | None], large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(folder, "whole") is None
    if large:
        monkeypatch.setattr(inputs, "LARGE_BYTES", 0)
    assert run(folder, "part", since=span[0], until=span[1]) is None
    header, *whole = (folder / "whole.signals.csv").read_text().splitlines()
    rows_header, *rows = (folder / "part.signals.csv").read_text().splitlines()
    assert (rows_header, rows) == (header, within(whole, *span))
    assert rows


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("span", SPANS)
def test_the_account_is_that_of_the_rows(
    folder: Path, span: tuple[str | None, str | None], large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if large:
        monkeypatch.setattr(inputs, "LARGE_BYTES", 0)
    assert run(folder, "part", since=span[0], until=span[1]) is None
    rows = [line.split(",") for line in (folder / "part.signals.csv").read_text().splitlines()[1:]]
    signals = [row[4] for row in rows if row[4]]
    metrics = json.loads((folder / "part.json").read_text())
    assert metrics["rows_processed"] == len(rows)
    assert metrics["value"] == round(signals.count("1") / len(signals), 4)
    for summary in json.loads((folder / "part.summary.json").read_text()):
        own = [row for row in rows if row[1] == summary["symbol"]]
        with_signal = [row[4] for row in own if row[4]]
        assert summary["rows"] == len(own)
        assert (summary["signals"], summary["ones"]) == (len(with_signal), with_signal.count("1"))
        assert (summary["first_timestamp"], summary["last_timestamp"]) == (own[0][0], own[-1][0])
        assert summary["last_close"] == own[-1][2]


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        ({"since": "soon"}, 2, "--since is 'soon', not a timestamp"),
        ({"until": "2024-02-30"}, 2, "--until is '2024-02-30', not a valid date"),
        ({"since": "2024-01-02", "until": "2024-01-02T00:00Z"}, 2, "--since 2024-01-02 is not"),
        ({"since": "2030-01-01"}, 65, "No signal since 2030-01-01T00:00:00Z: 0 bars in this range"),
        (
            {"since": "2029-12-31T23:00:00-01:00", "until": "2030-01-02"},
            65,
            "No signal since 2030-01-01T00:00:00Z until 2030-01-02T00:00:00Z: 0 bars in this range",
        ),
    ],
)
def test_an_invalid_or_empty_range_is_an_error(
    folder: Path, flags: dict[str, str], code: int, message: str
) -> None:
    error = run(folder, "part", **flags)
    assert error is not None
    assert error.exit_code == code
    assert error.message.startswith(message)


def test_a_range_of_a_table_without_timestamps_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG)
    (tmp_path / "bars.csv").write_text("close\n1\n2\n3\n4\n5\n")
    error = run(tmp_path, "part", since="2024-01-01")
    assert error is not None
    assert (
        error.message
        == "A range of time needs timestamps, but there are none, or they are not read"
    )


def test_a_backfill_rewrites_only_the_partitions_of_its_range(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(CONFIG)
    rows = ROWS[::2]
    (tmp_path / "bars.csv").write_text("timestamp,symbol,close\n" + "".join(rows))
    flags = {"signals": str(tmp_path / "s"), "partition_by": "date"}
    assert run(tmp_path, "whole", **flags) is None
    files = {file: file.read_bytes() for file in (tmp_path / "s").rglob("*.parquet")}
    stamps = {file: file.stat().st_mtime_ns for file in files}
    second = tmp_path / "s/date=2024-01-02/signals.parquet"
    second.unlink()
    assert run(tmp_path, "part", since="2024-01-02", until="2024-01-03", **flags) is None
    assert {file: file.read_bytes() for file in (tmp_path / "s").rglob("*.parquet")} == files
    assert {file for file in files if file.stat().st_mtime_ns != stamps[file]} == {second}
