"""Laws of the Python API: every container gives the oracle's signals, in the same container."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rollsignal
from rollsignal import rolling_signal
from rollsignal.errors import DataError, InputError, UsageError
from tests.support import oracle
from tests.support.shell import command
from tests.support.strategies import SPIKE, Series, series, spelled, windows_of

Answer = tuple[list[int | None], list[float | None]]

OF_DOUBLES: dict[str, Callable[[list[float]], Any]] = {
    "list": list,
    "tuple": tuple,
    "iterator": iter,
    "decimals": lambda closes: [Decimal(repr(close)) for close in closes],
    "list of NumPy doubles": lambda closes: list(np.array(closes, np.float64)),
    "array": lambda closes: np.array(closes, np.float64),
    "array of objects": lambda closes: np.array([*closes, None], object)[:-1],
    "pandas": lambda closes: pd.Series(closes, dtype="float64"),
    "pandas, nullable": lambda closes: pd.Series(closes, dtype="Float64"),
    "pandas, objects": lambda closes: pd.Series(closes, dtype=object),
    "polars": lambda closes: pl.Series(closes, dtype=pl.Float64),
}
OF_SINGLES: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "array": np.array,
    "pandas": pd.Series,
    "pandas, nullable": lambda closes: pd.Series(closes, dtype="Float32"),
    "pandas, objects": lambda closes: pd.Series(list(closes), dtype=object),
    "polars": pl.Series,
}
OF_GAPS: dict[str, Callable[[list[float | None]], Any]] = {
    "list": list,
    "nan": lambda closes: [float("nan") if close is None else close for close in closes],
    "decimal nan": lambda closes: [Decimal("nan") if close is None else close for close in closes],
    "array": lambda closes: np.array(closes, np.float64),
    "array of objects": lambda closes: np.array([*closes, None], object)[:-1],
    "masked array": lambda closes: np.ma.array(
        [999.0 if close is None else close for close in closes],
        mask=[close is None for close in closes],
    ),
    "pandas": lambda closes: pd.Series(closes, dtype="float64"),
    "pandas, nullable": lambda closes: pd.Series(closes, dtype="Float64"),
    "pandas, NA": lambda closes: pd.Series(
        [pd.NA if c is None else c for c in closes], dtype=object
    ),
    "polars": lambda closes: pl.Series(closes, dtype=pl.Float64),
    "polars nan": lambda closes: pl.Series(np.array(closes, np.float64)),
}

doubles = st.one_of(
    st.integers(-(10**6), 10**6).map(lambda cents: cents / 100),
    st.floats(-1e300, 1e300),
    st.sampled_from([100.1, 0.1, 0.2, 0.3, 1e15 + 0.1, float(SPIKE), -0.0, 5e-324]),
)


def runs_of(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Draw a few values again and again, so that ties are common."""
    few = st.lists(values, min_size=1, max_size=5)
    return few.flatmap(lambda some: st.lists(st.sampled_from(some), max_size=16))


def plain(result: Any) -> list[Any]:
    """List signals or means from any container, with None for a missing one."""
    if not isinstance(result, list):
        result = result.to_list() if isinstance(result, pl.Series) else result.tolist()
    return [None if value is pd.NA else value for value in result]


def answer(closes: Any, window: int, **options: Any) -> Answer:
    signals, means = rolling_signal(closes, window, **options)
    return plain(signals), plain(means)


def expected(texts: Sequence[str | None], window: int) -> Answer:
    closes = oracle.prices(texts)
    return oracle.signals(closes, window), oracle.means(closes, window)


@given(st.data(), series())
def test_texts_and_decimals_in_any_spelling_give_the_oracles_answer(
    data: st.DataObject, bars: Series
) -> None:
    window = data.draw(windows_of(len(bars.ticks)))
    texts = [data.draw(spelled(tick, bars.scale)) for tick in bars.ticks if tick is not None]
    correct = expected(texts, window)
    assert answer(texts, window) == correct
    assert answer([Decimal(text.strip()) for text in texts], window) == correct
    assert answer(pl.Series(texts, dtype=pl.String), window) == correct
    assert answer(np.array(texts, str), window) == correct


@pytest.mark.parametrize("container", OF_DOUBLES)
@settings(max_examples=25)
@given(closes=runs_of(doubles), window=st.integers(1, 8))
def test_doubles_are_their_shortest_decimals_in_every_container(
    container: str, closes: list[float], window: int
) -> None:
    correct = expected([repr(close) for close in closes], window)
    assert answer(OF_DOUBLES[container](closes), window) == correct


