"""Nights of a state that go wrong in practice: grown, renamed, swapped and repeated files."""

from __future__ import annotations

import subprocess
from itertools import chain, permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.outputs.state.document import load_state, save_state
from tests.support.nights import CONFIG, HEADER, Folder, bar
from tests.support.shell import Job, command, process_arguments

BY_FILE = CONFIG + "columns: {symbol: {from: filename}}\n"
WITHOUT_TIMES = CONFIG + "columns: {timestamp: none}\n"
UNTIMED = "close\n1.5\n1.6\n1.7\n1.5\n"


def series(folder: Folder, name: str, rows: list[str]) -> str:
    """Write the bars of a file of one symbol."""
    path = folder.path / name
    path.write_text("timestamp,close\n" + "".join(row.replace(",A,", ",") for row in rows))
    return str(path)


def rows(count: int, close: str = "") -> list[str]:
    return [bar(number, close) for number in range(count)]


# Files that have grown.


@pytest.mark.parametrize("tail", [bar(8, "99.25"), bar(3, "99.25"), "2024-01-01 00:02:30,A,7\n"])
def test_a_bar_in_the_tail_of_a_grown_file_that_contradicts_history_is_a_restatement(
    tmp_path: Path, tail: str
) -> None:
    folder = Folder(tmp_path)
    path = folder.write("1.csv", rows(9))
    assert folder.continued([path]) is None
    with open(path, "a") as file:
        file.write(tail + bar(9))
    error = folder.continued([path])
    assert error is not None
    assert (error.exit_code, "History was restated: 1 bar" in error.message) == (65, True)


