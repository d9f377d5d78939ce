"""This module declares the command line: commands, flags, their defaults and help."""

import argparse
from collections.abc import Callable
from typing import Any

from rollsignal.cli.parser import Parser
from rollsignal.config.request import MOST_WORKERS, Request
from rollsignal.engines import ENGINES
from rollsignal.errors import EXIT_CODES, UsageError
from rollsignal.files.formats import FORMATS
from rollsignal.messages import did_you_mean, shown
from rollsignal.version import __version__

MAX_WAIT_S = 10**7
TOOLS = ("pandas", "polars", "numpy", "python", "duckdb", "talib", "bottleneck")
PUBLISH_S = 2.0
_TARGETS = "heartbeat, prometheus=FILE.prom, prometheus=URL, otel"
SCHEMAS = ("config", "metrics", "record", "evaluation")

_EPILOG = """\
examples:
  rollsignal run
      read data.csv and config.yaml, write metrics.json and run.log
  rollsignal run --input btc.csv --output out/metrics.json --log-file out/run.log
      name the files; missing folders are created
  rollsignal run --input btc.csv --dry-run
      show what would be read and written, and with which settings

exit codes:
{codes}
"""


def epilog() -> str:
    """Return what the help of `run` ends with: examples, and the exit codes."""
    again = {True: " (trying again can help)", False: "", None: ""}
    codes = [f"  {code:<4} {meaning}{again[helps]}" for code, meaning, helps in EXIT_CODES]
    return _EPILOG.format(codes="\n".join(codes))


Command = Callable[[argparse.Namespace], int]


def parse(arguments: list[str], commands: dict[str, Command]) -> argparse.Namespace:
    """Return the options of a command line, with `command` to call; raises `UsageError`."""
    name = arguments[0] if arguments else "-"
    if not name.startswith("-") and name not in commands:
        hint = did_you_mean(name, list(commands))
        raise UsageError(f"unknown command {shown(name)}: {hint}", "see rollsignal --help")
    options = command_line().parse_args(arguments)
    options.command = commands[name]
    return options


def command_line() -> Parser:
    """Return the parser of the whole command line; completions and manual are made from it, too."""
    parser = Parser(
        prog="rollsignal", description="Turn OHLCV bars into an exact rolling-mean signal."
    )
    _add_version(parser)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_run(commands)
    _add_init(commands)
    _add_check(commands)
    _add_explain(commands)
    _add_diff(commands)
    _add_evaluate(commands)
    _add_sweep(commands)
    _add_audit(commands)
    _add_report(commands)
    _add_sample(commands)
    _add_schema(commands)
    _add_verify(commands)
    _add_publish(commands)
    return parser


def _add_version(parser: Parser) -> None:
    parser.add_argument("--version", action="version", version=f"rollsignal {__version__}")


def _add_input(
    parser: Parser, what: str = "files, folders, patterns, URLs, - for standard input"
) -> None:
    text = f"tables of bars: {what} (default: data.csv)"
    parser.add_value("--input", text, metavar="PATH", nargs="+", default=Request().inputs)


def _add_quiet(parser: Parser) -> None:
    parser.add_switch("-q", "--quiet", what="print no warnings on stderr")


def _add_json(parser: Parser) -> None:
    parser.add_switch("--json", what="print JSON instead of text")


def _add_set(parser: Parser) -> None:
    what = "a setting instead of the config's, as window=20; may be given many times"
    parser.add_list("--set", what, "KEY=VALUE")


def _add_run(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="decide the signals of a table of bars, write metrics and a log",
        description="Decide the signals of a table of bars; write metrics and a log.",
        epilog=epilog(),
    )
    _add_usual_paths(parser)
    _add_more_outputs(parser)
    _add_conduct(parser)
    _add_version(parser)


def _add_usual_paths(parser: Parser) -> None:
    """Declare the paths that have a default."""
    usual = Request()
    _add_input(parser, "files, folders, patterns, URLs, - for standard input, table:NAME on Spark")
    what = "the format of all inputs (default: found from their content)"
    parser.add_value("--format", what, choices=FORMATS)
    parser.add_path("--config", "settings: seed, window, version, ...", usual.config)
    _add_set(parser)
    parser.add_path("--output", "where the metrics go", usual.output)
    parser.add_path("--log-file", "where the log goes; lines are appended", usual.log_file)


