"""This module handles object stores and web servers: URLs, clients, errors and listings.

The libraries find credentials themselves; this module never handles them. Calls that wait for a
server run in a thread of their own, so that a signal ends the run at once. The error texts of
servers and libraries are not passed on, because they may hold keys and signatures.
"""

import os
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from fnmatch import fnmatchcase
from glob import has_magic
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from rollsignal.errors import DiskError, InputError, JobError, UsageError, unloaded
from rollsignal.files.formats import numbered
from rollsignal.files.store_setup import WRONG_SETTINGS, check_addresses
from rollsignal.files.table_logs import refuse_logged_keys
from rollsignal.messages import did_you_mean, shown_path, text_without_secrets, without_secrets

if TYPE_CHECKING:
    from obstore.store import ObjectStore


REQUEST_SECONDS, WAIT_SECONDS = 30, 300
WEB = ("http", "https")
# Where each kind of store takes its keys from.
_KEYS = {
    "s3": "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION in the environment, or, where"
    " boto3 is installed, from AWS config files",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS in the environment",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY in the environment",
    "abfss": "AZURE_STORAGE_ACCOUNT_KEY in the environment",
}
NO_KEYS, DENIED, ELSEWHERE = (
    "no credentials were found",
    "access is denied",
    "the bucket is in another region",
)
NO_OBJECT, NOT_FOUND = "there is no such object", "Input data file not found"
NO_PARTS = "the server does not send parts of files, which this format needs"
# Patterns in the error texts of libraries, and what to report instead; the first match counts.
_REASONS = (
    (f"^({WRONG_SETTINGS}: .*)", "{0}"),
    (
        "latest/api/token in|latest/meta-data/iam/|computeMetadata/v1/|metadata/identity/oauth2/",
        NO_KEYS,
    ),
    (r"status code: 40[13]\b", DENIED),
    (r"status code: 404\b", NO_OBJECT),
    (r"status code: (\d{3})", "the server answers {0}"),
    ("Received redirect without LOCATION", ELSEWHERE),
    ("Range request not supported", NO_PARTS),
    ("Content-Length Header missing", "the server does not say how long the file is"),
    ("InvalidCertificate|invalid peer certificate", "the server's certificate is not trusted"),
    ("dns error|failed to lookup address", "there is no server with this name"),
    ("TimedOut|timed out", "the server does not answer"),
    ("error sending request", "no connection to the server"),
)

T = TypeVar("T")


class Location(NamedTuple):
    """The location of an object: its URL's scheme, its bucket, container or host, and its key."""

    scheme: str
    root: str
    key: str


def location_of(url: str) -> Location:
    """Split a URL; raises `InputError` for an unknown scheme, `UsageError` for a password."""
    scheme, _, rest = url.partition("://")
    if scheme not in (*_KEYS, *WEB):
        hint = did_you_mean(scheme, [*_KEYS, *WEB])
        raise InputError(f"{scheme}:// is not supported; {hint}", f"path: {shown_path(url)}")
    root = re.split("[/?#]" if scheme in WEB else "/", rest, maxsplit=1)[0]
    if without_secrets(f"{scheme}://{root}") != f"{scheme}://{root}":
        what = "must be a plain bucket or host name, without credentials"
        raise UsageError(f"{shown_path(url)}: what follows {scheme}:// {what}")
    return Location(scheme, root, rest[len(root) + 1 :])


def name_of(url: str) -> str:
    """Return the name of an object, the last part of its key or path."""
    scheme, _, key = location_of(url)
    if scheme not in WEB:
        return key.rpartition("/")[2]
    from urllib.parse import unquote

    return unquote(re.split("[?#]", key, maxsplit=1)[0].rpartition("/")[2])


def waited(act: Callable[[], T], *, is_long: bool = False) -> T:
    """Call a function that waits for a server, in a thread, so that signals still interrupt.

    Raises what `act` raises, and `TimeoutError` after `WAIT_SECONDS` unless it may be long.
    """
    done: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            done.put((act(), None))
        except BaseException as error:
            done.put((None, error))

    Thread(target=run, daemon=True).start()
    try:
        result, error = done.get(timeout=None if is_long else WAIT_SECONDS)
    except Empty:
        raise TimeoutError("timed out") from None
    if error is not None:
        raise error
    return cast(T, result)


def remote_error(url: str, error: BaseException, *, midway: bool) -> JobError:
    """Return the error, without secrets, for an object that cannot be opened or read `midway`."""
    if isinstance(error, JobError):
        return error
    reason, path = failure_reason(error), f"path: {shown_path(url)}"
    if midway:
        return DiskError(f"{shown_path(url)}: reading failed: {reason}")
    if reason == NO_OBJECT:
        return InputError(NOT_FOUND, path)
    return InputError(f"Input data file cannot be opened: {reason}", path + about_keys(url, reason))


def about_keys(url: str, reason: str) -> str:
    """Say where credentials come from, as the end of a hint; "" where they are not the reason."""
    keys = _KEYS.get(url.partition("://")[0])
    # A server answers an expired token with a 400.
    is_about = is_setup(reason) or reason == "the server answers 400"
    return f"; credentials come from {keys}" if keys and is_about else ""


def is_setup(reason: str) -> bool:
    """Return whether somebody must change credentials or settings, so that trying again is vain."""
    return reason in (NO_KEYS, DENIED, ELSEWHERE) or reason.startswith(WRONG_SETTINGS)


def failure_reason(error: BaseException) -> str:
    """Say in plain words, without secrets, why a request failed."""
    text = str(error)
    for pattern, reason in _REASONS:
        match = re.search(pattern, text)
        if match:
            return reason.format(*match.groups())
    # The first line holds nothing of the server's answer.
    return text_without_secrets(text.partition("\n")[0].rpartition(" - ")[2]) or repr(error)


