"""This module finds out what is left of a run that is over: its signals, its record, or both."""

import os
from typing import NamedTuple

from rollsignal.config.settings import deciding
from rollsignal.errors import InputError, UsageError
from rollsignal.files.open import exists, is_folder, open_regular
from rollsignal.messages import is_url, shown_path
from rollsignal.outputs.record.document import Record, load_record

_FLAG = "--signals"


class PastRun(NamedTuple):
    """A run that is over; `signals` is the path of its signals, None if there are none.

    `record` is None where only its signals are there.
    """

    path: str
    signals: str | None
    record: Record | None = None

    @property
    def settings(self) -> dict[str, object] | None:
        """Return every setting that may change a signal by its dotted name.

        None if the run recorded none.
        """
        if self.record is None or self.record.config is None:
            return None
        return deciding({name: setting.value for name, setting in self.record.config.items()})

    @property
    def window(self) -> int | None:
        """Return the window, if a record has it."""
        window = (self.settings or {}).get("window")
        return window if isinstance(window, int) else None

    @property
    def versions(self) -> dict[str, str] | None:
        """Return the version of each program and library that decided, by name."""
        if self.record is None:
            return None
        rollsignal, python, libraries, engine = self.record.program
        return {"rollsignal": rollsignal, "python": python, "engine": engine, **libraries}

    @property
    def inputs(self) -> dict[str, str | None] | None:
        """Return the SHA-256 of each input by its path, None where no record lists any."""
        inputs = self.record.inputs if self.record else []
        return {read.file.path: read.file.sha256 for read in inputs} or None

    @property
    def digest(self) -> str | None:
        """Return the digest of the signals, if a record has it."""
        return self.record.digest if self.record else None


def past_run(path: str) -> PastRun:
    """Look at a table of signals, a folder of them, or a record.

    Raises `InputError` where there is nothing, `DataError` for a record that is damaged.
    """
    if is_url(path):
        hint = "copy them to a folder here, the record beside its signals, and name the copy"
        raise UsageError(f"{shown_path(path)}: signals in a store are not read here", hint)
    if is_folder(path):
        return PastRun(path, path)
    with open_regular(path, "Signals or record", InputError) as file:
        is_record = file.read(64).lstrip().startswith(b"{")
    if not is_record:
        return PastRun(path, path)
    record = load_record(path)
    return PastRun(path, _signals(path, record.asked.outputs.get(_FLAG)), record)


def _signals(path: str, written: str | None) -> str | None:
    """Find the signals of a recorded run: where it wrote them, or beside the record."""
    if written is None:
        return None
    beside = os.path.join(os.path.dirname(path), os.path.basename(written.rstrip("/")))
    return next((place for place in (written, beside) if exists(place)), None)
