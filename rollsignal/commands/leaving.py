"""This module leads a run to its end: log and locks, and error metrics whatever happens."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.commands.plan import check_flags, conflict, expanded, log_is_output
from rollsignal.commands.stop import Stop
from rollsignal.config.reading import ReadConfig, load_config, read_config
from rollsignal.config.request import Request
from rollsignal.errors import BusyError, ConfigError, JobError, ScarcityError, UsageError, foreign
from rollsignal.files.locks import held
from rollsignal.files.open import Reserve
from rollsignal.files.replace import clear_output, make_folder, put_where_none_is, sync_folder
from rollsignal.messages import Tell, is_url, shown_path
from rollsignal.outputs import metrics
from rollsignal.outputs.interface import Output, RunReport
from rollsignal.outputs.log import RunLog, ms_since

if TYPE_CHECKING:
    from rollsignal.commands.publishing import Publishing
    from rollsignal.outputs.record.recorder import Recorder


class Outcome(NamedTuple):
    """How a run ended: its metrics, the error that ended it if one did, and who is to be told."""

    metrics: Mapping[str, object]
    error: JobError | None = None
    publishing: "Publishing | None" = None


class Run:
    """A run from its start to its end: `report` is what is known so far, `outcome` how it ended.

    If an output is a file that must not be replaced, nothing is written at all. If only the log is
    such a file, there is no log.
    """

    def __init__(
        self,
        request: Request,
        started: float,
        tell: Tell,
        publishing: "Publishing | None" = None,
    ) -> None:
        if publishing is None and request.publish:
            from rollsignal.commands.publishing import Publishing

            publishing = Publishing(request.publish, time.time_ns())
        self._publishing = publishing
        request, self._problem = _looked_at(request)
        self._may_write = True
        if self._problem:
            without_log = request._replace(log_file=None)
            self._may_write = _may_write(without_log, request)
            request = without_log
        self.request = request
        started_ns = publishing.started_ns if publishing else time.time_ns()
        self.report = RunReport(request, started_ns)
        self._reserve = Reserve()
        self.outcome: Outcome | None = None
        self.locks = ExitStack()
        self._is_locked = False
        self.log = RunLog(request.log_file, request.log_format, tell)
        self.tell = self.log.event
        self._started = started
        self._is_logged = False
        self._record: Recorder | None = None

    def start(self) -> None:
        """Log the start of the run, and lock its outputs.

        Raises `UsageError` for flags that do not go together, `BusyError` if another run is writing
        one of the outputs.
        """
        if self._problem:
            raise self._problem
        self._is_logged = True
        self.log.started(self.report)
        check_flags(self.request)
        warnings = self.locks.enter_context(held(self.request.locked, self.request.wait))
        self._is_locked = True
        for warning in warnings:
            self.tell("WARNING", warning)

    def repeats_the_recorded_run(self) -> bool:
        """Return whether nothing has changed; then the recorded metrics are the outcome."""
        if not self.request.if_changed:
            return False
        from rollsignal.commands.unchanged import former_metrics

        metrics_before = former_metrics(self.request)
        if metrics_before is None:
            return False
        self.tell("INFO", "nothing changed", record=self.request.record)
        if self._publishing:
            self._publishing.repeats(self.request)
        self.outcome = Outcome(metrics_before, publishing=self._publishing)
        return True

    def begin(self) -> ReadConfig:
        """Clear the outputs, write the record as running, and read the config.

        What a killed run has left to do for the state is done before.
        """
        # First of all, no record of success names what is about to be replaced.
        if record := self._recorder():
            record.started(self.report)
            if self._publishing:
                self._publishing.started(record.text)
        _clear_outputs(self.request)
        if self.request.state:
            from rollsignal.commands.completing import complete

            complete(self.request.state, self.request.locked)
        with self.stage("config"):
            read = read_config(self.request.config, given=self.request.set)
        self.report = self.report._replace(config=read, version=read.config.version)
        self.tell("INFO", "config verified", **read.config.by_name())
        return read

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage of the run in whole milliseconds."""
        start = perf_counter()
        at_ms = {**self.report.stages_at_ms, name: ms_since(self.report.started_ns)}
        try:
            yield
        finally:
            elapsed_ms = round((perf_counter() - start) * 1000)
            stages_ms = {**self.report.stages_ms, name: elapsed_ms}
            self.note(stages_ms=stages_ms, stages_at_ms=at_ms)

    def note(self, **facts: object) -> None:
        """Add facts to the report; the names are those of its fields."""
        self.report = self.report._replace(**facts)  # type: ignore[arg-type]  # names are checked

    def succeed(self, outputs: Sequence[Output]) -> None:
        """Finish all outputs, the metrics last; then record the success, and tidy up."""
        with self.stage("write"):
            for output in outputs:
                self._measure()
                self._deliver(output)
        document = metrics.metrics_of(self.report)
        self.note(metrics=document, stale=[path for output in outputs for path in output.stale])
        if record := self._recorder():
            self._measure()
            record.ended(self.report)
        for output in outputs:
            output.tidy()
        self.tell("INFO", "metrics summary", **document)
        self.outcome = Outcome(document, publishing=self._publishing)

    def _deliver(self, output: Output) -> None:
        there = output.finish(self.report)
        self.note(delivered={**self.report.delivered, **there})

    def fail(self, error: BaseException) -> None:
        """Write the error that ended the run to the log, the metrics and the record.

        Without the locks, an output that another run is writing is left to that run.
        """
        self._reserve.release()
        problem = error if isinstance(error, JobError) else self._foreign(error)
        version = self.report.version or getattr(problem, "version", None)
        self.note(error=problem, version=version or _version_for_metrics(self.request))
        self.note(metrics=metrics.metrics_of(self.report))
        self.outcome = Outcome(metrics.metrics_of(self.report), problem, self._publishing)
        if not self._may_write:
            if not isinstance(problem, UsageError):
                left = shown_path(self.request.output)
                self.tell("WARNING", f"{left} is left as it is, since it may be an input")
            return
        self.log.record("ERROR", "job failed", exit_code=problem.exit_code, error=str(problem))
        if self._is_locked:
            self._leave_metrics()
            self._leave_record()
        elif not isinstance(problem, BusyError):
            self._fail_alone()

    def _fail_alone(self) -> None:
        """Write the error metrics and the record, each only if no other run is writing it."""
        try:
            with held([self.request.output]):
                self._leave_metrics()
        except BusyError as problem:
            self.tell("WARNING", "metrics not written", error=str(problem))
            return
        except JobError as problem:
            self._withdraw_metrics(problem)
            return
        try:
            with held([self.request.record] if self.request.record else []):
                self._leave_record()
        except JobError as problem:
            self.tell("WARNING", "record not written", error=str(problem))

    def _leave_metrics(self) -> None:
        if is_url(self.request.output) and isinstance(self.report.error, BusyError):
            # Those of a run that was first are left to it.
            with suppress(JobError):
                put_where_none_is(self.request.output, metrics.to_json(self.report.metrics or {}))
            return
        try:
            self._deliver(metrics.MetricsFile(self.request.output))
        except JobError as problem:
            self._withdraw_metrics(problem)

    def _withdraw_metrics(self, error: JobError) -> None:
        """Remove the old metrics, which may say success, where the new cannot be written."""
        self.tell("WARNING", "metrics not written", error=str(error))
        path = self.request.output
        try:
            clear_output(path)
        except JobError:
            what = "may still hold the metrics of an earlier run"
            self.tell("WARNING", f"{shown_path(path)} {what}")

    def _leave_record(self) -> None:
        record = self._recorder()
        if record is None:
            return
        try:
            self._measure()
            record.ended(self.report)
        except JobError as problem:
            self.tell("WARNING", "record not written", error=str(problem))

    def end(self) -> None:
        """Log how the run ended, and close the log."""
        self._reserve.release()
        self._measure()
        if self._is_logged:
            self.log.ended(self.report)
        if self._publishing:
            self._publishing.ended(self.report, self._record.text if self._record else "", self.log)
        else:
            self.log.close()

    def _foreign(self, bug: BaseException) -> JobError:
        """Return the error for a library that is missing, or log the traceback of a bug.

        A panic of a compiled library is not an `Exception`.
        """
        answer = foreign(bug)
        if isinstance(answer, ScarcityError):
            # Its frames hold what takes the memory.
            bug.__traceback__ = bug.__context__ = None
            return answer
        if not isinstance(bug, ImportError) or answer is None:
            self._log_traceback(bug)
        return answer or JobError(f"Internal error: {type(bug).__name__}: {bug}")

    def _log_traceback(self, bug: BaseException) -> None:
        try:
            import traceback
        except (ImportError, OSError, MemoryError):
            # What it takes is what is lacking.
            return
        self.log.traceback("".join(traceback.format_exception(bug)))

    def _measure(self) -> None:
        """Add the time that the run took so far, and its warnings, to the report."""
        elapsed_ms = round((perf_counter() - self._started) * 1000)
        warnings = tuple(self.log.warnings)
        self.note(elapsed_ms=elapsed_ms, ended_ns=time.time_ns(), warnings=warnings)

    def _recorder(self) -> "Recorder | None":
        if self._record is None and self.request.record is not None:
            from rollsignal.outputs.record.recorder import Recorder

            def warn(text: str) -> None:
                self.tell("WARNING", text)

            self._record = Recorder(self.request.record, warn)
        return self._record


