"""Time whole processes side by side: A B A B …, so that a machine's moods hit both."""

import os
import statistics
import subprocess
import time
from typing import NamedTuple


class Run(NamedTuple):
    """One finished process: wall and CPU seconds, peak memory in MiB."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def measure(command: list[str]) -> Run:
    """Run a command to its end; raises `RuntimeError` if it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    message = process.stderr.read().decode(errors="replace")
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}: {message}")
    return Run(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def side_by_side(commands: dict[str, list[str]], repeats: int) -> dict[str, list[Run]]:
    """Measure commands in turn, after one round that does not count."""
    runs: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(repeats + 1):
        for name, command in commands.items():
            run = measure(command)
            if turn:
                runs[name].append(run)
    return runs


def median_ratio(runs: list[Run], others: list[Run]) -> float:
    """Compare wall times pair by pair: the median of the ratios."""
    pairs = zip(runs, others, strict=True)
    return statistics.median(run.wall_s / other.wall_s for run, other in pairs)


def summary(name: str, runs: list[Run]) -> str:
    """Write the medians of a command's runs on one line."""
    wall_s, cpu_s, peak_mb = (statistics.median(values) for values in zip(*runs, strict=True))
    return f"{name:<28} {wall_s * 1000:9.0f} ms  {cpu_s * 1000:9.0f} ms CPU  {peak_mb:6.0f} MiB"
