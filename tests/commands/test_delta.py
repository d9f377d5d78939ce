"""A Delta table is read as of its newest version, and the record holds on to that version."""

from __future__ import annotations

import base64
import json
import shutil
import sys
from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake

from rollsignal.commands.verify import verify
from tests.support.shell import CONFIG, Recorded, command

CLOSES = ["1.5", "2", "1.25", "2", "2", "3", "1", "4"]
PANEL = CONFIG + "columns: {symbol: symbol}\n"


def frame(closes: Sequence[str], first: int = 0, **more: object) -> pl.DataFrame:
    days = [date(2024, 1, 1) + timedelta(first + row) for row in range(len(closes))]
    table = pl.DataFrame({"day": days, "close": list(map(float, closes))})
    return table.with_columns(**{name: pl.lit(value) for name, value in more.items()})


def ones(closes: Sequence[str]) -> int:
    values = list(map(Fraction, closes))
    return sum(2 * now > before + now for before, now in pairwise(values))


def rate(*series: Sequence[str]) -> float:
    """Compute the rate of signals with a window of 2, from the closes as they are written."""
    signals = sum(len(closes) - 1 for closes in series)
    return float(round(Fraction(sum(map(ones, series)), signals), 4))


class Lake(Recorded):
    """A job, and the table that it reads."""

    @property
    def table(self) -> Path:
        return self.folder / "lake" / "bars"

    def write(self, table: pl.DataFrame, **options: Any) -> None:
        self.table.parent.mkdir(exist_ok=True)
        write_deltalake(str(self.table), table, mode="append", **options)

    def value(self, *more: str, code: int = 0, **paths: object) -> object:
        assert self.run(*more, **({"input": self.table} | paths)) == code
        metrics = self.metrics()
        return metrics["value"] if code == 0 else metrics["error_message"]

    def versions(self) -> list[str | None]:
        return [read["file"]["version"] for read in self.read()["inputs"]]

    def skipped(self, *more: str) -> bool:
        before = len(self.events())
        self.value("--if-changed", *more)
        return any("nothing changed" in line for line in self.events()[before:])

    def wrong(self) -> dict[str, Any]:
        points: Any = verify(str(self.record)).document["points"]
        return {point["point"]: point["found"] for point in points if not point["holds"]}

    def add_to_log(self, version: int, *actions: dict[str, Any]) -> None:
        lines = "".join(json.dumps(action) + "\n" for action in actions)
        (self.table / "_delta_log" / f"{version:020}.json").write_text(lines)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path)


def test_only_the_files_of_the_newest_version_are_read(lake: Lake) -> None:
    lake.write(frame(CLOSES[:4]))
    lake.write(frame(CLOSES[4:], first=4))
    assert lake.value() == rate(CLOSES)
    assert lake.versions() == ["1", "1"]
    DeltaTable(str(lake.table)).delete("day = '2024-01-08'")
    assert len(list(lake.table.glob("*.parquet"))) == 3
    assert lake.value() == rate(CLOSES[:-1])
    assert lake.versions() == ["2", "2"]
    DeltaTable(str(lake.table)).optimize.compact()
    # Compacted, the rows of a file may be in any order.
    lake.config.write_text(CONFIG + "sort: true\n")
    assert lake.value() == rate(CLOSES[:-1])
    assert lake.versions() == ["3"]


