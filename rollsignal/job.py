"""This module is the story of a run: from its paths to its metrics, whatever happens."""

from contextlib import suppress
from time import perf_counter
from typing import NamedTuple

from rollsignal import __version__, files
from rollsignal.config import JobConfig, load_config, read_config
from rollsignal.decisions import Work, decide_all
from rollsignal.errors import (
    BusyError,
    ConfigError,
    JobError,
    without_secrets,
)
from rollsignal.locks import held
from rollsignal.progress import Draw
from rollsignal.recording import Recording
from rollsignal.request import Request, check_forms
from rollsignal.sinks import metrics
from rollsignal.sinks.log import RunLog, Say
from rollsignal.stop import Stop


class Outcome(NamedTuple):
    """How a run ended: its metrics, and the error that ended it if one did."""

    metrics: dict[str, object]
    error: JobError | None = None


def run(
    request: Request,
    started: float,
    say: Say,
    draw: Draw | None = None,
    stop: Stop | None = None,
) -> Outcome:
    """Run the job: read the bars, decide the signals, leave metrics and a log.

    started: `time.perf_counter()` at the start of the program. draw: shows a line of progress on
    a terminal; without it, the log has it. stop: hears of signals, if any are heeded. Never
    raises: what went wrong is in the outcome, in the metrics file and in the log.
    """
    stop = stop or Stop()
    request = request.expanded()
    problem = request.conflict()
    if problem:
        return fail(request, problem, say)
    log = RunLog(request.log_file, request.log_format, say)
    try:
        log.event("INFO", "job started", **_start(request))
        check_forms(request)
        with held(request.locked, request.wait) as warnings:
            for warning in warnings:
                log.event("WARNING", warning)
            outcome = _run(Work(request, started, log, draw, _recording(request, log)), stop)
    except BaseException as error:
        reason = stop.noticed(error)
        if not isinstance(reason, JobError):
            raise
        # Nothing is locked, so the other outputs may be another run's.
        outcome = _end(_fail_alone(request, reason, log), started, log)
    log.close()
    return outcome


def _run(work: Work, stop: Stop) -> Outcome:
    """Run the job while its outputs are locked."""
    request, started, log, _, recording = work
    version = None
    try:
        former = _former(request, log)
        if former:
            return _end(Outcome(former), started, log)
        _make_way(request)
        recording.begin()
        with recording.stage("config"):
            read = read_config(request.config)
        version = read.config.version
        recording.configured(read)
        outcome = Outcome(_succeed(work, read.config))
    except BaseException as error:
        reason = stop.noticed(error)
        problem = reason if isinstance(reason, JobError) else _bug(reason, log)
        outcome = _fail(work, problem, version)
        if isinstance(reason, KeyboardInterrupt | SystemExit):
            _end(outcome, started, log)
            raise
    return _end(outcome, started, log)


def _start(request: Request) -> dict[str, object]:
    inputs = " ".join(map(without_secrets, request.inputs))
    return {"program": f"rollsignal {__version__}", "input": inputs}


def _end(outcome: Outcome, started: float, log: RunLog) -> Outcome:
    status, elapsed_ms = outcome.metrics["status"], _elapsed_ms(started)
    log.event("INFO", "job ended", status=status, duration_ms=elapsed_ms)
    return outcome


def _bug(bug: BaseException, log: RunLog) -> JobError:
    """Log what should never happen; a panic of a compiled library is no `Exception`."""
    import traceback

    log.traceback("".join(traceback.format_exception(bug)))
    return JobError(f"Internal error: {type(bug).__name__}: {bug}")


def fail(request: Request, error: JobError, say: Say) -> Outcome:
    """Leave the error metrics of what went wrong outside a run, unless they would harm a file."""
    request = request.expanded()
    if request._replace(log_file=None).conflict() or request.log_is_output():
        return Outcome(metrics.failure(_version(request), error.message), error)
    if request.conflict():
        request = request._replace(log_file=None)
    log = RunLog(request.log_file, request.log_format, say)
    outcome = _fail_alone(request, error, log)
    log.close()
    return outcome


def _fail_alone(request: Request, error: JobError, log: RunLog) -> Outcome:
    """Leave the error metrics, unless another run is about to write there."""
    if not isinstance(error, BusyError):
        try:
            with held([request.output]):
                outcome = _fail(Work(request, 0, log, None, Recording()), error, None)
            _record_alone(request, error, log)
            return outcome
        except BusyError as also:
            log.event("WARNING", "metrics not written", error=str(also))
        except JobError as also:
            _withdraw(request, also, log)
    log.record("ERROR", "job failed", exit_code=error.exit_code, error=str(error))
    return Outcome(metrics.failure(_version(request), error.message), error)


def _record_alone(request: Request, error: JobError, log: RunLog) -> None:
    try:
        with held([request.record] if request.record else []):
            _recording(request, log).fail(error)
    except JobError as also:
        log.event("WARNING", "record not written", error=str(also))


def _recording(request: Request, log: RunLog) -> Recording:
    """Keep a record, if that is asked for."""
    if request.record is None:
        return Recording()
    from rollsignal.recorder import Recorder

    return Recorder(request, request.record, log)


def _make_way(request: Request) -> None:
    """Remove what an earlier run left in the places of the outputs; raises `OutputError`."""
    # A run that continues a state also continues the signals.
    kept = {"--record", "--state"} | ({"--signals"} if request.state else set())
    for flag, path in request.outputs.items():
        if request.partition_by and flag == "--signals":
            files.make_folder(path)
        elif flag not in kept:
            files.make_way(path)


def _succeed(work: Work, config: JobConfig) -> dict[str, object]:
    request, started, log, _, recording = work
    log.event("INFO", "config verified", **config.by_name())
    result = decide_all(work, config)
    with recording.stage("write"):
        document = metrics.success(config, result.tally, _elapsed_ms(started))
        files.replace(request.output, metrics.to_json(document))
    recording.succeed()
    log.event("INFO", "metrics summary", **document)
    return document


def _former(request: Request, log: RunLog) -> dict[str, object] | None:
    """Return the metrics of the run before, if that is asked for and nothing has changed."""
    if not request.if_changed:
        return None
    from rollsignal.unchanged import former_metrics

    former = former_metrics(request)
    if former:
        log.event("INFO", "nothing changed", record=request.record)
    return former


def _fail(work: Work, error: JobError, version: str | None) -> Outcome:
    request, log = work.request, work.log
    log.record("ERROR", "job failed", exit_code=error.exit_code, error=str(error))
    version = version or getattr(error, "version", None) or _version(request)
    outcome = Outcome(metrics.failure(version, error.message), error)
    try:
        files.replace(request.output, metrics.to_json(outcome.metrics))
    except JobError as also:
        _withdraw(request, also, log)
    work.recording.fail(error)
    return outcome


def _withdraw(request: Request, error: JobError, log: RunLog) -> None:
    """Leave no metrics at all, where those of a failure cannot be written: they say success."""
    log.event("WARNING", "metrics not written", error=str(error))
    with suppress(JobError):
        files.make_way(request.output)


def _version(request: Request) -> str | None:
    """Read the version for the metrics of a run that failed early, if the config has one."""
    try:
        return load_config(request.config).version
    except ConfigError as error:
        return error.version


def _elapsed_ms(started: float) -> int:
    return round((perf_counter() - started) * 1000)
