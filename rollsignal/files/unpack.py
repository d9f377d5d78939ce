"""This module unpacks compressed files piece by piece as they are read, and checks their ends."""

import io
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from rollsignal.errors import DataError, DiskError, InputError, JobError, package_of, unloaded

if TYPE_CHECKING:
    from zipfile import ZipFile

    from _typeshed import WriteableBuffer


PACKED_BYTES, SPOOLED_BYTES = 1 << 16, 1 << 20
# How the last record of a zip begins, and its size without the comment that ends it.
ZIP_END, ZIP_END_BYTES = b"PK\x05\x06", 22
# What is in the archive of every workbook of Excel since 2007 that is not binary.
WORKBOOK = "xl/workbook.xml"

WorkbookOpener = Callable[["ZipFile"], BinaryIO]
"""Opens the archive of a workbook, and returns the text of a sheet."""


def unpack(
    file: BinaryIO, compression: str, name: str, workbook: "WorkbookOpener | None" = None
) -> BinaryIO:
    """Return a stream of the content of a file compressed in one of `COMPRESSIONS`.

    workbook: opens the archive of a workbook, None if workbooks are refused. Raises `DataError` if
    the file is corrupt or ends early, now or while it is read.
    """
    opener = partial(_zip, workbook=workbook) if compression == "zip" else _OPENERS[compression]
    stream = _Checked(partial(opener, file), compression, name)
    return cast(BinaryIO, io.BufferedReader(stream, 1 << 16))


def _gzip(file: BinaryIO) -> BinaryIO:
    try:
        # Three times as fast as gzip, but not available for some rare processors.
        from isal.igzip import IGzipFile
    except ImportError:
        import gzip

        return cast(BinaryIO, gzip.GzipFile(fileobj=file))
    return cast(BinaryIO, IGzipFile(fileobj=file))  # type: ignore[no-untyped-call]  # it is not typed


def _bzip2(file: BinaryIO) -> BinaryIO:
    import bz2

    return cast(BinaryIO, _Streams(file, bz2.BZ2Decompressor))


def _xz(file: BinaryIO) -> BinaryIO:
    import lzma

    return cast(BinaryIO, _Streams(file, lzma.LZMADecompressor))


class _Streams:
    """Read the streams of a file one after the other; other bytes after them are an error."""

    def __init__(self, file: BinaryIO, new: Callable[[], Any]) -> None:
        self._file = file
        self._new = new
        self._stream = new()
        self._more = True

    def read(self, size: int) -> bytes:
        """Return some bytes, none at the end; raises `EOFError` if a stream is cut off."""
        while True:
            packed = b""
            if self._stream.eof:
                # Streams may be padded with zeros.
                packed = self._stream.unused_data.lstrip(b"\0") or self._packed().lstrip(b"\0")
                if not packed and not self._more:
                    return b""
                if not packed:
                    continue
                self._stream = self._new()
            elif self._stream.needs_input:
                packed = self._packed()
                if not packed:
                    raise EOFError("it ends before the end of its content")
            unpacked_bytes: bytes = self._stream.decompress(packed, size)
            if unpacked_bytes:
                return unpacked_bytes

    def _packed(self) -> bytes:
        data = self._file.read(PACKED_BYTES)
        self._more = bool(data)
        return data


def _zstd(file: BinaryIO) -> BinaryIO:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]  # from 3.14 on
    except ImportError:
        from backports import zstd
    return cast(BinaryIO, zstd.ZstdFile(file))


def _zip(file: BinaryIO, workbook: "WorkbookOpener | None" = None) -> BinaryIO:
    """Open the one file in an archive; what cannot be sought goes to a temporary file first."""
    if file.seekable():
        return _in_archive(file, workbook)
    import shutil
    import tempfile

    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy, SPOOLED_BYTES)
        copy.flush()
        spool = _Spool(os.dup(copy.fileno()))
    spool.seek(0)
    return _in_archive(cast(BinaryIO, io.BufferedReader(spool, PACKED_BYTES)), workbook)


