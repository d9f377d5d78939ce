"""This module replaces files as a whole or not at all."""

import os
import re
import stat
from contextlib import suppress
from typing import IO, TYPE_CHECKING, BinaryIO

from rollsignal.errors import DiskError, JobError, OutputError, scarcity
from rollsignal.messages import escaped, is_url, shown_path

if TYPE_CHECKING:
    from rollsignal.files.fingerprints import Fingerprint

LONGEST_NAME_BYTES = 200
# Names of former versions have no random part.
_TEMPORARY = re.compile(
    r"\.(?:([0-9]{1,9})(?:\.[0-9a-f]{16})?\.tmp(?:\.[a-z0-9]+)*|[0-9a-f]{16}\.ready)"
)


def clear_output(path: str) -> None:
    """Make an output's folder, and remove the output of an earlier run.

    A link is followed: what it points to is the output. Raises `OutputError`, for an object in a
    store also `DiskError`.
    """
    if is_url(path):
        from rollsignal.files.uploads import remove_objects

        remove_objects([path])
        return
    target = checked_target(path)
    try:
        with suppress(FileNotFoundError):
            os.unlink(target)
    except OSError as problem:
        raise cannot_create(path, str(problem.strerror)) from problem


def replace(path: str, content: str | bytes) -> "Fingerprint | None":
    """Write a whole file or object: a reader sees all of it, or the earlier one.

    Return what is there now, None for a file. Raises `OutputError` if it cannot be created,
    `DiskError` if writing fails.
    """
    data = content.encode() if isinstance(content, str) else content
    if is_url(path):
        from rollsignal.files.uploads import put_object

        return put_object(path, data)
    target = checked_target(path)
    unfinished = temporary_name(target)
    try:
        remove_leftovers(target)
        with _created(unfinished, path) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, target)
        sync_folder(os.path.dirname(target))
    except OSError as problem:
        raise cannot_write(path, problem) from problem
    finally:
        remove_quietly(unfinished)
    return None


def put_where_none_is(url: str, content: str) -> None:
    """Put an object into a store; raises `BusyError` if there is one, and as `replace` does."""
    from rollsignal.files.uploads import put_over

    put_over(url, content.encode(), None)


def _created(unfinished: str, path: str) -> BinaryIO:
    """Create a file that was not there, not even as a link; raises `OutputError`."""
    try:
        return open(unfinished, "xb")
    except OSError as problem:
        raise cannot_create(path, str(problem.strerror)) from problem


def temporary_name(target: str) -> str:
    """Return a hidden path beside an output, which nobody can guess.

    Whoever may write to the folder could else put a link there before the file is created. The
    process is named so that the next run knows whether it is still there.
    """
    return hidden_sibling(target, f".{os.getpid()}.{os.urandom(8).hex()}.tmp")


def promised_name(target: str, name: str) -> str:
    """Return the hidden path of a complete folder that a state may promise; name: 16 digits."""
    return hidden_sibling(target, f".{name}.ready")


def remove_leftovers(target: str) -> None:
    """Remove what killed runs have left beside an output under temporary names.

    In a container every run may have the same process id, so what has the id of this process is
    also one of theirs. What a state promises has been put in place before.
    """
    from glob import escape, iglob

    beginning = hidden_sibling(target, "")
    for path in iglob(f"{escape(beginning)}.*"):
        match = _TEMPORARY.fullmatch(path, len(beginning))
        if match and not (match[1] and _is_other(int(match[1]))):
            _remove_leftover(path)


def _remove_leftover(path: str) -> None:
    if not os.path.isdir(path):
        remove_quietly(path)
        return
    from rollsignal.files.folders import remove_folder_quietly

    remove_folder_quietly(path)


def _is_other(process: int) -> bool:
    """Return whether another process with this id is running."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != os.getpid()


def hidden_sibling(path: str, suffix: str) -> str:
    """Return the path of a hidden file beside another: its name, cut if too long, and a suffix."""
    folder, name = os.path.split(path)
    while len(os.fsencode(name)) > LONGEST_NAME_BYTES:
        name = name[:-1]
    return os.path.join(folder, f".{name}{suffix}")


def sync_folder(folder: str) -> None:
    """Write to disk which files a folder has."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def sync_file(path: str) -> None:
    """Write to disk what a file holds."""
    _sync(path, os.O_RDONLY | os.O_NOFOLLOW)


def remove_quietly(unfinished: str) -> None:
    """Remove a temporary file if possible; a failure here must not hide an earlier one."""
    with suppress(OSError):
        os.unlink(unfinished)


def close_quietly(file: IO[bytes]) -> None:
    """Close a file that nobody will read, whatever happens."""
    # On a full disk, closing tries once more to write what is buffered.
    with suppress(OSError):
        file.close()


def make_folder(path: str) -> None:
    """Create an output folder; raises `OutputError`."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as problem:
        raise cannot_create(path, str(problem.strerror)) from problem


def cannot_write(path: str, problem: OSError) -> JobError:
    """Return the error for an output whose writing failed midway."""
    # The error of a library may have only a text.
    reason = problem.strerror or escaped(str(problem).partition("\n")[0])
    # What goes into a store is written on this machine first.
    room = "; name a folder with enough room in TMPDIR" if is_url(path) else ""
    error = DiskError(f"Output could not be written: {reason}", f"path: {shown_path(path)}" + room)
    return scarcity(error) or error


def checked_target(path: str) -> str:
    """Follow an output's path to its target, and make its folder.

    Raises `OutputError` if something other than a regular file is there, or it is read-only.
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


def cannot_create(path: str, reason: str) -> JobError:
    """Return the error for an output that cannot be created."""
    error = OutputError(f"Output cannot be created: {reason}", f"path: {shown_path(path)}")
    return scarcity(error) or error
