"""The same bars give the same answer: in any format, cut into any files, rows in any order."""

import json
import subprocess
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.config.settings import JobConfig
from rollsignal.core.findings import Found
from rollsignal.outputs.metrics import success
from rollsignal.outputs.summary import SummaryRow, summary_rows
from tests.support import oracle
from tests.support.deciding import decide
from tests.support.frames import (
    BY_COLUMN,
    BY_FILE,
    CELLS,
    DOUBLES,
    FRAMES,
    START,
    TEXTS,
    TIMES,
    arrow,
    csv,
    frame,
    parquet,
    stamp,
)
from tests.support.shell import CONFIG as WINDOW_OF_2
from tests.support.shell import Job, process_arguments
from tests.support.tables import CONFIG


def answer(
    config: JobConfig, *files: tuple[str, bytes]
) -> tuple[dict[str, object], list[SummaryRow]]:
    """Decide such files in this order: the metrics and the summary."""
    with TemporaryDirectory() as folder:
        for name, data in files:
            Path(folder, name).write_bytes(data)
        paths = [str(Path(folder, name)) for name, _ in files]
        result: Found = decide(paths, config)
    return dict(success(config, result.tally, 0)), summary_rows(result.accounts, config)


def row_of(symbol: str, cells: list[str], times: list[datetime], window: int) -> SummaryRow:
    """Build a summary's row by definition."""
    closes = oracle.prices(cells)
    count, _, signals, ones, ties = oracle.counts(closes, window)
    last = closes[-1]
    assert last is not None
    return SummaryRow(
        symbol,
        count,
        signals,
        ones,
        float(round(Decimal(ones) / Decimal(signals), 4)) if signals else None,
        ties,
        times[0].isoformat() + "Z",
        times[-1].isoformat() + "Z",
        f"{last.numerator / last.denominator:g}",
        oracle.means(closes, window)[-1],
        oracle.signals(closes, window)[-1],
    )


EXPECTED = row_of("", CELLS, TIMES, CONFIG.window)


@pytest.mark.parametrize("style", TEXTS)
def test_every_form_of_text_gives_the_answer_by_definition(style: str) -> None:
    metrics, summary = answer(CONFIG, ("bars", TEXTS[style]))
    assert summary == [EXPECTED]
    assert (metrics["rows_processed"], metrics["value"]) == (len(CELLS), EXPECTED.signal_rate)


@pytest.mark.parametrize("write", [parquet, arrow])
@pytest.mark.parametrize("style", FRAMES)
def test_every_form_of_columns_gives_the_same_answer(
    style: str, write: Callable[[pl.DataFrame], bytes]
) -> None:
    assert answer(CONFIG, ("bars", write(FRAMES[style]))) == answer(CONFIG, ("bars", csv()))


@pytest.mark.parametrize(
    "data",
    [
        *(
            parquet(FRAMES["float64"], compression=kind)
            for kind in ("snappy", "gzip", "zstd", "lz4")
        ),
        parquet(FRAMES["float64"], compression="uncompressed", row_group_size=5),
        arrow(FRAMES["float64"], compression="zstd"),
        arrow(FRAMES["decimal"], compression="lz4"),
    ],
)
def test_compression_and_row_groups_change_nothing(data: bytes) -> None:
    assert answer(CONFIG, ("bars", data))[1] == [EXPECTED]


@pytest.mark.parametrize(
    "kind", [pl.Int8, pl.Int16, pl.Int64, pl.UInt8, pl.UInt64, pl.Int128, pl.Float32]
)
def test_whole_closes_of_any_width_give_the_same_answer(kind: Any) -> None:
    cells = ["100", "101", "101", "101", "7", "0", "3", "3", "2", "3", "100", "99"]
    table = frame(pl.Series(list(map(int, cells)), dtype=kind))
    expected = [row_of("", cells, TIMES, CONFIG.window)]
    assert answer(CONFIG, ("bars", parquet(table)))[1] == expected
    assert answer(CONFIG, ("bars", arrow(table)))[1] == expected


