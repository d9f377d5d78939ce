"""Inputs that cannot be read, or change while they are: the run fails, and the next goes on."""

from __future__ import annotations

import errno
import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rollsignal.files.fingerprints import CLOCK_STEP_NS, now_ns, stat_of
from rollsignal.outputs.state import known_files as known
from rollsignal.outputs.state.document import load_state
from rollsignal.outputs.state.known_files import lines_end
from rollsignal.readers.text import TextReader
from tests.commands.conftest import disk, expected, folder
from tests.support.disk import Disk, Fault
from tests.support.folders import HEADER, Expected, Folder, rows

__all__ = ["disk", "expected", "folder"]

CHANGED = "Input data file changed while it was read"


def plain(folder: Folder, *inputs: Path) -> Any:
    return folder.run(*inputs)


KINDS: dict[str, Callable[..., Any]] = {
    "plain": plain,
    "continued": Folder.continued,
    "recorded": Folder.recorded,
}
UNREADABLE = {
    "no permission": (Fault("open", errno.EACCES, r"/2\.csv$"), 66, "cannot be opened: Permission"),
    "a disk that fails at once": (Fault("read", errno.EIO, r"/2\.csv$"), 74, "cannot be read: In"),
    "a disk that fails midway": (Fault("read", errno.EIO, r"/2\.csv$", room=900), 74, "Input/out"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", UNREADABLE)
def test_an_input_that_cannot_be_read_fails_every_kind_of_run_alike(
    folder: Folder, disk: Disk, fault: str, kind: str
) -> None:
    disk.fault, code, reason = UNREADABLE[fault]
    error = KINDS[kind](folder, *folder.inputs)
    assert (error.exit_code, reason in error.message) == (code, True), error
    assert folder.metrics()["error_message"] == error.message
    if kind == "recorded":
        assert folder.record()["status"] == "error"
        assert folder.record()["error"]["exit_code"] == code


@pytest.mark.parametrize("fault", UNREADABLE)
def test_a_state_outlives_an_input_that_cannot_be_read(
    folder: Folder, disk: Disk, expected: Expected, fault: str
) -> None:
    assert folder.continued(folder.inputs[0]) is None
    state = folder.state()
    disk.fault, code, _ = UNREADABLE[fault]
    error = folder.continued(*folder.inputs)
    assert error is not None
    assert (error.exit_code, folder.state()) == (code, state)
    disk.fault = None
    assert folder.continued(*folder.inputs) is None
    assert folder.left() == expected.continued


@pytest.mark.parametrize("what", [r"/s\.state$", r"\.bars$"])
def test_a_state_that_cannot_be_read_is_left_as_it_is(
    folder: Folder, disk: Disk, expected: Expected, what: str
) -> None:
    assert folder.continued(folder.inputs[0]) is None
    state = folder.state()
    # Bars that are sent twice are compared with those of the state.
    folder.inputs[1].write_text(HEADER + rows(50, 120))
    disk.fault = Fault("read", errno.EIO, what)
    error = folder.continued(*folder.inputs)
    assert error is not None
    assert (error.exit_code, folder.state()) == (74, state), error
    disk.fault = None
    assert folder.continued(*folder.inputs) is None
    assert folder.left() == expected.continued


def test_a_record_that_cannot_be_read_is_replaced(folder: Folder, disk: Disk) -> None:
    assert folder.recorded(*folder.inputs) is None
    disk.fault = Fault("read", errno.EIO, r"/r\.json$")
    assert folder.recorded(*folder.inputs) is None
    assert folder.record()["status"] == "success"


def test_a_folder_that_cannot_be_listed_is_not_skipped(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.path / "inputs/sub").mkdir(parents=True)
    folder.inputs[0].rename(folder.path / "inputs/1.csv")
    listed = os.scandir

    def refusing(path: Any) -> Any:
        if os.fspath(path).endswith("/sub"):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", refusing)
    error = folder.run(folder.path / "inputs")
    assert error is not None
    assert error.exit_code == 66
    assert error.message == "Input folder cannot be read: Permission denied"


def grow(path: Path) -> None:
    with path.open("a") as file:
        file.write(rows(120, 125))


def cut(path: Path) -> None:
    os.truncate(path, len(HEADER + rows(60, 100)))


def rewrite(path: Path) -> None:
    """Write as many bytes as before, within one step of the clock."""
    path.write_text(path.read_text().replace(",104\n", ",105\n"))


def move_away(path: Path) -> None:
    new = path.with_name("other")
    new.write_text(HEADER + rows(60, 121))
    new.replace(path)


CHANGES = [grow, cut, rewrite, move_away]


@pytest.mark.parametrize("late", [False, True], ids=["before it is read", "after it"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("change", CHANGES)
def test_an_input_that_changes_while_it_is_read_fails_the_run(
    folder: Folder,
    expected: Expected,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Path], None],
    kind: str,
    late: bool,
) -> None:
    assert KINDS[kind](folder, folder.inputs[0]) is None
    state = folder.state() if kind == "continued" else None
    before, read = folder.inputs[1].read_bytes(), TextReader.batches

    def changing(reader: TextReader) -> Iterator[Any]:
        if late:
            yield from read(reader)
        if reader.name.endswith("2.csv"):
            folder.inputs[1].write_bytes(before)
            change(folder.inputs[1])
        if not late:
            yield from read(reader)

    monkeypatch.setattr(TextReader, "batches", changing)
    error = KINDS[kind](folder, *folder.inputs)
    assert error is not None
    assert (error.exit_code, error.message) == (74, CHANGED)
    assert folder.metrics()["error_message"] == CHANGED
    if kind == "continued":
        assert folder.state() == state
    elif kind == "recorded":
        assert folder.record()["error"]["exit_code"] == 74
    monkeypatch.undo()
    folder.inputs[1].write_bytes(before)
    assert KINDS[kind](folder, *folder.inputs) is None
    if kind != "plain":
        assert folder.left() == getattr(expected, kind)


@pytest.mark.parametrize(
    ("later_ns", "code"), [(0, 65), (2 * CLOCK_STEP_NS, None)], ids=["just written", "settled"]
)
def test_a_file_just_written_is_not_known_by_its_times(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, later_ns: int, code: int | None
) -> None:
    path = folder.inputs[0]
    monkeypatch.setattr(known, "now_ns", lambda: now_ns() + later_ns)
    assert folder.continued(path) is None
    stat = stat_of(str(path))
    rewrite(path)
    # The clock has not moved on, so the system says what it said before.
    monkeypatch.setattr(known, "stamp_of", lambda path: stat)
    error = folder.continued(path)
    assert (error and error.exit_code) == code
    state = load_state(str(folder.path / "state/s.state"))
    assert state is not None
    assert state.inputs[0].stamp == (stat if later_ns else ())


HALF = "2024-01-02 00:30:00,A,104"


def test_a_cell_that_was_cut_in_half_when_it_was_read_is_not_skipped(folder: Folder) -> None:
    path = folder.inputs[0]
    path.write_text(HEADER + rows(0, 60) + HALF)
    assert folder.continued(path) is None
    state = folder.state()
    with path.open("a") as file:
        file.write(".5\n2024-01-02 00:31:00,A,105\n")
    error = folder.continued(path)
    assert error is not None
    assert error.exit_code == 65
    assert error.message == "History was restated: 1 bar of A from 2024-01-02T00:30:00Z on"
    assert folder.state() == state


def test_a_last_line_without_its_end_goes_on_below(folder: Folder) -> None:
    path = folder.inputs[0]
    path.write_text(HEADER + rows(0, 60) + HALF)
    assert folder.continued(path) is None
    with path.open("a") as file:
        file.write("\n2024-01-02 00:31:00,A,105\n")
    assert folder.continued(path) is None
    assert folder.metrics()["rows_processed"] == 122


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    ("before", "after", "whole"),
    [
        ("a\n1\n", "2\n", True),
        ("a\n1", "\n2\n", True),
        ("a\r\n1\r\n", "2\r\n", True),
        ("a\r1\r", "2\r", True),
        ("a\n1", "2\n", False),
        ("a\n1,", "2\n", False),
        ("", "a", False),
    ],
)
def test_lines_end_where_a_line_end_is_before_or_after(
    tmp_path: Path, encoding: str, before: str, after: str, whole: bool
) -> None:
    path = tmp_path / "bars"
    path.write_bytes((before + after).encode(encoding))
    assert lines_end(str(path), len(before.encode(encoding))) is whole


def test_compressed_files_grow_by_whole_pieces(folder: Folder, tmp_path: Path) -> None:
    path = tmp_path / "bars.csv.gz"
    path.write_bytes(gzip.compress((HEADER + rows(0, 60)).encode()))
    assert folder.continued(path) is None
    with path.open("ab") as file:
        file.write(gzip.compress(rows(60, 70).encode()))
    assert lines_end(str(path), 5)
    assert folder.continued(path) is None
    assert folder.metrics()["rows_processed"] == 140