def _add_more_outputs(parser: Parser) -> None:
    """Declare the outputs that have no default, and the range of bars."""
    parser.add_path("--summary", "a row for every symbol, as .csv, .json or .parquet")
    parser.add_path("--signals", "a row for every bar, as .csv, .parquet or .arrow")
    parser.add_path("--state", "continue the state in this file, and read only what is new")
    for flag, bars in (("--since", "bars from this time on"), ("--until", "bars before this time")):
        parser.add_value(flag, f"count and write only {bars} (default: all)", metavar="TIME")
    what = "fail with 66 unless a bar at or after this time is there (default: any bars will do)"
    parser.add_value("--expect", what, metavar="TIME")
    what = "write the signals as a hive-partitioned folder (default: one file)"
    parser.add_value("--partition-by", what, choices=("symbol", "date"))
    parser.add_path("--record", "a JSON record of the run: settings, inputs, findings, outputs")
    what = f"tell of the run when it has ended: {_TARGETS}; needs --record"
    parser.add_value("--publish", what, metavar="TARGET", nargs="+", default=())


def _add_conduct(parser: Parser) -> None:
    """Declare when a run starts, and what it logs and prints."""
    what = "end at once if nothing has changed since the run of --record"
    parser.add_switch("--if-changed", what=what)
    parser.add_value(
        "--wait",
        "wait for another run that writes the same files (default: 0)",
        metavar="SECONDS",
        type=_seconds,
        default=Request().wait,
    )
    parser.add_value(
        "--engine",
        "who decides: this machine, or a cluster of Spark (default: as in the config)",
        choices=tuple(ENGINES),
    )
    parser.add_value(
        "--workers",
        "processes that decide a large input together, or auto (default: as in the config)",
        metavar="N",
        type=_workers,
    )
    parser.add_value(
        "--log-format",
        "text, or one JSON object per line (default: text)",
        choices=("text", "json"),
        default="text",
    )
    parser.add_switch("--dry-run", what="show what would be read and written, and stop")
    _add_quiet(parser)
    parser.add_switch("-v", "--verbose", what="print the log on stderr too")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= MAX_WAIT_S:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not between 0 and {MAX_WAIT_S:,}")
    return seconds


_seconds.__name__ = "number of seconds"


def _workers(text: str) -> int | str:
    """Read a number of workers as a config is read."""
    if text == "auto":
        return text
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{shown(text)} is neither a whole number nor auto")
    if len(text) > len(str(MOST_WORKERS)) or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not between 1 and {MOST_WORKERS:,}")
    return int(text)


def _add_check(commands: Any) -> None:
    parser = commands.add_parser(
        "check",
        help="report what is wrong with a table of bars",
        description="Read bars with every check on; print a JSON report, exit 65 on errors.",
    )
    _add_input(parser)
    what = "settings; none is required (default: config.yaml if it exists)"
    parser.add_value("--config", what, metavar="PATH")
    _add_set(parser)
    _add_quiet(parser)


def _add_init(commands: Any) -> None:
    parser = commands.add_parser(
        "init",
        help="write a config for a table of bars by looking at it",
        description="Look at a table of bars and write a config that reads it, with what is in"
        " doubt as questions. An existing file is not replaced.",
    )
    _add_input(parser, "files, folders, patterns")
    parser.add_path("--config", "where the config goes", Request().config)


def _add_explain(commands: Any) -> None:
    parser = commands.add_parser(
        "explain",
        help="show how the signal of one bar came about",
        description="Show how the signal of one bar came about, and what floats would decide.",
    )
    _add_input(parser, "files, folders, patterns")
    parser.add_path("--config", "settings; window is required", Request().config)
    _add_set(parser)
    what = "the bar: its timestamp, or row:N for the N-th of its series"
    parser.add_value("--at", what, metavar="TIME", required=True)
    parser.add_value("--symbol", "the bar's symbol, if the bars have symbols")
    _add_json(parser)


def _add_diff(commands: Any) -> None:
    parser = commands.add_parser(
        "diff",
        help="show which signals differ between two runs, and why",
        description="Show which signals differ between two runs, and why; exit 1 if any differ.",
    )
    for name in ("A", "B"):
        what = "signals (.csv, .parquet, .arrow or a folder of them), or a run's record"
        parser.add_argument(name.lower(), metavar=name, help=what)
    _add_json(parser)
    parser.add_value("--limit", "rows to show (default: 20)", type=int, default=20)


def _add_evaluate(commands: Any) -> None:
    parser = commands.add_parser(
        "evaluate",
        help="show what the signals of a run are worth",
        description="Show what the signals of a run are worth, and how far that can be trusted.",
    )
    _add_past_run(parser)
    parser.add_path("--summary", "a row for every symbol, as .csv, .json or .parquet")