@pytest.mark.parametrize("write", [parquet, arrow])
def test_days_are_the_midnights_that_a_text_gives(write: Callable[[pl.DataFrame], bytes]) -> None:
    days = pl.date_range(START.date(), (START + timedelta(len(CELLS) - 1)).date(), eager=True)
    text = "date,close\n" + "".join(
        f"{day},{cell}\n" for day, cell in zip(days, CELLS, strict=True)
    )
    table = pl.DataFrame({"date": days, "close": DOUBLES})
    assert answer(CONFIG, ("bars", write(table))) == answer(CONFIG, ("bars", text.encode()))


@pytest.mark.parametrize(
    "style", ["csv", "csv with CRLF", "gz", "zst", "bz2", "xz", "ndjson", "ndjson in gz", "json"]
)
def test_standard_input_gives_the_same_answer(style: str, tmp_path: Path) -> None:
    job = Job(tmp_path, config=WINDOW_OF_2.replace("window: 2", "window: 3"))
    summary = tmp_path / "summary.json"
    done = subprocess.run(
        process_arguments(*job.arguments(f"--summary={summary}", input="-")),
        input=TEXTS[style],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [SummaryRow(**row) for row in json.loads(summary.read_bytes())] == [EXPECTED]
    metrics = job.metrics()
    assert (metrics["rows_processed"], metrics["value"]) == (len(CELLS), EXPECTED.signal_rate)


@pytest.mark.parametrize("missing", ["skip", "gap"])
def test_csv_and_json_leave_the_same_files_byte_for_byte(tmp_path: Path, missing: str) -> None:
    cells = ["100.10", "100.1", "", "99.5", "1e15", "-3", "0.10", "100.100", "5", "5"]
    rows = [(at, symbol, cell) for at, cell in zip(TIMES, cells, strict=False) for symbol in "AéA="]
    stamps = [str(at + timedelta(seconds=place % 4)) for place, (at, _, _) in enumerate(rows)]
    texts = {"csv": "time,symbol,close\n", "ndjson": ""}
    for at, (_, symbol, cell) in zip(stamps, rows, strict=True):
        texts["csv"] += f"{at},{symbol},{cell}\n"
        close = "null" if cell == "" else cell
        texts["ndjson"] += f'{{"close":{close},"symbol":"{symbol}","time":"{at}"}}\n'
    texts["json"] = '{"bars": [' + ",".join(texts["ndjson"].splitlines()) + '], "n": 1}'
    config = WINDOW_OF_2 + f"missing: {missing}\ncolumns: {{symbol: symbol}}\n"
    answers = []
    for style, text in texts.items():
        (tmp_path / style).mkdir()
        job = Job(tmp_path / style, text, config)
        outputs = [tmp_path / style / name for name in ("summary.csv", "signals.csv")]
        assert job.run(f"--summary={outputs[0]}", f"--signals={outputs[1]}") == 0
        metrics = job.output.read_bytes().split(b"\n")
        answers.append([metrics[:5] + metrics[6:], *(path.read_bytes() for path in outputs)])
        assert metrics[5].startswith(b'  "latency_ms": ')
    assert answers == answers[:1] * 3


def part(rows: slice, style: str) -> bytes:
    """Write a few of the rows in a style."""
    table = frame(DOUBLES)[rows]
    if style in ("csv", "ndjson"):
        text = table.with_columns(stamp.dt.to_string("%Y-%m-%d %H:%M:%S"))
        return (text.write_csv() if style == "csv" else text.write_ndjson()).encode()
    return parquet(table) if style == "parquet" else arrow(table)


@settings(max_examples=40)
@given(st.data(), st.sets(st.integers(1, len(CELLS) - 1)), st.integers(1, 5))
def test_bars_cut_into_files_of_any_form_and_listed_in_any_order_give_the_same_answer(
    data: st.DataObject, cuts: set[int], window: int
) -> None:
    edges = [0, *sorted(cuts), len(CELLS)]
    forms = st.sampled_from(["csv", "ndjson", "parquet", "arrow"])
    parts = [
        (f"{name}.bars", part(slice(*edge), data.draw(forms)))
        for name, edge in enumerate(pairwise(edges))
    ]
    config = CONFIG._replace(window=window)
    _, summary = answer(config, *data.draw(st.permutations(parts)))
    assert summary == [row_of("", CELLS, TIMES, window)]


Panel = dict[str, list[str]]
panels: st.SearchStrategy[Panel] = st.dictionaries(
    st.sampled_from(["A", "B", "BTC", "=x", "é"]),
    st.lists(st.sampled_from(["1", "1.5", "100.25", "-3", "0"]), min_size=1, max_size=8),
    min_size=1,
).filter(lambda panel: max(map(len, panel.values())) >= CONFIG.window)


def interleaved(panel: Panel, order: list[str]) -> pl.DataFrame:
    """Lay the rows of symbols in this order, each symbol's own in the order of time."""
    left = {name: iter(zip(TIMES, cells, strict=False)) for name, cells in panel.items()}
    rows = [(name, *next(left[name])) for name in order]
    return pl.DataFrame(rows, schema=["symbol", "timestamp", "close"], orient="row")


@settings(max_examples=60)
@given(panels, st.data(), st.sampled_from(["csv", "ndjson", "parquet", "arrow", "strings"]))
def test_rows_of_symbols_in_any_order_give_each_symbol_its_own_answer(
    panel: Panel, data: st.DataObject, style: str
) -> None:
    order = data.draw(st.permutations([name for name, cells in panel.items() for _ in cells]))
    table = interleaved(panel, order)
    if style in ("csv", "ndjson"):
        text = table.with_columns(stamp.dt.to_string("%Y-%m-%d %H:%M"))
        written = (text.write_csv() if style == "csv" else text.write_ndjson()).encode()
    else:
        closes = pl.col("close") if style == "strings" else pl.col("close").cast(pl.Float64)
        written = (arrow if style == "arrow" else parquet)(table.with_columns(closes))
    metrics, summary = answer(BY_COLUMN, ("bars", written))
    expected = [
        row_of(name, cells, TIMES[: len(cells)], CONFIG.window)
        for name, cells in sorted(panel.items())
    ]
    assert summary == expected
    signals, ones = (sum(getattr(row, key) for row in expected) for key in ("signals", "ones"))
    assert metrics["rows_processed"] == len(order)
    assert metrics["value"] == float(round(Decimal(ones) / Decimal(signals), 4))


@settings(max_examples=30)
@given(panels, st.data())
def test_one_file_per_symbol_gives_the_same_as_a_symbol_column(
    panel: Panel, data: st.DataObject
) -> None:
    order = data.draw(st.permutations([name for name, cells in panel.items() for _ in cells]))
    files = []
    for name, cells in panel.items():
        alone = interleaved({name: cells}, [name] * len(cells)).drop("symbol")
        if data.draw(st.booleans()):
            files.append((f"{name}.csv", alone.write_csv().encode()))
        else:
            files.append(
                (f"{name}.parquet", parquet(alone.with_columns(close=pl.col("close").cast(float))))
            )
    whole = answer(BY_COLUMN, ("bars", interleaved(panel, order).write_csv().encode()))
    assert answer(BY_FILE, *data.draw(st.permutations(files))) == whole


def test_panels_cut_by_time_into_files_of_several_forms_give_the_same_answer() -> None:
    panel = {"A": CELLS, "B": CELLS[::-1], "C": CELLS[3:]}
    table = interleaved(panel, sorted(name for name, cells in panel.items() for _ in cells))
    table = table.sort("timestamp", maintain_order=True)
    whole = answer(BY_COLUMN, ("bars", table.write_csv().encode()))
    numbers = table.with_columns(close=pl.col("close").cast(float))
    cut = TIMES[5]
    early, late = numbers.filter(stamp < cut), numbers.filter(stamp >= cut)
    for one, two in ((parquet, parquet), (arrow, parquet)):
        assert answer(BY_COLUMN, ("z", one(early)), ("a", two(late))) == whole
    text = late.write_csv().encode()
    assert answer(BY_COLUMN, ("z", parquet(early)), ("a", text)) == whole
