"""Two runs never write the same files at once: the second ends, or waits as long as --wait says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from rollsignal.files.locks import held
from tests.support.shell import ENVIRONMENT, Job, process_arguments, snapshot

BUSY = "Another run is writing the same file"


def without_log(folder: Path) -> dict[str, tuple[int, object]]:
    return {name: content for name, content in snapshot(folder).items() if name != "run.log"}


def waiting_run(files: Job) -> subprocess.Popen[str]:
    """Start a run that waits for bars on its standard input."""
    bars, files.input = files.input, Path("-")
    process = files.start()
    files.input = bars
    return process


def test_a_second_run_ends_at_once_and_touches_nothing_of_the_first(tmp_path: Path) -> None:
    files = Job(tmp_path)
    with waiting_run(files) as first:
        before = without_log(tmp_path)
        second = files.process()
        assert second.returncode == 75
        assert second.stderr.startswith(f"rollsignal: error: {BUSY} (path: {files.output}, lock: ")
        assert json.loads(second.stdout)["error_message"] == BUSY
        assert without_log(tmp_path) == before
        first.communicate("close\n1\n2\n")
    assert first.returncode == 0
    assert files.metrics()["rows_processed"] == 2


def test_a_second_run_waits_with_the_flag_wait(tmp_path: Path) -> None:
    files = Job(tmp_path)
    with waiting_run(files) as first:
        line = process_arguments(*files.arguments("--wait", "600"))
        with subprocess.Popen(line, stdout=subprocess.PIPE, env=ENVIRONMENT) as second:
            first.communicate("close\n1\n2\n")
            out, _ = second.communicate()
    assert (first.returncode, second.returncode) == (0, 0)
    assert json.loads(out)["rows_processed"] == files.metrics()["rows_processed"] == 8


def test_a_wrong_command_line_harms_no_metrics_that_another_run_is_to_write(
    tmp_path: Path,
) -> None:
    files = Job(tmp_path)
    with held([str(files.output)]):
        assert files.run("--wrong") == 2
        assert not files.output.exists()
    assert files.run("--wrong") == 2
    assert files.metrics()["status"] == "error"


@pytest.mark.parametrize("flag", ["--summary=s.csv", "--signals=s.csv", "--record=s.json"])
def test_every_output_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: str) -> None:
    monkeypatch.chdir(tmp_path)
    files = Job(tmp_path)
    with held([flag.partition("=")[2]]):
        assert files.run(flag) == 75
    assert not files.output.exists()
    assert files.run(flag) == 0


def test_a_folder_of_partitions_is_locked_and_keeps_no_lock(tmp_path: Path) -> None:
    files = Job(tmp_path, "date,close,symbol\n2024-01-01,1,A\n2024-01-02,2,A\n")
    files.config.write_text(files.config.read_text() + "columns: {symbol: symbol}\n")
    flags = f"--signals={tmp_path / 'parts'}", "--partition-by=symbol"
    with held([str(tmp_path / "parts" / "signals")]):
        assert files.run(*flags) == 75
    assert files.run(*flags) == 0
    assert [path.name for path in (tmp_path / "parts").iterdir()] == ["symbol=A"]


@pytest.mark.parametrize("wait", ["-1", "nan", "soon", "1e99"])
def test_a_wait_that_is_not_a_number_of_seconds_is_refused(tmp_path: Path, wait: str) -> None:
    assert Job(tmp_path).run(f"--wait={wait}") == 2


def test_a_lock_that_cannot_be_had_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(descriptor: int, how: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    files = Job(tmp_path)
    assert files.run() == 0
    assert any("WARNING" in line and "cannot be locked" in line for line in files.events())
