"""This module is the command line: arguments in, one result on stdout, an exit code out.

With `flags` and `terminal` it alone parses arguments, prints and exits. stdout carries the result
and nothing else; messages for people go to stderr.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from rollsignal import STARTED
from rollsignal.errors import JobError, StoppedError, UsageError
from rollsignal.flags import asked, guessed, parsed
from rollsignal.job import Outcome, fail, plan, run
from rollsignal.request import Request
from rollsignal.sinks.log import Say
from rollsignal.sinks.metrics import to_json
from rollsignal.terminal import Voice, drop, flushed, print_result, stdout_error, unprinted


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _command(arguments)
    except SystemExit as done:
        # What --help and --version raise once they have printed.
        code = int(done.code or 0)
    return flushed(code)


def _command(arguments: list[str]) -> int:
    say = Voice("WARNING")
    try:
        options = parsed(arguments, {"run": _run, "check": _check, "sample": _sample})
        return int(options.command(options))
    except JobError as error:
        if arguments[:1] == ["run"] and "--dry-run" not in arguments:
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
        print_result(to_json(checked.document))
    except BrokenPipeError:
        drop(sys.stdout)
    return checked.exit_code


def _sample(options: argparse.Namespace) -> int:
    from rollsignal.sample import sample_csv

    for name in ("rows", "seed"):
        if getattr(options, name) < 0:
            raise UsageError(f"--{name} is negative")
    for piece in sample_csv(options.rows, options.seed):
        print_result(piece)
    return 0


def _heed_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)


def _stop(number: int, _frame: object) -> NoReturn:
    _ignore_signals()
    raise StoppedError(number, signal.Signals(number).name)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _finish(request: Request, outcome: Outcome, say: Say) -> int:
    """Print the metrics on stdout and the error on stderr; return the exit code."""
    try:
        print_result(to_json(outcome.metrics))
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
