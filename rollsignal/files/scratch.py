"""This module keeps files on this machine that are on their way to or from a store.

They are in a folder of this run alone, in the system's folder for temporary files (TMPDIR). A run
holds a lock on its folder for as long as it lives, so that the next one knows which are left over.
"""

import os
from contextlib import suppress
from time import time

from rollsignal.errors import OutputError
from rollsignal.files.folders import remove_folder_quietly
from rollsignal.messages import shown_path

BEGINNING = ".rollsignal-on-its-way-"
YOUNG_SECONDS = 60


class Scratch:
    """A temporary folder of this user alone, which is there until it is removed."""

    def __init__(self, output: str) -> None:
        """Create the folder, and remove those of killed runs; raises `OutputError`.

        output: what the files are for, for messages.
        """
        from tempfile import gettempdir, mkdtemp

        try:
            above = gettempdir()
            _remove_leftovers(above)
            self.path = mkdtemp(prefix=BEGINNING, dir=above)
            self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            _got_lock(self._lock)
        except OSError as problem:
            reason = f"no folder for temporary files: {problem.strerror}"
            hint = f"path: {shown_path(output)}; name a folder in TMPDIR"
            raise OutputError(f"Output cannot be created: {reason}", hint) from problem

    def remove(self) -> None:
        """Remove the folder with all that is in it, without errors."""
        remove_folder_quietly(self.path)
        with suppress(OSError):
            os.close(self._lock)


def _remove_leftovers(above: str) -> None:
    """Remove the folders of this user that no run holds."""
    with os.scandir(above) as entries:
        ours = [
            each.path
            for each in entries
            if each.name.startswith(BEGINNING)
            and each.is_dir(follow_symlinks=False)
            and each.stat(follow_symlinks=False).st_uid == os.geteuid()
        ]
    for path in ours:
        with suppress(OSError):
            _remove_unheld(path)


def _remove_unheld(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        # A run locks its folder a moment after it has made it, so a young one is left alone.
        is_young = os.fstat(descriptor).st_mtime + YOUNG_SECONDS > time()
        if not is_young and _got_lock(descriptor):
            remove_folder_quietly(path)
    finally:
        os.close(descriptor)


def _got_lock(descriptor: int) -> bool:
    """Lock an open folder; return False if a run holds it, or if folders cannot be locked."""
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (OSError, ImportError):
        return False
    return True
