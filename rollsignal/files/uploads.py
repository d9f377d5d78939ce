"""This module puts objects into stores, each as a whole or not at all, and reads small ones.

What is put over a known version replaces no other one. A store has no folders to make, and nothing
to lock. Nothing that a server says reaches a message.
"""

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rollsignal.errors import BusyError, DiskError, InputError, JobError, OutputError, unloaded
from rollsignal.files.fingerprints import Fingerprint
from rollsignal.files.remote import (
    NO_OBJECT,
    WEB,
    about_keys,
    failure_reason,
    is_setup,
    location_of,
    store_of,
    waited,
)
from rollsignal.files.stores import MOST_BYTES, ObjectFacts, facts_of, found_object
from rollsignal.messages import shown_path

if TYPE_CHECKING:
    from obstore import PutMode
    from obstore.store import ObjectStore

# An object above this size is sent in parts, of which a store takes at most 10,000.
PART_BYTES = 8 << 20
MOST_PARTS = 9_000
PARTS_AT_ONCE = 4
# A part has this long, which is 8 MB at half a megabit a second.
UPLOAD_SECONDS = 120
NO_BUCKET = "there is no such bucket"
_NO_BUCKET = "NoSuchBucket|ContainerNotFound|bucket does not exist"
_LATER = "another run has replaced it meanwhile"

Answered = TypeVar("Answered")


def put_object(url: str, content: bytes | str) -> Fingerprint:
    """Put bytes, or the file at a path, into a store; return what is there now.

    Raises `OutputError` if that is not allowed, `DiskError` if it fails midway; then the object of
    before is still whole.
    """
    return _put_whole(url, content, "overwrite")


def put_over(url: str, content: bytes, known: Fingerprint | None) -> Fingerprint:
    """Put bytes over the version that is known, None for no object; return what is there now.

    content: unlike that of any other run, so that it tells whether it was put although the answer
    was lost. Raises `BusyError` if there is another version, which then stays; `OutputError`,
    `DiskError`.
    """
    mode: PutMode = "create"
    if known:
        versions = {"e_tag": known.etag, "version": known.version}
        mode = cast("PutMode", {name: value for name, value in versions.items() if value})
        if not mode:
            raise OutputError(
                "Output cannot be created: the store does not say versions of objects, by which"
                " two runs would be kept apart",
                f"path: {shown_path(url)}; keep the state in a local file",
            )
    try:
        return _put_whole(url, content, mode)
    except (BusyError, DiskError):
        # The answer may be lost although the object was put; a client that asks again is refused.
        now = fetched(url)
        if now and now[0] == content:
            return now[1]
        raise


def replaced_meanwhile(url: str) -> BusyError:
    """Return the error for an object that another run has put since it was read."""
    hint = "this run has changed nothing; run again, to continue what the other has written"
    return BusyError(f"{shown_path(url)}: {_LATER}", hint)


