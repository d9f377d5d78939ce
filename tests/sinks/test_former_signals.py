"""A single file of signals goes on with a state: the bytes of a run over everything."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from rollsignal.sinks import partitions
from tests.shell import Job

CONFIG = 'seed: 1\nwindow: 3\nversion: "v"\ncolumns: {symbol: s}\nmissing: gap\n'
SYMBOLS = ["A", "=1+1", 'q"u', "a,b", "'", "é"]
CLOSES = ["1", "1.5", "", "0.0001", "123456789012345678901.5", "-3", "1.50", "0", "7"]


def bars(first: int, last: int) -> str:
    """Write minutes of a panel whose closes and symbols are hard to write."""
    lines = [
        f'2024-01-01T00:{minute:02d}:00,"{symbol.replace(chr(34), chr(34) * 2)}",{CLOSES[at]}\n'
        for minute in range(first, last)
        for symbol in SYMBOLS
        for at in [(minute * 7 + len(symbol)) % len(CLOSES)]
    ]
    return "timestamp,s,close\n" + "".join(lines)


class Nights(Job):
    """A job that continues a state, and a single file of signals."""

    def __init__(self, folder: Path, form: str) -> None:
        super().__init__(folder, config=CONFIG)
        self.signals = folder / f"signals{form}"
        self.flags = [f"--signals={self.signals}", f"--state={folder / 's.state'}"]

    def night(self, number: int, first: int, last: int) -> int:
        path = self.folder / f"{number}.csv"
        path.write_text(bars(first, last))
        return self.run(*self.flags, input=path)

    def of_all(self) -> bytes:
        """Give the signals of a run over all that was read."""
        path = self.folder / f"all{self.signals.suffix}"
        assert self.run(f"--signals={path}", input=self.folder / "[0-9].csv") == 0
        return path.read_bytes()


@pytest.mark.parametrize("form", [".csv", ".parquet", ".arrow"])
def test_the_signals_of_three_nights_are_those_of_a_run_over_everything(
    tmp_path: Path, form: str
) -> None:
    job = Nights(tmp_path, form)
    for number, (first, last) in enumerate([(0, 9), (9, 11), (11, 20)]):
        assert job.night(number, first, last) == 0
    left = job.signals.read_bytes()
    assert left == job.of_all()
    assert job.run(*job.flags, input=tmp_path / "2.csv") == 0
    assert job.signals.read_bytes() == left


@pytest.mark.parametrize("form", [".csv", ".parquet"])
def test_rows_of_a_run_that_did_not_end_are_left_out(tmp_path: Path, form: str) -> None:
    job = Nights(tmp_path, form)
    assert job.night(0, 0, 9) == 0
    state = (tmp_path / "s.state").read_bytes()
    assert job.night(1, 9, 11) == 0
    # As after a kill between the signals and the state.
    (tmp_path / "s.state").write_bytes(state)
    assert job.run(*job.flags, input=tmp_path / "1.csv") == 0
    assert job.signals.read_bytes() == job.of_all()


@pytest.mark.parametrize("left", ["nothing", "too few", "another symbol", "no table"])
def test_signals_that_are_not_those_of_the_state_are_refused(tmp_path: Path, left: str) -> None:
    job = Nights(tmp_path, ".csv")
    assert job.night(0, 0, 9) == 0
    state, text = (tmp_path / "s.state").read_bytes(), job.signals.read_text()
    changed = {
        "too few": "".join(text.splitlines(keepends=True)[:-1]),
        "another symbol": text.replace("é", "è"),
        "no table": "no table",
    }
    job.signals.unlink()
    if left in changed:
        job.signals.write_text(changed[left])
    assert job.night(1, 9, 11) == 65
    what = "no table of signals" if left == "no table" else "does not begin with the signals"
    assert what in str(job.metrics()["error_message"])
    assert (tmp_path / "s.state").read_bytes() == state
    assert not job.signals.exists() or job.signals.read_text() == changed[left]
    job.signals.write_text(text)
    assert job.run(*job.flags, input=tmp_path / "1.csv") == 0
    assert job.signals.read_bytes() == job.of_all()


def test_history_that_is_decided_anew_is_written_anew(tmp_path: Path) -> None:
    job = Nights(tmp_path, ".csv")
    job.config.write_text(CONFIG + "on_restatement: recompute\n")
    assert job.night(0, 0, 9) == 0
    path = tmp_path / "0.csv"
    path.write_text(path.read_text().replace("123456789012345678901.5", "1"))
    assert job.run(*job.flags, input=path) == 0
    assert job.signals.read_bytes() == job.of_all()


@pytest.mark.parametrize("form", [".parquet", ".arrow"])
@pytest.mark.parametrize("key", ["symbol", "date"])
def test_partitions_of_several_groups_of_rows_have_the_bytes_of_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, key: str
) -> None:
    monkeypatch.setattr(partitions, "GROUP_ROWS", 7)
    job = Nights(tmp_path, "")
    part = [f"--partition-by={key}", f"--signals={tmp_path / f'out{form}'}"]
    for number, (first, last) in enumerate([(0, 9), (9, 20)]):
        (tmp_path / f"{number}.csv").write_text(bars(first, last))
        state = f"--state={tmp_path / 's.state'}"
        assert job.run(*part, state, input=tmp_path / f"{number}.csv") == 0
    found = {path.parent.name: path.read_bytes() for path in tmp_path.rglob("out*/*/signals.*")}
    assert len(found) == (len(SYMBOLS) if key == "symbol" else 1)
    assert job.run(*part, input=tmp_path / "[0-9].csv") == 0
    now = {path.parent.name: path.read_bytes() for path in tmp_path.rglob("out*/*/signals.*")}
    assert now == found
    if form == ".parquet":
        path = next(tmp_path.rglob("out*/*/signals.*"))
        assert pl.read_parquet(path).height > partitions.GROUP_ROWS
