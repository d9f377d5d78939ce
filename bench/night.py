"""The cost of a night: a thousand new rows after a long history, beside the same rows alone."""

import shutil
import sys
from itertools import islice
from pathlib import Path

from bench import data
from bench.processes import measure

KIND, ALONE = "night", "1,000 rows alone"
NEW_ROWS = 1_000
# The state of the history is copied back before every run; the other command copies it too.
RESTORED = ["/bin/sh", "-c", 'cp "$0" "$1" && shift && exec "$@"']


def commands(ours: str, history_rows: int, folder: Path) -> dict[str, list[str]]:
    """Decide the history once; return the commands that decide new rows after it, and alone."""
    state, kept, new = folder / "history.state", folder / "kept.state", folder / "new.csv"
    history = data.table("csv", history_rows)
    measure(_command(history, folder, "--state", str(state)))
    shutil.copy(state, kept)
    _cut(history, data.table("csv", 5 * history_rows), new)
    return {
        ours: [*RESTORED, str(kept), str(state), *_command(new, folder, "--state", str(state))],
        ALONE: [*RESTORED, str(kept), str(folder / "unused"), *_command(new, folder)],
    }


def _cut(history: Path, longer: Path, new: Path) -> None:
    """Write the rows that follow the history in the longer table, which begins with it."""
    with longer.open("rb") as file:
        header = file.readline()
        file.seek(history.stat().st_size)
        new.write_bytes(header + b"".join(islice(file, NEW_ROWS)))


def _command(table: Path, folder: Path, *more: str) -> list[str]:
    flags = ["--input", str(table), "--config", str(data.config("csv"))]
    flags += ["--output", f"{folder}/metrics.json", "--log-file", f"{folder}/run.log"]
    return [sys.executable, str(data.ROOT / "run.py"), *flags, *more]
