"""This module copies objects that are staged in a store to their places."""

from collections.abc import Sequence

from rollsignal.errors import DiskError
from rollsignal.files.at_once import all_at_once
from rollsignal.files.uploads import (
    copy_object,
    fetch_to,
    head_object,
    objects_below,
    put_object,
    remove_objects,
)
from rollsignal.messages import shown_path

# A store copies no more than 5 GB in one request.
MOST_COPIED_BYTES = 5 * 10**9


def is_staged(folder: str) -> bool:
    """Return whether there are objects in a hidden folder; raises `OutputError`, `DiskError`."""
    return bool(objects_below(folder))


def place(folder: str, targets: Sequence[tuple[str, str]]) -> None:
    """Copy what is there in a hidden folder to its places; raises `OutputError`, `DiskError`.

    targets: the name of each object in the folder, and the URL of its place. What is not there was
    copied before.
    """
    there = {url.rpartition("/")[2]: facts.size for url, facts in objects_below(folder).items()}

    def copy(name: str, target: str) -> None:
        _copy(f"{folder}/{name}", target, there[name])

    all_at_once(lambda target: copy(*target), [each for each in targets if each[0] in there])


def _copy(url: str, target: str, size: int) -> None:
    try:
        if size > MOST_COPIED_BYTES:
            _copy_through(url, target)
        else:
            copy_object(url, target)
    except FileNotFoundError:
        # Another run that continues the same state has put it in place at this moment.
        return
    facts = head_object(target)
    if facts is None or facts.size != size:
        where = f"path: {shown_path(target)}"
        raise DiskError("Output could not be written: the store has not copied it", where)


def _copy_through(url: str, target: str) -> None:
    from rollsignal.files.scratch import Scratch

    scratch = Scratch(target)
    try:
        path = f"{scratch.path}/copied"
        if fetch_to(url, path):
            put_object(target, path)
    finally:
        scratch.remove()


def unstage(folder: str) -> None:
    """Remove a hidden folder with all that is in it; raises `OutputError`, `DiskError`."""
    remove_objects(objects_below(folder))
