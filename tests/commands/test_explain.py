"""Facts about `explain`: the window of a bar, its comparison, and the answers of floats."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.commands.sample import sample_csv
from tests.support import oracle
from tests.support.shell import ROOT, command, published
from tests.support.strategies import Series, series

TIE = ["42518.00", "42518.01", "42518.02", "42518.01", "42518.01"]
MINUTES = [f"2024-01-01T00:{minute:02}:00" for minute in range(60)]
PANEL = "columns: {symbol: symbol}\n"


class Bench:
    """A folder with a config and tables, to explain bars of."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def config(self, window: int, more: str = "") -> None:
        text = f'seed: 1\nwindow: {window}\nversion: "v1"\n{more}'
        (self.folder / "config.yaml").write_text(text)

    def write(self, text: str, name: str = "bars.csv") -> None:
        (self.folder / name).write_text(text)

    def told(self, at: str, *more: str, name: str = "bars.csv") -> tuple[int, str, str]:
        """Explain; return the exit code, stdout and stderr, without the folder's path."""
        paths = [f"--input={self.folder / name}", f"--config={self.folder / 'config.yaml'}"]
        self._capsys.readouterr()
        code = command("explain", *paths, "--at", at, *more)
        printed, said = self._capsys.readouterr()
        return code, printed.replace(f"{self.folder}/", ""), said.replace(f"{self.folder}/", "")

    def document(self, at: str, *more: str, name: str = "bars.csv") -> dict[str, Any]:
        code, printed, said = self.told(at, "--json", *more, name=name)
        assert (code, said) == (0, "")
        return published(printed)


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    made = Bench(tmp_path, capsys)
    made.config(5)
    return made


def table(closes: list[str]) -> str:
    rows = [f"{stamp},{close}" for stamp, close in zip(MINUTES, closes, strict=False)]
    return "\n".join(["timestamp,close", *rows, ""])


def panel(closes: list[str]) -> str:
    """Interleave a series with another one, whose bars come first."""
    rows = [
        f"{stamp},ETH,7\n{stamp},BTC,{close}" for stamp, close in zip(MINUTES, closes, strict=False)
    ]
    return "\n".join(["timestamp,symbol,close", *rows, ""])


# The exact side.


def test_a_tie_is_explained_and_pandas_is_shown_to_be_wrong(bench: Bench) -> None:
    bench.write(table(TIE))
    explanation = bench.document("2024-01-01T00:04:00")
    answers = {answer.pop("engine"): answer for answer in explanation.pop("floats")}
    assert answers["pandas rolling().mean()"]["signal"] == 1
    assert answers["pandas rolling().mean()"]["agrees"] is False
    assert explanation == {
        "status": "signal",
        "reason": None,
        "symbol": None,
        "timestamp": "2024-01-01T00:04:00Z",
        "number": 5,
        "window": 5,
        "signal": 0,
        "tie": True,
        "rolling_mean": 42518.01,
        "tick": "0.01",
        "window_close_ticks": "21259005",
        "window_sum_ticks": "21259005",
        "margin_ticks": "0",
        "bars": [
            {
                "file": "bars.csv",
                "line": line,
                "timestamp": f"{MINUTES[line - 2]}Z",
                "close": TIE[line - 2],
            }
            for line in range(2, 7)
        ],
    }


def test_the_text_writes_the_comparison_out_with_numbers(bench: Bench) -> None:
    bench.config(3)
    bench.write(table(["1.5", "-2", "4.25"]))
    code, printed, _ = bench.told("row:3")
    assert code == 0
    head, _, floats = printed.partition("\nwith floats")
    assert head == (
        "2024-01-01T00:02:00Z, number 3 of its series: signal 1\n"
        "\n"
        "the closes of its window, 3 bars:\n"
        "  bars.csv line 2  2024-01-01T00:00:00Z  1.5\n"
        "  bars.csv line 3  2024-01-01T00:01:00Z  -2\n"
        "  bars.csv line 4  2024-01-01T00:02:00Z  4.25\n"
        "\n"
        "compared exactly, in ticks of 0.01:\n"
        "  window * close  3 * 425 = 1275\n"
        "  window sum      150 - 200 + 425 = 375\n"
        "  margin          1275 - 375 = 900: above zero, so the signal is 1\n"
        "  rolling mean    1.25, rounded to be shown\n"
    )
    assert floats.count("signal 1  agrees") == 4


