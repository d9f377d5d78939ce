"""A process that lacks memory or open files says so: code, metrics and record are true."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from rollsignal.cli.limits import POLARS_BYTES, THREAD_BYTES, check_polars
from rollsignal.errors import ScarcityError, foreign
from tests.support.shell import ROOT

MB = 1 << 20
BARS = "timestamp,close\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n"
RUN = "import resource, sys; resource.setrlimit(resource.{}, ({}, {})); sys.path.insert(0, {!r})\n"
MAIN = "from rollsignal.cli.main import main; sys.exit(main(sys.argv[1:]))"


def run_with(
    folder: Path, limit: str, most: int, *more: str, before: str = ""
) -> tuple[int, dict[str, object]]:
    """Run the job under a limit; return its exit code and its metrics, which it also printed."""
    (folder / "b.csv").write_text(BARS)
    (folder / "c.yaml").write_text("{seed: 1, window: 2, version: v}")
    (folder / "m.json").write_text('{"version": "yesterday", "status": "success"}')
    flags = ("--input=b.csv", "--config=c.yaml", "--output=m.json", "--log-file=l.log", *more)
    program = RUN.format(limit, most, most, str(ROOT)) + before + MAIN
    done = subprocess.run(
        [sys.executable, "-c", program, "run", *flags],
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    metrics = json.loads((folder / "m.json").read_text())
    assert json.loads(done.stdout) == metrics
    return done.returncode, metrics


@pytest.mark.parametrize("most", [200 * MB, 400 * MB])
def test_polars_is_refused_where_it_would_wait_for_ever(tmp_path: Path, most: int) -> None:
    code, metrics = run_with(
        tmp_path, "RLIMIT_AS", most, "--signals=s.parquet", "--record=r.json", "--set=sort=true"
    )
    assert (code, metrics["status"]) == (71, "error")
    message = str(metrics["error_message"])
    assert message.startswith("not enough memory: polars takes ")
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["error"]["exit_code"] == 71
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_a_job_that_needs_no_polars_has_enough_memory_with_little(tmp_path: Path) -> None:
    code, metrics = run_with(tmp_path, "RLIMIT_AS", 150 * MB)
    assert (code, metrics["status"], metrics["version"]) == (0, "success", "v")


def test_a_process_that_a_library_ends_leaves_error_metrics(tmp_path: Path) -> None:
    abort = "import os, rollsignal.commands.run as r; r.resolve = lambda *_: os.abort()\n"
    code, metrics = run_with(tmp_path, "RLIMIT_AS", 2000 * MB, before=abort)
    assert (code, metrics["status"]) == (71, "error")
    assert metrics["error_message"] == "not enough memory: SIGABRT ended the process"


def test_a_limited_process_is_stopped_as_any_other(tmp_path: Path) -> None:
    # The process that the scheduler knows gets the signal, and hands it on.
    stop = "import os, rollsignal.commands.run as r; "
    stop += f"r.resolve = lambda *_: [os.kill(os.getppid(), {signal.SIGTERM:d}), signal.pause()]\n"
    code, metrics = run_with(tmp_path, "RLIMIT_AS", 2000 * MB, before="import signal; " + stop)
    assert (code, metrics["error_message"]) == (143, "Stopped by SIGTERM before the end")


@pytest.mark.parametrize("most", [6, 7])
def test_too_few_open_files_are_told(tmp_path: Path, most: int) -> None:
    code, metrics = run_with(tmp_path, "RLIMIT_NOFILE", most, "--signals=s.csv")
    assert (code, metrics["status"]) == (71, "error")
    assert str(metrics["error_message"]).startswith("too many open files")


def test_polars_needs_more_for_each_of_its_threads() -> None:
    check_polars(POLARS_BYTES + 2 * THREAD_BYTES, 2)
    with pytest.raises(ScarcityError, match="polars takes 1,346 MB of address space"):
        check_polars(POLARS_BYTES + 2 * THREAD_BYTES, 3)


def test_a_library_that_was_loaded_only_in_part_is_no_bug() -> None:
    scope = {"__name__": "polars.frame"}
    with pytest.raises(NameError) as raised:
        exec("PyLazyFrame", scope)
    answer = foreign(raised.value)
    assert answer is not None
    assert (answer.exit_code, answer.message) == (
        71,
        "polars was loaded only in part: name 'PyLazyFrame' is not defined",
    )
    assert foreign(NameError("name 'x' is not defined")) is None