def _add_past_run(parser: Parser) -> None:
    """Declare the run that is looked at, and its settings."""
    what = "the record of a run, or its signals: a file or a folder"
    parser.add_argument("of", metavar="RUN", help=what)
    what = "settings of signals without a record (default: config.yaml if it exists)"
    parser.add_value("--config", what, metavar="PATH")
    _add_set(parser)
    _add_json(parser)


def _add_sweep(commands: Any) -> None:
    parser = commands.add_parser(
        "sweep",
        help="show what other windows would have made of a run",
        description="Show what other windows would have made of the closes of a run, and how much"
        " of it is luck.",
    )
    _add_past_run(parser)
    what = "windows to try: 2:200, 2:200:2 or 5,10,20 (default: 2:200)"
    parser.add_value("--windows", what, metavar="LIST", default="2:200")
    parser.add_path("--output", "a row for every window, as .csv, .json or .parquet")


def _add_audit(commands: Any) -> None:
    parser = commands.add_parser(
        "audit",
        help="list the signals that tools which compute with floats get wrong",
        description="List the signals of a run that tools which compute with floats get wrong.",
    )
    _add_past_run(parser)
    what = f"tools, with commas: {', '.join(TOOLS)} (default: those that are installed)"
    parser.add_value("--against", what, metavar="TOOLS")
    parser.add_path("--output", "every wrong signal, as .csv, .json or .parquet")


def _add_report(commands: Any) -> None:
    parser = commands.add_parser(
        "report",
        help="make a page about a run, one file that opens in any browser",
        description="Make a page about a run: can I trust it, is it any good, what changed.",
    )
    _add_past_run(parser)
    parser.add_path("--output", "where the page goes, as .html", "report.html")
    parser.add_value("--against", "another run, to show what changed since it", metavar="RUN")
    parser.add_value("--windows", "windows to compare: 2:200 or 5,10,20", metavar="LIST")
    parser.add_switch("--audit", what="compare with the float tools that are installed")
    parser.add_path("--plot", "growth and falls as one picture, as .svg")


def _add_sample(commands: Any) -> None:
    parser = commands.add_parser(
        "sample",
        help="print made-up one-minute bars",
        description="Print made-up one-minute BTC bars as CSV; a seed always gives the same bars.",
    )
    parser.add_value("--rows", "bars (default: 10000)", type=int, default=10_000)
    parser.add_value("--seed", "seed (default: 42)", type=int, default=42)


def _add_schema(commands: Any) -> None:
    parser = commands.add_parser(
        "schema",
        help="print the JSON Schema of configs, metrics, records or evaluations",
        description="Print a published JSON Schema (draft 2020-12); its version is in its $id.",
    )
    what = f"one of: {', '.join(SCHEMAS)}"
    parser.add_argument("of", metavar="SCHEMA", type=_schema, help=what)


def _schema(name: str) -> str:
    if name not in SCHEMAS:
        hint = did_you_mean(name, list(SCHEMAS))
        raise UsageError(f"unknown schema {shown(name)}: {hint}", "see rollsignal schema --help")
    return name


def _add_verify(commands: Any) -> None:
    parser = commands.add_parser(
        "verify",
        help="check that a run's record still holds, by deciding it again",
        description="Decide a recorded run again, and print a JSON report of what still holds;"
        " exit 65 if something does not.",
    )
    parser.add_argument("record", metavar="RECORD", help="the file that --record wrote")
    parser.add_value(
        "--sample",
        "decide N windows of every symbol once more, with fractions (default: 0)",
        metavar="N",
        type=int,
        default=0,
    )
    parser.add_value(
        "--engine",
        "who decides again: local, as a run does, or plain, row by row without arrays, which is"
        " slow (default: local)",
        choices=tuple(ENGINES),
        default="local",
    )


def _add_publish(commands: Any) -> None:
    parser = commands.add_parser(
        "publish",
        help="tell others of a recorded run: a heartbeat monitor, Prometheus, OpenTelemetry",
        description="Tell others of a recorded run; exit 74 if a target was not told.",
    )
    what = "the file that --record wrote, or - for standard input"
    parser.add_argument("record", metavar="RECORD", help=what)
    what = f"whom to tell: {_TARGETS}"
    parser.add_argument("targets", metavar="TARGET", nargs="+", help=what)
    parser.add_value(
        "--timeout",
        f"for how long to wait for all targets (default: {PUBLISH_S:g})",
        metavar="SECONDS",
        type=_seconds,
        default=PUBLISH_S,
    )
