"""This module is the command line: arguments in, one result on stdout, an exit code out.

Only this module, `flags`, `parser` and `terminal` parse arguments, print and exit.
stdout carries the result and nothing else; messages for people go to stderr.
"""

import argparse
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING

from rollsignal.cli.flags import Command, parse
from rollsignal.cli.parser import guessed, request_of
from rollsignal.cli.terminal import Console, discard, flushed, print_result
from rollsignal.commands.stop import Stop
from rollsignal.config.request import Request
from rollsignal.errors import DiskError, JobError, StoppedError, UsageError, foreign
from rollsignal.messages import Tell
from rollsignal.version import STARTED

if TYPE_CHECKING:
    from rollsignal.commands.leaving import Outcome


# How many new objects there may be before Python collects garbage: imports make many, no garbage.
LIVE_OBJECTS = 100_000
# The largest size that glibc adapts to (DEFAULT_MMAP_THRESHOLD_MAX, 32 MB, with a header).
LARGE_ARRAY_BYTES = 31 << 20
# Where the soft limit stands in a row of /proc/self/limits.
_LIMIT_COLUMN = 26


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    _start_lean()
    arguments = list(sys.argv[1:] if argv is None else argv)
    if _memory_is_limited():
        from rollsignal.cli import limits

        ended = limits.ended_child()
        if ended is not None:
            return ended if ended >= 0 else _failed(limits.error_of(ended), arguments)
    try:
        code = _command(arguments)
    except SystemExit as done:
        # --help and --version raise this once they have printed.
        code = int(done.code or 0)
    # Otherwise Python would collect garbage once more before it ends.
    gc.freeze()
    return flushed(code)


@cache
def _start_lean() -> None:
    """Turn off, once, what costs every process time and does not help this one."""
    gc.set_threshold(LIVE_OBJECTS)
    # NumPy's library for matrices would start threads that use the CPU while they wait.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # glibc gives the memory of every large array back to the system, and takes it again page by
    # page for the next one, until a block as large as this has been freed once. The block is never
    # written to, so it takes no memory.
    bytes(LARGE_ARRAY_BYTES)


def _memory_is_limited() -> bool:
    """Return whether the process has a limit of its own, as Linux says it."""
    try:
        with open("/proc/self/limits", "rb") as file:
            limits = file.read().splitlines()
    except OSError:
        return False
    of_memory = [row for row in limits if row.startswith((b"Max address space", b"Max data size"))]
    return any(row[_LIMIT_COLUMN:].split()[0] != b"unlimited" for row in of_memory)


def _command(arguments: list[str]) -> int:
    stop = Stop()
    try:
        stop.listen()
        options = parse(arguments, COMMANDS | {"run": partial(_run, stop=stop)})
        code = int(options.command(options))
        stop.end()
        return code
    except BaseException as error:
        reason = stop.noticed(error)
        stop.end()
        return _failed(reason, arguments)


def _failed(error: BaseException, arguments: list[str]) -> int:
    """Report the error that ended a command; return the exit code, or raise a bug again."""
    if isinstance(error, BrokenPipeError):
        discard(sys.stdout)
        return 0
    if not isinstance(error, JobError):
        error = foreign(error) or error
    if not isinstance(error, JobError):
        raise error
    console = Console("WARNING")
    if arguments[:1] == ["run"] and "--dry-run" not in arguments:
        from rollsignal.commands.leaving import fail

        request = guessed(arguments)
        return _finish(request, fail(request, error, console), console)
    if isinstance(error, StoppedError):
        # The reader of stdout may be stuck: do not wait for it to read the rest.
        discard(sys.stdout)
    console("ERROR", str(error))
    return error.exit_code


def _run(options: argparse.Namespace, stop: Stop) -> int:
    # Imported here, so that --help does not wait for yaml.
    from rollsignal.commands.run import run

    request = request_of(options)
    if options.dry_run:
        from rollsignal.commands.dry_run import dry_run

        print_result(dry_run(request) + "\n")
        return 0
    console = Console("ERROR" if options.quiet else "INFO" if options.verbose else "WARNING")
    drawn = console.is_terminal and not (options.quiet or options.verbose)
    outcome = run(request, STARTED, console, console.draw if drawn else None, stop)
    # The little that is left to do must not be cut in half.
    stop.end()
    return _finish(request, outcome, console)


def _check_command(options: argparse.Namespace) -> int:
    from rollsignal.commands.check import check, usual_config

    console = Console("ERROR" if options.quiet else "WARNING")
    drawn = console.is_terminal and not options.quiet
    config = usual_config(options.config)
    checked = check(options.input, config, console, console.draw if drawn else None, options.set)
    try:
        print_result(_json(checked.document))
    except BrokenPipeError:
        discard(sys.stdout)
    return checked.exit_code


