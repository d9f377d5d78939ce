"""This module is the command line: arguments in, one result on stdout, an exit code out.

It alone parses arguments, prints and exits. stdout carries the result and nothing else;
messages for people go to stderr.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn, TextIO

from rollsignal import STARTED, __version__
from rollsignal.errors import (
    DiskError,
    JobError,
    StoppedError,
    UsageError,
    did_you_mean,
    escaped,
    shown,
)
from rollsignal.job import Outcome, Request, fail, plan, run
from rollsignal.sinks.log import LEVELS, Level, Say
from rollsignal.sinks.metrics import to_json

COMMANDS = ("run", "sample")
EXAMPLES = """\
examples:
  rollsignal run
      read data.csv and config.yaml, write metrics.json and run.log
  rollsignal run --input btc.csv --output out/metrics.json --log-file out/run.log
      say where things are; missing folders are made
  rollsignal run --input btc.csv --dry-run
      tell what would be read and written, and with which settings

exit codes:
  0 success, 2 wrong command line, 65 bad data, 66 input missing, 73 output cannot be
  created, 74 reading or writing failed midway, 78 bad config, 130 interrupted,
  143 terminated, 1 a bug in rollsignal
"""


class _Parser(argparse.ArgumentParser):
    """A parser that raises `UsageError`, offers the nearest flag, and never abbreviates."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["allow_abbrev"] = False
        kwargs["formatter_class"] = lambda prog: argparse.RawDescriptionHelpFormatter(
            prog, width=88
        )
        super().__init__(**kwargs)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            name = unknown[0].partition("=")[0]
            known = [flag for flag in self._option_string_actions if flag.startswith("--")]
            hint = did_you_mean(name, known) if name.startswith("-") else "no flag takes it"
            self.error(f"unknown argument {shown(name)}: {hint}")
        return options, unknown

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, f"see {self.prog} --help")


class _Once(argparse.Action):
    """Store a flag's value; a second one is an error, not a silent change of mind."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        given = vars(namespace).setdefault("given", set())
        if self.dest in given:
            parser.error(f"{option_string} is given twice")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _command(arguments)
    except SystemExit as done:
        # What --help and --version raise once they have printed.
        code = int(done.code or 0)
    return _flushed(code)


def _command(arguments: list[str]) -> int:
    say = _voice("WARNING")
    try:
        _check_command(arguments)
        options = _parser().parse_args(arguments)
        return int(options.command(options))
    except JobError as error:
        if arguments[:1] == ["run"] and "--dry-run" not in arguments:
            request = _guess(arguments)
            return _finish(request, fail(request, error, say), say)
        say("ERROR", str(error))
        return error.exit_code
    except BrokenPipeError:
        _drop(sys.stdout)
        return 0
    except OSError as problem:
        return _unprinted(problem)


def _check_command(arguments: list[str]) -> None:
    name = arguments[0] if arguments else "-"
    if not name.startswith("-") and name not in COMMANDS:
        hint = did_you_mean(name, list(COMMANDS))
        raise UsageError(f"unknown command {shown(name)}: {hint}", "see rollsignal --help")


def _flushed(code: int) -> int:
    """Print what is left to print: an exit code must not change after it is decided."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        _drop(sys.stdout)
    except OSError as problem:
        code = _unprinted(problem)
    try:
        if sys.stderr is not None:
            sys.stderr.flush()
    except OSError:
        _drop(sys.stderr)
    return code


def _unprinted(problem: OSError) -> int:
    error = _stdout_error(problem)
    _voice("ERROR")("ERROR", str(error))
    return error.exit_code


def _stdout_error(problem: OSError) -> DiskError:
    _drop(sys.stdout)
    return DiskError(f"stdout could not be written: {problem.strerror}")


def _parser() -> _Parser:
    parser = _Parser(
        prog="rollsignal", description="Turn OHLCV bars into an exact rolling-mean signal."
    )
    _add_version(parser)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_run(commands)
    _add_sample(commands)
    return parser


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"rollsignal {__version__}")


