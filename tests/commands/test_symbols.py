"""Symbols that are found out, in every command: runs, states, records, checks, explanations."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import rollsignal
from rollsignal.commands.verify import verify
from rollsignal.errors import ConfigError, DataError, JobError
from rollsignal.outputs.state.document import State, load_state
from tests.support.nights import CONFIG, Folder, bar
from tests.support.records import forged
from tests.support.shell import command

NONE = CONFIG + "columns: {symbol: none}\n"
# One after the other, A rises and B falls: read as one series, one signal of four would be 1.
TWO = (
    "ticker,date,close\nA,2024-01-01,10\nA,2024-01-02,11\nA,2024-01-03,12\n"
    "B,2024-01-04,9\nB,2024-01-05,8\nB,2024-01-06,7\n"
)
UNNAMED = TWO.replace("ticker", "desk")


class Desk:
    """A folder with bars and a config, and the command line there."""

    def __init__(self, folder: Path, bars: str = TWO, config: str = CONFIG) -> None:
        self.folder = folder
        self.bars, self.config = folder / "bars.csv", folder / "c.yaml"
        self.bars.write_text(bars)
        self.config.write_text(config)

    def run(self, *more: str, **paths: object) -> int:
        usual = {"input": self.bars, "config": self.config, "output": self.folder / "m.json"}
        flags = {**usual, "log-file": self.folder / "l.log", **paths}
        return command("run", *(f"--{name}={path}" for name, path in flags.items()), *more)

    @property
    def metrics(self) -> dict[str, Any]:
        document = json.loads((self.folder / "m.json").read_text())
        assert isinstance(document, dict)
        return document


def test_a_run_decides_each_symbol_by_itself_and_writes_it(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    signals = tmp_path / "s.csv"
    assert desk.run(signals=signals) == 0
    assert (desk.metrics["value"], desk.metrics["rows_processed"]) == (0.5, 6)
    table = pl.read_csv(signals)
    assert table["symbol"].to_list() == list("AAABBB")
    assert table["signal"].to_list() == [None, None, 1, None, None, 0]
    assert desk.run(since="2024-01-04") == 0
    assert (desk.metrics["value"], desk.metrics["rows_processed"]) == (0.0, 3)
    assert desk.run("--partition-by=symbol", signals=tmp_path / "parts") == 0
    assert sorted(path.name for path in (tmp_path / "parts").iterdir()) == ["symbol=A", "symbol=B"]


def test_one_symbol_gives_the_metrics_of_one_series_without_a_name(tmp_path: Path) -> None:
    bars = TWO.replace("B,", "A,")
    left = []
    for config in (CONFIG, NONE):
        desk = Desk(tmp_path, bars, config)
        assert desk.run() == 0
        left.append({**desk.metrics, "latency_ms": 0})
    assert left[0] == left[1]
    assert left[0]["value"] == 0.25


def test_what_may_be_no_symbol_ends_a_run_with_exit_65(tmp_path: Path) -> None:
    desk = Desk(tmp_path, TWO.replace("ticker", "code"))
    assert desk.run() == 65
    assert "code is 'B', but 'A' above (set columns: {symbol: code}" in str(desk.metrics)
    for config, value in (("columns: {symbol: code}\n", 0.5), ("columns: {symbol: none}\n", 0.25)):
        desk = Desk(tmp_path, TWO.replace("ticker", "code"), CONFIG + config)
        assert desk.run() == 0
        assert desk.metrics["value"] == value


def test_symbols_with_too_few_bars_each_are_told_of(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "symbol,close\nA,1\nB,2\nC,3\nA,4\n")
    assert desk.run() == 65
    message = "4 rows of several symbols, each with fewer than the window of 3"
    assert desk.metrics["error_message"] == f"{desk.bars}: {message}"


def test_the_api_finds_symbols_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    metrics = rollsignal.run(
        str(desk.bars), str(desk.config), output=str(tmp_path / "m.json"), log_file=None
    )
    assert metrics["value"] == 0.5


def test_a_check_counts_the_symbols_and_reports_files_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(tmp_path)
    assert command("check", f"--input={desk.bars}", f"--config={desk.config}") == 0
    assert json.loads(capsys.readouterr().out)["series"] == 2
    (tmp_path / "x.csv").write_text("date,close\n2024-02-01,1\n")
    assert command("check", "--input", str(desk.bars), str(tmp_path / "x.csv")) == 65
    first = json.loads(capsys.readouterr().out)["checks"]["unreadable"]["first"]
    assert "has no symbols, but" in first[0]["message"]


def test_an_explanation_needs_to_know_which_of_the_symbols(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk(tmp_path)
    flags = (f"--input={desk.bars}", f"--config={desk.config}", "--at=row:3")
    assert command("explain", *flags) == 2
    assert "name one with --symbol (for example A, B)" in capsys.readouterr().err
    assert command("explain", *flags, "--json", "--symbol=B") == 0
    assert json.loads(capsys.readouterr().out)["signal"] == 0
    desk.bars.write_text(UNNAMED)
    assert command("explain", *flags, "--symbol=B") == 2
    assert "--symbol is given, but" in capsys.readouterr().err
    desk.config.write_text(NONE)
    assert command("explain", *flags, "--symbol=B") == 2
    assert "columns.symbol is none in the config" in capsys.readouterr().err


def test_a_state_of_symbols_goes_on_with_each_of_them(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    paths = [
        folder.write("1.csv", [bar(n, symbol=symbol) for n in range(5) for symbol in "AB"]),
        folder.write("2.csv", [bar(n, symbol=symbol) for n in range(5, 9) for symbol in "BCA"]),
    ]
    for count in (1, 2):
        assert folder.continued(paths[:count]) is None
    assert folder.equals_a_run_over(paths)
    assert set(folder.state().accounts) == set("ABC")
    (tmp_path / "3.csv").write_text("timestamp,close\n2024-02-01,1\n")
    message = str(folder.continued([*paths, str(tmp_path / "3.csv")]))
    assert "3.csv has no symbols, but " in message
    assert "was read with symbols" in message


def test_a_state_of_one_series_is_not_continued_with_symbols(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    first = tmp_path / "1.csv"
    first.write_text("timestamp,close\n2023-01-01,1\n2023-01-02,2\n2023-01-03,3\n")
    later = folder.write("2.csv", [bar(number) for number in range(4)])
    assert folder.continued([str(first)]) is None
    before = (tmp_path / "s.state").read_bytes()
    error = folder.continued([str(first), later])
    assert isinstance(error, DataError)
    assert "2.csv has symbols, but" in error.message
    assert "columns: {symbol: none}" in error.detail
    assert (tmp_path / "s.state").read_bytes() == before
    (tmp_path / "c.yaml").write_text(NONE)
    assert folder.continued([str(first), later]) is None
    assert folder.equals_a_run_over([str(first), later])
    # From then on there are no symbols: what was read so cannot be read otherwise.
    (tmp_path / "c.yaml").write_text(CONFIG)
    assert isinstance(folder.continued([str(first), later]), ConfigError)


def of_a_former_version(path: Path) -> None:
    """Rewrite a state as a version wrote it that did not look for symbols."""
    head, *lines = path.read_bytes().split(b"\n")
    document = json.loads(head)
    assert document.pop("sought_symbols") is True
    assert document["settings"]["columns.symbol"] == "none"
    document["settings"]["columns.symbol"] = None
    lines = [json.dumps(document, separators=(",", ":")).encode(), *lines[:-2]]
    body = b"".join(line + b"\n" for line in lines)
    seal = json.dumps({"sha256": hashlib.sha256(body).hexdigest()}, separators=(",", ":"))
    path.write_bytes(body + seal.encode() + b"\n")


def former(folder: Folder, paths: list[str]) -> State:
    """Leave the state that a former version left of these files: one series without a symbol."""
    (folder.path / "c.yaml").write_text(NONE)
    assert folder.continued(paths) is None
    of_a_former_version(folder.path / "s.state")
    (folder.path / "c.yaml").write_text(CONFIG)
    state = load_state(str(folder.path / "s.state"))
    assert state is not None
    assert (set(state.accounts), state.sought_symbols) == ({""}, False)
    return state


def test_a_former_state_of_bars_with_symbols_is_refused_also_if_nothing_is_new(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path)
    rows = [bar(number, symbol="AB"[number % 2]) for number in range(8)]
    path = folder.write("1.csv", rows)
    former(folder, [path])
    error: JobError | None = folder.continued([path])
    assert isinstance(error, DataError)
    assert error.message == f"{path} has symbols, but the state has one series without"
    assert "columns: {symbol: none}" in error.detail
    (tmp_path / "c.yaml").write_text(NONE)
    folder.write("1.csv", [*rows, bar(8)])
    assert folder.continued([path]) is None
    assert folder.equals_a_run_over([path])


def test_a_former_state_of_bars_without_symbols_goes_on_and_is_looked_at_once(
    tmp_path: Path,
) -> None:
    folder = Folder(tmp_path)
    path = tmp_path / "1.csv"
    path.write_text("timestamp,close\n2023-01-01,1\n2023-01-02,2\n2023-01-03,3\n")
    former(folder, [str(path)])
    assert folder.continued([str(path)]) is None
    assert folder.state().sought_symbols
    assert folder.equals_a_run_over([str(path)])


def recorded(desk: Desk) -> dict[str, Any]:
    """Run with a record as a former version, which read all bars as one series."""
    desk.config.write_text(NONE)
    assert desk.run(record=desk.folder / "r.json") == 0
    record: dict[str, Any] = json.loads((desk.folder / "r.json").read_text())
    record["config"]["columns.symbol"]["value"] = None
    (desk.folder / "r.json").write_text(forged(record))
    desk.config.write_text(CONFIG)
    return record


def wrong(folder: Path) -> list[dict[str, Any]]:
    points: Any = verify(str(folder / "r.json"), 2).document["points"]
    return [point for point in points if not point["holds"]]


def test_a_former_record_of_one_symbol_holds(tmp_path: Path) -> None:
    record = recorded(Desk(tmp_path, TWO.replace("B,", "A,")))
    assert wrong(tmp_path) == []
    record["tally"]["ones"] += 1
    (tmp_path / "r.json").write_text(forged(record))
    assert [point["point"] for point in wrong(tmp_path)] == ["tally"]


@pytest.mark.parametrize("name", ["ticker", "code"])
def test_a_former_record_of_several_symbols_does_not_hold(tmp_path: Path, name: str) -> None:
    recorded(Desk(tmp_path, TWO.replace("ticker", name)))
    (point,) = wrong(tmp_path)
    assert point["point"] == "derivation"
    assert "{symbol: none}" in point["found"]


def test_a_record_of_symbols_that_were_found_holds(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.run(record=tmp_path / "r.json") == 0
    assert wrong(tmp_path) == []
    assert json.loads((tmp_path / "r.json").read_text())["series"] == 2