def _put_whole(url: str, content: bytes | str, mode: "PutMode") -> Fingerprint:
    key = location_of(url).key
    size, sha256 = _measured(content)
    chunk = max(PART_BYTES, -(-size // MOST_PARTS))
    file: Any = content
    if isinstance(content, str):
        from pathlib import Path

        file = Path(content)

    # A condition is only kept by an object that is put in one piece.
    is_large = mode == "overwrite" and size > chunk

    def put() -> Any:
        return _writable(url).put(
            key,
            file,
            mode=mode,
            use_multipart=is_large,
            chunk_size=chunk,
            max_concurrency=PARTS_AT_ONCE,
        )

    result = _waited_for_store(url, put, is_long=True)
    return Fingerprint(size, None, None, None, sha256, result["e_tag"], result["version"])


def _measured(content: bytes | str) -> tuple[int, str]:
    """Return the size and the SHA-256 of bytes, or of the file at a path."""
    import hashlib

    if isinstance(content, bytes):
        return len(content), hashlib.sha256(content).hexdigest()
    with open(content, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return file.tell(), digest.hexdigest()


def fetched(url: str, error: type[JobError] = DiskError) -> tuple[bytes, Fingerprint] | None:
    """Read an object as a whole; None if there is none. Raises `error`, or `OutputError`."""
    try:
        result = _waited_for_store(url, lambda: _get(url), error=error)
    except FileNotFoundError:
        return None
    import hashlib

    data, meta = result
    sha256 = hashlib.sha256(data).hexdigest()
    facts = (len(data), None, None, None, sha256, meta["e_tag"], meta["version"])
    return data, Fingerprint(*facts)


def _get(url: str) -> tuple[bytes, Any]:
    result = _writable(url).get(location_of(url).key)
    return result.bytes().to_bytes(), result.meta


def fetch_to(url: str, path: str) -> Fingerprint | None:
    """Fetch an object to a file; return what it is, None if there is none.

    Raises `InputError` or `DiskError`, and `OSError` where the file cannot be written.
    """
    import hashlib

    file = found_object(url)
    if file is None:
        return None
    digest = hashlib.sha256()
    with open(path, "xb") as local:
        while data := file.read(MOST_BYTES):
            digest.update(data)
            local.write(data)
    size, modified_ns, etag, version = file.facts
    return Fingerprint(size, modified_ns, None, None, digest.hexdigest(), etag, version)


def head_object(url: str) -> ObjectFacts | None:
    """Look at an object; None if there is none.

    Raises `OutputError` for a bucket that is not there, `DiskError`.
    """
    try:
        return facts_of(_waited_for_store(url, lambda: _writable(url).head(location_of(url).key)))
    except FileNotFoundError:
        return None


def remove_objects(urls: Iterable[str]) -> None:
    """Remove objects of one bucket, which need not be there; raises `OutputError`, `DiskError`."""
    every = list(urls)
    if not every:
        return
    keys = [location_of(url).key for url in every]
    try:
        _waited_for_store(every[0], lambda: _writable(every[0]).delete(keys))
    except FileNotFoundError:
        # Some stores say so of an object that is not there.
        return


def copy_object(url: str, target: str) -> None:
    """Copy an object within its bucket.

    Raises `FileNotFoundError` if there is none, `OutputError`, `DiskError`.
    """
    keys = location_of(url).key, location_of(target).key
    _waited_for_store(target, lambda: _writable(url).copy(*keys), is_long=True)


def objects_below(url: str, beginning: str = "") -> dict[str, ObjectFacts]:
    """List the objects of a folder, hidden ones too, by their URLs.

    beginning: that of their paths in the folder. Raises `OutputError` or `DiskError`.
    """
    scheme, root, key = location_of(url)
    prefix = f"{key.rstrip('/')}/".lstrip("/")

    def listed() -> list[Any]:
        entries: list[Any] = []
        offset = prefix + beginning if beginning else None
        for page in _writable(url).list(prefix or None, offset=offset, chunk_size=1000):
            wanted = [each for each in page if each["path"].startswith(prefix + beginning)]
            entries += wanted
            # Stores list keys in order, so that no more of them follow.
            if len(wanted) < len(page) and beginning:
                break
        return entries

    entries = _waited_for_store(url, listed)
    return {f"{scheme}://{root}/{each['path']}": facts_of(each) for each in entries}


def _writable(url: str) -> "ObjectStore":
    return store_of(url, timeout=f"{UPLOAD_SECONDS}s")


def _waited_for_store(
    url: str,
    act: Callable[[], Answered],
    *,
    is_long: bool = False,
    error: type[JobError] = DiskError,
) -> Answered:
    """Wait for what a store answers.

    Raises `FileNotFoundError` for an object that is not there, `BusyError` where a condition does
    not hold, `OutputError` for what is not allowed, and `error` for all else.
    """
    _check_package(url)
    try:
        return waited(act, is_long=is_long)
    except Exception as problem:
        raise _written_error(url, problem, error) from None


def _check_package(url: str) -> None:
    scheme = location_of(url).scheme
    if scheme in WEB:
        hint = "name a local file, or an object in a store"
        raise OutputError(f"Output cannot be created: nothing is written by {scheme}://", hint)
    try:
        import obstore  # noqa: F401  # only whether it is there
    except ImportError as problem:
        hint = "pip install obstore, or name a local file"
        missing = OutputError(f"writing {scheme}:// needs the package obstore", hint)
        raise unloaded(problem) or missing from None


def _written_error(url: str, problem: Exception, error: type[JobError]) -> Exception:
    from obstore.exceptions import AlreadyExistsError, PreconditionError

    if isinstance(problem, JobError):
        return problem
    if isinstance(problem, AlreadyExistsError | PreconditionError):
        return replaced_meanwhile(url)
    reason, where = failure_reason(problem), f"path: {shown_path(url)}"
    if re.search(_NO_BUCKET, str(problem)):
        reason = NO_BUCKET
    elif reason == NO_OBJECT:
        return FileNotFoundError(url)
    if reason == NO_BUCKET or is_setup(reason):
        hint = about_keys(url, reason)
        return OutputError(f"Output cannot be created: {reason}", where + hint)
    if error is InputError:
        return InputError(f"Object cannot be read: {reason}", where)
    return DiskError(f"Output could not be written: {reason}", where)
