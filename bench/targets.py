"""The targets of the bench, and how far from them its results are."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from bench import night
from bench.cases import OURS, SCAN, SCRIPT, Results
from bench.kernel import OURS as OUR_KERNEL
from bench.kernel import POLARS as POLARS_KERNEL
from bench.processes import Run, cpu_ratio, median, wall_ratio
from bench.variants import PLAIN, POLARS_WRITES, WORKERS

Kernels = Mapping[str, "Kernel | None"]
Find = Callable[[Results, Kernels], float]


class Kernel(NamedTuple):
    """A kernel's median seconds from array to signals, and how many signals are wrong."""

    seconds: float
    wrong: int


class Target(NamedTuple):
    """A figure, its upper limit, and how to compute it from the results; some also by CPU time."""

    what: str
    at_most: float
    find: Find
    find_cpu: Find | None = None
    unit: str = ""

    def verdict(self, figure: float) -> str:
        """Describe whether the target is met, and the distance to it."""
        share = figure / self.at_most
        return f"met, {1 - share:.0%} below" if share <= 1 else f"NOT met, {share - 1:.1%} above"


class Reached(NamedTuple):
    """A target, the measured figure, and the same figure by CPU time."""

    target: Target
    figure: float
    by_cpu: float | None = None


def targets(slow: str) -> tuple[Target, ...]:
    """Return the targets; some that take long to measure are measured at the size `slow`."""
    return (
        _wall("sample job", ("csv", "10 thousand"), SCRIPT, 0.25),
        _wall("CSV", ("csv", "10 million"), SCAN, 1.3),
        _wall("CSV", ("csv", slow), SCRIPT, 0.65),
        Target("CSV, 10 million rows: peak memory", 400, _peak, unit=" MB"),
        _growth("peak memory", ("10 million", "50 million"), 1.1, lambda run: run.peak_mb),
        _growth("wall time", ("1 million", "10 million"), 10.5, lambda run: run.wall_s),
        _wall("Parquet", ("parquet", "10 million"), SCAN, 2.0),
        _wall("panel in Parquet", ("panel", "10 million"), "polars", 2.0),
        _wall("panel in CSV files", ("files", slow), SCAN, 1.5),
        _wall("1,000 rows added to a state", (night.KIND, "10 million"), night.ALONE, 1.3),
        _wall("signals in Parquet of CSV", ("signals in Parquet of CSV", "10 million"), PLAIN, 2.0),
        _wall("signals in CSV of CSV", ("signals in CSV of CSV", "10 million"), PLAIN, 3.0),
        _wall("signals in Parquet", ("signals in Parquet", "10 million"), POLARS_WRITES, 1.5),
        _wall("decimal(38, 18)", ("decimals", "10 million"), PLAIN, 1.3),
        _wall("window of 3 million", ("long window", "10 million"), PLAIN, 1.3),
        _wall("first night of a panel", ("first night", "10 million"), PLAIN, 5.0),
        Target("first night of a panel: peak memory", 600, _night_peak, unit=" MB"),
        _wall("two workers on CSV", (WORKERS["csv"], "50 million"), PLAIN, 0.6),
        _wall("two workers on CSV", (WORKERS["csv"], "50 million"), SCAN, 1.0),
        _wall("two workers on Parquet", (WORKERS["parquet"], "50 million"), PLAIN, 0.75),
        _wall("two workers on Parquet", (WORKERS["parquet"], "50 million"), SCAN, 1.5),
        Target("kernel on int64 ticks: wall time / polars rolling_mean", 0.5, _kernel),
    )


def reached(wanted: Iterable[Target], results: Results, kernels: Kernels) -> list[Reached]:
    """Compute the figures of those targets whose cases were measured."""
    figures = []
    for target in wanted:
        try:
            by_cpu = target.find_cpu and target.find_cpu(results, kernels)
            figures.append(Reached(target, target.find(results, kernels), by_cpu))
        except KeyError:
            continue
    return figures


def _wall(what: str, case: tuple[str, str], other: str, at_most: float) -> Target:
    def find_by(compare: Callable[[list[Run], list[Run]], float]) -> Find:
        return lambda results, _: compare(results[case].runs[OURS], results[case].runs[other])

    text = f"{what}, {case[1]} rows: wall time / {other}"
    return Target(text, at_most, find_by(wall_ratio), find_by(cpu_ratio))


def _growth(
    what: str, sizes: tuple[str, str], at_most: float, figure: Callable[[Run], float]
) -> Target:
    def find(results: Results, _: Kernels) -> float:
        smaller, larger = (median(results["csv", size].runs[OURS]) for size in sizes)
        return figure(larger) / figure(smaller)

    return Target(f"CSV, {sizes[1]} rows: {what} / that of {sizes[0]}", at_most, find)


def _peak(results: Results, _: Kernels) -> float:
    return median(results["csv", "10 million"].runs[OURS]).peak_mb


def _night_peak(results: Results, _: Kernels) -> float:
    return median(results["first night", "10 million"].runs[OURS]).peak_mb


def _kernel(_: Results, kernels: Kernels) -> float:
    ours, theirs = kernels[OUR_KERNEL], kernels[POLARS_KERNEL]
    assert ours
    assert theirs
    return ours.seconds / theirs.seconds
