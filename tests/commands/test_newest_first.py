"""Files that stand newest first, night by night and in other commands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.nights import CONFIG, HEADER, Folder, bar
from tests.support.shell import Job, command, process_arguments

NEWEST = CONFIG + "order: newest_first\n"
BY_SYMBOL = NEWEST + "columns: {symbol: symbol}\n"


def rows(*numbers: int) -> list[str]:
    return [bar(number) for number in numbers]


def whole(folder: Folder, count: int) -> bool:
    """Return whether the nights left what a run over all bars, oldest first, leaves."""
    path = folder.write("whole.csv", [bar(number) for number in range(count)])
    (folder.path / "c.yaml").write_text(CONFIG)
    return folder.equals_a_run_over([path])


def test_a_file_to_which_each_night_adds_at_the_top_continues(tmp_path: Path) -> None:
    folder = Folder(tmp_path, NEWEST)
    for night in range(1, 6):
        path = folder.write("bars.csv", rows(*range(4 * night - 1, -1, -1)))
        assert folder.continued([path]) is None
    assert whole(folder, 20)


def test_a_new_file_each_night_continues(tmp_path: Path) -> None:
    folder, paths = Folder(tmp_path, NEWEST), list[str]()
    for night in range(5):
        numbers = range(4 * night + 3, 4 * night - 1, -1)
        paths.append(folder.write(f"{9 - night}.csv", rows(*numbers)))
        assert folder.continued(paths) is None
    assert whole(folder, 20)


def test_bars_that_are_older_than_those_of_the_state_are_a_restatement(tmp_path: Path) -> None:
    folder = Folder(tmp_path, NEWEST)
    path = folder.write("bars.csv", rows(9, 8, 7, 6, 5))
    assert folder.continued([path]) is None
    with open(path, "a") as file:
        file.write("".join(rows(4, 3)))
    error = folder.continued([path])
    assert error is not None
    assert "History was restated: 2 bars of A from 2024-01-01T00:03:00Z on" in error.message
    (tmp_path / "c.yaml").write_text(NEWEST + "on_restatement: recompute\n")
    assert folder.continued([path]) is None
    path = folder.write("whole.csv", rows(*range(3, 10)))
    (tmp_path / "c.yaml").write_text(CONFIG)
    assert folder.equals_a_run_over([path])


def test_a_close_that_was_changed_is_a_restatement(tmp_path: Path) -> None:
    folder = Folder(tmp_path, NEWEST)
    assert folder.continued([folder.write("bars.csv", rows(4, 3, 2, 1, 0))]) is None
    error = folder.continued([folder.write("bars.csv", [bar(5), bar(4, "7"), *rows(3, 2, 1, 0)])])
    assert error is not None
    assert "History was restated: 1 bar of A from 2024-01-01T00:04:00Z on" in error.message


def test_a_state_is_not_continued_in_another_order(tmp_path: Path) -> None:
    folder = Folder(tmp_path, NEWEST)
    assert folder.continued([folder.write("bars.csv", rows(4, 3, 2, 1, 0))]) is None
    (tmp_path / "c.yaml").write_text(CONFIG)
    error = folder.continued([folder.write("bars.csv", rows(5, 4, 3, 2, 1, 0))])
    assert error is not None
    assert 'order is "oldest_first", was "newest_first"' in error.message


def test_a_bar_is_explained_as_it_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closes = ["1.50", "2.00", "1.25", "3.0"]
    told = []
    for name, order in (("up", 1), ("down", -1)):
        path, config = tmp_path / f"{name}.csv", tmp_path / f"{name}.yaml"
        lines = [bar(number, close) for number, close in enumerate(closes)]
        path.write_text(HEADER + "".join(lines[::order]))
        config.write_text(BY_SYMBOL if order < 0 else BY_SYMBOL.replace("newest", "oldest"))
        flags = [f"--input={path}", f"--config={config}", "--at=row:4", "--symbol=A"]
        assert command("explain", *flags) == 0
        told.append(capsys.readouterr().out)
    assert "2.00" in told[0]
    # They differ in the name of the file, and in the lines.
    texts = [re.sub(r"\S*(up|down)\.csv|line \d|up|down", "?", text) for text in told]
    assert texts[0] == texts[1]


def test_a_record_is_verified(tmp_path: Path) -> None:
    text = HEADER + "".join(rows(*range(40, -1, -1)))
    job = Job(tmp_path, text.replace(",symbol", "").replace(",A", ""), NEWEST)
    assert job.run(f"--record={tmp_path / 'r.json'}") == 0
    assert command("verify", str(tmp_path / "r.json")) == 0


def test_a_check_finds_bars_out_of_place_with_their_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, config = tmp_path / "bars.csv", tmp_path / "c.yaml"
    config.write_text(BY_SYMBOL)
    path.write_text(HEADER + "".join(rows(9, 8, 6, 7, 5, 4, 4, 3)))
    assert command("check", f"--input={path}", f"--config={config}") == 65
    told = capsys.readouterr().err
    assert (
        "bars.csv line 4: timestamp is earlier than 2024-01-01T00:07:00Z in the row below" in told
    )
    assert "bars.csv line 7: timestamp is the same as in the row below" in told


def test_standard_input_may_stand_newest_first(tmp_path: Path) -> None:
    text = "timestamp,close\n" + "".join(rows(*range(40, -1, -1))).replace(",A", "")
    job = Job(tmp_path, text, NEWEST)
    assert job.run() == 0
    before = job.metrics()["value"]
    with job.input.open() as bars:
        arguments = process_arguments(*job.arguments(input="-"))
        assert subprocess.run(arguments, stdin=bars, check=False).returncode == 0
    assert job.metrics()["value"] == before
