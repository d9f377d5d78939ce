"""This module is a disk that fails: at one act on chosen files, and nowhere else."""

from __future__ import annotations

import builtins
import io
import os
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

import polars as pl
import pytest

Act = Literal["create", "write", "sync", "rename", "open", "read"]


class Fault(NamedTuple):
    """What fails: an act, with an error number, on the files whose paths match a pattern.

    room: how many bytes are written, or read, before it fails. passed: how many acts succeed first.
    """

    act: Act
    number: int
    files: str
    room: int = 0
    passed: int = 0


class Disk:
    """Make the system calls of the program fail, as long as `fault` is set."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.fault: Fault | None = None
        self.failed = 0
        self._passed = 0
        self._paths: dict[int, str] = {}
        self._open, self._os_open, self._write = builtins.open, os.open, os.write
        self._fdopen, self._fsync, self._replace = os.fdopen, os.fsync, os.replace
        self._mkdir = os.mkdir
        patch.setattr(builtins, "open", self._opened)
        patch.setattr(os, "open", self._os_opened)
        patch.setattr(os, "fdopen", self._fdopened)
        patch.setattr(os, "write", self._written)
        patch.setattr(os, "fsync", self._synced)
        patch.setattr(os, "replace", self._replaced)
        patch.setattr(os, "mkdir", self._made)
        for name in ("sink_parquet", "sink_ipc"):
            patch.setattr(pl.LazyFrame, name, self._sinking(getattr(pl.LazyFrame, name)))

    def _fails(self, act: Act, path: object) -> bool:
        """Return whether this act is to fail."""
        fault = self.fault
        if fault is None or act != fault.act or not isinstance(path, str | os.PathLike):
            return False
        if not re.search(fault.files, os.fspath(path)):
            return False
        self._passed += 1
        return self._passed > fault.passed

    def problem(self) -> OSError:
        """Return the error of the fault, and count it."""
        assert self.fault
        self.failed += 1
        return OSError(self.fault.number, os.strerror(self.fault.number))

    def _opened(self, path: Any, mode: str = "r", *more: Any, **options: Any) -> Any:
        writes = mode not in ("r", "rb")
        if writes and not os.path.lexists(path) and self._fails("create", path):
            raise self.problem()
        if writes and "b" in mode and self._fails("write", path):
            raw = _Raw(self, path, mode.replace("b", ""))
            return io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        if mode == "rb" and self._fails("read", path):
            return io.BufferedReader(_Raw(self, path, "r"))
        file = self._open(path, mode, *more, **options)
        self._paths[file.fileno()] = path
        return file

    def _sinking(self, sink: Any) -> Any:
        """Return a function that writes a table as polars does, or only its first bytes."""

        def sinking(table: pl.LazyFrame, target: Any, **options: Any) -> None:
            if self._fails("create", target):
                raise self.problem()
            sink(table, target, **options)
            if self._fails("write", target):
                assert self.fault
                os.truncate(target, self.fault.room)
                raise self.problem()

        return sinking

    def _os_opened(self, path: Any, flags: int, *more: Any, **options: Any) -> int:
        if flags & os.O_CREAT and not os.path.lexists(path) and self._fails("create", path):
            raise self.problem()
        if not flags & os.O_WRONLY and self._fails("open", path):
            raise self.problem()
        descriptor = self._os_open(path, flags, *more, **options)
        self._paths[descriptor] = path
        return descriptor

    def _fdopened(self, descriptor: int, *more: Any) -> Any:
        if self._fails("read", self._paths.get(descriptor)):
            return io.BufferedReader(_Raw(self, descriptor, "r"), 512)
        return self._fdopen(descriptor, *more)

    def _written(self, descriptor: int, data: Any) -> int:
        if not self._fails("write", self._paths.get(descriptor)):
            return self._write(descriptor, data)
        assert self.fault
        room, self.fault = self.fault.room, self.fault._replace(room=0)
        if not room:
            raise self.problem()
        return self._write(descriptor, data[:room])

    def _synced(self, descriptor: int) -> None:
        if self._fails("sync", self._paths.get(descriptor)):
            raise self.problem()
        self._fsync(descriptor)

    def _made(self, path: Any, *more: Any, **options: Any) -> None:
        # The folder of an output is there already.
        if str(path).endswith(".tmp") and self._fails("create", path):
            raise self.problem()
        self._mkdir(path, *more, **options)

    def _replaced(self, source: Any, target: Any) -> None:
        if self._fails("rename", target):
            raise self.problem()
        self._replace(source, target)


class _Raw(io.FileIO):
    """An open file that fails once `room` bytes are written or read."""

    def __init__(self, disk: Disk, file: Any, mode: str) -> None:
        super().__init__(file, mode)
        assert disk.fault
        self._disk, self._room = disk, disk.fault.room
        disk._paths[self.fileno()] = file if isinstance(file, str) else disk._paths[file]

    def _take(self, size: int) -> int:
        if self._disk.fault is None:
            return size
        if not self._room:
            raise self._disk.problem()
        size = min(size, self._room)
        self._room -= size
        return size

    def write(self, data: Any) -> int:
        return super().write(memoryview(data)[: self._take(len(data))])

    def readinto(self, buffer: Any) -> int:
        return super().readinto(memoryview(buffer)[: self._take(len(buffer))])


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Make writes fail as on a full disk; Python ignores the signal that comes with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
