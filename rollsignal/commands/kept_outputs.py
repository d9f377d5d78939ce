"""This module finds out what a state knows of the outputs of a recorded run, and compares them.

A record is made of what stands on the disk when its run ends, and a run does not read again what
it only keeps: partitions without new bars, and the bars beside the state. The state knows what was
written, whichever night that was.
"""

import hashlib
import os
from collections.abc import Iterable

from rollsignal.commands.completing import seen_from_here
from rollsignal.errors import DiskError, JobError
from rollsignal.files.fingerprints import fingerprint
from rollsignal.files.open import open_regular
from rollsignal.files.staged import FileContent
from rollsignal.messages import is_url
from rollsignal.outputs.record.document import Record
from rollsignal.outputs.state.document import Segment, State, load_head
from rollsignal.outputs.state.history import History

READ_BYTES = 1 << 20


class KeptOutputs:
    """What the state of a recorded run knows of its outputs; nothing if it is not that state."""

    def __init__(self, record: Record) -> None:
        self._contents: dict[str, FileContent] = {}
        self._bars = ""
        self._segments: tuple[Segment, ...] = ()
        path = record.asked.outputs.get("--state")
        state = self._state(path, record) if path else None
        if path and state:
            self._bars = _real_path(History.path_of(path, state.generation))
            self._segments = state.segments
            if state.pending:
                into = seen_from_here(path, state.pending).into
                files = state.signals.items()
                self._contents = {os.path.join(into, file): content for file, content in files}

    def _state(self, path: str, record: Record) -> State | None:
        recorded = {file.path: file.sha256 for file in record.outputs}
        try:
            now = fingerprint(path)
            is_recorded = now is not None and now.sha256 == recorded.get(path)
            return load_head(path) if is_recorded else None
        except JobError:
            # The state is an output itself, of which this is told.
            return None

    def sha256_of(self, path: str) -> str | None:
        """Return the SHA-256 of what was written to a file of the signals, None for others."""
        content = self._contents.get(_real_path(path))
        return content and content.sha256

    def bars(self, path: str) -> str | None:
        """Compare the bars beside the state with what runs added: "" if they hold.

        None for another file. Raises `JobError` if they cannot be read.
        """
        if not self._segments or _real_path(path) != self._bars:
            return None
        return _wrong_bytes(path, self._segments)


def _real_path(path: str) -> str:
    """Return where a path leads; a record may name one that no file can have."""
    if is_url(path):
        return path
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return path


def _wrong_bytes(path: str, segments: Iterable[Segment]) -> str:
    start = 0
    with open_regular(path, "File of bars", DiskError) as file:
        for segment in segments:
            digest, left = hashlib.sha256(), segment.size
            while left and (data := file.read(min(left, READ_BYTES))):
                digest.update(data)
                left -= len(data)
            if digest.hexdigest() != segment.sha256:
                return f"other bytes between {start:,} and {start + segment.size:,}"
            start += segment.size
    return ""
