"""This module keeps the record of a run: `running` at its start, and replaced at its end."""

import os
import sys
from collections.abc import Callable, Collection
from fnmatch import fnmatchcase
from time import perf_counter

from rollsignal.config.request import Request
from rollsignal.core.digest import hex_text
from rollsignal.core.findings import Found
from rollsignal.core.timestamps.reader import iso
from rollsignal.errors import BusyError, DiskError, JobError
from rollsignal.files.fingerprints import Fingerprint, ReadInput, fingerprint, is_there, stat_of
from rollsignal.files.open import exists
from rollsignal.files.replace import replace
from rollsignal.messages import is_url, without_secrets
from rollsignal.outputs.interface import BARS_FOLDER, RunReport
from rollsignal.outputs.log import iso_ms, ms_since
from rollsignal.outputs.record.document import (
    LIBRARIES,
    Asked,
    Failure,
    File,
    Process,
    Program,
    Record,
    RecordedCheck,
    RecordedInput,
    Status,
    load_record,
    record_json,
    settings_of,
)
from rollsignal.version import __version__

Warn = Callable[[str], None]


class Recorder:
    """Keep the record of a run at a path whose lock is held; `warn` is told of a former run.

    `text` is the record as it was last written, or should have been.
    """

    def __init__(self, path: str, warn: Warn) -> None:
        self._path = path
        self._warn = warn
        self.text = ""
        self._there: Fingerprint | None = None

    def started(self, report: RunReport) -> None:
        """Write the record as `running`; raises `OutputError` or `DiskError`."""
        former = unfinished(self._path)
        if former:
            # Whoever else writes this record would hold its lock, but not in a store.
            perhaps = ", or is still going on" if is_url(self._path) else ""
            self._warn(f"the run before ({former}) did not end{perhaps}")
        self._there = self._write(record_of(report, "running"))

    def ended(self, report: RunReport) -> None:
        """Write the record of how the run ended; raises `OutputError` or `DiskError`."""
        start, at_ms = perf_counter(), ms_since(report.started_ns)
        self.text = ""
        request = report.request
        if report.error:
            # Of a folder, what an earlier run left is not a failed one's.
            request = request._replace(signals=None)
        outputs = _left_outputs(request, report)
        record = record_of(report, "error" if report.error else "success", outputs)
        hash_ms = round((perf_counter() - start) * 1000)
        stages_ms = {**record.stages_ms, "hash_outputs": hash_ms}
        stages_at_ms = {**record.stages_at_ms, "hash_outputs": at_ms}
        record = record._replace(stages_ms=stages_ms, stages_at_ms=stages_at_ms)
        if is_url(self._path) and isinstance(report.error, BusyError):
            self._write_over(record)
        else:
            self._write(record)

    def _write(self, record: Record) -> Fingerprint | None:
        self.text = record_json(record)
        return replace(self._path, self.text)

    def _write_over(self, record: Record) -> None:
        """Write the record, unless another run has written it since; raises `BusyError`."""
        from rollsignal.files.uploads import put_over

        self.text = record_json(record)
        put_over(self._path, self.text.encode(), self._there)


def _left_outputs(request: Request, report: RunReport) -> list[File]:
    """List what a run leaves, as it is on disk, and as it was put into stores."""
    files = []
    for flag, path in _recorded_outputs(request):
        if is_url(path):
            there = _objects_of(request, flag, path, report.delivered)
            files += [File(url, *report.delivered[url]) for url in there]
        else:
            there = _files_of(request, flag, path)
            files += [output_file(file) for file in there if file not in report.stale]
    return files + [output_file(path, hashed=False) for path in decided_bars(request)]


def _recorded_outputs(request: Request) -> list[tuple[str, str]]:
    return [output for output in request.outputs.items() if output[0] != "--record"]


def record_of(report: RunReport, status: Status, outputs: list[File] | None = None) -> Record:
    """Return the record of a run that is known so far."""
    ended = None if report.ended_ns is None else iso_ms(report.ended_ns)
    process = Process(os.getpid(), os.uname().nodename, iso_ms(report.started_ns), ended)
    error, found, config = report.error, report.found, report.config
    record = Record(
        status,
        program(report.engine),
        process,
        asked_of(report.request),
        error=Failure(error.exit_code, str(error)) if error else None,
        config=config and settings_of(*config),
        inputs=[_recorded_input(read, found) for read in report.inputs],
        warnings=[*report.warnings],
        stages_ms={**report.stages_ms},
        stages_at_ms={**report.stages_at_ms},
        outputs=outputs or [],
        metrics=None if report.metrics is None else {**report.metrics},
    )
    if found is None or config is None:
        return record
    levels = config.config.checks._asdict()
    newest_ns, lagging = found.newest_bar
    return record._replace(
        newest_bar=None if newest_ns is None else iso(newest_ns),
        lagging=lagging,
        tally=found.tally,
        dropped=found.dropped,
        waiting=len(found.waiting),
        series=len(found.accounts),
        digest=hex_text(found.digest or 0),
        checks={name: _recorded_check(name, level, found) for name, level in levels.items()},
    )


