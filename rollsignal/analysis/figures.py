"""This module evaluates a run: it computes every figure, and judges by them."""

from collections.abc import Sequence
from typing import NamedTuple

from rollsignal.analysis.decided_run import DecidedRun, PastSeries
from rollsignal.analysis.evaluation import (
    NO_VERDICTS,
    Coverage,
    EvaluatedRun,
    Evaluation,
    Rate,
    Reckoning,
)
from rollsignal.analysis.forward import Forward, forward, with_interval
from rollsignal.analysis.fragility import all_fragilities, fragility, tick_of
from rollsignal.analysis.frequency import Rates, rates
from rollsignal.analysis.returns import above_zero
from rollsignal.analysis.timeline import timeline
from rollsignal.analysis.traded import traded
from rollsignal.analysis.trading import Holding
from rollsignal.analysis.verdicts import verdicts
from rollsignal.core.timestamps.reader import iso
from rollsignal.messages import shown_path
from rollsignal.outputs.metrics import signal_rate

SHOWN_LATE = 5


class Evaluated(NamedTuple):
    """An evaluation, and the rates over time that its text and its page draw."""

    evaluation: Evaluation
    over_time: Rates


def evaluate(run: DecidedRun) -> Evaluated:
    """Compute all figures of a run."""
    import numpy as np

    # What no double can hold is infinite or not a number at first, and None in the end.
    with np.errstate(all="ignore"):
        return _evaluated(run)


def _evaluated(run: DecidedRun) -> Evaluated:
    settings, seed = run.config.evaluate, run.config.seed
    priced = [above_zero(each) for each in run.series]
    held = Holding(priced, timeline(priced), settings.delay)
    over_time = rates(run.series)
    trading, excess = traded(held, settings, flips_of(run.series), seed)
    evaluation = Evaluation(
        evaluated_run(run),
        Reckoning(list(settings.horizons), *settings[1:], seed),
        _rate(run, over_time),
        all_fragilities(
            (fragility(each, run.window) for each in run.series),
            ((tick_of(each), each.scale) for each in run.series),
        ),
        _coverage(run.series),
        _forward(held, settings.horizons, seed),
        trading,
        excess,
        sum(len(each.closes) for each in run.series) - sum(len(each.closes) for each in priced),
        NO_VERDICTS,
    )
    evaluation = evaluation._replace(verdicts=verdicts(evaluation, run.record))
    return Evaluated(evaluation, over_time)


def _forward(held: Holding, horizons: Sequence[int], seed: int) -> list[Forward]:
    found = [forward(held, horizon) for horizon in horizons]
    return found if held.line is None else [with_interval(each, held, seed) for each in found]


def flips_of(series: Sequence[PastSeries]) -> int:
    """Count the changes between bars that follow each other and both have a signal."""
    found = 0
    for each in series:
        # Signals are 0 and 1; only a change between these two has the sum 1.
        found += int((each.signals[1:] + each.signals[:-1] == 1).sum())
    return found


def evaluated_run(run: DecidedRun) -> EvaluatedRun:
    """Return which run it is that figures are made of."""
    tally = run.tally
    first, last = _time_span(run.series)
    return EvaluatedRun(
        shown_path(run.path), run.window, len(run.series), tally.rows, tally.signals, first, last
    )


def _time_span(series: Sequence[PastSeries]) -> tuple[str | None, str | None]:
    """Return the first and the last time; None where a series has none."""
    firsts = [each.first_ns for each in series if each.first_ns is not None]
    lasts = [each.last_ns for each in series if each.last_ns is not None]
    if len(firsts) < len(series):
        return None, None
    return iso(min(firsts)), iso(max(lasts))


def _rate(run: DecidedRun, over_time: Rates) -> Rate:
    tally = run.tally
    value = signal_rate(run.config, tally) if tally.signals else None
    last = over_time.rates[-1] if over_time.rates else None
    return Rate(value, over_time.period, last, over_time.usual, over_time.whole)


def _coverage(series: Sequence[PastSeries]) -> Coverage:
    lasts = {each.symbol: each.last_ns for each in series if each.last_ns is not None}
    if len(lasts) < len(series):
        return Coverage(None, None, [])
    last = max(lasts.values())
    late = [symbol for symbol, own in lasts.items() if own < last]
    return Coverage(iso(last), len(late), late[:SHOWN_LATE])