@pytest.mark.parametrize("container", OF_SINGLES)
@settings(max_examples=25)
@given(closes=runs_of(st.one_of(doubles.filter(lambda x: abs(x) < 1e38))), window=st.integers(1, 8))
def test_single_floats_are_their_own_shortest_decimals_in_every_container(
    container: str, closes: list[float], window: int
) -> None:
    singles = np.array(closes, np.float32)
    correct = expected([str(close) for close in singles], window)
    assert answer(OF_SINGLES[container](singles), window) == correct


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
)
@settings(max_examples=25)
@given(data=st.data(), window=st.integers(1, 8))
def test_whole_numbers_are_themselves_in_every_container(
    dtype: str, data: st.DataObject, window: int
) -> None:
    limits = np.iinfo(dtype)
    values = st.integers(int(limits.min), int(limits.max))
    closes = data.draw(runs_of(st.one_of(values, st.sampled_from([int(limits.max), 0]))))
    correct = expected([str(close) for close in closes], window)
    array = np.array(closes, dtype)
    assert answer(closes, window) == correct
    assert answer(array, window) == correct
    assert answer(list(array), window) == correct
    assert answer(pd.Series(closes, dtype=dtype), window) == correct
    assert (
        answer(pd.Series(closes, dtype=dtype.replace("i", "I").replace("uI", "UI")), window)
        == correct
    )
    assert answer(pl.Series(array), window) == correct


@pytest.mark.parametrize("container", OF_GAPS)
@settings(max_examples=25)
@given(closes=runs_of(st.one_of(doubles, st.none())), window=st.integers(1, 4))
def test_gaps_leave_the_windows_that_contain_them_without_an_answer(
    container: str, closes: list[float | None], window: int
) -> None:
    correct = expected([None if close is None else repr(close) for close in closes], window)
    assert answer(OF_GAPS[container](closes), window, missing="gap") == correct


MISSING_CLOSE = (
    r"^close 1 \(counted from 0\) is '.*', not a number"
    r' \(missing="gap" leaves the windows with it without a signal\)$'
)


@pytest.mark.parametrize("container", OF_GAPS)
def test_a_missing_close_is_an_error_unless_gaps_are_wanted(container: str) -> None:
    with pytest.raises(DataError, match=MISSING_CLOSE):
        rolling_signal(OF_GAPS[container]([1.5, None, 2.5]), 2)


@pytest.mark.parametrize("number", [1.5, 7])
def test_the_number_below_a_mask_is_never_read(number: float) -> None:
    closes = np.ma.array([number] * 3, mask=[False, True, False])
    with pytest.raises(DataError, match=MISSING_CLOSE):
        rolling_signal(closes, 2)
    assert answer(closes, 1, missing="gap") == ([0, None, 0], [number, None, number])


@pytest.mark.parametrize(
    "closes",
    [
        pd.Series([None, 0.1, 0.3, 0.2], dtype="Float32"),
        pd.Series([np.nan, 0.1, 0.3, 0.2], dtype="float32"),
        pl.Series([None, 0.1, 0.3, 0.2], dtype=pl.Float32),
        np.ma.array(np.array([9, 0.1, 0.3, 0.2], np.float32), mask=[True, False, False, False]),
    ],
    ids=["pandas, nullable", "pandas", "polars", "masked array"],
)
def test_single_floats_stay_single_beside_a_gap(closes: Any) -> None:
    """The sum of 0.1, 0.3 and 0.2 is three times 0.2; that of the doubles below them is not."""
    assert answer(closes, 3, missing="gap") == ([None] * 3 + [0], [None] * 3 + [0.2])


def test_integers_wider_than_any_array_are_read() -> None:
    closes = pl.Series([10**30, 10**30 + 3], dtype=pl.Int128)
    assert answer(closes, 2) == ([None, 1], [None, 1e30])


def test_a_column_of_decimals_in_polars_is_read_exactly() -> None:
    closes = pl.Series(["0.10", "0.20", "0.30", "0.20"]).cast(pl.Decimal(38, 20))
    assert answer(closes, 3) == ([None, None, 1, 0], [None, None, 0.2, 0.23333333333333334])


def test_binary_rounding_never_decides() -> None:
    """The four lines of the README: pandas says that 100.10 is above the mean of three 100.10."""
    closes = ["100.10"] * 3
    for same in (closes, [100.1] * 3, np.array([100.1] * 3), pd.Series([100.1] * 3)):
        assert answer(same, 3) == ([None, None, 0], [None, None, 100.1])


def test_lists_get_lists() -> None:
    result = rolling_signal([1, 2, 3], 2)
    assert (result.signals, result.means) == ([None, 1, 1], [None, 1.5, 2.5])