def test_a_bar_in_the_tail_of_a_grown_file_that_repeats_history_is_left_out(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path)
    path = folder.write("1.csv", rows(9))
    assert folder.continued([path]) is None
    with open(path, "a") as file:
        file.write(bar(8) + bar(9))
    assert folder.continued([path]) is None
    assert folder.equals_a_run_over([folder.write("2.csv", rows(10))])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEADER + "".join(rows(9)) + "2024-01-01 00:09:00,A,1.5", "5\n" + bar(10)),
        (UNTIMED.rstrip("\n"), "5\n1.9\n"),
        (
            "close,timestamp\n1,2024-01-01T00:00\n2,2024-01-01T00:01\n3,2024-01-01T00:02",
            ":30\n4,2024-01-01T00:03\n",
        ),
    ],
)
def test_a_last_line_that_goes_on_is_a_restatement(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "1.csv"
    path.write_text(before)
    job = Job(tmp_path, config=CONFIG if "timestamp" in before else WITHOUT_TIMES)
    assert job.run(f"--state={tmp_path / 's.state'}", input=path) == 0
    path.write_text(before + after)
    assert job.run(f"--state={tmp_path / 's.state'}", input=path) == 65
    assert "restated" in str(job.metrics()["error_message"])


# The names of files.


def test_files_that_swap_their_names_swap_their_symbols(tmp_path: Path) -> None:
    folder = Folder(tmp_path, BY_FILE)
    paths = [series(folder, "BTC.csv", rows(9)), series(folder, "ETH.csv", rows(9, "7"))]
    assert folder.continued(paths) is None
    Path(paths[0]).rename(tmp_path / "x")
    Path(paths[1]).rename(paths[0])
    (tmp_path / "x").rename(paths[1])
    error = folder.continued(paths)
    assert error is not None
    assert "restated: 9 bars of BTC" in error.message
    assert "9 bars of ETH" in error.message
    (tmp_path / "c.yaml").write_text(BY_FILE + "on_restatement: recompute\n")
    assert folder.continued(paths) is None
    assert folder.equals_a_run_over(paths)


def test_a_copy_by_the_name_of_another_symbol_is_another_series(tmp_path: Path) -> None:
    folder = Folder(tmp_path, BY_FILE)
    paths = [series(folder, "BTC.csv", rows(9))]
    assert folder.continued(paths) is None
    paths.append(series(folder, "ETH.csv", rows(9)))
    assert folder.continued(paths) is None
    assert folder.equals_a_run_over(paths)


def test_a_file_renamed_to_another_symbol_is_a_series_of_its_own(tmp_path: Path) -> None:
    folder = Folder(tmp_path, BY_FILE)
    path = series(folder, "BTC.csv", rows(9))
    assert folder.continued([path]) is None
    Path(path).rename(tmp_path / "XBT.csv")
    assert folder.continued([str(tmp_path / "XBT.csv")]) is None
    # What was ever read stays.
    both = [series(folder, "BTC.csv", rows(9)), str(tmp_path / "XBT.csv")]
    assert folder.equals_a_run_over(both)


def test_a_copy_without_timestamps_is_read_as_often_as_it_is_there(tmp_path: Path) -> None:
    job = Job(tmp_path, config=WITHOUT_TIMES)
    paths = [str(tmp_path / name) for name in ("0.csv", "z.csv")]
    for path in paths:
        Path(path).write_text(UNTIMED)
    flags = job.arguments(f"--state={tmp_path / 's.state'}")[1:]
    for count in (1, 2, 2):
        assert command("run", *flags, "--input", *paths[:count]) == 0
        assert job.metrics()["rows_processed"] == 4 * count


def test_a_state_without_timestamps_needs_a_setting(tmp_path: Path) -> None:
    job, state = Job(tmp_path, UNTIMED, CONFIG), tmp_path / "s.state"
    assert job.run(f"--state={state}") == 65
    assert not state.exists()
    what = "has no timestamps, by which a state tells new bars from old ones"
    assert what in str(job.metrics()["error_message"])
    assert Job(tmp_path, UNTIMED, WITHOUT_TIMES).run(f"--state={state}") == 0


def test_the_index_that_pandas_writes_tells_new_bars_from_old_ones(tmp_path: Path) -> None:
    job, days = Job(tmp_path, config=CONFIG), [f"2024-01-0{day},{day}\n" for day in range(1, 8)]
    for name, lines in (("1.csv", days[:6]), ("2.csv", days[4:])):
        (tmp_path / name).write_text(",close\n" + "".join(lines))
        assert job.run(f"--state={tmp_path / 's.state'}", input=tmp_path / name) == 0
    assert job.metrics()["rows_processed"] == 7


def test_a_file_without_timestamps_does_not_continue_one_with_them(tmp_path: Path) -> None:
    job, state = Job(tmp_path, "day,close\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n", CONFIG), "s"
    flag = f"--state={tmp_path / state}"
    assert job.run(flag) == 0
    job.input.with_name("2.csv").write_text(UNTIMED)
    assert job.run(flag, input=job.input.with_name("2.csv")) == 65
    assert "2.csv, of the same series, has none" in str(job.metrics()["error_message"])


def test_a_file_is_known_however_its_path_is_written(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    path = folder.write("1.csv", rows(9))
    assert folder.continued([path]) is None
    state = (tmp_path / "s.state").read_bytes()
    other = f"{tmp_path}/./1.csv"
    with open(path, "a") as file:
        file.write(bar(9))
    assert folder.continued([other]) is None
    assert state != (tmp_path / "s.state").read_bytes()
    assert folder.equals_a_run_over([path])


# Bars that several files have.


def test_bars_that_are_equal_in_two_files_of_one_night_are_left_out_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    paths = [folder.write("1.csv", rows(9)), folder.write("2.csv", rows(12)[6:])]
    assert folder.continued(paths) is None
    assert folder.equals_a_run_over([folder.write("3.csv", rows(12))])


@pytest.mark.parametrize("policy", ["error", "recompute"])
def test_files_that_disagree_on_a_bar_are_refused(tmp_path: Path, policy: str) -> None:
    folder = Folder(tmp_path, CONFIG + f"on_restatement: {policy}\n")
    other = [bar(6), bar(7, "55"), *rows(12)[8:]]
    paths = [folder.write("1.csv", rows(9)), folder.write("2.csv", other)]
    error = folder.continued(paths)
    assert error is not None
    assert error.exit_code == 65
    assert error.message.startswith("Input files disagree on bars that several of them have: 1 bar")
    assert not (tmp_path / "s.state").exists()


def test_bars_between_those_of_another_file_are_refused_as_that(tmp_path: Path) -> None:
    folder = Folder(tmp_path, CONFIG + "on_restatement: recompute\n")
    between = [*rows(12)[7:8], *rows(12)[9:]]
    paths = [folder.write("1.csv", [*rows(7), *rows(9)[8:]]), folder.write("2.csv", between)]
    error = folder.continued(paths)
    assert error is not None
    assert error.exit_code == 65
    assert error.message.startswith("Input files have bars between those of other files: 1 bar")


def test_history_with_repeated_bars_can_be_decided_again(tmp_path: Path) -> None:
    folder = Folder(tmp_path, CONFIG + "on_restatement: recompute\n")
    paths = [folder.write("1.csv", rows(9)), folder.write("2.csv", rows(12)[6:])]
    for path in paths:
        assert folder.continued([path]) is None
    folder.write("1.csv", [*rows(9)[:3], bar(3, "55"), *rows(9)[4:]])
    assert folder.continued(paths) is None
    whole = [*rows(12)[:3], bar(3, "55"), *rows(12)[4:]]
    assert folder.equals_a_run_over([folder.write("3.csv", whole)])


@pytest.mark.parametrize("check", ["order", "duplicates"])
def test_a_state_needs_bars_in_order(tmp_path: Path, check: str) -> None:
    folder = Folder(tmp_path, CONFIG + f"checks: {{{check}: warn}}\n")
    error = folder.continued([folder.write("1.csv", rows(9))])
    assert error is not None
    assert (error.exit_code, f"set checks: {{{check}: error}}" in error.message) == (78, True)


# Names that mean something else.


@pytest.mark.parametrize("flag", ["--state", "--record", "--output", "--signals", "--summary"])
def test_an_output_is_not_called_like_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Job(tmp_path).run(flag, "-") == 2
    assert not (tmp_path / "-").exists()


def test_standard_input_is_not_the_file_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "-").write_text("a file")
    job = Job(tmp_path, config=CONFIG)
    line = process_arguments(*job.arguments("--state=s.state", input="-"))
    for night in (1, 2, 3):
        closes = [f"2024-01-0{night}T00:0{minute}:00,{minute}" for minute in range(4)]
        text = "\n".join(["timestamp,close", *closes, ""])
        subprocess.run(line, input=text, text=True, cwd=tmp_path, check=True, capture_output=True)
        assert job.metrics()["rows_processed"] == 4 * night


@pytest.mark.parametrize("name", ["s.state.0.bars", "s.state.7.bars"])
def test_an_output_that_is_a_file_of_the_state_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    job = Job(tmp_path)
    flags = [f"--state={tmp_path / 's.state'}", f"--record={tmp_path / name}"]
    assert job.run(*flags) == 2
    assert "is a file where --state keeps its bars" in capsys.readouterr().err
    assert not (tmp_path / name).exists()


# Bars that several files have.


NIGHT_FILES = {"a": 3, "b": 4, "c": 5, "d": 5}


@pytest.mark.parametrize("order", list(permutations("abcd"))[::3])
def test_a_bar_that_stands_unchanged_in_many_files_of_a_night_is_no_restatement(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    folder = Folder(tmp_path)
    paths = [folder.write(f"{name}.csv", rows(NIGHT_FILES[name])) for name in order]
    assert folder.continued(paths) is None
    assert folder.equals_a_run_over([folder.write("whole.csv", rows(5))])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(3, 9), min_size=1, max_size=4), min_size=1, max_size=4))
