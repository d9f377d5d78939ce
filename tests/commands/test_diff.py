"""Facts about `diff`: which signals differ between two runs, and which cause is given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.analysis import difference
from tests.support import oracle
from tests.support.records import forged
from tests.support.shell import command, published

MINUTES = [f"2024-01-01T00:{minute:02}:00" for minute in range(60)]
FORMS = ("signals.csv", "signals.parquet", "signals.arrow")
CLOSES = [1, 2, 1, 2, 2, 3, 1, 4, 4, 5, 3, 3]


def rows_of(closes: list[Any], symbol: str = "", times: list[str] = MINUTES) -> list[str]:
    """Write bars as rows of timestamp, symbol and close."""
    return [f"{time},{symbol},{close}" for time, close in zip(times, closes, strict=False)]


class Runs:
    """A folder in which runs are made and compared."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def run(self, name: str, rows: list[str], *more: str, config: str = "window: 2\n") -> str:
        """Run over bars; return the path of the signals, whose name ends like `name`."""
        bars, settings_ = self.folder / f"{name}.bars.csv", self.folder / f"{name}.yaml"
        bars.write_text("\n".join(["timestamp,symbol,close", *rows, ""]))
        symbol = "symbol" if any(",," not in row for row in rows) else "none"
        settings_.write_text(f"seed: 1\nversion: v\ncolumns: {{symbol: {symbol}}}\n{config}")
        signals = self.folder / name
        paths = {"input": bars, "config": settings_, "signals": signals}
        paths |= {"output": self.folder / "metrics.json", "log-file": self.folder / "run.log"}
        assert command("run", *(f"--{flag}={path}" for flag, path in paths.items()), *more) == 0
        return str(signals)

    def told(self, a: object, b: object, *more: str) -> tuple[int, str, str]:
        """Compare; return the exit code, stdout and stderr, without the folder's path."""
        self._capsys.readouterr()
        code = command("diff", str(a), str(b), *more)
        printed, said = self._capsys.readouterr()
        return code, printed.replace(f"{self.folder}/", ""), said.replace(f"{self.folder}/", "")

    def document(self, a: object, b: object, *more: str) -> dict[str, Any]:
        code, printed, said = self.told(a, b, "--json", *more)
        document = published(printed)
        assert (code, said) == (0 if document["equal"] else 1, "")
        return document

    def record(self, name: str, signals: str | None, **more: dict[str, Any] | str | None) -> str:
        """Write the record of a run, some of which is changed."""
        path = self.folder / name
        self.run("of-a-record.csv", rows_of([1, 2, 3]), f"--record={path}")
        document = json.loads(path.read_text())
        document["asked"]["outputs"] = {} if signals is None else {"--signals": signals}
        for key, value in more.items():
            document[key] = document[key] | value if isinstance(value, dict) else value
        path.write_text(forged(document))
        return str(path)


@pytest.fixture
def runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Runs:
    return Runs(tmp_path, capsys)


def changed(document: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(row["change"], row["cause"], row["timestamp"][14:16]) for row in document["rows"]]


# Equal runs.


def test_equal_bytes_are_equal(runs: Runs) -> None:
    a, b = (runs.run(name, rows_of(CLOSES)) for name in ("a.csv", "b.csv"))
    assert runs.told(a, b) == (0, "the signals are equal\n\nA: a.csv\nB: b.csv\n", "")


@pytest.mark.parametrize("panel", [False, True])
def test_the_same_signals_are_equal_in_every_form(runs: Runs, panel: bool) -> None:
    rows = rows_of(["1.10", "1.2", "1000", "1.3", "1.3"], "=1+1" if panel else "")
    if panel:
        rows = [*rows, *rows_of(CLOSES, "BTC")]
    paths = [runs.run(name, rows) for name in FORMS]
    parts = [
        runs.run(f"parts{suffix}", rows, "--partition-by", key)
        for key in ("symbol", "date")
        for suffix in (f".{key}", f".{key}.csv", f".{key}.arrow")
    ]
    for path in (*paths, *parts):
        document = runs.document(paths[0], path)
        assert document["equal"] is True
        if path != paths[0]:
            assert set(document["counts"].values()) == {0}
            assert document["b"]["bars"] == len(rows)


def test_the_order_of_rows_does_not_matter(runs: Runs) -> None:
    first, second = rows_of(CLOSES, "A"), rows_of(CLOSES, "B")
    mixed = [row for pair in zip(first, second, strict=True) for row in pair]
    a, b = runs.run("a.csv", first + second), runs.run("b.csv", mixed)
    assert Path(a).read_bytes() != Path(b).read_bytes()
    assert runs.document(a, b)["equal"] is True