@contextmanager
def leaving(request: Request, started: float, tell: Tell, stop: Stop) -> Iterator[Run]:
    """Lead a run to its end: write error metrics and the log whatever happens, release the locks.

    started: `time.perf_counter()` at the start of the program. tell: receives messages for people.
    Only `KeyboardInterrupt` and `SystemExit` that are not a stop of the run are raised again.
    """
    run = Run(request, started, tell)
    ending: BaseException | None = None
    with run.locks:
        try:
            yield run
        except BaseException as error:
            ending = stop.noticed(error)
            run.fail(ending)
    run.end()
    if isinstance(ending, KeyboardInterrupt | SystemExit):
        raise ending


def fail(
    request: Request, error: JobError, tell: Tell, publishing: "Publishing | None" = None
) -> Outcome:
    """Write the error metrics of an error outside a run, such as a wrong command line.

    publishing: that of the run before, if there was one.
    """
    run = Run(request, perf_counter(), tell, publishing)
    run.fail(error)
    run.end()
    assert run.outcome, "a run that failed has an outcome"
    return run.outcome


def _clear_outputs(request: Request) -> None:
    """Remove the outputs of an earlier run; raises `OutputError`, `DiskError`.

    In a store, all but the metrics stay until they are replaced.
    """
    # A run that continues a state also continues the signals.
    kept = {"--record", "--state"} | ({"--signals"} if request.state else set())
    for flag, path in request.outputs.items():
        if is_url(path):
            if flag == "--output":
                clear_output(path)
        elif request.partition_by and flag == "--signals":
            make_folder(path)
        elif flag not in kept:
            clear_output(path)
    if len(request.outputs) > 1 and not is_url(request.output):
        # Else a power cut could bring the former metrics back beside what follows.
        sync_folder(os.path.dirname(os.path.realpath(request.output)))


def _version_for_metrics(request: Request) -> str | None:
    """Return the version for the metrics of a run that failed early, if the config has one."""
    try:
        return load_config(request.config, given=request.set).version
    except ConfigError as error:
        return error.version
    except (JobError, ImportError, OSError, MemoryError):
        return None


def _looked_at(request: Request) -> tuple[Request, JobError | None]:
    """Return the request with the files that it names, and what is wrong with its paths."""
    try:
        request = expanded(request)
        return request, conflict(request)
    except OSError as problem:
        return request, foreign(problem)


def _may_write(without_log: Request, request: Request) -> bool:
    """Return whether no output is a file that must not be replaced, as far as one can know."""
    try:
        return not (conflict(without_log) or log_is_output(request))
    except OSError:
        return False