@pytest.mark.parametrize("bad", [False, True], ids=["at once", "as text"])
def test_arrays_get_masked_arrays(bad: bool) -> None:
    closes = np.array([1.5, 2.5, 0.1 + 0.2 if bad else 0.3])
    signals, means = rolling_signal(closes, 2)
    assert isinstance(signals, np.ma.MaskedArray)
    assert isinstance(means, np.ma.MaskedArray)
    assert (signals.dtype, means.dtype) == (np.int8, np.float64)
    assert signals.mask.tolist() == means.mask.tolist() == [True, False, False]


def test_pandas_series_get_nullable_series_with_the_same_index() -> None:
    closes = pd.Series([1.5, 2.5], index=["mon", "tue"], name="close")
    signals, means = rolling_signal(closes, 2)
    assert signals.index.tolist() == means.index.tolist() == ["mon", "tue"]
    assert (str(signals.dtype), str(means.dtype)) == ("Int8", "Float64")
    assert (signals.name, means.name) == ("signal", "rolling_mean")


def test_polars_series_get_polars_series_with_nulls() -> None:
    signals, means = rolling_signal(pl.Series("close", [1.5, 2.5]), 2)
    assert (signals.dtype, means.dtype) == (pl.Int8, pl.Float64)
    assert (signals.name, means.name) == ("signal", "rolling_mean")
    assert (signals.null_count(), means.null_count()) == (1, 1)


@pytest.mark.parametrize("make", [list, np.array, pd.Series, pl.Series])
@pytest.mark.parametrize("bars", [0, 1, 3])
def test_a_window_beyond_the_data_gives_no_answer_anywhere(
    make: Callable[[list[float]], Any], bars: int
) -> None:
    assert answer(make([1.5] * bars), 4) == ([None] * bars, [None] * bars)


def test_a_window_beyond_the_data_needs_no_memory() -> None:
    for window in (10**12, 10**30):
        assert answer(np.array([1.5, 2.5]), window) == ([None, None], [None, None])


def test_what_comes_in_is_left_as_it_was() -> None:
    closes = np.array([1.5, 2.5, 3.5])
    closes.flags.writeable = False
    rolling_signal(closes, 2)
    rolling_signal(pd.Series(closes), 2)
    assert closes.tolist() == [1.5, 2.5, 3.5]


@pytest.mark.parametrize("window", [0, -1, 1.0, "3", None, True])
def test_a_window_is_a_whole_number_of_at_least_one_bar(window: Any) -> None:
    with pytest.raises(ValueError, match="not a whole number of bars of at least 1"):
        rolling_signal([1, 2, 3], window)


@pytest.mark.parametrize(
    "close",
    [True, False, "n.a.", "1,5", float("inf"), Decimal("-Infinity"), 1j, [1], b"1", object],
    ids=repr,
)
def test_a_close_that_is_not_a_number_is_refused(close: Any) -> None:
    with pytest.raises(DataError, match="not a number"):
        rolling_signal([1, close], 1)


@pytest.mark.parametrize(
    "closes",
    [
        np.array([1.5, np.inf]),
        np.array([True, False]),
        np.array(["2024-01-01"], "M8[D]"),
        np.array([1 + 0j]),
        pd.Series([True, False]),
        pd.Series(pd.to_datetime(["2024-01-01"])),
        pl.Series([True, False]),
        pl.Series([[1.5]]),
    ],
    ids=lambda closes: str(closes.dtype),
)
def test_a_column_without_numbers_is_refused(closes: Any) -> None:
    with pytest.raises(DataError, match="not a number"):
        rolling_signal(closes, 1)


@pytest.mark.parametrize("closes", ["12345", b"123", {1: 2}, {1, 2}, {1: 2}.keys()], ids=repr)
def test_closes_without_an_order_are_refused(closes: Any) -> None:
    with pytest.raises(DataError, match="not a series in order"):
        rolling_signal(closes, 1)


def test_a_number_too_long_to_write_is_refused() -> None:
    with pytest.raises(DataError, match="a close is too large"):
        rolling_signal([10**5000], 1)


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="missing is 'skip', not 'error' or 'gap'"):
        rolling_signal([1, 2], 1, missing="skip")  # type: ignore[arg-type]  # a wrong word


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_data_frame_of_one_column_is_its_column_and_of_several_is_refused(frame: Any) -> None:
    closes = [10, 11, 12, 9]
    signals, _ = rolling_signal(frame({"Close": closes}), 2)
    assert signals.equals(rolling_signal(frame({"Close": closes})["Close"], 2).signals)
    with pytest.raises(DataError) as caught:
        rolling_signal(frame({"Open": closes, "Close": closes}), 2)
    assert str(caught.value) == (
        "closes are a DataFrame of 2 columns, not one (Open, Close):"
        " select the column of the closes"
    )


@pytest.mark.parametrize("shape", [(), (2, 3)])
def test_arrays_have_one_dimension(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=f"closes have {len(shape)} dimensions, not 1"):
        rolling_signal(np.ones(shape), 1)


