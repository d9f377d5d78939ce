"""Laws of the Python API: every container gets the oracle's signals, in its own kind."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import rollsignal
from rollsignal import JobError, rolling_signal
from rollsignal.errors import DataError
from tests import oracle
from tests.strategies import Series, series, spelled, windows_of

Answer = tuple[list[int | None], list[float | None]]
Maker = Callable[[list[float]], Any]


def plain(found: Any) -> list[Any]:
    """Turn signals or means of any kind into a list with None for nothing."""
    return [None if value is pd.NA else value for value in list(getattr(found, "tolist", found.to_list if hasattr(found, "to_list") else found.copy)())]


def answer(closes: Any, window: int, **options: Any) -> Answer:
    signals, means = rolling_signal(closes, window, **options)
    return plain(signals), plain(means)


def expected(texts: Sequence[str | None], window: int) -> Answer:
    closes = oracle.prices(texts)
    return oracle.signals(closes, window), oracle.means(closes, window)
