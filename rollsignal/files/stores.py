"""This module reads objects that are elsewhere: their bytes, part by part, and polars' columns."""

import io
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from rollsignal.errors import DiskError, InputError
from rollsignal.files.remote import (
    NO_PARTS,
    REQUEST_SECONDS,
    WEB,
    place_of,
    remote_error,
    store_of,
    waited,
)
from rollsignal.messages import shown_path

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from obstore import GetOptions, ObjectMeta
    from obstore.store import ObjectStore


FIRST_BYTES, MOST_BYTES = 1 << 16, 1 << 22
_NO_PARTS = r"Range request not supported|status code: 416"

T = TypeVar("T")


def open_object(url: str) -> BinaryIO:
    """Open an object's bytes, fetched in bounded memory as they are read; raises `InputError`.

    Reading raises `DiskError`. Where the server gives parts of files, this one can be sought in.
    """
    return cast(BinaryIO, io.BufferedReader(_opened(url), FIRST_BYTES))


class ObjectWatch:
    """Watch over what polars does with an object: its waits, its errors, and that it is one."""

    def __init__(self, url: str) -> None:
        """Begin; raises `InputError`."""
        self._url = url
        self._version = _opened(url).version
        self._midway = False

    def over(self, act: Callable[[], T]) -> T:
        """Do what waits for the server; raises `InputError` at first, later `DiskError`."""
        try:
            found = waited(act)
        except OSError as error:
            raise remote_error(self._url, error, midway=self._midway) from None
        self._midway = True
        return found

    def end(self) -> None:
        """See that the object is still the same; raises `DiskError`."""
        if _opened(self._url).version != self._version:
            raise _changed(self._url)


def _opened(url: str) -> "_Bytes":
    place = place_of(url)
    key = "" if place.scheme in WEB else place.key
    try:
        return _parts(url, store_of(url), key)
    except Exception as error:
        # Some web servers give no parts, and an empty file has none.
        if not re.search(_NO_PARTS, str(error)):
            raise remote_error(url, error, midway=False) from None
    try:
        # Fetching all of it may take long; only silence may not.
        return _whole(url, store_of(url, timeout="1000d", read_timeout=f"{REQUEST_SECONDS}s"), key)
    except Exception as error:
        raise remote_error(url, error, midway=False) from None


def _parts(url: str, store: "ObjectStore", key: str) -> "_Bytes":
    """Read an object in parts, each twice as large as the last, as long as it stays the same."""
    size = FIRST_BYTES

    def get(place: int) -> "tuple[bytes, ObjectMeta]":
        options: GetOptions = {"range": (place, place + size)}
        result = store.get(key, options=options)
        return result.bytes().to_bytes(), result.meta

    first, meta = waited(lambda: get(0))

    def fetch(place: int) -> bytes:
        nonlocal size
        size = min(2 * size, MOST_BYTES)
        if place >= meta["size"]:
            return b""
        part, now = _midway(url, lambda: get(place))
        if _version(now) != _version(meta):
            raise _changed(url)
        return part

    return _Bytes(fetch, _version(meta), first, meta["size"])


def _whole(url: str, store: "ObjectStore", key: str) -> "_Bytes":
    """Read an object in one go, piece after piece."""
    result = waited(lambda: store.get(key))
    pieces = iter(result.stream(FIRST_BYTES))
    return _Bytes(
        lambda place: _midway(url, lambda: next(pieces, b"")), _version(result.meta), b"", None
    )


def _midway(url: str, act: Callable[[], T]) -> T:
    try:
        return waited(act)
    except Exception as error:
        raise remote_error(url, error, midway=True) from None


def _version(meta: "ObjectMeta") -> tuple[object, ...]:
    return meta["e_tag"], meta["size"], meta["last_modified"]


def _changed(url: str) -> DiskError:
    return DiskError(f"{shown_path(url)}: it was changed while it was read; run again")


class _Bytes(io.RawIOBase):
    """The bytes that `fetch` returns from a place on, none at the end.

    first: the bytes at the beginning, as far as they are known. size: how many there are in all,
    or None if they only come one after the other.
    """

    def __init__(
        self, fetch: Callable[[int], bytes], version: object, first: bytes, size: int | None
    ) -> None:
        self.version = version
        self._fetch = fetch
        self._size = size
        self._part = first
        self._start = self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        # An OSError would make zipfile say that this is no zip file.
        if self._size is None:
            raise InputError(f"Input data file cannot be opened: {NO_PARTS}")
        self._place = offset + (0, self._place, self._size)[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: "WriteableBuffer") -> int:
        at = self._place - self._start
        if not 0 <= at < len(self._part):
            self._part, self._start, at = self._fetch(self._place), self._place, 0
        view = memoryview(buffer)
        found = self._part[at : at + len(view)]
        view[: len(found)] = found
        self._place += len(found)
        return len(found)