def _add_run(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="decide the signals of a table of bars, leave metrics and a log",
        description="Decide the signals of a table of bars; leave metrics and a log.",
        epilog=EXAMPLES,
    )
    usual = Request()
    parser.add_argument(
        "--input",
        metavar="PATH",
        nargs="+",
        default=usual.inputs,
        action=_Once,
        help="tables of bars: files, folders, patterns, - for standard input (default: data.csv)",
    )
    for flag, path, what in (
        ("--config", usual.config, "settings: seed, window, version, ..."),
        ("--output", usual.output, "where the metrics go"),
        ("--log-file", usual.log_file, "where the log goes; lines are appended"),
    ):
        parser.add_argument(
            flag, metavar="PATH", default=path, action=_Once, help=f"{what} (default: {path})"
        )
    parser.add_argument(
        "--summary",
        metavar="PATH",
        action=_Once,
        help="a row for every symbol, as .csv, .json or .parquet (default: none)",
    )
    parser.add_argument(
        "--signals",
        metavar="PATH",
        action=_Once,
        help="a row for every bar, as .csv, .parquet or .arrow (default: none)",
    )
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="text, or one JSON object a line (default: text)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="tell what would be read and written, and stop"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no warnings on stderr")
    parser.add_argument("-v", "--verbose", action="store_true", help="the log on stderr too")
    _add_version(parser)
    parser.set_defaults(command=_run)


def _add_sample(commands: Any) -> None:
    parser = commands.add_parser(
        "sample",
        help="print made-up one-minute bars",
        description="Print made-up one-minute BTC bars as CSV, the same for a seed everywhere.",
    )
    parser.add_argument("--rows", type=int, default=10_000, help="bars (default: 10000)")
    parser.add_argument("--seed", type=int, default=42, help="seed (default: 42)")
    parser.set_defaults(command=_sample)


def _run(options: argparse.Namespace) -> int:
    request = Request(
        tuple(options.input),
        options.config,
        options.output,
        options.log_file,
        options.log_format,
        options.summary,
        options.signals,
    )
    if options.dry_run:
        _print_result(plan(request) + "\n")
        return 0
    say = _voice("ERROR" if options.quiet else "INFO" if options.verbose else "WARNING")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        outcome = run(request, STARTED, say)
    finally:
        # What is left to do takes no time, and must not be cut in half.
        _ignore_signals()
    return _finish(request, outcome, say)


def _sample(options: argparse.Namespace) -> int:
    from rollsignal.sample import sample_csv

    for name in ("rows", "seed"):
        if getattr(options, name) < 0:
            raise UsageError(f"--{name} is negative")
    for piece in sample_csv(options.rows, options.seed):
        _print_result(piece)
    return 0


def _stop(number: int, _frame: object) -> NoReturn:
    _ignore_signals()
    raise StoppedError(number, signal.Signals(number).name)


def _ignore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _guess(arguments: list[str]) -> Request:
    """Find the paths in a command line that is wrong, so that its metrics still get there.

    Whatever is named and is no output may have been meant to be read, and must not be harmed.
    """
    named: dict[str, str] = {}
    others: list[str] = []
    flag = ""
    for argument in arguments[1:]:
        name, equals, value = argument.partition("=")
        if argument.startswith("--") and not equals:
            flag = name
            continue
        if not argument.startswith("--"):
            name, value, flag = flag, argument, ""
        if name in ("--config", "--output", "--log-file", "--log-format"):
            others += [named[name]] if name in named else []
            named[name] = value
        else:
            others.append(value)
    usual = Request()
    return Request(
        tuple(dict.fromkeys(others)) or usual.inputs,
        named.get("--config", usual.config),
        named.get("--output", usual.output),
        named.get("--log-file", usual.log_file),
        "json" if named.get("--log-format") == "json" else "text",
    )


def _finish(request: Request, outcome: Outcome, say: Say) -> int:
    """Print the metrics on stdout and the error on stderr; return the exit code."""
    try:
        _print_result(to_json(outcome.metrics))
    except BrokenPipeError:
        _drop(sys.stdout)
        say("WARNING", "nobody reads stdout; the metrics are in the output file")
    except OSError as problem:
        error = _stdout_error(problem)
        outcome = outcome if outcome.error else fail(request, error, say)
    if outcome.error:
        say("ERROR", str(outcome.error))
        return outcome.error.exit_code
    return 0


def _print_result(text: str) -> None:
    """Write to stdout, in UTF-8 whatever the terminal's encoding is."""
    if sys.stdout is None:
        raise BrokenPipeError
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()


def _drop(stream: TextIO | None) -> None:
    """Let Python's own last flush go nowhere, so that it does not change the exit code."""
    if stream is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _voice(least: Level) -> Say:
    """Make the function that tells people on stderr what is at least this important."""
    heard = LEVELS[LEVELS.index(least) :]
    colour = (
        bool(sys.stderr and sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
        and os.environ.get("TERM") != "dumb"
    )

    def say(level: Level, text: str) -> None:
        if level not in heard or sys.stderr is None:
            return
        label = level.lower()
        if colour and level != "INFO":
            label = f"\x1b[{31 if level == 'ERROR' else 33}m{label}\x1b[0m"
        try:
            print(f"rollsignal: {label}: {escaped(text)}", file=sys.stderr, flush=True)
        except OSError:
            _drop(sys.stderr)

    return say
