"""This module calls polars on a file, so that whatever goes wrong is a `JobError`."""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from rollsignal.errors import (
    BadCellError,
    DataError,
    DiskError,
    InputError,
    ScarcityError,
    answer_to_reading,
    scarcity,
)
from rollsignal.files.find import Input, path_of_characters
from rollsignal.messages import escaped, shown, text_without_secrets

if TYPE_CHECKING:
    import polars as pl

    from rollsignal.files.stores import ObjectWatch
    from rollsignal.readers.page_checksums import PageChecksums

# polars knows only zones such as Europe/Berlin, and panics at others. A zone does not matter here:
# whatever it is, the times are stored as counts in UTC. polars asks again for each batch.
_LENIENCES = ("POLARS_IGNORE_TIMEZONE_PARSE_ERROR", "POLARS_IMPORT_INTERVAL_AS_STRUCT")
_UNKNOWN_TYPES = ("not yet implemented", "Arrow datatype", "could not import from `")
# So polars says that a file ended too early, or that a part of it is damaged.
_CUT_SHORT = "failed to fill whole buffer"
_STDERR = 2

T = TypeVar("T")


class PolarsCalls:
    """Calls of polars for one file, which name the file when they fail."""

    def __init__(self, file: Input, file_format: str) -> None:
        self._name = file.name
        self._path = file.path
        self._format = file_format
        self._watch = _watch(file)
        for setting in _LENIENCES:
            os.environ.setdefault(setting, "1")

    def scan(self) -> "tuple[pl.LazyFrame, pl.Schema]":
        """Open the file, and read its schema."""
        import polars as pl

        def with_schema() -> "tuple[pl.LazyFrame, pl.Schema]":
            path = path_of_characters(self._path, InputError)
            with _quiet():
                if self._is_stream():
                    table = pl.read_ipc_stream(path).lazy()
                else:
                    scan = pl.scan_parquet if self._format == "parquet" else pl.scan_ipc
                    table = scan(path, glob=False)
                return table, table.collect_schema()

        return self.guarded(with_schema)

    def _is_stream(self) -> bool:
        """Return whether the file is an Arrow stream; raises `DataError` if it is not whole."""
        if self._format == "parquet" or self._watch:
            return False
        from rollsignal.readers.arrow_stream import check_is_whole

        return check_is_whole(self._path, self._name)

    def checksums(self, columns: Collection[str], row: int) -> "PageChecksums | None":
        """Return the checksums of what is read of these columns from a row on; None without any."""
        if self._format != "parquet" or self._watch:
            return None
        from rollsignal.readers.page_checksums import checksums_of

        return checksums_of(self._path, self._name, columns, row)

    def place_of(self, row: int) -> str:
        """Return what messages call a row."""
        return f"row {row}"

    def end(self) -> None:
        """Check that a remote file is still the same; raises `DiskError`."""
        if self._watch:
            self._watch.end()

    def guarded(self, act: Callable[[], T]) -> T:
        """Call a function, and turn errors and panics of polars into a `JobError`."""
        from polars.exceptions import PanicException, PolarsError

        try:
            return self._watch.over(act) if self._watch else act()
        except (PolarsError, PanicException, RuntimeError) as error:
            if lacking := scarcity(error):
                hint = f"{lacking.detail}; a damaged file may also ask for too much"
                raise ScarcityError(f"{self._name}: {lacking.message}", hint) from error
            self.end()
            raise self._unreadable(error) from None if self._watch else error
        except BadCellError:
            raise
        except (ValueError, OverflowError) as error:
            # A value that Python cannot hold, such as a time in the year -34698.
            if is_of_polars(error):
                raise self._unreadable(error) from error
            raise
        except OSError as error:
            raise scarcity(error) or self._unreadable(error) from error

    def _unreadable(self, error: BaseException) -> DataError | DiskError:
        if answer := answer_to_reading(error):
            return DiskError(f"{self._name}: reading failed: {answer}")
        if _CUT_SHORT in str(error) and self._is_whole():
            what = f"{self._name}: reading failed: less came than there is"
            return DiskError(what, "it could be read a second time, so run again")
        reason = escaped(text_without_secrets(str(error).partition("\n")[0]))
        if any(sign in reason for sign in _UNKNOWN_TYPES):
            reason = self._unknown_type()
        return DataError(f"{self._name}: cannot be read as {self._format}: {reason}")

    def _is_whole(self) -> bool:
        """Return whether it can be read now: a call that was interrupted looks like its end."""
        import polars as pl
        from polars.exceptions import PanicException, PolarsError

        if self._format != "parquet" or self._watch:
            return False
        try:
            with _quiet():
                for _ in pl.scan_parquet(self._path, glob=False).collect_batches():
                    pass
        except (PolarsError, PanicException, RuntimeError, ValueError, OSError):
            return False
        return True

    def _unknown_type(self) -> str:
        """Say which column has a type that polars does not know: its panic names none."""
        from rollsignal.readers.arrow_schema import unreadable_columns

        columns = [] if self._watch or self._format != "arrow" else unreadable_columns(self._path)
        if not columns:
            return "a column has a type that polars does not know; write the file without it"
        listed = ", ".join(f"{shown(name)} ({kind})" for name, kind in columns)
        which = "the column" if len(columns) == 1 else "each of the columns"
        return f"{which} {listed} has a type that polars does not know; write the file without it"

    def check_count(self, table: "pl.LazyFrame", rows: int) -> None:
        """Raise `DataError` unless a table that was read to its end has this many rows.

        When a thread of polars panics, the batches end early, without an error.
        """
        import polars as pl

        count = self.guarded(lambda: table.select(pl.len()).collect().item())
        if count != rows:
            what = f"polars stopped after {rows:,} of {count:,} rows; is the file damaged?"
            raise DataError(f"{self._name}: cannot be read as {self._format}: {what}")


def is_of_polars(error: BaseException) -> bool:
    """Return whether an error came up in a call of polars, and not in code around it."""
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    module = str(frame.tb_frame.f_globals.get("__name__")) if frame else ""
    return module.partition(".")[0] == "polars"


def _watch(file: Input) -> "ObjectWatch | None":
    if file.kind != "url":
        return None
    from rollsignal.files.stores import ObjectWatch

    return ObjectWatch(file.path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what compiled code writes to stderr: a panic writes its backtrace there."""
    try:
        kept = os.dup(_STDERR)
    except OSError:
        # stderr is closed.
        yield
        return
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDERR)
        os.close(nowhere)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
