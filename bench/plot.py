"""Draw the wall times as a picture that is readable on light and dark pages."""

from pathlib import Path
from typing import Any

from bench.cases import BYTES, EMPTY, OURS, SCAN, Results
from bench.processes import median
from bench.report import TITLES

PLOTTED = (
    ("csv", "10 thousand"),
    ("csv", "10 million"),
    ("gz", "10 million"),
    ("parquet", "10 million"),
    ("panel", "10 million"),
    ("files", "10 million"),
)
# Greys and colours with enough contrast on white as well as on black.
TEXT, FLOOR, OTHER, OUR = "#7d8590", "#9aa3ad", "#4a8fe0", "#e0763a"


def draw(results: Results, path: Path) -> None:
    """Write an SVG of bars: one chart for a table, one bar for a program."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style = dict.fromkeys(("text.color", "xtick.color", "ytick.color", "axes.edgecolor"), TEXT)
    rest = {"svg.fonttype": "none", "svg.hashsalt": "rollsignal", "font.size": 9.0}
    with mpl.rc_context({**style, **rest}):
        figure = Figure(figsize=(9, 6), layout="constrained")
        for index, case in enumerate(PLOTTED):
            axes = figure.add_subplot(3, 2, index + 1)
            _chart(axes, results, case)
        figure.savefig(path, transparent=True, metadata={"Date": None})


def _chart(axes: Any, results: Results, case: tuple[str, str]) -> None:
    """Draw one table's bars, rollsignal's on top."""
    kind, size = case
    names = list(results[case].runs)
    walls = [median(runs).wall_s for runs in results[case].runs.values()]
    bars = axes.barh(names, walls, color=[_colour(name) for name in names], height=0.7)
    axes.bar_label(bars, [f" {wall:.2f} s" for wall in walls], color=TEXT)
    axes.set_title(f"{TITLES[kind]}, {size} rows", color=TEXT, loc="left", fontsize=10)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.tick_params(length=0, labelbottom=False)
    axes.set_facecolor("none")


def _colour(name: str) -> str:
    if name == OURS:
        return OUR
    return FLOOR if name in (EMPTY, BYTES, SCAN) else OTHER