def test_files_that_repeat_each_other_over_nights_are_one_table(nights: list[list[int]]) -> None:
    with TemporaryDirectory() as name:
        folder, paths = Folder(name), list[str]()
        for counts in nights:
            for count in counts:
                paths.append(folder.write(f"{len(paths)}.csv", rows(count)))
            assert folder.continued(paths) is None
        most = max(max(counts) for counts in nights)
        assert folder.equals_a_run_over([folder.write("whole.csv", rows(most))])


@pytest.mark.parametrize("wrong", ["a", "b", "c"])
def test_one_of_many_files_that_differs_is_refused(tmp_path: Path, wrong: str) -> None:
    folder = Folder(tmp_path)
    tables = {name: rows(NIGHT_FILES[name]) for name in "abc"}
    tables[wrong][1] = bar(1, "99.25")
    error = folder.continued([folder.write(f"{n}.csv", table) for n, table in tables.items()])
    assert error is not None
    assert (error.exit_code, "1 bar of A from 2024-01-01T00:01:00Z" in error.message) == (65, True)


def test_a_changed_file_may_share_unchanged_bars_with_another(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    paths = [folder.write("a.csv", rows(4)), folder.write("b.csv", rows(6))]
    assert folder.continued(paths) is None
    # Written again from its second bar on: all of its bars stand in the first file, or are new.
    folder.write("b.csv", rows(8)[1:])
    assert folder.continued(paths) is None
    assert folder.equals_a_run_over([folder.write("whole.csv", rows(8))])


def test_a_restated_bar_before_1970_is_told_by_its_time(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    old = ["1969-12-29,A,1\n", "1969-12-30,A,2\n", "1969-12-31,A,3\n", "1970-01-01,A,4\n"]
    path = folder.write("1.csv", old)
    assert folder.continued([path]) is None
    folder.write("1.csv", [old[0], "1969-12-30,A,9\n", *old[2:]])
    error = folder.continued([path])
    assert error is not None
    assert error.message == "History was restated: 1 bar of A from 1969-12-30T00:00:00Z on"


# Closes that outgrow the type of their column.

LONG = {
    "many decimals": "1.0000000000000000000000001",
    "19 decimals": "100.0000000000000000001",
    "many digits": "123456789012345678901",
    "more than 38 digits": "1234567890123456789012345.12345678901234567",
}


def close_types(folder: Folder) -> set[pl.DataType]:
    files = list((folder.path / "part.signals").rglob("signals.*"))
    return {pl.read_parquet_schema(file)["close"] for file in files}


@pytest.mark.parametrize("long", LONG)
@pytest.mark.parametrize("first", ["7", "1234567890123456789.5"])
def test_a_close_that_outgrows_the_type_of_the_partitions_makes_all_of_them_text(
    tmp_path: Path, long: str, first: str
) -> None:
    folder = Folder(tmp_path)
    # A day has fifty bars: the third night goes on in the second day, which has kept its type.
    nights = [rows(60, first), [bar(60, LONG[long])], rows(130)[61:], rows(190)[130:]]
    paths = []
    for number, night in enumerate(nights):
        paths.append(folder.write(f"{number}.csv", night))
        assert folder.continued(paths) is None
        expected = pl.String() if number else pl.Decimal(38, 18)
        assert close_types(folder) == {expected}
    assert folder.equals_a_run_over([folder.write("all.csv", list(chain(*nights)))])
    table = pl.read_parquet(folder.path / "part.signals/**/*.parquet")
    closes = [row.split(",")[2].strip() for night in nights for row in night]
    assert table.sort("timestamp", maintain_order=True)["close"].to_list() == closes


def test_a_night_that_is_sent_again_after_it_was_cut_off_finds_one_type(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    paths = [folder.write("1.csv", rows(60))]
    assert folder.continued(paths) is None
    path = str(tmp_path / "s.state")
    state = load_state(path)
    assert state
    paths.append(folder.write("2.csv", [bar(60, LONG["19 decimals"])]))
    assert folder.continued(paths) is None
    # As if that night, of a version that wrote the state last, had been killed before it did so;
    # its bar is corrected since.
    save_state(path, state._replace(pending=None, signals={}))
    folder.write("2.csv", [bar(60, "9")])
    assert folder.continued(paths) is None
    assert close_types(folder) == {pl.String()}


def test_partitions_of_two_types_that_an_earlier_version_left_become_one_type(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path)
    paths = [folder.write("1.csv", rows(60))]
    assert folder.continued(paths) is None
    file = next((tmp_path / "part.signals").glob("*01/signals.parquet"))
    wider = pl.read_parquet(file, hive_partitioning=False)
    wider.with_columns(pl.col("close").cast(pl.Decimal(38, 20))).write_parquet(file)
    state = load_state(path := str(tmp_path / "s.state"))
    assert state
    save_state(path, state._replace(pending=None, signals={}))
    paths.append(folder.write("2.csv", rows(130)[60:]))
    assert folder.continued(paths) is None
    assert close_types(folder) == {pl.String()}


def test_a_range_that_needs_text_makes_the_other_days_text(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    path = folder.write("1.csv", rows(130))
    assert folder.run([path], "part") is None
    folder.write("1.csv", [*rows(60), bar(60, LONG["many decimals"]), *rows(130)[61:]])
    assert folder.run([path], "part", since="2024-01-02", until="2024-01-03") is None
    assert close_types(folder) == {pl.String()}
    assert folder.equals_a_run_over([path]) is False  # the metrics are those of the range
    assert folder.left("part")[2] == folder.left("whole")[2]
