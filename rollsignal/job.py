"""This module is the story of a run: from its paths to its metrics, whatever happens."""

from time import perf_counter
from typing import NamedTuple

from rollsignal import __version__, files
from rollsignal.config import JobConfig, load_config
from rollsignal.engines.local import Result, decide, describe
from rollsignal.errors import ConfigError, JobError, UsageError, escaped, shown_path
from rollsignal.progress import Draw, Progress
from rollsignal.request import Request
from rollsignal.sinks import metrics
from rollsignal.sinks.log import RunLog, Say

SHOWN_FILES = 10


class Outcome(NamedTuple):
    """How a run ended: its metrics, and the error that ended it if one did."""

    metrics: dict[str, object]
    error: JobError | None = None


def run(request: Request, started: float, say: Say, draw: Draw | None = None) -> Outcome:
    """Run the job: read the bars, decide the signals, leave metrics and a log.

    started: `time.perf_counter()` at the start of the program. draw: shows a line of progress on
    a terminal; without it, the log has it. Never raises: what went wrong is
    in the outcome, in the metrics file and in the log.
    """
    request = request.expanded()
    problem = request.conflict()
    if problem:
        return fail(request, problem, say)
    version = None
    log = RunLog(request.log_file, request.log_format, say)
    try:
        log.event("INFO", "job started", **_start(request))
        _make_way(request)
        config = load_config(request.config)
        version = config.version
        outcome = Outcome(_succeed(request, config, started, log, draw))
        _end(outcome, started, log)
    except JobError as error:
        outcome = _fail(request, error, log, version)
        _end(outcome, started, log)
    except BaseException as bug:
        outcome = _fail(request, _bug(bug, log), log, version)
        _end(outcome, started, log)
        if isinstance(bug, KeyboardInterrupt | SystemExit):
            raise
    log.close()
    return outcome


def _start(request: Request) -> dict[str, object]:
    return {"program": f"rollsignal {__version__}", "input": " ".join(request.inputs)}


def _end(outcome: Outcome, started: float, log: RunLog) -> None:
    status, elapsed_ms = outcome.metrics["status"], _elapsed_ms(started)
    log.event("INFO", "job ended", status=status, duration_ms=elapsed_ms)


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
    outcome = _fail(request, error, log, None)
    log.close()
    return outcome


def plan(request: Request) -> str:
    """Tell what a run would read and write and with which settings, and write nothing.

    Raises `JobError` where the run would fail before its first row.
    """
    request = request.expanded()
    problem = request.conflict()
    if problem:
        raise problem
    _check_forms(request)
    config = load_config(request.config)
    paths = request.input_files()
    return "\n".join(
        [
            *(f"would read  {shown_path(path)}: {describe(path, config)}" for path in paths),
            *(f"would write {shown_path(path)}" for path in request.written),
            *(f"setting     {name}: {_shown(value)}" for name, value in _settings(config).items()),
        ]
    )


def _make_way(request: Request) -> None:
    """Refuse outputs that cannot be, and remove what an earlier run left in their places."""
    _check_forms(request)
    for path in request.outputs.values():
        if request.partition_by and path == request.signals:
            files.make_folder(path)
        else:
            files.make_way(path)


def _succeed(
    request: Request, config: JobConfig, started: float, log: RunLog, draw: Draw | None
) -> dict[str, object]:
    log.event("INFO", "config verified", **_settings(config))
    result = _decide(request, config, log, draw)
    _tell(result, config, log)
    if request.summary:
        _summarize(result, config, request.summary)
    document = metrics.success(config, result.tally, _elapsed_ms(started))
    files.replace(request.output, metrics.to_json(document))
    log.event("INFO", "metrics summary", **document)
    return document


def _check_forms(request: Request) -> None:
    if request.summary:
        from rollsignal.sinks.summary import form_of

        form_of(request.summary)
    if request.partition_by not in (None, "symbol", "date"):
        raise UsageError(f"--partition-by is {request.partition_by!r}, neither symbol nor date")
    if request.partition_by and not request.signals:
        raise UsageError("--partition-by parts the signals; name their folder with --signals")
    if request.signals:
        from rollsignal.sinks import signals

        signals.form_of(request.signals, request.partition_by)


def _decide(request: Request, config: JobConfig, log: RunLog, draw: Draw | None) -> Result:
    """Decide the signals, and write each bar's as they are decided, if wanted."""
    paths = request.input_files()
    progress = Progress(files.total_bytes(paths), draw, log.event)
    try:
        if not request.signals:
            return decide(paths, config, log.event, watch=progress)
        from rollsignal.sinks.signals import SignalsFile

        with SignalsFile(request.signals, config.window, request.partition_by) as signals:
            result = decide(paths, config, log.event, signals.write, progress)
            signals.finish()
        return result
    finally:
        progress.close()


def _summarize(result: Result, config: JobConfig, path: str) -> None:
    from rollsignal.sinks.summary import form_of, rendered, summary_rows

    files.replace(path, rendered(summary_rows(result.series, config), form_of(path)))


def _tell(result: Result, config: JobConfig, log: RunLog) -> None:
    tally, forms = result.tally, list(result.forms.items())
    for path, form in forms[:SHOWN_FILES]:
        log.event("INFO", "file read", path=path, form=form)
    counts = {"files": len(forms), "series": len(result.series)}
    log.event("INFO", "rows loaded", rows=tally.rows, **counts)
    for check, count in result.warnings.items():
        log.event("WARNING", "bars in doubt", check=check, bars=count)
    if tally.missing:
        log.event("WARNING", "closes missing", rows=tally.missing, policy=config.missing)
    log.event(
        "INFO",
        "rolling mean computed",
        window=config.window,
        bars=tally.signals,
        last=_last_mean(result),
    )
    log.event("INFO", "signals generated", signals=tally.signals, ones=tally.ones, ties=tally.ties)


def _fail(request: Request, error: JobError, log: RunLog, version: str | None) -> Outcome:
    log.record("ERROR", "job failed", exit_code=error.exit_code, error=str(error))
    version = version or getattr(error, "version", None) or _version(request)
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


def _settings(config: JobConfig) -> dict[str, object]:
    """List every setting by its dotted name."""
    settings: dict[str, object] = {}
    for name, value in config._asdict().items():
        if hasattr(value, "_asdict"):
            settings |= {f"{name}.{below}": item for below, item in value._asdict().items()}
        else:
            settings[name] = value
    return settings


def _shown(value: object) -> str:
    return "null" if value is None else escaped(str(value))


def _last_mean(result: Result) -> object:
    """Find the last rolling mean of a single series, for the log."""
    series = next(iter(result.series.values()))
    return series.last.mean if len(result.series) == 1 and series.last else "of many series"


def _elapsed_ms(started: float) -> int:
    return round((perf_counter() - started) * 1000)
