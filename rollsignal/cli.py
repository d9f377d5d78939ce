"""This module is the command line: arguments in, one result on stdout, an exit code out.

With `flags`, `parser`, `arguments` and `terminal` it alone parses arguments, prints and exits.
stdout carries the result and nothing else; messages for people go to stderr.
"""

import argparse
import gc
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

from rollsignal import STARTED
from rollsignal.arguments import asked, guessed
from rollsignal.errors import JobError, StoppedError, UsageError
from rollsignal.flags import Command, parsed
from rollsignal.request import Request
from rollsignal.sinks.log import Say
from rollsignal.terminal import Voice, drop, flushed, print_result, stdout_error, unprinted

if TYPE_CHECKING:
    from rollsignal.job import Outcome

# How many more objects there are before Python looks for garbage: imports make many, and none.
LIVE_OBJECTS = 100_000
# The most that glibc learns from (DEFAULT_MMAP_THRESHOLD_MAX, 32 MB, with a header).
LARGE_ARRAY_BYTES = 31 << 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    _start_lean()
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _command(arguments)
    except SystemExit as done:
        # What --help and --version raise once they have printed.
        code = int(done.code or 0)
    # Python would look through all objects for garbage once more before it ends.
    gc.freeze()
    return flushed(code)


def _start_lean() -> None:
    """Leave out what costs a process time and is of no use to this one."""
    gc.set_threshold(LIVE_OBJECTS)
    # NumPy's library for matrices would start threads that wait busily.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # glibc gives the memory of every array back to the system, to take it again page by page for
    # the next, until one as large as this was given back. It is never touched, and takes none.
    bytes(LARGE_ARRAY_BYTES)


def _command(arguments: list[str]) -> int:
    say = Voice("WARNING")
    try:
        options = parsed(arguments, COMMANDS)
        return int(options.command(options))
    except JobError as error:
        if arguments[:1] == ["run"] and "--dry-run" not in arguments:
            from rollsignal.job import fail

            request = guessed(arguments)
            return _finish(request, fail(request, error, say), say)
        say("ERROR", str(error))
        return error.exit_code
    except BrokenPipeError:
        drop(sys.stdout)
        return 0
    except OSError as problem:
        return unprinted(problem)


def _run(options: argparse.Namespace) -> int:
    # Here, so that --help need not wait for yaml.
    from rollsignal.job import plan, run

    request = asked(options)
    if options.dry_run:
        print_result(plan(request) + "\n")
        return 0
    say = Voice("ERROR" if options.quiet else "INFO" if options.verbose else "WARNING")
    _heed_signals()
    try:
        drawn = say.is_terminal and not (options.quiet or options.verbose)
        outcome = run(request, STARTED, say, say.draw if drawn else None)
    finally:
        # What is left to do takes no time, and must not be cut in half.
        _ignore_signals()
    return _finish(request, outcome, say)


def _check(options: argparse.Namespace) -> int:
    from rollsignal.inspection import check, usual_config

    say = Voice("ERROR" if options.quiet else "WARNING")
    _heed_signals()
    drawn = say.is_terminal and not options.quiet
    config = usual_config(options.config)
    checked = check(options.input, config, say, say.draw if drawn else None)
    try:
        print_result(_json(checked.document))
    except BrokenPipeError:
        drop(sys.stdout)
    return checked.exit_code


def _explain(options: argparse.Namespace) -> int:
    from rollsignal.explain import explain
    from rollsignal.sinks.explanation import document, text

    say = Voice("WARNING")
    found = explain(options.input, options.config, options.at, options.symbol, say)
    print_result(_json(document(found)) if options.json else text(found))
    return 0


def _diff(options: argparse.Namespace) -> int:
    from rollsignal.diff import compare
    from rollsignal.sinks.difference_report import report, text

    _refuse_negative(options, "limit")
    compared = compare(options.a, options.b)
    document = report(compared, options.limit)
    print_result(_json(document) if options.json else text(document))
    return 0 if compared.equal else 1


def _sample(options: argparse.Namespace) -> int:
    from rollsignal.sample import sample_csv

    _refuse_negative(options, "rows", "seed")
    for piece in sample_csv(options.rows, options.seed):
        print_result(piece)
    return 0


def _schema(options: argparse.Namespace) -> int:
    from rollsignal.schemas import schema_of

    print_result(_json(schema_of(options.of)))
    return 0


def _verify(options: argparse.Namespace) -> int:
    from rollsignal.verify import verify

    _refuse_negative(options, "sample")
    verified = verify(options.record, options.sample, options.engine)
    print_result(_json(verified.document))
    return verified.exit_code


COMMANDS: dict[str, Command] = {
    "run": _run,
    "check": _check,
    "explain": _explain,
    "diff": _diff,
    "sample": _sample,
    "schema": _schema,
    "verify": _verify,
}


def _refuse_negative(options: argparse.Namespace, *names: str) -> None:
    for name in names:
        if getattr(options, name) < 0:
            raise UsageError(f"--{name} is negative")


def _json(document: dict[str, object]) -> str:
    from rollsignal.sinks.metrics import to_json

    return to_json(document)


def _heed_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)


def _stop(number: int, _frame: object) -> NoReturn:
    _ignore_signals()
    raise StoppedError(number, signal.Signals(number).name)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _finish(request: Request, outcome: "Outcome", say: Say) -> int:
    """Print the metrics on stdout and the error on stderr; return the exit code."""
    from rollsignal.job import fail

    try:
        print_result(_json(outcome.metrics))
    except BrokenPipeError:
        drop(sys.stdout)
        say("WARNING", "nobody reads stdout; the metrics are in the output file")
    except OSError as problem:
        error = stdout_error(problem)
        outcome = outcome if outcome.error else fail(request, error, say)
    if outcome.error:
        say("ERROR", str(outcome.error))
        return outcome.error.exit_code
    return 0
