"""Laws of decimal columns: a type with more decimals than its values need costs nothing."""

from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.kernel import INT64_MAX
from rollsignal.files.find import inputs_of
from rollsignal.readers.columnar import FrameReader
from rollsignal.readers.columns import ticks_of_decimals
from tests.support import configs

ten_thousandths = st.integers(-(10**14), 10**14)
any_units = st.integers(-(10**38) + 1, 10**38 - 1) | st.integers(-(10**20), 10**20)


def units_of(numbers: list[int]) -> pl.Series:
    return pl.Series(numbers, dtype=pl.Int128)


@given(st.lists(ten_thousandths, min_size=1), st.integers(4, 22), st.integers(1, 1000))
def test_prices_in_a_wide_decimal_are_found_on_arrays(
    numbers: list[int], scale: int, window: int
) -> None:
    units = [number * 10 ** (scale - 4) for number in numbers]
    ticks = ticks_of_decimals(units_of(units), scale, window)
    assert ticks is not None
    exact = [Fraction(number, 10**4) for number in numbers]
    assert [Fraction(tick, 10**ticks.scale) for tick in ticks.values.tolist()] == exact


@given(st.lists(any_units, min_size=1), st.integers(0, 30), st.integers(1, 1000))
def test_a_decimal_is_exact_or_left_to_plain_numbers(
    units: list[int], scale: int, window: int
) -> None:
    ticks = ticks_of_decimals(units_of(units), scale, window)
    if ticks is None:
        assert 2 * window * max(map(abs, units)) > INT64_MAX
    else:
        values = [Fraction(tick, 10**ticks.scale) for tick in ticks.values.tolist()]
        assert values == [Fraction(unit, 10**scale) for unit in units]
        assert max(map(abs, ticks.values.tolist())) <= ticks.most


@given(st.integers(2**49, 2**50), st.integers(-2, 2), st.integers(16, 18))
def test_a_remainder_of_one_unit_is_seen(quotient: int, rest: int, scale: int) -> None:
    ticks = ticks_of_decimals(units_of([quotient * 10**scale + rest]), scale, 1)
    assert (ticks is None) == (rest != 0 or quotient == 2**50)


@pytest.mark.parametrize("late", ["0.123456789012345678", "1234567890.123456789"])
def test_one_close_that_needs_all_decimals_is_read_as_text(tmp_path: Path, late: str) -> None:
    path = tmp_path / "bars.parquet"
    config = configs.read(tmp_path, configs.with_setting("window", "20"))
    prices = [f"{cents / 100:.2f}" for cents in range(1, 3000)]
    for cells, is_array in ((prices, True), ([*prices, late], False)):
        table = pl.DataFrame({"close": cells}).cast(pl.Decimal(38, 18))
        table.write_parquet(path)
        reader = FrameReader(inputs_of([str(path)])[0], "parquet", config)
        batches = list(reader.batches())
        assert all(isinstance(batch, ArrayBatch) for batch in batches) == is_array
        plain = [batch.plain().closes for batch in batches]
        read = [Fraction(tick or 0, 10**closes.scale) for closes in plain for tick in closes.values]
        assert read == list(map(Fraction, cells))