def _recorded_input(read: ReadInput, found: Found | None) -> RecordedInput:
    path, size, mtime_ns, ctime_ns, inode, sha256, etag, version, *_ = read
    in_file = found.files.get(path) if found else None
    if in_file and in_file.version:
        version = in_file.version
    file = File(without_secrets(path), size, mtime_ns, ctime_ns, inode, sha256, etag, version)
    rows = in_file.rows if in_file and read.rows is None else read.rows
    form = in_file.description if in_file else None
    return RecordedInput(file, read.sha256_after, read.compared_by, rows, form, read.left)


def _recorded_check(name: str, level: str, found: Found) -> RecordedCheck:
    return RecordedCheck(level, found.findings.counts[name], found.findings.first.get(name, []))


def program(engine: str) -> Program:
    """Return what runs: versions of what decides results, as far as it is loaded."""
    loaded = {name: sys.modules[name] for name in LIBRARIES if name in sys.modules}
    versions = {name: str(getattr(module, "__version__", "")) for name, module in loaded.items()}
    return Program(__version__, sys.version.partition(" ")[0], versions, engine)


def asked_of(request: Request) -> Asked:
    """Return what a run is asked to do."""
    outputs = dict(request.outputs)
    if request.log_file is not None:
        outputs["--log-file"] = request.log_file
    inputs = list(map(without_secrets, request.given or request.inputs))
    return Asked(
        inputs,
        request.format,
        request.config,
        outputs,
        request.partition_by,
        request.since,
        request.until,
        list(request.set),
        request.expect,
    )


def output_file(path: str, hashed: bool = True) -> File:
    """Return what is there now; hashed: whether its bytes are to be read."""
    if not hashed:
        return File(path, *(stat_of(path, "Output", DiskError) or ()))
    taken = fingerprint(path, "Output", DiskError)
    return File(path, *taken) if taken else File(path)


def output_files(request: Request) -> list[str]:
    """List the files that a run leaves, the parts of a folder too, but not log and record.

    Raises `OutputError` or `DiskError` where a store does not answer.
    """
    paths = []
    for flag, path in _recorded_outputs(request):
        if is_url(path):
            paths += _objects_of(request, flag, path, _objects_at(request, flag, path))
        else:
            paths += _files_of(request, flag, path)
    return paths + decided_bars(request)


def _files_of(request: Request, flag: str, path: str) -> list[str]:
    """List the files of an output that are there."""
    if not (flag == "--signals" and request.partition_by):
        return [path] if exists(path) else []
    from glob import escape

    from rollsignal.files.patterns import matching

    return sorted(matching(os.path.join(escape(path), _partition_pattern(request))))


def _objects_at(request: Request, flag: str, path: str) -> Collection[str]:
    """Ask a store for the objects of an output."""
    from rollsignal.files.uploads import objects_below

    if flag == "--signals" and request.partition_by:
        return objects_below(path)
    there = [path] if is_there(path) else []
    return [*there, *objects_below(f"{path}{BARS_FOLDER}")] if flag == "--state" else there


def _objects_of(request: Request, flag: str, path: str, there: Collection[str]) -> list[str]:
    """List those of the objects that are there which are of an output."""
    if flag == "--signals" and request.partition_by:
        folder, pattern = path.rstrip("/") + "/", _partition_pattern(request)
        below = [url for url in there if url.startswith(folder)]
        return sorted(url for url in below if fnmatchcase(url.removeprefix(folder), pattern))
    bars = [url for url in there if url.startswith(f"{path}{BARS_FOLDER}")]
    return [url for url in there if url == path] + (sorted(bars) if flag == "--state" else [])


def _partition_pattern(request: Request) -> str:
    from rollsignal.outputs.signals.forms import signals_suffix

    suffix = signals_suffix(request.signals or "", request.partition_by)
    return f"{request.partition_by}=*/signals{suffix}"


def decided_bars(request: Request) -> list[str]:
    """List the files of all bars beside a state on disk.

    They grow by a little every night, and to hash all of them would take longer than the night.
    """
    if not request.state or is_url(request.state):
        return []
    from rollsignal.outputs.state.history import bars_files

    return sorted(bars_files(request.state))


def unfinished(path: str) -> str:
    """Return the process that began a record and has not ended it, "" if there is none.

    Another file that stands there is not the record of a run that did not end.
    """
    try:
        former = load_record(path)
    except JobError:
        return ""
    if former.status != "running":
        return ""
    return f"process {former.process.id} on {former.process.host}"
