"""This module says what a command line may hold: commands, flags, their defaults and help."""

import argparse
from collections.abc import Callable
from typing import Any, NoReturn

from rollsignal import __version__
from rollsignal.errors import UsageError, did_you_mean, shown, text_without_secrets
from rollsignal.formats import FORMATS
from rollsignal.request import Request

MAX_WAIT_S = 10**7

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
  created, 74 reading or writing failed midway, 75 another run writes the same files,
  78 bad config, 130 interrupted, 143 terminated, 1 a bug in rollsignal
"""


Command = Callable[[argparse.Namespace], int]


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
            self.error(f"unknown argument {shown(text_without_secrets(name))}: {hint}")
        return options, unknown

    def error(self, message: str) -> NoReturn:
        raise UsageError(text_without_secrets(message), f"see {self.prog} --help")


class _Once(argparse.Action):
    """Store a flag's value; a second one is an error, not a silent change of mind."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: Any = None) -> None:
        given = vars(namespace).setdefault("given", set())
        if self.dest in given:
            parser.error(f"{option_string} is given twice")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


def parsed(arguments: list[str], commands: dict[str, Command]) -> argparse.Namespace:
    """Parse a command line to its options, and `command`; raises `UsageError`."""
    name = arguments[0] if arguments else "-"
    if not name.startswith("-") and name not in commands:
        hint = did_you_mean(name, list(commands))
        raise UsageError(f"unknown command {shown(name)}: {hint}", "see rollsignal --help")
    options = _parser().parse_args(arguments)
    options.command = commands[name]
    return options


def _parser() -> _Parser:
    parser = _Parser(
        prog="rollsignal", description="Turn OHLCV bars into an exact rolling-mean signal."
    )
    _add_version(parser)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_run(commands)
    _add_check(commands)
    _add_explain(commands)
    _add_diff(commands)
    _add_sample(commands)
    _add_schema(commands)
    _add_verify(commands)
    return parser


def _add_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--version", action="version", version=f"rollsignal {__version__}")


def _add_input(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument(
        "--input",
        metavar="PATH",
        nargs="+",
        default=Request().inputs,
        action=_Once,
        help=f"tables of bars: {what} (default: data.csv)",
    )


def _add_path(parser: argparse.ArgumentParser, flag: str, what: str) -> None:
    parser.add_argument(flag, metavar="PATH", action=_Once, help=f"{what} (default: none)")


def _add_run(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="decide the signals of a table of bars, leave metrics and a log",
        description="Decide the signals of a table of bars; leave metrics and a log.",
        epilog=EXAMPLES,
    )
    usual = Request()
    _add_input(parser, "files, folders, patterns, URLs, - for standard input")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        action=_Once,
        help="the format of all inputs (default: told from their content)",
    )
    for flag, path, what in (
        ("--config", usual.config, "settings: seed, window, version, ..."),
        ("--output", usual.output, "where the metrics go"),
        ("--log-file", usual.log_file, "where the log goes; lines are appended"),
    ):
        parser.add_argument(
            flag, metavar="PATH", default=path, action=_Once, help=f"{what} (default: {path})"
        )
    for flag, what in (
        ("--summary", "a row for every symbol, as .csv, .json or .parquet"),
        ("--signals", "a row for every bar, as .csv, .parquet or .arrow"),
        ("--state", "continue the state there, and read only what is new"),
    ):
        _add_path(parser, flag, what)
    for flag, what in (("--since", "bars from this time on"), ("--until", "bars before this time")):
        parser.add_argument(
            flag, metavar="TIME", action=_Once, help=f"count and write only {what} (default: all)"
        )
    parser.add_argument(
        "--partition-by",
        choices=("symbol", "date"),
        action=_Once,
        help="write the signals as a hive-partitioned folder (default: one file)",
    )
    _add_path(parser, "--record", "what was read, how and what was found, as JSON")
    parser.add_argument(
        "--if-changed",
        action="store_true",
        help="end at once if nothing has changed since the run of --record",
    )
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=_seconds,
        default=usual.wait,
        action=_Once,
        help="wait for another run that writes the same files (default: 0)",
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


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= MAX_WAIT_S:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not between 0 and {MAX_WAIT_S:,}")
    return seconds


