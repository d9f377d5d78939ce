"""This module evaluates each symbol of a run by itself: a row for every symbol."""

from typing import Any

from rollsignal.analysis.decided_run import DecidedRun, PastSeries
from rollsignal.analysis.excess import t_value
from rollsignal.analysis.figures import flips_of
from rollsignal.analysis.forward import forward
from rollsignal.analysis.fragility import fragility
from rollsignal.analysis.returns import above_zero
from rollsignal.analysis.timeline import timeline
from rollsignal.analysis.traded import Traded, traded
from rollsignal.analysis.trading import Holding
from rollsignal.core.timestamps.reader import iso
from rollsignal.outputs.row_files import row_file

SymbolRow = dict[str, Any]


def symbol_rows(run: DecidedRun) -> list[SymbolRow]:
    """Evaluate each symbol; the rows are sorted by symbol. None where there is no answer."""
    import numpy as np

    lasts = [each.last_ns for each in run.series]
    known = [last for last in lasts if last is not None]
    last = max(known) if len(known) == len(lasts) else None
    with np.errstate(all="ignore"):
        return [_row_of(each, run, last) for each in run.series]


def _row_of(series: PastSeries, run: DecidedRun, last_ns: int | None) -> SymbolRow:
    settings = run.config.evaluate
    priced = [above_zero(series)]
    held = Holding(priced, timeline(priced), settings.delay)
    found = traded(held, settings, flips_of([series]), None)
    return {
        **_facts_of_series(series, run.window, last_ns),
        **_figures(found, held),
        **{
            f"difference_{horizon}": forward(held, horizon).difference
            for horizon in settings.horizons
        },
        "break_even_bp": found.trading.break_even_bp,
    }


def _facts_of_series(series: PastSeries, window: int, last_ns: int | None) -> SymbolRow:
    fragile = fragility(series, window)
    return {
        "symbol": series.symbol,
        "bars": series.rows,
        "signals": int((series.signals <= 1).sum()),
        "ones": int((series.signals == 1).sum()),
        "ties": fragile.ties,
        "one_tick": fragile.one_tick,
        "tick": fragile.tick,
        "first_timestamp": None if series.first_ns is None else iso(series.first_ns),
        "last_timestamp": None if series.last_ns is None else iso(series.last_ns),
        "late": None if last_ns is None else series.last_ns != last_ns,
    }


def _figures(found: Traded, held: Holding) -> SymbolRow:
    trading, excess = found
    return {
        "flips": trading.flips,
        "trades": trading.trades,
        "time_in_market": trading.time_in_market,
        "growth_net": trading.net.growth,
        "growth_gross": trading.gross.growth,
        "growth_held": trading.held.growth,
        "max_drawdown": trading.net.max_drawdown,
        "sharpe": trading.net.sharpe,
        "excess": excess.gross,
        "excess_t": t_value(held, excess.gross),
    }


def rendered_rows(rows: list[SymbolRow], suffix: str) -> bytes:
    """Return the rows as a file that ends in `.csv`, `.json` or `.parquet`."""
    return row_file({name: _type_of(name) for name in rows[0]}, rows, suffix)


def _type_of(name: str) -> type:
    if name in ("symbol", "tick", "first_timestamp", "last_timestamp"):
        return str
    if name in ("bars", "signals", "ones", "ties", "one_tick", "flips", "trades"):
        return int
    return bool if name == "late" else float
