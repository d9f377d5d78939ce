"""A whole job leaves the same on every engine: outputs, states, records, night after night."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rollsignal.commands.run import run
from rollsignal.config.request import Request
from rollsignal.engines import ENGINES
from rollsignal.engines.interface import Engine
from rollsignal.files import fingerprints
from rollsignal.outputs.state.document import State, load_state
from tests.support.folders import Folder
from tests.support.nights import HEADER, bar
from tests.support.nights import Folder as Nights
from tests.support.workers import SmallPiecesEngine

MakeEngine = Callable[[], Engine]
PANEL = 'seed: 1\nwindow: 3\nversion: "v"\ncolumns: {symbol: symbol}\n'


@pytest.fixture
def run_on(monkeypatch: pytest.MonkeyPatch) -> Callable[[MakeEngine], None]:
    """Have runs decide on an engine of choice."""
    return lambda make: monkeypatch.setitem(ENGINES, "local", make)


LOCAL = ENGINES["local"]


def test_a_run_with_a_record_leaves_the_same(
    engine: MakeEngine, run_on: Callable[[MakeEngine], None], tmp_path: Path
) -> None:
    left, records = [], []
    for name, make in (("expected", LOCAL), ("found", engine)):
        (tmp_path / name).mkdir()
        folder = Folder(tmp_path / name)
        run_on(make)
        assert folder.recorded(*folder.inputs) is None
        left.append(folder.left())
        records.append(of_bars(folder.record()))
    assert left[0] == left[1]
    assert records[0] == records[1]
    assert records[0]["tally"]["rows"] == 240


def of_bars(record: dict[str, Any]) -> dict[str, Any]:
    """Return what a record says of bars, and nothing of where and when it ran."""
    inputs = [{**item, "file": item["file"]["sha256"]} for item in record["inputs"]]
    names = ("status", "tally", "series", "digest", "checks", "warnings")
    return {name: record[name] for name in names} | {"inputs": inputs}


def known(state: State) -> tuple[object, ...]:
    """Return what a state knows of bars, and not in which folder they were."""
    accounts = {name: account._replace(last_file="") for name, account in state.accounts.items()}
    written = state.written and state.written.parts
    return accounts, state.symbols, state.digest, state.segments, written


ALL = [bar(number, symbol=symbol) for number in range(60) for symbol in "AB"[: 1 + number % 2]]


@pytest.mark.parametrize("cuts", [(30, 90), (1, 2), (40, 41, 42)])
def test_nights_that_continue_a_state_equal_a_run_over_everything(
    engine: MakeEngine,
    run_on: Callable[[MakeEngine], None],
    tmp_path: Path,
    cuts: tuple[int, ...],
) -> None:
    states = []
    for name, make in (("expected", LOCAL), ("found", engine)):
        (tmp_path / name).mkdir()
        folder = Nights(tmp_path / name, PANEL)
        run_on(make)
        edges = [0, *cuts, len(ALL)]
        nights = [
            folder.write(f"{number}.csv", ALL[slice(*edge)])
            for number, edge in enumerate(pairwise(edges))
        ]
        for number in range(len(nights)):
            error = folder.continued(nights[: number + 1])
            assert error is None or "fewer than the window" in error.message
        assert folder.continued(nights) is None
        states.append(folder.state())
        assert folder.equals_a_run_over(nights)
    assert known(states[0]) == known(states[1])


# What two nights find: the second more of each series, and of a new one.
FIRST = [bar(at, "" if at % 20 else "7.50", "BAC"[at % 3]) for at in range(60)]
NEXT = [bar(at, "" if at % 20 else "7.125", "ADBC"[at % 4]) for at in range(60, 100)]
# What may be among the bars of the second night.
ODD = {
    "nothing": "",
    "a bar that is known": FIRST[50],
    "a restated bar": bar(50, "7", "C"),
    "a bar twice": NEXT[20],
    "a wrong close": bar(80, "x"),
    "a doubtful close": bar(79, "0", "E"),
    "a time beyond 64 bits": "9999-01-01 00:00:00,E,1\n",
    "a line in quotes": '"2024-01-02 00:29:30","E","1\n"\n',
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("more", ["", "on_restatement: recompute\nmissing: gap\n"])
def test_nights_leave_the_same_state_and_signals_byte_for_byte(
    engine: MakeEngine,
    run_on: Callable[[MakeEngine], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    odd: str,
    more: str,
) -> None:
    # As if the files had been written long ago: otherwise the time since then is in states.
    monkeypatch.setattr(fingerprints, "CLOCK_STEP_NS", -(10**18))
    files = {"1.csv": [*FIRST], "2.csv": [*NEXT[:25], ODD[odd], *NEXT[25:]]}
    files["restated/1.csv"] = [*FIRST[:30], bar(30, "7", "B"), *FIRST[31:]]
    (tmp_path / "restated").mkdir()
    for name, rows in files.items():
        (tmp_path / name).write_text(HEADER + "".join(rows))
    (tmp_path / "c.yaml").write_text(PANEL + more)
    used, left = engine(), []
    for folder, make in (("expected", LOCAL), ("found", lambda: used)):
        run_on(make)
        (tmp_path / folder).mkdir()
        nights = [["1.csv"], ["1.csv", "2.csv"], ["restated/1.csv"]]
        left.append([night(tmp_path, folder, names) for names in nights])
    assert left[0] == left[1]
    if isinstance(used, SmallPiecesEngine):
        assert len(used.counts) >= 4, "both nights are decided in pieces, and then for outputs"


def night(folder: Path, out: str, names: Sequence[str]) -> tuple[str, list[str], dict[str, bytes]]:
    """Run a night with a state and signals; return its error, its messages and its files."""
    told: list[tuple[str, str]] = []
    request = Request(
        tuple(str(folder / name) for name in names),
        str(folder / "c.yaml"),
        str(folder / out / "m.json"),
        None,
        signals=str(folder / out / "s.csv"),
        state=str(folder / out / "s.state"),
    )
    error = run(request, 0, lambda *message: told.append(message)).error
    files = {path.name: path.read_bytes() for path in (folder / out).iterdir()}
    metrics = files.pop("m.json")
    assert json.loads(metrics)["status"] == ("error" if error else "success")
    # What an error leaves behind the bars of the state is cut off by the next run.
    state = load_state(str(folder / out / "s.state"))
    assert state
    bars = f"s.state.{state.generation}.bars"
    files[bars] = files[bars][: sum(each.size for each in state.segments)]
    warnings = [text for level, text in told if level == "WARNING"]
    return error.message if error else "", warnings, files


def test_a_bar_that_a_vendor_restates_is_found(
    engine: MakeEngine, run_on: Callable[[MakeEngine], None], tmp_path: Path
) -> None:
    run_on(engine)
    folder = Nights(tmp_path, PANEL)
    path = folder.write("1.csv", ALL[:50])
    assert folder.continued([path]) is None
    (tmp_path / "1.csv").write_text(HEADER + "".join([*ALL[:49], bar(33, "7"), *ALL[50:]]))
    error = folder.continued([path])
    assert error
    assert "History was restated: 1 bar" in error.message
