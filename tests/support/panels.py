"""This module draws panels of a few series, and says by definition what is decided of them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import polars as pl
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from tests.support import oracle

START = datetime(2024, 2, 28, 23, 50)
EPOCH = datetime(1970, 1, 1)
HEADER = "timestamp,symbol,close\n"
# Ties are common; a quarter and a large price change the scale and leave small integers.
CLOSES = [
    "1",
    "1",
    "2",
    "2.0",
    "3.25",
    "-7",
    "0",
    "2147483647",
    "1e3",
    "123456789012345.6",
    "99999999999999999999",
]


class PanelRow(NamedTuple):
    """A bar: its minute, its symbol, and its close as written, empty where it is missing."""

    minute: int
    symbol: str
    close: str

    @property
    def time(self) -> datetime:
        return START + timedelta(minutes=self.minute)

    @property
    def ns(self) -> int:
        return (self.time - EPOCH) // timedelta(microseconds=1) * 1000


class Panel(NamedTuple):
    """Bars in the order of time, and the settings with which they are decided."""

    rows: list[PanelRow]
    config: JobConfig

    def write(self, folder: Path, cuts: Sequence[slice], kinds: Sequence[str]) -> list[Path]:
        """Write consecutive rows to files, as CSV or Parquet."""
        paths = []
        for number, (cut, kind) in enumerate(zip(cuts, kinds, strict=False)):
            paths.append(folder / f"{number:02}.{kind}")
            paths[-1].write_bytes(
                as_csv(self.rows[cut]) if kind == "csv" else as_parquet(self.rows[cut])
            )
        return paths


def as_csv(rows: Sequence[PanelRow]) -> bytes:
    return (HEADER + "".join(f"{row.time},{row.symbol},{row.close}\n" for row in rows)).encode()


def as_parquet(rows: Sequence[PanelRow]) -> bytes:
    columns = [("timestamp", pl.Datetime("ms")), ("symbol", pl.String()), ("close", pl.String())]
    table = [(row.time, row.symbol, row.close or None) for row in rows]
    file = io.BytesIO()
    pl.DataFrame(table, schema=columns, orient="row").write_parquet(file, row_group_size=5)
    return file.getvalue()


@st.composite
def panels(draw: DrawFn, *, missing: bool = True, steps: Sequence[int] = (0, 1, 1, 1, 5)) -> Panel:
    """Draw a panel of which one series may have nearly all bars."""
    names = draw(st.sampled_from([["A"], ["A", "B"], ["A"] * 9 + ["B", "C", "D"]]))
    cells = st.sampled_from([*CLOSES, *([""] * 2 if missing else [])])
    bars = draw(
        st.lists(
            st.tuples(st.sampled_from(names), cells, st.sampled_from(steps)),
            min_size=2,
            max_size=40,
        )
    )
    rows, minute, reached = list[PanelRow](), 0, dict[str, int]()
    for symbol, close, step in bars:
        minute = max(minute + step, reached.get(symbol, -1) + 1)
        reached[symbol] = minute
        rows.append(PanelRow(minute, symbol, close))
    return Panel(
        rows,
        JobConfig(
            seed=1,
            window=draw(st.integers(1, 5)),
            version="v",
            missing=draw(st.sampled_from(["skip", "gap"])),
            columns=Columns(symbol=SymbolFrom("symbol")),
        ),
    )


class DecidedRow(NamedTuple):
    """What is decided of a bar, by definition; without a mean there is no signal."""

    row: PanelRow
    close: Fraction | None
    mean: float | None
    signal: int | None
    is_tie: bool

    @property
    def text(self) -> str:
        """Write the bar as `--signals` does."""
        mean, signal = ("" if value is None else value for value in (self.mean, self.signal))
        stamp = self.row.time.isoformat() + "Z"
        return f"{stamp},{self.row.symbol},{plainly(self.close)},{mean},{signal}\n"


def decided(panel: Panel) -> list[DecidedRow]:
    """Decide every bar of a panel on the fractions of its text."""
    closes_of: dict[str, list[Fraction | None]] = {}
    answers = []
    window, skips = panel.config.window, panel.config.missing == "skip"
    for row in panel.rows:
        close = oracle.price(row.close) if row.close else None
        closes = closes_of.setdefault(row.symbol, [])
        if close is None and skips:
            answers.append(DecidedRow(row, None, None, None, False))
            continue
        closes.append(close)
        last = [price for price in closes[-window:] if price is not None]
        if close is None or len(last) < window:
            answers.append(DecidedRow(row, close, None, None, False))
            continue
        mean = sum(last) / window
        answers.append(DecidedRow(row, close, float(mean), int(close > mean), close == mean))
    return answers


def tally_of(rows: Sequence[DecidedRow]) -> tuple[int, int, int, int, int]:
    """Count rows, missing closes, signals, ones and ties."""
    signals = [row.signal for row in rows if row.signal is not None]
    missing = sum(row.close is None for row in rows)
    return len(rows), missing, len(signals), sum(signals), sum(row.is_tie for row in rows)


def digest_of(rows: Sequence[DecidedRow]) -> int:
    return oracle.digest([(row.row.symbol, row.row.ns, row.signal) for row in rows])


def plainly(close: Fraction | None) -> str:
    """Write a price with as many decimals as it needs, and without an exponent."""
    if close is None:
        return ""
    places = next(places for places in range(40) if (close * 10**places).denominator == 1)
    digits = str(abs(int(close * 10**places))).rjust(places + 1, "0")
    whole, decimals = digits[: len(digits) - places], digits[len(digits) - places :]
    return "-" * (close < 0) + whole + (f".{decimals}" if places else "")
