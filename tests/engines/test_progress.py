"""Progress is shown now and then: as one line on a terminal, cleared at the end, or in the log."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.commands import run as job
from rollsignal.commands import run as story
from rollsignal.engines.interface import Task
from rollsignal.engines.local import LocalEngine
from rollsignal.engines.progress import DRAW_EVERY_S, FIRST_S, LOG_EVERY_S, Progress
from tests.support.deciding import files, ignore
from tests.support.shell import CONFIG, ENVIRONMENT, ROOT, Heard, Job
from tests.support.tables import CONFIG as CHECKED


class Clock:
    """A clock that stands still until it is set, in seconds from any start."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Shown(list[object]):
    """A record of drawn lines and log events."""

    def draw(self, line: str) -> None:
        self.append(line)

    def log(self, level: str, message: str, **facts: int) -> None:
        assert (level, message) == ("INFO", "progress")
        self.append(facts)


ticks = st.lists(st.sampled_from([0.0, 0.1, 0.4, 0.5, 1.0, 4.9, 5.0, 100.0]), max_size=30)


@given(ticks, st.booleans(), st.floats(-1e6, 1e6))
def test_progress_is_shown_after_a_first_wait_and_then_not_too_often_to_read(
    steps: list[float], drawn: bool, start: float
) -> None:
    clock, shown = Clock(start), Shown()
    progress = Progress(100, shown.draw if drawn else None, shown.log, clock)
    times = []
    for step in steps:
        clock.now += step
        before = len(shown)
        progress(lambda: 1, 1)
        times += [clock.now] if len(shown) > before else []
    wait = DRAW_EVERY_S if drawn else LOG_EVERY_S
    waited = [FIRST_S if drawn else LOG_EVERY_S, *[wait] * len(times)]
    # By definition: whenever the wait since the last time is over.
    expected, now, due = [], start, start + waited[0]
    for step in steps:
        now += step
        if now >= due:
            expected.append(now)
            due = now + wait
    assert times == expected


def line_after(seconds: float, read: int, rows: int, total: int) -> str:
    clock, shown = Clock(5), Shown()
    progress = Progress(total, shown.draw, shown.log, clock)
    clock.now += seconds
    progress(lambda: read, rows)
    (line,) = shown
    return str(line)


@pytest.mark.parametrize(
    ("read", "total", "line"),
    [
        (3_000_000, 12_000_000, "25 % of 12 MB, 1,000 rows, 500 rows/s, 6 s left"),
        (12_000_000, 12_000_000, "100 % of 12 MB, 1,000 rows, 500 rows/s, 0 s left"),
        (15_000_000, 12_000_000, "100 % of 12 MB, 1,000 rows, 500 rows/s, 0 s left"),
        (3_000_000, 0, "3 MB, 1,000 rows, 500 rows/s"),
        (0, 0, "1,000 rows, 500 rows/s"),
        (0, 12_000_000, "1,000 rows, 500 rows/s"),
        (1, 9_000_000_000, "0 % of 9,000 MB, 1,000 rows, 500 rows/s, 17,999,999,998 s left"),
    ],
)
def test_a_line_says_how_far_how_fast_and_how_long(read: int, total: int, line: str) -> None:
    assert line_after(2, read, 1000, total) == line


def test_the_log_has_the_same_facts_as_numbers() -> None:
    clock, shown = Clock(0), Shown()
    progress = Progress(12_000_000, None, shown.log, clock)
    for seconds in (6, 12):
        clock.now = seconds
        progress(partial(int, seconds * 1_000_000), seconds * 500)
    progress.close()
    assert shown == [
        {
            "rows": seconds * 500,
            "rows_per_s": 500,
            "bytes": seconds * 1_000_000,
            "of_bytes": 12_000_000,
            "seconds_left": 12 - seconds,
        }
        for seconds in (6, 12)
    ]


def test_at_the_end_the_line_is_cleared() -> None:
    shown = Shown()
    Progress(0, shown.draw, shown.log, Clock(0)).close()
    assert shown == [""]


# What engines report.

MANY = "timestamp,close\n" + "".join(
    f"2024-01-{day + 1:02d} {minute // 60:02d}:{minute % 60:02d}:00,{minute % 7 + 1}\n"
    for day in range(8)
    for minute in range(1440)
)


