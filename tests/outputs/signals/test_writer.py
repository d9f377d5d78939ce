"""The signals of every bar follow from its text, with the same bytes from every kind of file."""

import csv
import io
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from tests.support.shell import Job

ROWS = [
    ("2024-01-01 00:00:00", "100.10"),
    ("2024-01-01 00:01:00", "100.10"),
    ("2024-01-01 00:02:00", "100.1"),
    ("2024-01-01 00:03:00", "99.5"),
    ("2024-01-01 00:04:00", "1000000000000000.25"),
    ("2024-01-01 00:05:00", "-3"),
]
TEXT = "timestamp,close\n" + "".join(f"{stamp},{close}\n" for stamp, close in ROWS)
CONFIG = 'seed: 1\nwindow: 3\nversion: "v"\n'


def expected_rows() -> list[list[str]]:
    """Decide every bar with fractions of its text."""
    closes = [Fraction(close) for _, close in ROWS]
    rows = []
    for index, (stamp, close) in enumerate(ROWS):
        window = closes[index - 2 : index + 1] if index >= 2 else []
        mean = str(float(sum(window, Fraction(0)) / 3)) if window else ""
        signal = str(int(3 * closes[index] > sum(window))) if window else ""
        text = close.rstrip("0").rstrip(".") if "." in close else close
        rows.append([stamp.replace(" ", "T") + "Z", "", text, mean, signal])
    return rows


def signals(
    folder: Path, suffix: str, content: "str | bytes" = TEXT, config: str = CONFIG
) -> bytes:
    job = Job(folder, config=config)
    job.input.write_bytes(content.encode() if isinstance(content, str) else content)
    path = folder / f"signals{suffix}"
    assert job.run(f"--signals={path}") == 0
    assert not [name for name in folder.iterdir() if name.name.endswith((".tmp", ".tmp.csv"))]
    return path.read_bytes()


def test_every_bar_has_its_close_mean_and_signal(tmp_path: Path) -> None:
    rows = list(csv.reader(io.StringIO(signals(tmp_path, ".csv").decode())))
    assert rows[0] == ["timestamp", "symbol", "close", "rolling_mean", "signal"]
    assert rows[1:] == expected_rows()


def test_columnar_bars_give_the_same_bytes_as_their_text(tmp_path: Path) -> None:
    rows = [(stamp, float(close)) for stamp, close in ROWS if len(close) < 15]
    text = "timestamp,close\n" + "".join(f"{stamp},{close!r}\n" for stamp, close in rows)
    file = io.BytesIO()
    frame = pl.DataFrame(rows, schema=["timestamp", "close"], orient="row")
    frame.with_columns(pl.col("timestamp").str.to_datetime()).write_parquet(file)
    assert signals(tmp_path, ".csv", file.getvalue()) == signals(tmp_path, ".csv", text)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_columns_hold_the_values_of_the_csv(tmp_path: Path, suffix: str) -> None:
    data = io.BytesIO(signals(tmp_path, suffix))
    frame = pl.read_parquet(data) if suffix == ".parquet" else pl.read_ipc(data)
    assert [Fraction(close) for close in frame["close"]] == [Fraction(close) for _, close in ROWS]
    texts = ["" if signal is None else str(signal) for signal in frame["signal"]]
    assert texts == [row[4] for row in expected_rows()]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@pytest.mark.parametrize(
    ("stamps", "exact"),
    [
        (["1677-09-21T00:12:43.145224192Z", "2262-04-11T23:47:16.854775807Z"], True),
        (["1677-09-21T00:12:43.145224191Z", "2024-01-01T00:00:00Z"], False),
        (["2024-01-01T00:00:00Z", "2262-04-11T23:47:16.854775808Z"], False),
        (["0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z"], False),
    ],
)
def test_timestamps_beyond_64_bits_of_nanoseconds_stay_text(
    tmp_path: Path, suffix: str, stamps: list[str], exact: bool
) -> None:
    text = "timestamp,close\n" + "".join(f"{stamp},1\n" for stamp in stamps)
    data = io.BytesIO(signals(tmp_path, suffix, text, CONFIG.replace("3", "1")))
    column = (pl.read_parquet(data) if suffix == ".parquet" else pl.read_ipc(data))["timestamp"]
    if exact:
        assert column.dtype == pl.Datetime("ns", "UTC")
        assert column.to_physical().to_list() == [-(2**63), 2**63 - 1]
    else:
        assert column.to_list() == stamps


