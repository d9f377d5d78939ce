"""This module runs the job as people do: files in a folder, a command, and its outputs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rollsignal.cli.main import main
from rollsignal.config.request import Request
from rollsignal.messages import LogLevel

ROOT = Path(__file__).resolve().parents[2]

# With a window of 2 a signal says whether a close is above the one before it.
BARS = "close\n1\n2\n1\n2\n2\n3\n1\n4\n"
# The same closes, one a day.
TIMED = "".join(
    f"{line},{'day' if number == 0 else f'2024-01-{number:02d}'}\n"
    for number, line in enumerate(BARS.split())
)
CONFIG = 'seed: 42\nwindow: 2\nversion: "v1"\n'
# Of the 7 bars that have a signal, 4 have a 1, and 4 / 7 = 0.571428...
SUCCESS = {
    "version": "v1",
    "rows_processed": 8,
    "metric": "signal_rate",
    "value": 0.5714,
    "seed": 42,
    "status": "success",
}

# As on the command line, with buffered output.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}


class Job:
    """A folder with bars and a config, and the two files that a run leaves in it."""

    def __init__(
        self, folder: Path, bars: str | bytes = BARS, config: str | bytes = CONFIG
    ) -> None:
        self.folder = folder
        self.input, self.config = folder / "bars.csv", folder / "config.yaml"
        self.output, self.log = folder / "metrics.json", folder / "run.log"
        for path, content in ((self.input, bars), (self.config, config)):
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    @property
    def request(self) -> Request:
        return Request((str(self.input),), str(self.config), str(self.output), str(self.log))

    def arguments(self, *more: str, **paths: object) -> list[str]:
        """Return the flags of a run; `paths` replace the usual ones."""
        usual = {"input": self.input, "config": self.config, "output": self.output}
        given = usual | {"log_file": self.log} | paths
        flags = [f"--{name.replace('_', '-')}={path}" for name, path in given.items()]
        return [*flags, *more]

    def run(self, *more: str, **paths: object) -> int:
        """Run in this process; return the exit code."""
        return command("run", *self.arguments(*more, **paths))

    def process(self, *more: str, before: str = "", **options: Any) -> Finished:
        """Run as a process of its own."""
        usual: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        done: Finished = subprocess.run(
            process_arguments(*self.arguments(*more), before=before),
            cwd=self.folder,
            encoding="utf-8",
            timeout=60,
            check=False,
            **({"env": ENVIRONMENT} | usual | options),
        )
        return done

    def start(self, *more: str) -> subprocess.Popen[str]:
        """Start a process, and wait until its log says that the config is verified.

        Its stdin is open: with `--input -` it waits for bars forever.
        """
        process = subprocess.Popen(
            process_arguments(*self.arguments("-v", *more)),
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert process.stderr is not None
        assert any("config verified" in line for line in process.stderr), "it ended too soon"
        return process

    def metrics(self) -> dict[str, object]:
        """Read the metrics file, which must be written as published."""
        return published(self.output.read_bytes().decode())

    def events(self) -> list[str]:
        """Read the log's lines."""
        *lines, rest = self.log.read_bytes().decode().split("\n")
        assert rest == ""
        return lines


Finished = subprocess.CompletedProcess[str]


class Heard(list[tuple[LogLevel, str]]):
    """A list of the messages of a run."""

    def __call__(self, level: LogLevel, text: str) -> None:
        self.append((level, text))


def command(*arguments: str) -> int:
    """Run a command in this process, without the signal handlers that it leaves."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return main(arguments)
    except SystemExit as done:
        return int(done.code or 0)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def process_arguments(*arguments: str, before: str = "") -> list[str]:
    """Return the command line of run.py; `before` is Python code to run first in the process."""
    line = [sys.executable, str(ROOT / "run.py"), *arguments]
    if not before:
        return line
    code = f"import os, sys\n{before}\nos.execv(sys.executable, sys.argv[1:])"
    return [sys.executable, "-c", code, *line]


def strict_json(text: str) -> dict[str, Any]:
    """Read a JSON object, and refuse what JSON does not have."""
    document = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_number)
    assert isinstance(document, dict)
    json.dumps(document, ensure_ascii=False).encode()
    return document


def published(text: str) -> dict[str, object]:
    """Read strict JSON that is indented by 2 and ends with one newline."""
    document = strict_json(text)
    assert text == json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return document


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    assert len(document) == len(pairs), f"a key is repeated: {pairs}"
    return document


def _no_number(name: str) -> float:
    raise AssertionError(f"{name} is not JSON")


def error(version: str, message: str) -> dict[str, object]:
    """Return error metrics as published."""
    return {"version": version, "status": "error", "error_message": message}


def snapshot(folder: Path) -> dict[str, tuple[int, object]]:
    """Return all that is in a folder: types, permissions and contents."""
    contents: dict[str, tuple[int, object]] = {}
    for path in sorted(folder.rglob("*")):
        content: object = None
        if path.is_symlink():
            content = os.readlink(path)
        elif path.is_file():
            content = path.read_bytes()
        contents[str(path.relative_to(folder))] = (path.lstat().st_mode, content)
    return contents


# Root may read and write every file; without these two capabilities it is like any other user.
LIKE_ANYONE = "import ctypes; [ctypes.CDLL(None).prctl(24, number, 0, 0, 0) for number in (1, 2)]"


needs_permissions = pytest.mark.skipif(
    os.geteuid() == 0 and sys.platform != "linux", reason="root may write everywhere here"
)


STAMPED = "date,close\n2024-01-01,1\n2024-01-02,2\n2024-01-02,3\n"


class Recorded(Job):
    """A job that keeps a record."""

    @property
    def record(self) -> Path:
        return self.folder / "record.json"

    def read(self) -> dict[str, Any]:
        """Read the record without its checksum."""
        record = strict_json(self.record.read_text())
        del record["checksum"]
        return record

    def run(self, *more: str, **paths: object) -> int:
        return super().run(f"--record={self.record}", *more, **paths)
