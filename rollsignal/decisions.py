"""This module decides the signals of a run, and writes what is wanted of them but the metrics."""

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, NamedTuple

from rollsignal import files
from rollsignal.config import JobConfig
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.local import Result, decide, decide_range
from rollsignal.errors import without_secrets
from rollsignal.progress import Draw, Progress
from rollsignal.recording import Recording
from rollsignal.request import Request
from rollsignal.sinks.log import RunLog

if TYPE_CHECKING:
    from rollsignal.engines.rows import Emit
    from rollsignal.sinks.signals import SignalsFile

SHOWN_FILES = 10


class Work(NamedTuple):
    """What the stages of a run share."""

    request: Request
    started: float
    log: RunLog
    draw: Draw | None
    recording: Recording


def decide_all(work: Work, config: JobConfig) -> Result:
    """Decide the signals; write what is wanted of them, and last of all the state."""
    request, _, log, draw, recording = work
    inputs = Inputs(request.input_files(), config, request.format)
    progress = Progress(inputs.total_bytes, draw, log.event)
    with closing(progress), ExitStack() as stack:
        signals = stack.enter_context(_signals_file(request, config)) if request.signals else None
        if request.state:
            return _continue(work, inputs, signals, progress)
        recording.before(inputs.paths)
        emit = recording.listening(signals.write if signals else None)
        with recording.stage("decide"):
            if span := request.span:
                result = decide_range(inputs, log.event, span, emit, progress)
            else:
                result = decide(inputs, log.event, emit, progress)
        progress.close()
        recording.after(result)
        _leave(work, config, result, signals)
    return result


def _continue(
    work: Work, inputs: Inputs, signals: "SignalsFile | None", progress: Progress
) -> Result:
    """Decide what is new since a state, and put the new state in its place."""
    from rollsignal.incremental import Continuation

    emits: list[Emit] = [signals.write] if signals else []
    request = work.request
    with Continuation(request.state or "", inputs, work.log.event) as run:
        if signals:
            signals.follow(run.known)
        with work.recording.stage("decide"):
            result = run.decide(emits, progress, signals.begin_anew if signals else None)
        progress.close()
        work.recording.continued(result, run.files, run.digest)
        _leave(work, inputs.config, result, signals)
        run.save(signals.written if signals else None)
    return result


def _leave(work: Work, config: JobConfig, result: Result, signals: "SignalsFile | None") -> None:
    """Write the log's account, the signals and the summary."""
    _tell(result, config, work.log)
    with work.recording.stage("write"):
        if signals:
            signals.finish()
        if work.request.summary:
            _summarize(result, config, work.request.summary)


def _signals_file(request: Request, config: JobConfig) -> "SignalsFile":
    from rollsignal.sinks.signals import SignalsFile

    merge = request.span is not None and request.partition_by is not None
    return SignalsFile(request.signals or "", config.window, request.partition_by, merge=merge)


def _summarize(result: Result, config: JobConfig, path: str) -> None:
    from rollsignal.sinks.summary import form_of, rendered, summary_rows

    files.replace(path, rendered(summary_rows(result.series, config), form_of(path)))


def _tell(result: Result, config: JobConfig, log: RunLog) -> None:
    tally, forms = result.tally, list(result.forms.items())
    for path, form in forms[:SHOWN_FILES]:
        log.event("INFO", "file read", path=without_secrets(path), form=form)
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


def _last_mean(result: Result) -> object:
    """Find the last rolling mean of a single series, for the log."""
    series = next(iter(result.series.values()))
    return series.last.mean if len(result.series) == 1 and series.last else "of many series"
