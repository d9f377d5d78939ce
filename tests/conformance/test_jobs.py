"""A whole job leaves the same on every engine: outputs, states, records, night after night."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from rollsignal.engines import ENGINES
from rollsignal.engines.interface import Engine
from rollsignal.outputs.state.document import State
from tests.support.folders import Folder
from tests.support.nights import HEADER, bar
from tests.support.nights import Folder as Nights

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