def test_bars_without_timestamps_are_paired_in_their_order(runs: Runs) -> None:
    def run(name: str, closes: list[int]) -> str:
        signals = runs.run(name, rows_of(closes))
        table = pl.read_csv(signals, infer_schema=False).with_columns(timestamp=pl.lit(None))
        table.write_csv(signals)
        return signals

    a, b, c = run("a.csv", CLOSES), run("b.csv", CLOSES), run("c.csv", [*CLOSES[:-1], 9])
    assert runs.document(a, b)["equal"] is True
    assert runs.document(a, c)["counts"]["signal"] == 1


def test_bars_that_share_their_time_are_paired_in_their_order(runs: Runs) -> None:
    times = [MINUTES[0], *MINUTES[:5]]
    config = "window: 2\nchecks: {duplicates: warn}\n"
    a = runs.run("a.csv", rows_of([1, 2, 3, 4, 5, 6], times=times), "-q", config=config)
    b = runs.run("b.parquet", rows_of([1, 2, 3, 4, 5, 6], times=times), "-q", config=config)
    c = runs.run("c.csv", rows_of([1, 1, 3, 4, 5, 6], times=times), "-q", config=config)
    assert runs.document(a, b)["equal"] is True
    assert runs.document(a, c)["counts"]["signal"] == 1


# What differs, and why.


def test_a_close_that_changed_is_the_cause_in_all_windows_that_have_it(runs: Runs) -> None:
    closes = [5, 5, 5, 5, 9, 6, 6, 7, 7, 7]
    a = runs.run("a.csv", rows_of(closes), config="window: 3\n")
    b = runs.run("b.csv", rows_of([5, 5, 5, 5, 1, 6, 6, 7, 7, 7]), config="window: 3\n")
    document = runs.document(a, b)
    assert document["a"]["window"] == document["b"]["window"] == 3
    assert document["a"]["window_from"] == "first signal"
    assert changed(document)[:3] == [(*("signal", "data"), minute) for minute in ("04", "05", "06")]
    assert document["causes"] == {"data": 3}
    assert document["rows"][0] == {
        "change": "signal",
        "cause": "data",
        "symbol": "",
        "timestamp": "2024-01-01T00:04:00Z",
        "close_a": "9",
        "close_b": "1",
        "signal_a": 1,
        "signal_b": 0,
    }


def test_a_bar_that_is_only_in_one_run_is_shown_and_is_a_cause(runs: Runs) -> None:
    rows = rows_of([1, 2, 3, 2, 5, 6])
    a, b = runs.run("a.csv", rows), runs.run("b.csv", rows[:2] + rows[3:])
    document = runs.document(a, b)
    assert (document["counts"]["only in A"], document["counts"]["only in B"]) == (1, 0)
    assert ("only in A", "data", "02") in changed(document)
    # In B, the close of 2 follows one of 2.
    assert runs.document(b, a)["counts"]["only in B"] == 1
    assert runs.document(a, b)["counts"]["signal"] == 0
    assert runs.document(a, b)["counts"]["rolling mean"] == 1


def test_another_window_is_shown_as_a_difference_of_configs(runs: Runs) -> None:
    a = runs.run("a.csv", rows_of(CLOSES), config="window: 2\n")
    b = runs.run("b.csv", rows_of(CLOSES), config="window: 4\n")
    document = runs.document(a, b)
    closes = oracle.prices(list(map(str, CLOSES)))
    by_two, by_four = oracle.signals(closes, 2), oracle.signals(closes, 4)
    expected = sum(left != right for left, right in zip(by_two, by_four, strict=True))
    assert document["causes"] == {"config: window": expected}
    assert (document["a"]["window"], document["b"]["window"]) == (2, 4)


def test_what_no_close_and_no_window_explains_is_unknown(runs: Runs) -> None:
    a, b = runs.run("a.csv", rows_of(CLOSES)), runs.run("b.csv", rows_of(CLOSES))
    lines = Path(b).read_text().splitlines()
    lines[5] = lines[5][:-1] + ("1" if lines[5][-1] == "0" else "0")
    Path(b).write_text("\n".join([*lines, ""]))
    assert runs.document(a, b)["causes"] == {"unknown": 1}


def test_a_close_in_another_series_is_not_a_cause(runs: Runs) -> None:
    first, second = rows_of(CLOSES, "A"), rows_of(CLOSES, "B")
    a, b = runs.run("a.csv", first + second), runs.run("b.csv", first + second)
    lines = Path(b).read_text().splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith(f"{MINUTES[5]}Z,B,"))
    flipped = "1" if lines[at][-1] == "0" else "0"
    lines[at] = lines[at][:-1] + flipped
    before = lines.index(next(line for line in lines if line.startswith(f"{MINUTES[5]}Z,A,")))
    cells = lines[before].split(",")
    lines[before] = ",".join([*cells[:2], "77", *cells[3:]])
    Path(b).write_text("\n".join([*lines, ""]))
    document = runs.document(a, b)
    assert document["causes"] == {"unknown": 1}
    assert document["counts"]["close"] == 1


