"""This module decides the bars of a DataFrame of Spark, exactly and on its cluster.

It is imported by its name, `rollsignal.spark`, and needs the extra `spark` or `spark-connect`.
"""

import logging
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast, get_args

from rollsignal.config.rules import NO_SYMBOLS, SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig, Level
from rollsignal.core.digest import hex_text
from rollsignal.core.ledger import Missing
from rollsignal.engines.interface import Task
from rollsignal.engines.spark.tables import TableOfTask
from rollsignal.files.find import Input
from rollsignal.messages import LogLevel
from rollsignal.outputs.signals.column_types import DECIMAL_DIGITS
from rollsignal.outputs.summary import SummaryRow, summary_rows

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa
    from pyspark.sql import DataFrame

    from rollsignal.core.decisions import Decided
    from rollsignal.core.findings import Found
    from rollsignal.core.kernel import Tally

NAME = "DataFrame"


def decide(  # noqa: PLR0913  # the settings of a job
    bars: "DataFrame",
    window: int,
    close: str = "close",
    timestamp: str = "timestamp",
    symbol: str | None = None,
    missing: Missing = "error",
    checks: Mapping[str, Level] | None = None,
) -> "DecidedTable":
    """Decide the signal of every bar of a DataFrame, in the order of time of each series.

    bars: rows in any order. window: bars, at least 1, the current one included. close: a column of
    numbers, decimals or text; a float stands for the shortest decimal that identifies it.
    timestamp: a column of timestamp, timestamp_ntz or date. symbol: the column of symbols; None for
    a column called symbol or ticker if there is one, "none" if all bars are one series. missing,
    checks: as in the config of a job, `{"duplicates": "warn"}` for example.

    Reads the bars twice: once to find where to cut them into pieces, once to decide. Raises
    `ValueError` for a wrong setting, and `JobError` for bars that cannot be trusted. Findings go to
    the logger `rollsignal`.
    """
    config = _job_config(window, missing, checks or {})
    in_column = None if symbol is None else SymbolFrom(symbol)
    columns = Columns(close, timestamp, NO_SYMBOLS if symbol == "none" else in_column)
    config = config._replace(columns=columns)
    task = Task([Input(NAME, NAME, "table", None, ())], config, digest=True)
    table = TableOfTask(task, bars, _log_finding)
    return DecidedTable(table, table.decide(), config)


def signals(  # noqa: PLR0913  # the settings of a job
    bars: "DataFrame",
    window: int,
    close: str = "close",
    timestamp: str = "timestamp",
    symbol: str | None = None,
    missing: Missing = "error",
    checks: Mapping[str, Level] | None = None,
) -> "DataFrame":
    """Return the signals of a DataFrame, as `decide(...).signals` does."""
    return decide(bars, window, close, timestamp, symbol, missing, checks).signals


class DecidedTable:
    """What is decided of a DataFrame.

    `tally` counts rows, signals, ones and ties. `digest` is that of all signals, as in the record
    of a job. `summary` has a row for each symbol.
    """

    def __init__(self, table: TableOfTask, found: "Found", config: JobConfig) -> None:
        self._table = table
        self._found = found
        self._config = config
        self.tally: Tally = found.tally
        self.digest = hex_text(found.digest or 0)

    @property
    def summary(self) -> list[SummaryRow]:
        """Return the results of each symbol, sorted by symbol, as `--summary` writes them."""
        return summary_rows(self._found.accounts, self._config)

    @cached_property
    def signals(self) -> "DataFrame":
        """Return a row for every bar, in no order, as `--signals` writes them.

        The columns are timestamp, of the type that was given, symbol, close (a decimal, or text if
        it has more than 38 digits), rolling_mean and signal. Each use of this DataFrame decides the
        bars again, and fails if they are not those that `decide` saw.
        """
        whole, decimals = self._table.close_digits
        fits = whole + decimals <= DECIMAL_DIGITS
        kind = self._table.columns.types[self._table.columns.timestamp]
        frames = SignalFrames(self._config.window, kind, decimals if fits else None)
        return self._table.signals(frames.frame_of, frames.schema(), frames.ddl())


class SignalFrames(NamedTuple):
    """How decided bars become rows of a DataFrame of Spark.

    stamp: how Spark calls the type of the timestamps. decimals: those of closes, None for text.
    """

    window: int
    stamp: str
    decimals: int | None

    def frame_of(self, bars: "Decided") -> "pl.DataFrame":
        """Return a row for every bar."""
        import polars as pl

        from rollsignal.outputs.signals.frames import frame_of

        types = {"timestamp": pl.Datetime("us", "UTC"), "close": self._close_type()}
        frame = frame_of(bars, self.window, types)
        stamp = pl.col("timestamp")
        if self.stamp != "timestamp":
            is_date = self.stamp == "date"
            stamp = stamp.cast(pl.Date) if is_date else stamp.dt.replace_time_zone(None)
        return frame.with_columns(stamp)

    def _close_type(self) -> "pl.DataType":
        import polars as pl

        text = self.decimals is None
        return pl.String() if text else pl.Decimal(DECIMAL_DIGITS, cast(int, self.decimals))

    def schema(self) -> "pa.Schema":
        """Return the columns as Arrow calls them."""
        import pyarrow as pa

        zone = "UTC" if self.stamp == "timestamp" else None
        stamp = pa.date32() if self.stamp == "date" else pa.timestamp("us", zone)
        text = self.decimals is None
        close = pa.string() if text else pa.decimal128(DECIMAL_DIGITS, self.decimals)
        fields = {"timestamp": stamp, "symbol": pa.string(), "close": close}
        return pa.schema({**fields, "rolling_mean": pa.float64(), "signal": pa.int8()})

    def ddl(self) -> str:
        """Return the columns as Spark declares them."""
        text = self.decimals is None
        close = "string" if text else f"decimal({DECIMAL_DIGITS},{self.decimals})"
        first = f"timestamp {self.stamp}, symbol string, close {close}"
        return f"{first}, rolling_mean double, signal tinyint"


def _job_config(window: int, missing: str, checks: Mapping[str, str]) -> JobConfig:
    """Return the config of a job; raises `ValueError` for a wrong setting."""
    if isinstance(window, bool) or not isinstance(window, int) or not 1 <= window <= 10**9:
        raise ValueError(f"window is {window!r}, not a whole number of bars of at least 1")
    if missing not in get_args(Missing):
        raise ValueError(f"missing is {missing!r}, not one of {', '.join(get_args(Missing))}")
    for name, level in checks.items():
        if name not in Checks._fields:
            raise ValueError(f"checks has {name!r}, not one of {', '.join(Checks._fields)}")
        if level not in get_args(Level):
            raise ValueError(
                f"checks: {name} is {level!r}, not one of {', '.join(get_args(Level))}"
            )
    levels = Checks(**cast("dict[str, Level]", dict(checks)))
    return JobConfig(0, window, NAME, missing=cast(Missing, missing), checks=levels)


def _log_finding(level: LogLevel, text: str) -> None:
    number = logging.getLevelNamesMapping()[level]
    logging.getLogger("rollsignal").log(number, text)
