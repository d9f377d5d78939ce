"""Format the results as Markdown."""

import os
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench import data, night, variants
from bench.cases import EMPTY, OURS, SIZES, Measured, Results
from bench.processes import median, wall_ratio
from bench.targets import Kernels, Reached

LIBRARIES = ("numpy", "pandas", "polars", "duckdb", "ta-lib", "bottleneck", "pyyaml")
CORES = (4, 8, 16)
TITLES = {
    "csv": "CSV",
    "gz": "CSV, gzip",
    "parquet": "Parquet",
    "panel": "Parquet, series interleaved",
    "files": "CSV, a file for every series",
    night.KIND: "CSV, 1,000 rows added to the state of a history",
    **{kind: variant.title for kind, variant in variants.VARIANTS.items()},
}


def page(results: Results, kernels: Kernels, figures: Iterable[Reached], picture: str) -> str:
    """Return the page of all results, with the picture."""
    parts = [
        machine(),
        f"![Wall times of whole processes]({picture})",
        "## Targets",
        target_table(figures),
        "## Whole processes",
        *(case_table(measured) for measured in results.values()),
        "## Growth with the rows",
        growth_table(results),
        "## More cores",
        cores_table(results),
        "## The kernel alone",
        kernel_table(kernels),
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def machine() -> str:
    """Describe the machine and the libraries."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    libraries = ", ".join(f"{name} {_version(name)}" for name in LIBRARIES)
    return (
        f"{_processor()}, {cores} cores, {gib:.0f} GiB of memory; {platform.system()}"
        f" {platform.machine()}, {platform.python_implementation()} {platform.python_version()};"
        f" {libraries}."
    )


def case_table(measured: Measured) -> str:
    """Return the table of a case: a row for every program."""
    case, rows = measured.case, measured.rows
    table = variants.VARIANTS[case.kind].table if case.kind in variants.VARIANTS else case.kind
    count = data.series(table, rows)
    title = f"{TITLES[case.kind]}: {rows:,} rows" + (f", {count:,} series" if count > 1 else "")
    lines = [
        ["program", "wall", "CPU", "peak memory", "wrong signals", "rollsignal / it"],
        ["---", *["---:"] * 5],
    ]
    ours = measured.runs[OURS]
    for name, runs in measured.runs.items():
        wall_s, cpu_s, peak_mb = median(runs)
        wrong = f"{measured.wrong[name]:,}" if name in measured.wrong else ""
        share = "" if name in (OURS, EMPTY) else f"{wall_ratio(ours, runs):.3g}"
        lines.append([name, _time(wall_s), _time(cpu_s), f"{peak_mb:,.0f} MB", wrong, share])
    lines += [[name, reason, *[""] * 4] for name, reason in measured.missing.items()]
    runs_of_each = f"Medians of {case.repeats} runs." if case.repeats > 1 else "One run of each."
    return f"### {title}\n\n{_table(lines)}\n{runs_of_each}\n"


def kernel_table(kernels: Kernels) -> str:
    """Return the table of kernels: a row for each."""
    ours = next(kernel for kernel in kernels.values() if kernel)
    lines = [["kernel", "time", "wrong signals", "rollsignal / it"], ["---", *["---:"] * 3]]
    for name, kernel in kernels.items():
        if kernel is None:
            lines.append([name, "not installed", "", ""])
            continue
        share = "" if kernel is ours else f"{ours.seconds / kernel.seconds:.3g}"
        lines.append([name, _time(kernel.seconds), f"{kernel.wrong:,}", share])
    return _table(lines)


def growth_table(results: Results) -> str:
    """Return the table of how rollsignal's time and memory grow with the rows."""
    lines = [["table", "rows", "wall", "for 10 times the rows", "peak memory"]]
    lines.append(["---", *["---:"] * 4])
    for kind, title in TITLES.items():
        if kind == night.KIND or kind in variants.VARIANTS:
            continue
        before: tuple[int, float] | None = None
        for measured in (results[kind, size] for size in SIZES if (kind, size) in results):
            rows = measured.rows
            wall_s, _, peak_mb = median(measured.runs[OURS])
            growth = f"{wall_s / before[1] * 10 * before[0] / rows:.1f} times" if before else ""
            lines.append([title, f"{rows:,}", _time(wall_s), growth, f"{peak_mb:,.0f} MB"])
            before = rows, wall_s
    return _table(lines)


def cores_table(results: Results) -> str:
    """Return what more cores would give, computed from the runs with two workers.

    All wall time that is not half of the CPU time counts as serial: the start of the processes, the
    join of the pieces, and waiting for the last one.
    """
    lines = [["table", "CPU time", "serial", *(f"{cores} cores" for cores in CORES)]]
    lines.append(["---", *["---:"] * (2 + len(CORES))])
    for (kind, _), measured in results.items():
        if kind in variants.WORKERS.values():
            wall_s, cpu_s, _ = median(measured.runs[OURS])
            serial_s = max(0.0, wall_s - cpu_s / 2)
            walls = [_time(serial_s + cpu_s / cores) for cores in CORES]
            title = f"{TITLES[kind].partition(',')[0]}, {measured.rows:,} rows"
            lines.append([title, _time(cpu_s), _time(serial_s), *walls])
    return f"A calculation, not measured: serial time + CPU time / cores.\n\n{_table(lines)}"


def target_table(figures: Iterable[Reached]) -> str:
    """Return the table of the targets and the measured figures."""
    lines = [["target", "found", "by CPU time", "at most", ""], ["---", *["---:"] * 3, "---"]]
    for target, figure, cpu in figures:
        at_most, unit = f"{target.at_most:g}{target.unit}", target.unit
        by_cpu = "" if cpu is None else f"{cpu:.3g}"
        lines.append([target.what, f"{figure:.3g}{unit}", by_cpu, at_most, target.verdict(figure)])
    return _table(lines)


def _table(lines: list[list[str]]) -> str:
    rows = ("|".join(f" {cell} " if cell else " " for cell in cells) for cells in lines)
    return "".join(f"|{row}|\n" for row in rows)


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 0.9995 else f"{seconds:.3g} s"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """Return the name of the processor, from Linux or else from Python."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or sys.platform
