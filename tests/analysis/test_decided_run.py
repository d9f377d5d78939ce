"""Facts about loading what a run left: whole ticks, exactly, from any form of its signals."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from rollsignal.analysis.decided_run import DecidedRun, decided_run
from rollsignal.analysis.margins import margins_in_blocks
from rollsignal.core.kernel import NO_SIGNAL
from rollsignal.errors import DataError, JobError, UsageError
from tests.support import oracle
from tests.support.records import forged
from tests.support.shell import command

FORMS = (
    *(("signals.csv",), ("signals.parquet",), ("signals.arrow",)),
    *(("signals", f"--partition-by={key}") for key in ("symbol", "date")),
    *(("signals.csv", "--partition-by=date"), ("signals.arrow", "--partition-by=symbol")),
)
HUGE = "1" + "0" * 40
SERIES: dict[str, list[str | None]] = {
    "B": ["1.10", "2", None, "3.005", "2.5", "2.5", "2.5", "9", "8.125"],
    "A": ["100", "200", "300", "-300", "0", "17", "17", "18", "1200"],
    "=C": [HUGE, "1", "2", "3", f"{HUGE}.5", "3", "3", "4", "5"],
}
TIMES = [f"2024-01-{day:02}T00:00:00.{day:09}Z" for day in range(1, 10)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*more: str, times: list[str] = TIMES, config: str = "window: 2\nmissing: gap\n") -> None:
    """Decide the panel; its record is r.json."""
    rows = [
        f"{time},{symbol},{closes[at] or ''}"
        for at, time in enumerate(times)
        for symbol, closes in SERIES.items()
    ]
    Path("bars.csv").write_text("\n".join(["timestamp,symbol,close", *rows, ""]))
    Path("config.yaml").write_text(f"seed: 7\nversion: v\n{config}")
    assert command("run", "--input=bars.csv", "--record=r.json", *more) == 0


def assert_exact(loaded: DecidedRun) -> None:
    """Hold every series to the text of its closes, and its signals to the definition."""
    assert [each.symbol for each in loaded.series] == sorted(SERIES)
    for each in loaded.series:
        closes = oracle.prices(SERIES[each.symbol])
        signals = oracle.signals(closes, 2)
        present = [at for at, close in enumerate(closes) if close is not None]
        ticks = [Fraction(int(tick), 10**each.scale) for tick in each.closes]
        assert ticks == [closes[at] for at in present]
        told = [NO_SIGNAL if signals[at] is None else signals[at] for at in present]
        assert each.signals.tolist() == told
        assert each.rows == len(closes)
        assert each.closes.dtype == (object if each.symbol == "=C" else np.int64)


@pytest.mark.parametrize("form", FORMS)
def test_closes_go_back_to_whole_ticks_from_every_form(folder: Path, form: tuple[str, ...]) -> None:
    run(f"--signals={form[0]}", *form[1:])
    from_record, bare = decided_run("r.json"), decided_run(form[0])
    for loaded in (from_record, bare):
        assert_exact(loaded)
        assert loaded.window == 2
        assert loaded.config.seed == 7
        assert loaded.whole
        assert loaded.tally[:2] == (27, 1)
        times_ns = loaded.series[0].times_ns
        assert times_ns is not None
        assert times_ns.tolist() == [
            1704067200 * 10**9 + day * 86_400 * 10**9 + day + 1 for day in range(9)
        ]
    assert from_record.record is not None
    assert bare.record is None


@pytest.mark.parametrize("name", ["signals.csv", "signals.parquet"])
def test_times_outside_of_64_bits_are_kept(folder: Path, name: str) -> None:
    times = [f"{year}-01-01T00:00:00Z" for year in range(2258, 2267)]
    run(f"--signals={name}", times=times)
    times_ns = decided_run(name).series[0].times_ns
    assert times_ns is not None
    days = [(after - before) // (86_400 * 10**9) for before, after in pairwise(times_ns.tolist())]
    assert days == [365, 365, 366, 365, 365, 365, 366, 365]


def test_bars_without_times_have_none(folder: Path) -> None:
    Path("bars.csv").write_text("close\n1\n2\n3\n2\n")
    Path("config.yaml").write_text("seed: 7\nversion: v\nwindow: 2\n")
    assert command("run", "--input=bars.csv", "--signals=s.csv") == 0
    (series,) = decided_run("s.csv").series
    assert series.times_ns is None
    assert series.first_ns is None
    assert series.closes.tolist() == [1, 2, 3, 2]


def test_the_default_config_need_not_be_there(folder: Path) -> None:
    run("--signals=s.csv")
    Path("config.yaml").unlink()
    assert decided_run("s.csv").config.seed == 0
    Path("other.yaml").write_text("seed: 3\n")
    assert decided_run("s.csv", "other.yaml").config.seed == 3
    assert decided_run("s.csv", given=["seed=4"]).config.seed == 4


def test_a_record_has_its_own_settings(folder: Path) -> None:
    run("--signals=s.csv")
    with pytest.raises(UsageError, match="--config is not for a record"):
        decided_run("r.json", "config.yaml")
    with pytest.raises(UsageError, match="run again with it"):
        decided_run("r.json", given=["window=3"])
    loaded = decided_run("r.json", given=["evaluate.cost_bp=2.5"])
    assert (loaded.config.evaluate.cost_bp, loaded.config.seed) == (2.5, 7)


@pytest.mark.parametrize(
    ("form", "file"),
    [(("s.csv",), "s.csv"), (("s", "--partition-by=symbol"), "s/symbol=A/signals.parquet")],
)
def test_signals_that_are_not_those_of_the_record_are_refused(
    folder: Path, form: tuple[str, ...], file: str
) -> None:
    run(f"--signals={form[0]}", *form[1:])
    Path(file).write_bytes(Path(file).read_bytes() + b"\n")
    with pytest.raises(DataError, match="its SHA-256 differs"):
        decided_run("r.json")
    Path(file).unlink()
    with pytest.raises(JobError, match=r"names no signals|not there"):
        decided_run("r.json")


def test_a_partition_that_the_record_does_not_have_is_refused(folder: Path) -> None:
    run("--signals=s", "--partition-by=symbol")
    Path("s/symbol=Z").mkdir()
    Path("s/symbol=Z/signals.parquet").write_bytes(Path("s/symbol=A/signals.parquet").read_bytes())
    with pytest.raises(DataError, match="symbol=Z"):
        decided_run("r.json")


def test_a_record_that_moved_with_its_signals_finds_them(folder: Path) -> None:
    run("--signals=s", "--partition-by=date")
    moved = folder / "moved"
    moved.mkdir()
    for name in ("s", "r.json"):
        Path(name).rename(moved / name)
    assert_exact(decided_run(str(moved / "r.json")))


def test_a_record_without_signals_or_of_a_failed_run_is_refused(folder: Path) -> None:
    run()
    with pytest.raises(UsageError, match="names no signals"):
        decided_run("r.json")
    record = json.loads(Path("r.json").read_text())
    record |= {"status": "error", "error": {"exit_code": 1, "message": "no"}}
    Path("r.json").write_text(forged(record))
    with pytest.raises(DataError, match="did not succeed"):
        decided_run("r.json")


@pytest.mark.parametrize("damage", ["abc", "1.2.3", "1_0"])
def test_a_close_that_is_no_number_is_refused(folder: Path, damage: str) -> None:
    run("--signals=s.csv")
    text = Path("s.csv").read_text()
    Path("s.csv").write_text(text.replace(",8.125,", f",{damage},"))
    with pytest.raises(DataError, match=f"close is '{damage}'"):
        decided_run("s.csv")


def test_a_signal_that_was_changed_is_refused(folder: Path) -> None:
    run("--signals=s.csv")
    lines = Path("s.csv").read_text().splitlines()
    assert lines[-3].endswith(",0")
    lines[-3] = lines[-3][:-1] + "1"
    Path("s.csv").write_text("\n".join([*lines, ""]))
    with pytest.raises(DataError, match="has not the signal of window 2"):
        decided_run("s.csv")


def test_a_window_that_the_first_signal_does_not_show_is_refused(folder: Path) -> None:
    config = "window: 2\nmissing: gap\n"
    run("--signals=s.csv", "--since=2024-01-05", config=config)
    with pytest.raises(DataError, match="name the record of the run"):
        decided_run("s.csv")
    assert not decided_run("r.json").whole


def test_a_table_with_other_numbers_as_signals_is_refused(folder: Path) -> None:
    run("--signals=s.parquet")
    pl.read_parquet("s.parquet").with_columns(signal=pl.col("signal") * 3).write_parquet(
        "t.parquet"
    )
    with pytest.raises(DataError, match="a signal is neither 0 nor 1"):
        decided_run("t.parquet")


@pytest.mark.parametrize("window", [1, 2, 7, 64])
@pytest.mark.parametrize("greatest", [100, 2**61, 2**90])
def test_margins_are_those_of_the_definition(window: int, greatest: int) -> None:
    closes = [(7**at * 31) % greatest - greatest // 3 for at in range(60)]
    wanted = [
        margin
        for margin in oracle.margins(list(map(Fraction, closes)), window)
        if margin is not None
    ]
    array = np.array(closes, dtype=np.int64 if greatest < 2**62 else object)
    found = [int(margin) for _, block in margins_in_blocks(array, window) for margin in block]
    assert found == wanted
