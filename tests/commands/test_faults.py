"""Whatever fails, the exit code of a run shows it, and the next run can go on."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable

import pytest

from rollsignal.errors import JobError
from tests.support.disk import Disk, Fault
from tests.support.folders import CONFIG, Expected, Folder

NO_LOCK = r"^(?!.*\.lock$).*"
FAULTS = {
    "no room for a name": (Fault("create", errno.ENOSPC, ""), 73),
    "a read-only disk": (Fault("create", errno.EROFS, ""), 73),
    "no permission": (Fault("create", errno.EACCES, ""), 73),
    "a full disk": (Fault("write", errno.ENOSPC, ""), 74),
    "a disk that fills up": (Fault("write", errno.ENOSPC, "", room=9), 74),
    "a disk that fails late": (Fault("sync", errno.EIO, ""), 74),
    "a full disk that tells late": (Fault("sync", errno.ENOSPC, ""), 74),
    "a disk that turns read-only": (Fault("rename", errno.EROFS, ""), 74),
}
OUTPUTS = {
    "metrics": "/metrics(/|$)",
    "summary": "/summary(/|$)",
    "signals": "/signals(/|$)",
    "state": r"/state(/\.s\.state.*|/s\.state|)$",
    "bars": r"\.bars$",
    "record": "/record(/|$)",
}


def meant(fault: str, output: str) -> Fault:
    """Return a fault of an output, but not of its lock."""
    return FAULTS[fault][0]._replace(files=NO_LOCK + OUTPUTS[output])


CONTINUED = [
    (fault, output)
    for fault in FAULTS
    for output in ("metrics", "summary", "signals", "state", "bars")
    # The file of all bars is only appended to.
    if (fault, output) != ("a disk that turns read-only", "bars")
]


# The signals of a state are complete beside their places when it is saved.
NOT_IN_PLACE = ("a disk that turns read-only", "signals")


def failing(
    folder: Folder,
    run: Callable[..., JobError | None],
    disk: Disk,
    fault: str,
    output: str,
) -> JobError:
    """Run where an output fails; return the error, which must have its code and leave no litter.

    Only signals that a state has already, and that could not be put in place, are kept.
    """
    disk.fault = meant(fault, output)
    error = run(*folder.inputs)
    disk.fault = None
    assert error is not None
    assert error.exit_code == FAULTS[fault][1], error
    is_kept = (fault, output, run) == (*NOT_IN_PLACE, folder.continued)
    assert len(folder.litter()) == is_kept
    assert ("the next run with it puts them in place" in error.detail) == is_kept
    return error


@pytest.mark.parametrize(("fault", "output"), CONTINUED)
def test_a_run_that_fails_leaves_the_state_that_the_next_one_continues(
    folder: Folder, disk: Disk, expected: Expected, fault: str, output: str
) -> None:
    if "create" not in FAULTS[fault][0].act or output != "bars":
        assert folder.continued(folder.inputs[0]) is None
    state = folder.state() if (folder.path / "state/s.state").exists() else None
    error = failing(folder, folder.continued, disk, fault, output)
    if output == "metrics":
        assert not (folder.path / "metrics/m.json").exists()
    else:
        assert folder.metrics() == {
            "version": "v",
            "status": "error",
            "error_message": error.message,
        }
        has_happened = output == "summary" or (fault, output) == NOT_IN_PLACE
        assert ((folder.state() if state else None) == state) is not has_happened
    assert folder.continued(*folder.inputs) is None
    assert (folder.left(), folder.litter()) == (expected.continued, [])


RECORDED = [
    (fault, output) for fault in FAULTS for output in ("metrics", "summary", "signals", "record")
]


@pytest.mark.parametrize(("fault", "output"), RECORDED)
def test_a_run_that_fails_is_recorded_as_one(
    folder: Folder, disk: Disk, expected: Expected, fault: str, output: str
) -> None:
    error = failing(folder, folder.recorded, disk, fault, output)
    if output == "metrics":
        assert not (folder.path / "metrics/m.json").exists()
    else:
        assert folder.metrics()["error_message"] == error.message
    if output == "record":
        assert not (folder.path / "record/r.json").exists()
    else:
        assert folder.record()["status"] == "error"
        assert folder.record()["error"]["exit_code"] == error.exit_code
    assert folder.recorded(*folder.inputs) is None
    assert folder.left() == expected.recorded
    assert folder.record()["status"] == "success"


@pytest.mark.parametrize("output", ["metrics", "summary", "signals", "state", "record"])
def test_a_folder_that_cannot_be_kept_on_disk_fails_the_run(
    folder: Folder, disk: Disk, expected: Expected, output: str
) -> None:
    kind = Folder.recorded if output == "record" else Folder.continued
    # A folder of partitions is not written at once.
    (folder.path / "signals").mkdir()
    # In the folder of the state, the bars beside it are first.
    disk.fault = Fault("sync", errno.EIO, f"/{output}$", passed=output == "state")
    error = kind(folder, *folder.inputs)
    disk.fault = None
    assert error is not None
    # A state that may not stay is there; what it promises is kept until the next run.
    assert (error.exit_code, len(folder.litter())) == (74, output == "state")
    metrics = folder.path / "metrics/m.json"
    assert not metrics.exists() or folder.metrics()["status"] == "error"
    assert (kind(folder, *folder.inputs), folder.litter()) == (None, [])
    assert folder.left() == (expected.recorded if output == "record" else expected.continued)


def test_a_run_whose_record_cannot_be_written_is_not_a_success(folder: Folder, disk: Disk) -> None:
    # The record is begun and the metrics are written; after that every write fails.
    disk.fault = Fault("create", errno.ENOSPC, r"/(metrics|record)/.*\.tmp$", passed=2)
    error = folder.recorded(*folder.inputs)
    assert error is not None
    assert error.exit_code == 73
    assert not (folder.path / "metrics/m.json").exists()
    assert folder.record()["status"] == "running"


@pytest.mark.parametrize("fault", FAULTS)
def test_where_nothing_can_be_written_nothing_looks_like_a_success(
    folder: Folder, disk: Disk, expected: Expected, fault: str
) -> None:
    assert folder.continued(folder.inputs[0]) is None
    state = folder.state()
    disk.fault = FAULTS[fault][0]
    error = folder.continued(*folder.inputs)
    disk.fault = None
    assert error is not None
    assert error.exit_code == FAULTS[fault][1]
    assert (folder.state(), folder.litter()) == (state, [])
    assert not (folder.path / "metrics/m.json").exists()
    assert folder.continued(*folder.inputs) is None
    assert folder.left() == expected.continued


@pytest.mark.parametrize("fault", ["no permission", "a full disk", "a disk that fills up"])
def test_a_log_that_cannot_be_written_stops_no_run(
    folder: Folder, disk: Disk, expected: Expected, fault: str
) -> None:
    disk.fault = FAULTS[fault][0]._replace(files="/log/")
    assert folder.recorded(*folder.inputs) is None
    assert folder.left() == expected.recorded
    reason = os.strerror(disk.fault.number)
    message = f"the log cannot be written: {reason}; the job goes on without it"
    assert ("WARNING", message) in folder.heard
    assert len((folder.path / "log/run.log").read_bytes() if disk.fault.room else b"") < 10


def test_a_failed_attempt_to_decide_history_again_leaves_no_bars(
    folder: Folder, disk: Disk
) -> None:
    folder.config.write_text(CONFIG + "on_restatement: recompute\n")
    assert folder.continued(*folder.inputs) is None
    folder.inputs[0].write_text(folder.inputs[0].read_text().replace(",104\n", ",1.5\n"))
    disk.fault = meant("a full disk", "state")
    error = folder.continued(*folder.inputs)
    disk.fault = None
    assert error is not None
    assert folder.continued(*folder.inputs) is None
    again = folder.left()
    shutil.rmtree(folder.path / "state")
    assert folder.continued(*folder.inputs) is None
    assert folder.left() == again
    assert sorted(os.listdir(folder.path / "state")) == ["s.state", "s.state.0.bars"]


def test_bars_of_other_generations_are_removed_and_nothing_else(folder: Folder) -> None:
    (folder.path / "state").mkdir()
    for name in ("s.state.7.bars", "s.state.x.bars", "other.7.bars"):
        (folder.path / "state" / name).touch()
    assert folder.continued(*folder.inputs) is None
    assert sorted(os.listdir(folder.path / "state")) == [
        *("other.7.bars", "s.state", "s.state.0.bars", "s.state.x.bars")
    ]
