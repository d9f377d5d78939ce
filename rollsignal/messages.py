"""This module writes data, paths and counts in the messages that people read."""

import re
from collections.abc import Callable
from typing import Literal

LogLevel = Literal["INFO", "WARNING", "ERROR"]
"""How important a message is."""

LEVELS: tuple[LogLevel, ...] = ("INFO", "WARNING", "ERROR")

Tell = Callable[[LogLevel, str], None]
"""A function that receives messages for people."""


class SheetName(str):
    """What messages call a sheet of a workbook, whose lines are rows."""

    __slots__ = ()


def unit_of(name: str) -> str:
    """Return what messages call a line of a table, by the name of its file or sheet."""
    return "row" if isinstance(name, SheetName) else "line"


def line_of(name: str, number: int) -> str:
    """Return where a line of a table is.

    >>> line_of("bars.csv", 2), line_of(SheetName("bars.xlsx (sheet A)"), 2)
    ('bars.csv line 2', 'bars.xlsx (sheet A) row 2')
    """
    return f"{name} {unit_of(name)} {number}"


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


# What is written for the query of a URL.
QUERY_LEFT_OUT = "?…"


def is_url(path: str) -> bool:
    """Return whether a path is a URL."""
    scheme, separator, _ = path.partition("://")
    return bool(separator) and scheme.isascii() and scheme.isalnum()


def without_secrets(path: str) -> str:
    """Return a path, of a URL without user, password and query: they may hold secrets.

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
    root, slash, key = plain.partition("/")
    container, _, host = root.rpartition("@")
    if not re.fullmatch(r"([\w.-]+|\[[\w:.]+\])(:\d+)?", host):
        return f"{scheme}://…"
    if scheme == "abfss" and re.fullmatch(r"[\w-]+", container):
        host = root
    return f"{scheme}://{host}{slash}{key}" + (QUERY_LEFT_OUT if plain != rest else "")


def text_without_secrets(text: str) -> str:
    """Return a text with every URL written as `without_secrets` does."""
    return re.sub(r"\w+://\S+", lambda match: without_secrets(match[0]), text)


def shown_path(path: str) -> str:
    """Return a path for a message: quoted and escaped if a terminal or a log would misread it.

    A URL is shown without the parts that may be secret.
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
    """Return a count with its noun: `1 row`, `10,000 rows`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def did_you_mean(name: str, known: list[str]) -> str:
    """Suggest the nearest known name, in any case of letters, or list all of them.

    >>> did_you_mean("closed", ["Date", "Close"])
    'did you mean Close?'
    """
    from difflib import get_close_matches

    spelled = {each.lower(): each for each in reversed(known)}
    near = get_close_matches(name.lower(), spelled, n=1)
    return escaped(f"did you mean {spelled[near[0]]}?" if near else f"known: {', '.join(known)}")
