"""This module declares all that a page shows: figures of a run, frozen, none computed later."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rollsignal.analysis.audit import Audit
from rollsignal.analysis.breadth import Breadth
from rollsignal.analysis.curves import Curves
from rollsignal.analysis.distances import Distances
from rollsignal.analysis.evaluation import Evaluation
from rollsignal.analysis.frequency import Rates
from rollsignal.analysis.past_run import PastRun
from rollsignal.analysis.sweep import Sweep
from rollsignal.analysis.symbols_now import SymbolNow
from rollsignal.messages import plural, without_secrets
from rollsignal.outputs.record.document import Record, Setting
from rollsignal.report.numbers import moments, plain

CHANGED_ROWS = 20


class SymbolLine(NamedTuple):
    """A symbol, its place in the run, its figures and its end. Shares are of 1, not of 100."""

    place: int
    symbol: str
    late: bool | None
    last: str | None
    bars: int
    rate: float | None
    ties: int | None
    net: float | None
    held: float | None
    excess_t: float | None
    now: SymbolNow


class Figures(NamedTuple):
    """What is known of a run with its signals: its evaluation, and lines to draw.

    now: the end of the only series; None for a panel, of which `symbols` are the series.
    """

    evaluation: Evaluation
    over_time: Rates
    curves: Curves | None
    breadth: Breadth | None
    distances: Distances
    now: SymbolNow | None
    symbols: list[SymbolLine]


class ChangedBar(NamedTuple):
    """A bar that differs from another run."""

    change: str
    cause: str
    symbol: str
    timestamp: str | None
    close_before: str | None
    close_now: str | None
    signal_before: int | None
    signal_now: int | None


class Changes(NamedTuple):
    """What changed since another run, named `former`.

    counts: signals, and other differences of bars, by their kind; None where only the digests were
    compared. is_recorded: whether the settings and versions of both runs are known. facts: those
    that differ, and inputs: kind, name, before, now.
    """

    former: str
    equal: bool
    counts: dict[str, int] | None
    causes: dict[str, int]
    is_recorded: bool
    facts: list[tuple[str, str, str, str]]
    rows: list[ChangedBar]


class Page(NamedTuple):
    """All that a page shows. None: not known, or not asked for; `why_none` says why no figures.

    settings: those of the record, else those that the figures were made with.
    """

    path: str
    record: Record | None
    settings: Mapping[str, Setting]
    figures: Figures | None
    why_none: str | None
    sweep: Sweep | None
    audit: Audit | None
    absent_tools: list[str]
    changes: Changes | None
    version: str

    @property
    def name(self) -> str:
        """Return what the page is about: an input, several of them, or signals."""
        inputs = [read.file.path for read in self.record.inputs] if self.record else []
        asked = self.record.asked.inputs if self.record else []
        named = inputs if len(inputs) == 1 else asked if len(asked) == 1 else []
        if named:
            path = without_secrets(named[0])
            return os.path.basename(path.rstrip("/")) or path
        if len(inputs) > 1:
            return plural(len(inputs), "file")
        return os.path.basename(self.path.rstrip("/")) or self.path

    @property
    def is_panel(self) -> bool:
        """Return whether there are several symbols."""
        return self.figures is not None and self.figures.evaluation.run.symbols > 1


def page_above(page: Page) -> str:
    """Return what stands above the name: the window, the rate and the signal now."""
    if page.figures is None:
        window = page.settings.get("window")
        return f"window {window.value}" if window else "the run of"
    evaluation = page.figures.evaluation
    parts = [f"window {evaluation.run.window:,}"]
    if page.is_panel:
        parts.append(plural(evaluation.run.symbols, "symbol"))
    rate = evaluation.rate.value
    parts.append("no signals" if rate is None else f"rate {plain(rate, 4)}")
    if page.figures.now is not None and page.figures.now.signal is not None:
        parts.append(f"last signal {page.figures.now.signal}")
    return " · ".join(parts)


def page_below(page: Page) -> str:
    """Return what stands below the name: how many bars, from when to when."""
    if page.figures is None:
        tally = page.record.tally if page.record else None
        return plural(tally.rows, "bar") if tally else "no bars are known"
    run = page.figures.evaluation.run
    span = f", {moments(run.first, run.last)} UTC" if run.first and run.last else ", without times"
    return plural(run.bars, "bar") + span


def changes_of(document: Mapping[str, Any], former: str) -> Changes:
    """Take from a difference, the former run first, what a page shows."""
    facts = [
        (kind, name, _fact(pair["a"]), _fact(pair["b"]))
        for kind in ("settings", "versions", "inputs")
        for name, pair in (document[kind] or {}).items()
    ]
    rows = [ChangedBar(*row.values()) for row in document.get("rows", [])]
    counts, causes = document.get("counts"), document.get("causes", {})
    if document["equal"]:
        counts = {}
    return Changes(
        former=without_secrets(former),
        equal=document["equal"],
        counts=counts,
        causes=causes,
        is_recorded=None not in (document["settings"], document["versions"]),
        facts=facts,
        rows=rows,
    )


def _fact(value: object) -> str:
    return "–" if value is None else str(value)


def symbol_lines(rows: Sequence[Mapping[str, Any]], now: Sequence[SymbolNow]) -> list[SymbolLine]:
    """Join the figures of symbols with their ends: late ones first, then by the size of their t."""
    lines = [
        SymbolLine(
            place=place,
            symbol=row["symbol"],
            late=row["late"],
            last=row["last_timestamp"],
            bars=row["bars"],
            rate=row["ones"] / row["signals"] if row["signals"] else None,
            ties=row["ties"],
            net=_gain(row["growth_net"]),
            held=_gain(row["growth_held"]),
            excess_t=row["excess_t"],
            now=end,
        )
        for place, (row, end) in enumerate(zip(rows, now, strict=True))
    ]
    return sorted(lines, key=lambda line: (not line.late, -abs(line.excess_t or 0)))


def _gain(growth: float | None) -> float | None:
    return None if growth is None else growth - 1


def why_no_figures(past: PastRun) -> str | None:
    """Return why a run has no figures; None if it has."""
    record = past.record
    if record is not None and record.status == "running":
        return "the run did not end"
    if record is not None and record.status == "error":
        return "the run failed"
    return None if past.signals else "the run left no signals"
