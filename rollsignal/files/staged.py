"""This module puts the finished files of an output in their places, however often a run is killed.

They stand complete under temporary names first. What is then to be done is a `Promise`: as long as
it is kept by something that is on disk, each run that follows can do what is left of it.
"""

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from rollsignal.errors import DiskError, JobError, ScarcityError
from rollsignal.files.fingerprints import sha256_of, stat_of
from rollsignal.files.folders import remove_folder_quietly
from rollsignal.files.open import is_folder, lexists, status_of
from rollsignal.files.replace import (
    cannot_create,
    cannot_write,
    checked_target,
    promised_name,
    remove_leftovers,
    sync_file,
    sync_folder,
    temporary_name,
)
from rollsignal.messages import is_url

READY = "ready"


class FileContent(NamedTuple):
    """What a file holds: its size in bytes, and its SHA-256."""

    size: int
    sha256: str


def content_of(path: str) -> FileContent | None:
    """Read what a file holds, None if there is no such regular file; raises `JobError`."""
    facts = stat_of(path)
    return FileContent(facts[0], sha256_of(path, facts[0], "Signals")) if facts else None


class Promise(NamedTuple):
    """Which finished files are to be put where.

    into: the folder of the output. token: the name of the folder in it where the finished files
    stand. files: where each belongs, as a path in `into`; some may be in their places already.
    """

    into: str
    token: str
    files: tuple[str, ...]

    def is_kept(self) -> bool:
        """Return whether there is nothing left to do; raises if disk or store do not answer."""
        if is_url(self.into):
            from rollsignal.files.placing import is_staged

            return not is_staged(f"{self.into}/{self.token}")
        return not is_folder(os.path.join(self.into, self.token))

    def put_in_place(self, *, once_more: bool = False) -> None:
        """Put in place what is not there yet; raises `OSError`, `OutputError`, `DiskError`.

        once_more: after a run that was killed, whose moves may not be on disk.
        """
        if is_url(self.into):
            from rollsignal.files.placing import place

            targets = [(staged_name(file), f"{self.into}/{file}") for file in self.files]
            place(f"{self.into}/{self.token}", targets)
            return
        ready = os.path.join(self.into, self.token, READY)
        folders = {self.into}
        for file in self.files:
            target = os.path.join(self.into, file)
            if lexists(staged := os.path.join(ready, staged_name(file))):
                folder = os.path.dirname(target)
                if folder != self.into:
                    _refuse_link(folder)
                    os.makedirs(folder, exist_ok=True)
                os.replace(staged, target)
                folders.add(folder)
            elif once_more:
                folders.add(os.path.dirname(target))
        for folder in sorted(folders, reverse=True):
            # A partition may have been removed by hand since it was put there.
            with suppress(FileNotFoundError):
                sync_folder(folder)

    def end(self) -> None:
        """Remove the folder of the finished files: from now on the promise is kept."""
        if is_url(self.into):
            from rollsignal.files.placing import unstage

            unstage(f"{self.into}/{self.token}")
            return
        remove_folder_quietly(os.path.join(self.into, self.token))


def staged_name(file: str) -> str:
    """Return the name under which a file stands before it is in its place.

    >>> staged_name("date=2024-01-01/signals.parquet")
    'date=2024-01-01'
    """
    return file.partition("/")[0]


def unkept(path: str, problem: OSError) -> JobError:
    """Return the error for signals that are in a state, and could not be put in place."""
    return kept_by_state(cannot_write(path, problem))


def kept_by_state(error: JobError) -> JobError:
    """Return the error for signals that a state promises, and that the next run puts in place."""
    return _told_too(
        error, "the state has them already, and the next run with it puts them in place"
    )


def perhaps_kept(error: JobError) -> JobError:
    """Return the error for a state that was replaced, and perhaps did not come to the disk."""
    what = "it may have the signals already, and then the next run with it puts them in place"
    return _told_too(error, what)


def _told_too(error: JobError, what: str) -> JobError:
    """Return an error that says more: one of the disk, or of what is lacking."""
    kind = ScarcityError if isinstance(error, ScarcityError) else DiskError
    return kind(error.message, f"{error.detail}; {what}")


class Staging:
    """A folder of this user alone beside an output, for files that are not finished yet.

    Libraries open files by their paths, and would follow a link that others have put there.
    """

    def __init__(self, output: str, *, is_folder: bool = False) -> None:
        """Name the folder; raises `OutputError` for an output that cannot be written.

        is_folder: whether the output is a folder of files.
        """
        self._output = output
        self._target = checked_target(os.path.join(output, "signals") if is_folder else output)
        self._into, self._name = os.path.split(self._target)
        self.path = temporary_name(self._target)
        self.ready = os.path.join(self.path, READY)

    def create(self) -> None:
        """Create the folder, and remove those of killed runs; raises `OutputError`."""
        remove_leftovers(self._target)
        try:
            os.mkdir(self.path, 0o700)
            os.mkdir(self.ready)
        except OSError as problem:
            raise cannot_create(self._output, str(problem.strerror)) from problem

    def file(self, name: str) -> str:
        """Return the path of an unfinished file."""
        return os.path.join(self.path, name)

    def take(self, finished: str) -> list[str]:
        """Make a finished file the output; return its place in the folder. Raises `OSError`."""
        os.replace(finished, os.path.join(self.ready, self._name))
        return [self._name]

    def promise(self, files: Sequence[str]) -> Promise:
        """Promise to put finished files in their places in the folder.

        They stand in `ready`, by their `staged_name`. Raises `OSError`, or `OutputError` if one of
        those places cannot be written.
        """
        for file in files:
            if os.path.dirname(file):
                _refuse_link(os.path.join(self._into, os.path.dirname(file)))
            sync_file(os.path.join(self.ready, staged_name(file)))
        for folder in (self.ready, self.path, self._into):
            sync_folder(folder)
        return Promise(self._into, os.path.basename(self.path), tuple(files))

    def rename_by(self, contents: Mapping[str, FileContent]) -> None:
        """Name the folder by what its finished files hold: states that are equal are equal bytes.

        Its name is random until it is complete. A link of the new name is not followed. Raises
        `OSError`.
        """
        name = hashlib.sha256(repr(sorted(contents.items())).encode()).hexdigest()[:16]
        path = promised_name(self._target, name)
        os.rename(self.path, path)
        self.path, self.ready = path, os.path.join(path, READY)

    def contents(self, files: Sequence[str]) -> dict[str, FileContent]:
        """Read what the finished files hold, by where they belong; raises `JobError`."""
        paths = {file: os.path.join(self.ready, staged_name(file)) for file in files}
        contents = {file: content_of(path) for file, path in paths.items()}
        return {file: content for file, content in contents.items() if content}

    def is_there(self) -> bool:
        """Return whether the folder exists."""
        return os.path.isdir(self.path)

    def remove(self) -> None:
        """Remove the folder with all that is in it, without errors."""
        remove_folder_quietly(self.path)


def _refuse_link(folder: str) -> None:
    """Raise `OutputError` for a folder that is a link, which may lead to files of others."""
    status = status_of(folder, follow=False)
    if status and stat.S_ISLNK(status.st_mode):
        raise cannot_create(folder, "it is a link, and no folder of a partition")
