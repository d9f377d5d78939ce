"""`python -m bench.spark` measures runs on Spark beside Spark's own reading of the same columns.

One local session with two cores, warm; programs in turn; medians. Only CPU seconds of all processes
of this one are compared: wall times of a shared machine tell little. Prints a table.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import data

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

TICKS = os.sysconf("SC_CLK_TCK")
WINDOW = 20
Programs = Mapping[str, Callable[[], object]]


def main() -> int:
    """Measure all cases, and print a table of them."""
    parser = argparse.ArgumentParser(prog="python -m bench.spark", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    session = _session()
    print("| case | program | CPU | of the other |\n| --- | --- | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        cases = _cases(session, options.rows, Path(folder))
        for case, programs in chain(cases, _tables(session, options.rows)):
            seconds = _in_turn(programs, options.rounds)
            ours, theirs = seconds
            ratio = statistics.median(a / b for a, b in zip(*seconds.values(), strict=True))
            for name, share in ((ours, f"{ratio:.2f}"), (theirs, "")):
                print(f"| {case} | {name} | {statistics.median(seconds[name]):.2f} s | {share} |")
    session.stop()
    return 0


def _session() -> "SparkSession":
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    session = builder.config("spark.driver.memory", "4g").getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def _cases(session: "SparkSession", rows: int, folder: Path) -> Iterator[tuple[str, Programs]]:
    """Yield each case with our program, and the one that it is compared with."""
    tables = {kind: data.table(kind, rows) for kind in ("csv", "parquet")}
    frames = {
        "csv": session.read.csv(str(tables["csv"]), header=True, schema=_schema(tables["csv"])),
        "parquet": session.read.parquet(str(tables["parquet"])),
    }
    for kind, path in tables.items():
        read = frames[kind].select("timestamp", "close")
        yield (
            f"{kind}, beside Spark's reading",
            {
                "rollsignal": partial(_run, path, folder, "spark"),
                "Spark": partial(_to_nothing, read),
            },
        )
    signals = str(folder / "signals.parquet")
    yield (
        "csv with --signals in Parquet, beside the local engine",
        {
            "rollsignal on Spark": partial(_run, tables["csv"], folder, "spark", signals),
            "rollsignal": partial(_run, tables["csv"], folder, "local", signals),
        },
    )


def _tables(session: "SparkSession", rows: int) -> Iterator[tuple[str, Programs]]:
    """Yield the cases of a table, which Spark has to sort, and of decimals of many digits."""
    from pyspark.sql import functions as F

    table = session.read.parquet(str(data.table("parquet", rows))).select("timestamp", "close")
    cores = session.sparkContext.defaultParallelism
    sorted_rows = table.repartitionByRange(3 * cores, "timestamp")
    yield (
        "table, beside Spark's shuffle and sort",
        {
            "rollsignal": partial(_decide, table),
            "Spark": partial(_to_nothing, sorted_rows.sortWithinPartitions("timestamp")),
        },
    )
    cents = F.col("close").cast("decimal(18,2)")
    wide, narrow = (
        table.withColumn("close", cents.cast(f"decimal({kind})")) for kind in ("38,18", "18,2")
    )
    yield (
        "table of decimal(38,18), beside decimal(18,2)",
        {"wide": partial(_decide, wide), "narrow": partial(_decide, narrow)},
    )


def _decide(table: "DataFrame") -> None:
    from rollsignal.spark import decide

    decide(table, WINDOW, symbol="none")


def _run(path: Path, folder: Path, engine: Any, signals: str | None = None) -> None:
    import rollsignal

    config = folder / "config.yaml"
    config.write_text(f'seed: 1\nwindow: {WINDOW}\nversion: "bench"\nworkers: 1\n')
    output = folder / "metrics.json"
    rollsignal.run(path, config, output, log_file=None, engine=engine, signals=signals)


def _to_nothing(frame: "DataFrame") -> None:
    frame.write.format("noop").mode("overwrite").save()


def _schema(path: Path) -> str:
    """Return the types of a text table's columns, or Spark would read it twice."""
    header = path.open().readline().strip().split(",")
    types = {"timestamp": "timestamp_ntz"}
    return ", ".join(f"{name} {types.get(name, 'double')}" for name in header)


def _in_turn(programs: Programs, rounds: int) -> dict[str, list[float]]:
    """Run programs in turn, after a round that is not counted; return their CPU seconds."""
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():
            before = cpu_seconds()
            program()
            if turn:
                seconds[name].append(cpu_seconds() - before)
    return seconds


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of all that it has started, so far."""
    stats = {int(path.name): _stat(path) for path in Path("/proc").iterdir() if path.name.isdigit()}
    family: set[int] = set()
    more = {os.getpid()}
    while more:
        family |= more
        more = {pid for pid, stat in stats.items() if stat and stat[0] in family} - family
    return sum(stat[1] for pid in family if (stat := stats.get(pid))) / TICKS


def _stat(process: Path) -> tuple[int, int] | None:
    """Return the parent of a process, and its CPU time with that of children that have ended."""
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return int(fields[1]), sum(map(int, fields[11:15]))


if __name__ == "__main__":
    sys.exit(main())
