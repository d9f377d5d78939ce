"""Calls of the system that fail, one by one: the exit code and the metrics are true."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.shell import ROOT

STRACE = shutil.which("strace")
BARS = "timestamp,close\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n"


def traced(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the job under strace, with the metrics of another run in its place."""
    (folder / "l.log").touch()
    (folder / "m.json").write_text('{"version": "yesterday", "status": "success"}')
    job = ("--input=b.csv", "--config=c.yaml", "--output=m.json", "--log-file=l.log")
    command = ("strace", "--seccomp-bpf", "-f", "-y", "-o", "trace", *options)
    return subprocess.run(
        [*command, sys.executable, str(ROOT / "run.py"), *job],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def last_call(folder: Path, call: str, name: str) -> int:
    """Return for the how manieth time a call was made when it was last made on a file."""
    lines = [line for line in (folder / "trace").read_text().splitlines() if f"{call}(" in line]
    return max(at for at, line in enumerate(lines, 1) if str(folder / name) in line or name in line)


@pytest.mark.skipif(STRACE is None, reason="strace is not installed here, so no call failed")
@pytest.mark.parametrize(
    ("call", "name", "code"),
    [
        *(("newfstatat", "b.csv", 66), ("lseek", "b.csv", 74), ("close", "b.csv", 74)),
        *(("close", "l.log", 0), ("flock", ".m.json.lock", 0)),
    ],
)
def test_a_call_that_fails_ends_the_run_with_its_code_and_true_metrics(
    tmp_path: Path, call: str, name: str, code: int
) -> None:
    (tmp_path / "b.csv").write_text(BARS)
    (tmp_path / "c.yaml").write_text("{seed: 1, window: 2, version: v}")
    assert traced(tmp_path, "-e", f"trace={call}").returncode == 0
    count = last_call(tmp_path, call, name)
    # A lock that fails by chance is tried again.
    when = f"{count}+" if call == "flock" else str(count)
    done = traced(tmp_path, "-e", f"trace={call}", "-e", f"inject={call}:error=EIO:when={when}")
    metrics = json.loads((tmp_path / "m.json").read_text())
    assert (done.returncode, metrics["status"]) == (code, "error" if code else "success")
    assert json.loads(done.stdout) == metrics
    assert "Input/output error" in done.stderr
