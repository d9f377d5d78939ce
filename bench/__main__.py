"""`python -m bench`: rollsignal beside other ways to do the job, whole processes in turn.

`--quick` takes a tenth of the rows and fewer repeats; names of cases select some.
"""

import argparse
import compileall
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import data
from bench.processes import Run, median_ratio, side_by_side, summary

ROOT = Path(__file__).parent.parent


class Case(NamedTuple):
    """One job: its input and config, and what it is measured against, with the ratio wanted."""

    name: str
    table: Callable[[int], Path]
    config: Callable[[], Path]
    others: dict[str, float]


CASES = (
    Case("sample", lambda _: ROOT / "data.csv", lambda: ROOT / "config.yaml", {"script": 0.25}),
    Case(
        "csv",
        data.table,
        lambda: data.config(symbol=False),
        {"polars_sum_csv": 1.3, "pandas_signal": 0.65},
    ),
    Case("parquet", data.parquet, lambda: data.config(symbol=False), {"polars_sum_parquet": 2.0}),
    Case("panel", data.panel, lambda: data.config(symbol=True), {"polars_over_symbol": 2.0}),
)


def main() -> int:
    """Measure the cases; print medians, and ratios beside their targets."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {[c.name for c in CASES]}")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    compileall.compile_dir(ROOT / "rollsignal", quiet=1)
    for case in CASES:
        if not options.cases or case.name in options.cases:
            _measure(case, options.quick)
    return 0


def _measure(case: Case, quick: bool) -> None:
    table = case.table(1_000_000 if quick else 10_000_000)
    repeats = (5 if quick else 21) if case.name == "sample" else (3 if quick else 5)
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--input", str(table), "--config", str(case.config())]
        flags += ["--output", f"{folder}/metrics.json", "--log-file", f"{folder}/run.log"]
        commands = {"rollsignal": [sys.executable, str(ROOT / "run.py"), *flags]}
        for name in case.others:
            script = [str(ROOT / "bench/pandas_script.py"), *flags]
            baseline = [str(ROOT / "bench/baselines.py"), name, str(table)]
            commands[name] = [sys.executable, *(script if name == "script" else baseline)]
        _report(case, table, side_by_side(commands, repeats))


def _report(case: Case, table: Path, runs: dict[str, list[Run]]) -> None:
    print(f"\n{case.name}: {table.name}, {table.stat().st_size:,} bytes")
    for name, found in runs.items():
        print(summary(name, found))
    for name, target in case.others.items():
        ratio = median_ratio(runs["rollsignal"], runs[name])
        print(f"wall time, rollsignal / {name}: {ratio:.3f} (target: at most {target})")


if __name__ == "__main__":
    sys.exit(main())