@given(bars=series(), window=st.integers(1, 6), data=st.data())
def test_any_bar_is_explained_as_fractions_decide_it(
    tmp_path_factory: pytest.TempPathFactory, bars: Series, window: int, data: st.DataObject
) -> None:
    if not bars.ticks:
        return
    number = data.draw(st.integers(1, len(bars.ticks)))
    folder = tmp_path_factory.mktemp("any")
    (folder / "bars.csv").write_text("\n".join(["close", *bars.cells, ""]))
    (folder / "config.yaml").write_text(f"seed: 1\nwindow: {window}\nversion: v\n")
    explanation = explained(folder, number)
    closes = oracle.prices(bars.texts)
    assert explanation.signal == oracle.signals(closes, window)[number - 1]
    assert explanation.mean == oracle.means(closes, window)[number - 1]
    assert explanation.margin == oracle.margins(closes, window)[number - 1]
    assert explanation.closes == closes[max(0, number - window) : number]


class Explained:
    """What was explained, as fractions."""

    def __init__(self, explanation: Any) -> None:
        last, trace = explanation.trace.last, explanation.trace
        self.signal, self.mean = last.signal, last.mean
        self.margin = None if last.margin is None else Fraction(last.margin, 10**last.scale)
        self.closes = oracle.prices([bar.cell for bar in trace.bars])


def explained(folder: Path, number: int) -> Explained:
    from rollsignal.commands.explain import explain

    paths = [str(folder / "bars.csv")]
    config = str(folder / "config.yaml")
    return Explained(explain(paths, config, f"row:{number}", None, lambda level, text: None))


# Bars without a signal.


def test_a_bar_of_the_warm_up_has_no_signal_and_no_float_answers(bench: Bench) -> None:
    bench.write(table(TIE))
    explanation = bench.document("row:2")
    assert (explanation["status"], explanation["reason"]) == ("no signal", "warm-up")
    assert (
        explanation["signal"] is explanation["margin_ticks"] is explanation["rolling_mean"] is None
    )
    assert [bar["close"] for bar in explanation["bars"]] == TIE[:2]
    assert explanation["floats"] == []
    assert "number 2 of its series: no signal: warm-up\n" in bench.told("row:2")[1]


def test_a_window_with_a_gap_has_no_signal(bench: Bench) -> None:
    bench.config(2, "missing: gap\n")
    bench.write(table(["1", "2", "", "3", "4"]))
    reasons = [bench.document(f"row:{number}")["reason"] for number in range(1, 6)]
    assert reasons == [
        "warm-up",
        None,
        "its close is missing",
        "a close in its window is missing",
        None,
    ]
    assert "missing\n" in bench.told("row:4")[1]


def test_a_bar_that_is_left_out_is_in_no_window(bench: Bench) -> None:
    bench.config(2, "missing: skip\n")
    bench.write(table(["1", "2", "", "3"]))
    assert bench.document("row:3")["reason"] == "its close is missing"
    after = bench.document("row:4")
    assert [bar["line"] for bar in after["bars"]] == [3, 5]
    assert after["signal"] == 1


def test_floats_have_no_answer_after_a_gap_where_they_sum_everything(bench: Bench) -> None:
    bench.config(2, "missing: gap\n")
    bench.write(table(["", "2", "3"]))
    answers = {a["engine"]: (a["mean"], a["signal"]) for a in bench.document("row:3")["floats"]}
    assert answers.pop("NumPy cumsum") == (None, None)
    assert set(answers.values()) == {(2.5, 1)}
    assert "not a number" in bench.told("row:3")[1]


# The choice of the bar.


@pytest.mark.parametrize("at", ["2024-01-01", "2024-01-01 00:00", "2024-01-01T01:00+01:00"])
def test_a_time_is_read_as_in_a_table_and_a_date_means_midnight(bench: Bench, at: str) -> None:
    bench.write(table(TIE))
    assert bench.document(at)["number"] == 1


def test_epoch_numbers_find_bars_of_epoch_numbers(bench: Bench) -> None:
    bench.config(1)
    bench.write("time,close\n1704067200000,1\n1704067260000,2\n")
    assert bench.document("1704067260000")["bars"][0]["line"] == 3


def test_times_are_read_even_where_no_check_wants_them(bench: Bench) -> None:
    bench.config(5, "checks: {order: off, duplicates: off}\n")
    bench.write(table(TIE))
    assert bench.document(MINUTES[4])["tie"] is True


