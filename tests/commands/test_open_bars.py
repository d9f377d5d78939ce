"""Vendors whose last bar is unfinished: it waits until a later one is there."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

from rollsignal.api import check
from rollsignal.commands.verify import verify
from rollsignal.outputs.record.document import load_record
from tests.support.nights import CONFIG, PANEL, Folder, bar
from tests.support.shell import Job, command

OPEN = CONFIG + "open_bars: 1\n"


def rows(count: int, begin: int = 0) -> list[str]:
    return [bar(number) for number in range(begin, count)]


def values(folder: Folder) -> tuple[object, ...]:
    """Return the metrics, the summary and the signals of the night."""
    return folder.left("part")


def whole(folder: Folder, count: int) -> tuple[object, ...]:
    """Return what a run over the first bars leaves of which all count."""
    (folder.path / "c.yaml").write_text(CONFIG)
    assert folder.run([folder.write("whole.csv", rows(count))], "whole") is None
    (folder.path / "c.yaml").write_text(OPEN)
    return folder.left("whole")


def test_the_last_bar_is_left_out_without_a_state(tmp_path: Path) -> None:
    folder = Folder(tmp_path, OPEN)
    assert folder.run([folder.write("1.csv", [*rows(8), bar(8, "5")])], "part") is None
    assert values(folder) == whole(folder, 8)


def test_a_last_bar_that_is_finished_later_is_no_restatement(tmp_path: Path) -> None:
    folder = Folder(tmp_path, OPEN)
    path = folder.write("1.csv", [*rows(8), bar(8, "5")])
    assert folder.continued([path]) is None
    folder.write("1.csv", rows(12))
    assert folder.continued([path]) is None
    assert values(folder) == whole(folder, 11)


@pytest.mark.parametrize("given", [True, False])
def test_a_bar_waits_in_the_state_until_another_file_has_its_successor(
    tmp_path: Path, given: bool
) -> None:
    folder = Folder(tmp_path, OPEN)
    path = folder.write("1.csv", rows(9))
    for _ in range(2):
        assert folder.continued([path]) is None
    if not given:
        Path(path).unlink()
    later = folder.write("2.csv", rows(12, 9))
    assert folder.continued([path, later] if given else [later]) is None
    assert "bars that waited, and that no file has again, count as they were: 1" in folder.told
    assert values(folder) == whole(folder, 11)


def test_a_file_that_grows_keeps_its_own_bar(tmp_path: Path) -> None:
    folder = Folder(tmp_path, OPEN)
    path = folder.write("1.csv", rows(9))
    assert folder.continued([path]) is None
    with open(path, "a") as file:
        file.write("".join(rows(12, 9)))
    assert folder.continued([path]) is None
    assert not any("no file has again" in text for text in folder.told)
    assert values(folder) == whole(folder, 11)


def test_a_second_row_for_the_bar_that_waits_is_a_duplicate_in_a_file_that_has_grown(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path, OPEN)
    path = folder.write("1.csv", rows(9))
    assert folder.continued([path]) is None
    with open(path, "a") as file:
        file.write(bar(8, "5") + bar(9) + bar(10))
    error = folder.continued([path])
    assert error is not None
    assert error.exit_code == 65
    assert "1.csv line 11: timestamp is the same as in the previous row" in error.message


def test_a_bar_that_waits_is_forgotten_if_its_file_is_written_again_without_it(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path, OPEN)
    path = folder.write("1.csv", [*rows(8), bar(30, "5")])
    assert folder.continued([path]) is None
    folder.write("1.csv", rows(12))
    assert folder.continued([path]) is None
    assert values(folder) == whole(folder, 11)


def test_a_bar_that_waits_is_forgotten_if_its_file_becomes_shorter(tmp_path: Path) -> None:
    folder = Folder(tmp_path, OPEN)
    path = folder.write("1.csv", rows(9))
    assert folder.continued([path]) is None
    folder.write("1.csv", rows(8))
    assert folder.continued([path]) is None
    assert folder.state().waiting == ()
    assert folder.continued([folder.write("2.csv", rows(12, 8))]) is None
    assert values(folder) == whole(folder, 11)


def test_a_bar_that_has_a_successor_is_restated_as_ever(tmp_path: Path) -> None:
    folder = Folder(tmp_path, OPEN)
    path = folder.write("1.csv", rows(9))
    assert folder.continued([path]) is None
    folder.write("1.csv", [*rows(7), bar(7, "5"), bar(8)])
    error = folder.continued([path])
    assert error is not None
    assert error.exit_code == 65
    assert "1 bar of A from 2024-01-01T00:07:00Z" in error.message


def test_everything_is_decided_again_without_the_last_bar(tmp_path: Path) -> None:
    folder = Folder(tmp_path, OPEN + "on_restatement: recompute\n")
    path = folder.write("1.csv", rows(9))
    assert folder.continued([path]) is None
    folder.write("1.csv", [bar(0, "5"), *rows(9, 1), bar(9, "7")])
    assert folder.continued([path]) is None
    state = folder.state()
    assert [(w.close, w.scale) for w in state.waiting] == [(7, 0)]
    assert state.accounts["A"].tally.rows == 9


@pytest.mark.parametrize("later", [True, False])
def test_files_that_disagree_on_the_last_bar_of_both_are_refused_once_it_counts(
    tmp_path: Path, later: bool
) -> None:
    folder = Folder(tmp_path, OPEN)
    paths = [folder.write("1.csv", rows(9)), folder.write("2.csv", [bar(8, "5")])]
    if not later:
        assert folder.continued(paths) is None
        paths = []
    error = folder.continued([*paths, folder.write("3.csv", rows(12, 9))])
    assert error is not None
    what = "Input files disagree on bars that several of them have: 1 bar of A from 2024-01-01"
    assert (error.exit_code, error.message.startswith(what)) == (65, True)


def test_files_that_end_with_the_same_bar_are_settled_by_one_that_goes_on(tmp_path: Path) -> None:
    folder = Folder(tmp_path, OPEN)
    tables = [[*rows(8), bar(8, "5")], [bar(8, "6")], rows(12, 8)]
    paths = [folder.write(f"{number}.csv", table) for number, table in enumerate(tables)]
    assert folder.continued(paths) is None
    assert values(folder) == whole(folder, 11)


def test_bars_that_wait_are_checked_as_others_are(tmp_path: Path) -> None:
    job = Job(
        tmp_path,
        "timestamp,close\n" + "".join(row.replace(",A,", ",") for row in [*rows(8), bar(7, "5")]),
        OPEN,
    )
    assert job.run() == 65
    message = str(job.metrics()["error_message"])
    assert "line 10: timestamp is the same as in the previous row" in message


def test_a_doubtful_close_of_a_bar_that_waits_is_told_as_written(tmp_path: Path) -> None:
    folder = Folder(tmp_path, OPEN)
    assert folder.run([folder.write("1.csv", [*rows(8), bar(8, "0.00")])], "part") is None
    assert any("line 10: close is 0, not above zero" in text for text in folder.told)


def test_the_log_and_the_record_say_how_many_bars_wait(tmp_path: Path) -> None:
    folder = Folder(tmp_path, PANEL + "open_bars: 2\n")
    bars = [bar(number, symbol=symbol) for number in range(8) for symbol in "AB"]
    record = tmp_path / "r.json"
    assert folder.run([folder.write("1.csv", bars)], "part", record=str(record)) is None
    assert "newest bars wait bars=4 open_bars=2" in folder.told
    assert load_record(str(record)).waiting == 4
    assert verify(str(record), sample=9).exit_code == 0


def test_an_explanation_says_that_a_bar_waits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Folder(tmp_path, OPEN + "columns: {symbol: none}\n")
    flags = ["explain", "--json", "--input", folder.write("1.csv", rows(9))]
    flags += ["--config", str(tmp_path / "c.yaml"), "--at"]
    for at, signal, status in (("row:8", 0, "signal"), ("row:9", None, "no signal")):
        assert command(*flags, at) == 0
        document = json.loads(capsys.readouterr().out)
        assert (document["status"], document["signal"]) == (status, signal)
    assert document["reason"] == "it waits for later bars (open_bars)"
    assert document["margin_ticks"] is None


def test_a_check_looks_at_all_bars(tmp_path: Path) -> None:
    folder = Folder(tmp_path, OPEN)
    assert check(folder.write("1.csv", rows(9)), tmp_path / "c.yaml")["rows"] == 9


def test_too_few_bars_name_those_that_wait(tmp_path: Path) -> None:
    folder = Folder(tmp_path, OPEN)
    error = folder.run([folder.write("1.csv", rows(3))], "part")
    assert error is not None
    what = "3 rows, of which 1 waits (open_bars: 1), and no window of 3 bars before those that wait"
    assert what in error.message


def test_spark_refuses_bars_that_wait(tmp_path: Path) -> None:
    folder = Folder(tmp_path, OPEN)
    error = folder.run([folder.write("1.csv", rows(9))], "part", engine="spark")
    assert error is not None
    assert (error.exit_code, "open_bars needs all bars in one process" in error.message) == (
        78,
        True,
    )


def as_ndjson(path: Path, bars: Sequence[str]) -> None:
    columns = [row.strip().split(",") for row in bars]
    path.write_text(
        "".join(
            json.dumps({"timestamp": stamp, "symbol": symbol})[:-1] + f', "close": {close}}}\n'
            for stamp, symbol, close in columns
        )
    )


def as_parquet(path: Path, bars: Sequence[str]) -> None:
    columns = [row.strip().split(",") for row in bars]
    frame = pl.DataFrame(columns, ["timestamp", "symbol", "close"], orient="row")
    frame.cast({"close": pl.Float64}).write_parquet(path, row_group_size=4)


@pytest.mark.parametrize(
    ("write", "name"),
    [(as_ndjson, "1.ndjson"), (as_parquet, "1.parquet")],
    ids=["ndjson", "parquet"],
)
def test_the_last_bar_waits_in_every_format(
    tmp_path: Path, write: Callable[[Path, Sequence[str]], None], name: str
) -> None:
    folder = Folder(tmp_path, OPEN)
    for night in ([*rows(8), bar(8, "5")], rows(12)):
        write(tmp_path / name, night)
        assert folder.continued([str(tmp_path / name)]) is None
    assert values(folder) == whole(folder, 11)


def test_a_state_of_bars_without_timestamps_has_none_that_wait(tmp_path: Path) -> None:
    job = Job(tmp_path, config=OPEN + "columns: {timestamp: none}\n")
    assert job.run(f"--state={tmp_path / 's.state'}") == 78
    assert "A state needs timestamps" in str(job.metrics()["error_message"])
    assert job.run() == 0
    assert job.metrics()["rows_processed"] == 7