@settings(max_examples=40)
@given(
    closes=st.lists(st.integers(1, 4), min_size=4, max_size=25),
    edits=st.dictionaries(st.integers(0, 24), st.integers(1, 4), max_size=3),
    window=st.integers(1, 4),
)
def test_counts_and_causes_are_those_of_the_definition(
    tmp_path_factory: pytest.TempPathFactory,
    closes: list[int],
    edits: dict[int, int],
    window: int,
) -> None:
    from rollsignal.analysis.difference_report import report
    from rollsignal.commands.diff import compare

    folder = tmp_path_factory.mktemp("law")
    edited = [edits.get(at, close) for at, close in enumerate(closes)]
    paths, signals = [], []
    for name, values in (("a", closes), ("b", edited)):
        result = oracle.signals(oracle.prices(list(map(str, values))), window)
        rows = [
            f"{time}Z,,{close},,{'' if signal is None else signal}"
            for time, close, signal in zip(MINUTES, values, result, strict=False)
        ]
        path = folder / f"{name}.csv"
        path.write_text("\n".join(["timestamp,symbol,close,rolling_mean,signal", *rows, ""]))
        paths.append(str(path))
        signals.append(result)
    compared = compare(*paths)
    differing = [left != right for left, right in zip(*signals, strict=True)]
    assert compared.equal is (closes == edited)
    if compared.difference:
        document: Any = report(compared, 100)
        assert document["counts"]["signal"] == sum(differing)
        # Where only closes and not settings differ, they explain all.
        assert document["causes"] == ({"data": sum(differing)} if any(differing) else {})


