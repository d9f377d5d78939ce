"""Run the job in a folder: its command line, and how it ended."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
LONGEST_S = 120


class Ended(NamedTuple):
    """How a process ended: its exit code, None if it had to be killed, and what it printed."""

    code: int | None
    stdout: str
    stderr: str


def command(folder: Path, config: Path, inputs: list[Path], flags: tuple[str, ...]) -> list[str]:
    """Write the command line of a run that leaves its outputs in a folder; FOLDER stands for it."""
    named = [flag.replace("FOLDER", str(folder)) for flag in flags]
    outputs = [f"--output={folder}/metrics.json", f"--summary={folder}/summary.csv"]
    log = [f"--log-file={folder}/run.log", "--log-format=json", "--verbose"]
    paths = [f"--config={config}", "--input", *map(str, inputs)]
    shares_bars = any(flag.startswith("--workers") for flag in flags)
    program = ROOT / ("faults/small_pieces.py" if shares_bars else "run.py")
    return [sys.executable, str(program), *outputs, *log, *named, *paths]


def environment(pycache: Path) -> dict[str, str]:
    """Return an environment in which two runs make the same calls in the same order."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    fixed = {"PYTHONHASHSEED": "0", "POLARS_MAX_THREADS": "2"}
    return {**kept, **fixed, "PYTHONPYCACHEPREFIX": str(pycache)}


def run(line: list[str], env: dict[str, str]) -> Ended:
    """Run a command to its end; one that never ends is killed with all that it started."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        line, stdout=pipe, stderr=pipe, text=True, env=env, start_new_session=True
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=LONGEST_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            return Ended(None, *process.communicate())
        return Ended(process.returncode, stdout, stderr)
