"""This module is the story of a run: from its paths to its metrics, whatever happens."""

from time import perf_counter
from typing import NamedTuple

from rollsignal import __version__, files
from rollsignal.bars.source import find_inputs
from rollsignal.config import JobConfig, load_config
from rollsignal.engines.local import Result, decide, describe
from rollsignal.errors import ConfigError, JobError, UsageError, escaped, shown_path
from rollsignal.sinks import metrics
from rollsignal.sinks.log import LogFormat, RunLog, Say

SHOWN_FILES = 10


class Request(NamedTuple):
    """What a run is asked to read and write; `log_file` None keeps no log."""

    inputs: tuple[str, ...] = ("data.csv",)
    config: str = "config.yaml"
    output: str = "metrics.json"
    log_file: str | None = "run.log"
    log_format: LogFormat = "text"
    summary: str | None = None
    signals: str | None = None

    @property
    def outputs(self) -> dict[str, str]:
        """List the flags of all outputs but the log, with their paths."""
        named = {"--output": self.output, "--summary": self.summary, "--signals": self.signals}
        return {flag: path for flag, path in named.items() if path}


class Outcome(NamedTuple):
    """How a run ended: its metrics, and the error that ended it if one did."""

    metrics: dict[str, object]
    error: JobError | None = None


def run(request: Request, started: float, say: Say) -> Outcome:
    """Run the job: read the bars, decide the signals, leave metrics and a log.

    started: `time.perf_counter()` at the start of the program. Never raises: what went wrong is
    in the outcome, in the metrics file and in the log.
    """
    request = _expanded(request)
    problem = _same_files(request)
    if problem:
        return fail(request, problem, say)
    version = None
    log = RunLog(request.log_file, request.log_format, say)
    try:
        log.event("INFO", "job started", **_start(request))
        _make_way(request)
        config = load_config(request.config)
        version = config.version
        outcome = Outcome(_succeed(request, config, started, log))
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
    request = _expanded(request)
    if _same_files(request._replace(log_file=None)) or _log_is_output(request):
        return Outcome(metrics.failure(_version(request), error.message), error)
    if _same_files(request):
        request = request._replace(log_file=None)
    log = RunLog(request.log_file, request.log_format, say)
    outcome = _fail(request, error, log, None)
    log.close()
    return outcome


def plan(request: Request) -> str:
    """Tell what a run would read and write and with which settings, and write nothing.

    Raises `JobError` where the run would fail before its first row.
    """
    request = _expanded(request)
    problem = _same_files(request)
    if problem:
        raise problem
    config = load_config(request.config)
    paths = _inputs(request)
    outputs = [*request.outputs.values(), *([request.log_file] if request.log_file else [])]
    return "\n".join(
        [
            *(f"would read  {shown_path(path)}: {describe(path, config)}" for path in paths),
            *(f"would write {shown_path(path)}" for path in outputs),
            *(f"setting     {name}: {_shown(value)}" for name, value in _settings(config).items()),
        ]
    )


def _make_way(request: Request) -> None:
    """Refuse outputs that cannot be, and remove what an earlier run left in their places."""
    _check_forms(request)
    for path in request.outputs.values():
        files.make_way(path)


def _succeed(request: Request, config: JobConfig, started: float, log: RunLog) -> dict[str, object]:
    log.event("INFO", "config verified", **_settings(config))
    result = _decide(request, config, log)
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
    if request.signals:
        from rollsignal.sinks import signals

        signals.form_of(request.signals)


def _decide(request: Request, config: JobConfig, log: RunLog) -> Result:
    """Decide the signals, and write each bar's as they are decided, if wanted."""
    paths = _inputs(request)
    if not request.signals:
        return decide(paths, config, log.event)
    from rollsignal.sinks.signals import SignalsFile

    signals = SignalsFile(request.signals)
    try:
        result = decide(paths, config, log.event, signals.write)
        signals.finish()
    finally:
        signals.drop()
    return result


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


def _same_files(request: Request) -> UsageError | None:
    """Find an output that is also an input, or the other output, also through links."""
    outputs = list(request.outputs.items())
    if request.log_file is not None:
        outputs.append(("--log-file", request.log_file))
    named = {files.identity(request.config): "--config"}
    named |= {files.identity(path): "--input" for path in request.inputs}
    for flag, path in outputs:
        other = named.setdefault(files.identity(path), flag)
        if other != flag:
            what = f"{flag} and {other} are the same file; nothing was written"
            return UsageError(what, f"path: {shown_path(path)}")
    return None


def _log_is_output(request: Request) -> bool:
    log = files.identity(request.log_file or "")
    return log in {files.identity(path) for path in request.outputs.values()}


def _expanded(request: Request) -> Request:
    """Replace folders and patterns by their files, as far as there are any."""
    try:
        return request._replace(inputs=tuple(_inputs(request)))
    except JobError:
        return request


def _inputs(request: Request) -> list[str]:
    """List the files to read; a folder's own outputs of an earlier run are none of them."""
    ours = [request.config, *request.outputs.values()]
    return find_inputs(request.inputs, ours + ([request.log_file] if request.log_file else []))


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
