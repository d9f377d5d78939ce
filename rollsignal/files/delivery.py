"""This module stages the finished files of an output in a store, and fetches those of before.

They are written on this machine first. Then they are uploaded below a hidden folder beside their
places, where the store copies them to. A run without a state uploads them to their places at once.
"""

import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from rollsignal.errors import JobError
from rollsignal.files.at_once import all_at_once
from rollsignal.files.fingerprints import Fingerprint, now_ns
from rollsignal.files.placing import unstage
from rollsignal.files.scratch import Scratch
from rollsignal.files.staged import READY, FileContent, Promise, Staging, staged_name
from rollsignal.files.uploads import (
    fetch_to,
    head_object,
    objects_below,
    put_object,
    remove_objects,
)

HIDDEN = ".rollsignal-"
# An object of this age that nothing names is of a run that was killed: no run takes so long.
STALE_NS = 7 * 24 * 3600 * 10**9


class StoreStaging(Staging):
    """A folder on this machine for the files of an output in a store."""

    def __init__(self, output: str, *, is_folder: bool = False) -> None:
        """Name the output; is_folder: whether it is a folder of files."""
        self._output = output.rstrip("/")
        self._into, _, self._name = self._output.rpartition("/")
        if is_folder:
            self._into = self._output
        self._token = f"{HIDDEN}{os.urandom(16).hex()}"
        self.path = self.ready = ""
        self._scratch: Scratch | None = None
        self._uploaded: dict[str, Fingerprint] = {}
        self._is_staged = False
        self.fetched: Mapping[str, Fingerprint] = {}

    def create(self) -> None:
        """Create the folder, and look whether the store answers; raises `JobError`."""
        self._scratch = Scratch(self._output)
        self.path = self._scratch.path
        self.ready = os.path.join(self.path, READY)
        os.mkdir(self.ready)
        head_object(self._output)

    def former(self, wanted: str | None = None) -> str:
        """Fetch what stands in the store; return its path on this machine.

        wanted: of a folder, the name of the files in it that are fetched, of every partition.
        Raises `JobError`, and `OSError` where the files cannot be written here.
        """
        path = os.path.join(self.path, "former", self._name)
        os.makedirs(path if wanted else os.path.dirname(path))
        places = {self._output: path}
        if wanted:
            names = [url.removeprefix(f"{self._output}/") for url in objects_below(self._output)]
            names = [name for name in names if _is_of_partition(name, wanted)]
            places = {f"{self._output}/{name}": os.path.join(path, name) for name in names}
        for place in places.values():
            os.makedirs(os.path.dirname(place), exist_ok=True)
        there = all_at_once(lambda url: fetch_to(url, places[url]), list(places))
        self.fetched = {url: each for url, each in zip(places, there, strict=True) if each}
        return path

    def rename_by(self, contents: Mapping[str, FileContent]) -> None:
        """Keep the random name: objects cannot be renamed."""

    def promise(self, files: Sequence[str]) -> Promise:
        """Promise to put finished files in their places in the folder; raises `JobError`.

        They stand in `ready`, by their `staged_name`, and are uploaded below a hidden folder.
        """
        remove_left_over(self._into, HIDDEN)
        self._is_staged = True
        self._upload({file: f"{self._token}/{staged_name(file)}" for file in files})
        return Promise(self._into, self._token, tuple(files))

    def upload(self, files: Sequence[str]) -> Mapping[str, Fingerprint]:
        """Upload finished files to their places; return what stands there. Raises `JobError`."""
        self._upload({file: file for file in files})
        return {f"{self._into}/{file}": there for file, there in self._uploaded.items()}

    def _upload(self, places: Mapping[str, str]) -> None:
        def put(file: str) -> Fingerprint:
            path = os.path.join(self.ready, staged_name(file))
            return put_object(f"{self._into}/{places[file]}", path)

        uploaded = all_at_once(put, list(places))
        self._uploaded = dict(zip(places, uploaded, strict=True))

    def placed(self) -> Mapping[str, Fingerprint]:
        """Look at what was copied to its place: its bytes are those that were uploaded."""
        places = {f"{self._into}/{file}": each for file, each in self._uploaded.items()}
        looks = all_at_once(head_object, list(places))
        return {
            url: each._replace(etag=facts and facts.etag, version=facts and facts.version)
            for (url, each), facts in zip(places.items(), looks, strict=True)
        }

    def remove(self) -> None:
        """Remove the folder on this machine, without errors."""
        if self._scratch:
            self._scratch.remove()

    def withdraw(self) -> None:
        """Remove what is staged in the store, without errors."""
        with suppress(JobError):
            if self._is_staged:
                unstage(f"{self._into}/{self._token}")


def _is_of_partition(name: str, wanted: str) -> bool:
    folder, _, file = name.partition("/")
    return file == wanted and "=" in folder and not folder.startswith(".")


def remove_left_over(folder: str, beginning: str = "", named: Collection[str] = ()) -> None:
    """Remove the objects of a folder that killed runs have put there long ago.

    beginning: that of their paths in the folder. named: the paths of those that are not left over.
    Raises `OutputError` or `DiskError`.
    """
    before_ns = now_ns() - STALE_NS
    remove_objects(
        url
        for url, facts in objects_below(folder, beginning).items()
        if url.removeprefix(f"{folder.rstrip('/')}/") not in named
        if facts.modified_ns and facts.modified_ns < before_ns
    )