def test_bytes_and_rows_add_up_over_files_of_any_format(tmp_path: Path) -> None:
    import gzip

    import polars as pl

    head, *rows = MANY.splitlines(keepends=True)
    third = len(rows) // 3
    (tmp_path / "a.csv").write_text(head + "".join(rows[:third]))
    (tmp_path / "b.csv.gz").write_bytes(
        gzip.compress((head + "".join(rows[third : 2 * third])).encode())
    )
    (tmp_path / "c.csv").write_text(head + "".join(rows[2 * third :]))
    frame = pl.read_csv(tmp_path / "c.csv", try_parse_dates=True)
    frame.write_parquet(tmp_path / "c.parquet")
    (tmp_path / "c.csv").unlink()
    paths = sorted(tmp_path.iterdir())
    shown: list[tuple[int, int]] = []
    task = Task(files(paths), CHECKED)
    LocalEngine().decide(task, [], ignore, lambda read, rows: shown.append((read(), rows)))
    assert len(shown) > len(paths)
    assert shown == sorted(shown)
    total = sum(path.stat().st_size for path in paths)
    before_last = total - paths[-1].stat().st_size
    assert before_last <= shown[-1][0] <= total
    assert shown[-1][1] == len(rows)


def clocked(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    """Move a run's progress clock on by this many seconds each time it is read."""
    monkeypatch.setattr(story, "Progress", partial(Progress, clock=count(step=seconds).__next__))


def test_off_a_terminal_the_log_has_a_line_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clocked(monkeypatch, 6)
    files = Job(tmp_path, MANY)
    assert files.run() == 0
    progress = [event[33:] for event in files.events() if " progress " in event]
    size = files.input.stat().st_size
    assert len(progress) == 2
    assert all(f"of_bytes={size} seconds_left=" in line for line in progress)
    assert progress[-1].startswith("progress rows=11520 rows_per_s=960 ")
    assert capsys.readouterr().err == ""


def test_a_short_run_shows_no_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clocked(monkeypatch, 0)
    files, heard = Job(tmp_path, MANY), Heard()
    shown = Shown()
    assert job.run(files.request, 0, heard, shown.draw).error is None
    assert shown == [""]
    assert not any("progress" in text for _, text in heard)


# On a terminal.

# A run whose clock moves on by a minute each time it is read.
CLOCKED = """
import functools, itertools, sys
sys.path.insert(0, sys.argv[1])
from rollsignal.cli.main import main
from rollsignal.commands import check as inspection, run as story
from rollsignal.engines.progress import Progress
clocked = functools.partial(Progress, clock=itertools.count(step=60).__next__)
story.Progress = inspection.Progress = clocked
sys.exit(main(sys.argv[2:]))
"""
WARN = CONFIG + "checks: {duplicates: warn}\n"
# Duplicates at the end, so that warnings come after the first lines of progress.
WITH_DUPLICATES = MANY + "2024-01-09 00:00:00,1\n" * 3


def screens(text: str) -> Iterator[list[str]]:
    """Yield the screen of a terminal after each piece of text; it knows CR, LF and erase-to-end."""
    lines, column = [""], 0
    yield list(lines)
    for piece in re.findall(r"\x1b\[K|\x1b\[[?0-9;]*[a-z]|\r|\n|[^\x1b\r\n]+", text):
        if piece == "\x1b[K":
            lines[-1] = lines[-1][:column]
        elif piece == "\r":
            column = 0
        elif piece == "\n":
            lines.append("")
        elif piece[0] != "\x1b":
            lines[-1] = lines[-1][:column] + piece + lines[-1][column + len(piece) :]
            column += len(piece)
        yield list(lines)


class Terminal:
    """A run with its stderr on a terminal, and its stdout too if asked for."""

    def __init__(self, *arguments: str, stdout: bool = False, **environment: str) -> None:
        ours, theirs = pty.openpty()
        usual = {key: value for key, value in ENVIRONMENT.items() if key != "NO_COLOR"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", CLOCKED, str(ROOT), *arguments],
            stdin=subprocess.PIPE,
            stdout=theirs if stdout else subprocess.PIPE,
            stderr=theirs,
            env=usual | {"TERM": "xterm"} | environment,
        )
        os.close(theirs)
        self._file = open(ours, "rb", buffering=0)  # noqa: SIM115  # open until the test ends
        self.text = ""

    def read_until(self, part: str) -> None:
        """Read until something is shown, or the end."""
        while part not in self.text or not part:
            try:
                data = self._file.read(65_536)
            except OSError:  # on Linux: the other end is closed
                data = b""
            if not data:
                return
            self.text += data.decode()

    def finish(self) -> list[str]:
        """Read to the end; return what is left on the screen."""
        assert self.process.stdin
        self.process.stdin.close()
        self.read_until("")
        self._file.close()
        with self.process:
            self.printed = self.process.stdout.read().decode() if self.process.stdout else ""
        return list(screens(self.text))[-1]


def drawn(text: str) -> list[str]:
    return re.findall(r"\x1b\[\?7l(.*?)\x1b\[\?7h", text)


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_line_is_drawn_and_cleared_and_warnings_stay_whole(tmp_path: Path, command: str) -> None:
    files = Job(tmp_path, WITH_DUPLICATES, WARN)
    flags = files.arguments() if command == "run" else [f"--input={files.input}"]
    terminal = Terminal(command, *flags, NO_COLOR="1")
    left = terminal.finish()
    lines = drawn(terminal.text)
    assert len(lines) >= 2
    assert all(re.fullmatch(r"\d+ % of 0 MB, [\d,]+ rows, .* s left", line) for line in lines)
    assert left.pop() == ""
    assert len(left) >= 2
    assert all(re.fullmatch(r"rollsignal: (warning|error): [^\x1b%]+", line) for line in left)
    assert any(screen[-1] in lines for screen in screens(terminal.text))
    assert "\x1b" not in terminal.printed
    assert terminal.printed.startswith("{\n")
    if command == "run":
        assert files.output.read_text() == terminal.printed
        assert " progress " not in files.log.read_text()


def test_the_result_on_the_same_terminal_stands_alone(tmp_path: Path) -> None:
    files = Job(tmp_path, MANY)
    terminal = Terminal("run", *files.arguments(), stdout=True)
    left = terminal.finish()
    assert drawn(terminal.text)
    assert "\n".join(left) == files.output.read_text()


def test_an_error_stands_alone_too(tmp_path: Path) -> None:
    files = Job(tmp_path, MANY + "2024-01-09 00:00:00,1x\n")
    terminal = Terminal("run", *files.arguments(), NO_COLOR="1")
    left = terminal.finish()
    assert drawn(terminal.text)
    message = f"{files.input} line 11522: close is '1x', not a number"
    assert left == [f"rollsignal: error: {message}", ""]


def test_a_run_that_is_stopped_clears_its_line(tmp_path: Path) -> None:
    files = Job(tmp_path)
    files.input = Path("-")
    terminal = Terminal("run", *files.arguments(), NO_COLOR="1")
    assert terminal.process.stdin
    # More than is read at once, so that a line is drawn while the run waits for the rest.
    terminal.process.stdin.write(b"close\n" + b"1\n" * 600_000)
    terminal.process.stdin.flush()
    terminal.read_until(" rows/s")
    terminal.process.send_signal(signal.SIGTERM)
    left = terminal.finish()
    assert terminal.process.returncode == 143
    assert left == ["rollsignal: error: Stopped by SIGTERM before the end", ""]
    assert drawn(terminal.text)[0].endswith(" rows/s")


@pytest.mark.parametrize("flag", ["-q", "-v"])
def test_nothing_is_drawn_in_quiet_or_verbose_runs(tmp_path: Path, flag: str) -> None:
    files = Job(tmp_path, MANY)
    terminal = Terminal("run", *files.arguments(flag))
    terminal.finish()
    assert drawn(terminal.text) == []
    assert ("info: progress rows=" in terminal.text) == (flag == "-v")
    assert " progress rows=" in files.log.read_text()


def test_a_terminal_that_cannot_move_its_cursor_gets_no_line(tmp_path: Path) -> None:
    files = Job(tmp_path, MANY)
    terminal = Terminal("run", *files.arguments(), TERM="dumb")
    assert terminal.finish() == [""]
    assert " progress rows=" in files.log.read_text()
