"""This module opens the files of a run, each by the reader that suits it, in the order of time."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import (
    AbstractContextManager,
    closing,
    contextmanager,
    nullcontext,
    suppress,
)

from rollsignal.bars.batch import Reader
from rollsignal.bars.input import InputFile
from rollsignal.bars.tables import TextReader
from rollsignal.config import JobConfig
from rollsignal.engines.ordering import in_time_order
from rollsignal.errors import DataError
from rollsignal.fingerprints import stat_of
from rollsignal.formats import Format
from rollsignal.timestamps import to_ns

LARGE_BYTES = 4 << 20
ALL_BYTES = 2**63
NO_ROWS_NS = -(2**63)

Opening = Generator[tuple[str, AbstractContextManager[Reader]], None, None]


class Inputs:
    """The files of a run; `form` is the format that all must be in, None to tell each.

    `total_bytes` is the size of all, 0 if one of them is no regular file.
    """

    def __init__(self, paths: Sequence[str], config: JobConfig, form: Format | None = None) -> None:
        told = [stat_of(path) for path in paths]
        known = sum(one[0] for one in told if one)
        self.total_bytes = known if all(told) else 0
        self._sizes = {path: one[0] for path, one in zip(paths, told, strict=True) if one}
        self.paths = paths
        self.config = config
        self._form = form
        # The fast parser takes a while to load, and does not pay at once.
        self._careful_bytes = 0 if known >= LARGE_BYTES else LARGE_BYTES

    @property
    def careful(self) -> bool:
        """Tell whether all is to be read carefully, and decided without arrays."""
        return self._careful_bytes == ALL_BYTES

    def of(self, paths: Sequence[str]) -> "Inputs":
        """Return other files, to be read the same way."""
        return Inputs(paths, self.config, self._form)

    def carefully(self) -> "Inputs":
        """Give the same files, all to be read carefully."""
        inputs = Inputs(self.paths, self.config, self._form)
        inputs._careful_bytes = ALL_BYTES
        return inputs

    @contextmanager
    def opened(self, path: str) -> Iterator[Reader]:
        """Open a file; raises `JobError` if it is no table with the columns that are read."""
        with closing(InputFile(path, self._form)) as file:
            if file.form == "csv":
                yield TextReader(file, self.config, self._careful_bytes)
            elif file.form == "ndjson":
                from rollsignal.bars.ndjson import NdjsonReader

                yield NdjsonReader(file, self.config)
            else:
                from rollsignal.bars.frames import FrameReader

                yield FrameReader(path, file.form, self.config)

    def each(self, paths: Sequence[str]) -> Opening:
        """Yield files of these with what opens them, small ones read together ahead of that."""
        if self._careful_bytes or len(paths) == 1 or self._form not in (None, "csv"):
            yield from ((path, self.opened(path)) for path in paths)
            return
        # It needs NumPy, as all fast reading does.
        from rollsignal.bars.groups import Groups
        from rollsignal.bars.small_files import read_together

        groups = Groups(paths, self._sizes, self.config, self._form)
        for path, reader in read_together(groups, self.config):
            yield path, nullcontext(reader) if reader else self.opened(path)

    def describe(self, path: str) -> str:
        """Say in which form a file is."""
        with self.opened(path) as reader:
            return reader.describe()

    def by_time(self, doubtful: bool = False) -> list[str]:
        """Put the files of each series in the order of time, by their first timestamps.

        doubtful: a file in doubt from its first rows on does not disturb the order of the others.
        """

        def first_ns(path: str) -> int | None:
            with suppress(DataError) if doubtful else nullcontext():
                return self._first_ns(path)
            return NO_ROWS_NS

        return in_time_order(self.paths, self.config, first_ns)

    def _first_ns(self, path: str) -> int | None:
        """Read a file's first timestamp, if timestamps are read at all."""
        with self.opened(path) as reader:
            batch = next(iter(reader.batches()), None)
        if batch is None:
            # A file without rows does not matter to the order of the others.
            return NO_ROWS_NS
        return None if batch.moments is None else to_ns(batch.moments[0])
