"""This module holds the hints of the other commands, and those that no test can follow."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

from tests.support.hints import NO_FILES, Files
from tests.support.hints_of_bars import BARS, DAYS, IN_TURN, NAMED, UP, C, panel, table

ONE_FILE: Files = MappingProxyType({BARS: UP})


class CommandRow(NamedTuple):
    """A hint, the arguments that provoke it, and those that follow it.

    signal: the signal that is then explained, None for a command that explains none. files and
    config: those of the command. followed: changes of the files and the config.
    """

    hint: str
    arguments: str
    then: str
    signal: int | None = None
    files: Files = ONE_FILE
    config: str = ""
    followed: tuple[Files, str] | None = None


AT = "explain --json --input bars.csv --at"
RECORD = "verify r.json"
LESS = table([*C[:5], "1"])

COMMANDS = [
    CommandRow("or row:120 for the 120th bar", f"{AT} now", f"{AT} row:6", 1),
    CommandRow("or row:120 for the 120th bar", f"{AT} now", f"{AT} {DAYS[5]}T00:00:00", 0,
        {BARS: LESS}),
    CommandRow("or ask for row:N", f"{AT} {DAYS[5]}", f"{AT} row:3", 1,
        {BARS: "close\n" + "\n".join(C) + "\n"}),
    CommandRow("or ask for row:N", f"{AT} {DAYS[5]}", f"{AT} {DAYS[5]}", 1, {BARS: UP},
        "columns: {timestamp: none}\n", (NO_FILES, "columns: {timestamp: date}\n")),
    CommandRow("name one with --symbol", f"{AT} row:6", f"{AT} row:6 --symbol B", 0,
        {BARS: panel(IN_TURN)}, NAMED),
    CommandRow("leave it out, or name the column of symbols", f"{AT} row:6 --symbol B",
        f"{AT} row:6 --symbol B", 0, {BARS: panel(IN_TURN)}, "columns: {timestamp: none}\n",
        (NO_FILES, NAMED)),
    *(CommandRow(hint, f"{AT} row:6", f"{AT} row:6", 1,
        {BARS: table(C[::-1], DAYS[::-1])}, "sort: true\n", ({BARS: UP}, "sort: false\n"))
      for hint in ("sort the bars first", "explain does not sort")),
    CommandRow("name another file with --config", "init --input bars.csv",
        "init --input bars.csv --config new.yaml"),
    CommandRow("save it to a file first", "init --input - --config new.yaml",
        "init --input bars.csv --config new.yaml"),
    CommandRow("see rollsignal --help", "chek --input bars.csv", "check --input bars.csv"),
    CommandRow("see rollsignal schema --help", "schema confg", "schema config"),
    CommandRow("name the file that --record wrote", "verify metrics.json", RECORD),
    CommandRow("run again with --record and --signals", "evaluate r.json",
        "run --input bars.csv --record r.json --signals s.csv"),
    CommandRow("use the rollsignal that wrote it", "verify old.json", RECORD, None,
        {BARS: UP, "old.json": '{"schema": "urn:rollsignal:schema:record:0"}'}),
    CommandRow("put a copy in its place, or run", "verify half.json", RECORD, None,
        {BARS: UP, "half.json": '{"schema": "urn:rollsignal:schema:record:2"}'}),
]  # fmt: skip

OF_THE_SEAM = "tests/analysis/test_decided_run.py follows it"
OF_THE_PAGE = "tests/commands/test_report.py follows it"
IN_SPARK = "only Spark reads tables: tests/spark follows it"

BY_PEOPLE = {
    "set figures with --set evaluate.KEY=VALUE": OF_THE_SEAM,
    "run again with it": OF_THE_SEAM,
    "name the file that --signals wrote, as it was written": OF_THE_SEAM,
    "name the record of the run, which has its window": OF_THE_SEAM,
    "run again, or name the signals themselves instead of the record": OF_THE_SEAM,
    "run again, and name the record of a run that succeeded": OF_THE_SEAM,
    "name a local file, or an object in a store": "tests/commands/test_deliveries.py refuses it",
    "give the URL as text": "it needs a store",
    "path: …; keep the state in a local file": "it needs a store without ETags",
    "path: …; name a folder in TMPDIR": "it needs a machine without a temporary folder",
    "name a folder with enough room in TMPDIR": "it needs a disk with room",
    "path: …; name another folder for it": "it needs a store",
    "this run has changed nothing; run again, to": "tests/commands/test_deliveries.py follows it",
    "try again later; if it was killed, run again": "it depends on another run",
    "run again when nobody writes to it": "it depends on other programs",
    "it was changed while it was read; run again": "it depends on other programs",
    "try again when it has ended": "it depends on another run",
    "raise the limit (ulimit -v)": "it depends on the machine",
    "a damaged file may also ask for too much": "it depends on the machine",
    "try again, or install the program again": "it depends on the disk",
    "it could be read a second time, so run again": "it depends on the disk",
    "perhaps there is not enough memory; if there is, install it again": "only people know",
    "fetch the file again, or write it again": "only people have a file that is whole",
    "rename the file or its folder; in a locale without UTF-8, set LC_ALL": (
        "tests/cli/test_odd_environments.py follows it"
    ),
    "try again when they have been delivered": "it depends on the vendor",
    "it was killed; run again": "tests/commands/test_publish.py follows it",
    "end it with /metrics/job/rollsignal/pipeline/NAME": "it needs a server",
    "with room for at least": "it needs a disk with room",
    "if memory ran out, run with --workers 1": "it depends on the memory of the machine",
    "write it to a file first, or set duplicates": "it needs a pipe",
    "leave out --plot": OF_THE_PAGE,
    "Ask with --windows 2:200 to compare windows.": OF_THE_PAGE,
    "Ask with --audit to compare the float tools that are installed.": OF_THE_PAGE,
    "Ask with --against RUN to compare with another run.": OF_THE_PAGE,
    "name the record of the run, not its signals": OF_THE_PAGE,
    "pip install …": "it installs a package",
    "… folders are named …; keep one": "it renames folders",
    "write 2:200, 2:200:2 or 5,10,20": "it is of figures, which decide no signal",
    "from 1 to …, the smaller one first": "it is of figures, which decide no signal",
    "a step leaves some out: 2:20000:100": "it is of figures, which decide no signal",
    "pip install …, or unpack": "it installs a package",
    "pip install obstore": "it installs a package",
    "pip install 'rollsignal[otel]'": "it installs a package",
    "pip install deltalake": "it installs a package",
    "package tzdata, or run pip install tzdata": "it installs a package",
    "pip install 'rollsignal[spark]'": "it installs a package",
    "install the same on all machines": "it needs a cluster",
    "where all machines see them at the same path": "it needs a cluster",
    "where all machines see it at the same path": "it needs a cluster",
    "a session of Spark Connect needs SPARK_REMOTE": "it needs a cluster",
    "start the server, or set SPARK_REMOTE to where it is": "it needs a cluster",
    "give the driver more with spark.driver.maxResultSize": "it needs a cluster",
    "set PYSPARK_PYTHON to a Python of the same version": "it needs a cluster",
    "different bars; run again": "it depends on other programs",
    "add --engine spark; a file of this name is ./": IN_SPARK,
    "write one Parquet file, of which Spark makes a table; a file of this name is ./": IN_SPARK,
    "name a view that has the rows of all": IN_SPARK,
    "leave out --format": IN_SPARK,
    "which Spark would not sort by time": IN_SPARK,
    "only those of files are turned into UTC": IN_SPARK,
    "…: … (give it as …)": IN_SPARK,
    "name their column: columns: {timestamp: NAME}": IN_SPARK,
    "name a column of timestamps, for example of a view": IN_SPARK,
    "name a column of symbols, for example of a view": IN_SPARK,
    "give it as a view with stack(), as a long table": IN_SPARK,
    "…: … (set columns: {timestamp: NAME})": IN_SPARK,
    "if each of its values is a series": IN_SPARK,
    "run again; if that does not help, write the table to files": "it needs a cluster",
    "run again; if that does not help, set engine: local": "it needs a cluster",
    "nothing tells which comes first (keep one of them)": IN_SPARK,
    "path: …; name it as an input again": "it needs a server",
    "or start again with another state file": "it needs the state of a former version",
    "run again, with columns: {symbol: none} if": "it needs the record of a former version",
    "unpack the file first": "it needs a Python that lacks a part",
    "held in memory (write one object for each bar": "it needs a document of 8 million values",
    "credentials come from …": "it needs an account",
    "without credentials": "it needs a server",
    "write it as text": "polars writes no decimals of more than 38 digits",
    "a type that polars does not know": "it needs the program that wrote the file",
    "give the column of times a format of dates": "it needs a program for workbooks",
    "is the file damaged?": "it needs the program that wrote the file",
}
"""What no test can follow, and why."""

NO_HINTS = (
    "windows to try: 2:200, 2:200:2 or 5,10,20 (default: 2:200)",
    "examples:\n",
    "A name leads to the bars of its symbol.",
    '"use strict";',
    "…, which shall write a part of it",
    "write the signals as a hive-partitioned folder",
    "count and write only …",
    "would write …",
    ", nor its digest",
    "path: …",
    "table: …",
    "has a usual name of timestamps",
    "a usual name of closes",
    "in which a column has a usual name of closes",
    "the symbol is the name of the file",
    "there are none; else the name of their column",
    "pattern: …",
    "windows too long to keep on arrays",
    "no timestamps to sort by",
    "so Spark does not sort them",
    "SELECT snapshot_id FROM",
    "order is newest_first, but …",
    "and a URL that the state has read had a query",
    "A state cannot be continued with sort: true",
    "there is no server with this name",
    "is too long for the name of a folder",
    "the name of column …",
    "… is …: …",
    "its name does not resolve",
    "… is not set",
    "of a Pushgateway does not name the pipeline",
    "has no name that ends with .prom",
    "not text that can be written as UTF-8",
    "… is …, which …",
    " (…)",
    "…; …",
    ", and ",
)
"""Texts that tell what is wrong, help, or join other texts."""