_seconds.__name__ = "number of seconds"


def _add_check(commands: Any) -> None:
    parser = commands.add_parser(
        "check",
        help="tell what is wrong with a table of bars",
        description="Read bars with every check on; print a JSON report, exit 65 on errors.",
    )
    _add_input(parser, "files, folders, patterns, URLs, - for standard input")
    parser.add_argument(
        "--config",
        metavar="PATH",
        action=_Once,
        help="settings; none is required (default: config.yaml, if there is one)",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no warnings on stderr")


def _add_explain(commands: Any) -> None:
    parser = commands.add_parser(
        "explain",
        help="tell how the signal of one bar came about",
        description="Tell how the signal of one bar came about, and what floats make of it.",
    )
    _add_input(parser, "files, folders, patterns")
    parser.add_argument(
        "--config",
        metavar="PATH",
        default=Request().config,
        action=_Once,
        help="settings; window is required (default: config.yaml)",
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        required=True,
        action=_Once,
        help="the bar: its timestamp, or row:N for the N-th of its series",
    )
    parser.add_argument(
        "--symbol", action=_Once, help="the bar's symbol, where the config names their column"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _add_diff(commands: Any) -> None:
    parser = commands.add_parser(
        "diff",
        help="tell which signals differ between two runs, and why",
        description="Tell which signals differ between two runs, and why; exit 1 if any do.",
    )
    for name in ("A", "B"):
        what = "signals (.csv, .parquet, .arrow or a folder of them), or a run's record"
        parser.add_argument(name.lower(), metavar=name, help=what)
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.add_argument("--limit", type=int, default=20, help="rows to show (default: 20)")


def _add_sample(commands: Any) -> None:
    parser = commands.add_parser(
        "sample",
        help="print made-up one-minute bars",
        description="Print made-up one-minute BTC bars as CSV, the same for a seed everywhere.",
    )
    parser.add_argument("--rows", type=int, default=10_000, help="bars (default: 10000)")
    parser.add_argument("--seed", type=int, default=42, help="seed (default: 42)")


def _add_schema(commands: Any) -> None:
    parser = commands.add_parser(
        "schema",
        help="print the JSON Schema of configs, metrics or records",
        description="Print a published JSON Schema (draft 2020-12); its version is in its $id.",
    )
    parser.add_argument("of", choices=("config", "metrics", "record"), help="of what")


def _add_verify(commands: Any) -> None:
    parser = commands.add_parser(
        "verify",
        help="tell whether a run's record still holds, by running again",
        description="Derive a recorded run again, and print a JSON report of what still holds;"
        " exit 65 if something does not.",
    )
    parser.add_argument("record", metavar="RECORD", help="what --record left")
    parser.add_argument(
        "--sample",
        metavar="N",
        type=int,
        default=0,
        help="decide N windows of every symbol once more, with fractions (default: 0)",
    )
    parser.add_argument(
        "--engine",
        choices=("local", "plain"),
        default="local",
        help="what runs again: local, as the job, or plain, row by row without arrays, which is"
        " slow (default: local)",
    )


def asked(options: argparse.Namespace) -> Request:
    """Return what the options of `run` ask for."""
    names = [name for name in Request._fields if name not in ("inputs", "given")]
    given = {name: getattr(options, name) for name in names}
    return Request(tuple(options.input), **given)


def guessed(arguments: list[str]) -> Request:
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
        elif name != "--format" or value not in FORMATS:
            others.append(value)
    usual = Request()
    return Request(
        tuple(dict.fromkeys(others)) or usual.inputs,
        named.get("--config", usual.config),
        named.get("--output", usual.output),
        named.get("--log-file", usual.log_file),
        "json" if named.get("--log-format") == "json" else "text",
    )
