"""This module is the story of a sweep: what other windows would have made of a run."""

import re
from collections.abc import Sequence

from rollsignal.analysis.decided_run import decided_run
from rollsignal.analysis.figures import evaluated_run
from rollsignal.analysis.sweep import SweptWindow, sweep
from rollsignal.analysis.sweep_report import sweep_document
from rollsignal.errors import UsageError
from rollsignal.messages import shown
from rollsignal.outputs.row_files import ROW_SUFFIXES, replace_rows
from rollsignal.outputs.signals.forms import known_suffix

MOST_WINDOWS = 2_000
LONGEST_WINDOW = 10**9
_PART = re.compile(r"([0-9]{1,10})(?::([0-9]{1,10})(?::([0-9]{1,10}))?)?", re.ASCII)


def sweep_run(
    path: str, config: str | None, given: Sequence[str], windows: str, output: str | None
) -> dict[str, object]:
    """Try windows on the closes of a run, and return the report.

    path: a record or signals. config, given: the settings of bare signals. windows: as `--windows`
    takes them. output: where all windows are written, None for nowhere. Raises `UsageError`, and
    other `JobError`s where the run cannot be read or `output` not be written.
    """
    if output is not None:
        known_suffix("--output", output, ROW_SUFFIXES)
    asked = asked_windows(windows)
    run = decided_run(path, config, given)
    found = sweep(run, asked)
    if output is not None:
        replace_rows(output, SweptWindow, found.windows)
    rules = run.config.evaluate
    settings: dict[str, object] = {
        "delay": rules.delay,
        "cost_bp": rules.cost_bp,
        "seed": run.config.seed,
    }
    return sweep_document(evaluated_run(run)._asdict(), settings, found)


def asked_windows(text: str) -> list[int]:
    """Read windows: numbers and ranges with commas; raises `UsageError`.

    >>> asked_windows("5,10,20:30:5")
    [5, 10, 20, 25, 30]
    """
    windows: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            what = f"--windows has {shown(part)}, neither a number nor a range"
            raise UsageError(what, "write 2:200, 2:200:2 or 5,10,20")
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if not 1 <= first <= last <= LONGEST_WINDOW or not step:
            what = f"--windows has {shown(part)}, which is no range of windows"
            raise UsageError(what, f"from 1 to {LONGEST_WINDOW:,}, the smaller one first")
        if len(windows) + (last - first) // step >= MOST_WINDOWS:
            raise UsageError(
                f"--windows asks for more than {MOST_WINDOWS:,} windows",
                "a step leaves some out: 2:20000:100",
            )
        windows.update(range(first, last + 1, step))
    return sorted(windows)
