"""This module builds the report of a sweep, as a JSON document and as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollsignal.analysis.evaluation import EvaluatedRun
from rollsignal.analysis.evaluation_text import run_heading
from rollsignal.analysis.sweep import Sweep
from rollsignal.analysis.text_table import aligned
from rollsignal.messages import escaped, plural

SHOWN_WINDOWS = 12
SURE = 0.05
_COLUMNS = {
    "window": "{:,}",
    "signals": "{:,}",
    "rate": "{:.4f}",
    "ties": "{:,}",
    "trades": "{:,}",
    "time_in_market": "{:.3f}",
    "growth_gross": "{:.4f}",
    "growth_net": "{:.4f}",
    "earns_bp": "{:+.3f}",
    "luck_bp": "±{:.3f}",
    "break_even_bp": "{:.3f}",
}


def sweep_document(
    run: dict[str, object], settings: Mapping[str, object], found: Sweep
) -> dict[str, object]:
    """Build the JSON document; `run` says which run it was, `settings` by which rules."""
    return {
        "run": run,
        "settings": settings,
        "best": found.best,
        "shape": found.shape,
        "p_value": found.p_value,
        "windows": [row._asdict() for row in found.windows],
    }


def sweep_text(document: Mapping[str, Any]) -> str:
    """Write the document for people."""
    rows = document["windows"]
    own = document["run"]["window"]
    rules = document["settings"]
    held = f"held from {plural(rules['delay'], 'bar')} after the signal"
    lines = [
        run_heading(EvaluatedRun(**document["run"])),
        f"{plural(len(rows), 'window')}, {held}, {rules['cost_bp']:g} bp a trade",
        "",
    ]
    cells = [tuple(name.replace("_", " ") for name in _COLUMNS)]
    cells += [_row_cells(row) for row in chosen_rows(rows, {own, document["best"]})]
    marks = {own: "  this run", document["best"]: "  best"}
    marks |= {own: "  this run, best"} if own == document["best"] else {}
    shown = [None, *(row["window"] for row in chosen_rows(rows, {own, document["best"]}))]
    lines += [
        f"  {line}{marks.get(window, '')}"
        for line, window in zip(aligned(cells, left=0), shown, strict=True)
    ]
    lines += ["", *_sentences(document)]
    return "".join(escaped(line) + "\n" for line in lines)


def _row_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        "-" if row[name] is None else form.format(row[name]) for name, form in _COLUMNS.items()
    )


def chosen_rows(rows: Sequence[Mapping[str, Any]], wanted: set[Any]) -> Sequence[Mapping[str, Any]]:
    """Return at most 12 rows: those that are wanted, and others whose windows grow by a factor."""
    if len(rows) <= SHOWN_WINDOWS:
        return rows
    kept = {at for at, row in enumerate(rows) if row["window"] in wanted} | {0, len(rows) - 1}
    least, most = rows[0]["window"], rows[-1]["window"]
    steps = SHOWN_WINDOWS - 1
    for step in range(1, steps):
        aim = least * (most / least) ** (step / steps)
        at = min(range(len(rows)), key=lambda place: abs(rows[place]["window"] - aim))
        if len(kept) < SHOWN_WINDOWS:
            kept.add(at)
    return [rows[at] for at in sorted(kept)]


def _sentences(document: Mapping[str, Any]) -> list[str]:
    best, p_value = document["best"], document["p_value"]
    count = plural(len(document["windows"]), "window")
    if best is None:
        return ["no window trades"]
    row = next(row for row in document["windows"] if row["window"] == best)
    net = row["earns_bp"] - document["settings"]["cost_bp"]
    shapes = {
        "plateau": ["a plateau: every window within a tenth of it earns at least half of that"],
        "peak": ["a peak: some window within a tenth of it earns less than half of that"],
        None: [],
    }
    lines = [
        f"best after costs: window {best:,}, {net:+.3f} bp a trade over holding the same share",
        *shapes[document["shape"]],
        f"the best of {count} is chosen, not found: luck_bp is what luck alone gives, at 95 %",
    ]
    if p_value is None:
        return [*lines, "too few bars to test whether any window beats holding the same share"]
    verdict = "a window beats" if p_value <= SURE else "no window is shown to beat"
    return [*lines, f"{verdict} holding the same share of the time after costs: p = {p_value:.3f}"]
