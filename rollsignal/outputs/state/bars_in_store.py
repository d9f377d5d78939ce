"""This module stores all decided bars below a state in a store, to find what a vendor restates.

Each run adds one object, of a name that nobody else chooses: what another run has stored meanwhile
is never touched. The state names the objects; others are of runs that did not finish.
"""

import os
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from rollsignal.files.at_once import all_at_once
from rollsignal.files.delivery import remove_left_over
from rollsignal.files.fingerprints import Fingerprint
from rollsignal.files.scratch import Scratch
from rollsignal.files.uploads import fetched, objects_below, put_object
from rollsignal.outputs.interface import BARS_FOLDER
from rollsignal.outputs.state.document import Segment
from rollsignal.outputs.state.history import History


def bars_folder(state: str) -> str:
    """Return the folder of the bars of a state in a store."""
    return f"{state}{BARS_FOLDER}"


def forget_unnamed(state: str, segments: Sequence[Segment]) -> None:
    """Remove objects of bars that a state does not name, and that no run can be writing now.

    Raises `OutputError` or `DiskError`.
    """
    remove_left_over(bars_folder(state), named={segment.name for segment in segments})


class StoredHistory(History):
    """The bars below a state in a store; those of this run are in a file on this machine first."""

    def _opened(self) -> BinaryIO:
        """Open a file for the bars of this run; raises `DataError` if earlier ones are gone."""
        self._folder = bars_folder(self._state_path)
        self._there = objects_below(self._folder) if self._segments else {}
        for segment in self._segments:
            self.path = self._folder + segment.name
            facts = self._there.get(self.path)
            if facts is None or facts.size != segment.size:
                raise self._damage("is gone" if facts is None else "is cut off")
        self._put: dict[str, Fingerprint] = {}
        self._scratch = Scratch(self._state_path)
        self.path = os.path.join(self._scratch.path, "bars")
        # It stays open until `close`.
        return open(self.path, "x+b")

    def _sent_path(self, name: str) -> str:
        return f"{self.path}.{name}"

    def finish(self) -> tuple[Segment, ...]:
        """Put the bars of this run into the store; return the segments for the state."""
        added = self._added()
        if not added:
            return tuple(self._segments)
        name = f"{len(self._segments):06}.{os.urandom(8).hex()}"
        self._put = {self._folder + name: put_object(self._folder + name, self.path)}
        return (*self._segments, added[0]._replace(name=name))

    @property
    def delivered(self) -> Mapping[str, Fingerprint]:
        """Return the objects with the bars of the state after `finish`, by URL."""
        of_before = {self._folder + segment.name: segment for segment in self._segments}
        known = {
            url: Fingerprint(each.size, None, None, None, each.sha256, self._there[url].etag)
            for url, each in of_before.items()
        }
        return known | self._put

    def _read(self, segments: Sequence[Segment]) -> list[bytes]:
        named = [segment for segment in segments if segment.name]
        data = all_at_once(self._fetched, named)
        return data if len(named) == len(segments) else [*data, *super()._read(segments[-1:])]

    def _fetched(self, segment: Segment) -> bytes:
        """Fetch the bars of an earlier run; raises `DataError` or `DiskError`."""
        found = fetched(self._folder + segment.name)
        if found is None or found[1].sha256 != segment.sha256:
            self.path = self._folder + segment.name
            raise self._damage("is gone" if found is None else "is damaged")
        return found[0]

    def close(self) -> None:
        """Remove the folder on this machine; bars that are in no state stay for a while."""
        super().close()
        self._scratch.remove()
