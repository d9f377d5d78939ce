"""This module reads remote objects: their bytes in parts, and their columns through polars."""

import io
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeVar, cast

from rollsignal.errors import DiskError, InputError
from rollsignal.files.remote import (
    NO_PARTS,
    NOT_FOUND,
    REQUEST_SECONDS,
    WEB,
    location_of,
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

    Reading raises `DiskError`. The file is seekable if the server sends parts of files.
    """
    return cast(BinaryIO, io.BufferedReader(_opened(url), FIRST_BYTES))


class ObjectFacts(NamedTuple):
    """What a server says about an object: its size, when it was last modified, and its ETag.

    What the server does not say is None. `version` is its number where the store keeps versions.
    """

    size: int
    modified_ns: int | None
    etag: str | None
    version: str | None


def object_facts(url: str) -> ObjectFacts | None:
    """Ask for the facts of an object, None if there is none; raises `InputError`."""
    file = found_object(url, first_bytes=1)
    return None if file is None else file.facts


def hashed_object(url: str, size: int | None = None) -> tuple[ObjectFacts, str] | None:
    """Fetch an object, or its first `size` bytes; return its facts and the SHA-256 of the bytes.

    None if there is no object. Raises `InputError`, or `DiskError` where fewer bytes come, or the
    object changes meanwhile.
    """
    import hashlib

    file = found_object(url)
    if file is None:
        return None
    digest, left = hashlib.sha256(), file.facts.size if size is None else size
    while data := file.read(min(left, MOST_BYTES)):
        digest.update(data)
        left -= len(data)
    if left:
        raise DiskError(f"{shown_path(url)}: reading failed: {left:,} bytes did not come")
    return file.facts, digest.hexdigest()


def found_object(url: str, first_bytes: int = FIRST_BYTES) -> "_Bytes | None":
    """Open an object, None if there is none; raises `InputError`."""
    try:
        return _opened(url, first_bytes)
    except InputError as error:
        if error.message != NOT_FOUND:
            raise
        return None


class ObjectWatch:
    """Watch polars read an object: its waits, its errors, and that the object does not change."""

    def __init__(self, url: str) -> None:
        """Note the object's version; raises `InputError`."""
        self._url = url
        self._version = _opened(url).version
        self._midway = False

    def over(self, act: Callable[[], T]) -> T:
        """Call what waits for the server; raises `InputError` at first, later `DiskError`."""
        try:
            result = waited(act)
        except OSError as error:
            raise remote_error(self._url, error, midway=self._midway) from None
        self._midway = True
        return result

    def end(self) -> None:
        """Check that the object is still the same; raises `DiskError`."""
        if _opened(self._url).version != self._version:
            raise _changed(self._url)


def _opened(url: str, first_bytes: int = FIRST_BYTES) -> "_Bytes":
    location = location_of(url)
    key = "" if location.scheme in WEB else location.key
    try:
        return _parts(url, store_of(url), key, first_bytes)
    except Exception as error:
        # Some web servers do not send parts, and an empty file has none.
        if not re.search(_NO_PARTS, str(error)):
            raise remote_error(url, error, midway=False) from None
    try:
        # Fetching the whole object may take long, but the server must not stay silent for long.
        return _whole(url, store_of(url, timeout="1000d", read_timeout=f"{REQUEST_SECONDS}s"), key)
    except Exception as error:
        raise remote_error(url, error, midway=False) from None


def _parts(url: str, store: "ObjectStore", key: str, size: int) -> "_Bytes":
    """Read an object in parts, each twice as large as the last; a change is an error."""

    def get(start: int) -> "tuple[bytes, ObjectMeta]":
        options: GetOptions = {"range": (start, start + size)}
        result = store.get(key, options=options)
        return result.bytes().to_bytes(), result.meta

    first, meta = waited(lambda: get(0))

    def fetch(start: int) -> bytes:
        nonlocal size
        size = min(2 * size, MOST_BYTES)
        if start >= meta["size"]:
            return b""
        part, now = _midway(url, lambda: get(start))
        if _version_of(now) != _version_of(meta):
            raise _changed(url)
        return part

    return _Bytes(fetch, meta, first, meta["size"])


def _whole(url: str, store: "ObjectStore", key: str) -> "_Bytes":
    """Read an object from beginning to end in one request."""
    result = waited(lambda: store.get(key))
    pieces = iter(result.stream(FIRST_BYTES))
    return _Bytes(
        lambda start: _midway(url, lambda: next(pieces, b"")),
        result.meta,
        b"",
        None,
    )


def _midway(url: str, act: Callable[[], T]) -> T:
    try:
        return waited(act)
    except Exception as error:
        raise remote_error(url, error, midway=True) from None


def _version_of(meta: "ObjectMeta") -> tuple[object, ...]:
    return meta["e_tag"], meta["size"], meta["last_modified"]


def facts_of(meta: "ObjectMeta") -> ObjectFacts:
    """Return what a server says about an object."""
    # Where a web server does not say it, the library has the beginning of 1970.
    modified_ns = round(meta["last_modified"].timestamp() * 10**6) * 1000
    return ObjectFacts(meta["size"], modified_ns or None, meta["e_tag"], meta["version"])


def _changed(url: str) -> DiskError:
    return DiskError(f"{shown_path(url)}: it was changed while it was read; run again")


class _Bytes(io.RawIOBase):
    """A file of the bytes that `fetch` returns from an offset on, none at the end.

    first: the first bytes, if they are fetched already. size: the number of all bytes, or None if
    they can only be read from beginning to end.
    """

    def __init__(
        self, fetch: Callable[[int], bytes], meta: "ObjectMeta", first: bytes, size: int | None
    ) -> None:
        self.version = _version_of(meta)
        self.facts = facts_of(meta)
        self._fetch = fetch
        self._size = size
        self._part = first
        self._start = self._offset = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._size is not None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if self._size is None:
            raise InputError(f"Input data file cannot be opened: {NO_PARTS}")
        self._offset = offset + (0, self._offset, self._size)[whence]
        return self._offset

    def tell(self) -> int:
        return self._offset

    def readinto(self, buffer: "WriteableBuffer") -> int:
        index = self._offset - self._start
        if not 0 <= index < len(self._part):
            self._part, self._start, index = self._fetch(self._offset), self._offset, 0
        view = memoryview(buffer)
        data = self._part[index : index + len(view)]
        view[: len(data)] = data
        self._offset += len(data)
        return len(data)
