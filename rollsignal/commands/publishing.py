"""This module has a run told to others, by processes of their own, so that it cannot be touched.

`rollsignal publish` does the work. It gets the record on its standard input, as it is at that
moment, so that neither a full disk nor the next run can change what it tells. Whatever happens to
it, the run only says so.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import IO

from rollsignal.config.request import Request
from rollsignal.errors import BusyError, DiskError, JobError, UsageError
from rollsignal.outputs.interface import RunReport
from rollsignal.outputs.log import RunLog
from rollsignal.outputs.record.document import Record, load_record, record_json
from rollsignal.outputs.record.recorder import record_of

HEARTBEAT = "heartbeat"
# For how long a run waits for all targets, and of that for the process that told of its start.
TOTAL_S = 2.0
START_S = 1.0
# What the process is given to end by itself; it is killed at the end of the time.
MARGIN_S = 0.3
_KILLED_S = 0.2
_PROGRAM_OF_CHILD = (
    "import sys; sys.path[:] = {}; from rollsignal.cli.main import main; sys.exit(main())"
)
_PREFIX = "rollsignal: error: not published: "


class Publishing:
    """What is to be told of a run, and the process that tells of its start."""

    def __init__(
        self, targets: Sequence[str], started_ns: int, clock: Callable[[], float] = monotonic
    ) -> None:
        self.started_ns = started_ns
        self._targets = tuple(targets)
        self._clock = clock
        self._first: subprocess.Popen[bytes] | None = None
        self._failures: list[str] = []
        self._former: Record | None = None
        self._report: RunReport | None = None
        self._record = ""
        self._log: RunLog | None = None

    def started(self, record: str) -> None:
        """Have a heartbeat monitor told that a run has begun; nobody waits for it."""
        if HEARTBEAT not in self._targets:
            return
        try:
            self._first = _child(record, [HEARTBEAT], TOTAL_S)
        except Exception as problem:
            self._failures.append(f"at the start: {HEARTBEAT} ({_not_started(problem)})")

    def repeats(self, request: Request) -> None:
        """Note that the run only repeats the one of a record, which is a success of now."""
        assert request.record is not None
        try:
            self._former = load_record(request.record)
        except JobError as problem:
            self._failures.append(f"{_kinds(self._targets)} ({problem.message})")
            self._targets = ()

    def ended(self, report: RunReport, record: str, log: RunLog) -> None:
        """Note how the run ended: what is known of it, and the record that it left, if any."""
        self._report, self._record, self._log = report, record, log
        if isinstance(report.error, BusyError):
            # The other run will be told of.
            self._targets = ()
        elif isinstance(report.error, UsageError):
            # The other targets may be wrong themselves.
            self._targets = tuple({HEARTBEAT} & set(self._targets))

    def publish(self) -> None:
        """Tell all targets, in `TOTAL_S` seconds; warn of those that were not told."""
        try:
            self._tell_all(self._clock() + TOTAL_S)
        except Exception as problem:
            # The run has succeeded or failed; nothing that happens here may change that.
            self._failures.append(f"{_kinds(self._targets)} ({_not_started(problem)})")
        if self._log:
            if self._failures:
                self._log.event("WARNING", f"not published: {', '.join(self._failures)}")
            self._log.close()

    def _tell_all(self, deadline: float) -> None:
        """Tell all targets side by side, a heartbeat monitor after it was told of the start."""
        record = self._told()
        children: list[tuple[subprocess.Popen[bytes], Sequence[str]]] = []

        def tell(targets: Sequence[str]) -> None:
            if targets:
                seconds = max(0, deadline - MARGIN_S - self._clock())
                children.append((_child(record, targets, seconds), targets))

        if self._first and self._first.poll() is None:
            tell([target for target in self._targets if target != HEARTBEAT])
            self._end_first()
            tell([target for target in self._targets if target == HEARTBEAT])
        else:
            self._end_first()
            tell(self._targets)
        for child, targets in children:
            self._failures += _failure(child, targets, max(0, deadline - self._clock()))

    def _told(self) -> str:
        """Return the record to tell of: the one of the run, or what stands for it."""
        report = self._report
        if report and self._former and not report.error:
            now = record_of(report._replace(ended_ns=time.time_ns()), "success").process
            return record_json(self._former._replace(process=now))
        if report and not self._record:
            return record_json(record_of(report, "error"))
        return self._record

    def _end_first(self) -> None:
        if self._first:
            failures = _failure(self._first, [HEARTBEAT], START_S)
            self._failures += [f"at the start: {failure}" for failure in failures]


def _child(record: str, targets: Sequence[str], seconds: float) -> subprocess.Popen[bytes]:
    """Start `rollsignal publish` on a record; raises `OSError` if that is not possible."""
    with _file_of(record) as file:
        code = _PROGRAM_OF_CHILD.format([*map(str, sys.path)])
        return subprocess.Popen(
            [sys.executable, "-c", code, "publish", "-", *targets, f"--timeout={seconds:.3f}"],
            stdin=file,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )


def _file_of(text: str) -> IO[bytes]:
    """Return a nameless file with a text, in memory where the system can."""
    in_memory = hasattr(os, "memfd_create")
    # The caller closes it.
    file: IO[bytes] = (
        os.fdopen(os.memfd_create("record"), "w+b") if in_memory else tempfile.TemporaryFile()  # noqa: SIM115
    )
    file.write(text.encode())
    file.seek(0)
    return file


def _failure(child: "subprocess.Popen[bytes]", targets: Sequence[str], seconds: float) -> list[str]:
    """Wait for a process, and kill it at the end; return what it did not do, if anything."""
    kinds = _kinds(targets)
    try:
        told = child.communicate(timeout=seconds)[1].decode(errors="replace")
    except subprocess.TimeoutExpired:
        child.kill()
        with suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=_KILLED_S)
        return [f"{kinds} (no answer in time)"]
    if child.returncode == DiskError.exit_code and told.startswith(_PREFIX):
        return [told.removeprefix(_PREFIX).strip()]
    if child.returncode:
        return [f"{kinds} ({_how(child.returncode)})"]
    return []


def _how(code: int) -> str:
    if code < 0:
        return f"its process was ended by signal {-code}"
    return f"its process ended with exit code {code}"


def _not_started(problem: Exception) -> str:
    reason = getattr(problem, "strerror", None) or type(problem).__name__
    return f"no process could be started: {reason}"


def _kinds(targets: Sequence[str]) -> str:
    """List the kinds of targets, without their addresses."""
    return ", ".join(dict.fromkeys(target.partition("=")[0] for target in targets))