class _Spool(io.RawIOBase):
    """A temporary file without a name: whoever drops it last closes it, and so removes it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return os.lseek(self._descriptor, offset, whence)

    def readinto(self, buffer: "WriteableBuffer") -> int:
        return os.readv(self._descriptor, [buffer])

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def _in_archive(file: BinaryIO, workbook: "WorkbookOpener | None") -> BinaryIO:
    import zipfile

    archive = zipfile.ZipFile(file)
    if workbook and WORKBOOK in archive.namelist():
        _refuse_more_than_an_archive(archive, file)
        return workbook(archive)
    _refuse_documents(archive.namelist())
    members = [member for member in archive.infolist() if not _is_aside(member.filename)]
    # HistData delivers a report on the table beside it, under its name.
    reports = {f"{name[:-4]}.txt" for name in archive.namelist() if name.lower().endswith(".csv")}
    members = [member for member in members if member.filename not in reports]
    if len(members) != 1:
        raise ValueError(f"{len(members)} files in the archive, not one")
    if members[0].flag_bits & 1:
        raise ValueError("the file in the archive is encrypted")
    _refuse_more_than_an_archive(archive, file)
    return cast(BinaryIO, archive.open(members[0]))


def _refuse_more_than_an_archive(archive: "ZipFile", file: BinaryIO) -> None:
    """Raise `ValueError` unless the archive is the whole file.

    The library would read the last of several archives, and pass over what follows it.
    """
    hint = "if two archives are in one file, unpack each by itself"
    if min(member.header_offset for member in archive.infolist()):
        raise ValueError(f"bytes before the archive ({hint})")
    comment_bytes = len(archive.comment)
    file.seek(-ZIP_END_BYTES - comment_bytes, io.SEEK_END)
    record = file.read(ZIP_END_BYTES)
    if not record.startswith(ZIP_END) or int.from_bytes(record[-2:], "little") != comment_bytes:
        raise ValueError(f"bytes after the archive ({hint})")


def _is_aside(name: str) -> bool:
    """Return whether an entry of a zip archive is a folder, or one that macOS has added."""
    return name.startswith("__MACOSX/") or name.endswith(("/", ".DS_Store"))


def _refuse_documents(names: list[str]) -> None:
    """Raise `ValueError` for the archive that some documents are."""
    if "[Content_Types].xml" in names:
        kind = "a binary workbook (xlsb)" if "xl/workbook.bin" in names else "a document of Office"
        raise ValueError(f"it is {kind}; save the sheet as xlsx or CSV")
    if {"mimetype", "content.xml"} <= set(names):
        raise ValueError("it is a document of OpenOffice; save the sheet as xlsx or CSV")
    if names and all(name.endswith(".npy") for name in names):
        raise ValueError("it is an archive of NumPy arrays; export them as CSV or Parquet")


_OPENERS: dict[str, Callable[[BinaryIO], BinaryIO]] = {
    "gzip": _gzip,
    "bzip2": _bzip2,
    "xz": _xz,
    "zstd": _zstd,
}


class _Checked(io.RawIOBase):
    """A stream whose failures are all a `JobError` that names the file."""

    def __init__(self, opener: Callable[[], BinaryIO], compression: str, name: str) -> None:
        self._compression = compression
        self._name = name
        self._stream = self._guarded(opener)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        data = self._guarded(lambda: self._stream.read(len(view)))
        view[: len(data)] = data
        return len(data)

    def _guarded(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except JobError:
            raise
        except ImportError as problem:
            raise unloaded(problem) or self._not_installed(problem) from problem
        except Exception as problem:
            # Each library raises its own exceptions for damaged data.
            if isinstance(problem, OSError) and problem.errno is not None:
                raise DiskError(f"{self._name}: reading failed: {problem.strerror}") from problem
            raise self._corrupt(problem) from problem

    def _not_installed(self, problem: ImportError) -> JobError:
        """Return the error for a module that is missing: a package, or a part of Python itself."""
        module = problem.name or self._compression
        package = package_of(module)
        if package != module:
            what = f"{self._compression} cannot be read without {package}"
            hint = f"pip install {package}, or unpack the file first"
            return InputError(f"{self._name}: {what}", hint)
        what = f"{self._compression} cannot be read: this Python is built without {module}"
        return InputError(f"{self._name}: {what}", "unpack the file first")

    def _corrupt(self, problem: Exception) -> DataError:
        reason = str(problem).rstrip(".")
        return DataError(f"{self._name}: cannot be read as {self._compression}: {reason}")
