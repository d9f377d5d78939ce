"""Rows that repeat a bar are left out, night by night and in other commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.nights import CONFIG, HEADER, Folder, bar
from tests.support.shell import Job, command

SAME, LAST = CONFIG + "duplicates: same\n", CONFIG + "duplicates: last\n"


def rows(*numbers: int) -> list[str]:
    return [bar(number) for number in numbers]


def equals_plain(folder: Folder, lines: list[str]) -> bool:
    """Return whether the nights left what a run over these bars leaves."""
    path = folder.write("whole.csv", lines)
    (folder.path / "c.yaml").write_text(CONFIG)
    return folder.equals_a_run_over([path])


@pytest.mark.parametrize("config", [SAME, LAST])
def test_a_file_that_grows_by_repeated_rows_continues(tmp_path: Path, config: str) -> None:
    folder, numbers = Folder(tmp_path, config), list[int]()
    for night in range(5):
        numbers += [max(0, 4 * night - 1), *range(4 * night, 4 * night + 4), 4 * night + 3]
        assert folder.continued([folder.write("bars.csv", rows(*numbers))]) is None
    assert equals_plain(folder, rows(*range(20)))


@pytest.mark.parametrize("config", [SAME, LAST])
def test_new_files_whose_first_rows_the_state_has_continue(tmp_path: Path, config: str) -> None:
    folder, paths = Folder(tmp_path, config), list[str]()
    for night in range(5):
        steps = (-1, -1, 0, 1, 1, 2, 3, 3)[0 if night else 2 :]
        numbers = [4 * night + step for step in steps]
        paths.append(folder.write(f"{night}.csv", rows(*numbers)))
        assert folder.continued(paths) is None
    assert equals_plain(folder, rows(*range(20)))


@pytest.mark.parametrize("config", [SAME, LAST])
def test_another_close_for_a_bar_of_the_state_is_a_restatement(tmp_path: Path, config: str) -> None:
    folder = Folder(tmp_path, config)
    first = folder.write("1.csv", rows(0, 1, 2, 3))
    assert folder.continued([first]) is None
    second = folder.write("2.csv", [*rows(3), bar(3, "7"), *rows(4, 5)] if config == LAST
                          else [bar(3, "7"), *rows(4, 5)])  # fmt: skip
    error = folder.continued([first, second])
    assert error is not None
    assert "History was restated: 1 bar of A from 2024-01-01T00:03:00Z on" in error.message


def test_after_a_restatement_the_last_row_of_the_files_counts(tmp_path: Path) -> None:
    folder = Folder(tmp_path, LAST + "on_restatement: recompute\n")
    first = folder.write("1.csv", rows(0, 1, 2, 3))
    assert folder.continued([first]) is None
    second = folder.write("2.csv", [bar(3, "7"), *rows(4, 5)])
    assert folder.continued([first, second]) is None
    assert equals_plain(folder, [*rows(0, 1, 2), bar(3, "7"), *rows(4, 5)])


def text_of(*numbers: int) -> str:
    return (HEADER + "".join(rows(*numbers))).replace(",symbol", "").replace(",A", "")


@pytest.mark.parametrize("sort", ["", "sort: true\n"])
@pytest.mark.parametrize("config", [SAME, LAST])
def test_rows_left_out_stand_in_log_and_record_and_the_record_is_verified(
    tmp_path: Path, config: str, sort: str
) -> None:
    job = Job(tmp_path, text_of(0, 1, 2, 2, 3, 4, 4, 4, 5), config + sort)
    record = tmp_path / "r.json"
    assert job.run(f"--record={record}") == 0
    policy = config.rsplit(maxsplit=1)[-1]
    assert f"repeated rows left out rows=3 policy={policy}" in job.log.read_text()
    facts = json.loads(record.read_text())
    assert (facts["dropped"], facts["tally"]["rows"], facts["inputs"][0]["rows"]) == (3, 6, 9)
    assert job.metrics()["rows_processed"] == 6
    assert command("verify", str(record)) == 0


def test_a_bar_is_explained_without_the_rows_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, config = tmp_path / "bars.csv", tmp_path / "c.yaml"
    path.write_text(HEADER + bar(0, "1") + bar(1, "9") + bar(1, "2") + bar(2, "3"))
    config.write_text(LAST)
    flags = [f"--input={path}", f"--config={config}", "--at=row:3", "--symbol=A"]
    assert command("explain", *flags) == 0
    told = capsys.readouterr().out
    assert "line 4" in told
    assert "line 3" not in told


def test_a_check_judges_what_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, config = tmp_path / "bars.csv", tmp_path / "c.yaml"
    path.write_text("timestamp,high,close\n2024-01-01,5,4\n2024-01-02,5,3\n2024-01-02,6,3\n")
    config.write_text("duplicates: same\n")
    assert command("check", f"--input={path}", f"--config={config}") == 65
    assert "line 4: timestamp is the same as in the previous row" in capsys.readouterr().err
    config.write_text("duplicates: last\n")
    assert command("check", f"--input={path}", f"--config={config}") == 0


def test_the_last_rows_of_a_pipe_are_not_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job(tmp_path, text_of(0, 1, 2, 3), LAST)
    assert job.run(input="-") == 78
    assert "duplicates: last reads every file twice, and - is a pipe" in capsys.readouterr().err
