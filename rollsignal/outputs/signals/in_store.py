"""This module writes the signals of a run into a store: one object, or a folder of partitions.

They are finished on this machine, as files are. With a state they are then staged in the store.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from rollsignal.errors import DataError, JobError
from rollsignal.files.delivery import StoreStaging
from rollsignal.files.fingerprints import Fingerprint
from rollsignal.files.replace import cannot_write
from rollsignal.files.staged import Promise, kept_by_state
from rollsignal.outputs.interface import RunReport
from rollsignal.outputs.signals.counts import KnownSignals
from rollsignal.outputs.signals.former import changed_signals
from rollsignal.outputs.signals.partitions import partition_of_object, remove_stale_objects
from rollsignal.outputs.signals.writer import Signals


class StoredSignals(Signals):
    """The signals of a run at a URL."""

    _store: StoreStaging | None = None
    _former = ""
    _placed: Sequence[str] = ()
    _is_over = False

    def _new_staging(self) -> StoreStaging:
        self._store = StoreStaging(self.path, is_folder=self._partition_by is not None)
        return self._store

    def _former_path(self) -> str:
        """Fetch the signals of the run before, once; return where they are on this machine."""
        assert self._store, "signals are begun before they are read"
        if not self._former:
            wanted = f"signals{self._suffix}" if self._partition_by else None
            try:
                self._former = self._store.former(wanted)
            except OSError as problem:
                raise cannot_write(self.path, problem) from problem
        return self._former

    def _follow(self, known: KnownSignals) -> None:
        """Follow the signals of a state, all of whose files must be as it has written them."""
        with self._named_by_url():
            super()._follow(known)
        fetched = self._store.fetched if self._store else {}
        for file, content in known.files.items() if self._partition_by else ():
            there = fetched.get(f"{self.path.rstrip('/')}/{file}")
            if there and there.sha256 != content.sha256:
                raise changed_signals(f"{self.path.rstrip('/')}/{file}")

    def _finished(self) -> list[str]:
        with self._named_by_url():
            return super()._finished()

    @contextmanager
    def _named_by_url(self) -> Iterator[None]:
        """Name the URL in errors about the copies of former signals on this machine."""
        try:
            yield
        except DataError as error:
            here = self._former or self.path
            raise DataError(error.message.replace(here, self.path), error.detail) from error

    def _promise_of(self, files: Sequence[str]) -> Promise:
        """Promise the finished files alone: the store is asked about each."""
        return self._begun_staging.promise(files)

    def finish(self, report: RunReport) -> Mapping[str, Fingerprint]:
        """Put the objects in their places; raises `JobError`."""
        assert self._store, "signals are begun before they are written"
        if self._promise:
            try:
                self._promise.put_in_place()
            except JobError as problem:
                raise kept_by_state(problem) from problem
            self._placed = self._promise.files
            there = self._store.placed()
        else:
            try:
                self._placed = self._finished()
            except OSError as problem:
                raise cannot_write(self.path, problem) from problem
            there = self._store.upload(self._placed)
        self._is_put = True
        return {**self._kept(), **there}

    def _kept(self) -> Mapping[str, Fingerprint]:
        """Return the partitions that stand in the store as they did before."""
        if not (self._store and self._partition_by):
            return {}
        folder, name = self.path, f"signals{self._suffix}"
        return {
            url: each
            for url, each in self._store.fetched.items()
            if self._merging.keeps(partition_of_object(url, folder, name))
        }

    def _keeps(self, partition: str) -> bool:
        is_placed = f"{partition}/signals{self._suffix}" in self._placed
        return is_placed or self._merging.keeps(partition)

    @property
    def stale(self) -> Sequence[str]:
        """Return nothing: a record names what was put into the store, and what was kept."""
        return ()

    def tidy(self) -> None:
        """Remove the partitions of earlier runs, and what was staged; raises `JobError`."""
        if not self._is_put:
            return
        if self._partition_by:
            remove_stale_objects(self.path, f"signals{self._suffix}", self._keeps)
        if self._promise:
            self._promise.end()
        self._is_put, self._is_over = False, True

    def abandon(self) -> None:
        """Remove what is unfinished, but not what a state promises to put in place."""
        for rows in self._rows:
            rows.abandon()
        with suppress(JobError):
            self.tidy()
        if self._store:
            if not self._is_over and not (self._is_promised and self._is_promised()):
                self._store.withdraw()
            self._store.remove()
