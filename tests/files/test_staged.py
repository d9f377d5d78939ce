"""Finished files are put in their places however often that is begun, and never by links."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from rollsignal.errors import OutputError
from rollsignal.files.replace import replace
from rollsignal.files.staged import Staging
from rollsignal.outputs.state.history import History
from rollsignal.outputs.state.stored_bars import STORED_BAR_BYTES


def staged(folder: Path, *partitions: str) -> Staging:
    staging = Staging(str(folder), is_folder=True)
    staging.create()
    for name in partitions:
        Path(staging.ready, name).write_text(f"bars of {name}")
    return staging


def test_unfinished_files_stand_in_a_folder_of_this_user_with_another_name_each_time(
    tmp_path: Path,
) -> None:
    paths = {Path(Staging(str(tmp_path / "s.csv")).path) for _ in range(9)}
    assert len(paths) == 9
    staging = Staging(str(tmp_path / "s.csv"))
    staging.create()
    assert stat.S_IMODE(os.stat(staging.path).st_mode) == 0o700
    assert os.path.dirname(staging.path) == str(tmp_path)
    # A second run by this process id is that of a container: the first was killed.
    Staging(str(tmp_path / "s.csv")).create()
    assert not staging.is_there()


def test_a_promise_can_be_kept_from_wherever_it_was_left(tmp_path: Path) -> None:
    files = ["symbol=A/signals.csv", "symbol=B/signals.csv"]
    promise = staged(tmp_path, "symbol=A", "symbol=B").promise(files)
    os.mkdir(tmp_path / "symbol=A")
    os.replace(tmp_path / promise.token / "ready/symbol=A", tmp_path / "symbol=A/signals.csv")
    for _ in range(2):
        promise.put_in_place()
        assert [(tmp_path / file).read_text() for file in files] == [
            "bars of symbol=A",
            "bars of symbol=B",
        ]
    assert not promise.is_kept()
    promise.end()
    assert promise.is_kept()


def test_a_partition_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out/symbol=A").symlink_to(tmp_path / "elsewhere")
    staging = staged(tmp_path / "out", "symbol=A")
    with pytest.raises(OutputError, match="it is a link, and no folder of a partition"):
        staging.promise(["symbol=A/signals.csv"])
    assert os.listdir(tmp_path / "elsewhere") == []


def test_the_file_of_a_partition_that_is_a_link_is_replaced_and_not_followed(
    tmp_path: Path,
) -> None:
    (tmp_path / "out/symbol=A").mkdir(parents=True)
    (tmp_path / "victim").write_text("theirs")
    (tmp_path / "out/symbol=A/signals.csv").symlink_to(tmp_path / "victim")
    staged(tmp_path / "out", "symbol=A").promise(["symbol=A/signals.csv"]).put_in_place()
    assert (tmp_path / "victim").read_text() == "theirs"
    assert (tmp_path / "out/symbol=A/signals.csv").read_text() == "bars of symbol=A"


@pytest.mark.parametrize("bars", [0, 1])
def test_bars_beside_a_state_are_not_written_where_a_link_leads(tmp_path: Path, bars: int) -> None:
    (tmp_path / "victim").write_bytes(bytes(99))
    (tmp_path / "s.state.0.bars").symlink_to(tmp_path / "victim")
    history = History(str(tmp_path / "s.state"), 0, (), ())
    history.append(bytes(bars * STORED_BAR_BYTES))
    segments = history.finish()
    history.close()
    assert (tmp_path / "victim").read_bytes() == bytes(99)
    if bars:
        (tmp_path / "s.state.0.bars").unlink()
        (tmp_path / "s.state.0.bars").symlink_to(tmp_path / "victim")
        with pytest.raises(OutputError, match="Output cannot be created: it is a link"):
            History(str(tmp_path / "s.state"), 0, (), segments)


def test_an_unfinished_file_is_created_only_where_nothing_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", bytes)
    (tmp_path / "victim").write_text("theirs")
    link = tmp_path / f".f.{os.getppid()}.{'00' * 8}.tmp"
    monkeypatch.setattr(os, "getpid", os.getppid)
    # It is one of a process that is running, so it is not taken for a leftover.
    monkeypatch.setattr("rollsignal.files.replace._is_other", lambda _: True)
    link.symlink_to(tmp_path / "victim")
    with pytest.raises(OutputError, match="File exists"):
        replace(str(tmp_path / "f"), "ours")
    assert (tmp_path / "victim").read_text() == "theirs"


def test_an_output_whose_name_begins_like_another_leaves_that_ones_files_alone(
    tmp_path: Path,
) -> None:
    staging = Staging(str(tmp_path / "s.csv"))
    staging.create()
    replace(str(tmp_path / "s"), "metrics")
    assert staging.is_there()