def test_large_tables_are_paired_over_many_steps(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(difference, "STEP_ROWS", 1 << 12)
    count = 12_500
    stamps = pl.datetime_range(
        pl.datetime(2024, 1, 1), pl.datetime(2025, 1, 1), "1m", time_zone="UTC", time_unit="ns"
    )
    table = pl.select(stamps.head(count).alias("timestamp")).with_columns(
        symbol=pl.lit(""),
        close=pl.int_range(pl.len()).cast(pl.String),
        rolling_mean=pl.lit(1.5),
        signal=(pl.int_range(pl.len()) % 2).cast(pl.Int8),
    )
    a, b, c = (str(runs.folder / name) for name in ("a.parquet", "b.parquet", "c.parquet"))
    table.write_parquet(a)
    pl.concat([table.slice(1, 9_373), table.slice(9_375)]).write_parquet(b)
    table.reverse().write_parquet(c)
    document = runs.document(a, b)
    assert document["counts"] == {
        "signal": 0,
        "only in A": 2,
        "only in B": 0,
        "close": 0,
        "rolling mean": 0,
    }
    assert runs.document(a, c)["equal"] is True


# Records.


def test_records_lead_to_the_signals_and_name_the_settings(runs: Runs) -> None:
    a = runs.run("a.csv", rows_of(CLOSES), config="window: 2\n")
    b = runs.run("b.csv", rows_of(CLOSES), config="window: 4\n")
    first = runs.record("a.json", a, config={"window": {"value": 2, "line": 3}})
    second = runs.record("b.json", b, config={"window": {"value": 4, "line": 3}})
    for path, sha256 in ((first, "1" * 64), (second, "2" * 64)):
        record = json.loads(Path(path).read_text())
        record["inputs"][0]["file"] |= {"path": "x", "sha256": sha256}
        Path(path).write_text(forged(record))
    document = runs.document(first, second)
    assert document["settings"] == {"window": {"a": 2, "b": 4}}
    assert document["inputs"] == {"x": {"a": "1" * 64, "b": "2" * 64}}
    assert document["a"]["window_from"] == "record"
    assert list(document["causes"]) == ["config: window"]
    assert "settings that differ:\n  window: 2 in A, 4 in B\n" in runs.told(first, second)[1]


def test_two_runs_are_compared_by_the_records_that_they_kept(runs: Runs) -> None:
    corrected = [*CLOSES[:5], 1, *CLOSES[6:]]
    kept = {}
    for name, closes, window in (("a", CLOSES, 2), ("b", corrected, 2), ("c", CLOSES, 3)):
        kept[name] = str(runs.folder / f"{name}.json")
        flags = (f"--record={kept[name]}", "--partition-by=date")
        runs.run(name, rows_of(closes), *flags, config=f"window: {window}\n")
    by_data = runs.document(kept["a"], kept["b"])
    assert by_data["settings"] == by_data["versions"] == {}
    assert len(by_data["inputs"]) == 2
    assert by_data["causes"] == {"data": 1}
    assert ("signal", "data", "05") in changed(by_data)
    by_config = runs.document(kept["a"], kept["c"])
    assert by_config["settings"] == {"window": {"a": 2, "b": 3}}
    assert set(by_config["causes"]) == {"config: window"}
    assert runs.document(kept["a"], kept["a"])["equal"] is True


def test_versions_are_the_cause_where_nothing_else_is(runs: Runs) -> None:
    for name in ("a.csv", "b.csv"):
        runs.run(name, rows_of(CLOSES))
    text = (runs.folder / "b.csv").read_text()
    (runs.folder / "b.csv").write_text(text[:-2] + ("1\n" if text[-2] == "0" else "0\n"))
    first, second = (
        runs.record(f"{name}.json", name, program={"rollsignal": version})
        for name, version in (("a.csv", "0.1.0"), ("b.csv", "0.2.0"))
    )
    document = runs.document(first, second)
    assert document["causes"] == {"code: rollsignal": 1}
    assert document["versions"] == {"rollsignal": {"a": "0.1.0", "b": "0.2.0"}}


def test_records_without_signals_are_compared_by_their_digests(runs: Runs) -> None:
    first, second, third, fourth = (
        runs.record(f"{at}.json", None, digest=digest, status="success" if digest else "running")
        for at, digest in enumerate(("a" * 32, "a" * 32, "b" * 32, None))
    )
    assert runs.document(first, second)["equal"] is True
    code, printed, _ = runs.told(first, third)
    assert code == 1
    assert printed.endswith(
        "one of the runs has no table of signals, so where they differ is not known\n"
    )
    assert runs.told(first, fourth)[0] == 2


@pytest.mark.parametrize(
    "record", ["{}", '{"inputs": 1, "config": [], "asked": "x", "outputs": 3}']
)
def test_an_object_that_is_not_a_record_cannot_be_compared(runs: Runs, record: str) -> None:
    path = runs.folder / "r.json"
    path.write_text(record)
    code, printed, said = runs.told(path, path)
    assert (code, printed) == (65, "")
    assert 'it has no "schema" urn:rollsignal:schema:record:2' in said


# Output.


def test_the_text_shows_a_table_and_how_many_rows_it_leaves_out(runs: Runs) -> None:
    a = runs.run("a.csv", rows_of([1, 2, 3, 4]))
    b = runs.run("b.csv", rows_of([1, 2, 1, 4]))
    assert runs.told(a, b, "--limit", "1") == (
        1,
        "the signals differ\n"
        "\n"
        "A: a.csv, 4 bars, window 2 (from its first signal)\n"
        "B: b.csv, 4 bars, window 2 (from its first signal)\n"
        "\n"
        "1 signal changed: 1 by data\n"
        "1 bar with another rolling mean, and the same close and signal\n"
        "\n"
        "change  cause  symbol  timestamp             close_a  close_b  signal_a  signal_b\n"
        "signal  data   -       2024-01-01T00:02:00Z  3        1        1         0\n"
        "and 1 more (--limit shows more)\n",
        "",
    )


@pytest.mark.parametrize(
    ("name", "content", "code", "message"),
    [
        ("none.csv", None, 66, "Signals or record not found"),
        (
            "bars.csv",
            b"time,close\n1,2\n",
            65,
            "bars.csv: not a table of signals: no column timestamp",
        ),
        ("cut.parquet", b"PAR1 and no more", 65, "cut.parquet: not a table of signals: "),
        ("r.json", b'{"a": ', 65, "r.json is no record of a run: not JSON at line 1, "),
        (
            "odd.csv",
            b"timestamp,symbol,close,rolling_mean,signal\n,,1,,x\n",
            65,
            "odd.csv: not a table of signals: ",
        ),
    ],
)
def test_a_file_that_is_not_a_table_of_signals_is_refused(
    runs: Runs, name: str, content: bytes | None, code: int, message: str
) -> None:
    good = runs.run("good.csv", rows_of(CLOSES))
    if content is not None:
        (runs.folder / name).write_bytes(content)
    for pair in ((good, runs.folder / name), (runs.folder / name, good)):
        result, printed, said = runs.told(*pair)
        assert (result, printed) == (code, "")
        assert said.startswith(f"rollsignal: error: {message}")


def test_two_equal_files_that_are_not_signals_are_not_called_equal_signals(runs: Runs) -> None:
    bars = runs.folder / "bars.csv"
    bars.write_bytes(b"time,close\n1,2\n")
    result, printed, said = runs.told(bars, bars)
    assert (result, printed) == (65, "")
    assert said.startswith("rollsignal: error: bars.csv: not a table of signals: no column")


def test_an_empty_folder_and_a_negative_limit_are_refused(runs: Runs) -> None:
    good = runs.run("good.csv", rows_of(CLOSES))
    (runs.folder / "empty").mkdir()
    assert runs.told(good, runs.folder / "empty")[0] == 66
    assert runs.told(good, good, "--limit", "-1")[0] == 2