def test_the_place_and_the_text_of_a_bad_close_are_named() -> None:
    with pytest.raises(DataError) as caught:
        rolling_signal(["1.5", "9" * 300 + "O"], 1)
    assert str(caught.value) == (
        f"close 1 (counted from 0) is '{'9' * 40}…' (301 characters), not a number"
    )


def paths(folder: Path, closes: str) -> dict[str, Any]:
    (folder / "data.csv").write_text(f"close\n{closes}")
    (folder / "config.yaml").write_text('seed: 1\nwindow: 2\nversion: "v"\n')
    names = {"input": "data.csv", "config": "config.yaml", "output": "m.json", "log_file": "r.log"}
    return {name: str(folder / file) for name, file in names.items()}


def test_run_returns_the_metrics_that_it_writes(tmp_path: Path) -> None:
    result = rollsignal.run(**paths(tmp_path, "1\n2\n2\n"))
    assert result == json.loads((tmp_path / "m.json").read_text())
    assert (result["rows_processed"], result["value"], result["status"]) == (3, 0.5, "success")
    assert "job ended" in (tmp_path / "r.log").read_text()


def test_run_raises_the_error_that_it_writes(tmp_path: Path) -> None:
    files = paths(tmp_path, "1\nx\n")
    with pytest.raises(DataError, match="line 3: close is 'x', not a number") as caught:
        rollsignal.run(**files)
    assert json.loads((tmp_path / "m.json").read_text())["error_message"] == caught.value.message
    assert "job failed" in (tmp_path / "r.log").read_text()
    with pytest.raises(InputError) as missing:
        rollsignal.run(**files | {"input": str(tmp_path / "none.csv")})
    assert missing.value.message == "Input data file not found"


def test_run_tells_targets_of_its_success_and_of_its_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rollsignal.commands.publishing.TOTAL_S", 60.0)
    files = paths(tmp_path, "1\n2\n2\n") | {"record": tmp_path / "record.json"}
    told = tmp_path / "btc.prom"
    rollsignal.run(**files, publish=f"prometheus={told}")
    assert 'rollsignal_last_exit_code{pipeline="btc"} 0\n' in told.read_text()
    with pytest.raises(InputError):
        rollsignal.run(**files | {"input": "none.csv"}, publish=[f"prometheus={told}"])
    assert 'rollsignal_last_exit_code{pipeline="btc"} 66\n' in told.read_text()
    with pytest.raises(UsageError, match="--publish tells of a record"):
        rollsignal.run(**files | {"record": None}, publish="heartbeat")


def test_run_does_not_take_a_url_that_pathlib_has_changed_for_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = paths(tmp_path, "1\n2\n2\n")
    with pytest.raises(UsageError, match="--output has one slash after the colon"):
        rollsignal.run(**files | {"output": Path("s3://bucket/m.json")})
    assert not (tmp_path / "s3:").exists()


def test_run_takes_the_format_of_its_inputs(tmp_path: Path) -> None:
    files = paths(tmp_path, "1\n2\n2\n")
    assert rollsignal.run(**files, format="csv")["status"] == "success"
    with pytest.raises(DataError, match="not arrow as --format says, but text by its content"):
        rollsignal.run(**files, format="arrow")
    before = sorted(tmp_path.iterdir())
    formats = "csv, ndjson, json, xlsx, parquet, arrow"
    with pytest.raises(ValueError, match=f"format is 'xml', not one of {formats}"):
        rollsignal.run(**files, format="xml")  # type: ignore[arg-type]  # a wrong word
    assert sorted(tmp_path.iterdir()) == before


def test_check_returns_the_report_that_the_command_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths(tmp_path, "1\n2\n\n2\n")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more.csv").write_text("close,high\n5,4\n")
    for inputs in ("data.csv", ["more.csv", "data.csv"]):
        flags = [inputs] if isinstance(inputs, str) else inputs
        assert command("check", "--input", *flags) == 65
        assert rollsignal.check(inputs) == json.loads(capsys.readouterr().out)
    assert rollsignal.check()["status"] == "errors"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("config.yaml", "data.csv", "more.csv"),
    ]


def test_check_takes_a_config_only_if_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths(tmp_path, "1\n2\n")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text("columns: {close: last}\n")
    assert rollsignal.check()["status"] == "warnings"
    assert rollsignal.check(config="config.yaml")["status"] == "errors"


def test_check_raises_where_there_is_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Input data file not found"):
        rollsignal.check(str(tmp_path / "none.csv"))


def test_no_module_stands_in_the_place_of_a_public_name() -> None:
    """A module that is imported becomes an attribute of its package, whatever was there."""
    for name in rollsignal.__all__:
        assert find_spec(f"rollsignal.{name}") is None
        assert hasattr(rollsignal, name)