def test_a_time_without_a_bar_is_answered_with_the_nearest_bars(bench: Bench) -> None:
    bench.write(table(TIE))
    assert bench.told("2024-01-01T00:01:30")[::2] == (
        2,
        "rollsignal: error: no bar at 2024-01-01T00:01:30Z; there is 2024-01-01T00:01:00Z"
        " (bars.csv line 3) before it and 2024-01-01T00:02:00Z (bars.csv line 4) after it\n",
    )
    assert (
        "there is 2024-01-01T00:00:00Z (bars.csv line 2) after it\n" in bench.told("2023-01-01")[2]
    )


@pytest.mark.parametrize(
    ("at", "message"),
    [
        ("row:6", "no row 6: there are 5"),
        ("row:0", "--at is 'row:0', not a timestamp"),
        ("noon", "--at is 'noon', not a timestamp"),
        ("01/02/2024", "--at is '01/02/2024', ambiguous"),
    ],
)
def test_a_bar_that_cannot_be_is_a_wrong_command(bench: Bench, at: str, message: str) -> None:
    bench.write(table(TIE))
    code, printed, said = bench.told(at)
    assert (code, printed) == (2, "")
    assert said.startswith(f"rollsignal: error: {message}")


def test_a_table_without_times_is_asked_by_row(bench: Bench) -> None:
    bench.write("\n".join(["close", *TIE, ""]))
    code, _, said = bench.told("2024-01-01")
    assert code == 2
    assert "bars.csv has no timestamps to find a bar by (name its column" in said
    explanation = bench.document("row:5")
    assert (explanation["timestamp"], explanation["tie"]) == (None, True)


def test_a_bar_of_a_panel_is_found_among_others(bench: Bench) -> None:
    bench.config(5, PANEL)
    bench.write(panel(TIE))
    explanation = bench.document(MINUTES[4], "--symbol", "BTC")
    assert (explanation["symbol"], explanation["number"], explanation["tie"]) == ("BTC", 5, True)
    assert [bar["line"] for bar in explanation["bars"]] == [3, 5, 7, 9, 11]
    assert bench.document("row:5", "--symbol", "ETH")["signal"] == 0


def test_a_symbol_that_is_missing_or_not_given_is_an_error(bench: Bench) -> None:
    bench.config(5, PANEL)
    bench.write(panel(TIE))
    assert bench.told("row:5")[::2] == (
        2,
        "rollsignal: error: the bars have symbols: name one with --symbol (for example ETH, BTC)\n",
    )
    assert bench.told("row:5", "--symbol", "BTX")[::2] == (
        2,
        "rollsignal: error: no bars of 'BTX' (did you mean BTC?)\n",
    )
    # A column called symbol need not be in the config.
    bench.config(5)
    assert "name one with --symbol" in bench.told("row:5")[2]
    assert bench.document("row:5", "--symbol", "BTC")["tie"] is True
    bench.write(table(TIE))
    assert bench.told("row:5", "--symbol", "BTC")[2].endswith(
        "has no symbols (leave it out, or name the column of symbols in the config under columns)\n"
    )


def test_bars_that_a_run_refuses_are_refused(bench: Bench) -> None:
    bench.write("timestamp,close\n2024-01-02,1\n2024-01-01,2\n")
    code, printed, said = bench.told("row:2")
    assert (code, printed) == (65, "")
    assert "bars.csv line 3: timestamp is earlier than 2024-01-02" in said


def test_what_is_to_be_sorted_or_comes_from_a_pipe_is_refused(bench: Bench) -> None:
    bench.write(table(TIE))
    assert bench.told("row:5", "--input", "-")[0] == 2
    bench.config(5, "sort: true\n")
    code, _, said = bench.told("row:5")
    assert (code, said) == (
        2,
        "rollsignal: error: explain does not sort (sort the bars first, and set sort: false)\n",
    )


