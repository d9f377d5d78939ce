"""This module is the story of a run: from its paths to its metrics, whatever happens."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

from rollsignal.commands.leaving import Outcome, Run, leaving
from rollsignal.commands.plan import Plan, resolve
from rollsignal.commands.stop import Stop
from rollsignal.config.request import Request
from rollsignal.config.settings import JobConfig
from rollsignal.core.findings import UNTIMED, Found
from rollsignal.engines.interface import Task
from rollsignal.engines.progress import Draw, Progress, total_bytes
from rollsignal.errors import DataError
from rollsignal.files.find import versions_of
from rollsignal.files.fingerprints import InputWatch
from rollsignal.messages import LogLevel, Tell, without_secrets
from rollsignal.outputs.interface import Output
from rollsignal.outputs.log import RunLog

if TYPE_CHECKING:
    from rollsignal.core.listeners import Listener

LOGGED_FILES = 10


def run(
    request: Request,
    started: float,
    tell: Tell,
    draw: Draw | None = None,
    stop: Stop | None = None,
) -> Outcome:
    """Run the job: read the bars, decide the signals, leave metrics and a log.

    started: `time.perf_counter()` at the start of the program. tell: receives messages for people.
    draw: shows a line of progress on a terminal; without it, progress goes to the log. stop: notes
    the signals that ask the run to end. An error is in the outcome, in the metrics and in the log.
    """
    with leaving(request, started, tell, stop or Stop()) as run:
        run.start()
        if not run.repeats_the_recorded_run():
            plan = resolve(run.request, run.begin())
            with begun(plan.outputs):
                try:
                    found = _decide(plan, run, draw)
                except DataError as error:
                    raise _advised(error, plan, run) from None
                if run.request.expect is not None:
                    from rollsignal.commands.expected import check_expected

                    check_expected(run.request, found)
                _log(found, plan.task.config, run.log)
                if found.untimed and plan.task.span is None:
                    _tell_untimed(found, plan.task.config, run.tell)
                run.succeed(plan.outputs)
    assert run.outcome, "a run ends in one way or another"
    return run.outcome


@contextmanager
def begun(outputs: Sequence[Output]) -> Iterator[None]:
    """Begin the outputs; at the end, remove those that are unfinished."""
    with ExitStack() as stack:
        for output in outputs:
            stack.callback(output.abandon)
            output.begin()
        yield


def _decide(plan: Plan, run: Run, draw: Draw | None) -> Found:
    """Have the engine decide the bars, and check that no input changes meanwhile."""
    listeners = [listener for output in plan.outputs if (listener := output.listener())]
    run.note(engine=plan.engine.name)
    with closing(Progress(total_bytes(plan.task.inputs), draw, run.tell)) as progress:
        if plan.resumed:

            def decide(task: Task, history: "Listener[Any]") -> Found:
                return plan.engine.decide(task, [*listeners, history], run.tell, progress)

            with run.stage("decide"):
                found = plan.resumed.decide(decide, run.tell)
            run.note(found=found, inputs=plan.resumed.inputs)
            return found
        paths = [file.path for file in plan.task.inputs]
        with run.stage("hash_inputs"):
            watch = InputWatch(
                paths,
                hashed=run.request.record is not None,
                versions=versions_of(plan.task.inputs),
            )
        run.note(inputs=watch.inputs)
        with run.stage("decide"):
            found = plan.engine.decide(plan.task, listeners, run.tell, progress)
        run.note(found=found)
        with run.stage("compare_inputs"):
            run.note(inputs=watch.compared())
        watch.check()
    return found


def _advised(error: DataError, plan: Plan, run: Run) -> DataError:
    """Return the error, which ends with what would write a config for the table."""
    written = run.report.config.lines if run.report.config else {}
    is_known = any(name in written for choice in error.choices for name in choice)
    # A config that has such a setting, perhaps still without a value, needs no other one.
    if is_known or run.request.format or plan.engine.name == "spark":
        return error
    from rollsignal.commands.advice import with_advice

    given = run.request.given or run.request.inputs
    took_ms = run.report.stages_ms.get("decide", 0)
    return with_advice(error, plan.task.inputs, given, plan.task.config, took_ms)


def _tell_untimed(found: Found, config: JobConfig, tell: Tell) -> None:
    """Tell that bars have no timestamps, and what follows from it."""
    if config.needs_timestamps:
        tell("WARNING", UNTIMED)
    if len(found.files) > len(found.accounts):
        tell("INFO", "files without timestamps are read in the order given")


def _log(found: Found, config: JobConfig, log: RunLog) -> None:
    """Log what was found."""
    tally, files = found.tally, list(found.files.items())
    for path, file in files[:LOGGED_FILES]:
        log.event("INFO", "file read", path=without_secrets(path), form=file.description)
    counts = {"files": len(files), "series": len(found.accounts)}
    log.event("INFO", "rows loaded", rows=tally.rows, **counts)
    if config.open_bars:
        waiting = {"bars": len(found.waiting), "open_bars": config.open_bars}
        log.event("INFO", "newest bars wait", **waiting)
    for check, count in found.findings.counts.items():
        log.event("WARNING", "bars in doubt", check=check, bars=count)
    if found.dropped:
        dropped = {"rows": found.dropped, "policy": config.duplicates}
        level: LogLevel = "INFO" if config.duplicates == "same" else "WARNING"
        log.event(level, "repeated rows left out", **dropped)
    if tally.missing:
        log.event("WARNING", "closes missing", rows=tally.missing, policy=config.missing)
    log.event(
        "INFO",
        "rolling mean computed",
        window=config.window,
        bars=tally.signals,
        last=_last_mean(found),
    )
    log.event("INFO", "signals generated", signals=tally.signals, ones=tally.ones, ties=tally.ties)


def _last_mean(found: Found) -> object:
    """Return the last rolling mean of a single series, for the log."""
    account = next(iter(found.accounts.values()))
    return account.last.mean if len(found.accounts) == 1 and account.last else "of many series"
