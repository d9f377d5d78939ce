"""This module replaces files as a whole or not at all."""

import os
import re
import stat
from contextlib import suppress
from typing import IO

from rollsignal.errors import DiskError, OutputError
from rollsignal.messages import escaped, shown_path

LONGEST_NAME_BYTES = 200
MAX_TRIES = 100
_BEGUN = re.compile(r"\.([0-9]{1,9})\.tmp(?:\.[a-z0-9]+)?$")


def clear_output(path: str) -> None:
    """Make an output's folder, and remove what an earlier run left there.

    A link is followed: what it points to is the output. Raises `OutputError`.
    """
    target = checked_target(path)
    try:
        if os.path.lexists(target):
            os.unlink(target)
    except OSError as problem:
        raise cannot_create(path, str(problem.strerror)) from problem


def replace(path: str, content: str | bytes) -> None:
    """Write a whole file, so that a reader sees all of it or the former one, and keep it on disk.

    Raises `OutputError` if it cannot be created, `DiskError` if writing fails.
    """
    unfinished = create_temporary(path)
    try:
        with open(unfinished, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        commit(unfinished, path)
    except OSError as problem:
        raise cannot_write(path, problem) from problem
    finally:
        remove_quietly(unfinished)


def create_temporary(path: str) -> str:
    """Make an empty file beside an output, to be written first; raises `OutputError`.

    What runs that were killed have begun there is removed. In a container every run may have the
    same process id, so what seems to be this one's is theirs too.
    """
    target = checked_target(path)
    unfinished = hidden_sibling(target, f".{os.getpid()}.tmp")
    try:
        for remains in _remains(hidden_sibling(target, "")):
            remove_quietly(remains)
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    except BaseException as problem:
        # A signal may come while it is made.
        remove_quietly(unfinished)
        if not isinstance(problem, OSError):
            raise
        raise cannot_create(path, str(problem.strerror)) from problem
    return unfinished


def _remains(beginning: str) -> list[str]:
    """List what was begun under a name by a process that has ended, or by this one's namesake."""
    from glob import escape, iglob

    begun = [(path, _BEGUN.search(path)) for path in iglob(f"{escape(beginning)}.*.tmp*")]
    return [path for path, found in begun if found and not _is_other(int(found[1]))]


def _is_other(process: int) -> bool:
    """Tell whether there is another process of this number."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != os.getpid()


def hidden_sibling(path: str, suffix: str) -> str:
    """Name a hidden file beside another: its name, cut where that is too long, and a suffix."""
    folder, name = os.path.split(path)
    while len(os.fsencode(name)) > LONGEST_NAME_BYTES:
        name = name[:-1]
    return os.path.join(folder, f".{name}{suffix}")


def unfinished_folder(folder: str) -> str:
    """Name the folder, in an output that is one, in which files are written first.

    What runs that were killed have left of theirs is removed.
    """
    for remains in _remains(os.path.join(folder, ".partitions")):
        remove_folder_quietly(remains)
    return os.path.join(folder, f".partitions.{os.getpid()}.tmp")


def commit(unfinished: str, path: str) -> None:
    """Put a file that is written into the place of an output, as a whole and on disk."""
    target = os.path.realpath(path)
    _sync(unfinished, os.O_RDONLY)
    os.replace(unfinished, target)
    sync_folder(os.path.dirname(target))


def sync_folder(folder: str) -> None:
    """Keep on disk which files a folder has."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def remove_quietly(unfinished: str) -> None:
    """Remove what was begun and not settled, if that can be: what went wrong before counts."""
    with suppress(OSError):
        os.unlink(unfinished)


def close_quietly(file: IO[bytes]) -> None:
    """Close a file that nobody will read."""
    # On a full disk, closing would try once more to write what is left.
    with suppress(OSError):
        file.close()


def remove_folder_quietly(unfinished: str) -> None:
    """Remove a folder that was begun, with all that is in it.

    Where a library has failed, threads of it may still put files there: then it is tried again.
    """
    import shutil

    for _ in range(MAX_TRIES):
        shutil.rmtree(unfinished, ignore_errors=True)
        if not os.path.lexists(unfinished):
            break


def make_folder(path: str) -> None:
    """Make an output that is a folder; raises `OutputError`."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as problem:
        raise cannot_create(path, str(problem.strerror)) from problem


def cannot_write(path: str, problem: OSError) -> DiskError:
    """Say that writing an output failed midway."""
    # A library's own error may have no more than a text.
    reason = problem.strerror or escaped(str(problem).partition("\n")[0])
    return DiskError(f"Output could not be written: {reason}", f"path: {shown_path(path)}")


def checked_target(path: str) -> str:
    """Find what an output's path leads to, make its folder, and refuse to replace no file.

    Raises `OutputError`.
    """
    try:
        target = os.path.realpath(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not stat.S_ISREG(os.lstat(target).st_mode):
            raise cannot_create(path, "it exists and is not a regular file")
        if not os.access(target, os.W_OK):
            raise cannot_create(path, "it is read-only")
    except FileNotFoundError:
        return target
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise cannot_create(path, reason) from problem
    return target


def _sync(path: str, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def cannot_create(path: str, reason: str) -> OutputError:
    """Say why an output cannot be created."""
    return OutputError(f"Output cannot be created: {reason}", f"path: {shown_path(path)}")