def test_a_table_is_read_however_its_folder_is_named(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.write(frame(CLOSES))
    monkeypatch.chdir(lake.table.parent)
    for name in ("bars", "./bars/", "../lake/bars", lake.table, f"{lake.table}//"):
        assert lake.value(input=name) == rate(CLOSES)
        assert lake.versions() == ["0"]
        assert lake.wrong() == {}


def test_the_partitions_of_a_table_are_the_symbols(lake: Lake) -> None:
    lake.config.write_text(PANEL)
    for name, closes in (("A", CLOSES), ("B/ %2F=é", CLOSES[2:])):
        lake.write(frame(closes, symbol=name), partition_by=["symbol"])
    assert lake.value(f"--summary={lake.folder / 's.csv'}") == rate(CLOSES, CLOSES[2:])
    summary = pl.read_csv(lake.folder / "s.csv")
    assert summary["symbol"].to_list() == ["A", "B/ %2F=é"]
    assert summary["ones"].to_list() == [ones(CLOSES), ones(CLOSES[2:])]


def test_a_symbol_that_the_log_tells_otherwise_than_the_folder_is_refused(lake: Lake) -> None:
    lake.config.write_text(PANEL)
    lake.write(frame(CLOSES, symbol="A"), partition_by=["symbol"])
    log = lake.table / "_delta_log" / f"{0:020}.json"
    log.write_text(log.read_text().replace('{"symbol":"A"}', '{"symbol":"B"}'))
    assert "whose folders are not its partition" in str(lake.value(code=65))


def test_files_of_a_table_are_refused_unless_they_are_its_newest_version(lake: Lake) -> None:
    lake.write(frame(CLOSES[:4]))
    lake.write(frame(CLOSES[4:], first=4))
    refusal = (
        f"{lake.table}: a table of Delta, of which only the log says which files count (name the"
        " folder of the table, to read its newest version; or write its bars to one file with"
        " polars.scan_delta, and read that)"
    )
    one = next(lake.table.glob("*.parquet"))
    assert lake.value(input=one, code=65) == refusal
    # As long as there are no others, a folder above holds the same files.
    assert lake.value(input=lake.table.parent) == rate(CLOSES)
    DeltaTable(str(lake.table)).delete("day = '2024-01-08'")
    assert lake.value(input=lake.table.parent, code=65) == refusal
    assert lake.value(input=f"{lake.table}/*.parquet", code=65) == refusal
    assert lake.value() == rate(CLOSES[:-1])


def test_a_run_is_repeated_for_another_version_alone(lake: Lake) -> None:
    lake.write(frame(CLOSES[:4]))
    lake.value()
    assert lake.skipped()
    lake.write(frame(CLOSES[4:], first=4))
    assert not lake.skipped()
    assert lake.skipped()
    # A version with the same files.
    DeltaTable(str(lake.table)).alter.set_table_properties({"delta.appendOnly": "false"})
    assert not lake.skipped()
    assert lake.versions() == ["2", "2"]
    assert lake.metrics()["value"] == rate(CLOSES)


def test_verify_holds_on_to_the_version_of_the_record(lake: Lake) -> None:
    lake.write(frame(CLOSES[:4]))
    lake.write(frame(CLOSES[4:], first=4))
    lake.value()
    lake.write(frame(["9"], first=30))
    DeltaTable(str(lake.table)).delete("day = '2024-01-02'")
    assert lake.wrong() == {}
    table = DeltaTable(str(lake.table))
    removed = table.vacuum(0, dry_run=False, enforce_retention_duration=False)
    assert len(removed) == 1
    wrong = lake.wrong()
    assert wrong["input"] is None
    assert "Input data file not found" in wrong["derivation"]


def test_a_state_continues_a_table_to_which_bars_are_added(lake: Lake) -> None:
    state = f"--state={lake.folder / 's.state'}"
    for first in (0, 4, 6):
        lake.write(frame(CLOSES[first : first + 2 + 2 * (not first)], first=first))
        assert lake.value(state) == rate(CLOSES[: first + 2 + 2 * (not first)])
    assert lake.versions() == ["2", "2", "2"]
    assert lake.wrong() == {}


@pytest.mark.parametrize("change", ["delete", "update", "compact"])
def test_a_state_is_not_continued_where_a_table_has_lost_files(lake: Lake, change: str) -> None:
    state = f"--state={lake.folder / 's.state'}"
    lake.write(frame(CLOSES[:4]))
    lake.write(frame(CLOSES[4:], first=4))
    lake.value(state)
    table = DeltaTable(str(lake.table))
    if change == "delete":
        table.delete("day = '2024-01-02'")
    elif change == "update":
        table.update(updates={"close": "7.0"}, predicate="day = '2024-01-02'")
    else:
        table.optimize.compact()
    message = lake.value(state, code=65)
    assert message == (
        f"{lake.table}: version 2 of the table has no longer all files that the state has read"
    )


def test_a_state_is_not_continued_where_a_table_was_moved(lake: Lake) -> None:
    state = f"--state={lake.folder / 's.state'}"
    lake.write(frame(CLOSES[:4]))
    lake.value(state)
    gone = next(lake.table.glob("*.parquet"))
    DeltaTable(str(lake.table)).delete("day = '2024-01-02'")
    shutil.move(lake.table, lake.folder / "moved")
    message = lake.value(state, input=lake.folder / "moved", code=65)
    assert str(message).startswith(f"{gone}: a Parquet file that the state has read is gone")


def test_a_table_without_timestamps_has_no_order(lake: Lake) -> None:
    lake.config.write_text(CONFIG + "columns: {timestamp: none}\n")
    for close in CLOSES[:3]:
        lake.write(frame([close]).drop("day"))
    message = f"{lake.table}: the rows of a Delta table have no order, and timestamps are not read"
    assert lake.value(code=65) == message


def test_rows_that_are_out_of_order_are_refused_or_sorted(lake: Lake) -> None:
    lake.write(frame(CLOSES).reverse())
    lake.value(code=65)
    assert "sort: true" in lake.log.read_text()
    lake.config.write_text(CONFIG + "sort: true\n")
    assert lake.value() == rate(CLOSES)


def test_column_mapping_is_refused_by_name(lake: Lake) -> None:
    lake.write(frame(CLOSES))
    log = lake.table / "_delta_log" / f"{0:020}.json"
    text = log.read_text().replace(
        '"configuration":{}', '"configuration":{"delta.columnMapping.mode":"name"}'
    )
    log.write_text(text)
    assert "column mapping" in str(lake.value(code=65))


# Rows 3, 4, 7, 11, 18 and 29, the example in the protocol of Delta.
INLINE = "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L"


@pytest.mark.parametrize("storage", ["i", "u"])
def test_deletion_vectors_are_refused_by_name(lake: Lake, storage: str) -> None:
    lake.write(frame([str(row % 5 + 1) for row in range(40)]))
    log = lake.table / "_delta_log" / f"{0:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    vector = {"storageType": storage, "pathOrInlineDv": INLINE, "sizeInBytes": 40, "cardinality": 6}
    features = {"readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}
    for action in actions:
        if "protocol" in action:
            action["protocol"] = {"minReaderVersion": 3, "minWriterVersion": 7} | features
    lake.add_to_log(0, *actions)
    # Where no row is marked as deleted, all count.
    assert lake.value() == rate([str(row % 5 + 1) for row in range(40)])
    for action in actions:
        if "add" in action:
            action["add"]["deletionVector"] = vector | ({"offset": 1} if storage == "u" else {})
    lake.add_to_log(0, *actions)
    assert "deletion vectors" in str(lake.value(code=65))


def test_an_unknown_feature_is_refused_by_name(lake: Lake) -> None:
    lake.write(frame(CLOSES))
    log = lake.table / "_delta_log" / f"{0:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    features = {"readerFeatures": ["shiftedRows"], "writerFeatures": ["shiftedRows"]}
    for action in actions:
        if "protocol" in action:
            action["protocol"] = {"minReaderVersion": 3, "minWriterVersion": 7} | features
    lake.add_to_log(0, *actions)
    assert "shiftedRows" in str(lake.value(code=65))


@pytest.mark.parametrize("data", [b"", b"x", b"{}\n", base64.b64decode(b"/wD/"), b'{"add":1}\n'])
def test_a_damaged_log_is_bad_data(lake: Lake, data: bytes) -> None:
    lake.write(frame(CLOSES))
    (lake.table / "_delta_log" / f"{0:020}.json").write_bytes(data)
    assert str(lake.value(code=65)).startswith(f"{lake.table}: ")


def test_a_file_of_a_table_that_is_gone_is_an_input_error(lake: Lake) -> None:
    lake.write(frame(CLOSES))
    next(lake.table.glob("*.parquet")).unlink()
    assert lake.value(code=66) == "Input data file not found"


@pytest.mark.parametrize("name", ["a b", "a[1]*", "x#y?z", "é", "a%20b"])
def test_the_name_of_a_folder_is_taken_literally(lake: Lake, name: str) -> None:
    lake.write(frame(CLOSES))
    other = lake.folder / name
    shutil.copytree(lake.table, other)
    if "%" in name:
        message = f"{other}: a Delta table below a name with %; rename it"
        assert lake.value(input=other, code=65) == message
    else:
        assert lake.value(input=other) == rate(CLOSES)


def test_a_table_without_files_has_no_bars(lake: Lake) -> None:
    lake.write(frame(CLOSES))
    DeltaTable(str(lake.table)).delete()
    assert lake.value(code=66) == "Input folder has no files"


def test_without_deltalake_a_table_is_refused_with_the_command_that_installs_it(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.write(frame(CLOSES))
    monkeypatch.setitem(sys.modules, "deltalake", None)
    refusal = (
        f"{lake.table}: a table of Delta, of which only the log says which files count (pip install"
        " deltalake, to read the newest version of its folder; or write its bars to one file with"
        " polars.scan_delta, and read that)"
    )
    for given in (lake.table, lake.table.parent, next(lake.table.glob("*.parquet"))):
        assert lake.value(input=given, code=65) == refusal
    shutil.rmtree(lake.table / "_delta_log")
    assert lake.value() == rate(CLOSES)


def test_other_commands_read_a_table_too(
    lake: Lake, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    lake.write(frame(CLOSES))
    lake.write(frame(["7"], first=30))
    DeltaTable(str(lake.table)).delete("day = '2024-01-31'")
    assert command("check", f"--input={lake.table}") == 0
    assert json.loads(capsysbinary.readouterr().out)["rows"] == len(CLOSES)
    config = f"--config={lake.config}"
    assert command("explain", f"--input={lake.table}", config, "--at=2024-01-08") == 0