def test_standard_input_is_refused(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    config = f"--config={bench.folder / 'config.yaml'}"
    assert command("explain", "--input", "-", config, "--at", "row:1") == 2
    assert "- is not a regular file; explain reads every file twice" in capsys.readouterr().err


# Any format, any size.


def test_all_formats_are_explained_alike(bench: Bench) -> None:
    frame = pl.DataFrame({"timestamp": MINUTES[:5], "close": TIE}).with_columns(
        pl.col("timestamp").str.to_datetime()
    )
    frame.with_columns(pl.col("close").cast(pl.Float64)).write_parquet(bench.folder / "d.parquet")
    frame.with_columns(pl.col("close").cast(pl.Decimal(10, 2))).write_ipc(bench.folder / "d.arrow")
    lines = [json.dumps({"time": t, "close": c}) for t, c in zip(MINUTES, TIE, strict=False)]
    bench.write("\n".join([*lines, ""]), "d.ndjson")
    (bench.folder / "d.csv.gz").write_bytes(gzip.compress(table(TIE).encode()))
    for name, unit, first in (
        ("d.parquet", "row", 1),
        ("d.arrow", "row", 1),
        ("d.ndjson", "line", 1),
        ("d.csv.gz", "line", 2),
    ):
        explanation = bench.document(MINUTES[4], name=name)
        assert (explanation["signal"], explanation["tie"], explanation["tick"]) == (0, True, "0.01")
        assert [bar[unit] for bar in explanation["bars"]] == list(range(first, first + 5))
        assert [Decimal(bar["close"]) for bar in explanation["bars"]] == list(map(Decimal, TIE))
        assert explanation["floats"][0]["signal"] == 1


def test_a_window_goes_over_files_in_the_order_of_time(bench: Bench) -> None:
    rows = table(TIE).splitlines()
    bench.write("\n".join([rows[0], *rows[4:], ""]), "a.csv")
    bench.write("\n".join([*rows[:4], ""]), "b.csv")
    explanation = bench.document(MINUTES[4], name="*.csv")
    places = [(bar["file"], bar["line"]) for bar in explanation["bars"]]
    assert places == [("b.csv", 2), ("b.csv", 3), ("b.csv", 4), ("a.csv", 2), ("a.csv", 3)]
    assert explanation["tie"] is True


def test_symbols_come_from_the_names_of_files_too(bench: Bench) -> None:
    bench.config(5, "columns: {symbol: {from: filename}}\n")
    for name in ("BTC", "ETH"):
        bench.write(table(TIE), f"{name}.csv")
    explanation = bench.document("row:5", "--symbol", "ETH", name="*.csv")
    assert {bar["file"] for bar in explanation["bars"]} == {"ETH.csv"}


@pytest.mark.parametrize("of_panel", [False, True])
def test_a_large_table_is_explained_as_its_last_rows_alone(bench: Bench, of_panel: bool) -> None:
    """The table is read as arrays; the exact side does not depend on what comes before."""
    header, *rows = "".join(sample_csv(120_000, seed=3)).splitlines()
    if of_panel:
        bench.config(5, PANEL)
        header += ",symbol"
        rows = [f"{row},{'AB'[at % 3 > 1]}" for at, row in enumerate(rows)]
    picked = ("--symbol", "A") if of_panel else ()
    bench.write("\n".join([header, *rows, ""]))
    assert (bench.folder / "bars.csv").stat().st_size > 4 << 20
    stamp = rows[119_999 - 2 * of_panel].partition(",")[0]
    explanation = bench.document(stamp, *picked)
    bench.write("\n".join([header, *rows[-60:], ""]), "end.csv")
    alone = bench.document(stamp, *picked, name="end.csv")
    shift = 120_000 - 60
    assert [bar["line"] - shift for bar in explanation["bars"]] == [
        bar["line"] for bar in alone["bars"]
    ]
    assert [bar["close"] for bar in explanation["bars"]] == [bar["close"] for bar in alone["bars"]]
    for key in ("signal", "margin_ticks", "window_sum_ticks", "rolling_mean"):
        assert explanation[key] == alone[key]
    assert explanation["number"] == (79_999 if of_panel else 120_000)


def test_engines_of_floats_are_given_all_that_came_before(bench: Bench) -> None:
    """A huge close long ago makes a sum of all closes wrong, and that of a window alone not."""
    bench.config(2)
    bench.write(table(["1e17", "1", "2", "3", "4"]))
    answers = {a["engine"]: a["mean"] for a in bench.document("row:5")["floats"]}
    assert answers["Python sum of floats"] == 3.5
    assert answers["NumPy cumsum"] != 3.5


def test_a_long_window_is_cut_in_the_text_and_whole_in_json(bench: Bench) -> None:
    bench.config(50)
    bench.write(table(["1"] * 60))
    printed = bench.told("row:60")[1]
    assert "\n  … 30 more …\n" in printed
    assert "  window sum      50\n" in printed
    assert len(bench.document("row:60")["bars"]) == 50


def test_the_example_data_are_explained_where_pandas_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert command("explain", "--at", "2024-01-04 23:45") == 0
    printed = capsys.readouterr().out
    assert "data.csv line 5747  2024-01-04T23:45:00Z  42518.01\n" in printed
    assert "21259005 - 21259005 = 0: a tie, so the signal is 0\n" in printed
