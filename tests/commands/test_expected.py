"""Facts about `--expect`, and about the newest bar of a record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollsignal.outputs.record.document import FORMER_RECORD, load_record
from tests.support.shell import command

PANEL = """\
symbol,timestamp,close
A,2024-01-01,1
A,2024-01-02,2
B,2024-01-01,3
A,2024-01-03,3
B,2024-01-02,4
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("bars.csv").write_text(PANEL)
    Path("config.yaml").write_text("seed: 1\nwindow: 2\nversion: v\n")
    return tmp_path


def run(*more: str) -> int:
    return command("run", "--input=bars.csv", "--record=r.json", *more)


def written(path: str = "r.json") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(path).read_text())
    return document


def test_a_record_knows_the_newest_bar_and_how_many_series_lag(folder: Path) -> None:
    assert run() == 0
    assert (written()["newest_bar"], written()["lagging"]) == ("2024-01-03T00:00:00Z", 1)
    assert written()["schema"] == "urn:rollsignal:schema:record:2"


def test_a_record_of_bars_without_timestamps_knows_no_newest_bar(folder: Path) -> None:
    Path("bars.csv").write_text("close\n1\n2\n3\n")
    assert run() == 0
    assert (written()["newest_bar"], written()["lagging"]) == (None, None)


def test_a_record_of_version_1_is_still_read_and_verified(folder: Path) -> None:
    assert run() == 0
    old = written() | {"schema": FORMER_RECORD}
    del old["newest_bar"], old["lagging"], old["asked"]["expect"]
    del old["checksum"]
    Path("old.json").write_text(json.dumps(old))
    assert load_record("old.json").newest_bar is None
    assert command("verify", "old.json") == 0


@pytest.mark.parametrize("time", ["2024-01-03", "2024-01-02T12:00", "2024-01-03T00:00:00Z"])
def test_a_run_that_reads_a_bar_at_or_after_the_expected_time_succeeds(
    folder: Path, time: str
) -> None:
    assert run(f"--expect={time}") == 0
    assert written()["asked"]["expect"] == time
    assert command("verify", "r.json") == 0


def test_a_run_without_the_expected_bars_fails_as_with_a_missing_input(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--expect=2024-01-04") == 66
    reason = "bars up to 2024-01-04T00:00:00Z are not there yet; the newest is 2024-01-03T00:00:00Z"
    assert written("metrics.json") == {"version": "v", "status": "error", "error_message": reason}
    assert written()["error"]["exit_code"] == 66
    assert f"{reason} (try again when they have been delivered)" in capsys.readouterr().err


def test_a_state_is_not_saved_by_a_run_that_expects_more(folder: Path) -> None:
    assert run("--state=s.state", "--signals=s.csv") == 0
    saved = [folder / "s.state", folder / "s.csv"]
    before = [path.read_bytes() for path in saved]
    with Path("bars.csv").open("a") as file:
        file.write("A,2024-01-04,9\n")
    assert run("--state=s.state", "--signals=s.csv", "--expect=2024-01-05") == 66
    assert [path.read_bytes() for path in saved] == before
    assert run("--state=s.state", "--signals=s.csv", "--expect=2024-01-04") == 0
    assert written()["newest_bar"] == "2024-01-04T00:00:00Z"


def test_bars_without_timestamps_cannot_be_expected(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bars.csv").write_text("close\n1\n2\n3\n")
    assert run("--expect=2024-01-04") == 66
    assert "and no timestamps are read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--expect=soon",), "--expect is 'soon'"),
        (("--expect=2024-01-04", "--until=2024-01-04"), "is not before --until 2024-01-04"),
    ],
)
def test_a_wrong_expectation_is_a_wrong_command_line(
    folder: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], said: str
) -> None:
    assert run(*flags) == 2
    assert said in capsys.readouterr().err


def test_a_run_is_not_repeated_for_another_expectation(folder: Path) -> None:
    assert run("--expect=2024-01-03") == 0
    assert run("--expect=2024-01-03", "--if-changed") == 0
    assert run("--expect=2024-01-04", "--if-changed") == 66