def store_of(url: str, **client: str) -> "ObjectStore":
    """Make the client for an object's bucket or server; raises `InputError` without obstore.

    client: options of the client beyond the usual ones.
    """
    scheme, root, _ = location_of(url)
    try:
        from obstore import store
    except ImportError as problem:
        hint = "pip install obstore, or download the file first"
        missing = InputError(f"reading {scheme}:// needs the package obstore", hint)
        raise unloaded(problem) or missing from None
    options: dict[str, Any] = {
        "client_options": {"allow_http": True, "timeout": f"{REQUEST_SECONDS}s"} | client,
        "retry_config": {"max_retries": 3, "retry_timeout": timedelta(seconds=REQUEST_SECONDS)},
    }
    if scheme in WEB:
        return store.HTTPStore(url, **options)
    check_addresses(scheme)
    profile = waited(_aws_profile) if scheme == "s3" else None
    try:
        if scheme == "s3":
            return store.S3Store(root, credential_provider=profile, **options)
        if scheme == "gs":
            return store.GCSStore(root, **options)
        if scheme == "az":
            return store.AzureStore(root, **options)
        return store.AzureStore.from_url(f"{scheme}://{root}", **options)
    except Exception as problem:
        # Half a pair of keys, no account, a file of keys that is not there.
        reason = re.sub('"[^"]*"', "…", failure_reason(problem)).rpartition(" error: ")[2]
        raise ValueError(f"{WRONG_SETTINGS}: {reason}") from None


def _aws_profile() -> Any:
    """Read AWS config files where the environment has no key, with boto3, as polars does."""
    if "AWS_ACCESS_KEY_ID" in os.environ:
        return None
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider

        return Boto3CredentialProvider()
    except (ImportError, ValueError):
        # Without boto3, or without a profile, the machine may still have a role.
        return None


def find_remote(url: str, left_out: Sequence[str] = ()) -> list[str]:
    """List the URLs that a URL stands for: itself, or the objects of a folder or pattern.

    A folder ends in "/". left_out: URLs of objects and folders that it does not stand for. Raises
    `InputError` if there are no objects, `DataError` for those of a table with a log of its own.
    """
    scheme, root, key = location_of(url)
    is_folder = key == "" or key.endswith("/")
    if scheme in WEB or not (is_folder or has_magic(key)):
        return [url]
    if is_folder:
        keys = _listed(url, key)
        matches = [path for path in keys if _is_visible(path[len(key) :])]
        problem = "Input folder has no files"
    else:
        parts = key.split("/")
        fixed = next(index for index, part in enumerate(parts) if has_magic(part))
        keys = _listed(url, "/".join(parts[:fixed]))
        matches = [path for path in keys if _matches(path, parts)]
        matches = [key] if key in keys else sorted(matches, key=numbered)
        problem = NOT_FOUND
    matches = [path for path in matches if not _is_left_out(f"{scheme}://{root}/{path}", left_out)]
    if not matches:
        raise InputError(problem, f"path: {shown_path(url)}")
    refuse_logged_keys(f"{scheme}://{root}", matches, keys)
    return [f"{scheme}://{root}/{key}" for key in matches]


def _is_left_out(url: str, left_out: Sequence[str]) -> bool:
    return any(url == each or url.startswith(f"{each.rstrip('/')}/") for each in left_out)


def _listed(url: str, prefix: str) -> list[str]:
    """List the keys below a prefix, in the order in which `find_paths` lists local files."""
    sizes: dict[str, int] = {}
    try:
        pages = store_of(url).list(prefix or None, chunk_size=1000)
        while (page := waited(lambda: next(pages, None))) is not None:
            sizes |= {entry["path"]: entry["size"] for entry in page}
    except Exception as error:
        raise remote_error(url, error, midway=False) from None
    folders = {key[:end] for key in sizes for end, sign in enumerate(key) if sign == "/"}
    # Some tools create a folder as an empty object with its name.
    return sorted((key for key in sizes if sizes[key] or key not in folders), key=_walk_order)


def _walk_order(key: str) -> list[tuple[bool, object]]:
    *folders, name = key.split("/")
    return [*((True, numbered(folder)) for folder in folders), (False, numbered(name))]


def stands_for(url: str, other: str) -> bool:
    """Return whether a folder or pattern in a store stands for an object, if that is there."""
    scheme, root, key = location_of(url)
    inner = location_of(other)
    if scheme in WEB or (scheme, root) != inner[:2]:
        return False
    if key == "" or key.endswith("/"):
        return inner.key.startswith(key) and _is_visible(inner.key[len(key) :])
    return inner.key == key or _matches(inner.key, key.split("/"))


def _is_visible(path: str) -> bool:
    return path != "" and not any(part.startswith((".", "_")) for part in path.split("/"))


def _matches(key: str, pattern: list[str]) -> bool:
    """Return whether a key fits a pattern given in parts, where "**" is any visible folders."""
    return _parts_fit(key.split("/"), pattern)


def _parts_fit(parts: list[str], pattern: list[str]) -> bool:
    if not pattern or not parts:
        return parts == pattern
    if pattern == ["**"]:
        return not any(part.startswith(".") for part in parts)
    is_hidden = parts[0].startswith(".")
    if pattern[0] == "**":
        return _parts_fit(parts, pattern[1:]) or (not is_hidden and _parts_fit(parts[1:], pattern))
    fits = fnmatchcase(parts[0], pattern[0]) and is_hidden <= pattern[0].startswith(".")
    return fits and _parts_fit(parts[1:], pattern[1:])
