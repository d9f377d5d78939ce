"""This module is the story of a run: from its paths to its metrics, whatever happens."""

import os
from contextlib import closing
from time import perf_counter
from typing import NamedTuple

from rollsignal import __version__, files
from rollsignal.bars.batch import Reader
from rollsignal.bars.careful import CarefulReader
from rollsignal.config import JobConfig, load_config
from rollsignal.engines.local import Result, read_and_decide
from rollsignal.errors import ConfigError, JobError, UsageError, shown_path
from rollsignal.sinks import metrics
from rollsignal.sinks.log import LogFormat, RunLog, Say


class Request(NamedTuple):
    """What a run is asked to read and write; `log_file` None keeps no log."""

    input: str = "data.csv"
    config: str = "config.yaml"
    output: str = "metrics.json"
    log_file: str | None = "run.log"
    log_format: LogFormat = "text"


class Outcome(NamedTuple):
    """How a run ended: its metrics, and the error that ended it if one did."""

    metrics: dict[str, object]
    error: JobError | None = None


def run(request: Request, started: float, say: Say) -> Outcome:
    """Run the job: read the bars, decide the signals, leave metrics and a log.

    started: `time.perf_counter()` at the start of the program. Never raises: what went wrong is
    in the outcome, in the metrics file and in the log.
    """
    problem = _same_files(request)
    if problem:
        return fail(request, problem, say)
    log = RunLog(request.log_file, request.log_format, say)
    log.event("INFO", "job started", program=f"rollsignal {__version__}", input=request.input)
    try:
        outcome = Outcome(_succeed(request, started, log))
    except JobError as error:
        outcome = _fail(request, error, log)
    except Exception as bug:
        import traceback

        log.traceback(traceback.format_exc())
        outcome = _fail(request, JobError(f"Internal error: {type(bug).__name__}: {bug}"), log)
    elapsed_ms = _elapsed_ms(started)
    log.event("INFO", "job ended", status=outcome.metrics["status"], duration_ms=elapsed_ms)
    log.close()
    return outcome


def fail(request: Request, error: JobError, say: Say) -> Outcome:
    """Leave the error metrics of what went wrong outside a run, unless they would harm a file."""
    if _same_files(request._replace(log_file=None)):
        return Outcome(metrics.failure(_version(request), error.message), error)
    if _same_files(request):
        request = request._replace(log_file=None)
    log = RunLog(request.log_file, request.log_format, say)
    outcome = _fail(request, error, log)
    log.close()
    return outcome


def plan(request: Request) -> str:
    """Tell what a run would read and write and with which settings, and write nothing.

    Raises `JobError` where the run would fail before its first row.
    """
    problem = _same_files(request)
    if problem:
        raise problem
    config = load_config(request.config)
    with closing(CarefulReader(request.input, config)) as reader:
        form = reader.describe()
    outputs = [request.output, *([request.log_file] if request.log_file else [])]
    return "\n".join(
        [
            f"would read  {reader.name}: {_size(request.input)}{form}",
            *(f"would write {shown_path(path)}" for path in outputs),
            *(f"setting     {name}: {value}" for name, value in _settings(config).items()),
        ]
    )


def _succeed(request: Request, started: float, log: RunLog) -> dict[str, object]:
    files.make_way(request.output)
    config = load_config(request.config)
    log.event("INFO", "config verified", **_settings(config))
    reader, result = read_and_decide(request.input, config, log.event)
    _tell(result, reader, config, log)
    document = metrics.success(config, result.tally, _elapsed_ms(started))
    files.replace(request.output, metrics.to_json(document))
    log.event("INFO", "metrics summary", **document)
    return document


def _tell(result: Result, reader: Reader, config: JobConfig, log: RunLog) -> None:
    tally = result.tally
    log.event("INFO", "rows loaded", rows=tally.rows, input=reader.name, form=reader.describe())
    for check, count in result.warnings.items():
        log.event("WARNING", "bars in doubt", check=check, bars=count)
    if tally.missing:
        log.event("WARNING", "closes missing", rows=tally.missing, policy=config.missing)
    log.event(
        "INFO",
        "rolling mean computed",
        window=config.window,
        bars=tally.signals,
        last="none" if result.last_mean is None else result.last_mean,
    )
    log.event("INFO", "signals generated", signals=tally.signals, ones=tally.ones, ties=tally.ties)


def _fail(request: Request, error: JobError, log: RunLog) -> Outcome:
    log.record("ERROR", "job failed", exit_code=error.exit_code, error=str(error))
    version = getattr(error, "version", None) or _version(request)
    outcome = Outcome(metrics.failure(version, error.message), error)
    try:
        files.replace(request.output, metrics.to_json(outcome.metrics))
    except JobError as also:
        log.event("WARNING", "metrics not written", error=str(also))
    return outcome


def _version(request: Request) -> str | None:
    """Read the version for the metrics of a run that failed early, if the config has one."""
    try:
        return load_config(request.config).version
    except ConfigError as error:
        return error.version


def _same_files(request: Request) -> UsageError | None:
    """Find an output that is also an input, or the other output, also through links."""
    outputs = {"--output": request.output}
    if request.log_file is not None:
        outputs["--log-file"] = request.log_file
    inputs = {"--input": request.input, "--config": request.config}
    for flag, path in outputs.items():
        others = inputs | {name: other for name, other in outputs.items() if name != flag}
        for name, other in others.items():
            if files.is_same_file(path, other):
                what = f"{flag} and {name} are the same file; nothing was written"
                return UsageError(what, f"path: {shown_path(path)}")
    return None


def _settings(config: JobConfig) -> dict[str, object]:
    """List every setting by its dotted name."""
    settings: dict[str, object] = {}
    for name, value in config._asdict().items():
        if hasattr(value, "_asdict"):
            settings |= {f"{name}.{below}": item for below, item in value._asdict().items()}
        else:
            settings[name] = value
    return settings


def _size(path: str) -> str:
    return f"{os.path.getsize(path):,} bytes, " if os.path.isfile(path) else ""


def _elapsed_ms(started: float) -> int:
    return round((perf_counter() - started) * 1000)
