"""This module holds every way a run can fail: the `JobError` family, each with its exit code.

The codes are those of BSD's sysexits.h, so that a scheduler can tell bad data from a bad disk.
"""

import re


class JobError(Exception):
    """Say why a run failed: where, what was found, what to do.

    `message` goes into the metrics file; `detail` (a path, a hint) only to the log and stderr.
    """

    exit_code = 1

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} ({self.detail})" if self.detail else self.message


class UsageError(JobError):
    """The command line is wrong."""

    exit_code = 2


class DataError(JobError):
    """The bars cannot be trusted."""

    exit_code = 65


class InputError(JobError):
    """An input is missing or cannot be read."""

    exit_code = 66


class OutputError(JobError):
    """An output cannot be created."""

    exit_code = 73


class DiskError(JobError):
    """Reading or writing failed midway."""

    exit_code = 74


class BusyError(JobError):
    """Another run is at work on the same files; this one may be tried again."""

    exit_code = 75


class ConfigError(JobError):
    """The config is missing or wrong.

    `version` is the config's own version where that much of it could be read.
    """

    exit_code = 78
    version: str | None = None


class StoppedError(JobError):
    """A signal ended the run: 128 plus the signal's number, as shells count."""

    def __init__(self, signal_number: int, name: str) -> None:
        super().__init__(f"Stopped by {name} before the end")
        self.exit_code = 128 + signal_number


class BadCellError(ValueError):
    """One cell is not what its column holds.

    `index` is its place in the cells given, `hint` what can be done, where that is special.
    """

    def __init__(self, reason: str, index: int = 0, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = index
        self.hint = hint


def shown(text: str, limit: int = 40) -> str:
    r"""Quote a piece of data for a message: shortened, with control characters escaped.

    >>> print(shown("101.5\x1b[2J"))
    '101.5\x1b[2J'
    >>> print(shown("9" * 5000, limit=5))
    '99999…' (5,000 characters)
    """
    if len(text) <= limit:
        return repr(text)
    return f"{text[:limit] + '…'!r} ({len(text):,} characters)"


def is_url(path: str) -> bool:
    """Tell a URL from a local path."""
    scheme, separator, _ = path.partition("://")
    return bool(separator) and scheme.isascii() and scheme.isalnum()


def without_secrets(path: str) -> str:
    """Return a path as it is, a URL without user, password and query: they may hold secrets.

    >>> print(without_secrets("https://me:secret@host/x.csv?sig=abc"))
    https://host/x.csv?…
    >>> print(without_secrets("s3://bucket/day=1/?.csv"))
    s3://bucket/day=1/?.csv
    """
    if not is_url(path):
        return path
    scheme, _, rest = path.partition("://")
    # In the key of an object, a question mark is a character or a pattern like any other.
    query = r"[?#]" if scheme.lower() in ("http", "https") else r"\?[^/]*="
    plain = re.split(query, rest, maxsplit=1)[0]
    root, slash, place = plain.partition("/")
    container, _, host = root.rpartition("@")
    if not re.fullmatch(r"([\w.-]+|\[[\w:.]+\])(:\d+)?", host):
        return f"{scheme}://…"
    if scheme == "abfss" and re.fullmatch(r"[\w-]+", container):
        host = root
    return f"{scheme}://{host}{slash}{place}" + ("?…" if plain != rest else "")


def text_without_secrets(text: str) -> str:
    """Write every URL in a text as `without_secrets` does."""
    return re.sub(r"\w+://\S+", lambda match: without_secrets(match[0]), text)


def shown_path(path: str) -> str:
    """Write a path as it is, or quoted and escaped if a terminal or a log would misread it.

    A URL is written without what may be secret.
    """
    path = without_secrets(path)
    return path if path.isprintable() and path.strip() == path != "" else repr(path)


def escaped(text: str) -> str:
    r"""Escape line ends, control characters and other unprintable ones.

    >>> print(escaped("a\nb\x1b[2J"))
    a\nb\x1b[2J
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def plural(count: int, noun: str) -> str:
    """Count a noun: `1 row`, `10,000 rows`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def did_you_mean(name: str, known: list[str]) -> str:
    """Offer the nearest known name, or list them all."""
    from difflib import get_close_matches

    near = get_close_matches(name.lower(), known, n=1)
    return escaped(f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}")
