"""A run that continues a state: equal to a run over everything, however the history was cut."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.commands import run as job
from rollsignal.config.request import Request
from rollsignal.core import arrays
from tests.support import oracle
from tests.support.nights import CONFIG, PANEL, Folder, bar
from tests.support.shell import ROOT

closes = st.lists(st.sampled_from(["100", "100.5", "99.75", "101"]), min_size=5, max_size=40)


@settings(max_examples=15, deadline=None)
@given(closes, st.data())
def test_a_history_that_is_cut_anywhere_is_decided_as_a_whole(
    prices: list[str], data: st.DataObject
) -> None:
    rows = [bar(3 * number, close) for number, close in enumerate(prices)]
    inner = st.integers(3, len(rows) - 1)
    cuts = [*sorted(data.draw(st.sets(inner, max_size=3))), len(rows)]
    with TemporaryDirectory() as name:
        folder, before = Folder(name), 0
        paths: list[str] = []
        for cut in cuts:
            grows = data.draw(st.booleans())
            if paths and grows:
                with open(paths[-1], "a") as file:
                    file.write("".join(rows[before:cut]))
            else:
                paths.append(folder.write(f"{len(paths)}.csv", rows[before:cut]))
            before = cut
            # All files so far, or only the one that has something new.
            every = data.draw(st.booleans())
            assert folder.continued(paths if every else paths[-1:]) is None
        assert folder.equals_a_run_over(paths)
        _, _, signals, ones, _ = oracle.counts(oracle.prices(prices), 3)
        metrics = json.loads((folder.path / "part.json").read_text())
        assert metrics["value"] == float(round(Fraction(ones, signals), 4))


def test_a_long_window_goes_on_where_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "LONG_WINDOW", 2)
    folder = Folder(tmp_path)
    prices = [str(100 + number * 7 % 11) for number in range(90)]
    times = pl.datetime_range(pl.date(2024, 1, 1), pl.date(2024, 3, 30), eager=True)
    bars = pl.DataFrame({"timestamp": times, "close": prices}).cast({"close": pl.Float64})
    paths = [str(tmp_path / name) for name in ("1.parquet", "2.parquet")]
    for path, rows in zip(paths, (bars[:40], bars[40:]), strict=True):
        rows.write_parquet(path)
    assert folder.continued(paths[:1]) is None
    assert folder.continued(paths) is None
    assert folder.equals_a_run_over(paths)
    _, _, signals, ones, _ = oracle.counts(oracle.prices(prices), 3)
    metrics = json.loads((tmp_path / "part.json").read_text())
    assert metrics["value"] == float(round(Fraction(ones, signals), 4))


def test_every_symbol_goes_on_from_its_own_place(tmp_path: Path) -> None:
    folder = Folder(tmp_path, PANEL)
    first = [bar(number, symbol=symbol) for number in range(6) for symbol in "AB"]
    late = [bar(number, symbol="A") for number in range(6, 9)]
    later = [bar(number, symbol=symbol) for number in range(9, 12) for symbol in "ABC"]
    paths = [folder.write("1.csv", first)]
    assert folder.continued(paths) is None
    for name, rows in (("2.csv", late), ("3.csv", later)):
        paths.append(folder.write(name, rows))
        assert folder.continued(paths[-1:]) is None
    assert folder.equals_a_run_over(paths)


def test_the_same_input_again_changes_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    path = folder.write("1.csv", [bar(number) for number in range(9)])
    assert folder.continued([path]) is None
    state, left = folder.state(), folder.left("part")
    assert folder.continued([path]) is None
    assert (folder.state(), folder.left("part")) == (state, left)


def test_a_state_is_not_read_as_an_input_of_the_folder_it_is_in(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    folder = Folder(inside)
    folder.write("1.csv", [bar(number) for number in range(9)])
    for _ in range(2):
        assert folder.run([str(inside)], "../part", state=str(inside / "s.state")) is None


def test_a_file_by_another_name_is_known_by_its_bytes(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    path = folder.write("1.csv", [bar(number) for number in range(9)])
    assert folder.continued([path]) is None
    left = folder.left("part")
    Path(path).rename(tmp_path / "2.csv")
    assert folder.continued([str(tmp_path / "2.csv")]) is None
    assert folder.left("part") == left


def test_bars_that_are_sent_twice_are_left_out(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    rows = [bar(number) for number in range(12)]
    assert folder.continued([folder.write("1.csv", rows[:8])]) is None
    assert folder.continued([folder.write("2.csv", rows[5:])]) is None
    assert folder.equals_a_run_over([folder.write("3.csv", rows)])


@pytest.mark.parametrize("change", ["close", "removed", "inserted", "late"])
def test_restated_history_ends_the_run_and_leaves_the_state(tmp_path: Path, change: str) -> None:
    folder = Folder(tmp_path)
    rows = [bar(2 * number) for number in range(12)]
    path = folder.write("1.csv", rows)
    assert folder.continued([path]) is None
    state = (tmp_path / "s.state").read_bytes()
    changed = {
        "close": [*rows[:4], bar(8, "55.5"), *rows[5:]],
        "removed": [*rows[:4], *rows[5:]],
        "inserted": [*rows[:4], bar(7), *rows[4:]],
        "late": rows,
    }[change]
    folder.write("1.csv", changed)
    paths = [path] if change != "late" else [path, folder.write("2.csv", [bar(7)])]
    error = folder.continued(paths)
    assert error is not None
    assert error.exit_code == 65
    minute = "07" if change in ("inserted", "late") else "08"
    gone = ", gone" if change == "removed" else ""
    what = f"1 bar of A from 2024-01-01T00:{minute}:00Z on{gone}"
    assert error.message == f"History was restated: {what}"
    assert (tmp_path / "s.state").read_bytes() == state


def test_restated_history_is_decided_again_if_the_config_says_so(tmp_path: Path) -> None:
    folder = Folder(tmp_path, CONFIG + "on_restatement: recompute\n")
    rows = [bar(number, "100") for number in range(12)]
    path = folder.write("1.csv", rows)
    assert folder.continued([path]) is None
    folder.write("1.csv", [*rows[:6], bar(6, "130"), *rows[7:], bar(12, "90")])
    assert folder.continued([path]) is None
    assert "history was restated: 1 bar of A from 2024-01-01T00:06:00Z on" in folder.told
    # Only the bar itself is above its mean now; it was not before.
    assert "decided again: 1 signals of earlier bars have flipped" in folder.told
    assert folder.equals_a_run_over([path])
    assert sorted(file.name for file in tmp_path.glob("s.state*")) == ["s.state", "s.state.1.bars"]


def test_tables_without_timestamps_go_on_where_they_grow(tmp_path: Path) -> None:
    folder = Folder(tmp_path, CONFIG + "columns: {timestamp: none}\n")
    path = tmp_path / "1.csv"
    request = Request(
        (str(path),),
        str(tmp_path / "c.yaml"),
        str(tmp_path / "m.json"),
        None,
        state=str(tmp_path / "s.state"),
    )
    prices = ["1", "2", "3", "2", "5", "4", "4", "9"]
    for count in (5, 8):
        path.write_text("close\n" + "".join(f"{price}\n" for price in prices[:count]))
        outcome = job.run(request, 0, lambda level, text: None)
        assert outcome.error is None
        rows, _, signals, ones, _ = oracle.counts(oracle.prices(prices[:count]), 3)
        assert outcome.metrics["rows_processed"] == rows
        assert outcome.metrics["value"] == float(round(Fraction(ones, signals), 4))
    assert folder.told == []


def test_a_changed_setting_is_refused_with_the_way_out(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    path = folder.write("1.csv", [bar(number) for number in range(9)])
    assert folder.continued([path]) is None
    (tmp_path / "c.yaml").write_text(CONFIG.replace("window: 3", "window: 4"))
    error = folder.continued([path])
    assert error is not None
    assert error.exit_code == 78
    assert "window is 4, was 3" in error.message


@pytest.mark.parametrize("damage", [b"", b"x", b"{}"])
def test_a_damaged_state_is_an_error_and_never_a_wrong_number(
    tmp_path: Path, damage: bytes
) -> None:
    folder = Folder(tmp_path)
    path = folder.write("1.csv", [bar(number) for number in range(9)])
    (tmp_path / "s.state").write_bytes(damage)
    error = folder.continued([path])
    assert error is not None
    assert error.exit_code == 65


def test_bars_that_were_lost_beside_the_state_are_missed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    path = folder.write("1.csv", [bar(number) for number in range(9)])
    assert folder.continued([path]) is None
    bars = tmp_path / "s.state.0.bars"
    for damage, problem in (
        (lambda: bars.write_bytes(b"short"), "is cut off"),
        (bars.unlink, "is gone"),
    ):
        damage()
        error = folder.continued([path])
        assert error is not None
        assert error.exit_code == 65
        assert error.message == f"{bars}, which belongs to {tmp_path}/s.state, {problem}"
        assert error.detail == (
            f"put a copy in its place, or remove {tmp_path}/s.state and read all bars again"
        )


@pytest.mark.parametrize(
    ("name", "content"), [("2.csv", "time,close\n"), ("2.ndjson", ""), ("2.jsonl", "\n\n")]
)
def test_a_night_without_bars_leaves_all_as_it_was(tmp_path: Path, name: str, content: str) -> None:
    folder = Folder(tmp_path)
    paths = [folder.write("1.csv", [bar(number) for number in range(9)]), str(tmp_path / name)]
    assert folder.continued(paths[:1]) is None
    before = folder.left("part")
    Path(paths[1]).write_text(content)
    assert folder.continued(paths) is None
    assert folder.left("part") == before


def test_what_a_killed_run_appended_is_cut_off(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    rows = [bar(number) for number in range(12)]
    assert folder.continued([folder.write("1.csv", rows[:8])]) is None
    with open(tmp_path / "s.state.0.bars", "ab") as file:
        file.write(b"left by a run that did not end")
    paths = [str(tmp_path / "1.csv"), folder.write("2.csv", rows[8:])]
    assert folder.continued(paths) is None
    assert folder.equals_a_run_over(paths)


def test_a_state_is_not_for_a_range(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    path = folder.write("1.csv", [bar(number) for number in range(9)])
    error = folder.run([path], "part", state=str(tmp_path / "s.state"), since="2024-01-01")
    assert error is not None
    assert error.exit_code == 2
    assert not (tmp_path / "s.state").exists()


EVENTS = ["config verified", "rows loaded", "signals generated", "metrics summary", "job ended"]


def test_a_run_that_is_killed_anywhere_goes_on_to_the_same_bits(tmp_path: Path) -> None:
    folder, paths = Folder(tmp_path), []
    flags = ["--state", "s.state", "--signals", "part.signals", "--partition-by", "date"]
    flags += ["--summary", "part.summary.csv", "--output", "part.json", "--config", "c.yaml"]
    for part, event in enumerate(EVENTS):
        rows = [bar(number) for number in range(40 * part, 40 * part + 40)]
        paths.append(folder.write(f"{part}.csv", rows))
        command = [sys.executable, str(ROOT / "run.py"), "-v", "--input", *paths, *flags]
        with subprocess.Popen(
            command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as process:
            assert process.stderr is not None
            assert any(event in line for line in process.stderr), "it ended too soon"
            process.kill()
        metrics = tmp_path / "part.json"
        assert not metrics.exists() or json.loads(metrics.read_text())["status"] == "success"
        assert folder.continued(paths) is None
        assert folder.equals_a_run_over(paths)
    assert [path for path in tmp_path.rglob(".*") if path.suffix == ".tmp"] == []
