"""This module keeps the record of a run: `running` at its start, and replaced at its end."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter

from rollsignal import __version__
from rollsignal.config import JobConfig, ReadConfig
from rollsignal.digest import hex_text
from rollsignal.engines.digester import Digester
from rollsignal.engines.local import Result
from rollsignal.engines.rows import Emit, Rows
from rollsignal.errors import DiskError, JobError, without_secrets
from rollsignal.files import replace
from rollsignal.fingerprints import (
    Fingerprint,
    again,
    changed,
    fingerprint,
    now_ns,
    stat_of,
)
from rollsignal.recording import Recording
from rollsignal.request import Request
from rollsignal.sinks.log import RunLog, iso_ms
from rollsignal.sinks.record import (
    LIBRARIES,
    Asked,
    Check,
    Failure,
    File,
    Input,
    Process,
    Program,
    Record,
    Status,
    load_record,
    settings_of,
    to_json,
)
from rollsignal.sinks.state import InputFile


class Recorder(Recording):
    """Keep the record of a run at a path whose lock is held."""

    def __init__(self, request: Request, path: str, log: RunLog) -> None:
        self._request = request
        self._path = path
        self._log = log
        self._config: JobConfig | None = None
        self._taken: dict[str, tuple[int, Fingerprint]] = {}
        self._digester = Digester()
        process = Process(os.getpid(), os.uname().nodename, iso_ms(now_ns()))
        self._record = Record("running", program(), process, asked(request))

    def begin(self) -> None:
        """Write the record as `running`; raises `OutputError` or `DiskError`."""
        former = unfinished(self._path)
        if former:
            # Whoever else writes this record would hold its lock.
            self._log.event("WARNING", f"the run before ({former}) did not end")
        replace(self._path, to_json(self._record))

    def configured(self, read: ReadConfig) -> None:
        """Take the config, and the lines of its settings."""
        self._config = read.config
        self._record = self._record._replace(config=settings_of(*read))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Take the time of a stage in whole milliseconds."""
        start = perf_counter()
        try:
            yield
        finally:
            elapsed_ms = round((perf_counter() - start) * 1000)
            stages = {**self._record.stages_ms, name: elapsed_ms}
            self._record = self._record._replace(stages_ms=stages)

    def before(self, paths: Sequence[str]) -> None:
        """Hash the inputs; raises `InputError` or `DiskError`."""
        with self.stage("hash_inputs"):
            inputs = [Input(self._file(path)) for path in paths]
        self._record = self._record._replace(inputs=inputs)

    def listening(self, emit: Emit | None) -> Emit | None:
        """Digest all rows, and hand them on."""
        digester = self._digester
        if emit is None:
            return digester

        def both(rows: Rows) -> None:
            digester(rows)
            emit(rows)

        return both

    def after(self, result: Result) -> None:
        """Take what was found; raises `DiskError` if an input changed while it was read."""
        with self.stage("compare_inputs"):
            inputs = [self._compared(one, result) for one in self._record.inputs]
        self._decided(result, inputs, self._digester.digest)
        for one in inputs:
            if one.file.sha256 != one.sha256_after:
                raise changed(one.file.path)

    def continued(self, result: Result, files: Sequence[InputFile], digest: int) -> None:
        """Take what was found, and what the state knows of all files that were ever read."""
        self._decided(result, [_kept(file, result) for file in files], digest)

    def _decided(self, result: Result, inputs: list[Input], digest: int) -> None:
        self._record = self._record._replace(
            inputs=inputs,
            tally=result.tally,
            series=len(result.series),
            digest=hex_text(digest),
            checks=self._checks(result),
        )

    def succeed(self) -> None:
        """Write the record of a success; raises `OutputError` or `DiskError`."""
        self._end("success")

    def fail(self, error: JobError) -> None:
        """Write the record of a failure; where that cannot be, the log says so."""
        self._record = self._record._replace(error=Failure(error.exit_code, str(error)))
        try:
            self._end("error")
        except JobError as also:
            self._log.event("WARNING", "record not written", error=str(also))

    def _end(self, status: Status) -> None:
        with self.stage("hash_outputs"):
            unhashed = decided_bars(self._request)
            outputs = [found(path, path not in unhashed) for path in self._outputs(status)]
        self._record = self._record._replace(
            status=status,
            program=program(),
            process=self._record.process._replace(ended=iso_ms(now_ns())),
            warnings=self._log.warnings,
            outputs=outputs,
        )
        replace(self._path, to_json(self._record))

    def _outputs(self, status: Status) -> list[str]:
        """List what is written; of a folder, what an earlier run left is not a failed one's."""
        whole = self._request if status == "success" else self._request._replace(signals=None)
        return output_files(whole)

    def _file(self, path: str) -> File:
        taken_ns, taken = now_ns(), fingerprint(path)
        if taken:
            self._taken[path] = taken_ns, taken
        shown = without_secrets(path)
        return File(shown, *taken) if taken else File(shown)

    def _compared(self, one: Input, result: Result) -> Input:
        path = one.file.path
        one = one._replace(rows=result.rows.get(path), form=result.forms.get(path))
        if path not in self._taken:
            return one
        taken_ns, before = self._taken[path]
        after, by = again(path, before, taken_ns)
        return one._replace(sha256_after=after and after.sha256, compared_by=by)

    def _checks(self, result: Result) -> dict[str, Check]:
        assert self._config is not None
        return {
            name: Check(level, result.warnings.get(name, 0), result.first.get(name, []))
            for name, level in self._config.checks._asdict().items()
        }


