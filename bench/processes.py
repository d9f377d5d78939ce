"""Time whole processes side by side: A B C A B C …, so that a busy machine slows all."""

import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

LAUNCHER = Path(__file__).parent / "launcher.py"


class Run(NamedTuple):
    """One finished process: wall and CPU seconds, peak memory in MB of 10^6 bytes."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def measure(command: list[str]) -> Run:
    """Run a command to its end; raises `RuntimeError` if it fails."""
    launcher = [sys.executable, "-I", "-S", str(LAUNCHER)]
    done = subprocess.run([*launcher, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr}")
    wall_s, cpu_s, peak = map(float, done.stdout.split())
    return Run(wall_s, cpu_s, peak / 1e6)


def side_by_side(commands: Mapping[str, list[str]], repeats: int) -> dict[str, list[Run]]:
    """Measure commands in turn, `repeats` times each; leave out a command that fails."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name in list(runs):
            try:
                runs[name].append(measure(commands[name]))
            except RuntimeError as problem:
                print(problem, file=sys.stderr)
                del runs[name]
    return runs


def median(runs: list[Run]) -> Run:
    """Return the median of each figure."""
    return Run(*(statistics.median(values) for values in zip(*runs, strict=True)))


def wall_ratio(runs: list[Run], others: list[Run]) -> float:
    """Compare wall times turn by turn: the median of the ratios."""
    turns = zip(runs, others, strict=True)
    return statistics.median(run.wall_s / other.wall_s for run, other in turns)


def cpu_ratio(runs: list[Run], others: list[Run]) -> float:
    """Compare CPU times turn by turn, which a busy machine disturbs less."""
    turns = zip(runs, others, strict=True)
    return statistics.median(run.cpu_s / other.cpu_s for run, other in turns)
