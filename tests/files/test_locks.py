"""Facts about locks, proved with processes that hold them, wait for them and are killed."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from rollsignal.errors import BusyError, OutputError
from rollsignal.files import locks
from rollsignal.files.locks import held, is_held
from tests.support.shell import LIKE_ANYONE, ROOT, needs_permissions

HOLD = """
from rollsignal.files.locks import held
with held(sys.argv[1:]):
    print("held", flush=True)
    sys.stdin.readline()
"""
# A shell starts what runs in the background with SIGINT ignored.
WAIT = """
import signal
from rollsignal.files import locks
signal.signal(signal.SIGINT, signal.default_int_handler)
sleep = locks.sleep
def told(seconds):
    print("waiting", flush=True)
    sleep(seconds)
locks.sleep = told
try:
    with locks.held(sys.argv[1:], 600):
        print("held", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
# A value read and written under a lock would be lost if another process wrote in between.
COUNT = """
from rollsignal.files import locks
locks.POLL_SECONDS = 0.0005
counter, *paths = sys.argv[1:]
print("ready", flush=True)
sys.stdin.readline()
for _ in range(200):
    with locks.held(paths, 60):
        with open(counter) as file:
            number = int(file.read())
        with open(counter, "w") as file:
            file.write(str(number + 1))
"""
REFUSED = """
from rollsignal.errors import OutputError
from rollsignal.files.locks import held
try:
    with held(sys.argv[1:]):
        print("held")
except OutputError as error:
    print(error)
"""


class Process(subprocess.Popen[str]):
    """A process that runs Python code with paths as its arguments."""

    def __init__(self, code: str, *paths: object, before: str = "") -> None:
        line = [sys.executable, "-c", "import sys\n" + code, *map(str, paths)]
        if before:
            first = f"import os, sys\n{before}\nos.execv(sys.executable, sys.argv[1:])"
            line = [sys.executable, "-c", first, *line]
        super().__init__(
            line,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def says(self) -> str:
        """Wait for the process's next line."""
        assert self.stdout is not None
        return self.stdout.readline().rstrip()

    def goes_on(self) -> None:
        """Let the process continue."""
        assert self.stdin is not None
        self.stdin.write("\n")
        self.stdin.flush()


@contextmanager
def started(code: str, *paths: object, before: str = "") -> Iterator[Process]:
    with Process(code, *paths, before=before) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def holding(*paths: object) -> Iterator[Process]:
    """Let another process hold locks."""
    with started(HOLD, *paths) as process:
        assert process.says() == "held"
        yield process


def assert_busy(*paths: object) -> None:
    with pytest.raises(BusyError), held(list(map(str, paths))):
        pass


def assert_free(*paths: object) -> None:
    with held(list(map(str, paths))) as warnings:
        assert warnings == []


def test_what_another_run_writes_is_refused_at_once(tmp_path: Path) -> None:
    with (
        holding(tmp_path / "out.json"),
        pytest.raises(BusyError) as caught,
        held([f"{tmp_path}/out.json"]),
    ):
        pass
    assert caught.value.exit_code == 75
    assert caught.value.message == "Another run is writing the same file"
    assert caught.value.detail == (
        f"path: {tmp_path}/out.json, lock: {tmp_path}/.out.json.lock; try again when it has ended"
    )


def test_a_run_that_ends_lets_go_and_leaves_nothing(tmp_path: Path) -> None:
    with holding(tmp_path / "a", tmp_path / "b") as process:
        assert sorted(os.listdir(tmp_path)) == [".a.lock", ".b.lock"]
        process.goes_on()
        assert process.wait() == 0
        assert os.listdir(tmp_path) == []
        assert_free(tmp_path / "a", tmp_path / "b")
    assert os.listdir(tmp_path) == []


def test_a_run_that_fails_lets_go(tmp_path: Path) -> None:
    def fail() -> NoReturn:
        with held([f"{tmp_path}/a"]):
            raise OutputError("it failed")

    with pytest.raises(OutputError, match="it failed"):
        fail()
    assert os.listdir(tmp_path) == []


def test_a_killed_run_blocks_nobody_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    with holding(tmp_path / "a") as process:
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert os.listdir(tmp_path) == [".a.lock"]
        assert_free(tmp_path / "a")
    assert os.listdir(tmp_path) == []


def test_two_runs_in_one_process_are_kept_apart_too(tmp_path: Path) -> None:
    with held([f"{tmp_path}/a"]):
        assert_busy(tmp_path / "a")
    assert_free(tmp_path / "a")


def test_other_outputs_in_the_same_folder_are_free(tmp_path: Path) -> None:
    with holding(tmp_path / "a"):
        assert_free(tmp_path / "b", tmp_path / "a.lock")


def test_one_of_many_that_is_busy_leaves_the_others_free(tmp_path: Path) -> None:
    with holding(tmp_path / "b"):
        assert_busy(tmp_path / "a", tmp_path / "b", tmp_path / "c")
        assert os.listdir(tmp_path) == [".b.lock"]
        assert_free(tmp_path / "a", tmp_path / "c")


def test_one_file_by_two_names_is_one_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to("out")
    (tmp_path / "back").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    names = ["out", "./out", "link", "back/out", f"{tmp_path}/out"]
    assert_free(*names)
    with holding(tmp_path / "out"):
        for name in names:
            assert_busy(name)


def test_folders_are_made_and_an_output_that_is_not_a_file_is_refused(tmp_path: Path) -> None:
    assert_free(tmp_path / "no/such/out")
    assert os.listdir(tmp_path / "no/such") == []
    for path in (str(tmp_path), "nul\0byte"):
        with pytest.raises(OutputError, match="Output cannot be created"), held([path]):
            pass


@pytest.mark.parametrize("name", ["m" * 255, "é" * 127, "데" * 85])
def test_names_as_long_as_can_be_are_locked(tmp_path: Path, name: str) -> None:
    with held([f"{tmp_path}/{name}", f"{tmp_path}/{name[:-1]}"]):
        assert_busy(tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_nothing_stays_open_and_nothing_is_inherited(tmp_path: Path) -> None:
    before = sorted(os.listdir("/dev/fd"))
    with held([f"{tmp_path}/a"]):
        (lock,) = [number for number in range(99) if leads_to(number, tmp_path / ".a.lock")]
        assert not os.get_inheritable(lock)
        assert_busy(tmp_path / "a")
    assert sorted(os.listdir("/dev/fd")) == before


def leads_to(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


class Clock:
    """A clock that advances only during sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        monkeypatch.setattr(locks, "monotonic", lambda: self.seconds)
        monkeypatch.setattr(locks, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.seconds += seconds


def test_a_run_that_waits_gets_the_lock_when_the_other_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with holding(tmp_path / "a") as process:

        def sleep(seconds: float) -> None:
            process.goes_on()
            process.wait()

        monkeypatch.setattr(locks, "sleep", sleep)
        with held([f"{tmp_path}/a"], 600):
            assert process.returncode == 0
            assert_busy(tmp_path / "a")
    assert os.listdir(tmp_path) == []


def test_a_run_that_waits_gets_the_lock_when_the_other_is_killed(tmp_path: Path) -> None:
    with holding(tmp_path / "a") as process, started(WAIT, tmp_path / "a") as waiting:
        assert waiting.says() == "waiting"
        process.kill()
        while (line := waiting.says()) == "waiting":
            pass
        assert line == "held"


@pytest.mark.parametrize("wait_seconds", [0.25, 3600.0])
def test_the_waiting_time_is_for_all_locks_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait_seconds: float
) -> None:
    clock = Clock(monkeypatch)
    with (
        holding(tmp_path / "a"),
        pytest.raises(BusyError),
        held([f"{tmp_path}/a", f"{tmp_path}/b"], wait_seconds),
    ):
        pass
    assert clock.seconds == pytest.approx(wait_seconds)


def test_a_run_that_waits_can_be_interrupted(tmp_path: Path) -> None:
    with holding(tmp_path / "b"), started(WAIT, tmp_path / "a", tmp_path / "b") as waiting:
        assert waiting.says() == "waiting"
        waiting.send_signal(signal.SIGINT)
        while (line := waiting.says()) == "waiting":
            pass
        assert line == "interrupted"
        assert waiting.wait() == 0
        assert os.listdir(tmp_path) == [".b.lock"]


def test_runs_that_come_and_go_never_hold_a_lock_together_nor_wait_for_each_other(
    tmp_path: Path,
) -> None:
    (tmp_path / "counter").write_text("0")
    paths = [tmp_path / "a", tmp_path / "b"]
    with (
        started(COUNT, tmp_path / "counter", *paths) as one,
        started(COUNT, tmp_path / "counter", *reversed(paths)) as two,
        started(COUNT, tmp_path / "counter", *paths) as three,
    ):
        runs = [one, two, three]
        for run in runs:
            assert run.says() == "ready"
        for run in runs:
            run.goes_on()
        assert [run.wait() for run in runs] == [0, 0, 0]
    assert (tmp_path / "counter").read_text() == "600"
    assert os.listdir(tmp_path) == ["counter"]


def test_a_lock_whose_file_was_removed_meanwhile_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, others = fcntl.flock, []

    def late(descriptor: int, operation: int) -> None:
        # Between opening and locking, the holder ends and another run begins.
        monkeypatch.setattr(fcntl, "flock", flock)
        (tmp_path / ".a.lock").unlink()
        others.append(Process(HOLD, tmp_path / "a"))
        assert others[0].says() == "held"
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    assert_busy(tmp_path / "a")
    for process in others:
        process.goes_on()
        with process:
            assert process.wait() == 0


def test_the_lock_of_another_run_is_not_removed_though_somebody_removed_ours(
    tmp_path: Path,
) -> None:
    with held([f"{tmp_path}/a"]):
        (tmp_path / ".a.lock").unlink()
        process = Process(HOLD, tmp_path / "a")
        assert process.says() == "held"
    with process:
        assert_busy(tmp_path / "a")
        process.goes_on()


@needs_permissions
def test_a_lock_file_that_may_only_be_read_is_locked(tmp_path: Path) -> None:
    (tmp_path / ".a.lock").touch(mode=0o444)
    with started(HOLD, tmp_path / "a", before=LIKE_ANYONE) as other:
        assert other.says() == "held"
        assert_busy(tmp_path / "a")


@needs_permissions
def test_a_pipe_in_the_place_of_a_lock_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".a.lock", 0o444)
    with started(HOLD, tmp_path / "a", before=LIKE_ANYONE) as other:
        assert other.says() == "held"


@needs_permissions
def test_a_folder_that_may_not_be_written_to_is_reported(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0o555)
    with started(REFUSED, tmp_path / "shut/a", before=LIKE_ANYONE) as other:
        assert other.says() == (
            "Output cannot be created: its folder cannot be written to: Permission denied"
            f" (path: {tmp_path}/shut/a)"
        )


def test_an_output_where_nothing_can_be_written_is_named_itself() -> None:
    with pytest.raises(OutputError) as caught, held(["/proc/foo.csv"]):
        pass
    assert str(caught.value).startswith(
        "Output cannot be created: its folder cannot be written to: "
    )
    assert caught.value.detail == "path: /proc/foo.csv"


def test_what_somebody_else_keeps_under_the_name_of_a_lock_is_left_as_it_is(
    tmp_path: Path,
) -> None:
    (tmp_path / ".a.lock").write_text("precious")
    with holding(tmp_path / "a") as other:
        assert_busy(tmp_path / "a")
        other.goes_on()
        assert other.wait() == 0
    assert (tmp_path / ".a.lock").read_text() == "precious"


def test_a_link_in_the_place_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / ".a.lock").symlink_to("precious")
    with pytest.raises(OutputError, match="Output cannot be created"), held([f"{tmp_path}/a"]):
        pass
    assert os.listdir(tmp_path) == [".a.lock"]


def test_a_file_system_without_locks_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(descriptor: int, operation: int) -> NoReturn:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    before = sorted(os.listdir("/dev/fd"))
    with held([f"{tmp_path}/a", f"{tmp_path}/b"]) as warnings:
        assert warnings == [
            f"{tmp_path}/{name} cannot be locked (Function not implemented):"
            " another run that writes it at the same time would not be noticed"
            for name in "ab"
        ]
    assert sorted(os.listdir("/dev/fd")) == before


def test_a_lock_that_fails_by_chance_is_taken_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, answers = fcntl.flock, iter([errno.EIO])

    def unsteady(descriptor: int, operation: int) -> None:
        if number := next(answers, 0):
            raise OSError(number, os.strerror(number))
        flock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", unsteady)
    with held([f"{tmp_path}/a"]) as warnings:
        assert warnings == []
        with pytest.raises(BusyError), held([f"{tmp_path}/a"]):
            pass
    assert os.listdir(tmp_path) == []


def test_a_file_system_that_interrupts_for_ever_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(descriptor: int, operation: int) -> NoReturn:
        # As Python itself does: it calls again until a signal's handler raises something.
        while True:
            pass

    monkeypatch.setattr(fcntl, "flock", interrupted)
    monkeypatch.setattr(locks, "FLOCK_SECONDS", 0.02)
    handler = signal.getsignal(signal.SIGALRM)
    with held([f"{tmp_path}/a"]) as warnings:
        assert [os.strerror(errno.ETIMEDOUT) in warning for warning in warnings] == [True]
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_lock_that_cannot_be_released_properly_does_not_change_how_a_run_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = os.close

    def late(descriptor: int) -> NoReturn:
        close(descriptor)
        raise OSError(errno.EIO, "Input/output error")

    with held([f"{tmp_path}/a"]):
        monkeypatch.setattr(os, "close", late)
        (tmp_path / ".a.lock").rename(tmp_path / "b")
    monkeypatch.undo()
    with held([f"{tmp_path}/b"]):
        pass


def test_a_platform_without_locks_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fcntl", None)
    with held([f"{tmp_path}/a"]) as warnings:
        assert len(warnings) == 1


def test_a_file_system_with_unstable_inode_numbers_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "samestat", lambda left, right: False)
    before = sorted(os.listdir("/dev/fd"))
    with held([f"{tmp_path}/a"]) as warnings:
        assert len(warnings) == 1
    assert sorted(os.listdir("/dev/fd")) == before


# Asking whether a lock is held, without taking it.


def test_a_lock_is_held_from_its_taking_to_its_release(tmp_path: Path) -> None:
    path = str(tmp_path / "metrics.json")
    assert not is_held(path)
    with held([path]):
        assert is_held(path)
        assert is_held(path)
    assert not is_held(path)
    assert os.listdir(tmp_path) == []


def test_the_lock_file_of_a_killed_run_is_not_held_and_is_left(tmp_path: Path) -> None:
    (tmp_path / ".metrics.json.lock").touch()
    assert not is_held(str(tmp_path / "metrics.json"))
    assert os.listdir(tmp_path) == [".metrics.json.lock"]


def test_a_link_leads_to_the_lock_of_what_it_names(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "metrics.json")
    with held([str(tmp_path / "metrics.json")]):
        assert is_held(str(link))