def test_interleaved_symbols_keep_the_order_of_their_rows(tmp_path: Path) -> None:
    config = CONFIG.replace("3", "1") + "columns: {symbol: s}\n"
    text = "s,close\nB,1\nA,2\n=x,3\nA,4\n"
    lines = signals(tmp_path, ".csv", text, config).decode().splitlines()[1:]
    assert [line.split(",")[1] for line in lines] == ["B", "A", "'=x", "A"]


@pytest.mark.parametrize("plain", [False, True])
def test_a_symbol_of_two_lines_is_in_quotes(tmp_path: Path, plain: bool) -> None:
    config = CONFIG.replace("3", "1") + "columns: {symbol: s}\n"
    closes = [1.5, 2.5, 1e-20 if plain else 3.5, 4.5]
    names = ["a\nb", 'q"u', "a,b", "c\rd"]
    file = io.BytesIO()
    pl.DataFrame({"s": names, "close": closes}).write_parquet(file)
    for suffix in (".csv", ".parquet", ".arrow"):
        data = io.BytesIO(signals(tmp_path, suffix, file.getvalue(), config))
        if suffix == ".csv":
            assert pl.read_csv(data)["symbol"].to_list() == [*names[:3], "c\\rd"]
        else:
            read = pl.read_parquet if suffix == ".parquet" else pl.read_ipc
            assert read(data)["symbol"].to_list() == names


EDGES = ["1677-09-21 00:12:44", "2262-04-11 23:47:16"]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@pytest.mark.parametrize("days", [EDGES, ["1600-01-01", *EDGES], [*EDGES, "2300-01-01"]])
def test_a_time_beyond_64_bits_is_written_as_text(
    tmp_path: Path, suffix: str, days: list[str]
) -> None:
    text = "timestamp,close\n" + "".join(f"{day},1\n" for day in days)
    data = io.BytesIO(signals(tmp_path, suffix, text, CONFIG.replace("3", "1")))
    stamps = (pl.read_parquet(data) if suffix == ".parquet" else pl.read_ipc(data))["timestamp"]
    assert stamps.dtype == (pl.Datetime("us", "UTC") if days == EDGES else pl.String)
    written = stamps if days != EDGES else stamps.dt.to_string("%Y-%m-%dT%H:%M:%SZ")
    expected = [day.replace(" ", "T") + ("Z" if " " in day else "T00:00:00Z") for day in days]
    assert written.to_list() == expected


@pytest.mark.parametrize("missing", ["skip", "gap"])
def test_a_bar_without_a_close_has_a_row_without_answers(tmp_path: Path, missing: str) -> None:
    config = CONFIG.replace("3", "2") + f"missing: {missing}\n"
    lines = signals(tmp_path, ".csv", "n,close\n1,1\n2,\n3,3\n4,4\n", config).decode().splitlines()
    assert lines[2] == ",,,,"
    assert lines[3].endswith(",1" if missing == "skip" else ",3,,")


def test_bad_bars_leave_no_signals_behind(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.input.write_text("close\n1\n2\n3\nx\n")
    assert job.run(f"--signals={tmp_path}/out.csv") == 65
    assert not [path for path in tmp_path.iterdir() if "out.csv" in path.name]


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    assert Job(tmp_path).run(f"--signals={tmp_path}/s.txt") == 2