def _init(options: argparse.Namespace) -> int:
    from rollsignal.commands.init import init

    print_result(init(options.input, options.config))
    return 0


def _explain(options: argparse.Namespace) -> int:
    from rollsignal.commands.explain import document, explain, explanation_text

    console = Console("WARNING")
    explanation = explain(
        options.input, options.config, options.at, options.symbol, console, options.set
    )
    print_result(_json(document(explanation)) if options.json else explanation_text(explanation))
    return 0


def _diff(options: argparse.Namespace) -> int:
    from rollsignal.analysis.difference_report import report, report_text
    from rollsignal.commands.diff import compare

    _refuse_negative(options, "limit")
    compared = compare(options.a, options.b)
    document = report(compared, options.limit)
    print_result(_json(document) if options.json else report_text(document))
    return 0 if compared.equal else 1


def _evaluate(options: argparse.Namespace) -> int:
    from rollsignal.commands.evaluate import evaluated

    found = evaluated(options.of, options.config, options.set, options.summary)
    if options.json:
        from rollsignal.analysis.evaluation import evaluation_json

        print_result(_json(evaluation_json(found.evaluation)))
        return 0
    from rollsignal.analysis.evaluation_text import evaluation_text

    print_result(evaluation_text(found.evaluation, found.over_time.rates))
    return 0


def _audit(options: argparse.Namespace) -> int:
    from rollsignal.analysis.audit_report import audit_text
    from rollsignal.commands.audit import audit_run

    document = audit_run(options.of, options.config, options.set, options.against, options.output)
    print_result(_json(document) if options.json else audit_text(document))
    return 0


def _sweep(options: argparse.Namespace) -> int:
    from rollsignal.analysis.sweep_report import sweep_text
    from rollsignal.commands.sweep import sweep_run

    document = sweep_run(options.of, options.config, options.set, options.windows, options.output)
    print_result(_json(document) if options.json else sweep_text(document))
    return 0


def _report_command(options: argparse.Namespace) -> int:
    from rollsignal.commands.report import AskedReport, write_report

    asked = AskedReport(
        *(options.output, options.against, options.windows, options.audit, options.plot)
    )
    print_result(write_report(options.of, options.config, options.set, asked))
    return 0


def _sample(options: argparse.Namespace) -> int:
    from rollsignal.commands.sample import sample_csv

    _refuse_negative(options, "rows", "seed")
    for piece in sample_csv(options.rows, options.seed):
        print_result(piece)
    return 0


def _schema_command(options: argparse.Namespace) -> int:
    from rollsignal.commands.schema import published_schema

    print_result(_json(published_schema(options.of)))
    return 0


def _verify(options: argparse.Namespace) -> int:
    from rollsignal.commands.verify import verify

    _refuse_negative(options, "sample")
    verified = verify(options.record, options.sample, options.engine)
    print_result(_json(verified.document))
    return verified.exit_code


def _publish(options: argparse.Namespace) -> int:
    from time import perf_counter

    from rollsignal.commands.publish import publish

    publish(options.record, options.targets, STARTED + options.timeout, perf_counter)
    return 0


# All but `run`, which also looks at what stops it.
COMMANDS: dict[str, Command] = {
    "init": _init,
    "check": _check_command,
    "explain": _explain,
    "diff": _diff,
    "evaluate": _evaluate,
    "sweep": _sweep,
    "audit": _audit,
    "report": _report_command,
    "sample": _sample,
    "schema": _schema_command,
    "verify": _verify,
    "publish": _publish,
}


def _refuse_negative(options: argparse.Namespace, *names: str) -> None:
    for name in names:
        if getattr(options, name) < 0:
            raise UsageError(f"--{name} is negative")


def _json(document: Mapping[str, object]) -> str:
    from rollsignal.outputs.metrics import to_json

    return to_json(document)


def _finish(request: Request, outcome: "Outcome", tell: Tell) -> int:
    """Print how a run ended, then have others told; return the exit code, which is settled."""
    outcome = _printed(request, outcome, tell)
    if outcome.publishing:
        outcome.publishing.publish()
    return outcome.error.exit_code if outcome.error else 0


def _printed(request: Request, outcome: "Outcome", tell: Tell) -> "Outcome":
    """Print the metrics on stdout and the error on stderr; return how the run ended by that."""
    from rollsignal.commands.leaving import fail

    try:
        print_result(_json(outcome.metrics))
    except BrokenPipeError:
        discard(sys.stdout)
        tell(
            "WARNING",
            "stdout was closed before the metrics were printed; they are in the output file",
        )
    except DiskError as error:
        outcome = outcome if outcome.error else fail(request, error, tell, outcome.publishing)
    if outcome.error:
        tell("ERROR", str(outcome.error))
    return outcome