def _kept(file: InputFile, result: Result) -> Input:
    """Tell what a state knows of a file, whether this run has read it or one before."""
    form = result.forms.get(file.path)
    name = without_secrets(file.path)
    if not file.sha256:
        return Input(File(name), rows=file.rows, form=form)
    # A file that was just written has no stamp.
    mtime_ns, ctime_ns, inode = file.stamp[1:] or (None, None, None)
    known = File(name, file.size, mtime_ns, ctime_ns, inode, file.sha256)
    return Input(known, file.sha256, "stat" if form else "state", file.rows, form)


def program() -> Program:
    """Tell what runs: versions of what decides results, as far as it is loaded."""
    loaded = {name: sys.modules[name] for name in LIBRARIES if name in sys.modules}
    versions = {name: str(getattr(module, "__version__", "")) for name, module in loaded.items()}
    return Program(__version__, sys.version.partition(" ")[0], versions)


def asked(request: Request) -> Asked:
    """Tell what a run is asked to do."""
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
    )


def found(path: str, hashed: bool = True) -> File:
    """Tell what is there now; hashed: whether its bytes are to be read."""
    if not hashed:
        return File(path, *(stat_of(path) or ()))
    taken = fingerprint(path, "Output", DiskError)
    return File(path, *taken) if taken else File(path)


def output_files(request: Request) -> list[str]:
    """List the files that a run leaves, the parts of a folder too, but not log and record."""
    paths = []
    for flag, path in request.outputs.items():
        if flag == "--signals" and request.partition_by:
            from glob import escape, glob

            from rollsignal.sinks.signals import form_of

            pattern = f"{request.partition_by}=*/signals{form_of(path, request.partition_by)}"
            paths += sorted(glob(os.path.join(escape(path), pattern)))
        elif flag != "--record" and os.path.exists(path):
            paths.append(path)
    return paths + decided_bars(request)


def decided_bars(request: Request) -> list[str]:
    """List the files of all bars beside the state.

    They grow by a little every night, and to hash all of them would take longer than the night.
    """
    if not request.state:
        return []
    from rollsignal.sinks.history import bars_files

    return sorted(bars_files(request.state))


def unfinished(path: str) -> str:
    """Name the process that began a record and has not ended it, "" if there is none.

    What stands there and is no record is none of a run that did not end.
    """
    try:
        former = load_record(path)
    except JobError:
        return ""
    if former.status != "running":
        return ""
    return f"process {former.process.id} on {former.process.host}"
