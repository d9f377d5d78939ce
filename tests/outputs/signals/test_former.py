"""Signals that continue with a state have the bytes of a run over everything."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import NoReturn

import polars as pl
import pytest

from rollsignal.files import replace as replacing
from rollsignal.outputs.signals import former, forms
from rollsignal.outputs.state.document import load_state, save_state
from tests.support.shell import Job

CONFIG = 'seed: 1\nwindow: 3\nversion: "v"\ncolumns: {symbol: s}\nmissing: gap\n'
SYMBOLS = ["A", "=1+1", 'q"u', "a,b", "'", "é"]
CLOSES = ["1", "1.5", "", "0.0001", "123456789012345678901.5", "-3", "1.50", "0", "7"]


def bars(first: int, last: int) -> str:
    """Write minutes of a panel whose closes and symbols are hard to write."""
    lines = [
        f'2024-01-01T00:{minute:02d}:00,"{symbol.replace(chr(34), chr(34) * 2)}",{CLOSES[index]}\n'
        for minute in range(first, last)
        for symbol in SYMBOLS
        for index in [(minute * 7 + len(symbol)) % len(CLOSES)]
    ]
    return "timestamp,s,close\n" + "".join(lines)


class Nights(Job):
    """A job that continues a state, and a single file of signals."""

    def __init__(self, folder: Path, suffix: str) -> None:
        super().__init__(folder, config=CONFIG)
        self.signals = folder / f"signals{suffix}"
        self.flags = [f"--signals={self.signals}", f"--state={folder / 's.state'}"]

    def night(self, number: int, first: int, last: int) -> int:
        path = self.folder / f"{number}.csv"
        path.write_text(bars(first, last))
        return self.run(*self.flags, input=path)

    def of_all(self) -> bytes:
        """Return the signals of a run over all files."""
        path = self.folder / f"all{self.signals.suffix}"
        assert self.run(f"--signals={path}", input=self.folder / "[0-9].csv") == 0
        return path.read_bytes()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".arrow"])
def test_the_signals_of_three_nights_are_those_of_a_run_over_everything(
    tmp_path: Path, suffix: str
) -> None:
    job = Nights(tmp_path, suffix)
    for number, (first, last) in enumerate([(0, 9), (9, 11), (11, 20)]):
        assert job.night(number, first, last) == 0
    left = job.signals.read_bytes()
    assert left == job.of_all()
    assert job.run(*job.flags, input=tmp_path / "2.csv") == 0
    assert job.signals.read_bytes() == left


def former_version(path: Path) -> bytes:
    """Return a state as versions wrote it that knew the digests of their signals alone."""
    state, copy = load_state(str(path)), path.with_name("copy.state")
    assert state is not None
    save_state(str(copy), state._replace(pending=None, signals={}))
    content = copy.read_bytes()
    copy.unlink()
    return content


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_rows_of_a_run_of_a_former_version_that_did_not_finish_are_left_out(
    tmp_path: Path, suffix: str
) -> None:
    job = Nights(tmp_path, suffix)
    assert job.night(0, 0, 9) == 0
    state = former_version(tmp_path / "s.state")
    assert job.night(1, 9, 11) == 0
    # As after a kill between the signals and the state.
    (tmp_path / "s.state").write_bytes(state)
    assert job.run(*job.flags, input=tmp_path / "1.csv") == 0
    assert job.signals.read_bytes() == job.of_all()


LOSSES = ["nothing", "too few", "another symbol", "another signal", "no table"]


OF_BYTES = [(False, loss) for loss in (*LOSSES, "another close", "another mean")]
OF_A_DIGEST = [(True, loss) for loss in LOSSES]


@pytest.mark.parametrize(("is_former", "left"), OF_BYTES + OF_A_DIGEST)
def test_signals_that_are_not_those_of_the_state_are_refused(
    tmp_path: Path, left: str, is_former: bool
) -> None:
    job = Nights(tmp_path, ".csv")
    assert job.night(0, 0, 9) == 0
    if is_former:
        (tmp_path / "s.state").write_bytes(former_version(tmp_path / "s.state"))
    state, text = (tmp_path / "s.state").read_bytes(), job.signals.read_text()
    changed = {
        "too few": "".join(text.splitlines(keepends=True)[:-1]),
        "another symbol": text.replace("é", "è"),
        "another signal": text.replace(",0\n", ",1\n", 1),
        "no table": "no table",
        "another close": text.replace(",1.5,", ",91.5,", 1),
        "another mean": text.replace("6666,0", "6667,0", 1),
    }
    assert text not in changed.values()
    job.signals.unlink()
    if left in changed:
        job.signals.write_text(changed[left])
    assert job.night(1, 9, 11) == 65
    what = "was changed after the run before had written it"
    if left == "nothing":
        what = "the signals of the bars in the state are missing"
    elif is_former:
        no_table, others = "not a table of signals", "does not hold the signals of the bars in"
        what = no_table if left == "no table" else others
    assert str(job.signals) in str(job.metrics()["error_message"])
    assert what in str(job.metrics()["error_message"])
    assert (tmp_path / "s.state").read_bytes() == state
    assert not job.signals.exists() or job.signals.read_text() == changed[left]
    job.signals.write_text(text)
    assert job.run(*job.flags, input=tmp_path / "1.csv") == 0
    assert job.signals.read_bytes() == job.of_all()


def test_former_signals_whose_disk_does_not_answer_are_not_called_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Nights(tmp_path, "")
    job.flags[:1] = [f"--signals={tmp_path / 'out.parquet'}", "--partition-by=date"]
    assert job.night(0, 0, 9) == 0
    (tmp_path / "1.csv").write_text(bars(9, 11))
    opened, is_left = os.open, iter([False])

    def refusing(path: str, *arguments: int, **named: int) -> int:
        if "/date=2024-01-01/signals." in str(path) and next(is_left, False):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return opened(path, *arguments, **named)

    monkeypatch.setattr(os, "open", refusing)
    codes: list[int] = []
    while not codes or codes[-1]:
        is_left = iter([False] * len(codes) + [True])
        codes.append(job.run(*job.flags, input=tmp_path / "1.csv"))
        assert codes[-1] in (0, 66, 74), job.metrics()
    assert len(codes) > 2


def test_signals_with_the_right_bytes_that_polars_cannot_read_are_not_called_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Nights(tmp_path, ".parquet")
    assert job.night(0, 0, 9) == 0

    def cut_short(path: str) -> NoReturn:
        raise pl.exceptions.ComputeError("failed to fill whole buffer")

    monkeypatch.setattr(former, "stored_signals", cut_short)
    assert job.night(1, 9, 11) == 74
    assert "was not read again as it was written" in str(job.metrics()["error_message"])
    monkeypatch.undo()
    assert job.run(*job.flags, input=tmp_path / "1.csv") == 0
    assert job.signals.read_bytes() == job.of_all()


@pytest.mark.parametrize(("problem", "code"), [(errno.EIO, 74), (errno.EMFILE, 71)])
def test_a_state_that_was_replaced_and_not_synced_may_have_the_signals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: int, code: int
) -> None:
    job = Nights(tmp_path, ".csv")
    sync_folder, answers = replacing.sync_folder, iter([problem])

    def unsteady(folder: str) -> None:
        if (tmp_path / "s.state").exists() and (number := next(answers, 0)):
            raise OSError(number, os.strerror(number))
        sync_folder(folder)

    monkeypatch.setattr(replacing, "sync_folder", unsteady)
    assert job.night(0, 0, 9) == code
    assert not job.signals.exists()
    said = (tmp_path / "run.log").read_text()
    assert "it may have the signals already, and then the next run with it puts them" in said
    assert job.night(1, 9, 11) == 0
    assert job.signals.read_bytes() == job.of_all()


def test_history_that_is_decided_again_is_written_again(tmp_path: Path) -> None:
    job = Nights(tmp_path, ".csv")
    job.config.write_text(CONFIG + "on_restatement: recompute\n")
    assert job.night(0, 0, 9) == 0
    path = tmp_path / "0.csv"
    path.write_text(path.read_text().replace("123456789012345678901.5", "1"))
    assert job.run(*job.flags, input=path) == 0
    assert job.signals.read_bytes() == job.of_all()


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@pytest.mark.parametrize("key", ["symbol", "date"])
def test_partitions_of_several_groups_of_rows_have_the_bytes_of_one_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, key: str
) -> None:
    monkeypatch.setattr(forms, "GROUP_ROWS", 7)
    job = Nights(tmp_path, "")
    part = [f"--partition-by={key}", f"--signals={tmp_path / f'out{suffix}'}"]
    for number, (first, last) in enumerate([(0, 9), (9, 20)]):
        (tmp_path / f"{number}.csv").write_text(bars(first, last))
        state = f"--state={tmp_path / 's.state'}"
        assert job.run(*part, state, input=tmp_path / f"{number}.csv") == 0
    nightly = {path.parent.name: path.read_bytes() for path in tmp_path.rglob("out*/*/signals.*")}
    assert len(nightly) == (len(SYMBOLS) if key == "symbol" else 1)
    assert job.run(*part, input=tmp_path / "[0-9].csv") == 0
    now = {path.parent.name: path.read_bytes() for path in tmp_path.rglob("out*/*/signals.*")}
    assert now == nightly
    if suffix == ".parquet":
        path = next(tmp_path.rglob("out*/*/signals.*"))
        assert pl.read_parquet(path).height > forms.GROUP_ROWS


class PartitionedNights(Nights):
    """A job that continues a state, and partitions of signals."""

    def __init__(self, folder: Path, key: str) -> None:
        super().__init__(folder, ".parquet")
        self.parts = folder / "parts"
        self.flags = [f"--signals={self.parts}", f"--partition-by={key}", self.flags[1]]

    def night(self, number: int, first: int, last: int) -> int:
        """Read bars of an hour each, so that 24 minutes make a day."""
        path = self.folder / f"{number}.csv"
        hours = ((line, line[14:16]) for line in bars(first, last).splitlines(keepends=True))
        path.write_text("".join(hourly(line, minute) for line, minute in hours))
        return self.run(*self.flags, input=path)

    def partitions(self) -> dict[str, bytes]:
        return {path.parent.name: path.read_bytes() for path in self.parts.rglob("signals.*")}

    def of_all_parts(self) -> dict[str, bytes]:
        folder = self.folder / "all"
        flags = [f"--signals={folder}", self.flags[1]]
        assert self.run(*flags, input=self.folder / "[0-9].csv") == 0
        return {path.parent.name: path.read_bytes() for path in folder.rglob("signals.*")}


def hourly(line: str, minute: str) -> str:
    if not minute.isdigit():
        return line
    day, hour = divmod(int(minute), 24)
    return f"2024-01-{1 + day:02d}T{hour:02d}:00:00{line[19:]}"


KEYS = pytest.mark.parametrize("key", ["date", "symbol"])


@KEYS
def test_partitions_of_three_nights_are_those_of_a_run_over_everything(
    tmp_path: Path, key: str
) -> None:
    job = PartitionedNights(tmp_path, key)
    for number, (first, last) in enumerate([(0, 19), (19, 30), (30, 53)]):
        assert job.night(number, first, last) == 0
    assert job.partitions() == job.of_all_parts()
    assert len(job.partitions()) == (3 if key == "date" else len(SYMBOLS))


@KEYS
@pytest.mark.parametrize(
    "loss",
    ["a partition", "all", "never written", "cut", "a signal", "a bit", "another key", "a night"],
)
def test_partitions_that_are_not_what_the_state_has_written_are_refused(
    tmp_path: Path, key: str, loss: str
) -> None:
    job = PartitionedNights(tmp_path, key)
    if loss == "never written":
        job.flags, flags = job.flags[2:], job.flags
        assert job.night(0, 0, 19) == 0
        job.flags = flags
    else:
        assert job.night(0, 0, 19) == 0
    first = sorted(job.parts.rglob("signals.*"))[:1]
    if loss == "a partition":
        first[0].unlink()
    elif loss == "all":
        shutil.rmtree(job.parts)
    elif loss in ("cut", "a signal"):
        table = pl.read_parquet(first[0])
        table = table.head(-1) if loss == "cut" else table.with_columns(signal=1 - pl.col("signal"))
        table.write_parquet(first[0])
    elif loss == "a bit":
        content = bytearray(first[0].read_bytes())
        content[len(content) // 2] ^= 1
        first[0].write_bytes(content)
    elif loss == "another key":
        job.flags[1] = "--partition-by=" + ("date" if key == "symbol" else "symbol")
    elif loss == "a night":
        job.flags, flags = job.flags[2:], job.flags
        assert job.night(1, 19, 21) == 0
        job.flags = flags
    state, before = (tmp_path / "s.state").read_bytes(), job.partitions()
    assert job.night(2, 21 if loss == "a night" else 19, 30) == 65
    message = str(job.metrics()["error_message"])
    was_changed = f"{first[0] if first else None} was changed after the run before had written it"
    assert message.startswith(was_changed) is (loss in ("cut", "a signal", "a bit"))
    assert "signals of the bars in the state are missing" in message or message == was_changed
    assert ((tmp_path / "s.state").read_bytes(), job.partitions()) == (state, before)


@KEYS
def test_what_an_unfinished_run_of_a_former_version_has_added_is_left_out(
    tmp_path: Path, key: str
) -> None:
    job = PartitionedNights(tmp_path, key)
    assert job.night(0, 0, 19) == 0
    state = former_version(tmp_path / "s.state")
    assert job.night(1, 19, 53) == 0
    (tmp_path / "s.state").write_bytes(state)
    # The vendor has withdrawn most of the bars since.
    assert job.night(1, 19, 21) == 0
    assert job.partitions() == job.of_all_parts()


@KEYS
def test_a_new_state_leaves_nothing_of_former_partitions(tmp_path: Path, key: str) -> None:
    job = PartitionedNights(tmp_path, key)
    assert job.night(0, 0, 53) == 0
    for path in tmp_path.glob("s.state*"):
        path.unlink()
    assert job.night(0, 0, 19) == 0
    assert job.partitions() == job.of_all_parts()


@KEYS
def test_partitions_of_a_history_that_is_decided_again_are_written_again(
    tmp_path: Path, key: str
) -> None:
    job = PartitionedNights(tmp_path, key)
    job.config.write_text(CONFIG + "on_restatement: recompute\n")
    for number, (first, last) in enumerate([(0, 30), (30, 53)]):
        assert job.night(number, first, last) == 0
    path = tmp_path / "0.csv"
    path.write_text(path.read_text().replace("123456789012345678901.5", "1"))
    assert job.run(*job.flags, input=tmp_path / "[0-9].csv") == 0
    assert job.partitions() == job.of_all_parts()
    assert job.night(2, 53, 60) == 0
    assert job.partitions() == job.of_all_parts()
