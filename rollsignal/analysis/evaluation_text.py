"""This module writes an evaluation as one screen of text."""

from collections.abc import Sequence

from rollsignal.analysis.evaluation import EvaluatedRun, Evaluation, Judgement, Performance
from rollsignal.analysis.forward import Forward
from rollsignal.analysis.text_table import aligned
from rollsignal.analysis.trading import BASIS_POINTS
from rollsignal.messages import escaped, plural

BARS_OF_LINE = "▁▂▃▄▅▆▇█"
NO_ANSWER = "-"
SHOWN_DIGITS = 20


def evaluation_text(evaluation: Evaluation, over_time: Sequence[float]) -> str:
    """Write an evaluation. over_time: the signal rates that the line of the rate draws."""
    lines = [
        *_head(evaluation),
        "",
        *_verdict("trust", evaluation.verdicts.trust),
        *_verdict("good", evaluation.verdicts.good),
        "",
        *_rate_lines(evaluation, over_time),
        _fragility_line(evaluation),
        _coverage_line(evaluation),
        "",
        *_forward_lines(evaluation.forward),
        "",
        *_trading_lines(evaluation),
    ]
    return "\n".join(lines) + "\n"


def _head(evaluation: Evaluation) -> list[str]:
    settings = evaluation.settings
    later = "at its own close" if not settings.delay else f"{plural(settings.delay, 'bar')} later"
    return [
        run_heading(evaluation.run),
        f"a signal is acted on {later}, a change of position costs {settings.cost_bp} bp",
    ]


def run_heading(run: EvaluatedRun) -> str:
    """Return a line that says which run it is."""
    span = f", {run.first} to {run.last}" if run.first else ", without times"
    symbols = f"{plural(run.symbols, 'symbol')}, " if run.symbols > 1 else ""
    return f"{run.path}: window {run.window}, {symbols}{plural(run.bars, 'bar')}{span}"


def _verdict(name: str, judgement: Judgement) -> list[str]:
    first, *more = map(escaped, judgement.why or [""])
    verdict = judgement.verdict or "unknown"
    head = f"{name + ':':<7}{verdict}" + (f": {first}" if first else "")
    return [head, *(" " * 7 + reason for reason in more)]


def _rate_lines(evaluation: Evaluation, over_time: Sequence[float]) -> list[str]:
    rate = evaluation.rate
    value = f"rate   {_rate_text(rate.value)} of {plural(evaluation.run.signals, 'signal')}"
    if rate.period is None:
        return [f"{value}; how it went over time is not known"]
    usual = "too few to say what is usual"
    if rate.usual is not None:
        usual = f"usually {_rate_text(rate.usual[0])} to {_rate_text(rate.usual[1])}"
    return [
        f"{value}; by {rate.period}, the last {_rate_text(rate.last)}, {usual}",
        f"       {sparkline(over_time)}",
    ]


def sparkline(values: Sequence[float]) -> str:
    """Draw values as bars between their least and their greatest.

    >>> sparkline([0.0, 0.25, 1.0])
    '▁▃█'
    """
    if not values:
        return ""
    least, most = min(values), max(values)
    unit = (len(BARS_OF_LINE) - 1) / (most - least) if most > least else 0.0
    return "".join(BARS_OF_LINE[int((value - least) * unit + 0.5)] for value in values)


def _fragility_line(evaluation: Evaluation) -> str:
    found, signals = evaluation.fragility, evaluation.run.signals
    if found.ties is None:
        return "ties   not known: the first windows reach before the first bar"
    text = f"ties   {plural(found.ties, 'close')} on the mean"
    if found.one_tick is None or found.tick is None:
        return f"{text}; all closes are the same"
    share = _percent(found.one_tick / signals) if signals else NO_ANSWER
    turning = plural(found.one_tick, "signal")
    return f"{text}; {turning} ({share}) hang on one tick of {_short(found.tick)}"


def _coverage_line(evaluation: Evaluation) -> str:
    found = evaluation.coverage
    if found.late is None:
        return "last   not known: there are no times"
    if not found.late:
        return f"last   {found.last}, no symbol is late"
    more = ", ..." if found.late > len(found.first_late) else ""
    names = escaped(", ".join(found.first_late))
    return f"last   {found.last}, {plural(found.late, 'symbol')} late: {names}{more}"


def _forward_lines(rows: Sequence[Forward]) -> list[str]:
    head = ("bars ahead", "after 1", "after 0", "difference", "95 % of it", "rose", "rose")
    table = [
        (
            f"{row.horizon:,}",
            *map(_bp, (row.mean_one, row.mean_zero, row.difference)),
            _interval_text(row.interval),
            *map(_percent, (row.rose_one, row.rose_zero)),
        )
        for row in rows
    ]
    return aligned([head, *table], left=1)


def _trading_lines(evaluation: Evaluation) -> list[str]:
    trading, excess = evaluation.trading, evaluation.excess
    head = ("holding", "growth", "a year", "volatility", "Sharpe", "deepest fall", "from")
    rows = {"net": trading.net, "gross": trading.gross, "always": trading.held}
    table = [_performance_cells(name, row) for name, row in rows.items()]
    breaks_even = (
        ""
        if trading.break_even_bp is None
        else (f", breaks even at {trading.break_even_bp:.4g} bp")
    )
    bars = NO_ANSWER if trading.holding_bars is None else f"{trading.holding_bars:.3g}"
    return [
        *aligned([head, *table], left=1),
        f"{plural(trading.trades, 'change')} of position, held {_percent(trading.time_in_market)}"
        f" of the time, {bars} bars at once{breaks_even}",
        f"timing adds {_bp(excess.gross)} a bar {_interval_text(excess.gross_interval)},"
        f" after costs {_bp(excess.net)} {_interval_text(excess.net_interval)}",
    ]


def _performance_cells(name: str, row: Performance) -> tuple[str, ...]:
    growth = NO_ANSWER if row.growth is None else f"{row.growth:.4g}"
    sharpe = NO_ANSWER if row.sharpe is None else f"{row.sharpe:.2f}"
    return (
        *(name, growth, _percent(row.return_per_year), _percent(row.volatility), sharpe),
        *(_percent(row.max_drawdown), row.from_ or NO_ANSWER),
    )


def _rate_text(value: float | None) -> str:
    return NO_ANSWER if value is None else f"{value:.4f}"


def _short(digits: str) -> str:
    return digits if len(digits) <= SHOWN_DIGITS else f"{digits[:SHOWN_DIGITS]}..."


def _percent(value: float | None) -> str:
    return NO_ANSWER if value is None else f"{100 * value:.1f} %"


def _bp(value: float | None) -> str:
    return NO_ANSWER if value is None else f"{BASIS_POINTS * value:.3g} bp"


def _interval_text(interval: list[float] | None) -> str:
    if interval is None:
        return f"({NO_ANSWER})"
    low, high = (f"{BASIS_POINTS * end:.3g}" for end in interval)
    return f"({low} to {high})"
